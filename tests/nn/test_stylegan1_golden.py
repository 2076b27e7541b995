"""Our StyleGAN1 against numbers of the reference implementation (tests/golden/README.md)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file
from torch import Tensor

from tests.conftest import golden_path
from vitruvian.nn.stylegan1 import Generator
from vitruvian.nn.stylegan1_discriminator import Discriminator

TOLERANCE = 2e-4  # absolute, float32
CASES = ["sg1-128", "sg1-32-cond3-fused"]


class Case:
    def __init__(self, name: str) -> None:
        path = golden_path(f"networks/{name}.json")
        if not path.exists():
            pytest.skip(f"{name} is in the full golden set alone (VITRUVIAN_GOLDEN)")
        facts: dict[str, Any] = json.loads(path.read_text())
        self.z_seeds = facts["z_seeds"]
        g, d = facts["G_kwargs"], facts["D_kwargs"]
        shared = {"img_resolution": g["resolution"], "c_dim": g.get("label_dim", 0)}
        shared |= {"channel_base": g["fmaps_base"], "channel_max": g["fmaps_max"]}
        self.G = Generator(
            z_dim=g["z_dim"],
            w_dim=g["w_dim"],
            num_layers=g.get("mapping_layers", 8),
            layer_features=g.get("mapping_fmaps"),
            embed_features=g.get("embedding_dim"),
            fused_scale=g.get("fused_scale", "auto"),
            **shared,
        )
        state = load_file(golden_path(f"networks/{name}.G.safetensors"))
        state["mapping.w_avg"] = state.pop("w_avg")
        self.G.load_state_dict(state)
        self.D = Discriminator(mbstd_group_size=d.get("mbstd_groups", 4), **shared)
        self.D.load_state_dict(load_file(golden_path(f"networks/{name}.D.safetensors")))
        self.io = load_file(golden_path(f"networks/{name}.io.safetensors"))
        self.c = self.io.get("c")


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def close(found: Tensor, expected: Tensor, what: str) -> None:
    assert found.shape == expected.shape, what
    assert (found - expected).abs().max() < TOLERANCE, what


def test_seeds(case: Case) -> None:
    rows = [np.random.RandomState(seed).randn(case.G.z_dim) for seed in case.z_seeds]
    assert np.allclose(case.io["z"].numpy(), np.stack(rows))


def test_mapping_and_truncation(case: Case) -> None:
    G, z = case.G, case.io["z"]
    close(G.mapping(z, case.c)[:, 0], case.io["w"], "w")
    close(G.mapping(z, case.c, 1.0), case.io["wp"], "wp")
    close(G.mapping(z, case.c, 0.7), case.io["wp_psi0.7_cutoff8"], "the network's own cutoff")
    close(G.mapping(z, case.c, 0.7, G.num_ws), case.io["wp_psi0.7_all"], "all rows")


def test_pictures_and_layers(case: Case) -> None:
    seen: dict[str, Tensor] = {}
    for name, module in case.G.synthesis.named_modules():
        module.register_forward_hook(lambda _, __, out, name=name: seen.__setitem__(f"act.{name}", out))
    close(case.G(case.io["z"], case.c, noise_mode="const"), case.io["img_const"], "img_const")
    compared = 0
    for name in seen.keys() & case.io.keys():
        close(seen[name], case.io[name].reshape(seen[name].shape), name)
        compared += 1
    assert compared == sum(name.startswith("act.") for name in case.io)
    close(case.G(case.io["z"], case.c, noise_mode="none"), case.io["img_none"], "img_none")
    close(case.G(case.io["z"], case.c, 0.7), case.io["img_psi0.7_cutoff8_const"], "cutoff 8")
    if "img_psi0.7_all_const" in case.io:
        close(case.G(case.io["z"], case.c, 0.7, case.G.num_ws), case.io["img_psi0.7_all_const"], "all rows")


@pytest.mark.parametrize("lod", ["1", "0.5"])
def test_growing_pictures(case: Case, lod: str) -> None:
    name = f"img_lod{lod}_const"
    if name not in case.io:
        pytest.skip("not in this case")
    case.G.synthesis.lod.fill_(float(lod))
    close(case.G(case.io["z"], case.c), case.io[name], name)


def test_discriminator(case: Case) -> None:
    img, c = case.io["d_img"], case.io.get("d_c")
    close(case.D(img, c), case.io["d_logits"], "d_logits")
    if "d_logits_lod1" in case.io:
        case.D.lod.fill_(1.0)
        close(case.D(img, c), case.io["d_logits_lod1"], "d_logits_lod1")
