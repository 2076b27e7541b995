from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tasks.small_networks import write_small_network
from vitruvian.cli import main
from vitruvian.tasks import mix as task


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_small_network(tmp_path_factory.mktemp("net"))


def test_the_contract(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = f"mix --network {network} --rows 1,2 --cols 3-5 --styles 0-3 --outdir {tmp_path} --json"
    assert main(line.split()) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["grid"], result["pictures"]) == (str(tmp_path / "grid.png"), 11)
    assert main([*line.split(), "--video", "--duration", "0.2", "--fps", "10"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["film"], result["frames"]) == (str(tmp_path / "style-mixing.mp4"), 2)


def test_words_say_where(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["mix", "--network", network, "--rows", "1", "--cols", "2", "--styles", "0", "--outdir", str(tmp_path)]
    assert main([*line, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert main(line) == 0
    assert f"{tmp_path / 'grid.png'}: all on one sheet\n3 pictures in {tmp_path}" in capsys.readouterr().out


def test_layers_that_are_not_there_are_one_line(network: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mix", "--network", network, "--styles", "0-8"]) == 2
    shown = capsys.readouterr().err
    assert "--styles 0-8: there is no layer 8" in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "finished pictures are kept in"),
        (["--video"], "style-mixing.mp4 is not there, nothing of it was written"),
        (["--video", "--format", "frames"], "the same command goes on from there"),
    ],
)
def test_ctrl_c_says_what_is_left(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(task, "mix", interrupted)
    assert main(["mix", "--outdir", str(tmp_path), *arguments]) == 130
    assert words in capsys.readouterr().err
