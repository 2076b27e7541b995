"""Loading and saving networks, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from vitruvian.checkpoints import Card, load_network, write_network
from vitruvian.errors import CheckpointError


def load(name_or_path: str | Path, *, role: str | None = None, device: str | torch.device = "cpu") -> nn.Module:
    """A network in float32 and evaluation mode, with its card as the attribute ``card``.

    Code written for the official networks runs on it unchanged: ``G(z, c, truncation_psi=0.7, noise_mode="const")``,
    ``G.mapping(z, c)``, ``G.synthesis(ws)``, ``G.mapping.w_avg``. Nothing in the file is executed.

    Args:
        name_or_path: an embedded network such as ``mannequin-body``; a native ``.safetensors`` file; an official
            ``.pkl`` of StyleGAN1, 2, 2-ADA or 3, PyTorch or TensorFlow; a ``.pt`` of PTI or in rosinality's naming; an
            ``https://`` or ``hf://owner/name`` address.
        role: ``G_ema``, ``G`` or ``D``; None for the first of these that the file has.

    Raises:
        CheckpointError: for anything that is not a network, in one line.
    """
    network, card = load_network(name_or_path, role=role)
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
