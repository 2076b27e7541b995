"""The run that makes a picture set: equal bytes, resumption, close-ups, labels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks import fake_renderer
from vitruvian.data import PictureSet, PictureSetWriter
from vitruvian.errors import DatasetError, MissingExtraError, OptionError
from vitruvian.options.dataset import SynthDatasetOptions
from vitruvian.tasks.synth import PersonJob, SynthProgress, SynthReport, class_label, plan, synthesise

ROOT = Path(__file__).parent.parent.parent


def options(out: Path, **changes: Any) -> SynthDatasetOptions:
    base: dict[str, Any] = {"count": 10, "size": "32x16", "seed": 3, "workers": 1, "poses_per_person": 4}
    return SynthDatasetOptions(out, **(base | changes))


def make(out: Path, render: Any = fake_renderer.render, **changes: Any) -> SynthReport:
    """A run in this process, which saves the start of another, unless workers are asked for."""
    return synthesise(options(out, **changes), render=render, in_process="workers" not in changes)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in PictureSet.open(path).read_file("labels.jsonl").splitlines()]


def folder_bytes(path: Path) -> dict[str, bytes]:
    return {f.relative_to(path).as_posix(): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def test_the_plan_gives_every_person_their_pictures() -> None:
    some = options(Path("x"), count=10)
    assert plan(some, finished=frozenset()) == [
        PersonJob(0, (0, 1, 2, 3)),
        PersonJob(1, (4, 5, 6, 7)),
        PersonJob(2, (8, 9)),
    ]
    assert plan(some, finished=frozenset({0, 2, 4, 5, 6, 7})) == [PersonJob(0, (1, 3)), PersonJob(2, (8, 9))]


def test_a_set_and_its_report(tmp_path: Path) -> None:
    report = make(tmp_path / "people.zip", class_label="gender")
    assert (report.pictures, report.people, report.rendered) == (10, 3, 10)
    assert report.closeups == {}
    pictures = PictureSet.open(report.out, use_labels=True)
    assert (len(pictures), pictures.image_shape, pictures.label_dim) == (10, (3, 32, 16), 2)
    assert [int(pictures.label(i).argmax()) for i in range(10)] == [0] * 4 + [1] * 4 + [0] * 2
    expected = np.random.default_rng([3, 1, 5]).integers(0, 256, (32, 16, 3), np.uint8)
    np.testing.assert_array_equal(pictures[5][0], expected.transpose(2, 0, 1))
    assert records(report.out)[5]["person"]["number"] == 1
    origin = json.loads(pictures.read_file("dataset.json"))["vitruvian"]["origin"]
    assert (origin["licence"], origin["seed"], origin["part"]) == ("CC0-1.0", 3, "body")
    assert "workers" not in origin


@pytest.mark.parametrize("name", ["people", "people.zip"])
def test_the_bytes_do_not_depend_on_the_workers(name: str, tmp_path: Path) -> None:
    one = make(tmp_path / "one" / name, workers=1, closeups=("face",), labels="full").out
    two = make(tmp_path / "two" / name, workers=2, closeups=("face",), labels="full").out
    for first in (one, one.with_name(name.replace("people", "people-face"))):
        second = two.with_name(first.name)
        if first.is_dir():
            assert folder_bytes(first) == folder_bytes(second)
            assert folder_bytes(first)
        else:
            assert first.read_bytes() == second.read_bytes()


def test_another_seed_makes_other_pictures(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a", seed=1).out, make(tmp_path / "b", seed=2).out
    assert (PictureSet.open(first)[0][0] != PictureSet.open(second)[0][0]).any()


@pytest.mark.parametrize("name", ["people", "people.zip"])
def test_closeups_lie_beside_the_set(name: str, tmp_path: Path) -> None:
    report = make(tmp_path / name, closeups=("face", "shoes"))
    suffix = ".zip" if name.endswith(".zip") else ""
    assert sorted(os.listdir(tmp_path)) == sorted([name, f"people-face{suffix}", f"people-shoes{suffix}"])
    assert len(PictureSet.open(report.out)) == 10
    faces = PictureSet.open(report.closeups["face"])
    assert faces.names == [f"00000/img{i:08d}.png" for i in range(0, 10, 2)]  # those that show
    assert records(report.closeups["face"])[1] == {
        "file": "00000/img00000002.png",
        "part": "face",
        "source": "00000/img00000002.png",
        "person": {"number": 0, "gender": "female"},
        "yaw": -90.0,
        "window": [0, 0, 4, 4],
    }
    assert [record["closeups"] for record in records(report.out)[:2]] == [["face", "shoes"], ["shoes"]]
    assert len(PictureSet.open(report.closeups["shoes"])) == 10


def test_a_part_that_never_shows_makes_no_set(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make(tmp_path / "people", closeups=("face",), count=1, poses_per_person=1)
    assert (tmp_path / "people-face").exists()
    bare = options(tmp_path / "bare", closeups=("face",), count=1)
    without = [fake_renderer.RenderedPicture(np.zeros((32, 16, 3), np.uint8), {})]
    report = synthesise(bare, render=lambda _options, _job: without, in_process=True)
    assert "no picture shows this part" in caplog.text
    assert report.closeups == {}
    assert not (tmp_path / "bare-face").exists()


@pytest.mark.parametrize(
    ("labels", "has_records", "has_arrays"),
    [("none", False, False), ("basic", True, False), ("full", True, True)],
)
def test_how_much_is_kept(labels: Any, has_records: bool, has_arrays: bool, tmp_path: Path) -> None:
    make(tmp_path / "people.zip", labels=labels)
    with zipfile.ZipFile(tmp_path / "people.zip") as archive:
        names = archive.namelist()
    assert ("labels.jsonl" in names) == has_records
    assert ("00000/img00000009.npz" in names) == has_arrays


def test_class_labels() -> None:
    assert class_label("none", {}) is None
    assert [class_label("gender", {"person": {"gender": g}}) for g in ("female", "male")] == [0, 1]
    # half a step on either side belongs to the class, and the circle closes
    yaws = {0: 0, 22: 0, -22: 0, 23: 1, 90: 2, 180: 4, -180: 4, -90: 6, -23: 7, 338: 0}
    assert {yaw: class_label("yaw", {"yaw": yaw}) for yaw in yaws} == yaws


def test_progress_counts_up_to_all(tmp_path: Path) -> None:
    seen: list[SynthProgress] = []
    synthesise(options(tmp_path / "people"), render=fake_renderer.render, progress=seen.append, in_process=True)
    assert [at.done for at in seen] == [4, 8, 10]
    assert {at.total for at in seen} == {10}
    assert all(at.rate > 0 for at in seen)


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    def stop_after_one(at: SynthProgress) -> None:
        raise KeyboardInterrupt

    wanted = options(tmp_path / "people.zip", closeups=("shoes",))
    with pytest.raises(KeyboardInterrupt):
        synthesise(wanted, render=fake_renderer.render, progress=stop_after_one, in_process=True)
    assert not wanted.out.exists()
    seen: list[SynthProgress] = []
    report = synthesise(wanted, render=fake_renderer.render, progress=seen.append, in_process=True)
    assert (report.rendered, report.pictures) == (6, 10)
    assert [at.done for at in seen] == [8, 10]
    at_once = make(tmp_path / "at-once" / "people.zip", closeups=("shoes",))
    assert report.out.read_bytes() == at_once.out.read_bytes()
    assert report.closeups["shoes"].read_bytes() == at_once.closeups["shoes"].read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["at-once", "people-shoes.zip", "people.zip"]


def test_a_kill_between_two_renames_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = options(tmp_path / "people.zip", closeups=("shoes",))
    finish = PictureSetWriter.finish

    def die_before_the_last(writer: PictureSetWriter) -> Path:
        if writer.path == wanted.out:
            raise KeyboardInterrupt
        return finish(writer)

    with monkeypatch.context() as patch:
        patch.setattr(PictureSetWriter, "finish", die_before_the_last)
        with pytest.raises(KeyboardInterrupt):
            synthesise(wanted, render=fake_renderer.render, in_process=True)
    assert os.listdir(tmp_path).count("people-shoes.zip") == 1
    assert synthesise(wanted, render=fake_renderer.render_never, in_process=True).rendered == 0
    assert len(PictureSet.open(wanted.out)) == 10


def test_a_finished_set_is_left_as_it_is(tmp_path: Path) -> None:
    out = make(tmp_path / "people.zip").out
    before = out.stat().st_mtime_ns
    report = make(out, render=fake_renderer.render_never, workers=2)
    assert (report.rendered, report.rate, report.pictures) == (0, 0.0, 10)
    assert out.stat().st_mtime_ns == before
    with pytest.raises(DatasetError, match="already exists with other content"):
        make(out, seed=4)


def test_a_fault_of_the_renderer_tells_the_person(tmp_path: Path) -> None:
    for name, place in {"here": {}, "there": {"workers": 2}}.items():
        with pytest.raises(RuntimeError, match="no such shoe") as raised:
            make(tmp_path / name, render=fake_renderer.render_badly, **place)
        assert "while rendering person 1 (pictures (4, 5, 6, 7), seed 3)" in raised.value.__notes__


def test_a_missing_extra_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitruvian.tasks.synth.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'vitruvian\[mannequin\]'"):
        synthesise(options(tmp_path / "people"))
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PictureSetWriter, "add", no_space)
    with pytest.raises(DatasetError, match=r"cannot be written.*No space left.*finished pictures are kept"):
        make(tmp_path / "people")


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
def test_ctrl_c_stops_at_once_and_keeps_what_is_finished(tmp_path: Path) -> None:
    out = tmp_path / "people.zip"
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT)!r})
        from tests.tasks import fake_renderer
        from vitruvian.options.dataset import SynthDatasetOptions
        from vitruvian.tasks.synth import synthesise

        def tell(at):
            print(at.done, flush=True)

        if __name__ == "__main__":
            options = SynthDatasetOptions(Path({str(out)!r}), count=400, size="32x16", workers=2)
            try:
                synthesise(options, render=fake_renderer.render_slowly, progress=tell)
            except KeyboardInterrupt:
                sys.exit(130)
        """)
    )
    run = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "4\n"
    os.killpg(run.pid, signal.SIGINT)  # the terminal sends it to workers as well
    _, errors = run.communicate(timeout=20)
    assert (run.returncode, errors) == (130, "")
    with PictureSetWriter(out, origin=_origin_of(out)) as writer:
        assert 4 <= len(writer) < 400


def _origin_of(out: Path) -> dict[str, Any]:
    return json.loads((out.with_name(out.name + ".partial") / "origin.json").read_text())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 0}, "--count is 0, expected at least 1"),
        ({"poses_per_person": 0}, "--poses-per-person is 0"),
        ({"size": "tall"}, "--size is 'tall', expected height x width such as 1024x512"),
        ({"size": "32x4"}, "--size is 32x4, expected sides of 16 to 4096 pixels"),
        ({"closeup_size": "9999"}, "--closeup-size is 9999, expected sides of 16"),
        ({"any_yaw_fraction": 1.5}, "--any-yaw-fraction is 1.5, expected 0 to 1"),
        ({"backgrounds": ()}, "--backgrounds is empty"),
    ],
)
def test_impossible_options_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        options(Path("x"), **changes)


@pytest.mark.parametrize("out", [".", "/", "", ".."])
def test_a_set_needs_a_name(out: str) -> None:
    with pytest.raises(OptionError, match=r"expected the name of a folder or \.zip file"):
        options(Path(out))


def test_sizes_are_height_by_width() -> None:
    assert options(Path("x"), size="1024x512").height_width == (1024, 512)
    assert options(Path("x"), closeup_size="64").closeup_height_width == (64, 64)
