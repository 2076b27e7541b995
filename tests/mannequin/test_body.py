from __future__ import annotations

import numpy as np
import pytest

from vitruvian.mannequin.body import Body, PartName
from vitruvian.mannequin.fields import ARM, FACE, FOOT, HAND, LEG, TORSO, Charted, Fields

AVERAGE = {
    "gender": 0.5, "age": 0.67, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5, "cupsize": 0.5,
    "firmness": 0.5, "african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


def shape_of(body: Body, **controls: float) -> np.ndarray:
    """Vertices of the most typical person with those controls."""
    coefficients = body.sample_coefficients(np.random.default_rng(0), {**AVERAGE, **controls}, variety=0)
    return body.rest(coefficients).vertices[: body.skin_count]


def stature(vertices: np.ndarray) -> float:
    return float(np.ptp(vertices[:, 2]))


def test_weights_sum_to_one_and_bones_are_a_tree(body: Body) -> None:
    np.testing.assert_allclose(np.asarray(body.skin_weights.sum(axis=1)), 1, atol=1e-5)
    assert (body.bone_parents[1:] < np.arange(1, len(body.bone_parents))).all()
    assert body.bone_parents[0] == -1


def test_the_body_is_symmetric_and_faces_minus_y(body: Body) -> None:
    skin = body.template[: body.skin_count]
    assert abs(skin[:, 0].max() + skin[:, 0].min()) < 1e-3
    assert body.template_joints["upperarm01.L"][0] > 0.1
    nose = skin[Fields.of(body).region[: body.skin_count] == FACE]
    assert nose[nose[:, 1].argmin(), 2] == pytest.approx(0.873, abs=0.01)


def test_controls_do_what_they_say(body: Body) -> None:
    assert stature(shape_of(body, height=0.8)) > stature(shape_of(body, height=0.2)) + 0.2
    assert 1.5 < stature(shape_of(body)) < 1.95

    def girth(vertices: np.ndarray) -> float:
        trunk = np.abs(body.template[: body.skin_count, 2] - 0.3) < 0.02
        arms = Fields.of(body).arm[: body.skin_count] > 0.1
        return float(np.ptp(vertices[trunk & ~arms, 1]))

    assert girth(shape_of(body, weight=0.9)) > girth(shape_of(body, weight=0.2)) + 0.03


def test_gender_and_age_change_the_body(body: Body) -> None:
    man, woman = shape_of(body, gender=0.03), shape_of(body, gender=0.97)
    assert 0.08 < stature(man) - stature(woman) < 0.18
    young, old = shape_of(body, age=0.65), shape_of(body, age=0.93)
    assert abs(stature(young) - stature(old)) < 0.02  # grown up is grown up
    assert np.linalg.norm(young - old, axis=1).max() > 0.01


def test_the_same_controls_give_people_of_like_stature(body: Body) -> None:
    rng = np.random.default_rng(5)
    statures = [body.rest(body.sample_coefficients(rng, AVERAGE)).stature for _ in range(40)]
    assert 0.001 < np.std(statures) < 0.03


def test_people_differ_and_repeat(body: Body) -> None:
    def one(seed: int) -> np.ndarray:
        return body.sample_coefficients(np.random.default_rng(seed), AVERAGE)

    np.testing.assert_array_equal(one(1), one(1))
    faces = [body.rest(one(seed)).vertices[FACE_POINT] for seed in range(8)]
    assert np.std(faces, axis=0).max() > 1e-3


FACE_POINT = 100


def test_children_are_refused(body: Body) -> None:
    with pytest.raises(ValueError, match="adults"):
        body.sample_coefficients(np.random.default_rng(0), {**AVERAGE, "age": 0.4})


@pytest.mark.parametrize("name", ["body", "tights", "tights_legs_fine", "skirt", "eyes", "lashes", "head"])
def test_parts_carry_values_over(body: Body, name: PartName) -> None:
    part = body.part(name)
    template = part.of(body.template)
    assert part.triangles.max() < len(template)
    assert part.corner_uv.shape == (len(part.triangles), 3, 2)
    np.testing.assert_allclose(part.of(np.ones(len(body.template))), 1, atol=1e-5)
    assert part.name == name


def test_fine_legs_hold_only_legs(body: Body) -> None:
    part = body.part("tights_legs_fine")
    assert part.of(body.template)[:, 2].max() < -0.39


@pytest.mark.parametrize(
    ("bone", "region"),
    [
        ("head", FACE),
        ("spine02", TORSO),
        ("lowerarm01.L", ARM),
        ("finger3-2.R", HAND),
        ("lowerleg01.R", LEG),
        ("foot.L", FOOT),
    ],
)
def test_regions_lie_where_their_bones_are(body: Body, bone: str, region: int) -> None:
    weights = np.asarray(body.skin_weights[: body.skin_count, body.bone_index[bone]].todense()).ravel()
    assert np.bincount(Fields.of(body).region[: body.skin_count][weights > 0.6]).argmax() == region


def test_arcs_measure_the_limbs(body: Body) -> None:
    fields = Fields.of(body)
    skin = slice(0, body.skin_count)
    elbow = np.linalg.norm(body.template[skin] - body.template_joints["lowerarm01.L"], axis=1) < 0.05
    assert fields.arm_arc[skin][elbow].mean() == pytest.approx(0.5, abs=0.12)
    knee = np.linalg.norm(body.template[skin] - body.template_joints["lowerleg01.L"], axis=1) < 0.07
    assert fields.leg_arc[skin][knee].mean() == pytest.approx(0.5, abs=0.08)
    trunk = fields.region[skin] == TORSO
    assert np.median(fields.arm_arc[skin][trunk]) < -0.3


@pytest.mark.parametrize(("name", "kind"), [("tights", "torso"), ("tights", "leg"), ("skirt", "skirt")])
def test_no_triangle_spans_a_jump_of_the_pattern(body: Body, name: PartName, kind: str) -> None:
    charted = Charted.of_part(body, name, kind)  # pyright: ignore[reportArgumentType]
    part = charted.part
    np.testing.assert_array_equal(charted.source[charted.triangles], part.triangles)
    u = charted.chart[charted.triangles][:, :, 0]
    # A turn is 0.31 m of an arm, 0.57 of a leg, 0.94 of the trunk. Only where an axis pierces the skin (crotch, armpit,
    # sole) do angles differ much within a triangle.
    assert (np.ptp(u, axis=1) > 0.15).mean() < 0.002
