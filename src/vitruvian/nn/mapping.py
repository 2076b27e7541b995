"""The mapping network of StyleGAN2 and StyleGAN3, and truncation.

Shapes: ``N`` batch, ``L`` number of w rows (``num_ws``), ``K`` size of w.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from vitruvian.nn.layers import FullyConnected, pixel_norm


class Mapping(nn.Module):
    """z (and a label) to w: normalise, then fully connected layers with a hundredth of the learning rate."""

    w_avg: Tensor

    def __init__(
        self,
        *,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        num_ws: int | None,
        num_layers: int = 8,
        embed_features: int | None = None,
        layer_features: int | None = None,
        activation: str = "lrelu",
        lr_multiplier: float = 0.01,
        w_avg_beta: float | None = 0.995,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim, self.num_ws = z_dim, c_dim, w_dim, num_ws
        self.num_layers = num_layers
        self.w_avg_beta = w_avg_beta
        embedded = 0 if c_dim == 0 else (w_dim if embed_features is None else embed_features)
        hidden = w_dim if layer_features is None else layer_features
        if c_dim > 0:
            self.embed = FullyConnected(c_dim, embedded)
        widths = [z_dim + embedded, *[hidden] * (num_layers - 1), w_dim]
        for index, (n_in, n_out) in enumerate(pairwise(widths)):
            layer = FullyConnected(n_in, n_out, act=activation, lr_multiplier=lr_multiplier)
            self.add_module(f"fc{index}", layer)
        if num_ws is not None and w_avg_beta is not None:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(
        self,
        z: Tensor | None,
        c: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_emas: bool = False,
    ) -> Tensor:
        """Map ``z: N x z_dim`` and ``c: N x c_dim`` to ``w: N x L x K`` (``N x K`` without ``num_ws``).

        Args:
            truncation_psi: 1 leaves w alone, 0 gives the mean person.
            truncation_cutoff: number of leading rows that are truncated; None for all.
            update_emas: move ``w_avg`` towards the mean of this batch (training).
        """
        parts = []
        if self.z_dim > 0:
            if z is None or z.shape[1:] != (self.z_dim,):
                raise ValueError(f"z must be N x {self.z_dim}, got {None if z is None else tuple(z.shape)}")
            parts.append(pixel_norm(z.to(torch.float32)))
        if self.c_dim > 0:
            if c is None or c.shape[1:] != (self.c_dim,):
                raise ValueError(f"c must be N x {self.c_dim}, got {None if c is None else tuple(c.shape)}")
            parts.append(pixel_norm(self.embed(c.to(torch.float32))))
        w = torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]
        for index in range(self.num_layers):
            w = self.get_submodule(f"fc{index}")(w)
        if update_emas and self.w_avg_beta is not None:
            self.w_avg.copy_(w.detach().mean(dim=0).lerp(self.w_avg, self.w_avg_beta))
        if self.num_ws is None:
            return w
        ws = w.unsqueeze(1).repeat(1, self.num_ws, 1)
        return truncate(ws, self.w_avg, truncation_psi, truncation_cutoff) if truncation_psi != 1 else ws


def truncate(ws: Tensor, w_avg: Tensor, psi: float, cutoff: int | None = None) -> Tensor:
    """Pull the first ``cutoff`` rows of ``ws: N x L x K`` towards ``w_avg: K``: ``w_avg + psi (w - w_avg)``."""
    rows = ws.shape[1] if cutoff is None else cutoff
    return torch.cat([w_avg.lerp(ws[:, :rows], psi), ws[:, rows:]], dim=1)
