"""The ray caster on simple shapes, where the right answer is known."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from vitruvian.mannequin.camera import Camera, Window, look_at
from vitruvian.mannequin.fabric import solid
from vitruvian.mannequin.finish import compose, quantise, tone
from vitruvian.mannequin.labels import Semantic
from vitruvian.mannequin.light import PRESETS
from vitruvian.mannequin.materials import MaterialTable, Slot
from vitruvian.mannequin.mesh import Piece
from vitruvian.mannequin.renderer import Channels, Quality, Scene

WITHOUT_WARP = """
import sys
sys.modules["warp"] = None
from vitruvian.errors import MissingExtraError
from vitruvian.mannequin import synth, renderer
try:
    renderer.Scene([], None, None)
except MissingExtraError as error:
    assert "vitruvian[mannequin]" in str(error)
else:
    raise SystemExit("no error")
"""
CENTRE = np.array([0.0, 0.0, 1.0])
RADIUS = 0.3


def at(*xyz: float) -> np.ndarray:
    return np.array(xyz)


def ball(centre: np.ndarray, radius: float, slot: Slot, rows: int = 48) -> Piece:
    polar, turn = np.meshgrid(np.linspace(0, np.pi, rows), np.linspace(0, 2 * np.pi, 2 * rows), indexing="ij")
    normals = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], -1)
    index = np.arange(polar.size).reshape(polar.shape)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, b, d], -1), np.stack([a, d, c], -1)]).reshape(-1, 3)
    normals = normals.reshape(-1, 3)
    vertices = centre + radius * normals
    return Piece(vertices, triangles, normals, vertices, np.zeros((len(vertices), 4)), slot)


def materials() -> MaterialTable:
    table = MaterialTable()
    table.set_plain(Slot.TOP, (0.5, 0.1, 0.1), Semantic.TOP, specular=0.0)
    table.set_cloth(Slot.BOTTOM, solid("navy"), Semantic.BOTTOM)
    return table


def scene(*pieces: Piece) -> Scene:
    return Scene(pieces, materials(), np.zeros((4, 4, 4), np.float32))


@pytest.fixture(scope="module")
def camera() -> Camera:
    pytest.importorskip("warp", reason="the extra 'mannequin' is not installed")
    return look_at(CENTRE + at(0, -4, 0), CENTRE, focal=300.0, height=96, width=64)


@pytest.fixture(scope="module")
def one_ball(camera: Camera) -> Channels:
    return scene(ball(CENTRE, RADIUS, Slot.TOP)).render(camera, PRESETS["studio"], quality=Quality(), seed=3)


def test_outline_depth_and_template_are_exact(one_ball: Channels, camera: Camera) -> None:
    apparent = camera.focal * RADIUS / np.sqrt(16 - RADIUS**2)
    assert one_ball.alpha.sum() == pytest.approx(np.pi * apparent**2, rel=0.01)
    middle = one_ball.depth[46:50, 30:34]
    np.testing.assert_allclose(middle, 4 - RADIUS, atol=2e-3)
    # this ball's template coordinates are its world coordinates, so they project back to their pixel
    row, column = np.nonzero(one_ball.alpha == 1)
    xy = camera.project(one_ball.template[row, column])
    np.testing.assert_allclose(xy, np.stack([column, row], 1) + 0.5, atol=0.51)


def test_classes_follow_the_material(one_ball: Channels) -> None:
    assert set(np.unique(one_ball.semantic)) == {Semantic.BACKGROUND, Semantic.TOP}
    np.testing.assert_array_equal(one_ball.slot >= 0, one_ball.alpha > 0)


def test_light_comes_from_its_side_and_shadow_falls_on_the_other(camera: Camera) -> None:
    low = ball(np.array([0.0, 0.0, 0.3]), RADIUS, Slot.TOP)
    above = look_at(np.array([0.0, -3.0, 2.0]), np.array([0.0, 0.0, 0.2]), focal=150.0, height=96, width=96)
    sun = PRESETS["sun"]
    seen = scene(low).render(above, sun, quality=Quality(occlusion_rays=2), seed=0)
    ground = seen.alpha == 0
    column = np.broadcast_to(np.arange(96), (96, 96))
    lit_on_the_left = sun.direction[0] < 0
    assert lit_on_the_left
    shade = np.where(ground, seen.shadow[..., 0], 0)
    assert (shade * column).sum() / shade.sum() > 52
    light = seen.rgb.sum(-1)
    assert (light * column).sum() / light.sum() < 47


def test_same_seed_same_bytes_and_moving_equals_building(camera: Camera) -> None:
    still = ball(CENTRE, RADIUS, Slot.BOTTOM)
    moved = replace(still, vertices=still.vertices + at(0.1, 0, 0.1))
    mover = scene(still)
    mover.render(camera, PRESETS["sun"], quality=Quality(), seed=5)
    mover.move([moved])
    a = mover.render(camera, PRESETS["sun"], quality=Quality(), seed=5)
    b = scene(moved).render(camera, PRESETS["sun"], quality=Quality(), seed=5)
    c = scene(moved).render(camera, PRESETS["sun"], quality=Quality(), seed=6)
    np.testing.assert_array_equal(a.rgb, b.rgb)
    np.testing.assert_array_equal(a.semantic, b.semantic)
    assert not np.array_equal(b.rgb, c.rgb)


def test_a_close_up_shrinks_to_its_window_of_the_full_picture(camera: Camera) -> None:
    pieces = [ball(CENTRE, RADIUS, Slot.BOTTOM), ball(CENTRE + at(0.15, -0.3, 0.2), 0.08, Slot.TOP)]
    full = scene(*pieces).render(camera, PRESETS["studio"], quality=Quality(grid=3), seed=1)
    window = Window(16, 24, 32, 32)
    close = scene(*pieces).render(camera.view(window, 128, 128), PRESETS["studio"], quality=Quality(grid=2), seed=2)
    shrunk = close.rgb.reshape(32, 4, 32, 4, 3).mean((1, 3))
    difference = np.abs(shrunk - full.rgb[24:56, 16:48])
    assert difference.mean() < 0.006
    assert np.median(difference) < 0.004


def test_openness_darkens_where_surfaces_meet(camera: Camera) -> None:
    alone = scene(ball(CENTRE, RADIUS, Slot.TOP))
    pair = scene(ball(CENTRE, RADIUS, Slot.TOP), ball(CENTRE + at(0, 0, -0.55), RADIUS, Slot.TOP))
    a, b = (s.render(camera, PRESETS["overcast"], quality=Quality(), seed=0) for s in (alone, pair))
    top, bottom = slice(28, 34), slice(64, 68)
    np.testing.assert_allclose(a.rgb[top, 28:36].mean(), b.rgb[top, 28:36].mean(), rtol=0.03)
    assert b.rgb[bottom, 28:36].mean() < 0.9 * a.rgb[bottom, 28:36].mean()


def test_finish_keeps_the_background_where_nobody_stands() -> None:
    background = np.full((2, 2, 3), 0.18, np.float32)
    alpha = np.array([[0, 1], [0.5, 0]], np.float32)
    rgb = np.full((2, 2, 3), 0.4, np.float32) * alpha[..., None]
    laid = compose(rgb, alpha, np.zeros((2, 2, 2), np.float32), background)
    np.testing.assert_allclose(laid[..., 0], [[0.18, 0.4], [0.29, 0.18]], atol=1e-6)
    ramp = tone(np.linspace(0, 4, 50, dtype=np.float32)[:, None, None] * np.ones(3, np.float32))
    assert (np.diff(ramp[:, 0, 0]) > 0).all()
    assert ramp.min() >= 0
    assert ramp.max() < 1
    assert quantise(np.array([-1.0, 0.5, 2.0])).tolist() == [0, 128, 255]


def test_without_warp_the_extra_is_named() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_WARP], check=True)
