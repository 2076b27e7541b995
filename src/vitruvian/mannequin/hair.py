"""Hair: a scalp cap, and clumps of strands grown on the template head and carried to an identity.

Everything is grown once for each style and seed in template space and cached; an identity moves it by the
displacement of the body vertices nearby, a pose by the head and, for long hair, the upper spine.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

from vitruvian.mannequin import mesh
from vitruvian.mannequin.body import Body
from vitruvian.mannequin.fields import Fields
from vitruvian.mannequin.hairstyles import STYLES, Style, Tied
from vitruvian.mannequin.materials import Slot
from vitruvian.mannequin.strands import SKULL_CENTRE, SKULL_RADII, Strands, azimuth, grow, smoothstep, tie

if TYPE_CHECKING:
    from vitruvian.mannequin.body import Part, Rest
    from vitruvian.mannequin.pose import Posed

CAP_THICKNESS = 0.004  # metres
HAIRLINE_AZIMUTH = (0, 20, 38, 52, 66, 80, 92, 104, 125, 150, 180)  # degrees from the face, both sides
HAIRLINE_HEIGHT = (0.976, 0.976, 0.968, 0.950, 0.930, 0.905, 0.918, 0.895, 0.850, 0.822, 0.812)  # template z
FACE_AZIMUTH = 64  # degrees; no strands in this sector below the hairline
CHIN_HEIGHT = 0.79
SHORT = 0.12  # metres; shorter strands are cut at the edge of the face, longer ones left out
SEEDS = 6  # different growths of one style


def height_over_hairline(p: np.ndarray) -> np.ndarray:
    """Template height of points above the hairline in their direction from the head's axis; N x 3 -> N."""
    return p[:, 2] - np.interp(np.abs(azimuth(p)), HAIRLINE_AZIMUTH, HAIRLINE_HEIGHT)


@dataclass(frozen=True)
class Growth:
    """Strands of one style and seed as a mesh in template space; M vertices on C points of centre lines."""

    vertices: np.ndarray  # M x 3
    triangles: np.ndarray
    normals: np.ndarray
    tangents: np.ndarray
    chart: np.ndarray  # M x 4: across 0..1, along 0..1, 0, number of the clump
    centre: np.ndarray  # M, index of the point of a centre line that carries the vertex
    carry: csr_matrix  # C x V, weights of the body vertices whose displacement a point follows


@dataclass(frozen=True)
class Hair:
    """Hair fitted to an identity, in its rest pose."""

    rest: Rest
    pieces: tuple[mesh.Piece, ...] = field(default=())

    def posed(self, posed: Posed) -> list[mesh.Piece]:
        """The pieces carried by the pose: all by the head at the top, by the chest below the neck."""
        body = Body.load()
        bones = [body.bone_index[name] for name in ("head", "spine01")]
        rotations = [np.asarray(posed.bone_rotations[b], np.float32) for b in bones]
        shifts = [
            np.asarray(posed.bone_heads[b] - posed.bone_rotations[b] @ self.rest.bone_heads[b], np.float32)
            for b in bones
        ]
        out = []
        for piece in self.pieces:
            head = smoothstep(0.62, 0.82, piece.template[:, 2]).astype(np.float32)[:, None]

            def turn(v: np.ndarray, head: np.ndarray = head) -> np.ndarray:
                return (v @ rotations[0].T) * head + (v @ rotations[1].T) * (1 - head)

            tangents = None if piece.tangents is None else turn(piece.tangents)
            out.append(
                mesh.Piece(
                    vertices=turn(piece.vertices) + shifts[0] * head + shifts[1] * (1 - head),
                    triangles=piece.triangles,
                    normals=turn(piece.normals),
                    template=piece.template,
                    chart=piece.chart,
                    slot=piece.slot,
                    tangents=tangents,
                )
            )
        return out


def fit(style: str, seed: int, rest: Rest) -> Hair:
    """Hair of a style of :data:`hairstyles.STYLES` on an identity. seed: any integer."""
    kind = STYLES[style]
    if kind is None:
        return Hair(rest)
    pieces = [_cap(rest)]
    if kind.has_strands:
        pieces.append(_carried(growth(style, seed % SEEDS), rest))
    return Hair(rest, tuple(pieces))


# ------------------------------------------------------------------------------------------------ scalp cap


@dataclass(frozen=True)
class _Scalp:
    template: np.ndarray  # n x 3 of the head part
    normals: np.ndarray
    keep: np.ndarray  # n, metres above the hairline, negative where no hair grows


@functools.cache
def _scalp() -> _Scalp:
    body = Body.load()
    part = body.part("head")
    template = np.asarray(part.of(body.template), np.float64)
    keep = height_over_hairline(template)
    keep = keep + 0.004 * np.sin(template[:, 0] * 700) * np.sin(template[:, 1] * 900)  # a ragged edge
    keep[_bare(template, part)] = -1
    return _Scalp(template, mesh.vertex_normals(template, part.triangles), keep)


def _bare(template: np.ndarray, part: Part) -> np.ndarray:
    """Vertices without hair: ears, and what lies inside the skull (mouth and eye cavities)."""
    body = Body.load()
    x, y, z = template.T
    ears = np.zeros(len(template))
    corner_uv = part.corner_uv.reshape(-1, 2)
    size = body.masks.shape[0]
    column = np.clip((corner_uv[:, 0] * size).astype(int), 0, size - 1)
    row = np.clip(((1 - corner_uv[:, 1]) * size).astype(int), 0, size - 1)
    np.maximum.at(ears, part.triangles.reshape(-1), body.masks[row, column, 2])
    beside_ear = (np.abs(x) > 0.071) & (z < 0.915) & (z > 0.85) & (y < -0.015)
    is_ear = (ears > 0.3) | beside_ear
    is_cavity = (np.linalg.norm((template - SKULL_CENTRE) / SKULL_RADII, axis=1) < 0.86) & (z > 0.82)
    is_face = (y < -0.03) & (z < 0.90) & (np.abs(x) < 0.066)
    return is_ear | is_cavity | is_face


def _cap(rest: Rest) -> mesh.Piece:
    body, scalp = Body.load(), _scalp()
    part = body.part("head")
    skin = np.asarray(part.of(rest.vertices), np.float64)
    normals = mesh.vertex_normals(skin, part.triangles)
    count = len(skin)
    t = scalp.template
    stubble = [t[:, 0] * 25 + t[:, 2] * 8, np.full(count, 0.6), np.zeros(count), (t[:, 1] + t[:, 2]) * 3]
    chart = np.stack(stubble, 1)
    arrays = {
        "vertices": skin + normals * CAP_THICKNESS,
        "normals": normals,
        "template": t,
        "chart": chart,
        "tangents": np.tile([0.0, 0.6, -0.8], (count, 1)),
    }
    triangles, arrays, cut = mesh.clip(part.triangles, scalp.keep, arrays)
    triangles, arrays = mesh.hem(triangles, arrays, cut, CAP_THICKNESS * 1.2)
    return mesh.Piece(triangles=triangles, slot=Slot.HAIR, **arrays)


# -------------------------------------------------------------------------------------------------- strands


@functools.lru_cache(maxsize=48)  # some 4 MB each
def growth(style: str, seed: int) -> Growth:
    """The strands of a style (one that has strands) for one of :data:`SEEDS` seeds."""
    kind = STYLES[style]
    rng = np.random.default_rng([seed, sum(style.encode())])
    bundles: list[Strands]
    if isinstance(kind, Tied):
        roots, _ = _roots(kind.roots, rng)
        bundles = tie(kind, roots, rng)
    elif isinstance(kind, Style):
        roots, normals = _roots(kind.roots, rng)
        strands, is_fringe = grow(kind, roots, normals, height_over_hairline(roots), rng)
        before_face = _is_before_face(strands.points) & ~is_fringe[:, None]
        if kind.length < SHORT:
            bundles = [strands.ending_at(before_face)]
        else:
            bundles = [strands.only(np.logical_not(before_face.any(1)))]
    else:
        raise ValueError(f"style {style!r} has no strands")
    return _mesh_of(bundles)


def _roots(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals spread evenly over the scalp: jittered systematic sampling by area."""
    part, scalp = Body.load().part("head"), _scalp()
    f = part.triangles[(scalp.keep[part.triangles] > 0).all(1)]
    a, b, c = (scalp.template[f[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    order = rng.permutation(len(f))
    share = np.cumsum(area[order]) / area.sum()
    picked = np.searchsorted(share, (np.arange(count) + rng.random(count)) / count)
    f = f[order[np.minimum(picked, len(f) - 1)]]
    weight = rng.dirichlet([1, 1, 1], count)[:, :, None]
    return (scalp.template[f] * weight).sum(1), (scalp.normals[f] * weight).sum(1)


def _is_before_face(points: np.ndarray) -> np.ndarray:
    """Which points of n strands (n x K x 3) hang before the face; n x K."""
    flat = points.reshape(-1, 3)
    before = (np.abs(azimuth(flat)) < FACE_AZIMUTH) & (flat[:, 2] > CHIN_HEIGHT)
    before &= height_over_hairline(flat) < -0.010
    return before.reshape(points.shape[:2])


def _mesh_of(bundles: list[Strands]) -> Growth:
    parts = [strands.ribbons() for strands in bundles]
    vertex_start = np.cumsum([0, *(len(p.vertices) for p in parts)])
    centre_start = np.cumsum([0, *(len(s.points.reshape(-1, 3)) for s in bundles)])
    centres = np.concatenate([s.points.reshape(-1, 3) for s in bundles])
    return Growth(
        vertices=np.concatenate([p.vertices for p in parts]).astype(np.float32),
        triangles=_shifted([p.triangles for p in parts], vertex_start),
        normals=np.concatenate([p.normals for p in parts]).astype(np.float32),
        tangents=np.concatenate([p.tangents for p in parts]).astype(np.float32),
        chart=np.concatenate([p.chart for p in parts]).astype(np.float32),
        centre=_shifted([p.centre for p in parts], centre_start),
        carry=_carry_weights(centres),
    )


def _shifted(indices: list[np.ndarray], starts: np.ndarray) -> np.ndarray:
    return np.concatenate([i + start for i, start in zip(indices, starts, strict=False)]).astype(np.int32)


@functools.cache
def _carriers() -> tuple[KDTree, np.ndarray]:
    """Body vertices that hair follows (every second one of head and trunk), as a search tree and indices."""
    body = Body.load()
    skin = np.arange(body.skin_count)
    trunk = (Fields.of(body).arm[skin] < 0.3) & (body.template[skin, 2] > 0.2)
    index = skin[trunk][::2]
    return KDTree(body.template[index]), index


def _carry_weights(points: np.ndarray) -> csr_matrix:
    tree, index = _carriers()
    distance, nearest = tree.query(points, k=10)
    weight = np.exp(-((distance / (distance[:, :1] + 0.03)) ** 2))
    weight /= weight.sum(1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 10)
    shape = (len(points), len(Body.load().template))
    return csr_matrix((weight.reshape(-1).astype(np.float32), (rows, index[nearest].reshape(-1))), shape)


def _carried(growth: Growth, rest: Rest) -> mesh.Piece:
    moved = growth.carry @ (rest.vertices - Body.load().template).astype(np.float32)
    return mesh.Piece(
        vertices=growth.vertices + moved[growth.centre],
        triangles=growth.triangles,
        normals=growth.normals,
        template=growth.vertices,
        chart=growth.chart,
        slot=Slot.HAIR,
        tangents=growth.tangents,
    )
