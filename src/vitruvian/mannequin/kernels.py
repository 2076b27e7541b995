"""The ray caster, in the language of warp. Imported only by the renderer, and only when something is drawn.

Traps of that language: a variable keeps its first type; a variable changed in a loop of unknown length must
start as ``float(0.0)`` or ``int(0)``; an argument must be copied before it is changed; annotations must be
real objects, so this file does not postpone their evaluation.

Vectors are world metres, except ``place``, the position on the template body (the obvious name for it is a
keyword of C++). Colours are linear RGB.
"""

import warp as wp

from vitruvian.mannequin.fabric import Pattern
from vitruvian.mannequin.labels import Semantic
from vitruvian.mannequin.materials import EYE_CENTRE_X, EYE_CENTRE_Z, Column, Surface

wp.set_module_options({"enable_backward": False})

FAR = wp.constant(20.0)  # metres, length of camera rays
SHADOW_REACH = wp.constant(4.0)
GROUND_REACH = wp.constant(0.9)
MAX_LASH_LAYERS = wp.constant(14)  # gaps between lashes that a camera ray may pass; fewer let the sky through
NOISE_STATE = wp.constant(77)
EYE_X = wp.constant(EYE_CENTRE_X)
EYE_Z = wp.constant(EYE_CENTRE_Z)
TWO_PI = wp.constant(6.2831853)
SEMANTIC_CLASSES = wp.constant(len(Semantic))
ARM_CHART = wp.constant(1.0)  # pattern coordinate u is beyond this on arms


@wp.struct
class SceneData:
    """Triangles with the data of their corners, and what they are made of."""

    mesh: wp.uint64
    corners: wp.array(dtype=wp.int32)  # 3 T
    slots: wp.array(dtype=wp.int32)  # T
    normals: wp.array(dtype=wp.vec3)  # V
    place: wp.array(dtype=wp.vec3)  # V
    charts: wp.array(dtype=wp.vec4)  # V
    tangents: wp.array(dtype=wp.vec3)  # V
    uv: wp.array(dtype=wp.vec2)  # 3 times the number of skin triangles, which come first
    skin_triangles: int
    materials: wp.array2d(dtype=float)
    masks: wp.array2d(dtype=wp.vec4)  # lips, eyelids, ears, nails


@wp.struct
class CameraData:
    origin: wp.vec3
    right: wp.vec3
    up: wp.vec3
    forward: wp.vec3
    focal: float
    cx: float
    cy: float


@wp.struct
class LightData:
    direction: wp.vec3
    key: wp.vec3
    sky: wp.vec3
    ground: wp.vec3
    fill: wp.vec3
    fill_direction: wp.vec3
    softness: float
    reach: float


@wp.struct
class Sampling:
    width: int
    grid: int  # sub-samples along each side of a pixel
    occlusion_rays: int  # for each sub-sample
    shadow_rays: int
    ground_rays: int
    ground_x: float  # where the figure stands, and how far its shadow may reach
    ground_y: float
    ground_radius: float
    seed: int


@wp.struct
class Hit:
    """The nearest surface along a ray."""

    found: int
    slot: int
    face: int
    distance: float
    u: float  # barycentric weights of corners 0 and 1
    v: float
    normal: wp.vec3  # interpolated
    face_normal: wp.vec3
    place: wp.vec3
    chart: wp.vec4


@wp.struct
class Look:
    """What a surface does to light."""

    albedo: wp.vec3
    normal: wp.vec3
    specular: float
    gloss: float
    fuzz: float
    wrap: wp.vec3  # how far light creeps round the edge, per colour


# ---------------------------------------------------------------------------------------------- small tools


@wp.func
def ramp(low: float, high: float, x: float):
    """0 below ``low``, 1 above ``high``, smooth between; ``low`` may be the larger."""
    t = wp.clamp((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@wp.func
def bell(x: float, width: float):
    t = x / width
    return wp.exp(-t * t)


@wp.func
def mix3(a: wp.vec3, b: wp.vec3, t: float):
    return a * (1.0 - t) + b * t


@wp.func
def colour(materials: wp.array2d(dtype=float), slot: int, column: int):
    return wp.vec3(materials[slot, column], materials[slot, column + 1], materials[slot, column + 2])


@wp.func
def hash01(x: float, y: float, s: float):
    v = wp.sin(x * 127.1 + y * 311.7 + s * 74.7) * 43758.5453
    return v - wp.floor(v)


@wp.func
def fraction(x: float):
    return x - wp.floor(x)


@wp.func
def wave(x: float):
    """Triangle wave of period 1 between 0 (at the middle) and 1 (at the ends)."""
    return wp.abs(fraction(x) - 0.5) * 2.0


@wp.func
def noise(x: float, y: float, z: float):
    return wp.noise(wp.uint32(NOISE_STATE), wp.vec3(x, y, z))


@wp.func
def across(n: wp.vec3):
    """A unit vector at right angles to n."""
    a = wp.vec3(1.0, 0.0, 0.0)
    if wp.abs(n[0]) > 0.8:
        a = wp.vec3(0.0, 1.0, 0.0)
    return wp.normalize(wp.cross(n, a))


# ---------------------------------------------------------------------------------------------------- cloth


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
    mottle = noise(u * 9.0, v * 9.0, place[1] * 9.0) * 0.5 + noise(u * 260.0, v * 60.0, 3.0) * 0.35
    mottle = mottle + noise(u * 31.0, v * 31.0, 8.0) * 0.3
    twill = wp.sin((u + v * 0.6) * 1900.0) * 0.10
    thigh = ramp(-0.02, -0.10, place[1]) * ramp(-0.65, -0.2, place[2])
    thigh = thigh * (1.0 - ramp(0.05, 0.12, place[2])) * fading
    return mix3(base, second, wp.clamp(0.25 + mottle * 0.8 + twill + thigh * 0.55, 0.0, 1.0))


@wp.func
def chest_print(x: float, y: float, kind: int):
    """Coverage of a printed figure centred on 0, 0 with radius 1: disc, bar, lozenge, ring with a dot."""
    r = wp.sqrt(x * x + y * y)
    k = 0.0
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
    w = 0.0
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
def cloth_look(s: SceneData, hit: Hit, surface: int):
    m = s.materials
    slot = hit.slot
    look = Look()
    look.albedo = cloth_colour(m, slot, hit.chart[0], hit.chart[1], hit.place)
    look.normal = hit.normal
    amplitude = m[slot, Column.FOLD_AMPLITUDE]
    if amplitude > 0.0:
        frequency = m[slot, Column.FOLD_FREQUENCY]
        seed = m[slot, Column.SEED]
        is_arm = 0
        if hit.chart[0] > ARM_CHART:
            is_arm = 1
        n = hit.normal
        t1 = across(n)
        t2 = wp.cross(n, t1)
        step = 0.004
        h0 = fold_height(hit.place, is_arm, frequency, seed)
        h1 = fold_height(hit.place + template_step(s, hit.face, t1 * step), is_arm, frequency, seed)
        h2 = fold_height(hit.place + template_step(s, hit.face, t2 * step), is_arm, frequency, seed)
        slope = t1 * (h1 - h0) + t2 * (h2 - h0)
        look.normal = wp.normalize(n - slope * (amplitude / (step * frequency)))
        look.albedo = look.albedo * (1.0 + 0.10 * wp.clamp(h0, -1.0, 1.0))
    if surface == Surface.CLOTH:
        weave = noise(hit.chart[0] * 700.0, hit.chart[1] * 700.0, hit.place[1] * 700.0)
        look.albedo = look.albedo * (1.0 + 0.05 * weave)
    look.specular = m[slot, Column.SPECULAR]
    look.gloss = m[slot, Column.GLOSS]
    look.fuzz = m[slot, Column.FUZZ]
    look.wrap = wp.vec3(0.12, 0.12, 0.12)
    return look


# ----------------------------------------------------------------------------------------------------- skin


@wp.func
def sample_masks(s: SceneData, hit: Hit):
    """Bilinear lips, eyelids, ears, nails at the hit; v of the texture runs upwards."""
    k = wp.vec4(0.0, 0.0, 0.0, 0.0)
    if hit.face < s.skin_triangles:
        f = hit.face * 3
        uv = s.uv[f] * hit.u + s.uv[f + 1] * hit.v + s.uv[f + 2] * (1.0 - hit.u - hit.v)
        size = s.masks.shape[0]
        last = float(size) - 1.01
        x = wp.clamp(uv[0] * float(size) - 0.5, 0.0, last)
        y = wp.clamp((1.0 - uv[1]) * float(size) - 0.5, 0.0, last)
        ix = int(x)
        iy = int(y)
        fx = x - float(ix)
        fy = y - float(iy)
        top = s.masks[iy, ix] * (1.0 - fx) + s.masks[iy, ix + 1] * fx
        bottom = s.masks[iy + 1, ix] * (1.0 - fx) + s.masks[iy + 1, ix + 1] * fx
        k = top * (1.0 - fy) + bottom * fy
    return k


@wp.func
def brow_cover(m: wp.array2d(dtype=float), slot: int, ax: float, z: float):
    """Coverage of the brow: a stroke along the ridge, thinning outwards, broken up into hairs."""
    inner = m[slot, Column.BROW_INNER]
    t = (ax - inner) / (m[slot, Column.BROW_OUTER] - inner)
    cover = 0.0
    if t > -0.15 and t < 1.15:
        along = wp.clamp(t, 0.0, 1.0)
        middle = m[slot, Column.BROW_HEIGHT] + m[slot, Column.BROW_ARCH] * wp.sin(along * 2.2)
        middle = middle - m[slot, Column.BROW_DROP] * wp.max(0.0, t - 0.55)
        half = m[slot, Column.BROW_THICKNESS] * (1.0 - 0.72 * along)
        half = half * ramp(-0.15, 0.12, t) * (1.0 - ramp(0.9, 1.12, t)) + 1.0e-5
        d = (z - middle) / half
        hairs = 0.62 + 0.55 * noise((ax + z * 0.9) * 760.0, (z - ax * 0.5) * 120.0, 1.0)
        cover = wp.clamp(wp.exp(-d * d * 1.3) * hairs * 1.25, 0.0, 0.93)
    return cover


@wp.func
def face_paint(m: wp.array2d(dtype=float), slot: int, bare: wp.vec3, p: wp.vec3):
    """Cheeks, nose, orbits, eye shadow, stubble, brows on skin of colour ``bare``; p as ``place``."""
    c = bare
    ax = wp.abs(p[0])
    y = p[1]
    z = p[2]
    cheek = bell(ax - 0.043, 0.024) * bell(z - 0.868, 0.022) * ramp(-0.05, -0.09, y)
    nose = bell(ax, 0.012) * bell(z - 0.873, 0.014) * ramp(-0.13, -0.15, y)
    red = wp.cw_mul(c, wp.vec3(1.08, 0.72, 0.66))
    c = mix3(c, red, wp.min(1.0, cheek * m[slot, Column.BLUSH] + nose * 0.30))
    orbit = bell(ax - 0.032, 0.022) * bell(z - 0.905, 0.018)
    c = mix3(c, wp.cw_mul(c, wp.vec3(0.86, 0.74, 0.74)), orbit * 0.35)
    lid = bell(ax - 0.032, 0.0246) * bell(z - 0.915, 0.009)
    c = mix3(c, colour(m, slot, Column.EYE_SHADOW), lid * m[slot, Column.EYE_SHADOW_AMOUNT])
    stubble = m[slot, Column.STUBBLE]
    if stubble > 0.0:
        jaw = (1.0 - ramp(0.845, 0.872, z)) * ramp(0.0, -0.05, y) * ramp(0.035, 0.055, ax + (0.84 - z) * 2.2)
        moustache = bell(ax, 0.028) * bell(z - 0.853, 0.008)
        beard = wp.clamp(jaw + moustache, 0.0, 1.0) * ramp(0.775, 0.795, z)
        hairs = 0.75 + 0.5 * noise(p[0] * 900.0, y * 900.0, z * 900.0)
        c = mix3(c, colour(m, slot, Column.THIRD) * 0.6, wp.min(beard * stubble * hairs, 0.9))
    if y < -0.09 and z > 0.905 and z < 0.96:
        c = mix3(c, colour(m, slot, Column.THIRD), brow_cover(m, slot, ax, z))
    return c


@wp.func
def skin_look(s: SceneData, hit: Hit, region: int):
    m = s.materials
    slot = hit.slot
    p = hit.place
    c = colour(m, slot, Column.BASE)
    blotch = noise(p[0] * 35.0, p[1] * 35.0, p[2] * 35.0) * 0.5
    blotch = blotch + noise(p[0] * 110.0, p[1] * 110.0, p[2] * 110.0) * 0.3
    c = c * (1.0 + 0.05 * blotch)
    red = wp.cw_mul(c, wp.vec3(1.08, 0.72, 0.66))
    if p[2] > 0.77 and p[1] < 0.03:
        c = face_paint(m, slot, c, p)
    k = sample_masks(s, hit)
    lip = colour(m, slot, Column.SECOND) * (0.96 + 0.16 * noise(p[0] * 500.0, 0.0, p[2] * 80.0))
    c = mix3(c, lip, k[0] * 0.85)
    c = mix3(c, wp.cw_mul(c, wp.vec3(0.80, 0.66, 0.64)), k[1] * 0.35)
    c = mix3(c, red, k[2] * 0.35)
    c = mix3(c, wp.cw_mul(c, wp.vec3(1.12, 1.0, 0.98)) + wp.vec3(0.03, 0.01, 0.01), k[3] * 0.7)
    if region == Semantic.HAND or region == Semantic.LEG:
        c = mix3(c, red, 0.16)
    look = Look()
    look.albedo = c
    pores = wp.vec3(
        noise(p[0] * 150.0, p[1] * 150.0, p[2] * 150.0),
        noise(p[0] * 150.0 + 9.0, p[1] * 150.0, p[2] * 150.0),
        noise(p[0] * 150.0, p[1] * 150.0 + 9.0, p[2] * 150.0),
    )
    look.normal = wp.normalize(hit.normal + pores * 0.04)
    look.specular = m[slot, Column.SPECULAR] * (1.0 + 1.2 * k[0])
    look.gloss = m[slot, Column.GLOSS]
    look.fuzz = m[slot, Column.FUZZ]
    look.wrap = wp.vec3(0.42, 0.20, 0.14)  # blood under the skin: the edge of a shadow is red
    return look


# ------------------------------------------------------------------------------------------- eyes and hair


@wp.func
def eye_look(s: SceneData, hit: Hit):
    m = s.materials
    slot = hit.slot
    side = 1.0
    if hit.place[0] < 0.0:
        side = -1.0
    dx = hit.place[0] - side * EYE_X
    dz = hit.place[2] - EYE_Z
    r = wp.sqrt(dx * dx + dz * dz)
    c = mix3(wp.vec3(0.74, 0.71, 0.69), wp.vec3(0.66, 0.50, 0.47), ramp(0.008, 0.0145, r) * 0.8)
    radius = m[slot, Column.IRIS_RADIUS]
    if hit.place[1] < -0.125:
        angle = wp.atan2(dz, dx)
        fibres = 0.75 + 0.35 * noise(angle * 7.0, r * 300.0, 2.0) + 0.25 * noise(angle * 19.0, r * 100.0, 5.0)
        iris = colour(m, slot, Column.BASE) * fibres
        iris = mix3(iris, colour(m, slot, Column.BASE) * 1.7, bell(r - radius * 0.55, 0.0013) * 0.5)
        iris = iris * (1.0 - 0.75 * ramp(radius * 0.80, radius * 1.02, r))
        c = mix3(c, iris, 1.0 - ramp(radius * 0.96, radius * 1.06, r))
        c = mix3(c, wp.vec3(0.005, 0.005, 0.005), 1.0 - ramp(radius * 0.36, radius * 0.44, r))
    look = Look()
    look.albedo = c * (0.42 + 0.58 * ramp(0.0085, 0.001, dz - 0.0008))  # under the upper lid
    look.normal = hit.normal
    look.specular = m[slot, Column.SPECULAR]
    look.gloss = m[slot, Column.GLOSS]
    return look


@wp.func
def interpolate_tangent(s: SceneData, hit: Hit):
    f = hit.face * 3
    t = s.tangents[s.corners[f]] * hit.u + s.tangents[s.corners[f + 1]] * hit.v
    return t + s.tangents[s.corners[f + 2]] * (1.0 - hit.u - hit.v)


@wp.func
def hair_look(s: SceneData, hit: Hit, tangent: wp.vec3):
    m = s.materials
    slot = hit.slot
    clump = hit.chart[3]
    along = hit.chart[1]
    streak = noise(hit.chart[0] * m[slot, Column.STREAKS], along * 6.0, clump * 31.0)
    lightness = 0.30 + 0.30 * (hash01(clump, 2.0, 0.0) - 0.5) + streak * 0.50 + m[slot, Column.TIPS] * along
    c = mix3(colour(m, slot, Column.BASE), colour(m, slot, Column.SECOND), wp.clamp(lightness, 0.0, 1.0))
    look = Look()
    look.albedo = c * (0.55 + 0.45 * wp.clamp(along * 1.5 + 0.35, 0.0, 1.0))  # roots lie in shadow
    side = wp.normalize(wp.cross(tangent, hit.normal) + wp.vec3(1.0e-6, 0.0, 0.0))
    look.normal = wp.normalize(hit.normal + side * streak * 0.7)
    look.specular = m[slot, Column.SPECULAR]
    look.gloss = m[slot, Column.GLOSS]
    look.fuzz = m[slot, Column.FUZZ]
    look.wrap = wp.vec3(0.25, 0.25, 0.25)
    return look


@wp.func
def hair_highlight(s: SceneData, look: Look, slot: int, tangent: wp.vec3, half: wp.vec3, key: wp.vec3):
    """Two lobes along the strand: a white one shifted to the root, a coloured one shifted to the tip."""
    first = wp.normalize(tangent + look.normal * 0.10 + wp.vec3(1.0e-6, 0.0, 0.0))
    second = wp.normalize(tangent - look.normal * 0.12 + wp.vec3(1.0e-6, 0.0, 0.0))
    a = wp.dot(first, half)
    b = wp.dot(second, half)
    white = wp.pow(wp.max(0.0, 1.0 - a * a), look.gloss * 0.5)
    tinted = wp.pow(wp.max(0.0, 1.0 - b * b), look.gloss * 0.25)
    light_tone = colour(s.materials, slot, Column.SECOND)
    return key * (0.035 * white * look.specular) + wp.cw_mul(light_tone, key) * (tinted * 0.8)


@wp.func
def surface_look(s: SceneData, hit: Hit, surface: int, region: int, tangent: wp.vec3):
    look = Look()
    if surface == Surface.SKIN:
        look = skin_look(s, hit, region)
    elif surface == Surface.EYE:
        look = eye_look(s, hit)
    elif surface == Surface.CLOTH or surface == Surface.LEATHER:
        look = cloth_look(s, hit, surface)
    elif surface == Surface.HAIR:
        look = hair_look(s, hit, tangent)
    else:
        look.albedo = colour(s.materials, hit.slot, Column.BASE)
        look.normal = hit.normal
        look.specular = s.materials[hit.slot, Column.SPECULAR]
        look.gloss = 30.0
    return look


# ----------------------------------------------------------------------------------------------------- rays


@wp.func
def is_lash_gap(m: wp.array2d(dtype=float), slot: int, chart: wp.vec4):
    tooth = wp.sin(chart[0] * m[slot, Column.COMB]) * 0.5 + 0.5
    return tooth < m[slot, Column.CUT] + chart[1] * m[slot, Column.CUT_SLOPE]


@wp.func
def nearest_surface(s: SceneData, origin: wp.vec3, direction: wp.vec3):
    hit = Hit()
    hit.found = 0
    travelled = 0.0
    for _layer in range(MAX_LASH_LAYERS):
        query = wp.mesh_query_ray(s.mesh, origin + direction * travelled, direction, FAR)
        if not query.result:
            break
        travelled = travelled + query.t
        a = query.u
        b = query.v
        c = 1.0 - a - b
        f = query.face
        i0 = s.corners[f * 3]
        i1 = s.corners[f * 3 + 1]
        i2 = s.corners[f * 3 + 2]
        slot = s.slots[f]
        chart = s.charts[i0] * a + s.charts[i1] * b + s.charts[i2] * c
        if int(s.materials[slot, Column.SURFACE]) == Surface.LASH and is_lash_gap(s.materials, slot, chart):
            travelled = travelled + 2.0e-4
            continue
        hit.found = 1
        hit.slot = slot
        hit.face = f
        hit.distance = travelled
        hit.u = a
        hit.v = b
        hit.chart = chart
        hit.place = s.place[i0] * a + s.place[i1] * b + s.place[i2] * c
        n = wp.normalize(s.normals[i0] * a + s.normals[i1] * b + s.normals[i2] * c)
        g = query.normal
        if wp.dot(g, direction) > 0.0:
            g = -g
        if wp.dot(n, direction) > 0.15:
            n = -n
        hit.normal = n
        hit.face_normal = g
        break
    return hit


@wp.func
def skin_region(s: SceneData, hit: Hit):
    """Semantic class of the nearest corner: a class must not be interpolated."""
    corner = hit.face * 3
    third = 1.0 - hit.u - hit.v
    if hit.v > hit.u and hit.v > third:
        corner = hit.face * 3 + 1
    elif third > hit.u:
        corner = hit.face * 3 + 2
    return int(s.charts[s.corners[corner]][2] + 0.5)


@wp.func
def open_sky(
    s: SceneData, origin: wp.vec3, n: wp.vec3, g: wp.vec3, rays: int, first: int, turn: wp.vec3, reach: float
):
    """Share of cosine-weighted rays that get away. A ray's length is uniform in 0..reach, which makes a
    near surface count more than a far one at the price of a single any-hit query."""
    t1 = across(n)
    t2 = wp.cross(n, t1)
    free = 0.0
    for k in range(rays):
        j = float(first + k)
        # a low-discrepancy sequence over the pixel, begun at a random place
        u1 = fraction(turn[0] + j * 0.8191725)
        u2 = fraction(turn[1] + j * 0.6710436)
        u3 = fraction(turn[2] + j * 0.5497005)
        r = wp.sqrt(u2)
        d = (
            t1 * (wp.cos(u1 * TWO_PI) * r)
            + t2 * (wp.sin(u1 * TWO_PI) * r)
            + n * wp.sqrt(wp.max(0.0, 1.0 - u2))
        )
        below = wp.dot(d, g)
        if below < 0.02:
            d = wp.normalize(d - g * (2.0 * below - 0.04))
        if not wp.mesh_query_ray_anyhit(s.mesh, origin, d, reach * u3):
            free = free + 1.0
    return free / float(wp.max(rays, 1))


@wp.func
def key_ray(light: LightData, j: float, turn: wp.vec3):
    """A direction towards the disc of the key light."""
    t1 = across(light.direction)
    t2 = wp.cross(light.direction, t1)
    angle = fraction(turn[0] + j * 0.7548777) * TWO_PI
    r = wp.sqrt(fraction(turn[1] + j * 0.5698403)) * light.softness
    return wp.normalize(light.direction + t1 * (wp.cos(angle) * r) + t2 * (wp.sin(angle) * r))


@wp.func
def key_share(s: SceneData, light: LightData, origin: wp.vec3, rays: int, first: int, turn: wp.vec3):
    free = 0.0
    for k in range(rays):
        d = key_ray(light, float(first + k), turn)
        if not wp.mesh_query_ray_anyhit(s.mesh, origin, d, SHADOW_REACH):
            free = free + 1.0
    return free / float(wp.max(rays, 1))


@wp.func
def ground_shadow(s: SceneData, light: LightData, plan: Sampling, p: wp.vec3, first: int, turn: wp.vec3):
    """Key light and sky that the figure takes from a point of the ground: (shadow, occlusion)."""
    dx = p[0] - plan.ground_x
    dy = p[1] - plan.ground_y
    r2 = dx * dx + dy * dy
    out = wp.vec2(0.0, 0.0)
    if r2 < plan.ground_radius * plan.ground_radius:
        fade = wp.exp(-r2 * 0.9)
        shadow = (1.0 - key_share(s, light, p, 1, first, turn)) * fade
        occlusion = 0.0
        if plan.ground_rays > 0 and r2 < 1.7:
            up = wp.vec3(0.0, 0.0, 1.0)
            occlusion = 1.0 - open_sky(
                s, p, up, up, plan.ground_rays, first * plan.ground_rays, turn, GROUND_REACH
            )
        out = wp.vec2(shadow, occlusion)
    return out


# ------------------------------------------------------------------------------------------------- lighting


@wp.func
def reflected(
    s: SceneData,
    light: LightData,
    hit: Hit,
    look: Look,
    surface: int,
    tangent: wp.vec3,
    view: wp.vec3,
    sky: float,
    key: float,
):
    """Light that leaves a surface towards the camera; sky and key are the shares that arrive."""
    n = look.normal
    facing = wp.dot(n, light.direction)
    upness = 0.5 + 0.5 * n[2]
    ambient = mix3(light.ground, light.sky, upness) * sky
    fill = light.fill * (wp.max(0.0, (wp.dot(n, light.fill_direction) + 0.25) / 1.25) * (0.35 + 0.65 * sky))
    w = look.wrap
    diffuse = wp.vec3(
        wp.max(0.0, (facing + w[0]) / (1.0 + w[0])),
        wp.max(0.0, (facing + w[1]) / (1.0 + w[1])),
        wp.max(0.0, (facing + w[2]) / (1.0 + w[2])),
    )
    c = wp.cw_mul(look.albedo, ambient + fill + wp.cw_mul(light.key, diffuse) * key)
    half = wp.normalize(light.direction - view)
    grazing = 1.0 - wp.max(0.0, -wp.dot(n, view))
    grazing3 = grazing * grazing * grazing
    if surface == Surface.HAIR:
        shine = hair_highlight(s, look, hit.slot, tangent, half, light.key)
        c = c + shine * ((key * 0.8 + 0.2 * sky) * (0.3 + 0.7 * wp.max(0.0, facing * 0.5 + 0.5)))
        c = c + light.sky * (0.012 * sky * grazing3)
    else:
        lobe = wp.pow(wp.max(0.0, wp.dot(n, half)), look.gloss) * look.specular * (look.gloss + 8.0) / 50.0
        fresnel = 0.04 + 0.96 * grazing3 * grazing * grazing
        c = c + light.key * (lobe * key * (0.25 + 0.75 * wp.max(0.0, facing)))
        c = c + light.sky * (fresnel * look.specular * 0.5 * sky * upness)
        fuzz = wp.cw_mul(look.albedo * 0.5 + wp.vec3(0.1, 0.1, 0.1), light.sky + light.fill)
        c = c + fuzz * (look.fuzz * grazing3 * sky)
    return c


@wp.func
def winner(votes: wp.array2d(dtype=wp.uint8), pixel: int):
    best = 0
    for k in range(1, SEMANTIC_CLASSES):
        if votes[pixel, k] > votes[pixel, best]:
            best = k
    return best


@wp.kernel
def draw(
    s: SceneData,
    camera: CameraData,
    light: LightData,
    plan: Sampling,
    rgb: wp.array(dtype=wp.vec3),
    alpha: wp.array(dtype=float),
    semantic: wp.array(dtype=wp.int32),
    shadow: wp.array(dtype=wp.vec2),
    depth: wp.array(dtype=float),
    place: wp.array(dtype=wp.vec4),
    votes: wp.array2d(dtype=wp.uint8),
):
    """One thread a pixel. rgb is multiplied by alpha; place carries the slot as fourth number."""
    pixel = wp.tid()
    column = pixel % plan.width
    row = pixel / plan.width
    rng = wp.rand_init(plan.seed, pixel)
    turn = wp.vec3(wp.randf(rng), wp.randf(rng), wp.randf(rng))
    samples = plan.grid * plan.grid
    share = 1.0 / float(samples)
    cell = 1.0 / float(plan.grid)
    light_sum = wp.vec3(0.0, 0.0, 0.0)
    shadow_sum = wp.vec2(0.0, 0.0)
    covered = 0
    nearest_centre = 9.0
    for k in range(samples):
        x = (float(k % plan.grid) + wp.randf(rng)) * cell
        y = (float(k / plan.grid) + wp.randf(rng)) * cell
        across_x = (float(column) + x - camera.cx) / camera.focal
        across_y = (camera.cy - float(row) - y) / camera.focal
        view = wp.normalize(camera.forward + camera.right * across_x + camera.up * across_y)
        hit = nearest_surface(s, camera.origin, view)
        if hit.found == 0:
            votes[pixel, 0] = votes[pixel, 0] + wp.uint8(1)
            if plan.ground_radius > 0.0 and view[2] < -1.0e-4:
                t = -camera.origin[2] / view[2]
                p = camera.origin + view * t + wp.vec3(0.0, 0.0, 1.0e-3)
                shadow_sum = shadow_sum + ground_shadow(s, light, plan, p, k, turn)
            continue
        covered = covered + 1
        surface = int(s.materials[hit.slot, Column.SURFACE])
        label = int(s.materials[hit.slot, Column.SEMANTIC])
        if surface == Surface.SKIN:
            label = skin_region(s, hit)
        votes[pixel, label] = votes[pixel, label] + wp.uint8(1)
        tangent = wp.vec3(0.0, 0.0, 0.0)
        occlusion_rays = plan.occlusion_rays
        if surface == Surface.HAIR:
            tangent = interpolate_tangent(s, hit)
            occlusion_rays = wp.max(1, plan.occlusion_rays / 2)
        look = surface_look(s, hit, surface, label, tangent)
        p_hit = camera.origin + view * hit.distance + hit.face_normal * 1.5e-3
        sky = 1.0
        if plan.occlusion_rays > 0:
            sky = open_sky(
                s, p_hit, look.normal, hit.face_normal, occlusion_rays, k * occlusion_rays, turn, light.reach
            )
        key = 1.0
        if wp.dot(look.normal, light.direction) > -0.4:
            start = p_hit + hit.face_normal * 1.0e-3
            key = key_share(s, light, start, plan.shadow_rays, k * plan.shadow_rays, turn)
        light_sum = light_sum + reflected(s, light, hit, look, surface, tangent, view, sky, key)
        off_centre = (x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5)
        if off_centre < nearest_centre:
            nearest_centre = off_centre
            depth[pixel] = hit.distance
            place[pixel] = wp.vec4(hit.place[0], hit.place[1], hit.place[2], float(hit.slot))
    rgb[pixel] = light_sum * share
    alpha[pixel] = float(covered) * share
    shadow[pixel] = shadow_sum * share
    semantic[pixel] = winner(votes, pixel)
