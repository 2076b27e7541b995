"""The card of a network: what the weights are, where they come from, what may be done with them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from vitruvian.errors import CheckpointError

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Card:
    """Metadata of a native checkpoint, stored as JSON beside the tensors."""

    kind: str
    """Which class the tensors belong to, e.g. ``stylegan2-generator``."""
    config: dict[str, Any]
    """Constructor arguments of that class."""
    name: str = ""
    description: str = ""
    licence: str = ""
    data: str = ""
    """What it was trained on, in words."""
    training: dict[str, Any] = field(default_factory=dict)
    """kimg, recipe, seed, dates, device."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Measured quality; each name says its protocol."""
    intended_use: str = ""
    limits: str = ""
    sha256: str = ""
    """Hash of the tensors, filled in when the file is written."""
    format: int = FORMAT_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str, *, owner: str) -> Card:
        """Read a card.

        Raises:
            CheckpointError: naming ``owner`` if the text is no card, or one of a newer format.
        """
        try:
            values = json.loads(text)
            version = values["format"]
        except (ValueError, TypeError, KeyError) as error:
            raise CheckpointError(f"{owner}: its card is not readable ({error}); the file is damaged") from error
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise CheckpointError(
                f"{owner}: card format {version}, this version reads up to {FORMAT_VERSION}: upgrade vitruvian"
            )
        known = {entry.name for entry in fields(Card)}
        try:
            return Card(**{key: value for key, value in values.items() if key in known})
        except TypeError as error:
            raise CheckpointError(f"{owner}: its card is incomplete ({error})") from error
