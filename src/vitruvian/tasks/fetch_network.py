"""The networks that there are, and fetching them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vitruvian.checkpoints import embedded, read_card
from vitruvian.checkpoints.published import PUBLISHED, Published, find_published
from vitruvian.checkpoints.remote import cache_folder, fetch, file_hash, is_address
from vitruvian.errors import OptionError
from vitruvian.files import writable_folder
from vitruvian.options.models import DownloadModelOptions, ListModelsOptions


@dataclass(frozen=True)
class EmbeddedModel:
    """A network of this package."""

    name: str
    kind: str
    size: str
    bytes: int
    licence: str
    sha256: str


@dataclass(frozen=True)
class Models:
    embedded: list[EmbeddedModel]
    published: list[Published]


@dataclass(frozen=True)
class Download:
    path: Path
    bytes: int
    sha256: str
    is_known: bool
    """Whether the hash was compared with an expected one."""


def list_models(options: ListModelsOptions) -> Models:
    """Embedded networks with their cards' facts, and the published ones."""
    ours = []
    for name, path in embedded().items():
        card = read_card(path)
        size = card.config.get("img_resolution", "")
        sides = size if isinstance(size, list) else [size, size]
        shown = "x".join(map(str, sides))
        ours.append(EmbeddedModel(name, card.kind, shown, path.stat().st_size, card.licence, card.sha256))
    return Models(ours, [] if options.embedded else list(PUBLISHED))


def download_model(
    options: DownloadModelOptions, *, progress: Callable[[int, int | None], None] | None = None
) -> Download:
    """Fetch a network by published name or address.

    Raises:
        OptionError: for a name that is neither, or whose publisher gives it out by hand alone.
        CheckpointError: if it cannot be fetched or is not the expected file.
    """
    address, expected = options.name, options.sha256
    if not is_address(address):
        entry = find_published(options.name)
        if entry is None:
            raise OptionError(f"{options.name}: neither an address nor a name from `vitruvian models list`")
        if entry.address is None:
            raise OptionError(
                f"{entry.name}: its publisher hands it out by hand alone: open {entry.page}, save the file"
            )
        address, expected = entry.address, expected or entry.sha256
    folder = writable_folder(options.outdir) if options.outdir is not None else cache_folder()
    path = fetch(address, folder, sha256=expected, progress=progress)
    return Download(path, path.stat().st_size, file_hash(path), expected is not None)
