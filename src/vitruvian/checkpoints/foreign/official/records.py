"""Module records as the official programs pickle them: class name, attributes, tensors, one line of source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn

from vitruvian.checkpoints.foreign.pickle_writer import Call, Name, Reference, write_pickle
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError

PERSISTENCE_VERSION = 6
_EMPTY_MODULE = {
    name: value for name, value in vars(nn.Module()).items() if name not in ("_parameters", "_buffers", "_modules")
}


class RecordWriter:
    """Builds the nested module records of one network.

    Args:
        module: Python module from which the opening checkout imports the classes.
    """

    def __init__(self, weights: Weights, module: str) -> None:
        self.config, self.tensors = weights.config, weights.tensors
        self.source = f"from {module} import *\n"

    def part(
        self,
        class_name: str,
        prefix: str,
        children: Mapping[str, Any],
        arguments: Mapping[str, Any] | None = None,
        absent_buffers: Sequence[str] = (),
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
            "_buffers": {
                **{name: _tensor(t) for name, t in own.items() if is_buffer[name]},
                **dict.fromkeys(absent_buffers),
            },
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


def shape_attributes(config: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    height, width = _resolution(config)
    return height, {} if height == width else {"square": False}
