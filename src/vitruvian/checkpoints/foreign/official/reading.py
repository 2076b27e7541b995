"""Official module records to our weights.

Constructor arguments are read from tensors and from attributes of the parts: the arguments that a file records leave
out every default of the program that wrote it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.modules import ModuleStub
from vitruvian.checkpoints.foreign.numbers import as_tensor
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError
from vitruvian.nn import stylegan3

PARTS = {
    "Generator", "SynthesisNetwork", "SynthesisBlock", "SynthesisLayer", "ToRGBLayer", "MappingNetwork",
    "FullyConnectedLayer", "Conv2dLayer", "SynthesisInput", "Discriminator", "DiscriminatorBlock", "MinibatchStdLayer",
    "DiscriminatorEpilogue",
}  # fmt: skip
"""Classes that official networks are made of."""


def read_network(stub: ModuleStub, *, owner: str) -> Weights:
    """A generator or discriminator.

    Raises:
        CheckpointError: for classes that official networks do not have, and for parts that do not fit together.
    """
    try:
        for part in _parts(stub):
            if part.class_name not in PARTS:
                raise CheckpointError(
                    f"{owner}: a network with a part of the class '{part.class_name}', of no StyleGAN known here"
                )
        tensors = stub.state_dict()
        if stub.class_name == "Discriminator":
            return _stylegan2_discriminator(stub, tensors)
        if stub.class_name != "Generator":
            raise CheckpointError(f"{owner}: a {stub.class_name}, expected a Generator or Discriminator")
        if any(name.startswith("synthesis.input.") for name in tensors):
            return _stylegan3_generator(stub, tensors)
        return _stylegan2_generator(stub, tensors)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RuntimeError) as error:
        raise shapes.refuse(owner, f"a {stub.class_name}", error) from error


def unknown_attributes(stub: ModuleStub) -> list[str]:
    """Attributes of known parts that the official classes do not have, as ``Class.attribute``; forks add some."""
    found = {
        f"{part.class_name}.{name}"
        for part in _parts(stub)
        for name in part.state
        if isinstance(name, str) and not name.startswith("_") and name not in _KNOWN_ATTRIBUTES
    }
    return sorted(found)


def _parts(stub: ModuleStub) -> Iterator[ModuleStub]:
    stub.state_dict()  # refuses endless nesting
    waiting = [stub]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += [child for child in part.table("_modules").values() if isinstance(child, ModuleStub)]


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a {type(value).__name__} instead of a number")
    return float(value)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"a {type(value).__name__} instead of a whole number")
    return value


def _stylegan2_generator(stub: ModuleStub, tensors: dict[str, Tensor]) -> Weights:
    config = shapes.stylegan2_generator(tensors)
    last = stub[f"synthesis.b{max(shapes.blocks(tensors, 'synthesis.'))}.conv1"]
    config["conv_clamp"] = _number(last.get("conv_clamp", None))
    config["activation"] = last.get("activation", "lrelu")
    config["mapping_lr_multiplier"] = _number(stub["mapping.fc0.bias_gain"])
    if "mapping.w_avg" in tensors:
        config["w_avg_beta"] = _number(stub["mapping.w_avg_beta"])
    return Weights("stylegan2-generator", config, tensors)


def _stylegan3_generator(stub: ModuleStub, tensors: dict[str, Tensor]) -> Weights:
    synthesis = stub["synthesis"]
    recorded = synthesis.get("_init_kwargs", {})
    if not isinstance(recorded, dict):
        raise ValueError("constructor arguments that are no table")
    names = [name for name in synthesis.table("_modules") if name != "input"]
    layers = [synthesis[name] for name in names]
    first, last = layers[0], layers[-1]
    width, height = _pair(last["out_size"])
    rate = _whole(int(synthesis["input.sampling_rate"]))
    margin = _whole(synthesis["margin_size"])
    # StyleGAN-Human halves whole sizes, margins included: less is computed beyond the sides than beyond the top.
    margin_at_sides = (_pair(synthesis["input.size"])[0] - rate * width // height) // 2
    config: dict[str, Any] = {
        "img_resolution": height if height == width else (height, width),
        "img_channels": tensors[f"synthesis.{names[-1]}.weight"].shape[0],
        "w_dim": shapes.shape_of(tensors, "synthesis.input.affine.weight", 2)[1],
        "synthesis_layers": _whole(synthesis["num_layers"]),
        "num_critical": _whole(synthesis["num_critical"]),
        "margin_size": margin if margin == margin_at_sides else (margin, margin_at_sides),
        "output_scale": _number(synthesis["output_scale"]),
        "first_cutoff": _number(synthesis["input.bandwidth"]),
        "conv_kernel": _whole(first["conv_kernel"]),
        "use_radial_filters": any(bool(layer["down_radial"]) for layer in layers),
        "conv_clamp": _number(first["conv_clamp"]),
        "magnitude_ema_beta": _number(first["magnitude_ema_beta"]),
        "mapping_lr_multiplier": _number(stub["mapping.fc0.bias_gain"]),
        "w_avg_beta": _number(stub["mapping.w_avg_beta"]),
        **shapes.plain_mapping_config(tensors),
    }
    for name in (
        "first_stopband",
        "last_stopband_rel",
        "channel_base",
        "channel_max",
        "filter_size",
        "lrelu_upsampling",
    ):
        if name in recorded:
            config[name] = _number(recorded[name]) if "stopband" in name else _whole(recorded[name])
    _check_levels(config, layers)
    return Weights("stylegan3-generator", config, tensors)


def _check_levels(config: dict[str, Any], layers: list[ModuleStub]) -> None:
    """The layers' own rates and cutoffs must be those that our rule gives: they are the meaning of the weights."""
    expected = stylegan3.levels(stylegan3.GeneratorConfig(**config))[1:]
    if len(expected) != len(layers):
        raise ValueError(f"{len(layers)} layers instead of {len(expected)}")
    for index, (layer, level) in enumerate(zip(layers, expected, strict=True)):
        width, height = _pair(layer["out_size"])
        found = (layer["out_cutoff"], layer["out_half_width"], layer["out_sampling_rate"], height, width)
        ours = (level.cutoff, level.half_width, level.rate, *level.size)
        if any(not math.isclose(_number(a) or 0, b, rel_tol=1e-6) for a, b in zip(found, ours, strict=True)):
            raise ValueError(f"layer {index} has other rates than the network's own arguments give")


def _pair(size: Any) -> tuple[int, int]:
    """Width and height, which the file holds in this order."""
    values = as_tensor(size)
    sides = values.tolist() if values is not None else list(size)
    if len(sides) != 2 or not all(type(side) is int for side in sides):
        raise ValueError("a size that is none")
    return sides[0], sides[1]


def _stylegan2_discriminator(stub: ModuleStub, tensors: dict[str, Tensor]) -> Weights:
    config = shapes.stylegan2_discriminator(tensors)
    heights = shapes.blocks(tensors, "")
    top, bottom = stub[f"b{heights[-1]}"], stub[f"b{heights[0]}"]
    config["conv_clamp"] = _number(top["conv0"].get("conv_clamp", None))
    config["activation"] = top["conv0"].get("activation", "lrelu")
    group = bottom["mbstd.group_size"]
    config["mbstd_group_size"] = None if group is None else _whole(group)
    frozen = sum("weight" in part.table("_buffers") for part in _parts(stub) if part.class_name == "Conv2dLayer")
    config["freeze_layers"] = frozen
    return Weights("stylegan2-discriminator", config, tensors)


_KNOWN_ATTRIBUTES = {
    # any module
    "training", "w_dim", "z_dim", "c_dim", "img_channels", "img_resolution", "img_resolution_log2", "num_ws",
    "activation", "act_gain", "weight_gain", "conv_clamp", "in_channels", "out_channels", "resolution", "bias",
    "padding", "use_fp16", "channels_last", "architecture", "num_fp16_res",
    # mapping and fully connected layers
    "embed", "num_layers", "w_avg_beta", "bias_gain", "in_features", "out_features", "embed_features", "layer_features",
    # StyleGAN2
    "block_resolutions", "is_last", "num_conv", "num_torgb", "up", "down", "use_noise", "fused_modconv_default",
    "first_layer_idx", "cmap_dim", "group_size", "num_channels",
    # StyleGAN3
    "layer_names", "margin_size", "num_critical", "output_scale", "bandwidth", "channels", "sampling_rate", "size",
    "conv_kernel", "up_factor", "down_factor", "up_taps", "down_taps", "down_radial", "in_cutoff", "out_cutoff",
    "in_half_width", "out_half_width", "in_sampling_rate", "out_sampling_rate", "tmp_sampling_rate", "in_size",
    "out_size", "is_critically_sampled", "is_torgb", "magnitude_ema_beta", "up_filter", "down_filter",
    # StyleGAN-Human
    "square",
}  # fmt: skip
