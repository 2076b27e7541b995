from __future__ import annotations

import json
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vitruvian.checkpoints import load_network, write_network
from vitruvian.errors import OptionError, VitruvianError
from vitruvian.images import to_uint8
from vitruvian.latents import z_from_seed
from vitruvian.nn import StyleGAN1Generator, StyleGAN2Generator, StyleGAN3Generator
from vitruvian.nn.stylegan3 import transform_matrix
from vitruvian.options.generate import GenerateOptions
from vitruvian.tasks.generate import generate

SMALL = {"z_dim": 8, "w_dim": 8, "num_layers": 2, "channel_base": 64, "channel_max": 8}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(1)
    G = StyleGAN2Generator(img_resolution=(32, 16), **SMALL)
    for name, parameter in G.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.fill_(0.3)
    G.mapping.w_avg.normal_()
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    write_network(G, path, name="test-net")
    return str(path)


def run(network: str, outdir: Path, **options: object) -> Path:
    return generate(GenerateOptions(network=network, outdir=outdir, **options)).outdir  # pyright: ignore[reportArgumentType]


def test_pictures_are_the_official_ones(network: str, tmp_path: Path) -> None:
    run(network, tmp_path, seeds="3,5-6", trunc=0.7)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "seed0003.png",
        "seed0005.png",
        "seed0006.png",
    ]
    G, _ = load_network(network)
    z = torch.from_numpy(np.random.RandomState(5).randn(1, 8)).float()
    assert torch.equal(z, z_from_seed(5, 8))
    w_avg = G.mapping.w_avg  # pyright: ignore[reportAttributeAccessIssue]
    ws = w_avg + 0.7 * (G.mapping(z) - w_avg)  # pyright: ignore[reportCallIssue]
    expected = to_uint8(G.synthesis(ws, noise_mode="const"))[0]  # pyright: ignore[reportCallIssue]
    shown = np.asarray(Image.open(tmp_path / "seed0005.png"))
    assert np.abs(shown.astype(int) - expected.astype(int)).max() <= 1


def test_the_picture_formula_truncates_after_adding_128() -> None:
    levels = to_uint8(torch.tensor([-2.0, -1.0, -0.001, 0.0, 0.9999, 3.0]).reshape(1, 1, 1, 6))
    assert levels.ravel().tolist() == [0, 0, 127, 128, 255, 255]


@pytest.mark.parametrize("noise_mode", ["const", "random", "none"])
def test_the_same_seeds_give_the_same_bytes(network: str, tmp_path: Path, noise_mode: str) -> None:
    first = run(network, tmp_path / "a", seeds="0-4", grid=True, noise_mode=noise_mode, batch=3)
    second = run(network, tmp_path / "b", seeds="0-4", grid=True, noise_mode=noise_mode, batch=3)
    names = sorted(path.name for path in first.iterdir())
    assert len(names) == 6
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_noise_modes_differ_and_random_noise_follows_the_seed(network: str, tmp_path: Path) -> None:
    def pixels(folder: str, **options: object) -> np.ndarray:
        return np.asarray(Image.open(run(network, tmp_path / folder, **options) / "seed0002.png"), int)

    constant, none = pixels("c", seeds="2"), pixels("n", seeds="2", noise_mode="none")
    alone, among = pixels("r", seeds="2", noise_mode="random"), pixels("s", seeds="0-4", noise_mode="random")
    assert np.abs(constant - none).mean() > 0.5
    assert np.abs(constant - alone).mean() > 0.5
    assert np.abs(alone - among).max() <= 1


def test_a_grid_shows_all_pictures_in_order(network: str, tmp_path: Path) -> None:
    result = generate(GenerateOptions(network=network, outdir=tmp_path, seeds="0-5", grid=True))
    assert result.grid is not None
    sheet = np.asarray(Image.open(result.grid))
    columns = sheet.shape[1] // 16
    for index in range(6):
        row, column = divmod(index, columns)
        cell = sheet[row * 32 : row * 32 + 32, column * 16 : column * 16 + 16]
        assert np.array_equal(cell, np.asarray(Image.open(tmp_path / f"seed{index:04d}.png")))


def test_pictures_say_what_they_are(network: str, tmp_path: Path) -> None:
    run(network, tmp_path, seeds="7", trunc=0.5)
    with Image.open(tmp_path / "seed0007.png") as picture:
        info = dict(picture.info)
    facts = json.loads(info["vitruvian"])
    assert (facts["seed"], facts["trunc"], facts["network"]) == (7, 0.5, "test-net")
    assert len(facts["network_sha256"]) == 64
    assert "trainedAlgorithmicMedia" in info["XML:com.adobe.xmp"]


def test_classes_are_chosen_by_number(tmp_path: Path) -> None:
    path = tmp_path / "cond.safetensors"
    write_network(StyleGAN2Generator(img_resolution=16, c_dim=3, **SMALL), path)
    one = run(str(path), tmp_path / "one", seeds="0", class_idx=1) / "seed0000.png"
    two = run(str(path), tmp_path / "two", seeds="0", class_idx=2) / "seed0000.png"
    assert one.read_bytes() != two.read_bytes()
    for class_idx in (None, 3, -1):
        with pytest.raises(OptionError, match="classes 0 to 2"):
            run(str(path), tmp_path / "bad", seeds="0", class_idx=class_idx)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seeds": "5-1"}, "runs backwards"),
        ({"seeds": "a"}, "'a' is no seed"),
        ({"seeds": ""}, "'' is no seed"),
        ({"seeds": "-3"}, "'-3' is no seed"),
        ({"seeds": "4294967296"}, "above 4294967295"),
        ({"trunc": float("nan")}, "--trunc nan"),
        ({"trunc": float("inf")}, "--trunc inf"),
        ({"class_idx": 0}, "no classes"),
        ({"batch": 0}, "--batch 0"),
        ({"seeds": "0-9999999", "grid": True}, "a sheet holds at most"),
    ],
)
def test_bad_options_are_named_and_leave_nothing(network: str, tmp_path: Path, options: dict, words: str) -> None:
    outdir = tmp_path / "out"
    with pytest.raises(VitruvianError, match=words):
        run(network, outdir, **options)
    assert not outdir.exists()


def test_a_folder_that_cannot_be_written_is_named(network: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OptionError, match="cannot write to the folder"):
        run(network, tmp_path / "file", seeds="0")


def test_an_interrupted_run_leaves_only_whole_pictures(network: str, tmp_path: Path) -> None:
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(GenerateOptions(network=network, outdir=tmp_path, seeds="0-9", batch=4), progress=stop)
    assert len(list(tmp_path.iterdir())) == 4
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            picture.verify()


def test_memory_does_not_grow_with_the_number_of_seeds(network: str, tmp_path: Path) -> None:
    run(network, tmp_path, seeds="0-99", batch=32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(network, tmp_path, seeds="0-1499", batch=32)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 16 * 1024  # the 1,500 pictures alone are 2.3 MB, their float tensors 9 MB


def test_every_architecture_paints(tmp_path: Path) -> None:
    size = {"img_resolution": (32, 16), "z_dim": 8, "w_dim": 8, "num_layers": 2, "channel_base": 256, "channel_max": 8}
    for G in (StyleGAN1Generator(**size), StyleGAN3Generator(**size)):
        write_network(G, tmp_path / "net.safetensors")
        outdir = run(str(tmp_path / "net.safetensors"), tmp_path / G.kind, seeds="0-2", trunc=0.7, grid=True)
        assert np.asarray(Image.open(outdir / "seed0001.png")).shape == (32, 16, 3)
        assert (outdir / "grid.png").exists()


def test_stylegan3_moves_its_pictures_and_others_say_they_cannot(network: str, tmp_path: Path) -> None:
    size = {"img_resolution": 32, "z_dim": 8, "w_dim": 8, "channel_base": 256, "channel_max": 8}
    G = StyleGAN3Generator(**size).eval()
    path = tmp_path / "net.safetensors"
    write_network(G, path)
    run(str(path), tmp_path / "moved", seeds="4", translate="-0.25,0.125", rotate=30.0)
    G.synthesis.input.transform.copy_(transform_matrix((-0.25, 0.125), 30.0))
    expected = to_uint8(G(z_from_seed(4, 8)).detach())[0]
    shown = np.asarray(Image.open(tmp_path / "moved" / "seed0004.png"))
    assert np.abs(shown.astype(int) - expected.astype(int)).max() <= 1
    with Image.open(tmp_path / "moved" / "seed0004.png") as picture:
        told = json.loads(picture.text["vitruvian"])  # pyright: ignore[reportAttributeAccessIssue]
    assert (told["translate"], told["rotate"]) == ("-0.25,0.125", 30.0)
    with pytest.raises(OptionError, match="only StyleGAN3 can move"):
        run(network, tmp_path, seeds="4", rotate=30.0)
    for bad in ("1", "a,b", "nan,0", "1,2,3"):
        with pytest.raises(OptionError, match="expected x,y"):
            GenerateOptions(translate=bad)
    with pytest.raises(OptionError, match="expected degrees"):
        GenerateOptions(rotate=float("inf"))
