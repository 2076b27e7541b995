"""Our networks as pickles that the official stylegan2-ada-pytorch and stylegan3 programs open.

The official format carries the source text of its classes and runs it on loading. Ours carries one line, which imports
those classes from the checkout that opens the file; nobody's source travels with the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from vitruvian.checkpoints.foreign.official import stylegan2_records, stylegan3_records
from vitruvian.checkpoints.foreign.official.records import RecordWriter
from vitruvian.checkpoints.foreign.pickle_writer import Call, write_pickle
from vitruvian.checkpoints.weights import Weights
from vitruvian.errors import CheckpointError


class _Kind(NamedTuple):
    record: Callable[[RecordWriter], Call]
    module: str
    """Where a stylegan3 checkout has the class; in one of stylegan2-ada-pytorch it is ``training.networks``."""


_KINDS = {
    "stylegan2-generator": _Kind(stylegan2_records.generator, "training.networks_stylegan2"),
    "stylegan2-discriminator": _Kind(stylegan2_records.discriminator, "training.networks_stylegan2"),
    "stylegan3-generator": _Kind(stylegan3_records.generator, "training.networks_stylegan3"),
}


def write(networks: Mapping[str, Weights], *, module: str | None = None) -> bytes:
    """A snapshot dictionary of the networks by role, ``G_ema`` among them.

    Args:
        module: Python module that the opening checkout has the classes in; None for those of stylegan3.

    Raises:
        CheckpointError: for kinds or shapes that the official programs do not have.
    """
    parts: dict[str, Any] = {"training_set_kwargs": None, "augment_pipe": None}
    for role, weights in networks.items():
        if weights.kind not in _KINDS:
            raise CheckpointError(f"the official pickle format has no {weights.kind}, only {', '.join(_KINDS)}")
        kind = _KINDS[weights.kind]
        parts[role] = kind.record(RecordWriter(weights, module or kind.module))
    return write_pickle(parts)
