"""A plain web server over a folder store, as a bucket's web front is one. In: a folder. Out: an address, and what was asked."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote


class Web(ThreadingHTTPServer):
    """Gives out the files of `folder` with ETags. `faults` are taken one a request: a status, or "cut". `lies` answer in place of
    the files whose path ends like their names: each gets the request and writes what it likes."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.faults: list[int | str] = []
        self.lies: dict[str, Callable[[BaseHTTPRequestHandler], object]] = {}
        self.seen: list[tuple[str, int]] = []
        self.headers: list[dict[str, str]] = []
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of it."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Web

    def do_GET(self) -> None:
        fault = self.server.faults.pop(0) if self.server.faults else ""
        path = self.server.folder / unquote(self.path).lstrip("/")
        self.server.headers.append(dict(self.headers))
        for end, lie in self.server.lies.items():
            if self.path.endswith(end):
                self.server.seen.append((self.path, 0))
                self.close_connection = True
                with suppress(OSError):  # the client has gone away
                    lie(self)
                return
        data = path.read_bytes() if path.is_file() else b""
        etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
        status = 200 if path.is_file() else 404
        if status == 200 and self.headers.get("If-None-Match") == etag:
            status, data = 304, b""
        if isinstance(fault, int):
            status, data = fault, b""
        self.server.seen.append((self.path, status))
        self.send_response_only(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if fault == "cut" else data)
        if fault == "cut":
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing: tests look at `seen`."""


@contextmanager
def web(folder: Path, certificate: Path | None = None) -> Iterator[Web]:
    """A running server over the folder; with TLS where a certificate (with its key) is given."""
    with Web(folder) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.scheme = "https"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
