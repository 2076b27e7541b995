"""Constructor arguments from the names and shapes of tensors, for files that say no more.

Tensors are under the official PyTorch names. What shapes cannot tell (clamps, learning rates, group sizes) is left to
the caller, who may know it from elsewhere, or to the defaults.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from torch import Tensor

from vitruvian.errors import CheckpointError
from vitruvian.nn import stylegan3

Tensors = Mapping[str, Tensor]
Config = dict[str, Any]


def channel_law(channels: Mapping[int, int]) -> Config:
    """``channel_base`` and ``channel_max`` of feature counts by height: ``min(base // height, max)``."""
    most = max(channels.values())
    return {"channel_base": max(count * height for height, count in channels.items()), "channel_max": most}


def blocks(tensors: Tensors, prefix: str) -> list[int]:
    """Heights of the blocks ``{prefix}b4``, ``{prefix}b8``, ... in ascending order.

    Raises:
        ValueError: if they are not a chain of doublings.
    """
    pattern = re.compile(re.escape(prefix) + r"b(\d{1,6})\.")
    heights = sorted({int(match[1]) for name in tensors if (match := pattern.match(name))})
    if len(heights) < 2 or any(high != 2 * low for low, high in pairwise(heights)):
        raise ValueError(f"blocks of heights {heights}, expected a chain of doublings")
    return heights


def shape_of(tensors: Tensors, name: str, dimensions: int) -> tuple[int, ...]:
    """Shape of a tensor that must be there with that many dimensions.

    Raises:
        ValueError: if it is not.
    """
    if name not in tensors:
        raise ValueError(f"{name} is missing")
    if tensors[name].ndim != dimensions:
        raise ValueError(f"{name} has {tensors[name].ndim} dimensions, expected {dimensions}")
    return tuple(tensors[name].shape)


def _count(tensors: Tensors, pattern: str) -> int:
    return sum(re.fullmatch(pattern, name) is not None for name in tensors)


def mapping_config(tensors: Tensors, *, w_dim: int, prefix: str = "mapping.") -> Config:
    """Sizes of a mapping network: ``z_dim``, ``c_dim``, ``num_layers``, ``embed_features``, ``layer_features``."""
    layers = _count(tensors, re.escape(prefix) + r"fc\d+\.weight")
    features, inputs = shape_of(tensors, f"{prefix}fc0.weight", 2)
    embedded = c_dim = 0
    if f"{prefix}embed.weight" in tensors:
        embedded, c_dim = shape_of(tensors, f"{prefix}embed.weight", 2)
    return {
        "z_dim": inputs - embedded,
        "c_dim": c_dim,
        "num_layers": layers,
        "embed_features": embedded if c_dim and embedded != w_dim else None,
        "layer_features": features if layers > 1 and features != w_dim else None,
    }


def plain_mapping_config(tensors: Tensors) -> Config:
    """The same for StyleGAN3, whose mapping has one width."""
    w_dim = shape_of(tensors, "mapping.w_avg", 1)[0]
    config = mapping_config(tensors, w_dim=w_dim)
    if config.pop("embed_features") or config.pop("layer_features"):
        raise ValueError("a mapping network with layers of several widths")
    return config


def _taps(tensors: Tensors, name: str) -> Config:
    """The filter's taps: its row sums; the stored buffer replaces what is made of them."""
    taps = shape_of(tensors, name, 2)
    if taps[0] != taps[1] or not 2 <= taps[0] <= 32:
        raise ValueError(f"{name} is {taps}, expected a small square filter")
    if taps == (4, 4):
        return {}
    return {"resample_filter": tuple(tensors[name].sum(dim=1).tolist())}


def stylegan2_generator(tensors: Tensors) -> Config:
    """Arguments of :class:`vitruvian.nn.stylegan2.Generator`."""
    heights = blocks(tensors, "synthesis.")
    first, last = heights[0], heights[-1]
    _, base_height, base_width = shape_of(tensors, f"synthesis.b{first}.const", 3)
    if base_height != first:
        raise ValueError(f"synthesis.b{first}.const is {base_height} high")
    scale = last // first
    w_dim = shape_of(tensors, f"synthesis.b{first}.conv1.affine.weight", 2)[1]
    painters = _count(tensors, r"synthesis\.b\d+\.torgb\.weight")
    has_skips = f"synthesis.b{last}.skip.weight" in tensors
    return {
        "img_resolution": _resolution(last, base_width * scale),
        "img_channels": shape_of(tensors, f"synthesis.b{last}.torgb.weight", 4)[0],
        "w_dim": w_dim,
        "architecture": "resnet" if has_skips else "skip" if painters > 1 else "orig",
        "use_noise": f"synthesis.b{last}.conv1.noise_const" in tensors,
        "w_avg_beta": 0.995 if "mapping.w_avg" in tensors else None,
        **channel_law({h: shape_of(tensors, f"synthesis.b{h}.conv1.weight", 4)[0] for h in heights}),
        **mapping_config(tensors, w_dim=w_dim),
        **_taps(tensors, f"synthesis.b{last}.resample_filter"),
    }


_MARGINS = ((1, 1, (10, 10)), (2, 1, (10, 5)), (2, 1, (10, 10)), (4, 3, (10, 10)))
"""Shapes (height : width) and margins that are tried for StyleGAN3 files without attributes."""


def stylegan3_generator(tensors: Tensors) -> Config:
    """Arguments of :class:`vitruvian.nn.stylegan3.Generator`, its filters taken to be of the official design.

    Raises:
        ValueError: if no known shape and margin gives the layers' names.
    """
    pattern = re.compile(r"synthesis\.(L(\d+)_(\d+)_(\d+))\.weight")
    layers = sorted((match for name in tensors if (match := pattern.fullmatch(name))), key=lambda match: int(match[2]))
    if not 4 < len(layers) <= 64:
        raise ValueError(f"{len(layers)} layers")
    width, img_channels = int(layers[-1][3]), int(layers[-1][4])
    channels = [int(match[4]) for match in layers[:-1]]
    config: Config = {
        "img_channels": img_channels,
        "w_dim": shape_of(tensors, "synthesis.input.affine.weight", 2)[1],
        "synthesis_layers": len(layers) - 1,
        "conv_kernel": shape_of(tensors, f"synthesis.{layers[0][1]}.weight", 4)[2],
        "use_radial_filters": any(name.endswith(".down_filter") and t.ndim == 2 for name, t in tensors.items()),
        **plain_mapping_config(tensors),
    }
    for tall, wide, margin in _MARGINS:
        height = width * tall // wide
        shape: Config = {
            "img_resolution": _resolution(height, width),
            "margin_size": margin[0] if tall == wide else margin,
        }
        try:
            bare = stylegan3.levels(stylegan3.GeneratorConfig(**config, **shape))[1:-1]
            law = _stylegan3_channels([level.cutoff for level in bare], channels)
            given = stylegan3.levels(stylegan3.GeneratorConfig(**config, **shape, **law))[1:]
        except ValueError:
            continue
        if [f"L{i}_{level.size[1]}_{level.channels}" for i, level in enumerate(given)] == [
            match[1] for match in layers
        ]:
            return {**config, **shape, **law}
    raise ValueError("layers of sizes that no known shape and margin gives")


def _stylegan3_channels(cutoffs: list[float], channels: list[int]) -> Config:
    """``channel_base`` and ``channel_max`` with ``round(min(base / 2 cutoff, max))`` channels at each cutoff."""
    most = max(channels)
    falling = [(cutoff, count) for cutoff, count in zip(cutoffs, channels, strict=True) if count < most]
    if not falling:
        return {"channel_base": math.ceil(2 * cutoffs[-1] * most), "channel_max": most}
    low = max(2 * cutoff * (count - 0.5) for cutoff, count in falling)
    high = min(2 * cutoff * (count + 0.5) for cutoff, count in falling)
    power = 1 << (int(high).bit_length() - 1)
    return {"channel_base": power if low <= power <= high else round((low + high) / 2), "channel_max": most}


def stylegan2_discriminator(tensors: Tensors) -> Config:
    """Arguments of :class:`vitruvian.nn.stylegan2_discriminator.Discriminator`."""
    heights = blocks(tensors, "")
    first, last = heights[0], heights[-1]
    channels, with_deviation = shape_of(tensors, f"b{first}.conv.weight", 4)[:2]
    flat = shape_of(tensors, f"b{first}.fc.weight", 2)[1]
    base_width = flat // (channels * first)
    readers = _count(tensors, r"b\d+\.fromrgb\.weight")
    has_skips = f"b{last}.skip.weight" in tensors
    config = {
        "img_resolution": _resolution(last, base_width * (last // first)),
        "img_channels": shape_of(tensors, f"b{last}.fromrgb.weight", 4)[1],
        "architecture": "resnet" if has_skips else "skip" if readers > 1 else "orig",
        "mbstd_num_channels": with_deviation - channels,
        **channel_law({first: channels, **{h: shape_of(tensors, f"b{h}.conv0.weight", 4)[0] for h in heights[1:]}}),
        **_taps(tensors, f"b{last}.resample_filter"),
    }
    if "mapping.embed.weight" in tensors:
        cmap_dim = shape_of(tensors, f"b{first}.out.weight", 2)[0]
        label = mapping_config(tensors, w_dim=cmap_dim)
        config |= {"c_dim": label["c_dim"], "num_layers": label["num_layers"], "cmap_dim": cmap_dim}
    return config


def stylegan1_generator(tensors: Tensors) -> Config:
    """Arguments of :class:`vitruvian.nn.stylegan1.Generator`."""
    levels = _count(tensors, r"synthesis\.output\d+\.weight")
    if not 2 <= levels <= 16:
        raise ValueError(f"{levels} resolutions")
    height, width = shape_of(tensors, f"synthesis.layer{2 * levels - 1}.noise", 4)[2:]
    heights = [height >> (levels - 1 - level) for level in range(levels)]
    channels = {h: shape_of(tensors, f"synthesis.output{level}.weight", 4)[1] for level, h in enumerate(heights)}
    features, inputs = shape_of(tensors, "mapping.dense0.weight", 2)
    c_dim = embedded = 0
    if "mapping.embedding" in tensors:
        c_dim, embedded = shape_of(tensors, "mapping.embedding", 2)
    w_dim = shape_of(tensors, "synthesis.layer0.style.weight", 2)[1]
    layers = _count(tensors, r"mapping\.dense\d+\.weight")
    return {
        "img_resolution": _resolution(height, width),
        "img_channels": shape_of(tensors, "synthesis.output0.weight", 4)[0],
        "z_dim": inputs - embedded,
        "c_dim": c_dim,
        "w_dim": w_dim,
        "num_layers": layers,
        "embed_features": embedded if c_dim and embedded != inputs - embedded else None,
        "layer_features": features if layers > 1 and features != w_dim else None,
        **channel_law(channels),
    }


def stylegan1_discriminator(tensors: Tensors) -> Config:
    """Arguments of :class:`vitruvian.nn.stylegan1_discriminator.Discriminator`."""
    levels = _count(tensors, r"input\d+\.weight")
    if not 2 <= levels <= 16:
        raise ValueError(f"{levels} resolutions")
    channels, with_deviation = shape_of(tensors, f"layer{2 * levels - 2}.weight", 4)[:2]
    first_height = 4
    width = shape_of(tensors, f"layer{2 * levels - 1}.weight", 2)[1] // (channels * first_height)
    heights = [first_height << (levels - 1 - level) for level in range(levels)]
    counts = {h: shape_of(tensors, f"input{level}.weight", 4)[0] for level, h in enumerate(heights)}
    outputs = shape_of(tensors, "output.weight", 2)[0]
    return {
        "img_resolution": _resolution(heights[0], width << (levels - 1)),
        "img_channels": shape_of(tensors, "input0.weight", 4)[1],
        "c_dim": outputs if outputs > 1 else 0,
        "mbstd_num_channels": with_deviation - channels,
        **channel_law(counts),
    }


def _resolution(height: int, width: int) -> int | tuple[int, int]:
    return height if height == width else (height, width)


def refuse(owner: str, what: str, error: Exception) -> CheckpointError:
    """The error of a network whose parts do not add up."""
    reason = " ".join(str(error).split())[:200]
    return CheckpointError(
        f"{owner}: holds {what} that does not add up ({reason}); it is damaged or of an unknown variant"
    )
