"""application/json, read back: the article that partners show, and the same facts as fields.

In: bytes. Out: `Reading`. The body is an HTML fragment, written as it stands inside a JSON string; it must stand in `html`
(with the notices, so that who only shows it does right) and be `parts.body`. Notices are read from `html`; `legal`,
field by field, and `parts.legal` must say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from lxml import etree

from pipeline.audit import _codes as codes
from pipeline.audit import _markup as markup
from pipeline.audit import _mentions as mentions
from pipeline.audit import _page as page
from pipeline.audit import _plain
from pipeline.audit._frame import resolved
from pipeline.audit._reading import Finished, Problem, Reading, Request, Unreadable, fold
from pipeline.audit._tags import NotPlain
from pipeline.audit._visible import Look, styles
from pipeline.contracts import Place, View
from pipeline.labels import direction, labels
from pipeline.notices import adapted

MEDIA_TYPE: Final = "application/json"
PICTURES: Final = True
ASPECTS: Final = frozenset({"kind", "level", "first", "marker", "scope", "within"})

_NOTICE: Final = "data-notice="
_MARK: Final = '<div data-audit-body="here"></div>'


def body(content: bytes, view: View, place: Place) -> Reading:  # noqa: ARG001
    """Reads the fragment. Raises Unreadable."""
    return page.html_fragment(_fragment(content), view.topic.metadata.id)


def _fragment(content: bytes) -> str:
    """The fragment that is written in a JSON string. Raises Unreadable."""
    try:
        text = json.loads(b'"' + content + b'"')
    except ValueError as error:
        raise Unreadable(f"not the inside of a JSON string: {error}") from None
    return str(text)


def file(finished: Finished) -> Reading:
    """Reads the fields, and what stands around the body in `html`. Raises Unreadable."""
    main = finished.files[0]
    data = _object(main.data)
    article, fragment = _text(data, "html"), _fragment(finished.body.content)
    count = article.count(fragment)
    problems = list(_places(data, fragment, count, _MARK in article))
    sheet, sheet_problems = _sheet(data, finished)
    text = article.replace(fragment, _MARK) if count else article
    try:
        reading = _in_one_pass(text, sheet, count, finished)
    except NotPlain:
        reading = _from_tree(text, sheet, count, finished)
    problems += [*reading.problems, *sheet_problems]
    problems += page.references(reading.ids, reading.links, finished.inner.ids if count else ())
    problems += [*_legal(data, finished, article, reading), *_adapted(data, finished)]
    requests = [Request(r.url, r.how, main.path) for r in (*reading.requests, *(finished.inner.requests if count else ()))]
    return replace(
        reading,
        requests=(*requests, *_media(data, main.path)),
        metadata=tuple(_metadata(data)),
        problems=tuple(problems),
        said=(*reading.said, *mentions.of_json(data)),
        whole=not count,
    )


def _in_one_pass(text: str, sheet: str, count: int, finished: Finished) -> Reading:
    """What stands around the body in `html`. Raises NotPlain where more than a pass is needed."""
    look = styles((sheet,) if sheet else ())
    found = _plain.article(text, look)
    if len(found.top) != 1 or found.words or found.strange or not all(i.startswith("syn-") for i in found.ids):
        raise NotPlain("no plain article")
    if any(_of_article(found.top[0].attributes, finished)):
        raise NotPlain("no plain article")
    if bool(found.place) != bool(count) or (count == 1 and not page.shows(look, found.place, finished.inner)):
        raise NotPlain("a body that nobody has looked at in this place")
    return page.plain(found)


def _from_tree(text: str, sheet: str, count: int, finished: Finished) -> Reading:
    """As `_in_one_pass`, from the tree of a whole parser, with what is wrong. Raises Unreadable."""
    root, problems = markup.parse_fragment(text)
    look = Look(styles((sheet,) if sheet else ()))
    reading = page.around(root, root, look, (), problems)
    more = [*page.reordering(root, finished.edition), *_named(root, finished.inner.ids if not count else ())]
    more += [*_article(root, finished), *(_hidden_body(root, look, finished) if count == 1 else ())]
    return replace(reading, problems=(*reading.problems, *more))


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(markup.decode(data), object_pairs_hook=_once)
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unreadable(f"expected one object, found {type(found).__name__}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that stands twice means another thing to each parser."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable(f"a key stands twice among {', '.join(name for name, _ in pairs)[:200]}")
    return found


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name}: expected a string, found {type(value).__name__}")
    return value


# --- the article --------------------------------------------------------------------------------


def _places(data: Mapping[str, Any], fragment: str, count: int, marked: bool) -> Iterator[Problem]:
    parts = data.get("parts")
    own = parts.get("body") if isinstance(parts, Mapping) else None
    if own != fragment:
        yield Problem(codes.BODY_PLACE, "parts.body is not the topic's text")
    if count > 1 or marked:
        yield Problem(codes.BODY_PLACE, f"the topic's text stands {count} times in html")


def _sheet(data: Mapping[str, Any], finished: Finished) -> tuple[str, list[Problem]]:
    """The text of the style sheet that the file names for its article; "" where it names none."""
    named = data.get("style_sheet")
    if not isinstance(named, str) or not named:
        return "", []
    given = {file.path: file for file in (*finished.files, *finished.bundle)}
    found = given.get(resolved(finished.files[0].path, named))
    if found is None:
        return "", [Problem(codes.RESOURCE, f"style sheet {named!r} is not in the bundle")]
    return found.data.decode("utf-8", "replace"), []


def _hidden_body(root: etree._Element, look: Look, finished: Finished) -> list[Problem]:
    places = [e for e in root.iter("div") if e.get("data-audit-body") is not None]
    if len(places) != 1:
        return [Problem(codes.BODY_PLACE, "the topic's text does not stand in the article's flow of text")]
    fragment = _fragment(finished.body.content)
    return page.body_hidden(places[0], look, finished.inner, lambda: markup.parse_fragment(fragment)[0])


def _named(root: etree._Element, inner: tuple[str, ...]) -> Iterator[Problem]:
    """A fragment stands in a partner's page: its classes must not meet others."""
    for element in root.iter("*"):
        for name in (element.get("class") or "").split():
            if not name.startswith("syn-"):
                yield Problem(codes.NAMES, f"html: expected classes syn-*, found {name!r}")
        if element.get("style") is not None:
            yield Problem(codes.ACTIVE, f"html carries style={element.get('style')!r}")
        identity = element.get("id", "syn-")
        if not identity.startswith("syn-") and identity not in inner:
            yield Problem(codes.NAMES, f"html: expected ids syn-*, found {identity!r}")


def _article(root: etree._Element, finished: Finished) -> Iterator[Problem]:
    if len(root) != 1 or (root.text or "").strip():
        yield Problem(codes.NAMES, 'html: expected one root element of class "syn-topic"')
    else:
        yield from _of_article(root[0].attrib, finished)


def _of_article(attributes: Mapping[Any, Any] | etree._Attrib, finished: Finished) -> Iterator[Problem]:
    language = finished.edition.metadata.language
    if "syn-topic" not in (attributes.get("class") or "").split():
        yield Problem(codes.NAMES, 'html: expected one root element of class "syn-topic"')
    elif attributes.get("lang") != language:
        yield Problem(codes.LANGUAGE, f"html: expected lang {language}, found {attributes.get('lang') or 'none'}")
    elif (attributes.get("dir") or "ltr") != direction(language):
        yield Problem(codes.LANGUAGE, f"html: expected dir {direction(language)}, found {attributes.get('dir') or 'none'}")


# --- the fields ---------------------------------------------------------------------------------


def _legal(data: Mapping[str, Any], finished: Finished, article: str, around: Reading) -> Iterator[Problem]:
    """`legal` has each notice by kind, to the letter; `parts.legal` shows each once."""
    fields, parts = data.get("legal"), data.get("parts")
    expected = {n.kind: (n.text, list(n.lines), n.label, n.url) for n in finished.edition.notices}
    found = fields if isinstance(fields, Mapping) else {}
    for kind, (text, lines, label, url) in expected.items():
        field = found.get(kind)
        if not isinstance(field, Mapping):
            yield Problem(codes.NOTICE_MISSING, f'legal.{kind}: expected "{text}", found none')
        elif (field.get("text"), field.get("lines"), field.get("label"), field.get("url")) != (text, lines, label, url):
            yield Problem(
                codes.NOTICE_ALTERED,
                f'legal.{kind}: expected "{text}" {url}, found {json.dumps(field, ensure_ascii=False)[:300]}',
            )
    for kind in found:
        if kind not in expected:
            yield Problem(codes.NOTICE_UNKNOWN, f"legal.{kind} is no notice of this edition")
    separate = parts.get("legal") if isinstance(parts, Mapping) else None
    separate = separate if isinstance(separate, str) else ""
    if separate and separate in article and separate.count(_NOTICE) == article.count(_NOTICE) == len(around.notices):
        return  # it is that part of the article that holds all notices, which are proven
    reading = _block(separate)
    yield from (problem for problem in reading.problems if problem.code is codes.MARKUP or problem.code is codes.CHARACTER)
    shown = [(n.kind, n.text) for n in reading.notices]
    wanted = [(n.kind, fold(n.text)) for n in finished.edition.notices]
    if shown != wanted:
        yield Problem(
            codes.NOTICE_ALTERED, f"parts.legal: expected {[k for k, _ in wanted]}, each once and exact, found {shown}"[:400]
        )


def _adapted(data: Mapping[str, Any], finished: Finished) -> Iterator[Problem]:
    """`parts.legal_adapted` says who adapted the text, and shows every notice but the credits, each once and exact."""
    edition, parts = finished.edition, data.get("parts")
    found = parts if isinstance(parts, Mapping) else {}
    usual = "legal_adapted" if edition.license.edits == "adapt" else "legal"
    if found.get("default") != usual:
        yield Problem(codes.METADATA, f"parts.default: expected {usual}, found {found.get('default')!r}")
    wanted = adapted(edition.notices, edition.site.name, edition.publisher.name, labels(edition.metadata.language))
    reading = _known_block(str(found.get("legal_adapted", "")))
    yield from (problem for problem in reading.problems if problem.code is codes.MARKUP or problem.code is codes.CHARACTER)
    shown = [(n.kind, n.text, n.hrefs[:1]) for n in reading.notices]
    expected = [(n.kind, fold(n.text), (n.url,) if n.url else ()) for n in wanted]
    if shown != expected:
        text = f"parts.legal_adapted: expected {[kind for kind, _, _ in expected]}, each once and exact, found {shown}"
        yield Problem(codes.NOTICE_ALTERED, text[:400])


@lru_cache(maxsize=256)
def _known_block(text: str) -> Reading:
    """As `_block`: most topics of a site share it."""
    return _block(text)


def _block(text: str) -> Reading:
    """The legal block by itself, without a sheet."""
    try:
        return page.plain(_plain.article(text, styles(())))
    except NotPlain:
        root, problems = markup.parse_fragment(text)
        return page.around(root, root, Look(styles(())), (), problems)


def _media(data: Mapping[str, Any], path: str) -> Iterator[Request]:
    """The pictures that the file lists, and its schema, are files of the bundle."""
    media = data.get("media")
    for item in media if isinstance(media, list) else []:
        if isinstance(item, Mapping):
            yield Request(str(item.get("path", "")), "media", path)


def _metadata(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    def texts(value: Any) -> tuple[str, ...]:
        return () if value in (None, "") else (str(value),)

    def inner(name: str, key: str) -> Any:
        found = data.get(name)
        return found.get(key) if isinstance(found, Mapping) else None

    for name in ("id", "title", "language", "direction", "version"):
        yield name, texts(data.get(name))
    for ours, theirs in {
        "modified": "modified",
        "current-as-of": "current_as_of",
        "created": "created",
        "expires": "expires",
        "published": "published",
        "review-due": "review_due",
    }.items():
        yield ours, texts(inner("dates", theirs))
    yield "copyright-holder", texts(inner("copyright", "holder"))
    yield "copyright-year", texts(inner("copyright", "first_year"))
    yield "license", texts(inner("license", "url"))
    yield "agreement", texts(inner("license", "agreement"))
    yield "clause", texts(inner("license", "clause"))
    yield "credit", texts(data.get("credit"))
    for ours, theirs in {"robots": "robots", "tdm-reservation": "tdm_reservation", "tdm-policy": "tdm_policy"}.items():
        yield ours, texts(inner("machines", theirs))
    yield "authors", tuple(_names(data.get("authors"), ""))
    yield "reviewers", tuple(_names(data.get("reviews"), "person"))


def _names(people: Any, within: str) -> Iterator[str]:
    for person in people if isinstance(people, list) else []:
        found = person.get(within) if within and isinstance(person, Mapping) else person
        yield str(found.get("name", "")) if isinstance(found, Mapping) else ""
