"""Finite impulse response filtering with resampling (StyleGAN2, section 3 and appendix B).

The textbook form inserts zeros, filters, and throws samples away. Here upsampling is a depthwise transposed
convolution and downsampling a strided one, so no zero is ever multiplied; both differentiate twice.

Conventions:
    * a filter is a float tensor ``[taps, taps]`` that sums to 1; filtering is true convolution (flipped kernel)
    * ``padding`` is ``(left, right, top, bottom)`` in pixels of the zero-inserted picture; negative crops
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

DEFAULT_TAPS = (1, 3, 3, 1)


def make_filter(taps: Sequence[float]) -> Tensor:
    """The separable filter of ``taps`` as a normalised ``[n, n]`` outer product, as official files store it."""
    line = torch.tensor(taps, dtype=torch.float32)
    square = torch.outer(line, line)
    return square / square.sum()


def upfirdn2d(
    x: Tensor,
    fir: Tensor,
    *,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    gain: float = 1.0,
    bias: Tensor | None = None,
) -> Tensor:
    """Insert ``up - 1`` zeros after every pixel, pad, convolve with ``fir * gain``, keep every ``down``-th pixel.

    Args:
        x: ``N x C x H x W``.
        fir: ``[fh, fw]``.
        bias: ``C``, added to the result where nothing is upsampled.

    Returns:
        ``N x C x H' x W'`` with ``H' = ceil((H * up + top + bottom - fh + 1) / down)``.
    """
    if up == 1:
        return _convolve(x, fir * gain, down, padding, bias)
    return _spread(x, fir * gain, up, padding)[:, :, ::down, ::down]


def upsample2d(x: Tensor, fir: Tensor) -> Tensor:
    """Double both sides of ``N x C x H x W``, brightness kept."""
    taps = fir.shape[0]
    before, after = (taps + 1) // 2, (taps - 2) // 2
    return upfirdn2d(x, fir, up=2, padding=(before, after, before, after), gain=4)


def downsample2d(x: Tensor, fir: Tensor) -> Tensor:
    """Halve both sides of ``N x C x H x W``, brightness kept."""
    taps = fir.shape[0]
    before, after = (taps - 1) // 2, (taps - 2) // 2
    return upfirdn2d(x, fir, down=2, padding=(before, after, before, after))


def _convolve(
    x: Tensor, fir: Tensor, stride: int, padding: tuple[int, int, int, int], bias: Tensor | None = None
) -> Tensor:
    left, right, top, bottom = padding
    symmetric = left == right >= 0 and top == bottom >= 0
    if not symmetric:
        x = F.pad(x, padding)
    channels = x.shape[1]
    kernel = fir.flip(0, 1).to(x.dtype).expand(channels, 1, -1, -1)
    sides = (top, left) if symmetric else 0
    return F.conv2d(x, kernel, bias, stride=stride, padding=sides, groups=channels)


def _spread(x: Tensor, fir: Tensor, up: int, padding: tuple[int, int, int, int]) -> Tensor:
    left, right, top, bottom = padding
    fh, fw = fir.shape
    channels = x.shape[1]
    kernel = fir.to(x.dtype).expand(channels, 1, -1, -1)
    # A transposed convolution yields every output touched by any input: cut it to what the padding asks for.
    crop = (left - fw + 1, right + up - fw, top - fh + 1, bottom + up - fh)
    if crop[0] == crop[1] <= 0 and crop[2] == crop[3] <= 0:
        return F.conv_transpose2d(x, kernel, stride=up, padding=(-crop[2], -crop[0]), groups=channels)
    return F.pad(F.conv_transpose2d(x, kernel, stride=up, groups=channels), crop)
