"""What every command shares: parsing from option classes, bars on a terminal, answers for people or machines."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import tyro

from vitruvian.errors import OptionError

Command = TypeVar("Command")

_STYLE = (
    tyro.conf.PositionalRequiredArgs,
    tyro.conf.PositionalMetavarFromFieldName,
    tyro.conf.FlagCreatePairsOff,
)
_BOX = "─│╭╮╰╯━┃┌┐└┘"


@dataclass(frozen=True)
class Output:
    """Options of every command."""

    json: bool = False
    """Print the result as JSON on standard output."""
    quiet: bool = False
    """Show no progress and no summary."""


def parse(kind: type[Command], options: type, prog: str, argv: list[str]) -> Command:
    """One command from its arguments; ``--help`` leaves by ``SystemExit``.

    Args:
        kind: dataclass of an option class and :class:`Output`.
        options: the class whose docstring describes the command.

    Raises:
        OptionError: for arguments that do not fit, as one line.
    """
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(kind, prog=prog, description=inspect.getdoc(options), args=argv, config=_STYLE)
    except SystemExit as leaving:
        if not leaving.code:
            raise
        raise OptionError(f"{_one_line(complaint.getvalue())}; see {prog} --help") from None


def _one_line(text: str) -> str:
    """The first sentence of tyro's boxed message, without colours and frame."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).translate(str.maketrans("", "", _BOX))
    lines = [line.strip() for line in plain.splitlines()]
    said = [
        line for line in lines if line and line not in ("Parsing error", "Required options", "Unrecognized options")
    ]
    stop = next(
        (i for i, line in enumerate(said) if line.startswith(("For full helptext", "Perhaps you", "Similar"))),
        len(said),
    )
    return " ".join(said[:stop]).rstrip(".:")


@contextmanager
def progress_bar(unit: str, total: int, *, quiet: bool) -> Iterator[Callable[..., None] | None]:
    """A bar on standard error if that is a terminal; yields ``update(done, rate a second, total)`` or None."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate_column = TextColumn("{task.fields[rate]}")
    columns = (BarColumn(), MofNCompleteColumn(), rate_column, TimeRemainingColumn())
    # Lines printed meanwhile go above the bar, but only if they are meant for a terminal and not for a file.
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task("", total=total, rate="")

        def update(done: int, rate: float | None = None, new_total: int = total) -> None:
            shown = "" if rate is None else f"{rate:.1f} {unit}/s"
            bar.update(task, completed=done, total=new_total, rate=shown)

        yield update


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let SIGTERM, by which schedulers end a job, stop the work as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def answer(result: Any, output: Output, describe: Callable[[Any], str]) -> None:
    """Print a result dataclass: as JSON, in words, or not at all."""
    if output.json:
        print(json.dumps(dataclasses.asdict(result), default=_plain, indent=2))
    elif not output.quiet:
        print(describe(result))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else repr(value)
