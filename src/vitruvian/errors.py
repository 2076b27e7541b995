"""What a user did that cannot work, as exceptions that carry one clear line.

Every message names the owner (a file, an option), what was found, what was expected and what to do next.
The command line prints it and exits with code 2; programs catch :class:`VitruvianError`.
"""

from __future__ import annotations


class VitruvianError(Exception):
    """Bad input: the message is one line meant for the person at the keyboard."""


class CheckpointError(VitruvianError):
    """A network file that is missing, damaged, of an unknown kind, or not allowed."""


class DatasetError(VitruvianError):
    """A picture set that is missing, damaged or inconsistent."""


class OptionError(VitruvianError):
    """An option whose value cannot be used."""


class MissingExtraError(VitruvianError):
    """A feature whose optional dependency is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the extra '{extra}', which is not installed: pip install 'vitruvian[{extra}]'"
        )
