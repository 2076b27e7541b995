"""StyleGAN3's synthesis as the paper writes it, without any of our short cuts: what we must equal, and be faster than.

Weights are built per sample and run as one grouped convolution; resampling inserts zeros, filters at the high rate and
throws samples away. It works on the modules of :mod:`vitruvian.nn.stylegan3` and reads nothing from them but numbers.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vitruvian.nn.stylegan3 import Synthesis, SynthesisLayer


def textbook_synthesis(synthesis: Synthesis, ws: Tensor) -> Tensor:
    """``ws: N x L x K`` to pictures ``N x C x H x W``."""
    rows = ws.unbind(dim=1)
    x = synthesis.input(rows[0]).contiguous()
    for name, w in zip(synthesis.layer_names, rows[1:], strict=True):
        layer = synthesis.get_submodule(name)
        assert isinstance(layer, SynthesisLayer)
        x = textbook_layer(layer, x, w)
    return x * synthesis.config.output_scale


def textbook_layer(layer: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
    """``x: N x I x H x W``, ``w: N x K`` to ``N x O x H' x W'``, samples of a channel adjacent in memory."""
    x = _modulated(layer, x, w) + layer.bias[:, None, None]
    steps = layer.nonlinearity
    x = upfirdn(x, layer.up_filter, up=steps.up, padding=steps.padding, gain=steps.up**2)
    x = F.leaky_relu(x, steps.slope) * steps.gain
    if steps.clamp is not None:
        x = x.clamp(-steps.clamp, steps.clamp)
    return upfirdn(x, layer.down_filter, down=steps.down)


def _modulated(layer: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
    batch = x.shape[0]
    styles, weight = layer.affine(w), layer.weight
    kernel = weight.shape[-1]
    if layer.is_torgb:
        styles = styles / math.sqrt(weight[0].numel())
    else:
        weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
        styles = styles * styles.square().mean().rsqrt()
    weight = weight[None] * styles[:, None, :, None, None]
    if not layer.is_torgb:
        weight = weight * (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    weight = weight * layer.magnitude_ema.rsqrt()
    x = x.reshape(1, -1, *x.shape[2:])
    x = F.conv2d(x, weight.flatten(0, 1), padding=kernel - 1, groups=batch)
    return x.unflatten(1, (batch, -1)).squeeze(0)


def upfirdn(
    x: Tensor,
    fir: Tensor | None,
    *,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    gain: float = 1.0,
) -> Tensor:
    """Insert ``up - 1`` zeros after every sample, pad, convolve with ``fir * gain``, keep every ``down``-th sample.

    Args:
        x: ``N x C x H x W``.
        fir: ``[taps]``, applied along both axes, ``[taps, taps]``, or None for the identity.
        padding: (left, right, top, bottom); negative crops.
    """
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels, height, 1, width, 1)
    x = F.pad(x, (0, up - 1, 0, 0, 0, up - 1)).reshape(batch, channels, height * up, width * up)
    x = F.pad(x, padding)
    if fir is None:
        x = x * gain
    elif fir.ndim == 1:
        line = (fir * math.sqrt(gain)).flip(0)
        x = _depthwise(x, line[None, :])
        x = _depthwise(x, line[:, None])
    else:
        x = _depthwise(x, (fir * gain).flip((0, 1)))
    return x[:, :, ::down, ::down]


def _depthwise(x: Tensor, kernel: Tensor) -> Tensor:
    channels = x.shape[1]
    return F.conv2d(x, kernel.to(x.dtype).expand(channels, 1, -1, -1), groups=channels)


@torch.no_grad()
def largest_difference(synthesis: Synthesis, ws: Tensor) -> float:
    """Between our picture of ``ws: N x L x K`` and the textbook's."""
    return (synthesis(ws) - textbook_synthesis(synthesis, ws)).abs().max().item()
