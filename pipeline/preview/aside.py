"""Work in a process of its own, so that pages stay quick meanwhile.

In: a function and values, all picklable. Out: what it returns, and its progress on the way, told to callbacks in a thread of
this process. `stop` ends the process: nobody needs the answer to a question that has changed.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

Progress = Callable[[str, int, int], None]


class Aside:
    """One piece of work under way. `done` gets the result, or the exception that it ended with."""

    def __init__(
        self, work: Callable[..., Any], arguments: tuple[Any, ...], done: Callable[[Any], None], progress: Progress
    ) -> None:
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        self._stopped = False
        self._process = multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs, work, arguments), daemon=True, name="preview"
        )
        self._process.start()
        theirs.close()
        threading.Thread(target=self._listen, args=(ours, done, progress), daemon=True).start()

    def stop(self) -> None:
        """Ends the work; `done` is not called any more."""
        self._stopped = True
        with suppress(OSError, ValueError):
            self._process.terminate()
            self._process.join(2)

    def _listen(self, pipe: Connection, done: Callable[[Any], None], progress: Progress) -> None:
        try:
            while True:
                kind, value = pipe.recv()
                if self._stopped:
                    return
                if kind == "progress":
                    progress(*value)
                else:
                    done(value)
                    return
        except (EOFError, OSError):
            if not self._stopped:
                done(RuntimeError("the process that worked on this ended before it was done"))
        finally:
            pipe.close()
            self._process.join(5)


def _work(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError):
        os.nice(10)  # whoever looks at a page comes first
    try:
        result = work(*arguments, lambda *said: pipe.send(("progress", said)))
    except KeyboardInterrupt:
        return
    except Exception as problem:  # told to the parent, which shows it
        result = problem
    pipe.send(("done", result))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
