"""Options of the tasks that make and inspect picture sets. Plain data: nothing heavy is imported here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vitruvian.errors import OptionError

CloseUp = Literal["face", "upper", "shoes"]
Background = Literal["white", "studio", "room", "street"]

MAX_SIDE = 4096  # pixels; a mistyped size should not eat the memory


@dataclass(frozen=True)
class SynthOptions:
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
    closeup_size: str = "256x256"
    """Height x width of the close-ups."""
    labels: Literal["none", "basic", "full"] = "basic"
    """What to keep of each picture: nothing; person, outfit, pose and keypoints (in labels.jsonl); or maps of
    classes and depth too (in an .npz beside each picture)."""
    class_label: Literal["none", "gender", "yaw"] = "none"
    """The class in dataset.json, for training with labels: gender (0 female, 1 male) or the side seen (0
    front, then by 45 degrees to 7)."""

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("seed", 0), ("workers", 0), ("poses_per_person", 1)):
            if getattr(self, name) < least:
                raise OptionError(
                    f"--{name.replace('_', '-')} is {getattr(self, name)}, expected at least {least}"
                )
        if not self.backgrounds:
            raise OptionError("--backgrounds is empty, expected at least one kind")
        for option, text in (("--size", self.size), ("--closeup-size", self.closeup_size)):
            parse_size(text, option=option)

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
class InspectOptions:
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
        for name in ("rows", "cols"):
            if getattr(self, name) < 1:
                raise OptionError(f"--{name} is {getattr(self, name)}, expected at least 1")


def parse_size(text: str, *, option: str) -> tuple[int, int]:
    """``1024x512`` or ``512`` (a square) as (height, width); the option is named in errors."""
    match = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text.strip().lower())
    if match is None:
        raise OptionError(f"{option} is {text!r}, expected height x width such as 1024x512")
    height, width = int(match[1]), int(match[2] or match[1])
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise OptionError(f"{option} is {text}, expected sides of 1 to {MAX_SIDE} pixels")
    return height, width


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
