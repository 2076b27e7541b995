"""StyleGAN2 state dicts in rosinality's naming, as StyleGAN-Human's converter, e4e and PTI forks write them; both ways.

The two namings compute the same picture from the same numbers; this one adds leading dimensions of size one and keeps
the mean of w, ``latent_avg``, beside the weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError

MARK = "convs.0.conv.modulation.weight"
"""A name by which such a state dict is known."""

# Per layer: their name below the layer, ours, and the shape of theirs as a view of ours.
_LEAVES = {
    "conv.weight": ("weight", "unsqueeze"),
    "conv.modulation.weight": ("affine.weight", "same"),
    "conv.modulation.bias": ("affine.bias", "same"),
}
_SYNTHESIS_LEAVES = {**_LEAVES, "activate.bias": ("bias", "same"), "noise.weight": ("noise_strength", "vector")}
_TORGB_LEAVES = {**_LEAVES, "bias": ("bias", "picture")}
_WIDEST = 4096
_GAIN_OF_UPSAMPLING = 4  # their filters carry it, ours are normalised


class _Entry(NamedTuple):
    theirs: str
    ours: str
    form: str


def _entries(heights: list[int], num_mapping: int) -> Iterator[_Entry]:
    """Every tensor that both namings hold."""
    for index in range(num_mapping):
        for leaf in ("weight", "bias"):
            yield _Entry(f"style.{index + 1}.{leaf}", f"mapping.fc{index}.{leaf}", "same")
    yield _Entry("input.input", f"synthesis.b{heights[0]}.const", "unsqueeze")
    for level, height in enumerate(heights):
        block = f"synthesis.b{height}"
        layers = (("conv1", "conv1", 0),) if level == 0 else (
            (f"convs.{2 * level - 2}", "conv0", 2 * level - 1),
            (f"convs.{2 * level - 1}", "conv1", 2 * level),
        )  # fmt: skip
        for theirs, ours, noise in layers:
            for leaf, (name, form) in _SYNTHESIS_LEAVES.items():
                yield _Entry(f"{theirs}.{leaf}", f"{block}.{ours}.{name}", form)
            yield _Entry(f"noises.noise_{noise}", f"{block}.{ours}.noise_const", "plane")
        painter = "to_rgb1" if level == 0 else f"to_rgbs.{level - 1}"
        for leaf, (name, form) in _TORGB_LEAVES.items():
            yield _Entry(f"{painter}.{leaf}", f"{block}.torgb.{name}", form)


def _filters(heights: list[int]) -> Iterator[tuple[str, str]]:
    """Their filter buffers, and the one of ours that each repeats."""
    for level, height in enumerate(heights[1:]):
        yield f"convs.{2 * level}.conv.blur.kernel", f"synthesis.b{height}.conv0.resample_filter"
        yield f"to_rgbs.{level}.upsample.kernel", f"synthesis.b{height}.resample_filter"


def read(state: Mapping[str, Tensor], latent_avg: Tensor | None, *, owner: str) -> Weights:
    """Their state dict as a StyleGAN2 generator of ours.

    Args:
        latent_avg: ``w_dim``, or ``num_ws x w_dim`` with equal rows; None for files without it.

    Raises:
        CheckpointError: for missing names or shapes that do not add up.
    """
    try:
        levels = 1 + sum(re.fullmatch(r"to_rgbs\.\d+\.bias", name) is not None for name in state)
        num_mapping = sum(re.fullmatch(r"style\.\d+\.weight", name) is not None for name in state)
        first = shapes.shape_of(state, "input.input", 4)[2]
        if levels > 16 or not 4 <= first < 8:
            raise ValueError(f"{levels} levels from a height of {first}")
        heights = [first << level for level in range(levels)]
        state = {**_fresh_noise(state, heights), **state}
        tensors = {entry.ours: _to_ours(state[entry.theirs], entry.form) for entry in _entries(heights, num_mapping)}
        for theirs, ours in _filters(heights):
            tensors[ours] = state[theirs].to(torch.float32) / _GAIN_OF_UPSAMPLING
        plain = tensors[f"synthesis.b{heights[1]}.resample_filter"]
        for height in heights:
            for layer in ("conv0", "conv1"):
                if f"synthesis.b{height}.{layer}.weight" in tensors:
                    tensors.setdefault(f"synthesis.b{height}.{layer}.resample_filter", plain)
        tensors.setdefault(f"synthesis.b{heights[0]}.resample_filter", plain)
        if latent_avg is not None:
            tensors["mapping.w_avg"] = latent_avg.reshape(-1, latent_avg.shape[-1])[0]
        return Weights("stylegan2-generator", shapes.stylegan2_generator(tensors), tensors)
    except (ValueError, KeyError, IndexError, RuntimeError) as error:
        raise shapes.refuse(owner, "a StyleGAN2 in rosinality's naming", error) from error


def write(weights: Weights) -> dict[str, object]:
    """``{"g_ema": state dict, "latent_avg": w_dim}`` of a StyleGAN2 generator.

    Raises:
        CheckpointError: for networks that this naming cannot express: labels, other architectures, clamps.
    """
    config, tensors = weights.config, weights.tensors
    for is_so, what in (
        (weights.kind != "stylegan2-generator", f"a {weights.kind}"),
        (config.get("architecture", "skip") != "skip", f"the architecture {config.get('architecture')}"),
        (config.get("c_dim", 0) > 0, "class labels"),
        (not config.get("use_noise", True), "layers without noise"),
    ):
        if is_so:
            raise CheckpointError(
                f"rosinality's naming cannot express {what}, only unconditional skip StyleGAN2 networks"
            )
    heights = shapes.blocks(tensors, "synthesis.")
    num_mapping = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in tensors)
    state = {entry.theirs: _to_theirs(tensors[entry.ours], entry.form) for entry in _entries(heights, num_mapping)}
    state |= {theirs: tensors[ours] * _GAIN_OF_UPSAMPLING for theirs, ours in _filters(heights)}
    known: dict[str, object] = {"g_ema": state}
    if "mapping.w_avg" in tensors:
        known["latent_avg"] = tensors["mapping.w_avg"].clone()
    return known


def _fresh_noise(state: Mapping[str, Tensor], heights: list[int]) -> dict[str, Tensor]:
    """Noise for files that leave it out (those draw it anew for every picture): normal, from a fixed seed."""
    base_width = shapes.shape_of(state, "input.input", 4)[3]
    source = torch.Generator().manual_seed(0)
    noise: dict[str, Tensor] = {}
    for level, height in enumerate(heights):
        size = (1, 1, height, base_width << level)
        if size[-1] > _WIDEST:
            raise ValueError(f"pictures {size[-1]} wide")
        for index in (0,) if level == 0 else (2 * level - 1, 2 * level):
            if f"noises.noise_{index}" not in state:
                noise[f"noises.noise_{index}"] = torch.randn(size, generator=source)
    return noise


def _to_ours(tensor: Tensor, form: str) -> Tensor:
    match form:
        case "unsqueeze":
            return tensor[0]
        case "vector":
            return tensor.reshape(())
        case "plane":
            return tensor[0, 0]
        case "picture":
            return tensor.reshape(-1)
    return tensor


def _to_theirs(tensor: Tensor, form: str) -> Tensor:
    match form:
        case "unsqueeze":
            return tensor[None].clone()
        case "vector":
            return tensor.reshape(1).clone()
        case "plane":
            return tensor[None, None].clone()
        case "picture":
            return tensor.reshape(1, -1, 1, 1).clone()
    return tensor.clone()
