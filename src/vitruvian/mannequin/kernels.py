"""The ray caster, in the language of warp (see ``kernel_base`` for its traps).

Imported only by the renderer, and only when something is drawn.
"""

# ruff: noqa: UP018, RUF046  (float(0.0) declares a variable that may change in a loop)
import warp as wp

from vitruvian.mannequin.kernel_base import (
    TWO_PI,
    CameraData,
    Hit,
    LightData,
    Look,
    Sampling,
    SceneData,
    across,
    colour,
    fraction,
    mix3,
)
from vitruvian.mannequin.kernel_body import (
    eye_look,
    hair_highlight,
    hair_look,
    interpolate_tangent,
    skin_look,
)
from vitruvian.mannequin.kernel_cloth import cloth_look
from vitruvian.mannequin.labels import Semantic
from vitruvian.mannequin.materials import Column, Surface

wp.set_module_options({"enable_backward": False})

FAR = wp.constant(20.0)  # metres, length of camera rays
SHADOW_REACH = wp.constant(4.0)
GROUND_REACH = wp.constant(0.9)
MAX_LASH_LAYERS = wp.constant(14)  # gaps between lashes that a camera ray may pass; fewer let the sky through
SEMANTIC_CLASSES = wp.constant(len(Semantic))

# ----------------------------------------------------------------------------------------------------- rays


@wp.func
def is_lash_gap(m: wp.array2d(dtype=float), slot: int, chart: wp.vec4):
    tooth = wp.sin(chart[0] * m[slot, Column.COMB]) * 0.5 + 0.5
    return tooth < m[slot, Column.CUT] + chart[1] * m[slot, Column.CUT_SLOPE]


@wp.func
def nearest_surface(s: SceneData, origin: wp.vec3, direction: wp.vec3):
    hit = Hit()
    hit.found = 0
    travelled = float(0.0)
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
    free = float(0.0)
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
    free = float(0.0)
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
        occlusion = float(0.0)
        if plan.ground_rays > 0 and r2 < 1.7:
            up = wp.vec3(0.0, 0.0, 1.0)
            occlusion = 1.0 - open_sky(
                s, p, up, up, plan.ground_rays, first * plan.ground_rays, turn, GROUND_REACH
            )
        out = wp.vec2(shadow, occlusion)
    return out


# ------------------------------------------------------------------------------------------------- lighting


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
    best = int(0)
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
    covered = int(0)
    nearest_centre = float(9.0)
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
        sky = float(1.0)
        if plan.occlusion_rays > 0:
            sky = open_sky(
                s, p_hit, look.normal, hit.face_normal, occlusion_rays, k * occlusion_rays, turn, light.reach
            )
        key = float(1.0)
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
