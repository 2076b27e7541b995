"""The mannequin as the renderer of a picture set: the choices of a command in, its samples out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vitruvian.mannequin.labels import KEYPOINT_NAMES, Semantic
from vitruvian.mannequin.synth import Sample, SynthOptions, person_pictures
from vitruvian.options.dataset import SynthDatasetOptions
from vitruvian.tasks.synth import PersonJob, RenderedPicture

_PERSON_BITS = 32
_LEAST_HAND = 0.04  # share of a hand close-up that must be hand: it can be in a pocket or behind the back


def render_people(options: SynthDatasetOptions, job: PersonJob) -> Iterator[RenderedPicture]:
    """The pictures of one person; see :data:`vitruvian.tasks.synth.RenderPerson`."""
    first = job.person * options.poses_per_person
    poses = [number - first for number in job.pictures]
    for sample in person_pictures(person_seed(options.seed, job.person), poses, mannequin_options(options)):
        yield _picture(sample)


def person_seed(seed: int, person: int) -> int:
    """The integer that a person follows from: runs of different seeds have nobody in common."""
    return (seed << _PERSON_BITS) + person


def mannequin_options(options: SynthDatasetOptions) -> SynthOptions:
    """What the renderer is asked for."""
    height, width = options.height_width
    return SynthOptions(
        height=height,
        width=width,
        backgrounds=options.backgrounds,
        yaw_sigma=options.yaw_sigma,
        any_yaw_fraction=options.any_yaw_fraction,
        quality=options.quality,
        closeups=options.closeups,
        closeup_size=options.closeup_height_width,
        labels=options.labels != "none",
    )


def shows(part: str, semantic: np.ndarray) -> bool:
    """Whether a close-up is worth keeping; semantic: H x W of ``labels.Semantic``.

    Faces turned away are left out by the renderer already; bodies and shoes show from every side.
    """
    return part != "hand" or float((semantic == Semantic.HAND).mean()) >= _LEAST_HAND


def _picture(sample: Sample) -> RenderedPicture:
    record: dict[str, Any] = dict(sample.record)
    if sample.keypoints is not None:
        hundredths = sample.keypoints.astype(np.float64).round(2)  # of a pixel
        record["keypoints"] = dict(zip(KEYPOINT_NAMES, hundredths.tolist(), strict=True))
    arrays = {"alpha": sample.alpha, "semantic": sample.semantic}
    if sample.depth is not None:
        arrays["depth"] = sample.depth
    if sample.template is not None:
        arrays["template"] = sample.template
    closeups = {part: _picture(shot) for part, shot in sample.closeups.items() if shows(part, shot.semantic)}
    return RenderedPicture(sample.rgb, record, arrays, closeups)
