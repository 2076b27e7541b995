"""Poses: feet on the floor, hands where they should be, mirror images, sampling."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest

from vitruvian.mannequin.body import Body, Rest
from vitruvian.mannequin.limbs import Bones, Foot, Hand, Reach, Swing, wrist_target
from vitruvian.mannequin.pose import POSES, Pose, Posed, Turn, sample_pose, solve

LEGS = ("upperleg01", "lowerleg01", "foot")
ARMS = ("upperarm01", "lowerarm01")


@pytest.fixture(scope="module")
def body() -> Body:
    return Body.load()


@pytest.fixture(scope="module")
def rest(body: Body) -> Rest:
    phenotype = {
        "gender": 0.9, "age": 0.7, "muscle": 0.5, "weight": 0.7, "height": 0.4, "proportions": 0.6,
        "cupsize": 0.5, "firmness": 0.5, "african": 0.2, "asian": 0.3, "caucasian": 0.5,
    }  # fmt: skip
    return body.rest(body.sample_coefficients(np.random.default_rng(3), phenotype))


def joint(body: Body, posed: Posed, name: str) -> np.ndarray:
    return posed.bone_heads[body.bone_index[name]]


def lowest(body: Body, posed: Posed, side: int) -> float:
    """Height of the lowest skin vertex of the left (1) or right (-1) leg, by its template position."""
    skin = body.template[: body.skin_count]
    leg = (side * skin[:, 0] > 0) & (skin[:, 2] < -0.3)
    return float(posed.vertices[: body.skin_count][leg, 2].min())


@pytest.mark.parametrize("heel_lift", [0.0, 25.0])
@pytest.mark.parametrize("name", POSES)
def test_both_feet_are_on_the_floor(body: Body, rest: Rest, name: str, heel_lift: float) -> None:
    posed = solve(body, rest, POSES[name], heel_lift=heel_lift, sole=0.02)
    assert posed.vertices[: body.skin_count, 2].min() == pytest.approx(0.02, abs=1e-3)
    for side in (1, -1):
        assert lowest(body, posed, side) == pytest.approx(0.02, abs=3e-3)


@pytest.mark.parametrize("name", POSES)
def test_bones_keep_their_lengths(body: Body, rest: Rest, name: str) -> None:
    posed = solve(body, rest, POSES[name])
    for chain in (LEGS, (*ARMS, "lowerarm02")):
        for start, end in pairwise(chain):
            for side in "LR":
                pair = [body.bone_index[f"{bone}.{side}"] for bone in (start, end)]
                before = np.linalg.norm(np.diff(rest.bone_heads[pair], axis=0))
                after = np.linalg.norm(np.diff(posed.bone_heads[pair], axis=0))
                assert after == pytest.approx(float(before), abs=1e-5)


@pytest.mark.parametrize("name", POSES)
def test_ankles_stand_where_the_pose_says(body: Body, rest: Rest, name: str) -> None:
    pose = POSES[name]
    posed = solve(body, rest, pose)
    for side, foot in (("L", pose.left_foot), ("R", pose.right_foot)):
        expected = np.array([foot.x, foot.y]) * rest.stature / 1.75
        np.testing.assert_allclose(joint(body, posed, f"foot.{side}")[:2], expected, atol=2e-3)


@pytest.mark.parametrize("name", [name for name, pose in POSES.items() if isinstance(pose.left_arm, Reach)])
def test_wrists_reach_their_targets(body: Body, rest: Rest, name: str) -> None:
    arm = POSES[name].left_arm
    assert isinstance(arm, Reach)
    posed = solve(body, rest, POSES[name])
    spine = body.bone_index["spine01"]
    offset = posed.bone_rotations[spine] @ wrist_target(Bones(body, rest), "L", arm)
    error = joint(body, posed, "wrist.L") - posed.bone_heads[spine] - offset
    assert np.linalg.norm(error) < 0.006  # a twisting forearm moves the wrist a little


def test_a_target_at_the_hip_moves_out_with_a_wider_body(body: Body) -> None:
    slim = body.rest(np.zeros(1))
    wide = replace(slim, vertices=slim.vertices * np.array([1.2, 1, 1], np.float32))
    arm = Reach((0.2, 0, -0.3), (1, 0, 0))
    moved = wrist_target(Bones(body, wide), "L", arm) - wrist_target(Bones(body, slim), "L", arm)
    assert 0.02 < moved[0] < 0.06
    np.testing.assert_allclose(moved[1:], 0, atol=1e-6)


@pytest.mark.parametrize("name", ["contra_left", "walk_left", "hair_left", "bag_left", "crossed_left"])
def test_the_mirrored_pose_gives_mirrored_joints(body: Body, name: str) -> None:
    rest = body.rest(np.zeros(1))
    heads = rest.bone_heads.copy()
    other = [
        body.bone_index[bone[:-1] + {"L": "R", "R": "L"}[bone[-1]]] if bone[-2:] in (".L", ".R") else index
        for bone, index in body.bone_index.items()
    ]
    flip = np.array([-1, 1, 1])
    heads = (heads + heads[other] * flip) / 2  # the mean body is symmetric but for a hair's breadth
    symmetric = replace(rest, bone_heads=heads)
    pose = POSES[name]
    left, right = solve(body, symmetric, pose), solve(body, symmetric, pose.mirrored())
    assert np.abs(left.bone_heads[:, 0]).max() > 0.1
    np.testing.assert_allclose(right.bone_heads, left.bone_heads[other] * flip, atol=2e-3)


@pytest.mark.parametrize("name", POSES)
def test_mirroring_twice_gives_the_same_pose(name: str) -> None:
    assert POSES[name].mirrored().mirrored() == POSES[name]


def test_asymmetric_poses_come_in_pairs() -> None:
    for name, pose in POSES.items():
        if name.endswith("_left"):
            assert POSES[name.replace("_left", "_right")] == pose.mirrored() != pose
        elif not name.endswith("_right"):
            assert pose.mirrored() == pose


def test_the_bearing_leg_is_the_straighter_one(body: Body, rest: Rest) -> None:
    posed = solve(body, rest, POSES["contra_left"])
    hip, knee, ankle = (np.array([joint(body, posed, f"{bone}.{side}") for side in "LR"]) for bone in LEGS)
    stretch = np.linalg.norm(ankle - hip, axis=1)
    stretch /= np.linalg.norm(knee - hip, axis=1) + np.linalg.norm(ankle - knee, axis=1)
    assert stretch[0] == pytest.approx(0.995, abs=1e-3)
    assert stretch[1] < 0.99


def test_directions_of_angles(body: Body, rest: Rest) -> None:
    base = solve(body, rest, Pose())
    raised = solve(body, rest, Pose(left_arm=Swing(abduction=80)))
    ahead = solve(body, rest, Pose(left_arm=Swing(forward=60)))
    bent = solve(body, rest, Pose(left_arm=Swing(elbow=90)))
    assert joint(body, raised, "wrist.L")[0] > joint(body, base, "wrist.L")[0] + 0.2
    assert joint(body, ahead, "lowerarm01.L")[1] < joint(body, base, "lowerarm01.L")[1] - 0.1
    assert joint(body, bent, "wrist.L")[1] < joint(body, base, "wrist.L")[1] - 0.1
    left = solve(body, rest, Pose(head=Turn(yaw=40), chest=Turn(pitch=20)))
    assert joint(body, left, "eye.L")[1] > joint(body, left, "eye.R")[1]  # looks to the left: the left eye goes back
    assert joint(body, left, "neck01")[1] < joint(body, base, "neck01")[1]  # bows forwards


def test_the_palm_looks_where_it_is_told(body: Body, rest: Rest) -> None:
    pose = Pose(left_arm=Swing(20, 10, 80), left_hand=Hand(palm=(0, 0, 1), bend=0, curl=0))
    posed = solve(body, rest, pose)
    index, little, wrist = (joint(body, posed, name) for name in ("finger2-1.L", "finger5-1.L", "wrist.L"))
    normal = np.cross(little - wrist, index - wrist)
    assert normal[2] / np.linalg.norm(normal) > 0.8
    other = solve(body, rest, replace(pose, left_hand=Hand(palm=(0, 0, -1), bend=0, curl=0)))
    index, little, wrist = (joint(body, other, name) for name in ("finger2-1.L", "finger5-1.L", "wrist.L"))
    normal = np.cross(little - wrist, index - wrist)
    assert normal[2] / np.linalg.norm(normal) < -0.8


def test_a_lifted_heel_raises_the_ankle_not_the_toes(body: Body, rest: Rest) -> None:
    flat, lifted = solve(body, rest, Pose()), solve(body, rest, Pose(left_foot=Foot(lift=30)))
    assert joint(body, lifted, "foot.L")[2] > joint(body, flat, "foot.L")[2] + 0.05
    assert abs(joint(body, lifted, "toe2-1.L")[2] - joint(body, flat, "toe2-1.L")[2]) < 0.02


def test_heels_of_shoes_raise_the_whole_person_but_not_the_toes(body: Body, rest: Rest) -> None:
    flat, high = solve(body, rest, Pose()), solve(body, rest, Pose(), heel_lift=25)
    for side in "LR":
        rise = joint(body, high, f"foot.{side}")[2] - joint(body, flat, f"foot.{side}")[2]
        assert rise > 0.04
        assert joint(body, high, "head")[2] - joint(body, flat, "head")[2] == pytest.approx(rise, abs=5e-3)
        assert abs(joint(body, high, f"toe2-1.{side}")[2] - joint(body, flat, f"toe2-1.{side}")[2]) < 0.02


def test_transforms_move_rest_vertices_to_the_posed_ones(body: Body, rest: Rest) -> None:
    posed = solve(body, rest, POSES["walk_left"])
    shift = posed.bone_heads - np.einsum("jik,jk->ji", posed.bone_rotations, rest.bone_heads)
    head = body.bone_index["head"]
    crown = int(rest.vertices[: body.skin_count, 2].argmax())
    expected = posed.bone_rotations[head] @ rest.vertices[crown] + shift[head]
    np.testing.assert_allclose(posed.vertices[crown], expected, atol=1e-4)
    transforms = posed.vertex_transforms
    again = np.einsum("vij,vj->vi", transforms[:, :, :3], rest.vertices) + transforms[:, :, 3]
    np.testing.assert_allclose(posed.vertices, again, atol=1e-5)


def test_sampling_is_deterministic_and_varied() -> None:
    first, again = (sample_pose(np.random.default_rng(7)) for _ in range(2))
    assert first == again
    rng = np.random.default_rng(0)
    drawn = [sample_pose(rng) for _ in range(300)]
    assert {name for name, _ in drawn} == set(POSES)
    assert len({str(asdict(pose)) for _, pose in drawn}) == 300


def test_jitter_keeps_the_pose_and_its_types() -> None:
    rng = np.random.default_rng(1)
    for name, wanted in POSES.items():
        drawn, pose = sample_pose(rng, name)
        assert drawn == name
        assert type(pose.left_arm) is type(wanted.left_arm)
        assert pose.left_hand == wanted.left_hand
        assert abs(pose.left_foot.x - wanted.left_foot.x) < 0.05
        assert isinstance(pose.left_foot.x, float)
