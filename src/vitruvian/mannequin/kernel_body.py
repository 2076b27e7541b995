"""How skin, eyes and hair look. Written in the language of warp, see ``kernel_base``."""

# ruff: noqa: UP018  (float(0.0) declares a variable that may change in a loop)
# The types of the kernel language are calls, and warp is optional.
# pyright: reportInvalidTypeForm=false, reportMissingImports=false
import warp as wp

from vitruvian.mannequin.kernel_base import (
    Hit,
    Look,
    SceneData,
    bell,
    colour,
    hash01,
    mix3,
    noise,
    ramp,
)
from vitruvian.mannequin.labels import Semantic
from vitruvian.mannequin.materials import EYE_CENTRE_X, EYE_CENTRE_Z, Column

EYE_X = wp.constant(EYE_CENTRE_X)
EYE_Z = wp.constant(EYE_CENTRE_Z)


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
    cover = float(0.0)
    if t > -0.15 and t < 1.15:
        along = wp.clamp(t, 0.0, 1.0)
        middle = m[slot, Column.BROW_HEIGHT] + m[slot, Column.BROW_ARCH] * wp.sin(along * 2.2)
        middle = middle - m[slot, Column.BROW_DROP] * wp.max(0.0, t - 0.55)
        half = m[slot, Column.BROW_THICKNESS] * (1.0 - 0.72 * along)
        half = half * ramp(-0.15, 0.12, t) * (1.0 - ramp(0.9, 1.12, t)) + 1.0e-5
        d = (z - middle) / half
        hairs = 0.62 + 0.55 * noise((ax + z * 0.9) * 760.0, (z - ax * 0.5) * 120.0, 1.0)
        cover = wp.clamp(wp.exp(-d * d) * hairs * 1.35, 0.0, 0.94)
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
    look.wrap = wp.vec3(0.38, 0.21, 0.16)  # blood under the skin: the edge of a shadow is red
    return look


@wp.func
def eye_look(s: SceneData, hit: Hit):
    m = s.materials
    slot = hit.slot
    side = float(1.0)
    if hit.place[0] < 0.0:
        side = -1.0
    dx = hit.place[0] - side * EYE_X
    dz = hit.place[2] - EYE_Z
    r = wp.sqrt(dx * dx + dz * dz)
    c = mix3(wp.vec3(0.58, 0.555, 0.54), wp.vec3(0.50, 0.37, 0.34), ramp(0.0075, 0.0145, r) * 0.85)
    radius = m[slot, Column.IRIS_RADIUS]
    if hit.place[1] < -0.125:
        angle = wp.atan2(dz, dx)
        fibres = 0.75 + 0.35 * noise(angle * 7.0, r * 300.0, 2.0) + 0.25 * noise(angle * 19.0, r * 100.0, 5.0)
        iris = colour(m, slot, Column.BASE) * fibres
        iris = mix3(iris, colour(m, slot, Column.BASE) * 1.4, bell(r - radius * 0.55, 0.0013) * 0.4)
        iris = iris * (0.85 - 0.65 * ramp(radius * 0.74, radius * 1.02, r))
        c = mix3(c, iris, 1.0 - ramp(radius * 0.96, radius * 1.06, r))
        c = mix3(c, wp.vec3(0.005, 0.005, 0.005), 1.0 - ramp(radius * 0.40, radius * 0.49, r))
    look = Look()
    look.albedo = c * (0.35 + 0.65 * ramp(0.0075, 0.0005, dz))  # under the upper lid
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
