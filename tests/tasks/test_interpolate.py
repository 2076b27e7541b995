from __future__ import annotations

import json
import resource
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
    write_random,
    write_small_network,
)
from vitruvian.checkpoints import Card
from vitruvian.errors import OptionError, VitruvianError
from vitruvian.options.generate import GenerateOptions
from vitruvian.options.interpolate import InterpolateOptions
from vitruvian.tasks.film import FilmProgress
from vitruvian.tasks.generate import generate
from vitruvian.tasks.interpolate import InterpolateResult, codes_between, interpolate
from vitruvian.tasks.opening import OpenGenerator, codes_of_seeds


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_small_network(tmp_path_factory.mktemp("net"))


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return load_file(golden_path("apps/latents.safetensors"))


def run(network: str, outdir: Path, **options: Any) -> InterpolateResult:
    return interpolate(InterpolateOptions(network=network, outdir=outdir, **options))


def frames_of(network: str, outdir: Path, **options: Any) -> list[np.ndarray]:
    result = run(network, outdir, format="frames", **options)
    paths = sorted(result.film.iterdir())
    assert [path.name for path in paths] == [f"frame{index:05d}.png" for index in range(result.frames)]
    return [pixels(path) for path in paths]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture, int)


def decode(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def opened() -> OpenGenerator:
    network = golden_network()
    return OpenGenerator(network, Card(kind=network.kind, config={}), torch.device("cpu"), {})


def walk(positions: Tensor, **options: Any) -> Tensor:
    """Codes on the way between seeds of the golden network."""
    generator, label = opened(), torch.zeros(1, 0)
    chosen = InterpolateOptions(**options)
    seeds = [int(seed) for seed in chosen.seeds.split(",")]
    psis = list(chosen.trunc) if isinstance(chosen.trunc, tuple) else [chosen.trunc] * len(seeds)
    keys = torch.cat([codes_of_seeds(generator, [seed], label, psi) for seed, psi in zip(seeds, psis, strict=True)])
    return codes_between(generator, seeds, psis, keys, label, chosen)(positions)


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


@torch.no_grad()
def test_codes_equal_the_reference(golden: dict[str, Tensor]) -> None:
    """The reference was given 85,100 and starts at the second."""
    ws = walk(torch.arange(10) / 10, seeds="100,85", space="z", easing="linear", trunc=0.8)
    assert_close(ws, golden["interp.w_psi0.8"].expand(-1, 10, -1))


@torch.no_grad()
def test_two_truncations_equal_the_web_demo(golden: dict[str, Tensor]) -> None:
    ws = walk(torch.arange(5) / 4, seeds="0,1", space="z", easing="linear", trunc=(0.7, 1.2))
    assert_close(ws, golden["webdemo.w"].expand(-1, 10, -1))


@torch.no_grad()
@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("easing", ["linear", "cubic", "slerp"])
def test_every_way_starts_and_ends_at_its_seeds(space: str, easing: str, golden: dict[str, Tensor]) -> None:
    ws = walk(torch.tensor([0.0, 1.0, 2.0]), seeds="85,100,75", space=space, easing=easing, trunc=0.8)
    assert_close(ws, torch.cat([golden[f"gen.w_psi0.8.seed{seed}"] for seed in (85, 100, 75)]))


def test_the_first_seed_comes_first_and_the_last_is_reached(network: str, tmp_path: Path) -> None:
    """The reference began with the second seed and stopped one frame before the first."""
    generate(GenerateOptions(network=network, seeds="3,5,8", trunc=0.8, outdir=tmp_path / "pictures"))
    for space in ("z", "w"):
        frames = frames_of(network, tmp_path / space, seeds="3,5,8", frames=4, space=space)
        assert len(frames) == 9
        for seed, frame in zip((3, 5, 8), frames[::4], strict=True):
            assert np.abs(frame - pixels(tmp_path / f"pictures/seed{seed:04d}.png")).max() <= 1


@pytest.mark.parametrize("count", [49, 98, 103])
def test_the_number_of_frames_is_exact(network: str, tmp_path: Path, count: int) -> None:
    """The reference's floating-point range gave one more for these numbers."""
    assert len(frames_of(network, tmp_path, seeds="1,2", frames=count, batch=64)) == count + 1


def test_more_than_two_seeds_and_repeated_ones(network: str, tmp_path: Path) -> None:
    """The reference used the first two and dropped the others."""
    frames = frames_of(network, tmp_path, seeds="1,2,1,4", frames=3, easing="linear")
    assert np.array_equal(frames[0], frames[6])
    assert not np.array_equal(frames[0], frames[9])


def test_a_loop_closes_without_showing_a_frame_twice(network: str, tmp_path: Path) -> None:
    frames = frames_of(network, tmp_path, seeds="1,2,3", frames=10, loop=True)
    assert len(frames) == 30
    ring = [*frames, frames[0]]
    steps = [np.abs(after - before).mean() for before, after in pairwise(ring)]
    assert min(steps) > 0
    assert steps[-1] < 2 * max(steps[:-1])


def test_linear_and_curved_ways_differ(network: str, tmp_path: Path) -> None:
    middles = {
        (space, easing): frames_of(
            network, tmp_path / space / easing, seeds="1,2,3", frames=2, space=space, easing=easing
        )[1]
        for space in ("z", "w")
        for easing in ("linear", "cubic", "slerp")
    }
    found = list(middles.values())
    # In z, linear and slerp show the same middle: the mapping network normalises the length away.
    assert len({frame.tobytes() for frame in found}) >= 5


def test_pictures_keep_their_size_in_any_shape(tmp_path: Path) -> None:
    """The reference resized everything to 1024x512."""
    for architecture, size in (("stylegan2-3:4", (32, 24)), ("stylegan2-odd", (10, 6)), ("stylegan2-grey", (16, 16))):
        path = write_small_network(tmp_path, architecture)
        assert frames_of(path, tmp_path / architecture, seeds="1,2", frames=1)[0].shape == (*size, 3)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_walks(architecture: str, tmp_path: Path) -> None:
    path = write_small_network(tmp_path, architecture)
    result = run(path, tmp_path / "film", seeds="1,2", frames=3)
    frames = decode(result.film)
    assert len(frames) == 4
    assert np.abs(frames[0] - frames[3]).mean() > 1


def test_key_pictures_stand_beside_in_the_order_of_the_walk(network: str, tmp_path: Path) -> None:
    """The reference put the second seed at the left and cut side pictures smaller than 1024x512."""
    frames = frames_of(network, tmp_path, seeds="1,2,3", frames=2, beside=True)
    keys = [pixels(tmp_path / f"seed{seed:04d}.png") for seed in (1, 2, 3)]
    for index, (before, after) in enumerate([(0, 1), (0, 1), (1, 2), (1, 2), (1, 2)]):
        assert frames[index].shape == (32, 48, 3)
        assert np.array_equal(frames[index][:, :16], keys[before])
        assert np.array_equal(frames[index][:, 32:], keys[after])
    assert np.abs(frames[4][:, 16:32] - keys[2]).max() <= 1


def test_gif_runs_at_the_given_rate(network: str, tmp_path: Path) -> None:
    """The reference's 15 frames a second became 16.7."""
    result = run(network, tmp_path, seeds="1,2", frames=15, fps=15, format="gif", loop=True)
    with Image.open(result.film) as gif:
        delays = []
        for index in range(gif.n_frames):  # pyright: ignore[reportAttributeAccessIssue]
            gif.seek(index)
            delays.append(gif.info["duration"])
    assert sum(delays) == 2000


@pytest.mark.parametrize("film_format", ["mp4", "gif"])
def test_films_show_the_frames(network: str, tmp_path: Path, film_format: str) -> None:
    shown = decode(run(network, tmp_path, seeds="1,2", frames=6, format=film_format).film)
    frames = frames_of(network, tmp_path, seeds="1,2", frames=6)
    assert len(shown) == len(frames) == 7
    if film_format == "gif":  # 512 pixels in 256 colours
        assert max(np.abs(a - b).mean() for a, b in zip(shown, frames, strict=True)) < 4
    else:  # random networks paint saturated noise, whose colours 4:2:0 halves; brightness is kept
        bright, expected = (np.stack(film) @ [0.2126, 0.7152, 0.0722] for film in (shown, frames))
        errors = np.abs(bright[:, None] - expected).mean(axis=(2, 3))
        assert errors.diagonal().max() < 8
        assert errors.argmin(axis=1).tolist() == list(range(7))


def test_the_same_settings_give_the_same_bytes(network: str, tmp_path: Path) -> None:
    for noise_mode in ("const", "random"):
        for film_format in ("frames", "mp4", "gif"):
            films = [
                run(network, tmp_path / name / noise_mode, seeds="1,2", frames=5, format=film_format).film
                for name in ("a", "b")
            ]
            first, second = (
                [path.read_bytes() for path in (sorted(film.iterdir()) if film.is_dir() else [film])] for film in films
            )
            assert first == second


def test_frames_say_what_they_are(network: str, tmp_path: Path) -> None:
    result = run(network, tmp_path, seeds="3,5", frames=4, format="frames", trunc=0.5)
    with Image.open(result.film / "frame00001.png") as picture:
        info = dict(picture.info)
    facts = json.loads(info["vitruvian"])
    assert (facts["network"], facts["trunc"], facts["frame"]) == ("test-net", 0.5, 1)
    assert (facts["between"], facts["at"]) == ([3, 5], 0.25)
    assert "trainedAlgorithmicMedia" in info["XML:com.adobe.xmp"]
    with Image.open(tmp_path / "seed0003.png") as picture:
        assert json.loads(picture.info["vitruvian"])["seed"] == 3


def test_films_say_what_they_are(network: str, tmp_path: Path) -> None:
    with av.open(str(run(network, tmp_path, seeds="3,5", frames=2, trunc=0.5).film)) as container:
        facts = json.loads(container.metadata["comment"])
    assert (facts["seeds"], facts["trunc"], facts["network"]) == ("3,5", 0.5, "test-net")
    assert facts["program"].startswith("vitruvian ")
    assert len(facts["network_sha256"]) == 64
    assert facts["digital_source_type"].endswith("trainedAlgorithmicMedia")


def test_classes_are_chosen_by_number(tmp_path: Path) -> None:
    """The reference walked with no class at all, which conditional networks refuse."""
    path = write_conditional_network(tmp_path)
    one, two = (frames_of(path, tmp_path / str(k), seeds="0,1", frames=1, class_idx=k) for k in (1, 2))
    assert not np.array_equal(one[0], two[0])
    with pytest.raises(OptionError, match="classes 0 to 2"):
        run(path, tmp_path / "bad", seeds="0,1")


def test_a_tuned_generator_without_a_discriminator_is_enough(tmp_path: Path) -> None:
    """The reference's loader asked for G and D beside G_ema, so the outcome of an inversion could not be shown."""
    for name in ("sg2-human-64x32-pti.pt", "sg2-human-64x32-pti.pkl"):
        path = str(golden_path(f"networks/{name}"))
        assert frames_of(path, tmp_path / name, seeds="1,2", frames=1)[0].shape == (64, 32, 3)


def test_nothing_but_the_results_is_written(network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference appended a dump of the network to ori_model.txt in the working folder at every load."""
    monkeypatch.chdir(tmp_path)
    run(network, Path("out"), seeds="1,2", frames=2)
    assert sorted(str(path) for path in Path().rglob("*") if path.is_file()) == [
        "out/interpolation.mp4",
        "out/seed0001.png",
        "out/seed0002.png",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seeds": "5"}, "--seeds 5: names one picture; a walk needs two or more"),
        ({"seeds": "5-1"}, "runs backwards"),
        ({"seeds": "0-99999"}, "at most 2000"),
        ({"frames": 0}, "--frames 0"),
        ({"fps": 0.0}, "--fps 0"),
        ({"fps": float("nan")}, "--fps nan"),
        ({"fps": 60.0, "format": "gif"}, "GIF plays at most 50"),
        ({"trunc": float("inf")}, "--trunc inf"),
        ({"trunc": (0.1, 0.2, 0.3), "seeds": "1,2"}, "--trunc: has 3 numbers, expected one, or 2"),
        ({"trunc": ()}, "--trunc"),
        ({"trunc_cutoff": -1}, "--trunc-cutoff -1"),
        ({"class_idx": 0}, "no classes"),
        ({"batch": 0}, "--batch 0"),
    ],
)
def test_bad_options_are_named_and_leave_nothing(network: str, tmp_path: Path, options: dict, words: str) -> None:
    outdir = tmp_path / "out"
    with pytest.raises(VitruvianError, match=words):
        run(network, outdir, **options)
    assert not outdir.exists()


def test_a_folder_in_the_place_of_the_film_is_seen_before_any_work(network: str, tmp_path: Path) -> None:
    (tmp_path / "interpolation.mp4").mkdir()
    with pytest.raises(OptionError, match=r"interpolation\.mp4: is a folder"):
        run(network, tmp_path, seeds="1,2")


class _Stop:
    """Interrupts when so many frames are there."""

    def __init__(self, frames: int) -> None:
        self.frames = frames

    def __call__(self, at: FilmProgress) -> None:
        if at.done >= self.frames:
            raise KeyboardInterrupt


@pytest.mark.parametrize("batch", [1, 4])
def test_an_interrupted_run_goes_on_to_the_same_frames(network: str, tmp_path: Path, batch: int) -> None:
    options = {"seeds": "1,2", "frames": 10, "format": "frames", "batch": batch, "network": network}
    whole = interpolate(InterpolateOptions(outdir=tmp_path / "whole", **options))
    broken = InterpolateOptions(outdir=tmp_path / "broken", **options)
    with pytest.raises(KeyboardInterrupt):
        interpolate(broken, progress=_Stop(6))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "broken/interpolation").iterdir()}
    assert len(kept) in (6, 8)
    rest = interpolate(broken)
    assert rest.painted == 11 - len(kept)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    for path in sorted(whole.film.iterdir()):
        assert path.read_bytes() == (rest.film / path.name).read_bytes()
    assert interpolate(broken).painted == 0


def test_frames_of_other_settings_are_painted_anew(network: str, tmp_path: Path) -> None:
    first = frames_of(network, tmp_path, seeds="1,2", frames=4)
    result = run(network, tmp_path, seeds="1,2", frames=4, trunc=0.3, format="frames")
    assert result.painted == 5
    assert not np.array_equal(first[0], pixels(result.film / "frame00000.png"))


def test_damaged_frames_are_painted_anew(network: str, tmp_path: Path) -> None:
    before = frames_of(network, tmp_path, seeds="1,2", frames=4, batch=1)
    (tmp_path / "interpolation/frame00002.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "interpolation/frame00003.png").unlink()
    result = run(network, tmp_path, seeds="1,2", frames=4, batch=1, format="frames")
    assert result.painted == 2
    assert np.array_equal(pixels(result.film / "frame00002.png"), before[2])


def test_a_shorter_film_does_not_hide_among_frames_of_a_longer(network: str, tmp_path: Path) -> None:
    frames_of(network, tmp_path, seeds="1,2", frames=6)
    with pytest.raises(OptionError, match=r"frame00006.png belongs to a longer film than this one of 4 frames"):
        run(network, tmp_path, seeds="1,2", frames=3, format="frames")


def test_an_interrupted_film_is_kept_apart(network: str, tmp_path: Path) -> None:
    options = InterpolateOptions(network=network, outdir=tmp_path, seeds="1,2", frames=20, batch=4)
    with pytest.raises(KeyboardInterrupt):
        interpolate(options, progress=_Stop(8))
    assert not (tmp_path / "interpolation.mp4").exists()
    assert len(decode(tmp_path / "interpolation.partial.mp4")) == 8
    assert len(decode(interpolate(options).film)) == 21
    assert not (tmp_path / "interpolation.partial.mp4").exists()


def test_progress_counts_to_the_end(network: str, tmp_path: Path) -> None:
    seen: list[FilmProgress] = []
    options = InterpolateOptions(network=network, outdir=tmp_path, seeds="1,2", frames=5, batch=4)
    interpolate(options, progress=seen.append)
    assert [(at.done, at.total) for at in seen] == [(4, 6), (6, 6)]


def test_each_seed_has_its_own_truncation(network: str, tmp_path: Path) -> None:
    result = run(network, tmp_path, seeds="7,7", frames=2, trunc=(0.0, 1.0))
    assert [path.name for path in result.key_pictures] == ["seed0007-psi0.png", "seed0007-psi1.png"]
    mean, full = map(pixels, result.key_pictures)
    assert np.abs(mean - full).mean() > 1


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path: Path) -> None:
    network = write_random(ARCHITECTURES["stylegan2"](), tmp_path / "net.safetensors")
    run(network, tmp_path, seeds="1,2", frames=150, beside=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(network, tmp_path, seeds="1,2", frames=1500, beside=True)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 8 * 1024  # the 1,350 further frames are 6 MB as bytes, their float tensors 25 MB
