"""Loading and saving networks, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from vitruvian.checkpoints import Card, load_network, write_network
from vitruvian.errors import CheckpointError


def load(name_or_path: str | Path, *, device: str | torch.device = "cpu") -> nn.Module:
    """A network in float32 and evaluation mode, with its card as the attribute ``card``.

    Args:
        name_or_path: name of an embedded network, such as ``mannequin-body``, or a ``.safetensors`` file.

    Raises:
        CheckpointError: for a name or file that is not a network, in one line.
    """
    network, card = load_network(name_or_path)
    network.card = card  # pyright: ignore[reportArgumentType] - a plain attribute, not a module
    return network.to(device)


def save(network: nn.Module, path: str | Path, *, half: bool = False, **card: Any) -> Card:
    """Write a network as a native checkpoint, whole or not at all.

    Args:
        half: store in float16, which halves the file and moves pictures by a fraction of a level.
        card: fields of :class:`~vitruvian.checkpoints.Card`, such as ``name``, ``description``, ``licence``.
    """
    if not (hasattr(network, "kind") and hasattr(network, "config")):
        raise CheckpointError(
            f"{type(network).__name__} has no kind and config: only networks of vitruvian.nn can be saved"
        )
    return write_network(network, path, half=half, **card)
