"""torch tensors of a pickle: storages, bounds-checked views on them, and the two containers of torch.save."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from vitruvian.checkpoints.foreign.numbers import MOST_DIMENSIONS, NUMPY_GLOBALS, view_bytes
from vitruvian.checkpoints.foreign.pickle_machine import Budget, Global, Options, PickleMachine
from vitruvian.errors import CheckpointError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of a torch file from before 1.6, and of every storage in a .pkl
LEGACY_PROTOCOL = 1001
LARGEST_DIRECTORY = 2 << 20  # bytes; Python's reader makes objects of 15 times its size

_STORAGES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
}  # fmt: skip


@dataclass
class Storage:
    """A flat run of numbers; filled at once, or, in a legacy file, when the raw bytes at its end are reached."""

    dtype: torch.dtype
    numel: int
    flat: Tensor | None = None


def rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    """A view of ``storage``; torch's own function would grow a short storage with whatever lies in memory.

    Raises:
        ValueError: for a view that reaches outside its storage, or repeats elements.
    """
    if not isinstance(storage, Storage) or storage.flat is None:
        raise ValueError("a tensor without numbers")
    if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
        raise ValueError("a tensor without a shape")
    if len(size) > MOST_DIMENSIONS or not all(type(n) is int and n >= 0 for n in (offset, *size, *stride)):
        raise ValueError("a tensor with an impossible shape")
    count = 1
    for side in size:
        count *= side
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True)) if count else 0
    if count > storage.numel or (count and last >= storage.numel):
        raise ValueError(f"a tensor of {count} elements on a storage of {storage.numel}")
    return torch.as_strided(storage.flat, size, stride, offset) if count else storage.flat.new_empty(size)


def rebuild_parameter(tensor: Any, *_: Any) -> Tensor:
    """A parameter is its tensor."""
    if not isinstance(tensor, Tensor):
        raise ValueError("a parameter without a tensor")
    return tensor


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    if pairs == ():
        return {}
    if not isinstance(pairs, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise ValueError("an ordered dictionary that is none")
    if not all(isinstance(key, str | int) for key, _ in pairs):
        raise ValueError("a key that is neither text nor number")
    return dict(map(tuple, pairs))


def _set(items: Any = ()) -> set[Any]:
    if not isinstance(items, list | tuple) or not all(isinstance(item, str | int) for item in items):
        raise ValueError("a set of other than texts")
    return set(items)


def _size(sides: Any) -> tuple[int, ...]:
    if not isinstance(sides, list | tuple):
        raise ValueError("a size that is none")
    return tuple(sides)


def _options(*_: Any) -> Options:
    return Options()


STORAGE_GLOBALS: dict[str, Global] = {f"torch.{name}": Global(name) for name in _STORAGES}

TENSOR_GLOBALS: dict[str, Global] = {
    **STORAGE_GLOBALS,
    **NUMPY_GLOBALS,
    "torch._utils._rebuild_tensor_v2": Global("tensor", rebuild_tensor),
    "torch._utils._rebuild_parameter": Global("parameter", rebuild_parameter),
    "torch.Size": Global("size", _size),
    "collections.OrderedDict": Global("OrderedDict", _ordered),
    "builtins.set": Global("set", _set),
    "__builtin__.set": Global("set", _set),
    "dnnlib.util.EasyDict": Global("EasyDict", _options),
    "argparse.Namespace": Global("Namespace", _options),
}
"""Everything that files of tensors, options and numbers may name."""


def _identity(identity: Any) -> tuple[torch.dtype, str, int]:
    """Type, key and number of elements of the persistent id ``("storage", class, key, place, numel[, view])``."""
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise ValueError("it refers to data of unknown kind")
    _, kind, key, _, numel, *view = identity
    if not isinstance(kind, Global) or kind.name not in _STORAGES or not isinstance(key, str):
        raise ValueError("it refers to a storage of unknown type")
    if type(numel) is not int or numel < 0 or view not in ([], [None]):
        raise ValueError("it refers to a storage of unknown size")
    return _STORAGES[kind.name], key, numel


def read_zip(path: Path, known: Mapping[str, Global]) -> Any:
    """The object of a torch file since 1.6: a zip archive of stored, never compressed, members.

    Raises:
        CheckpointError: for a damaged archive, members larger than the file, or a refused pickle.
    """
    try:
        if _directory_size(path) > LARGEST_DIRECTORY:
            raise ValueError("far too many members")
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive, path, known)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path}: not a readable torch file ({reason}); it is damaged: fetch it again") from error


def _directory_size(path: Path) -> int:
    """Length of a zip archive's directory, from the records at its very end."""
    with path.open("rb") as file:
        file.seek(-min(98, path.stat().st_size), io.SEEK_END)
        tail = file.read()
    if tail[-22:-18] != b"PK\x05\x06":
        raise ValueError("the archive has no end")
    if tail[-42:-38] == b"PK\x06\x07":  # torch always writes the records for large archives as well
        return int.from_bytes(tail[-58:-50], "little")
    return int.from_bytes(tail[-10:-6], "little")


def _read_archive(archive: zipfile.ZipFile, path: Path, known: Mapping[str, Global]) -> Any:
    members = {entry.filename: entry for entry in archive.infolist()}
    claimed = sum(entry.file_size for entry in archive.infolist())
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in members.values()):
        raise ValueError("a compressed member, which torch never writes")
    if claimed > path.stat().st_size:
        raise ValueError(f"its members claim {claimed} bytes, more than the file has")
    roots = [name.removesuffix("/data.pkl") for name in members if name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise ValueError(f"{len(roots)} members called data.pkl, expected one")
    [root] = roots
    if f"{root}/byteorder" in members and archive.read(f"{root}/byteorder") != b"little":
        raise ValueError("numbers of foreign byte order")
    storages: dict[str, Storage] = {}

    def persistent(identity: Any) -> Storage:
        dtype, key, numel = _identity(identity)
        name = f"{root}/data/{key}"
        if name not in storages:
            if name not in members or members[name].file_size != numel * dtype.itemsize:
                raise ValueError(f"the storage {key[:40]!r} is missing or not of {numel} elements")
            storages[name] = Storage(dtype, numel, view_bytes(archive.read(name), dtype))
        if storages[name].dtype != dtype:
            raise ValueError(f"the storage {key[:40]!r} has two types")
        return storages[name]

    machine = PickleMachine(str(path), known, persistent)
    return machine.load(archive.read(f"{root}/data.pkl"))


def read_legacy(stream: BinaryIO, *, owner: str, known: Mapping[str, Global], budget: Budget) -> Any:
    """The object of a torch file from before 1.6, which is also the form of each storage inside a plain pickle.

    Five pickles (magic number, protocol, machine, object, keys), then for each key a count and raw numbers.

    Raises:
        CheckpointError, ValueError: for anything else.
    """
    machine = PickleMachine(owner, {}, None, budget)
    if machine.load(stream) != LEGACY_MAGIC or machine.load(stream) != LEGACY_PROTOCOL:
        raise ValueError("a torch file of unknown version")
    facts = machine.load(stream)
    if not isinstance(facts, dict) or facts.get("little_endian") is not True:
        raise ValueError("numbers of foreign byte order")
    start = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(start)
    storages: dict[str, Storage] = {}
    # The object comes before its numbers: run its pickle once to learn the storages, and again over the filled ones.
    PickleMachine(owner, {**known, **_DEFERRED}, _collector(storages), budget).load(stream)
    keys = machine.load(stream)
    if not isinstance(keys, list) or any(not isinstance(key, str) or key not in storages for key in keys):
        raise ValueError("a torch file with unknown storages")
    if set(keys) != set(storages) or len(keys) != len(storages):
        raise ValueError("a torch file without some of its storages")
    for key in keys:
        storage = storages[key]
        count = int.from_bytes(stream.read(8), "little", signed=True)
        length = storage.numel * storage.dtype.itemsize
        if count != storage.numel or length > size - stream.tell():
            raise ValueError(f"a storage that claims {count} elements")
        storage.flat = view_bytes(stream.read(length), storage.dtype)
    stream.seek(start)
    return PickleMachine(owner, known, _collector(storages), budget).load(stream)


def _collector(storages: dict[str, Storage]) -> Any:
    def persistent(identity: Any) -> Storage:
        dtype, key, numel = _identity(identity)
        storage = storages.setdefault(key, Storage(dtype, numel))
        if storage.dtype != dtype or storage.numel != numel:
            raise ValueError(f"the storage {key[:40]!r} has two descriptions")
        return storage

    return persistent


_DEFERRED = {
    "torch._utils._rebuild_tensor_v2": Global("tensor", lambda *_: None),
    "torch._utils._rebuild_parameter": Global("parameter", lambda *_: None),
}
