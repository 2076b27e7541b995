from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import golden_path
from vitruvian.checkpoints import write_network
from vitruvian.checkpoints.foreign import rosinality
from vitruvian.checkpoints.foreign.official import writing as official
from vitruvian.checkpoints.foreign.reading import read_foreign
from vitruvian.checkpoints.opening import read_contents
from vitruvian.checkpoints.weights import FileContents, Weights, assemble
from vitruvian.errors import CheckpointError
from vitruvian.nn import StyleGAN2Generator

SNAPSHOTS = [
    "sg2-32-cond3.pkl",
    "sg2-human-64x32.pkl",
    "sg2-64-skip.pkl",
    "sg3-r-human-64x32.pkl",
    "sg3-r-64.pkl",
]


def contents_of(name: str) -> FileContents:
    path = golden_path(f"networks/{name}")
    if not path.exists():
        pytest.skip(f"{name} is in the full golden set alone (VITRUVIAN_GOLDEN)")
    return read_foreign(path)


def assert_same(a: Weights, b: Weights) -> None:
    assert a.kind == b.kind
    assert assemble(a, owner="a").config == assemble(b, owner="b").config  # with the defaults filled in
    assert a.tensors.keys() == b.tensors.keys()
    assert all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_native_to_official_to_native_is_bit_equal(name: str, tmp_path: Path) -> None:
    networks = contents_of(name).networks
    (tmp_path / "again.pkl").write_bytes(official.write(networks))
    again = read_foreign(tmp_path / "again.pkl").networks
    assert again.keys() == networks.keys()
    for role, weights in networks.items():
        assert_same(again[role], weights)
        native = tmp_path / f"{role}.safetensors"
        write_network(assemble(weights, owner=name), native)
        (tmp_path / "third.pkl").write_bytes(official.write(read_contents(native)[0].networks))
        [third] = read_foreign(tmp_path / "third.pkl").networks.values()
        assert all(torch.equal(third.tensors[key], weights.tensors[key]) for key in weights.tensors)


def test_rosinality_to_native_to_rosinality_is_bit_equal(tmp_path: Path) -> None:
    path = golden_path("networks/sg2-human-64x32.rosinality.pth")
    original = torch.load(path, weights_only=True)
    write_network(assemble(read_foreign(path).networks["G_ema"], owner=str(path)), tmp_path / "net.safetensors")
    again = rosinality.write(read_contents(tmp_path / "net.safetensors")[0].networks["G_ema"])
    assert torch.equal(again["latent_avg"], original["latent_avg"])  # pyright: ignore[reportArgumentType]
    state: Any = again["g_ema"]
    assert state.keys() == original["g_ema"].keys()
    for name, tensor in original["g_ema"].items():
        assert state[name].shape == tensor.shape, name
        assert torch.equal(state[name], tensor), name


def test_rosinality_says_what_it_cannot_express() -> None:
    with pytest.raises(CheckpointError, match="class labels"):
        rosinality.write(contents_of("sg2-32-cond3.pkl").networks["G_ema"])


def test_official_says_what_it_cannot_express() -> None:
    wide = StyleGAN2Generator(img_resolution=(16, 12), channel_base=64, channel_max=8)
    weights = Weights(wide.kind, {"img_resolution": (16, 12)}, wide.state_dict())
    with pytest.raises(CheckpointError, match="16x12, only 1:1 and 2:1"):
        official.write({"G_ema": weights})


def test_the_official_protocol_builds_modules_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for an official checkout: classes by name, made without their constructors, given their state."""
    classes = types.ModuleType("training.networks")
    for name in (
        "Generator", "SynthesisNetwork", "SynthesisBlock", "SynthesisLayer", "ToRGBLayer", "MappingNetwork",
        "FullyConnectedLayer",
    ):  # fmt: skip
        setattr(classes, name, type(name, (torch.nn.Module,), {}))
    persistence = types.ModuleType("torch_utils.persistence")

    def reconstruct(meta: dict[str, Any]) -> torch.nn.Module:
        assert (meta["type"], meta["version"]) == ("class", 6)
        namespace: dict[str, Any] = {}
        exec(meta["module_src"], namespace)
        made = namespace[meta["class_name"]].__new__(namespace[meta["class_name"]])
        made.__dict__.update(meta["state"])
        return made

    persistence._reconstruct_persistent_obj = reconstruct  # pyright: ignore[reportAttributeAccessIssue]
    for name, module in {
        "training": types.ModuleType("training"),
        "training.networks": classes,
        "torch_utils": types.ModuleType("torch_utils"),
        "torch_utils.persistence": persistence,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    weights = contents_of("sg2-32-cond3.pkl").networks["G_ema"]
    data = official.write({"G_ema": weights}, module="training.networks")
    snapshot = pickle.loads(data)  # our own bytes: this is what the official loader does with them
    G = snapshot["G_ema"]
    assert snapshot["augment_pipe"] is None
    assert G.synthesis.b32.conv0.up == 2
    assert G.synthesis.b32.conv0.conv_clamp == 1.0
    assert G.mapping.fc0.bias_gain == pytest.approx(0.01)
    state = G.state_dict()
    assert state.keys() == weights.tensors.keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in weights.tensors.items())
    assert isinstance(G.synthesis.b4.conv1.weight, torch.nn.Parameter)
    assert {name for name, _ in G.named_buffers()} == {
        name for name, _ in assemble(weights, owner="test").named_buffers()
    }
