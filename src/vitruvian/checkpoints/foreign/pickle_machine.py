"""A pickle interpreter that can only build data.

Python's own unpickler is a machine for calling functions; restricting it leaves its memory to the file (a few bytes can
ask for gigabytes). This one decodes opcodes with the table of :mod:`pickletools` and knows no functions but those in a
table of :class:`Global` values given by the caller. It stops at a name outside the table, at opcodes that network files
never use, and at a budget of memory.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

from vitruvian.errors import CheckpointError

MEMORY_BUDGET = 40 << 20  # bytes of Python objects beside the tensors; a 1024 network with all its parts needs 4 MB
LONGEST_TEXT = 4 << 20  # characters; the source text of a network is 40 kB
LONGEST_GLOBAL = 200

# What one opcode may leave in memory, tensors' bytes apart: the object, its place on the stack and in a container.
_OPCODE_COST = 120
_EXPENSIVE = {"EMPTY_SET": 320, "FROZENSET": 320, "EMPTY_DICT": 200, "REDUCE": 400, "NEWOBJ": 400}


@dataclass(frozen=True)
class Global:
    """A name that a file may refer to, and what calling it builds."""

    name: str
    call: Callable[..., Any] | None = None
    """None for names that are only passed around, such as ``torch.FloatStorage``."""


class Buildable:
    """An object whose state arrives after its making (the BUILD opcode)."""

    def build(self, state: Any) -> None:
        """Take the state; raises CheckpointError or ValueError for one that does not fit."""
        raise NotImplementedError


class Options(dict, Buildable):
    """A dictionary of options (``EasyDict``, ``argparse.Namespace``)."""

    def build(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise ValueError("options need a dictionary")
        self.update(state)


@dataclass
class Budget:
    """Memory that all pickles of one file may take together."""

    left: int = MEMORY_BUDGET

    def charge(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ValueError("it asks for far more memory than a network of its size needs")


class _Mark:
    """Where a run of items begins on the stack."""


_MARK = _Mark()
_SIMPLE_KEYS = (str, int, float, bool, bytes, type(None))  # hashing a nested tuple can exhaust the C stack


@dataclass
class PickleMachine:
    """Reads one pickle from a stream positioned at its start; leaves the stream after it.

    Args:
        owner: the file, for messages.
        known: ``"module.name"`` to what it means.
        persistent: answers persistent ids; None refuses them.
    """

    owner: str
    known: Mapping[str, Global]
    persistent: Callable[[Any], Any] | None = None
    budget: Budget = field(default_factory=Budget)

    def load(self, stream: BinaryIO | bytes) -> Any:
        """The object of the pickle.

        Raises:
            CheckpointError: for anything but plain data in plain order.
        """
        source = _Bounded(BytesIO(stream) if isinstance(stream, bytes) else stream)
        try:
            return self._run(source)
        except CheckpointError:
            raise
        except (ValueError, TypeError, IndexError, KeyError, OverflowError, UnicodeError, AttributeError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise CheckpointError(
                f"{self.owner}: not a readable network pickle ({reason}); it is damaged or not a network"
            ) from error

    def _run(self, source: _Bounded) -> Any:
        stack: list[Any] = []
        memo: dict[int, Any] = {}
        while True:
            name, argument = source.next_opcode()
            self.budget.charge(_EXPENSIVE.get(name, _OPCODE_COST))
            if name in _VALUES:
                stack.append(self._value(argument))
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name]())
            elif name in ("BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif name in ("BINPUT", "LONG_BINPUT"):
                memo[argument] = _top(stack)
            elif name == "MEMOIZE":
                memo[len(memo)] = _top(stack)
            elif name == "MARK":
                stack.append(_MARK)
            elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
                stack.append(tuple(_take(stack, int(name[-1]))))
            elif name == "TUPLE":
                stack.append(tuple(_since_mark(stack)))
            elif name == "FROZENSET":
                stack.append(frozenset(map(_key, _since_mark(stack))))
            elif name == "APPEND":
                [item] = _take(stack, 1)
                _expect(stack, list).append(item)
            elif name == "APPENDS":
                items = _since_mark(stack)
                _expect(stack, list).extend(items)
            elif name == "SETITEM":
                items = _take(stack, 2)
                _fill(_expect(stack, dict), items)
            elif name == "SETITEMS":
                items = _since_mark(stack)
                _fill(_expect(stack, dict), items)
            elif name == "ADDITEMS":
                items = _since_mark(stack)
                _expect(stack, set).update(map(_key, items))
            elif name == "GLOBAL":
                stack.append(self._global(argument.replace(" ", ".", 1)))
            elif name == "STACK_GLOBAL":
                module, attribute = _take(stack, 2)
                if not (isinstance(module, str) and isinstance(attribute, str)):
                    raise ValueError("a global without a name")
                stack.append(self._global(f"{module}.{attribute}"))
            elif name in ("REDUCE", "NEWOBJ"):
                function, arguments = _take(stack, 2)
                stack.append(self._call(function, arguments))
            elif name == "BUILD":
                [state] = _take(stack, 1)
                _expect(stack, Buildable).build(state)
            elif name == "BINPERSID":
                [identity] = _take(stack, 1)
                if self.persistent is None:
                    raise ValueError("it refers to data outside itself")
                stack.append(self.persistent(identity))
            elif name == "POP":
                _top(stack, marks=True)
                stack.pop()
            elif name == "POP_MARK":
                _since_mark(stack)
            elif name == "STOP":
                [result] = _take(stack, 1)
                return result

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            self.budget.charge(4 * len(value))
        return value

    def _global(self, name: str) -> Global:
        if name in self.known:
            return self.known[name]
        raise CheckpointError(
            f"{self.owner}: asks for the Python object {name[:LONGEST_GLOBAL]!r}, which network files do not need; "
            "nothing of it was run. If the file is a network, convert it with the program that wrote it"
        )

    def _call(self, function: Any, arguments: Any) -> Any:
        if not isinstance(function, Global) or function.call is None or not isinstance(arguments, tuple):
            raise ValueError("it calls something that is not a function")
        return function.call(*arguments)


class _Bounded:
    """A stream of opcodes that refuses to read past its end, so that a claimed length costs nothing."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        here = stream.tell()
        self._end = stream.seek(0, 2)
        stream.seek(here)
        self._is_at = here
        self._longest = self._end

    def next_opcode(self) -> tuple[str, Any]:
        """Name and argument."""
        code = self.read(1)
        if code not in _OPCODES:
            raise ValueError(f"the byte {code[0]:#04x} is no opcode")
        opcode = _OPCODES[code]
        if opcode.name not in _USED:
            raise ValueError(f"it uses the opcode {opcode.name}, which network files do not")
        if opcode.arg is None:
            return opcode.name, None
        self._longest = LONGEST_TEXT if opcode.name in _TEXTS else self._end
        argument = opcode.arg.reader(self)  # pyright: ignore[reportCallIssue, reportArgumentType] - needs read and readline
        self._longest = self._end
        return opcode.name, argument

    def read(self, count: int) -> bytes:
        if count > self._end - self._is_at:
            raise ValueError("it ends too early")
        if count > self._longest:
            raise ValueError(f"a text of {count} bytes")
        self._is_at += count
        return self._stream.read(count)

    def readline(self) -> bytes:
        line = self._stream.readline(LONGEST_TEXT)
        self._is_at += len(line)
        return line


_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_TEXTS = {"BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_BYTES = {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
_NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
_VALUES = _NUMBERS | _TEXTS | _BYTES
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
# Protocols 2 to 5: those before them are older than torch, and their text forms are the ways to confuse a reader.
_USED = {
    "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "MEMOIZE", "BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET", "APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS",
    "GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD", "BINPERSID", *_VALUES, *_CONSTANTS,
}  # fmt: skip


def _top(stack: list[Any], *, marks: bool = False) -> Any:
    if not stack or (stack[-1] is _MARK and not marks):
        raise ValueError("the stack is empty")
    return stack[-1]


def _take(stack: list[Any], count: int) -> list[Any]:
    """The last ``count`` items, off the stack."""
    if len(stack) < count or any(item is _MARK for item in stack[-count:]):
        raise ValueError("the stack is empty")
    items = stack[-count:]
    del stack[-count:]
    return items


def _since_mark(stack: list[Any]) -> list[Any]:
    """Everything after the last mark, off the stack, the mark with it."""
    for place in range(len(stack) - 1, -1, -1):
        if stack[place] is _MARK:
            items = stack[place + 1 :]
            del stack[place:]
            return items
    raise ValueError("items without a beginning")


def _expect(stack: list[Any], kind: type) -> Any:
    found = _top(stack)
    if not isinstance(found, kind):
        raise ValueError(f"expected a {kind.__name__}, found a {type(found).__name__}")
    return found


def _key(key: Any) -> Any:
    if not isinstance(key, _SIMPLE_KEYS):
        raise ValueError(f"a {type(key).__name__} as a key")
    return key


def _fill(table: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise ValueError("a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        table[_key(key)] = value
    return table
