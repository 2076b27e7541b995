"""The fixed sheet, against the one of the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.data.conftest import golden_cases
from vitruvian.data import Details, PictureSet
from vitruvian.training.samples import SampleSheet


class Numbers(PictureSet):
    """Pictures of which only shape and class are known."""

    def __init__(self, count: int, size: tuple[int, int], classes: int) -> None:
        self.count, self.classes = count, classes
        self.height, self.width = size

    def __len__(self) -> int:
        return self.count

    @property
    def has_class_ids(self) -> bool:
        return self.classes > 0

    def details(self, index: int) -> Details:
        return Details(f"{index}.png", index, False, np.array(index % self.classes))

    def label(self, index: int) -> np.ndarray:
        return np.eye(max(self.classes, 1), dtype=np.float32)[index % max(self.classes, 1)]


@pytest.mark.parametrize("case", golden_cases("snapshot_grid"))
def test_the_sheet_shows_the_pictures_of_the_reference(case: dict[str, Any]) -> None:
    _, height, width = case["image_shape"]
    classes = {None: 0, "i % 3": 3}[case["labels"]]
    sheet = SampleSheet(Numbers(case["n"], (height, width), classes), z_dim=4, use_labels=classes > 0)
    assert (sheet.columns, len(sheet.indices)) == (case["gw"], case["total"])
    assert sheet.indices[:64] == case["first_64_indices"]
    assert len(sheet.z) == len(sheet.c) == case["total"]
    if classes:
        assert sheet.c[0].tolist() == [1, 0, 0]
        assert sheet.c[sheet.columns].tolist() == [0, 1, 0]
        # the fourth row is the first class again, from where the first row ended
        again = sheet.indices[3 * sheet.columns]
        assert again == case["first_64_indices"][case["gw"] % 14]
