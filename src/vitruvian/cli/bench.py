"""``vitruvian bench``: speed against a plain form of the same maths."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import tyro

from vitruvian.cli.frame import Output, answer, parse
from vitruvian.errors import OptionError
from vitruvian.options.bench import BenchGenerateOptions

if TYPE_CHECKING:
    from vitruvian.bench.generate import GenerateBench

OK = 0


@dataclass(frozen=True)
class _Generate:
    options: Annotated[BenchGenerateOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def main(argv: list[str]) -> int:
    """Run with the arguments after ``vitruvian bench``; answers the exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return OK
    if argv[0] not in _COMMANDS:
        raise OptionError(f"bench {argv[0]}: unknown measurement, expected {', '.join(_COMMANDS)}")
    run, _ = _COMMANDS[argv[0]]
    return run(argv[1:])


def _generate(argv: list[str]) -> int:
    command = parse(_Generate, BenchGenerateOptions, "vitruvian bench generate", argv)
    from vitruvian.bench.generate import bench_generate

    def tell(case: str) -> None:
        if not command.output.quiet and sys.stderr.isatty():
            print(f"measuring {case} ...", file=sys.stderr)

    answer(bench_generate(command.options, progress=tell), command.output, _describe_generate)
    return OK


_COMMANDS: dict[str, tuple[Callable[[list[str]], int], str]] = {
    "generate": (_generate, "pictures of StyleGAN2 and StyleGAN3"),
}


def _overview() -> str:
    width = max(map(len, _COMMANDS))
    return "\n".join(
        [
            "usage: vitruvian bench MEASUREMENT [options]",
            "",
            "Speed here, as a ratio against a plain form of the same maths in the same run.",
            "",
            *(f"  {name:<{width}}  {summary}" for name, (_, summary) in _COMMANDS.items()),
            "",
            "example: vitruvian bench generate --only stylegan2-256x128",
        ]
    )


def _describe_generate(bench: GenerateBench) -> str:
    kept = "" if bench.memory_kept else "; this C library cannot keep freed memory"
    lines = [f"one thread, processor time, {bench.dtype}{', compiled' if bench.compiled else ''}{kept}"]
    head = (
        "network",
        "ours",
        "textbook",
        "ratio",
        "memory kept",
        "ratio",
        "of the peak",
        "largest diff.",
        "8-bit levels",
    )
    lines.append("{:<22}{:>10}{:>11}{:>8}{:>13}{:>8}{:>13}{:>15}{:>14}".format(*head))
    for row in bench.rows:
        lines.append(
            f"{row.case:<22}{row.milliseconds:>7.0f} ms{row.textbook_milliseconds:>8.0f} ms{row.ratio:>8.2f}"
            f"{row.textbook_kept_milliseconds:>10.0f} ms{row.ratio_kept:>8.2f}{row.peak_share:>12.0%} "
            f"{row.largest_difference:>14.1e}{row.levels_off:>14.3f}"
        )
    return "\n".join(lines)
