"""The StyleGAN2 generator (Karras et al. 2020a, 2020b), for any size ``height = 2^k h0, width = 2^k w0``.

Parameter and buffer names are the official ones, so that published weights load by name; a learned constant of
``4 x 2`` is StyleGAN-Human's 2:1 network and ``4 x 3`` a 1024x768 one.

Shapes: ``N`` batch, ``C`` channels, ``H W`` picture, ``L`` number of w rows (``num_ws``), ``K`` size of w.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitruvian.nn.activation import ACTIVATIONS, LEAKY_SLOPE, bias_act
from vitruvian.nn.fir import DEFAULT_TAPS, make_filter, upsample2d
from vitruvian.nn.geometry import as_size, pyramid
from vitruvian.nn.layers import EPSILON, Conv2d, FullyConnected, convolve
from vitruvian.nn.mapping import Mapping

NoiseMode = Literal["const", "random", "none"]
Architecture = Literal["orig", "skip", "resnet"]


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Constructor arguments of :class:`Generator`; defaults are those of stylegan2-ada."""

    img_resolution: int | tuple[int, int] = 256
    """Picture size: one number for a square, or (height, width)."""
    img_channels: int = 3
    z_dim: int = 512
    c_dim: int = 0
    """Number of label dimensions; 0 for an unconditional network."""
    w_dim: int = 512
    num_layers: int = 8
    """Fully connected layers of the mapping network."""
    embed_features: int | None = None
    layer_features: int | None = None
    mapping_lr_multiplier: float = 0.01
    w_avg_beta: float | None = 0.995
    """Decay of the running mean of w; None for no mean."""
    channel_base: int = 32768
    """A block of height r has ``min(channel_base // r, channel_max)`` channels."""
    channel_max: int = 512
    conv_clamp: float | None = None
    architecture: Architecture = "skip"
    activation: str = "lrelu"
    resample_filter: tuple[float, ...] = DEFAULT_TAPS
    use_noise: bool = True


def channels_at(height: int, *, channel_base: int, channel_max: int) -> int:
    """Feature maps of the block of that height."""
    return min(channel_base // height, channel_max)


def demodulation(power: Tensor, styles: Tensor) -> Tensor:
    """Per-sample scale that returns each modulated output to unit variance (StyleGAN2, equation 3).

    Args:
        power: ``O x I``, the sum of squares of each kernel.
        styles: ``N x I``.

    Returns:
        ``N x O``: ``1 / sqrt(sum_{i,k,k} (weight * style)^2 + eps)``.
    """
    return (styles.square() @ power.t() + EPSILON).rsqrt()


FOLDING_PAYS = 2
"""Scales go into the weights where the feature maps are that many times larger than the kernels: measured."""


def is_alone(x: Tensor) -> bool:
    """Whether ``x: N x ...`` is one sample that no gradient will pass, so that its scales may go into the weights."""
    return x.shape[0] == 1 and not torch.is_grad_enabled()


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        w_dim: int,
        size: tuple[int, int],
        up: int = 1,
        use_noise: bool = True,
        activation: str = "lrelu",
        resample_filter: Sequence[float] = DEFAULT_TAPS,
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.size, self.up, self.use_noise = size, up, use_noise
        self.activation, self.conv_clamp = activation, conv_clamp
        self._kept_power: tuple[tuple[int, int], Tensor] | None = None
        self.affine = FullyConnected(w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("resample_filter", make_filter(resample_filter))
        if use_noise:
            self.register_buffer("noise_const", torch.randn(size))
            self.noise_strength = nn.Parameter(torch.zeros([]))

    def forward(
        self,
        x: Tensor,
        w: Tensor,
        *,
        noise_mode: NoiseMode = "const",
        gain: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """``x: N x I x H x W``, ``w: N x K`` to ``N x O x H' x W'``.

        The style scales the input and the demodulation scales the output of one shared convolution: algebraically
        the per-sample weights of the paper, without building them.
        """
        styles = self.affine(w)
        folds = x.shape[2] * x.shape[3] * self.up**2 > FOLDING_PAYS * self.weight[:, 0].numel()
        if folds and is_alone(x) and ACTIVATIONS[self.activation].is_homogeneous:
            return self._paint_one(x, styles, self._noise(x, noise_mode, generator), gain)
        x = x * styles[:, :, None, None].to(x.dtype)
        x = convolve(x, self.weight.to(x.dtype), fir=self.resample_filter, up=self.up)
        return bias_act(
            x,
            self.bias,
            act=self.activation,
            gain=gain,
            clamp=self.conv_clamp * gain if self.conv_clamp is not None else None,
            scale=demodulation(self._power(), styles),
            noise=self._noise(x, noise_mode, generator),
        )

    def _paint_one(self, x: Tensor, styles: Tensor, noise: Tensor | None, gain: float) -> Tensor:
        """The same for one sample without gradients: scales go into the weights, the rest overwrites the result.

        At 1024x512 this spares two thirds of the passes over memory.
        """
        activation = ACTIVATIONS[self.activation]
        total = activation.gain * gain
        scale = demodulation(self._power(), styles) * total
        weight = self.weight * styles[:, :, None, None] * scale[0, :, None, None, None]
        x = convolve(x, weight.to(x.dtype), (self.bias * total).to(x.dtype), fir=self.resample_filter, up=self.up)
        if noise is not None:
            x.add_((noise * total).to(x.dtype))
        x = F.leaky_relu_(x, LEAKY_SLOPE) if self.activation == "lrelu" else activation.function(x)
        return x if self.conv_clamp is None else x.clamp_(-self.conv_clamp * gain, self.conv_clamp * gain)

    def _power(self) -> Tensor:
        """``O x I``: the sum of squares of each kernel, kept while the weights stay as they are.

        Never kept in training: fused optimisers change weights without a new version.
        """
        if self.training or torch.is_grad_enabled() or torch.compiler.is_compiling() or self.weight.is_inference():
            return self.weight.square().sum(dim=(2, 3))
        version = (self.weight._version, self.weight.data_ptr())
        if self._kept_power is None or self._kept_power[0] != version:
            self._kept_power = (version, self.weight.square().sum(dim=(2, 3)))
        return self._kept_power[1]

    def _noise(self, x: Tensor, mode: NoiseMode, generator: torch.Generator | None) -> Tensor | None:
        if not self.use_noise or mode == "none":
            return None
        if mode == "const":
            return self.noise_const * self.noise_strength
        noise = torch.randn((x.shape[0], 1, *self.size), generator=generator, device=x.device)
        return noise * self.noise_strength


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to picture channels, without demodulation or noise."""

    def __init__(self, in_channels: int, img_channels: int, *, w_dim: int, conv_clamp: float | None) -> None:
        super().__init__()
        self.conv_clamp = conv_clamp
        self.weight_gain = 1 / math.sqrt(in_channels)
        self.affine = FullyConnected(w_dim, in_channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(img_channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(img_channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles = self.affine(w) * self.weight_gain
        if is_alone(x):
            rgb = convolve(x, (self.weight * styles[:, :, None, None]).to(x.dtype), self.bias.to(x.dtype))
            return rgb if self.conv_clamp is None else rgb.clamp_(-self.conv_clamp, self.conv_clamp)
        x = convolve(x * styles[:, :, None, None].to(x.dtype), self.weight.to(x.dtype))
        return bias_act(x, self.bias, clamp=self.conv_clamp)


class SynthesisBlock(nn.Module):
    """One resolution: ``conv0`` doubles the size (absent in the first block), ``conv1`` refines, ``torgb`` paints."""

    resample_filter: Tensor

    def __init__(
        self,
        config: GeneratorConfig,
        *,
        in_channels: int,
        out_channels: int,
        size: tuple[int, int],
        is_last: bool,
    ) -> None:
        super().__init__()
        self.is_first = in_channels == 0
        self.architecture = config.architecture
        taps = config.resample_filter
        layer: dict[str, Any] = {
            "w_dim": config.w_dim,
            "size": size,
            "use_noise": config.use_noise,
            "activation": config.activation,
            "conv_clamp": config.conv_clamp,
        }
        self.register_buffer("resample_filter", make_filter(taps))
        if self.is_first:
            self.const = nn.Parameter(torch.randn(out_channels, *size))
        else:
            self.conv0 = SynthesisLayer(in_channels, out_channels, up=2, resample_filter=taps, **layer)
        self.conv1 = SynthesisLayer(out_channels, out_channels, **layer)
        self.has_torgb = is_last or config.architecture == "skip"
        if self.has_torgb:
            self.torgb = ToRGB(out_channels, config.img_channels, w_dim=config.w_dim, conv_clamp=config.conv_clamp)
        if not self.is_first and config.architecture == "resnet":
            self.skip = Conv2d(in_channels, out_channels, 1, bias=False, up=2, resample_filter=taps)

    @property
    def num_conv(self) -> int:
        """Rows of w that the convolutions use; ``torgb`` takes the next one."""
        return 1 if self.is_first else 2

    def forward(
        self, x: Tensor | None, img: Tensor | None, ws: Tensor, *, dtype: torch.dtype = torch.float32, **layer: Any
    ) -> tuple[Tensor, Tensor | None]:
        """``ws: N x (num_conv + 1) x K``; features and picture of the previous block to those of this one.

        Args:
            dtype: of the features, which the first block decides; pictures are summed in float32.
        """
        rows = iter(ws.unbind(dim=1))
        if x is None:
            # Channels-last convolutions are two to five times faster on a CPU at these sizes.
            const = self.const.to(dtype).unsqueeze(0).expand(ws.shape[0], -1, -1, -1)
            x = self.conv1(const.contiguous(memory_format=torch.channels_last), next(rows), **layer)
        elif self.architecture == "resnet":
            half = math.sqrt(0.5)
            shortcut = self.skip(x, gain=half)
            x = self.conv0(x, next(rows), **layer)
            x = shortcut + self.conv1(x, next(rows), gain=half, **layer)
        else:
            x = self.conv0(x, next(rows), **layer)
            x = self.conv1(x, next(rows), **layer)
        if img is not None:
            img = upsample2d(img, self.resample_filter)
        if self.has_torgb:
            rgb = self.torgb(x, next(rows)).to(torch.float32)
            img = rgb if img is None else img + rgb
        assert x is not None
        return x, img


class Synthesis(nn.Module):
    """w+ to a picture: a learned constant, then one block for each doubling."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.compute_dtype = torch.float32
        """Type of the features between layers; bfloat16 is faster where the processor has it."""
        levels = pyramid(config.img_resolution)
        self.block_names: list[str] = []
        self.num_ws = 0
        in_channels = 0
        for height in levels.heights:
            out_channels = channels_at(height, channel_base=config.channel_base, channel_max=config.channel_max)
            block = SynthesisBlock(
                config,
                in_channels=in_channels,
                out_channels=out_channels,
                size=levels.size(height),
                is_last=height == levels.heights[-1],
            )
            self.add_module(f"b{height}", block)
            self.block_names.append(f"b{height}")
            self.num_ws += block.num_conv
            in_channels = out_channels
        self.num_ws += 1  # the last torgb; every other one shares its row with the next block's conv0

    def forward(
        self,
        ws: Tensor,
        noise_mode: NoiseMode = "const",
        *,
        generator: torch.Generator | None = None,
        **_official: Any,
    ) -> Tensor:
        """``ws: N x L x K`` to a picture ``N x C x H x W`` around [-1, 1].

        Args:
            noise_mode: "const" repeats the stored noise, "random" draws fresh noise, "none" leaves it out.
            generator: source of the fresh noise.
            _official: ``force_fp32``, ``fused_modconv`` and the like are accepted and change nothing here.
        """
        x = img = None
        row = 0
        for name in self.block_names:
            block = self.get_submodule(name)
            assert isinstance(block, SynthesisBlock)
            x, img = block(
                x,
                img,
                ws[:, row : row + block.num_conv + 1],
                dtype=self.compute_dtype,
                noise_mode=noise_mode,
                generator=generator,
            )
            row += block.num_conv
        assert img is not None
        return img


class Generator(nn.Module):
    """z to a picture: :class:`Mapping`, then :class:`Synthesis`.

    Called as the official networks are: ``G(z, c, truncation_psi=0.7, noise_mode="const")``.
    """

    kind = "stylegan2-generator"

    def __init__(self, config: GeneratorConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        values = {**(asdict(config) if config else {}), **overrides}
        if isinstance(resolution := values.get("img_resolution"), list):
            values["img_resolution"] = tuple(resolution)
        if isinstance(taps := values.get("resample_filter"), list):
            values["resample_filter"] = tuple(taps)
        self.config = config = GeneratorConfig(**values)
        self.z_dim, self.c_dim, self.w_dim = config.z_dim, config.c_dim, config.w_dim
        self.img_channels = config.img_channels
        self.height, self.width = as_size(config.img_resolution)
        self.synthesis = Synthesis(config)
        self.num_ws = self.synthesis.num_ws
        self.mapping = Mapping(
            z_dim=config.z_dim,
            c_dim=config.c_dim,
            w_dim=config.w_dim,
            num_ws=self.num_ws,
            num_layers=config.num_layers,
            embed_features=config.embed_features,
            layer_features=config.layer_features,
            lr_multiplier=config.mapping_lr_multiplier,
            w_avg_beta=config.w_avg_beta,
        )

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
