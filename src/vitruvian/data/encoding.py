"""From pixels and arrays to bytes that are the same in every run."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: no clock in the files
_FILE_MODE = 0o644 << 16
_UNIX = 3


def encode_png(pixels: np.ndarray, *, compress_level: int = 1) -> bytes:
    """Encode uint8 H x W x 3 RGB; level 1: a fifth larger than 6 on noisy pictures, a third of its time."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()


def encode_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Encode named arrays as a compressed ``.npz``; like :func:`numpy.savez_compressed`, without a clock."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = zip_member(f"{name}.npy", zipfile.ZIP_DEFLATED)
            with archive.open(member, "w") as stream:
                np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def zip_member(name: str, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    """A zip entry that depends on nothing but its name."""
    member = zipfile.ZipInfo(name, _ZIP_EPOCH)
    member.compress_type = compression
    member.external_attr = _FILE_MODE
    member.create_system = _UNIX
    return member


def to_json(value: Any) -> str:
    """One line of JSON; numpy numbers and arrays are written as numbers and lists."""
    return json.dumps(value, default=_plain, separators=(", ", ": "), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
