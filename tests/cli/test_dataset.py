"""``vitruvian dataset``: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tasks import fake_renderer
from vitruvian.cli.dataset import main
from vitruvian.errors import DatasetError, OptionError


@pytest.fixture(autouse=True)
def _fake_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitruvian.tasks.synth._mannequin", lambda: fake_renderer.render)


def synth(out: Path, *arguments: str) -> int:
    return main(["synth", str(out), "--count", "5", "--size", "32x16", "--workers", "1", *arguments])


def test_synth_writes_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth(tmp_path / "people.zip", "--closeups", "face", "shoes") == 0
    out, err = capsys.readouterr()
    assert "people.zip: 5 pictures of 2 people (5 made now" in out
    assert "people-face.zip: close-ups, face" in out
    assert err == ""  # no bar where there is no terminal
    assert synth(tmp_path / "people.zip", "--closeups", "face", "shoes") == 0
    assert "(all there already)" in capsys.readouterr().out


def test_synth_answers_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth(tmp_path / "people", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["out"] == str(tmp_path / "people")
    assert (answer["pictures"], answer["people"], answer["rendered"]) == (5, 2, 5)
    assert answer["rate"] > 0


def test_quiet_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth(tmp_path / "people", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_drawn_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert synth(tmp_path / "people", "--json") == 0
    out, err = capsys.readouterr()
    assert "5/5" in err
    assert "pictures/s" in err
    json.loads(out)  # untouched by the bar


def test_ctrl_c_tells_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vitruvian.tasks.synth.synthesise", interrupted)
    assert synth(tmp_path / "people") == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert "people.partial, and the same command goes on from there" in err


def test_info_tells_the_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synth(tmp_path / "people.zip", "--class-label", "gender", "--quiet")
    assert main(["info", str(tmp_path / "people.zip"), "--sheet", str(tmp_path / "s.png")]) == 0
    text = capsys.readouterr().out
    assert "5, 32x16 (height x width), stored as 5 RGB" in text
    assert "class, dimension 2" in text
    assert "class    0         4  ##############################" in text
    assert "class    1         1  ########" in text
    assert (tmp_path / "s.png").exists()
    assert main(["info", str(tmp_path / "people.zip"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["histogram"] == {"0": 4, "1": 1}


def test_bad_input_goes_up_to_the_frame(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        main(["info", str(tmp_path / "missing.zip")])
    with pytest.raises(OptionError, match="--size is 'tall'"):
        synth(tmp_path / "people", "--size", "tall")


@pytest.mark.parametrize("command", ["synth", "info"])
def test_help_explains_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code in (0, None)
    assert f"Example: vitruvian dataset {command}" in capsys.readouterr().out


def test_the_overview_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "usage: vitruvian dataset {synth,info}" in text
    assert "Render synthetic people into a picture set" in text
    assert "example: vitruvian dataset" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sinth"], "dataset sinth: unknown command, expected synth or info"),
        (["info", "x", "--shet", "y"], "--shet"),
        (["synth"], "OUT"),
        (["synth", "x", "--count", "many"], "--count"),
        (["synth", "x", "--closeups", "nose"], "nose"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError) as raised:
        main(arguments)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert capsys.readouterr() == ("", "")


def test_the_options_are_a_contract(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts rely on these names: remove one only together with its line here."""
    for command, names in {
        "synth": "count size seed workers poses-per-person backgrounds closeups closeup-size labels"
        " class-label quality yaw-sigma any-yaw-fraction",
        "info": "sheet rows cols seed",
    }.items():
        with pytest.raises(SystemExit):
            main([command, "--help"])
        text = capsys.readouterr().out
        for name in [*names.split(), "json", "quiet"]:
            assert f"--{name} " in text


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom vitruvian.cli.dataset import main\n"
        "try: main(['synth', '--help'])\nexcept SystemExit: pass\n"
        "print('HEAVY', {'numpy', 'torch', 'warp', 'scipy', 'PIL'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY set()" in shown.stdout
