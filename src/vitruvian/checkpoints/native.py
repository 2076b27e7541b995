"""The native checkpoint: one ``.safetensors`` file whose metadata holds the card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vitruvian.checkpoints.card import Card
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError
from vitruvian.files import replacing

METADATA_KEY = "vitruvian"


def tensor_hash(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)};".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_network(network: nn.Module, path: str | Path, *, half: bool = False, **card: Any) -> Card:
    """Save a network with its card, whole or not at all.

    Args:
        network: of a registered kind, with attributes ``kind`` and ``config``.
        half: store floating point tensors as float16.
        card: fields of :class:`Card` beside kind, config and hash.
    """
    config = asdict(network.config)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return write_weights(Weights(str(network.kind), config, network.state_dict()), path, half=half, **card)


def write_weights(weights: Weights, path: str | Path, *, half: bool = False, **card: Any) -> Card:
    """Like :func:`write_network`, for weights that no network was built of."""
    tensors = {
        name: (tensor.half() if half and tensor.is_floating_point() else tensor).detach().cpu().contiguous().clone()
        for name, tensor in weights.tensors.items()
    }
    filled = Card(kind=weights.kind, config=weights.config, sha256=tensor_hash(tensors), **card)
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={METADATA_KEY: filled.to_json()})
    return Card.from_json(filled.to_json(), owner=str(path))  # as a reader will see it: JSON knows no tuples


def read_card(path: str | Path) -> Card:
    """The card alone, without reading the tensors."""
    with _opened(Path(path)) as file:
        return _card_of(file, str(path))


def read_weights(path: str | Path) -> tuple[Weights, Card]:
    """The tensors of a file with their card, as stored.

    Raises:
        CheckpointError: for a file that is missing, damaged or foreign.
    """
    path = Path(path)
    with _opened(path) as file:
        card = _card_of(file, str(path))
        tensors = _tensors_of(file)
    if card.sha256 and tensor_hash(tensors) != card.sha256:
        raise CheckpointError(f"{path}: the tensors do not match the hash on the card; fetch the file again")
    return Weights(card.kind, card.config, tensors), card


def read_bare(path: str | Path) -> dict[str, Tensor] | None:
    """The tensors of a ``.safetensors`` file without a card; None for one with a card."""
    with _opened(Path(path)) as file:
        return None if METADATA_KEY in (file.metadata() or {}) else _tensors_of(file)


def _tensors_of(file: Any) -> dict[str, Tensor]:
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping


def recard(path: str | Path, **changes: Any) -> Card:
    """Rewrite a file with some fields of its card changed, tensors untouched."""
    with _opened(Path(path)) as file:
        card = replace(_card_of(file, str(path)), **changes)
        tensors = _tensors_of(file)
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={METADATA_KEY: card.to_json()})
    return card


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not a readable .safetensors file ({error}); it is damaged or of another kind"
        ) from error


def _card_of(file: Any, owner: str) -> Card:
    text = (file.metadata() or {}).get(METADATA_KEY)
    if text is None:
        raise CheckpointError(f"{owner}: has tensors but no vitruvian card, so what they are is unknown")
    return Card.from_json(text, owner=owner)
