"""Layers with equalised learning rate: weights are stored near unit variance and scaled at run time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitruvian.nn.activation import bias_act
from vitruvian.nn.fir import DEFAULT_TAPS, make_filter, upfirdn2d

EPSILON = 1e-8


def pixel_norm(x: Tensor) -> Tensor:
    """``N x K`` with every row scaled to unit mean square (Karras et al. 2018, section 4.2)."""
    return x * (x.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()


class FullyConnected(nn.Module):
    """``N x in -> N x out``: ``act(x (weight * lr / sqrt(in))^T + bias * lr)``."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        act: str = "linear",
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
    ) -> None:
        super().__init__()
        self.act = act
        self.weight_gain = lr_multiplier / math.sqrt(in_features)
        self.bias_gain = lr_multiplier
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((out_features,), float(bias_init)))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.to(x.dtype) * self.weight_gain
        bias = self.bias.to(x.dtype) * self.bias_gain
        if self.act == "linear":
            return torch.addmm(bias, x, weight.t())
        return bias_act(x @ weight.t(), bias, act=self.act)


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    fir: Tensor | None = None,
    up: int = 1,
    down: int = 1,
) -> Tensor:
    """Convolution with "same" padding and optional filtered resampling by 2.

    Args:
        x: ``N x I x H x W``.
        weight: ``O x I x k x k`` with ``k`` 1 or 3, already scaled.
        bias: ``O``, added last.
        fir: ``[taps, taps]``, needed when ``up`` or ``down`` is 2.
    """
    kernel = weight.shape[-1]
    taps = 0 if fir is None else fir.shape[0]
    if up == 2:
        assert fir is not None
        if kernel == 1:
            before, after = (taps + 1) // 2, (taps - 2) // 2
            return upfirdn2d(F.conv2d(x, weight, bias), fir, up=2, padding=(before, after, before, after), gain=4)
        # The official order of operations: true convolution at stride 2 (2H + 1 rows), then the filter (2H rows).
        spread = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        before, after = (taps - 1) // 2, (taps - 2) // 2
        return upfirdn2d(spread, fir, padding=(before, after, before, after), gain=4, bias=bias)
    if down == 2:
        assert fir is not None
        if kernel == 1:
            before, after = (taps - 1) // 2, (taps - 2) // 2
            return F.conv2d(upfirdn2d(x, fir, down=2, padding=(before, after, before, after)), weight, bias)
        before, after = (taps + 1) // 2, taps // 2
        return F.conv2d(upfirdn2d(x, fir, padding=(before, after, before, after)), weight, bias, stride=2)
    return F.conv2d(x, weight, bias, padding=kernel // 2)


class Conv2d(nn.Module):
    """A plain convolution of the discriminator and of residual skips, with bias, activation and resampling.

    The clamp is scaled by the extra gain, as in the official networks.
    """

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        bias: bool = True,
        act: str = "linear",
        up: int = 1,
        down: int = 1,
        clamp: float | None = None,
        resample_filter: Sequence[float] = DEFAULT_TAPS,
        trainable: bool = True,
    ) -> None:
        super().__init__()
        self.act, self.up, self.down, self.clamp = act, up, down, clamp
        self.weight_gain = 1 / math.sqrt(in_channels * kernel_size**2)
        weight = torch.randn(out_channels, in_channels, kernel_size, kernel_size)
        offset = torch.zeros(out_channels) if bias else None
        if trainable:
            self.weight = nn.Parameter(weight)
            self.bias = nn.Parameter(offset) if offset is not None else None
        else:  # a frozen layer keeps its names but leaves the optimiser's sight (Freeze-D)
            self.register_buffer("weight", weight)
            self.register_buffer("bias", offset)
        self.register_buffer("resample_filter", make_filter(resample_filter))

    def forward(self, x: Tensor, *, gain: float = 1.0) -> Tensor:
        weight = (self.weight * self.weight_gain).to(x.dtype)
        x = convolve(x, weight, fir=self.resample_filter, up=self.up, down=self.down)
        clamp = self.clamp * gain if self.clamp is not None else None
        return bias_act(x, self.bias, act=self.act, gain=gain, clamp=clamp)
