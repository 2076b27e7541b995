"""Running many independent jobs in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from vitruvian.errors import VitruvianError

Job = TypeVar("Job")
Result = TypeVar("Result")

# Each worker uses one core: without these, numerical libraries start a thread a core in every worker.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_JOBS_AHEAD = 2  # jobs handed out per worker, so that none waits and results do not pile up


def map_unordered(
    function: Callable[[Job], Result], jobs: Iterable[Job], *, workers: int
) -> Generator[Result, None, None]:
    """Results of ``function`` as they are ready, in any order.

    The workers are spawned, even a single one, so that each job meets the same surroundings: function, jobs
    and results must be picklable, and a script that gets here must be guarded by
    ``if __name__ == "__main__"``. When the iteration ends early, by an exception, Ctrl-C or closing the
    iterator, the workers are stopped at once.
    """
    jobs = iter(jobs)
    with _single_threaded_children(), _pool(workers) as pool:
        waiting = {pool.submit(function, job) for job in islice(jobs, workers * _JOBS_AHEAD)}
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                try:
                    result = future.result()
                except BrokenProcessPool as error:
                    raise VitruvianError(
                        "a worker process died: perhaps for want of memory (run the same again with fewer"
                        ' --workers), or for want of `if __name__ == "__main__"` in a script'
                    ) from error
                waiting.update(pool.submit(function, job) for job in islice(jobs, 1))
                yield result


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    strangers = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - strangers:
            child.terminate()
        raise
    pool.shutdown()


def _start_worker() -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Without this, the workers of a killed parent would wait for jobs for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def _single_threaded_children() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
