"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from vitruvian.errors import OptionError

UNFINISHED = ".unfinished-"
"""Part of the names of temporary files: what a killed process leaves can be told from everything else."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its name when the block ends well and vanishes when it does not.

    ::

        with replacing("seed0001.png") as temporary:
            picture.save(temporary, format="PNG")

    Raises:
        OptionError: if the folder cannot be written to.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}{UNFINISHED}{secrets.token_hex(4)}{path.suffix}")
    try:
        # Not tempfile's private mode: the file gets the rights that the user's umask gives to any other.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        mode = temporary.stat().st_mode
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        yield temporary
        _sync(temporary)
        temporary.chmod(mode)  # safetensors puts a private file of its own in the place of the one it is given
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say which file it could not take
        raise


def writable_folder(path: str | Path) -> Path:
    """``path`` as a folder that exists and takes files, made if needed.

    Raises:
        OptionError: naming the folder and the reason.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OptionError(f"cannot write to the folder {path}: {error.strerror or error}; choose another") from error
    return path


def take_lock(handle: IO[bytes]) -> bool:
    """Keep other processes from the same lock file until ``handle`` is closed; False if one of them has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network disk that knows no locks
        return True
    return True


def _sync(path: Path) -> None:
    """Contents reach the disk before the name does, or a power cut could leave an empty file under it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
