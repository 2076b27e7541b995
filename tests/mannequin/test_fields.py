"""Regions, arc lengths and pattern charts of the template body, at places whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.mannequin.body import Body, PartName
from vitruvian.mannequin.fields import (
    ARM,
    ARM_CHART_SHIFT,
    FACE,
    FOOT,
    HAND,
    LEG,
    OFF_ARM,
    TORSO,
    Charted,
    Fields,
    Limbs,
    arm_chart,
    leg_chart,
    smoothstep,
    torso_chart,
)


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def fields(body: Body) -> Fields:
    return Fields.of(body)


@pytest.fixture(scope="module")
def charted(body: Body) -> Charted:
    return Charted.of_part(body, "tights", "torso")


def nearest(body: Body, place: tuple[float, float, float]) -> int:
    """The skin vertex nearest to a template place, metres."""
    return int(np.linalg.norm(body.template[: body.skin_count] - place, axis=1).argmin())


def test_smoothstep_rises_and_may_fall() -> None:
    x = np.array([-1.0, 0.0, 0.5, 1.0, 9.0])
    np.testing.assert_allclose(smoothstep(0, 1, x), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(smoothstep(1, 0, x), [1, 1, 0.5, 0, 0])


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ((0, -0.164, 0.873), FACE),  # nose
        ((0.078, -0.054, 0.885), FACE),  # ear
        ((0, -0.1, 1.0), FACE),  # forehead and crown
        ((0, -0.06, 0.76), TORSO),  # throat
        ((0, -0.066, 0.79), TORSO),  # under the chin
        ((0, 0.06, 0.78), TORSO),  # nape
        ((0, -0.12, 0.2), TORSO),  # belly
        ((0.28, -0.02, 0.545), ARM),
        ((-0.45, -0.12, 0.37), ARM),
        ((0.54, -0.25, 0.25), HAND),
        ((-0.13, -0.1, -0.05), LEG),
        ((0.17, 0.02, -0.5), LEG),
        ((-0.2, -0.15, -0.8), FOOT),
    ],
)
def test_regions_at_known_places(body: Body, fields: Fields, place: tuple[float, float, float], region: int) -> None:
    assert fields.region[nearest(body, place)] == region


def test_regions_and_arcs_are_the_same_on_both_sides(body: Body, fields: Fields) -> None:
    skin = body.template[: body.skin_count].astype(float)
    left = np.flatnonzero(skin[:, 0] > 0.12)[::40]
    right = [nearest(body, (-x, y, z)) for x, y, z in skin[left]]
    twins = np.linalg.norm(skin[right] * [-1, 1, 1] - skin[left], axis=1) < 1e-3
    assert twins.mean() > 0.9
    left, right = left[twins], np.array(right)[twins]
    np.testing.assert_allclose(fields.arm_arc[left], fields.arm_arc[right], atol=0.02)
    np.testing.assert_allclose(fields.leg_arc[left], fields.leg_arc[right], atol=0.02)
    assert (fields.region[left] == fields.region[right]).mean() > 0.97


def test_lengths_are_those_of_the_template(fields: Fields) -> None:
    assert fields.arm_length == pytest.approx(0.545, abs=0.01)
    assert fields.leg_length == pytest.approx(0.896, abs=0.01)


def test_the_arm_gate_opens_once_along_the_arm(body: Body, fields: Fields) -> None:
    skin = slice(0, body.skin_count)
    gate, arm = fields.arm_gate[skin], np.isin(fields.region[skin], (ARM, HAND))
    assert gate.min() == 0
    np.testing.assert_allclose(fields.arm_arc[skin][gate == 0], OFF_ARM)
    assert OFF_ARM < -0.3  # no sleeve begins so far inwards
    assert (gate[arm] > 0.99).all()
    assert (gate[np.isin(fields.region[skin], (LEG, FOOT, FACE))] == 0).all()


def test_arm_arc_and_chart_agree_on_the_axis(body: Body) -> None:
    limbs = Limbs.of(body)
    share = np.linspace(0.1, 0.9, 9)[:, None]
    # A hair in front of the axis, where the angle is zero.
    upper = limbs.shoulder + share * (limbs.elbow - limbs.shoulder) + [0, -1e-4, 0]
    chart = arm_chart(body, upper)
    np.testing.assert_allclose(chart[:, 0], ARM_CHART_SHIFT, atol=1e-9)
    np.testing.assert_allclose(0.65 - chart[:, 1], share[:, 0] * limbs.upper_length, atol=1e-3)
    lower = limbs.elbow + share * limbs.lower_length * limbs.lower_direction
    np.testing.assert_allclose(
        0.65 - arm_chart(body, lower)[:, 1], limbs.upper_length + share[:, 0] * limbs.lower_length, atol=1e-3
    )


def test_the_arm_chart_runs_round_the_arm(body: Body) -> None:
    limbs = Limbs.of(body)
    middle = (limbs.shoulder + limbs.elbow) / 2
    above = np.cross(limbs.upper_direction, np.cross([0, 0, 1.0], limbs.upper_direction))
    above *= 0.04 / np.linalg.norm(above)
    left = np.stack([middle + above, middle - above])
    top, bottom = arm_chart(body, left)[:, 0] - ARM_CHART_SHIFT
    assert abs(top - bottom) == pytest.approx(0.05 * np.pi, rel=0.03)  # half a turn
    assert abs(top) == pytest.approx(0.05 * np.pi / 2, rel=0.1)  # a quarter from the front
    mirrored = arm_chart(body, left * [-1, 1, 1])[:, 0] - ARM_CHART_SHIFT
    np.testing.assert_allclose(mirrored, [-top, -bottom])


def test_charts_turn_the_way_a_viewer_reads() -> None:
    front, left, right = torso_chart(np.array([[0, -0.2, 0.3], [0.2, -0.03, 0.3], [-0.2, -0.03, 0.1]]))
    np.testing.assert_allclose(front, [0, 0.3], atol=1e-9)
    np.testing.assert_allclose(left, [0.15 * np.pi / 2, 0.3])
    np.testing.assert_allclose(right, [-0.15 * np.pi / 2, 0.1])


def test_leg_chart_starts_in_front_of_each_leg(body: Body) -> None:
    hip, ankle = Limbs.of(body).hip_height, Limbs.of(body).ankle_height
    fronts = np.array([[0.11, -0.2, hip], [-0.11, -0.2, hip], [0.19, -0.2, ankle], [-0.19, -0.2, ankle]])
    chart = leg_chart(body, fronts)
    np.testing.assert_allclose(chart[:, 0], 0, atol=1e-9)
    np.testing.assert_allclose(chart[:, 1], fronts[:, 2])


class TestCharted:
    def test_only_seams_are_doubled(self, body: Body, charted: Charted) -> None:
        extra = len(charted.source) - len(charted.part.of(body.template))
        assert 0 < extra < 0.06 * len(charted.source)
        assert len(np.unique(charted.triangles)) > 0.999 * len(charted.source)

    def test_values_follow_their_source(self, body: Body, charted: Charted) -> None:
        np.testing.assert_allclose(charted.of(body.template), charted.template, atol=1e-6)

    def test_the_trunk_is_split_at_the_middle_of_the_back(self, charted: Charted) -> None:
        p0, chart = charted.template, charted.chart
        back = (np.abs(p0[:, 0]) < 1e-4) & (p0[:, 1] > 0.02) & (p0[:, 2] > 0.3)
        sides = chart[back][:, 0]
        np.testing.assert_allclose(np.abs(sides), 0.15 * np.pi, atol=1e-3)
        assert (sides > 0).any()
        assert (sides < 0).any()

    def test_the_pattern_keeps_left_and_right_apart(self, charted: Charted) -> None:
        trunk = charted.chart[:, 0] < 1
        x, u = charted.template[trunk, 0], charted.chart[trunk, 0]
        clear = np.abs(x) > 1e-3
        assert (np.sign(u[clear]) == np.sign(x[clear])).all()

    def test_sleeves_have_their_own_place_in_the_pattern(self, body: Body, charted: Charted) -> None:
        gate = charted.of(Fields.of(body).arm_gate)
        on_sleeve = charted.chart[:, 0] > 1
        assert on_sleeve[gate > 0.9].all()
        assert not on_sleeve[gate < 0.1].any()

    def test_pattern_metres_are_about_real_metres_on_the_trunk(self, charted: Charted) -> None:
        p0, chart = charted.template.astype(float), charted.chart
        a, b, _ = charted.triangles.T
        trunk = (p0[a][:, 2] > 0.25) & (p0[a][:, 2] < 0.5) & (chart[a][:, 0] < 1) & (chart[b][:, 0] < 1)
        real = np.linalg.norm(p0[b] - p0[a], axis=1)[trunk]
        drawn = np.linalg.norm(chart[b] - chart[a], axis=1)[trunk]
        assert 0.75 < np.median(drawn / real) < 1.3


@pytest.mark.parametrize("name", ["body", "head"])
def test_corners_at_a_vertex_share_their_texture_place(body: Body, name: PartName) -> None:
    part = body.part(name)
    corners, uv = part.triangles.ravel(), part.corner_uv.reshape(-1, 2)
    low, high = np.full((corners.max() + 1, 2), np.inf), np.full((corners.max() + 1, 2), -np.inf)
    np.minimum.at(low, corners, uv)
    np.maximum.at(high, corners, uv)
    assert ((high - low).max(axis=1) > 1e-5).mean() < 0.12  # at the seams of the texture alone


@pytest.mark.parametrize(
    ("mask", "place", "radius"),
    [
        (0, (0, -0.14, 0.835), 0.05),
        (1, (0.0314, -0.129, 0.9038), 0.04),
        (2, (0.078, -0.045, 0.885), 0.06),
        (3, (0.54, -0.32, 0.19), 0.13),
    ],
    ids=["lips", "eyelids", "ears", "fingernails"],
)
def test_masks_lie_on_their_features(body: Body, mask: int, place: tuple[float, float, float], radius: float) -> None:
    part = body.part("body")
    size = body.masks.shape[0]
    column, row = part.corner_uv[..., 0] * size, (1 - part.corner_uv[..., 1]) * size
    picked = np.clip(np.stack([row, column]).astype(int), 0, size - 1)
    marked = part.triangles[body.masks[picked[0], picked[1], mask] > 0.7]
    points = body.template[np.unique(marked)].copy()
    points[:, 0] = np.abs(points[:, 0])
    assert len(points) > 30
    assert (np.linalg.norm(points - place, axis=1) < radius).mean() > 0.9
