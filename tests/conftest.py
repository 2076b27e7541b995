"""Fixtures shared by all rooms."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def golden_path(relative: str) -> Path:
    """The full golden set when ``VITRUVIAN_GOLDEN`` names it, the small copy beside the tests otherwise."""
    full = os.environ.get("VITRUVIAN_GOLDEN")
    if full and (Path(full) / relative).exists():
        return Path(full) / relative
    return HERE / "golden" / relative


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not torch.cuda.is_available():
        skip = pytest.mark.skip(reason="needs a CUDA device")
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(skip)
