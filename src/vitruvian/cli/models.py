"""``vitruvian models``: what networks there are, what is in a file, other formats, fetching and publishing."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from vitruvian.cli.frame import Output, answer, parse, progress_bar
from vitruvian.errors import OptionError
from vitruvian.options.models import (
    ConvertModelOptions,
    DownloadModelOptions,
    ListModelsOptions,
    PushModelOptions,
    ShowModelOptions,
    VerifyModelOptions,
)

# The tasks bring torch; they are imported when a command runs, so that --help is fast.
if TYPE_CHECKING:
    from vitruvian.tasks.convert_network import Conversion
    from vitruvian.tasks.fetch_network import Download, Models
    from vitruvian.tasks.inspect_network import ModelReport, NetworkFacts, Soundness
    from vitruvian.tasks.publish_network import Publication

OK, UNSOUND = 0, 2
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class _List:
    options: Annotated[ListModelsOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class _Show:
    options: Annotated[ShowModelOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class _Convert:
    options: Annotated[ConvertModelOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class _Verify:
    options: Annotated[VerifyModelOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class _Download:
    options: Annotated[DownloadModelOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


@dataclass(frozen=True)
class _Push:
    options: Annotated[PushModelOptions, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = field(default_factory=Output)


def main(argv: list[str]) -> int:
    """Run with the arguments after ``vitruvian models``; answers the exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return OK
    if argv[0] not in _COMMANDS:
        nearest = difflib.get_close_matches(argv[0], _COMMANDS, n=1)
        hint = f"did you mean '{nearest[0]}'?" if nearest else f"expected {', '.join(_COMMANDS)}"
        raise OptionError(f"models {argv[0]}: unknown command; {hint}")
    run, _ = _COMMANDS[argv[0]]
    return run(argv[1:])


def _list(argv: list[str]) -> int:
    command = parse(_List, ListModelsOptions, "vitruvian models list", argv)
    from vitruvian.tasks.fetch_network import list_models

    answer(list_models(command.options), command.output, _describe_list)
    return OK


def _show(argv: list[str]) -> int:
    command = parse(_Show, ShowModelOptions, "vitruvian models show", argv)
    from vitruvian.tasks.inspect_network import show_model

    answer(show_model(command.options), command.output, _describe_model)
    return OK


def _convert(argv: list[str]) -> int:
    command = parse(_Convert, ConvertModelOptions, "vitruvian models convert", argv)
    from vitruvian.tasks.convert_network import convert_model

    answer(convert_model(command.options), command.output, _describe_conversion)
    return OK


def _verify(argv: list[str]) -> int:
    command = parse(_Verify, VerifyModelOptions, "vitruvian models verify", argv)
    from vitruvian.tasks.inspect_network import verify_models

    results = verify_models(command.options)
    answer(_Checked(results), command.output, _describe_checks)
    return UNSOUND if any(result.problems for result in results) else OK


@dataclass(frozen=True)
class _Checked:
    files: list[Any]


def _download(argv: list[str]) -> int:
    command = parse(_Download, DownloadModelOptions, "vitruvian models download", argv)
    from vitruvian.tasks.fetch_network import download_model

    with progress_bar("MB", 0, quiet=command.output.quiet) as update:

        def report(have: int, total: int | None) -> None:
            if update:
                update(have // _MEGABYTE, None, (total or have) // _MEGABYTE)

        try:
            download = download_model(command.options, progress=report)
        except KeyboardInterrupt:
            print("vitruvian: interrupted; the same command goes on from here", file=sys.stderr)
            return 130
    answer(download, command.output, _describe_download)
    return OK


def _push(argv: list[str]) -> int:
    command = parse(_Push, PushModelOptions, "vitruvian models push", argv)
    from vitruvian.tasks.publish_network import push_model

    answer(push_model(command.options), command.output, _describe_publication)
    return OK


_COMMANDS: dict[str, tuple[Callable[[list[str]], int], str]] = {
    "list": (_list, "embedded and published networks"),
    "show": (_show, "what a network file holds"),
    "convert": (_convert, "to native, official pickle or rosinality"),
    "verify": (_verify, "hashes, finite weights, a picture"),
    "download": (_download, "fetch a published network"),
    "push": (_push, "publish on the Hugging Face hub"),
}


def _overview() -> str:
    width = max(map(len, _COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, (_, summary) in _COMMANDS.items()]
    return "\n".join(
        [
            "usage: vitruvian models COMMAND [options]",
            "",
            "Network files: what there is, what is inside, other formats.",
            "",
            *lines,
            "",
            "vitruvian models COMMAND --help explains each.",
            "",
            "example: vitruvian models show mannequin-body",
        ]
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
    return "\n".join(lines)


def _describe_list(models: Models) -> str:
    rows = [
        [m.name, m.kind, m.size, f"{m.bytes / _MEGABYTE:.1f} MB", m.licence, m.sha256[:16]] for m in models.embedded
    ]
    parts = ["embedded:", _table(["name", "kind", "size", "file", "licence", "sha256 of the tensors"], rows)]
    if models.published:
        rows = [
            [p.name, p.architecture, p.size, p.subject, p.licence, "download" if p.address else p.page]
            for p in models.published
        ]
        parts += ["", "published by others (vitruvian models download NAME, or from the page):"]
        parts.append(_table(["name", "architecture", "size", "shows", "licence", "where"], rows))
    return "\n".join(parts)


def _describe_model(report: ModelReport) -> str:
    lines = [f"{report.path}: {report.format}, {report.bytes / _MEGABYTE:.1f} MB"]
    if report.card is not None:
        told = {"name": report.card.name, "data": report.card.data, "licence": report.card.licence}
        lines += [f"  {key}: {value}" for key, value in told.items() if value]
    head = ["network", "kind", "size", "parameters", "z", "w", "rows of w", "classes", "|w_avg|"]
    lines += ["", _table(head, [_row(network) for network in report.networks])]
    lines += [f"  {key}: {value}" for key, value in report.facts.items()]
    lines += [f"  {note}" for note in report.notes]
    return "\n".join(lines)


def _row(network: NetworkFacts) -> list[str]:
    def shown(value: int | None) -> str:
        return "-" if value is None else str(value)

    norm = "-" if network.w_avg_norm is None else f"{network.w_avg_norm:.3f}"
    return [
        network.role,
        network.kind,
        network.size,
        f"{network.parameters:,}",
        shown(network.z_dim),
        shown(network.w_dim),
        shown(network.num_ws),
        str(network.c_dim),
        norm,
    ]


def _describe_conversion(result: Conversion) -> str:
    return f"{result.out}: {', '.join(result.networks)} as {result.format}, {result.bytes / _MEGABYTE:.1f} MB"


def _describe_checks(results: _Checked) -> str:
    lines = []
    for result in results.files:
        sound: Soundness = result
        state = "sound" if not sound.problems else "NOT sound"
        lines.append(
            f"{sound.path}: {state} ({', '.join(sound.networks) or 'nothing readable'}), sha256 {sound.sha256}"
        )
        lines += [f"  {problem}" for problem in sound.problems]
    return "\n".join(lines)


def _describe_download(download: Download) -> str:
    checked = "as expected" if download.is_known else "not compared: none is known for it"
    return f"{download.path}: {download.bytes / _MEGABYTE:.1f} MB, sha256 {download.sha256} ({checked})"


def _describe_publication(publication: Publication) -> str:
    return publication.model_card if publication.address is None else f"published: {publication.address}"
