"""The camera: projection, framing, close-ups as exact windows, backgrounds that agree between views."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.mannequin.camera import CLOSE_UP_HEIGHTS, Window, frame, look_at, window_around
from vitruvian.mannequin.labels import Visibility, coarse, keypoint_visibility


@pytest.fixture
def figure() -> np.ndarray:
    rng = np.random.default_rng(0)
    upright = np.linspace(0, 1.75, 400)
    return np.stack([rng.normal(0, 0.2, 400), rng.normal(0, 0.1, 400), upright], 1)


def test_projection_has_x_to_the_right_and_y_down() -> None:
    camera = look_at(np.array([0.0, -4.0, 1.0]), np.array([0.0, 0.0, 1.0]), focal=400.0, height=256, width=128)
    # the person's left (+x) is on the right of a picture taken from the front (-y)
    xy = camera.project(np.array([[0.0, 0.0, 1.0], [0.1, 0.0, 1.0], [0.0, 0.0, 1.2]]))
    np.testing.assert_allclose(xy, [[64, 128], [74, 128], [64, 108]], atol=1e-9)


@pytest.mark.parametrize("yaw", [0.0, 75.0, -160.0])
def test_framing_centres_the_outline(figure: np.ndarray, yaw: float) -> None:
    camera = frame(figure, yaw=yaw, height=256, width=128, fill=0.9)
    xy = camera.project(figure)
    low, high = xy.min(0), xy.max(0)
    np.testing.assert_allclose((low + high) / 2, [64, 128], atol=1e-6)
    assert max((high[1] - low[1]) / 256 / 0.9, (high[0] - low[0]) / 128 / 0.94) == pytest.approx(1)


def test_rays_undo_projection(figure: np.ndarray) -> None:
    camera = frame(figure, yaw=20.0, height=256, width=128)
    xy = camera.project(figure)
    offset = figure - camera.origin
    expected = offset / (offset @ camera.forward)[:, None]
    np.testing.assert_allclose(camera.rays(xy[:, 0], xy[:, 1]), expected, atol=1e-9)


def test_close_up_enlarges_its_window_exactly(figure: np.ndarray) -> None:
    camera = frame(figure, yaw=-10.0, height=256, width=128)
    window = Window(30.0, 12.0, 40.0, 40.0)
    close = camera.view(window, 100, 100)
    np.testing.assert_allclose(
        close.project(figure), (camera.project(figure) - [window.left, window.top]) * 2.5, atol=1e-9
    )


def test_windows_have_the_share_of_their_kind_or_hold_all_points(figure: np.ndarray) -> None:
    camera = frame(figure, yaw=0.0, height=512, width=256)
    face = window_around(camera, "face", figure[-10:], shape=(256, 256))
    assert face.height == pytest.approx(CLOSE_UP_HEIGHTS["face"] * 512)
    wide = window_around(camera, "shoes", figure, shape=(128, 256), fit=True)
    assert wide.width == pytest.approx(2 * wide.height)
    xy = camera.project(figure) - [wide.left, wide.top]
    assert (xy >= 0).all()
    assert (xy <= [wide.width, wide.height]).all()


def test_keypoints_are_hidden_by_nearer_surfaces() -> None:
    depth = np.zeros((4, 4))
    depth[1, 1], depth[2, 2] = 3.0, 3.95
    xy = np.array([[1.5, 1.5], [2.5, 2.5], [0.5, 0.5], [9.0, 1.0]])
    seen = keypoint_visibility(xy, np.full(4, 4.0), depth)
    assert seen.tolist() == [Visibility.HIDDEN, Visibility.SEEN, Visibility.SEEN, Visibility.OUTSIDE]


def test_coarse_classes() -> None:
    assert coarse(np.array([[0, 1, 2], [5, 12, 13]])).tolist() == [[0, 1, 2], [3, 4, 6]]
