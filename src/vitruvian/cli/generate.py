"""``vitruvian generate``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import tyro

from vitruvian.cli.frame import Output, answer, parse, progress_bar
from vitruvian.options.generate import GenerateOptions

if TYPE_CHECKING:
    from vitruvian.tasks.generate import GenerateResult


@dataclass(frozen=True)
class _Generate:
    options: Annotated[GenerateOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def main(argv: list[str]) -> int:
    """Run with the arguments after the command's name; answers the exit code."""
    command = parse(_Generate, GenerateOptions, "vitruvian generate", argv)
    from vitruvian.latents import parse_seeds
    from vitruvian.tasks.generate import generate

    total = len(parse_seeds(command.options.seeds))
    with progress_bar("pictures", total, quiet=command.output.quiet) as update:
        report = (lambda at: update(at.done, None)) if update else None
        result = generate(command.options, progress=report)
    answer(result, command.output, _describe)
    return 0


def _describe(result: GenerateResult) -> str:
    lines = [f"{result.pictures} pictures in {result.outdir} ({result.rate:.1f} a second)"]
    if result.grid:
        lines.append(f"all on one sheet: {result.grid}")
    return "\n".join(lines)
