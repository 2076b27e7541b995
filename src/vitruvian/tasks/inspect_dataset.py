"""What a picture set holds, in numbers and as a sheet of samples."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vitruvian.data import PictureSet
from vitruvian.data.writer import RECORD_FILE
from vitruvian.errors import OptionError
from vitruvian.files import replacing, writable_folder
from vitruvian.options.dataset import InspectDatasetOptions

_PAPER = 255  # white where the sheet has no picture
_HISTOGRAM_CLASSES = 1000  # a set with more classes gets no histogram: nobody would read it


@dataclass(frozen=True)
class DatasetInfo:
    """The facts of a picture set."""

    path: Path
    name: str
    pictures: int
    height: int
    width: int
    channels: int
    bytes: int  # of the encoded pictures
    modes: dict[str, int]  # pictures of each colour mode as stored: RGB, L (grey), P (palette), 1
    label_dim: int
    label_kind: str  # 'none', 'class' or 'vector'
    histogram: dict[int, int] | None  # class -> pictures
    records: int  # lines of labels.jsonl, the full labels of our own sets
    sheet: Path | None


def inspect_dataset(options: InspectDatasetOptions) -> DatasetInfo:
    """Open a picture set, which checks every header, and tell what is in it.

    :raises DatasetError: no such set, or a bad picture or label in it; the first is named.
    """
    if options.sheet is not None and options.sheet.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise OptionError(f"--sheet is {options.sheet}, expected a file ending in .png or .jpg")
    with PictureSet.open(options.data, use_labels=True) as pictures:
        if options.sheet is not None:
            sheet = sample_sheet(pictures, rows=options.rows, cols=options.cols, seed=options.seed)
            writable_folder(options.sheet.parent)
            with replacing(options.sheet) as temporary:
                Image.fromarray(sheet).save(temporary)
        return DatasetInfo(
            path=pictures.path,
            name=pictures.name,
            pictures=len(pictures),
            height=pictures.height,
            width=pictures.width,
            channels=pictures.channels,
            bytes=pictures.bytes_on_disk(),
            modes=pictures.modes,
            label_dim=pictures.label_dim,
            label_kind=_label_kind(pictures),
            histogram=_histogram(pictures),
            records=_count_records(pictures),
            sheet=options.sheet,
        )


def sample_sheet(pictures: PictureSet, *, rows: int, cols: int, seed: int) -> np.ndarray:
    """Different pictures of a set in reading order on one sheet: uint8 (rows H) x (cols W) x 3.

    A set with fewer pictures than places gives fewer rows.
    """
    count = min(rows * cols, len(pictures))
    chosen = np.sort(np.random.default_rng(seed).choice(len(pictures), count, replace=False))
    rows = math.ceil(count / cols)
    height, width = pictures.height, pictures.width
    sheet = np.full((rows * height, cols * width, 3), _PAPER, np.uint8)
    for place, index in enumerate(chosen):
        top, left = place // cols * height, place % cols * width
        sheet[top : top + height, left : left + width] = pictures[int(index)][0].transpose(1, 2, 0)
    return sheet


def _label_kind(pictures: PictureSet) -> str:
    if not pictures.has_labels:
        return "none"
    return "class" if pictures.has_class_ids else "vector"


def _histogram(pictures: PictureSet) -> dict[int, int] | None:
    if not pictures.has_class_ids or pictures.label_dim > _HISTOGRAM_CLASSES:
        return None
    counts = Counter(int(pictures.details(i).raw_label) for i in range(len(pictures)))
    return dict(sorted(counts.items()))


def _count_records(pictures: PictureSet) -> int:
    return sum(1 for _ in pictures.read_lines(RECORD_FILE)) if pictures.has_file(RECORD_FILE) else 0
