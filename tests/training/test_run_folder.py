"""The folder of a run: what is kept, what is cleaned up, and who may write."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vitruvian.errors import CheckpointError, OptionError
from vitruvian.training.run_folder import STATES_KEPT, RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, "test")


def test_runs_are_numbered_after_the_highest(tmp_path: Path) -> None:
    (tmp_path / "00041-other").mkdir()
    assert RunFolder.create(tmp_path, "a").path.name == "00042-a"


def test_a_run_that_begins_in_the_same_moment_gets_the_next_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "00000-a").mkdir()
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(()))  # the other one was not there yet when we looked
    assert RunFolder.create(tmp_path, "a").path.name == "00001-a"


def test_the_newest_states_are_kept(run: RunFolder) -> None:
    for clock in range(5):
        run.save_state(clock, {"clock": clock})
    assert len(list(run.states.iterdir())) == STATES_KEPT
    assert run.load_state() == {"clock": 4}


@pytest.mark.parametrize("damage", [b"", b"hello", bytes(3000), bytes(range(256)) * 9, b"PK\x03\x04" + bytes(40)])
def test_any_damage_falls_back_to_the_state_before(run: RunFolder, damage: bytes) -> None:
    run.save_state(1, {"clock": 1})
    run.save_state(2, {"clock": 2})
    (run.states / "state-000000000002.pt").write_bytes(damage)
    assert run.load_state() == {"clock": 1}
    (run.states / "state-000000000001.pt").write_bytes(damage)
    with pytest.raises(CheckpointError, match="none of the 2 saved states is readable"):
        run.load_state()


def test_a_state_for_which_there_is_no_room_leaves_the_one_before(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A file on a full disk: torch answers its OSError with a RuntimeError of its own."""

        def __init__(self, file: Any) -> None:
            self.file, self.room = file, 1000

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            self.room -= len(data)
            if self.room < 0:
                raise OSError(28, "No space left on device")
            return self.file.write(data)

        def flush(self) -> None:
            pass

    run.save_state(1, {"clock": 1})
    really_open: Callable[..., Any] = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: Full(really_open(self, *a, **k)))
    with pytest.raises(OSError, match=r"No space left on device: '.*state-000000000002\.pt'"):
        run.save_state(2, {"clock": 2, "weights": torch.zeros(100_000)})
    monkeypatch.undo()
    assert [path.name for path in run.states.iterdir()] == ["state-000000000001.pt"]
    assert run.load_state() == {"clock": 1}


def test_leftovers_of_a_kill_are_removed(run: RunFolder) -> None:
    run.save_state(1, {"clock": 1})
    run.append("log.txt", "line")
    for leftover in (".fakes000001.png.unfinished-01234567.png", ".tmpAbC123"):
        (run.path / leftover).write_bytes(b"half")
    (run.states / ".state-000000000002.pt.unfinished-01234567.pt").write_bytes(b"half")
    run.remove_leftovers()
    assert sorted(path.name for path in run.path.rglob("*")) == ["log.txt", "state", "state-000000000001.pt"]


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks of this kind")
def test_two_processes_do_not_train_one_run(run: RunFolder) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom vitruvian.training.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked():\n    print('mine', flush=True)\n    sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"mine\n"
    with pytest.raises(OptionError, match="is being trained by another process"), run.locked():
        pass
    other.communicate(timeout=20)
    with run.locked():  # free again with the end of the other
        pass
