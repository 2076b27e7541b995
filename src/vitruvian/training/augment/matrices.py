"""Batches of homogeneous matrices of the plane and of colour space."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LUMA_AXIS = (1 / math.sqrt(3), 1 / math.sqrt(3), 1 / math.sqrt(3), 0.0)
"""Direction of brightness in homogeneous colour space."""


def _stack(*rows: tuple[Tensor | float, ...], like: Tensor) -> Tensor:
    """``N x R x R`` of entries that are ``N`` or single numbers."""
    entries = [torch.broadcast_to(torch.as_tensor(entry).to(like), like.shape) for row in rows for entry in row]
    return torch.stack(entries, dim=-1).unflatten(-1, (len(rows), -1))


def translation(x: Tensor, y: Tensor) -> Tensor:
    """``N x 3 x 3`` that adds (x, y)."""
    return _stack((1, 0, x), (0, 1, y), (0, 0, 1), like=x)


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """``N x 3 x 3`` that multiplies by (x, y)."""
    return _stack((x, 0, 0), (0, y, 0), (0, 0, 1), like=x)


def rotation(angle: Tensor) -> Tensor:
    """``N x 3 x 3`` that turns by ``angle`` radians."""
    cos, sin = angle.cos(), angle.sin()
    return _stack((cos, -sin, 0), (sin, cos, 0), (0, 0, 1), like=angle)


def colour_shift(amount: Tensor) -> Tensor:
    """``N x 4 x 4`` that adds ``amount`` to every channel."""
    return _stack((1, 0, 0, amount), (0, 1, 0, amount), (0, 0, 1, amount), (0, 0, 0, 1), like=amount)


def colour_scale(factor: Tensor) -> Tensor:
    """``N x 4 x 4`` that multiplies every channel by ``factor``."""
    return _stack((factor, 0, 0, 0), (0, factor, 0, 0), (0, 0, factor, 0), (0, 0, 0, 1), like=factor)


def hue_rotation(angle: Tensor) -> Tensor:
    """``N x 4 x 4`` that turns colours about the axis of brightness (Rodrigues' formula)."""
    v = LUMA_AXIS[0]
    cos, sin = angle.cos(), angle.sin()
    same, other = v * v * (1 - cos) + cos, v * v * (1 - cos)
    turn = v * sin
    return _stack(
        (same, other - turn, other + turn, 0),
        (other + turn, same, other - turn, 0),
        (other - turn, other + turn, same, 0),
        (0, 0, 0, 1),
        like=angle,
    )


def luma_projection(like: Tensor) -> Tensor:
    """``4 x 4``: the part of a colour along the axis of brightness."""
    axis = torch.tensor(LUMA_AXIS, device=like.device, dtype=like.dtype)
    return torch.outer(axis, axis)
