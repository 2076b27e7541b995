"""``vitruvian train``: how it ends, and where its words go."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vitruvian.cli.train import main
from vitruvian.options.train import TrainOptions
from vitruvian.training.gan import TrainProgress, TrainResult
from vitruvian.training.plan import make_plan

PLAN = make_plan(TrainOptions(), height=16, width=8, img_channels=3, label_dim=0)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens during the run: signals that arrive, and whether the run comes to its end nevertheless."""

    def prepare(*signals: int, finished: bool) -> None:
        def train(_options: Any, *, progress: Callable[[TrainProgress], None], should_stop: Any) -> TrainResult:
            progress(TrainProgress(8, 1000, 0.0, "tick 0"))
            progress(TrainProgress(8, 1000, 2.0))
            for number in signals:
                os.kill(os.getpid(), number)
            assert should_stop() == bool(signals)
            return TrainResult(Path("runs/00000"), 1000 if finished else 8, finished, None, PLAN)

        monkeypatch.setattr("vitruvian.training.gan.train_gan", train)

    return prepare


@pytest.mark.parametrize("command", ["train", "dataset"])
def test_a_command_without_its_word_shows_the_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    group = importlib.import_module(f"vitruvian.cli.{command}")
    assert (group.main([]), group.main(["--help"])) == (2, 0)
    assert f"usage: vitruvian {command} {{" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_exits_with_130(
    number: int, script: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    script(number, finished=False)
    assert main(["gan"]) == 130
    assert "go on with: vitruvian train gan --resume runs/00000" in capsys.readouterr().out
    assert signal.getsignal(number) is before


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
def test_a_signal_in_the_last_step_changes_nothing(script: Callable[..., None]) -> None:
    script(signal.SIGINT, finished=True)
    assert main(["gan"]) == 0


def test_the_log_stays_in_a_file_while_a_bar_is_on_the_terminal(
    script: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script(finished=True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["gan"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("tick 0\n")
    assert "8/1000" in err
