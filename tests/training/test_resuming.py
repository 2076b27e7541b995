"""What a resumed run keeps and what it may be told anew."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vitruvian.errors import OptionError
from vitruvian.options.train import TrainOptions
from vitruvian.training.gan import train_gan
from vitruvian.training.plan import BASES
from vitruvian.training.run_folder import RunFolder

SMALL: dict[str, Any] = {"kimg": 1, "tick": 1, "batch": 100, "cbase": 32, "cmax": 4, "latent": 4, "map_depth": 1}


@pytest.fixture(scope="module")
def begun(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run stopped after two steps."""
    steps = iter([False, True])
    options = TrainOptions(data=tiny_set, outdir=tmp_path_factory.mktemp("begun"), **SMALL)
    return train_gan(options, should_stop=lambda: next(steps)).run


@pytest.fixture
def run(begun: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(begun, tmp_path / "runs" / begun.name))


def plan(run: Path) -> dict[str, Any]:
    return json.loads((run / "options.json").read_text())["plan"]


def go_on(run: Path, **options: Any) -> None:
    train_gan(TrainOptions(resume=str(run), **options), should_stop=lambda: True)


def test_a_learning_rate_given_anew_is_the_one_used(run: Path) -> None:
    go_on(run, glr=0.1, dlr=0.2)
    assert (plan(run)["G_lr"], plan(run)["D_lr"]) == (0.1, 0.2)
    state = RunFolder(run).load_state()
    assert state is not None
    rates = [state[f"{name}_optimiser"]["param_groups"][0]["lr"] for name in "GD"]
    assert rates == pytest.approx([0.1 * 4 / 5, 0.2 * 16 / 17])
    go_on(run)
    assert plan(run)["G_lr"] == 0.1  # and stays


def test_the_run_keeps_its_plan_when_recipes_change(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan(run)
    monkeypatch.setitem(BASES, "auto", replace(BASES["auto"], gamma=77.0, pl_weight=1.0, ema=9.0))
    go_on(run, kimg=3)
    assert plan(run) == {**before, "total_kimg": 3}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 4}, "--batch 4: the run was begun with 100; a resumed run may change"),
        ({"mirror": True}, "--mirror True: the run was begun with False"),
        ({"map_depth": 2}, "--map-depth 2"),
    ],
)
def test_what_cannot_change_in_the_middle_is_refused(options: dict, words: str, run: Path) -> None:
    with pytest.raises(OptionError, match=words):
        go_on(run, **options)


def test_pictures_of_another_shape_are_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "square").mkdir()
    Image.new("RGB", (16, 16)).save(tmp_path / "square" / "a.png")
    with pytest.raises(OptionError, match="begun on pictures with width 8, these have 16"):
        go_on(run, data=tmp_path / "square")


@pytest.mark.parametrize(
    "document",
    [
        "[]",
        "{}",
        "x",
        '{"options": 3}',
        '{"options": {"data": null}}',
        '{"options": {"data": "x", "outdir": "y", "colour": 1}, "plan": {}}',
    ],
)
def test_options_that_are_none_are_told_in_one_line(document: str, run: Path) -> None:
    (run / "options.json").write_text(document)
    with pytest.raises(OptionError, match=r"options\.json: not .*cannot be resumed"):
        go_on(run)


def test_a_plan_of_another_version_is_refused(run: Path) -> None:
    document = json.loads((run / "options.json").read_text())
    document["plan"]["colour"] = 1
    (run / "options.json").write_text(json.dumps(document))
    with pytest.raises(OptionError, match="plan is of another version"):
        go_on(run)


@pytest.mark.parametrize("state", [[1, 2], {}, {"G": {}}])
def test_a_state_that_is_none_is_told_in_one_line(state: Any, run: Path) -> None:
    folder = RunFolder(run)
    folder.save_state(999, state)
    with pytest.raises(OptionError, match="its saved state does not fit its options"):
        go_on(run)


def test_a_run_without_a_state_starts_its_files_over(run: Path) -> None:
    shutil.rmtree(run / "state")
    (run / "state").mkdir()
    go_on(run)
    assert (run / "log.txt").read_text().count("plan:") == 1
    assert len((run / "stats.jsonl").read_text().splitlines()) == 1


def test_a_finished_run_answers_its_network(run: Path) -> None:
    train_gan(TrainOptions(resume=str(run)))
    again = train_gan(TrainOptions(resume=str(run)))
    assert again.finished
    assert again.snapshot == run / "network-snapshot-000001.safetensors"


def test_seconds_a_kimg_count_every_part_of_a_tick(run: Path) -> None:
    state = RunFolder(run).load_state()
    assert state is not None
    state["tick_seconds"] = 1000.0  # of the stopped part
    RunFolder(run).save_state(999, state)
    train_gan(TrainOptions(resume=str(run)))
    last = json.loads((run / "stats.jsonl").read_text().splitlines()[-1])
    assert last["Timing/sec_per_kimg"] > 1000
