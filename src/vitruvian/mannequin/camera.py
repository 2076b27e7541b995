"""A perspective camera, the framing of a whole figure, and close-ups of the same view.

Pixel positions are (x, y), x to the right, y down, and the centre of the first pixel is (.5, .5).
A close-up is not another camera position: it is the same camera with a longer focal length and a shifted
principal point, so its picture is an exact enlargement of a window of the full picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

CLOSE_UP_HEIGHTS = {  # window height as a share of the height of the full picture
    "face": 80 / 512,
    "upper": 210 / 512,
    "hand": 64 / 512,
    "shoes": 90 / 512,
}


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture in its pixels; may reach over the edge."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Camera:
    """Where the camera stands (metres), its axes (unit), focal length and principal point (pixels)."""

    origin: np.ndarray
    right: np.ndarray
    up: np.ndarray
    forward: np.ndarray
    focal: float
    centre: tuple[float, float]
    height: int
    width: int

    def project(self, points: np.ndarray) -> np.ndarray:
        """N x 3 world points -> N x 2 pixel positions."""
        offset = np.asarray(points, np.float64) - self.origin
        scale = self.focal / (offset @ self.forward)
        return np.stack([self.centre[0] + offset @ self.right * scale, self.centre[1] - offset @ self.up * scale], -1)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """N x 3 world points -> N distances in metres, along the ray as in the depth map."""
        return np.linalg.norm(np.asarray(points, np.float64) - self.origin, axis=-1)

    def rays(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Directions (... x 3, unit length along ``forward``) through pixel positions."""
        u = (np.asarray(x) - self.centre[0]) / self.focal
        v = (self.centre[1] - np.asarray(y)) / self.focal
        return self.forward + u[..., None] * self.right + v[..., None] * self.up

    def view(self, window: Window, height: int, width: int) -> Camera:
        """The same view, showing only ``window`` on ``height`` x ``width`` pixels of the same shape."""
        scale = height / window.height
        centre = ((self.centre[0] - window.left) * scale, (self.centre[1] - window.top) * scale)
        return replace(self, focal=self.focal * scale, centre=centre, height=height, width=width)

    def record(self) -> dict[str, object]:
        """The camera as plain numbers."""
        return {
            "origin": [float(c) for c in self.origin],
            "right": [float(c) for c in self.right],
            "up": [float(c) for c in self.up],
            "forward": [float(c) for c in self.forward],
            "focal": float(self.focal),
            "centre": [float(c) for c in self.centre],
            "height": self.height,
            "width": self.width,
        }


def look_at(origin: np.ndarray, target: np.ndarray, *, focal: float, height: int, width: int) -> Camera:
    """A level camera at ``origin`` whose picture centre shows ``target``."""
    forward = np.asarray(target, np.float64) - origin
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return Camera(
        origin=np.asarray(origin, np.float64),
        right=right,
        up=np.cross(right, forward),
        forward=forward,
        focal=focal,
        centre=(width / 2, height / 2),
        height=height,
        width=width,
    )


def frame(
    points: np.ndarray,
    *,
    yaw: float,
    height: int,
    width: int,
    fill: float = 0.92,
    distance: float = 4.5,
    eye_level: float = 0.52,
) -> Camera:
    """A camera that shows the whole figure, centred.

    points: N x 3, the figure's vertices including shoes and hair (framing by stature would cut the feet of
    walking figures). yaw: degrees the person is turned to the camera's right. fill: share of the picture's
    height (or, if that binds first, a little more of its width) that the outline fills. distance: metres.
    eye_level: height of the camera as a share of the figure's height.
    """
    top = float(points[:, 2].max())
    middle = points[:, :2].mean(0)
    target = np.array([middle[0], middle[1], top / 2])
    angle = np.radians(yaw)
    away = np.array([np.sin(angle) * distance, -np.cos(angle) * distance, top * (eye_level - 0.5)])
    camera = look_at(target + away, target, focal=height * fill * distance / top, height=height, width=width)
    outline = camera.project(points)
    low, high = outline.min(0), outline.max(0)
    scale = min(height * fill / (high[1] - low[1]), width * 0.94 / (high[0] - low[0]))
    shift = (low + high) / 2
    centre = (
        (camera.centre[0] - shift[0]) * scale + width / 2,
        (camera.centre[1] - shift[1]) * scale + height / 2,
    )
    return replace(camera, focal=camera.focal * scale, centre=centre)


def window_around(
    camera: Camera, kind: str, points: np.ndarray, *, shape: tuple[int, int] = (1, 1), fit: bool = False
) -> Window:
    """The window of a close-up.

    kind: key of :data:`CLOSE_UP_HEIGHTS`. points: N x 3 world points whose outline the window is centred on;
    with ``fit`` it also grows until it holds them all. shape: height and width of the close-up's picture,
    whose proportions the window takes.
    """
    outline = camera.project(points)
    low, high = outline.min(0), outline.max(0)
    proportion = shape[1] / shape[0]
    height = CLOSE_UP_HEIGHTS[kind] * camera.height
    if fit:
        wide, tall = 1.12 * (high - low)
        height = max(height, float(tall), float(wide) / proportion)
    width = height * proportion
    centre = (low + high) / 2
    return Window(float(centre[0] - width / 2), float(centre[1] - height / 2), width, height)
