from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vitruvian.checkpoints import write_network
from vitruvian.cli import COMMANDS, main
from vitruvian.nn import StyleGAN2Generator


def test_help_does_not_import_torch() -> None:
    script = (
        "import sys; from vitruvian.cli import main; code = main(['--help']);"
        "heavy = {'torch', 'numpy', 'PIL', 'warp', 'tyro'} & set(sys.modules); sys.exit(f'{heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", [["generate"], ["train", "gan"], ["dataset", "synth"], ["dataset", "info"]])
def test_each_command_explains_itself_without_torch(command: list[str]) -> None:
    script = (
        "import sys\nfrom vitruvian.cli import main\n"
        "try:\n    main([*sys.argv[1:], '--help'])\nexcept SystemExit as leaving:\n    assert not leaving.code\n"
        "sys.exit('torch came along' if 'torch' in sys.modules else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "xample" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generat"], "did you mean 'generate'"),
        (["generate", "--seeds", "5-1"], "runs backwards"),
        (["generate", "--trunc", "nan"], "--trunc nan"),
        (["generate", "--trunc", "high"], "--trunc"),
        (["generate", "--no-such-option"], "--no-such-option"),
        (["generate", "--network", "manequin-body"], "did you mean 'mannequin-body'"),
        (["generate", "--network", "/nowhere/net.safetensors"], "no such file"),
        (["train", "ban"], "unknown recipe"),
        (["train", "gan"], "--data is missing"),
        (["train", "gan", "--data", "/nowhere"], "/nowhere"),
        (["dataset", "info", "/nowhere.zip"], "/nowhere.zip"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1
    assert shown.startswith("vitruvian: error: ")
    assert list(tmp_path.iterdir()) == []


def test_json_is_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tmp_path / "net.safetensors"
    write_network(
        StyleGAN2Generator(img_resolution=16, z_dim=8, w_dim=8, num_layers=2, channel_base=64, channel_max=8),
        network,
    )
    arguments = [
        "generate",
        "--network",
        str(network),
        "--outdir",
        str(tmp_path / "out"),
        "--seeds",
        "1,2",
        "--json",
    ]
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["pictures"] == 2
    assert Path(result["first"]).name == "seed0001.png"


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "seed0000.png"))

    monkeypatch.setattr("vitruvian.cli.generate.main", full)
    assert main(["generate"]) == 2
    shown = capsys.readouterr().err
    assert "No space left on device" in shown
    assert shown.count("\n") == 1


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(Exception, match="unknown command"):
        main(["--debug", "nothing"])
