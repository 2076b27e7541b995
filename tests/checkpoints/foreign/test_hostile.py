"""Files of an attacker: nothing runs, memory stays within the file's size, one clear line each."""

from __future__ import annotations

import contextlib
import pickletools
import random
import sys
import time
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.checkpoints.foreign.hostile import MARKER, hostile_files
from tests.conftest import golden_path
from vitruvian.checkpoints import load_network
from vitruvian.errors import CheckpointError
from vitruvian.nn import StyleGAN2Generator

ROOM = 64 << 20  # bytes beside four times the file
HOSTILE = hostile_files()
LONGEST_WAIT = 20  # seconds; a hang is minutes


def peak_memory() -> int | None:
    """Most bytes that were resident since :func:`forget_peak`; None where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


def forget_peak() -> None:
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("trick", HOSTILE)
def test_hostile_files_do_nothing(trick: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.pkl"
    path.write_bytes(HOSTILE[trick])
    forget_peak()
    before = peak_memory()
    started = time.monotonic()
    with pytest.raises(CheckpointError) as caught:
        load_network(path)
    assert time.monotonic() - started < LONGEST_WAIT
    after = peak_memory()
    if before is not None and after is not None:
        assert after - before <= 4 * path.stat().st_size + ROOM
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < 600
    assert not Path(MARKER).exists()


def test_source_text_in_a_good_file_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The payload takes the place of the (empty) source text of every module of a real network."""
    monkeypatch.chdir(tmp_path)
    payload = f"import os; os.system('touch {MARKER}')".encode()
    original = golden_path("networks/sg2-32-cond3.pkl").read_bytes()
    empty = b"\x8c\nmodule_src\x94\x8c\x00"
    assert original.count(empty) >= 1
    frameless = _without_frames(original)
    path = tmp_path / "net.pkl"
    path.write_bytes(frameless.replace(empty, b"\x8c\nmodule_src\x94\x8c" + bytes([len(payload)]) + payload))
    assert load_network(path).card.kind == "stylegan2-generator"
    assert not Path(MARKER).exists()


def _without_frames(data: bytes) -> bytes:
    """Frames carry lengths that a longer text would break; they are optional."""
    cuts = [place for opcode, _, place in pickletools.genops(data) if opcode.name == "FRAME"]
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(data[start:cut])
        start = cut + 9
    return b"".join([*pieces, data[start:]])


REAL = ["sg2-32-cond3.pkl", "sg2-human-64x32-pti.pt", "sg2-human-64x32.rosinality.pth", "sg2-32-cond3-tf-ada.pkl"]


def mutated(original: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    data = bytearray(original)
    for kind, place, value in edits:
        at = int(place * len(data))
        if kind == "overwrite":
            data[at : at + len(value)] = value
        elif kind == "insert":
            data[at:at] = value
        elif kind == "remove":
            del data[at : at + max(1, len(value))]
        elif kind == "cut":
            del data[at:]
        elif kind == "repeat":
            data[at:at] = data[at : at + 64 * max(1, len(value))]
    return bytes(data)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "overwrite", "overwrite", "insert", "remove", "cut", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def check_mutation(path: Path, name: str, edits: list[tuple[str, float, bytes]]) -> None:
    path.write_bytes(mutated(golden_path(f"networks/{name}").read_bytes(), edits))
    started = time.monotonic()
    with contextlib.suppress(CheckpointError):
        load_network(path)
    assert time.monotonic() - started < LONGEST_WAIT


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(REAL), edits=EDITS)
def test_mutated_files_end_well(name: str, edits: list[tuple[str, float, bytes]], tmp_path_factory) -> None:
    check_mutation(tmp_path_factory.mktemp("fuzz") / "net.pkl", name, edits)


@pytest.mark.slow
def test_a_minute_of_mutated_files(tmp_path: Path) -> None:
    """Mutations lie mostly in the structure of the files: weights take most of their bytes and none of the logic."""
    draw = random.Random(0)
    until = time.monotonic() + 60
    tried = 0
    while time.monotonic() < until:
        name = draw.choice(REAL)
        edits = [
            (
                draw.choice(["overwrite", "overwrite", "overwrite", "insert", "remove", "cut", "repeat"]),
                draw.random() ** draw.choice([1, 3]),
                draw.randbytes(draw.randint(0, 4)),
            )
            for _ in range(draw.randint(1, 3))
        ]
        check_mutation(tmp_path / "net.pkl", name, edits)
        tried += 1
    assert tried > 100


def test_one_storage_cannot_pose_as_a_large_network(tmp_path: Path) -> None:
    state = StyleGAN2Generator(img_resolution=64, channel_base=4096, channel_max=256).state_dict()
    pool = torch.zeros(max(tensor.numel() for tensor in state.values()))
    torch.save({name: pool[: t.numel()].view(t.shape) for name, t in state.items()}, tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match="bytes of weights"):
        load_network(tmp_path / "net.pt")
