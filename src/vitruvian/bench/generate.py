"""Milliseconds a picture: our synthesis networks against their textbook forms, one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vitruvian.bench import textbook_stylegan2, textbook_stylegan3
from vitruvian.bench.timing import convolution_peak, interleaved
from vitruvian.images import to_uint8
from vitruvian.memory import keep_freed_memory
from vitruvian.nn import StyleGAN2Generator, StyleGAN3Generator, stylegan2, stylegan3
from vitruvian.options.bench import BenchGenerateOptions
from vitruvian.tasks.opening import DTYPES

OURS, PLAIN, PLAIN_KEPT = "ours", "textbook", "textbook, memory kept"


class _Case(NamedTuple):
    build: Callable[[], Any]
    textbook: Callable[[Any, Tensor], Tensor]


def _stylegan2(height: int, width: int) -> _Case:
    base = 32768 if height >= 512 else 16384  # of the published networks
    build = partial(StyleGAN2Generator, img_resolution=(height, width), channel_base=base)
    return _Case(build, textbook_stylegan2.textbook_synthesis)


def _stylegan3_r(height: int, width: int) -> _Case:
    rotation: dict[str, Any] = {
        "conv_kernel": 1,
        "use_radial_filters": True,
        "channel_base": 65536,
        "channel_max": 1024,
    }
    build = partial(StyleGAN3Generator, img_resolution=(height, width), **rotation)
    return _Case(build, textbook_stylegan3.textbook_synthesis)


CASES: dict[str, _Case] = {
    "stylegan2-1024x512": _stylegan2(1024, 512),
    "stylegan2-512x256": _stylegan2(512, 256),
    "stylegan2-256x128": _stylegan2(256, 128),
    "stylegan3-r-256x256": _stylegan3_r(256, 256),
}


@dataclass(frozen=True)
class GenerateBenchRow:
    """One network. Times are the least of all rounds, processor time of one thread."""

    case: str
    milliseconds: float
    textbook_milliseconds: float
    """With the C library's own handling of memory, as a plain program has it."""
    textbook_kept_milliseconds: float
    """With freed memory kept, as ours runs."""
    peak_share: float
    """Of what a 3x3 convolution reaches here in the same type; filters are not counted as work."""
    largest_difference: float
    """In pictures around [-1, 1]."""
    levels_off: float
    """Mean difference in 8-bit levels."""
    ratio: float
    ratio_kept: float


@dataclass(frozen=True)
class GenerateBench:
    dtype: str
    compiled: bool
    memory_kept: bool
    """Whether the C library takes the advice to keep freed memory."""
    rows: list[GenerateBenchRow]


def bench_generate(options: BenchGenerateOptions, *, progress: Callable[[str], None] | None = None) -> GenerateBench:
    """Measure every chosen network; random weights, which cost what trained ones do.

    Args:
        progress: told the name of each case as it begins.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        is_kept = keep_freed_memory()
        peak = convolution_peak(DTYPES[options.dtype])
        rows = []
        for name in options.cases():
            if progress is not None:
                progress(name)
            rows.append(_measure(name, CASES[name], options, peak))
        return GenerateBench(options.dtype, options.compile, is_kept, rows)
    finally:
        torch.set_num_threads(threads)


def _measure(name: str, case: _Case, options: BenchGenerateOptions, peak: float) -> GenerateBenchRow:
    torch.manual_seed(0)
    G = case.build().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    plain = case.build().eval().requires_grad_(False)
    plain.load_state_dict(G.state_dict())
    G.synthesis.compute_dtype = DTYPES[options.dtype]
    paint = torch.compile(G.synthesis) if options.compile else G.synthesis
    with torch.inference_mode():
        ws = G.mapping(torch.randn(1, G.z_dim))

        def textbook() -> Tensor:
            return case.textbook(plain.synthesis, ws)

        def with_memory(keep: bool, run: Callable[[], Tensor]) -> Tensor:
            keep_freed_memory(keep)
            return run()

        picture, expected = paint(ws), textbook()
        contestants = {
            OURS: partial(with_memory, True, lambda: paint(ws)),
            PLAIN_KEPT: partial(with_memory, True, textbook),
            PLAIN: partial(with_memory, False, textbook),
        }
        seconds = interleaved(contestants, rounds=options.rounds)
    # Random networks paint beyond [-1, 1]; scaled back, their 8-bit error is that of a trained one.
    scale = expected.abs().max()
    levels = torch.from_numpy(to_uint8(picture / scale).astype("int16") - to_uint8(expected / scale))
    return GenerateBenchRow(
        name,
        seconds[OURS] * 1000,
        seconds[PLAIN] * 1000,
        seconds[PLAIN_KEPT] * 1000,
        2 * multiply_adds(G) / seconds[OURS] / peak,
        (picture - expected).abs().max().item(),
        levels.abs().float().mean().item(),
        seconds[PLAIN] / seconds[OURS],
        seconds[PLAIN_KEPT] / seconds[OURS],
    )


def multiply_adds(G: nn.Module) -> int:
    """Of all convolutions of one picture, filters left out."""
    total = 0
    for module in G.modules():
        if isinstance(module, stylegan2.SynthesisLayer):
            height, width = module.size
            total += module.weight.numel() * height * width // module.up**2
        elif isinstance(module, stylegan3.Synthesis):
            for name, source in zip(module.layer_names, module.signals, strict=False):
                weight = module.get_submodule(name).get_parameter("weight")
                total += weight.numel() * source.size[0] * source.size[1]
    return total
