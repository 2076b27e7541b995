"""Choices of ``vitruvian models``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vitruvian.errors import OptionError

Role = Literal["G_ema", "G", "D"]
Format = Literal["native", "official-pickle", "rosinality"]
SUFFIXES: dict[str, Format] = {
    ".safetensors": "native",
    ".pkl": "official-pickle",
    ".pt": "rosinality",
    ".pth": "rosinality",
}


@dataclass(frozen=True, kw_only=True)
class ListModelsOptions:
    """List the embedded networks, and those that others have published.

    Example: vitruvian models list
    """

    embedded: bool = False
    """Only those in this package."""


@dataclass(frozen=True, kw_only=True)
class ShowModelOptions:
    """Tell what a network file holds; nothing in it is executed.

    Example: vitruvian models show stylegan_human_v2_1024.pkl
    """

    file: str
    """A network file, the name of an embedded network, or an address."""


@dataclass(frozen=True, kw_only=True)
class VerifyModelOptions:
    """Check network files: hashes, finite weights, a picture.

    Example: vitruvian models verify mannequin-body ffhq.pkl
    """

    files: tuple[str, ...]
    """Network files, names of embedded networks, or addresses."""
    sha256: str | None = None
    """What the file must hash to (one file)."""

    def __post_init__(self) -> None:
        if not self.files:
            raise OptionError("models verify: name at least one network file")
        _check_hash(self.sha256)
        if self.sha256 is not None and len(self.files) != 1:
            raise OptionError("--sha256 is for one file; verify the others in calls of their own")


@dataclass(frozen=True, kw_only=True)
class ConvertModelOptions:
    """Write a network in another format.

    Example: vitruvian models convert ffhq.pkl ffhq.safetensors
    """

    file: str
    """A network file, the name of an embedded network, or an address."""
    out: Path
    """The new file; its ending chooses the format: .safetensors native, .pkl official pickle, .pt/.pth rosinality."""
    to: Format | None = None
    """The format, whatever the ending of the new file."""
    role: Role | None = None
    """Which network: the average G_ema, the raw G, or D. An official pickle takes all unless one is named."""
    half: bool = False
    """Native only: store 16-bit numbers, which halves the file and moves pictures by a fraction of a level."""
    module: str | None = None
    """Official pickle only: where the opening checkout has its classes, training.networks for stylegan2-ada-pytorch
    and StyleGAN-Human; without it, as in a stylegan3 checkout."""
    force: bool = False
    """Replace the new file if it exists."""

    def __post_init__(self) -> None:
        if self.to is None and self.out.suffix not in SUFFIXES:
            raise OptionError(
                f"{self.out}: ends in {self.out.suffix or 'nothing'}, expected {', '.join(SUFFIXES)} or --to"
            )
        if self.half and self.format != "native":
            raise OptionError(f"--half is for native files, not for {self.format}")
        if self.module is not None and self.format != "official-pickle":
            raise OptionError(f"--module is for official pickles, not for {self.format}")
        if self.module is not None and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", self.module):
            raise OptionError(f"--module {self.module}: expected a Python module such as training.networks")

    @property
    def format(self) -> Format:
        """The format to write."""
        return self.to or SUFFIXES[self.out.suffix]


@dataclass(frozen=True, kw_only=True)
class DownloadModelOptions:
    """Fetch a published network; an interrupted download goes on where it stopped.

    Example: vitruvian models download stylegan3-r-ffhqu-256x256
    """

    name: str
    """A name from `models list`, an https:// address, or hf://owner/name[/file]."""
    outdir: Path | None = None
    """Folder for the file; without it, the cache that --network looks into."""
    sha256: str | None = None
    """What the file must hash to."""

    def __post_init__(self) -> None:
        _check_hash(self.sha256)


@dataclass(frozen=True, kw_only=True)
class PushModelOptions:
    """Publish a network on the Hugging Face hub, with its card as the model card.

    Example: vitruvian models push mine.safetensors alice/mine
    """

    file: str
    """A native network file, or the name of an embedded network."""
    repository: str
    """owner/name on the hub; made if it does not exist."""
    private: bool = False
    """Only its owner sees it."""
    dry_run: bool = False
    """Show the model card and upload nothing."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository):
            raise OptionError(f"{self.repository}: expected owner/name")


def _check_hash(text: str | None) -> None:
    if text is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise OptionError(f"--sha256 {text}: expected 64 hexadecimal digits")
