"""Random transforms of every picture that a discriminator sees, real or not (Karras et al. 2020b, appendix B).

Each transform strikes with probability ``strength * p``. Generated pictures do not learn the transforms as long as p
stays below about 0.8: what is seen of the real ones still tells where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitruvian.training.augment.matrices import (
    colour_scale,
    colour_shift,
    hue_rotation,
    luma_projection,
    rotation,
    scaling,
    translation,
)
from vitruvian.training.augment.warp import warp
from vitruvian.training.augment.wavelets import BANDS, band_filters, warp_filter

LARGEST_SHIFT = 0.125  # of a side
SCALE_STD = ANISO_STD = 0.2  # octaves
BRIGHTNESS_STD = 0.2
CONTRAST_STD = 0.5  # octaves
SATURATION_STD = 1.0  # octaves
BAND_STD = 1.0  # octaves
BAND_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # what each octave of natural pictures holds
NOISE_STD = 0.1
CUTOUT_SIDE = 0.5


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """How much of ``p`` each transform takes: 0 leaves it out, 1 strikes with probability p."""

    xflip: float = 0
    rotate90: float = 0
    xint: float = 0
    scale: float = 0
    rotate: float = 0
    aniso: float = 0
    xfrac: float = 0
    brightness: float = 0
    contrast: float = 0
    lumaflip: float = 0
    hue: float = 0
    saturation: float = 0
    imgfilter: float = 0
    noise: float = 0
    cutout: float = 0

    def __or__(self, other: Strengths) -> Strengths:
        """The stronger of both, transform by transform."""
        pairs = {field.name: (getattr(self, field.name), getattr(other, field.name)) for field in fields(self)}
        return Strengths(**{name: max(pair) for name, pair in pairs.items()})


_BLIT = Strengths(xflip=1, rotate90=1, xint=1)
_GEOM = Strengths(scale=1, rotate=1, aniso=1, xfrac=1)
_COLOUR = Strengths(brightness=1, contrast=1, lumaflip=1, hue=1, saturation=1)
_FILTER, _NOISE, _CUTOUT = Strengths(imgfilter=1), Strengths(noise=1), Strengths(cutout=1)
_BG, _BGC = _BLIT | _GEOM, _BLIT | _GEOM | _COLOUR

PIPES: dict[str, Strengths] = {
    "blit": _BLIT,
    "geom": _GEOM,
    "color": _COLOUR,
    "filter": _FILTER,
    "noise": _NOISE,
    "cutout": _CUTOUT,
    "bg": _BG,
    "bgc": _BGC,
    "bgcf": _BGC | _FILTER,
    "bgcfn": _BGC | _FILTER | _NOISE,
    "bgcfnc": _BGC | _FILTER | _NOISE | _CUTOUT,
    "body": replace(_BGC, rotate90=0, rotate=0),
}
"""Named combinations; ``body`` is StyleGAN-Human's: people are never turned over."""


class AugmentPipe(nn.Module):
    """Pictures ``N x C x H x W`` in [-1, 1] to transformed ones of the same size; differentiable twice.

    The buffer ``p`` is the current probability. Draws come in the order of the reference, so that equal random states
    give equal pictures.
    """

    p: Tensor
    Hz_geom: Tensor
    Hz_fbank: Tensor

    def __init__(self, strengths: Strengths) -> None:
        super().__init__()
        self.strengths = strengths
        self.register_buffer("p", torch.zeros([]))
        self.register_buffer("Hz_geom", torch.tensor(warp_filter(), dtype=torch.float32))
        self.register_buffer("Hz_fbank", torch.tensor(band_filters(), dtype=torch.float32))

    def forward(
        self, images: Tensor, *, generator: torch.Generator | None = None, percentile: float | None = None
    ) -> Tensor:
        """Transform every picture by draws of its own.

        Args:
            generator: source of the draws.
            percentile: in (0, 1): the strength of every transform, in place of all draws, whatever p is.

        Raises:
            ValueError: for colour transforms of pictures with neither 1 nor 3 channels.
        """
        draws = _Draws(images, self.p, generator, percentile)
        matrices = self._geometry(draws)
        if matrices is not None:
            images = warp(images, matrices, self.Hz_geom)
        colours = self._colours(draws)
        if colours is not None:
            images = _recolour(images, colours)
        strengths = self.strengths
        if strengths.imgfilter > 0:
            images = self._filter(images, draws)
        if strengths.noise > 0:
            images = _add_noise(images, draws, strengths.noise)
        if strengths.cutout > 0:
            images = _cut_out(images, draws, strengths.cutout)
        return images

    def _geometry(self, draws: _Draws) -> Tensor | None:
        """``N x 3 x 3`` from output pixels to input pixels; None if no geometric transform is on."""
        s = self.strengths
        if not any((s.xflip, s.rotate90, s.xint, s.scale, s.rotate, s.aniso, s.xfrac)):
            return None
        height, width = draws.size
        q = draws.percentile
        G = torch.eye(3, device=draws.device).expand(draws.count, 3, 3)
        one = torch.ones(draws.count, device=draws.device)
        if s.xflip > 0:
            i = draws.pick(s.xflip, lambda: draws.steps(2), 0.0)
            G = G @ scaling(1 - 2 * i, one)
        if s.rotate90 > 0:
            i = draws.pick(s.rotate90, lambda: draws.steps(4), 0.0)
            G = G @ rotation(i * (math.pi / 2))
        if s.xint > 0:
            t = draws.pick(s.xint, lambda: draws.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, 2), 0.0)
            G = G @ translation(-(t[:, 0] * width).round(), -(t[:, 1] * height).round())
        if s.scale > 0:
            factor = draws.pick(s.scale, lambda: draws.octaves(SCALE_STD), 1.0)
            G = G @ scaling(1 / factor, 1 / factor)
        # Turned before and after the stretch, so that together they strike with probability p.
        turning = 1 - (1 - (s.rotate * self.p).clamp(0, 1)).sqrt()
        if s.rotate > 0:
            angle = draws.pick(turning, lambda: draws.uniform(-math.pi, math.pi), 0.0, scaled=True)
            G = G @ rotation(angle)
        if s.aniso > 0:
            factor = draws.pick(s.aniso, lambda: draws.octaves(ANISO_STD), 1.0)
            G = G @ scaling(1 / factor, factor)
        if s.rotate > 0:
            angle = draws.pick(turning, lambda: draws.uniform(-math.pi, math.pi), 0.0, scaled=True)
            G = G @ rotation(angle if q is None else torch.zeros_like(angle))
        if s.xfrac > 0:
            t = draws.pick(s.xfrac, lambda: draws.normal(LARGEST_SHIFT, 2), 0.0)
            G = G @ translation(-t[:, 0] * width, -t[:, 1] * height)
        return G

    def _colours(self, draws: _Draws) -> Tensor | None:
        """``N x 4 x 4`` on homogeneous colours; None if no colour transform is on."""
        s = self.strengths
        if not any((s.brightness, s.contrast, s.lumaflip, s.hue, s.saturation)):
            return None
        C = torch.eye(4, device=draws.device).expand(draws.count, 4, 4)
        luma = luma_projection(C)
        if s.brightness > 0:
            C = colour_shift(draws.pick(s.brightness, lambda: draws.normal(BRIGHTNESS_STD), 0.0)) @ C
        if s.contrast > 0:
            C = colour_scale(draws.pick(s.contrast, lambda: draws.octaves(CONTRAST_STD), 1.0)) @ C
        identity = torch.eye(4, device=draws.device)
        if s.lumaflip > 0:
            i = draws.pick(s.lumaflip, lambda: draws.steps(2), 0.0)
            C = (identity - 2 * luma * i[:, None, None]) @ C
        if s.hue > 0 and draws.channels > 1:
            C = hue_rotation(draws.pick(s.hue, lambda: draws.uniform(-math.pi, math.pi), 0.0)) @ C
        if s.saturation > 0 and draws.channels > 1:
            factor = draws.pick(s.saturation, lambda: draws.octaves(SATURATION_STD), 1.0)
            C = (luma + (identity - luma) * factor[:, None, None]) @ C
        return C

    def _filter(self, images: Tensor, draws: _Draws) -> Tensor:
        """Amplify and dampen octaves, their overall power kept."""
        power = torch.tensor(BAND_POWER, device=draws.device)
        gains = torch.ones(draws.count, BANDS, device=draws.device)
        for band in range(BANDS):
            gain = draws.pick(self.strengths.imgfilter, lambda: draws.octaves(BAND_STD), 1.0)
            t = torch.ones(draws.count, BANDS, device=draws.device)
            t[:, band] = gain
            gains = gains * t / (power * t.square()).sum(dim=1, keepdim=True).sqrt()
        taps = gains @ self.Hz_fbank  # N x 43
        n, c, height, width = images.shape
        reach = taps.shape[1] // 2
        taps = taps.repeat_interleave(c, dim=0)[:, None, None, :]
        images = F.pad(images.reshape(1, n * c, height, width), (reach,) * 4, mode="reflect")
        images = F.conv2d(images, taps, groups=n * c)
        return F.conv2d(images, taps.transpose(2, 3), groups=n * c).reshape(n, c, height, width)


class _Draws:
    """Random parameters of one batch, each followed by whether it strikes."""

    def __init__(self, images: Tensor, p: Tensor, generator: torch.Generator | None, percentile: float | None) -> None:
        self.count, self.channels = images.shape[:2]
        self.size = (images.shape[2], images.shape[3])
        self.device, self.p, self.percentile = images.device, p, percentile
        self._generator = generator

    def rand(self, *shape: int) -> Tensor:
        return torch.rand((self.count, *shape), device=self.device, generator=self._generator)

    def randn(self, *shape: int) -> Tensor:
        return torch.randn((self.count, *shape), device=self.device, generator=self._generator)

    def pick(
        self, strength: float | Tensor, draw: Callable[[], Tensor], otherwise: float, *, scaled: bool = False
    ) -> Tensor:
        """The drawn parameter where the transform strikes, ``otherwise`` where not.

        Args:
            scaled: ``strength`` is the probability itself.
        """
        drawn = draw()
        chance = strength if scaled else strength * self.p
        strikes = self.rand(*(1,) * (drawn.ndim - 1)) < chance
        if self.percentile is not None:
            return drawn
        return torch.where(strikes, drawn, torch.full_like(drawn, otherwise))

    def steps(self, count: int) -> Tensor:
        """Whole numbers from 0 to ``count - 1``."""
        drawn = self.rand()
        return ((drawn if self.percentile is None else torch.full_like(drawn, self.percentile)) * count).floor()

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        drawn = self.rand(*shape)
        if self.percentile is not None:
            drawn = torch.full_like(drawn, self.percentile)
        return (drawn * 2 - 1) * high if low == -high else low + drawn * (high - low)

    def normal(self, std: float, *shape: int) -> Tensor:
        drawn = self.randn(*shape)
        if self.percentile is not None:
            # Without the root of two of a true quantile, as in the reference.
            drawn = torch.full_like(drawn, 2 * self.percentile - 1).erfinv()
        return drawn * std

    def octaves(self, std: float) -> Tensor:
        return self.normal(std).exp2()


def _recolour(images: Tensor, colours: Tensor) -> Tensor:
    n, channels, height, width = images.shape
    flat = images.reshape(n, channels, height * width)
    if channels == 3:
        flat = colours[:, :3, :3] @ flat + colours[:, :3, 3:]
    elif channels == 1:
        grey = colours[:, :3].mean(dim=1, keepdim=True)  # N x 1 x 4
        flat = flat * grey[:, :, :3].sum(dim=2, keepdim=True) + grey[:, :, 3:]
    else:
        raise ValueError(f"colour augmentation of pictures with {channels} channels, expected 1 or 3")
    return flat.reshape(images.shape)


def _add_noise(images: Tensor, draws: _Draws, strength: float) -> Tensor:
    def sigma() -> Tensor:
        drawn = draws.randn(1, 1, 1).abs()
        if draws.percentile is not None:
            drawn = torch.full_like(drawn, draws.percentile).erfinv()
        return drawn * NOISE_STD

    return images + draws.pick(strength, sigma, 0.0) * draws.randn(*images.shape[1:])


def _cut_out(images: Tensor, draws: _Draws, strength: float) -> Tensor:
    """A box of mid-grey anywhere, half a side large."""
    side = torch.where(draws.rand(1, 1, 1) < strength * draws.p, CUTOUT_SIDE, 0.0)
    centre = draws.rand(2, 1, 1)
    if draws.percentile is not None:
        side, centre = torch.full_like(side, CUTOUT_SIDE), torch.full_like(centre, draws.percentile)
    height, width = draws.size
    x = (torch.arange(width, device=draws.device) + 0.5) / width
    y = (torch.arange(height, device=draws.device) + 0.5) / height
    outside_x = (x - centre[:, 0][:, None]).abs() >= side / 2
    outside_y = (y[:, None] - centre[:, 1][:, None]).abs() >= side / 2
    return images * (outside_x | outside_y).to(images.dtype)
