"""Seeds to pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vitruvian.checkpoints import load_network
from vitruvian.devices import pick_device
from vitruvian.errors import OptionError
from vitruvian.files import writable_folder
from vitruvian.images import grid_shape, save_png, tile, to_uint8
from vitruvian.latents import parse_seeds, z_from_seed
from vitruvian.nn import StyleGAN2Generator
from vitruvian.options.generate import GenerateOptions
from vitruvian.provenance import png_text, xmp_packet

LARGEST_GRID = 256_000_000  # pixels; a larger sheet is of no use to a viewer and would fill the memory


@dataclass(frozen=True, slots=True)
class GenerateProgress:
    done: int
    total: int


@dataclass(frozen=True)
class GenerateResult:
    """What was written; the pictures themselves are in the files."""

    outdir: Path
    pictures: int
    first: Path
    grid: Path | None
    seconds: float

    @property
    def rate(self) -> float:
        """Pictures a second, loading excluded."""
        return self.pictures / self.seconds if self.seconds > 0 else 0.0


def generate(options: GenerateOptions, *, progress: Callable[[GenerateProgress], None] | None = None) -> GenerateResult:
    """Write one PNG a seed, named ``seed0000.png``; memory does not grow with the number of seeds.

    Raises:
        OptionError, CheckpointError: before the first picture is computed.
    """
    seeds = parse_seeds(options.seeds)
    network, card = load_network(options.network)
    if not isinstance(network, StyleGAN2Generator):
        raise OptionError(f"--network {options.network}: is a {card.kind}, expected a generator")
    G = network.to(pick_device(options.device))
    label = class_label(G.c_dim, options.class_idx)
    if options.grid and len(seeds) * G.height * G.width > LARGEST_GRID:
        most = LARGEST_GRID // (G.height * G.width)
        raise OptionError(f"--grid: a sheet holds at most {most} pictures of this size, --seeds names {len(seeds)}")
    outdir = writable_folder(options.outdir)
    facts = {
        "network": card.name or str(options.network),
        "network_sha256": card.sha256,
        "trunc": options.trunc,
        "trunc_cutoff": options.trunc_cutoff,
        "noise_mode": options.noise_mode,
        "class": options.class_idx,
    }
    sheet: list[np.ndarray] = []
    started = time.perf_counter()
    done = 0
    first: Path | None = None
    for batch in _batches(iter(seeds), options.batch):
        for seed, pixels in zip(batch, to_uint8(paint(G, batch, label, options)), strict=True):
            path = outdir / f"seed{seed:04d}.png"
            save_png(pixels, path, text=png_text({**facts, "seed": seed}), xmp=xmp_packet())
            first = first or path
            if options.grid:
                sheet.append(pixels)
        done += len(batch)
        if progress is not None:
            progress(GenerateProgress(done, len(seeds)))
    grid = _save_grid(sheet, outdir, {**facts, "seeds": options.seeds}) if options.grid else None
    assert first is not None
    return GenerateResult(outdir, done, first, grid, time.perf_counter() - started)


@torch.inference_mode()
def paint(G: StyleGAN2Generator, seeds: list[int], label: Tensor, options: GenerateOptions) -> Tensor:
    """Pictures ``N x 3 x H x W`` in about [-1, 1] of those seeds.

    Args:
        label: ``1 x c_dim``.
    """
    device = next(G.parameters()).device
    z = torch.cat([z_from_seed(seed, G.z_dim) for seed in seeds]).to(device)
    ws = G.mapping(z, label.to(device).expand(len(seeds), -1), options.trunc, options.trunc_cutoff)
    if options.noise_mode != "random":
        return G.synthesis(ws, noise_mode=options.noise_mode)
    # Noise follows from each seed alone, so a picture does not depend on its neighbours in the batch.
    painted = []
    for seed, row in zip(seeds, ws, strict=True):
        generator = torch.Generator(device).manual_seed(seed)
        painted.append(G.synthesis(row[None], noise_mode="random", generator=generator))
    return torch.cat(painted)


def class_label(c_dim: int, class_idx: int | None) -> Tensor:
    """``1 x c_dim`` one-hot.

    Raises:
        OptionError: for a class that the network does not have, or a missing one.
    """
    if c_dim == 0:
        if class_idx is not None:
            raise OptionError(f"--class {class_idx}: this network has no classes; leave the option out")
        return torch.zeros(1, 0)
    if class_idx is None or not 0 <= class_idx < c_dim:
        given = "is missing" if class_idx is None else str(class_idx)
        raise OptionError(f"--class {given}: this network has classes 0 to {c_dim - 1}; choose one")
    return torch.eye(c_dim)[class_idx : class_idx + 1]


def _batches(seeds: Iterator[int], size: int) -> Iterator[list[int]]:
    while batch := list(islice(seeds, size)):
        yield batch


def _save_grid(pictures: list[np.ndarray], outdir: Path, facts: dict[str, Any]) -> Path:
    height, width, _ = pictures[0].shape
    path = outdir / "grid.png"
    _, columns = grid_shape(len(pictures), height, width)
    save_png(tile(np.stack(pictures), columns), path, text=png_text(facts), xmp=xmp_packet())
    return path
