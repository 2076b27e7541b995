"""What a network file holds, and whether it is sound."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vitruvian.checkpoints import Card, assemble, find_network, read_contents
from vitruvian.checkpoints.remote import file_hash
from vitruvian.errors import CheckpointError
from vitruvian.latents import z_from_seed
from vitruvian.nn.generator import GeneratorLike
from vitruvian.options.models import ShowModelOptions, VerifyModelOptions

LARGEST_LEVEL = 50.0  # a picture beyond this is noise: pictures lie around [-1, 1]


@dataclass(frozen=True)
class NetworkFacts:
    """One network of a file."""

    role: str
    kind: str
    size: str
    """Height x width."""
    img_channels: int
    c_dim: int
    z_dim: int | None
    w_dim: int | None
    num_ws: int | None
    parameters: int
    buffer_elements: int
    w_avg_norm: float | None
    """Length of the mean of w; 0 means that truncation pulls towards nothing learned."""
    config: dict[str, Any]


@dataclass(frozen=True)
class ModelReport:
    """What a file holds."""

    path: Path
    format: str
    bytes: int
    networks: list[NetworkFacts]
    notes: list[str]
    facts: dict[str, Any]
    card: Card | None = None


@dataclass(frozen=True)
class Soundness:
    """The result of checking one file; ``problems`` is empty for a sound one."""

    path: Path
    sha256: str
    networks: list[str]
    problems: list[str] = field(default_factory=list)


def show_model(options: ShowModelOptions) -> ModelReport:
    """Read a file and tell what is inside.

    Raises:
        CheckpointError: if it is no network file.
    """
    path = find_network(options.file)
    contents, card = read_contents(path)
    networks = [
        _facts(role, assemble(weights, owner=str(path)), weights.config) for role, weights in contents.networks.items()
    ]
    return ModelReport(
        path, contents.format, path.stat().st_size, networks, list(contents.notes), dict(contents.facts), card
    )


def verify_models(options: VerifyModelOptions) -> list[Soundness]:
    """Check files one by one; an unreadable file is a problem of that file, not the end."""
    return [_verify(name, options.sha256) for name in options.files]


def _verify(name: str, expected: str | None) -> Soundness:
    try:
        path = find_network(name)
    except CheckpointError as error:
        return Soundness(Path(name), "", [], [str(error)])
    found = file_hash(path)
    problems = [f"sha256 is {found}, expected {expected}"] if expected and expected.lower() != found else []
    try:
        contents, _ = read_contents(path)
        networks = {role: assemble(weights, owner=str(path)) for role, weights in contents.networks.items()}
    except CheckpointError as error:
        return Soundness(path, found, [], [*problems, str(error)])
    for role, network in networks.items():
        problems += [f"{role}: {problem}" for problem in _weight_problems(network)]
        if isinstance(network, GeneratorLike):
            problems += [f"{role}: {problem}" for problem in _picture_problems(network)]
    return Soundness(path, found, list(networks), problems)


def _weight_problems(network: nn.Module) -> list[str]:
    state = network.state_dict()
    bad = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    return [f"{len(bad)} tensors hold numbers that are not finite, the first is {bad[0]}"] if bad else []


@torch.inference_mode()
def _picture_problems(G: GeneratorLike) -> list[str]:
    label = torch.eye(G.c_dim)[:1] if G.c_dim else torch.zeros(1, 0)
    picture = G(z_from_seed(0, G.z_dim), label, truncation_psi=0.7)
    if not torch.isfinite(picture).all():
        return ["its picture of seed 0 is not finite"]
    largest = picture.abs().max().item()
    return [f"its picture of seed 0 reaches {largest:.0f}, expected about 1"] if largest > LARGEST_LEVEL else []


def _facts(role: str, network: nn.Module, config: dict[str, Any]) -> NetworkFacts:
    parameters = sum(parameter.numel() for parameter in network.parameters())
    buffers = sum(buffer.numel() for buffer in network.buffers())
    is_generator = isinstance(network, GeneratorLike)
    w_avg = getattr(network.mapping, "w_avg", None) if is_generator else None
    shared: Any = network
    return NetworkFacts(
        role=role,
        kind=shared.kind,
        size=f"{shared.height}x{shared.width}",
        img_channels=shared.img_channels,
        c_dim=shared.c_dim,
        z_dim=shared.z_dim if is_generator else None,
        w_dim=shared.w_dim if is_generator else None,
        num_ws=shared.num_ws if is_generator else None,
        parameters=parameters,
        buffer_elements=buffers,
        w_avg_norm=w_avg.norm().item() if w_avg is not None else None,
        config=config,
    )
