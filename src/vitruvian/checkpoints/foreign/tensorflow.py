"""TensorFlow-era network pickles (StyleGAN1, StyleGAN2, StyleGAN2-ADA) to our names, without TensorFlow.

A file holds three networks (G, D, Gs); each has its own variables and named component networks. Weights are stored as
``[kernel, kernel, in, out]`` and ``[in, out]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.modules import TensorFlowStub
from vitruvian.checkpoints.foreign.numbers import as_tensor
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError
from vitruvian.nn.fir import DEFAULT_TAPS, make_filter

Rename = tuple[str, Callable[[Tensor], Tensor]]
MOST_COMPONENTS = 8


def variables(stub: TensorFlowStub) -> dict[str, Tensor]:
    """All variables of a network, those of its components as ``component/name``.

    Raises:
        ValueError: for a state that is not a network's.
    """
    found = dict(_own(stub, ""))
    components = stub.state.get("components") or {}
    if not isinstance(components, dict) or len(components) > MOST_COMPONENTS:
        raise ValueError("components that are none")
    for name, component in components.items():
        if not isinstance(component, TensorFlowStub):
            raise ValueError(f"the component {str(name)[:40]} is not a network")
        found.update(_own(component, f"{name}/"))
    return found


def _own(stub: TensorFlowStub, prefix: str) -> Iterator[tuple[str, Tensor]]:
    entries = stub.state.get("variables", [])
    if not isinstance(entries, list):
        raise ValueError("variables that are no list")
    for entry in entries:
        if not isinstance(entry, tuple | list) or len(entry) != 2 or not isinstance(entry[0], str):
            raise ValueError("a variable without a name")
        name, value = entry
        tensor = torch.tensor(float(value)) if isinstance(value, int | float) else as_tensor(value)
        if tensor is None:
            raise ValueError(f"the variable {prefix}{name[:60]} is not an array")
        yield prefix + name, tensor


def read_network(stub: TensorFlowStub, *, owner: str) -> Weights:
    """One network of a TensorFlow file.

    Raises:
        CheckpointError: for variants whose weights mean something that our networks do not compute.
    """
    try:
        found = variables(stub)
        options = stub.state.get("static_kwargs")
        return _convert(found, options if isinstance(options, dict) else {}, owner=owner)
    except (ValueError, KeyError, TypeError, IndexError, RuntimeError) as error:
        raise shapes.refuse(owner, "a TensorFlow network", error) from error


def _convert(found: dict[str, Tensor], options: dict[str, Any], *, owner: str) -> Weights:
    names = "\n".join(found)
    if "StyleMod/weight" in names:
        return _stylegan1_generator(found, options)
    if "FromRGB_lod" in names and "Dense1/weight" in names:
        return _stylegan1_discriminator(found, options)
    if "_lod" in names:
        raise CheckpointError(f"{owner}: a StyleGAN2 of the progressive configurations B to D, which is not supported")
    if "mod_weight" in names:
        if "mapping/LabelConcat/weight" in found:
            raise CheckpointError(
                f"{owner}: a conditional StyleGAN2 from before StyleGAN2-ADA, whose label input has no counterpart"
            )
        return _stylegan2_generator(found, options)
    if "FromRGB/weight" in names and "Output/weight" in found:
        return _stylegan2_discriminator(found, options)
    raise CheckpointError(
        f"{owner}: a TensorFlow network of unknown kind: its first variable is {names[:80].split()[:1]}"
    )


# Changes of layout and convention between the two frameworks.


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _dense(tensor: Tensor) -> Tensor:
    return tensor.t()


def _conv(tensor: Tensor) -> Tensor:
    return tensor.permute(3, 2, 0, 1)


def _conv_flipped(tensor: Tensor) -> Tensor:
    """TensorFlow's upsampling convolution flips the kernel before it spreads it; PyTorch's does not."""
    return tensor.flip(0, 1).permute(3, 2, 0, 1)


def _plus_one(tensor: Tensor) -> Tensor:
    return tensor + 1


def _picture(tensor: Tensor) -> Tensor:
    return tensor[0, 0]


def _batch(tensor: Tensor) -> Tensor:
    return tensor[0]


def _per_channel(tensor: Tensor) -> Tensor:
    return tensor.reshape(1, -1, 1, 1)


def _level(name: str) -> tuple[int, str] | None:
    """``8x8/Conv0_up/weight`` to (8, ``Conv0_up/weight``); the first number is the height."""
    match = re.fullmatch(r"(\d{1,6})x\d{1,6}/(.+)", name)
    return (int(match[1]), match[2]) if match else None


def _log2(height: int) -> int:
    return height.bit_length() - 1


def _renamed(found: dict[str, Tensor], rule: Callable[[str], Rename | None]) -> dict[str, Tensor]:
    renamed: dict[str, Tensor] = {}
    for name, tensor in found.items():
        if (to := rule(name)) is None:
            raise ValueError(f"the variable {name[:80]} is unknown")
        if to[0]:
            renamed[to[0]] = to[1](tensor.to(torch.float32))
    return renamed


# StyleGAN2 and StyleGAN2-ADA

_SG2_LAYERS = {
    "Conv": ("conv1", _conv), "Conv0_up": ("conv0", _conv_flipped), "Conv1": ("conv1", _conv),
    "ToRGB": ("torgb", _conv), "Skip": ("skip", _conv_flipped),
}  # fmt: skip
_SG2_LEAVES: dict[str, Rename] = {
    "bias": ("bias", _same),
    "mod_weight": ("affine.weight", _dense),
    "mod_bias": ("affine.bias", _plus_one),
    "noise_strength": ("noise_strength", _same),
}
_SG2_D_LAYERS = {
    "FromRGB": "fromrgb", "Conv0": "conv0", "Conv1_down": "conv1", "Skip": "skip", "Conv": "conv", "Dense0": "fc",
}  # fmt: skip
_IGNORED: Rename = ("", _same)
_PROGRESS = ("lod", "synthesis/lod")  # how far a progressive network has grown; StyleGAN2 keeps it without using it


def _stylegan2_generator_name(name: str) -> Rename | None:
    if name == "dlatent_avg":
        return "mapping.w_avg", _same
    if name in _PROGRESS:
        return _IGNORED
    if match := re.fullmatch(r"mapping/(Dense(\d+)|LabelEmbed)/(weight|bias)", name):
        layer = f"fc{match[2]}" if match[2] else "embed"
        return f"mapping.{layer}.{match[3]}", _dense if match[3] == "weight" else _same
    if match := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        index = int(match[1])
        height, layer = (4, 1) if index == 0 else (4 << (index + 1) // 2, (index + 1) % 2)
        return f"synthesis.b{height}.conv{layer}.noise_const", _picture
    level = _level(name.removeprefix("synthesis/"))
    if level is None:
        return None
    height, rest = level
    if rest == "Const/const":
        return f"synthesis.b{height}.const", _batch
    layer, _, leaf = rest.rpartition("/")
    if layer not in _SG2_LAYERS:
        return None
    ours, change = _SG2_LAYERS[layer]
    leaf_name, leaf_change = ("weight", change) if leaf == "weight" else _SG2_LEAVES.get(leaf, _IGNORED)
    return (f"synthesis.b{height}.{ours}.{leaf_name}", leaf_change) if leaf_name else None


def _stylegan2_generator(found: dict[str, Tensor], options: dict[str, Any]) -> Weights:
    tensors = _renamed(found, _stylegan2_generator_name)
    taps = _kernel(options)
    for height in shapes.blocks(tensors, "synthesis."):
        _add_filters(tensors, f"synthesis.b{height}", taps, ("conv0", "skip"), ("conv1",))
    config = shapes.stylegan2_generator(tensors) | _clamp(options) | _filter(taps)
    if "mapping_lrmul" in options:
        config["mapping_lr_multiplier"] = float(options["mapping_lrmul"])
    return Weights("stylegan2-generator", config, tensors)


def _stylegan2_discriminator_name(name: str) -> Rename | None:
    if name in _PROGRESS:
        return _IGNORED
    if match := re.fullmatch(r"(Mapping(\d+)|LabelEmbed)/(weight|bias)", name):
        layer = f"fc{match[2]}" if match[2] else "embed"
        return f"mapping.{layer}.{match[3]}", _dense if match[3] == "weight" else _same
    if match := re.fullmatch(r"Output/(weight|bias)", name):
        return f"b4.out.{match[1]}", _dense if match[1] == "weight" else _same
    level = _level(name)
    if level is None:
        return None
    height, rest = level
    layer, _, leaf = rest.rpartition("/")
    if layer not in _SG2_D_LAYERS or leaf not in ("weight", "bias"):
        return None
    change = _same if leaf == "bias" else _dense if layer == "Dense0" else _conv
    return f"b{height}.{_SG2_D_LAYERS[layer]}.{leaf}", change


def _stylegan2_discriminator(found: dict[str, Tensor], options: dict[str, Any]) -> Weights:
    tensors = _renamed(found, _stylegan2_discriminator_name)
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
