"""Named colours of cloth, skin, hair and eyes, and the way from sRGB to linear light."""

from __future__ import annotations

import numpy as np

Rgb = tuple[float, float, float]


def linear_from_srgb(values: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 to linear light in 0..1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(values: np.ndarray) -> np.ndarray:
    """Linear light in 0..1 to sRGB in 0..1."""
    positive = np.maximum(values, 1e-9)
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * positive ** (1 / 2.4) - 0.055)


def linear_from_hex(text: str) -> Rgb:
    """``#rrggbb`` to linear light."""
    levels = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    red, green, blue = linear_from_srgb(levels)
    return float(red), float(green), float(blue)


def _table(**colours: str) -> dict[str, Rgb]:
    return {name: linear_from_hex(text) for name, text in colours.items()}


CLOTH_COLOURS = _table(
    white="#f1efea",
    black="#1b1b1d",
    grey="#8b8d90",
    charcoal="#3c3f44",
    navy="#1f2a48",
    blue="#3d62a8",
    sky="#8fb4d9",
    denim="#3a5378",
    teal="#1f6a6b",
    green="#3f6b45",
    olive="#64643a",
    mint="#a9d3bf",
    red="#ad2b33",
    burgundy="#6a1f2e",
    pink="#dd9aa8",
    blush="#e9c4bd",
    orange="#cf6a2f",
    mustard="#c79a35",
    yellow="#e6cf63",
    beige="#cdb694",
    camel="#a97d4e",
    brown="#5d4030",
    purple="#5c3d73",
    lavender="#b3a4cf",
    cream="#ece1ca",
)

SKIN_TONES: tuple[Rgb, ...] = tuple(
    linear_from_hex(text)
    for text in (
        "#e6c2a6", "#dcb08c", "#cf9c77", "#bd8660", "#a87050",
        "#93603d", "#784b2e", "#5f3a24", "#472b1c", "#371f15",
    )
)  # fmt: skip
"""From light to dark."""

HAIR_COLOURS: dict[str, tuple[Rgb, Rgb]] = {
    name: (linear_from_hex(dark), linear_from_hex(light))
    for name, dark, light in (
        ("black", "#0c0a0a", "#2a2422"),
        ("darkbrown", "#22150e", "#4d3020"),
        ("brown", "#3b2517", "#6d452b"),
        ("auburn", "#4a1f12", "#8b4527"),
        ("ginger", "#7a3512", "#c06a2c"),
        ("darkblond", "#6b4c2a", "#a07c4c"),
        ("blond", "#a27c46", "#dcbf86"),
        ("platinum", "#b9a582", "#efe4c8"),
        ("grey", "#6b6a6a", "#b5b3b0"),
    )
}
"""Name to its (dark, light) tones."""

IRIS_COLOURS: tuple[Rgb, ...] = tuple(
    linear_from_hex(text) for text in ("#3a2412", "#50341c", "#6a4a28", "#5a6a3a", "#4a7080", "#6f8fa8")
)
"""From dark brown to light blue."""

LIPSTICKS: tuple[Rgb, ...] = tuple(
    linear_from_hex(text) for text in ("#a8323a", "#b4575c", "#c06a6a", "#8a2a3a", "#b0506a")
)


def skin_tone(darkness: float) -> np.ndarray:
    """Linear RGB of a skin between the lightest (0) and the darkest (1) tone."""
    place = float(np.clip(darkness, 0, 1)) * (len(SKIN_TONES) - 1)
    tones = np.array(SKIN_TONES)
    return np.array([np.interp(place, np.arange(len(tones)), tones[:, channel]) for channel in range(3)])
