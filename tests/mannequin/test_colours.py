"""Colours: sRGB and linear light, palettes, skin tones."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.mannequin.colours import (
    CLOTH_COLOURS,
    HAIR_COLOURS,
    IRIS_COLOURS,
    LIPSTICKS,
    SKIN_TONES,
    linear_from_hex,
    linear_from_srgb,
    skin_tone,
    srgb_from_linear,
)


def test_srgb_and_linear_light_are_inverse() -> None:
    levels = np.linspace(0, 1, 256)
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(levels)), levels, atol=1e-6)


def test_middle_grey_has_the_value_of_the_standard() -> None:
    # IEC 61966-2-1: ((.5 + .055) / 1.055) ^ 2.4; the straight piece has slope 1 / 12.92
    assert linear_from_srgb(np.array(0.5)) == pytest.approx(0.21404, abs=1e-5)
    assert linear_from_srgb(np.array(0.02)) == pytest.approx(0.02 / 12.92)


def test_hex_is_red_green_blue() -> None:
    red, green, blue = linear_from_hex("#ff8000")
    assert red == pytest.approx(1)
    assert green == pytest.approx(0.2158, abs=1e-4)
    assert blue == 0


def test_palettes_have_their_sizes() -> None:
    assert len(CLOTH_COLOURS) == 25
    assert len(SKIN_TONES) == 10
    assert len(HAIR_COLOURS) == 9


def test_all_colours_are_colours() -> None:
    tones = [tone for pair in HAIR_COLOURS.values() for tone in pair]
    colours = np.array([*CLOTH_COLOURS.values(), *SKIN_TONES, *tones, *IRIS_COLOURS, *LIPSTICKS])
    assert colours.shape[1] == 3
    assert colours.min() >= 0
    assert colours.max() <= 1


@pytest.mark.parametrize("name", HAIR_COLOURS)
def test_hair_has_a_dark_then_a_light_tone(name: str) -> None:
    dark, light = HAIR_COLOURS[name]
    assert all(d < l for d, l in zip(dark, light, strict=True))  # noqa: E741


def test_skin_gets_darker_and_passes_through_the_palette() -> None:
    tones = np.array([skin_tone(darkness) for darkness in np.linspace(0, 1, 19)])
    assert (np.diff(tones, axis=0) < 0).all()
    np.testing.assert_allclose(tones[::2], SKIN_TONES, atol=1e-9)


def test_darkness_outside_the_range_is_clipped() -> None:
    np.testing.assert_array_equal(skin_tone(-1), skin_tone(0))
    np.testing.assert_array_equal(skin_tone(2), skin_tone(1))
