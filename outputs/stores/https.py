"""A web server as a place to pull from: `https://host/prefix`. Read-only: partners get what a bucket's web front, a CDN or any
web server gives out.

In: keys. Out: bytes and ETags. The server is a stranger: no more is read than was asked for and none of it is unpacked, an answer
has to be done in time, no redirect is followed (so that a sign-in goes nowhere else), and its words are shown as one plain line.
Proxies come from the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), a private authority from
SSL_CERT_FILE or the setting `ca_file`, a sign-in from the address (`https://user:password@host/`) or, as a whole header, from
SYNDICATION_AUTHORIZATION. What is right is for signatures and hashes to say.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from outputs._limits import plain, too_large, within
from outputs._paths import key_problem
from pipeline.contracts import Stored
from pipeline.errors import Forbidden, NotFound, StoreError, UsageError

WAITS: Final = (0.2, 1.0, 3.0, None)  # seconds before the next try
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60  # for the next bytes; and for a whole answer, plus what its size takes at SLOWEST
SLOWEST: Final = 2000  # bytes a second: a slower answer is one that is meant never to end
THREADS: Final = 16
OK: Final = 200
NOT_MODIFIED: Final = 304
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
_LIMIT: Final = 1024**3  # bytes of one object where nobody says how many there should be
_CHUNK: Final = 1024**2
_EXPLAINED: Final = 64 * 1024  # bytes of an answer that is no object; a stranger's page is not read to its end
_LOOK: Final = "look whether a sign-in page or a proxy of your network stands before it"
_LATEST: Final = threading.local()


def claims(url: str) -> bool:
    """Whether `url` starts with `https://` or `http://`."""
    return url.startswith(("https://", "http://"))


def open(url: str, settings: Mapping[str, Any]) -> HttpStore:  # noqa: A001 - the contract's name
    """The store below that address. Setting: `ca_file`, certificates of a private authority. Raises UsageError."""
    for name in settings:
        if name != "ca_file":
            raise UsageError(f"[https] has no setting {name!r}", expected="ca_file", fix="take it out of syndication.toml")
    parts = urllib.parse.urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is no address of a store", expected="https://host or https://host/prefix", fix="correct it")
    host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    shown = urllib.parse.urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}" if parts.username else ""
    return HttpStore(shown, login, str(settings.get("ca_file", "")))


@dataclass(frozen=True, slots=True)
class HttpStore:
    """The objects below a web address; see contracts.Store. `login` is `user:password` and stands in no message."""

    url: str
    login: str = ""
    ca_file: str = ""

    parallel = THREADS

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        """See contracts.Store.get. Raises Forbidden where the server refuses."""
        found = self._get(key, {}, limit)
        if found is None:
            raise self._failed(key, f"HTTP {NOT_MODIFIED} without being asked for changes", "tell the publisher")
        return found

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        """See contracts.Store.get_changed."""
        return self._get(key, {"If-None-Match": token}, limit)

    def put(self, key: str, *_data: object, **_options: object) -> str:
        """Raises StoreError: a web server is read only."""
        raise self._read_only(key)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Raises StoreError: a web server does not list."""
        raise self._read_only(prefix)

    def delete(self, key: str) -> None:
        """Raises StoreError: a web server is read only."""
        raise self._read_only(key)

    def _read_only(self, key: str) -> StoreError:
        return StoreError(
            f"{self.url}: {key!r} can only be read", expected="a folder or s3://bucket/prefix", fix="publish to one of those"
        )

    def _get(self, key: str, condition: Mapping[str, str], limit: int | None) -> tuple[bytes, str] | None:
        from urllib3.exceptions import HTTPError

        if unsafe := key_problem(key):
            raise StoreError(f"{self.url}: {key!r} is not safe as a key: {unsafe}", fix="use a plain relative path")
        most = _LIMIT if limit is None else limit
        for wait in WAITS:
            try:
                with _Deadline(READ_SECONDS + most / SLOWEST) as deadline:
                    answer, data = self._asked(key, condition, most)
                    deadline.check()  # a socket that is shut ends like one that has said all
            except (HTTPError, OSError, ValueError) as problem:  # the last two: a socket that was closed by the deadline
                if deadline.passed:
                    found = f"no whole answer after {deadline.seconds:.0f} seconds"
                    raise self._failed(key, found, "look at the address and the network; then pull again") from problem
                if wait is None:
                    raise self._failed(key, _words(problem)) from problem
            else:
                if answer.status not in _LATER or wait is None:
                    return self._meaning(key, answer.status, data, answer.headers)
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _asked(self, key: str, condition: Mapping[str, str], most: int) -> tuple[Any, bytes]:
        """One answer and its bytes. Raises what urllib3 raises, Altered where there are more than `most`."""
        answer = _pool(os.getpid(), self.url, self.ca_file).request(
            "GET",
            f"{self.url}/{urllib.parse.quote(key)}",
            headers={**_headers(self.login), **condition},
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            if answer.status != OK:
                return answer, _read(answer, _EXPLAINED)
            what, said = f"{self.url}: {key!r}", answer.headers.get("Content-Length", "")
            if said.isdecimal() and int(said[:20]) > most:
                raise too_large(what, most, f"{plain(said)} bytes")
            return answer, within(_read(answer, most + 1), most, what)
        finally:
            answer.close()  # a connection that has been read to the end is back in the pool by now

    def _meaning(self, key: str, status: int, data: bytes, headers: Mapping[str, str]) -> tuple[bytes, str] | None:
        if status == OK:
            self._refuse_other(key, data, headers)
            return data, headers.get("ETag", "")
        if status == NOT_MODIFIED:
            return None
        if status in (404, 410):
            raise NotFound(f"{self.url}: there is no {key!r}")
        if status in (401, 403):
            raise Forbidden(
                f"{self.url}: reading {key!r} is not allowed", found=f"HTTP {status}", fix="look at the address and your sign-in"
            )
        if "Location" in headers:
            raise self._failed(
                key,
                f"HTTP {status}, which leads to {plain(headers['Location'])}",
                f"redirects are not followed: ask the publisher for the address of the store itself, and {_LOOK}",
            )
        raise self._failed(key, f"HTTP {status}")

    def _refuse_other(self, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Raises StoreError where the answer is not the object as it is stored: packed, or the page of someone between."""
        if (packed := headers.get("Content-Encoding", "identity").strip().lower()) not in ("", "identity"):
            raise self._failed(
                key,
                f"it came packed ({plain(packed)}), though it was asked for as it is",
                "ask the publisher to switch compression off in the web server or CDN for this address",
            )
        page = data[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))
        if page and key.endswith(".json"):
            raise self._failed(key, "a web page", f"look at the address, and {_LOOK}")

    def _failed(self, key: str, found: str, fix: str = "") -> StoreError:
        fix = fix or "look at the address, the network and HTTPS_PROXY; then pull again"
        if "CERTIFICATE_VERIFY_FAILED" in found:
            fix = "trust the server's authority: set SSL_CERT_FILE, or name its certificate with --ca-file"
        return StoreError(f"{self.url}: reading {key!r} failed", found=found, fix=fix)


def _headers(login: str) -> dict[str, str]:
    from urllib3.util import make_headers

    headers = {"User-Agent": "syndication-pull", "Accept-Encoding": "identity"}
    if login:
        headers |= make_headers(basic_auth=login)
    if whole := os.environ.get("SYNDICATION_AUTHORIZATION"):
        headers["Authorization"] = whole
    return headers


@lru_cache
def _pool(process: int, url: str, ca_file: str) -> Any:
    """The connections of this process; a forked child makes its own."""
    import urllib3

    del process
    parts = urllib.parse.urlsplit(url)
    options: dict[str, Any] = {
        "maxsize": THREADS,
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
    }
    if authority := ca_file or os.environ.get("SSL_CERT_FILE", ""):
        if not os.path.isfile(authority):  # noqa: PTH113 - urllib3 would say it on the first request, in other words
            raise UsageError(
                f"there is no file {authority}", expected="certificates in PEM", fix="correct --ca-file or SSL_CERT_FILE"
            )
        options["ca_certs"] = authority
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    bypassed = not proxy or urllib.request.proxy_bypass(parts.netloc)
    manager = (
        urllib3.PoolManager(**options)
        if bypassed
        else urllib3.ProxyManager(proxy if "://" in proxy else f"http://{proxy}", **options)
    )
    manager.pool_classes_by_scheme = _watched_pools()
    return manager


def _words(problem: Exception) -> str:
    return f"{type(problem).__name__}: {plain(problem)}"


def _read(answer: Any, most: int) -> bytes:
    """The first `most` bytes of an answer, as they came."""
    parts, left = [], most
    while left and (part := answer.read(min(left, _CHUNK), decode_content=False)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


# --- time -----------------------------------------------------------------------------------------


class _Deadline:
    """Ends what this thread asks of a server after so many seconds. The time-outs of a socket are for its next bytes, so a server
    that sends one now and then - of a header, a body or what comes after it - would hold a pull for ever."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.passed = seconds, False
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        _LATEST.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def check(self) -> None:
        """Raises TimeoutError where the deadline has passed."""
        if self.passed:
            raise TimeoutError

    def _end(self) -> None:
        self.passed = True
        if self.socket is not None:
            with suppress(OSError):
                # Not the method of a TLS socket, which takes itself apart under the thread that reads from it.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


@lru_cache
def _watched_pools() -> dict[str, Any]:
    """urllib3's pools, with connections that show their socket to the deadline of their thread."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

    def watched(pool: Any) -> Any:
        class Connection(pool.ConnectionCls):  # type: ignore[misc]
            def getresponse(self) -> Any:
                deadline = _LATEST.deadline
                deadline.socket = self.sock
                answer = super().getresponse()
                try:
                    deadline.check()
                except TimeoutError:
                    answer.close()
                    raise
                return answer

        return type(pool.__name__, (pool,), {"ConnectionCls": Connection})

    return {"http": watched(HTTPConnectionPool), "https": watched(HTTPSConnectionPool)}
