"""The StyleGAN1 discriminator (Karras et al. 2018, 2019), for the same sizes as the generator.

Layers are numbered from the picture down, two for each resolution; ``input{b}`` reads a picture of the b-th one, which
a progressively grown network needs.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitruvian.nn.activation import LEAKY_SLOPE
from vitruvian.nn.geometry import as_size, pyramid
from vitruvian.nn.layers import FullyConnected
from vitruvian.nn.stylegan1 import Dense, blur, blur_filter, missing_levels, resampling_kernel
from vitruvian.nn.stylegan2_discriminator import MinibatchStd


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """Constructor arguments of :class:`Discriminator`; defaults are those of the published networks."""

    img_resolution: int | tuple[int, int] = 1024
    img_channels: int = 3
    c_dim: int = 0
    """Number of label dimensions; 0 for an unconditional network."""
    channel_base: int = 16384
    channel_max: int = 512
    mbstd_group_size: int | None = 4
    """Pictures in one group of the minibatch deviation; None for the whole batch."""
    mbstd_num_channels: int = 1


class Conv(nn.Module):
    """Convolution, bias, leaky ReLU; halves the size after a blur if ``down``."""

    filter: Tensor

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, *, down: bool = False) -> None:
        super().__init__()
        self.down = down
        self.weight_gain = math.sqrt(2 / (in_channels * kernel_size**2))
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        if down:
            self.register_buffer("filter", blur_filter())

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        if self.down:  # a 3x3 kernel and the mean of 2x2 pixels are one 4x4 kernel at every second pixel
            kernel = resampling_kernel(weight, gain=self.weight_gain / 4)
            x = F.conv2d(blur(x, self.filter), kernel, bias, stride=2, padding=1)
        else:
            x = F.conv2d(x, weight * self.weight_gain, bias, padding=weight.shape[-1] // 2)
        return F.leaky_relu(x, LEAKY_SLOPE)


class Discriminator(nn.Module):
    """Pictures ``N x C x H x W`` in [-1, 1] (and labels ``N x c_dim``) to logits ``N x 1``; real is positive."""

    kind = "stylegan1-discriminator"
    lod: Tensor

    def __init__(self, config: DiscriminatorConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        values = {**(asdict(config) if config else {}), **overrides}
        if isinstance(resolution := values.get("img_resolution"), list):
            values["img_resolution"] = tuple(resolution)
        self.config = config = DiscriminatorConfig(**values)
        self.c_dim, self.img_channels = config.c_dim, config.img_channels
        self.height, self.width = as_size(config.img_resolution)
        levels = pyramid(config.img_resolution)
        heights = levels.heights[::-1]
        self.num_levels = len(heights)
        widths = [min(config.channel_base // height, config.channel_max) for height in heights]
        for level, channels in enumerate(widths):
            self.add_module(f"input{level}", Conv(config.img_channels, channels, 1))
        for level, (channels, smaller) in enumerate(pairwise(widths)):
            self.add_module(f"layer{2 * level}", Conv(channels, channels))
            self.add_module(f"layer{2 * level + 1}", Conv(channels, smaller, down=True))
        channels, last = widths[-1], self.num_levels - 1
        self.mbstd = MinibatchStd(config.mbstd_group_size, config.mbstd_num_channels)
        self.add_module(f"layer{2 * last}", Conv(channels + config.mbstd_num_channels, channels))
        height, width = levels.size(heights[-1])
        self.add_module(f"layer{2 * last + 1}", Dense(channels * height * width, channels))
        self.output = FullyConnected(channels, max(config.c_dim, 1))
        self.register_buffer("lod", torch.zeros([]))

    @property
    def img_resolution(self) -> int:
        """Height of the pictures."""
        return self.height

    def forward(self, img: Tensor, c: Tensor | None = None, **_official: Any) -> Tensor:
        """Judge pictures; with ``lod`` above 0 at the lower resolution that the network has grown to."""
        first, blend = missing_levels(self.lod, num_levels=self.num_levels)
        img = img.contiguous(memory_format=torch.channels_last)
        if first > 0:
            img = F.avg_pool2d(img, 2**first)
        x = self.get_submodule(f"input{first}")(img)
        for level in range(first, self.num_levels - 1):
            x = self.get_submodule(f"layer{2 * level}")(x)
            x = self.get_submodule(f"layer{2 * level + 1}")(x)
            if level == first and blend > 0:
                coarser = self.get_submodule(f"input{level + 1}")(F.avg_pool2d(img, 2))
                x = x.lerp(coarser, blend)
        last = self.num_levels - 1
        x = self.get_submodule(f"layer{2 * last}")(self.mbstd(x))
        x = self.output(self.get_submodule(f"layer{2 * last + 1}")(x.flatten(1)))
        if self.c_dim > 0:
            if c is None or c.shape[1:] != (self.c_dim,):
                raise ValueError(f"c must be N x {self.c_dim}, got {None if c is None else tuple(c.shape)}")
            x = (x * c).sum(dim=1, keepdim=True)
        return x
