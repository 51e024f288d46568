"""Where units of work run: in this process, or in a pool of processes.

In: a function of (context, job), a context that every job shares, jobs. Out: each job's result, as it is done.
Anything that is a `concurrent.futures.Executor` will do (a Dask client's `get_executor()` too).
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Final, TypeVar

from pipeline.errors import WorkerDied

C = TypeVar("C")
J = TypeVar("J")
R = TypeVar("R")

WAITS: Final = 10  # how far the workers of a run step back: who withdraws something meanwhile must not wait for them
_RARELY = 50_000  # objects made between two looks
_context: Any = None
_work: Any = None


def run(work: Callable[[C, J], R], context: C, jobs: Sequence[J], workers: int = 0, *, nice: int = 0) -> Iterator[R]:
    """The result of each job, in no certain order. `workers` 0 = one per core, never more than there are jobs. Worker processes
    step back by `nice` behind others of this machine (see nice(1)).

    What `work` raises leaves here, after jobs not yet started were dropped; so does Ctrl-C. Raises WorkerDied where the
    system ended a process.
    """
    count = min(workers or os.cpu_count() or 1, len(jobs))
    if count <= 1:
        with _rarely_collecting():
            yield from (work(context, job) for job in jobs)
        return
    # spawn: a forked copy of lxml, pandoc's pipe or an S3 client is shared with its parent, and breaks
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_start, initargs=(work, context, nice))
    try:
        yield from _collect(pool, jobs)
    except BrokenExecutor:
        pool.shutdown(wait=True, cancel_futures=True)
        raise WorkerDied(
            f"one of {count} worker processes died, so this run stopped; nothing half-done was published",
            found="the system ended it: memory was short, or somebody killed it",
            fix="run again with fewer --workers, or with more memory; if it happens again, find the topic with --topic",
        ) from None
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def _collect(pool: Executor, jobs: Sequence[Any]) -> Iterator[Any]:
    with _deaf():  # the first submit starts the processes
        futures = [pool.submit(_one, job) for job in jobs]
    for future in as_completed(futures):
        yield future.result()


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started inside never hear Ctrl-C, not even while Python starts in them: it reaches the whole group, and the
    driver alone decides what becomes of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Python looks for circles among all objects each time some hundred have been made: with the index of a large library in
    memory that is an eighth of a run's time, and topics make no circles. It still looks, less often."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_RARELY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _start(work: Any, context: Any, nice: int) -> None:
    os.nice(nice)
    gc.freeze()
    gc.set_threshold(_RARELY, *gc.get_threshold()[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()
    globals().update(_work=work, _context=context)


def _end_with_driver() -> None:
    """A driver that was killed tells nobody: without this, its workers would wait for work for ever."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        wait([driver.sentinel])
        os._exit(1)


def _one(job: Any) -> Any:
    return _work(_context, job)
