"""Arms and legs of a pose: their parameters, and how they become rotations of bones.

Angles are degrees, lengths are metres of a person 1.75 m tall. Parameters of an arm are those of the left
one; the right one takes them mirrored, so that x always points away from the body.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

from vitruvian.mannequin.body import SKIN_VERTICES, Body, Rest
from vitruvian.mannequin.skeleton import align, apply, bend, cross, forward_kinematics, rotation, slerp, unit

Vector = tuple[float, float, float]

SIDES: Mapping[str, int] = {"L": 1, "R": -1}
FORWARD = np.array([0.0, -1.0, 0.0])
UP = np.array([0.0, 0.0, 1.0])

REFERENCE_STATURE = 1.75  # metres; the lengths of a pose are for this one

KNEE_FOLLOWS_TOES = 0.7  # share of the toe-out by which the knee turns out
KNEE_FOLLOWS_PELVIS = 0.5
TOES_FOLLOW_LIFT = 0.1  # the rest of a lifted foot's toes stays flat on the floor
GREATEST_LIFT = 60.0  # degrees between sole and floor that an ankle bears, on high heels in mid-step too

CLAVICLE_LIFT = 18.0  # degrees for an arm raised by one more unit of upward component
CLAVICLE_START = -0.3  # upward component of the upper arm from which the clavicle helps
SHOULDER_SHARE = 0.35  # of the arm's rotation, taken by the shoulder blade's bone
SHOULDER_PASSES = 5  # the shoulder moves with the arm, so a reach is solved again from its new place
TOUCHING_VERTICES = 40  # of the skin near a wrist's target, whose mean displacement it follows
HAND_STRAIGHTENED = 0.85  # of the angle between forearm and hand in the rest pose
GREATEST_TWIST = 130.0  # degrees that a forearm turns
TWIST_SHARES = {"lowerarm01": 0.25, "lowerarm02": 0.65}
FINGERS = range(2, 6)  # index to little finger; 1 is the thumb
PHALANGES = range(1, 4)


@dataclass(frozen=True)
class Swing:
    """An arm by its angles: away from the body, forwards, at the elbow, of the plane the elbow bends in."""

    abduction: float = 12.0
    forward: float = 5.0
    elbow: float = 15.0
    inward: float = 0.0


@dataclass(frozen=True)
class Reach:
    """An arm by its wrist: the target from the upper spine's joint in axes of the chest (x outwards).

    The elbow points towards ``pole``.
    """

    target: Vector
    pole: Vector


Arm = Swing | Reach


@dataclass(frozen=True)
class Hand:
    """palm: direction the palm looks, in axes of the chest; curl of the fingers and bend of the wrist."""

    palm: Vector = (-1.0, 0.35, 0.0)
    curl: float = 18.0
    bend: float = 6.0


@dataclass(frozen=True)
class Foot:
    """Place of the ankle on the floor in world axes (x to the person's left), toe-out, lift of the heel."""

    x: float = 0.09
    y: float = 0.0
    toe_out: float = 12.0
    lift: float = 0.0


class Bones:
    """An identity's skeleton with the rotations found so far, by bone name."""

    def __init__(self, body: Body, rest: Rest) -> None:
        self.body = body
        self.heads = np.asarray(rest.bone_heads, np.float64)
        self.vertices = rest.vertices
        self.rotations: dict[str, np.ndarray] = {}

    def head(self, name: str) -> np.ndarray:
        """Rest position of a bone's head."""
        return self.heads[self.body.bone_index[name]]

    def span(self, start: str, end: str) -> np.ndarray:
        """Rest vector between the heads of two bones."""
        return self.head(end) - self.head(start)

    def place(self, root_position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posed heads (J x 3) and rotations (J x 3 x 3) of all bones."""
        by_index = {self.body.bone_index[name]: turn for name, turn in self.rotations.items()}
        return forward_kinematics(self.body.bone_parents, self.heads, by_index, root_position)


# ------------------------------------------------------------------------------------------------------ legs


def turn_foot(bones: Bones, side: str, foot: Foot, heel_lift: float) -> None:
    """Rotations of a foot and its toes."""
    along = bones.span(f"foot.{side}", f"toe2-1.{side}")
    rest_toe_out = math.degrees(math.atan2(along[0], -along[1]))
    flat = rotation(UP, SIDES[side] * foot.toe_out - rest_toe_out)
    axis = flat @ cross(along, UP)
    lift = min(foot.lift + heel_lift, GREATEST_LIFT)
    bones.rotations[f"foot.{side}"] = rotation(axis, -lift) @ flat
    toes = rotation(axis, -TOES_FOLLOW_LIFT * lift) @ flat
    bones.rotations.update({f"toe{number}-1.{side}": toes for number in range(1, 6)})


def ankle_height(bones: Bones, side: str) -> float:
    """Metres from the lowest point of a turned foot up to its ankle."""
    sole = _sole(bones.body, side)
    ankle = bones.head(f"foot.{side}")
    turns = [bones.rotations[f"foot.{side}"]] + [bones.rotations[f"toe{number}-1.{side}"] for number in range(1, 6)]
    transforms = np.empty((len(turns), 3, 4))
    for number, turn in enumerate(turns):
        joint = ankle if number == 0 else bones.head(f"toe{number}-1.{side}")
        posed_joint = turns[0] @ (joint - ankle)  # from the ankle
        transforms[number, :, :3] = turn
        transforms[number, :, 3] = posed_joint - turn @ joint
    blended = (sole.weights @ transforms.reshape(-1, 12)).reshape(-1, 3, 4)
    return -float(apply(blended, bones.vertices[sole.indices])[:, 2].min())


@dataclass(frozen=True)
class _Sole:
    indices: np.ndarray  # n skin vertices that may touch the floor
    weights: np.ndarray  # n x 6: foot (and what is above it), five toes


@functools.cache
def _sole(body: Body, side: str) -> _Sole:
    weights = csr_matrix(csr_matrix(body.skin_weights)[:SKIN_VERTICES])
    toes = [
        [index for name, index in body.bone_index.items() if name.startswith(f"toe{toe}-") and name.endswith(side)]
        for toe in range(1, 6)
    ]
    by_toe = np.stack([np.asarray(weights[:, bones].sum(axis=1)).ravel() for bones in toes], axis=1)
    of_foot = np.asarray(weights[:, [body.bone_index[f"foot.{side}"]]].sum(axis=1)).ravel()
    indices = np.flatnonzero(of_foot + by_toe.sum(axis=1) > 0.5)
    by_toe = by_toe[indices]
    return _Sole(indices, np.concatenate([1 - by_toe.sum(axis=1, keepdims=True), by_toe], axis=1))


def bend_leg(bones: Bones, side: str, hip: np.ndarray, ankle: np.ndarray, *, toe_out: float, pelvis_yaw: float) -> None:
    """Rotations of thigh and shin that take the ankle to its place."""
    thigh = bones.span(f"upperleg01.{side}", f"lowerleg01.{side}")
    shin = bones.span(f"lowerleg01.{side}", f"foot.{side}")
    turn = SIDES[side] * KNEE_FOLLOWS_TOES * toe_out + KNEE_FOLLOWS_PELVIS * pelvis_yaw
    pole = rotation(UP, turn) @ FORWARD
    knee, end = bend(hip, ankle, float(np.linalg.norm(thigh)), float(np.linalg.norm(shin)), pole)
    rest_hinge, hinge = cross(thigh, FORWARD), cross(end - hip, pole)
    bones.rotations[f"upperleg01.{side}"] = align(thigh, rest_hinge, knee - hip, hinge)
    bones.rotations[f"lowerleg01.{side}"] = align(shin, rest_hinge, end - knee, hinge)


def leg_length(bones: Bones, side: str) -> float:
    """Metres from hip to ankle along the bones."""
    thigh = bones.span(f"upperleg01.{side}", f"lowerleg01.{side}")
    shin = bones.span(f"lowerleg01.{side}", f"foot.{side}")
    return float(np.linalg.norm(thigh) + np.linalg.norm(shin))


# ------------------------------------------------------------------------------------------------------ arms


def bend_arm(bones: Bones, side: str, arm: Arm, hand: Hand, chest_joint: np.ndarray, collar: np.ndarray) -> None:
    """Rotations from the clavicle to the fingers.

    chest_joint, collar: posed heads of the upper spine's and the clavicle's bone.
    """
    chest = bones.rotations["spine01"]
    turns = _arm_turns(bones, side, arm, chest_joint, _shoulder_joint(bones, side, collar, chest, chest))
    for _ in range(SHOULDER_PASSES):
        joint = _shoulder_joint(bones, side, collar, turns.clavicle, turns.shoulder)
        turns = _arm_turns(bones, side, arm, chest_joint, joint)
    bones.rotations[f"clavicle.{side}"] = turns.clavicle
    bones.rotations[f"shoulder01.{side}"] = turns.shoulder
    bones.rotations[f"upperarm01.{side}"] = turns.upper
    _turn_hand(bones, side, hand, turns.lower, turns.along)


@dataclass(frozen=True)
class _ArmTurns:
    clavicle: np.ndarray
    shoulder: np.ndarray
    upper: np.ndarray
    lower: np.ndarray  # before the forearm twists
    along: np.ndarray  # unit direction of the forearm


def wrist_target(bones: Bones, side: str, arm: Reach) -> np.ndarray:
    """Where a wrist should go, from the upper spine's joint in axes of the chest.

    The target is meant for the template body and moves with the skin near it, so that a hand on the hip of a
    stout person lies on the hip as well.
    """
    trunk = _trunk(bones.body)
    joint = bones.body.template_joints["spine01"]
    target = joint + np.array(arm.target) * [SIDES[side], 1, 1] * trunk.scale
    _, nearest = trunk.tree.query(target, k=TOUCHING_VERTICES)
    nearest = trunk.indices[nearest]
    moved = (bones.vertices[nearest] - bones.body.template[nearest]).mean(axis=0)
    return target + moved - bones.head("spine01")


@dataclass(frozen=True)
class _Trunk:
    indices: np.ndarray  # skin vertices of trunk, head and legs
    tree: KDTree  # of their template positions
    scale: float  # template metres for a metre of a pose


@functools.cache
def _trunk(body: Body) -> _Trunk:
    arms = [
        index
        for name, index in body.bone_index.items()
        if name.startswith(("clavicle", "shoulder", "upperarm", "lowerarm", "wrist", "finger", "metacarpal"))
    ]
    weights = csr_matrix(csr_matrix(body.skin_weights)[:SKIN_VERTICES])
    indices = np.flatnonzero(np.asarray(weights[:, arms].sum(axis=1)).ravel() < 0.3)
    skin = body.template[:SKIN_VERTICES]
    scale = float(np.ptp(skin[:, 2])) / REFERENCE_STATURE
    return _Trunk(indices, KDTree(skin[indices]), scale)


def _shoulder_joint(
    bones: Bones, side: str, collar: np.ndarray, clavicle: np.ndarray, shoulder: np.ndarray
) -> np.ndarray:
    to_shoulder = clavicle @ bones.span(f"clavicle.{side}", f"shoulder01.{side}")
    return collar + to_shoulder + shoulder @ bones.span(f"shoulder01.{side}", f"upperarm01.{side}")


def _arm_turns(bones: Bones, side: str, arm: Arm, chest_joint: np.ndarray, joint: np.ndarray) -> _ArmTurns:
    """What the arm does with its shoulder at ``joint``."""
    sign = SIDES[side]
    chest = bones.rotations["spine01"]
    upper = bones.span(f"upperarm01.{side}", f"lowerarm01.{side}")
    lower = bones.span(f"lowerarm01.{side}", f"wrist.{side}")
    if isinstance(arm, Swing):
        to_upper, to_lower, hinge = _swing(arm, sign, chest)
    else:
        target = chest_joint + chest @ wrist_target(bones, side, arm)
        pole = chest @ (np.array(arm.pole) * [sign, 1, 1])
        elbow, wrist = bend(joint, target, float(np.linalg.norm(upper)), float(np.linalg.norm(lower)), pole)
        to_upper, to_lower = elbow - joint, wrist - elbow
        hinge = cross(to_upper, to_lower)
    rest_hinge = cross(upper, lower)
    upper_turn = align(upper, rest_hinge, to_upper, hinge)
    raised = float(unit(to_upper) @ chest[:, 2])
    lift = CLAVICLE_LIFT * max(0.0, raised - CLAVICLE_START)
    clavicle = chest @ rotation((0, 1, 0), -sign * lift)
    return _ArmTurns(
        clavicle=clavicle,
        shoulder=slerp(clavicle, upper_turn, SHOULDER_SHARE),
        upper=upper_turn,
        lower=align(lower, rest_hinge, to_lower, hinge),
        along=unit(to_lower),
    )


def _swing(arm: Swing, sign: int, chest: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """World directions of upper and lower arm, and of the elbow's hinge."""
    aside, ahead = math.radians(arm.abduction), math.radians(arm.forward)
    upper = unit([sign * math.sin(aside), -math.sin(ahead), -math.cos(aside) * math.cos(ahead)])
    hinge = unit(cross(upper, rotation(UP, -sign * arm.inward) @ FORWARD))
    lower = rotation(hinge, arm.elbow) @ upper
    return chest @ upper, chest @ lower, chest @ hinge


def _turn_hand(bones: Bones, side: str, hand: Hand, forearm: np.ndarray, along: np.ndarray) -> None:
    """Rotations of forearm twist, wrist and fingers; ``along`` is the forearm's world direction."""
    sign = SIDES[side]
    index, middle, little = (bones.span(f"wrist.{side}", f"finger{finger}-1.{side}") for finger in (2, 3, 5))
    palm = unit(cross(index, little))
    palm = palm * np.sign(palm @ [-sign, 0, -1])  # in the rest pose it looks inwards and down
    curl_axis = unit(cross(middle, palm))

    axis = cross(forearm @ unit(middle), along)
    angle = math.degrees(math.asin(min(1.0, float(np.linalg.norm(axis)))))
    turn = rotation(axis, HAND_STRAIGHTENED * angle) @ forearm if angle > 1 else forearm
    wanted = bones.rotations["spine01"] @ (np.array(hand.palm) * [sign, 1, 1])
    twist = float(np.clip(_angle_about(along, turn @ palm, wanted), -GREATEST_TWIST, GREATEST_TWIST))
    for bone, share in TWIST_SHARES.items():
        bones.rotations[f"{bone}.{side}"] = rotation(along, share * twist) @ forearm
    turn = rotation(along, twist) @ turn
    turn = rotation(turn @ curl_axis, hand.bend) @ turn
    bones.rotations[f"wrist.{side}"] = turn
    for phalanx in PHALANGES:
        for finger in FINGERS:
            curl = hand.curl * (0.85 * phalanx + 0.25 * (finger - 2))  # outer fingers close more
            bones.rotations[f"finger{finger}-{phalanx}.{side}"] = turn @ rotation(curl_axis, curl)
        thumb = hand.curl * (0.3 if phalanx == 1 else 0.4 * phalanx)
        bones.rotations[f"finger1-{phalanx}.{side}"] = turn @ rotation(curl_axis, thumb)


def _angle_about(axis: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Degrees about a unit axis from one direction to another; 0 where the second is along the axis."""
    start, end = start - axis * (axis @ start), end - axis * (axis @ end)
    if np.linalg.norm(end) < 0.05:
        return 0.0
    return math.degrees(math.atan2(float(axis @ cross(start, end)), float(start @ end)))
