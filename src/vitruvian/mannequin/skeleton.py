"""Rotations, two-bone inverse kinematics, forward kinematics and skinning: the mechanics under the poses.

A bone's *rotation* takes directions of the rest mesh to the posed world (3 x 3, acting on columns); a bone
that is given none follows its parent. Angles are degrees, counter-clockwise when the axis points at one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.transform import Rotation

STRAIGHTEST = 0.9995  # of a limb's length: a limb stretched further has no plane to bend in
SHORTEST_FOLD = 1e-3  # metres by which a limb is longer than folded flat


def unit(v: Sequence[float] | np.ndarray) -> np.ndarray:
    """The vector at length 1."""
    v = np.asarray(v, np.float64)
    return v / math.sqrt(v @ v)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of two 3-vectors (for single vectors ten times faster than ``np.cross``)."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def rotation(axis: Sequence[float] | np.ndarray, degrees: float) -> np.ndarray:
    """3 x 3 rotation about an axis of any length (Rodrigues' formula)."""
    x, y, z = unit(axis)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(degrees)
    return np.eye(3) + math.sin(angle) * skew + (1 - math.cos(angle)) * (skew @ skew)


def turned(yaw: float, roll: float, pitch: float) -> np.ndarray:
    """Rotation about x by pitch, then y by roll, then z by yaw."""
    return rotation((0, 0, 1), yaw) @ rotation((0, 1, 0), roll) @ rotation((1, 0, 0), pitch)


def slerp(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """The rotation ``share`` (0..1) of the way from ``start`` to ``end``, by the shortest way."""
    way = Rotation.from_matrix(start.T @ end).as_rotvec()
    return start @ Rotation.from_rotvec(share * way).as_matrix()


def align(bone: np.ndarray, hinge: np.ndarray, to_bone: np.ndarray, to_hinge: np.ndarray) -> np.ndarray:
    """The rotation that takes one bone direction to another, and its hinge as near to another as it goes."""
    return _frame(to_bone, to_hinge) @ _frame(bone, hinge).T


def _frame(bone: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    along = unit(bone)
    across = unit(hinge - along * (along @ hinge))
    return np.stack([along, across, cross(along, across)], axis=1)


def bend(
    root: np.ndarray, target: np.ndarray, upper: float, lower: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Two-bone inverse kinematics: (middle joint, end) of a limb from ``root`` to ``target``.

    The middle joint bends towards the direction ``pole``. Lengths ``upper`` and ``lower`` are kept; a target
    out of reach is approached on the straight line to it.
    """
    way = target - root
    asked = math.sqrt(way @ way)
    along = way / asked
    distance = float(np.clip(asked, abs(upper - lower) + SHORTEST_FOLD, (upper + lower) * STRAIGHTEST))
    aside = unit(pole - along * (along @ pole))
    cosine = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)  # law of cosines at the root
    sine = math.sqrt(max(0.0, 1 - cosine**2))
    return root + upper * (cosine * along + sine * aside), root + distance * along


def forward_kinematics(
    parents: np.ndarray, heads: np.ndarray, rotations: Mapping[int, np.ndarray], root_position: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Posed bone heads (J x 3) and rotations (J x 3 x 3).

    Args:
        parents: J parent indices, each smaller than its child's; -1 for the root, which is bone 0.
        heads: J x 3, of the rest pose.
        rotations: those given, by bone index; the others follow their parents.
        root_position: where the root's head goes.
    """
    count = len(parents)
    positions, turns = np.empty((count, 3)), np.empty((count, 3, 3))
    positions[0] = root_position
    turns[0] = rotations.get(0, np.eye(3))
    offsets = heads - heads[parents]
    for bone in range(1, count):
        parent = parents[bone]
        positions[bone] = positions[parent] + turns[parent] @ offsets[bone]
        turns[bone] = rotations.get(bone, turns[parent])
    return positions, turns


def bone_transforms(heads: np.ndarray, positions: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """J x 3 x 4: rest coordinates to the posed world, from rest heads, posed heads and rotations."""
    shifts = positions - np.einsum("jik,jk->ji", rotations, heads)
    return np.concatenate([rotations, shifts[:, :, None]], axis=2)


def blend(weights: csr_matrix, transforms: np.ndarray) -> np.ndarray:
    """V x 3 x 4 linear blend of bone transforms (J x 3 x 4) by skin weights (V x J), float32."""
    flat = transforms.reshape(len(transforms), 12).astype(np.float32)
    return np.asarray(weights @ flat).reshape(-1, 3, 4)


def apply(transforms: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Each of V points (V x 3) through its own transform (V x 3 x 4)."""
    turned_points = np.matmul(transforms[:, :, :3], vertices[:, :, None])[:, :, 0]
    return turned_points + transforms[:, :, 3]
