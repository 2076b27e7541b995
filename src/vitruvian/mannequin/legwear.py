"""Trousers, shorts and skirts (also the lower part of dresses and coats). Heights are template metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.mannequin import drape
from vitruvian.mannequin.body import Body, Rest
from vitruvian.mannequin.cloth import Blank, Cut, Shape, Spots, everywhere, in_front, off_arms
from vitruvian.mannequin.fabric import Fabric
from vitruvian.mannequin.fields import smoothstep

SEAT_AXIS = (0.0, -0.025)
SKIRT_AXIS = (0.0, -0.02)
SKIRT_TOP = 0.285  # height at which a skirt's length counts as 0
SKIRT_SPAN = 0.97  # metres of length 1
SEAM_DROP = 0.015  # metres below its waist at which a skirt is fitted to the garment above
KNEE_RING = 0.22  # leg arc from which loose trousers fall


@dataclass(frozen=True, slots=True)
class Trousers:
    """Trousers or shorts."""

    fabric: Fabric
    kind: str
    length: float
    """Where legs end: 0 hip, 1 ankle."""
    waist: float
    looseness: float
    flare: float
    """0 tapered, 1 wide at the ankle; matters when loose."""
    thickness: float
    turn_up: bool = False

    def cut(self) -> Cut:
        """Metres inside the garment."""

        def keep(spots: Spots) -> np.ndarray:
            inside = np.minimum((self.length - spots.leg_arc) * spots.leg_length, self.waist - spots.z)
            return np.minimum(inside, off_arms(spots))

        return keep


@dataclass(frozen=True, slots=True)
class Skirt:
    """A skirt, or what hangs from the waist of a dress or coat."""

    fabric: Fabric
    kind: str
    length: float
    """.28 mini, .5 knee, .96 ankle."""
    flare: float
    """-.06 pencil, .5 swinging."""
    wave: float
    """Depth of the folds, 0..1.2."""
    pleats: int
    thickness: float
    waist: float = 0.27
    phase: float = 0.0
    opening: float | None = None
    """Half width of an open front at the waist."""

    @property
    def hem(self) -> float:
        """Height of the lower edge."""
        return SKIRT_TOP - SKIRT_SPAN * self.length

    def cut(self) -> Cut:
        """Metres inside the garment."""

        def keep(spots: Spots) -> np.ndarray:
            inside = np.minimum(spots.z - self.hem, self.waist - spots.z)
            return np.minimum(inside, off_arms(spots))

        return keep if self.opening is None else everywhere(keep, self._opening_cut)

    def _opening_cut(self, spots: Spots) -> np.ndarray:
        half = (self.opening or 0.0) * (1 + 0.8 * np.clip(0.25 - spots.z, 0, 1))
        return np.maximum(spots.side - half, -in_front(spots))


def trouser_blank() -> Blank:
    """The cloth that trousers are cut from."""
    return Blank.of("tights", "leg")


def skirt_blank() -> Blank:
    """The cloth that skirts are cut from."""
    return Blank.of("skirt", "skirt")


def shape_trousers(trousers: Trousers, rest: Rest) -> Shape:
    """The uncut garment on an identity, for :func:`trouser_blank`."""
    cloth = trouser_blank()
    loose = trousers.looseness
    _, y, z = cloth.template.T
    down = cloth.at.leg_arc
    seat = (z > 0.05) & (z < 0.35) & (y > 0) & (cloth.at.arm_gate < 0.3)
    vertices = drape.filled_hollows(cloth.on(rest), z, seat, SEAT_AXIS, 0.6)
    vertices = cloth.relaxed(vertices, int(5 + 8 * loose), smoothstep(0.25, 0.1, z) * smoothstep(0.97, 0.85, down))
    room = 0.004 + 0.012 * smoothstep(0.05, 0.35, down) + 0.030 * trousers.flare * smoothstep(0.2, 1, down)
    distance = trousers.thickness + loose * room
    vertices = vertices + cloth.normals(vertices) * distance[:, None].astype(np.float32)
    if loose > 0.05:
        for bone_side, sign in (("L", 1), ("R", -1)):
            vertices = _leg_fallen(trousers, cloth, rest, vertices, bone_side, sign)
        vertices = cloth.relaxed(vertices, 2, smoothstep(0.05, 0.2, down))
    return cloth.shaped(vertices)


def _leg_fallen(
    trousers: Trousers, cloth: Blank, rest: Rest, vertices: np.ndarray, bone_side: str, sign: int
) -> np.ndarray:
    """One leg hangs from the thigh: its radius about hip, knee and ankle shrinks less than the leg's."""
    index = Body.load().bone_index
    joints = [f"{bone}.{bone_side}" for bone in ("foot", "lowerleg01", "upperleg01")]
    ankle, knee, hip = (rest.bone_heads[index[name]] for name in joints)
    heights = [ankle[2], knee[2], hip[2]]
    axis = np.stack([np.interp(vertices[:, 2], heights, [ankle[k], knee[k], hip[k]]) for k in (0, 1)], axis=1)
    _, radius = drape.polar(vertices, axis)
    down = cloth.at.leg_arc
    this_side = cloth.template[:, 0] * sign > 0
    thigh = np.median(radius[this_side & (np.abs(down - KNEE_RING) < 0.03)])
    taper = 1 - 0.30 * smoothstep(0.2, 0.9, down) * (1 - trousers.flare)
    wanted = np.maximum(radius, thigh * taper)
    on_leg = this_side & (down > 0.12) & (down < 1.2)
    share = np.where(on_leg, 0.9 * trousers.looseness * smoothstep(0.2, 0.5, down), 0)
    return drape.scaled_about(vertices, axis, (1 + share * (wanted - radius) / radius).astype(np.float32))


def shape_skirt(skirt: Skirt, rest: Rest, *, above: Shape | None = None) -> Shape:
    """The uncut garment on an identity, for :func:`skirt_blank`.

    above: a shape of ``garments.blank`` that it goes on from without a step, for the lower part of coats.
    """
    cloth = skirt_blank()
    z = cloth.template[:, 2]
    depth = np.clip((SKIRT_TOP - z) / 0.95, 0, 1.1)
    vertices = drape.filled_hollows(cloth.on(rest), z, np.ones(len(z), bool), SKIRT_AXIS, 1.0)
    vertices = cloth.relaxed(vertices, 6, np.ones(len(z)))
    angle, radius = drape.polar(vertices, SKIRT_AXIS)
    second = int(1.7 * skirt.pleats)
    folds = 0.6 * np.sin(skirt.pleats * angle + skirt.phase) + 0.4 * np.sin(second * angle + 2.3 * skirt.phase)
    if above is not None:
        radius_here = _goes_on(skirt, cloth, angle, radius, above)
        vertices = drape.scaled_about(vertices, SKIRT_AXIS, (radius_here / radius).astype(np.float32))
        radius = radius_here
    wider = radius * (1 + 1.1 * skirt.flare * smoothstep(0.05, 1, depth))
    wider = wider + 0.035 * skirt.wave * folds * smoothstep(0.08, 0.8, depth) + skirt.thickness
    return cloth.shaped(drape.scaled_about(vertices, SKIRT_AXIS, (wider / radius).astype(np.float32)))


def _goes_on(skirt: Skirt, cloth: Blank, angle: np.ndarray, radius: np.ndarray, above: Shape) -> np.ndarray:
    """Radii (n) of a skirt that begins as wide as the garment above is at the skirt's waist."""
    upper = trouser_blank().at
    seam = skirt.waist - SEAM_DROP
    ring = (np.abs(upper.z - seam) < 0.025) & (upper.arm_gate < 0.3)
    there = drape.mean_radius_by_angle(*drape.polar(above.vertices[ring], SKIRT_AXIS), angle)
    own_ring = np.abs(cloth.at.z - seam) < 0.025
    here = drape.mean_radius_by_angle(angle[own_ring], radius[own_ring], angle)
    return radius + np.maximum(there - here, 0)
