"""Where a reference leads: `href` and the file it stands in -> an input file and an id in it, or an address outside.

In: values from XML, untrusted. Out: `Ref`. Names stay names of input files; nothing is opened here.
Specification: DITA 1.3, URI-based (direct) addressing; RFC 3986 for percent-encoding.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINKABLE: Final = re.compile(r"(?:https?|mailto|tel):.+", re.IGNORECASE | re.DOTALL)


class Ref(NamedTuple):
    """`url`: an address outside; else `file` and, where given, the ids of topic and element in it ("." = the same topic)."""

    url: str = ""
    file: str = ""
    topic: str = ""
    element: str = ""


def refer(href: str, base: str, scope: str = "") -> Ref:
    """What `href` means in the file `base`."""
    href = href.strip()
    if _SCHEME.match(href) or href.startswith("//") or scope == "external":
        return Ref(url=address(href))
    path, _, fragment = href.partition("#")
    file = join(base, path.partition("?")[0]) if path else base
    topic, _, element = _decoded(fragment).partition("/")
    return Ref(file=file, topic=topic, element=element)


def join(base: str, path: str) -> str:
    """The input file that `path` names in the file `base`."""
    scheme, separator, rest = base.rpartition("://")
    folder = posixpath.dirname(rest if separator else base)
    joined = posixpath.normpath(posixpath.join(folder, _decoded(path).replace("\\", "/")))
    return f"{scheme}{separator}{joined}"


def _decoded(text: str) -> str:
    """Percent-encoding undone; a control character is no part of a name, and could write over what a terminal shows."""
    return _CONTROL.sub("\ufffd", unquote(text))


def address(href: str) -> str:
    """An outside address as it may stand in a link, white space and the like percent-encoded."""
    if href.startswith("www."):
        href = f"https://{href}"
    if href.startswith("//"):
        href = f"https:{href}"
    scheme, separator, rest = href.partition(":")
    return quote(f"{scheme.lower()}{separator}{rest}", safe="!#$%&'()*+,/:;=?@[]~")


def linkable(url: str) -> bool:
    """Whether readers may be led there: http, https, mailto or tel."""
    return _LINKABLE.fullmatch(url) is not None
