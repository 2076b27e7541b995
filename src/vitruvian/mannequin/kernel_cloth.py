"""How cloth and leather look: patterns and folds. Written in the language of warp, see ``kernel_base``."""

# ruff: noqa: UP018, RUF046  (float(0.0) declares a variable that may change in a loop)
# The types of the kernel language are calls, and warp is optional.
# pyright: reportInvalidTypeForm=false, reportMissingImports=false
import warp as wp

from vitruvian.mannequin.fabric import Pattern
from vitruvian.mannequin.kernel_base import (
    TWO_PI,
    Hit,
    Look,
    SceneData,
    across,
    bell,
    colour,
    fraction,
    hash01,
    mix3,
    noise,
    ramp,
    wave,
)
from vitruvian.mannequin.materials import Column, Surface

ARM_CHART = wp.constant(1.0)  # pattern coordinate u is beyond this on arms


@wp.func
def flowers(base: wp.vec3, second: wp.vec3, third: wp.vec3, u: float, v: float, seed: float):
    """Five-petal flowers scattered one to a cell; u and v in cells."""
    c = base
    cell_u = wp.floor(u)
    cell_v = wp.floor(v)
    for i in range(-1, 2):
        for j in range(-1, 2):
            x = cell_u + float(i)
            y = cell_v + float(j)
            dx = u - x - 0.5 - (hash01(x, y, seed) - 0.5) * 0.8
            dy = v - y - 0.5 - (hash01(x, y, seed + 3.0) - 0.5) * 0.8
            r = wp.sqrt(dx * dx + dy * dy)
            angle = wp.atan2(dy, dx) + hash01(x, y, seed + 5.0) * TWO_PI
            radius = (0.22 + 0.25 * hash01(x, y, seed + 9.0)) * (0.8 + 0.25 * wp.cos(angle * 5.0))
            inside = 1.0 - ramp(radius * 0.9, radius, r)
            petal = second
            if hash01(x, y, seed + 11.0) > 0.55:
                petal = third
            c = mix3(c, petal, inside)
            heart = base * 0.5 + wp.vec3(0.3, 0.25, 0.02)
            c = mix3(c, heart, inside * (1.0 - ramp(radius * 0.25, radius * 0.35, r)))
    return c


@wp.func
def checks(base: wp.vec3, second: wp.vec3, third: wp.vec3, u: float, v: float):
    bands = (ramp(0.45, 0.55, wave(u)) + ramp(0.45, 0.55, wave(v))) * 0.5
    lines = ramp(0.90, 0.96, wave(u + 0.25)) + ramp(0.90, 0.96, wave(v + 0.25))
    return mix3(mix3(base, second, bands), third, wp.min(1.0, lines) * 0.7)


@wp.func
def denim(base: wp.vec3, second: wp.vec3, u: float, v: float, place: wp.vec3, fading: float):
    """Mottled twill, faded on the front of the thighs."""
    mottle = noise(u * 9.0, v * 9.0, place[1] * 9.0) * 0.5 + noise(u * 260.0, v * 60.0, 3.0) * 0.24
    mottle = mottle + noise(u * 31.0, v * 31.0, 8.0) * 0.2
    twill = wp.sin((u + v * 0.6) * 1900.0) * 0.10
    thigh = ramp(-0.02, -0.10, place[1]) * ramp(-0.65, -0.2, place[2])
    thigh = thigh * (1.0 - ramp(0.05, 0.12, place[2])) * fading
    return mix3(base, second, wp.clamp(0.25 + mottle * 0.8 + twill + thigh * 0.55, 0.0, 1.0))


@wp.func
def chest_print(x: float, y: float, kind: int):
    """Coverage of a printed figure centred on 0, 0 with radius 1: disc, bar, lozenge, ring with a dot."""
    r = wp.sqrt(x * x + y * y)
    k = float(0.0)
    if kind == 0:
        k = 1.0 - ramp(0.92, 1.0, r)
    elif kind == 1:
        k = (1.0 - ramp(0.95, 1.0, wp.abs(x))) * (1.0 - ramp(0.5, 0.55, wp.abs(y)))
    elif kind == 2:
        k = 1.0 - ramp(0.92, 1.0, wp.abs(x) + wp.abs(y))
    else:
        k = (1.0 - ramp(0.9, 1.0, r)) * ramp(0.55, 0.65, r) + (1.0 - ramp(0.25, 0.32, r))
    return k


@wp.func
def cloth_colour(m: wp.array2d(dtype=float), slot: int, u: float, v: float, place: wp.vec3):
    base = colour(m, slot, Column.BASE)
    second = colour(m, slot, Column.SECOND)
    third = colour(m, slot, Column.THIRD)
    pattern = int(m[slot, Column.PATTERN])
    period = wp.max(m[slot, Column.PERIOD], 1.0e-3)
    q = m[slot, Column.Q]
    r = m[slot, Column.R]
    c = base
    if pattern == Pattern.HSTRIPE:
        c = mix3(base, second, ramp(0.46, 0.54, wave(v / period)))
    elif pattern == Pattern.VSTRIPE:
        c = mix3(base, second, ramp(0.70, 0.80, wave(u / period)))
    elif pattern == Pattern.CHECK:
        c = checks(base, second, third, u / period, v / period)
    elif pattern == Pattern.DOTS:
        row = wp.floor(v / period)
        dx = fraction(u / period + 0.5 * (row - 2.0 * wp.floor(row * 0.5))) - 0.5
        dy = fraction(v / period) - 0.5
        c = mix3(base, second, 1.0 - ramp(0.20, 0.26, wp.sqrt(dx * dx + dy * dy)))
    elif pattern == Pattern.FLORAL:
        c = flowers(base, second, third, u / period, v / period, m[slot, Column.SEED])
    elif pattern == Pattern.DENIM:
        c = denim(base, second, u, v, place, q)
    elif pattern == Pattern.KNIT:
        c = base * (0.86 + 0.14 * wp.sin(u * TWO_PI / period))
    elif pattern == Pattern.TWO_TONE:
        c = mix3(base, second, ramp(q, r, v))
    elif pattern == Pattern.PRINT:
        if place[1] < 0.0:
            c = mix3(base, second, chest_print(u / 0.085, (v - 0.50) / 0.085, int(q)))
    elif pattern == Pattern.CAMO:
        a = noise(u / period, v / period, place[1] / period)
        b = noise(u / period + 17.0, v / period + 5.0, place[1] / period)
        c = mix3(mix3(base, second, ramp(0.02, 0.10, a)), third, ramp(0.10, 0.18, b))
    elif pattern == Pattern.BLOCK:
        c = mix3(base, second, ramp(q, q + 0.004, v) * (1.0 - ramp(r, r + 0.004, v)))
    return c


@wp.func
def along_limb(p: wp.vec3, is_arm: int):
    """Template position turned so that z runs along the limb: arms hang at 45 degrees on the template."""
    q = p
    if is_arm == 1:
        x = wp.abs(p[0])
        q = wp.vec3(0.7071 * (x + p[2]), p[1], 0.7071 * (p[2] - x))
    return q


@wp.func
def bunching(p: wp.vec3, is_arm: int):
    """Where cloth is pushed together along the limb: inner elbow, knee, ankle, waist, armpit."""
    w = float(0.0)
    if is_arm == 1:
        x = wp.abs(p[0])
        w = bell(x - 0.385, 0.05) + 0.7 * bell(x - 0.21, 0.05) + 0.6 * bell(x - 0.50, 0.04)
    else:
        w = 0.8 * bell(p[2] + 0.29, 0.07) + bell(p[2] + 0.70, 0.06) + 0.55 * bell(p[2] - 0.26, 0.06)
        w = w + 0.6 * bell(p[2] - 0.10, 0.06)
    return wp.min(w, 1.0)


@wp.func
def fold_height(p: wp.vec3, is_arm: int, frequency: float, seed: float):
    """Height of the folds (about -1 to 1): long ones that follow the limb, cross ones where it bends."""
    q = along_limb(p, is_arm)
    x = q[0] * frequency + seed
    y = q[1] * frequency + seed * 0.7
    z = q[2] * frequency
    sway = noise(x * 0.5 + 3.0, y * 0.5, z * 0.6 + 5.0)
    drape = noise(x, y, z * 0.30 + sway * 0.5) * 0.95 + noise(x * 2.1 + 7.0, y * 2.1, z * 0.8 + sway) * 0.28
    w = bunching(p, is_arm)
    h = drape
    if w > 0.02:
        ridge = 1.0 - 2.0 * wp.abs(noise(x * 0.5 + 11.0, y * 0.5, z * 2.0 + sway * 1.6 + x * 0.25))
        h = drape * (1.0 - 0.6 * w) + (ridge - 0.55) * 0.42 * w
    return h


@wp.func
def template_step(s: SceneData, face: int, step: wp.vec3):
    """How the template position changes by a small world step within the plane of a triangle."""
    i0 = s.corners[face * 3]
    i1 = s.corners[face * 3 + 1]
    i2 = s.corners[face * 3 + 2]
    points = wp.mesh_get(s.mesh).points
    a = points[i0] - points[i2]
    b = points[i1] - points[i2]
    aa = wp.dot(a, a)
    ab = wp.dot(a, b)
    bb = wp.dot(b, b)
    det = wp.max(aa * bb - ab * ab, 1.0e-16)
    sa = wp.dot(step, a)
    sb = wp.dot(step, b)
    wa = (bb * sa - ab * sb) / det
    wb = (aa * sb - ab * sa) / det
    move = (s.place[i0] - s.place[i2]) * wa + (s.place[i1] - s.place[i2]) * wb
    limit = 2.0 * wp.length(step)  # slivers would throw the step far away
    size = wp.length(move)
    if size > limit:
        move = move * (limit / size)
    return move


@wp.func
def cloth_relief(s: SceneData, hit: Hit):
    """Folds at a hit: how they tilt the normal (three numbers), and their height."""
    m = s.materials
    relief = wp.vec4(0.0, 0.0, 0.0, 0.0)
    amplitude = m[hit.slot, Column.FOLD_AMPLITUDE]
    if amplitude > 0.0:
        frequency = m[hit.slot, Column.FOLD_FREQUENCY]
        seed = m[hit.slot, Column.SEED]
        is_arm = int(0)
        if hit.chart[0] > ARM_CHART:
            is_arm = int(1)
        t1 = across(hit.normal)
        t2 = wp.cross(hit.normal, t1)
        step = 0.004
        h0 = fold_height(hit.place, is_arm, frequency, seed)
        h1 = fold_height(hit.place + template_step(s, hit.face, t1 * step), is_arm, frequency, seed)
        h2 = fold_height(hit.place + template_step(s, hit.face, t2 * step), is_arm, frequency, seed)
        slope = (t1 * (h1 - h0) + t2 * (h2 - h0)) * (amplitude / (step * frequency))
        relief = wp.vec4(slope[0], slope[1], slope[2], wp.clamp(h0, -1.0, 1.0))
    return relief


@wp.func
def cloth_look(s: SceneData, hit: Hit, surface: int, relief: wp.vec4):
    m = s.materials
    slot = hit.slot
    look = Look()
    slope = wp.vec3(relief[0], relief[1], relief[2])
    look.normal = wp.normalize(hit.normal - slope)
    c = cloth_colour(m, slot, hit.chart[0], hit.chart[1], hit.place) * (1.0 + 0.10 * relief[3])
    if surface == Surface.CLOTH:
        weave = noise(hit.chart[0] * 700.0, hit.chart[1] * 700.0, hit.place[1] * 700.0)
        c = c * (1.0 + 0.05 * weave)
    look.albedo = c
    look.specular = m[slot, Column.SPECULAR]
    look.gloss = m[slot, Column.GLOSS]
    look.fuzz = m[slot, Column.FUZZ]
    look.wrap = wp.vec3(0.12, 0.12, 0.12)
    return look
