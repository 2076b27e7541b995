"""Growing strands on the template head, and turning them into ribbons. Template metres throughout."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.mannequin.body import Body
from vitruvian.mannequin.fields import Fields
from vitruvian.mannequin.hairstyles import Style, Tied

SKULL_CENTRE = np.array([0.0, -0.045, 0.905])
SKULL_RADII = np.array([0.0815, 0.105, 0.118])
NECK_RADIUS = 0.060
NECK_Y = -0.03
DOWN = np.array([0.0, 0.0, -1.0])


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below ``low``, 1 above ``high`` (which may be the smaller), smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def azimuth(p: np.ndarray) -> np.ndarray:
    """Degrees about the head's axis, 0 at the face, positive to the person's left. N x 3 -> N."""
    return np.degrees(np.arctan2(p[:, 0], -(p[:, 1] - SKULL_CENTRE[1])))


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


# --------------------------------------------------------------------------------------------------- ribbons


@dataclass(frozen=True)
class RibbonMesh:
    """Triangles of ribbons with the data of hair; ``centre`` is the point of a centre line under a vertex."""

    vertices: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    tangents: np.ndarray
    chart: np.ndarray
    centre: np.ndarray


@dataclass(frozen=True)
class Strands:
    """n centre lines of K points with widths; ``taper`` (K) scales the width along a strand."""

    points: np.ndarray  # n x K x 3
    width: np.ndarray  # n
    thickness: np.ndarray  # n
    taper: np.ndarray  # K

    def only(self, keep: np.ndarray) -> Strands:
        """The strands of a mask."""
        return replace(self, points=self.points[keep], width=self.width[keep], thickness=self.thickness[keep])

    def ending_at(self, stop: np.ndarray) -> Strands:
        """Strands cut before their first point of a mask (n x K): the rest shrinks to nothing."""
        count, steps, _ = self.points.shape
        first = np.where(stop.any(1), stop.argmax(1), steps) - 1
        last_kept = np.minimum(np.arange(steps), np.maximum(first, 0)[:, None])
        return replace(self, points=self.points[np.arange(count)[:, None], last_kept])

    def ribbons(self) -> RibbonMesh:
        """Roof-shaped ribbons: an edge, a ridge away from the head, an edge. The underside stays open."""
        n, steps, _ = self.points.shape
        tangent = _unit(np.gradient(self.points, axis=1))
        outward = self.points - SKULL_CENTRE
        outward[..., 2] = np.where(self.points[..., 2] > 0.85, outward[..., 2], 0)
        normal = _unit(outward - tangent * (outward * tangent).sum(-1, keepdims=True))
        side = np.cross(tangent, normal)
        half_width = (self.width[:, None] * self.taper)[..., None]
        half_height = (self.thickness[:, None] * self.taper)[..., None]
        edge_lean = 0.75  # edges look sideways, so that a flat ribbon shades like a rounded clump
        vertices = np.stack(
            [
                self.points - side * half_width - normal * half_height * 0.3,
                self.points + normal * half_height,
                self.points + side * half_width - normal * half_height * 0.3,
            ],
            2,
        )
        normals = np.stack([_unit(normal - side * edge_lean), normal, _unit(normal + side * edge_lean)], 2)
        index = np.arange(n * steps * 3).reshape(n, steps, 3)
        a, b, c, d = (index[:, i, j] for i in (slice(None, -1), slice(1, None)) for j in (slice(0, 2), slice(1, 3)))
        triangles = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
        chart = np.zeros((n, steps, 3, 4))
        chart[..., 0] = np.array([0.0, 0.5, 1.0])
        chart[..., 1] = np.linspace(0, 1, steps)[None, :, None]
        chart[..., 3] = (np.arange(n) * 7.13 % 97)[:, None, None]
        return RibbonMesh(
            vertices=vertices.reshape(-1, 3),
            triangles=triangles,
            normals=normals.reshape(-1, 3),
            tangents=np.broadcast_to(tangent[:, :, None], vertices.shape).reshape(-1, 3),
            chart=chart.reshape(-1, 4),
            centre=np.repeat(np.arange(n * steps), 3),
        )


# ------------------------------------------------------------------------------------------------- obstacles


@functools.cache
def _trunk_ellipses() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Heights, and at each the half width in x and the least and greatest y of the trunk without arms."""
    body = Body.load()
    skin = np.arange(body.skin_count)
    points = body.template[skin][Fields.of(body).arm[skin] < 0.45]
    points = points[np.abs(points[:, 0]) < 0.21]
    heights = np.arange(0.30, 0.80, 0.02)
    slices = [points[np.abs(points[:, 2] - z) < 0.02] for z in heights]
    wide = np.array([np.abs(s[:, 0]).max() for s in slices])
    return heights, wide, np.array([s[:, 1].min() for s in slices]), np.array([s[:, 1].max() for s in slices])


def push_out(p: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Points outside skull, neck and trunk, by at least ``lift`` (N)."""
    q = (p - SKULL_CENTRE) / (SKULL_RADII + lift[:, None])
    d = np.linalg.norm(q, axis=1)
    inside = (d < 1) & (p[:, 2] > 0.80)
    p = np.where(inside[:, None], SKULL_CENTRE + (p - SKULL_CENTRE) / np.maximum(d, 1e-3)[:, None], p)
    p = _push_out_of_neck(p, lift)
    return _push_out_of_trunk(p, lift)


def _push_out_of_neck(p: np.ndarray, lift: np.ndarray) -> np.ndarray:
    axis = np.array([0.0, NECK_Y])
    away = p[:, :2] - axis
    distance = np.linalg.norm(away, axis=1)
    least = NECK_RADIUS + lift
    inside = (p[:, 2] < 0.83) & (p[:, 2] > 0.72) & (distance < least)
    scale = np.where(inside, least / np.maximum(distance, 1e-3), 1.0)
    return np.concatenate([axis + away * scale[:, None], p[:, 2:]], 1)


def _push_out_of_trunk(p: np.ndarray, lift: np.ndarray) -> np.ndarray:
    heights, wide, front, back = _trunk_ellipses()
    x, y, z = p.T
    half_x = np.interp(z, heights, wide) + lift + 0.01
    y0, y1 = np.interp(z, heights, front), np.interp(z, heights, back)
    middle, half_y = (y0 + y1) / 2, (y1 - y0) / 2 + lift
    d = np.hypot(x / half_x, (y - middle) / (half_y + 0.014))
    y = np.where((z < 0.735) & (d < 1), middle + (y - middle) / np.maximum(d, 1e-3), y)
    return np.stack([x, np.clip(y, middle - half_y - 0.03, middle + half_y + 0.03), z], 1)


# ---------------------------------------------------------------------------------------------- loose styles


def grow(
    style: Style, roots: np.ndarray, normals: np.ndarray, above_hairline: np.ndarray, rng: np.random.Generator
) -> tuple[Strands, np.ndarray]:
    """Loose strands from N roots; also says which belong to the fringe."""
    count = len(roots)
    length = _lengths(style, roots, above_hairline, rng)
    side = np.where(roots[:, 0] > style.parting, 1.0, -1.0)
    direction, is_fringe = _combed(style, roots, normals, side, rng)
    lift = style.lift * (0.65 + 0.7 * rng.random(count))
    end = None if style.cut_height is None else style.cut_height + rng.normal(0, 0.015, count)
    step = length / (style.steps - 1)
    if style.fringe:
        step = np.where(is_fringe, style.fringe / (style.steps - 1), step)
    phase = rng.uniform(0, 2 * np.pi, count)
    hang = _Hang(style.behind > rng.random(), rng.uniform(-0.1, 0.7, count))
    p = roots + normals * lift[:, None] * 0.5
    points = [roots - normals * 0.002]
    for k in range(1, style.steps):
        direction = _bend(style, p, direction, side, is_fringe, lift, k / style.steps, hang)
        alive = np.ones(count)
        if end is not None:
            alive = np.where(is_fringe, 1, np.clip((p[:, 2] - end) / 0.03, 0.02, 1))
        p = push_out(p + direction * (step * alive)[:, None], lift)
        if not style.spike:
            p = _settle(p, lift)
        points.append(p + _helix(style, direction, phase, step, k))
    width = style.width * (0.75 + 0.5 * rng.random(count))
    strands = Strands(np.stack(points, 1), width, width * style.flatness, _taper(style))
    if not hang.behind:
        return strands, is_fringe
    astray = (p[:, 1] < -0.05) & (p[:, 2] < 0.76)  # caught before the shoulder
    return strands.only(~astray), is_fringe[~astray]


@dataclass(frozen=True)
class _Hang:
    """How long hair falls past the neck: behind or before the shoulders, and how far strands stray."""

    behind: bool
    spread: np.ndarray  # N


def _lengths(style: Style, roots: np.ndarray, above_hairline: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Short hair is shorter at the hairline and on the sides."""
    length = style.length * (1 + 0.10 * rng.standard_normal(len(roots)))
    if style.length >= 0.12 or style.spike:
        return length
    edge = np.interp(above_hairline, [0, 0.045], [0.38, 1.0])
    z = roots[:, 2]
    return length * edge * np.where(z < 0.955, np.interp(z, [0.86, 0.955], [0.42, 0.8]), 1.0)


def _combed(
    style: Style, roots: np.ndarray, normals: np.ndarray, side: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Starting directions (unit, N x 3) and which strands are fringe (N)."""
    count = len(roots)
    from_face = np.abs(azimuth(roots))
    d = np.stack([side * style.sideways, np.full(count, style.back), np.full(count, style.up)], 1)
    if style.forward:
        ahead = np.stack(
            [side * 0.15 + rng.normal(0, 0.12, count), np.full(count, -style.forward), np.full(count, 0.1)], 1
        )
        down = np.stack([side * 0.1, np.where(roots[:, 2] > 0.955, -0.45, 0.35), np.full(count, -0.8)], 1)
        front = (smoothstep(62, 38, from_face) * smoothstep(0.95, 0.972, roots[:, 2]))[:, None]
        d = ahead * front + down * (1 - front)
    if style.spike:
        d = d * (1 - style.spike) + normals * style.spike * 2 + rng.normal(0, 0.15, (count, 3))
    is_fringe = np.zeros(count, bool)
    if style.fringe:
        is_fringe = (from_face < 46) & (roots[:, 2] < 1.008) & (roots[:, 1] < -0.07)
        ahead = np.stack([side * 0.10 + style.sweep * 0.6, np.full(count, -1.0), np.full(count, 0.1)], 1)
        d = np.where(is_fringe[:, None], ahead, d)
    d = d + rng.normal(0, 0.10, (count, 3))
    if not style.spike:
        d = d - normals * (d * normals).sum(1, keepdims=True) * 0.75
    return _unit(d), is_fringe


def _bend(
    style: Style,
    p: np.ndarray,
    direction: np.ndarray,
    side: np.ndarray,
    is_fringe: np.ndarray,
    lift: np.ndarray,
    along: float,
    hang: _Hang,
) -> np.ndarray:
    """One step of bending: gravity, away from the face, flare, and hugging the skull."""
    count = len(p)
    pull = np.full((count, 1), style.gravity * (0.3 + 0.7 * along))
    goal = np.tile(DOWN, (count, 1))
    if not (style.forward or style.spike):
        face = smoothstep(80, 60, np.abs(azimuth(p))) * smoothstep(0.79, 0.86, p[:, 2]) * ~is_fringe
        off_parting = p[:, 0] - style.parting
        turn = np.sign(np.where(np.abs(off_parting) < 0.004, side, off_parting))
        past_face = np.stack([turn * 0.9, np.full(count, 0.55), np.full(count, -0.30)], 1)
        at_neck = smoothstep(0.92, 0.84, p[:, 2]) * smoothstep(0.66, 0.74, p[:, 2])
        goal = goal * (1 - face[:, None]) + past_face * face[:, None]
        if hang.behind:
            goal[:, 1] += 1.8 * at_neck * (p[:, 1] < 0.06)
        goal[:, 0] += turn * hang.spread * at_neck * (0.35 if hang.behind else 1.3)
        pull = np.maximum(pull, 0.62 * face[:, None])
    d = direction * (1 - pull) + goal * pull
    damping = 0.75 if style.cut_height is not None and style.cut_height < 0.7 else 0.55
    d[:, :2] *= np.where(p[:, 2] < 0.88, damping, 1.0)[:, None]
    if style.outward:
        away = p - SKULL_CENTRE
        away[:, 2] = 0
        d = d + _unit(away) * style.outward * (p[:, 2] < 0.86)[:, None]
    if style.inward:
        d[:, 0] -= np.sign(p[:, 0]) * 0.9 * style.inward * (p[:, 2] < 0.83)
    if not style.spike:
        d = _hug(p, d, lift)
    return _unit(d)


def _hug(p: np.ndarray, d: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Near the skull the outward part of a direction is taken away, and a little pressure added."""
    outward = _unit((p - SKULL_CENTRE) / SKULL_RADII**2)
    near = np.linalg.norm((p - SKULL_CENTRE) / (SKULL_RADII + lift[:, None]), axis=1) < 1.35
    near &= p[:, 2] > 0.785
    leaving = np.maximum((d * outward).sum(1), 0) * 0.95
    pressure = np.where(near, leaving, 0) + np.where(near & (p[:, 2] > 0.88), 0.10, 0)
    return d - outward * pressure[:, None]


def _settle(p: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Above the ears, points that a straight step left hovering sink back most of the way."""
    away = (p - SKULL_CENTRE) / (SKULL_RADII + lift[:, None])
    excess = np.clip(np.linalg.norm(away, axis=1) - 1, 0, 0.4) * smoothstep(0.84, 0.92, p[:, 2])
    return SKULL_CENTRE + (p - SKULL_CENTRE) / (1 + 0.75 * excess)[:, None]


def _helix(style: Style, direction: np.ndarray, phase: np.ndarray, step: np.ndarray, k: int) -> np.ndarray:
    """Offset of curls from the centre line, growing over the first four steps."""
    if not style.curl:
        return np.zeros_like(direction)
    e1 = _unit(np.cross(direction, DOWN) + 1e-6)
    e2 = np.cross(direction, e1)
    angle = phase + style.curl_turns * k * step * 6
    radius = style.curl * min(1, k / 4)
    return (e1 * np.cos(angle)[:, None] + e2 * np.sin(angle)[:, None]) * radius


def _taper(style: Style) -> np.ndarray:
    """Width along a strand: narrow at the root, pointed at the tip; curls that stand up stay blunt."""
    steps = style.steps
    if style.spike and style.curl:
        return np.linspace(1, 0.7, steps)
    if steps <= 6:
        return np.linspace(1, 0.15, steps)
    return np.concatenate([[0.55, 0.95], np.ones(steps - 6), [0.92, 0.75, 0.5, 0.12]])


# ----------------------------------------------------------------------------------------------- tied styles


def tie(style: Tied, roots: np.ndarray, rng: np.random.Generator) -> list[Strands]:
    """Strands drawn over the skull to the tie, and the tail or ball there."""
    knot = np.array(style.tie)
    drawn = _drawn(roots, knot, rng)
    return [drawn, _tail(knot, rng) if style.tail else _ball(knot, style.ball_radius, rng)]


def _drawn(roots: np.ndarray, knot: np.ndarray, rng: np.random.Generator) -> Strands:
    count, steps = len(roots), 13
    lift = 0.004 + 0.004 * rng.random(count)
    spread = rng.normal(0, 0.008, (count, 3)) * 0.6
    points = [roots - 0.02 * (roots - SKULL_CENTRE)]
    for t in np.linspace(0, 1, steps)[1:]:
        p = roots * (1 - t) + (knot + spread) * t
        d = np.maximum(np.linalg.norm((p - SKULL_CENTRE) / (SKULL_RADII + lift[:, None]), axis=1), 0.05)
        onto_skull = np.where(d < 1, 1 / d, 1 + (1 / d - 1) * 0.6 * (1 - t))
        points.append(SKULL_CENTRE + (p - SKULL_CENTRE) * onto_skull[:, None])
    return Strands(np.stack(points, 1), np.full(count, 0.0085), np.full(count, 0.0035), np.linspace(1, 0.55, steps))


def _tail(knot: np.ndarray, rng: np.random.Generator) -> Strands:
    count, steps = 110, 16
    length = rng.uniform(0.24, 0.36)
    p = knot + rng.normal(0, 0.009, (count, 3))
    d = np.stack([rng.normal(0, 0.12, count), np.ones(count), np.full(count, 0.25)], 1)
    points = [p]
    for _ in range(1, steps):
        d = _unit(d * 0.72 + DOWN * 0.28 + rng.normal(0, 0.03, (count, 3)))
        p = push_out(p + d * length / (steps - 1), np.full(count, 0.012))
        points.append(p)
    taper = np.concatenate([[0.6], np.linspace(1.1, 1.0, steps - 5), [0.8, 0.55, 0.3, 0.08]])
    return Strands(np.stack(points, 1), np.full(count, 0.010), np.full(count, 0.006), taper)


def _ball(knot: np.ndarray, radius: float, rng: np.random.Generator) -> Strands:
    """Strands wound about the axis from the skull's centre through the knot."""
    count, steps = 70, 16
    axis = _unit(knot - SKULL_CENTRE)
    centre = knot + axis * radius * 0.55
    e1 = _unit(np.cross(axis, [1.0, 0.2, 0.0]))
    e2 = np.cross(axis, e1)
    phase, height = rng.uniform(0, 2 * np.pi, count), rng.uniform(-1.1, 1.2, count)
    points = []
    for k in range(steps):
        a, e = (phase + 0.22 * k)[:, None], (height + 0.25 * np.sin(0.4 * k + 3 * phase))[:, None]
        around = np.cos(a) * e1 + np.sin(a) * e2
        points.append(centre + radius * (np.cos(e) * around + np.sin(e) * axis * 0.85))
    taper = np.concatenate([[0.3, 0.8], np.ones(steps - 4), [0.8, 0.3]])
    return Strands(np.stack(points, 1), np.full(count, 0.0095), np.full(count, 0.006), taper)
