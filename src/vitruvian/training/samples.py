"""The fixed sheet of pictures by which the eye follows a run."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vitruvian.data import PictureSet
from vitruvian.images import tile
from vitruvian.nn.stylegan2 import Generator

PREVIEW_BATCH = 32


class SampleSheet:
    """Reals and the codes of the fakes, chosen once; the same for every run on a picture set."""

    def __init__(self, pictures: PictureSet, *, z_dim: int, use_labels: bool) -> None:
        _, height, width = pictures.image_shape
        self.columns = int(np.clip(7680 // width, 7, 32))
        rows = int(np.clip(4320 // height, 4, 32))
        count = self.columns * rows
        random = np.random.RandomState(0)  # never the run's seed: sheets of two runs can be compared
        self.indices = _chosen(pictures, rows, self.columns, random, by_class=use_labels and pictures.has_class_ids)
        self.z = torch.from_numpy(random.randn(count, z_dim)).float()
        labels = [pictures.label(i) for i in self.indices]
        self.c = torch.from_numpy(np.stack(labels)) if use_labels else torch.zeros(count, 0)

    def reals(self, pictures: PictureSet) -> np.ndarray:
        """uint8 ``H x W x C``."""
        return tile(np.stack([pictures[i][0].transpose(1, 2, 0) for i in self.indices]), self.columns)

    @torch.inference_mode()
    def fakes(self, G: Generator) -> np.ndarray:
        """uint8 ``H x W x C``: constant noise, no truncation."""
        device = next(G.parameters()).device
        batches: list[Tensor] = []
        for z, c in zip(self.z.split(PREVIEW_BATCH), self.c.split(PREVIEW_BATCH), strict=True):
            pictures = G(z.to(device), c.to(device), noise_mode="const")
            batches.append(((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu())
        return tile(torch.cat(batches).permute(0, 2, 3, 1).numpy(), self.columns)


def _chosen(
    pictures: PictureSet, rows: int, columns: int, random: np.random.RandomState, *, by_class: bool
) -> list[int]:
    """Pictures for the sheet row by row: any, or a row a class; a class that comes again goes on in its order."""
    if not by_class:
        order = np.arange(len(pictures))
        random.shuffle(order)
        return [int(order[i % len(order)]) for i in range(rows * columns)]
    members: dict[int, list[int]] = {}
    for index in range(len(pictures)):
        members.setdefault(int(pictures.details(index).raw_label), []).append(index)
    orders = [np.array(members[label]) for label in sorted(members)]
    for order in orders:
        random.shuffle(order)
    chosen: list[int] = []
    for row in range(rows):
        order, begun = orders[row % len(orders)], row // len(orders) * columns
        chosen += [int(order[(begun + i) % len(order)]) for i in range(columns)]
    return chosen
