"""Seams: where cloth is divided into pieces that each have one pattern chart.

A seam that followed the edges of the mesh would be a staircase, on which stripes and folds break; so the
triangles at the armholes are divided exactly.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from vitruvian.mannequin.body import Body
from vitruvian.mannequin.fields import ChartKind, arm_chart, leg_chart, torso_chart

ARMHOLE = 0.85  # of the arm gate: at the point of the shoulder


def sewn(
    triangles: np.ndarray, template: np.ndarray, arm_gate: np.ndarray
) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Divide a mesh of n vertices into left and right, arm and trunk.

    Returns:
        m x n matrix from the given vertices to those of the pieces, T x 3 triangles of the pieces, and the
        piece of each vertex (m): 1 for left, plus 2 for an arm.
    """
    lower, upper, ends, share = divided(triangles, arm_gate - ARMHOLE)
    pieces = np.concatenate([lower, upper])
    on_arm = np.repeat([0, 1], [len(lower), len(upper)])
    count = len(template) + len(ends)
    points = np.concatenate([template, _between(template, ends, share)])
    on_left = (points[pieces][:, :, 0].mean(axis=1) > 0).astype(int)
    group = on_left + 2 * on_arm
    doubled, inverse = np.unique(pieces + count * group[:, None], return_inverse=True)
    matrix = _with_crossings(len(template), ends, share)[doubled % count]
    return csr_matrix(matrix), inverse.reshape(-1, 3), doubled // count


def charts(body: Body, template: np.ndarray, group: np.ndarray, kind: ChartKind) -> np.ndarray:
    """m x 2 pattern metres of vertices that know their piece."""
    # A vertex on the middle line belongs to the side of its piece, or its angle would jump by a turn.
    sided = template.astype(float)
    sided[:, 0] = np.where(group % 2 == 1, 1, -1) * np.maximum(np.abs(template[:, 0]), 1e-5)
    chart = leg_chart(body, sided) if kind == "leg" else torso_chart(sided)
    if kind != "skirt":
        arms = group >= 2
        chart[arms] = arm_chart(body, sided[arms])
    return chart


def divided(
    triangles: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
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
