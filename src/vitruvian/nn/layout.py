"""How signals lie in memory where it decides about speed."""

from __future__ import annotations

import torch
from torch import Tensor

LINE = 16
"""Channels whose float32 values fill a 64-byte cache line."""


def empty_signal(batch: int, channels: int, height: int, width: int, *, like: Tensor) -> Tensor:
    """An uninitialised ``batch x channels x height x width``, channels last in memory, of ``like``'s type and device.

    From pixel to pixel it is an odd number of cache lines: at distances that are powers of two a column of one channel
    falls into a few sets of the cache and drives itself out.
    """
    lines = -(-channels // LINE)
    pitch = LINE * (lines + 1 - lines % 2)
    return like.new_empty(batch, height, width, pitch)[..., :channels].permute(0, 3, 1, 2)


def writes_in_place(x: Tensor) -> bool:
    """Whether results may be written where we want them: on a CPU, without gradients, outside a compiler."""
    return x.device.type == "cpu" and not torch.is_grad_enabled() and not torch.compiler.is_compiling()
