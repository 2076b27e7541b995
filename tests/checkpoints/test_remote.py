from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vitruvian.checkpoints import find_network
from vitruvian.checkpoints.remote import CACHE_VARIABLE, fetch
from vitruvian.errors import CheckpointError, OptionError

CONTENT = bytes(range(256)) * 2000


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; can break off, change version, or refuse ranges."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.version = '"1"'
        self.breaks_after: int | None = None
        self.knows_ranges = True
        self.content = CONTENT
        self.ranges: list[str | None] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if "missing" in self.path:
            self.send_error(404, "not here")
            return
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        start = 0
        if wanted and self.server.knows_ranges and self.headers.get("If-Range") == self.server.version:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.server.version)
        self.end_headers()
        stop = self.server.breaks_after
        self.wfile.write(body if stop is None else body[:stop])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_file_arrives_whole_and_is_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = fetch(f"{server.address}/net.pkl", tmp_path, progress=lambda have, total: seen.append((have, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    fetch(f"{server.address}/net.pkl", tmp_path)
    assert len(server.ranges) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.pkl"]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on(server: Server, tmp_path: Path, knows_ranges: bool) -> None:
    server.breaks_after, server.knows_ranges = 100_000, knows_ranges
    with pytest.raises(CheckpointError, match="the same command goes on from here"):
        fetch(f"{server.address}/net.pkl", tmp_path)
    assert not (tmp_path / "net.pkl").exists()
    server.breaks_after = None
    assert fetch(f"{server.address}/net.pkl", tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 100_000
    with pytest.raises(CheckpointError):
        fetch(f"{server.address}/net.pkl", tmp_path)
    server.breaks_after, server.version, server.content = None, '"2"', CONTENT[::-1]
    assert fetch(f"{server.address}/net.pkl", tmp_path).read_bytes() == CONTENT[::-1]


def test_a_wrong_hash_leaves_no_file(server: Server, tmp_path: Path) -> None:
    right = hashlib.sha256(CONTENT).hexdigest()
    assert fetch(f"{server.address}/net.pkl", tmp_path, sha256=right).exists()
    with pytest.raises(CheckpointError, match="not the file that was meant"):
        fetch(f"{server.address}/other.pkl", tmp_path, sha256="0" * 64)
    assert not (tmp_path / "other.pkl").exists()


def test_bad_addresses_are_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="404 not here"):
        fetch(f"{server.address}/missing.pkl", tmp_path)
    with pytest.raises(OptionError, match="only https"):
        fetch("http://example.org/net.pkl", tmp_path)
    with pytest.raises(OptionError, match=r"ends in 'page\.html'"):
        fetch("https://example.org/page.html", tmp_path)


def test_networks_are_found_by_address(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    first = find_network(f"{server.address}/a/net.pkl")
    second = find_network(f"{server.address}/b/net.pkl")
    assert first != second  # the same name from elsewhere is another file
    assert first.is_relative_to(tmp_path)
