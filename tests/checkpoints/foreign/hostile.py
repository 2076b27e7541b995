"""Network files as an attacker would write them. Each runs code, fills the memory or hangs a careless reader."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable

MARKER = "executed"
"""A file of this name in the working folder shows that something ran."""

LEGACY_HEAD = b"".join(
    pickle.dumps(part, 2)
    for part in (
        0x1950A86A20F9469CFC6C,
        1001,
        {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}},
    )
)


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def blob(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def name(dotted: str) -> bytes:
    module, _, attribute = dotted.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def call(function: str, *arguments: bytes) -> bytes:
    return name(function) + b"(" + b"".join(arguments) + b"tR"


def plain(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


def table(**entries: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def module(class_name: str, state: bytes, source: str = "") -> bytes:
    meta = table(
        type=text("class"), version=b"K\x06", module_src=text(source), class_name=text(class_name), state=state
    )
    return call("torch_utils.persistence._reconstruct_persistent_obj", meta)


def storage(count: int, raw: bytes = b"", *, kind: str = "torch.FloatStorage", body: bytes = b"") -> bytes:
    """A storage as it lies inside a plain pickle: a torch file of the old kind in a bytes object."""
    identity = b"(" + text("storage") + name(kind) + text("0") + text("cpu") + number(count) + b"NtQ"
    keys = pickle.dumps(["0"], 2)
    return call(
        "torch.storage._load_from_bytes",
        blob(LEGACY_HEAD + b"\x80\x02" + (body or identity) + b"." + keys + struct.pack("<q", count) + raw),
    )


def tensor(source: bytes, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    sides = b"(" + b"".join(map(number, size)) + b"t"
    steps = b"(" + b"".join(map(number, stride)) + b"t"
    return call(
        "torch._utils._rebuild_tensor_v2",
        source,
        number(offset),
        sides,
        steps,
        b"\x89",
        call("collections.OrderedDict"),
    )


def array(dtype: str, shape: tuple[int, ...], data: bytes, extra: bytes = b"\x89\x88\x87") -> bytes:
    kind = call("numpy.dtype", text(dtype), b"\x89", b"\x88")
    kind += b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    made = call("numpy.core.multiarray._reconstruct", name("numpy.ndarray"), b"(K\x00t", blob(b"b"))
    return made + b"(K\x01(" + b"".join(map(number, shape)) + b"t" + kind + b"\x89" + blob(data) + b"tb"


def network(tensors: bytes) -> bytes:
    return plain(table(G_ema=module("Generator", table(_parameters=tensors))))


def archive(members: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as packed:
        for member, content in members.items():
            packed.writestr(member, content)
    return file.getvalue()


def torch_zip(body: bytes, storages: dict[str, bytes] | None = None, **options: int) -> bytes:
    members = {"net/data.pkl": b"\x80\x02" + body + b".", **{f"net/data/{k}": v for k, v in (storages or {}).items()}}
    return archive(members, **options)


def zip_reference(key: str, count: int, kind: str = "torch.FloatStorage") -> bytes:
    return b"(" + text("storage") + name(kind) + text(key) + text("cpu") + number(count) + b"tQ"


def overlapping_archive() -> bytes:
    """Ten thousand directory entries that all point at the same megabyte."""
    data = archive({"net/data.pkl": b"\x80\x02}.", "net/data/0": b"\0" * 2**20})
    start = data.rindex(b"PK\x01\x02")
    entry = data[start : data.rindex(b"PK\x05\x06")]
    entries = data[data.index(b"PK\x01\x02") : start] + b"".join(
        entry.replace(b"net/data/0", f"net/data/{i:04d}"[:10].encode()) for i in range(1000, 3000)
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2001, 2001, len(entries), data.index(b"PK\x01\x02"), 0)
    return data[: data.index(b"PK\x01\x02")] + entries + end


def directory_flood() -> bytes:
    """A central directory of 200,000 nameless entries."""
    entries = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, 0, *[0] * 14) * 200_000
    return (
        b"PK\x03\x04" + b"\0" * 26 + entries + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(entries), 30, 0)
    )


def nested(depth: int, opener: bytes, closer: bytes) -> bytes:
    return opener * depth + closer * depth


def module_bomb(levels: int) -> bytes:
    """Every module holds the one before twice: 2^levels paths in a few hundred bytes."""
    body = module("Generator", table(_modules=b"}")) + b"q\x00"
    for level in range(levels):
        body += b"0" + module("Generator", table(_modules=table(a=b"h" + bytes([level]), b=b"h" + bytes([level]))))
        body += b"q" + bytes([level + 1])
    return plain(body)


def self_containing_module() -> bytes:
    state = b"}q\x00" + text("_modules") + b"}" + text("child")
    inner = module("Generator", state + b"N" + b"s" + b"s")
    return plain(b"}q\x05(" + text("G_ema") + module("Generator", table(_modules=b"h\x05")) + text("a") + inner + b"u")


REDUCED = [
    "os.system", "posix.system", "nt.system", "builtins.eval", "builtins.exec", "builtins.getattr",
    "builtins.__import__",
    "builtins.compile", "builtins.open", "builtins.globals", "subprocess.Popen", "subprocess.check_output",
    "operator.attrgetter", "operator.methodcaller", "functools.partial", "pickle.loads", "marshal.loads", "torch.load",
    "torch.hub.load", "torch.jit.load", "runpy.run_path", "importlib.import_module", "shutil.rmtree", "socket.socket",
    "webbrowser.open", "ctypes.CDLL", "types.CodeType", "types.FunctionType", "copyreg._reconstructor", "numpy.load",
    "numpy.testing._private.utils.runstring", "evil.EasyDict", "dnnlib.util.open_url", "torch_utils.persistence.exec",
    "torch._utils._rebuild_wrapper_subclass", "torch._dynamo.guards.eval", "__main__.Generator",
]  # fmt: skip
"""Functions that an allow-list must not know."""


def hostile_files() -> dict[str, bytes]:
    """File contents by the name of the trick."""
    argument = text(f"touch {MARKER}")
    evil = call("os.system", argument)
    lying = b"\0" * 64
    files: dict[str, bytes | Callable[[], bytes]] = {
        **{f"reduce {function}": plain(call(function, argument)) for function in REDUCED},
        # disguises
        "stack global": plain(text("os") + text("system") + b"\x93(" + argument + b"tR"),
        "stack global, dotted": plain(text("collections") + text("OrderedDict.__class__.__base__") + b"\x93(tR"),
        "stack global, walks into an allowed name": plain(
            text("torch_utils") + text("persistence._reconstruct_persistent_obj.__globals__") + b"\x93(tR"
        ),
        "stack global of numbers": plain(b"K\x01K\x02\x93(tR"),
        "global with a space": plain(b"cos system\nos\n(" + argument + b"tR"),
        "inst": plain(b"(" + argument + b"ios\nsystem\n"),
        "obj": plain(b"(" + name("os.system") + argument + b"o"),
        "newobj": plain(name("os.system") + b"(" + argument + b"t\x81"),
        "newobj_ex": plain(name("collections.OrderedDict") + b"(t}\x92"),
        "ext1": plain(b"\x82\x01(tR"),
        "ext4": plain(b"\x84\x01\0\0\0(tR"),
        "call of a call": plain(call("collections.OrderedDict") + b"(tR"),
        "call of a storage class": plain(call("torch.FloatStorage", b"K\x05")),
        "build on a function": plain(name("collections.OrderedDict") + table(__setstate__=name("builtins.set")) + b"b"),
        "build on a dictionary": plain(b"}" + table(__class__=argument) + b"b"),
        "build on a tensor": plain(tensor(storage(16, lying), (16,), (1,)) + table(__class__=argument) + b"b"),
        "easydict with a reducer": plain(call("dnnlib.util.EasyDict") + table(__reduce__=evil) + b"b"),
        "persid": plain(b"Pos.system\n"),
        "binpersid": plain(argument + b"Q"),
        "out-of-band buffer": plain(b"\x97"),
        # code where the official loader looks for it
        "module_src of an unknown class": plain(module("Payload", b"}", f"import os; os.system('touch {MARKER}')")),
        "module that is a function": plain(
            call("torch_utils.persistence._reconstruct_persistent_obj", table(type=text("func")))
        ),
        "build_module_src": plain(
            b"(" + (call("dnnlib.tflib.network.Network") + table(build_module_src=text("import os")) + b"b") * 3 + b"t"
        ),
        "storage blob that is a bare pickle": plain(call("torch.storage._load_from_bytes", blob(plain(evil)))),
        "storage blob with a call": plain(storage(0, body=evil)),
        "storage blob in a storage blob": plain(storage(0, body=storage(0))),
        "legacy file with a call": LEGACY_HEAD + plain(evil),
        "legacy file with a call in its head": plain(evil) + LEGACY_HEAD,
        "legacy file with a call in its keys": LEGACY_HEAD + plain(b"}") + plain(evil),
        "zip with a call": torch_zip(evil),
        "zip whose storage is a pickle": torch_zip(
            table(w=call("torch._utils._rebuild_tensor_v2", zip_reference("0", 1000))), {"0": plain(evil)}
        ),
        "zip with a storage class of its own": torch_zip(zip_reference("0", 1, "evil.FloatStorage"), {"0": b"\0" * 4}),
        # lies about sizes
        "claims a terabyte of bytes": plain(b"\x8e" + struct.pack("<Q", 2**40) + b"x"),
        "claims a terabyte of text": plain(b"\x8d" + struct.pack("<Q", 2**40) + b"x"),
        "claims a frame of a terabyte": plain(b"\x95" + struct.pack("<Q", 2**40) + argument),
        "claims a number of 2 GB": plain(b"\x8b" + struct.pack("<i", 2**31 - 1) + b"x"),
        "number of a million digits": plain(b"I" + b"9" * 1_000_000 + b"\n"),
        "storage claims more than it has": network(table(w=tensor(storage(2**40, lying), (16,), (1,)))),
        "storage of negative size": network(table(w=tensor(storage(-5, lying), (16,), (1,)))),
        "tensor grows its storage": network(table(w=tensor(storage(16, lying), (4096, 4096), (4096, 1)))),
        "tensor strides outside": network(table(w=tensor(storage(16, lying), (4,), (1000,)))),
        "tensor strides backwards": network(table(w=tensor(storage(16, lying), (4,), (-1,)))),
        "tensor of negative offset": network(table(w=tensor(storage(16, lying), (4,), (1,), -8))),
        "tensor repeats one element": network(table(w=tensor(storage(16, lying), (10**6, 10**6), (0, 0)))),
        "tensor of a thousand dimensions": network(table(w=tensor(storage(16, lying), (1,) * 1000, (1,) * 1000))),
        "zip storage shorter than said": torch_zip(
            table(w=tensor(zip_reference("0", 10**9), (10**9,), (1,))), {"0": lying}
        ),
        "zip storage missing": torch_zip(table(w=tensor(zip_reference("7", 16), (16,), (1,))), {"0": lying}),
        "array of objects": plain(table(w=array("O8", (1,), b"\0" * 8))),
        "array of records": plain(table(w=array("V16", (1,), b"\0" * 16))),
        "array larger than its bytes": plain(table(w=array("f4", (10**6, 10**6), lying))),
        "array of negative size": plain(table(w=array("f4", (-4, -4), lying))),
        # floods
        "memo at two thousand million": plain(b"Nr\xff\xff\xff\x7f"),
        "memo never written": plain(b"h\x09"),
        "a million sets": plain(b"\x8f" * 1_000_000),
        "a million copies": plain(b"N" + b"2" * 1_000_000 + b"t"),
        "texts of 4 MB without end": plain((b"X" + struct.pack("<I", 4 << 20) + b"a" * (4 << 20)) * 12),
        "one text of 40 MB": plain(b"X" + struct.pack("<I", 40 << 20) + b"a" * (40 << 20)),
        "tuples in tuples": plain(b")" + b"\x85" * 200_000),
        "lists in lists": plain(nested(100_000, b"]", b"a")),
        "a deep tuple as a key": plain(b"}" + b")" + b"\x85" * 100_000 + b"Ns"),
        "a deep tuple in a set": plain(b"\x8f(" + b")" + b"\x85" * 100_000 + b"\x90"),
        "a deep tuple in an ordered dictionary": plain(
            call("collections.OrderedDict", b"](" + b"(" + b")" + b"\x85" * 100_000 + b"Nt" + b"e")
        ),
        "modules doubling": lambda: module_bomb(60),
        "module inside itself": self_containing_module,
        "zip bomb in the pickle": torch_zip(b"0" * 2**24, compression=zipfile.ZIP_DEFLATED),
        "zip bomb in a storage": torch_zip(
            table(w=tensor(zip_reference("0", 2**24), (2**24,), (1,))),
            {"0": b"\0" * 2**26},
            compression=zipfile.ZIP_DEFLATED,
        ),
        "zip of overlapping members": overlapping_archive,
        "zip directory flood": directory_flood,
        "zip without a pickle": archive({"net/data/0": lying}),
        "zip of two pickles": archive({"a/data.pkl": plain(b"}"), "b/data.pkl": plain(b"}")}),
        "zip cut short": torch_zip(b"}", {"0": lying})[:-30],
        # nonsense
        "nothing but a beginning": b"\x80\x04",
        "items without a mark": plain(b"Nt"),
        "mark as a result": plain(b"("),
        "odd number of items": plain(b"}(Nu"),
        "no such opcode": plain(b"\xff"),
        "a number": plain(b"K\x01"),
        "an empty dictionary": plain(b"}"),
    }
    return {trick: make() if callable(make) else make for trick, make in files.items()}
