"""From one file format of networks to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from vitruvian.checkpoints import Card, find_network, read_contents
from vitruvian.checkpoints.foreign import rosinality
from vitruvian.checkpoints.foreign.official import writing as official
from vitruvian.checkpoints.native import write_weights
from vitruvian.checkpoints.opening import choose, foreign_card
from vitruvian.checkpoints.weights import FileContents, Weights
from vitruvian.errors import OptionError
from vitruvian.files import replacing
from vitruvian.options.models import ConvertModelOptions


@dataclass(frozen=True)
class Conversion:
    """What was written."""

    out: Path
    format: str
    networks: list[str]
    """Roles in the new file."""
    bytes: int


def convert_model(options: ConvertModelOptions) -> Conversion:
    """Write the network(s) of a file in another format, whole or not at all.

    Raises:
        CheckpointError: for a source that is no network, or that the format cannot express.
        OptionError: if the new file exists and ``force`` is not set.
    """
    source = find_network(options.file)
    if options.out.exists() and not options.force:
        raise OptionError(f"{options.out}: exists already; choose another name or give --force")
    contents, card = read_contents(source)
    role, weights = choose(contents, options.role, owner=str(source))
    roles = [role]
    match options.format:
        case "native":
            _write_native(contents, card, role, weights, source, options)
        case "official-pickle":
            chosen = {role: weights} if options.role or role == "D" else contents.networks
            roles = list(chosen)
            _write_bytes(options.out, official.write(chosen, module=options.module))
        case "rosinality":
            state = rosinality.write(weights)
            with replacing(options.out) as temporary:
                torch.save(state, temporary)
    return Conversion(options.out, options.format, roles, options.out.stat().st_size)


def _write_native(
    contents: FileContents, card: Card | None, role: str, weights: Weights, source: Path, options: ConvertModelOptions
) -> None:
    told: dict[str, Any] = asdict(card or foreign_card(contents, weights, source, role))
    for name in ("kind", "config", "sha256", "format"):
        told.pop(name)
    write_weights(weights, options.out, half=options.half, **told)


def _write_bytes(path: Path, data: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(data)
