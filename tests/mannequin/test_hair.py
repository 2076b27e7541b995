"""Hair: every style grows, keeps off the face, follows identity and pose."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.mannequin import hair
from vitruvian.mannequin.body import Body
from vitruvian.mannequin.hairstyles import STYLES, Style
from vitruvian.mannequin.materials import Slot
from vitruvian.mannequin.strands import SKULL_CENTRE, SKULL_RADII, azimuth

STRANDED = [name for name, style in STYLES.items() if style is not None and style.has_strands]
FRINGED = {name for name, style in STYLES.items() if isinstance(style, Style) and style.fringe}


@pytest.mark.parametrize("style", STRANDED)
def test_strands_are_sound_and_stay_off_the_face(style: str) -> None:
    growth = hair.growth(style, 3)
    assert np.isfinite(growth.vertices).all()
    assert growth.triangles.max() < len(growth.vertices)
    np.testing.assert_allclose(np.linalg.norm(growth.normals, axis=1), 1, atol=1e-3)
    v = growth.vertices
    # eyes, nose and mouth; a fringe may reach the brows
    central = (np.abs(azimuth(v)) < 40) & (v[:, 2] < (0.90 if style in FRINGED else 0.94)) & (v[:, 2] > 0.80)
    share = central.mean()
    assert share < (0.02 if style in FRINGED else 1e-9)


def test_hair_sits_on_the_skull() -> None:
    v = hair.growth("crop", 0).vertices
    radius = np.linalg.norm((v - SKULL_CENTRE) / SKULL_RADII, axis=1)
    assert 0.9 < np.median(radius) < 1.25


def test_the_same_seed_grows_the_same_hair_and_another_does_not() -> None:
    first = hair.growth("bob", 1).vertices
    hair.growth.cache_clear()
    np.testing.assert_array_equal(first, hair.growth("bob", 1).vertices)
    other = hair.growth("bob", 2).vertices
    assert other.shape != first.shape or not np.array_equal(first, other)


def test_hair_follows_the_identity() -> None:
    body = Body.load()
    mean = body.rest(np.zeros(4))
    up = np.array([0.0, 0.0, 0.1])
    lifted = type(mean)(mean.vertices + up, mean.bone_heads + up, mean.stature)
    low, high = hair.fit("long", 0, mean), hair.fit("long", 0, lifted)
    for a, b in zip(low.pieces, high.pieces, strict=True):
        np.testing.assert_allclose(b.vertices - a.vertices, np.broadcast_to(up, a.vertices.shape), atol=1e-5)
        assert a.slot == Slot.HAIR


def test_bald_has_no_hair_and_buzz_only_the_cap() -> None:
    rest = Body.load().rest(np.zeros(4))
    assert hair.fit("bald", 0, rest).pieces == ()
    assert len(hair.fit("buzz", 0, rest).pieces) == 1
    assert len(hair.fit("bun", 0, rest).pieces) == 2
