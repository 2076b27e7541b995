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

from vitruvian.errors import OptionError
from vitruvian.files import writable_folder
from vitruvian.images import grid_shape, save_png, tile, to_uint8
from vitruvian.latents import parse_seeds
from vitruvian.nn import StyleGAN3Generator
from vitruvian.nn.stylegan3 import transform_matrix
from vitruvian.options.generate import GenerateOptions
from vitruvian.provenance import png_text, xmp_packet
from vitruvian.tasks.opening import OpenGenerator, class_label, codes_of_seeds, open_generator

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
    generator = open_generator(options.network, options.device, dtype=options.dtype, compiles=options.compile)
    G = generator.network
    if options.translate is not None or options.rotate is not None:
        _move(generator, options.movement(), options.rotate or 0.0)
    label = class_label(G.c_dim, options.class_idx)
    if options.grid and len(seeds) * G.height * G.width > LARGEST_GRID:
        most = LARGEST_GRID // (G.height * G.width)
        raise OptionError(f"--grid: a sheet holds at most {most} pictures of this size, --seeds names {len(seeds)}")
    outdir = writable_folder(options.outdir)
    facts = {
        **generator.facts,
        "trunc": options.trunc,
        "trunc_cutoff": options.trunc_cutoff,
        "noise_mode": options.noise_mode,
        "class": options.class_idx,
        **{name: getattr(options, name) for name in ("translate", "rotate") if getattr(options, name) is not None},
    }
    sheet: list[np.ndarray] = []
    started = time.perf_counter()
    done = 0
    first: Path | None = None
    for batch in _batches(iter(seeds), options.batch):
        for seed, pixels in zip(batch, to_uint8(paint(generator, batch, label, options)), strict=True):
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
def paint(generator: OpenGenerator, seeds: list[int], label: Tensor, options: GenerateOptions) -> Tensor:
    """Pictures ``N x 3 x H x W`` in about [-1, 1] of those seeds.

    Args:
        label: ``1 x c_dim``.
    """
    synthesis = generator.network.synthesis
    ws = codes_of_seeds(generator, seeds, label, options.trunc, options.trunc_cutoff)
    if options.noise_mode != "random":
        return synthesis(ws, noise_mode=options.noise_mode)
    # Noise follows from each seed alone, so a picture does not depend on its neighbours in the batch.
    painted = []
    for seed, row in zip(seeds, ws, strict=True):
        noise = torch.Generator(generator.device).manual_seed(seed)
        painted.append(synthesis(row[None], noise_mode="random", generator=noise))
    return torch.cat(painted)


def _move(generator: OpenGenerator, translate: tuple[float, float], rotate: float) -> None:
    """Move and turn what the network paints; its Fourier features know how.

    Raises:
        OptionError: for a network without them.
    """
    if not isinstance(generator.network, StyleGAN3Generator):
        kind = generator.card.kind
        raise OptionError(f"--translate, --rotate: only StyleGAN3 can move its pictures, this network is a {kind}")
    generator.network.synthesis.input.transform.copy_(transform_matrix(translate, rotate))


def _batches(seeds: Iterator[int], size: int) -> Iterator[list[int]]:
    while batch := list(islice(seeds, size)):
        yield batch


def _save_grid(pictures: list[np.ndarray], outdir: Path, facts: dict[str, Any]) -> Path:
    height, width, _ = pictures[0].shape
    path = outdir / "grid.png"
    _, columns = grid_shape(len(pictures), height, width)
    save_png(tile(np.stack(pictures), columns), path, text=png_text(facts), xmp=xmp_packet())
    return path
