"""Weights on their way between files and networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vitruvian.checkpoints.kinds import build
from vitruvian.errors import CheckpointError


@dataclass(frozen=True)
class Weights:
    """What a network consists of, before it is built."""

    kind: str
    """Name of its class in the registry of kinds."""
    config: dict[str, Any]
    """Constructor arguments."""
    tensors: dict[str, Tensor]
    """Under the names of the class; may be views on a file's bytes."""


@dataclass(frozen=True)
class FileContents:
    """What a network file holds."""

    format: str
    """In words, such as ``stylegan2-ada pickle``."""
    networks: dict[str, Weights]
    """By role: ``G_ema`` (the one that paints), ``G``, ``D``."""
    notes: tuple[str, ...] = ()
    """What else is inside, and what of it was left aside."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Plain values worth showing, such as the options of the training set."""


def assemble(weights: Weights, *, owner: str) -> nn.Module:
    """The network of those weights: float32, on the CPU, in evaluation mode, without gradients.

    Nothing is allocated before names and shapes agree, so a lying file costs no memory.

    Raises:
        CheckpointError: naming ``owner`` and the first tensor that does not fit.
    """
    with torch.device("meta"):
        network = build(weights.kind, weights.config, owner=owner)
    expected = network.state_dict()
    missing = sorted(expected.keys() - weights.tensors.keys())
    surplus = sorted(weights.tensors.keys() - expected.keys())
    if missing or surplus:
        what = f"misses {missing[0]}" if missing else f"has {surplus[0]}, which a {weights.kind} does not"
        raise CheckpointError(f"{owner}: {what} ({len(missing)} names missing, {len(surplus)} unknown)")
    for name, tensor in weights.tensors.items():
        if tensor.shape != expected[name].shape:
            shapes = f"{tuple(tensor.shape)}, expected {tuple(expected[name].shape)}"
            raise CheckpointError(f"{owner}: {name} is {shapes}")
    fresh = {name: torch.empty_like(expected[name], device="cpu").copy_(t) for name, t in weights.tensors.items()}
    network.load_state_dict(fresh, strict=True, assign=True)
    return network.eval().requires_grad_(False)
