"""Drawing pieces: upload them once as a :class:`Scene`, then render it from any camera in any light.

Needs the extra ``mannequin`` (warp). The kernels are compiled at the first use, which takes some seconds, and
kept on disk by warp. On a CPU everything runs on the calling thread: use one process for each core.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vitruvian.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vitruvian.mannequin.camera import Camera
    from vitruvian.mannequin.light import Light
    from vitruvian.mannequin.materials import MaterialTable
    from vitruvian.mannequin.mesh import Piece


@dataclass(frozen=True)
class Quality:
    """How many rays. ``grid`` x ``grid`` sub-samples a pixel; one in ``open_stride`` of them looks at sky and
    key light by so many rays, and what they find is shared by neighbouring pixels."""

    grid: int = 2
    open_stride: int = 1
    occlusion_rays: int = 1
    shadow_rays: int = 1
    ground_rays: int = 1


QUALITIES = {
    "fast": Quality(grid=1, occlusion_rays=2, shadow_rays=1, ground_rays=1),
    "good": Quality(grid=2, open_stride=2, occlusion_rays=1, shadow_rays=1, ground_rays=1),
    "better": Quality(grid=2, occlusion_rays=3, shadow_rays=1, ground_rays=2),
    "fine": Quality(grid=3, occlusion_rays=4, shadow_rays=2, ground_rays=3),
}


@dataclass(frozen=True)
class Channels:
    """What the renderer sees, all H x W."""

    rgb: np.ndarray  # x 3 float32, linear, multiplied by alpha
    alpha: np.ndarray  # float32, 0..1
    semantic: np.ndarray  # uint8, labels.Semantic; the class with most sub-samples
    shadow: np.ndarray  # x 2 float32, share of key light and of sky taken from the ground
    depth: np.ndarray  # float32, metres from the camera along the ray; 0 where nothing is
    template: np.ndarray  # x 3 float32, template coordinates; 0 where nothing is
    slot: np.ndarray  # int8, materials.Slot; -1 where nothing is


@functools.cache
def _warp() -> tuple[Any, Any]:
    """The modules ``warp`` and ``kernels``."""
    try:
        import warp  # pyright: ignore[reportMissingImports] - optional
    except ImportError:
        raise MissingExtraError("rendering synthetic people", "mannequin") from None
    warp.config.quiet = True  # pyright: ignore[reportAttributeAccessIssue] - up to warp 1.18; then log_level
    warp.config.log_level = 40
    from vitruvian.mannequin import kernels

    return warp, kernels


class Scene:
    """Pieces on the device, with the tree that rays descend.

    pieces: visible meshes; at most one of them has mask coordinates (``uv``). masks: R x R x 4 float32.
    """

    def __init__(
        self, pieces: Sequence[Piece], materials: MaterialTable, masks: np.ndarray, *, device: str = "cpu"
    ) -> None:
        warp, kernels = _warp()
        self._device = device
        pieces = _in_order(pieces)
        counts = [len(p.triangles) for p in pieces]
        starts = np.cumsum([0, *(len(p.vertices) for p in pieces)])
        triangles = np.concatenate([p.triangles + start for p, start in zip(pieces, starts, strict=False)])
        has_masks = pieces[0].uv is not None
        uv = pieces[0].uv if pieces[0].uv is not None else np.zeros((1, 2))

        data = kernels.SceneData()
        data.corners = self._upload(triangles.reshape(-1), warp.int32)
        data.slots = self._upload(np.repeat([int(p.slot) for p in pieces], counts), warp.int32)
        data.place = self._upload(np.concatenate([p.template for p in pieces]), warp.vec3)
        data.charts = self._upload(np.concatenate([p.chart for p in pieces]), warp.vec4)
        data.uv = self._upload(uv.reshape(-1, 2), warp.vec2)
        data.skin_triangles = counts[0] if has_masks else 0
        data.materials = self._upload(materials.rows, warp.float32)
        data.masks = self._upload(masks, warp.vec4)
        data.normals = self._upload(np.concatenate([p.normals for p in pieces]), warp.vec3)
        data.tangents = self._upload(_tangents(pieces), warp.vec3)
        points = self._upload(np.concatenate([p.vertices for p in pieces]), warp.vec3)
        self._mesh = warp.Mesh(points, data.corners)
        data.mesh = self._mesh.id
        self._data = data

    @property
    def triangle_count(self) -> int:
        """Triangles of all pieces."""
        return len(self._data.corners) // 3

    def move(self, pieces: Sequence[Piece]) -> None:
        """The same pieces in another pose. The tree keeps its shape, a tenth of the work of a new one;
        rays find the same surfaces either way."""
        warp, _ = _warp()
        pieces = _in_order(pieces)
        self._data.normals = self._upload(np.concatenate([p.normals for p in pieces]), warp.vec3)
        self._data.tangents = self._upload(_tangents(pieces), warp.vec3)
        # assigning points refits the tree
        self._mesh.points = self._upload(np.concatenate([p.vertices for p in pieces]), warp.vec3)

    def _upload(self, values: np.ndarray, dtype: Any) -> Any:
        warp, _ = _warp()
        plain = np.int32 if dtype is warp.int32 else np.float32
        return warp.array(np.ascontiguousarray(values, plain), dtype=dtype, device=self._device)

    def render(
        self,
        camera: Camera,
        light: Light,
        *,
        quality: Quality,
        seed: int,
        ground: tuple[float, float] | None = (0.0, 0.0),
    ) -> Channels:
        """Draw one view. ground: x, y of the figure on the floor z = 0, or None for no shadow there."""
        warp, kernels = _warp()
        height, width = camera.height, camera.width
        count = height * width
        plan = _sampling(kernels, quality, camera, seed, ground)
        film = _film(warp, kernels, count, self._device)
        rgb = warp.empty(count, dtype=warp.vec3, device=self._device)
        shadow = warp.empty(count, dtype=warp.vec2, device=self._device)
        looks = [self._data, _camera_data(kernels, camera), _light_data(kernels, light), plan]
        warp.launch(kernels.cast, dim=count, inputs=looks, outputs=[film], device=self._device)
        warp.launch(kernels.gather, dim=count, inputs=[plan, film], outputs=[rgb, shadow], device=self._device)
        depth = film.position.numpy().reshape(height, width, 4)[..., 3]
        place = film.place.numpy().reshape(height, width, 4)
        return Channels(
            rgb=rgb.numpy().reshape(height, width, 3),
            alpha=film.alpha.numpy().reshape(height, width),
            semantic=film.semantic.numpy().reshape(height, width).astype(np.uint8),
            shadow=shadow.numpy().reshape(height, width, 2),
            depth=depth,
            template=place[..., :3],
            slot=np.where(depth > 0, place[..., 3], -1).astype(np.int8),
        )


def _in_order(pieces: Sequence[Piece]) -> list[Piece]:
    """Skin first: the kernel keeps mask coordinates of the first triangles only."""
    return sorted((p for p in pieces if len(p.triangles)), key=lambda p: p.uv is None)


def _tangents(pieces: Sequence[Piece]) -> np.ndarray:
    return np.concatenate([p.tangents if p.tangents is not None else np.zeros_like(p.vertices) for p in pieces])


def _film(warp: Any, kernels: Any, count: int, device: str) -> Any:
    film = kernels.Film()
    kinds = {
        "alpha": warp.float32,
        "semantic": warp.int32,
        "steady": warp.vec3,
        "by_sky": warp.vec3,
        "by_key": warp.vec3,
        "open": warp.vec3,
        "shadow": warp.vec2,
        "position": warp.vec4,
        "normal": warp.vec3,
        "place": warp.vec4,
    }
    for name, kind in kinds.items():
        setattr(film, name, warp.zeros(count, dtype=kind, device=device))
    film.votes = warp.zeros((count, kernels.SEMANTIC_CLASSES), dtype=warp.uint8, device=device)
    return film


def _camera_data(kernels: Any, camera: Camera) -> Any:
    data = kernels.CameraData()
    data.origin, data.right = _vec(camera.origin), _vec(camera.right)
    data.up, data.forward = _vec(camera.up), _vec(camera.forward)
    data.focal = float(camera.focal)
    data.cx, data.cy = (float(c) for c in camera.centre)
    return data


def _light_data(kernels: Any, light: Light) -> Any:
    data = kernels.LightData()
    data.direction, data.fill_direction = _unit(light.direction), _unit(light.fill_direction)
    data.key, data.sky = _vec(light.key), _vec(light.sky)
    data.ground, data.fill = _vec(light.ground), _vec(light.fill)
    data.softness, data.reach = float(light.softness), float(light.reach)
    return data


def _sampling(kernels: Any, quality: Quality, camera: Camera, seed: int, ground: tuple[float, float] | None) -> Any:
    data = kernels.Sampling()
    data.width, data.height = camera.width, camera.height
    data.grid = quality.grid
    data.open_stride = quality.open_stride
    data.occlusion_rays = quality.occlusion_rays
    data.shadow_rays = quality.shadow_rays
    data.ground_rays = quality.ground_rays
    data.ground_x, data.ground_y = (float(c) for c in ground or (0.0, 0.0))
    data.ground_radius = 2.2 if ground is not None else 0.0
    data.seed = seed & 0x7FFFFFFF
    return data


def _vec(values: Any) -> Any:
    x, y, z = (float(v) for v in values)
    return _warp()[0].vec3(x, y, z)


def _unit(values: Any) -> Any:
    return _vec(np.asarray(values, np.float64) / np.linalg.norm(values))
