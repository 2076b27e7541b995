"""Writing picture sets: layout, equal bytes, and what a kill leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.conftest import noise
from vitruvian.data import PictureSet, PictureSetWriter
from vitruvian.data.encoding import encode_arrays, encode_png, to_json
from vitruvian.data.writer import picture_name
from vitruvian.errors import DatasetError

ORIGIN = {"seed": 1, "size": [8, 4]}
BOTH = pytest.mark.parametrize("name", ["set", "set.zip"])


def add(writer: PictureSetWriter, index: int, *, label: Any = 2, arrays: bool = True) -> None:
    writer.add(
        index,
        encode_png(noise(index)),
        label=label,
        record={"number": np.int64(index), "window": np.array([0.5, 1.0])},
        arrays=encode_arrays({"depth": np.full((2, 2), index, np.float32)}) if arrays else None,
    )


def write(path: Path, order: list[int], **options: Any) -> Path:
    with PictureSetWriter(path, origin=ORIGIN) as writer:
        for index in order:
            add(writer, index, **options)
        return writer.finish()


def contents(path: Path) -> dict[str, bytes]:
    if path.is_dir():
        return {f.relative_to(path).as_posix(): f.read_bytes() for f in path.rglob("*") if f.is_file()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@BOTH
def test_layout(name: str, tmp_path: Path) -> None:
    files = contents(write(tmp_path / "deep" / name, [0, 12345678]))
    assert set(files) == {
        "00000/img00000000.png",
        "00000/img00000000.npz",
        "12345/img12345678.png",
        "12345/img12345678.npz",
        "labels.jsonl",
        "dataset.json",
    }
    document = json.loads(files["dataset.json"])
    assert document["labels"] == [["00000/img00000000.png", 2], ["12345/img12345678.png", 2]]
    assert document["vitruvian"] == {"format": 1, "count": 2, "origin": ORIGIN}
    records = [json.loads(line) for line in files["labels.jsonl"].decode().splitlines()]
    assert records[1] == {"file": "12345/img12345678.png", "number": 12345678, "window": [0.5, 1.0]}
    assert sorted(os.listdir(tmp_path / "deep")) == [name]


@BOTH
def test_what_was_written_is_read(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, [0, 1, 2])
    pictures = PictureSet.open(path, use_labels=True)
    assert (len(pictures), pictures.image_shape, pictures.label_dim) == (3, (3, 8, 4), 3)
    for index in range(3):
        np.testing.assert_array_equal(pictures[index][0], noise(index).transpose(2, 0, 1))
    arrays = contents(path)[picture_name(1, ".npz")]
    (tmp_path / "arrays.npz").write_bytes(arrays)
    with np.load(tmp_path / "arrays.npz") as loaded:
        np.testing.assert_array_equal(loaded["depth"], np.full((2, 2), 1, np.float32))


@BOTH
def test_the_order_of_adding_leaves_no_trace(name: str, tmp_path: Path) -> None:
    first = write(tmp_path / "a" / name, [0, 1, 2])
    second = write(tmp_path / "b" / name, [2, 0, 0, 1])
    assert contents(first) == contents(second)
    if first.is_file():
        assert first.read_bytes() == second.read_bytes()


def test_the_zip_is_stored_and_without_a_clock(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path / "set.zip", [1, 0])) as archive:
        members = archive.infolist()
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
    assert members[0].filename == "00000/img00000000.png"
    assert members[-1].filename == "dataset.json"


def test_labels_are_null_unless_every_picture_has_one(tmp_path: Path) -> None:
    with PictureSetWriter(tmp_path / "set", origin=ORIGIN) as writer:
        add(writer, 0, label=None)
        add(writer, 1, label=3)
        writer.finish()
    assert json.loads((tmp_path / "set" / "dataset.json").read_text())["labels"] is None


def test_without_records_there_is_no_record_file(tmp_path: Path) -> None:
    with PictureSetWriter(tmp_path / "set", origin=ORIGIN) as writer:
        writer.add(0, encode_png(noise(0)))
        writer.finish()
    assert set(contents(tmp_path / "set")) == {"00000/img00000000.png", "dataset.json"}


@BOTH
def test_an_interrupted_set_goes_on(name: str, tmp_path: Path) -> None:
    with PictureSetWriter(tmp_path / name, origin=ORIGIN) as writer:
        add(writer, 3)
        add(writer, 1)
    assert not (tmp_path / name).exists()
    with PictureSetWriter(tmp_path / name, origin=ORIGIN) as writer:
        assert (len(writer), 3 in writer, 0 in writer) == (2, True, False)
        for index in (0, 2):
            add(writer, index)
        writer.finish()
    assert contents(tmp_path / name) == contents(write(tmp_path / "at-once" / name, [0, 1, 2, 3]))


@BOTH
def test_only_complete_pictures_survive_a_kill(name: str, tmp_path: Path) -> None:
    with PictureSetWriter(tmp_path / name, origin=ORIGIN) as writer:
        for index in range(4):
            add(writer, index)
    pictures = tmp_path / f"{name}.partial" / "set"
    (pictures / picture_name(0)).write_bytes(b"cut")
    (pictures / picture_name(1, ".npz")).unlink()
    (pictures / picture_name(9)).write_bytes(b"without a line")
    journal = pictures.parent / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-7])  # the line of picture 3
    with PictureSetWriter(tmp_path / name, origin=ORIGIN) as writer:
        assert [index in writer for index in range(4)] == [False, False, True, False]
        for index in (0, 1, 3):
            add(writer, index)
        writer.finish()
    assert contents(tmp_path / name) == contents(write(tmp_path / "at-once" / name, [0, 1, 2, 3]))


@BOTH
def test_the_finished_set_is_known_again(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, [0])
    (tmp_path / f"{name}.partial" / "set").mkdir(parents=True)  # a kill after the last rename
    with PictureSetWriter(path, origin=ORIGIN) as writer:
        assert writer.is_finished
        assert 0 in writer
        assert writer.finish() == path
    assert os.listdir(tmp_path) == [name]


@BOTH
def test_an_empty_folder_is_free(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert len(PictureSet.open(write(tmp_path / name, [0]))) == 1


@BOTH
def test_other_content_is_never_overwritten(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, [0])
    before = contents(path)
    with pytest.raises(DatasetError, match="already exists with other content: choose another name"):
        PictureSetWriter(path, origin={"seed": 2})
    assert contents(path) == before
    assert not (tmp_path / f"{name}.partial").exists()


def test_content_that_appears_meanwhile_is_never_overwritten(tmp_path: Path) -> None:
    with PictureSetWriter(tmp_path / "set.zip", origin=ORIGIN) as writer:
        add(writer, 0)
        (tmp_path / "set.zip").write_bytes(b"somebody else's")
        with pytest.raises(DatasetError, match="appeared while it was being written"):
            writer.finish()
    assert (tmp_path / "set.zip").read_bytes() == b"somebody else's"


def test_another_origin_does_not_go_on(tmp_path: Path) -> None:
    with PictureSetWriter(tmp_path / "set", origin=ORIGIN) as writer:
        add(writer, 0)
    with pytest.raises(DatasetError, match=r"begun with other options \(seed 1 there, 2 here\)"):
        PictureSetWriter(tmp_path / "set", origin=ORIGIN | {"seed": 2})
    with PictureSetWriter(tmp_path / "set", origin=ORIGIN) as writer:  # the refusal let the lock go
        assert 0 in writer


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks of this kind")
def test_two_processes_do_not_write_one_set(tmp_path: Path) -> None:
    code = f"import sys; from vitruvian.data import PictureSetWriter\nPictureSetWriter(sys.argv[1], origin={ORIGIN!r})"
    with PictureSetWriter(tmp_path / "set", origin=ORIGIN):
        other = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "set")], capture_output=True, text=True, check=False
        )
    assert other.returncode != 0
    assert "is being written by another process" in other.stderr


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"file/set\.zip cannot be written \(.*choose another place"):
        PictureSetWriter(tmp_path / "file" / "set.zip", origin=ORIGIN)


def test_an_empty_set_is_not_written(tmp_path: Path) -> None:
    with (
        PictureSetWriter(tmp_path / "set", origin=ORIGIN) as writer,
        pytest.raises(DatasetError, match="no picture to write"),
    ):
        writer.finish()


def test_pngs_keep_every_pixel(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(noise(0)))
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture), noise(0))


def test_json_refuses_what_it_cannot_hold() -> None:
    assert to_json({"a": np.float32(0.5), "b": np.arange(2)}) == '{"a": 0.5, "b": [0, 1]}'
    with pytest.raises(TypeError, match="Path"):
        to_json({"a": Path("x")})
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})
