"""Files written by the reference programs: equal weights, equal pictures (tests/golden/README.md)."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import golden_path
from vitruvian.checkpoints import load_network
from vitruvian.checkpoints.foreign.reading import read_foreign
from vitruvian.checkpoints.weights import assemble
from vitruvian.errors import CheckpointError
from vitruvian.nn.generator import GeneratorLike

TOLERANCE = 1e-4  # absolute, float32

# file, case whose weights it holds, roles inside
FILES = [
    ("sg2-64-skip.pkl", "sg2-64-skip", {"G_ema", "G", "D"}),
    ("sg2-32-cond3.pkl", "sg2-32-cond3", {"G_ema", "G", "D"}),
    ("sg2-human-64x32.pkl", "sg2-human-64x32", {"G_ema", "G", "D"}),
    ("sg2-human-64x32-pti.pkl", "sg2-human-64x32", {"G_ema"}),
    ("sg2-human-64x32-pti.pt", "sg2-human-64x32", {"G_ema"}),
    ("sg2-human-64x32.rosinality.pth", "sg2-human-64x32", {"G_ema"}),
    ("sg2-64-skip-tf.pkl", "sg2-64-skip", {"G_ema", "G", "D"}),
    ("sg2-32-cond3-tf-ada.pkl", "sg2-32-cond3", {"G_ema", "G", "D"}),
    ("sg1-128-tf.pkl", "sg1-128", {"G_ema", "G", "D"}),
    ("sg1-32-cond3-fused-tf.pkl", "sg1-32-cond3-fused", {"G_ema", "G", "D"}),
    ("sg3-r-64.pkl", "sg3-r-64", {"G_ema", "G", "D"}),
    ("sg3-r-human-64x32.pkl", "sg3-r-human-64x32", {"G_ema", "G", "D"}),
]


def golden_file(name: str) -> Path:
    path = golden_path(f"networks/{name}")
    if not path.exists():
        pytest.skip(f"{name} is in the full golden set alone (VITRUVIAN_GOLDEN)")
    return path


@pytest.mark.parametrize(("name", "case", "roles"), FILES)
def test_weights_and_pictures_equal_the_reference(name: str, case: str, roles: set[str]) -> None:
    path = golden_file(name)
    contents = read_foreign(path)
    assert set(contents.networks) == roles
    for role, letter in (("G_ema", "G"), ("D", "D")):
        if role in roles and (role, case) != ("D", "sg3-r-64"):  # that file's D is not of the case
            network = assemble(contents.networks[role], owner=name)
            expected = load_file(golden_path(f"networks/{case}.{letter}.safetensors"))
            if "w_avg" in expected:  # the only name in which our StyleGAN1 differs
                expected["mapping.w_avg"] = expected.pop("w_avg")
            state = network.state_dict()
            assert state.keys() == expected.keys()
            for key in state:
                assert torch.equal(state[key], expected[key]), key
    G = load_network(path).network
    assert isinstance(G, GeneratorLike)
    numbers = load_file(golden_path(f"networks/{case}.io.safetensors"))
    pictures = G(numbers["z"], numbers.get("c"), noise_mode="const")
    assert (pictures - numbers["img_const"]).abs().max() < TOLERANCE


def test_the_raw_generator_is_not_taken_for_its_average() -> None:
    path = golden_file("sg2-32-cond3.pkl")
    average, raw = load_network(path).network, load_network(path, role="G").network
    assert any(not torch.equal(a, b) for a, b in zip(average.parameters(), raw.parameters(), strict=True))


def test_what_else_is_inside_is_told() -> None:
    contents = read_foreign(golden_file("sg2-32-cond3.pkl"))
    assert contents.format == "stylegan2-ada pickle"
    assert any("augment_pipe" in note for note in contents.notes)
    assert contents.facts["training_set_kwargs"]["resolution"] == 32


def test_a_latent_code_is_no_network() -> None:
    with pytest.raises(CheckpointError, match=r"one tensor of shape \(1, 10, 40\), a latent code"):
        load_network(golden_file("sg2-human-64x32-pti-pivot.pt"))


def test_files_of_old_torch_are_read(tmp_path: Path) -> None:
    state = load_file(golden_path("networks/sg2-32-orig.G.safetensors"))
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    torch.save(state, tmp_path / "new.pt")
    save_file(state, tmp_path / "bare.safetensors")
    for name in ("old.pt", "new.pt", "bare.safetensors"):
        network = load_network(tmp_path / name).network
        assert all(torch.equal(network.state_dict()[key], state[key]) for key in state)


@pytest.mark.parametrize("case", ["sg3-t-64", "sg3-r-64", "sg3-r-human-64x32"])
def test_bare_tensors_of_stylegan3_tell_their_shape(case: str) -> None:
    path = golden_file(f"{case}.G.safetensors")
    G = load_network(path).network
    assert isinstance(G, GeneratorLike)
    numbers = load_file(golden_path(f"networks/{case}.io.safetensors"))
    assert (G(numbers["z"]) - numbers["img_const"]).abs().max() < 2 * TOLERANCE


def test_old_files_with_shared_storages_and_views_are_read(tmp_path: Path) -> None:
    state = load_file(golden_path("networks/sg2-32-orig.G.safetensors"))
    pool = torch.cat([tensor.flatten() for tensor in state.values()])
    views, start = {}, 0
    for name, tensor in state.items():
        views[name] = pool[start : start + tensor.numel()].view(tensor.shape)
        start += tensor.numel()
    for new in (True, False):
        torch.save(views, tmp_path / f"{new}.pt", _use_new_zipfile_serialization=new)
        network = load_network(tmp_path / f"{new}.pt").network
        assert all(torch.equal(network.state_dict()[key], state[key]) for key in state)


def test_rosinality_files_without_stored_noise_are_read(tmp_path: Path) -> None:
    known = torch.load(golden_path("networks/sg2-human-64x32.rosinality.pth"), weights_only=True)
    known["g_ema"] = {name: tensor for name, tensor in known["g_ema"].items() if not name.startswith("noises.")}
    torch.save(known, tmp_path / "silent.pth")
    G = load_network(tmp_path / "silent.pth").network
    assert isinstance(G, GeneratorLike)
    numbers = load_file(golden_path("networks/sg2-human-64x32.io.safetensors"))
    assert (G(numbers["z"], noise_mode="none") - numbers["img_none"]).abs().max() < TOLERANCE
    assert 0.9 < G.synthesis.b64.conv1.noise_const.std() < 1.1


def test_unknown_dictionaries_name_what_they_hold(tmp_path: Path) -> None:
    torch.save({"optimiser": 3, "epoch": torch.zeros(2)}, tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match="a dictionary of optimiser, epoch"):
        load_network(tmp_path / "run.pt")
    torch.save({"layer1.weight": torch.zeros(2)}, tmp_path / "resnet.pt")
    with pytest.raises(CheckpointError, match=r"layer1\.weight, of no network known here"):
        load_network(tmp_path / "resnet.pt")
