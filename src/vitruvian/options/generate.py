"""Choices of ``vitruvian generate``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vitruvian.errors import OptionError

LARGEST_BATCH = 1024


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """Make pictures of people from seeds.

    Example: vitruvian generate --seeds 0-15 --trunc 0.7 --grid
    """

    network: str = "mannequin-body"
    """Name of an embedded network, a file (.safetensors, .pkl, .pt), or an https:// or hf:// address."""
    seeds: str = "0-15"
    """Numbers and inclusive ranges, such as 1,3,5-9; each gives one picture."""
    outdir: Path = Path("out")
    """Folder for the pictures, seed0000.png and so on."""
    trunc: float = 1.0
    """Truncation psi: 1 for full variety, 0 for the mean person, 0.7 for fewer odd ones."""
    trunc_cutoff: int | None = None
    """Truncate only that many leading rows of w."""
    noise_mode: Literal["const", "random", "none"] = "const"
    """Fine detail: the stored noise, noise drawn from the seed, or none."""
    class_idx: Annotated[int | None, tyro.conf.arg(name="class")] = None
    """Class of the person, for a network with labels."""
    translate: str | None = None
    """StyleGAN3: move the picture by x,y to the right and downwards, in picture heights, such as 0.1,0."""
    rotate: float | None = None
    """StyleGAN3: turn the picture by that many degrees, counter-clockwise."""
    grid: bool = False
    """Also write all pictures as one sheet, grid.png."""
    batch: int = 8
    """Pictures computed at a time."""
    dtype: Literal["float32", "bf16"] = "float32"
    """Type of the features between layers: bf16 is faster where the processor has it, and off by a level or so."""
    compile: bool = False
    """Compile the network first: minutes at the start, faster pictures afterwards; needs a C++ compiler."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.trunc):
            raise OptionError(f"--trunc {self.trunc}: expected a finite number, such as 0.7")
        if self.rotate is not None and not math.isfinite(self.rotate):
            raise OptionError(f"--rotate {self.rotate}: expected degrees, such as 15")
        self.movement()
        if self.trunc_cutoff is not None and self.trunc_cutoff < 0:
            raise OptionError(f"--trunc-cutoff {self.trunc_cutoff}: expected at least 0 rows")
        if not 1 <= self.batch <= LARGEST_BATCH:
            raise OptionError(f"--batch {self.batch}: expected 1 to {LARGEST_BATCH} pictures")

    def movement(self) -> tuple[float, float]:
        """``translate`` as numbers.

        Raises:
            OptionError: if it is not two of them.
        """
        try:
            x, y = (float(part) for part in (self.translate or "0,0").split(","))
        except ValueError:
            x = y = math.nan
        if not (math.isfinite(x) and math.isfinite(y)):
            raise OptionError(f"--translate {self.translate}: expected x,y in picture heights, such as 0.1,-0.05")
        return x, y
