from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 random pictures of 16x8 in a folder."""
    folder = tmp_path_factory.mktemp("tiny")
    random = np.random.default_rng(0)
    for index in range(24):
        Image.fromarray(random.integers(0, 255, (16, 8, 3), dtype=np.uint8)).save(folder / f"{index:03d}.png")
    return folder
