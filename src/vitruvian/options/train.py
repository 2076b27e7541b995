"""Choices of ``vitruvian train gan``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Recipe = Literal["auto", "stylegan2", "paper256", "paper512", "paper1024", "shhq", "mannequin"]
Device = Literal["auto", "cpu", "cuda", "mps"]


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
    tick: int = 4
    """Thousands of pictures between two lines of the log, each with a saved state."""
    snap: int = 50
    """Ticks between two snapshots of network and pictures."""
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
