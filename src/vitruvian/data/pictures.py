"""A picture set opened for reading: the folder or zip format of the StyleGAN tools, any height x width.

Everything that can be known without decoding is checked once, when the set is opened; afterwards an item is
simply read. Pictures are uint8, 3 x H x W, RGB (the rule is in :mod:`vitruvian.data.decoding`).
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np

from vitruvian.data.class_labels import ClassLabels, read_class_labels
from vitruvian.data.decoding import BadPictureError, Header, decode, read_header
from vitruvian.data.sources import FileSource, FolderSource, is_picture_name, open_source, read_bytes
from vitruvian.errors import DatasetError, OptionError

_log = logging.getLogger(__name__)

# Folders of masks that lie beside the pictures under the same file names; `segments` is SHHQ's.
MASK_FOLDERS = frozenset({"segments", "segmentation", "segmentations", "masks", "parsing"})

# Threads hide the latency of network disks; on a near disk (60 microseconds a header) they make it thrice
# as slow, so the first headers are timed.
_HEADER_THREADS = 16
_PROBE = 64  # headers
_SLOW_HEADER = 1e-3  # seconds


@dataclass(frozen=True, slots=True)
class Details:
    """Where an item of a set comes from."""

    name: str  # file name relative to the root
    raw_index: int  # place among the set's pictures, before the choice of a subset and mirroring
    mirrored: bool
    raw_label: np.ndarray  # int64 scalar for class ids, float32 vector otherwise


class PictureSet:
    """Pictures of one size with optional labels; item ``i`` is ``(uint8 3 x H x W, float32 label)``.

    Built by :meth:`open`. Can be sent to other processes; each opens its own file handles.
    """

    channels = 3

    def __init__(
        self,
        source: FileSource,
        names: Sequence[str],
        *,
        size: tuple[int, int],
        labels: ClassLabels,
        order: np.ndarray,
        mirrored: np.ndarray,
        modes: dict[str, int],
    ) -> None:
        self._source = source
        self._names = list(names)
        self._labels = labels
        self._order = order
        self._mirrored = mirrored
        self.height, self.width = size
        self.modes = modes

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        use_labels: bool = False,
        xflip: bool = False,
        max_size: int | None = None,
        seed: int = 0,
        resolution: tuple[int, int] | None = None,
        on_bad: Literal["refuse", "skip"] = "refuse",
    ) -> PictureSet:
        """Open a folder or zip and check every picture's header.

        :param use_labels: read ``dataset.json``; otherwise the label dimension is 0.
        :param xflip: append the mirror image of every picture, which doubles the length (``--mirror``).
        :param max_size: keep at most so many pictures, drawn with ``seed`` and then put in order; the subset
            is drawn before mirroring. Same draw as the StyleGAN tools.
        :param resolution: the (height, width) that the pictures must have; by default the size that most of
            them have.
        :param on_bad: what to do with a picture that is unreadable, of another size, or of a kind that is not
            taken: refuse the set with one line that names it, or skip it with a logged warning.
        :raises DatasetError: no such set, no pictures, bad pictures or bad labels.
        """
        if max_size is not None and max_size < 1:
            raise OptionError(f"max_size is {max_size}, expected at least 1 picture")
        if on_bad not in ("refuse", "skip"):
            raise OptionError(f"on_bad is {on_bad!r}, expected 'refuse' or 'skip'")
        source = open_source(path)
        all_files = source.names()
        names = _without_masks([name for name in all_files if is_picture_name(name)], source.path)
        if not names:
            raise DatasetError(f"{source.path} holds no pictures: point at the folder or zip that has them")
        labels = read_class_labels(source, names, all_files=all_files) if use_labels else None

        headers = _read_headers(source, names)
        size, faults = _judge(names, headers, resolution)
        if faults:
            _report(source.path, faults, len(names), on_bad)
            kept = [i for i, name in enumerate(names) if name not in faults]
            if labels is not None:
                labels = labels.at(kept)
            names, headers = [names[i] for i in kept], [headers[i] for i in kept]

        order = _subset(len(names), max_size, seed)
        return cls(
            source,
            names,
            size=size,
            labels=labels if labels is not None else ClassLabels.none(len(names)),
            order=np.tile(order, 2) if xflip else order,
            mirrored=np.repeat([False, True], len(order)) if xflip else np.zeros(len(order), bool),
            modes=dict(Counter(header.mode for header in headers if isinstance(header, Header))),
        )

    @property
    def path(self) -> Path:
        return self._source.path

    @property
    def name(self) -> str:
        """The folder's or file's name, without ``.zip``: the data part of a run folder's name."""
        name = self.path.resolve().name
        return name[: -len(".zip")] if name.lower().endswith(".zip") else name

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.height, self.width)

    @property
    def label_dim(self) -> int:
        return self._labels.dim

    @property
    def has_labels(self) -> bool:
        """Whether items carry labels; a set whose ids are all 0 still has them, of dimension 1."""
        return self._labels.dim > 0

    @property
    def has_class_ids(self) -> bool:
        """Whether the labels are class ids (given one-hot) rather than vectors."""
        return self.has_labels and self._labels.are_ids

    @property
    def names(self) -> list[str]:
        """File names of the checked pictures, in order, before the choice of a subset and mirroring."""
        return list(self._names)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Decode one picture: (uint8 3 x H x W, float32 label of ``label_dim``)."""
        raw = int(self._order[index])
        pixels = self._decode(self._names[raw])
        if self._mirrored[index]:
            pixels = np.ascontiguousarray(pixels[:, :, ::-1])
        return pixels, self._labels[raw]

    def label(self, index: int) -> np.ndarray:
        """The label of an item alone, without decoding its picture."""
        return self._labels[int(self._order[index])]

    def details(self, index: int) -> Details:
        raw = int(self._order[index])
        return Details(self._names[raw], raw, bool(self._mirrored[index]), np.array(self._labels.raw[raw]))

    def bytes_on_disk(self) -> int:
        """Bytes of the encoded pictures, each counted once."""
        return sum(self._source.size(self._names[raw]) for raw in np.unique(self._order))

    def has_file(self, name: str) -> bool:
        """Whether the set holds a file of this name, picture or not."""
        try:
            self._source.open(name).close()
        except (KeyError, OSError):
            return False
        return True

    def read_file(self, name: str) -> bytes:
        """Another file of the set, such as ``labels.jsonl``; raises :class:`DatasetError` without a readable one."""
        return b"".join(self.read_lines(name))

    def read_lines(self, name: str) -> Iterator[bytes]:
        """The lines of another file of the set, read as they are asked for; raises like :meth:`read_file`."""
        try:
            with self._source.open(name) as stream:
                yield from stream
        except (KeyError, FileNotFoundError) as error:
            raise DatasetError(f"{self.path}: there is no {name}") from error
        except Exception as error:  # a damaged or encrypted zip member, a lost disk
            raise DatasetError(f"{self.path}: {name} cannot be read ({error}): restore the set") from error

    def close(self) -> None:
        """Close file handles; the next access opens them again."""
        self._source.close()

    def __enter__(self) -> PictureSet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _decode(self, name: str) -> np.ndarray:
        try:
            pixels = decode(read_bytes(self._source, name))
        except BadPictureError as error:
            raise DatasetError(f"{self.path}: {name} is {error}: replace or remove it") from error
        except Exception as error:  # a vanished file, a wrong checksum in the zip, a lost disk
            raise DatasetError(f"{self.path}: {name} cannot be read ({error}): restore the set") from error
        if pixels.shape != self.image_shape:
            raise DatasetError(
                f"{self.path}: {name} is {pixels.shape[1]}x{pixels.shape[2]}, expected"
                f" {self.height}x{self.width}: it changed after the set was opened; restore it"
            )
        return pixels


def _without_masks(names: list[str], path: Path) -> list[str]:
    """Leave out mask folders that lie beside pictures; a set made of nothing else is taken as it is."""
    pictures = [name for name in names if MASK_FOLDERS.isdisjoint(name.lower().split("/")[:-1])]
    if not pictures or len(pictures) == len(names):
        return names
    _log.info("%s: left out %d files in mask folders", path, len(names) - len(pictures))
    return pictures


def _read_headers(source: FileSource, names: Sequence[str]) -> list[Header | BadPictureError]:
    def header(name: str) -> Header | BadPictureError:
        try:
            with source.open(name) as stream:
                return read_header(stream)
        except BadPictureError as error:
            return error
        except Exception as error:  # damaged zip members and unreadable files
            return BadPictureError(f"not readable ({error})")

    probe, rest = names[:_PROBE], names[_PROBE:]
    started = time.monotonic()
    headers = [header(name) for name in probe]
    is_slow = time.monotonic() - started > len(probe) * _SLOW_HEADER
    # A zip has one handle, for which threads would only wait.
    if is_slow and rest and isinstance(source, FolderSource):
        with ThreadPoolExecutor(_HEADER_THREADS) as pool:
            return headers + list(pool.map(header, rest))
    return headers + [header(name) for name in rest]


def _judge(
    names: Sequence[str],
    headers: Sequence[Header | BadPictureError],
    resolution: tuple[int, int] | None,
) -> tuple[tuple[int, int], dict[str, str]]:
    """The size of the set, and for each picture that does not fit what it is and what was expected."""
    sizes = Counter((header.height, header.width) for header in headers if isinstance(header, Header))
    # Counter keeps the order of first appearance among equals, so that a tie goes to the first picture.
    size = resolution or (sizes.most_common(1)[0][0] if sizes else (0, 0))
    expected = f"expected {size[0]}x{size[1]}" + ("" if resolution else f" like {sizes[size]} others")
    faults: dict[str, str] = {}
    for name, header in zip(names, headers, strict=True):
        if isinstance(header, BadPictureError):
            faults[name] = f"is {header}"
        elif (header.height, header.width) != size:
            faults[name] = f"is {header.height}x{header.width} (height x width), {expected}"
    return size, faults


def _report(path: Path, faults: dict[str, str], count: int, on_bad: str) -> None:
    first, fault = next(iter(faults.items()))
    if len(faults) == count:
        raise DatasetError(f"{path}: none of {count} pictures can be used: {first} {fault}")
    share = f"{len(faults)} of {count} pictures cannot be used"
    if on_bad == "refuse":
        others = "" if len(faults) == 1 else f" ({share})"
        raise DatasetError(f"{path}: {first} {fault}{others}: repair, remove or skip bad pictures")
    _log.warning("%s: skipped: %s; the first: %s %s", path, share, first, fault)


def _subset(count: int, max_size: int | None, seed: int) -> np.ndarray:
    """Positions kept: all, or a sorted draw of ``max_size`` (legacy generator, as the original draws)."""
    order = np.arange(count, dtype=np.int64)
    if max_size is not None and max_size < count:
        np.random.RandomState(seed).shuffle(order)
        order = np.sort(order[:max_size])
    return order
