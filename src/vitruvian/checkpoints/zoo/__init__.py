"""The embedded networks: small, licence-clean, shipped in the package, so that every command works offline."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

WEIGHTS = "weights"


def embedded() -> dict[str, Path]:
    """Name of every embedded network to its file."""
    folder = Path(str(files(__name__))) / WEIGHTS
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
