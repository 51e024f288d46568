"""pandoc, started once per process: text of one format in, text of another out.

`convert` sends a request to a long-lived `pandoc lua` process (its script is `pandoc.lua`) and waits for the answer: starting
pandoc anew costs 78 ms, asking again 1. The process sees no environment of ours, no user's data folder, no template,
and reads no file for the text's sake. One that dies or hangs is replaced. Safe from threads, after fork and with spawn;
it ends with this process, however this process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import select
import struct
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

import pypandoc  # type: ignore[import-untyped]

from pipeline.errors import UsageError
from pipeline.findings import Finding, error

FAILED: Final = error(
    "pandoc.failed",
    "pandoc refused a topic, died over it or did not come to an end.",
    "Look for what is unusual in the topic (very deep nesting, enormous tables); if nothing is, report it with the source file.",
)
TIMEOUT: Final = 60.0  # seconds; a topic of 1.4 MB takes 0.3
MAX_REQUESTS: Final = 10_000  # then the process is replaced, so that no leak of its own can grow
MAX_BYTES: Final = 512 * 1024 * 1024

_FORMAT = re.compile(r"[a-z][a-z0-9_]*(?:[+-][a-z][a-z0-9_]*)*")  # a path would be run as a Lua script
_REQUEST = struct.Struct("<II")
_ANSWER = struct.Struct("<BI")
_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "HOME": "/nonexistent",
    "XDG_DATA_HOME": "/nonexistent",
    "PANDOC_REPL_HISTORY": os.devnull,  # else it leaves an empty file behind whenever it is killed
    "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01: what writers of zip files stamp
}


class PandocError(ValueError):
    """This text could not be converted. `at` makes the finding of it."""

    def at(self, file: str, line: int) -> Finding:
        """The finding that holds the topic back."""
        return FAILED.at(file, line, str(self))


class _Died(Exception):
    """The process ended before it answered."""


def convert(
    text: bytes, reader: str, writer: str, options: Mapping[str, object] | None = None, *, timeout: float = TIMEOUT
) -> bytes:
    """`text`, in pandoc's format `reader`, written in `writer`; `options` are pandoc's WriterOptions.

    Raises PandocError where pandoc refuses the text, dies over it twice, or takes longer than `timeout` seconds, and
    UsageError where there is no pandoc.
    """
    for name in (reader, writer):
        if not _FORMAT.fullmatch(name):
            raise PandocError(f"{name!r} is no name of a pandoc format")
    header = json.dumps({"reader": reader, "writer": writer, "options": dict(options or {})}).encode()
    with _lock:
        try:
            return _ask(header, text, timeout)
        except _Died:
            pass  # killed from outside, for want of memory perhaps: the same text may well pass
        try:
            return _ask(header, text, timeout)
        except _Died as died:
            raise PandocError(f"{died} (twice, over {len(text)} bytes of {reader})") from None


def close() -> None:
    """Ends the process; the next `convert` starts another."""
    global _worker
    with _lock:
        if _worker is not None:
            _worker.kill()
        _worker = None


class _Worker:
    """One `pandoc lua` process, and what it has done so far."""

    def __init__(self) -> None:
        self.requests = self.bytes = 0
        script = Path(__file__).with_suffix(".lua")
        try:
            self.process = subprocess.Popen(
                [pypandoc.get_pandoc_path(), "lua", "-E", str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=_ENVIRONMENT,
                cwd=script.parent,
            )
            for pipe in self.pipes:
                os.set_blocking(pipe.fileno(), False)
        except OSError as problem:
            raise UsageError("pandoc can not be started", found=str(problem), fix="install pypandoc-binary") from None

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Its input and its output."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout

    @property
    def spent(self) -> bool:
        """Whether it has ended, or done its share."""
        return self.process.poll() is not None or self.requests >= MAX_REQUESTS or self.bytes >= MAX_BYTES

    def ask(self, header: bytes, text: bytes, timeout: float) -> tuple[bool, bytes]:
        """Whether the text was converted, and the answer. Raises _Died, TimeoutError."""
        self.requests += 1
        self.bytes += len(text)
        source, answers = self.pipes
        deadline = time.monotonic() + timeout
        try:
            _send(source, _REQUEST.pack(len(header), len(text)) + header + text, deadline)
            converted, length = _ANSWER.unpack(_receive(answers, _ANSWER.size, deadline))
            return bool(converted), _receive(answers, length, deadline)
        except BrokenPipeError:
            raise _Died("pandoc ended before it answered") from None

    def kill(self) -> None:
        """Ends the process at once and waits for its end."""
        self.process.kill()
        self.process.wait()
        self.forget()

    def forget(self) -> None:
        """Lets go of the pipes."""
        for pipe in self.pipes:
            with contextlib.suppress(OSError):
                pipe.close()


def _ask(header: bytes, text: bytes, timeout: float) -> bytes:
    worker = _ready()
    answered = False
    try:
        converted, answer = worker.ask(header, text, timeout)
        answered = True
    except TimeoutError:
        raise PandocError(f"pandoc did not come to an end within {timeout:g} s, over {len(text)} bytes") from None
    finally:
        if not answered:  # also on Ctrl-C: what is left in the pipes belongs to no later request
            _drop(worker)
    if not converted:
        raise PandocError(f"pandoc: {' '.join(answer.decode('utf-8', 'replace').split())[:500]}")
    return answer


def _ready() -> _Worker:
    global _worker
    if _worker is not None and _worker.spent:
        _drop(_worker)
    if _worker is None:
        _worker = _Worker()
    return _worker


def _drop(worker: _Worker) -> None:
    global _worker
    worker.kill()
    _worker = None


def _send(pipe: IO[bytes], data: bytes, deadline: float) -> None:
    view = memoryview(data)
    while view:
        _wait(pipe, select.POLLOUT, deadline)
        view = view[pipe.write(view) or 0 :]


def _receive(pipe: IO[bytes], length: int, deadline: float) -> bytes:
    parts = []
    while length:
        _wait(pipe, select.POLLIN, deadline)
        part = pipe.read(length)
        if not part:
            raise _Died("pandoc ended before it answered")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _wait(pipe: IO[bytes], event: int, deadline: float) -> None:
    """Waits until a pipe can be read or written (or has ended). Raises TimeoutError."""
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _after_fork() -> None:
    # The parent's process stays the parent's: the child lets go of its pipes and starts its own.
    global _worker, _lock
    if _worker is not None:
        _worker.forget()
        _worker.process.returncode = 0
    _worker, _lock = None, threading.Lock()


_lock = threading.Lock()
_worker: _Worker | None = None
atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
