"""The one registry of network kinds: a name on a card to the class that it builds."""

from __future__ import annotations

from typing import Any

from torch import nn

from vitruvian.errors import CheckpointError
from vitruvian.nn import (
    StyleGAN1Discriminator,
    StyleGAN1Generator,
    StyleGAN2Discriminator,
    StyleGAN2Generator,
    StyleGAN3Generator,
)

KINDS: dict[str, type[nn.Module]] = {
    network.kind: network
    for network in (
        StyleGAN1Generator,
        StyleGAN1Discriminator,
        StyleGAN2Generator,
        StyleGAN2Discriminator,
        StyleGAN3Generator,
    )
}

LARGEST = 1 << 24  # no size of a network comes near; a card with more is a lie that would cost memory or hours
DEEPEST = 64


def build(kind: str, config: dict[str, Any], *, owner: str) -> nn.Module:
    """A freshly initialised network of that kind.

    Raises:
        CheckpointError: naming ``owner`` for an unknown kind or arguments that the class refuses.
    """
    for name, value in config.items():
        most = DEEPEST if "layers" in name else LARGEST
        sides = value if isinstance(value, list | tuple) else [value]
        if len(sides) > DEEPEST or any(isinstance(side, int) and side > most for side in sides):
            raise CheckpointError(f"{owner}: {name} = {str(value)[:40]} is beyond any network, the file is damaged")
    if kind not in KINDS:
        raise CheckpointError(f"{owner}: unknown kind of network '{kind}', known are {', '.join(sorted(KINDS))}")
    try:
        return KINDS[kind](**config)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{owner}: cannot build a {kind} from its card: {error}") from error
