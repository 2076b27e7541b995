"""Picture tensors and picture files.

Tensors are float ``N x 3 x H x W`` in [-1, 1], RGB; arrays are uint8 ``H x W x 3``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from vitruvian.files import replacing


def to_uint8(pictures: Tensor) -> np.ndarray:
    """``N x C x H x W`` in [-1, 1] to uint8 ``N x H x W x C``, by the official formula ``clip(x 127.5 + 128)``.

    It truncates after adding 128, which is half a level brighter than rounding; kept so that equal codes give the
    pictures of the official scripts.
    """
    levels = (pictures * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).cpu().numpy()


def from_uint8(pictures: np.ndarray | Tensor) -> Tensor:
    """uint8 ``N x C x H x W`` to float32 in [-1, 1]: ``x / 127.5 - 1``."""
    return torch.as_tensor(pictures).to(torch.float32) / 127.5 - 1


def grid_shape(count: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns that show ``count`` pictures of that size in a sheet about 16:9, with few empty cells."""
    ideal = max(1, min(count, round(math.sqrt(count * height * 16 / (width * 9)))))
    nearby = range(max(1, ideal - 2), min(count, ideal + 2) + 1)
    columns = min(nearby, key=lambda n: (-count % n, abs(n - ideal)))
    return math.ceil(count / columns), columns


def tile(pictures: np.ndarray, columns: int) -> np.ndarray:
    """uint8 ``N x H x W x C`` to one picture, row by row without gaps; missing cells are white."""
    count, height, width, channels = pictures.shape
    rows = math.ceil(count / columns)
    cells = np.full((rows * columns, height, width, channels), 255, np.uint8)
    cells[:count] = pictures
    sheet = cells.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return sheet.reshape(rows * height, columns * width, channels)


def save_png(pixels: np.ndarray, path: str | Path, *, text: Mapping[str, str] | None = None, xmp: str = "") -> None:
    """Write uint8 ``H x W x 3`` (or ``H x W x 1``) with text entries and an XMP packet, whole or not at all."""
    info = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        info.add_text(key, value)
    if xmp:
        info.add_itxt("XML:com.adobe.xmp", xmp)
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    with replacing(path) as temporary:
        picture.save(temporary, format="PNG", pnginfo=info)
