"""Tops and outer garments: from tank top to coat. Heights and widths are template metres.

One description, :class:`Top`, covers them all; the part below the crotch of a coat or dress is a skirt
(``legwear.py``). Collars, plackets, lapels and hoods are patches of the same cloth (``trims.py``).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vitruvian.mannequin import drape
from vitruvian.mannequin.body import Rest
from vitruvian.mannequin.cloth import Blank, Cut, Shape, Spots, everywhere, in_front
from vitruvian.mannequin.fabric import Fabric
from vitruvian.mannequin.fields import smoothstep
from vitruvian.mannequin.legwear import SKIRT_SPAN, SKIRT_TOP, Skirt

NeckKind = Literal["crew", "v", "scoop", "boat", "wide", "mock", "turtle", "shirt", "strap"]
TrimKind = Literal["none", "collar", "lapel", "hood", "polo"]
StrapKind = Literal["none", "thin", "broad"]

TRUNK_AXIS = (0.0, -0.025)
NECK_Y = -0.012  # the neck's axis
COLLAR_BONE = 0.75  # cloth ends here unless it climbs the neck; faces above must never count as covered
STRAP_SIDE = 0.085  # |x| of a strap's middle
STRAP_HALF_WIDTH = {"thin": 0.010, "broad": 0.024}
NECK_RADIUS = {"v": 0.082, "scoop": 0.095, "boat": 0.125, "wide": 0.14, "shirt": 0.074}
CREW_RADIUS = 0.078
CLIMBING = {"mock": 0.748, "turtle": 0.785}  # height at the neck's axis
OPENING_HEIGHTS = (0.0, 0.25, 0.45, 0.60, 0.72)
FORK = 0.085
HIP_SEAM = 0.18
FALL_HEIGHT = 0.50  # the ring from which loose cloth falls
NOT_CUT = 1.0  # metres; more than any distance on the body


@dataclass(frozen=True, slots=True)
class Top:
    """A garment of the upper body."""

    fabric: Fabric
    kind: str
    """What one would call it, for labels."""
    sleeve: float
    """Where sleeves end: 0 shoulder joint, 1 wrist; slightly negative without sleeves."""
    hem: float
    """Height of the lower edge. Under :data:`FORK` a skirt piece hangs from the hips, or the cloth would show
    the fork of the legs."""
    neck: NeckKind
    looseness: float
    """0 clings, 1 hangs."""
    thickness: float
    """Distance from the skin."""
    neck_depth: float = 0.09
    neck_width: float = 0.085
    hem_room: float = 0.0
    """Extra distance from the skin at the hips."""
    sleeve_width: float = 1.0
    cuffs: bool = False
    """Ribbed cuffs and waist: the cloth is drawn in at its ends."""
    straps: StrapKind = "none"
    opening: tuple[float, ...] | None = None
    """Half width of an open front at :data:`OPENING_HEIGHTS`; None for a closed one."""
    trim: TrimKind = "none"

    def cut(self) -> Cut:
        """Metres inside the garment."""
        edges = [self._hem_cut, self._sleeve_cut, functools.partial(neck_cut, self)]
        if self.straps != "none":
            edges.append(self._strap_cut)
        if self.opening is not None:
            edges.append(self._opening_cut)
        return everywhere(*edges)

    def _hem_cut(self, spots: Spots) -> np.ndarray:
        return spots.z - (HIP_SEAM if self.hem < FORK else self.hem)

    def skirt_piece(self) -> Skirt | None:
        """What hangs from the hips of a long top or coat."""
        if self.hem >= FORK:
            return None
        return Skirt(
            fabric=self.fabric,
            kind=self.kind,
            length=(SKIRT_TOP - self.hem) / SKIRT_SPAN,
            flare=0.03 + 0.10 * self.looseness,
            wave=0.05 + 0.25 * self.looseness,
            pleats=5,
            thickness=0.005,
            waist=HIP_SEAM + 0.018,
            phase=self.fabric.seed,
            opening=None if self.opening is None else float(self.half_opening(np.array(HIP_SEAM))),
        )

    def _sleeve_cut(self, spots: Spots) -> np.ndarray:
        return (self.sleeve - spots.arm_arc) * spots.arm_length

    def _strap_cut(self, spots: Spots) -> np.ndarray:
        chest = 0.605 - 0.05 * smoothstep(-0.06, 0.06, spots.y) + 0.015 * np.cos(spots.x / 0.05)
        strap = STRAP_HALF_WIDTH[self.straps] - np.abs(spots.side - STRAP_SIDE)
        return np.maximum(chest - spots.z, np.minimum(strap, spots.z - 0.52))

    def _opening_cut(self, spots: Spots) -> np.ndarray:
        return np.maximum(spots.side - self.half_opening(spots.z), -in_front(spots))

    def half_opening(self, z: np.ndarray) -> np.ndarray:
        """Half width of the open front at these heights."""
        return np.interp(z, OPENING_HEIGHTS, self.opening or (0.0,) * len(OPENING_HEIGHTS))


def neck_distance(spots: Spots) -> np.ndarray:
    """Horizontal distance from the neck's axis."""
    return np.hypot(spots.x, 0.92 * (spots.y - NECK_Y))


def neck_cut(top: Top, spots: Spots) -> np.ndarray:
    """Metres below the neckline."""
    x, y, z = spots.side, spots.y, spots.z
    if top.neck in CLIMBING:
        return CLIMBING[top.neck] + 0.25 * (y + 0.02) - z
    ceiling = COLLAR_BONE - z
    if top.neck == "strap":
        return ceiling
    # Every cut is continuous, or its edge would be ragged: the neck's cylinder ends at a slanting floor.
    floor = 0.655 + 0.6 * np.clip(y, -0.06, 0.06)
    ring = np.maximum(neck_distance(spots) - NECK_RADIUS.get(top.neck, CREW_RADIUS), 2 * (floor - z))
    return np.minimum(np.minimum(ring, ceiling), _front_dip(top, x, y, z))


def _front_dip(top: Top, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Metres below the curve that dips in front."""
    width = CREW_RADIUS if top.neck == "crew" else top.neck_width
    share = x / width
    if top.neck in ("v", "shirt"):
        dip = 0.70 - top.neck_depth * np.maximum(1 - share, 0) - z
    elif top.neck in ("scoop", "wide"):
        dip = 0.69 - top.neck_depth * (1 - share**2.5) - z
    elif top.neck == "crew":
        dip = 0.672 + 0.02 * share**2 - z
    else:
        return np.full_like(z, NOT_CUT)
    return dip + 2 * np.maximum(x - width, 0) + 2 * np.maximum(y + 0.02, 0)


def blank() -> Blank:
    """The cloth that tops are cut from."""
    return Blank.of("tights", "torso")


def shape_top(top: Top, rest: Rest) -> Shape:
    """The uncut garment on an identity, for :func:`blank`."""
    cloth = blank()
    loose = top.looseness
    z = cloth.template[:, 2]
    trunk = 1 - cloth.at.arm_gate
    vertices = drape.filled_hollows(
        cloth.on(rest), z, (trunk > 0.6) & (z < 0.56) & (z > -0.1), TRUNK_AXIS, 0.35 + 0.65 * loose
    )
    vertices = cloth.relaxed(vertices, int(6 + 24 * loose), trunk * smoothstep(0.75, 0.66, z))
    vertices = vertices + cloth.normals(vertices) * _distance(top, cloth)[:, None].astype(np.float32)
    if loose > 0.05:
        vertices = _fallen(top, cloth, vertices)
        vertices = cloth.relaxed(vertices, 3, trunk * smoothstep(0.6, 0.5, z))
    return cloth.shaped(vertices)


def _distance(top: Top, cloth: Blank) -> np.ndarray:
    """How far the cloth stands off the skin, n."""
    loose = top.looseness
    z = cloth.template[:, 2]
    arm, along = cloth.at.arm_gate, cloth.at.arm_arc
    trunk = 1 - arm
    sleeve_room = (0.008 * smoothstep(0, 0.3, along) + 0.018 * smoothstep(0.1, 0.9, along)) * top.sleeve_width
    trunk_room = loose * (0.010 + 0.022 * smoothstep(0.52, 0.15, z)) + top.hem_room * smoothstep(0.5, 0.25, z)
    if top.cuffs:
        sleeve_room = sleeve_room * smoothstep(0, 0.14, top.sleeve - 0.02 - along)
        trunk_room = trunk_room * (0.25 + 0.75 * smoothstep(0.03, 0.09, z - top.hem))
    distance = top.thickness + trunk * trunk_room + arm * loose * sleeve_room
    # Less on top of the shoulders and at the neck, or the garment seems to be padded.
    shoulder = smoothstep(0.54, 0.63, z) * smoothstep(0.40, 0.10, along)
    distance = distance * (1 - 0.70 * shoulder)
    neck = smoothstep(0.66, 0.74, z) * trunk
    return distance * (1 - 0.75 * neck) + 0.002 * neck


def _fallen(top: Top, cloth: Blank, vertices: np.ndarray) -> np.ndarray:
    """Loose cloth falls straight from the chest and swings in a few waves at the hem."""
    loose = top.looseness
    z = cloth.template[:, 2]
    trunk = cloth.at.arm_gate < 0.4
    depth = np.interp(z, [0.0, 0.2, 0.4, 0.6], [-0.02, -0.02, -0.045, -0.03])
    axis = np.stack([np.zeros_like(depth), depth], axis=1)
    angle, radius = drape.polar(vertices, axis)
    ring = trunk & (np.abs(z - FALL_HEIGHT) < 0.03)
    chest = drape.mean_radius_by_angle(angle[ring], radius[ring], angle)
    wanted = np.maximum(radius, chest * (0.93 + 0.05 * loose))
    share = np.where(trunk & (z < FALL_HEIGHT + 0.03), 0.85 * loose * smoothstep(0.55, 0.44, z), 0)
    if top.cuffs:
        share = share * (0.3 + 0.7 * smoothstep(0.02, 0.08, z - top.hem))
    phase = top.fabric.seed
    swing = 0.6 * np.sin(5 * angle + phase) + 0.4 * np.sin(8 * angle + 2.7 * phase)
    sway = 0.007 * loose * swing * smoothstep(0.40, 0.10, z) * trunk * (0.2 if top.cuffs else 1.0)
    scale = 1 + (share * (wanted - radius) + sway) / radius
    return drape.scaled_about(vertices, axis, scale.astype(np.float32))
