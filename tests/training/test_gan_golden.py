"""Losses and six steps of the loop against the reference: gradients, both optimisers, lazy gains, the average."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tests.conftest import golden_path
from vitruvian.data import PictureSet
from vitruvian.nn.stylegan2 import Generator
from vitruvian.options.train import TrainOptions
from vitruvian.training.gan import GanTraining
from vitruvian.training.losses import LossOptions, StyleGAN2Loss
from vitruvian.training.plan import make_plan, replace

# From the full set if it is there, so that the two files always belong together.
FACTS = json.loads(golden_path("training/loss_sg2.json").read_text())
NUMBERS = load_file(golden_path("training/loss_sg2.safetensors"))
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture
def training(tiny_set: Path) -> GanTraining:
    """Networks of the golden sizes, over any pictures of 16x8."""
    options = TrainOptions(
        batch=4, batch_gpu=2, mbstd_group=2, cbase=128, cmax=16, latent=8, map_depth=2, mixing=0, gamma=2, glr=0.01,
        dlr=0.01,
    )  # fmt: skip
    plan = make_plan(options, height=16, width=8, img_channels=3, label_dim=0)
    plan = replace(plan, G_reg_interval=2, D_reg_interval=3, ema_kimg=0.02, ema_rampup=0.5)
    training = GanTraining(plan, PictureSet.open(tiny_set), torch.device("cpu"))
    for name in ("G", "D"):
        getattr(training, name).load_state_dict(part(f"tall/{name}/"))
    training.G_ema.load_state_dict(training.G.state_dict())
    with_stored_noise(training.G)
    return training


def part(prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in NUMBERS.items() if name.startswith(prefix)}


def with_stored_noise(G: Generator) -> None:
    """The reference's numbers were made with the constant noise."""
    paint = G.synthesis.forward
    G.synthesis.forward = lambda ws, **_: paint(ws, noise_mode="const")  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def path_noise(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Tensor]], None]:
    """Sets what the path length penalty draws."""

    def prepare(draws: list[Tensor]) -> None:
        waiting = iter(draws)
        monkeypatch.setattr("vitruvian.training.losses.torch.randn", lambda *_, **__: next(waiting))

    return prepare


@pytest.mark.parametrize("phase", ["Gmain", "Greg", "Dmain", "Dreg"])
def test_the_gradients_of_a_phase(
    phase: str, path_noise: Callable[[list[Tensor]], None], training: GanTraining
) -> None:
    case = next(case for case in FACTS["cases"] if case["tag"] == "tall")
    options = case["loss_kwargs"]
    loss = StyleGAN2Loss(
        training.G, training.D, LossOptions(r1_gamma=options["r1_gamma"], pl_weight=2, style_mixing_prob=0)
    )
    loss.pl_mean = torch.tensor(0.37)
    network: nn.Module = training.G if phase.startswith("G") else training.D
    network.requires_grad_(True)
    given, none, random = part("tall/in/"), torch.zeros(4, 0), torch.Generator()
    gain = case["phases"][phase]["gain"]
    path_noise([NUMBERS["tall/Greg/randn_like/0"]])
    reported = {
        "Gmain": lambda: loss.generator_main(given["z"], none, generator=random),
        "Greg": lambda: loss.generator_regularisation(given["z"], none, generator=random, gain=gain),
        "Dmain": lambda: loss.discriminator_main(given["real"], none, given["z"], none, generator=random),
        "Dreg": lambda: loss.discriminator_regularisation(given["real"], none, gain=gain),
    }[phase]()
    expected = case["phases"][phase]
    for name, values in reported.items():
        torch.testing.assert_close(values.flatten(), torch.tensor(expected["reports"][name][0]), **TOLERANCE)
    for name, parameter in network.named_parameters():
        norm, total = expected["grad_norm_and_sum"].get(name, (0.0, 0.0))
        gradient = torch.zeros(1) if parameter.grad is None else parameter.grad
        assert gradient.norm().item() == pytest.approx(norm, rel=1e-4, abs=1e-4), name
        assert gradient.sum().item() == pytest.approx(total, rel=1e-3, abs=1e-3), name
    assert loss.pl_mean.item() == pytest.approx(expected["pl_mean_after"])


def test_six_steps_of_the_loop(
    training: GanTraining, path_noise: Callable[[list[Tensor]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    none = torch.zeros(2, 0)
    steps: list[dict[str, Any]] = FACTS["trajectory"]["steps"]
    for index, step in enumerate(steps):
        codes = NUMBERS[f"traj/{index}/z"].split(4)  # one batch for each of Gmain, Greg, Dmain, Dreg
        due: Iterator[Tensor] = iter([codes[0], codes[1], codes[2]] if "Greg" in step else [codes[0], codes[2]])
        real = NUMBERS[f"traj/{index}/real"].split(2)
        monkeypatch.setattr(training, "_codes", lambda *_, due=due: [(z, none) for z in next(due).split(2)])
        monkeypatch.setattr(training, "_draw_reals", lambda real=real: (real, (none, none)))
        path_noise(list(part(f"traj/{index}/Greg/pl_noise/").values()))
        training.step()
        assert training.cur_nimg == step["cur_nimg"]
        assert training.loss.pl_mean.item() == pytest.approx(step["pl_mean"], rel=1e-4)
    for name in ("G", "D", "G_ema"):
        final = part(f"traj/final/{name}/")
        for key, parameter in getattr(training, name).named_parameters():
            torch.testing.assert_close(parameter, final[key], **TOLERANCE, msg=lambda text, key=key: f"{key}: {text}")
