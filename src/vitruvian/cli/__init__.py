"""The ``vitruvian`` command: finds the command group, runs it, turns errors into one line and an exit code.

Command modules are imported only when they run, so ``vitruvian --help`` answers without torch.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import NamedTuple

from vitruvian import __version__
from vitruvian.errors import VitruvianError
from vitruvian.memory import keep_freed_memory

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130


class _Command(NamedTuple):
    module: str
    summary: str


COMMANDS = {
    "generate": _Command("vitruvian.cli.generate", "make pictures of people from seeds"),
    "interpolate": _Command("vitruvian.cli.interpolate", "film a walk from person to person"),
    "mix": _Command("vitruvian.cli.mix", "give people the styles of others: a sheet or a video"),
    "dataset": _Command("vitruvian.cli.dataset", "render synthetic people; inspect picture sets"),
    "models": _Command("vitruvian.cli.models", "network files: list, show, convert, verify, download, push"),
    "bench": _Command("vitruvian.cli.bench", "measure speed against a plain form of the same maths"),
    "train": _Command("vitruvian.cli.train", "train a network on a picture set"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the command line; answers the exit code: 0 done, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        return _dispatch(arguments)
    except VitruvianError as error:
        if debug:
            raise
        print(f"vitruvian: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("vitruvian: interrupted; finished files are kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `vitruvian --help | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # a full disk, a lost share
        if debug:
            raise
        print(f"vitruvian: error: {error}; files already finished are kept", file=sys.stderr)
        return BAD_INPUT


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return OK if arguments else BAD_INPUT
    if arguments[0] in ("-V", "--version"):
        print(f"vitruvian {__version__}")
        return OK
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        nearest = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean '{nearest[0]}'?" if nearest else "see vitruvian --help"
        raise VitruvianError(f"unknown command '{name}'; {hint}")
    keep_freed_memory()  # a third of the time of a large picture on a CPU
    return importlib.import_module(COMMANDS[name].module).main(rest)


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: vitruvian COMMAND [options]",
            "",
            "Pictures of whole people with generative adversarial networks.",
            "",
            "commands:",
            *lines,
            "",
            "vitruvian COMMAND --help explains each. Everywhere: --json, --quiet, --debug (shows tracebacks).",
            "",
            "example: vitruvian generate --seeds 0-63 --trunc 0.7 --grid",
        ]
    )
