"""Style mixing: people of the rows with some layers of people of the columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vitruvian.errors import OptionError
from vitruvian.files import writable_folder
from vitruvian.images import save_png
from vitruvian.latent_paths import wandering_z
from vitruvian.latents import parse_layers, parse_seeds
from vitruvian.options.mix import MixOptions
from vitruvian.provenance import png_text, xmp_packet
from vitruvian.tasks.film import Film, FilmProgress, shoot
from vitruvian.tasks.generate import LARGEST_GRID
from vitruvian.tasks.opening import OpenGenerator, class_label, codes_of_seeds, open_generator
from vitruvian.tasks.painting import batches, map_codes, paint_codes

FILM_NAME = "style-mixing"
SMOOTHING = 1.0  # seconds; standard deviation of the Gaussian over the walk of a row
MOST_CODES = 30_000  # of the walks, which are in memory as a whole
OVERLAP = 30 / 512  # of the width, as in StyleGAN-Human's video


@dataclass(frozen=True)
class MixResult:
    """What was written: the sheet and its pictures, or the video."""

    outdir: Path
    grid: Path | None
    pictures: int
    """Single pictures beside the sheet."""
    film: Path | None
    """The video file, or the folder of frames."""
    frames: int
    painted: int
    """Fewer than ``frames`` if some were there from an earlier run."""
    seconds: float


@dataclass(frozen=True)
class _Pairs:
    """What both the sheet and the video are made from."""

    generator: OpenGenerator
    label: Tensor
    rows: list[int]
    cols: list[int]
    layers: list[int]
    facts: dict[str, Any]


def mix(options: MixOptions, *, progress: Callable[[FilmProgress], None] | None = None) -> MixResult:
    """Write the sheet of all pairs and every picture on it, or the video.

    The picture of row r and column c is that of r with the layers ``styles`` of c. The video mixes in the same
    direction; that of StyleGAN-Human did the opposite, showing the column's person with the layers of the row's.

    Args:
        progress: counts pictures for a sheet and frames for a video.

    Raises:
        OptionError, CheckpointError: before the first picture is computed.
    """
    rows, cols = (parse_seeds(options.rows, option="--rows"), parse_seeds(options.cols, option="--cols"))
    generator = open_generator(options.network, options.device)
    G = generator.network
    label = class_label(G.c_dim, options.class_idx)
    layers = parse_layers(options.styles, G.num_ws)
    sheet = (len(rows) + 1) * (len(cols) + 1) * G.height * G.width
    if sheet > LARGEST_GRID:
        raise OptionError(
            f"--rows and --cols: a sheet of {len(rows) + 1}x{len(cols) + 1} pictures would have {sheet:,} pixels,"
            f" expected at most {LARGEST_GRID:,}; use fewer seeds"
        )
    facts = {
        **generator.facts,
        "styles": options.styles,
        "trunc": options.trunc,
        "trunc_cutoff": options.trunc_cutoff,
        "noise_mode": options.noise_mode,
        "class": options.class_idx,
    }
    pairs = _Pairs(generator, label, list(rows), list(cols), layers, facts)
    with torch.inference_mode():
        return _film(pairs, options, progress) if options.video else _sheet(pairs, options, progress)


def mixed_codes(row: Tensor, col: Tensor, layers: Sequence[int]) -> Tensor:
    """``row`` with the given layers of ``col``, both ``... x num_ws x w_dim`` (broadcast against each other)."""
    row, col = torch.broadcast_tensors(row, col)
    mixed = row.clone()
    mixed[..., layers, :] = col[..., layers, :]
    return mixed


def _sheet(pairs: _Pairs, options: MixOptions, progress: Callable[[FilmProgress], None] | None) -> MixResult:
    """Black corner; column people above, row people at the left, their mixtures between."""
    outdir = writable_folder(options.outdir)
    started = time.perf_counter()
    G = pairs.generator.network
    row_codes, col_codes = (_codes(pairs, seeds, options) for seeds in (pairs.rows, pairs.cols))
    grid = np.zeros(((len(pairs.rows) + 1) * G.height, (len(pairs.cols) + 1) * G.width, 3), np.uint8)
    # A cell is (row, column); -1 stands for the picture of the other seed alone.
    cells = [cell for cell in product(range(-1, len(pairs.rows)), range(-1, len(pairs.cols))) if cell != (-1, -1)]
    written = set()
    for batch in batches(iter(range(len(cells))), options.batch):
        ws, noise_seeds = [], []
        for row, col in (cells[index] for index in batch):
            noise_seeds.append(pairs.rows[row] if row >= 0 else pairs.cols[col])
            if row < 0:
                ws.append(col_codes[col])
            else:
                ws.append(row_codes[row] if col < 0 else mixed_codes(row_codes[row], col_codes[col], pairs.layers))
        painted = paint_codes(pairs.generator, torch.stack(ws), options.noise_mode, noise_seeds)
        for (row, col), pixels in zip((cells[index] for index in batch), painted, strict=True):
            top, left = (row + 1) * G.height, (col + 1) * G.width
            grid[top : top + G.height, left : left + G.width] = pixels
            path, facts = _naming(pairs, row, col)
            save_png(pixels, outdir / path, text=png_text(facts), xmp=xmp_packet())
            written.add(path)
        if progress is not None:
            progress(FilmProgress(batch[-1] + 1, len(cells)))
    facts = {**pairs.facts, "rows": options.rows, "cols": options.cols}
    save_png(grid, outdir / "grid.png", text=png_text(facts), xmp=xmp_packet())
    return MixResult(outdir, outdir / "grid.png", len(written), None, 0, 0, time.perf_counter() - started)


def _naming(pairs: _Pairs, row: int, col: int) -> tuple[str, dict[str, Any]]:
    """File name and facts of a cell of the sheet."""
    if row >= 0 and col >= 0:
        row_seed, col_seed = pairs.rows[row], pairs.cols[col]
        return f"{row_seed}-{col_seed}.png", {**pairs.facts, "row_seed": row_seed, "col_seed": col_seed}
    seed = pairs.rows[row] if row >= 0 else pairs.cols[col]
    alone = {key: value for key, value in pairs.facts.items() if key != "styles"}
    return f"seed{seed:04d}.png", {**alone, "seed": seed}


def _film(pairs: _Pairs, options: MixOptions, progress: Callable[[FilmProgress], None] | None) -> MixResult:
    """Column people above, standing still; below, row by row, a person on the way and its mixtures."""
    G = pairs.generator.network
    overlap = round(OVERLAP * G.width) if options.overlap is None else options.overlap
    if overlap >= G.width:
        raise OptionError(f"--overlap {overlap}: pictures are {G.width} pixels wide, expected fewer")
    step = G.width - overlap
    frames = max(1, round(options.duration * options.fps))
    if frames * len(pairs.rows) > MOST_CODES:
        raise OptionError(
            f"--duration {options.duration:g}: the video would have {frames} frames with {len(pairs.rows)} --rows,"
            f" expected at most {MOST_CODES // len(pairs.rows)}; make it shorter"
        )
    film = Film(
        outdir=options.outdir,
        name=FILM_NAME,
        format=options.format,
        fps=options.fps,
        frames=frames,
        height=(len(pairs.rows) + 1) * G.height,
        width=(len(pairs.cols) + 1) * step,
        facts={
            **pairs.facts,
            "rows": options.rows,
            "cols": options.cols,
            "overlap": overlap,
            "frames": frames,
            "smoothing_frames": SMOOTHING * options.fps,
        },
    )
    film.check()
    writable_folder(options.outdir)
    started = time.perf_counter()
    walks = [wandering_z(seed, frames, G.z_dim, sigma=SMOOTHING * options.fps) for seed in pairs.rows]
    col_codes = _codes(pairs, pairs.cols, options)
    still = np.full((film.height, film.width, 3), 255, np.uint8)
    for batch in batches(iter(range(len(pairs.cols))), options.batch):
        seeds = [pairs.cols[col] for col in batch]
        for col, pixels in zip(
            batch, paint_codes(pairs.generator, col_codes[batch], options.noise_mode, seeds), strict=True
        ):
            _paste(still, pixels, 0, (col + 1) * step)
    # One person on the way and its mixtures, for each row.
    cells = [(row, col) for row in range(len(pairs.rows)) for col in range(-1, len(pairs.cols))]

    def paint(numbers: range) -> Iterator[np.ndarray]:
        z = torch.stack([walk[number] for number in numbers for walk in walks])
        ways = map_codes(pairs.generator, z, pairs.label, [options.trunc], options.trunc_cutoff)
        canvas = still
        for batch in batches(iter(range(len(numbers) * len(cells))), options.batch):
            ws, where = [], []
            for frame, cell in (divmod(index, len(cells)) for index in batch):
                row, col = cells[cell]
                way = ways[frame * len(walks) + row]
                ws.append(way if col < 0 else mixed_codes(way, col_codes[col], pairs.layers))
                where.append((frame, row, col))
            noise_seeds = [numbers[frame] * len(walks) + row for frame, row, _ in where]
            painted = paint_codes(pairs.generator, torch.stack(ws), options.noise_mode, noise_seeds)
            for (_, row, col), pixels in zip(where, painted, strict=True):
                if (row, col) == cells[0]:
                    canvas = still.copy()
                left = -overlap if col < 0 else (col + 1) * step
                _paste(canvas, pixels, (row + 1) * G.height, left)
                if (row, col) == cells[-1]:
                    yield canvas

    path, painted = shoot(
        film,
        paint,
        group=max(1, options.batch // len(cells)),
        caption=lambda frame: {"seconds": frame / options.fps},
        progress=progress,
    )
    return MixResult(options.outdir, None, 0, path, frames, painted, time.perf_counter() - started)


def _codes(pairs: _Pairs, seeds: list[int], options: MixOptions) -> Tensor:
    """``N x num_ws x w_dim``."""
    return torch.cat(
        [
            codes_of_seeds(pairs.generator, batch, pairs.label, options.trunc, options.trunc_cutoff)
            for batch in batches(iter(seeds), options.batch)
        ]
    )


def _paste(canvas: np.ndarray, pixels: np.ndarray, top: int, left: int) -> None:
    """Write ``H x W x 3`` onto the canvas in place; what hangs over a side is cut off."""
    height, width, _ = pixels.shape
    right = min(left + width, canvas.shape[1])
    canvas[top : top + height, max(left, 0) : right] = pixels[:, max(-left, 0) : right - left]
