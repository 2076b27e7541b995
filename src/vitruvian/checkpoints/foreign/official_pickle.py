"""Our networks as pickles that the official stylegan2-ada-pytorch and stylegan3 programs open.

The official format carries the source text of its classes and runs it on loading. Ours carries one line, which imports
those classes from the checkout that opens the file; nobody's source travels with the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.pickle_writer import Call, Name, Reference, write_pickle
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError

MODULES = {
    "stylegan2-generator": "training.networks_stylegan2",
    "stylegan2-discriminator": "training.networks_stylegan2",
    "stylegan3-generator": "training.networks_stylegan3",
}
"""Where the classes live in a stylegan3 checkout; in one of stylegan2-ada-pytorch it is ``training.networks``."""

PERSISTENCE_VERSION = 6
_EMPTY_MODULE = {
    name: value for name, value in vars(nn.Module()).items() if name not in ("_parameters", "_buffers", "_modules")
}


def write(networks: Mapping[str, Weights], *, module: str | None = None) -> bytes:
    """A snapshot dictionary of the networks by role, ``G_ema`` among them.

    Args:
        module: Python module that the opening checkout has the classes in; None for that of stylegan3.

    Raises:
        CheckpointError: for kinds that the official programs do not have.
    """
    parts: dict[str, Any] = {"training_set_kwargs": None, "augment_pipe": None}
    for role, weights in networks.items():
        if weights.kind not in _STATES:
            raise CheckpointError(f"the official pickle format has no {weights.kind}")
        parts[role] = _STATES[weights.kind](_Writer(weights, module or MODULES[weights.kind]))
    return write_pickle(parts)


class _Writer:
    """Builds the nested module records of one network."""

    def __init__(self, weights: Weights, module: str) -> None:
        self.config, self.tensors = weights.config, weights.tensors
        self.source = f"from {module} import *\n"

    def part(
        self,
        class_name: str,
        prefix: str,
        children: Mapping[str, Any],
        arguments: Mapping[str, Any] | None = None,
        **attributes: Any,
    ) -> Call:
        """One module: its own tensors are those directly under ``prefix``."""
        own = {
            name.removeprefix(prefix): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(prefix) and "." not in name.removeprefix(prefix)
        }
        is_buffer = {name: name in _BUFFERS for name in own}
        state = {
            **_EMPTY_MODULE,
            "training": False,
            "_parameters": {name: _parameter(t) for name, t in own.items() if not is_buffer[name]},
            "_buffers": {name: _tensor(t) for name, t in own.items() if is_buffer[name]},
            "_modules": dict(children),
            "_init_args": (),
            "_init_kwargs": _easy(arguments or {}),
            **attributes,
        }
        meta = {
            "type": "class",
            "version": PERSISTENCE_VERSION,
            "module_src": self.source,
            "class_name": class_name,
            "state": state,
        }
        return Call(Name("torch_utils.persistence", "_reconstruct_persistent_obj"), (meta,))

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.tensors[name].shape)

    def fully_connected(self, prefix: str, *, act: str = "linear", lr: float = 1.0) -> Call:
        outputs, inputs = self.shape(f"{prefix}weight")
        return self.part(
            "FullyConnectedLayer",
            prefix,
            {},
            in_features=inputs,
            out_features=outputs,
            activation=act,
            weight_gain=lr / sqrt(inputs),
            bias_gain=lr,
        )

    def mapping(self, *, prefix: str = "mapping.", num_ws: int | None, **own: Any) -> Call:
        config = self.config
        lr = config.get("mapping_lr_multiplier", 0.01)
        children: dict[str, Any] = {}
        if f"{prefix}embed.weight" in self.tensors:
            children["embed"] = self.fully_connected(f"{prefix}embed.")
        layers = own["num_layers"]
        for index in range(layers):
            children[f"fc{index}"] = self.fully_connected(f"{prefix}fc{index}.", act="lrelu", lr=lr)
        absent = {} if "embed" in children else {"embed": None}
        return self.part("MappingNetwork", prefix, children, num_ws=num_ws, **absent, **own)


_BUFFERS = {
    "w_avg", "noise_const", "resample_filter", "magnitude_ema", "up_filter", "down_filter", "transform", "freqs",
    "phases",
}  # fmt: skip


def _easy(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _tensor(tensor: Tensor, *, requires_grad: bool = False) -> Call:
    tensor = tensor.detach().to("cpu", torch.float32).contiguous()
    size = tuple(tensor.shape)
    stride = tuple(tensor.stride())
    return Call(
        Name("torch._utils", "_rebuild_tensor_v2"),
        (_storage(tensor), 0, size, stride, requires_grad, Call(Name("collections", "OrderedDict"))),
    )


def _parameter(tensor: Tensor) -> Call:
    return Call(
        Name("torch._utils", "_rebuild_parameter"),
        (_tensor(tensor), False, Call(Name("collections", "OrderedDict"))),
    )


def _storage(tensor: Tensor) -> Call:
    """A float32 storage: inside a plain pickle it is a whole torch file of the old kind."""
    count = tensor.numel()
    identity = ("storage", Name("torch", "FloatStorage"), "0", "cpu", count, None)
    types = {"short": 2, "int": 4, "long": 4}
    head = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": types}]
    pickles = [write_pickle(part) for part in (*head, Reference(identity), ["0"])]
    raw = tensor.flatten().numpy().astype("<f4").tobytes()
    blob = b"".join([*pickles, count.to_bytes(8, "little"), raw])
    return Call(Name("torch.storage", "_load_from_bytes"), (blob,))


def _resolution(config: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width; the official classes know squares, and StyleGAN-Human's also 2:1.

    Raises:
        CheckpointError: for other shapes.
    """
    size = config.get("img_resolution", 256)
    height, width = (size, size) if isinstance(size, int) else size
    if width not in (height, height // 2):
        raise CheckpointError(f"the official pickle format has no pictures of {height}x{width}, only 1:1 and 2:1")
    return height, width


def _shape_attributes(config: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    height, width = _resolution(config)
    return height, {} if height == width else {"square": False}


def _stylegan2_generator(writer: _Writer) -> Call:
    config, tensors = writer.config, writer.tensors
    height, square = _shape_attributes(config)
    heights = shapes.blocks(tensors, "synthesis.")
    found = shapes.stylegan2_generator(tensors)
    clamp = config.get("conv_clamp")
    w_dim, channels = found["w_dim"], found["img_channels"]
    architecture = found["architecture"]
    layer = {
        "w_dim": w_dim,
        "use_noise": found["use_noise"],
        "activation": "lrelu",
        "conv_clamp": clamp,
        "padding": 1,
        "act_gain": sqrt(2),
        **square,
    }
    blocks: dict[str, Call] = {}
    num_ws = 1
    for below, here in pairwise([0, *heights]):
        prefix = f"synthesis.b{here}."
        children: dict[str, Call] = {}
        for name, up in (("conv0", 2), ("conv1", 1)):
            if f"{prefix}{name}.weight" not in tensors:
                continue
            outputs, inputs = writer.shape(f"{prefix}{name}.weight")[:2]
            affine = writer.fully_connected(f"{prefix}{name}.affine.")
            children[name] = writer.part(
                "SynthesisLayer",
                f"{prefix}{name}.",
                {"affine": affine},
                resolution=here,
                up=up,
                in_channels=inputs,
                out_channels=outputs,
                **layer,
            )
        has_torgb = f"{prefix}torgb.weight" in tensors
        if has_torgb:
            inputs = writer.shape(f"{prefix}torgb.weight")[1]
            children["torgb"] = writer.part(
                "ToRGBLayer",
                f"{prefix}torgb.",
                {"affine": writer.fully_connected(f"{prefix}torgb.affine.")},
                in_channels=inputs,
                out_channels=channels,
                w_dim=w_dim,
                conv_clamp=clamp,
                weight_gain=1 / sqrt(inputs),
                **square,
            )
        if f"{prefix}skip.weight" in tensors:
            children["skip"] = _plain_conv(writer, f"{prefix}skip.", act="linear", clamp=None, up=2)
        num_conv = len({"conv0", "conv1"} & children.keys())
        num_ws += num_conv
        blocks[f"b{here}"] = writer.part(
            "SynthesisBlock",
            prefix,
            children,
            in_channels=0 if below == 0 else writer.shape(f"synthesis.b{below}.conv1.weight")[0],
            w_dim=w_dim,
            resolution=here,
            img_channels=channels,
            is_last=here == height,
            architecture=architecture,
            use_fp16=False,
            channels_last=False,
            num_conv=num_conv,
            num_torgb=int(has_torgb),
            fused_modconv_default=True,
            **square,
        )
    synthesis = writer.part(
        "SynthesisNetwork",
        "synthesis.",
        blocks,
        w_dim=w_dim,
        img_resolution=height,
        img_resolution_log2=height.bit_length() - 1,
        img_channels=channels,
        num_fp16_res=0,
        block_resolutions=heights,
        num_ws=num_ws,
        **square,
    )
    sizes = {"z_dim": found["z_dim"], "c_dim": found["c_dim"], "w_dim": w_dim}
    arguments = {**sizes, "img_resolution": height, "img_channels": channels, **square}
    mapping = writer.mapping(
        num_ws=num_ws, num_layers=found["num_layers"], w_avg_beta=config.get("w_avg_beta", 0.995), **sizes
    )
    return writer.part(
        "Generator",
        "",
        {"synthesis": synthesis, "mapping": mapping},
        arguments,
        num_ws=num_ws,
        img_resolution=height,
        img_channels=channels,
        **sizes,
        **square,
    )


def _plain_conv(writer: _Writer, prefix: str, *, act: str, clamp: float | None, up: int = 1, down: int = 1) -> Call:
    outputs, inputs, kernel, _ = writer.shape(f"{prefix}weight")
    absent = {} if f"{prefix}bias" in writer.tensors else {"bias": None}
    return writer.part(
        "Conv2dLayer",
        prefix,
        {},
        in_channels=inputs,
        out_channels=outputs,
        activation=act,
        up=up,
        down=down,
        conv_clamp=clamp,
        padding=kernel // 2,
        weight_gain=1 / sqrt(inputs * kernel**2),
        act_gain=1.0 if act == "linear" else sqrt(2),
        **absent,
    )


def _stylegan2_discriminator(writer: _Writer) -> Call:
    config, tensors = writer.config, writer.tensors
    height, square = _shape_attributes(config)
    heights = shapes.blocks(tensors, "")
    found = shapes.stylegan2_discriminator(tensors)
    clamp, architecture = config.get("conv_clamp"), found["architecture"]
    children: dict[str, Call] = {}
    first_layer = 0
    for index, here in enumerate(reversed(heights[1:])):
        prefix = f"b{here}."
        layers: dict[str, Call] = {}
        for name, down in (("fromrgb", 1), ("conv0", 1), ("conv1", 2), ("skip", 2)):
            if f"{prefix}{name}.weight" in tensors:
                is_skip = name == "skip"
                layers[name] = _plain_conv(
                    writer,
                    f"{prefix}{name}.",
                    act="linear" if is_skip else "lrelu",
                    clamp=None if is_skip else clamp,
                    down=down,
                )
        children[f"b{here}"] = writer.part(
            "DiscriminatorBlock",
            prefix,
            layers,
            in_channels=0 if index == 0 else writer.shape(f"{prefix}conv0.weight")[0],
            resolution=here,
            img_channels=found["img_channels"],
            first_layer_idx=first_layer,
            architecture=architecture,
            use_fp16=False,
            channels_last=False,
            num_layers=len(layers),
            **square,
        )
        first_layer += len(layers)
    channels = writer.shape("b4.conv.weight")[0]
    c_dim = found.get("c_dim", 0)
    deviation = writer.part(
        "MinibatchStdLayer",
        "b4.mbstd.",
        {},
        group_size=config.get("mbstd_group_size", 4),
        num_channels=found["mbstd_num_channels"],
    )
    epilogue = {
        "mbstd": deviation,
        "conv": _plain_conv(writer, "b4.conv.", act="lrelu", clamp=clamp),
        "fc": writer.fully_connected("b4.fc.", act="lrelu"),
        "out": writer.fully_connected("b4.out."),
    }
    if "b4.fromrgb.weight" in tensors:
        epilogue["fromrgb"] = _plain_conv(writer, "b4.fromrgb.", act="lrelu", clamp=None)
    children["b4"] = writer.part(
        "DiscriminatorEpilogue",
        "b4.",
        epilogue,
        in_channels=channels,
        cmap_dim=found.get("cmap_dim", 0),
        resolution=4,
        img_channels=found["img_channels"],
        architecture=architecture,
        **square,
    )
    if c_dim > 0:
        children["mapping"] = writer.mapping(
            num_ws=None, num_layers=found["num_layers"], w_avg_beta=None, z_dim=0, c_dim=c_dim, w_dim=found["cmap_dim"]
        )
    arguments = {"c_dim": c_dim, "img_resolution": height, "img_channels": found["img_channels"], **square}
    return writer.part(
        "Discriminator",
        "",
        children,
        arguments,
        c_dim=c_dim,
        img_resolution=height,
        img_resolution_log2=height.bit_length() - 1,
        img_channels=found["img_channels"],
        block_resolutions=heights[:0:-1],
        **square,
    )


_STATES: dict[str, Callable[[_Writer], Call]] = {
    "stylegan2-generator": _stylegan2_generator,
    "stylegan2-discriminator": _stylegan2_discriminator,
}
