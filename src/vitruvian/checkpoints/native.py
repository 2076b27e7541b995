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
from vitruvian.checkpoints.kinds import build
from vitruvian.errors import CheckpointError
from vitruvian.files import replacing

METADATA_KEY = "vitruvian"
FOREIGN_SIGNATURES = {b"PK\x03\x04": "a zip archive, as torch.save writes", b"\x80": "a pickle"}


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
    tensors = {
        name: (tensor.half() if half and tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    filled = Card(kind=str(network.kind), config=asdict(network.config), sha256=tensor_hash(tensors), **card)  # pyright: ignore[reportArgumentType, reportCallIssue]
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={METADATA_KEY: filled.to_json()})
    return Card.from_json(filled.to_json(), owner=str(path))  # as a reader will see it: JSON knows no tuples


def read_card(path: str | Path) -> Card:
    """The card alone, without reading the tensors."""
    with _opened(Path(path)) as file:
        return _card_of(file, str(path))


def read_network(path: str | Path) -> tuple[nn.Module, Card]:
    """A network in float32 on the CPU, in evaluation mode, with its card.

    Raises:
        CheckpointError: for a file that is missing, damaged, foreign, or does not fit its card.
    """
    path = Path(path)
    with _opened(path) as file:
        card = _card_of(file, str(path))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    if card.sha256 and tensor_hash(tensors) != card.sha256:
        raise CheckpointError(f"{path}: the tensors do not match the hash on the card; fetch the file again")
    network = build(card.kind, card.config, owner=str(path))
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{path}: the tensors do not fit the card: {reason[:300]}") from error
    network.eval().requires_grad_(False)
    return network, card


def recard(path: str | Path, **changes: Any) -> Card:
    """Rewrite a file with some fields of its card changed, tensors untouched."""
    with _opened(Path(path)) as file:
        card = replace(_card_of(file, str(path)), **changes)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
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
            f"{path}: not a readable .safetensors file ({_looks_like(path) or error}); it is damaged or of another kind"
        ) from error


def _card_of(file: Any, owner: str) -> Card:
    text = (file.metadata() or {}).get(METADATA_KEY)
    if text is None:
        raise CheckpointError(f"{owner}: has tensors but no vitruvian card, so what they are is unknown")
    return Card.from_json(text, owner=owner)


def _looks_like(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        return "it is empty"
    return next((f"it looks like {name}" for mark, name in FOREIGN_SIGNATURES.items() if start.startswith(mark)), None)
