"""The loop end to end at a size that a processor trains in seconds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from vitruvian.checkpoints import load_network
from vitruvian.data import PictureSet
from vitruvian.errors import DatasetError, OptionError
from vitruvian.nn.stylegan2 import Generator
from vitruvian.options.train import TrainOptions
from vitruvian.training.gan import GanTraining, train_gan
from vitruvian.training.plan import make_plan
from vitruvian.training.run_folder import STATES_KEPT, RunFolder

SMALL = {"cfg": "auto", "kimg": 1, "tick": 1, "batch": 8, "cbase": 64, "cmax": 8, "latent": 8, "map_depth": 2}


def train(data: Path, outdir: Path, **changes: object) -> Path:
    options = TrainOptions(data=data, outdir=outdir, **{**SMALL, **changes})  # pyright: ignore[reportArgumentType]
    return train_gan(options).run


def final_state(run: Path) -> dict:
    state = RunFolder(run).load_state()
    assert state is not None
    return state


def assert_equal_states(a: object, b: object, path: str = "") -> None:
    assert type(a) is type(b), path
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), path  # pyright: ignore[reportArgumentType]
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), path  # pyright: ignore[reportAttributeAccessIssue]
        for key in a:
            if key not in ("seconds", "tick_seconds", "lengths"):  # the wall clock is not reproducible
                assert_equal_states(a[key], b[key], f"{path}/{key}")  # pyright: ignore[reportIndexIssue]
    elif isinstance(a, list):
        for index, (x, y) in enumerate(zip(a, b, strict=True)):  # pyright: ignore[reportArgumentType]
            assert_equal_states(x, y, f"{path}/{index}")
    else:
        assert a == b, path


@pytest.fixture(scope="module")
def whole_run(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody interrupted."""
    return train(tiny_set, tmp_path_factory.mktemp("whole"), mirror=True)


def test_a_run_leaves_what_the_folder_promises(whole_run: Path) -> None:
    names = {path.name for path in whole_run.iterdir()}
    assert {
        "options.json",
        "log.txt",
        "stats.jsonl",
        "reals.png",
        "fakes_init.png",
        "fakes000001.png",
        "state",
    } <= names
    assert "network-snapshot-000001.safetensors" in names
    assert len(list((whole_run / "state").iterdir())) <= STATES_KEPT
    lines = [json.loads(line) for line in (whole_run / "stats.jsonl").read_text().splitlines()]
    assert lines[-1]["Progress/kimg"] == 1.0
    assert set(lines[-1]["Loss/D/loss"]) == {"num", "mean", "std"}


def test_the_snapshot_is_the_average_and_makes_pictures(whole_run: Path) -> None:
    network, card = load_network(whole_run / "network-snapshot-000001.safetensors")
    assert card.training["kimg"] == 1.0
    average = final_state(whole_run)["G_ema"]
    assert all(torch.equal(tensor, average[name]) for name, tensor in network.state_dict().items())
    assert network(torch.randn(2, 8)).shape == (2, 3, 16, 8)


def test_weights_move_and_the_average_lags(whole_run: Path) -> None:
    state = final_state(whole_run)
    name = "synthesis.b4.conv1.weight"
    assert not torch.equal(state["G"][name], state["G_ema"][name])


def test_a_stopped_run_goes_on_bit_for_bit(whole_run: Path, tiny_set: Path, tmp_path: Path) -> None:
    steps = 0

    def after_some() -> bool:
        nonlocal steps
        steps += 1
        return steps % 37 == 0

    options = TrainOptions(data=tiny_set, outdir=tmp_path, mirror=True, **SMALL)  # pyright: ignore[reportArgumentType]
    result = train_gan(options, should_stop=after_some)
    assert not result.finished
    while not result.finished:
        result = train_gan(TrainOptions(outdir=tmp_path, resume="latest"), should_stop=after_some)
    assert_equal_states(final_state(result.run), final_state(whole_run))
    shown = [json.loads(line)["Progress/kimg"] for line in (result.run / "stats.jsonl").read_text().splitlines()]
    assert shown == sorted(set(shown))


def test_a_killed_run_goes_on_bit_for_bit(whole_run: Path, tiny_set: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments; every restart goes on from the last state."""
    script = "import sys; from vitruvian.cli import main;sys.exit(main(['train', 'gan', '--quiet', *sys.argv[1:]]))"
    fresh = [
        "--data",
        str(tiny_set),
        "--outdir",
        str(tmp_path),
        "--mirror",
        "--cfg",
        "auto",
        "--kimg",
        "1",
        "--tick",
        "1",
    ]
    fresh += ["--batch", "8", "--cbase", "64", "--cmax", "8", "--latent", "8", "--map-depth", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    delays = random.Random(5)
    for attempt in range(40):
        has_state = any(tmp_path.glob("*/state/state-*.pt"))
        arguments = ["--outdir", str(tmp_path), "--resume", "latest"] if has_state else fresh
        process = subprocess.Popen([sys.executable, "-c", script, *arguments], env=environment)
        if attempt < 3:
            deadline = time.monotonic() + 60
            while not has_state and not any(tmp_path.glob("*/state/state-*.pt")) and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(delays.uniform(0.0, 4.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
        elif process.wait() == 0:
            break
    else:
        pytest.fail("the run never came to its end")
    finished = max(tmp_path.glob("[0-9]*"), key=lambda path: path.name)
    assert_equal_states(final_state(finished), final_state(whole_run))


def test_a_damaged_newest_state_falls_back_to_the_one_before(whole_run: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.states.mkdir()
    run.save_state(1, {"clock": 1})
    run.save_state(2, {"clock": 2})
    newest = run.states / "state-000000000002.pt"
    newest.write_bytes(newest.read_bytes()[:100])
    assert run.load_state() == {"clock": 1}


def test_bad_runs_are_named(tiny_set: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--data is missing"):
        train_gan(TrainOptions(outdir=tmp_path))
    with pytest.raises(OptionError, match="no run in"):
        train_gan(TrainOptions(outdir=tmp_path, resume="latest"))
    with pytest.raises(OptionError, match="not a run folder"):
        train_gan(TrainOptions(outdir=tmp_path, resume=str(tiny_set)))
    assert list(tmp_path.iterdir()) == []


def test_a_run_goes_on_over_other_pictures(tiny_set: Path, tmp_path: Path) -> None:
    half = tmp_path / "half"
    half.mkdir()
    for path in sorted(tiny_set.glob("*.png"))[::2]:
        (half / path.name).write_bytes(path.read_bytes())
    train(tiny_set, tmp_path / "runs", batch=100)
    again = train(half, tmp_path / "runs", resume="latest", batch=100, kimg=2)
    assert final_state(again)["clock"][0] == 2000
    (half / "003.png").write_bytes((half / "002.png").read_bytes())
    with pytest.raises(DatasetError, match="walked 12 pictures"):  # the same name for other pictures is a mistake
        train(half, tmp_path / "runs", resume="latest", batch=100, kimg=3)


def test_the_generator_paints_with_the_weights_of_the_last_step(tiny_set: Path) -> None:
    """Nothing may be kept across a step: a fused optimiser changes weights without raising their version."""
    options = TrainOptions(**SMALL)  # pyright: ignore[reportArgumentType]
    plan = make_plan(options, height=16, width=8, img_channels=3, label_dim=0)
    training = GanTraining(plan, PictureSet.open(tiny_set), torch.device("cpu"))
    for _ in range(3):
        training.step()
    for network in (training.G, training.G_ema):
        fresh = Generator(**vars(network.config))
        fresh.load_state_dict(network.state_dict())
        with torch.no_grad():
            w = fresh.train(network.training).mapping(torch.ones(2, 8))
            painted, expected = (G.synthesis(w, noise_mode="const") for G in (network, fresh))
        assert torch.equal(painted, expected)
