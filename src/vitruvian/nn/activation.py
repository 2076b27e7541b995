"""Bias, activation, gain and clamp in one step, as every StyleGAN layer ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

LEAKY_SLOPE = 0.2


class Activation(NamedTuple):
    function: Callable[[Tensor], Tensor]
    gain: float  # keeps the variance of unit-normal input near 1
    is_homogeneous: bool  # f(a x) = a f(x) for a > 0, so that a gain may be folded into what comes before


ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda x: x, 1.0, True),
    "lrelu": Activation(lambda x: F.leaky_relu(x, LEAKY_SLOPE), math.sqrt(2), True),
    "relu": Activation(F.relu, math.sqrt(2), True),
    "tanh": Activation(torch.tanh, 1.0, False),
    "sigmoid": Activation(torch.sigmoid, 1.0, False),
    "elu": Activation(F.elu, 1.0, False),
    "selu": Activation(F.selu, 1.0, False),
    "softplus": Activation(F.softplus, 1.0, False),
    "swish": Activation(F.silu, math.sqrt(2), False),
}


def bias_act(
    x: Tensor,
    bias: Tensor | None = None,
    *,
    act: str = "linear",
    gain: float = 1.0,
    clamp: float | None = None,
    scale: Tensor | None = None,
    noise: Tensor | None = None,
) -> Tensor:
    """``clip(activation(x * scale + noise + bias) * default_gain * gain, -clamp, clamp)``.

    For homogeneous activations the gain multiplies the small tensors ``scale``, ``noise`` and ``bias`` instead of
    the large one, which saves a pass over memory and changes nothing else.

    Args:
        x: ``N x C`` or ``N x C x H x W``.
        bias: ``C``.
        gain: on top of the activation's own gain. ``clamp`` is *not* scaled by it; callers that want the official
            "clamp times gain" pass the product.
        scale: ``N x C``, per sample and channel (demodulation).
        noise: broadcastable to ``x``.
    """
    activation = ACTIVATIONS[act]
    gain = activation.gain * gain
    folds = gain != 1 and activation.is_homogeneous and (scale is not None or bias is None)
    if folds:
        scale = gain * (scale if scale is not None else x.new_ones(1, x.shape[1]))
        noise = noise * gain if noise is not None else None
        bias = bias * gain if bias is not None else None
    tail = (1,) * (x.ndim - 2)
    if scale is not None:
        scale = scale.reshape(*scale.shape, *tail).to(x.dtype)
        x = x * scale if noise is None else torch.addcmul(noise.to(x.dtype), x, scale)
    elif noise is not None:
        x = x + noise
    if bias is not None:
        x = x + bias.reshape(1, -1, *tail).to(x.dtype)
    x = activation.function(x)
    if gain != 1 and not folds:
        x = x * gain
    return x if clamp is None else x.clamp(-clamp, clamp)
