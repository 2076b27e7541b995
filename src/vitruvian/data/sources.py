"""Where the files of a picture set lie: a folder or a zip, behind one small face.

A source lists names and opens files; it knows nothing of labels or pixels. Names are relative to the root,
use ``/`` on every system, and come sorted as plain strings (upper case first) like in the StyleGAN tools.
"""

from __future__ import annotations

import io
import os
import zipfile
from functools import cache
from pathlib import Path
from typing import IO, Protocol

from PIL import Image

from vitruvian.errors import DatasetError

# Formats with a registered extension that Pillow can write, name or hand on, but not read as a picture.
_NOT_PICTURES = frozenset({"PDF", "PALM", "MPEG", "HDF5", "GRIB", "BUFR"})


class FileSource(Protocol):
    """A readable store of named files. :class:`~vitruvian.data.pictures.PictureSet` is its only caller."""

    path: Path

    def names(self) -> list[str]:
        """Every file, sorted."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """A seekable stream of one file; raises ``KeyError`` or ``OSError`` if there is none."""
        ...

    def size(self, name: str) -> int:
        """Bytes that one file takes in the store."""
        ...

    def close(self) -> None:
        """Let go of open handles; a later access opens them again."""
        ...


def open_source(path: str | Path) -> FileSource:
    """The source for ``path``: a folder, or a file whose name ends in ``.zip`` in any case."""
    path = Path(path)
    if path.is_dir():
        return FolderSource(path)
    if path.is_file() and path.suffix.lower() == ".zip":
        return ZipSource(path)
    if path.exists():
        raise DatasetError(f"{path} is not a picture set: expected a folder or a .zip file")
    partial = partial_folder(path)
    if partial.is_dir():
        raise DatasetError(
            f"{path} is unfinished: only {partial.name} is there; run the command that began it once more"
        )
    raise DatasetError(f"{path} does not exist: expected the folder or .zip file of a picture set")


def partial_folder(path: Path) -> Path:
    """Where a picture set that will become ``path`` is kept while it is being written."""
    return path.with_name(path.name + ".partial")


@cache
def picture_extensions() -> frozenset[str]:
    """Lower-case extensions, with the dot, that count as pictures: Pillow's registered list."""
    return frozenset(
        extension for extension, kind in Image.registered_extensions().items() if kind not in _NOT_PICTURES
    )


def is_picture_name(name: str) -> bool:
    """Whether a file is a picture by its name; the shadow files that macOS writes (``._x.png``) are not."""
    base = name.rsplit("/", 1)[-1]
    return os.path.splitext(base)[1].lower() in picture_extensions() and not base.startswith("._")


class FolderSource:
    """All files under a folder, to any depth."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        found: list[str] = []
        for folder, _, files in os.walk(self.path):
            relative = Path(folder).relative_to(self.path)
            found.extend((relative / file).as_posix() for file in files)
        return sorted(found)

    def open(self, name: str) -> IO[bytes]:
        return open(self.path / name, "rb")

    def size(self, name: str) -> int:
        return (self.path / name).stat().st_size

    def close(self) -> None:
        pass


class ZipSource:
    """The members of a zip file.

    The handle is opened on first use in each process: it is dropped when the source is pickled, and opened
    anew after a fork, because two processes that share one file position read each other's bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        self._owner = -1  # process id that opened the handle

    def names(self) -> list[str]:
        return sorted({name for name in self._handle().namelist() if not name.endswith("/")})

    def open(self, name: str) -> IO[bytes]:
        return self._handle().open(name)

    def size(self, name: str) -> int:
        return self._handle().getinfo(name).compress_size

    def close(self) -> None:
        if self._zip is not None and self._owner == os.getpid():
            self._zip.close()
        self._zip = None

    def _handle(self) -> zipfile.ZipFile:
        if self._zip is None or self._owner != os.getpid():
            try:
                self._zip = zipfile.ZipFile(self.path)
            except (zipfile.BadZipFile, OSError) as error:
                raise DatasetError(f"{self.path} cannot be read as a zip ({error}): copy or write it again") from error
            self._owner = os.getpid()
        return self._zip

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_zip": None, "_owner": -1}


def read_bytes(source: FileSource, name: str) -> io.BytesIO:
    """One whole file in memory: decoding from memory is faster than many small reads from a zip member."""
    with source.open(name) as stream:
        return io.BytesIO(stream.read())
