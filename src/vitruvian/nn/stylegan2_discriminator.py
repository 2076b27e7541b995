"""The StyleGAN2 discriminator (Karras et al. 2020a, 2020b), for the same sizes as the generator."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from vitruvian.nn.fir import DEFAULT_TAPS, downsample2d, make_filter
from vitruvian.nn.geometry import as_size, pyramid
from vitruvian.nn.layers import EPSILON, Conv2d, FullyConnected
from vitruvian.nn.mapping import Mapping
from vitruvian.nn.stylegan2 import Architecture, channels_at


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """Constructor arguments of :class:`Discriminator`; defaults are those of stylegan2-ada."""

    img_resolution: int | tuple[int, int] = 256
    img_channels: int = 3
    c_dim: int = 0
    architecture: Architecture = "resnet"
    channel_base: int = 32768
    channel_max: int = 512
    conv_clamp: float | None = None
    cmap_dim: int | None = None
    """Size of the label embedding; None for the channels of the last block."""
    num_layers: int = 8
    """Layers of the label mapping, used when ``c_dim > 0``."""
    mbstd_group_size: int | None = 4
    """Pictures in one group of the minibatch deviation; None for the whole batch."""
    mbstd_num_channels: int = 1
    activation: str = "lrelu"
    resample_filter: tuple[float, ...] = DEFAULT_TAPS
    freeze_layers: int = 0
    """Freeze-D: that many layers, counted from the picture, are not trained."""


class DiscriminatorBlock(nn.Module):
    """One resolution: ``conv0`` looks, ``conv1`` halves the size."""

    resample_filter: Tensor

    def __init__(
        self,
        config: DiscriminatorConfig,
        *,
        in_channels: int,
        channels: int,
        out_channels: int,
        first_layer: int,
    ) -> None:
        super().__init__()
        self.architecture = config.architecture
        self.num_layers = 0

        def trainable() -> bool:
            self.num_layers += 1
            return first_layer + self.num_layers - 1 >= config.freeze_layers

        shared: dict[str, Any] = {"act": config.activation, "clamp": config.conv_clamp}
        taps = config.resample_filter
        self.register_buffer("resample_filter", make_filter(taps))
        self.has_fromrgb = in_channels == 0 or config.architecture == "skip"
        if self.has_fromrgb:
            self.fromrgb = Conv2d(config.img_channels, channels, 1, trainable=trainable(), **shared)
        self.conv0 = Conv2d(channels, channels, 3, trainable=trainable(), **shared)
        self.conv1 = Conv2d(channels, out_channels, 3, down=2, resample_filter=taps, trainable=trainable(), **shared)
        if config.architecture == "resnet":
            self.skip = Conv2d(
                channels, out_channels, 1, bias=False, down=2, resample_filter=taps, trainable=trainable()
            )

    def forward(self, x: Tensor | None, img: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if self.has_fromrgb:
            assert img is not None
            seen = self.fromrgb(img)
            x = seen if x is None else x + seen
            img = downsample2d(img, self.resample_filter) if self.architecture == "skip" else None
        assert x is not None
        if self.architecture == "resnet":
            half = math.sqrt(0.5)
            shortcut = self.skip(x, gain=half)
            return shortcut + self.conv1(self.conv0(x), gain=half), img
        return self.conv1(self.conv0(x)), img


class MinibatchStd(nn.Module):
    """Append the standard deviation across a group of pictures as feature maps (Karras et al. 2018, section 3)."""

    def __init__(self, group_size: int | None, num_channels: int = 1) -> None:
        super().__init__()
        self.group_size, self.num_channels = group_size, num_channels

    def forward(self, x: Tensor) -> Tensor:
        """``N x C x H x W`` to ``N x (C + F) x H x W``. A group holds samples m, m + N/G, m + 2N/G, ...

        Raises:
            ValueError: if the batch is not a multiple of the group size.
        """
        n, c, h, w = x.shape
        group = n if self.group_size is None else min(self.group_size, n)
        if n % group:
            raise ValueError(f"a batch of {n} does not divide into minibatch-deviation groups of {group}")
        features = self.num_channels
        y = x.reshape(group, -1, features, c // features, h, w)  # G x N/G x F x C/F x H x W
        deviation = (y.var(dim=0, unbiased=False) + EPSILON).sqrt()
        maps = deviation.mean(dim=(2, 3, 4)).reshape(-1, features, 1, 1).repeat(group, 1, h, w)
        return torch.cat([x, maps.to(x.dtype)], dim=1)


class DiscriminatorEpilogue(nn.Module):
    """The last level: minibatch deviation, one convolution, two fully connected layers."""

    resample_filter: Tensor

    def __init__(self, config: DiscriminatorConfig, *, channels: int, size: tuple[int, int], cmap_dim: int) -> None:
        super().__init__()
        self.cmap_dim = cmap_dim
        if config.architecture == "skip":
            self.fromrgb = Conv2d(config.img_channels, channels, 1, act=config.activation)
        self.mbstd = MinibatchStd(config.mbstd_group_size, config.mbstd_num_channels)
        self.conv = Conv2d(
            channels + config.mbstd_num_channels, channels, 3, act=config.activation, clamp=config.conv_clamp
        )
        self.fc = FullyConnected(channels * size[0] * size[1], channels, act=config.activation)
        self.out = FullyConnected(channels, cmap_dim or 1)

    def forward(self, x: Tensor, img: Tensor | None, cmap: Tensor | None) -> Tensor:
        x = x.to(torch.float32)
        if img is not None:
            x = x + self.fromrgb(img.to(torch.float32))
        x = self.conv(self.mbstd(x))
        x = self.out(self.fc(x.flatten(1)))
        if cmap is not None:  # projection discriminator (Miyato and Koyama 2018)
            x = (x * cmap).sum(dim=1, keepdim=True) / math.sqrt(self.cmap_dim)
        return x


class Discriminator(nn.Module):
    """Pictures ``N x C x H x W`` in [-1, 1] (and labels ``N x c_dim``) to logits ``N x 1``; real is positive."""

    kind = "stylegan2-discriminator"

    def __init__(self, config: DiscriminatorConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        values = {**(asdict(config) if config else {}), **overrides}
        for name in ("img_resolution", "resample_filter"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        self.config = config = DiscriminatorConfig(**values)
        self.c_dim, self.img_channels = config.c_dim, config.img_channels
        self.height, self.width = as_size(config.img_resolution)
        levels = pyramid(config.img_resolution)

        def width_at(height: int) -> int:
            return channels_at(height, channel_base=config.channel_base, channel_max=config.channel_max)

        heights = levels.heights[::-1]
        self.block_names: list[str] = []
        layers = in_channels = 0
        for height, smaller in pairwise(heights):
            block = DiscriminatorBlock(
                config,
                in_channels=in_channels,
                channels=width_at(height),
                out_channels=width_at(smaller),
                first_layer=layers,
            )
            self.add_module(f"b{height}", block)
            self.block_names.append(f"b{height}")
            layers += block.num_layers
            in_channels = width_at(smaller)
        last = heights[-1]
        cmap_dim = 0 if config.c_dim == 0 else (config.cmap_dim or width_at(last))
        epilogue = DiscriminatorEpilogue(config, channels=width_at(last), size=levels.size(last), cmap_dim=cmap_dim)
        self.epilogue_name = f"b{last}"
        self.add_module(self.epilogue_name, epilogue)
        if cmap_dim > 0:
            self.mapping = Mapping(
                z_dim=0,
                c_dim=config.c_dim,
                w_dim=cmap_dim,
                num_ws=None,
                num_layers=config.num_layers,
                w_avg_beta=None,
            )

    def forward(self, img: Tensor, c: Tensor | None = None, **_official: Any) -> Tensor:
        img = img.contiguous(memory_format=torch.channels_last)
        x: Tensor | None = None
        picture: Tensor | None = img
        for name in self.block_names:
            x, picture = self.get_submodule(name)(x, picture)
        assert x is not None
        cmap = self.mapping(None, c) if self.c_dim > 0 else None
        return self.get_submodule(self.epilogue_name)(x, picture, cmap)
