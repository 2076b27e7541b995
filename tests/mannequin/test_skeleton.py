"""Rotations, two-bone reach, forward kinematics, skinning."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from vitruvian.mannequin.body import Body
from vitruvian.mannequin.skeleton import (
    align,
    apply,
    bend,
    blend,
    bone_transforms,
    cross,
    forward_kinematics,
    rotation,
    slerp,
    turned,
    unit,
)

X, Y, Z = np.eye(3)


def is_rotation(matrix: np.ndarray) -> bool:
    return np.allclose(matrix @ matrix.T, np.eye(3)) and bool(np.isclose(np.linalg.det(matrix), 1))


def test_rotation_turns_counter_clockwise_about_an_axis_of_any_length() -> None:
    np.testing.assert_allclose(rotation(3 * Z, 90) @ X, Y, atol=1e-12)
    np.testing.assert_allclose(rotation(X, 90) @ Y, Z, atol=1e-12)
    np.testing.assert_allclose(rotation([1, 1, 1], 120) @ X, Y, atol=1e-12)


def test_turned_is_pitch_then_roll_then_yaw() -> None:
    # y goes to z by the pitch, to x by the roll, to y by the yaw
    np.testing.assert_allclose(turned(yaw=90, roll=90, pitch=90) @ Y, Y, atol=1e-12)
    np.testing.assert_allclose(turned(yaw=90, roll=0, pitch=90) @ Y, Z, atol=1e-12)


def test_cross_is_the_cross_product() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 3))
    np.testing.assert_allclose(cross(a, b), np.cross(a, b))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_slerp_takes_its_share_of_the_angle(share: float) -> None:
    start = turned(20, -30, 40)
    end = start @ rotation([1, 2, -1], 80)
    np.testing.assert_allclose(slerp(start, end, share), start @ rotation([1, 2, -1], 80 * share), atol=1e-12)


def test_align_moves_bone_and_hinge() -> None:
    rng = np.random.default_rng(1)
    bone, hinge, to_bone, to_hinge = rng.normal(size=(4, 3))
    turn = align(bone, hinge, to_bone, to_hinge)
    assert is_rotation(turn)
    np.testing.assert_allclose(turn @ unit(bone), unit(to_bone), atol=1e-12)
    moved_normal, normal = turn @ np.cross(bone, hinge), np.cross(to_bone, to_hinge)
    np.testing.assert_allclose(unit(moved_normal), unit(normal), atol=1e-12)


class TestBend:
    root = np.array([0.1, 0.2, 1.4])
    pole = np.array([0.3, 1.0, -0.2])

    def test_reaches_the_target_and_keeps_lengths(self) -> None:
        target = self.root + np.array([0.2, -0.25, -0.2])
        middle, end = bend(self.root, target, 0.3, 0.25, self.pole)
        np.testing.assert_allclose(end, target, atol=1e-12)
        assert np.linalg.norm(middle - self.root) == pytest.approx(0.3)
        assert np.linalg.norm(end - middle) == pytest.approx(0.25)

    def test_bends_towards_the_pole(self) -> None:
        target = self.root + np.array([0, 0, -0.4])
        middle, _ = bend(self.root, target, 0.3, 0.25, np.array([0.0, -1.0, 0.0]))
        assert middle[1] < self.root[1] - 0.1
        assert middle[0] == pytest.approx(self.root[0])

    def test_a_target_out_of_reach_is_approached(self) -> None:
        middle, end = bend(self.root, self.root + np.array([0, -2.0, 0]), 0.3, 0.25, np.array([0.0, 0.0, -1.0]))
        np.testing.assert_allclose(unit(end - self.root), -Y, atol=1e-12)
        assert 0.549 < np.linalg.norm(end - self.root) < 0.55
        assert np.linalg.norm(end - middle) == pytest.approx(0.25)

    def test_a_target_too_near_folds_the_limb(self) -> None:
        _, end = bend(self.root, self.root + np.array([0.01, 0, 0]), 0.3, 0.25, self.pole)
        assert np.linalg.norm(end - self.root) == pytest.approx(0.051)


def test_children_follow_their_parents() -> None:
    parents = np.array([-1, 0, 1])
    heads = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    root = np.array([0.0, 0, 5])
    positions, turns = forward_kinematics(parents, heads, {1: rotation(Z, 90)}, root)
    np.testing.assert_allclose(positions, [[0, 0, 5], [1, 0, 5], [1, 1, 5]], atol=1e-12)
    np.testing.assert_allclose(turns, [np.eye(3), rotation(Z, 90), rotation(Z, 90)], atol=1e-12)


def test_no_rotation_gives_the_rest_pose() -> None:
    body = Body.load()
    rest = body.rest(np.zeros(1))
    heads = rest.bone_heads.astype(np.float64)
    positions, turns = forward_kinematics(body.bone_parents, heads, {}, heads[0])
    np.testing.assert_allclose(positions, heads, atol=1e-9)
    blended = blend(csr_matrix(body.skin_weights), bone_transforms(heads, positions, turns))
    assert blended.shape == (len(rest.vertices), 3, 4)
    np.testing.assert_allclose(apply(blended, rest.vertices), rest.vertices, atol=1e-5)


def test_skinning_of_one_bone_is_rigid() -> None:
    heads = np.array([[0.0, 0, 1]])
    turn = turned(10, 20, 30)
    transforms = bone_transforms(heads, np.array([[1.0, 2, 3]]), turn[None])
    points = np.random.default_rng(2).normal(size=(5, 3))
    blended = blend(csr_matrix(np.ones((5, 1), np.float32)), transforms)
    expected = (points - heads[0]) @ turn.T + [1, 2, 3]
    np.testing.assert_allclose(apply(blended, points), expected, atol=1e-6)


def test_skinning_blends_by_weight() -> None:
    heads = np.zeros((2, 3))
    transforms = bone_transforms(heads, np.array([[0.0, 0, 0], [0, 0, 4]]), np.stack([np.eye(3)] * 2))
    blended = blend(csr_matrix(np.array([[0.75, 0.25]], np.float32)), transforms)
    np.testing.assert_allclose(apply(blended, np.array([[1.0, 2, 3]])), [[1, 2, 4]], atol=1e-6)
