"""Ways through latent space: between key codes, and wandering loops.

Codes are tensors ``N x ... x K``: z is ``N x K``, w+ is ``N x L x K``. Everything is computed in double precision.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Easing = Literal["linear", "cubic", "slerp"]

NEARLY_PARALLEL = 0.9995  # cosine beyond which an arc cannot be told from its chord, and dividing by its sine is unsafe


class LatentPath:
    """A path through key codes: position ``i`` is key ``i``; a loop goes on from the last key to the first.

    Args:
        keys: ``N x ... x K``, at least two.
        easing: "linear" goes straight and turns sharply at the keys; "cubic" is the natural (for a loop: periodic)
            cubic spline, whose speed and direction never jump; "slerp" goes along an arc around ``centre``, keeping the
            distance from it.
        centre: ``K``, for slerp; None for the origin.
    """

    def __init__(self, keys: Tensor, easing: Easing, *, loop: bool = False, centre: Tensor | None = None) -> None:
        self.easing: Easing = easing
        self.segments = len(keys) if loop else len(keys) - 1
        self._dtype = keys.dtype
        self._centre = torch.zeros(keys.shape[-1]) if centre is None else centre
        self._centre = self._centre.to(keys.device, torch.float64)
        self._keys = keys.to(torch.float64)
        if easing == "cubic":
            self._bends = _second_derivatives(self._keys, loop=loop)

    def at(self, positions: Tensor) -> Tensor:
        """``M`` positions in 0 to ``segments`` to ``M x ... x K``; whole positions give the keys exactly."""
        positions = positions.to(self._keys.device, torch.float64)
        segment = positions.floor()
        t = (positions - segment).reshape(-1, *[1] * (self._keys.dim() - 1))
        before = segment.long() % len(self._keys)
        after = (before + 1) % len(self._keys)  # at the end of an open path t is 0, and this key has no weight
        a, b = self._keys[before], self._keys[after]
        if self.easing == "slerp":
            code = self._centre + slerp(a - self._centre, b - self._centre, t)
            code = torch.where(t == 0, a, code)  # adding the centre back rounds
        else:
            code = (1 - t) * a + t * b
            if self.easing == "cubic":
                s = 1 - t
                code = code + ((s**3 - s) * self._bends[before] + (t**3 - t) * self._bends[after]) / 6
        return code.to(self._dtype)


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation (Shoemake 1985) of ``... x K`` from ``a`` at t = 0 to ``b`` at t = 1.

    The angle is that between the directions; lengths go over smoothly. Nearly parallel or opposite codes, which have no
    arc, are interpolated linearly.

    Args:
        t: broadcasts against ``... x 1``.
    """
    cosine = (_unit(a) * _unit(b)).sum(dim=-1, keepdim=True)
    straight = cosine.abs() > NEARLY_PARALLEL
    theta = torch.where(straight, math.pi / 2, cosine.clamp(-1, 1).arccos())
    weight_a = torch.where(straight, 1 - t, ((1 - t) * theta).sin() / theta.sin())
    weight_b = torch.where(straight, t, (t * theta).sin() / theta.sin())
    return weight_a * a + weight_b * b


def wandering_z(seed: int, frames: int, z_dim: int, *, sigma: float) -> Tensor:
    """``frames x z_dim`` float32: a smooth closed walk of z, as in the video of StyleGAN-Human's style mixing.

    White noise of the seed is smoothed over time by a Gaussian that wraps around, so that the last frame runs into the
    first, and brought back to unit variance as a whole.

    Args:
        sigma: standard deviation of the Gaussian in frames; it is cut at four of them.
    """
    noise = np.random.RandomState(seed).randn(frames, z_dim)
    reach = int(4 * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    ring = np.zeros(frames)
    np.add.at(ring, offsets % frames, weights / weights.sum())
    spectrum = np.fft.rfft(noise, axis=0) * np.fft.rfft(ring)[:, None]
    walk = np.fft.irfft(spectrum, n=frames, axis=0)
    return torch.from_numpy(walk / np.sqrt(np.square(walk).mean())).to(torch.float32)


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x, dim=-1)


def _second_derivatives(keys: Tensor, *, loop: bool) -> Tensor:
    """Of the cubic spline through keys one unit apart: the solution of ``m[i-1] + 4 m[i] + m[i+1] = 6 d[i]``.

    ``d`` are the second differences of the keys. On a loop the system is circular and the Fourier transform solves it.
    The natural spline, with no bend at its ends, is half of the loop that goes on with the path's mirror image.
    """
    if loop:
        differences = keys.roll(1, dims=0) - 2 * keys + keys.roll(-1, dims=0)
    else:
        inner = keys[:-2] - 2 * keys[1:-1] + keys[2:]
        still = torch.zeros_like(keys[:1])
        differences = torch.cat([still, inner, still, -inner.flip(0)])
    turns = torch.arange(len(differences), device=keys.device, dtype=torch.float64) / len(differences)
    response = 4 + 2 * (2 * math.pi * turns).cos()
    spectrum = torch.fft.fft(6 * differences, dim=0) / response.reshape(-1, *[1] * (keys.dim() - 1))
    return torch.fft.ifft(spectrum, dim=0).real[: len(keys)]
