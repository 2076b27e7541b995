"""``vitruvian dataset``: make and inspect picture sets."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import tyro

from vitruvian.cli.frame import Output, answer, parse, progress_bar, termination_interrupts
from vitruvian.errors import OptionError
from vitruvian.options.dataset import InspectDatasetOptions, SynthDatasetOptions

# The tasks bring numpy and the renderer; they are imported when a command runs, so that --help is fast.
if TYPE_CHECKING:
    from vitruvian.tasks.inspect_dataset import DatasetInfo
    from vitruvian.tasks.synth import SynthReport

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130
_BAR_LENGTH = 30  # characters of the longest bar of a histogram
_MOST_BARS = 40  # a longer histogram is told by --json alone


@dataclass(frozen=True)
class _Synth:
    options: Annotated[SynthDatasetOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class _Info:
    options: Annotated[InspectDatasetOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def main(argv: list[str]) -> int:
    """Run with the arguments after ``vitruvian dataset``; answers the exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return OK if argv else BAD_INPUT
    if argv[0] not in _COMMANDS:
        raise OptionError(f"dataset {argv[0]}: unknown command, expected {' or '.join(_COMMANDS)}")
    run, _ = _COMMANDS[argv[0]]
    return run(argv[1:])


def _synth(argv: list[str]) -> int:
    command = parse(_Synth, SynthDatasetOptions, "vitruvian dataset synth", argv)
    from vitruvian.tasks.synth import synthesise

    options, output = command.options, command.output
    try:
        with termination_interrupts(), progress_bar("pictures", options.count, quiet=output.quiet) as update:
            report = synthesise(options, progress=(lambda at: update(at.done, at.rate)) if update else None)
    except KeyboardInterrupt:
        print(
            f"vitruvian: interrupted; finished pictures are kept in {options.out}.partial,"
            " and the same command goes on from there",
            file=sys.stderr,
        )
        return INTERRUPTED
    answer(report, output, _describe_report)
    return OK


def _info(argv: list[str]) -> int:
    command = parse(_Info, InspectDatasetOptions, "vitruvian dataset info", argv)
    from vitruvian.tasks.inspect_dataset import inspect_dataset

    answer(inspect_dataset(command.options), command.output, _describe_info)
    return OK


_COMMANDS: dict[str, tuple[Callable[[list[str]], int], type]] = {
    "synth": (_synth, SynthDatasetOptions),
    "info": (_info, InspectDatasetOptions),
}


def _overview() -> str:
    lines = [f"  {name:<6} {_first_line(options)}" for name, (_, options) in _COMMANDS.items()]
    return "\n".join(
        [
            f"usage: vitruvian dataset {{{','.join(_COMMANDS)}}} [options]",
            "",
            *lines,
            "",
            "vitruvian dataset synth --help explains one of them.",
            "",
            "example: vitruvian dataset info people.zip",
        ]
    )


def _first_line(options: type) -> str:
    return (inspect.getdoc(options) or "").splitlines()[0]


def _describe_report(report: SynthReport) -> str:
    made = "all there already"
    if report.rendered:
        made = f"{report.rendered} made now, {report.rate:.2f} pictures/s"
    lines = [f"{report.out}: {report.pictures} pictures of {report.people} people ({made})"]
    lines += [f"{path}: close-ups, {part}" for part, path in report.closeups.items()]
    return "\n".join(lines)


def _describe_info(info: DatasetInfo) -> str:
    modes = ", ".join(f"{count} {mode}" for mode, count in info.modes.items())
    lines = [
        f"{info.path}",
        f"  pictures  {info.pictures}, {info.height}x{info.width} (height x width), stored as {modes}",
        f"  bytes     {info.bytes:,} ({info.bytes / info.pictures / 1024:.0f} KiB a picture)",
        f"  labels    {info.label_kind}" + (f", dimension {info.label_dim}" if info.label_dim else ""),
    ]
    if info.records:
        lines.append(f"  records   {info.records} in labels.jsonl")
    if info.histogram and len(info.histogram) <= _MOST_BARS:
        most = max(info.histogram.values())
        lines += [
            f"  class {label:>4}  {count:>8}  {'#' * math.ceil(_BAR_LENGTH * count / most)}"
            for label, count in info.histogram.items()
        ]
    if info.sheet:
        lines.append(f"  sheet     {info.sheet}")
    return "\n".join(lines)
