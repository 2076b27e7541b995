"""Ground of the kernels: the structs they pass around and small functions, in the language of warp.

Traps of that language: a variable keeps its first type; a variable changed in a loop of unknown length must
start as ``float(0.0)`` or ``int(0)``; an argument must be copied before it is changed; annotations must be
real objects, so the kernel files do not postpone their evaluation.

Vectors are world metres, except ``place``, the position on the template body (the obvious name for it is a
keyword of C++). Colours are linear RGB.
"""

# The types of the kernel language are calls, and warp is optional.
# pyright: reportInvalidTypeForm=false, reportMissingImports=false
import warp as wp

NOISE_STATE = wp.constant(77)
TWO_PI = wp.constant(6.2831853)


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
    height: int
    grid: int  # sub-samples along each side of a pixel
    open_stride: int  # one in so many sub-samples casts the rays below
    occlusion_rays: int
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


@wp.struct
class Reflection:
    """Light towards the camera: in any case, by the open sky, by the free key light."""

    steady: wp.vec3
    by_sky: wp.vec3
    by_key: wp.vec3


@wp.struct
class Film:
    """What the first pass leaves for each pixel; means over the sub-samples unless said otherwise."""

    alpha: wp.array(dtype=float)
    semantic: wp.array(dtype=wp.int32)  # the class of most sub-samples
    votes: wp.array2d(dtype=wp.uint8)
    steady: wp.array(dtype=wp.vec3)
    by_sky: wp.array(dtype=wp.vec3)
    by_key: wp.array(dtype=wp.vec3)
    open: wp.array(dtype=wp.vec3)  # sums over sub-samples: open sky, free key light, how many looked
    shadow: wp.array(dtype=wp.vec2)  # on the ground, of one sub-sample
    position: wp.array(dtype=wp.vec4)  # of the sub-sample nearest to the centre; then its distance
    normal: wp.array(dtype=wp.vec3)
    place: wp.array(dtype=wp.vec4)  # and the slot


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
