"""numpy arrays and scalars of a pickle, as tensors and Python numbers."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vitruvian.checkpoints.foreign.pickle_machine import Buildable, Global

MOST_DIMENSIONS = 8

_NUMPY_TYPES = {
    "f2": torch.float16, "f4": torch.float32, "f8": torch.float64, "b1": torch.bool,
    "i1": torch.int8, "i2": torch.int16, "i4": torch.int32, "i8": torch.int64,
    "u1": torch.uint8, "u2": torch.uint16, "u4": torch.uint32, "u8": torch.uint64,
}  # fmt: skip


def view_bytes(data: bytes | bytearray | memoryview, dtype: torch.dtype) -> Tensor:
    """A flat tensor over ``data`` without a copy; not to be written to.

    Raises:
        ValueError: if the length is not a whole number of elements.
    """
    size = memoryview(data).nbytes
    if size % dtype.itemsize:
        raise ValueError(f"{size} bytes are no whole number of {dtype} elements")
    if size == 0:
        return torch.empty(0, dtype=dtype)
    with warnings.catch_warnings():  # torch warns that the buffer is read-only, which is what we want
        warnings.simplefilter("ignore", UserWarning)
        return torch.frombuffer(data, dtype=dtype)


def checked_shape(shape: Any, numel: int) -> tuple[int, ...]:
    """``shape`` if it is one and holds exactly ``numel`` elements."""
    if not isinstance(shape, tuple) or len(shape) > MOST_DIMENSIONS:
        raise ValueError("a shape that is none")
    if not all(type(side) is int and 0 <= side <= max(numel, 1) for side in shape) or math.prod(shape) != numel:
        raise ValueError(f"a shape that does not fit {numel} elements")
    return shape


@dataclass
class _Dtype(Buildable):
    """``numpy.dtype``: plain numbers of the machine's byte order alone."""

    code: str

    def build(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", "|", "="):
            raise ValueError("numbers of foreign byte order")

    @property
    def torch(self) -> torch.dtype:
        return _NUMPY_TYPES[self.code]


class ArrayStub(Buildable):
    """``numpy.ndarray`` between its making and its state."""

    tensor: Tensor | None = None

    def build(self, state: Any) -> None:
        _, shape, dtype, is_fortran, data = state
        self.tensor = _array(data, dtype, shape, is_fortran=bool(is_fortran))


def as_tensor(value: Any) -> Tensor | None:
    """The tensor of an array from a pickle, or None for anything else."""
    if isinstance(value, ArrayStub):
        return value.tensor
    return value if isinstance(value, Tensor) else None


def _make_dtype(code: Any, *_: Any) -> _Dtype:
    if isinstance(code, str):
        code = code.lstrip("<=|")
    if code not in _NUMPY_TYPES:
        raise ValueError(f"an array of {str(code)[:20]!r}, expected plain numbers")
    return _Dtype(code)


def _bytes(data: Any) -> bytes | bytearray:
    if isinstance(data, str):  # Python 2 wrote bytes as text
        return data.encode("latin-1")
    if not isinstance(data, bytes | bytearray):
        raise ValueError("an array without bytes")
    return data


def _array(data: Any, dtype: Any, shape: Any, *, is_fortran: bool) -> Tensor:
    if not isinstance(dtype, _Dtype):
        raise ValueError("an array without a type")
    flat = view_bytes(_bytes(data), dtype.torch)
    shape = checked_shape(shape, flat.numel())
    return flat.reshape(shape[::-1]).permute(*reversed(range(len(shape)))) if is_fortran else flat.reshape(shape)


def _scalar(dtype: Any, data: Any) -> int | float | bool:
    return _array(data, dtype, (), is_fortran=False).item()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> Tensor:
    return _array(data, dtype, shape, is_fortran=order == "F")


def _empty_array(*_: Any) -> ArrayStub:
    return ArrayStub()


def _encode(text: Any, encoding: Any) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("text encoded as other than latin1")
    return text.encode("latin-1")


def _numpy_globals() -> dict[str, Global]:
    table = {"numpy.dtype": Global("numpy.dtype", _make_dtype), "numpy.ndarray": Global("numpy.ndarray")}
    for core in ("numpy.core", "numpy._core"):  # spelled with the underscore since numpy 2
        table[f"{core}.multiarray.scalar"] = Global("numpy scalar", _scalar)
        table[f"{core}.multiarray._reconstruct"] = Global("numpy array", _empty_array)
        table[f"{core}.numeric._frombuffer"] = Global("numpy array", _from_buffer)
    return table


NUMPY_GLOBALS: dict[str, Global] = {**_numpy_globals(), "_codecs.encode": Global("_codecs.encode", _encode)}
