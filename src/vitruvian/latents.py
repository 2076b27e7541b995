"""Codes from seeds, by the convention of the official scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vitruvian.errors import OptionError

LARGEST_SEED = 2**32 - 1  # what numpy's RandomState takes


@dataclass(frozen=True)
class Seeds:
    """A list of seeds kept as ranges, so that a million of them take no memory."""

    ranges: tuple[range, ...]

    def __len__(self) -> int:
        return sum(map(len, self.ranges))

    def __iter__(self) -> Iterator[int]:
        for part in self.ranges:
            yield from part


def parse_seeds(text: str, *, option: str = "--seeds") -> Seeds:
    """``1,3,5-9`` to seeds, ranges inclusive.

    Args:
        option: what the text was given as, for errors.

    Raises:
        OptionError: naming the part that is not a seed or an ascending range.
    """
    seeds = Seeds(_parse_ranges(text, f"{option} {text}", "seed"))
    last = max(part[-1] for part in seeds.ranges)
    if last > LARGEST_SEED:
        raise OptionError(f"{option} {text}: {last} is above {LARGEST_SEED}, the largest seed")
    return seeds


def parse_layers(text: str, num_ws: int, *, option: str = "--styles") -> list[int]:
    """``0-3,6`` to rows of w+, ascending, each once, for a network with ``num_ws`` of them.

    Raises:
        OptionError: naming the part that is no layer, or a layer that the network does not have.
    """
    ranges = _parse_ranges(text, f"{option} {text}", "layer")
    last = max(part[-1] for part in ranges)
    if last >= num_ws:
        raise OptionError(f"{option} {text}: there is no layer {last}, this network has layers 0 to {num_ws - 1}")
    return sorted({layer for part in ranges for layer in part})


def _parse_ranges(text: str, given: str, noun: str) -> tuple[range, ...]:
    ranges = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if match is None:
            raise OptionError(f"{given}: '{part.strip()}' is no {noun}; expected numbers like 1,3,5-9")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise OptionError(f"{given}: the range {part.strip()} runs backwards; did you mean {last}-{first}?")
        ranges.append(range(first, last + 1))
    return tuple(ranges)


def z_from_seed(seed: int, z_dim: int) -> Tensor:
    """``1 x z_dim`` float32: ``RandomState(seed).randn(1, z_dim)``, as the official scripts draw it."""
    return torch.from_numpy(np.random.RandomState(seed).randn(1, z_dim)).to(torch.float32)
