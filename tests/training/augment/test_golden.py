"""The augmentation pipe against the reference, transform by transform (tests/golden/README.md)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import golden_path
from vitruvian.training.augment import PIPES, AugmentPipe, Strengths
from vitruvian.training.augment.wavelets import band_filters, warp_filter

GOLDEN: dict[str, Any] = json.loads(golden_path("training/augment.json").read_text())
ARRAYS = np.load(golden_path("training/augment.npz"))
TOLERANCE = 1e-5


def images(name: str) -> Tensor:
    return torch.from_numpy(ARRAYS[f"in/{name}"])


def test_filters() -> None:
    assert np.allclose(warp_filter(), ARRAYS["const/Hz_geom"], atol=1e-7)
    assert np.allclose(band_filters(), ARRAYS["const/Hz_fbank"], atol=1e-7)
    assert np.allclose(band_filters().sum(axis=0), np.eye(43)[21], atol=1e-12)


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_pictures_equal_the_reference(case: dict[str, Any]) -> None:
    pipe = AugmentPipe(Strengths(**case["kwargs"]))
    pipe.p.fill_(case["p"])
    if case["torch_seed"] is not None:
        torch.manual_seed(case["torch_seed"])
    found = pipe(images(case["input"]), percentile=case["debug_percentile"])
    assert np.abs(found.numpy() - ARRAYS[f"out/{case['name']}"]).max() < TOLERANCE


@pytest.mark.parametrize("case", GOLDEN["grads"], ids=lambda case: case["grad"])
def test_gradients_of_both_orders_equal_the_reference(case: dict[str, Any]) -> None:
    pipe = AugmentPipe(PIPES[case["pipe"]])
    pipe.p.fill_(case["p"])
    torch.manual_seed(case["torch_seed"])
    pictures = images(case["input"]).requires_grad_()
    out = pipe(pictures)
    loss = (out * torch.arange(out.numel()).cos().reshape(out.shape)).sum() + (out**3).sum()
    (first,) = torch.autograd.grad(loss, pictures, create_graph=True)
    expected = ARRAYS[case["grad"]]
    assert np.abs(first.detach().numpy() - expected).max() < 1e-5 * np.abs(expected).max()
    power = first.square().sum(dim=(1, 2, 3))
    assert power.tolist() == pytest.approx(case["grad_sq_per_sample"], rel=1e-4)
    (second,) = torch.autograd.grad(power.sum(), pictures)
    lengths = second.square().sum(dim=(1, 2, 3)).sqrt()
    assert lengths.tolist() == pytest.approx(case["second_order_grad_l2_per_sample"], rel=1e-4)


def test_presets_are_those_of_the_reference() -> None:
    for name, strengths in GOLDEN["pipes"].items():
        assert PIPES[name] == Strengths(**strengths), name
