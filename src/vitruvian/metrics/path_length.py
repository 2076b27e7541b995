"""Perceptual path length: how far the picture moves for a small step in z or w (Karras et al. 2019, 2020)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vitruvian.nn.generator import GeneratorLike

EPSILON = 1e-4
LARGEST_SIDE = 256  # pixels; larger pictures are averaged down, as the perceptual network expects


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """From ``a`` to ``b`` (``N x K``) along the great circle, ``t: N x 1`` in [0, 1]; results have unit length."""
    a, b = (x / x.norm(dim=-1, keepdim=True) for x in (a, b))
    cosine = (a * b).sum(dim=-1, keepdim=True)
    angle = t * cosine.clamp(-1, 1).acos()
    across = b - cosine * a
    across = across / across.norm(dim=-1, keepdim=True)
    between = a * angle.cos() + across * angle.sin()
    return between / between.norm(dim=-1, keepdim=True)


@torch.inference_mode()
def path_lengths(
    G: GeneratorLike,
    perceive: Callable[[Tensor], Tensor],
    z_ends: Tensor,
    t: Tensor,
    label: Tensor,
    *,
    space: Literal["w", "z"] = "w",
    epsilon: float = EPSILON,
    crop: bool = False,
    **synthesis: Any,
) -> Tensor:
    """Squared perceptual distance over squared step, one for each pair.

    Args:
        perceive: pictures ``N x 3 x h x w`` in 0..255 to vectors whose squared difference is the perceptual distance.
        z_ends: ``2N x z_dim``, first all the starts, then all the ends.
        t: ``N``, where on each path to step; 0 for the endpoints alone.
        label: ``N x c_dim``.
        crop: look at the middle of the face only, as the figures for FFHQ do; square pictures only.

    Returns:
        ``N``.
    """
    place = t[:, None]
    if space == "w":
        starts, ends = G.mapping(z_ends, torch.cat([label, label])).chunk(2)
        first, second = starts.lerp(ends, place[:, :, None]), starts.lerp(ends, place[:, :, None] + epsilon)
        ws = torch.cat([first, second])
    else:
        starts, ends = z_ends.chunk(2)
        steps = torch.cat([slerp(starts, ends, place), slerp(starts, ends, place + epsilon)])
        ws = G.mapping(steps, torch.cat([label, label]))
    pictures = G.synthesis(ws, noise_mode="const", **synthesis)
    if crop:
        unit = pictures.shape[2] // 8
        pictures = pictures[:, :, unit * 3 : unit * 7, unit * 2 : unit * 6]
    factor = G.height // LARGEST_SIDE
    if factor > 1:
        pictures = torch.nn.functional.avg_pool2d(pictures, factor)
    pictures = (pictures + 1) * (255 / 2)
    if pictures.shape[1] == 1:
        pictures = pictures.repeat(1, 3, 1, 1)
    before, after = perceive(pictures).chunk(2)
    return (before - after).square().sum(dim=1) / epsilon**2


def reduce_path_lengths(lengths: np.ndarray) -> float:
    """The mean without the outermost percent at either end, as the papers report it."""
    low = np.percentile(lengths, 1, method="lower")
    high = np.percentile(lengths, 99, method="higher")
    return float(lengths[(lengths >= low) & (lengths <= high)].mean())
