"""Choices of ``vitruvian bench``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vitruvian.errors import OptionError

GENERATE_CASES = ("stylegan2-1024x512", "stylegan2-512x256", "stylegan2-256x128", "stylegan3-r-256x256")


@dataclass(frozen=True, kw_only=True)
class BenchGenerateOptions:
    """Milliseconds a picture on one thread, against the textbook form of the same networks in the same run.

    Example: vitruvian bench generate --only stylegan2-1024x512
    """

    only: tuple[str, ...] = ()
    """Some of the networks: stylegan2-1024x512, stylegan2-512x256, stylegan2-256x128, stylegan3-r-256x256."""
    rounds: int = 3
    """Turns of each contestant; the least time counts."""
    dtype: Literal["float32", "bf16"] = "float32"
    """Type of the features in ours; the textbook form stays in float32."""
    compile: bool = False
    """Compile ours first (needs a C++ compiler; takes minutes)."""

    def __post_init__(self) -> None:
        for name in self.only:
            if name not in GENERATE_CASES:
                raise OptionError(f"--only {name}: expected some of {', '.join(GENERATE_CASES)}")
        if self.rounds < 1:
            raise OptionError(f"--rounds {self.rounds}: expected at least 1")

    def cases(self) -> tuple[str, ...]:
        """Names of the networks to measure."""
        return self.only or GENERATE_CASES
