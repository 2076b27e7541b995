"""A stand-in for the mannequin: coloured noise that follows from seed, person and picture number."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import numpy as np

from vitruvian.options.dataset import SynthDatasetOptions
from vitruvian.tasks.synth import PersonJob, RenderedPicture


def render(options: SynthDatasetOptions, job: PersonJob) -> Iterator[RenderedPicture]:
    gender = "male" if job.person % 2 else "female"
    for number in job.pictures:
        rng = np.random.default_rng([options.seed, job.person, number])
        height, width = options.height_width
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        record = {"person": {"number": job.person, "gender": gender}, "yaw": 45.0 * number - 180}
        shots = {
            part: RenderedPicture(pixels[:4, :4], {**record, "window": [0, 0, 4, 4]})
            for part in options.closeups
            if part != "face" or number % 2 == 0  # every second one is seen from behind
        }
        yield RenderedPicture(pixels, record, {"depth": pixels[:, :, 0].astype(np.float32)}, shots)


def render_slowly(options: SynthDatasetOptions, job: PersonJob) -> Iterator[RenderedPicture]:
    time.sleep(0.2)
    return render(options, job)


def render_badly(options: SynthDatasetOptions, job: PersonJob) -> Iterator[RenderedPicture]:
    if job.person == 1:
        raise RuntimeError("no such shoe")
    return render(options, job)


def render_never(options: SynthDatasetOptions, job: PersonJob) -> Iterator[RenderedPicture]:
    raise AssertionError("nothing was to be rendered")


def die(options: SynthDatasetOptions, job: PersonJob) -> Iterator[RenderedPicture]:
    os._exit(9)  # as the kernel does to a process for want of memory
