"""The StyleGAN1 generator (Karras et al. 2019), for any size ``height = 2^k h0, width = 2^k w0``.

Two layers for each resolution, numbered through: ``layer0`` is the learned constant, even layers double the size.
StyleGAN-Human's first network (1024x512) starts from a constant of ``4 x 2``.

Shapes: ``N`` batch, ``C`` channels, ``H W`` picture, ``L`` number of w rows (``num_ws``), ``K`` size of w.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitruvian.nn.activation import LEAKY_SLOPE
from vitruvian.nn.geometry import as_size, pyramid
from vitruvian.nn.layers import EPSILON, FullyConnected, pixel_norm
from vitruvian.nn.mapping import truncate

NoiseMode = Literal["const", "random", "none"]
FusedScale = Literal["auto"] | bool

FUSED_FROM = 128
"""TensorFlow's rule: the fused operator where both sides of the output are at least this long."""


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Constructor arguments of :class:`Generator`; defaults are those of the published networks."""

    img_resolution: int | tuple[int, int] = 1024
    """Picture size: one number for a square, or (height, width)."""
    img_channels: int = 3
    z_dim: int = 512
    c_dim: int = 0
    """Number of label dimensions; 0 for an unconditional network."""
    w_dim: int = 512
    num_layers: int = 8
    """Dense layers of the mapping network."""
    embed_features: int | None = None
    """Size of the label embedding; None for that of z."""
    layer_features: int | None = None
    """Width of the mapping's hidden layers; None for that of w."""
    mapping_lr_multiplier: float = 0.01
    w_avg_beta: float = 0.995
    """Decay of the running mean of w."""
    truncation_cutoff: int | None = 8
    """Leading rows of w that truncation moves when the caller does not say; None for all.

    A caller who wants all of them moved passes ``truncation_cutoff=G.num_ws``.
    """
    channel_base: int = 16384
    """A resolution of height r has ``min(channel_base // r, channel_max)`` channels."""
    channel_max: int = 512
    fused_scale: FusedScale = "auto"
    """Which of two upsampling operators the weights were trained with: they differ by a flipped kernel."""


class Dense(nn.Module):
    """``N x in -> N x out`` of the mapping: leaky ReLU with its gain inside the weights' scale."""

    def __init__(self, in_features: int, out_features: int, *, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        self.weight_gain = math.sqrt(2 / in_features) * lr_multiplier
        self.bias_gain = lr_multiplier
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / lr_multiplier)
        self.bias = nn.Parameter(torch.zeros(out_features))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain), LEAKY_SLOPE)


class Mapping(nn.Module):
    """z (and a label) to w; z and the label's embedding are normalised together."""

    w_avg: Tensor

    def __init__(self, config: GeneratorConfig, *, num_ws: int) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.num_ws = config.z_dim, config.c_dim, num_ws
        self.num_layers, self.w_avg_beta = config.num_layers, config.w_avg_beta
        self.truncation_cutoff = config.truncation_cutoff
        embedded = 0
        if config.c_dim > 0:
            embedded = config.z_dim if config.embed_features is None else config.embed_features
            self.embedding = nn.Parameter(torch.randn(config.c_dim, embedded))
        hidden = config.w_dim if config.layer_features is None else config.layer_features
        widths = [config.z_dim + embedded, *[hidden] * (config.num_layers - 1), config.w_dim]
        for index, (n_in, n_out) in enumerate(pairwise(widths)):
            self.add_module(f"dense{index}", Dense(n_in, n_out, lr_multiplier=config.mapping_lr_multiplier))
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def forward(
        self,
        z: Tensor | None,
        c: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_emas: bool = False,
    ) -> Tensor:
        """Map ``z: N x z_dim`` and ``c: N x c_dim`` to ``N x L x K``.

        Args:
            truncation_psi: 1 leaves w alone, 0 gives the mean picture.
            truncation_cutoff: leading rows that are truncated; None for the network's own number, 8 as in the
                official programs. ``num_ws`` asks for all.
            update_emas: move ``w_avg`` towards the mean of this batch (training).
        """
        if z is None or z.shape[1:] != (self.z_dim,):
            raise ValueError(f"z must be N x {self.z_dim}, got {None if z is None else tuple(z.shape)}")
        x = z.to(torch.float32)
        if self.c_dim > 0:
            if c is None or c.shape[1:] != (self.c_dim,):
                raise ValueError(f"c must be N x {self.c_dim}, got {None if c is None else tuple(c.shape)}")
            x = torch.cat([x, c.to(torch.float32) @ self.embedding], dim=1)
        w = pixel_norm(x)
        for index in range(self.num_layers):
            w = self.get_submodule(f"dense{index}")(w)
        if update_emas:
            self.w_avg.copy_(w.detach().mean(dim=0).lerp(self.w_avg, self.w_avg_beta))
        ws = w.unsqueeze(1).repeat(1, self.num_ws, 1)
        cutoff = self.truncation_cutoff if truncation_cutoff is None else truncation_cutoff
        return truncate(ws, self.w_avg, truncation_psi, cutoff) if truncation_psi != 1 else ws


def resampling_kernel(weight: Tensor, *, gain: float, is_turned: bool = False) -> Tensor:
    """The kernel that convolves with ``weight`` and a 2x2 box, for doubling or halving in the same step.

    Args:
        weight: ``A x B x 3 x 3``.
        gain: factor of the result.
        is_turned: turn the kernel by 180 degrees.

    Returns:
        ``A x B x 4 x 4``, channels last in memory, as convolutions of such signals read it.
    """
    # One matrix product with the sixteen sums of neighbours: shifting and adding whole kernels takes ten times longer.
    units = F.pad(torch.eye(9, dtype=weight.dtype, device=weight.device).reshape(9, 3, 3), (1, 1, 1, 1))
    sums = (units[:, 1:, 1:] + units[:, :-1, 1:] + units[:, 1:, :-1] + units[:, :-1, :-1]).flatten(1) * gain
    if is_turned:
        sums = sums.flip(1)
    return (sums.t() @ weight.flatten(2).transpose(1, 2)).unflatten(1, (4, 4)).permute(0, 3, 1, 2)


def blur(x: Tensor, fir: Tensor, bias: Tensor | None = None) -> Tensor:
    """Filter every channel with ``fir: 1 x 1 x 3 x 3``, zeros beyond the edges, and add ``bias: C``."""
    channels = x.shape[1]
    return F.conv2d(x, fir.to(x.dtype).expand(channels, 1, -1, -1), bias, padding=1, groups=channels)


def blur_filter() -> Tensor:
    """``1 x 1 x 3 x 3``: the binomial filter that sums to 1."""
    line = torch.tensor([1.0, 2.0, 1.0])
    return (torch.outer(line, line) / 16)[None, None]


class SynthesisLayer(nn.Module):
    """Convolution (or the constant), noise, bias, leaky ReLU, instance normalisation, style."""

    noise: Tensor
    filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        w_dim: int,
        size: tuple[int, int],
        up: bool = False,
        is_fused: bool = False,
    ) -> None:
        super().__init__()
        self.size, self.up, self.is_fused = size, up, is_fused
        self.is_constant = in_channels == 0
        if self.is_constant:
            self.const = nn.Parameter(torch.ones(1, out_channels, *size))
        else:
            self.weight_gain = math.sqrt(2 / (9 * in_channels))
            self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        if up:
            self.register_buffer("filter", blur_filter())
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.noise_strength = nn.Parameter(torch.zeros(1, out_channels, 1, 1))
        self.register_buffer("noise", torch.randn(1, 1, *size))
        self.style = FullyConnected(w_dim, 2 * out_channels)

    def forward(
        self, x: Tensor | None, w: Tensor, *, noise_mode: NoiseMode, generator: torch.Generator | None = None
    ) -> Tensor:
        """``x: N x I x h x w`` (None for the constant) and ``w: N x K`` to ``N x O x H x W``."""
        x = self._constant(w.shape[0]) if x is None else self._convolve(x)
        # In place: a fresh signal costs a CPU more than the arithmetic, and no gradient needs the old one.
        if noise_mode != "none":
            noise = self.noise
            if noise_mode == "random":
                noise = torch.randn((w.shape[0], 1, *self.size), generator=generator, device=w.device)
            x = x.addcmul_(noise.to(x.dtype), self.noise_strength.to(x.dtype))
        return _restyle(F.leaky_relu_(x, LEAKY_SLOPE), self.style(w))

    def _constant(self, batch: int) -> Tensor:
        """``N x O x H x W``, bias included."""
        const = self.const + self.bias[:, None, None]
        return const.expand(batch, -1, -1, -1).contiguous(memory_format=torch.channels_last)

    def _convolve(self, x: Tensor) -> Tensor:
        """``N x I x h x w`` to ``N x O x H x W``, bias included."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        if not self.up:
            return F.conv2d(x, weight * self.weight_gain, bias, padding=1)
        # Doubling by repetition and a 3x3 kernel is one transposed convolution with a 4x4 kernel: 16 products for
        # each input pixel instead of 36. The fused operator of TensorFlow is the same with its kernel unturned.
        kernel = resampling_kernel(weight.transpose(0, 1), gain=self.weight_gain, is_turned=not self.is_fused)
        return blur(F.conv_transpose2d(x, kernel, stride=2, padding=1), self.filter, bias)


def _restyle(x: Tensor, style: Tensor) -> Tensor:
    """Instance normalisation, then scale and shift from w (AdaIN, Karras et al. 2019, equation 1).

    Overwrites ``x`` where no gradient is recorded.
    """
    overwrites = not torch.is_grad_enabled()
    scale, shift = style[:, :, None, None].to(x.dtype).chunk(2, dim=1)
    # The library's variance is three times slower on channels-last signals, its batch normalisation far less exact.
    mean = x.mean(dim=(2, 3), keepdim=True)
    x = x.sub_(mean) if overwrites else x - mean
    scale = (scale + 1) * (x.square().mean(dim=(2, 3), keepdim=True) + EPSILON).rsqrt()
    return x.mul_(scale).add_(shift) if overwrites else torch.addcmul(shift, x, scale)


class ToRGB(nn.Module):
    """1x1 convolution to picture channels, without style."""

    def __init__(self, in_channels: int, img_channels: int) -> None:
        super().__init__()
        self.weight_gain = 1 / math.sqrt(in_channels)
        self.weight = nn.Parameter(torch.randn(img_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(img_channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, (self.weight * self.weight_gain).to(x.dtype), self.bias.to(x.dtype)).to(torch.float32)


def missing_levels(lod: Tensor, *, num_levels: int) -> tuple[int, float]:
    """Doublings that a growing network still lacks, and the share of the next coarser picture in its blend.

    Raises:
        ValueError: if ``lod`` is not between 0 and ``num_levels - 1``.
    """
    value = float(lod)
    if not 0 <= value <= num_levels - 1:
        raise ValueError(f"lod must lie between 0 and {num_levels - 1}, got {value:g}: set it to 0 for a grown network")
    return int(value), value % 1


def is_fused_at(fused_scale: FusedScale, size: tuple[int, int]) -> bool:
    """Whether the layer that doubles to ``size`` uses the fused operator."""
    return min(size) >= FUSED_FROM if fused_scale == "auto" else fused_scale


class Synthesis(nn.Module):
    """w+ to a picture: a learned constant, then two layers for each doubling."""

    lod: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        levels = pyramid(config.img_resolution)
        self.num_levels = len(levels.heights)
        self.num_ws = 2 * self.num_levels
        in_channels = 0
        for level, height in enumerate(levels.heights):
            size = levels.size(height)
            channels = min(config.channel_base // height, config.channel_max)
            first = SynthesisLayer(
                in_channels,
                channels,
                w_dim=config.w_dim,
                size=size,
                up=level > 0,
                is_fused=is_fused_at(config.fused_scale, size),
            )
            self.add_module(f"layer{2 * level}", first)
            self.add_module(f"layer{2 * level + 1}", SynthesisLayer(channels, channels, w_dim=config.w_dim, size=size))
            self.add_module(f"output{level}", ToRGB(channels, config.img_channels))
            in_channels = channels
        self.register_buffer("lod", torch.zeros([]))

    def forward(
        self,
        ws: Tensor,
        noise_mode: NoiseMode = "const",
        *,
        generator: torch.Generator | None = None,
        **_official: Any,
    ) -> Tensor:
        """``ws: N x L x K`` to a picture ``N x C x H x W`` around [-1, 1].

        The buffer ``lod`` says how many doublings a progressively grown network still lacks: 0 when it is done. Between
        whole numbers the pictures of two resolutions are blended.

        Args:
            noise_mode: "const" repeats the stored noise, "random" draws fresh noise, "none" leaves it out.
            generator: source of the fresh noise.
            _official: ``force_fp32`` and the like are accepted and change nothing here.
        """
        missing, blend = missing_levels(self.lod, num_levels=self.num_levels)
        last = self.num_levels - 1 - missing
        rows = ws.unbind(dim=1)
        x: Tensor | None = None
        coarser: Tensor | None = None
        for level in range(last + 1):
            for layer in (2 * level, 2 * level + 1):
                x = self.get_submodule(f"layer{layer}")(x, rows[layer], noise_mode=noise_mode, generator=generator)
            assert x is not None
            if blend > 0 and level == last - 1:
                coarser = self._paint(x, level)
        assert x is not None  # there is at least one level
        img = self._paint(x, last)
        return img if coarser is None else img.lerp(coarser, blend)

    def _paint(self, x: Tensor, level: int) -> Tensor:
        """The picture of that level at full size."""
        img = self.get_submodule(f"output{level}")(x)
        factor = 2 ** (self.num_levels - 1 - level)
        return F.interpolate(img, scale_factor=factor, mode="nearest") if factor > 1 else img


class Generator(nn.Module):
    """z to a picture: :class:`Mapping`, then :class:`Synthesis`.

    Called as the official PyTorch networks of later versions are: ``G(z, c, truncation_psi=0.7, noise_mode="const")``.
    """

    kind = "stylegan1-generator"

    def __init__(self, config: GeneratorConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        values = {**(asdict(config) if config else {}), **overrides}
        if isinstance(resolution := values.get("img_resolution"), list):
            values["img_resolution"] = tuple(resolution)
        self.config = config = GeneratorConfig(**values)
        self.z_dim, self.c_dim, self.w_dim = config.z_dim, config.c_dim, config.w_dim
        self.img_channels = config.img_channels
        self.height, self.width = as_size(config.img_resolution)
        self.synthesis = Synthesis(config)
        self.num_ws = self.synthesis.num_ws
        self.mapping = Mapping(config, num_ws=self.num_ws)

    @property
    def img_resolution(self) -> int:
        """Height of the pictures, the official meaning of the word."""
        return self.height

    def forward(
        self,
        z: Tensor,
        c: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_emas: bool = False,
        **synthesis: Any,
    ) -> Tensor:
        """``z: N x z_dim``, ``c: N x c_dim`` to pictures ``N x C x H x W`` around [-1, 1]."""
        ws = self.mapping(z, c, truncation_psi, truncation_cutoff, update_emas)
        return self.synthesis(ws, **synthesis)
