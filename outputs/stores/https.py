"""A web server as a place to pull from: `https://host/prefix`. Read-only: partners get what a bucket's web front, a CDN or any
web server gives out.

In: keys. Out: bytes and ETags. Proxies come from the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), a private authority from
SSL_CERT_FILE or the setting `ca_file`, a sign-in from the address (`https://user:password@host/`) or, as a whole header, from
SYNDICATION_AUTHORIZATION. Nothing here is believed: signatures and hashes decide.
"""

from __future__ import annotations

import os
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from outputs._paths import key_problem
from pipeline.contracts import Stored
from pipeline.errors import Forbidden, NotFound, StoreError, UsageError

WAITS: Final = (0.2, 1.0, 3.0, None)  # seconds before the next try
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
THREADS: Final = 16
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
_LIMIT: Final = 1024**3  # bytes of one object: an endless answer must not fill the memory


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

    def get(self, key: str) -> tuple[bytes, str]:
        """See contracts.Store.get. Raises Forbidden where the server refuses."""
        found = self._get(key, {})
        if found is None:
            raise StoreError(
                f"{self.url}: reading {key!r} failed", found="304 without being asked for changes", fix="tell the publisher"
            )
        return found

    def get_changed(self, key: str, token: str) -> tuple[bytes, str] | None:
        """See contracts.Store.get_changed."""
        return self._get(key, {"If-None-Match": token})

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

    def _get(self, key: str, condition: Mapping[str, str]) -> tuple[bytes, str] | None:
        from urllib3.exceptions import HTTPError

        if unsafe := key_problem(key):
            raise StoreError(f"{self.url}: {key!r} is not safe as a key: {unsafe}", fix="use a plain relative path")
        address = f"{self.url}/{urllib.parse.quote(key)}"
        for wait in WAITS:
            try:
                answer = _pool(os.getpid(), self.url, self.ca_file).request(
                    "GET",
                    address,
                    headers={**_headers(self.login), **condition},
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                data = answer.read(_LIMIT)
                answer.release_conn()
            except HTTPError as problem:
                if wait is None:
                    raise self._failed(key, _words(problem)) from problem
            else:
                if answer.status not in _LATER or wait is None:
                    return self._meaning(key, answer.status, data, answer.headers)
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _meaning(self, key: str, status: int, data: bytes, headers: Mapping[str, str]) -> tuple[bytes, str] | None:
        if status == 200:
            return data, headers.get("ETag", "")
        if status == 304:
            return None
        if status in (404, 410):
            raise NotFound(f"{self.url}: there is no {key!r}")
        if status in (401, 403):
            raise Forbidden(
                f"{self.url}: reading {key!r} is not allowed", found=f"HTTP {status}", fix="look at the address and your sign-in"
            )
        raise self._failed(key, f"HTTP {status}{' to ' + headers['Location'] if 'Location' in headers else ''}")

    def _failed(self, key: str, found: str) -> StoreError:
        fix = "look at the address, the network and HTTPS_PROXY; then pull again"
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
    if proxy and not urllib.request.proxy_bypass(parts.netloc):
        return urllib3.ProxyManager(proxy if "://" in proxy else f"http://{proxy}", **options)
    return urllib3.PoolManager(**options)


def _words(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"
