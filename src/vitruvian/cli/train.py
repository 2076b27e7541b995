"""``vitruvian train``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import tyro

from vitruvian.cli.frame import Output, answer, parse, progress_bar
from vitruvian.errors import OptionError
from vitruvian.options.train import TrainOptions

if TYPE_CHECKING:
    from vitruvian.training.gan import TrainProgress, TrainResult

RECIPES = ("gan",)
BAD_INPUT, INTERRUPTED = 2, 130
_USAGE = """usage: vitruvian train {gan} [options]

example: vitruvian train gan --data people.zip --cfg mannequin"""


@dataclass(frozen=True)
class _Train:
    options: Annotated[TrainOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def main(argv: list[str]) -> int:
    """Run with the arguments after ``vitruvian train``; answers the exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_USAGE)
        return 0 if argv else BAD_INPUT
    if argv[0] not in RECIPES:
        raise OptionError(f"train {argv[0]}: unknown recipe, expected {' or '.join(RECIPES)}")
    return _gan(argv[1:])


def _gan(argv: list[str]) -> int:
    command = parse(_Train, TrainOptions, "vitruvian train gan", argv)
    from vitruvian.training.gan import train_gan

    options, output = command.options, command.output
    with _stop_signals() as stopped, progress_bar("pictures", 1, quiet=output.quiet) as update:

        def report(at: TrainProgress) -> None:
            if at.line and not output.quiet and not output.json:
                print(at.line, flush=True)
            elif update and not at.line:
                update(at.cur_nimg, at.images_per_second, at.total_nimg)

        result = train_gan(options, progress=report, should_stop=lambda: bool(stopped))
    answer(result, output, _describe)
    return INTERRUPTED if stopped and not result.finished else 0


def _describe(result: TrainResult) -> str:
    if result.cur_nimg == 0 and not result.finished:
        return "\n".join(f"{name:<18} {value}" for name, value in result.plan.as_dict().items())
    shown = f"{result.cur_nimg / 1000:.1f} kimg in {result.run}"
    if result.finished:
        return f"finished {shown}; network: {result.snapshot}"
    return f"stopped after {shown}; go on with: vitruvian train gan --resume {result.run}"


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM, so that the loop can end between two steps; a second one ends at once."""
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
