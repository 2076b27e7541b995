"""Meshes as arrays: normals, subdivision, smoothing, exact clipping, hems.

Shapes: ``V`` vertices, ``T`` triangles, ``Q`` quads; positions in metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csr_matrix

Arrays = dict[str, np.ndarray]
"""Per-vertex arrays that are cut and extended together, by name; each starts with the vertex axis."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One renderable mesh with per-vertex data."""

    vertices: np.ndarray
    """V x 3, world metres."""
    triangles: np.ndarray
    """T x 3 vertex indices."""
    normals: np.ndarray
    """V x 3, unit length."""
    template: np.ndarray
    """V x 3 position on the template body, independent of identity and pose."""
    chart: np.ndarray
    """V x 4: pattern coordinates (u, v) in metres, then two numbers whose meaning the material defines."""
    slot: int
    """Row of the material table."""
    tangents: np.ndarray | None = None
    """V x 3, along the strands of hair."""
    uv: np.ndarray | None = None
    """T x 3 x 2 texture coordinates of the corners, v upwards."""


def triangulate(quads: np.ndarray) -> np.ndarray:
    """Q x 4 to triangles; a quad whose corners repeat gives one triangle, not two."""
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return triangles[is_proper(triangles)]


def is_proper(triangles: np.ndarray) -> np.ndarray:
    """T booleans: three different corners."""
    a, b, c = triangles.T
    return (a != b) & (b != c) & (a != c)


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """V x 3 unit normals, faces weighted by area; zero for vertices without a face."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    total = np.zeros((len(vertices), 3))
    for axis in range(3):
        weights = np.tile(facing[:, axis], 3)
        total[:, axis] = np.bincount(triangles.T.ravel(), weights, len(vertices))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.maximum(length, 1e-12)).astype(vertices.dtype)


def _edges(quads: np.ndarray) -> np.ndarray:
    """Q * 4 directed edges in the order quad by quad."""
    return np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2)


def neighbour_mean(quads: np.ndarray, count: int) -> csr_matrix:
    """count x count matrix that takes the mean of each vertex's edge neighbours."""
    edges = np.sort(_edges(quads), axis=1)
    edges = np.unique(edges[edges[:, 0] != edges[:, 1]], axis=0)
    rows, columns = np.r_[edges[:, 0], edges[:, 1]], np.r_[edges[:, 1], edges[:, 0]]
    adjacency = csr_matrix((np.ones(len(rows)), (rows, columns)), (count, count))
    degree = np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1)
    return csr_matrix(sparse.diags(1 / degree) @ adjacency, dtype=np.float32)


def catmull_clark(quads: np.ndarray, count: int) -> tuple[csr_matrix, np.ndarray]:
    """One Catmull-Clark step as a matrix, for a quad mesh with boundary (Catmull and Clark 1978).

    Returns:
        ``matrix`` (count + edges + Q) x count from old to new vertices (old ones moved, then edge points, then face
        points), and the 4 Q new quads: for each corner k of all quads, (corner, edge after, face, edge before).
    """
    face_count = len(quads)
    undirected = np.sort(_edges(quads), axis=1)
    edges, edge_of, uses = np.unique(undirected, axis=0, return_inverse=True, return_counts=True)
    edge_of = edge_of.reshape(-1)
    edge_count = len(edges)
    face_of = np.repeat(np.arange(face_count), 4)
    flat = quads.reshape(-1)

    face_points = csr_matrix((np.full(len(flat), 0.25), (face_of, flat)), (face_count, count))
    ends = np.repeat(np.arange(edge_count), 2)
    middles = csr_matrix((np.full(len(ends), 0.5), (ends, edges.reshape(-1))), (edge_count, count))
    edge_to_face = csr_matrix((np.ones(len(edge_of)), (edge_of, face_of)), (edge_count, face_count))
    is_boundary = ((uses == 1) | (edges[:, 0] == edges[:, 1])).astype(float)
    inner = 0.5 * middles + 0.5 * (sparse.diags(1 / uses) @ edge_to_face @ face_points)
    edge_points = sparse.diags(is_boundary) @ middles + sparse.diags(1 - is_boundary) @ inner

    vertex_to_face = csr_matrix((np.ones(len(flat)), (flat, face_of)), (count, face_count))
    vertex_to_edge = csr_matrix((np.ones(len(ends)), (edges.reshape(-1), ends)), (count, edge_count))
    faces_at = np.asarray(vertex_to_face.sum(axis=1)).ravel()
    edges_at = np.maximum(np.asarray(vertex_to_edge.sum(axis=1)).ravel(), 1)
    smooth = (
        sparse.diags(1 / np.maximum(faces_at, 1) / edges_at) @ vertex_to_face @ face_points
        + sparse.diags(2 / edges_at**2) @ vertex_to_edge @ middles
        + sparse.diags((edges_at - 3) / edges_at)
    )
    border_edges = vertex_to_edge @ sparse.diags(is_boundary)
    border_at = np.asarray(border_edges.sum(axis=1)).ravel()
    border = sparse.diags(np.full(count, 0.5)) + sparse.diags(0.5 / np.maximum(border_at, 1)) @ border_edges @ middles
    on_border = (border_at > 0).astype(float)
    moved = sparse.diags(1 - on_border) @ smooth + sparse.diags(on_border) @ border
    used = (faces_at > 0).astype(float)
    vertex_points = sparse.diags(used) @ moved + sparse.diags(1 - used)

    matrix = csr_matrix(sparse.vstack([vertex_points, edge_points, face_points]))
    edge_index = count + edge_of.reshape(face_count, 4)
    face_index = count + edge_count + np.arange(face_count)
    corners = [
        np.stack([quads[:, k], edge_index[:, k], face_index, edge_index[:, (k - 1) % 4]], axis=1) for k in range(4)
    ]
    return matrix, np.concatenate(corners)


def clip(triangles: np.ndarray, keep: np.ndarray, arrays: Arrays) -> tuple[np.ndarray, Arrays, np.ndarray]:
    """Cut a mesh exactly where the per-vertex number ``keep`` passes through zero; positive stays.

    Args:
        triangles: T x 3.
        keep: V, signed distance to the cut in any unit, linear within a triangle.
        arrays: per-vertex arrays, interpolated at the new vertices.

    Returns:
        New triangles, arrays without unused vertices, and the E x 2 edges that lie on the cut.
    """
    inside = keep > 0
    corners_inside = inside[triangles].sum(axis=1)
    pieces = [triangles[corners_inside == 3]]
    cut: list[np.ndarray] = []
    crossings: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    next_vertex = len(keep)
    for alone_inside in (True, False):
        crossed = triangles[corners_inside == (1 if alone_inside else 2)]
        if len(crossed) == 0:
            continue
        rows = np.arange(len(crossed))
        alone = (inside[crossed] == alone_inside).argmax(axis=1)
        tip, a, b = (crossed[rows, (alone + k) % 3] for k in range(3))
        on_a = next_vertex + rows
        on_b = on_a + len(crossed)
        next_vertex += 2 * len(crossed)
        crossings += [(tip, other, keep[tip] / (keep[tip] - keep[other])) for other in (a, b)]
        if alone_inside:
            pieces.append(np.stack([tip, on_a, on_b], axis=1))
            cut.append(np.stack([on_a, on_b], axis=1))
        else:
            pieces += [np.stack([on_a, a, b], axis=1), np.stack([on_a, b, on_b], axis=1)]
            cut.append(np.stack([on_b, on_a], axis=1))
    kept = np.concatenate(pieces)
    edges = np.concatenate(cut) if cut else np.zeros((0, 2), int)

    used = np.unique(kept)
    place = np.full(next_vertex, -1)
    place[used] = np.arange(len(used))
    out: Arrays = {}
    for name, values in arrays.items():
        new = [
            values[tip] + (values[other] - values[tip]) * t.reshape(-1, *(1,) * (values.ndim - 1))
            for tip, other, t in crossings
        ]
        out[name] = np.concatenate([values, *new])[used].astype(values.dtype)
    return place[kept], out, place[edges]


def hem(triangles: np.ndarray, arrays: Arrays, cut_edges: np.ndarray, depth: float) -> tuple[np.ndarray, Arrays]:
    """Fold the cut edge inwards against the normals by ``depth`` metres, so that cloth looks thick."""
    if len(cut_edges) == 0:
        return triangles, arrays
    rim = np.unique(cut_edges)
    count = len(arrays["vertices"])
    inner = np.full(count, -1)
    inner[rim] = count + np.arange(len(rim))
    extended = {name: np.concatenate([values, values[rim]]) for name, values in arrays.items()}
    extended["vertices"][count:] -= extended["normals"][count:] * depth
    a, b = cut_edges.T
    strip = [np.stack([a, inner[a], b], axis=1), np.stack([b, inner[a], inner[b]], axis=1)]
    return np.concatenate([triangles, *strip]), extended
