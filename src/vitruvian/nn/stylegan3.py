"""The StyleGAN3 generator (Karras et al. 2021), translation (T) or rotation (R) equivariant, for any shape of picture.

Parameter and buffer names are the official ones, so that published weights load by name. StyleGAN-Human's 2:1 network
is this one with half the margin at the sides: ``img_resolution=(512, 256), margin_size=(10, 5)``.

Shapes: ``N`` batch, ``C`` channels, ``H W`` picture, ``L`` number of w rows (``num_ws``), ``K`` size of w.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitruvian.nn.filtered_lrelu import FilteredLeakyReLU, Padding
from vitruvian.nn.geometry import as_size
from vitruvian.nn.layers import EPSILON, FullyConnected
from vitruvian.nn.layout import LINE, empty_signal, writes_in_place
from vitruvian.nn.lowpass import lowpass_filter
from vitruvian.nn.mapping import Mapping


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Constructor arguments of :class:`Generator`; defaults are those of stylegan3-t.

    The published stylegan3-r networks have ``conv_kernel=1, use_radial_filters=True, channel_base=65536,
    channel_max=1024``.
    """

    img_resolution: int | tuple[int, int] = 256
    """Picture size: one number for a square, or (height, width)."""
    img_channels: int = 3
    z_dim: int = 512
    c_dim: int = 0
    """Number of label dimensions; 0 for an unconditional network."""
    w_dim: int = 512
    num_layers: int = 2
    """Fully connected layers of the mapping network."""
    mapping_lr_multiplier: float = 0.01
    w_avg_beta: float = 0.998
    """Decay of the running mean of w."""
    synthesis_layers: int = 14
    """Layers of the synthesis network, the picture's not counted."""
    num_critical: int = 2
    """Last layers that let every frequency through."""
    channel_base: int = 32768
    """A layer of cutoff f has ``min(channel_base / 2f, channel_max)`` channels."""
    channel_max: int = 512
    first_cutoff: float = 2.0
    first_stopband: float = 2**2.1
    last_stopband_rel: float = 2**0.3
    """Last stop band as a multiple of the last cutoff."""
    margin_size: int | tuple[int, int] = 10
    """Pixels computed beyond each edge of the picture: one number, or (top and bottom, left and right)."""
    output_scale: float = 0.25
    conv_kernel: int = 3
    """3 for T, 1 for R."""
    use_radial_filters: bool = False
    """Filters that are the same in every direction, for R."""
    filter_size: int = 6
    """Taps for each factor of resampling."""
    lrelu_upsampling: int = 2
    """How far above the signal's rate the leaky ReLU works."""
    conv_clamp: float | None = 256.0
    magnitude_ema_beta: float = 0.999
    """Decay of each layer's running mean square."""


_PAIRS = ("img_resolution", "margin_size")


@dataclass(frozen=True, kw_only=True)
class Level:
    """The signal between two layers; frequencies and rates count in picture heights."""

    rate: float
    cutoff: float
    half_width: float
    """Half the width of the filters' transition band."""
    size: tuple[int, int]
    """Height and width in samples, margins included."""
    channels: int


def levels(config: GeneratorConfig) -> list[Level]:
    """What goes into the first layer, then what comes out of each (appendix C.1 of the paper).

    Raises:
        ValueError: if the picture's shape is not whole at some sampling rate, or the counts of layers do not fit.
    """
    height, width = as_size(config.img_resolution)
    margin = as_size(config.margin_size)
    count = config.synthesis_layers
    if not 0 <= config.num_critical < count:
        raise ValueError(f"num_critical is {config.num_critical}, expected less than the {count} layers")
    last_cutoff = height / 2
    last_stopband = last_cutoff * config.last_stopband_rel
    result: list[Level] = []
    for index in range(count + 1):
        progress = min(index / (count - config.num_critical), 1)
        cutoff = config.first_cutoff * (last_cutoff / config.first_cutoff) ** progress
        stopband = config.first_stopband * (last_stopband / config.first_stopband) ** progress
        halvings = math.floor(math.log2(height / min(2 * stopband, height)))
        if height % 2**halvings or width % 2**halvings:
            raise ValueError(f"a picture of {height}x{width} is not whole at 1/{2**halvings} of its size")
        rate = height >> halvings
        has_margin = index < count - 1
        channels = round(min(config.channel_base / 2 / cutoff, config.channel_max))
        result.append(
            Level(
                rate=rate,
                cutoff=cutoff,
                half_width=max(stopband, rate / 2) - cutoff,
                size=(
                    rate + 2 * margin[0] * has_margin,
                    (width >> halvings) + 2 * margin[1] * has_margin,
                ),
                channels=config.img_channels if index == count else channels,
            )
        )
    return [result[0], *result]


def transform_matrix(translate: Sequence[float] = (0.0, 0.0), rotate: float = 0.0) -> Tensor:
    """What ``synthesis.input.transform`` has to hold to move the picture: the inverse of the movement.

    Args:
        translate: to the right and downwards, in picture heights.
        rotate: degrees, counter-clockwise.

    Returns:
        ``3 x 3``, float32.
    """
    angle = math.radians(rotate)
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = torch.tensor(
        [[cos, sin, translate[0]], [-sin, cos, translate[1]], [0.0, 0.0, 1.0]], dtype=torch.float64, device="cpu"
    )
    return torch.linalg.inv(matrix).to(torch.float32)


class SynthesisInput(nn.Module):
    """Fourier features: random waves in a disc of frequencies, moved and turned as w says."""

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, level: Level, *, w_dim: int) -> None:
        super().__init__()
        self.level = level
        freqs = torch.randn(level.channels, 2)
        radii = freqs.square().sum(dim=1, keepdim=True).sqrt()
        freqs = freqs / (radii * radii.square().exp() ** 0.25) * level.cutoff
        self.weight = nn.Parameter(torch.randn(level.channels, level.channels))
        self.affine = FullyConnected(w_dim, 4)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.register_buffer("transform", torch.eye(3))
        self.register_buffer("freqs", freqs)
        self.register_buffer("phases", torch.rand(level.channels) - 0.5)

    def forward(self, w: Tensor) -> Tensor:
        """``w: N x K`` to ``N x C x H x W``, channels last in memory."""
        matrix = self._placement(w) @ self.transform
        phases = self.phases + (self.freqs @ matrix[:, :2, 2:]).squeeze(2)
        freqs = self.freqs @ matrix[:, :2, :2]
        rate, cutoff = self.level.rate, self.level.cutoff
        # Waves that the movement pushed beyond what the rate can carry fade out.
        amplitudes = (1 - (freqs.norm(dim=2) - cutoff) / (rate / 2 - cutoff)).clamp(0, 1)
        height, width = self.level.size
        x = (torch.arange(width, device=w.device) + 0.5 - width / 2) / rate
        y = (torch.arange(height, device=w.device) + 0.5 - height / 2) / rate
        along_x = x[None, None, :, None] * freqs[:, None, None, :, 0]
        along_y = y[None, :, None, None] * freqs[:, None, None, :, 1] + phases[:, None, None, :]
        waves = ((along_x + along_y) * (2 * math.pi)).sin()
        weight = self.weight * (amplitudes / math.sqrt(self.level.channels))[:, None, :]
        mixed = torch.bmm(waves.flatten(1, 2), weight.transpose(1, 2))
        return mixed.unflatten(1, (height, width)).permute(0, 3, 1, 2)

    def _placement(self, w: Tensor) -> Tensor:
        """``N x 3 x 3``: the rotation after the translation that the affine layer reads from w."""
        t = self.affine(w)
        t = t / t[:, :2].norm(dim=1, keepdim=True)
        cos, sin, x, y = t.unbind(dim=1)
        zero, one = torch.zeros_like(x), torch.ones_like(x)
        rows = [cos, -sin, sin * y - cos * x, sin, cos, -sin * x - cos * y, zero, zero, one]
        return torch.stack(rows, dim=1).unflatten(1, (3, 3))


class SynthesisLayer(nn.Module):
    """Modulated convolution, bias, and the leaky ReLU between two filters; the last layer paints the picture."""

    magnitude_ema: Tensor
    up_filter: Tensor | None
    down_filter: Tensor | None

    def __init__(
        self, config: GeneratorConfig, source: Level, target: Level, *, is_critical: bool, is_torgb: bool
    ) -> None:
        super().__init__()
        self.is_torgb, self.is_critical = is_torgb, is_critical
        self.magnitude_ema_beta = config.magnitude_ema_beta
        kernel = 1 if is_torgb else config.conv_kernel
        high_rate = max(source.rate, target.rate) * (1 if is_torgb else config.lrelu_upsampling)
        up, down = int(high_rate / source.rate), int(high_rate / target.rate)
        self.affine = FullyConnected(config.w_dim, source.channels, bias_init=1)
        self.weight = nn.Parameter(torch.randn(target.channels, source.channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(target.channels))
        self.register_buffer("magnitude_ema", torch.ones([]))
        taps = [1 if is_torgb or factor == 1 else config.filter_size * factor for factor in (up, down)]
        is_radial = config.use_radial_filters and not is_critical
        for name, count, level, radial in (
            ("up_filter", taps[0], source, False),
            ("down_filter", taps[1], target, is_radial),
        ):
            design = {"cutoff": level.cutoff, "width": 2 * level.half_width, "rate": high_rate, "radial": radial}
            fir = None if count == 1 else torch.tensor(lowpass_filter(count, **design), dtype=torch.float32)
            self.register_buffer(name, fir)
        sides: list[int] = []
        for axis in (1, 0):
            grown = (source.size[axis] + kernel - 1) * up
            total = (target.size[axis] - 1) * down + 1 - grown + sum(taps) - 2
            before = (total + up) // 2
            sides += [before, total - before]
        padding: Padding = (sides[0], sides[1], sides[2], sides[3])
        settings: dict[str, Any] = {"slope": 1.0, "gain": 1.0} if is_torgb else {}
        self.nonlinearity = FilteredLeakyReLU(up=up, down=down, padding=padding, clamp=config.conv_clamp, **settings)

    def forward(self, x: Tensor, w: Tensor, *, update_emas: bool = False) -> Tensor:
        """``x: N x I x H x W``, ``w: N x K`` to ``N x O x H' x W'``."""
        if update_emas:
            power = x.detach().to(torch.float32).square().mean()
            self.magnitude_ema.copy_(power.lerp(self.magnitude_ema, self.magnitude_ema_beta))
        styles = self.affine(w)
        weight = self.weight
        gain: Tensor | None = None
        if self.is_torgb:
            styles = styles / math.sqrt(weight[0].numel())
        else:
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            styles = styles * styles.square().mean(dim=1, keepdim=True).rsqrt()
            gain = (styles.square() @ weight.square().sum(dim=(2, 3)).t() + EPSILON).rsqrt()
        styles = styles * self.magnitude_ema.rsqrt()
        x = modulated_convolution(x, weight, styles, gain)
        return self.nonlinearity(x, self.bias, self.up_filter, self.down_filter)


def modulated_convolution(x: Tensor, weight: Tensor, styles: Tensor, gain: Tensor | None = None) -> Tensor:
    """Convolution whose input channels are scaled by ``styles`` and whose output channels by ``gain``, per sample.

    Args:
        x: ``N x I x H x W``, fastest where channels are last in memory.
        weight: ``O x I x k x k``.
        styles: ``N x I``.
        gain: ``N x O``; None for 1.

    Returns:
        ``N x O x (H + k - 1) x (W + k - 1)``: every output that the kernel touches.
    """
    kernel = weight.shape[-1]
    if kernel > 1:
        x = F.conv2d(x * styles[:, :, None, None], weight, padding=kernel - 1)
        return x if gain is None else x * gain[:, :, None, None]
    # Each sample is one matrix product: its own matrix costs nothing but the scaling of a matrix.
    matrix = weight[:, :, 0, 0] * styles[:, None, :]
    if gain is not None:
        matrix = matrix * gain[:, :, None]
    pixels = x.permute(0, 2, 3, 1).flatten(1, 2)
    if not writes_in_place(x):
        return torch.bmm(pixels, matrix.transpose(1, 2)).unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
    # Matrix products are a quarter faster where the rows of the result fill whole cache lines.
    channels = weight.shape[0]
    matrix = F.pad(matrix, (0, 0, 0, -channels % LINE if channels > LINE else 0))
    out = empty_signal(x.shape[0], matrix.shape[1], *x.shape[2:], like=x)
    for sample, product in enumerate(out.permute(0, 2, 3, 1).flatten(1, 2)):
        torch.mm(pixels[sample], matrix[sample].t(), out=product)
    return out[:, :channels]


class Synthesis(nn.Module):
    """w+ to a picture: Fourier features, then layers that filter every nonlinearity."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.num_ws = config.synthesis_layers + 2
        self.layer_names: list[str] = []
        self.signals = levels(config)
        self.input = SynthesisInput(self.signals[0], w_dim=config.w_dim)
        for index, (source, target) in enumerate(pairwise(self.signals)):
            layer = SynthesisLayer(
                config,
                source,
                target,
                is_critical=index >= config.synthesis_layers - config.num_critical,
                is_torgb=index == config.synthesis_layers,
            )
            name = f"L{index}_{target.size[1]}_{target.channels}"
            self.add_module(name, layer)
            self.layer_names.append(name)

    def forward(self, ws: Tensor, noise_mode: str = "const", *, update_emas: bool = False, **_official: Any) -> Tensor:
        """``ws: N x L x K`` to a picture ``N x C x H x W`` around [-1, 1].

        Args:
            noise_mode: accepted and without effect; the network has no noise.
            update_emas: move every ``magnitude_ema`` towards the mean square of this batch (training).
            _official: ``force_fp32`` and the like are accepted and change nothing here.
        """
        if ws.ndim != 3 or ws.shape[1] != self.num_ws:
            raise ValueError(f"ws must be N x {self.num_ws} x {self.config.w_dim}, got {tuple(ws.shape)}")
        rows = ws.unbind(dim=1)
        x = self.input(rows[0])
        for name, w in zip(self.layer_names, rows[1:], strict=True):
            x = self.get_submodule(name)(x, w, update_emas=update_emas)
        return (x.to(torch.float32) * self.config.output_scale).contiguous()


class Generator(nn.Module):
    """z to a picture: :class:`~vitruvian.nn.mapping.Mapping`, then :class:`Synthesis`.

    Called as the official networks are: ``G(z, c, truncation_psi=0.7)``.
    """

    kind = "stylegan3-generator"

    def __init__(self, config: GeneratorConfig | None = None, **overrides: Any) -> None:
        super().__init__()
        values = {**(asdict(config) if config else {}), **overrides}
        for name in _PAIRS:
            if isinstance(pair := values.get(name), list):
                values[name] = tuple(pair)
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
        return self.synthesis(ws, update_emas=update_emas, **synthesis)
