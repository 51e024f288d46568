"""Who may ask, and what an answer may do.

In: requests. Out: 403 for a host or an origin that is not this app on this machine (so that no page elsewhere, and no name that
somebody points here, can read or do anything); and the headers of each kind of answer. Topic content gets a policy under which
it runs nothing, and asks nobody but this app. Follows Content Security Policy Level 3, Fetch Metadata, RFC 9110.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES: Final = ("127.0.0.1", "localhost", "[::1]")

APP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The frame may be looked into by the page around it (to keep its place, to follow links), and runs nothing.
CONTENT: Final = (
    "sandbox allow-same-origin; default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
# The reader shows a book's chapters from blob: addresses, which take this policy over: no script of a book runs.
READER: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' blob: 'unsafe-inline'; img-src 'self' blob: data:; font-src blob:; "
    "connect-src 'self'; frame-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


class Guard:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it; puts headers on every answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = refused(Headers(scope=scope), scope["method"], scope["path"])
        app = PlainTextResponse(refusal, 403) if refusal else self._app

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", APP)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "same-origin"  # with none at all, forms say that they come from nowhere
                headers["cross-origin-resource-policy"] = "same-origin"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await app(scope, receive, with_headers)


def refused(headers: Headers, method: str, path: str) -> str:
    """Why a request is refused; "" where it is not."""
    hosts = headers.getlist("host")
    host = hosts[0] if len(hosts) == 1 else ""
    name = host.rpartition(":")[0] if ":" in host.replace("[::1]", "") else host
    if name not in NAMES:
        return "The preview answers on this machine alone: open the address that it printed when it started."
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return "Another site asked for this."
    if method not in ("GET", "HEAD", "POST"):
        return "The preview only shows things."
    if method == "POST" and origin is None:
        return "A form of the preview itself must ask for this."
    site = headers.get("sec-fetch-site", "same-origin")
    link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if site not in ("same-origin", "none") and not (link and method == "GET" and not path.startswith("/bundle/")):
        return "Another site asked for this."
    return ""
