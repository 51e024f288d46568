"""Input files as trees, for those who only look. Those last seen are kept per process: files of a library of some thousand topics
are parsed once, not for the index, the metadata and the text each; and a much reused file is parsed once in any library.

In: names of input files, ids. Out: trees (read-only: copy before you change) and elements in them.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from lxml import etree

from pipeline import xml
from pipeline.contracts import Files
from pipeline.errors import NotFound
from pipeline.findings import Finding, Severity
from pipeline.names import language_tag as usual_tag
from pipeline.topic import XML_LANG
from sources.dita.names import is_a
from sources.dita.places import Ref

KEPT: Final = 12_000_000  # bytes of source text; a tree takes about seven times as much memory
_IDS: Final = etree.XPath("//*[@id]")

# By name; the bytes stand beside the tree, so that a changed file (preview, tests) is never taken for the old one.
_TREES: OrderedDict[str, tuple[bytes, etree._Element | None, tuple[Finding, ...]]] = OrderedDict()
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # longer first parts are reserved, and used by none
_size = 0
_lower: tuple[Sequence[str], Mapping[str, str]] = (), {}  # the names that were asked about last, by lower case
_ONE_AT_A_TIME: Final = threading.Lock()  # the preview renders a page while it takes in a save


def parsed(files: Files, name: str) -> tuple[etree._Element | None, tuple[Finding, ...]]:
    """A file's root element, or None and the findings that say why; None without findings where there is no such file."""
    try:
        data = files.read(name)
    except NotFound:
        return None, ()
    with _ONE_AT_A_TIME:
        held = _TREES.get(name)
        if held is not None and held[0] == data:
            _TREES.move_to_end(name)
            return held[1], held[2]
    root, findings = xml.parse(data, name)
    _keep(name, data, root, tuple(findings))
    return root, tuple(findings)


def why_not(files: Files, ref: Ref | None) -> str:
    """Why nothing can be taken from a place, as the end of a sentence: its file is not there, is broken (with its own error), or
    has no such place. None = of a key that is not defined."""
    if ref is None or ref.url:
        return ", where nothing is"
    if ref.file not in files:
        near = alike(files, ref.file)
        return ", which is not in the inputs" + (f"; there is {near!r}" if near else "")
    root, findings = parsed(files, ref.file)
    cause = next((one for one in findings if one.severity is Severity.ERROR), None)
    if root is None and cause is not None:
        return f"; that file is in the inputs and can not be read ({cause.place}: {cause.text})"
    return "; the file is there, that place in it is not" if ref.topic else "; the file is there and is no topic"


def alike(files: Files, name: str) -> str:
    """The input file whose name is this one but for its case; "" where there is none."""
    global _lower
    names = files.names()
    if _lower[0] is not names:
        _lower = names, {one.lower(): one for one in reversed(names)}
    return _lower[1].get(name.lower(), "")


def _keep(name: str, data: bytes, root: etree._Element | None, findings: tuple[Finding, ...]) -> None:
    global _size
    with _ONE_AT_A_TIME:
        before = _TREES.pop(name, None)
        _size += len(data) - (len(before[0]) if before else 0)
        _TREES[name] = (data, root, findings)
        while _size > KEPT and len(_TREES) > 1:
            _size -= len(_TREES.popitem(last=False)[1][0])


def topic_of(element: etree._Element) -> etree._Element | None:
    """The topic (or map) that an element is in, itself included."""
    one: etree._Element | None = element
    while one is not None and not (is_a(one, "topic") or is_a(one, "map")):
        one = one.getparent()
    return one


def _with_id(root: etree._Element, name: str) -> list[etree._Element]:
    return _ids(root).get(" ".join(name.split()), [])


@lru_cache(maxsize=8)  # many references lead to few files; these trees do not change
def _ids(root: etree._Element) -> dict[str, list[etree._Element]]:
    found: dict[str, list[etree._Element]] = {}
    for one in _IDS(root):
        found.setdefault(" ".join((one.get("id") or "").split()), []).append(one)
    return found


def find(root: etree._Element, topic: str, element: str) -> etree._Element | None:
    """The topic of that id, or the element of that id in it; in maps ids are unique alone. "" = the first topic. `root`: of a
    tree that does not change."""
    if is_a(root, "map"):
        return next(iter(_with_id(root, element or topic)), None) if element or topic else root
    if not element:
        return _topic(root, topic)
    for found in _with_id(root, element):
        owner = topic_of(found)
        if owner is not None and owner is not found and (not topic or owner.get("id") == topic):
            return found
    return None


def _topic(root: etree._Element, topic: str) -> etree._Element | None:
    if not topic:
        return next(iter(roots(root)), None)
    return next((found for found in _with_id(root, topic) if is_a(found, "topic")), None)


def roots(root: etree._Element) -> Iterator[etree._Element]:
    """The topics of a file that no topic holds: its root, or the children of `<dita>`."""
    if is_a(root, "topic"):
        yield root
    else:
        yield from (one for one in root if is_a(one, "topic"))


def language(element: etree._Element) -> str:
    """The `xml:lang` that holds for an element."""
    one: etree._Element | None = element
    while one is not None:
        if one.get(XML_LANG):
            return one.get(XML_LANG) or ""
        one = one.getparent()
    return ""


def language_tag(raw: str) -> str:
    """A BCP 47 tag in its usual spelling (en-US, zh-Hant); "" where it is none."""
    raw = raw.strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(raw):
        return ""
    return usual_tag(raw)
