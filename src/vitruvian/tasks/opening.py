"""What every task that paints starts with: a generator, a label, codes of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vitruvian.checkpoints import Card, load_network
from vitruvian.devices import pick_device
from vitruvian.errors import OptionError
from vitruvian.latents import z_from_seed
from vitruvian.nn.generator import GeneratorLike


class OpenGenerator(NamedTuple):
    """A generator on its device, and the facts that its pictures carry."""

    network: GeneratorLike
    card: Card
    device: torch.device
    facts: dict[str, str]
    """Name and hash of the network, for the text of pictures."""


DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}


def open_generator(name: str | Path, device: str, *, dtype: str = "float32", compiles: bool = False) -> OpenGenerator:
    """Load a generator for painting.

    Args:
        dtype: of the features between layers, a name in ``DTYPES``.
        compiles: paint through ``torch.compile``.

    Raises:
        CheckpointError: for a file that is no network.
        OptionError: for a network that is no generator, or a device that is not there.
    """
    network, card = load_network(name)
    if not isinstance(network, GeneratorLike):
        raise OptionError(f"--network {name}: is a {card.kind}, expected a generator")
    place = pick_device(device)
    assert isinstance(network, nn.Module)
    layout: Any = {"memory_format": torch.channels_last}  # kernels then need no rearranging for each picture
    network.to(place, **layout)
    network.synthesis.compute_dtype = DTYPES[dtype]
    if compiles:
        network.synthesis.compile()
    facts = {"network": card.name or str(name), "network_sha256": card.sha256}
    return OpenGenerator(network, card, place, facts)


def class_label(c_dim: int, class_idx: int | None) -> Tensor:
    """``1 x c_dim`` one-hot.

    Raises:
        OptionError: for a class that the network does not have, or a missing one.
    """
    if c_dim == 0:
        if class_idx is not None:
            raise OptionError(f"--class {class_idx}: this network has no classes; leave the option out")
        return torch.zeros(1, 0)
    if class_idx is None or not 0 <= class_idx < c_dim:
        given = "is missing" if class_idx is None else str(class_idx)
        raise OptionError(f"--class {given}: this network has classes 0 to {c_dim - 1}; choose one")
    return torch.eye(c_dim)[class_idx : class_idx + 1]


def codes_of_seeds(
    generator: OpenGenerator, seeds: Sequence[int], label: Tensor, psi: float = 1.0, cutoff: int | None = None
) -> Tensor:
    """``N x num_ws x w_dim``: each seed mapped with ``label: 1 x c_dim`` and truncated by ``psi``."""
    G = generator.network
    z = torch.cat([z_from_seed(seed, G.z_dim) for seed in seeds]).to(generator.device)
    return G.mapping(z, label.to(generator.device).expand(len(seeds), -1), psi, cutoff)
