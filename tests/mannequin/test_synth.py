"""Pictures from one integer: same seed same bytes, labels that agree with the picture."""

from __future__ import annotations

import json
import multiprocessing

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation

from vitruvian.errors import OptionError
from vitruvian.mannequin import synth
from vitruvian.mannequin.labels import KEYPOINT_NAMES, Semantic, Visibility
from vitruvian.mannequin.synth import Sample, SynthOptions

pytest.importorskip("warp", reason="the extra 'mannequin' is not installed")

OPTIONS = SynthOptions(height=192, width=96, any_yaw_fraction=0.0, quality="fast")
SEEDS = tuple(range(8))


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [synth.render_person(seed, 0, OPTIONS) for seed in SEEDS]


def _picture(arguments: tuple[int, int]) -> bytes:
    return synth.render_person(*arguments, OPTIONS).rgb.tobytes()


def test_shapes_and_types(samples: list[Sample]) -> None:
    for sample in samples:
        assert sample.rgb.shape == (192, 96, 3)
        for plane in (sample.rgb, sample.alpha, sample.semantic):
            assert plane.dtype == np.uint8
        assert sample.keypoints is not None
        assert sample.keypoints.shape == (18, 3)
        assert sample.depth is not None
        assert sample.template is not None
        assert sample.depth.dtype == sample.template.dtype == np.float16
        assert sample.template.shape == (192, 96, 3)
        json.dumps(sample.record)


def test_a_picture_alone_equals_the_picture_in_a_series_and_in_another_process() -> None:
    series = [sample.rgb.tobytes() for sample in synth.person_pictures(3, 3, OPTIONS)]
    assert len(set(series)) == 3
    assert synth.render_person(3, 2, OPTIONS).rgb.tobytes() == series[2]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(_picture, [(3, 1)]) == [series[1]]


def test_poses_change_and_the_person_stays() -> None:
    first, second = synth.person_pictures(5, [0, 4], OPTIONS)
    assert first.record["person"] == second.record["person"]
    assert first.record["outfit"] == second.record["outfit"]
    assert first.record["pose"] != second.record["pose"]


def test_a_whole_figure_stands_in_every_picture(samples: list[Sample]) -> None:
    for sample in samples:
        inside = sample.alpha > 127
        rows, columns = np.nonzero(inside)
        assert rows.max() - rows.min() > 0.8 * 192 or columns.max() - columns.min() > 0.8 * 96
        edge = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
        assert not edge.any()
        np.testing.assert_array_equal(sample.semantic[sample.alpha == 0], Semantic.BACKGROUND)


def test_faces_are_seen_from_the_front(samples: list[Sample]) -> None:
    for sample in samples:
        if abs(sample.record["yaw"]) < 40:
            assert (sample.semantic == Semantic.FACE).sum() > 60, sample.record["person_seed"]


def test_no_hair_before_the_middle_of_the_face(samples: list[Sample]) -> None:
    for sample in samples:
        assert sample.template is not None
        x, y, z = sample.template.astype(np.float32).transpose(2, 0, 1)
        middle = (np.abs(x) < 0.03) & (z > 0.82) & (z < 0.89) & (y < -0.06)
        assert not (sample.semantic[middle] == Semantic.HAIR).any(), sample.record["person_seed"]


def test_no_skin_inside_clothes(samples: list[Sample]) -> None:
    """Belly and thighs under the waistband are always dressed, whatever the outfit."""
    for sample in samples:
        assert sample.template is not None
        x, _, z = sample.template.astype(np.float32).transpose(2, 0, 1)
        covered = (z > 0.05) & (z < 0.16) & (np.abs(x) < 0.12)
        skin = np.isin(sample.semantic, (Semantic.TORSO_SKIN, Semantic.LEG))
        assert not (covered & skin).any(), sample.record["person_seed"]


def test_keypoints_lie_on_the_figure(samples: list[Sample]) -> None:
    for sample in samples:
        assert sample.keypoints is not None
        near = binary_dilation(sample.alpha > 0, iterations=4)
        for name, (x, y, seen) in zip(KEYPOINT_NAMES, sample.keypoints, strict=True):
            assert seen in (Visibility.HIDDEN, Visibility.SEEN)
            assert near[int(y), int(x)], (sample.record["person_seed"], name)
        yaw = sample.record["yaw"]
        if abs(yaw) < 40:  # facing the camera, the left shoulder is on the right
            by_name = dict(zip(KEYPOINT_NAMES, sample.keypoints, strict=True))
            assert by_name["left_shoulder"][0] > by_name["right_shoulder"][0]


def _thumbnail(rgb: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """16 x 16 mean colours of a part (left, top, right, bottom) of a picture."""
    return np.asarray(Image.fromarray(rgb).resize((16, 16), Image.Resampling.BOX, box=box), float)


def test_close_ups_enlarge_the_full_picture() -> None:
    options = SynthOptions(any_yaw_fraction=0.0, closeups=("face", "shoes", "upper"), closeup_size=(96, 96))
    for seed in (1, 2, 3):
        sample = synth.render_person(seed, 0, options)
        assert set(sample.closeups) == {"face", "shoes", "upper"}
        for kind, close in sample.closeups.items():
            left, top, width, height = close.record["window"]
            box = (max(left, 0), max(top, 0), min(left + width, 128), min(top + height, 256))
            scale = 96 / height
            close_box = tuple((b - o) * scale for b, o in zip(box, (left, top, left, top), strict=True))
            difference = np.abs(_thumbnail(close.rgb, close_box) - _thumbnail(sample.rgb, box))
            assert np.median(difference) < 4, kind
            assert difference.mean() < 7, kind
        assert (sample.closeups["shoes"].semantic == Semantic.SHOES).mean() > 0.05


def test_a_face_seen_from_behind_gives_no_close_up() -> None:
    options = SynthOptions(closeups=("face",), any_yaw_fraction=1.0, height=96, width=48, quality="fast")
    seen = {}
    for index in range(12):
        recipe = synth.sample_recipe(0, index, options)
        if abs(recipe.view.yaw) > 140 or abs(recipe.view.yaw) < 40:
            sample = synth.render(synth.build_figure(0), recipe, options)
            seen[abs(recipe.view.yaw) < 90] = "face" in sample.closeups
    assert seen == {True: True, False: False}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"backgrounds": ("moon",)}, "backgrounds"),
        ({"closeups": ("ear",)}, "closeups"),
        ({"quality": "best"}, "quality"),
        ({"height": 8}, "16 pixels"),
        ({"background_weights": (1.0,)}, "background_weights"),
    ],
)
def test_wrong_options_are_named(changes: dict, named: str) -> None:
    with pytest.raises(OptionError, match=named):
        SynthOptions(**changes)
