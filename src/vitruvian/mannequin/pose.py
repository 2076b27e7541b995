"""Poses: their parameters, a table of them, small random changes, and the body posed by them.

Angles are degrees, lengths metres of a person 1.75 m tall. Poses say nothing of where the camera stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_matrix

from vitruvian.mannequin.body import Body, Rest
from vitruvian.mannequin.limbs import (
    REFERENCE_STATURE,
    SIDES,
    Arm,
    Bones,
    Foot,
    Hand,
    Reach,
    Swing,
    Vector,
    ankle_height,
    bend_arm,
    bend_leg,
    leg_length,
    turn_foot,
)
from vitruvian.mannequin.skeleton import apply, blend, bone_transforms, turned

LEG_STRETCH = 0.995  # the straighter leg's length over its greatest
SPINE_SHARES = {"spine05": 0.15, "spine04": 0.35, "spine03": 0.6, "spine02": 0.85, "spine01": 1.0}
NECK_SHARES = {"neck01": 0.25, "neck02": 0.45, "neck03": 0.65, "head": 1.0}


@dataclass(frozen=True)
class Turn:
    """Rotation against the world: about x by pitch (bows), then y by roll, then z by yaw (to the left)."""

    yaw: float = 0.0
    roll: float = 0.0
    pitch: float = 0.0

    def matrix(self) -> np.ndarray:
        """3 x 3."""
        return turned(self.yaw, self.roll, self.pitch)

    def towards(self, other: Turn, share: float) -> Turn:
        """The turn that is ``share`` of the way to another one."""
        return Turn(
            self.yaw + share * (other.yaw - self.yaw),
            self.roll + share * (other.roll - self.roll),
            self.pitch + share * (other.pitch - self.pitch),
        )


@dataclass(frozen=True)
class Pose:
    """How a person stands; the feet are on the floor in every pose."""

    pelvis: Turn = field(default_factory=Turn)
    chest: Turn = field(default_factory=Turn)
    head: Turn = field(default_factory=Turn)
    shift: tuple[float, float] = (0.0, 0.0)  # of the pelvis to the left and backwards, over the feet
    left_arm: Arm = field(default_factory=Swing)
    right_arm: Arm = field(default_factory=Swing)
    left_hand: Hand = field(default_factory=Hand)
    right_hand: Hand = field(default_factory=Hand)
    left_foot: Foot = field(default_factory=Foot)
    right_foot: Foot = field(default_factory=lambda: Foot(x=-0.09))

    def mirrored(self) -> Pose:
        """The same pose with left and right exchanged."""
        return Pose(
            pelvis=_mirrored_turn(self.pelvis),
            chest=_mirrored_turn(self.chest),
            head=_mirrored_turn(self.head),
            shift=(-self.shift[0], self.shift[1]),
            left_arm=self.right_arm,
            right_arm=self.left_arm,
            left_hand=self.right_hand,
            right_hand=self.left_hand,
            left_foot=replace(self.right_foot, x=-self.right_foot.x),
            right_foot=replace(self.left_foot, x=-self.left_foot.x),
        )


@dataclass(frozen=True, eq=False)
class Posed:
    """A body in a pose; world metres, the floor is z = 0."""

    vertices: np.ndarray
    """V x 3 float32; the lowest bare foot is at the height of the sole."""
    bone_heads: np.ndarray
    """J x 3."""
    bone_rotations: np.ndarray
    """J x 3 x 3, rest to posed."""
    vertex_transforms: np.ndarray
    """V x 3 x 4 float32, rest coordinates to the posed world."""


def solve(body: Body, rest: Rest, pose: Pose, *, heel_lift: float = 0.0, sole: float = 0.0) -> Posed:
    """The body in a pose, feet on the floor.

    Args:
        body: the one that ``rest`` came from.
        rest: the identity.
        pose: what to do.
        heel_lift: degrees that shoes raise both heels.
        sole: metres of shoe under the foot.
    """
    scale = rest.stature / REFERENCE_STATURE
    bones = Bones(body, rest)
    _turn_trunk(bones, pose)
    feet = {"L": pose.left_foot, "R": pose.right_foot}
    arms = {"L": (pose.left_arm, pose.left_hand), "R": (pose.right_arm, pose.right_hand)}

    hips, ankles = {}, {}
    for side, foot in feet.items():
        hips[side] = bones.rotations["root"] @ bones.span("root", f"upperleg01.{side}")
        turn_foot(bones, side, foot, heel_lift)
        height = ankle_height(bones, side) + sole
        ankles[side] = np.array([foot.x * scale, foot.y * scale, height])
    root = np.array([pose.shift[0] * scale, pose.shift[1] * scale, 0.0])
    root[2] = min(_pelvis_height(bones, side, root + hips[side], ankles[side]) for side in SIDES)
    for side, foot in feet.items():
        hip = root + hips[side]
        bend_leg(bones, side, hip, ankles[side], toe_out=foot.toe_out, pelvis_yaw=pose.pelvis.yaw)

    trunk, _ = bones.place(root)
    for side, (arm, hand) in arms.items():
        collar = trunk[body.bone_index[f"clavicle.{side}"]]
        bend_arm(bones, side, arm, hand, trunk[body.bone_index["spine01"]], collar)

    positions, rotations = bones.place(root)
    transforms = blend(csr_matrix(body.skin_weights), bone_transforms(bones.heads, positions, rotations))
    return Posed(apply(transforms, rest.vertices), positions, rotations, transforms)


def _turn_trunk(bones: Bones, pose: Pose) -> None:
    bones.rotations["root"] = pose.pelvis.matrix()
    for bone, share in SPINE_SHARES.items():
        bones.rotations[bone] = pose.pelvis.towards(pose.chest, share).matrix()
    for bone, share in NECK_SHARES.items():
        bones.rotations[bone] = pose.chest.towards(pose.head, share).matrix()


def _pelvis_height(bones: Bones, side: str, hip: np.ndarray, ankle: np.ndarray) -> float:
    """Height of the root at which a leg is almost straight; ``hip`` is the hip with the root at height 0."""
    reach = LEG_STRETCH * leg_length(bones, side)
    aside = ankle[:2] - hip[:2]
    return ankle[2] - hip[2] + math.sqrt(max(1e-4, reach**2 - float(aside @ aside)))


def _mirrored_turn(turn: Turn) -> Turn:
    return Turn(-turn.yaw, -turn.roll, turn.pitch)


# ----------------------------------------------------------------------------------------------------- table

_ON_HIP = Reach((0.205, 0.035, -0.315), (1, 0.45, -0.15))
_ON_HIP_HAND = Hand(palm=(-1, 0.25, -0.1), curl=12, bend=-38)
_IN_POCKET = Reach((0.20, -0.085, -0.385), (1, 0.8, 0))
_IN_POCKET_HAND = Hand(palm=(-1, 0.4, 0), curl=25)
_BEHIND_HAND = Hand(palm=(0, 1, 0))

_SYMMETRIC: dict[str, Pose] = {
    "stand": Pose(left_arm=Swing(11, 2, 14), right_arm=Swing(11, 2, 14)),
    "wide": Pose(
        left_foot=Foot(0.20, toe_out=20),
        right_foot=Foot(-0.20, toe_out=20),
        left_arm=Swing(14, 0, 14),
        right_arm=Swing(14, 0, 14),
    ),
    "hips": Pose(
        left_foot=Foot(0.11),
        right_foot=Foot(-0.11),
        left_arm=_ON_HIP,
        right_arm=_ON_HIP,
        left_hand=_ON_HIP_HAND,
        right_hand=_ON_HIP_HAND,
    ),
    "pockets": Pose(
        left_foot=Foot(0.10),
        right_foot=Foot(-0.10),
        left_arm=_IN_POCKET,
        right_arm=_IN_POCKET,
        left_hand=_IN_POCKET_HAND,
        right_hand=_IN_POCKET_HAND,
    ),
}

# Named by the side that does it: the foot that bears the weight or is in front, the hand that is raised or
# nearer to the body.
_LEFT: dict[str, Pose] = {
    "contra": Pose(
        pelvis=Turn(yaw=6, roll=-6),
        chest=Turn(yaw=-3, roll=4),
        head=Turn(roll=-3),
        shift=(0.075, 0),
        left_foot=Foot(0.05, toe_out=8),
        right_foot=Foot(-0.16, -0.07, toe_out=32),
        left_arm=Swing(13, 0, 16),
        right_arm=Swing(10, 8, 22),
    ),
    "walk": Pose(
        pelvis=Turn(yaw=-7),
        chest=Turn(yaw=6),
        shift=(0, -0.02),
        left_foot=Foot(0.045, -0.26, toe_out=4),
        right_foot=Foot(-0.045, 0.24, toe_out=6, lift=38),
        left_arm=Swing(9, -20, 10),
        right_arm=Swing(9, 20, 24),
    ),
    "step": Pose(
        pelvis=Turn(yaw=-4, roll=-3),
        chest=Turn(roll=2),
        left_foot=Foot(0.03, -0.13, toe_out=3),
        right_foot=Foot(-0.05, 0.12, lift=18),
        left_arm=Swing(9, -10, 12),
        right_arm=Swing(9, 10, 18),
    ),
    "onehip": Pose(
        pelvis=Turn(roll=-6),
        chest=Turn(roll=4),
        head=Turn(roll=-3),
        shift=(0.075, 0),
        left_foot=Foot(0.05),
        right_foot=Foot(-0.17, -0.06, toe_out=32),
        left_arm=_ON_HIP,
        right_arm=Swing(10, 6, 18),
        left_hand=_ON_HIP_HAND,
    ),
    "crossed": Pose(
        left_foot=Foot(0.10),
        right_foot=Foot(-0.10),
        left_arm=Reach((0.0, -0.215, -0.14), (1, 0.1, -1.1)),
        right_arm=Reach((-0.02, -0.175, -0.17), (1, 0.1, -1.1)),
        left_hand=Hand(palm=(-0.2, 1, 0), curl=10),
        right_hand=Hand(palm=(-0.2, 1, 0.2), curl=16),
    ),
    "hair": Pose(
        pelvis=Turn(roll=5),
        chest=Turn(roll=-4),
        head=Turn(roll=7),
        shift=(-0.07, 0),
        right_foot=Foot(-0.05),
        left_foot=Foot(0.16, -0.06, toe_out=30),
        left_arm=Reach((0.17, 0.02, 0.35), (1, -0.25, 0.15)),
        left_hand=Hand(palm=(-1, -0.4, -0.3), curl=14),
        right_arm=Swing(12, 4, 16),
    ),
    "wave": Pose(
        left_foot=Foot(0.10),
        right_foot=Foot(-0.10),
        left_arm=Reach((0.36, -0.10, 0.23), (0.7, 0.2, -1)),
        left_hand=Hand(palm=(0, -1, 0), curl=6),
        right_arm=Swing(11, 2, 14),
    ),
    "legcross": Pose(
        pelvis=Turn(roll=4),
        chest=Turn(roll=-3),
        left_foot=Foot(-0.05, -0.13, toe_out=14),
        right_foot=Foot(0.03, 0.03, toe_out=10),
        left_arm=Swing(11, 4, 16),
        right_arm=Swing(10, 5, 18),
    ),
    "clasp": Pose(
        left_arm=Reach((0.04, -0.205, -0.335), (1, 0.5, 0)),
        right_arm=Reach((0.04, -0.225, -0.34), (1, 0.5, 0)),
        left_hand=Hand(palm=(-0.5, 1, 0), curl=22),
        right_hand=Hand(palm=(-0.5, 1, 0), curl=22),
    ),
    "behind": Pose(
        left_arm=Reach((0.07, 0.12, -0.30), (1, 0.9, 0)),
        right_arm=Reach((0.07, 0.14, -0.305), (1, 0.9, 0)),
        left_hand=_BEHIND_HAND,
        right_hand=_BEHIND_HAND,
    ),
    "bag": Pose(
        pelvis=Turn(roll=-4),
        chest=Turn(roll=2),
        shift=(0.05, 0),
        left_foot=Foot(0.06),
        right_foot=Foot(-0.15, -0.05, toe_out=28),
        left_arm=Swing(14, 18, 80, -10),
        left_hand=Hand(palm=(0, 0, 1), curl=35),
        right_arm=Swing(11, 3, 14),
    ),
}

POSES: dict[str, Pose] = {
    **_SYMMETRIC,
    **{f"{name}_left": pose for name, pose in _LEFT.items()},
    **{f"{name}_right": pose.mirrored() for name, pose in _LEFT.items()},
}
"""All poses by name; those that differ from their mirror image come as ``_left`` and ``_right``."""

# How often a pose is drawn, both sides together; the rest are drawn once.
_OFTEN: Mapping[str, float] = {"stand": 3, "contra": 4, "walk": 3, "step": 2, "hips": 1.5, "pockets": 1.5}


# -------------------------------------------------------------------------------------------------- sampling


def sample_pose(rng: np.random.Generator, name: str | None = None) -> tuple[str, Pose]:
    """A pose of the table with small random changes, and its name (drawn too if not given)."""
    if name is None:
        base = [*_SYMMETRIC, *_LEFT]
        weights = np.array([_OFTEN.get(key, 1.0) for key in base])
        key = base[int(rng.choice(len(base), p=weights / weights.sum()))]
        side = "_left" if rng.random() < 0.5 else "_right"
        name = key if key in _SYMMETRIC else key + side
    return name, _jittered(POSES[name], rng)


def _jittered(pose: Pose, rng: np.random.Generator) -> Pose:
    def turn(start: Turn, yaw: float, roll: float, pitch: float) -> Turn:
        values = np.array([start.yaw, start.roll, start.pitch]) + rng.normal(0, (yaw, roll, pitch))
        return Turn(*values.tolist())

    def foot(start: Foot) -> Foot:
        x, y = rng.normal((start.x, start.y), 0.008).tolist()
        return replace(start, x=x, y=y)

    return replace(
        pose,
        pelvis=turn(pose.pelvis, 2, 0, 0),
        chest=turn(pose.chest, 2.5, 1.2, 1.5),
        head=turn(pose.head, 12, 3, 4),
        left_arm=_jittered_arm(pose.left_arm, rng),
        right_arm=_jittered_arm(pose.right_arm, rng),
        left_foot=foot(pose.left_foot),
        right_foot=foot(pose.right_foot),
    )


def _jittered_arm(arm: Arm, rng: np.random.Generator) -> Arm:
    if isinstance(arm, Swing):
        angles = (arm.abduction, arm.forward, arm.elbow, arm.inward)
        return Swing(*rng.normal(angles, 2.0).tolist())
    x, y, z = rng.normal(arm.target, 0.006).tolist()
    target: Vector = (x, y, z)
    return replace(arm, target=target)
