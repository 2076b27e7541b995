"""``vitruvian mix``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import tyro

from vitruvian.cli.frame import Output, answer, parse, progress_bar, termination_interrupts
from vitruvian.options.mix import MixOptions

if TYPE_CHECKING:
    from vitruvian.tasks.mix import MixResult

OK, INTERRUPTED = 0, 130


@dataclass(frozen=True)
class _Mix:
    options: Annotated[MixOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def main(argv: list[str]) -> int:
    """Run with the arguments after the command's name; answers the exit code."""
    command = parse(_Mix, MixOptions, "vitruvian mix", argv)
    from vitruvian.tasks.film import what_is_left
    from vitruvian.tasks.mix import FILM_NAME, mix

    options, output = command.options, command.output
    unit = "frames" if options.video else "pictures"
    try:
        with termination_interrupts(), progress_bar(unit, 1, quiet=output.quiet) as update:
            report = (lambda at: update(at.done, None, at.total)) if update else None
            result = mix(options, progress=report)
    except KeyboardInterrupt:
        left = f"finished pictures are kept in {options.outdir}"
        if options.video:
            left = what_is_left(options.outdir, FILM_NAME, options.format)
        print(f"vitruvian: interrupted; {left}", file=sys.stderr)
        return INTERRUPTED
    answer(result, output, _describe)
    return OK


def _describe(result: MixResult) -> str:
    if result.film:
        made = f", {result.painted} painted now" if result.painted < result.frames else ""
        return f"{result.film}: {result.frames} frames{made}, {result.seconds:.1f} s"
    return f"{result.grid}: all on one sheet\n{result.pictures} pictures in {result.outdir}, {result.seconds:.1f} s"
