from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch

from tests.conftest import golden_path
from vitruvian.training.augment.controller import P_MAX, AdaController

CASES: list[dict[str, Any]] = json.loads(golden_path("training/schedules.json").read_text())["ada"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"kimg{case['ada_kimg']}-batch{case['batch_size']}")
def test_p_walks_as_in_the_reference(case: dict[str, Any]) -> None:
    controller = AdaController(target=case["target"], ada_kimg=case["ada_kimg"], p_max=math.inf)
    p = torch.tensor(case["p_initial"])
    steps = zip(case["mean_at_each_update"], case["p_after_each_update"], strict=True)
    for mean_sign, expected in steps:
        p = controller.adjusted(p, mean_sign=mean_sign, images=case["batch_size"] * case["ada_interval"])
        assert p.item() == expected


def test_p_has_bounds() -> None:
    controller = AdaController(ada_kimg=1)
    p = torch.tensor(0.0)
    for _ in range(20):
        p = controller.adjusted(p, mean_sign=1.0, images=100)
    assert p.item() == pytest.approx(P_MAX)
    for _ in range(20):
        p = controller.adjusted(p, mean_sign=-1.0, images=100)
    assert p.item() == 0


def test_p_rests_on_the_target() -> None:
    assert AdaController(target=0.5).adjusted(torch.tensor(0.3), mean_sign=0.5, images=1000).item() == pytest.approx(
        0.3
    )
