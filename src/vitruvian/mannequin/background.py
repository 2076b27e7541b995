"""Backgrounds in linear light: white, studio, room, street.

A :class:`Backdrop` is drawn once, for the camera of the full picture, from rays that meet a wall and a floor
of the world; close-ups cut their windows out of the same drawing, so that all views of a scene agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, zoom

from vitruvian.mannequin.camera import Camera
from vitruvian.mannequin.colours import CLOTH_COLOURS, linear_from_hex

KINDS = ("white", "studio", "room", "street")
WHITE = 1.5  # bright enough to stay almost white after the tone curve
MARGIN = 0.15  # the drawing reaches this share of the height over each edge, for close-ups near the edge
# Rows of the drawing without margins: what is smooth or far out of focus needs fewer.
MAX_HEIGHT = {"studio": 128, "room": 320, "street": 128}
Image = np.ndarray


@dataclass(frozen=True)
class Backdrop:
    """A drawn background. ``drawing``: h x w x 3 float32, each cell ``cell`` picture pixels wide."""

    kind: str
    camera: Camera
    drawing: Image
    cell: float
    left: float  # picture position of the drawing's upper left corner
    top: float

    def seen_by(self, camera: Camera) -> Image:
        """H x W x 3 float32 radiance behind a view of the same camera position."""
        scale = self.camera.focal / camera.focal
        x = (np.arange(camera.width) + 0.5 - camera.centre[0]) * scale + self.camera.centre[0]
        y = (np.arange(camera.height) + 0.5 - camera.centre[1]) * scale + self.camera.centre[1]
        column = (x - self.left) / self.cell - 0.5
        row = (y - self.top) / self.cell - 0.5
        return _resample(_resample(self.drawing, row, 0), column, 1)


def _resample(image: Image, positions: np.ndarray, axis: int) -> Image:
    """Linear interpolation along one axis at fractional positions; beyond the ends the edge repeats."""
    last = image.shape[axis] - 1
    p = np.clip(positions, 0, last)
    low = np.minimum(p.astype(int), max(last - 1, 0))
    t = (p - low).astype(np.float32)
    t = t[:, None, None] if axis == 0 else t[None, :, None]
    return image.take(low, axis) * (1 - t) + image.take(np.minimum(low + 1, last), axis) * t


@dataclass(frozen=True)
class World:
    """What the rays of the drawing meet, in metres: h x w each."""

    wall_u: Image  # along the wall
    wall_z: Image  # height on the wall
    floor_u: Image
    floor_v: Image
    is_floor: Image  # bool
    rise: Image  # 0 at the bottom of the picture, 1 at its top

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.wall_u.shape
        return height, width


def draw_backdrop(kind: str, rng: np.random.Generator, camera: Camera) -> Backdrop:
    """Draw a background of one of :data:`KINDS` for the camera of the full picture."""
    if kind == "white":
        drawing = np.full((2, 2, 3), WHITE)
        return Backdrop(kind, camera, drawing.astype(np.float32), camera.height, 0.0, 0.0)
    if kind not in MAX_HEIGHT:
        raise ValueError(f"unknown background {kind!r}: expected one of {', '.join(KINDS)}")
    margin = MARGIN * camera.height
    cell = max(1.0, camera.height / MAX_HEIGHT[kind])
    columns = int(np.ceil((camera.width + 2 * margin) / cell))
    rows = int(np.ceil((camera.height + 2 * margin) / cell))
    y, x = np.mgrid[0:rows, 0:columns] * cell + cell / 2 - margin
    if kind == "studio":
        drawing, blur = _studio(rng, (x / camera.width, y / camera.height)), 0.0
    elif kind == "room":
        drawing, blur = _room(rng, _world(rng, camera, x, y, away=(0.8, 2.5)))
    else:
        drawing, blur = _street(rng, _world(rng, camera, x, y, away=(6.0, 14.0)))
    sigma = blur * camera.height / cell
    if sigma > 0:
        for axis in (0, 1):
            drawing = gaussian_filter1d(drawing, sigma, axis=axis, mode="nearest", truncate=3.0)
    drawing = np.clip(drawing, 0, 1.6).astype(np.float32)
    return Backdrop(kind, camera, drawing, cell, -margin, -margin)


def _world(rng: np.random.Generator, camera: Camera, x: Image, y: Image, *, away: tuple[float, float]) -> World:
    """Meet the floor z = 0 and an upright wall some metres behind the figure, a little oblique."""
    rays = camera.rays(x, y).astype(np.float32)
    tilt = rng.uniform(-0.25, 0.25)
    facing = np.array([camera.forward[0], camera.forward[1], 0.0])
    facing /= np.linalg.norm(facing)
    side = np.array([facing[1], -facing[0], 0.0])
    normal = facing * np.cos(tilt) + side * np.sin(tilt)
    along = np.array([normal[1], -normal[0], 0.0])
    figure = np.linalg.norm(camera.origin[:2])
    wall_distance = float(figure + rng.uniform(*away)) * np.cos(tilt)
    to_wall = wall_distance / np.maximum(rays @ normal, 1e-3)
    to_floor = np.where(rays[..., 2] < -1e-4, -camera.origin[2] / np.minimum(rays[..., 2], -1e-4), 1e9)
    wall = rays * to_wall[..., None] + camera.origin
    floor = rays * np.minimum(to_floor, 60.0)[..., None] + camera.origin
    height = x.shape[0]
    rise = np.broadcast_to(1 - (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height, x.shape)
    return World(
        wall_u=wall @ along,
        wall_z=wall[..., 2],
        floor_u=floor @ side,
        floor_v=floor @ facing,
        is_floor=to_floor < to_wall,
        rise=rise,
    )


# ------------------------------------------------------------------------------------------------- drawings


def _studio(rng: np.random.Generator, position: tuple[Image, Image]) -> Image:
    """A paper roll: one colour, lighter behind the figure, floor and wall without an edge."""
    u, v = position
    colour = _pick(rng, "grey beige sky cream blush mint lavender white charcoal") * 0.8 + 0.12
    radius = np.hypot((u - 0.5) * 0.7, (v - rng.uniform(0.3, 0.5)) * 1.1)
    glow = 1.10 - 0.42 * np.clip(radius, 0, 1) ** 1.5
    floor = 1 + 0.06 * _smoothstep(0.84, 0.95, v)
    return colour * (glow * floor)[..., None]


def _room(rng: np.random.Generator, world: World) -> tuple[Image, float]:
    wall_colour = _pick(rng, "white cream beige grey sky blush mint teal charcoal camel") * 0.85
    wall = _wall(rng, world, wall_colour)
    if rng.random() < 0.6:
        wall = _frames(rng, world, wall)
    skirting = wall_colour * 0.55 + 0.2
    wall = np.where((world.wall_z < rng.uniform(0.07, 0.14))[..., None], skirting, wall)
    floor = _floor(rng, world)
    drawing = np.where(world.is_floor[..., None], floor, wall)
    # light falls off sideways, and the corner of wall and floor is dark
    sideways = 1 + rng.uniform(-0.12, 0.12) * (world.wall_u - world.wall_u.mean())
    corner = 1 - 0.35 * np.exp(-np.abs(world.wall_z) / 0.12) * ~world.is_floor
    shade = (0.78 + 0.30 * world.rise) * np.clip(sideways, 0.6, 1.3) * corner
    return drawing * shade[..., None], rng.uniform(0.003, 0.012)


def _wall(rng: np.random.Generator, world: World, colour: Image) -> Image:
    u, z = world.wall_u, world.wall_z
    mottle = _noise(rng, world.shape, (1 / 6, 1 / 14, 1 / 40))
    plain = colour * (1 + 0.05 * mottle[..., None])
    kind = ("plaster", "plaster", "brick", "panel", "tile")[int(rng.integers(5))]
    if kind == "brick":
        row = np.floor(z / 0.075)
        shifted = (u + 0.11 * (row % 2)) / 0.22
        joint = (_wave(z / 0.075) > 0.86) | (_wave(shifted) > 0.95)
        burnt = _hash(row * 12.9 + np.floor(shifted) * 78.2)
        return np.where(joint[..., None], colour * 0.8 + 0.1, colour * (0.65 + 0.35 * burnt[..., None]))
    if kind == "panel":
        return plain * np.where(_wave(u / 0.30) > 0.95, 0.6, 1.0)[..., None]
    if kind == "tile":
        joint = (_wave(u / 0.2) > 0.95) | (_wave(z / 0.2) > 0.95)
        return plain * np.where(joint, 0.75, 1.0)[..., None]
    return plain


def _frames(rng: np.random.Generator, world: World, wall: Image) -> Image:
    """Pictures, doors, shelves: rectangles with a border."""
    for _ in range(int(rng.integers(1, 4))):
        colour = _pick(rng, "") * rng.uniform(0.4, 1.1)
        border = _pick(rng, "white black brown camel beige") * 0.9
        du = np.abs(world.wall_u - world.wall_u.mean() - rng.uniform(-1.4, 1.4))
        dz = np.abs(world.wall_z - rng.uniform(0.6, 1.9))
        a, b = rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.6)
        wall = np.where(((du < a + 0.03) & (dz < b + 0.03))[..., None], border, wall)
        wall = np.where(((du < a) & (dz < b))[..., None], colour, wall)
    return wall


def _floor(rng: np.random.Generator, world: World) -> Image:
    u, v = world.floor_u, world.floor_v
    colour = _pick(rng, "camel brown grey beige charcoal cream") * 0.8
    kind = rng.random()
    if kind < 0.5:  # boards
        board = np.floor(u / 0.12)
        tint = _hash(board * 37.7 + np.floor(v / 0.9 + board * 0.37) * 11.3)
        return colour * ((0.75 + 0.4 * tint) * np.where(_wave(u / 0.12) > 0.96, 0.6, 1.0))[..., None]
    if kind < 0.65:  # tiles
        joint = (_wave(u / 0.4) > 0.97) | (_wave(v / 0.4) > 0.97)
        return colour * np.where(joint, 0.75, 1.0)[..., None]
    return colour * (1 + 0.12 * _noise(rng, world.shape, (1 / 20, 1 / 60)))[..., None]


def _street(rng: np.random.Generator, world: World) -> tuple[Image, float]:
    u, z = world.wall_u - world.wall_u.mean(), world.wall_z
    sky = _hex(("#a9c6e6", "#d7dde3", "#e7d9c3", "#8fb0d6")[int(rng.integers(4))]) * 1.05
    drawing = sky * (0.85 + 0.25 * world.rise)[..., None]
    for _ in range(int(rng.integers(3, 8))):
        wide, tall = rng.uniform(0.8, 3.5), rng.uniform(1.5, 9.0)
        house = (np.abs(u - rng.uniform(-7, 7)) < wide) & (z < tall)
        colour = _pick(rng, "beige grey brown cream charcoal camel sky") * rng.uniform(0.5, 0.95)
        window = (_wave(u / 0.9) < 0.45) & (_wave(z / 1.2) < 0.55)
        facade = np.where(window[..., None], colour * 0.35 + 0.05, colour)
        drawing = np.where(house[..., None], facade, drawing)
    leaves = _noise(rng, world.shape, (1 / 8, 1 / 20, 1 / 45))
    green = _hex(("#3f5a2c", "#54703a", "#2f4a2a", "#6d7a3a")[int(rng.integers(4))])
    tree = (leaves > rng.uniform(0.0, 0.3)) & (z < rng.uniform(1.5, 6.0)) & (z > 0)
    dapple = 0.6 + 0.7 * rng.random((*world.shape, 1))
    drawing = np.where(tree[..., None], green * dapple, drawing)
    pavement = _hex(("#6d6d6b", "#8a8780", "#5d6b45", "#a39b8a")[int(rng.integers(4))])
    speckle = _noise(rng, world.shape, (1 / 10, 1 / 40, 1 / 90))
    ground = pavement * (0.9 + 0.15 * speckle)[..., None]
    if rng.random() < 0.5:
        slab = (_wave(world.floor_u / 0.8) > 0.97) | (_wave(world.floor_v / 0.8) > 0.97)
        ground = ground * np.where(slab, 0.8, 1.0)[..., None]
    drawing = np.where(world.is_floor[..., None], ground, drawing)
    return _bokeh(rng, drawing), rng.uniform(0.012, 0.03)


def _bokeh(rng: np.random.Generator, drawing: Image) -> Image:
    """Bright discs of lights and leaves out of focus, in the upper half."""
    rows, columns, _ = drawing.shape
    y, x = np.ogrid[0:rows, 0:columns]
    for _ in range(int(rng.integers(0, 14))):
        cy, cx, r = rng.uniform(0, 0.55 * rows), rng.uniform(0, columns), rng.uniform(0.01, 0.03) * rows
        drawing = drawing + ((y - cy) ** 2 + (x - cx) ** 2 < r * r)[..., None] * rng.uniform(0.1, 0.5)
    return drawing


# ---------------------------------------------------------------------------------------------- small tools


def _hex(text: str) -> np.ndarray:
    return np.array(linear_from_hex(text))


def _pick(rng: np.random.Generator, names: str) -> np.ndarray:
    """A named cloth colour, of all if no names are given; linear rgb."""
    choice = names.split() or list(CLOTH_COLOURS)
    return np.asarray(CLOTH_COLOURS[choice[int(rng.integers(len(choice)))]])


def _noise(rng: np.random.Generator, shape: tuple[int, int], sizes: tuple[float, ...]) -> Image:
    """Cloudy noise in -1..1 of several octaves, whose cells have these sizes as shares of the height."""
    height, width = shape
    total, weight = np.zeros(shape, np.float32), np.float32(1)
    for size in sizes:
        cell = max(1, round(size * height))
        coarse = rng.standard_normal((height // cell + 3, width // cell + 3), np.float32)
        total += weight * np.asarray(zoom(coarse, cell, order=1))[:height, :width]
        weight *= np.float32(0.55)
    return total / np.abs(total).max()


def _wave(x: Image) -> Image:
    """Triangle wave of period 1: 1 at whole numbers, 0 between them."""
    return np.abs(x % 1 - 0.5) * 2


def _hash(x: Image) -> Image:
    return np.sin(x) * 43758.5453 % 1


def _smoothstep(low: float, high: float, x: Image) -> Image:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
