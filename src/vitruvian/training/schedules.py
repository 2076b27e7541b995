"""Numbers that change with the clock (pictures shown) or follow from lazy regularisation."""

from __future__ import annotations

import torch
from torch import nn


def ema_beta(*, batch: int, cur_nimg: int, ema_kimg: float, rampup: float | None) -> float:
    """Weight of the old average after one step: ``0.5 ^ (batch / half_life)``.

    With a ramp-up the half-life is at most ``cur_nimg * rampup`` pictures, so at the start the average is the
    network itself.
    """
    half_life = ema_kimg * 1000
    if rampup is not None:
        half_life = min(half_life, cur_nimg * rampup)
    return 0.5 ** (batch / max(half_life, 1e-8))


@torch.no_grad()
def update_average_(average: nn.Module, network: nn.Module, beta: float) -> None:
    """Move parameters of ``average`` towards ``network``; buffers are copied."""
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.copy_(fast.lerp(slow, beta))
    for slow, fast in zip(average.buffers(), network.buffers(), strict=True):
        slow.copy_(fast)


def lazy_adam(parameters: list[nn.Parameter], *, lr: float, interval: int | None) -> torch.optim.Adam:
    """Adam(0, 0.99) corrected for a regulariser that runs every ``interval`` steps (StyleGAN2, appendix B).

    The regulariser's extra step makes ``interval + 1`` steps of ``interval``: learning rate and betas shrink to match.
    """
    ratio = 1.0 if interval is None else interval / (interval + 1)
    return torch.optim.Adam(parameters, lr=lr * ratio, betas=(0.0**ratio, 0.99**ratio), eps=1e-8, fused=True)
