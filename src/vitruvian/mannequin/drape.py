"""How cloth hangs on a body: filling hollows, falling straight from the widest place. Rest space, metres.

Rings are binned by template height and by angle about an upright axis, so all of this is a few operations on
small tables instead of a simulation.
"""

from __future__ import annotations

import numpy as np

RING_HEIGHT = 0.02
RING_BINS = 48
CHORD_SPAN = 7  # bins on either side that a chord may bridge: 52 degrees
FALL_BINS = 36


def polar(vertices: np.ndarray, axis: tuple[float, float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angle (0 in front, -pi..pi) and radius about an upright axis (x, y; one pair, or one per vertex)."""
    x, y = (vertices[:, :2] - np.asarray(axis, np.float32)).T
    return np.arctan2(x, -y), np.hypot(x, y) + 1e-9


def scaled_about(vertices: np.ndarray, axis: tuple[float, float] | np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Horizontal distances from the axis multiplied by ``scale`` (one number per vertex)."""
    centre = np.asarray(axis, np.float32)
    out = vertices.copy()
    out[:, :2] = centre + (vertices[:, :2] - centre) * scale[:, None]
    return out


def filled_hollows(
    vertices: np.ndarray, height: np.ndarray, where: np.ndarray, axis: tuple[float, float], amount: float
) -> np.ndarray:
    """Bridge the hollows of horizontal rings, as cloth does between breasts, buttocks or shoulder blades.

    Args:
        height: template heights, n.
        where: n booleans, the vertices that belong to the rings.
        amount: 0 (nothing) to 1 (every radius is at least that of any chord across it).
    """
    angle, radius = polar(vertices, axis)
    ring = np.clip(np.floor((height - height[where].min()) / RING_HEIGHT), 0, None).astype(int)
    turns = (angle + np.pi) / (2 * np.pi) * RING_BINS
    rings = int(ring[where].max()) + 1
    table = np.zeros((rings, RING_BINS))
    np.maximum.at(table, (ring[where], turns[where].astype(int) % RING_BINS), radius[where])
    table = _bridged(_without_gaps(table))
    first = np.floor(turns - 0.5).astype(int)
    share = turns - 0.5 - first
    row = np.minimum(ring, rings - 1)
    target = table[row, first % RING_BINS] * (1 - share) + table[row, (first + 1) % RING_BINS] * share
    scale = 1 + amount * np.maximum(target - radius, 0) / radius
    return scaled_about(vertices, axis, np.where(where, scale, 1).astype(np.float32))


def _without_gaps(table: np.ndarray) -> np.ndarray:
    """Empty bins (0) take the mean of their neighbours, a few times over."""
    for _ in range(4):
        before, after = np.roll(table, 1, 1), np.roll(table, -1, 1)
        count = np.maximum((before > 0).astype(int) + (after > 0), 1)
        table = np.where(table == 0, (before + after) / count, table)
    return table


def _bridged(table: np.ndarray) -> np.ndarray:
    """Each radius at least that of the chords between bins on either side."""
    bin_angle = 2 * np.pi / RING_BINS
    out = table.copy()
    for left in range(1, CHORD_SPAN + 1):
        a, before = left * bin_angle, np.roll(table, left, 1)
        for right in range(1, CHORD_SPAN + 1):
            b, after = right * bin_angle, np.roll(table, -right, 1)
            chord = before * after * np.sin(a + b) / (before * np.sin(a) + after * np.sin(b) + 1e-9)
            np.maximum(out, chord, out=out)
    return out


def mean_radius_by_angle(angle: np.ndarray, radius: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Mean radius of a ring as seen in each direction.

    angle, radius: of the ring's vertices; at: n angles asked for. Returns n radii.
    """
    bins = ((angle + np.pi) / (2 * np.pi) * FALL_BINS).astype(int) % FALL_BINS
    total = np.bincount(bins, radius, FALL_BINS)
    count = np.bincount(bins, minlength=FALL_BINS).astype(float)
    total, count = (v + np.roll(v, 1) + np.roll(v, -1) for v in (total, count))
    mean = np.where(count > 0, total / np.maximum(count, 1), radius.mean())
    turns = (at + np.pi) / (2 * np.pi) * FALL_BINS - 0.5
    return np.interp(turns % FALL_BINS, np.arange(FALL_BINS), mean, period=FALL_BINS)
