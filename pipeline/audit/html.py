"""text/html, read back: a body fragment alone, or the page around it.

In: bytes. Out: `Reading`. The body is cut out of the page and a mark is put in its place, so that each further page of the
same topic costs only its frame; a page that does not hold the body's bytes once is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lxml import etree

from pipeline.audit import _codes as codes
from pipeline.audit import _markup as markup
from pipeline.audit import _mentions as mentions
from pipeline.audit import _page as page
from pipeline.audit import _plain
from pipeline.audit._css import sheet
from pipeline.audit._frame import resolved
from pipeline.audit._reading import Finished, Problem, Reading, Request, Unreadable
from pipeline.audit._tags import NotPlain, Tag
from pipeline.audit._visible import Look, Styles, styles
from pipeline.contracts import Place, View

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
    text = markup.decode(main.data.replace(content, _MARK, 1))
    try:
        reading, fetched = _in_one_pass(text, count, finished)
    except NotPlain:
        reading, fetched = _from_tree(text, count, finished)
    problems = list(reading.problems)
    if count > 1 or _MARK in main.data:
        problems.append(Problem(codes.BODY_PLACE, f"the topic's text stands {count} times in the file"))
    problems += page.references(reading.ids, reading.links, finished.inner.ids if count else ())
    requests = [Request(r.url, r.how, main.path) for r in (*reading.requests, *(finished.inner.requests if count else ()))]
    return replace(reading, requests=(*requests, *fetched), problems=tuple(problems), whole=not count)


def _in_one_pass(text: str, count: int, finished: Finished) -> tuple[Reading, list[Request]]:
    """What stands around the body, and what its sheets fetch. Raises NotPlain where more than a pass is needed."""
    fetched: list[Request] = []
    used: list[Styles] = []

    def look(sheets: Sequence[tuple[Tag, str]]) -> Styles:
        texts = []
        for tag, own in sheets:
            linked = own if tag.name == "style" else _linked(tag.attributes.get("href", ""), finished, fetched)
            if linked is None:
                raise NotPlain("a style sheet that is not there")
            texts.append(linked)
        used.append(styles(texts))
        return used[0]

    found = _plain.page(text, look, xml=False)
    if found.charsets != ["utf-8"] or bool(found.place) != bool(count) or not used:
        raise NotPlain("no plain page")
    if count and not page.shows(used[0], found.place, finished.inner):
        raise NotPlain("a body that nobody has looked at in this place")
    return replace(page.plain(found), metadata=tuple(_said(found))), fetched


def _from_tree(text: str, count: int, finished: Finished) -> tuple[Reading, list[Request]]:
    """As `_in_one_pass`, from the tree of a whole parser, with what is wrong. Raises Unreadable."""
    root, problems = markup.parse_html(text)
    sheets, missing, fetched = _sheets(root, finished)
    look = Look(styles(sheets))
    reading = page.around(root, root, look, _metadata(root, look), [*problems, *missing, *_charset(root)])
    more = [*page.reordering(root, finished.edition), *(_hidden_body(root, look, finished) if count else ())]
    return replace(reading, problems=(*reading.problems, *more)), fetched


# --- style --------------------------------------------------------------------------------------


def _sheets(root: etree._Element, finished: Finished) -> tuple[list[str], list[Problem], list[Request]]:
    """The text of every sheet of the page, in order; problems with those that are not there; what they would fetch."""
    texts: list[str] = []
    problems: list[Problem] = []
    fetched: list[Request] = []
    for element in root.iter("style", "link"):
        if element.tag == "style":
            texts.append("".join(map(str, element.itertext())))
        elif "stylesheet" in (element.get("rel") or "").lower().split():
            text = _linked(element.get("href", ""), finished, fetched)
            if text is None:
                problems.append(Problem(codes.RESOURCE, f"style sheet {element.get('href')!r} is not in the bundle"))
            else:
                texts.append(text)
    return texts, problems, fetched


def _linked(href: str, finished: Finished, fetched: list[Request]) -> str | None:
    """The text of a sheet of the bundle, None where it is not there; what it would fetch goes to `fetched`."""
    path = resolved(finished.files[0].path, markup.clean(href))
    found = next((file for file in (*finished.bundle, *finished.files) if file.path == path), None)
    if found is None:
        return None
    text = found.data.decode("utf-8", "replace")
    fetched += [Request(url, "style sheet", found.path) for url in sheet(text).urls]
    return text


def _hidden_body(root: etree._Element, look: Look, finished: Finished) -> list[Problem]:
    """Whether the body's place is one that readers see, and whether frame or sheets hide words in it."""
    places = [e for e in root.iter("div") if e.get("data-audit-body") is not None]
    if len(places) != 1:
        return [Problem(codes.BODY_PLACE, "the topic's text does not stand in the page's flow of text")]
    text = markup.decode(finished.body.content)
    return page.body_hidden(places[0], look, finished.inner, lambda: markup.parse_fragment(text)[0])


# --- what the page says of itself ---------------------------------------------------------------


def _charset(root: etree._Element) -> Iterator[Problem]:
    named = [(e.get("charset") or "").lower() for e in root.iter("meta") if e.get("charset") is not None]
    if named != ["utf-8"]:
        yield Problem(codes.MARKUP, f'expected one <meta charset="utf-8">, found {", ".join(named) or "none"}')


def _said(found: _plain.Found) -> Iterator[tuple[str, tuple[str, ...]]]:
    """As `_metadata`, of a page read in one pass."""
    attributes = found.root.attributes if found.root else {}
    return _of_page(attributes, found.headings, found.licenses, found.metas, found.data)


def _metadata(root: etree._Element, look: Look) -> Iterator[tuple[str, tuple[str, ...]]]:
    licenses = [e.get("href", "") for e in root.iter("link") if "license" in (e.get("rel") or "").lower().split()]
    metas = [((e.get("name") or "").strip().lower(), e.get("content", "")) for e in root.iter("meta")]
    data = [
        "".join(map(str, script.itertext()))
        for script in root.iter("script")
        if (script.get("type") or "").strip().lower() == "application/ld+json"
    ]
    return _of_page(root.attrib, page.headings(root, look), licenses, metas, data)


def _of_page(
    attributes: Mapping[Any, Any] | etree._Attrib,
    headings: Sequence[str],
    licenses: Sequence[str],
    metas: Sequence[tuple[str, str]],
    data: Sequence[str],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a page says of itself by our names. Raises Unreadable."""
    yield "language", (attributes.get("lang", ""),)
    yield "direction", (attributes.get("dir", "ltr"),)
    yield "heading", tuple(headings)
    yield "license", tuple(licenses)
    for ours, theirs in _META.items():
        yield ours, tuple([content for name, content in metas if name == theirs])
    for text in data:
        yield from structured(text)


def structured(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What schema.org JSON-LD says, by our names. Raises Unreadable."""
    try:
        data = mentions.parsed(text)
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
