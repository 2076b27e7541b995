"""Our StyleGAN2 against numbers of the reference implementation (tests/golden/README.md)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.conftest import golden_path
from vitruvian.nn.stylegan2 import Generator
from vitruvian.nn.stylegan2_discriminator import Discriminator

CASES = ["sg2-64-skip", "sg2-32-cond3", "sg2-32-orig", "sg2-32-resnet", "sg2-human-64x32"]
TOLERANCE = 1e-4  # absolute, float32


def _size(kwargs: dict[str, Any]) -> int | tuple[int, int]:
    height = kwargs["img_resolution"]
    return height if kwargs.get("square", True) else (height, height // 2)


def build_generator(kwargs: dict[str, Any]) -> Generator:
    """Our constructor call for the reference's nested keywords."""
    synthesis = dict(kwargs.get("synthesis_kwargs", {}))
    mapping = dict(kwargs.get("mapping_kwargs", {}))
    for ignored in ("num_fp16_res", "fp16_channels_last", "square"):
        synthesis.pop(ignored, None)
    return Generator(
        img_resolution=_size({**kwargs, **kwargs.get("synthesis_kwargs", {})}),
        **{key: kwargs[key] for key in ("z_dim", "c_dim", "w_dim", "img_channels")},
        **synthesis,
        **mapping,
    )


def build_discriminator(kwargs: dict[str, Any]) -> Discriminator:
    flat = {
        key: kwargs[key]
        for key in (
            "c_dim",
            "img_channels",
            "architecture",
            "channel_base",
            "channel_max",
            "conv_clamp",
            "cmap_dim",
        )
        if key in kwargs
    }
    return Discriminator(
        img_resolution=_size(kwargs),
        **flat,
        **kwargs.get("block_kwargs", {}),
        **kwargs.get("mapping_kwargs", {}),
        **kwargs.get("epilogue_kwargs", {}),
    )


class Case:
    def __init__(self, name: str) -> None:
        kwargs = json.loads(golden_path(f"networks/{name}.json").read_text())
        self.io = load_file(golden_path(f"networks/{name}.io.safetensors"))
        self.kwargs = kwargs
        self.G = build_generator(kwargs["G_kwargs"]).eval()
        self.G.load_state_dict(load_file(golden_path(f"networks/{name}.G.safetensors")), strict=True)
        self.D = build_discriminator(kwargs["D_kwargs"]).eval()
        self.D.load_state_dict(load_file(golden_path(f"networks/{name}.D.safetensors")), strict=True)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max().item() < TOLERANCE


def recorded_outputs(module: torch.nn.Module, run: Any) -> dict[str, Any]:
    outputs: dict[str, Any] = {}
    hooks = [
        child.register_forward_hook(lambda _m, _i, out, name=name: outputs.__setitem__(name, out))
        for name, child in module.named_modules()
        if name
    ]
    run()
    for hook in hooks:
        hook.remove()
    return outputs


def output_named(outputs: dict[str, Any], name: str) -> Tensor:
    """``b8.x`` and ``b8.img`` are the two outputs of block ``b8``."""
    if name in outputs:
        return outputs[name]
    block, part = name.rsplit(".", 1)
    return outputs[block][("x", "img").index(part)]


@torch.no_grad()
def test_latents_match(case: Case) -> None:
    z, c = case.io["z"], case.io.get("c")
    seeds = case.kwargs["z_seeds"]
    drawn = np.concatenate([np.random.RandomState(seed).randn(1, case.G.z_dim) for seed in seeds])
    assert_close(torch.from_numpy(drawn).float(), z.float())
    assert_close(case.G.mapping(z, c), case.io["w"])
    assert_close(case.G.mapping(z, c, truncation_psi=0.7), case.io["w_psi0.7"])
    if "w_psi0.7_cutoff3" in case.io:
        assert_close(case.G.mapping(z, c, truncation_psi=0.7, truncation_cutoff=3), case.io["w_psi0.7_cutoff3"])


@torch.no_grad()
def test_pictures_match(case: Case) -> None:
    io, w = case.io, case.io["w"]
    assert case.G.num_ws == case.kwargs["num_ws"]
    assert_close(case.G.synthesis(w, noise_mode="const"), io["img_const"])
    if "img_none" in io:
        assert_close(case.G.synthesis(w, noise_mode="none"), io["img_none"])
    assert_close(case.G(io["z"], io.get("c"), truncation_psi=0.7, noise_mode="const"), io["img_psi0.7_const"])
    mixed = w[:1].clone()
    mixed[:, 2:5] = w[1:2, 2:5]
    assert_close(case.G.synthesis(mixed, noise_mode="const"), io["img_mix_rows2to4_from1"])


@torch.no_grad()
def test_generator_intermediates_match(case: Case) -> None:
    outputs = recorded_outputs(case.G.synthesis, lambda: case.G.synthesis(case.io["w"], noise_mode="const"))
    names = [key.removeprefix("act.") for key in case.io if key.startswith("act.")]
    assert names
    for name in names:
        assert_close(output_named(outputs, name), case.io[f"act.{name}"])


@torch.no_grad()
def test_discriminator_matches(case: Case) -> None:
    img, c = case.io["d_img"], case.io.get("d_c")
    outputs = recorded_outputs(case.D, lambda: assert_close(case.D(img, c), case.io["d_logits"]))
    names = [key.removeprefix("d_act.") for key in case.io if key.startswith("d_act.")]
    assert names
    for name in names:
        assert_close(output_named(outputs, name), case.io[f"d_act.{name}"])


@torch.no_grad()
def test_running_mean_of_w_matches() -> None:
    case = Case("sg2-64-skip")
    case.G.mapping(case.io["z"], update_emas=True)
    assert_close(case.G.mapping.w_avg, case.io["ema.w_avg_after"])
