"""Frames, painted in groups, to a video file or to numbered pictures; memory does not grow with their number."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image

from vitruvian.errors import OptionError
from vitruvian.files import writable_folder
from vitruvian.images import save_png
from vitruvian.provenance import PNG_KEY, SYNTHETIC, png_text, xmp_packet
from vitruvian.video import check_video, partial_path, writing_video

FilmFormat = Literal["mp4", "gif", "frames"]

LARGEST_FRAME = 64_000_000  # pixels; nothing plays more, and from 89 million on Pillow takes a picture for an attack


@dataclass(frozen=True, slots=True)
class FilmProgress:
    done: int
    total: int


class Shot(NamedTuple):
    """What came of a film: the file, or the folder of frames, and how many of them were painted now."""

    path: Path
    painted: int


@dataclass(frozen=True)
class Film:
    """A film to be made.

    Args:
        name: without suffix; it is that of the file, or of the folder of frames.
        facts: go into the film and every frame.
    """

    outdir: Path
    name: str
    format: FilmFormat
    fps: float
    frames: int
    height: int
    width: int
    facts: dict[str, Any]

    @property
    def path(self) -> Path:
        """The file that it will be, or the folder of its frames."""
        return film_path(self.outdir, self.name, self.format)

    def frame_path(self, index: int) -> Path:
        return self.path / f"frame{index:05d}.png"

    def check(self) -> None:
        """Refuse what cannot be written, before anything is computed.

        Raises:
            OptionError: for a size or rate that the format cannot hold, or a folder with frames of a longer film.
        """
        if self.height * self.width > LARGEST_FRAME:
            raise OptionError(
                f"frames would be {self.height}x{self.width}, at most {LARGEST_FRAME:,} pixels fit;"
                " use fewer rows and columns"
            )
        if self.format != "frames":
            if self.path.is_dir():
                raise OptionError(f"{self.path}: is a folder, expected a place for a file; choose another --outdir")
            check_video(self.format, self.height, self.width, self.fps)
            return
        last = max(self.path.glob("frame*.png"), key=_number, default=None)
        if last is not None and _number(last) >= self.frames:
            raise OptionError(
                f"{last} belongs to a longer film than this one of {self.frames} frames;"
                " delete those frames or choose another --outdir"
            )


def film_path(outdir: Path, name: str, film_format: FilmFormat) -> Path:
    """The video file, or the folder of frames."""
    return outdir / (name if film_format == "frames" else f"{name}.{film_format}")


def _number(frame: Path) -> int:
    digits = frame.stem.removeprefix("frame")
    return int(digits) if digits.isdecimal() else -1


def shoot(
    film: Film,
    paint: Callable[[range], Iterable[np.ndarray]],
    *,
    group: int,
    caption: Callable[[int], dict[str, Any]],
    progress: Callable[[FilmProgress], None] | None = None,
) -> Shot:
    """Make the film; with the format "frames", groups that are already there from the same settings are kept.

    Args:
        paint: frames of a range of numbers as uint8 ``H x W x 3``.
        group: frames painted at a time. Groups always start at its multiples, so that a frame comes out the same
            whether or not the run was interrupted.
        caption: what a frame's PNG says of it, besides the facts of the film.
    """

    def report(done: int) -> None:
        if progress is not None:
            progress(FilmProgress(done, film.frames))

    groups = [range(start, min(start + group, film.frames)) for start in range(0, film.frames, group)]
    if film.format == "frames":
        return _save_frames(film, groups, paint, caption, report)
    comment = png_text({**film.facts, "fps": film.fps, "digital_source_type": SYNTHETIC})[PNG_KEY]
    with writing_video(film.path, film.height, film.width, fps=film.fps, comment=comment) as write:
        for numbers in groups:
            for pixels in paint(numbers):
                write(pixels)
            report(numbers.stop)
    return Shot(film.path, film.frames)


def what_is_left(outdir: Path, name: str, film_format: FilmFormat) -> str:
    """One clause for the user who interrupted a film: what there is of it, and how to go on."""
    path = film_path(outdir, name, film_format)
    if film_format == "frames":
        return f"finished frames are kept in {path}, and the same command goes on from there"
    begun = partial_path(path)
    kept = f"its beginning is kept in {begun}" if begun.exists() else "nothing of it was written"
    return f"{path} is not there, {kept}; the same command starts anew, with --format frames it can go on"


def _save_frames(
    film: Film,
    groups: list[range],
    paint: Callable[[range], Iterable[np.ndarray]],
    caption: Callable[[int], dict[str, Any]],
    report: Callable[[int], None],
) -> Shot:
    writable_folder(film.path)
    painted = 0
    for numbers in groups:
        texts = [png_text({**film.facts, "frame": index, **caption(index)}) for index in numbers]
        paths = [film.frame_path(index) for index in numbers]
        if not all(_is_finished(path, film, text) for path, text in zip(paths, texts, strict=True)):
            for pixels, path, text in zip(paint(numbers), paths, texts, strict=True):
                save_png(pixels, path, text=text, xmp=xmp_packet())
            painted += len(numbers)
        report(numbers.stop)
    return Shot(film.path, painted)


def _is_finished(path: Path, film: Film, text: dict[str, str]) -> bool:
    """Whether a frame of the same settings is there; frames appear whole, so its header is enough to tell."""
    try:
        with Image.open(path) as picture:
            said = json.loads(picture.info[PNG_KEY])
            return picture.size == (film.width, film.height) and said == json.loads(text[PNG_KEY])
    except (OSError, ValueError, KeyError, SyntaxError):  # none, or not one of ours
        return False
