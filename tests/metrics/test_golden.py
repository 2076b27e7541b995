"""Metrics on stored features against the reference functions (tests/golden/README.md)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import golden_path
from vitruvian.metrics.distances import frechet_distance, inception_score, kernel_distance, precision_recall
from vitruvian.metrics.path_length import path_lengths, reduce_path_lengths, slerp
from vitruvian.metrics.statistics import MomentAccumulator, moments_of

GOLDEN: dict[str, Any] = json.loads(golden_path("training/metrics.json").read_text())
ARRAYS = np.load(golden_path("training/metrics.npz"))
REAL, FAKE = ARRAYS["features/real"], ARRAYS["features/gen"]


def test_moments_are_those_of_the_population() -> None:
    accumulator = MomentAccumulator(REAL.shape[1])
    for rows in np.array_split(REAL, 7):
        accumulator.add(rows)
    for moments in (moments_of(REAL), accumulator.moments()):
        assert np.allclose(moments.mean, ARRAYS["stats/real_mean"], rtol=1e-12)
        assert np.allclose(moments.covariance, ARRAYS["stats/real_cov"], rtol=0, atol=1e-12)


def test_fid() -> None:
    assert frechet_distance(moments_of(REAL), moments_of(FAKE)) == pytest.approx(GOLDEN["fid"], rel=1e-6)
    few = frechet_distance(moments_of(REAL[:40]), moments_of(FAKE[:30]))
    assert few == pytest.approx(GOLDEN["fid_singular_first40_first30"], rel=1e-6)


def test_fid_of_a_set_against_itself_is_nothing() -> None:
    for rows in (REAL, REAL[:20]):
        assert 0 <= frechet_distance(moments_of(rows), moments_of(rows)) < 1e-3


@pytest.mark.parametrize("case", GOLDEN["kid"])
def test_kid(case: dict[str, float]) -> None:
    seed = int(case["numpy_global_seed"])
    rounding = 2e-6  # sums of float32 matrix products: processors differ by this much, the reference included
    assert kernel_distance(REAL, FAKE, seed=seed) == pytest.approx(case["kid_subsets100_max1000"], rel=rounding)
    few = kernel_distance(REAL, FAKE, num_subsets=20, max_subset_size=100, seed=seed)
    assert few == pytest.approx(case["kid_subsets20_max100"], rel=rounding)


@pytest.mark.parametrize("neighbours", [3, 5])
def test_precision_and_recall(neighbours: int) -> None:
    expected = GOLDEN["pr"][f"k{neighbours}_float32"]
    found = precision_recall(REAL, FAKE, neighbours=neighbours)
    assert found.precision == pytest.approx(expected["precision"], rel=1e-6)
    assert found.recall == pytest.approx(expected["recall"], rel=1e-6)


def test_inception_score() -> None:
    found = inception_score(ARRAYS["is/probs"], num_splits=GOLDEN["is"]["num_splits"])
    assert found.mean == pytest.approx(GOLDEN["is"]["mean"], rel=1e-6)
    assert found.std == pytest.approx(GOLDEN["is"]["std"], rel=1e-6)


@pytest.mark.parametrize("t", ["0.0", "0.0001", "0.3", "1.0"])
def test_slerp(t: str) -> None:
    a, b = (torch.from_numpy(ARRAYS[f"slerp/{end}"]) for end in "ab")
    found = slerp(a, b, torch.full((len(a), 1), float(t)))
    assert np.allclose(found.numpy(), ARRAYS[f"slerp/t{t}"], atol=1e-6)


def test_path_length_reduction() -> None:
    found = reduce_path_lengths(ARRAYS["ppl/dist_for_reduction"])
    assert found == pytest.approx(GOLDEN["ppl_reduction"]["ppl"], rel=1e-6)


class StandIn:
    """The generator of the golden numbers: two matrices and a hyperbolic tangent."""

    height = width = 512

    def __init__(self) -> None:
        self.m, self.q = (torch.from_numpy(ARRAYS[f"ppl/G/{name}"]).double() for name in "mq")

    def mapping(self, z: Tensor, c: Tensor) -> Tensor:
        return torch.tanh(z.double() @ self.m)[:, None].repeat(1, 16, 1)

    def synthesis(self, ws: Tensor, **_: object) -> Tensor:
        small = torch.tanh(ws.mean(dim=1) @ self.q).reshape(-1, 3, 16, 16)
        return torch.nn.functional.interpolate(small, scale_factor=32, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("case", GOLDEN["ppl_sampler"], ids=lambda case: f"{case['space']}{case['sampling']}")
def test_path_lengths(case: dict[str, Any]) -> None:
    """In double precision; the reference's float32 differences make its numbers good to two percent."""
    name = f"ppl/{case['space']}{case['sampling']}"
    shapes: list[list[int]] = []

    def perceive(pictures: Tensor) -> Tensor:
        shapes.append(list(pictures.shape))
        assert pictures.mean().item() == pytest.approx(case["vgg_input_mean"], rel=1e-4)
        return torch.nn.functional.avg_pool2d(pictures / 255, 32).flatten(1)

    t = torch.from_numpy(ARRAYS[f"{name}/t_raw"]).double() * (case["sampling"] == "full")
    ends = torch.from_numpy(ARRAYS[f"{name}/z0z1"]).double()
    stand_in: Any = StandIn()
    found = path_lengths(stand_in, perceive, ends, t, torch.zeros(len(t), 0), space=case["space"], crop=case["crop"])
    assert shapes == [case["vgg_input_shape"]]
    assert np.allclose(found.numpy(), case["dist"], rtol=0.03)
