"""StyleGAN2's synthesis as the paper writes it, without any of our short cuts: what we must equal, and be faster than.

Weights are built per sample and run as one grouped convolution; filters run over inserted zeros; memory keeps its
default layout. It works on the modules of :mod:`vitruvian.nn.stylegan2` and reads nothing from them but numbers.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vitruvian.nn.stylegan2 import Synthesis, SynthesisBlock, SynthesisLayer, ToRGB


def textbook_synthesis(synthesis: Synthesis, ws: Tensor) -> Tensor:
    """``ws: N x L x K`` to pictures ``N x C x H x W``; skip networks with leaky ReLU and without clamps."""
    img: Tensor | None = None
    x = torch.zeros(0)
    row = 0
    for name in synthesis.block_names:
        block = synthesis.get_submodule(name)
        assert isinstance(block, SynthesisBlock)
        if block.is_first:
            x = block.const[None].repeat(len(ws), 1, 1, 1)
        else:
            x = textbook_layer(block.conv0, x, ws[:, row])
            row += 1
        x = textbook_layer(block.conv1, x, ws[:, row])
        row += 1
        rgb = _torgb(block.torgb, x, ws[:, row])
        if img is not None:
            img = _filter(img, block.resample_filter, up=2, before=2, after=1)
        img = rgb if img is None else img + rgb
    assert img is not None
    return img


def textbook_layer(layer: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
    """``x: N x I x H x W``, ``w: N x K`` to ``N x O x H' x W'``."""
    n, channels, height, width = x.shape
    styles = layer.affine(w)
    weight = layer.weight[None] * styles[:, None, :, None, None]
    weight = weight * (weight.square().sum(dim=(2, 3, 4)) + 1e-8).rsqrt()[:, :, None, None, None]
    outputs = weight.shape[1]
    x = x.reshape(1, n * channels, height, width)
    if layer.up == 2:
        kernel = weight.transpose(1, 2).reshape(n * channels, outputs, 3, 3)
        x = F.conv_transpose2d(x, kernel, stride=2, groups=n)
        x = _filter(x.reshape(n, outputs, *x.shape[2:]), layer.resample_filter, up=1, before=1, after=1)
    else:
        x = F.conv2d(x, weight.reshape(n * outputs, channels, 3, 3), padding=1, groups=n)
        x = x.reshape(n, outputs, height, width)
    x = x + layer.noise_const * layer.noise_strength
    x = x + layer.bias[:, None, None]
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def _torgb(torgb: ToRGB, x: Tensor, w: Tensor) -> Tensor:
    styles = torgb.affine(w) * torgb.weight_gain
    weight = torgb.weight[None] * styles[:, None, :, None, None]
    n, channels, height, width = x.shape
    kernel = weight.reshape(-1, channels, 1, 1)
    rgb = F.conv2d(x.reshape(1, n * channels, height, width), kernel, groups=n)
    return rgb.reshape(n, -1, height, width) + torgb.bias[:, None, None]


def _filter(x: Tensor, fir: Tensor, *, up: int, before: int, after: int) -> Tensor:
    """Insert zeros, pad, convolve."""
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, h, up, w, up)
    spread[:, :, :, 0, :, 0] = x
    spread = F.pad(spread.reshape(n, c, h * up, w * up), [before, after, before, after])
    return F.conv2d(spread, (fir * 4).flip(0, 1).expand(c, 1, -1, -1), groups=c)
