"""``vitruvian interpolate``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import tyro

from vitruvian.cli.frame import Output, answer, parse, progress_bar, termination_interrupts
from vitruvian.options.interpolate import InterpolateOptions

if TYPE_CHECKING:
    from vitruvian.tasks.interpolate import InterpolateResult

OK, INTERRUPTED = 0, 130


@dataclass(frozen=True)
class _Interpolate:
    options: Annotated[InterpolateOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def main(argv: list[str]) -> int:
    """Run with the arguments after the command's name; answers the exit code."""
    command = parse(_Interpolate, InterpolateOptions, "vitruvian interpolate", argv)
    from vitruvian.tasks.film import what_is_left
    from vitruvian.tasks.interpolate import FILM_NAME, interpolate

    options, output = command.options, command.output
    try:
        with termination_interrupts(), progress_bar("frames", 1, quiet=output.quiet) as update:
            report = (lambda at: update(at.done, None, at.total)) if update else None
            result = interpolate(options, progress=report)
    except KeyboardInterrupt:
        left = what_is_left(options.outdir, FILM_NAME, options.format)
        print(f"vitruvian: interrupted; {left}", file=sys.stderr)
        return INTERRUPTED
    answer(result, output, _describe)
    return OK


def _describe(result: InterpolateResult) -> str:
    made = f", {result.painted} painted now" if result.painted < result.frames else ""
    return (
        f"{result.film}: {result.frames} frames{made}, {result.seconds:.1f} s\n"
        f"key pictures: {len(result.key_pictures)} in {result.film.parent}"
    )
