"""StyleGAN2 and StyleGAN2-ADA from TensorFlow variables."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.tensorflow.layout import (
    IGNORED,
    Rename,
    batch,
    conv,
    conv_flipped,
    dense,
    level_of,
    picture,
    plus_one,
    renamed,
    same,
)
from vitruvian.checkpoints.weights import Weights
from vitruvian.nn.fir import DEFAULT_TAPS, make_filter

_SG2_LAYERS = {
    "Conv": ("conv1", conv), "Conv0_up": ("conv0", conv_flipped), "Conv1": ("conv1", conv),
    "ToRGB": ("torgb", conv), "Skip": ("skip", conv_flipped),
}  # fmt: skip
_SG2_LEAVES: dict[str, Rename] = {
    "bias": ("bias", same),
    "mod_weight": ("affine.weight", dense),
    "mod_bias": ("affine.bias", plus_one),
    "noise_strength": ("noise_strength", same),
}
_SG2_D_LAYERS = {
    "FromRGB": "fromrgb", "Conv0": "conv0", "Conv1_down": "conv1", "Skip": "skip", "Conv": "conv", "Dense0": "fc",
}  # fmt: skip
_PROGRESS = ("lod", "synthesis/lod")  # how far a progressive network has grown; StyleGAN2 keeps it without using it


def _generator_name(name: str) -> Rename | None:
    if name == "dlatent_avg":
        return "mapping.w_avg", same
    if name in _PROGRESS:
        return IGNORED
    if match := re.fullmatch(r"mapping/(Dense(\d+)|LabelEmbed)/(weight|bias)", name):
        layer = f"fc{match[2]}" if match[2] else "embed"
        return f"mapping.{layer}.{match[3]}", dense if match[3] == "weight" else same
    if match := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        index = int(match[1])
        height, layer = (4, 1) if index == 0 else (4 << (index + 1) // 2, (index + 1) % 2)
        return f"synthesis.b{height}.conv{layer}.noise_const", picture
    level = level_of(name.removeprefix("synthesis/"))
    if level is None:
        return None
    height, rest = level
    if rest == "Const/const":
        return f"synthesis.b{height}.const", batch
    layer, _, leaf = rest.rpartition("/")
    if layer not in _SG2_LAYERS:
        return None
    ours, change = _SG2_LAYERS[layer]
    leaf_name, leaf_change = ("weight", change) if leaf == "weight" else _SG2_LEAVES.get(leaf, IGNORED)
    return (f"synthesis.b{height}.{ours}.{leaf_name}", leaf_change) if leaf_name else None


def generator(found: dict[str, Tensor], options: dict[str, Any]) -> Weights:
    tensors = renamed(found, _generator_name)
    taps = _kernel(options)
    for height in shapes.blocks(tensors, "synthesis."):
        _add_filters(tensors, f"synthesis.b{height}", taps, ("conv0", "skip"), ("conv1",))
    config = shapes.stylegan2_generator(tensors) | _clamp(options) | _filter(taps)
    if "mapping_lrmul" in options:
        config["mapping_lr_multiplier"] = float(options["mapping_lrmul"])
    return Weights("stylegan2-generator", config, tensors)


def _discriminator_name(name: str) -> Rename | None:
    if name in _PROGRESS:
        return IGNORED
    if match := re.fullmatch(r"(Mapping(\d+)|LabelEmbed)/(weight|bias)", name):
        layer = f"fc{match[2]}" if match[2] else "embed"
        return f"mapping.{layer}.{match[3]}", dense if match[3] == "weight" else same
    if match := re.fullmatch(r"Output/(weight|bias)", name):
        return f"b4.out.{match[1]}", dense if match[1] == "weight" else same
    level = level_of(name)
    if level is None:
        return None
    height, rest = level
    layer, _, leaf = rest.rpartition("/")
    if layer not in _SG2_D_LAYERS or leaf not in ("weight", "bias"):
        return None
    change = same if leaf == "bias" else dense if layer == "Dense0" else conv
    return f"b{height}.{_SG2_D_LAYERS[layer]}.{leaf}", change


def discriminator(found: dict[str, Tensor], options: dict[str, Any]) -> Weights:
    tensors = renamed(found, _discriminator_name)
    taps = _kernel(options)
    for height in shapes.blocks(tensors, ""):
        _add_filters(tensors, f"b{height}", taps, ("conv1", "skip"), ("fromrgb", "conv0", "conv"))
    del tensors["b4.resample_filter"]  # the last block has nothing to resample
    config = shapes.stylegan2_discriminator(tensors) | _clamp(options) | _filter(taps)
    # A whole batch is written as None by StyleGAN2-ADA; the plain StyleGAN2 says nothing and means 4.
    config["mbstd_group_size"] = options.get("mbstd_group_size", 4)
    return Weights("stylegan2-discriminator", config, tensors)


def _kernel(options: dict[str, Any]) -> tuple[float, ...]:
    kernel = options.get("resample_kernel") or DEFAULT_TAPS
    if not isinstance(kernel, list | tuple) or not 2 <= len(kernel) <= 32:
        raise ValueError("a resample_kernel that is none")
    return tuple(float(tap) for tap in kernel)


def _filter(taps: tuple[float, ...]) -> dict[str, Any]:
    return {} if taps == DEFAULT_TAPS else {"resample_filter": taps}


def _clamp(options: dict[str, Any]) -> dict[str, Any]:
    clamp = options.get("conv_clamp")
    return {} if clamp is None else {"conv_clamp": float(clamp)}


def _add_filters(
    tensors: dict[str, Tensor], block: str, taps: tuple[float, ...], resampling: tuple[str, ...], plain: tuple[str, ...]
) -> None:
    """The filter buffers, which TensorFlow files do not store."""
    tensors[f"{block}.resample_filter"] = make_filter(taps)
    for layer in (*resampling, *plain):
        if f"{block}.{layer}.weight" in tensors:
            tensors[f"{block}.{layer}.resample_filter"] = make_filter(taps if layer in resampling else DEFAULT_TAPS)
