"""Codes to pixels, the step that all films and sheets share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from vitruvian.images import to_uint8
from vitruvian.tasks.opening import OpenGenerator


def map_codes(
    generator: OpenGenerator, z: Tensor, label: Tensor, psis: Sequence[float], cutoff: int | None = None
) -> Tensor:
    """``z: N x z_dim`` and ``label: 1 x c_dim`` to ``N x num_ws x w_dim``, each truncated by its own psi."""
    mapping = generator.network.mapping
    z, label = z.to(generator.device), label.to(generator.device)
    if len(set(psis)) == 1:
        return mapping(z, label.expand(len(z), -1), psis[0], cutoff)
    return torch.cat([mapping(row[None], label, psi, cutoff) for row, psi in zip(z, psis, strict=True)])


def paint_codes(generator: OpenGenerator, ws: Tensor, noise_mode: str, noise_seeds: Sequence[int]) -> np.ndarray:
    """``ws: N x num_ws x w_dim`` to uint8 ``N x H x W x 3``; a grey network's pictures become grey RGB ones.

    Args:
        noise_seeds: one for each picture, from which its noise is drawn if that is "random", so that no picture
            depends on its neighbours in the batch.
    """
    synthesis = generator.network.synthesis
    if noise_mode == "random":
        painted = []
        for seed, row in zip(noise_seeds, ws, strict=True):
            noise = torch.Generator(generator.device).manual_seed(seed)
            painted.append(synthesis(row[None], noise_mode=noise_mode, generator=noise))
        pictures = torch.cat(painted)
    else:
        pictures = synthesis(ws, noise_mode=noise_mode)
    pixels = to_uint8(pictures)
    return pixels.repeat(3, axis=3) if pixels.shape[3] == 1 else pixels


def batches(items: Iterator[int], size: int) -> Iterator[list[int]]:
    """Lists of ``size`` items, the last one shorter."""
    while batch := list(islice(items, size)):
        yield batch
