"""Reading picture sets: order, labels, subsets, and the answers to bad sets."""

from __future__ import annotations

import logging
import os
import pickle
import struct
import zipfile
import zlib
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.conftest import MakeSet, encoded, golden_cases, noise
from vitruvian.data import PictureSet
from vitruvian.errors import DatasetError, OptionError


def sixteen_bit_rgb() -> bytes:
    """An 8 x 4 PNG with 16 bits a channel, which Pillow opens as plain RGB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(4 * 6) for _ in range(8))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 8, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_items_in_the_official_order(make_set: MakeSet) -> None:
    names = ["sub/a.png", "c.txt.png", "b.PNG"]
    path = make_set({name: noise(i) for i, name in enumerate(names)} | {"notes.txt": b"no picture"})
    with PictureSet.open(path) as pictures:
        assert pictures.names == ["b.PNG", "c.txt.png", "sub/a.png"]
        for item, seed in enumerate((2, 1, 0)):
            pixels, label = pictures[item]
            assert pixels.dtype == np.uint8
            np.testing.assert_array_equal(pixels, noise(seed).transpose(2, 0, 1))
            assert (label.dtype, label.shape) == (np.float32, (0,))


def test_properties(make_set: MakeSet) -> None:
    path = make_set({"a.png": noise(0, 16, 6), "b.png": noise(1, 16, 6)}, name="set-1.0.ZIP")
    pictures = PictureSet.open(path)
    assert (pictures.name, len(pictures), pictures.height, pictures.width) == ("set-1.0", 2, 16, 6)
    assert (pictures.channels, pictures.image_shape) == (3, (3, 16, 6))
    assert pictures.bytes_on_disk() == len(encoded(noise(0, 16, 6))) + len(encoded(noise(1, 16, 6)))


@pytest.mark.parametrize("case", golden_cases("max_size_xflip"))
def test_subset_and_mirroring_of_the_reference(case: dict[str, Any], make_set: MakeSet) -> None:
    # A picture of one row tells its number on the left and its mirroring by the side the number is on.
    pixels = np.zeros((1, 2, 3), np.uint8)
    files = {}
    for i in range(case["n"]):
        pixels[0, 0] = i + 1
        files[f"{i:03d}.png"] = pixels.copy()
    pictures = PictureSet.open(
        make_set(files), max_size=case["max_size"], seed=case["random_seed"], xflip=case["xflip"]
    )
    assert len(pictures) == case["length"]
    details = [pictures.details(i) for i in range(len(pictures))]
    assert [d.raw_index for d in details] == case["raw_idx"]
    assert [int(d.mirrored) for d in details] == case["flip"]
    for i in range(len(pictures)):
        column = pictures[i][0][0, 0]
        assert column[case["flip"][i]] == case["raw_idx"][i] + 1


@pytest.mark.parametrize("case", golden_cases("labels"))
def test_labels_of_the_reference(case: dict[str, Any], make_set: MakeSet) -> None:
    count = len(case["get_label"])
    names = [f"{i}.png" for i in range(count)]
    labels = None if case["raw"] is None else [[n, label] for n, label in zip(names, case["raw"], strict=True)]
    path = make_set({name: noise(0) for name in names}, labels=labels)
    pictures = PictureSet.open(path, use_labels=True)
    assert (pictures.label_dim, pictures.has_labels) == (case["label_dim"], case["has_labels"])
    for i, expected in enumerate(case["get_label"]):
        np.testing.assert_array_equal(pictures[i][1], np.array(expected, np.float32))
        np.testing.assert_array_equal(pictures.label(i), pictures[i][1])
    assert PictureSet.open(path).label_dim == 0


def test_the_label_dimension_is_that_of_the_whole_set(make_set: MakeSet) -> None:
    path = make_set({"a.png": noise(0), "b.png": noise(1)}, labels=[["a.png", 0], ["b.png", 7], ["gone", 9]])
    pictures = PictureSet.open(path, use_labels=True, max_size=1, seed=1)
    assert (len(pictures), pictures.details(0).name, pictures.label_dim) == (1, "a.png", 8)
    assert pictures.details(0).raw_label == 0


def test_all_zero_class_ids_are_labels(make_set: MakeSet) -> None:
    pictures = PictureSet.open(make_set({"a.png": noise(0)}, labels=[["a.png", 0]]), use_labels=True)
    assert (pictures.label_dim, pictures.has_labels, pictures.has_class_ids) == (1, True, True)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["a.png", 1]], r"dataset\.json has no label for b\.png"),
        ([["a.png", 1], ["b.png", -1]], r"label of b\.png is -1, expected a whole number"),
        ([["a.png", "cat"], ["b.png", 1]], r"label of a\.png is 'cat'"),
        ([["a.png", 0.5], ["b.png", 1]], r"label of a\.png is 0\.5"),
        ([["a.png", [1, 2]], ["b.png", [1]]], r"label of b\.png is \[1\], expected a list of 2 finite"),
        ([["a.png", [1, 2]], ["b.png", 1]], r"label of b\.png is 1, expected a list of 2"),
        ([["a.png", 10**30], ["b.png", 1]], r"label of a\.png is 10+, expected a whole number"),
        ([["a.png", 10**12], ["b.png", 1]], r"label of a\.png is 10+, expected a whole number"),
        ([["a.png", [10**400]], ["b.png", [1]]], r"label of a\.png is \[10+\.\.\., expected a list of 1"),
        ([["a.png", [1e300]], ["b.png", [1]]], r"label of a\.png is \[1e\+300\], expected a list of 1"),
        (["a.png"], "not pairs"),
        ("none", "expected a list of pairs or null"),
    ],
)
def test_bad_labels_are_named(labels: Any, message: str, make_set: MakeSet) -> None:
    path = make_set({"a.png": noise(0), "b.png": noise(1)}, labels=labels)
    assert len(PictureSet.open(path)) == 2  # unread, they do no harm
    with pytest.raises(DatasetError, match=message):
        PictureSet.open(path, use_labels=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b'{"classes": []}', 'no key "labels"'),
    ],
)
def test_a_bad_label_file_is_named(text: bytes, message: str, make_set: MakeSet) -> None:
    path = make_set({"a.png": noise(0), "dataset.json": text})
    with pytest.raises(DatasetError, match=message):
        PictureSet.open(path, use_labels=True)


def test_grey_and_palette_become_rgb(make_set: MakeSet) -> None:
    grey = Image.fromarray(noise(0)[:, :, 0])
    palette = Image.fromarray(noise(1)).quantize(7)
    two_tone = grey.convert("1")
    pictures = PictureSet.open(make_set({"g.png": grey, "p.png": palette, "t.png": two_tone}))
    assert pictures.modes == {"L": 1, "P": 1, "1": 1}
    for i, source in enumerate((grey, palette, two_tone)):
        expected = np.asarray(source.convert("RGB")).transpose(2, 0, 1)
        np.testing.assert_array_equal(pictures[i][0], expected)


def test_the_exif_turn_is_carried_out(make_set: MakeSet) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    lying = np.full((4, 8, 3), 255, np.uint8)
    lying[:, :4] = 0  # dark on the left as stored, above as shown
    path = make_set({"a.jpg": encoded(lying, "JPEG", exif=exif, quality=100, subsampling=0)})
    pictures = PictureSet.open(path)
    assert pictures.image_shape == (3, 8, 4)
    pixels = pictures[0][0]
    assert pixels[:, :4].max() < 10
    assert pixels[:, 4:].min() > 245


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (noise(9, 4, 4), r"b\.png is 4x4 \(height x width\), expected 8x4 like 2 others"),
        (Image.new("RGBA", (4, 8)), r"b\.png is partly transparent \(flatten it"),
        (Image.new("LA", (4, 8)), r"b\.png is partly transparent"),
        (encoded(Image.new("P", (4, 8)), transparency=0), r"b\.png is partly transparent"),
        (np.zeros((8, 4), np.uint16), r"b\.png is of more than 8 bits a channel"),
        (sixteen_bit_rgb(), r"b\.png is of more than 8 bits a channel"),
        (encoded(Image.new("CMYK", (4, 8)), "JPEG"), r"b\.png is in the colour model CMYK"),
        (b"<html>not found</html>", r"b\.png is not a readable picture"),
        (b"", r"b\.png is not a readable picture"),
    ],
)
def test_a_bad_picture_is_named_at_the_door(bad: Any, message: str, make_set: MakeSet) -> None:
    path = make_set({"a.png": noise(0), "b.png": bad, "c.png": noise(1)})
    with pytest.raises(DatasetError, match=message) as raised:
        PictureSet.open(path)
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("repair, remove or skip bad pictures")


def test_bad_pictures_can_be_skipped(make_set: MakeSet, caplog: pytest.LogCaptureFixture) -> None:
    # The first picture is the odd one: the size is that of the many.
    files = {"a.png": noise(0, 4, 4), "b.png": noise(1), "c.png": b"?", "d.png": noise(2)}
    path = make_set(files, labels=[["a.png", 5], ["b.png", 1], ["c.png", 0], ["d.png", 2]])
    pictures = PictureSet.open(path, on_bad="skip", use_labels=True)
    assert pictures.names == ["b.png", "d.png"]
    assert pictures.image_shape == (3, 8, 4)
    assert pictures.label_dim == 6  # over all raw labels
    assert [int(pictures.label(i).argmax()) for i in range(2)] == [1, 2]
    assert "2 of 4 pictures cannot be used; the first: a.png is 4x4" in caplog.text


def test_a_set_of_bad_pictures_only_is_refused_even_when_skipping(make_set: MakeSet) -> None:
    with pytest.raises(DatasetError, match=r"none of 1 pictures can be used: a.png is not a readable"):
        PictureSet.open(make_set({"a.png": b"?"}), on_bad="skip")


def test_a_demanded_size_is_demanded(make_set: MakeSet) -> None:
    path = make_set({"a.png": noise(0), "b.png": noise(1)})
    assert PictureSet.open(path, resolution=(8, 4)).height == 8
    with pytest.raises(DatasetError, match=r"none of 2 pictures can be used: a.png is 8x4.*expected 16x8"):
        PictureSet.open(path, resolution=(16, 8))


def test_a_truncated_picture_is_named_on_access(tmp_path: Path) -> None:
    whole = encoded(noise(0, 64, 64))
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    pictures = PictureSet.open(tmp_path)
    with pytest.raises(DatasetError, match=r"a\.png is damaged \(.*truncated.*replace or remove it"):
        pictures[0]


def test_damage_inside_a_zip_is_named_on_access(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", encoded(noise(0, 64, 64)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"a\.png cannot be read \(Bad CRC"):
        PictureSet.open(path)[0]


def test_a_picture_exchanged_after_opening_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(0)))
    pictures = PictureSet.open(tmp_path)
    (tmp_path / "a.png").write_bytes(encoded(noise(0, 4, 4)))
    with pytest.raises(DatasetError, match=r"a\.png is 4x4, expected 8x4: it changed"):
        pictures[0]


def test_a_slow_disk_gives_the_same_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(9):
        (tmp_path / f"{i}.png").write_bytes(encoded(noise(i)))
    (tmp_path / "5.png").write_bytes(b"?")
    monkeypatch.setattr("vitruvian.data.pictures._PROBE", 3)
    near = PictureSet.open(tmp_path, on_bad="skip").names
    monkeypatch.setattr("vitruvian.data.pictures._SLOW_HEADER", -1.0)
    assert PictureSet.open(tmp_path, on_bad="skip").names == near == [f"{i}.png" for i in range(9) if i != 5]


def test_masks_beside_the_pictures_are_left_out(make_set: MakeSet, caplog: pytest.LogCaptureFixture) -> None:
    mask = np.full((8, 4), 255, np.uint8)
    path = make_set({"no_segment/1.png": noise(0), "segments/1.png": mask, "segments/2.png": mask})
    with caplog.at_level(logging.INFO, "vitruvian"):
        assert PictureSet.open(path).names == ["no_segment/1.png"]
    assert "left out 2 files in mask folders" in caplog.text


def test_a_set_of_masks_alone_is_taken(make_set: MakeSet) -> None:
    assert len(PictureSet.open(make_set({"segments/1.png": noise(0)}))) == 1


def test_shadow_files_and_documents_are_no_pictures(make_set: MakeSet) -> None:
    path = make_set({"a.png": noise(0), "__MACOSX/._a.png": b"?", "manual.pdf": b"?", "features.h5": b"?"})
    assert PictureSet.open(path).names == ["a.png"]


def test_paths_that_are_no_sets(tmp_path: Path) -> None:
    (tmp_path / "set.tar").write_bytes(b"")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    (tmp_path / "late.zip.partial").mkdir()
    for name, message in {
        "missing": "does not exist: expected the folder or .zip",
        "set.tar": "not a picture set: expected a folder or a .zip",
        "broken.zip": "cannot be read as a zip",
        "empty": "holds no pictures",
        "late.zip": "unfinished: only late.zip.partial is there",
    }.items():
        with pytest.raises(DatasetError, match=message):
            PictureSet.open(tmp_path / name)


@pytest.mark.parametrize(
    ("options", "message"), [({"max_size": 0}, "max_size is 0"), ({"on_bad": "ignore"}, "on_bad is 'ignore'")]
)
def test_impossible_options_are_named(options: dict[str, Any], message: str, make_set: MakeSet) -> None:
    with pytest.raises(OptionError, match=message):
        PictureSet.open(make_set({"a.png": noise(0)}), **options)


def test_a_set_travels_to_another_process_with_its_handle_open(make_set: MakeSet) -> None:
    pictures = PictureSet.open(make_set({"a.png": noise(0), "b.png": noise(1)}), xflip=True)
    first = pictures[3][0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pictures))[3][0], first)
    pictures.close()
    np.testing.assert_array_equal(pictures[3][0], first)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="needs fork")
def test_a_forked_process_opens_its_own_zip_handle(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", encoded(noise(0)))
    pictures = PictureSet.open(path)
    pictures[0]
    source: Any = pictures._source

    def read() -> None:
        sender.send((pictures[0][0], source._owner == os.getpid()))

    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=read)  # inherits the open handle, nothing is pickled
    child.start()
    pixels, own_handle = receiver.recv()
    child.join()
    np.testing.assert_array_equal(pixels, noise(0).transpose(2, 0, 1))
    assert own_handle


def test_damaged_side_files_in_a_zip_are_named(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", encoded(noise(0)))
        archive.writestr("dataset.json", '{"labels": [["a.png", 1]]}')
        archive.writestr("labels.jsonl", '{"file": "a.png"}\n')
    path.write_bytes(path.read_bytes().replace(b'["a.png", 1]', b'["a.png", 2]').replace(b'{"file":', b'{"film":'))
    with pytest.raises(DatasetError, match=r"dataset\.json cannot be read as JSON \(Bad CRC"):
        PictureSet.open(path, use_labels=True)
    with pytest.raises(DatasetError, match=r"labels\.jsonl cannot be read \(Bad CRC"):
        PictureSet.open(path).read_file("labels.jsonl")


def test_a_missing_side_file_is_named(make_set: MakeSet) -> None:
    pictures = PictureSet.open(make_set({"a.png": noise(0), "notes.txt": b"hello"}))
    assert pictures.read_file("notes.txt") == b"hello"
    assert (pictures.has_file("notes.txt"), pictures.has_file("labels.jsonl")) == (True, False)
    with pytest.raises(DatasetError, match=r"there is no labels.jsonl"):
        pictures.read_file("labels.jsonl")
