from __future__ import annotations

import pytest
import torch
from torch import nn

from vitruvian.training.schedules import ema_beta, lazy_adam, update_average_


def test_ema_half_life_is_in_kimg() -> None:
    assert ema_beta(batch=1000, cur_nimg=0, ema_kimg=1, rampup=None) == pytest.approx(0.5)


def test_ramp_up_starts_with_the_network_itself() -> None:
    assert ema_beta(batch=8, cur_nimg=0, ema_kimg=10, rampup=0.05) == 0
    early = ema_beta(batch=8, cur_nimg=1000, ema_kimg=10, rampup=0.05)
    assert early == pytest.approx(0.5 ** (8 / 50))


def test_buffers_are_copied_and_parameters_averaged() -> None:
    slow, fast = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    fast.weight.data.fill_(3.0)
    fast.running_mean.fill_(7.0)
    update_average_(slow, fast, 0.75)
    torch.testing.assert_close(slow.weight.data, torch.full((2,), 1.5))
    torch.testing.assert_close(slow.running_mean, fast.running_mean)


def test_lazy_regularisation_corrects_adam() -> None:
    group = lazy_adam([nn.Parameter(torch.zeros(1))], lr=0.0025, interval=4).param_groups[0]
    assert group["lr"] == pytest.approx(0.002)
    assert group["betas"] == (0.0, pytest.approx(0.991992, abs=1e-6))
    group = lazy_adam([nn.Parameter(torch.zeros(1))], lr=0.0025, interval=16).param_groups[0]
    assert group["betas"][1] == pytest.approx(0.990585, abs=1e-6)
    plain = lazy_adam([nn.Parameter(torch.zeros(1))], lr=0.0025, interval=None).param_groups[0]
    assert plain["lr"] == 0.0025
    assert plain["betas"] == (0.0, 0.99)
