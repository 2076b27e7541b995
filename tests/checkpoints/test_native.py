from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import vitruvian
from vitruvian.checkpoints import load_network, read_card, write_network
from vitruvian.checkpoints.native import METADATA_KEY
from vitruvian.errors import CheckpointError
from vitruvian.nn import StyleGAN2Discriminator, StyleGAN2Generator

SMALL = {"img_resolution": (16, 12), "channel_base": 64, "channel_max": 8}


@pytest.fixture
def generator() -> StyleGAN2Generator:
    return StyleGAN2Generator(z_dim=8, w_dim=8, num_layers=2, **SMALL)


def test_a_round_trip_is_bit_equal(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    written = write_network(generator, path, name="small", licence="CC0-1.0", training={"kimg": 3})
    network, card = load_network(path)
    assert card == written == read_card(path)
    assert card.training == {"kimg": 3}
    assert network.config == generator.config
    for name, tensor in generator.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)
    z = torch.randn(2, 8)
    assert torch.equal(network(z), generator.eval()(z))


def test_half_precision_changes_pictures_little(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    write_network(generator, tmp_path / "half.safetensors", half=True)
    network, _ = load_network(tmp_path / "half.safetensors")
    z = torch.randn(2, 8)
    assert next(iter(network.parameters())).dtype == torch.float32
    assert (network(z) - generator.eval()(z)).abs().max() < 0.05


def test_discriminators_are_networks_too(tmp_path: Path) -> None:
    D = StyleGAN2Discriminator(mbstd_group_size=2, **SMALL)
    write_network(D, tmp_path / "d.safetensors")
    again, card = load_network(tmp_path / "d.safetensors")
    assert card.kind == "stylegan2-discriminator"
    img = torch.randn(2, 3, 16, 12)
    assert torch.equal(again(img), D(img))


def test_the_public_door(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    vitruvian.save(generator, tmp_path / "net.safetensors", name="mine")
    G = vitruvian.load(tmp_path / "net.safetensors")
    assert G.card.name == "mine"
    images = G(torch.randn(1, 8), None, truncation_psi=0.7, noise_mode="const", force_fp32=True)
    assert images.shape == (1, 3, 16, 12)
    with pytest.raises(CheckpointError, match="Linear"):
        vitruvian.save(torch.nn.Linear(1, 1), tmp_path / "no.safetensors")


class Hostile:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("executed"),))


def damaged_files(folder: Path, good: Path) -> dict[str, Path]:
    whole = good.read_bytes()
    contents = {
        "garbage": b"\x13garbage" * 50,
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "header_only": whole[:40],
        "pickle": pickle.dumps(Hostile()),
        "absurd_header": (2**62).to_bytes(8, "little") + whole[8:],
        "flipped": whole[:-20] + bytes([whole[-20] ^ 0xFF]) + whole[-19:],
    }
    files = {}
    for name, content in contents.items():
        files[name] = folder / f"{name}.safetensors"
        files[name].write_bytes(content)
    tensors = load_file(good)
    metadata_cases = {
        "card_is_no_json": {METADATA_KEY: "{"},
        "newer_card": {METADATA_KEY: '{"format": 99}'},
        "card_without_kind": {METADATA_KEY: '{"format": 1}'},
        "unknown_kind": {METADATA_KEY: '{"format": 1, "kind": "stylegan9", "config": {}}'},
        "unknown_argument": {METADATA_KEY: '{"format": 1, "kind": "stylegan2-generator", "config": {"depth": 1}}'},
        "other_size": {METADATA_KEY: '{"format": 1, "kind": "stylegan2-generator", "config": {"img_resolution": 8}}'},
    }
    for name, metadata in metadata_cases.items():
        files[name] = folder / f"{name}.safetensors"
        save_file(tensors, files[name], metadata=metadata)
    return files


def test_damaged_files_end_in_one_line_that_names_them(
    generator: StyleGAN2Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_network(generator, tmp_path / "good.safetensors")
    for name, path in damaged_files(tmp_path, tmp_path / "good.safetensors").items():
        with pytest.raises(CheckpointError) as caught:
            load_network(path)
        message = str(caught.value)
        assert f"{name}.safetensors" in message
        assert "\n" not in message
    assert not Path("executed").exists()


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(CheckpointError, match="did you mean 'mannequin-body'"):
        load_network("manequin-body")
    with pytest.raises(CheckpointError, match="no such file"):
        load_network("missing/net.pkl")


def test_a_failed_write_leaves_nothing(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_network(generator, tmp_path / "net.safetensors", colour="red")
    assert list(tmp_path.iterdir()) == []


def test_a_header_that_begins_like_a_pickle_is_none(tmp_path: Path) -> None:
    """The header's length comes first: 128, 384, ... begin with the byte that opens a pickle."""
    for length in range(300):
        path = tmp_path / f"{length}.safetensors"
        G = StyleGAN2Generator(z_dim=8, w_dim=8, num_layers=1, **SMALL)
        write_network(G, path, name="n" * length)
        if path.read_bytes()[:1] == b"\x80":
            assert load_network(path).card.name == "n" * length
            break
    else:
        pytest.fail("no such header came up")
