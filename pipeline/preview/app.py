"""The web app: which address is answered by what, what watches the files, who is told.

In: a session, a port. Out: a starlette application, and `serve`, which runs it on this machine's loopback until it is stopped.
Nothing in it can publish: no address writes to a store, or to any file.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import anyio
import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from watchfiles import Change, awatch

from pipeline.errors import SyndicationError, UsageError
from pipeline.preview import bundles, screens
from pipeline.preview.safety import Guard
from pipeline.preview.session import Session

SWITCH: Final = 0.001  # seconds: a page that waits for the interpreter gets it from work aside five times as soon as by default
STEP: Final = 20  # milliseconds: news is passed on when this long no further file changed


class News:
    """Who listens for news: one queue for each open page."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[str]] = set()

    def open(self) -> None:
        """From now on `tell` reaches the pages of the running loop."""
        self._loop = asyncio.get_running_loop()

    def tell(self, what: str) -> None:
        """Passes a word on to every page; from any thread."""
        loop = self._loop
        if loop and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # the loop closed in this moment
                loop.call_soon_threadsafe(self._put, what)

    def _put(self, what: str) -> None:
        for queue in self._queues:
            queue.put_nowait(what)

    async def listen(self) -> AsyncIterator[dict[str, str]]:
        """The words as server-sent events."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield {"event": "hello", "data": ""}
            while True:
                yield {"event": await queue.get(), "data": ""}
        finally:
            self._queues.discard(queue)


def application(session: Session) -> Starlette:
    """The app over a session."""
    news = News()
    session.listen(news.tell)

    async def events(_request: Request) -> Response:
        return EventSourceResponse(news.listen(), ping=20)

    @contextlib.asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        news.open()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_fresh, session)
            yield
            tasks.cancel_scope.cancel()
        session.close()
        session.packer.stop()

    routes = [Route("/events", events), *screens.routes(session), *bundles.routes(session)]
    return Starlette(routes=routes, middleware=[Middleware(Guard)], lifespan=life)


async def _keep_fresh(session: Session) -> None:
    """Reads the project, then every change of it."""
    if session.project.snapshot is None:
        await run_in_threadpool(_start, session)
    while True:
        folders = session.project.folders()
        async for changes in awatch(*folders, watch_filter=wanted(session), debounce=400, step=STEP, rust_timeout=1000):
            await run_in_threadpool(session.refresh, {Path(path) for _, path in changes})
            if session.project.folders() != folders:
                break


def _start(session: Session) -> None:
    try:
        session.start()
    except SyndicationError as problem:
        session.failure = str(problem)


def wanted(session: Session) -> Callable[[Change, str], bool]:
    """Which changes count: not hidden files, not what a run writes."""
    snapshot = session.project.snapshot
    configuration = snapshot.system.configuration if snapshot else None
    written = (configuration.settings.store, configuration.settings.cache) if configuration else ()
    outputs = [configuration.path(name) for name in written if configuration and name and "://" not in name]
    folder = configuration.folder if configuration else None

    def counts(change: Change, name: str) -> bool:
        path = Path(name)
        if any(path.is_relative_to(output) for output in outputs):
            return False
        parts = path.relative_to(folder).parts if folder and path.is_relative_to(folder) else path.parts[-1:]
        if any(part.startswith(".") or part in ("node_modules", "__pycache__") for part in parts) or name.endswith("~"):
            return False
        return change is Change.deleted or path.exists()  # a folder too: nobody is told of files that come in one

    return counts


# --- running ------------------------------------------------------------------------------------


def listening(port: int) -> socket.socket:
    """A socket on this machine's loopback; port 0 = any that is free. Raises UsageError where the port is taken."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(("127.0.0.1", port))
    except OSError as problem:
        opened.close()
        raise UsageError(
            f"port {port} of this machine can not be used", found=problem.strerror or "", fix="give another --port, or 0 for any"
        ) from None
    return opened


def serve(session: Session, opened: socket.socket, ready: Callable[[str], None]) -> None:
    """Serves until Ctrl-C; `ready` gets the address when pages can be asked for."""
    address = f"http://127.0.0.1:{opened.getsockname()[1]}/"
    config = uvicorn.Config(
        application(session),
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    sys.setswitchinterval(SWITCH)
    threading.Thread(target=_when_started, args=(server, ready, address), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[opened])


def _when_started(server: uvicorn.Server, ready: Callable[[str], None], address: str) -> None:
    wait = threading.Event()
    while not server.started and not server.should_exit:
        wait.wait(0.02)
    if server.started:
        ready(address)
