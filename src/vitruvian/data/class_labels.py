"""The labels of ``dataset.json``: class ids or vectors, as the StyleGAN tools write them.

``{"labels": [["00000/img00000000.png", 6], ...]}`` or ``{"labels": null}``; no file means no labels. Ids are
returned one-hot with as many places as the largest id plus one, vectors as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitruvian.data.sources import FileSource
from vitruvian.errors import DatasetError

LABEL_FILE = "dataset.json"
MOST_CLASSES = 1_000_000  # a label is given one-hot: more places than this are a slip in the file, not a set
_MOST_SHOWN = 60  # characters
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class ClassLabels:
    """Labels of all pictures of a set: int64 [N] class ids, or float32 [N, dim] vectors (dim 0: none)."""

    raw: np.ndarray
    dim: int

    @classmethod
    def none(cls, count: int) -> ClassLabels:
        """No labels for ``count`` pictures."""
        return cls(np.zeros((count, 0), np.float32), 0)

    @property
    def are_ids(self) -> bool:
        return self.raw.ndim == 1

    def __getitem__(self, index: int) -> np.ndarray:
        """The label of one picture as a fresh float32 [dim], one-hot for ids."""
        if not self.are_ids:
            return self.raw[index].copy()
        one_hot = np.zeros(self.dim, np.float32)
        one_hot[self.raw[index]] = 1
        return one_hot

    def at(self, positions: Sequence[int] | np.ndarray) -> ClassLabels:
        """The labels of some pictures; the dimension stays that of the whole set."""
        return ClassLabels(self.raw[np.asarray(positions, np.int64)], self.dim)


def read_class_labels(source: FileSource, names: Sequence[str], *, all_files: Iterable[str]) -> ClassLabels:
    """Read the labels of the pictures ``names`` from the set's ``dataset.json``."""
    if LABEL_FILE not in set(all_files):
        return ClassLabels.none(len(names))
    owner = f"{source.path}: {LABEL_FILE}"
    entries = _parse(source, owner)
    if entries is None:
        return ClassLabels.none(len(names))
    try:
        by_name = dict(entries)
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{owner} has labels that are not pairs of a file name and a label") from error
    missing = [name for name in names if name not in by_name]
    if missing:
        others = f" (and {len(missing) - 1} others)" if len(missing) > 1 else ""
        raise DatasetError(f"{owner} has no label for {missing[0]}{others}: add it, or open the set without labels")
    return _to_arrays([by_name[name] for name in names], names, owner)


def _parse(source: FileSource, owner: str) -> list[Any] | None:
    try:
        with source.open(LABEL_FILE) as stream:
            document = json.load(stream)
    except Exception as error:  # no JSON, a damaged or encrypted zip member, ten thousand brackets
        raise DatasetError(f"{owner} cannot be read as JSON ({error}): write it again") from error
    if not isinstance(document, dict) or "labels" not in document:
        raise DatasetError(f'{owner} has no key "labels": expected {{"labels": [[file, label], ...]}} or null')
    entries = document["labels"]
    if entries is not None and not isinstance(entries, list):
        raise DatasetError(f'{owner}: "labels" is {type(entries).__name__}, expected a list of pairs or null')
    return entries


def _to_arrays(values: list[Any], names: Sequence[str], owner: str) -> ClassLabels:
    if values and isinstance(values[0], list):
        return _vectors(values, names, owner)
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, int) or not 0 <= value < MOST_CLASSES:
            raise DatasetError(
                f"{owner}: the label of {name} is {_shown(value)}, expected a whole number from 0 to"
                f" {MOST_CLASSES - 1} (or a list of numbers for every picture)"
            )
    ids = np.array(values, np.int64)
    return ClassLabels(ids, int(ids.max()) + 1 if len(ids) else 0)


def _vectors(values: list[Any], names: Sequence[str], owner: str) -> ClassLabels:
    length = len(values[0])
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, list) or len(value) != length or not all(map(_is_number, value)):
            raise DatasetError(
                f"{owner}: the label of {name} is {_shown(value)},"
                f" expected a list of {length} finite numbers like {names[0]}"
            )
    return ClassLabels(np.array(values, np.float32).reshape(len(values), length), length)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def _shown(value: Any) -> str:
    """A wrong label in a message of one line; it can be a vector of thousands."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
