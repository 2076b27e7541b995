"""Choices of ``vitruvian interpolate``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vitruvian.errors import OptionError
from vitruvian.options.generate import LARGEST_BATCH


@dataclass(frozen=True, kw_only=True)
class InterpolateOptions:
    """Film a walk through the people of several seeds, from the first to the last.

    Example: vitruvian interpolate --seeds 3,14,15 --frames 60 --loop --trunc 0.7
    """

    network: str = "mannequin-body"
    """Name of an embedded network, or a network file."""
    seeds: str = "0-3"
    """The key pictures in their order, two or more, such as 85,100,85; each is also written as seed0085.png."""
    frames: int = 60
    """Frames from one key picture to the next."""
    space: Literal["z", "w"] = "w"
    """Where to walk: w moves evenly; z, as the original, hastes through the middle."""
    easing: Literal["linear", "cubic", "slerp"] = "cubic"
    """How: straight lines, one smooth curve through all keys, or arcs (around the mean person in w)."""
    loop: bool = False
    """Go on from the last seed to the first, so that the film can repeat without a jump."""
    outdir: Path = Path("out")
    """Folder for the film, interpolation.mp4, .gif or a folder of frames, and the key pictures."""
    format: Literal["mp4", "gif", "frames"] = "mp4"
    """H.264 film, GIF, or numbered PNGs, which a rerun continues where an earlier run was stopped."""
    fps: float = 30.0
    """Frames a second."""
    beside: bool = False
    """Show the key pictures before and after at the sides of each frame."""
    trunc: Annotated[float | tuple[float, ...], tyro.conf.arg(metavar="PSI [PSI ...]")] = 0.8
    """Truncation psi: 1 for full variety, 0 for the mean person; one for all, or one for each seed."""
    trunc_cutoff: int | None = None
    """Truncate only that many leading rows of w."""
    noise_mode: Literal["const", "random", "none"] = "const"
    """Fine detail: the stored noise, fresh noise in each frame, or none."""
    class_idx: Annotated[int | None, tyro.conf.arg(name="class")] = None
    """Class of the people, for a network with labels."""
    batch: int = 8
    """Pictures computed at a time."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise OptionError(f"--frames {self.frames}: expected at least 1 from one seed to the next")
        psis = self.trunc if isinstance(self.trunc, tuple) else (self.trunc,)
        if not psis or not all(math.isfinite(psi) for psi in psis):
            raise OptionError(f"--trunc {' '.join(map(str, psis))}: expected finite numbers, such as 0.7")
        if self.trunc_cutoff is not None and self.trunc_cutoff < 0:
            raise OptionError(f"--trunc-cutoff {self.trunc_cutoff}: expected at least 0 rows")
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise OptionError(f"--fps {self.fps}: expected a number above 0, such as 30")
        if not 1 <= self.batch <= LARGEST_BATCH:
            raise OptionError(f"--batch {self.batch}: expected 1 to {LARGEST_BATCH} pictures")
