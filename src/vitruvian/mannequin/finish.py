"""From linear light to an 8-bit picture: laying the figure on a background, tone curve, grain."""

from __future__ import annotations

import numpy as np

EXPOSURE = 0.83
SATURATION = 0.88
SHOULDER = 0.6  # linear value from which highlights are compressed
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
SHADOW_STRENGTH = (0.36, 0.45)  # how much the key light's shadow and the occlusion darken the ground


def compose(rgb: np.ndarray, alpha: np.ndarray, shadow: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Lay a rendered figure on its background, all linear float32.

    rgb: H x W x 3, already multiplied by alpha; alpha: H x W; shadow: H x W x 2, share of the key light
    and of the sky that the figure takes from the ground; background: H x W x 3.
    """
    light = 1 - alpha - SHADOW_STRENGTH[0] * shadow[..., 0] - SHADOW_STRENGTH[1] * shadow[..., 1]
    return rgb + background * np.clip(light, 0, 1)[..., None]


def tone(linear: np.ndarray, *, exposure: float = 1.0) -> np.ndarray:
    """Tone curve: exposure, a little less saturation, soft shoulder, sRGB. H x W x 3 float32 -> 0..1."""
    x = np.asarray(linear, np.float32) * np.float32(EXPOSURE * exposure)
    grey = (x @ LUMA)[..., None]
    x = np.maximum(grey + (x - grey) * np.float32(SATURATION), 0)
    top = 1 - SHOULDER
    x = np.where(x < SHOULDER, x, SHOULDER + top * (1 - np.exp((SHOULDER - x) / np.float32(top))))
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** np.float32(1 / 2.4) - 0.055)


def grain(picture: np.ndarray, rng: np.random.Generator, strength: float = 0.005) -> np.ndarray:
    """Film grain, mostly grey. H x W x 3 float in 0..1."""
    height, width, _ = picture.shape
    noise = rng.standard_normal((height, width, 4), np.float32)
    return picture + np.float32(strength) * (0.7 * noise[..., :1] + 0.5 * noise[..., 1:])


def quantise(picture: np.ndarray) -> np.ndarray:
    """Float in 0..1 -> uint8."""
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
