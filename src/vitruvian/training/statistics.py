"""Means and deviations of what a run reports between two ticks."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor


class Statistics:
    """Collects per-sample values under names; summarising starts the next interval."""

    def __init__(self) -> None:
        self._moments: dict[str, Tensor] = {}  # count, sum, sum of squares; on the device, so no step waits

    def report(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            value = value.detach().flatten().to(torch.float64 if value.device.type != "mps" else torch.float32)
            moments = torch.stack([value.new_tensor(len(value)), value.sum(), value.square().sum()])
            self._moments[name] = self._moments[name] + moments if name in self._moments else moments

    def summarise(self) -> dict[str, dict[str, float]]:
        """``{name: {"num", "mean", "std"}}`` since the last call; the deviation is the population's."""
        summary = {}
        for name in sorted(self._moments):
            count, total, squares = self._moments[name].tolist()
            mean = total / count
            summary[name] = {
                "num": int(count),
                "mean": mean,
                "std": math.sqrt(max(squares / count - mean**2, 0.0)),
            }
        self._moments.clear()
        return summary

    def state_dict(self) -> dict[str, Tensor]:
        return {name: moments.cpu() for name, moments in self._moments.items()}

    def load_state_dict(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        self._moments = {name: moments.to(device) for name, moments in state.items()}
