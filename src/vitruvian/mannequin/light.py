"""Light presets: a key light with a soft edge, light of sky and ground, and a fill without shadow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

Rgb = tuple[float, float, float]
Direction = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Directions point towards the light, in the frame of the figure; colours are linear."""

    name: str
    direction: Direction
    key: Rgb
    sky: Rgb
    ground: Rgb
    fill: Rgb
    fill_direction: Direction
    softness: float  # radius of the key light's disc over its distance
    reach: float = 0.45  # metres; surfaces nearer than this darken each other

    def turned(self, degrees: float) -> Light:
        """The light turned about the vertical axis, so that it can follow the camera."""
        return replace(
            self,
            direction=_turn(self.direction, degrees),
            fill_direction=_turn(self.fill_direction, degrees),
        )

    def record(self) -> dict[str, object]:
        """The light as plain numbers."""
        return {
            "preset": self.name,
            "direction": list(self.direction),
            "key": list(self.key),
            "sky": list(self.sky),
            "softness": self.softness,
        }


PRESETS = {
    "studio": Light(
        "studio",
        direction=(0.35, -0.75, 0.62),
        key=(1.55, 1.50, 1.44),
        sky=(0.52, 0.54, 0.58),
        ground=(0.30, 0.28, 0.27),
        fill=(0.30, 0.31, 0.33),
        fill_direction=(-0.7, -0.6, 0.2),
        softness=0.22,
    ),
    "sun": Light(
        "sun",
        direction=(-0.55, -0.55, 0.70),
        key=(2.4, 2.18, 1.86),
        sky=(0.42, 0.50, 0.62),
        ground=(0.26, 0.23, 0.20),
        fill=(0.10, 0.11, 0.13),
        fill_direction=(0.6, -0.6, 0.2),
        softness=0.03,
    ),
    "overcast": Light(
        "overcast",
        direction=(0.1, -0.45, 0.9),
        key=(0.75, 0.77, 0.80),
        sky=(0.85, 0.88, 0.93),
        ground=(0.32, 0.31, 0.30),
        fill=(0.22, 0.22, 0.23),
        fill_direction=(0.0, -1.0, 0.1),
        softness=0.5,
    ),
    "indoor": Light(
        "indoor",
        direction=(0.6, -0.5, 0.62),
        key=(1.6, 1.38, 1.12),
        sky=(0.42, 0.40, 0.38),
        ground=(0.26, 0.22, 0.18),
        fill=(0.22, 0.24, 0.28),
        fill_direction=(-0.8, -0.4, 0.1),
        softness=0.25,
    ),
}
PRESETS_OF_BACKGROUND = {  # what fits: no sun in a room, no studio in the street
    "white": ("studio", "studio", "overcast", "indoor"),
    "studio": ("studio", "studio", "indoor", "overcast"),
    "room": ("indoor", "studio", "overcast"),
    "street": ("sun", "overcast"),
}


def sample_light(rng: np.random.Generator, background: str) -> Light:
    """A preset that fits the background, mirrored half of the time and varied a little."""
    names = PRESETS_OF_BACKGROUND[background]
    preset = PRESETS[names[int(rng.integers(len(names)))]]
    side = 1.0 if rng.random() < 0.5 else -1.0
    turn, rise = rng.normal(0, 12), rng.normal(0, 0.08)
    strength, fill = np.exp(rng.normal(0, 0.07)), np.exp(rng.normal(0, 0.12))
    warmth = rng.normal(0, 0.03)
    x, y, z = preset.direction
    fx, fy, fz = preset.fill_direction
    tint = np.array([1 + warmth, 1.0, 1 - warmth]) * strength
    light = replace(
        preset,
        direction=_unit(np.array([x * side, y, max(0.2, z + rise)])),
        fill_direction=_unit(np.array([fx * side, fy, fz])),
        key=_rgb(np.array(preset.key) * tint),
        sky=_rgb(np.array(preset.sky) * np.array([1 + warmth, 1.0, 1 - warmth])),
        fill=_rgb(np.array(preset.fill) * fill),
    )
    return light.turned(turn)


def _turn(direction: Direction, degrees: float) -> Direction:
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = direction
    return float(c * x - s * y), float(s * x + c * y), float(z)


def _unit(v: np.ndarray) -> Direction:
    x, y, z = v / np.linalg.norm(v)
    return float(x), float(y), float(z)


def _rgb(v: np.ndarray) -> Rgb:
    r, g, b = v
    return float(r), float(g), float(b)
