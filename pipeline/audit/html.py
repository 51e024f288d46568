"""text/html, read back: a body fragment alone, or the page around it.

In: bytes. Out: `Reading`. The body is cut out of the page and a mark is put in its place, so that each further page of the
same topic costs only its frame; a page that does not hold the body's bytes once is read whole.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from lxml import etree

from pipeline.audit import _codes as codes
from pipeline.audit import _frames as frames
from pipeline.audit import _markup as markup
from pipeline.audit import _page as page
from pipeline.audit._css import sheet
from pipeline.audit._frame import resolved
from pipeline.audit._reading import Finished, Problem, Reading, Request, Unreadable
from pipeline.audit._visible import Look, styles
from pipeline.contracts import OutputFile, Place, View

MEDIA_TYPE: Final = "text/html"
PICTURES: Final = True
ASPECTS: Final = frozenset({"kind", "level", "first", "marker", "scope", "within"})

_MARK: Final = b'<div data-audit-body="here"></div>'


def body(content: bytes, view: View, place: Place) -> Reading:  # noqa: ARG001
    """Reads a body fragment. Raises Unreadable."""
    return page.html_fragment(markup.decode(content), view.topic.metadata.id)


def file(finished: Finished) -> Reading:
    """Reads the page around the body; the whole page where the body is not in it verbatim. Raises Unreadable."""
    main, content = finished.files[0], finished.body.content
    count = main.data.count(content) if content else 0
    shown = frames.frame(markup.decode(main.data.replace(content, _MARK, 1)), frames.values(finished), frames.names(finished))
    key = (shown.text, finished.bundle, _sheet_files(finished), posixpath.dirname(main.path).count("/"))
    frame, fetched = _FRAMES.get(key, lambda: _frame(shown.text, finished))
    reading = shown.fill(frame.reading)
    problems = [*reading.problems, *page.reordering(frame.disorder, finished.edition)]
    if count > 1 or _MARK in main.data:
        problems.append(Problem(codes.BODY_PLACE, f"the topic's text stands {count} times in the file"))
    problems += page.references(reading.ids, reading.links, finished.inner.ids if count else ())
    problems += _hidden_body(frame.root, frame.look, content) if count else []
    requests = [
        replace(request, source=main.path) for request in (*reading.requests, *(finished.inner.requests if count else ()))
    ]
    return replace(reading, requests=(*requests, *fetched), problems=tuple(problems), whole=not count)


_FRAMES: Final = frames.Remembered()


def _sheet_files(finished: Finished) -> tuple[OutputFile, ...]:
    """Sheets that come with this page alone, or stand beside it."""
    folder = posixpath.dirname(finished.files[0].path) + "/"
    own = [file for file in finished.files[1:] if file.path.endswith(".css")]
    return (*own, *(file for file in finished.bundle if file.path.startswith(folder)))


def _frame(text: str, finished: Finished) -> tuple[page.Around, list[Request]]:
    """What stands around the body, and what its sheets fetch. Raises Unreadable."""
    root, problems = markup.parse_html(text)
    sheets, missing, fetched = _sheets(root, finished)
    look = Look(styles(sheets))
    return page.around(root, root, look, _metadata(root, look), [*problems, *missing, *_charset(root)]), fetched


# --- style --------------------------------------------------------------------------------------


def _sheets(root: etree._Element, finished: Finished) -> tuple[list[str], list[Problem], list[Request]]:
    """The text of every sheet of the page, in order; problems with those that are not there; what they would fetch."""
    given = {file.path: file for file in (*finished.files, *finished.bundle)}
    texts: list[str] = []
    problems: list[Problem] = []
    fetched: list[Request] = []
    for element in root.iter("style", "link"):
        if element.tag == "style":
            texts.append("".join(map(str, element.itertext())))
        elif "stylesheet" in (element.get("rel") or "").lower().split():
            found = given.get(resolved(finished.files[0].path, markup.clean(element.get("href", ""))))
            if found is None:
                problems.append(Problem(codes.RESOURCE, f"style sheet {element.get('href')!r} is not in the bundle"))
                continue
            texts.append(found.data.decode("utf-8", "replace"))
            fetched += [Request(url, "style sheet", found.path) for url in sheet(texts[-1]).urls]
    return texts, problems, fetched


def _hidden_body(root: etree._Element, look: Look, content: bytes) -> list[Problem]:
    """Whether the body's place is one that readers see, and whether frame or sheets hide words in it."""
    places = [e for e in root.iter("div") if e.get("data-audit-body") is not None]
    if len(places) != 1:
        return [Problem(codes.BODY_PLACE, "the topic's text does not stand in the page's flow of text")]
    return page.body_hidden(places[0], look, content, lambda: markup.parse_fragment(markup.decode(content))[0])


# --- what the page says of itself ---------------------------------------------------------------


def _charset(root: etree._Element) -> Iterator[Problem]:
    named = [(e.get("charset") or "").lower() for e in root.iter("meta") if e.get("charset") is not None]
    if named != ["utf-8"]:
        yield Problem(codes.MARKUP, f'expected one <meta charset="utf-8">, found {", ".join(named) or "none"}')


def _metadata(root: etree._Element, look: Look) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "language", (root.get("lang", ""),)
    yield "direction", (root.get("dir", "ltr"),)
    yield "heading", tuple(page.headings(root, look))
    licenses = [e.get("href", "") for e in root.iter("link") if "license" in (e.get("rel") or "").lower().split()]
    yield "license", tuple(licenses)
    for ours, theirs in _META.items():
        yield ours, tuple(e.get("content", "") for e in root.iter("meta") if (e.get("name") or "").strip().lower() == theirs)
    for script in root.iter("script"):
        if (script.get("type") or "").strip().lower() == "application/ld+json":
            yield from structured("".join(map(str, script.itertext())))


def structured(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What schema.org JSON-LD says, by our names. Raises Unreadable."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Unreadable(f"JSON-LD: {error}") from None
    if not isinstance(data, Mapping):
        raise Unreadable("JSON-LD: expected one object")
    yield "title", _values(data, "name", "headline")
    yield "language", _values(data, "inLanguage")
    for ours, theirs in _SCHEMA_ORG.items():
        yield ours, _values(data, theirs)


_META: Final = {"robots": "robots", "tdm-reservation": "tdm-reservation", "tdm-policy": "tdm-policy"}
_SCHEMA_ORG: Final = {
    "id": "identifier",
    "version": "version",
    "created": "dateCreated",
    "published": "datePublished",
    "expires": "expires",
    "license": "license",
    "credit": "creditText",
    "copyright-year": "copyrightYear",
    "modified": "dateModified",
    "current-as-of": "lastReviewed",
    "copyright": "copyrightNotice",
    "copyright-holder": "copyrightHolder",
    "authors": "author",
    "reviewers": "reviewedBy",
}


def _values(data: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """The first of these properties as texts: a thing is its name, a list each of its values."""
    value = next((data[name] for name in names if name in data), None)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(v.get("name", v.get("@id", ""))) if isinstance(v, Mapping) else str(v) for v in values)
