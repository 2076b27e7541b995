"""Choices of ``vitruvian train gan``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vitruvian.errors import OptionError

Recipe = Literal["auto", "stylegan2", "paper256", "paper512", "paper1024", "shhq", "mannequin"]
Device = Literal["auto", "cpu", "cuda", "mps"]

LARGEST_SEED = 2**32 - 1  # what numpy's RandomState takes
LONGEST_DESC = 100  # characters


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Train a StyleGAN2 on a picture set.

    What is not given follows from --cfg and the size of the pictures; the numbers are shown before the run starts.
    A run is stopped with ctrl-C and goes on with --resume.

    Example: vitruvian train gan --data people.zip --cfg mannequin --mirror
    """

    data: Path | None = None
    """Picture set: folder or zip in the official layout. Not needed with --resume."""
    outdir: Path = Path("runs")
    """Parent of the run folders."""
    cfg: Recipe = "auto"
    """Base configuration; the official names mean the official numbers."""
    resume: str | None = None
    """Go on with a run: its folder, or 'latest' for the newest one in --outdir."""
    kimg: int | None = None
    """Length of the run in thousands of pictures shown to the discriminator."""
    batch: int | None = None
    """Pictures in one step."""
    batch_gpu: int | None = None
    """Pictures in one pass; smaller values need less memory and accumulate gradients."""
    gamma: float | None = None
    """Weight of the R1 penalty."""
    mirror: bool = False
    """Show every picture also mirrored left to right."""
    cond: bool = False
    """Train on the labels of dataset.json."""
    subset: int | None = None
    """Use only that many pictures, drawn with --seed."""
    seed: int = 0
    """Seed of everything random."""
    tick: int | None = None
    """Thousands of pictures between two lines of the log, each with a saved state: 4 unless given."""
    snap: int | None = None
    """Ticks between two snapshots of network and pictures: 50 unless given."""
    cbase: int | None = None
    """Feature maps: a block of height r has cbase / r of them."""
    cmax: int | None = None
    """Largest number of feature maps."""
    map_depth: int | None = None
    """Layers of the mapping network."""
    latent: int | None = None
    """Size of z and w."""
    mbstd_group: int | None = None
    """Pictures in one group of the minibatch deviation."""
    glr: float | None = None
    """Learning rate of the generator."""
    dlr: float | None = None
    """Learning rate of the discriminator."""
    pl_weight: float | None = None
    """Weight of the path length penalty; 0 leaves it out."""
    mixing: float | None = None
    """Probability of style mixing."""
    device: Device = "auto"
    """Where to compute."""
    desc: str = ""
    """Text at the end of the run folder's name."""
    dry_run: bool = False
    """Show the plan and stop."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST_SEED:
            raise OptionError(f"--seed {self.seed}: expected 0 to {LARGEST_SEED}")
        if self.subset is not None and self.subset < 1:
            raise OptionError(f"--subset {self.subset}: expected at least 1 picture")
        if "/" in self.desc or "\\" in self.desc or not self.desc.isprintable() or len(self.desc) > LONGEST_DESC:
            raise OptionError(
                f"--desc {self.desc!r}: expected a part of a folder's name, at most {LONGEST_DESC} characters, no slash"
            )
