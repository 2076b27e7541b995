"""The networks of a TensorFlow file.

A file holds three networks (G, D, Gs); each has its own variables and named component networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vitruvian.checkpoints.foreign import shapes
from vitruvian.checkpoints.foreign.modules import TensorFlowStub
from vitruvian.checkpoints.foreign.numbers import as_tensor
from vitruvian.checkpoints.foreign.tensorflow import stylegan1, stylegan2
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError

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
        return stylegan1.generator(found, options)
    if "FromRGB_lod" in names and "Dense1/weight" in names:
        return stylegan1.discriminator(found, options)
    if "_lod" in names:
        raise CheckpointError(f"{owner}: a StyleGAN2 of the progressive configurations B to D, which is not supported")
    if "mod_weight" in names:
        if "mapping/LabelConcat/weight" in found:
            raise CheckpointError(
                f"{owner}: a conditional StyleGAN2 from before StyleGAN2-ADA, whose label input has no counterpart"
            )
        return stylegan2.generator(found, options)
    if "FromRGB/weight" in names and "Output/weight" in found:
        return stylegan2.discriminator(found, options)
    raise CheckpointError(
        f"{owner}: a TensorFlow network of unknown kind: its first variable is {names[:80].split()[:1]}"
    )
