"""The ray caster, in the language of warp (see ``kernel_base`` for its traps).

Imported only by the renderer, and only when something is drawn.
"""

# ruff: noqa: UP018, RUF046  (float(0.0) declares a variable that may change in a loop)
# The types of the kernel language are calls, and warp is optional.
# pyright: reportInvalidTypeForm=false, reportMissingImports=false
import warp as wp

from vitruvian.mannequin.kernel_base import (
    TWO_PI,
    CameraData,
    Film,
    Hit,
    LightData,
    Look,
    Reflection,
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
from vitruvian.mannequin.kernel_cloth import cloth_look, cloth_relief
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
def open_sky(s: SceneData, origin: wp.vec3, n: wp.vec3, g: wp.vec3, rays: int, first: int, turn: wp.vec3, reach: float):
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
        d = t1 * (wp.cos(u1 * TWO_PI) * r) + t2 * (wp.sin(u1 * TWO_PI) * r) + n * wp.sqrt(wp.max(0.0, 1.0 - u2))
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
def sample_openness(
    s: SceneData,
    light: LightData,
    plan: Sampling,
    hit: Hit,
    n: wp.vec3,
    view: wp.vec3,
    eye: wp.vec3,
    k: int,
    turn: wp.vec3,
):
    """Open sky and free key light at sub-sample k, and 1 to count it."""
    start = eye + view * hit.distance + hit.face_normal * 1.5e-3
    rays = plan.occlusion_rays
    sky = open_sky(s, start, n, hit.face_normal, rays, k * rays, turn, light.reach)
    key = float(0.0)
    if wp.dot(n, light.direction) > -0.4:  # beyond that even wrapped light does not arrive
        start = start + hit.face_normal * 1.0e-3
        key = key_share(s, light, start, plan.shadow_rays, k * plan.shadow_rays, turn)
    return wp.vec3(sky, key, 1.0)


@wp.func
def ground_shadow(s: SceneData, light: LightData, plan: Sampling, p: wp.vec3, turn: wp.vec3):
    """Key light and sky that the figure takes from a point of the ground: (shadow, occlusion)."""
    dx = p[0] - plan.ground_x
    dy = p[1] - plan.ground_y
    r2 = dx * dx + dy * dy
    out = wp.vec2(0.0, 0.0)
    if r2 < plan.ground_radius * plan.ground_radius:
        shadow = (1.0 - key_share(s, light, p, plan.ground_rays, 0, turn)) * wp.exp(-r2 * 0.9)
        occlusion = float(0.0)
        if r2 < 1.7:
            up = wp.vec3(0.0, 0.0, 1.0)
            occlusion = 1.0 - open_sky(s, p, up, up, plan.ground_rays, 0, turn, GROUND_REACH)
        out = wp.vec2(shadow, occlusion)
    return out


# ------------------------------------------------------------------------------------------------- lighting


@wp.func
def surface_look(s: SceneData, hit: Hit, surface: int, region: int, tangent: wp.vec3, relief: wp.vec4):
    look = Look()
    if surface == Surface.SKIN:
        look = skin_look(s, hit, region)
    elif surface == Surface.EYE:
        look = eye_look(s, hit)
    elif surface == Surface.CLOTH or surface == Surface.LEATHER:
        look = cloth_look(s, hit, surface, relief)
    elif surface == Surface.HAIR:
        look = hair_look(s, hit, tangent)
    else:
        look.albedo = colour(s.materials, hit.slot, Column.BASE)
        look.normal = hit.normal
        look.specular = s.materials[hit.slot, Column.SPECULAR]
        look.gloss = 30.0
    return look


@wp.func
def reflected(s: SceneData, light: LightData, hit: Hit, look: Look, surface: int, tangent: wp.vec3, view: wp.vec3):
    """Light that leaves a surface towards the camera, in three parts: always there, in proportion to the open
    sky, in proportion to the free key light."""
    n = look.normal
    facing = wp.dot(n, light.direction)
    upness = 0.5 + 0.5 * n[2]
    fill = light.fill * wp.max(0.0, (wp.dot(n, light.fill_direction) + 0.25) / 1.25)
    w = look.wrap
    diffuse = wp.vec3(
        wp.max(0.0, (facing + w[0]) / (1.0 + w[0])),
        wp.max(0.0, (facing + w[1]) / (1.0 + w[1])),
        wp.max(0.0, (facing + w[2]) / (1.0 + w[2])),
    )
    out = Reflection()
    out.steady = wp.cw_mul(look.albedo, fill * 0.35)
    out.by_sky = wp.cw_mul(look.albedo, mix3(light.ground, light.sky, upness) + fill * 0.65)
    out.by_key = wp.cw_mul(look.albedo, wp.cw_mul(light.key, diffuse))
    half = wp.normalize(light.direction - view)
    grazing = 1.0 - wp.max(0.0, -wp.dot(n, view))
    grazing3 = grazing * grazing * grazing
    if surface == Surface.HAIR:
        shine = hair_highlight(s, look, hit.slot, tangent, half, light.key)
        shine = shine * (0.3 + 0.7 * wp.max(0.0, facing * 0.5 + 0.5))
        out.by_key = out.by_key + shine * 0.8
        out.by_sky = out.by_sky + shine * 0.2 + light.sky * (0.012 * grazing3)
    else:
        lobe = wp.pow(wp.max(0.0, wp.dot(n, half)), look.gloss) * look.specular * (look.gloss + 8.0) / 50.0
        fresnel = 0.04 + 0.96 * grazing3 * grazing * grazing
        out.by_key = out.by_key + light.key * (lobe * (0.25 + 0.75 * wp.max(0.0, facing)))
        out.by_sky = out.by_sky + light.sky * (fresnel * look.specular * 0.5 * upness)
        fuzz = wp.cw_mul(look.albedo * 0.5 + wp.vec3(0.1, 0.1, 0.1), light.sky + light.fill)
        out.by_sky = out.by_sky + fuzz * (look.fuzz * grazing3)
    return out


# ---------------------------------------------------------------------------------------------------- pixels


@wp.func
def winner(votes: wp.array2d(dtype=wp.uint8), pixel: int):
    best = int(0)
    for k in range(1, SEMANTIC_CLASSES):
        if votes[pixel, k] > votes[pixel, best]:
            best = k
    return best


@wp.kernel
def cast(s: SceneData, camera: CameraData, light: LightData, plan: Sampling, film: Film):
    """First pass, one thread a pixel: cast the rays and keep light and openness apart."""
    pixel = wp.tid()
    column = pixel % plan.width
    row = pixel / plan.width
    rng = wp.rand_init(plan.seed, pixel)
    # neighbours begin the sequence of rays at evenly spread places, so that their mean has little noise; a
    # little chance hides the lattice
    loose = 0.3
    turn = wp.vec3(
        fraction(float(column) * 0.7548777 + float(row) * 0.5698403 + loose * wp.randf(rng)),
        fraction(float(column) * 0.5698403 + float(row) * 0.2451223 + 0.5 + loose * wp.randf(rng)),
        fraction(float(column) * 0.1802460 + float(row) * 0.8191725 + 0.25 + loose * wp.randf(rng)),
    )
    samples = plan.grid * plan.grid
    cell = 1.0 / float(plan.grid)
    steady = wp.vec3(0.0, 0.0, 0.0)
    by_sky = wp.vec3(0.0, 0.0, 0.0)
    by_key = wp.vec3(0.0, 0.0, 0.0)
    openness = wp.vec3(0.0, 0.0, 0.0)
    relief = wp.vec4(0.0, 0.0, 0.0, 0.0)
    relief_slot = int(-1)
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
            if film.votes[pixel, 0] == wp.uint8(0) and view[2] < -1.0e-4:
                t = -camera.origin[2] / view[2]
                p = camera.origin + view * t + wp.vec3(0.0, 0.0, 1.0e-3)
                film.shadow[pixel] = ground_shadow(s, light, plan, p, turn)
            film.votes[pixel, 0] = film.votes[pixel, 0] + wp.uint8(1)
            continue
        covered = covered + 1
        surface = int(s.materials[hit.slot, Column.SURFACE])
        label = int(s.materials[hit.slot, Column.SEMANTIC])
        if surface == Surface.SKIN:
            label = skin_region(s, hit)
        film.votes[pixel, label] = film.votes[pixel, label] + wp.uint8(1)
        tangent = wp.vec3(0.0, 0.0, 0.0)
        if surface == Surface.HAIR:
            tangent = interpolate_tangent(s, hit)
        elif relief_slot != hit.slot and (surface == Surface.CLOTH or surface == Surface.LEATHER):
            # folds are wider than a pixel: one look at them serves its sub-samples
            relief = cloth_relief(s, hit)
            relief_slot = hit.slot
        look = surface_look(s, hit, surface, label, tangent, relief)
        if (k + row + column) % plan.open_stride == 0:
            openness = openness + sample_openness(s, light, plan, hit, look.normal, view, camera.origin, k, turn)
        part = reflected(s, light, hit, look, surface, tangent, view)
        steady = steady + part.steady
        by_sky = by_sky + part.by_sky
        by_key = by_key + part.by_key
        off_centre = (x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5)
        if off_centre < nearest_centre:
            nearest_centre = off_centre
            p_hit = camera.origin + view * hit.distance
            film.position[pixel] = wp.vec4(p_hit[0], p_hit[1], p_hit[2], hit.distance)
            film.normal[pixel] = hit.normal
            film.place[pixel] = wp.vec4(hit.place[0], hit.place[1], hit.place[2], float(hit.slot))
    share = 1.0 / float(samples)
    film.alpha[pixel] = float(covered) * share
    film.steady[pixel] = steady * share
    film.by_sky[pixel] = by_sky * share
    film.by_key[pixel] = by_key * share
    film.open[pixel] = openness
    film.semantic[pixel] = winner(film.votes, pixel)


@wp.func
def likeness(film: Film, a: int, b: int):
    """1 if two pixels show the same smooth piece of surface, else 0."""
    same = float(0.0)
    if film.alpha[b] > 0.0 and film.place[a][3] == film.place[b][3]:
        pa = film.position[a]
        pb = film.position[b]
        step = wp.vec3(pb[0] - pa[0], pb[1] - pa[1], pb[2] - pa[2])
        n = film.normal[a]
        if wp.abs(wp.dot(step, n)) < 0.012 and wp.dot(n, film.normal[b]) > 0.6:
            same = 1.0
    return same


@wp.kernel
def gather(plan: Sampling, film: Film, rgb: wp.array(dtype=wp.vec3), shadow: wp.array(dtype=wp.vec2)):
    """Second pass: openness is smoothed over the neighbours on the same surface, then meets the light.

    rgb is multiplied by alpha; shadow by its complement.
    """
    pixel = wp.tid()
    column = pixel % plan.width
    row = pixel / plan.width
    coverage = film.alpha[pixel]
    openness = film.open[pixel] * 1.0
    ground = film.shadow[pixel] * 0.0
    ground_weight = float(0.0)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            x = column + dx
            y = row + dy
            if x >= 0 and x < plan.width and y >= 0 and y < plan.height:
                other = y * plan.width + x
                free = 1.0 - film.alpha[other]
                ground = ground + film.shadow[other] * free
                ground_weight = ground_weight + free
                if coverage > 0.0 and (dx != 0 or dy != 0):
                    openness = openness + film.open[other] * likeness(film, pixel, other)
    sky = float(1.0)
    key = float(1.0)
    if openness[2] > 0.0:
        sky = openness[0] / openness[2]
        key = openness[1] / openness[2]
    rgb[pixel] = film.steady[pixel] + film.by_sky[pixel] * sky + film.by_key[pixel] * key
    shadow[pixel] = ground * ((1.0 - coverage) / wp.max(ground_weight, 1.0e-6))
