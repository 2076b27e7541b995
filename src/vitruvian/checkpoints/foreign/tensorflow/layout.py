"""How variables change on their way from TensorFlow: order of axes, conventions, names.

Convolutions are stored there as ``[kernel, kernel, in, out]``, dense layers as ``[in, out]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor

Change = Callable[[Tensor], Tensor]
Rename = tuple[str, Change]
"""Our name and the change of layout; an empty name drops the variable."""


IGNORED: Rename = ("", lambda tensor: tensor)


def same(tensor: Tensor) -> Tensor:
    return tensor


def dense(tensor: Tensor) -> Tensor:
    return tensor.t()


def conv(tensor: Tensor) -> Tensor:
    return tensor.permute(3, 2, 0, 1)


def conv_flipped(tensor: Tensor) -> Tensor:
    """TensorFlow's upsampling convolution flips the kernel before it spreads it; PyTorch's does not."""
    return tensor.flip(0, 1).permute(3, 2, 0, 1)


def plus_one(tensor: Tensor) -> Tensor:
    return tensor + 1


def picture(tensor: Tensor) -> Tensor:
    return tensor[0, 0]


def batch(tensor: Tensor) -> Tensor:
    return tensor[0]


def per_channel(tensor: Tensor) -> Tensor:
    return tensor.reshape(1, -1, 1, 1)


def level_of(name: str) -> tuple[int, str] | None:
    """``8x8/Conv0_up/weight`` to (8, ``Conv0_up/weight``); the first number is the height."""
    match = re.fullmatch(r"(\d{1,6})x\d{1,6}/(.+)", name)
    return (int(match[1]), match[2]) if match else None


def renamed(found: dict[str, Tensor], rule: Callable[[str], Rename | None]) -> dict[str, Tensor]:
    """All variables under our names, float32.

    Raises:
        ValueError: for a variable that the rule does not know.
    """
    ours: dict[str, Tensor] = {}
    for name, tensor in found.items():
        if (to := rule(name)) is None:
            raise ValueError(f"the variable {name[:80]} is unknown")
        if to[0]:
            ours[to[0]] = to[1](tensor.to(torch.float32))
    return ours
