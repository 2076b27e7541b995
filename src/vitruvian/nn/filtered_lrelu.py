"""Leaky ReLU without aliasing: upsample, apply, clip, downsample (Karras et al. 2021, section 3.2).

The textbook form inserts zeros, filters at the high rate, and throws samples away. Here upsampling is a transposed
convolution along one axis after the other and downsampling a strided one, so that nothing is computed that does not
reach the output. On a CPU the whole chain runs on a few channels at a time: the high-rate signal, many times larger
than what comes in, never leaves the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vitruvian.nn.activation import LEAKY_SLOPE
from vitruvian.nn.layout import empty_signal, writes_in_place

Padding = tuple[int, int, int, int]

BLOCK = 16
"""Channels that a depthwise convolution takes as one vector: measured best on AVX2, one register of AVX-512."""
CACHE = 4 << 20
"""Bytes of high-rate signal that are worked on at a time."""


@dataclass(frozen=True, kw_only=True)
class FilteredLeakyReLU:
    """How one layer resamples around its nonlinearity.

    Filtering is true convolution with filters that sum to 1; upsampling keeps brightness.
    """

    up: int = 1
    down: int = 1
    padding: Padding = (0, 0, 0, 0)
    """(left, right, top, bottom) in samples of the zero-inserted signal; negative crops."""
    slope: float = LEAKY_SLOPE
    gain: float = math.sqrt(2)
    clamp: float | None = None
    """The nonlinearity's output, gain included, is clipped to this on both sides."""

    def __call__(self, x: Tensor, bias: Tensor, up_filter: Tensor | None, down_filter: Tensor | None) -> Tensor:
        """``x: N x C x H x W``, ``bias: C`` to ``N x C x H' x W'``; twice differentiable in both.

        Args:
            up_filter: ``[taps]``; None for ``up = 1`` without filter.
            down_filter: ``[taps]`` or, not separable, ``[taps, taps]``; None for ``down = 1`` without filter.
        """
        if x.device.type != "cpu" or (up_filter is None and down_filter is None):
            return self._chain(x + bias[:, None, None], up_filter, down_filter)
        run = self._by_blocks if writes_in_place(x) else self._at_once
        return run(x, bias, up_filter, down_filter)

    def _chain(self, x: Tensor, up_filter: Tensor | None, down_filter: Tensor | None) -> Tensor:
        """Overwrites ``x`` where no gradient needs it."""
        x = self._upsample(x, up_filter)
        x = self._activate(x)
        return self._downsample(x, down_filter)

    def _upsample(self, x: Tensor, fir: Tensor | None) -> Tensor:
        left, right, top, bottom = self.padding
        if fir is None:
            x = F.pad(x, self.padding) if any(self.padding) else x
            return x * self.gain if self.gain != 1 else x
        fir = fir.to(x.dtype) * self.up
        x = _spread(x, fir, self.up, (left, right), axis=3)
        return _spread(x, fir * self.gain, self.up, (top, bottom), axis=2)  # leaky ReLU commutes with a gain

    def _activate(self, x: Tensor) -> Tensor:
        in_place = writes_in_place(x)
        if self.slope != 1:
            x = F.leaky_relu(x, self.slope, inplace=in_place)
        if self.clamp is None:
            return x
        return x.clamp_(-self.clamp, self.clamp) if in_place else x.clamp(-self.clamp, self.clamp)

    def _downsample(self, x: Tensor, fir: Tensor | None) -> Tensor:
        if fir is None:
            return x
        fir = fir.to(x.dtype).flip(tuple(range(fir.ndim)))
        if fir.ndim == 2:
            return _convolve(x, fir, stride=(self.down, self.down))
        x = _convolve(x, fir[None, :], stride=(1, self.down))
        return _convolve(x, fir[:, None], stride=(self.down, 1))

    def _at_once(self, x: Tensor, bias: Tensor, up_filter: Tensor | None, down_filter: Tensor | None) -> Tensor:
        """The chain for gradients, which need the whole high-rate signal kept."""
        pixels = x.permute(0, 2, 3, 1)
        pieces = []
        for channels, width in _slices(x.shape[1], x.shape[1]):
            images = self._chain(_images(pixels[..., channels], bias[channels], width), up_filter, down_filter)
            pieces.append(_pixels(images, x.shape[0]).flatten(3))
        return (torch.cat(pieces, dim=3) if len(pieces) > 1 else pieces[0]).permute(0, 3, 1, 2)

    def _by_blocks(self, x: Tensor, bias: Tensor, up_filter: Tensor | None, down_filter: Tensor | None) -> Tensor:
        """The chain on as many blocks of channels at a time as fit into the cache."""
        batch, channel_count, height, width = x.shape
        out = empty_signal(batch, channel_count, *self._size(height, width, up_filter, down_filter), like=x)
        source, target = x.permute(0, 2, 3, 1), out.permute(0, 2, 3, 1)
        blocks = max(1, CACHE // (height * width * self.up**2 * BLOCK * x.element_size()))
        for sample in range(batch):
            for channels, block in _slices(channel_count, blocks):
                images = _images(source[sample : sample + 1, ..., channels], bias[channels], block)
                images = self._chain(images, up_filter, down_filter)
                target[sample : sample + 1, ..., channels].unflatten(3, (-1, block)).copy_(_pixels(images, 1))
        return out

    def _size(self, height: int, width: int, up_filter: Tensor | None, down_filter: Tensor | None) -> tuple[int, int]:
        lost = sum(fir.shape[0] - 1 for fir in (up_filter, down_filter) if fir is not None)
        left, right, top, bottom = self.padding
        along_y, along_x = height * self.up + top + bottom - lost, width * self.up + left + right - lost
        return -(-along_y // self.down), -(-along_x // self.down)


def _slices(channels: int, blocks: int) -> Iterator[tuple[slice, int]]:
    """Slices of at most ``blocks`` times ``BLOCK`` channels with the width of a block; the rest is one narrow block."""
    whole = channels - channels % BLOCK
    for start in range(0, whole, blocks * BLOCK):
        yield slice(start, min(start + blocks * BLOCK, whole)), BLOCK
    if whole < channels:
        yield slice(whole, channels), channels - whole


def _images(pixels: Tensor, bias: Tensor, block: int) -> Tensor:
    """``N x H x W x C`` plus bias, copied to ``(N C / block) x block x H x W`` with channels last in memory."""
    pixels = pixels.unflatten(3, (-1, block)).permute(0, 3, 1, 2, 4).clone(memory_format=torch.contiguous_format)
    pixels = pixels.add_(bias.to(pixels.dtype).reshape(-1, 1, 1, block))
    return pixels.flatten(0, 1).permute(0, 3, 1, 2)


def _pixels(images: Tensor, batch: int) -> Tensor:
    """``(N C / block) x block x H x W`` seen as ``N x H x W x (C / block) x block``."""
    return images.permute(0, 2, 3, 1).unflatten(0, (batch, -1)).permute(0, 2, 3, 1, 4)


def _convolve(x: Tensor, kernel: Tensor, *, stride: tuple[int, int]) -> Tensor:
    channels = x.shape[1]
    return F.conv2d(x, kernel.expand(channels, 1, -1, -1), stride=stride, groups=channels)


def _spread(x: Tensor, fir: Tensor, up: int, padding: tuple[int, int], *, axis: int) -> Tensor:
    """Insert ``up - 1`` zeros after every sample along the axis, pad, convolve with ``fir``."""
    channels, taps = x.shape[1], fir.shape[0]
    # A transposed convolution yields every output touched by any input: cut it to what the padding asks for.
    before, after = padding[0] - taps + 1, padding[1] + up - taps
    crop = -before if before == after <= 0 else 0
    along = (lambda value, other: (other, value)) if axis == 3 else (lambda value, other: (value, other))
    x = F.conv_transpose2d(
        x,
        fir.reshape(along(-1, 1)).expand(channels, 1, -1, -1),
        stride=along(up, 1),
        padding=along(crop, 0),
        groups=channels,
    )
    if crop or before == after == 0:
        return x
    return F.pad(x, (before, after) if axis == 3 else (0, 0, before, after))
