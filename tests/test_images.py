from __future__ import annotations

import numpy as np
import pytest
import torch

from vitruvian.images import from_uint8, grid_shape, tile, to_uint8


@pytest.mark.parametrize(
    ("count", "shape"), [(64, (4, 16)), (16, (2, 8)), (1, (1, 1)), (2, (1, 2)), (6, (1, 6)), (7, (1, 7))]
)
def test_sheets_of_bodies_have_few_empty_cells(count: int, shape: tuple[int, int]) -> None:
    assert grid_shape(count, 128, 64) == shape


def test_tiles_go_row_by_row_and_missing_ones_are_white() -> None:
    pictures = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1).repeat(3, axis=3)
    assert tile(pictures, 2)[:, :, 0].tolist() == [[0, 1], [2, 255]]


def test_levels_come_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    again = to_uint8(from_uint8(levels))[0, :, :, 0]
    # The official formula adds half a level before it truncates: every level but the last survives.
    assert np.abs(again.astype(int) - levels[0, 0].numpy().astype(int)).max() <= 1
