"""Any network file to its contents, and the one network in it that is wanted."""

from __future__ import annotations

from pathlib import Path

from vitruvian.checkpoints.card import Card
from vitruvian.checkpoints.foreign.reading import PICKLE, ROLES, ZIP, read_foreign, read_state_dict
from vitruvian.checkpoints.native import read_bare, read_weights, tensor_hash
from vitruvian.checkpoints.weights import FileContents, Weights
from vitruvian.errors import CheckpointError

REBUILT = 1 << 20  # bytes of filters and noise that readers may add


def read_contents(path: Path) -> tuple[FileContents, Card | None]:
    """The networks of a file of any known kind, and its card if it is a native one.

    Raises:
        CheckpointError: in one line, for a file that is missing, damaged, unknown or not allowed.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    with path.open("rb") as file:
        start = file.read(9)
    if not start:
        raise CheckpointError(f"{path}: is empty, expected a network; fetch it again")
    is_foreign = start.startswith((ZIP, PICKLE))
    if is_foreign and not _is_safetensors(start, path.stat().st_size):
        return _within(read_foreign(path), path), None
    bare = read_bare(path)
    if bare is not None:
        return read_state_dict(bare, format="bare .safetensors", owner=str(path)), None
    weights, card = read_weights(path)
    return FileContents("native", {"D" if card.kind.endswith("discriminator") else "G_ema": weights}), card


def _is_safetensors(start: bytes, size: int) -> bool:
    """A header's length within the file, then its opening brace; the length may begin like a pickle."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size


def _within(contents: FileContents, path: Path) -> FileContents:
    """Refuse tensors that share bytes: building the network would give each its own, many times the file's size."""
    size = path.stat().st_size
    for role, weights in contents.networks.items():
        needed = sum(tensor.numel() * tensor.element_size() for tensor in weights.tensors.values())
        if needed > size + REBUILT:
            raise CheckpointError(
                f"{path}: {role} claims {needed} bytes of weights, the file has {size}; it is no network"
            )
    return contents


def choose(contents: FileContents, role: str | None, *, owner: str) -> tuple[str, Weights]:
    """The network of that role, or the first of G_ema, G and D.

    Raises:
        CheckpointError: if the file has no such network.
    """
    present = [name for name in ROLES if name in contents.networks]
    if role is not None and role not in present:
        raise CheckpointError(f"{owner}: holds {', '.join(present)}, no network called '{role}'")
    name = role or present[0]
    return name, contents.networks[name]


def foreign_card(contents: FileContents, weights: Weights, path: Path, role: str) -> Card:
    """What can be said of a network from elsewhere."""
    return Card(
        kind=weights.kind,
        config=weights.config,
        name=path.stem if role == "G_ema" else f"{path.stem} {role}",
        description=f"{role} of {path.name}, a {contents.format}",
        licence="that of the original file",
        sha256=tensor_hash(weights.tensors),
    )
