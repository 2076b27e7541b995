"""The folder of one run: its name, its files, its saved states."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import torch

from vitruvian.errors import CheckpointError, OptionError
from vitruvian.files import UNFINISHED, replacing, take_lock, writable_folder

STATES_KEPT = 2


class RunFolder:
    """``options.json``, ``log.txt``, ``stats.jsonl``, pictures, snapshots and ``state/``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.states = path / "state"

    @classmethod
    def create(cls, outdir: Path, description: str) -> RunFolder:
        """A new folder ``NNNNN-description``, numbered after the highest one there."""
        writable_folder(outdir)
        numbers = [int(match[1]) for entry in outdir.iterdir() if (match := re.match(r"(\d+)", entry.name))]
        for number in count(max(numbers, default=-1) + 1):
            run = cls(outdir / f"{number:05d}-{description}")
            with suppress(FileExistsError):  # another run that began in the same moment
                run.path.mkdir()
                run.states.mkdir()
                return run
        raise AssertionError("count() has no end")

    @classmethod
    def find(cls, name: str, outdir: Path) -> RunFolder:
        """An existing run by its path, or the newest in ``outdir`` for ``latest``."""
        if name != "latest":
            if not (Path(name) / "options.json").is_file():
                raise OptionError(f"--resume {name}: not a run folder (it has no options.json)")
            return cls(Path(name))
        runs = sorted(path.parent for path in outdir.glob("[0-9]*/options.json")) if outdir.is_dir() else []
        if not runs:
            raise OptionError(f"--resume latest: there is no run in {outdir}; name one or set --outdir")
        return cls(runs[-1])

    def write_options(self, options: dict[str, Any]) -> None:
        with replacing(self.path / "options.json") as temporary:
            temporary.write_text(json.dumps(options, indent=2) + "\n")

    def read_options(self) -> dict[str, Any]:
        path = self.path / "options.json"
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise OptionError(f"{path}: not readable ({error}); the run cannot be resumed") from error

    def save_state(self, cur_nimg: int, state: dict[str, Any]) -> None:
        """Write a state under the clock's name and drop all but the newest few."""
        path = self.states / f"state-{cur_nimg:012d}.pt"
        with replacing(path) as temporary, temporary.open("wb") as file:
            try:
                torch.save(state, file)
            except RuntimeError as error:  # what torch makes of a full disk
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise
        for old in self._state_files()[:-STATES_KEPT]:
            old.unlink()

    def load_state(self) -> dict[str, Any] | None:
        """The newest readable state, or None for a run that never came to its first.

        Raises:
            CheckpointError: if there are states and none can be read.
        """
        files = self._state_files()
        for path in reversed(files):
            try:
                return torch.load(path, map_location="cpu", weights_only=True)
            except Exception:  # damage is told in a dozen kinds
                continue  # a disk may lose what it promised to have written: the one before will do
        if files:
            raise CheckpointError(f"{self.states}: none of the {len(files)} saved states is readable")
        return None

    def newest_snapshot(self) -> Path | None:
        """The network file of the run that was written last."""
        return max(self.path.glob("network-snapshot-*.safetensors"), default=None)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process from training the same run.

        Raises:
            OptionError: if another one does.
        """
        with (self.path / ".lock").open("wb") as handle:
            if not take_lock(handle):
                raise OptionError(f"{self.path} is being trained by another process: wait for it or stop it")
            yield

    def remove_leftovers(self) -> None:
        """Remove what a killed run had half written; to be called by the one process that holds the lock."""
        for folder in (self.path, self.states):
            for pattern in (f".*{UNFINISHED}*", ".tmp??????"):  # ours, and those of safetensors
                for path in folder.glob(pattern):
                    path.unlink(missing_ok=True)

    def append(self, name: str, line: str) -> None:
        """Add one line to a text file of the run."""
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def length(self, name: str) -> int:
        """Bytes of a text file, 0 if it is not there."""
        path = self.path / name
        return path.stat().st_size if path.exists() else 0

    def rewind(self, name: str, length: int) -> None:
        """Forget the lines that a killed run wrote after its last saved state."""
        if self.length(name) > length:
            os.truncate(self.path / name, length)

    def _state_files(self) -> list[Path]:
        return sorted(self.states.glob("state-*.pt"))
