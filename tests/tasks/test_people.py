"""The mannequin behind ``dataset synth``: real pictures, few and small."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("warp", reason="needs the extra 'mannequin'")

from vitruvian.data import PictureSet
from vitruvian.mannequin.synth import render_person
from vitruvian.options.dataset import Background, CloseUp, Quality, SynthDatasetOptions
from vitruvian.tasks import people
from vitruvian.tasks.synth import PersonJob, synthesise

SEED = 5


def options(out: Path, **changes: Any) -> SynthDatasetOptions:
    base: dict[str, Any] = {
        "count": 3,
        "poses_per_person": 2,
        "size": "64x32",
        "seed": SEED,
        "quality": "fast",
        "closeups": ("shoes", "face"),
        "closeup_size": "32x32",
        "labels": "full",
        "class_label": "gender",
        "yaw_sigma": 5.0,
        "any_yaw_fraction": 0.0,
    }
    return SynthDatasetOptions(out, **(base | changes))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "people.zip"
    synthesise(options(out, workers=2))
    return out


def arrays(archive: zipfile.ZipFile, number: int) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(archive.read(f"00000/img{number:08d}.npz"))) as loaded:
        return dict(loaded)


def test_pictures_and_their_labels(made: Path) -> None:
    pictures = PictureSet.open(made, use_labels=True)
    assert (len(pictures), pictures.image_shape) == (3, (3, 64, 32))
    lines = [json.loads(line) for line in pictures.read_file("labels.jsonl").splitlines()]
    assert [line["person_seed"] for line in lines] == [people.person_seed(SEED, n) for n in (0, 0, 1)]
    assert [line["pose_index"] for line in lines] == [0, 1, 0]
    assert lines[0]["person"] == lines[1]["person"]
    assert lines[0]["pose"] != lines[1]["pose"]
    with zipfile.ZipFile(made) as archive:
        for number, line in enumerate(lines):
            assert pictures.label(number)[int(line["person"]["gender"] == "male")] == 1
            maps = arrays(archive, number)
            assert {name: a.shape for name, a in maps.items()} == {
                "alpha": (64, 32),
                "semantic": (64, 32),
                "depth": (64, 32),
                "template": (64, 32, 3),
            }
            # The figure fills the height, and whatever is solid has a class and a depth.
            solid = maps["alpha"] == 255
            assert solid.any(axis=1).mean() > 0.8
            assert (maps["semantic"][solid] > 0).all()
            assert (maps["depth"][solid] > 1).all()
            x, y, visibility = line["keypoints"]["nose"]
            assert visibility == 2
            assert maps["alpha"][int(y), int(x)] > 0
            assert y < 20


def test_closeups_enlarge_the_full_picture(made: Path) -> None:
    full = PictureSet.open(made)
    shoes = PictureSet.open(made.with_name("people-shoes.zip"))
    assert (len(shoes), shoes.image_shape) == (3, (3, 32, 32))
    lines = [json.loads(line) for line in shoes.read_file("labels.jsonl").splitlines()]
    for number, line in enumerate(lines):
        assert line["source"] == full.details(number).name
        _, top, width, height = line["window"]
        assert width == height < 64
        assert top > 32  # shoes are below


def test_a_picture_does_not_depend_on_the_others(made: Path) -> None:
    """The third, drawn alone in this process, and the second, wanting after an interruption."""
    pictures = PictureSet.open(made)
    choices = people.mannequin_options(options(made))
    alone = render_person(people.person_seed(SEED, 1), 0, choices).rgb
    np.testing.assert_array_equal(alone.transpose(2, 0, 1), pictures[2][0])
    (second,) = people.render_people(options(made), PersonJob(0, (1,)))
    np.testing.assert_array_equal(second.pixels.transpose(2, 0, 1), pictures[1][0])


def test_one_worker_writes_the_same_bytes(made: Path, tmp_path: Path) -> None:
    synthesise(options(tmp_path / "people.zip", workers=1))
    for name in ("people.zip", "people-face.zip", "people-shoes.zip"):
        assert (tmp_path / name).read_bytes() == made.with_name(name).read_bytes()


def test_hidden_hands_are_left_out() -> None:
    semantic = np.zeros((10, 10), np.uint8)
    assert people.shows("shoes", semantic)
    assert not people.shows("hand", semantic)
    semantic[0, :4] = 5
    assert people.shows("hand", semantic)


def test_every_choice_of_the_command_is_known_to_the_renderer(tmp_path: Path) -> None:
    for quality in Quality.__args__:
        wanted = options(tmp_path, quality=quality, closeups=CloseUp.__args__, backgrounds=Background.__args__)
        assert people.mannequin_options(wanted).quality == quality
