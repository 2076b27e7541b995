"""StyleGAN1 from TensorFlow variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.tensorflow.layout import (
    IGNORED,
    Rename,
    conv,
    dense,
    level_of,
    per_channel,
    renamed,
    same,
)
from vitruvian.checkpoints.weights import Weights

_LEAVES: dict[str, Rename] = {
    "const": ("const", same),
    "weight": ("weight", conv),
    "bias": ("bias", same),
    "Noise/weight": ("noise_strength", per_channel),
    "StyleMod/weight": ("style.weight", dense),
    "StyleMod/bias": ("style.bias", same),
}
_SECOND_LAYERS = ("Conv", "Conv1", "Conv1_down", "Dense0")  # of the two at each resolution
_FIRST_LAYERS = ("Const", "Conv0_up", "Conv0")
_BLUR = (1.0, 2.0, 1.0)


def generator(found: Mapping[str, Tensor], options: Mapping[str, Any]) -> Weights:
    """A generator: its variables and the options that its trainer gave.

    Raises:
        ValueError: for variables that a StyleGAN1 does not have.
    """
    blocks = _blocks(found, "synthesis/")

    def rule(name: str) -> Rename | None:
        if name == "dlatent_avg":
            return "mapping.w_avg", same
        if name == "lod":  # repeats that of the synthesis
            return IGNORED
        if name == "synthesis/lod":
            return "synthesis.lod", same
        if name == "mapping/LabelConcat/weight":
            return "mapping.embedding", same
        if match := re.fullmatch(r"mapping/Dense(\d{1,2})/(weight|bias)", name):
            return f"mapping.dense{match[1]}.{match[2]}", dense if match[2] == "weight" else same
        if match := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
            return f"synthesis.layer{match[1]}.noise", same
        if match := re.fullmatch(r"synthesis/ToRGB_lod(\d{1,2})/(weight|bias)", name):
            block = len(blocks) - 1 - int(match[1])
            return f"synthesis.output{block}.{match[2]}", conv if match[2] == "weight" else same
        return _layer(name.removeprefix("synthesis/"), blocks, prefix="synthesis.")

    tensors = renamed(dict(found), rule)
    for block in range(1, len(blocks)):
        tensors[f"synthesis.layer{2 * block}.filter"] = _blur_filter()
    config = shapes.stylegan1_generator(tensors)
    config["fused_scale"] = _fused_scale(options)
    if "mapping_lrmul" in options:
        config["mapping_lr_multiplier"] = float(options["mapping_lrmul"])
    if options.get("truncation_cutoff", 8) != 8:
        config["truncation_cutoff"] = options["truncation_cutoff"]
    return Weights("stylegan1-generator", config, tensors)


def discriminator(found: Mapping[str, Tensor], options: Mapping[str, Any]) -> Weights:
    """A discriminator; likewise."""
    blocks = _blocks(found, "")[::-1]  # from the picture down

    def rule(name: str) -> Rename | None:
        if name == "lod":
            return "lod", same
        if match := re.fullmatch(r"FromRGB_lod(\d{1,2})/(weight|bias)", name):
            return f"input{match[1]}.{match[2]}", conv if match[2] == "weight" else same
        level = level_of(name)
        if level is not None and (match := re.fullmatch(r"Dense([01])/(weight|bias)", level[1])):
            layer = "output" if match[1] == "1" else f"layer{2 * len(blocks) - 1}"
            return f"{layer}.{match[2]}", dense if match[2] == "weight" else same
        if level is not None and level[1].startswith("Conv/"):  # the lowest resolution's convolution is its first layer
            return f"layer{2 * len(blocks) - 2}.{level[1][5:]}", conv if level[1] == "Conv/weight" else same
        return _layer(name, blocks, prefix="")

    tensors = renamed(dict(found), rule)
    for block in range(len(blocks) - 1):
        tensors[f"layer{2 * block + 1}.filter"] = _blur_filter()
    config = shapes.stylegan1_discriminator(tensors)
    config["mbstd_group_size"] = options.get("mbstd_group_size", 4)
    return Weights("stylegan1-discriminator", config, tensors)


def _blocks(found: Mapping[str, Tensor], prefix: str) -> list[int]:
    """Heights of the resolutions, ascending."""
    levels = {level[0] for name in found if (level := level_of(name.removeprefix(prefix))) is not None}
    return sorted(levels)


def _layer(name: str, blocks: list[int], *, prefix: str) -> Rename | None:
    """``8x8/Conv0_up/Noise/weight`` to ``layer2.noise_strength``: two layers a resolution."""
    level = level_of(name)
    if level is None:
        return None
    height, rest = level
    layer, _, leaf = rest.partition("/")
    if leaf not in _LEAVES or layer not in (*_FIRST_LAYERS, *_SECOND_LAYERS):
        return None
    ours, change = _LEAVES[leaf]
    return f"{prefix}layer{2 * blocks.index(height) + (layer in _SECOND_LAYERS)}.{ours}", change


def _blur_filter() -> Tensor:
    line = torch.tensor(_BLUR)
    return (torch.outer(line, line) / line.sum() ** 2)[None, None]


def _fused_scale(options: Mapping[str, Any]) -> str | bool:
    fused = options.get("fused_scale", "auto")
    if fused not in ("auto", True, False):
        raise ValueError(f"fused_scale {str(fused)[:20]!r}")
    return fused
