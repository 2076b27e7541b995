"""Making a picture set of synthetic people: many processes, one result whatever their number."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import vitruvian
from vitruvian.data.encoding import encode_arrays, encode_png
from vitruvian.data.writer import PictureSetWriter, picture_name
from vitruvian.errors import DatasetError, MissingExtraError
from vitruvian.options.dataset import SynthDatasetOptions
from vitruvian.tasks.worker_pool import map_unordered

_log = logging.getLogger(__name__)

LICENCE = "CC0-1.0"  # the pictures are our own work, made from licence-clean parts
YAW_CLASSES = 8


@dataclass(frozen=True, slots=True)
class PersonJob:
    """One person in one outfit to be rendered in several poses. Sent to a worker process."""

    person: int  # number of the person in the set
    pictures: tuple[int, ...]  # numbers of the pictures to render


@dataclass(frozen=True)
class RenderedPicture:
    """One finished picture and what is known of it.

    The ``record`` holds ``person.gender`` ('male' or 'female') and ``yaw`` (degrees by which the camera
    stands to the person's left of straight ahead), from which class labels are taken.
    """

    pixels: np.ndarray  # uint8 H x W x 3
    record: Mapping[str, Any]  # JSON values
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)  # maps of the same height and width
    closeups: Mapping[str, RenderedPicture] = field(default_factory=dict)  # those of the asked that show


# Yields the pictures of a job in order; each follows from options.seed, the person and its own number alone.
RenderPerson = Callable[[SynthDatasetOptions, PersonJob], Iterable[RenderedPicture]]


@dataclass(frozen=True, slots=True)
class SynthProgress:
    """How far a run is; handed to the progress callback after every person."""

    done: int  # pictures there, also from a run before
    total: int
    rate: float  # pictures a second in this run


@dataclass(frozen=True)
class SynthReport:
    """What a run made."""

    out: Path
    closeups: dict[str, Path]
    pictures: int
    people: int
    rendered: int  # pictures made by this run; the others were there
    seconds: float
    rate: float  # pictures a second of this run


def synthesise(
    options: SynthDatasetOptions,
    *,
    progress: Callable[[SynthProgress], None] | None = None,
    render: RenderPerson | None = None,
    in_process: bool = False,
) -> SynthReport:
    """Render people into a picture set; see :class:`~vitruvian.options.dataset.SynthDatasetOptions`.

    The files have the same bytes whatever the number of workers. An interrupted run keeps the finished
    pictures in ``NAME.partial/`` beside the goal, and the same call goes on from there; a finished set is
    left as it is. Workers are spawned: a script must be guarded by ``if __name__ == "__main__"``.

    :param render: draws the pictures of one person, picklable; the mannequin by default.
    :param in_process: render here instead of in workers, to debug. Numerical libraries that use several
        threads can then change the last bit of a pixel.
    :raises DatasetError: the goal is taken by something else, or the disk is full.
    :raises MissingExtraError: the mannequin's libraries are not installed.
    """
    started = time.monotonic()
    render = render or _mannequin()
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(PictureSetWriter(path, origin=_origin(options, part)))
            for part, path in set_paths(options).items()
        }
        main = writers[""]
        jobs = plan(options, finished=main)
        found = options.count - sum(len(job.pictures) for job in jobs)
        done = found
        draw = partial(_draw_person, options, render)
        workers = 0 if in_process else min(options.worker_count, len(jobs))
        results = (draw(job) for job in jobs) if workers == 0 else map_unordered(draw, jobs, workers=workers)
        for pictures in stack.enter_context(closing(results)):
            for picture in pictures:
                _store(picture, writers)
            done += len(pictures)
            if progress is not None:
                rate = (done - found) / (time.monotonic() - started)
                progress(SynthProgress(done, options.count, rate))
        _finish(writers)
    rendered, seconds = options.count - found, time.monotonic() - started
    return SynthReport(
        out=options.out,
        closeups={part: writer.path for part, writer in writers.items() if part and writer.is_finished},
        pictures=options.count,
        people=-(-options.count // options.poses_per_person),
        rendered=rendered,
        seconds=seconds,
        rate=rendered / seconds,
    )


def set_paths(options: SynthDatasetOptions) -> dict[str, Path]:
    """The sets that a run writes: the full pictures under ``""``, close-ups under their part's name."""
    out = options.out
    is_zip = out.suffix.lower() == ".zip"
    stem, suffix = (out.stem, out.suffix) if is_zip else (out.name, "")
    return {"": out} | {part: out.with_name(f"{stem}-{part}{suffix}") for part in options.closeups}


def plan(options: SynthDatasetOptions, *, finished: PictureSetWriter | frozenset[int]) -> list[PersonJob]:
    """One job for every person of whom a picture is wanting."""
    jobs = []
    for person, first in enumerate(range(0, options.count, options.poses_per_person)):
        numbers = range(first, min(first + options.poses_per_person, options.count))
        wanting = tuple(number for number in numbers if number not in finished)
        if wanting:
            jobs.append(PersonJob(person, wanting))
    return jobs


def class_label(kind: str, record: Mapping[str, Any]) -> int | None:
    """The class of a picture: see :attr:`SynthDatasetOptions.class_label`."""
    if kind == "gender":
        return int(record["person"]["gender"] == "male")
    if kind == "yaw":
        return round(float(record["yaw"]) / (360 / YAW_CLASSES)) % YAW_CLASSES
    return None


def _mannequin() -> RenderPerson:
    # Asked here, because a worker would only find out after the start and die of it.
    if any(find_spec(library) is None for library in ("warp", "scipy")):
        raise MissingExtraError("rendering synthetic people", "mannequin")
    from vitruvian.tasks.people import render_people

    return render_people


@dataclass(frozen=True)
class _EncodedPicture:
    """A picture ready for its set, with its close-ups; small enough to be sent between processes."""

    part: str
    number: int
    png: bytes
    label: int | None
    record: dict[str, Any] | None
    arrays: bytes | None
    closeups: tuple[_EncodedPicture, ...] = ()


def _draw_person(options: SynthDatasetOptions, render: RenderPerson, job: PersonJob) -> list[_EncodedPicture]:
    """The work of one worker process on one person."""
    try:
        rendered = zip(job.pictures, render(options, job), strict=True)
        return [_encode(options, "", number, picture) for number, picture in rendered]
    except Exception as error:
        error.add_note(f"while rendering person {job.person} (pictures {job.pictures}, seed {options.seed})")
        raise


def _encode(options: SynthDatasetOptions, part: str, number: int, picture: RenderedPicture) -> _EncodedPicture:
    keeps_arrays = options.labels == "full" and bool(picture.arrays)
    return _EncodedPicture(
        part=part,
        number=number,
        png=encode_png(picture.pixels),
        label=class_label(options.class_label, picture.record),
        record=_record(part, number, picture) if options.labels != "none" else None,
        arrays=encode_arrays(picture.arrays) if keeps_arrays else None,
        closeups=tuple(_encode(options, name, number, shot) for name, shot in picture.closeups.items()),
    )


def _record(part: str, number: int, picture: RenderedPicture) -> dict[str, Any]:
    """The line of ``labels.jsonl``: a close-up names the full picture, and that one its close-ups."""
    if part:
        return {"part": part, "source": picture_name(number), **picture.record}
    return {**picture.record, "closeups": list(picture.closeups)}


def _store(picture: _EncodedPicture, writers: Mapping[str, PictureSetWriter]) -> None:
    # Close-ups first: with the full picture in place a run that goes on takes all of them for done.
    for closeup in picture.closeups:
        _store(closeup, writers)
    writer = writers[picture.part]
    if writer.is_finished:  # a run stopped between the renaming of one set and the next
        return
    try:
        writer.add(picture.number, picture.png, label=picture.label, record=picture.record, arrays=picture.arrays)
    except OSError as error:
        raise DatasetError(
            f"{writer.path} cannot be written ({error}): finished pictures are kept;"
            " the same command goes on from there"
        ) from error


def _finish(writers: Mapping[str, PictureSetWriter]) -> None:
    for part, writer in reversed(list(writers.items())):  # the full pictures last, as in _store
        if part and not len(writer) and not writer.is_finished:
            _log.warning("%s: no picture shows this part, so there is no such set", writer.path)
            continue
        writer.finish()


def _origin(options: SynthDatasetOptions, part: str) -> dict[str, Any]:
    """All that the pictures of one set follow from: not the path, not the number of workers."""
    decisive = {key: value for key, value in asdict(options).items() if key not in ("out", "workers")}
    return {
        "program": f"vitruvian {vitruvian.__version__}",
        "licence": LICENCE,
        "task": "dataset synth",
        "part": part or "body",
        **decisive,
    }
