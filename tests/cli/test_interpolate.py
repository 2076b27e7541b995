from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.tasks.small_networks import write_small_network
from vitruvian.cli import main


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_small_network(tmp_path_factory.mktemp("net"))


def test_help_needs_no_torch() -> None:
    script = (
        "import sys\nfrom vitruvian.cli import main\n"
        "try:\n    main(['interpolate', '--help'])\nexcept SystemExit as leaving:\n    assert not leaving.code\n"
        "sys.exit('torch came along' if {'torch', 'av'} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Example: vitruvian interpolate" in done.stdout


def test_the_contract(network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = f"interpolate --network {network} --seeds 3,14,15 --frames 4 --space z --easing slerp --fps 24 --loop"
    assert main([*line.split(), "--outdir", str(tmp_path), "--trunc", "0.7", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["film"], result["frames"]) == (str(tmp_path / "interpolation.mp4"), 12)
    assert [Path(path).name for path in result["key_pictures"]] == ["seed0003.png", "seed0014.png", "seed0015.png"]
    with av.open(result["film"]) as film:
        assert film.streams.video[0].average_rate == 24


def test_quiet_says_nothing_and_words_say_where(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["interpolate", "--network", network, "--seeds", "1,2", "--frames", "2", "--outdir", str(tmp_path)]
    assert main([*line, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert main([*line, "--trunc", "0.5", "1"]) == 0
    assert "interpolation.mp4: 3 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "5"], "--seeds 5: names one picture; a walk needs two or more"),
        (["--easing", "bouncy"], "--easing"),
        (["--format", "avi"], "--format"),
        (["--format", "gif", "--fps", "60"], "--fps 60: GIF"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interpolate", *arguments]) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1


@pytest.mark.parametrize("film_format", ["frames", "mp4"])
def test_ctrl_c_keeps_what_is_done(network: str, tmp_path: Path, film_format: str) -> None:
    """In a process of its own, with a real signal."""
    # Noise is hard to compress: the encoder soon has to write.
    arguments = ["--network", network, "--frames", "100000", "--noise-mode", "random", "--outdir", str(tmp_path)]
    script = "import sys; from vitruvian.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "interpolate", *arguments, "--format", film_format],
        stderr=subprocess.PIPE,
        text=True,
    )
    frames = tmp_path / "interpolation"
    started = time.monotonic()
    while process.poll() is None and time.monotonic() - started < 120:
        begun = sum(file.stat().st_size for file in tmp_path.glob(".*.mp4"))
        if begun > 2000 or (frames.is_dir() and len(list(frames.glob("frame*.png"))) > 20):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.count("\n") == 1
    assert not list(tmp_path.rglob(".*"))
    if film_format == "frames":
        assert f"finished frames are kept in {frames}, and the same command goes on from there" in said
        for path in frames.iterdir():
            with Image.open(path) as picture:
                picture.load()
    else:
        assert "its beginning is kept in" in said
        with av.open(str(tmp_path / "interpolation.partial.mp4")) as film:
            assert sum(1 for _ in film.decode(video=0)) > 20
