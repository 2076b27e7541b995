"""The facts of a picture set and its sheet of samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.conftest import encoded, noise
from vitruvian.data import PictureSet, PictureSetWriter
from vitruvian.data.encoding import encode_png
from vitruvian.errors import DatasetError, OptionError
from vitruvian.options.dataset import InspectDatasetOptions
from vitruvian.tasks.inspect_dataset import inspect_dataset, sample_sheet


def write(path: Path, labels: list[Any]) -> Path:
    with PictureSetWriter(path, origin={}) as writer:
        for index, label in enumerate(labels):
            writer.add(index, encode_png(noise(index)), label=label, record={"number": index})
        return writer.finish()


def test_facts(tmp_path: Path) -> None:
    path = write(tmp_path / "set.zip", [2, 0, 2, 2])
    info = inspect_dataset(InspectDatasetOptions(path))
    assert (info.name, info.pictures, info.height, info.width, info.channels) == ("set", 4, 8, 4, 3)
    assert info.bytes == sum(len(encode_png(noise(i))) for i in range(4))
    assert info.modes == {"RGB": 4}
    assert (info.label_kind, info.label_dim, info.histogram) == ("class", 3, {0: 1, 2: 3})
    assert (info.records, info.sheet) == (4, None)


def test_vectors_and_no_labels(tmp_path: Path) -> None:
    vectors = inspect_dataset(InspectDatasetOptions(write(tmp_path / "v", [[0.5, 1.0], [0.0, 2.0]])))
    assert (vectors.label_kind, vectors.label_dim, vectors.histogram) == ("vector", 2, None)
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "a.png").write_bytes(encoded(noise(0)))
    none = inspect_dataset(InspectDatasetOptions(tmp_path / "n"))
    assert (none.label_kind, none.label_dim, none.histogram, none.records) == ("none", 0, None, 0)


def test_the_sheet_shows_different_pictures_in_order(tmp_path: Path) -> None:
    path = write(tmp_path / "set", [None] * 5)
    sheet = sample_sheet(PictureSet.open(path), rows=9, cols=2, seed=0)
    assert sheet.shape == (3 * 8, 2 * 4, 3)
    for place in range(5):
        top, left = place // 2 * 8, place % 2 * 4
        np.testing.assert_array_equal(sheet[top : top + 8, left : left + 4], noise(place))
    assert (sheet[16:, 4:] == 255).all()  # the place left over


def test_the_sheet_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "set", [None] * 5)
    info = inspect_dataset(InspectDatasetOptions(path, sheet=tmp_path / "new" / "sheet.png", rows=1, cols=3))
    assert info.sheet is not None
    with Image.open(info.sheet) as sheet:
        assert sheet.size == (3 * 4, 8)


def test_faults_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "set", [None, None])
    with pytest.raises(OptionError, match=r"--sheet is sheet.txt, expected a file ending in .png"):
        inspect_dataset(InspectDatasetOptions(path, sheet=Path("sheet.txt")))
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="cannot write to the folder"):
        inspect_dataset(InspectDatasetOptions(path, sheet=tmp_path / "file" / "sheet.png"))
    with pytest.raises(OptionError, match="--cols is 0"):
        InspectDatasetOptions(path, cols=0)
    with pytest.raises(OptionError, match="--seed is -1"):
        InspectDatasetOptions(path, seed=-1)
    (path / "odd.png").write_bytes(encoded(noise(0, 3, 3)))
    with pytest.raises(DatasetError, match=r"odd\.png is 3x3"):
        inspect_dataset(InspectDatasetOptions(path))
