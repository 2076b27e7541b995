"""Seams: where cloth is divided into pieces that each have one pattern chart.

A seam that followed the edges of the mesh would be a staircase, on which stripes and folds break; so the
triangles at the armholes are divided exactly.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from vitruvian.mannequin.body import Body
from vitruvian.mannequin.fields import ChartKind, arm_chart, leg_chart, torso_chart

TURN_OF_TRUNK, TURN_OF_LEG, TURN_OF_ARM = (2 * np.pi * radius for radius in (0.15, 0.09, 0.05))
ARMHOLE = 0.85  # of the arm gate: at the point of the shoulder


WIDEST_TRIANGLE = 0.1  # metres of pattern; wider ones cross the place where an angle jumps by a turn
LEFT, ARM = 1, 2  # bits of a piece


def sewn(
    body: Body, kind: ChartKind, triangles: np.ndarray, template: np.ndarray, arm_gate: np.ndarray
) -> tuple[csr_matrix, np.ndarray, np.ndarray, np.ndarray]:
    """Divide a mesh of n vertices into left and right, arm and trunk, and lay out its pattern.

    Returns:
        m x n matrix from the given vertices to those of the pieces, T x 3 triangles of the pieces, m x 2
        pattern metres, and m booleans: on a seam, so there are several vertices at this place.
    """
    lower, upper, ends, share = divided(triangles, arm_gate - ARMHOLE)
    pieces = np.concatenate([lower, upper])
    points = np.concatenate([template, _between(template, ends, share)])
    is_left = points[pieces][:, :, 0].mean(axis=1) > 0
    is_arm = np.arange(len(pieces)) >= len(lower)
    piece = is_left * LEFT + is_arm * ARM
    period = np.where(is_arm, TURN_OF_ARM, TURN_OF_LEG if kind == "leg" else TURN_OF_TRUNK)

    origin, faces = _doubled(pieces, piece, len(points))
    chart = _charts(body, points[origin[0]], origin[1], kind)
    u = chart[faces, 0]
    # On limbs the angle jumps in the middle of a piece: there the pattern goes on past its turn.
    past = np.where(np.ptp(u, axis=1) > WIDEST_TRIANGLE, period, 0.0)
    over = (past[:, None] > 0) & (u < u.mean(axis=1, keepdims=True))
    shifted, faces = _doubled(faces, over.astype(int), len(origin[0]))
    chart = chart[shifted[0]]
    turn = np.zeros(len(chart))
    turn[faces[over]] = np.broadcast_to(past[:, None], over.shape)[over]
    chart[:, 0] += turn
    place = origin[0][shifted[0]]
    matrix = _with_crossings(len(template), ends, share)[place]
    return csr_matrix(matrix), faces, chart, np.bincount(place)[place] > 1


def _doubled(triangles: np.ndarray, group: np.ndarray, count: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Vertices doubled by group (one number per triangle, or per corner): ((vertex, group), triangles)."""
    per_corner = group if group.ndim == 2 else group[:, None]
    keys, inverse = np.unique(triangles + count * per_corner, return_inverse=True)
    return (keys % count, keys // count), inverse.reshape(-1, 3)


def _charts(body: Body, template: np.ndarray, piece: np.ndarray, kind: ChartKind) -> np.ndarray:
    """m x 2 pattern metres of vertices that know their piece."""
    # A vertex on the middle line belongs to the side of its piece, or its angle would jump by a turn.
    sided = template.astype(float)
    sided[:, 0] = np.where(piece & LEFT, 1, -1) * np.maximum(np.abs(template[:, 0]), 1e-5)
    chart = leg_chart(body, sided) if kind == "leg" else torso_chart(sided)
    arms = (piece & ARM) > 0
    if arms.any():
        chart[arms] = arm_chart(body, sided[arms])
    return chart


def divided(triangles: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split triangles exactly where a per-vertex value (n) passes through zero.

    Returns:
        Triangles below and above zero, into the n vertices followed by E new ones; and of those the ends of
        their edge (E x 2) and the share of the way from the first end to the second (E).
    """
    above = value > 0
    corners_above = above[triangles].sum(axis=1)
    crossed = triangles[(corners_above == 1) | (corners_above == 2)]
    rows = np.arange(len(crossed))
    is_tip_above = corners_above[(corners_above == 1) | (corners_above == 2)] == 1
    tip_place = (above[crossed] == is_tip_above[:, None]).argmax(axis=1)
    tip, a, b = (crossed[rows, (tip_place + k) % 3] for k in range(3))
    both = np.sort(np.concatenate([np.stack([tip, a], 1), np.stack([tip, b], 1)]), axis=1)
    ends, index = np.unique(both.reshape(-1, 2), axis=0, return_inverse=True)
    on_a, on_b = (len(value) + index.reshape(-1)).reshape(2, -1)
    share = value[ends[:, 0]] / (value[ends[:, 0]] - value[ends[:, 1]])
    point = np.stack([tip, on_a, on_b], 1)
    base = [np.stack([on_a, a, b], 1), np.stack([on_a, b, on_b], 1)]
    lower = [triangles[corners_above == 0], point[~is_tip_above], *(t[is_tip_above] for t in base)]
    upper = [triangles[corners_above == 3], point[is_tip_above], *(t[~is_tip_above] for t in base)]
    return np.concatenate(lower), np.concatenate(upper), ends, share.astype(np.float32)


def _between(points: np.ndarray, ends: np.ndarray, share: np.ndarray) -> np.ndarray:
    first, second = points[ends[:, 0]], points[ends[:, 1]]
    return first + (second - first) * share[:, None]


def _with_crossings(count: int, ends: np.ndarray, share: np.ndarray) -> csr_matrix:
    """(count + E) x count: the vertices themselves, then the points on the edges."""
    rows = np.concatenate([np.arange(count), np.repeat(count + np.arange(len(ends)), 2)])
    columns = np.concatenate([np.arange(count), ends.reshape(-1)])
    values = np.concatenate([np.ones(count), np.stack([1 - share, share], axis=1).reshape(-1)])
    return csr_matrix((values.astype(np.float32), (rows, columns)), (count + len(ends), count))
