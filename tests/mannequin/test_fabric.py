"""Fabrics drawn by lot."""

import numpy as np
import pytest

from vitruvian.mannequin import fabric
from vitruvian.mannequin.fabric import Pattern, sample_fabric
from vitruvian.mannequin.labels import Semantic
from vitruvian.mannequin.materials import Column, MaterialTable, Slot


@pytest.mark.parametrize("use", fabric.PATTERN_WEIGHTS)
def test_same_seed_same_cloth_and_every_pattern_comes_up(use: str) -> None:
    again = [sample_fabric(np.random.default_rng(seed), use) for seed in range(150)]
    assert again == [sample_fabric(np.random.default_rng(seed), use) for seed in range(150)]
    common = {p for p, weight in fabric.PATTERN_WEIGHTS[use].items() if weight >= 0.06}
    assert common <= {cloth.pattern for cloth in again} <= set(fabric.PATTERN_WEIGHTS[use])


def test_colours_do_not_clip_and_patterns_contrast() -> None:
    rng = np.random.default_rng(0)
    for use in fabric.PATTERN_WEIGHTS:
        for _ in range(40):
            cloth = sample_fabric(rng, use)
            colours = np.array([cloth.base, cloth.second, cloth.third])
            assert colours.min() >= 0
            assert colours.max() <= fabric.HIGHEST_ALBEDO
            if cloth.second_name:
                assert np.abs(colours[0] - colours[1]).max() > 0.02, cloth


def test_a_pattern_can_be_asked_for() -> None:
    for pattern in Pattern:
        assert sample_fabric(np.random.default_rng(1), "top", pattern=pattern).pattern == pattern


def test_the_material_row_is_the_fabric() -> None:
    cloth = sample_fabric(np.random.default_rng(2), "top", pattern=Pattern.BLOCK)
    table = MaterialTable()
    table.set_cloth(Slot.TOP, cloth, Semantic.TOP)
    row = table.rows[Slot.TOP]
    np.testing.assert_allclose(row[Column.BASE : Column.BASE + 3], cloth.base, rtol=1e-6)
    assert row[Column.PATTERN] == Pattern.BLOCK
    assert row[Column.Q] < row[Column.R], "the band has a height"
