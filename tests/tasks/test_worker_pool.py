"""Jobs in processes of their own: order, threads, and how they end."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vitruvian.errors import VitruvianError
from vitruvian.tasks.worker_pool import map_unordered

ROOT = Path(__file__).parent.parent.parent


def _square(number: int) -> int:
    return number * number


def _threads_and_process(_: int) -> tuple[str | None, int]:
    return os.environ.get("OMP_NUM_THREADS"), os.getpid()


def _sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def _die(_: int) -> None:
    os._exit(9)


def test_every_job_is_done_once() -> None:
    assert sorted(map_unordered(_square, range(20), workers=2)) == [n * n for n in range(20)]


def test_workers_use_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    ((threads, process),) = map_unordered(_threads_and_process, [0], workers=1)
    assert (threads, process != os.getpid()) == ("1", True)
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_leaving_early_stops_the_workers_at_once() -> None:
    started = time.monotonic()
    results = map_unordered(_sleep, [0, 60, 60, 60], workers=2)
    assert next(results) == 0
    results.close()
    for child in multiprocessing.active_children():
        child.join(10)
    assert time.monotonic() - started < 20


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from tests.tasks.test_worker_pool import _sleep
        from vitruvian.tasks.worker_pool import map_unordered

        if __name__ == "__main__":
            for result in map_unordered(_sleep, [0, 0, 0, 0, 60, 60], workers=2):
                print("started", flush=True)
        """)
    )
    run = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert run.stdout is not None
    assert run.stdout.readline() == b"started\n"
    run.kill()
    run.communicate(timeout=20)  # the end of the pipe comes when nobody holds it any more


def test_jobs_are_handed_out_as_they_are_needed() -> None:
    taken = []

    def jobs() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_unordered(_square, jobs(), workers=2)
    next(results)
    assert len(taken) <= 8
    results.close()


def test_a_dead_worker_is_told_in_one_line() -> None:
    with pytest.raises(VitruvianError, match=r"a worker process died.*fewer --workers"):
        list(map_unordered(_die, [0], workers=2))
