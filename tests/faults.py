"""A proxy that harms requests on their way to a server. In: the faults to come, one a request. Out: what a bad network does."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
ERROR = b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"


class Proxy(ThreadingHTTPServer):
    """Forwards to `target` (host:port). Each request takes one of `faults`, then one of none is left: "" forwards,
    "lost" forwards and hides the answer, "reset" breaks the connection, "busy" answers 503, "error" 500, "cut" half a body,
    "stall" forwards and answers nothing for `stall` seconds."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.faults: list[str] = []
        self.seen: list[str] = []
        self.stall = 1.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _forward(self) -> None:
        fault = self.server.faults.pop(0) if self.server.faults else ""
        self.server.seen.append(f"{self.command} {fault}".strip())
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault == "busy":
            self._answer(503, [("Content-Type", "application/xml")], BUSY)
        elif fault == "error":
            self._answer(500, [("Content-Type", "application/xml")], ERROR)
        elif fault == "reset":
            self._break()
        else:
            status, headers, data = self._ask(body)
            if fault == "stall":
                time.sleep(self.server.stall)
            if fault in ("lost", "stall"):
                self._break()
            else:
                self._answer(status, headers, data, cut=fault == "cut")

    do_GET = do_PUT = do_HEAD = do_DELETE = _forward

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.target)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), data

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self._break()

    def _break(self) -> None:
        """Ends the connection with a reset, not with a polite goodbye."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing: tests look at `seen`."""


@contextmanager
def proxy(endpoint: str) -> Iterator[Proxy]:
    """A running proxy before the server at `endpoint`."""
    with Proxy(endpoint.removeprefix("http://")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
