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


def parse_seeds(text: str) -> Seeds:
    """``1,3,5-9`` to seeds, ranges inclusive.

    Raises:
        OptionError: naming the part that is not a seed or an ascending range.
    """
    ranges = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if match is None:
            raise OptionError(f"--seeds {text}: '{part.strip()}' is no seed; expected numbers like 1,3,5-9")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise OptionError(f"--seeds {text}: the range {part.strip()} runs backwards; did you mean {last}-{first}?")
        if last > LARGEST_SEED:
            raise OptionError(f"--seeds {text}: {last} is above {LARGEST_SEED}, the largest seed")
        ranges.append(range(first, last + 1))
    return Seeds(tuple(ranges))


def z_from_seed(seed: int, z_dim: int) -> Tensor:
    """``1 x z_dim`` float32: ``RandomState(seed).randn(1, z_dim)``, as the official scripts draw it."""
    return torch.from_numpy(np.random.RandomState(seed).randn(1, z_dim)).to(torch.float32)
