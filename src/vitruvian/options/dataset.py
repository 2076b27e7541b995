"""Options of the tasks that make and inspect picture sets. Plain data: nothing heavy is imported here."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vitruvian.errors import OptionError

CloseUp = Literal["face", "upper", "hand", "shoes"]
Background = Literal["white", "studio", "room", "street"]
Quality = Literal["fast", "good", "better", "fine"]

LEAST_SIDE, MOST_SIDE = 16, 4096  # pixels; nothing can be seen on fewer, and more is a slip of the finger


@dataclass(frozen=True)
class SynthDatasetOptions:
    """Render synthetic people into a picture set in the format of the StyleGAN tools.

    The pictures follow from the seed alone, whatever the number of workers. A run that was stopped goes on
    when the same command is given again.

    Example: vitruvian dataset synth people.zip --count 20000 --size 256x128 --closeups face shoes
    """

    out: Path
    """Where to write: a file ending in .zip, or a folder. Close-ups go beside it, such as people-face.zip."""
    count: int = 1000
    """Number of full-body pictures."""
    size: str = "256x128"
    """Height x width of the full-body pictures, such as 1024x512."""
    seed: int = 0
    """Decides everything in the pictures."""
    workers: int = 0
    """Processes to use; 0 stands for one a processor core."""
    poses_per_person: int = 4
    """Pictures of each person in the same clothes, in different poses; cheaper than as many people."""
    backgrounds: tuple[Background, ...] = ("white", "studio", "room", "street")
    """Kinds of background to draw from."""
    closeups: tuple[CloseUp, ...] = ()
    """Sets of details to write as well, each picture an enlargement of the full one of the same number."""
    closeup_size: str = "128x128"
    """Height x width of the close-ups."""
    quality: Quality = "good"
    """Rays a pixel: few and fast, or many for show pieces."""
    yaw_sigma: float = 20.0
    """Spread of the angle that people are turned from the camera, in degrees."""
    any_yaw_fraction: float = 0.15
    """Share of pictures seen from any side instead."""
    labels: Literal["none", "basic", "full"] = "basic"
    """What to keep of each picture: nothing; person, outfit, pose and keypoints (in labels.jsonl); or maps of
    classes and depth too (in an .npz beside each picture)."""
    class_label: Literal["none", "gender", "yaw"] = "none"
    """The class in dataset.json, for training with labels: gender (0 female, 1 male) or the side seen (0
    front, then by 45 degrees to 7)."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("count", 1, math.inf),
            ("seed", 0, math.inf),
            ("workers", 0, math.inf),
            ("poses_per_person", 1, math.inf),
            ("yaw_sigma", 0, 180),
            ("any_yaw_fraction", 0, 1),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                limit = f"at least {least}" if most == math.inf else f"{least} to {most}"
                raise OptionError(f"--{name.replace('_', '-')} is {value}, expected {limit}")
        if self.out.name in ("", ".."):
            raise OptionError(f"OUT is {self.out}, expected the name of a folder or .zip file to be made")
        if not self.backgrounds:
            raise OptionError("--backgrounds is empty, expected at least one kind")
        parse_size(self.size, option="--size")
        parse_size(self.closeup_size, option="--closeup-size")

    @property
    def height_width(self) -> tuple[int, int]:
        return parse_size(self.size, option="--size")

    @property
    def closeup_height_width(self) -> tuple[int, int]:
        return parse_size(self.closeup_size, option="--closeup-size")

    @property
    def worker_count(self) -> int:
        return self.workers or available_cores()


@dataclass(frozen=True)
class InspectDatasetOptions:
    """Tell what a picture set holds: number, size, labels, bytes; checks the header of every picture.

    Example: vitruvian dataset info people.zip --sheet people.png
    """

    data: Path
    """The picture set: a folder or a .zip file."""
    sheet: Path | None = None
    """Also write a sheet of sample pictures to this file (.png or .jpg)."""
    rows: int = 4
    """Rows of the sheet."""
    cols: int = 8
    """Columns of the sheet."""
    seed: int = 0
    """Decides which pictures are on the sheet."""

    def __post_init__(self) -> None:
        for name, least in (("rows", 1), ("cols", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise OptionError(f"--{name} is {getattr(self, name)}, expected at least {least}")


def parse_size(text: str, *, option: str) -> tuple[int, int]:
    """``1024x512`` or ``512`` (a square) as (height, width); the option is named in errors."""
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text.strip().lower())
    if match is None:
        raise OptionError(f"{option} is {text!r}, expected height x width such as 1024x512")
    height, width = int(match[1]), int(match[2] or match[1])
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in (height, width)):
        raise OptionError(f"{option} is {text}, expected sides of {LEAST_SIDE} to {MOST_SIDE} pixels")
    return height, width


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
