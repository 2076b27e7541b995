"""Cutting and wearing cloth: what all garments share.

A :class:`Blank` is uncut cloth, a part of the base mesh with template fields at its vertices. A garment
shapes
it in the rest space of one identity (``drape.py``), says by a *cut function* where it ends, and becomes a
:class:`Sheet`: a small mesh with bone weights that only has to be skinned for each pose.

A cut function takes :class:`Spots` (places on the template) and returns metres inside the garment: positive
stays. The same function tells which skin is covered, so cloth and skin always agree on where a garment ends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

from vitruvian.mannequin import mesh, sewing
from vitruvian.mannequin.body import Body, Part, PartName, Rest
from vitruvian.mannequin.fields import Charted, ChartKind, Fields
from vitruvian.mannequin.materials import Slot

if TYPE_CHECKING:
    from vitruvian.mannequin.pose import Posed

HEM_DEPTH = 0.006  # metres that a cut edge is folded inwards
UNDER_LAYER = 0.045  # metres from an upper garment's edge at which the cloth below is left out
SAME_POINT = 1e-5  # metres: vertices doubled at pattern seams are nearer than this


@dataclass(frozen=True, eq=False)
class Spots:
    """Places on the template; every field but the lengths has one number per vertex."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    arm_arc: np.ndarray
    """0 at the shoulder, 1 at the wrist, negative off the arm."""
    leg_arc: np.ndarray
    """0 at the hip, 1 at the ankle, -1 on the arms."""
    arm_gate: np.ndarray
    """0 on the trunk, 1 on the arm."""
    leg: np.ndarray
    """Skin weight of leg bones, feet included."""
    arm_length: float
    leg_length: float

    @property
    def side(self) -> np.ndarray:
        """Distance from the middle plane."""
        return np.abs(self.x)

    @staticmethod
    def at(part: Part, spread: csr_matrix | None = None) -> Spots:
        """The places of a part's vertices, or of points between them (rows of ``spread``)."""
        body = Body.load()
        fields = Fields.of(body)

        def here(values: np.ndarray) -> np.ndarray:
            own = part.of(values).astype(np.float32)
            return own if spread is None else spread @ own

        x, y, z = here(body.template).T
        return Spots(
            x,
            y,
            z,
            here(fields.arm_arc),
            here(fields.leg_arc),
            here(fields.arm_gate),
            here(fields.leg),
            fields.arm_length,
            fields.leg_length,
        )

    def taken(self, rows: np.ndarray) -> Spots:
        """Those of some vertices."""
        return Spots(
            self.x[rows],
            self.y[rows],
            self.z[rows],
            self.arm_arc[rows],
            self.leg_arc[rows],
            self.arm_gate[rows],
            self.leg[rows],
            self.arm_length,
            self.leg_length,
        )

    @staticmethod
    @functools.cache
    def of(charted: Charted) -> Spots:
        """The places of the vertices of a part with doubled seams."""
        return Spots.at(charted.part).taken(charted.source)


Cut = Callable[[Spots], np.ndarray]


@dataclass(frozen=True, eq=False)
class Blank:
    """Uncut cloth: ``n`` vertices of a part, and ``m`` of the pieces it is sewn from.

    Shapes are given for the n. The pieces meet in exact seams, at the armholes and down the middle of front
    and back, so that each has one pattern chart and its own direction of folds.
    """

    part: Part
    at: Spots
    """n places."""
    template: np.ndarray
    """n x 3."""
    bones: np.ndarray
    """B indices of the bones that move it."""
    weights: np.ndarray
    """n x B skin weights."""
    spread: csr_matrix
    """m x n."""
    triangles: np.ndarray
    """T x 3 into the m."""
    on_seam: np.ndarray
    """m booleans: there are several vertices at this place."""
    spots: Spots
    """m places."""
    chart: np.ndarray
    """m x 4: pattern metres, share of the arm, zero."""
    sewn_template: np.ndarray
    """m x 3."""
    sewn_weights: np.ndarray
    """m x B."""

    @staticmethod
    @functools.cache
    def of(name: PartName, kind: ChartKind) -> Blank:
        body = Body.load()
        part = body.part(name)
        at = Spots.at(part)
        all_weights = csr_matrix(part.matrix @ body.skin_weights)
        bones = np.unique(all_weights.indices)
        weights = csr_matrix(all_weights[:, bones]).toarray().astype(np.float32)
        template = part.of(body.template)
        spread, triangles, chart, on_seam = sewing.sewn(body, kind, part.triangles, template, at.arm_gate)
        spots = Spots.at(part, spread)
        return Blank(
            part,
            at,
            template,
            bones,
            weights,
            spread,
            triangles,
            on_seam,
            spots,
            np.column_stack([chart, spots.arm_gate, np.zeros(len(chart))]).astype(np.float32),
            spread @ template,
            spread @ weights,
        )

    def on(self, rest: Rest) -> np.ndarray:
        """n x 3 vertices on an identity."""
        return self.part.of(rest.vertices).astype(np.float32)

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """n x 3 unit normals of a shape of this cloth."""
        return mesh.vertex_normals(vertices, self.part.triangles)

    def relaxed(self, vertices: np.ndarray, steps: int, share: np.ndarray) -> np.ndarray:
        """Smoothed by ``steps`` Laplace steps of .6 times ``share`` (n, 0..1)."""
        means = self.part.neighbours
        rate = np.float32(0.6) * share.astype(np.float32)
        pulls = csr_matrix((means.data * np.repeat(rate, np.diff(means.indptr)), means.indices, means.indptr))
        stays = (1 - rate)[:, None]
        for _ in range(steps):
            vertices = pulls @ vertices + stays * vertices
        return vertices

    def shaped(self, vertices: np.ndarray) -> Shape:
        """A finished shape with its normals."""
        return Shape(vertices, self.normals(vertices))


@dataclass(frozen=True, eq=False)
class Shape:
    """A whole blank on an identity, before cutting; n vertices in rest space."""

    vertices: np.ndarray
    normals: np.ndarray

    def lifted(self, metres: float | np.ndarray) -> Shape:
        """Moved outwards along the normals by one number or n."""
        rise = np.broadcast_to(np.asarray(metres, np.float32), len(self.vertices))
        return Shape(self.vertices + rise[:, None] * self.normals, self.normals)

    def moved(self, offset: np.ndarray) -> Shape:
        """Moved by n x 3 metres; the normals are kept, which is near enough for a small patch."""
        return Shape(self.vertices + offset.astype(np.float32), self.normals)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A cut piece of cloth in rest space: ``k`` vertices, ``T`` triangles."""

    slot: Slot
    vertices: np.ndarray
    """k x 3, rest space of one identity."""
    triangles: np.ndarray
    """T x 3, the folded edges last."""
    surface_count: int
    """How many of the triangles are surface; the others are folded edges."""
    normal_of: np.ndarray
    """k: the vertex that holds the normal (doubled and folded vertices share one)."""
    template: np.ndarray
    chart: np.ndarray
    """k x 4."""
    bones: np.ndarray
    bone_weights: np.ndarray
    """k x B."""

    def posed(self, transforms: np.ndarray) -> mesh.Piece:
        """The cloth in a pose; ``transforms`` (J x 3 x 4) are those of :func:`bone_transforms`."""
        columns = transforms[self.bones].reshape(len(self.bones), 12)
        blended = (self.bone_weights @ columns).reshape(-1, 3, 4)
        vertices = np.einsum("kij,kj->ki", blended[:, :, :3], self.vertices) + blended[:, :, 3]
        return mesh.Piece(
            vertices=vertices,
            triangles=self.triangles,
            normals=self.normals(vertices),
            template=self.template,
            chart=self.chart,
            slot=self.slot,
        )

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """k x 3 unit normals of these vertices, smooth across pattern seams."""
        surface = self.normal_of[self.triangles[: self.surface_count]]
        return mesh.vertex_normals(vertices, surface)[self.normal_of]


def bone_transforms(rest: Rest, posed: Posed) -> np.ndarray:
    """J x 3 x 4: takes rest space to the posed world, bone by bone."""
    rotations = posed.bone_rotations
    shift = posed.bone_heads - np.einsum("jik,jk->ji", rotations, rest.bone_heads)
    return np.concatenate([rotations, shift[:, :, None]], axis=2).astype(np.float32)


def cut_out(
    blank: Blank,
    shape: Shape,
    keep: np.ndarray,
    slot: Slot,
    *,
    hem: float = HEM_DEPTH,
    drop: np.ndarray | None = None,
) -> Sheet:
    """Cut a shaped blank where ``keep`` (m) is positive.

    drop: m metres under another garment; triangles with three positive corners are left out, which keeps an
    under layer from poking through the upper one.
    """
    triangles = blank.triangles[(keep > 0)[blank.triangles].any(axis=1)]
    if drop is not None:
        triangles = triangles[~(drop > 0)[triangles].all(axis=1)]
    is_used = np.zeros(len(keep), bool)
    is_used[triangles] = True
    used = np.flatnonzero(is_used)
    place = np.cumsum(is_used) - 1
    spread = blank.spread[used]
    arrays = {
        "vertices": spread @ shape.vertices,
        "normals": spread @ shape.normals,
        "template": blank.sewn_template[used],
        "chart": blank.chart[used],
        "on_seam": blank.on_seam[used].astype(np.float32),
        "bone_weights": blank.sewn_weights[used],
    }
    triangles, arrays, edges = mesh.clip(place[triangles], keep[used], arrays)
    arrays["normal_of"] = _joined(arrays)
    surface_count = len(triangles)
    triangles, arrays = mesh.hem(triangles, arrays, edges, hem)
    return Sheet(
        slot,
        arrays["vertices"],
        triangles,
        surface_count,
        arrays["normal_of"],
        arrays["template"],
        arrays["chart"],
        blank.bones,
        arrays["bone_weights"],
    )


def _joined(arrays: mesh.Arrays) -> np.ndarray:
    """For each vertex the first one at the same place; only at seams are there several."""
    out = np.arange(len(arrays["vertices"]))
    seam = np.flatnonzero(arrays["on_seam"] > 0.999)
    cells = np.round(arrays["vertices"][seam] / SAME_POINT).astype(np.int64)
    key = (cells[:, 0] * 73_856_093) ^ (cells[:, 1] * 19_349_663) ^ (cells[:, 2] * 83_492_791)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    out[seam] = seam[first[inverse.reshape(-1)]]
    return out


def everywhere(*cuts: Cut) -> Cut:
    """Inside all of them."""
    return lambda spots: functools.reduce(np.minimum, (cut(spots) for cut in cuts))


def in_front(spots: Spots) -> np.ndarray:
    """Positive on the front of the body; scaled so that it hardly bends the cuts it is combined with."""
    return -2 * (spots.y + 0.01)


def off_arms(spots: Spots) -> np.ndarray:
    """Positive off the arms; about metres."""
    return 0.15 * (0.35 - spots.arm_gate)


def shrunk(cut: Cut, metres: float) -> Cut:
    """The same shape with its border drawn in."""
    return lambda spots: cut(spots) - metres


def attached(
    blank: Blank, shape: Shape, near: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, slot: Slot
) -> Sheet:
    """A free-standing mesh (sole, heel, button) that moves with the nearest vertices of a shaped blank.

    near: indices of the shape's vertices that may hold it.
    """
    distance, nearest = KDTree(shape.vertices[near]).query(vertices, k=min(4, len(near)))
    share = 1 / (distance + 1e-4) ** 2
    share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    holders = near[nearest]
    vertices, triangles, origin = _with_sharp_edges(vertices.astype(np.float32), triangles)
    template = np.einsum("vk,vki->vi", share, blank.template[holders])[origin]
    return Sheet(
        slot,
        vertices,
        triangles,
        len(triangles),
        np.arange(len(vertices)),
        template.astype(np.float32),
        np.zeros((len(vertices), 4), np.float32),
        blank.bones,
        np.einsum("vk,vkb->vb", share, blank.weights[holders])[origin],
    )


def _with_sharp_edges(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Double vertices between flat faces (up or down) and the others, so that rims stay sharp.

    Returns vertices, triangles, and for each vertex the one it came from.
    """
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    steepness = facing[:, 2] / np.maximum(np.linalg.norm(facing, axis=1), 1e-12)
    group = (steepness > 0.95) * 1 + (steepness < -0.95) * 2
    keys, inverse = np.unique(triangles + len(vertices) * group[:, None], return_inverse=True)
    origin = keys % len(vertices)
    return vertices[origin], inverse.reshape(-1, 3), origin


def joined(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Sheets of the same material and the same bones as one, which is quicker to skin."""
    groups: dict[tuple[int, Slot], list[Sheet]] = {}
    for sheet in sheets:
        if len(sheet.triangles):
            groups.setdefault((id(sheet.bones), sheet.slot), []).append(sheet)
    return [_concatenated(group) for group in groups.values()]


def _concatenated(sheets: list[Sheet]) -> Sheet:
    starts = np.cumsum([0, *(len(sheet.vertices) for sheet in sheets[:-1])])
    surface = [sheet.triangles[: sheet.surface_count] + start for sheet, start in zip(sheets, starts, strict=True)]
    folded = [sheet.triangles[sheet.surface_count :] + start for sheet, start in zip(sheets, starts, strict=True)]

    def stack(name: str) -> np.ndarray:
        return np.concatenate([getattr(sheet, name) for sheet in sheets])

    return Sheet(
        sheets[0].slot,
        stack("vertices"),
        np.concatenate([*surface, *folded]),
        sum(sheet.surface_count for sheet in sheets),
        np.concatenate([sheet.normal_of + start for sheet, start in zip(sheets, starts, strict=True)]),
        stack("template"),
        stack("chart"),
        sheets[0].bones,
        stack("bone_weights"),
    )
