"""Shoes: an upper cut from the foot's cloth, a flat sole around its outline, and a heel.

The upper follows the smoothed foot. The sole is built by itself, as a solid with a flat underside and upright
walls, and the heel reaches from it to the floor when the foot stands with the shoe's heel lift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial import ConvexHull

from vitruvian.mannequin.body import Body, Rest
from vitruvian.mannequin.cloth import Blank, Cut, Shape, Sheet, Spots, attached, cut_out, everywhere
from vitruvian.mannequin.colours import Rgb
from vitruvian.mannequin.fabric import Fabric
from vitruvian.mannequin.fields import smoothstep
from vitruvian.mannequin.materials import Slot

ShoeKind = Literal["sneaker", "boot", "loafer", "pump", "sandal"]
HeelKind = Literal["none", "block", "stiletto"]

# Height of the upper edge along the foot, from toes (y -.25) to heel.
_EDGE_Y = {"pump": (-0.25, -0.19, -0.165, -0.02, 0.04), "low": (-0.25, -0.12, -0.06, 0.04)}
_EDGE_Z = {"pump": (-0.70, -0.76, -0.792, -0.785, -0.752), "low": (-0.70, -0.742, -0.728, -0.742)}
SANDAL_STRAPS = ((-0.165, 0.0, 0.017), (0.015, 0.55, 0.010))  # y at height -.76, slope, half width
LACES = (-0.105, -0.124, -0.143, -0.160)  # y of a sneaker's laces
OUTLINE_POINTS = 44
RIM = {
    "sneaker": 0.010,
    "boot": 0.007,
    "loafer": 0.004,
    "pump": 0.002,
    "sandal": 0.0,
}  # sole above the foot's underside
SOLE_EDGE = {"sneaker": 0.003, "boot": 0.002, "loafer": 0.002, "pump": -0.002, "sandal": 0.003}
HEEL_SHARE = 0.30  # of the foot's length


@dataclass(frozen=True, slots=True)
class Shoes:
    """A pair of shoes."""

    fabric: Fabric
    kind: ShoeKind
    sole: float
    """Thickness of the sole in metres; the figure stands that much higher."""
    sole_colour: Rgb
    """Linear RGB of sole and heel."""
    sole_name: str
    top: float = -0.60
    """Height of a boot's upper edge, template metres."""
    heel_lift: float = 0.0
    """Degrees that the foot is pitched."""
    heel: HeelKind = "none"

    def cut(self) -> Cut:
        """Metres inside the upper."""
        if self.kind == "boot":
            edge = _boot_edge(self.top)
        elif self.kind == "sandal":
            edge = _strap_edge
        else:
            edge = _low_edge("pump" if self.kind == "pump" else "low")
        return everywhere(edge, _on_leg)


def _on_leg(spots: Spots) -> np.ndarray:
    return np.where((spots.leg > 0.4) & (spots.z < -0.3), 1.0, -1.0)


def _boot_edge(top: float) -> Cut:
    return lambda spots: top - spots.z


def _low_edge(shape: str) -> Cut:
    return lambda spots: np.interp(spots.y, _EDGE_Y[shape], _EDGE_Z[shape]) - spots.z


def _strap_edge(spots: Spots) -> np.ndarray:
    straps = [half - np.abs(spots.y - y - slope * (spots.z + 0.76)) for y, slope, half in SANDAL_STRAPS]
    return np.minimum(np.maximum(*straps), np.minimum(-0.70 - spots.z, spots.z + 0.818))


def _laces(spots: Spots) -> np.ndarray:
    """Short bands across the instep, on its upper side."""
    band = np.max([0.0042 - np.abs(spots.y - y) for y in LACES], axis=0)
    middle = 0.195 + 0.02 * (-spots.y - 0.05) / 0.1  # the foot points a little outwards
    return np.minimum(band, 0.021 - np.abs(spots.side - middle))


def blank() -> Blank:
    """The cloth that shoes are cut from."""
    return Blank.of("tights_legs_fine", "leg")


def make_shoes(shoes: Shoes, rest: Rest, *, drop: np.ndarray | None = None) -> list[Sheet]:
    """Upper, soles and heels on an identity, rest space; ``drop`` as in :func:`cloth.cut_out`."""
    cloth = blank()
    shape = _upper(shoes, cloth, rest)
    sheets = [_worn(cut_out(cloth, shape, shoes.cut()(cloth.spots), Slot.SHOES, hem=0.004, drop=drop))]
    if shoes.kind == "sneaker":
        lifted = shape.lifted(0.0025)
        sheets.append(cut_out(cloth, lifted, everywhere(shoes.cut(), _laces)(cloth.spots), Slot.HEEL, hem=0.003))
    for sign in (1, -1):
        sheets += _sole_and_heel(shoes, cloth, rest, shape, sign)
    return sheets


def _worn(sheet: Sheet) -> Sheet:
    """Shoes count height as their second pattern coordinate, for two-tone leather."""
    sheet.chart[:, 1] = sheet.template[:, 2]
    return sheet


def _upper(shoes: Shoes, cloth: Blank, rest: Rest) -> Shape:
    """The foot's cloth made into a last: smooth, rounder at the toes, with a flat underside."""
    z = cloth.template[:, 2]
    foot = smoothstep(-0.70, -0.76, z)
    vertices = cloth.relaxed(cloth.on(rest), 14, foot)
    shaft = smoothstep(-0.74, -0.70, z) if shoes.kind == "boot" else np.zeros(len(z))
    distance = 0.0045 + 0.003 * foot + (0.006 + 0.004 * smoothstep(-0.66, -0.5, z)) * shaft
    if shoes.kind == "sandal":
        distance = np.full(len(z), 0.003)
    vertices = vertices + cloth.normals(vertices) * distance[:, None].astype(np.float32)
    if shoes.kind == "boot":
        vertices = cloth.relaxed(vertices, 8, shaft * smoothstep(-0.42, -0.46, z))
    for sign in (1, -1):
        vertices = _toe_box(shoes, cloth, vertices, sign)
        # within the sole, however thin
        this_side = cloth.template[:, 0] * sign > 0
        lowest = _ground(shoes, rest, sign) + 0.003
        vertices[this_side, 2] = np.maximum(vertices[this_side, 2], lowest)
    return cloth.shaped(vertices)


def _ground(shoes: Shoes, rest: Rest, sign: int) -> float:
    """Height of the floor under a foot in rest space: a pose puts the bare foot a sole above it."""
    skin = rest.vertices[: Body.skin_count]
    return float(skin[skin[:, 0] * sign > 0, 2].min()) - shoes.sole


def _toe_box(shoes: Shoes, cloth: Blank, vertices: np.ndarray, sign: int) -> np.ndarray:
    """Narrow the toes to a rounded or pointed tip, and give them height."""
    _, y, z = cloth.template.T
    toes = (cloth.template[:, 0] * sign > 0) & (z < -0.74) & (y < -0.10)
    if shoes.kind == "sandal" or not toes.any():
        return vertices
    frame = _foot_frame(cloth, vertices, sign)
    along, across = ((vertices[:, :2] - frame.heel) @ direction for direction in (frame.forward, frame.outward))
    reach = along / frame.length
    tip = np.where(toes, smoothstep(0.72, 1.0, reach), 0)
    middle = np.median(across[toes])
    pointed = 0.42 if shoes.kind == "pump" else 0.16
    narrower = -(across - middle) * pointed * tip
    longer = (0.014 if shoes.kind == "pump" else 0.004) * tip
    out = vertices.copy()
    out[:, :2] += narrower[:, None] * frame.outward + longer[:, None] * frame.forward
    upper_side = smoothstep(0.012, 0.03, vertices[:, 2] - vertices[toes, 2].min())
    out[:, 2] += (0.006 if shoes.kind in ("sneaker", "boot") else 0.0) * tip * upper_side
    return out.astype(np.float32)


@dataclass(frozen=True, eq=False)
class _FootFrame:
    """Horizontal frame of one foot in rest space."""

    heel: np.ndarray
    forward: np.ndarray
    outward: np.ndarray
    length: float
    floor: float
    low: np.ndarray
    """Indices of the vertices near the floor."""


def _foot_frame(cloth: Blank, vertices: np.ndarray, sign: int) -> _FootFrame:
    """Heel, direction and length of the left (1) or right (-1) foot."""
    this_foot = np.flatnonzero((cloth.template[:, 0] * sign > 0) & (cloth.template[:, 2] < -0.765))
    points = vertices[this_foot]
    _, y, _ = cloth.template[this_foot].T
    heel_end, toe_end = points[y > 0.04, :2].mean(0), points[y < -0.17, :2].mean(0)
    forward = (toe_end - heel_end) / np.linalg.norm(toe_end - heel_end)
    outward = np.array([-forward[1], forward[0]]) * 1.0
    outward *= np.sign(outward[0] * sign)
    along = (points[:, :2] - heel_end) @ forward
    heel = heel_end + forward * along.min()
    floor = float(points[:, 2].min())
    low = this_foot[points[:, 2] < floor + 0.020]
    return _FootFrame(heel, forward, outward, float(np.ptp(along)), floor, low)


def _outline(frame: _FootFrame, vertices: np.ndarray, edge: float) -> np.ndarray:
    """OUTLINE_POINTS x 2: along and across the foot, a smooth closed curve around what is near the floor.

    edge: metres that the sole stands out.
    """
    flat = vertices[frame.low, :2] - frame.heel
    plane = np.stack([flat @ frame.forward, flat @ frame.outward], axis=1).astype(float)
    hull = plane[ConvexHull(plane).vertices]
    closed = np.concatenate([hull, hull[:1]])
    travelled = np.r_[0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
    at = np.linspace(0, travelled[-1], OUTLINE_POINTS, endpoint=False)
    curve = np.stack([np.interp(at, travelled, closed[:, k]) for k in (0, 1)], axis=1)
    for _ in range(2):
        curve = 0.5 * curve + 0.25 * (np.roll(curve, 1, 0) + np.roll(curve, -1, 0))
    outwards = _outward_normals(curve)
    curve = curve + outwards * edge
    inner = curve[:, 1] < np.median(curve[:, 1])  # the arch side is drawn in
    waist = np.exp(-(((curve[:, 0] / frame.length - 0.42) / 0.13) ** 2))
    curve[:, 1] += np.where(inner, 0.006 * waist, 0)
    return curve


def _outward_normals(curve: np.ndarray) -> np.ndarray:
    """Unit normals of a closed counter-clockwise or clockwise curve, away from its centre."""
    tangent = np.roll(curve, -1, 0) - np.roll(curve, 1, 0)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return normal * np.sign((normal * (curve - curve.mean(0))).sum(1)).mean()


def _sole_and_heel(shoes: Shoes, cloth: Blank, rest: Rest, shape: Shape, sign: int) -> list[Sheet]:
    frame = _foot_frame(cloth, shape.vertices, sign)
    ground = _ground(shoes, rest, sign)
    outline = _outline(frame, shape.vertices, SOLE_EDGE[shoes.kind])
    solids = [_sole(shoes, frame, outline, ground)]
    if shoes.heel != "none":
        solids.append(_heel(shoes, frame, outline, ground))
    return [attached(cloth, shape, frame.low, vertices, triangles, Slot.HEEL) for vertices, triangles in solids]


def _sole(shoes: Shoes, frame: _FootFrame, outline: np.ndarray, ground: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of a solid with bevelled edges."""
    top = ground + shoes.sole + RIM[shoes.kind]
    arch = np.zeros(len(outline))
    if shoes.kind in ("boot", "loafer") and shoes.heel == "none":
        reach = outline[:, 0] / frame.length
        arch = 0.5 * shoes.sole * smoothstep(HEEL_SHARE, HEEL_SHARE + 0.02, reach) * smoothstep(0.66, 0.5, reach)
    bevel = min(0.003, 0.3 * (top - ground))
    normals = _outward_normals(outline)
    rings = [
        _ring(frame, outline - normals * bevel, ground + arch),
        _ring(frame, outline, ground + bevel + arch),
        _ring(frame, outline, np.full(len(outline), top - bevel)),
        _ring(frame, outline - normals * bevel, np.full(len(outline), top)),
    ]
    return _lathe(rings)


def _heel(shoes: Shoes, frame: _FootFrame, outline: np.ndarray, ground: float) -> tuple[np.ndarray, np.ndarray]:
    """A tapered post under the heel, upright when the foot is pitched by the heel lift."""
    pitch = np.deg2rad(shoes.heel_lift)
    back = outline[outline[:, 0] < 0.25 * frame.length, 1]
    width, middle = np.ptp(back), 0.5 * (back.max() + back.min())
    ball, start = 0.72 * frame.length, 0.13 * frame.length
    height = (ball - start) * np.sin(pitch)  # the ball of the foot touches the floor
    # What is "down" when standing leans towards the toes in the frame of the unpitched foot.
    lean, drop = height * np.sin(pitch), height * np.cos(pitch)
    radii = (0.46 * width, 0.40 * width) if shoes.heel == "block" else (0.42 * width, 0.006)
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rings = []
    for t in np.linspace(0, 1, 6):
        radius = radii[0] * (1 - t) ** 1.8 + radii[1] * (1 - (1 - t) ** 1.8)
        plane = np.stack([start + lean * t + radius * np.cos(turn), middle + radius * np.sin(turn)], axis=1)
        level = np.tan(pitch) * radius * np.cos(turn) * t  # the underside lies flat on the floor
        rings.append(_ring(frame, plane, ground + 0.002 - drop * t + level))
    return _lathe(rings[::-1])


def _ring(frame: _FootFrame, plane: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Points (along, across) of the foot's plane at these heights, N x 3 in rest space."""
    flat = frame.heel + plane[:, :1] * frame.forward + plane[:, 1:] * frame.outward
    return np.concatenate([flat, np.broadcast_to(height, len(flat))[:, None]], axis=1)


def _lathe(rings: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A closed solid from rings of equal count, lowest first, with flat ends; triangles face outwards."""
    count, levels = len(rings[0]), len(rings)
    vertices = np.concatenate([*rings, rings[0].mean(0)[None], rings[-1].mean(0)[None]])
    k = np.arange(count)
    following = (k + 1) % count
    triangles = []
    for level in range(levels - 1):
        a, b = level * count + k, level * count + following
        triangles += [np.stack([a, b, b + count], 1), np.stack([a, b + count, a + count], 1)]
    bottom, top = levels * count, levels * count + 1
    triangles.append(np.stack([np.full(count, bottom), following, k], 1))
    last = (levels - 1) * count
    triangles.append(np.stack([np.full(count, top), last + k, last + following], 1))
    faces = np.concatenate(triangles)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    volume = np.einsum("ti,ti->t", a, np.cross(b, c)).sum()
    return vertices, faces if volume > 0 else faces[:, ::-1]
