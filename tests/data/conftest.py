"""Small picture sets on disk, and the reference's own numbers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import golden_path

MakeSet = Callable[..., Path]


def golden_cases(section: str) -> list[dict[str, Any]]:
    """Cases of the reference; the small copy holds the same ones as the full file for these sections."""
    return json.loads(golden_path("training/datasets.json").read_text())[section]


def noise(seed: int, height: int = 8, width: int = 4) -> np.ndarray:
    """uint8 H x W x 3 that no other seed repeats."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encoded(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _write(path: Path, files: Mapping[str, bytes]) -> Path:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        for name, data in files.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    return path


@pytest.fixture(params=["set", "set.zip"])
def make_set(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSet:
    """Write files, given as name -> bytes or pixels, as a folder and as a zip."""

    def make(files: Mapping[str, Any], labels: Any = ..., name: str = request.param) -> Path:
        written = {key: v if isinstance(v, bytes) else encoded(v) for key, v in files.items()}
        if labels is not ...:
            written["dataset.json"] = json.dumps({"labels": labels}).encode()
        return _write(tmp_path / name, written)

    return make
