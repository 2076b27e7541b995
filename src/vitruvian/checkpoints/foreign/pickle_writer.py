"""Pickles of plain data, and calls of named functions on it, without having those functions.

Python's pickler imports every function that it names; the official packages that our files are for are not here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PROTOCOL = 3  # read by Python 3.0 and later, and by every torch
LARGEST_SHORT = 2**31


@dataclass(frozen=True)
class Name:
    """A global, as ``module`` and ``attribute``."""

    module: str
    attribute: str


@dataclass(frozen=True)
class Call:
    """What calling ``function`` with ``arguments`` gives, with ``state`` set on it afterwards if there is one."""

    function: Name
    arguments: tuple[Any, ...] = ()
    state: Any = None


@dataclass(frozen=True)
class Reference:
    """A persistent id: something that lies outside the pickle."""

    identity: tuple[Any, ...]


@dataclass
class _Texts:
    """Places of texts and names already written: source text repeats for every module."""

    places: dict[Any, int] = field(default_factory=dict)


def write_pickle(value: Any) -> bytes:
    """The pickle of nested dict, list, tuple, set, str, bytes, int, float, bool, None, Name, Call and Reference.

    Raises:
        TypeError: for anything else.
    """
    return b"".join([b"\x80", bytes([PROTOCOL]), *_encode(value, _Texts()), b"."])


def _encode(value: Any, texts: _Texts) -> Iterator[bytes]:
    match value:
        case None:
            yield b"N"
        case True | False:
            yield b"\x88" if value else b"\x89"
        case int():
            yield _integer(value)
        case float():
            yield b"G" + struct.pack(">d", value)
        case str() | Name():
            yield from _once(value, texts)
        case bytes():
            yield b"B" + struct.pack("<I", len(value)) + value
        case list():
            yield b"]("
            for item in value:
                yield from _encode(item, texts)
            yield b"e"
        case tuple():
            yield b"("
            for item in value:
                yield from _encode(item, texts)
            yield b"t"
        case set():
            yield from _encode(Call(Name("builtins", "set"), (sorted(value),)), texts)
        case Mapping():
            yield b"}("
            for key, item in value.items():
                yield from _encode(key, texts)
                yield from _encode(item, texts)
            yield b"u"
        case Call():
            yield from _encode(value.function, texts)
            yield from _encode(value.arguments, texts)
            yield b"R"
            if value.state is not None:
                yield from _encode(value.state, texts)
                yield b"b"
        case Reference():
            yield from _encode(value.identity, texts)
            yield b"Q"
        case _:
            raise TypeError(f"a {type(value).__name__} has no place in a pickle of plain data")


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -LARGEST_SHORT <= value < LARGEST_SHORT:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def _once(value: str | Name, texts: _Texts) -> Iterator[bytes]:
    if value in texts.places:
        yield b"j" + struct.pack("<I", texts.places[value])
        return
    if isinstance(value, str):
        raw = value.encode()
        yield b"X" + struct.pack("<I", len(raw)) + raw
    else:
        yield f"c{value.module}\n{value.attribute}\n".encode()
    texts.places[value] = len(texts.places)
    yield b"r" + struct.pack("<I", texts.places[value])
