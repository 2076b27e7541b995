"""Processor time of one thread, measured so that neighbours on the machine meet all contestants alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F


def cpu_seconds(run: Callable[[], object]) -> float:
    """Processor time of one call."""
    started = time.process_time()
    run()
    return time.process_time() - started


def interleaved(contestants: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """The least processor time of each contestant, called in turns; the first turn warms up and does not count."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + 1):
        for name, run in contestants.items():
            times[name].append(cpu_seconds(run))
    return {name: min(found[1:]) for name, found in times.items()}


def convolution_peak(dtype: torch.dtype = torch.float32) -> float:
    """Operations a second of a 3x3 channels-last convolution, the ceiling that a generator can reach here."""
    x = torch.randn(1, 256, 64, 64, dtype=dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(256, 256, 3, 3, dtype=dtype).contiguous(memory_format=torch.channels_last)
    seconds = interleaved({"peak": lambda: F.conv2d(x, weight, padding=1)}, rounds=8)["peak"]
    return 2 * weight.numel() * x.shape[2] * x.shape[3] / seconds
