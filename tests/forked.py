"""A function run in a child process: as another user, or killed at a chosen moment. In: a function. Out: what became of it."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Collection
from itertools import count
from pathlib import Path
from typing import Any

REQUESTS = ("http.client.send",)  # what a client of an S3 server does: a request's head, then its body
EVENTS = ("open", "os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")


def in_child(function: Callable[[], object], user: int | None = None) -> Any:
    """What `function` returns in a child process, there run by another user where one is given. Raises what it raises."""
    reading, writing = os.pipe()
    child = _fork()
    if child == 0:
        try:
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            answer: object = function()
        except BaseException as error:  # all of it goes to the parent
            answer = error
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(pickle.dumps(answer))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def killed_at(function: Callable[[], object], step: int, events: Collection[str] = EVENTS) -> bool:
    """Runs `function` in a child that is killed (SIGKILL) right before its `step`-th operation on the file system (or of other
    `events`). False where it ended before that."""
    child = _fork()
    if child == 0:
        try:
            sys.addaudithook(_killer(step, events))
            function()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(2)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed, see its error"
    return os.WIFSIGNALED(status)


def steps_of(function: Callable[[], object], events: Collection[str] = EVENTS) -> int:
    """How many such operations `function` does, run to its end in a child."""

    def counted() -> int:
        seen = count()
        sys.addaudithook(lambda event, _: next(seen) if event in events else None)
        function()
        return next(seen)

    return int(in_child(counted))


def _killer(step: int, events: Collection[str]) -> Callable[[str, tuple[object, ...]], None]:
    seen = count(1)

    def hook(event: str, _: tuple[object, ...]) -> None:
        if event in events and next(seen) == step:  # next() is one step for all threads
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: the child uses no thread of the parent
        return os.fork()


def open_to_all(path: Path) -> None:
    """Lets every user into a folder of pytest's, which keeps its folders (those of its processes too) to itself."""
    for folder in (path, *path.parents):
        if any(part.startswith("pytest-of-") for part in folder.parts):
            folder.chmod(folder.stat().st_mode | 0o055)
