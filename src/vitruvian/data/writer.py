"""Writing a picture set so that it appears whole or not at all, and a killed run can go on.

Pictures are collected beside the goal in ``NAME.partial/`` with a journal of one line a finished picture; at
the end the folder or zip is put together there and takes its name in one rename. Layout of the set (the
official one, with our records beside it)::

    00000/img00000000.png   the pictures; a gap in the numbers is a picture that was never made
    00000/img00000000.npz   named arrays of the picture, where given
    labels.jsonl            one line of JSON a picture: {"file": ..., **record}, where given
    dataset.json            {"labels": [[file, label], ...] or null,
                             "vitruvian": {"format", "count", "origin"}}

Equal pictures and records give equal bytes, whatever the order in which they came.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from vitruvian.data.class_labels import LABEL_FILE
from vitruvian.data.encoding import to_json, zip_member
from vitruvian.data.sources import open_source, partial_folder
from vitruvian.errors import DatasetError
from vitruvian.files import take_lock

RECORD_FILE = "labels.jsonl"
FORMAT_VERSION = 1

Label = int | list[float]


def picture_name(index: int, extension: str = ".png") -> str:
    """The official name of picture ``index``: ``00012/img00012345.png``."""
    digits = f"{index:08d}"
    return f"{digits[:5]}/img{digits}{extension}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is remembered of a finished picture; its record stays in the journal, at ``offset``."""

    label: Label | None
    has_arrays: bool
    has_record: bool
    offset: int


class PictureSetWriter:
    """Writes one picture set, a folder or (by the suffix ``.zip``) a zip.

    ::

        with PictureSetWriter("people.zip", origin={"seed": 1}) as writer:
            for index in range(count):
                if index not in writer:
                    writer.add(index, encode_png(pixels), label=3, record={"gender": "female"})
            writer.finish()

    Leaving the ``with`` block without :meth:`finish` keeps what was added; opening the same path with the
    same ``origin`` goes on. A path that holds the finished set of that origin opens with ``is_finished``
    true.
    """

    def __init__(self, path: str | Path, *, origin: Mapping[str, Any]) -> None:
        """
        :param path: the set to write. Its parent folders are made.
        :param origin: all that the pictures follow from, as JSON values: compared when a run goes on, and
            kept in ``dataset.json``.
        :raises DatasetError: the path is taken, another process is writing it, or its begun part has another
            origin.
        """
        self.path = Path(path)
        self._origin: dict[str, Any] = json.loads(to_json(origin))
        self._partial = partial_folder(self.path)
        self._entries: dict[int, _Entry] = {}
        self._journal: IO[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self.is_finished = _is_taken(self.path)
        if self.is_finished:
            self._refuse_foreign()
            shutil.rmtree(self._partial, ignore_errors=True)  # left by a kill after the last rename
            return
        try:
            self._pictures.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatasetError(f"{self.path} cannot be written ({error}): choose another place") from error
        self._lock = _lock(self._partial / "lock", self.path)
        try:
            self._check_origin()
            self._journal = open(self._partial / "journal.jsonl", "a+b")  # noqa: SIM115 closed by close()
            self._read_journal()
        except BaseException:
            self.close()
            raise

    def __contains__(self, index: int) -> bool:
        """Whether a picture is already there, from this run or one before."""
        return self.is_finished or index in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def add(
        self,
        index: int,
        png: bytes,
        *,
        label: Label | None = None,
        record: Mapping[str, Any] | None = None,
        arrays: bytes | None = None,
    ) -> None:
        """Keep one finished picture; adding an index again replaces it.

        :param png: the encoded picture (:func:`~vitruvian.data.encoding.encode_png`).
        :param label: class id or vector for ``dataset.json``, which has labels only if every picture has one.
        :param record: everything else that is known of it, as JSON values, for ``labels.jsonl``.
        :param arrays: an encoded ``.npz`` (:func:`~vitruvian.data.encoding.encode_arrays`).
        """
        assert self._journal is not None, "add() after finish() or close()"
        picture = self._pictures / picture_name(index)
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(png)
        if arrays is not None:
            picture.with_suffix(".npz").write_bytes(arrays)
        # The line goes last: only with it does the picture count, however the run ends.
        line = {
            "index": index,
            "bytes": len(png),
            "arrays": None if arrays is None else len(arrays),
            "label": label,
            "record": record,
        }
        offset = self._journal.seek(0, os.SEEK_END)
        self._journal.write(to_json(line).encode() + b"\n")
        self._journal.flush()
        self._entries[index] = _Entry(label, arrays is not None, record is not None, offset)

    def finish(self) -> Path:
        """Put the set together under its name and remove the partial folder; answers the set's path."""
        if self.is_finished:
            return self.path
        if not self._entries:
            raise DatasetError(f"{self.path}: there is no picture to write")
        self._write_records()
        self._write_labels()
        if _is_taken(self.path):
            raise DatasetError(
                f"{self.path} appeared while it was being written: move it away and run the command again"
            )
        if _is_zip(self.path):
            whole = self._partial / "whole.zip"
            self._assemble(whole)
        else:
            whole = self._pictures
            self._remove_strays()
        if self.path.is_dir():
            self.path.rmdir()  # empty: checked above
        os.replace(whole, self.path)
        self.is_finished = True
        self.close()
        shutil.rmtree(self._partial)
        return self.path

    def close(self) -> None:
        """Stop writing; what was added stays in the partial folder."""
        for handle in (self._journal, self._lock):
            if handle is not None:
                handle.close()
        self._journal = self._lock = None

    def __enter__(self) -> PictureSetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _pictures(self) -> Path:
        return self._partial / "set"

    def _refuse_foreign(self) -> None:
        if _stored_origin(self.path) != self._origin:
            raise DatasetError(f"{self.path} already exists with other content: choose another name or remove it first")

    def _check_origin(self) -> None:
        file = self._partial / "origin.json"
        if not file.exists():
            temporary = file.with_suffix(".tmp")
            temporary.write_text(to_json(self._origin) + "\n")
            os.replace(temporary, file)
            return
        begun = json.loads(file.read_text())
        if begun == self._origin:
            return
        differing = [
            f"{key} {begun.get(key)!r} there, {self._origin.get(key)!r} here"
            for key in sorted(begun.keys() | self._origin.keys())
            if begun.get(key) != self._origin.get(key)
        ]
        raise DatasetError(
            f"{self._partial} was begun with other options ({'; '.join(differing)}):"
            " run with those, choose another name, or remove it"
        )

    def _read_journal(self) -> None:
        """Take over the pictures of the run before; a line cut off by a kill is removed."""
        assert self._journal is not None
        self._journal.seek(0)
        offset = 0
        for line in self._journal:
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            if self._is_complete(entry):
                self._entries[entry["index"]] = _Entry(
                    entry["label"], entry["arrays"] is not None, entry["record"] is not None, offset
                )
            offset += len(line)
        self._journal.truncate(offset)

    def _is_complete(self, entry: dict[str, Any]) -> bool:
        picture = self._pictures / picture_name(entry["index"])
        sizes = {picture: entry["bytes"]}
        if entry["arrays"] is not None:
            sizes[picture.with_suffix(".npz")] = entry["arrays"]
        return all(file.is_file() and file.stat().st_size == size for file, size in sizes.items())

    def _write_records(self) -> None:
        assert self._journal is not None
        with open(self._pictures / RECORD_FILE, "wb") as stream:
            for index, entry in sorted(self._entries.items()):
                if entry.has_record:
                    self._journal.seek(entry.offset)
                    record = json.loads(self._journal.readline())["record"]
                    stream.write(to_json({"file": picture_name(index), **record}).encode() + b"\n")
            empty = stream.tell() == 0
        if empty:
            (self._pictures / RECORD_FILE).unlink()

    def _write_labels(self) -> None:
        labels = [[picture_name(index), entry.label] for index, entry in sorted(self._entries.items())]
        document = {
            "labels": None if any(label is None for _, label in labels) else labels,
            "vitruvian": {"format": FORMAT_VERSION, "count": len(labels), "origin": self._origin},
        }
        (self._pictures / LABEL_FILE).write_text(to_json(document) + "\n")

    def _files(self) -> Iterator[str]:
        """The files of the set in the order of the zip; the label file last, as the original tools do."""
        for index, entry in sorted(self._entries.items()):
            yield picture_name(index)
            if entry.has_arrays:
                yield picture_name(index, ".npz")
        if (self._pictures / RECORD_FILE).exists():
            yield RECORD_FILE
        yield LABEL_FILE

    def _assemble(self, whole: Path) -> None:
        with open(whole, "wb") as stream:
            with zipfile.ZipFile(stream, "w") as archive:
                for name in self._files():
                    archive.writestr(zip_member(name), (self._pictures / name).read_bytes())
            stream.flush()
            os.fsync(stream.fileno())

    def _remove_strays(self) -> None:
        """Remove files that a killed run wrote without their journal line."""
        known = {self._pictures / name for name in self._files()}
        for file in list(self._pictures.rglob("*")):
            if file.is_file() and file not in known:
                file.unlink()


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _is_taken(path: Path) -> bool:
    return path.exists() and not (path.is_dir() and not any(path.iterdir()))


def _stored_origin(path: Path) -> Any:
    try:
        source = open_source(path)
        with source.open(LABEL_FILE) as stream:
            document = json.load(stream)
        source.close()
        return document["vitruvian"]["origin"]
    except (DatasetError, OSError, KeyError, TypeError, ValueError):
        return None  # not a set of ours


def _lock(file: Path, goal: Path) -> IO[bytes]:
    """Keep other processes out until the answered handle is closed."""
    handle = open(file, "wb")  # noqa: SIM115 held open on purpose
    if not take_lock(handle):
        handle.close()
        raise DatasetError(f"{goal} is being written by another process: wait for it or stop it")
    return handle
