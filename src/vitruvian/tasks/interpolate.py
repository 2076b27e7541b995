"""A walk through latent space, from seed to seed, as a film."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vitruvian.errors import OptionError
from vitruvian.files import writable_folder
from vitruvian.images import save_png
from vitruvian.latent_paths import LatentPath
from vitruvian.latents import parse_seeds, z_from_seed
from vitruvian.options.interpolate import InterpolateOptions
from vitruvian.provenance import png_text, xmp_packet
from vitruvian.tasks.film import Film, FilmProgress, shoot
from vitruvian.tasks.opening import OpenGenerator, class_label, open_generator
from vitruvian.tasks.painting import batches, map_codes, paint_codes

FILM_NAME = "interpolation"
MOST_KEYS = 2000  # the codes of all key pictures are in memory, and several times over for a spline


@dataclass(frozen=True)
class InterpolateResult:
    """What was written."""

    film: Path
    """The video file, or the folder of frames."""
    frames: int
    painted: int
    """Fewer than ``frames`` if some were there from an earlier run."""
    key_pictures: list[Path]
    seconds: float


def interpolate(
    options: InterpolateOptions, *, progress: Callable[[FilmProgress], None] | None = None
) -> InterpolateResult:
    """Film the people between the seeds: frame 0 is the first seed, the last frame is the last seed.

    An open film of n seeds has ``(n - 1) frames + 1`` frames. A loop has ``n frames``: its end is one step before the
    first seed, so that no frame is shown twice when it repeats.

    Raises:
        OptionError, CheckpointError: before the first picture is computed.
    """
    seeds, psis = _keys(options)
    generator = open_generator(options.network, options.device)
    G = generator.network
    label = class_label(G.c_dim, options.class_idx)
    segments = len(seeds) if options.loop else len(seeds) - 1
    film = Film(
        outdir=options.outdir,
        name=FILM_NAME,
        format=options.format,
        fps=options.fps,
        frames=segments * options.frames + (0 if options.loop else 1),
        height=G.height,
        width=3 * G.width if options.beside else G.width,
        facts={
            **generator.facts,
            "seeds": options.seeds,
            "frames_per_segment": options.frames,
            "space": options.space,
            "easing": options.easing,
            "loop": options.loop,
            "beside": options.beside,
            "trunc": options.trunc,
            "trunc_cutoff": options.trunc_cutoff,
            "noise_mode": options.noise_mode,
            "class": options.class_idx,
        },
    )
    film.check()
    outdir = writable_folder(options.outdir)
    started = time.perf_counter()
    with torch.inference_mode():
        keys = _key_codes(generator, seeds, psis, label, options)
        pictures = _save_key_pictures(generator, seeds, psis, keys, outdir, options)
        walk = codes_between(generator, seeds, psis, keys, label, options)

        @lru_cache(maxsize=2)
        def key_picture(index: int) -> np.ndarray:
            with Image.open(pictures[index]) as picture:
                return np.asarray(picture)

        def surroundings(frame: int) -> tuple[int, int]:
            segment = min(frame // options.frames, segments - 1)
            return segment, (segment + 1) % len(seeds)

        def paint(numbers: range) -> Iterator[np.ndarray]:
            positions = torch.tensor(numbers, dtype=torch.float64) / options.frames
            frames = paint_codes(generator, walk(positions), options.noise_mode, numbers)
            for number, pixels in zip(numbers, frames, strict=True):
                if options.beside:
                    before, after = surroundings(number)
                    pixels = np.concatenate([key_picture(before), pixels, key_picture(after)], axis=1)
                yield pixels

        def caption(frame: int) -> dict[str, Any]:
            before, after = surroundings(frame)
            return {"between": [seeds[before], seeds[after]], "at": frame / options.frames - before}

        path, painted = shoot(film, paint, group=options.batch, caption=caption, progress=progress)
    return InterpolateResult(path, film.frames, painted, list(dict.fromkeys(pictures)), time.perf_counter() - started)


def codes_between(
    generator: OpenGenerator,
    seeds: Sequence[int],
    psis: Sequence[float],
    keys: Tensor,
    label: Tensor,
    options: InterpolateOptions,
) -> Callable[[Tensor], Tensor]:
    """The function from ``M`` positions (key i is at i) to ``M x num_ws x w_dim``.

    Args:
        keys: ``N x num_ws x w_dim``, the truncated codes of the seeds.
    """
    # Paths are computed on the CPU: Apple's devices know no double precision, and codes are small.
    if options.space == "w":
        centre = generator.network.mapping.w_avg.cpu()
        path = LatentPath(keys.cpu(), options.easing, loop=options.loop, centre=centre)
        return lambda positions: path.at(positions).to(generator.device)
    z = torch.cat([z_from_seed(seed, generator.network.z_dim) for seed in seeds])
    way = LatentPath(z, options.easing, loop=options.loop)
    psi_way = LatentPath(torch.tensor(psis, dtype=torch.float64)[:, None], "linear", loop=options.loop)

    def walk(positions: Tensor) -> Tensor:
        at_positions = psi_way.at(positions).flatten().tolist() if len(set(psis)) > 1 else [psis[0]]
        return map_codes(generator, way.at(positions), label, at_positions, options.trunc_cutoff)

    return walk


def _keys(options: InterpolateOptions) -> tuple[list[int], list[float]]:
    """Seeds and the psi of each."""
    named = parse_seeds(options.seeds)
    if len(named) < 2:
        raise OptionError(f"--seeds {options.seeds}: names one picture; a walk needs two or more, such as 3,14")
    if len(named) > MOST_KEYS:
        raise OptionError(f"--seeds {options.seeds}: names {len(named)} pictures, expected at most {MOST_KEYS}")
    psis = [float(psi) for psi in (options.trunc if isinstance(options.trunc, tuple) else (options.trunc,))]
    if len(psis) not in (1, len(named)):
        raise OptionError(f"--trunc: has {len(psis)} numbers, expected one, or {len(named)} as there are --seeds")
    return list(named), psis * (len(named) if len(psis) == 1 else 1)


def _key_codes(
    generator: OpenGenerator, seeds: list[int], psis: list[float], label: Tensor, options: InterpolateOptions
) -> Tensor:
    """``N x num_ws x w_dim``."""
    codes = []
    for batch in batches(iter(range(len(seeds))), options.batch):
        z = torch.cat([z_from_seed(seeds[index], generator.network.z_dim) for index in batch])
        codes.append(map_codes(generator, z, label, [psis[index] for index in batch], options.trunc_cutoff))
    return torch.cat(codes)


def _save_key_pictures(
    generator: OpenGenerator,
    seeds: list[int],
    psis: list[float],
    keys: Tensor,
    outdir: Path,
    options: InterpolateOptions,
) -> list[Path]:
    """One path a key, the picture being the same as ``generate`` makes; a key that comes again has the same path."""
    several = len(set(psis)) > 1
    paths = [
        outdir / (f"seed{seed:04d}-psi{psi:g}.png" if several else f"seed{seed:04d}.png")
        for seed, psi in zip(seeds, psis, strict=True)
    ]
    first_uses = sorted({path: index for index, path in reversed(list(enumerate(paths)))}.values())
    for batch in batches(iter(first_uses), options.batch):
        painted = paint_codes(generator, keys[batch], options.noise_mode, [seeds[index] for index in batch])
        for index, pixels in zip(batch, painted, strict=True):
            facts = {
                **generator.facts,
                "trunc": psis[index],
                "trunc_cutoff": options.trunc_cutoff,
                "noise_mode": options.noise_mode,
                "class": options.class_idx,
                "seed": seeds[index],
            }
            save_png(pixels, paths[index], text=png_text(facts), xmp=xmp_packet())
    return paths
