"""Network files from elsewhere: https and Hugging Face addresses, fetched once, resumed when interrupted, checked.

A file under way is ``NAME.part`` with its origin beside it; it takes its name only when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from vitruvian.errors import CheckpointError, MissingExtraError, OptionError

HUB_SCHEME = "hf://"
CACHE_VARIABLE = "VITRUVIAN_CACHE"
BLOCK = 1 << 20
PATIENCE = 30  # seconds without a byte
NETWORK_SUFFIXES = (".safetensors", ".pkl", ".pt", ".pth")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes there will be, if the server says."""


def is_address(text: str) -> bool:
    """Whether ``text`` names something on the network."""
    return text.startswith((HUB_SCHEME, "https://", "http://"))


def cache_folder() -> Path:
    """Where fetched networks stay: ``VITRUVIAN_CACHE``, or the user's cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vitruvian" / "networks"


def fetch(address: str, folder: Path, *, sha256: str | None = None, progress: Progress | None = None) -> Path:
    """The file at an address as a file in ``folder``; one that is there already is not fetched again.

    Args:
        address: ``https://...`` or ``hf://owner/name[/file]``.
        sha256: what the file must hash to.

    Raises:
        CheckpointError: if it cannot be had, or is not the expected file; what was fetched is kept for the next try.
    """
    is_hub = address.startswith(HUB_SCHEME)
    path = _from_hub(address) if is_hub else _from_web(address, folder, progress)
    if sha256 is not None and (found := file_hash(path)) != sha256.lower():
        if not is_hub:  # the hub's own cache is not ours to change
            path.unlink()
        raise CheckpointError(f"{address}: sha256 is {found}, expected {sha256}: not the file that was meant")
    return path


def file_hash(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Origin(NamedTuple):
    """What a partial file is a part of."""

    address: str
    version: str | None  # the server's ETag or date; without one a partial file is not trusted


def _from_web(address: str, folder: Path, progress: Progress | None) -> Path:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise OptionError(f"{address}: only https addresses are fetched, so that nobody can change the file on its way")
    name = PurePosixPath(unquote(parts.path)).name
    if not name.endswith(NETWORK_SUFFIXES):
        raise OptionError(f"{address}: ends in '{name}', expected a network file ({', '.join(NETWORK_SUFFIXES)})")
    folder = folder / hashlib.sha256(address.encode()).hexdigest()[:8] if folder == cache_folder() else folder
    path = folder / name
    if path.exists():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _download(address, path.with_name(f"{name}.part"), progress)
        os.replace(path.with_name(f"{name}.part"), path)
        path.with_name(f"{name}.part.json").unlink(missing_ok=True)
    except urllib.error.HTTPError as error:
        raise CheckpointError(f"{address}: the server answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, TimeoutError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise CheckpointError(f"{address}: cannot be fetched ({reason}); the same command goes on from here") from error
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _download(address: str, part: Path, progress: Progress | None) -> None:
    note = part.with_name(f"{part.name}.json")
    have = _trusted_length(part, note, address)
    request = urllib.request.Request(address, headers={"User-Agent": "vitruvian"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", json.loads(note.read_text())["version"])
    try:
        response = urllib.request.urlopen(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # the part is already whole, or the file has shrunk: begin again
            raise
        part.unlink(missing_ok=True)
        return _download(address, part, progress)
    with response:
        continues = response.status == 206
        total = _total_length(response, have if continues else 0)
        version = response.headers.get("ETag") or response.headers.get("Last-Modified")
        note.write_text(json.dumps(_Origin(address, version)._asdict()))
        with part.open("ab" if continues else "wb") as file:
            while block := response.read(BLOCK):
                file.write(block)
                if progress is not None:
                    progress(file.tell(), total)
            length = file.tell()
    if total is not None and length != total:
        raise TimeoutError(f"the connection ended after {length} of {total} bytes")
    return None


def _trusted_length(part: Path, note: Path, address: str) -> int:
    """Bytes of a partial file that can be gone on from: 0 if nobody knows what it is a part of."""
    try:
        origin = json.loads(note.read_text())
        if origin["address"] == address and origin["version"] and not origin["version"].startswith("W/"):
            return part.stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0


def _total_length(response: HTTPResponse, have: int) -> int | None:
    length = response.headers.get("Content-Length")
    return have + int(length) if length and length.isdigit() else None


def _from_hub(address: str) -> Path:
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise MissingExtraError("an hf:// address", "hub") from None
    match = re.fullmatch(r"hf://([\w.-]+/[\w.-]+)(?:/(.+))?", address)
    if match is None:
        raise OptionError(f"{address}: expected hf://owner/name or hf://owner/name/file")
    owner_and_name, file = match[1], match[2]
    try:
        if file is None:
            file = _only_network(huggingface_hub.list_repo_files(owner_and_name), address)
        return Path(huggingface_hub.hf_hub_download(owner_and_name, file))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{address}: cannot be fetched from the hub ({reason})") from error


def _only_network(names: list[str], address: str) -> str:
    for suffix in NETWORK_SUFFIXES:
        found = [name for name in names if name.endswith(suffix)]
        if len(found) == 1:
            return found[0]
        if found:
            raise OptionError(f"{address}: holds {', '.join(found[:6])}; add the one you mean, as {address}/{found[0]}")
    raise CheckpointError(f"{address}: holds no network file ({', '.join(NETWORK_SUFFIXES)})")
