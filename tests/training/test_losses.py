from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from vitruvian.nn import StyleGAN2Discriminator, StyleGAN2Generator
from vitruvian.training.losses import LossOptions, StyleGAN2Loss

SMALL = {"img_resolution": (16, 8), "channel_base": 128, "channel_max": 8}


def make(**options: float) -> StyleGAN2Loss:
    G = StyleGAN2Generator(z_dim=8, w_dim=8, num_layers=2, **SMALL)
    D = StyleGAN2Discriminator(mbstd_group_size=2, **SMALL)
    return StyleGAN2Loss(G, D, LossOptions(**options))


def random() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_r1_is_half_gamma_times_the_squared_gradient() -> None:
    loss = make(r1_gamma=3.0)
    real = torch.randn(4, 3, 16, 8)
    reported = loss.discriminator_regularisation(real, torch.zeros(4, 0), gain=16)
    probe = real.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss.D(probe, None).sum(), probe)
    expected = gradient.square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(reported["Loss/r1_penalty"], expected)
    torch.testing.assert_close(reported["Loss/D/reg"], 1.5 * expected)


def test_r1_gradient_is_right_through_the_second_derivative() -> None:
    loss = make(r1_gamma=2.0)
    real = torch.randn(2, 3, 16, 8)
    weight = loss.D.get_submodule("b16").conv0.weight
    loss.D.zero_grad()
    loss.discriminator_regularisation(real, torch.zeros(2, 0), gain=1)
    analytic = weight.grad[0, 0, 0, 0].item()

    def penalty(shift: float) -> float:
        with torch.no_grad():
            weight[0, 0, 0, 0] += shift
        value = loss.discriminator_regularisation(real, torch.zeros(2, 0), gain=1)["Loss/D/reg"].mean().item()
        with torch.no_grad():
            weight[0, 0, 0, 0] -= shift
        return value

    step = 2e-2
    numeric = (penalty(step) - penalty(-step)) / (2 * step)
    assert analytic == pytest.approx(numeric, rel=0.05, abs=1e-4)


def test_generator_loss_is_softplus_of_the_negative_logit() -> None:
    loss = make(style_mixing_prob=0.0)
    reported = loss.generator_main(torch.randn(4, 8), torch.zeros(4, 0), generator=random())
    torch.testing.assert_close(reported["Loss/G/loss"], F.softplus(-reported["Loss/scores/fake"]))


def test_path_length_of_a_linear_picture_is_known() -> None:
    loss = make(style_mixing_prob=0.0)
    rows, size = loss.G.num_ws, loss.G.w_dim
    table = torch.randn(rows * size, 3 * 16 * 8, requires_grad=True)
    loss.G.synthesis.forward = lambda ws, **_: (ws.flatten(1) @ table).reshape(-1, 3, 16, 8)  # pyright: ignore
    reported = loss.generator_regularisation(torch.randn(4, 8), torch.zeros(4, 0), generator=random(), gain=4)
    assert reported["Loss/pl_penalty"].shape == (2,)  # half of the micro-batch
    noise = torch.randn(2, 3, 16, 8, generator=random()) / math.sqrt(16 * 8)
    gradient = (noise.flatten(1) @ table.detach().T).reshape(2, rows, size)
    lengths = gradient.square().sum(2).mean(1).sqrt()
    mean = 0.01 * lengths.mean()
    torch.testing.assert_close(reported["Loss/pl_penalty"], (lengths - mean).square(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(loss.pl_mean, mean, rtol=1e-4, atol=1e-6)


def test_mixing_replaces_a_tail_of_rows() -> None:
    loss = make(style_mixing_prob=1.0)
    ws = loss.G.mapping(torch.randn(2, 8))
    mixed = loss._mix_styles(ws, torch.zeros(2, 0), random())
    same = (mixed == ws).all(dim=2).all(dim=0).tolist()
    first_other = same.index(False)
    assert 1 <= first_other < loss.G.num_ws
    assert not any(same[first_other:])


def test_running_mean_of_w_moves_in_the_discriminator_phase_alone() -> None:
    loss = make()
    z, c = torch.randn(4, 8), torch.zeros(4, 0)
    loss.generator_main(z, c, generator=random())
    assert loss.G.mapping.w_avg.abs().sum() == 0
    loss.discriminator_main(torch.randn(4, 3, 16, 8), c, z, c, generator=random())
    assert loss.G.mapping.w_avg.abs().sum() > 0
