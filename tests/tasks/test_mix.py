from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from tests.conftest import golden_path
from tests.tasks.small_networks import (
    ARCHITECTURES,
    golden_network,
    write_conditional_network,
    write_small_network,
)
from vitruvian.checkpoints import load_network, write_network
from vitruvian.errors import OptionError, VitruvianError
from vitruvian.images import to_uint8
from vitruvian.latent_paths import wandering_z
from vitruvian.latents import z_from_seed
from vitruvian.options.mix import MixOptions
from vitruvian.tasks.film import FilmProgress
from vitruvian.tasks.mix import MixResult, mix, mixed_codes


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_small_network(tmp_path_factory.mktemp("net"))


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return load_file(golden_path("apps/latents.safetensors"))


def run(network: str, outdir: Path, **options: Any) -> MixResult:
    return mix(MixOptions(network=network, outdir=outdir, **{"styles": "0-3", **options}))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture, int)


def video_frames(network: str, outdir: Path, **options: Any) -> list[np.ndarray]:
    result = run(network, outdir, video=True, format="frames", **options)
    assert result.film is not None
    return [pixels(path) for path in sorted(result.film.iterdir())]


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


@torch.no_grad()
def test_codes_equal_the_reference(golden: dict[str, Tensor]) -> None:
    G = golden_network()
    codes = {seed: G.mapping(z_from_seed(seed, 32), truncation_psi=0.8)[0] for seed in (85, 100, 75, 458)}
    for row in (85, 100):
        for col in (75, 458):
            mixed = mixed_codes(codes[row], codes[col], [0, 1, 2, 3])
            assert_close(mixed, golden[f"mix.row{row}_col{col}"])


def test_pictures_equal_the_reference(golden: dict[str, Tensor], tmp_path: Path) -> None:
    network = write_golden_network(tmp_path)
    result = run(network, tmp_path, rows="85,100", cols="75,458", trunc=0.8)
    expected = to_uint8(golden["mix.image_row85_col75"])[0].astype(int)
    assert np.abs(pixels(tmp_path / "85-75.png") - expected).max() <= 1
    for seed in (85, 100, 75, 458):
        theirs = golden[f"gen.uint8_psi0.8.seed{seed}"][0].numpy().astype(int)
        assert np.abs(pixels(tmp_path / f"seed{seed:04d}.png") - theirs).max() <= 1
    assert result.grid is not None
    cell = pixels(result.grid)[64:128, 32:64]
    assert np.abs(cell - expected).max() <= 1


def write_golden_network(folder: Path) -> str:
    """The golden network as a file."""
    write_network(golden_network(), folder / "golden.safetensors")
    return str(folder / "golden.safetensors")


@torch.no_grad()
def test_video_codes_equal_the_reference_but_for_its_direction(golden: dict[str, Tensor]) -> None:
    """It showed the column's person with the chosen layers of the row's: our mixture of all the other layers."""
    G = golden_network()
    walk = wandering_z(3859, 12, 32, sigma=10)
    others = [layer for layer in range(10) if layer not in (4, 5, 6)]
    for frame in (0, 7):
        source = G.mapping(walk[frame : frame + 1], truncation_psi=0.8)
        for index, col in enumerate((3098, 31759)):
            column = G.mapping(z_from_seed(col, 32), truncation_psi=0.8)
            assert_close(mixed_codes(source, column, others), golden[f"video.frame{frame}_col{index}_w"])


def test_the_sheet_has_the_layout_of_the_reference(network: str, tmp_path: Path) -> None:
    result = run(network, tmp_path, rows="1,2", cols="3-5")
    names = [f"seed{seed:04d}.png" for seed in range(1, 6)]
    names += [f"{row}-{col}.png" for row in (1, 2) for col in (3, 4, 5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "grid.png"])
    assert result.pictures == len(names)
    grid = pixels(tmp_path / "grid.png")
    assert grid.shape == (3 * 32, 4 * 16, 3)

    def cell(row: int, col: int) -> np.ndarray:
        return grid[row * 32 : row * 32 + 32, col * 16 : col * 16 + 16]

    assert not cell(0, 0).any()
    for index, seed in enumerate((3, 4, 5)):
        assert np.array_equal(cell(0, index + 1), pixels(tmp_path / f"seed000{seed}.png"))
    for index, seed in enumerate((1, 2)):
        assert np.array_equal(cell(index + 1, 0), pixels(tmp_path / f"seed000{seed}.png"))
        for other, col in enumerate((3, 4, 5)):
            assert np.array_equal(cell(index + 1, other + 1), pixels(tmp_path / f"{seed}-{col}.png"))


def test_layers_come_from_the_columns(network: str, tmp_path: Path) -> None:
    run(network, tmp_path, rows="1", cols="2", styles="0-7")
    assert np.abs(pixels(tmp_path / "1-2.png") - pixels(tmp_path / "seed0002.png")).max() <= 1
    run(network, tmp_path / "self", rows="1", cols="1", styles="2")
    assert np.abs(pixels(tmp_path / "self/1-1.png") - pixels(tmp_path / "self/seed0001.png")).max() <= 1


@pytest.mark.parametrize("video", [False, True])
def test_layers_that_the_network_does_not_have_are_named(network: str, tmp_path: Path, video: bool) -> None:
    """The reference's picture script took any number."""
    with pytest.raises(OptionError, match=r"--styles 0-8: there is no layer 8, this network has layers 0 to 7"):
        run(network, tmp_path / "out", styles="0-8", video=video)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_mixes(architecture: str, tmp_path: Path) -> None:
    path = write_small_network(tmp_path, architecture)
    run(path, tmp_path / "sheet", rows="1", cols="2", styles="0-1")
    mixture, row, col = (pixels(tmp_path / "sheet" / name) for name in ("1-2.png", "seed0001.png", "seed0002.png"))
    assert np.abs(mixture - row).mean() > 0.5
    assert np.abs(mixture - col).mean() > 0.5
    result = run(path, tmp_path / "video", rows="1", cols="2", styles="0-1", video=True, duration=0.2)
    assert result.film is not None
    with av.open(str(result.film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 6


def test_classes_are_chosen_by_number(tmp_path: Path) -> None:
    """The reference mixed with no class at all, which conditional networks refuse."""
    path = write_conditional_network(tmp_path)
    for k in (1, 2):
        run(path, tmp_path / str(k), rows="1", cols="2", class_idx=k)
    assert not np.array_equal(pixels(tmp_path / "1/1-2.png"), pixels(tmp_path / "2/1-2.png"))


def test_the_batch_does_not_change_the_sheet(network: str, tmp_path: Path) -> None:
    """The reference synthesised all pictures in one batch, however many."""
    for noise_mode in ("const", "random"):
        grids = []
        for batch in (1, 3, 64):
            result = run(network, tmp_path / noise_mode / str(batch), batch=batch, noise_mode=noise_mode)
            assert result.grid is not None
            grids.append(pixels(result.grid))
        assert all(np.abs(grid - grids[0]).max() <= 1 for grid in grids)


def test_the_same_settings_give_the_same_bytes(network: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(network, tmp_path / name, rows="1,2", cols="3", noise_mode="random")
        run(network, tmp_path / name / "film", rows="1,2", cols="3", video=True, duration=0.3)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 7
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


def test_pictures_say_what_they_are(network: str, tmp_path: Path) -> None:
    run(network, tmp_path, rows="1", cols="2", trunc=0.6)
    with Image.open(tmp_path / "1-2.png") as picture:
        info = dict(picture.info)
    facts = json.loads(info["vitruvian"])
    assert (facts["row_seed"], facts["col_seed"], facts["styles"], facts["trunc"]) == (1, 2, "0-3", 0.6)
    assert facts["network"] == "test-net"
    assert "trainedAlgorithmicMedia" in info["XML:com.adobe.xmp"]
    result = run(network, tmp_path, rows="1", cols="2", video=True, duration=0.1)
    with av.open(str(result.film)) as container:
        facts = json.loads(container.metadata["comment"])
    assert (facts["rows"], facts["cols"], facts["styles"]) == ("1", "2", "0-3")


def test_the_video_has_the_layout_of_the_reference(network: str, tmp_path: Path) -> None:
    """Canvas (W - overlap)(cols + 1) wide; the row's person hangs to the left, the last column to the right."""
    frames = video_frames(network, tmp_path / "video", rows="1,2", cols="3,4", duration=0.2, overlap=5)
    run(network, tmp_path / "sheet", rows="1,2", cols="3,4")
    assert len(frames) == 6
    for frame in frames:
        assert frame.shape == (3 * 32, 3 * 11, 3)
        assert (frame[:32, :11] == 255).all()
        assert np.array_equal(frame[:32, 11:22], pixels(tmp_path / "sheet/seed0003.png")[:, :11])
        assert np.array_equal(frame[:32, 22:], pixels(tmp_path / "sheet/seed0004.png")[:, :11])


def paint_walk(network: str, seed: int, frame: int, frames: int, cols: int | None, layers: list[int]) -> np.ndarray:
    """A picture of the video by the definition."""
    G: Any = load_network(network).network
    with torch.no_grad():
        code = G.mapping(wandering_z(seed, frames, G.z_dim, sigma=30.0)[frame : frame + 1], truncation_psi=0.8)
        if cols is not None:
            column = G.mapping(z_from_seed(cols, G.z_dim), truncation_psi=0.8)
            code = code.clone()
            code[:, layers] = column[:, layers]
        return to_uint8(G.synthesis(code))[0].astype(int)


def test_the_video_mixes_as_the_sheet_does(network: str, tmp_path: Path) -> None:
    """The reference's video gave the column's people the layers of the row's, the reverse of its picture script."""
    frames = video_frames(network, tmp_path, rows="7", cols="3", styles="0-2", duration=2, overlap=0)
    for index in (0, 59):
        person, mixture = frames[index][32:, :16], frames[index][32:, 16:]
        assert np.abs(person - paint_walk(network, 7, index, 60, None, [])).max() <= 1
        assert np.abs(mixture - paint_walk(network, 7, index, 60, 3, [0, 1, 2])).max() <= 1


def test_several_rows_walk_each_in_its_own_way(network: str, tmp_path: Path) -> None:
    """The reference raised for more than one row seed."""
    both = video_frames(network, tmp_path / "both", rows="7,8", cols="3", duration=1, overlap=0)
    alone = video_frames(network, tmp_path / "alone", rows="8", cols="3", duration=1, overlap=0)
    assert len(both) == len(alone) == 30
    assert np.abs(both[13][64:] - alone[13][32:]).max() <= 1
    assert not np.array_equal(both[13][32:64], both[13][64:])


def test_the_video_repeats_without_a_jump(network: str, tmp_path: Path) -> None:
    frames = video_frames(network, tmp_path, rows="7", cols="3", duration=3)
    ring = [*frames, frames[0]]
    steps = [np.abs(after - before).mean() for before, after in pairwise(ring)]
    assert steps[-1] < 2 * max(steps[:-1])
    assert np.abs(frames[0] - frames[45]).mean() > 2 * steps[-1]


@pytest.mark.parametrize("batch", [1, 5, 32])
def test_the_batch_does_not_change_the_video(network: str, tmp_path: Path, batch: int) -> None:
    options = {"rows": "1,2", "cols": "3,4", "duration": 0.3, "noise_mode": "random"}
    frames = video_frames(network, tmp_path / "one", batch=batch, **options)
    expected = video_frames(network, tmp_path / "two", batch=6, **options)
    assert all(np.abs(a - b).max() <= 1 for a, b in zip(frames, expected, strict=True))


def test_an_interrupted_video_goes_on_as_frames(network: str, tmp_path: Path) -> None:
    options = MixOptions(
        network=network, outdir=tmp_path, rows="1", cols="2", styles="0", video=True, format="frames", duration=0.5
    )

    def stop(at: FilmProgress) -> None:
        if at.done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mix(options, progress=stop)
    assert len(list((tmp_path / "style-mixing").iterdir())) == 8
    result = mix(options)
    assert (result.frames, result.painted) == (15, 7)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": "a"}, "--rows a: 'a' is no seed"),
        ({"cols": "5-1"}, "--cols 5-1: the range 5-1 runs backwards"),
        ({"rows": "4294967296"}, "--rows 4294967296: 4294967296 is above 4294967295"),
        ({"styles": "low"}, "--styles low: 'low' is no layer"),
        ({"rows": "0-999", "cols": "0-999"}, "a sheet of 1001x1001 pictures would have 513,024,512 pixels"),
        ({"rows": "0-999999999"}, "use fewer seeds"),
        ({"trunc": float("nan")}, "--trunc nan"),
        ({"trunc_cutoff": -1}, "--trunc-cutoff -1"),
        ({"class_idx": 0}, "no classes"),
        ({"batch": 0}, "--batch 0"),
        ({"fps": -1.0}, "--fps -1"),
        ({"duration": 0.0}, "--duration 0"),
        ({"duration": float("inf")}, "--duration inf"),
        ({"video": True, "duration": 3600.0}, "108000 frames with 4 --rows, expected at most 7500"),
        ({"video": True, "overlap": 16}, "--overlap 16: pictures are 16 pixels wide"),
        ({"overlap": -1}, "--overlap -1"),
        (
            {"video": True, "rows": "0-199", "cols": "0-999", "duration": 1.0, "format": "frames"},
            "frames would be 6432x15015, at most 64,000,000 pixels fit; use fewer rows and columns",
        ),
        (
            {"video": True, "rows": "1", "cols": "0-2000"},
            "frames would be 64x30030, this format holds sides up to 16384",
        ),
    ],
)
def test_bad_options_are_named_and_leave_nothing(network: str, tmp_path: Path, options: dict, words: str) -> None:
    outdir = tmp_path / "out"
    with pytest.raises(VitruvianError, match=re.escape(words)):
        run(network, outdir, **options)
    assert not outdir.exists()


def test_progress_counts_to_the_end(network: str, tmp_path: Path) -> None:
    seen: list[FilmProgress] = []
    mix(MixOptions(network=network, outdir=tmp_path, rows="1,2", cols="3,4", styles="0"), progress=seen.append)
    assert (seen[-1].done, seen[-1].total) == (8, 8)
