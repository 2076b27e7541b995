"""Files to networks and back: the native format, those of other programs, and the zoo of embedded networks."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import NamedTuple

from torch import nn

from vitruvian.checkpoints.card import Card
from vitruvian.checkpoints.native import read_card, write_network
from vitruvian.checkpoints.opening import choose, foreign_card, read_contents
from vitruvian.checkpoints.published import find_published
from vitruvian.checkpoints.remote import NETWORK_SUFFIXES, cache_folder, fetch, is_address
from vitruvian.checkpoints.weights import assemble
from vitruvian.checkpoints.zoo import embedded
from vitruvian.errors import CheckpointError

__all__ = [
    "Card",
    "LoadedNetwork",
    "assemble",
    "embedded",
    "find_network",
    "load_network",
    "read_card",
    "read_contents",
    "write_network",
]


class LoadedNetwork(NamedTuple):
    network: nn.Module
    card: Card


def find_network(name_or_path: str | Path) -> Path:
    """The file of an embedded network's name, of a path, or of an address; addresses are fetched once and kept.

    Raises:
        CheckpointError: if there is none of these; names the nearest embedded network.
    """
    zoo = embedded()
    text = str(name_or_path)
    if text in zoo:
        return zoo[text]
    if is_address(text):
        return fetch(text, cache_folder())
    path = Path(text)
    if path.is_file():
        return path
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder, expected a network file")
    if path.suffix in NETWORK_SUFFIXES or len(path.parts) > 1:
        raise CheckpointError(f"{path}: no such file")
    if entry := find_published(text):
        where = f"vitruvian models download {entry.name}" if entry.address else f"see {entry.page}"
        raise CheckpointError(f"'{text}' is published by others and not on this machine: {where}")
    nearest = difflib.get_close_matches(text, zoo, n=1, cutoff=0.4)
    hint = f"did you mean '{nearest[0]}'?" if nearest else f"embedded networks: {', '.join(zoo) or 'none'}"
    raise CheckpointError(f"unknown network '{text}': neither a file nor an embedded network; {hint}")


def load_network(name_or_path: str | Path, *, role: str | None = None) -> LoadedNetwork:
    """Read a network by name or path, on the CPU in float32 and evaluation mode.

    Args:
        name_or_path: an embedded network, a native file, or one of the formats of :mod:`vitruvian.checkpoints.foreign`.
        role: ``G_ema``, ``G`` or ``D``; None for the first of these that the file has.

    Raises:
        CheckpointError: in one line, for anything that is not a network.
    """
    path = find_network(name_or_path)
    contents, card = read_contents(path)
    name, weights = choose(contents, role, owner=str(path))
    return LoadedNetwork(assemble(weights, owner=str(path)), card or foreign_card(contents, weights, path, name))
