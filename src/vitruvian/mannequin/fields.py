"""Numbers over the template body: how far along an arm or leg, which region, which place in a cloth pattern.

They depend on neither identity nor pose, so every cut and every pattern is written once, in template metres.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vitruvian.mannequin.body import Body, Part, PartName

ChartKind = Literal["torso", "leg", "skirt"]

# Semantic classes of skin (labels.py has all of them).
FACE, TORSO, ARM, HAND, LEG, FOOT = 2, 3, 4, 5, 6, 7

OFF_ARM = -0.35  # arc length reported off the arm, far on the body side of every sleeve
OFF_LEG = -1.0
ARM_CHART_SHIFT = 2.0  # metres in u, so that chest prints stay off the sleeves
# Metres of pattern for one radian round the limb.
TORSO_RADIUS, ARM_RADIUS, LEG_RADIUS = 0.15, 0.05, 0.09


def smoothstep(start: float, end: float, x: np.ndarray) -> np.ndarray:
    """0 before ``start``, 1 after ``end`` (which may be smaller), cubic between."""
    t = np.clip((x - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True, eq=False)
class Limbs:
    """The straight segments of the template's left arm and leg."""

    shoulder: np.ndarray
    elbow: np.ndarray
    upper_direction: np.ndarray
    lower_direction: np.ndarray
    upper_length: float
    lower_length: float
    hip_height: float
    ankle_height: float

    @staticmethod
    def of(body: Body) -> Limbs:
        joints = body.template_joints
        shoulder, elbow, wrist = (joints[f"{bone}.L"].astype(float) for bone in ("upperarm01", "lowerarm01", "wrist"))
        upper, lower = elbow - shoulder, wrist - elbow
        upper_length, lower_length = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
        return Limbs(
            shoulder,
            elbow,
            upper / upper_length,
            lower / lower_length,
            upper_length,
            lower_length,
            float(joints["upperleg01.L"][2]),
            float(joints["foot.L"][2]),
        )


@dataclass(frozen=True, eq=False)
class Fields:
    """Arrays over the V base vertices."""

    arm: np.ndarray
    """Skin weight of arm bones (half of the shoulder's)."""
    hand: np.ndarray
    leg: np.ndarray
    foot: np.ndarray
    head: np.ndarray
    neck: np.ndarray
    arm_gate: np.ndarray
    """0 on the trunk, 1 on the arm, smooth between."""
    arm_arc: np.ndarray
    """0 at the shoulder joint, 1 at the wrist, negative off the arm."""
    leg_arc: np.ndarray
    """0 at the hip, 1 at the ankle, -1 on the arms."""
    region: np.ndarray
    """Semantic class of the skin, int."""
    arm_length: float
    """Metres from shoulder to wrist."""
    leg_length: float
    """Metres from hip to ankle."""

    @staticmethod
    @functools.cache
    def of(body: Body) -> Fields:
        weight = functools.partial(_weight_of, body)
        arm = weight("upperarm", "lowerarm", "wrist", "finger", "metacarpal") + 0.5 * weight("shoulder01")
        hand = weight("wrist", "finger", "metacarpal")
        leg = weight("upperleg", "lowerleg", "foot", "toe")
        foot = weight("foot", "toe")
        head, neck = weight("head", "eye"), weight("neck")

        limbs = Limbs.of(body)
        template = body.template.astype(float)
        gate = smoothstep(0.08, 0.5, arm)
        left = template * [1, 1, 1]
        left[:, 0] = np.abs(left[:, 0])
        along_upper = np.minimum((left - limbs.shoulder) @ limbs.upper_direction, limbs.upper_length)
        along_lower = np.maximum((left - limbs.elbow) @ limbs.lower_direction, 0)
        arm_length = limbs.upper_length + limbs.lower_length
        arm_arc = gate * (along_upper + along_lower) / arm_length + (1 - gate) * OFF_ARM
        leg_length = limbs.hip_height - limbs.ankle_height
        leg_arc = np.where(arm > 0.3, OFF_LEG, (limbs.hip_height - template[:, 2]) / leg_length)

        region = np.full(len(template), TORSO)
        for mask, value in ((arm > 0.55, ARM), (hand > 0.5, HAND), (leg > 0.5, LEG), (foot > 0.5, FOOT)):
            region[mask] = value
        region[head > 0.4] = FACE
        jaw_line = 0.775 + 0.55 * np.clip(template[:, 1] + 0.12, 0, 0.2)
        region[(head + neck > 0.4) & (template[:, 2] < jaw_line)] = TORSO
        return Fields(arm, hand, leg, foot, head, neck, gate, arm_arc, leg_arc, region, arm_length, leg_length)


def _weight_of(body: Body, *prefixes: str) -> np.ndarray:
    bones = [index for name, index in body.bone_index.items() if name.startswith(prefixes)]
    return np.asarray(body.skin_weights[:, bones].sum(axis=1), np.float64).ravel()


def torso_chart(p0: np.ndarray) -> np.ndarray:
    """N x 3 template points to N x 2 pattern metres round the trunk: 0.15 times the angle, and the height."""
    return np.stack([TORSO_RADIUS * np.arctan2(p0[:, 0], -(p0[:, 1] + 0.03)), p0[:, 2]], axis=1)


def leg_chart(body: Body, p0: np.ndarray) -> np.ndarray:
    """N x 2 pattern metres round each leg, whose axis runs outwards from hip to ankle."""
    limbs = Limbs.of(body)
    down = np.clip((limbs.hip_height - p0[:, 2]) / (limbs.hip_height - limbs.ankle_height), 0, 1)
    axis = np.where(p0[:, 0] < 0, -1.0, 1.0) * (0.11 + 0.08 * down)
    return np.stack([LEG_RADIUS * np.arctan2(p0[:, 0] - axis, -(p0[:, 1] + 0.02)), p0[:, 2]], axis=1)


def arm_chart(body: Body, p0: np.ndarray) -> np.ndarray:
    """N x 2 pattern metres round each arm, far from the trunk's in u."""
    limbs = Limbs.of(body)
    side = np.where(p0[:, 0] < 0, -1.0, 1.0)
    left = np.array(p0, float)
    left[:, 0] = np.abs(left[:, 0])
    upper = (left - limbs.shoulder) @ limbs.upper_direction
    lower = (left - limbs.elbow) @ limbs.lower_direction
    on_axis = np.where(
        (upper < limbs.upper_length)[:, None],
        limbs.shoulder + upper[:, None] * limbs.upper_direction,
        limbs.elbow + lower[:, None] * limbs.lower_direction,
    )
    forward = np.array([0, -1.0, 0])
    forward -= limbs.upper_direction * (forward @ limbs.upper_direction)
    forward /= np.linalg.norm(forward)
    sideways = np.cross(limbs.upper_direction, forward)
    spoke = left - on_axis
    u = ARM_RADIUS * np.arctan2(spoke @ sideways, spoke @ forward) * side + ARM_CHART_SHIFT
    v = 0.65 - (np.minimum(upper, limbs.upper_length) + np.maximum(lower, 0))
    return np.stack([u, v], axis=1)


@dataclass(frozen=True, eq=False)
class Charted:
    """A part whose vertices are doubled where pattern charts meet, so that no triangle spans a jump."""

    part: Part
    source: np.ndarray
    """n indices of the part's vertices."""
    triangles: np.ndarray
    """T x 3 into the n doubled vertices; same faces in the same order as the part's."""
    chart: np.ndarray
    """n x 2 pattern metres."""
    template: np.ndarray
    """n x 3."""

    def of(self, values: np.ndarray) -> np.ndarray:
        """Per-base-vertex values on the doubled vertices."""
        return self.part.of(values)[self.source]

    @staticmethod
    @functools.cache
    def of_part(body: Body, name: PartName, kind: ChartKind) -> Charted:
        part = body.part(name)
        template = part.of(body.template)
        triangles = part.triangles
        count = len(template)
        on_left = template[triangles][:, :, 0].mean(axis=1) > 0
        if kind == "skirt":
            on_arm = np.zeros(len(triangles), bool)
        else:
            on_arm = part.of(Fields.of(body).arm_gate)[triangles].mean(axis=1) > 0.5
        group = on_left + 2 * on_arm.astype(int)
        doubled, inverse = np.unique((triangles + count * group[:, None]).reshape(-1), return_inverse=True)
        source, group_of = doubled % count, doubled // count
        p0 = template[source]
        # A vertex on the middle line belongs to the side of its faces, or its angle would jump by a turn.
        sided = p0.astype(float)
        sided[:, 0] = np.where(group_of % 2 == 1, 1, -1) * np.maximum(np.abs(p0[:, 0]), 1e-5)
        chart = leg_chart(body, sided) if kind == "leg" else torso_chart(sided)
        arms = group_of >= 2
        chart[arms] = arm_chart(body, sided[arms])
        turn = 2 * np.pi * np.where(arms, ARM_RADIUS, LEG_RADIUS if kind == "leg" else np.inf)
        doubled, triangles, chart = _unwrapped(inverse.reshape(-1, 3), chart, turn)
        return Charted(part, source[doubled], triangles, chart.astype(np.float32), p0[doubled])


def _unwrapped(triangles: np.ndarray, chart: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Double corners of triangles behind a limb, where the angle jumps by a turn, and set them one turn on.

    Args:
        triangles: T x 3.
        chart: n x 2 pattern metres.
        turn: n, metres of one turn; infinite where nothing jumps.

    Returns:
        m indices of the n vertices, the triangles into them, and their m x 2 chart.
    """
    u = chart[triangles][:, :, 0]
    spans = np.ptp(u, axis=1) > turn[triangles[:, 0]] / 2
    behind = spans[:, None] & (u < u.mean(axis=1, keepdims=True))  # the corners on the low side of the jump
    moved, place = np.unique(triangles[behind], return_inverse=True)
    triangles = triangles.copy()
    triangles[behind] = len(chart) + place
    extra = chart[moved].copy()
    extra[:, 0] += turn[moved]
    return np.r_[np.arange(len(chart)), moved], triangles, np.concatenate([chart, extra])
