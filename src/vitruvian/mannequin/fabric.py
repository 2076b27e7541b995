"""Cloth as the renderer sees it: colours, pattern, folds and sheen; and how one is drawn by lot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from vitruvian.mannequin.colours import CLOTH_COLOURS, linear_from_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
Rgb = tuple[float, float, float]
HIGHEST_ALBEDO = 0.85  # brighter cloth clips in the tone curve
DARK = 0.12  # mean linear albedo under which a pattern's second colour must be light


class Pattern(IntEnum):
    """What is woven or printed; the numbers are read by the shading kernel."""

    PLAIN = 0
    HSTRIPE = 1
    VSTRIPE = 2
    CHECK = 3
    DOTS = 4
    FLORAL = 5
    DENIM = 6
    KNIT = 7
    TWO_TONE = 8  # the second colour above height q .. r (pattern coordinate v)
    PRINT = 9  # a figure on the chest; q names it, 0 .. 3
    CAMO = 10
    BLOCK = 11  # a band of the second colour from height q to r

    @property
    def label(self) -> str:
        """The name in labels."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Fabric:
    """Numbers of one material row. Colours are linear RGB in 0..1, lengths metres."""

    base: Rgb
    second: Rgb
    third: Rgb
    name: str
    """Name of the base colour, for labels."""
    second_name: str = ""
    pattern: Pattern = Pattern.PLAIN
    period: float = 0.05
    fold_amplitude: float = 0.35
    """Depth of folds, 0 (none) to about .5."""
    fold_frequency: float = 10.0
    """Folds per metre."""
    fuzz: float = 0.25
    """Brightening at grazing angles."""
    specular: float = 0.06
    gloss: float = 12.0
    """Exponent of the highlight."""
    seed: float = 0.0
    q: float = 0.0
    r: float = 0.0
    """Free numbers of the pattern."""

    def plain(self) -> Fabric:
        """The same cloth without its pattern, for collars and linings."""
        return replace(self, pattern=Pattern.PLAIN)


def solid(name: str, **changes: object) -> Fabric:
    """One named colour without a pattern; ``changes`` are other fields of :class:`Fabric`."""
    colour = palette(name)
    return replace(Fabric(colour, colour, colour, name), **changes)  # pyright: ignore[reportArgumentType]


def palette(name: str, gain: float = 1.0) -> Rgb:
    """Linear colour of a palette name, brightened by ``gain`` and held below clipping."""
    red, green, blue = np.clip(np.asarray(CLOTH_COLOURS[name]) * gain, 0.0, HIGHEST_ALBEDO)
    return float(red), float(green), float(blue)


def _hex(code: str) -> Rgb:
    red, green, blue = linear_from_hex(code)
    return float(red), float(green), float(blue)


# How often each pattern is worn, by use. Weights need not sum to 1.
PATTERN_WEIGHTS: dict[str, dict[Pattern, float]] = {
    "top": {
        Pattern.PLAIN: 0.40,
        Pattern.HSTRIPE: 0.14,
        Pattern.PRINT: 0.10,
        Pattern.KNIT: 0.08,
        Pattern.FLORAL: 0.07,
        Pattern.CHECK: 0.06,
        Pattern.BLOCK: 0.06,
        Pattern.DOTS: 0.06,
        Pattern.VSTRIPE: 0.03,
    },
    "shirt": {
        Pattern.PLAIN: 0.50,
        Pattern.CHECK: 0.22,
        Pattern.VSTRIPE: 0.14,
        Pattern.DENIM: 0.08,
        Pattern.DOTS: 0.06,
    },
    "sweat": {Pattern.PLAIN: 0.70, Pattern.PRINT: 0.18, Pattern.BLOCK: 0.12},
    "dress": {
        Pattern.PLAIN: 0.45,
        Pattern.FLORAL: 0.26,
        Pattern.DOTS: 0.12,
        Pattern.HSTRIPE: 0.08,
        Pattern.CHECK: 0.07,
        Pattern.VSTRIPE: 0.02,
    },
    "bottom": {Pattern.PLAIN: 0.50, Pattern.DENIM: 0.42, Pattern.CHECK: 0.05, Pattern.CAMO: 0.03},
    "skirt": {
        Pattern.PLAIN: 0.55,
        Pattern.FLORAL: 0.13,
        Pattern.DENIM: 0.12,
        Pattern.CHECK: 0.10,
        Pattern.DOTS: 0.06,
        Pattern.HSTRIPE: 0.04,
    },
    "outer": {Pattern.PLAIN: 0.68, Pattern.DENIM: 0.13, Pattern.CHECK: 0.10, Pattern.KNIT: 0.09},
    "coat": {Pattern.PLAIN: 0.85, Pattern.CHECK: 0.15},
    "cardigan": {Pattern.KNIT: 0.60, Pattern.PLAIN: 0.40},
}
# Colours worn more (or less) often than the others for a use.
COLOUR_WEIGHTS: dict[str, dict[str, float]] = {
    "shirt": {"white": 4, "sky": 4, "blue": 2, "cream": 2, "navy": 2, "pink": 1.5, "black": 1.5},
    "bottom": {
        "black": 5,
        "navy": 4,
        "charcoal": 4,
        "beige": 4,
        "grey": 3,
        "olive": 3,
        "brown": 2,
        "camel": 2,
        "pink": 0.4,
        "yellow": 0.3,
        "orange": 0.4,
    },
    "coat": {"camel": 5, "black": 4, "navy": 3, "charcoal": 3, "grey": 3, "beige": 2, "yellow": 0.4},
    "outer": {"black": 3, "navy": 3, "grey": 2, "camel": 2, "olive": 2, "charcoal": 2, "beige": 2},
    "top": {"white": 3, "black": 3, "grey": 2, "navy": 2},
    "sweat": {"grey": 3, "black": 2, "navy": 2, "cream": 2},
}
PERIODS: dict[Pattern, tuple[float, float]] = {  # metres
    Pattern.HSTRIPE: (0.025, 0.09),
    Pattern.VSTRIPE: (0.012, 0.035),
    Pattern.CHECK: (0.03, 0.09),
    Pattern.DOTS: (0.02, 0.045),
    Pattern.FLORAL: (0.03, 0.07),
    Pattern.KNIT: (0.006, 0.012),
    Pattern.CAMO: (0.05, 0.10),
}
DENIM_WASHES = {  # thread colours: dark, light
    "blue": ("#2b4166", "#7d97bd"),
    "dark": ("#18233d", "#3b4f78"),
    "light": ("#5f7fa8", "#b4c7dd"),
    "black": ("#1b1c20", "#44464c"),
}


def sample_fabric(rng: np.random.Generator, use: str, *, pattern: Pattern | None = None) -> Fabric:
    """A cloth for a use (a key of :data:`PATTERN_WEIGHTS`), of a lot-drawn pattern unless one is given."""
    if pattern is None:
        weights = PATTERN_WEIGHTS[use]
        pattern = draw(rng, weights)
    name = _colour_name(rng, use)
    gain = float(rng.uniform(0.9, 1.08))
    cloth = Fabric(
        base=palette(name, gain),
        second=palette(name, gain),
        third=palette(name, gain),
        name=name,
        pattern=pattern,
        period=float(rng.uniform(*PERIODS.get(pattern, (0.05, 0.05)))),
        fold_amplitude=float(rng.uniform(0.22, 0.45)),
        fold_frequency=float(rng.uniform(8, 13)),
        fuzz=float(rng.uniform(0.15, 0.35)),
        seed=float(rng.uniform(0, 50)),
    )
    if pattern == Pattern.DENIM:
        return _as_denim(rng, cloth)
    return _with_second_colours(rng, cloth)


def draw(rng: np.random.Generator, weights: Mapping[T, float]) -> T:
    """One of the keys, by weight."""
    keys = list(weights)
    p = np.array([weights[key] for key in keys], float)
    return keys[int(rng.choice(len(keys), p=p / p.sum()))]


def _colour_name(rng: np.random.Generator, use: str) -> str:
    preferred = COLOUR_WEIGHTS.get(use, {})
    return draw(rng, {name: preferred.get(name, 1.0) for name in CLOTH_COLOURS if name != "denim"})


def _as_denim(rng: np.random.Generator, cloth: Fabric) -> Fabric:
    wash = draw(rng, {"blue": 4.0, "dark": 3.0, "light": 2.0, "black": 1.5})
    dark, light = DENIM_WASHES[wash]
    return replace(
        cloth,
        base=_hex(dark),
        second=_hex(light),
        third=_hex(light),
        name=f"denim-{wash}",
        fold_amplitude=0.34,
        fold_frequency=12.0,
        q=float(rng.uniform(0.2, 0.9)),
    )


def _with_second_colours(rng: np.random.Generator, cloth: Fabric) -> Fabric:
    contrast = str(rng.choice(["navy", "black", "red", "charcoal", "green"]))
    others = [name for name in CLOTH_COLOURS if name not in (cloth.name, "denim")]
    second, third = (str(name) for name in rng.choice(others, 2, replace=False))
    if cloth.pattern not in (Pattern.FLORAL, Pattern.CAMO) and (np.mean(cloth.base) < DARK or contrast == cloth.name):
        second = "white"
    elif cloth.pattern not in (Pattern.FLORAL, Pattern.CAMO):
        second = contrast
    changes: dict[str, float] = {}
    if cloth.pattern == Pattern.PRINT:
        changes = {"q": float(rng.integers(0, 4))}
    elif cloth.pattern == Pattern.BLOCK:
        lower = float(rng.uniform(0.42, 0.50))
        changes = {"q": lower, "r": lower + float(rng.uniform(0.05, 0.14))}
    cloth = replace(
        cloth,
        second=palette(second),
        third=palette(third),
        second_name="" if cloth.pattern in (Pattern.PLAIN, Pattern.KNIT) else second,
        **changes,  # pyright: ignore[reportArgumentType]
    )
    if cloth.pattern == Pattern.CAMO:
        red, green, blue = cloth.base
        cloth = replace(cloth, second=(0.45 * red, 0.45 * green, 0.45 * blue))
    return cloth
