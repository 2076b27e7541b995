"""Choices of ``vitruvian mix``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vitruvian.errors import OptionError
from vitruvian.options.generate import LARGEST_BATCH


@dataclass(frozen=True, kw_only=True)
class MixOptions:
    """Give people of the rows the styles of people of the columns: a sheet of all pairs, or a video.

    Low layers carry pose and body, middle ones the kind of clothes, high ones colours.

    Example: vitruvian mix --rows 85,100 --cols 75,458 --styles 0-3
    """

    network: str = "mannequin-body"
    """Name of an embedded network, or a network file."""
    rows: str = "0-3"
    """Seeds of the people that are changed, one row each."""
    cols: str = "4-9"
    """Seeds of the people that give the styles, one column each."""
    styles: str = "0-6"
    """Layers that come from the columns; the others stay those of the rows."""
    outdir: Path = Path("out")
    """Folder for grid.png, a picture of each pair (85-75.png) and seed (seed0085.png); or for the video."""
    video: bool = False
    """Instead of the sheet: let the people of the rows change smoothly, in a loop, while those of the columns stay."""
    format: Literal["mp4", "gif", "frames"] = "mp4"
    """With --video: H.264 film, GIF, or numbered PNGs, which a rerun continues."""
    duration: float = 10.0
    """With --video: its length in seconds."""
    fps: float = 30.0
    """With --video: frames a second."""
    overlap: int | None = None
    """With --video: pixels that neighbours share, as people stand clear of the edge; by default 6 % of the width."""
    trunc: float = 0.8
    """Truncation psi: 1 for full variety, 0 for the mean person."""
    trunc_cutoff: int | None = None
    """Truncate only that many leading rows of w."""
    noise_mode: Literal["const", "random", "none"] = "const"
    """Fine detail: the stored noise, noise drawn from the row's seed (in a video anew for each frame), or none."""
    class_idx: Annotated[int | None, tyro.conf.arg(name="class")] = None
    """Class of the people, for a network with labels."""
    batch: int = 8
    """Pictures computed at a time."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.trunc):
            raise OptionError(f"--trunc {self.trunc}: expected a finite number, such as 0.7")
        if self.trunc_cutoff is not None and self.trunc_cutoff < 0:
            raise OptionError(f"--trunc-cutoff {self.trunc_cutoff}: expected at least 0 rows")
        if not (math.isfinite(self.duration) and self.duration > 0):
            raise OptionError(f"--duration {self.duration}: expected a number of seconds above 0, such as 10")
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise OptionError(f"--fps {self.fps}: expected a number above 0, such as 30")
        if self.overlap is not None and self.overlap < 0:
            raise OptionError(f"--overlap {self.overlap}: expected at least 0 pixels")
        if not 1 <= self.batch <= LARGEST_BATCH:
            raise OptionError(f"--batch {self.batch}: expected 1 to {LARGEST_BATCH} pictures")
