"""``vitruvian dataset``: make and inspect picture sets."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import tyro

from vitruvian.options.dataset import InspectDatasetOptions, SynthDatasetOptions

# The tasks bring numpy and the renderer; they are imported when a command runs, so that --help is fast.
if TYPE_CHECKING:
    from vitruvian.tasks.inspect_dataset import DatasetInfo
    from vitruvian.tasks.synth import SynthProgress, SynthReport

INTERRUPTED = 130
_BAR_LENGTH = 30  # characters of the longest bar of a histogram
_MOST_BARS = 40  # a longer histogram is told by --json alone
_TYRO = (
    tyro.conf.PositionalRequiredArgs,
    tyro.conf.PositionalMetavarFromFieldName,
    tyro.conf.FlagCreatePairsOff,
)

Command = TypeVar("Command")


@dataclass(frozen=True)
class _Output:
    json: bool = False
    """Print the result as JSON on standard output."""
    quiet: bool = False
    """Show no progress and no summary."""


@dataclass(frozen=True)
class _Synth:
    options: Annotated[SynthDatasetOptions, tyro.conf.arg(name="")]
    output: Annotated[_Output, tyro.conf.arg(name="")] = _Output()


@dataclass(frozen=True)
class _Info:
    options: Annotated[InspectDatasetOptions, tyro.conf.arg(name="")]
    output: Annotated[_Output, tyro.conf.arg(name="")] = _Output()


def main(argv: list[str]) -> int:
    """Run ``vitruvian dataset`` with the arguments after these words; answers the exit code."""
    if argv and argv[0] in _COMMANDS:
        return _COMMANDS[argv[0]](argv[1:])
    return _overview(argv)


def _synth(argv: list[str]) -> int:
    command = _parse(_Synth, SynthDatasetOptions, "vitruvian dataset synth", argv)
    from vitruvian.tasks.synth import synthesise

    options = command.options
    try:
        with _progress_bar(options.count, quiet=command.output.quiet) as progress:
            report = synthesise(options, progress=progress)
    except KeyboardInterrupt:
        print(
            f"vitruvian: interrupted: finished pictures are kept in {options.out}.partial;"
            " the same command goes on from there",
            file=sys.stderr,
        )
        return INTERRUPTED
    _answer(report, command.output, _describe_report)
    return 0


def _info(argv: list[str]) -> int:
    command = _parse(_Info, InspectDatasetOptions, "vitruvian dataset info", argv)
    from vitruvian.tasks.inspect_dataset import inspect_dataset

    _answer(inspect_dataset(command.options), command.output, _describe_info)
    return 0


_COMMANDS: dict[str, Callable[[list[str]], int]] = {"synth": _synth, "info": _info}


def _parse(kind: type[Command], options: type, prog: str, argv: list[str]) -> Command:
    """One command from its arguments; help and mistakes leave by ``SystemExit``."""
    return tyro.cli(kind, prog=prog, description=inspect.getdoc(options), args=argv, config=_TYRO)


def _overview(argv: list[str]) -> int:
    """Answer a call for help, or the lack of a known command."""

    def first_line(options: type) -> str:
        return (inspect.getdoc(options) or "").splitlines()[0]

    commands = (
        Annotated[_Synth, tyro.conf.subcommand("synth", description=first_line(SynthDatasetOptions))]
        | Annotated[_Info, tyro.conf.subcommand("info", description=first_line(InspectDatasetOptions))]
    )
    tyro.cli(
        commands,  # pyright: ignore[reportArgumentType]
        prog="vitruvian dataset",
        description="Make and inspect picture sets.\n\nExample: vitruvian dataset info people.zip",
        args=argv,
        config=_TYRO,
    )
    return 0


@contextmanager
def _progress_bar(total: int, *, quiet: bool) -> Iterator[Callable[[SynthProgress], None] | None]:
    """A bar on standard error, if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} pictures/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total, rate=0.0)
        yield lambda at: bar.update(task, completed=at.done, rate=at.rate)


def _answer(result: Any, output: _Output, describe: Callable[[Any], str]) -> None:
    if output.json:
        print(json.dumps(dataclasses.asdict(result), default=str, indent=2))
    elif not output.quiet:
        print(describe(result))


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
