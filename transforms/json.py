"""JSON: a topic as data, for portals and apps that build their own pages.

In: a view or an edition. Out: `<lang>/<id>/topic.json` and its pictures; for the bundle `catalog.json`, `codes.json` and the
JSON Schema of topics. `html` is one article that holds marks, text, credits and legal block together, so that who only shows
it does right. `Body.content` is the body's mark-up as it is written inside a JSON string.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from lxml import etree

from pipeline import rights
from pipeline.contracts import Assets, Body, Edition, Mark, OutputFile, Publisher, Row, Site, View
from pipeline.labels import direction, labels
from pipeline.notices import Notice, adapted
from pipeline.rights.writing import indented
from pipeline.topic import Metadata, Person, plain
from transforms._html import Entry, Options, Rendered, at_media_path, to_html, topic_links
from transforms._notices import markup
from transforms._pages import own_sheet
from transforms._shared import shared
from transforms._topic_schema import NAME, SCHEMA, VERSION

MEDIA_TYPE: Final = "application/json"
OMITS: Final[frozenset[str]] = frozenset()

_TO_ROOT: Final = "../.."  # from a topic's folder


def path(edition: Edition) -> str:
    """`<lang>/<id>/topic.json`."""
    return f"{edition.folder}/topic.json"


def body(view: View, assets: Assets) -> Body:
    """The body's mark-up; in `parts` what is told about it besides."""
    shown = view.presentation
    links = topic_links(view, template=shown.topic_link)
    options = Options(format="json", topic_link=links, media=at_media_path, heading_base=shown.heading_base)
    rendered = shared(view, assets, options)
    fragment = rendered.html.decode()
    parts = {
        "fragment": fragment,
        "sections": list(_sections(rendered.toc, 1)),
        "links": list(_links(rendered.element)),
        "media": list(_media(rendered)),
    }
    return Body(json.dumps(fragment, ensure_ascii=False)[1:-1].encode(), parts, rendered.omitted, rendered.media)


def imprint(body: Body, edition: Edition) -> list[OutputFile]:
    """The topic's file, and its pictures."""
    legal = _legal_markup(edition)
    marks = "".join(map(_mark, edition.marks))
    content = {
        **_metadata(edition),
        "style_sheet": f"{_TO_ROOT}/{own_sheet(edition.site).path}",
        "html": _article(edition, marks + body.parts["fragment"] + legal),
        "parts": {
            "body": body.parts["fragment"],
            "legal": legal,
            "legal_adapted": _adapted_markup(edition),
            "default": "legal_adapted" if edition.license.edits == "adapt" else "legal",
        },
        "legal": {notice.kind: _notice(notice) for notice in edition.notices},
        "sections": body.parts["sections"],
        "links": body.parts["links"],
        "media": body.parts["media"],
    }
    images = [OutputFile(f"{edition.folder}/{image.path}", image.data, image.media_type) for image in body.media]
    return [_file(path(edition), content), *images]


def bundle(rows: Sequence[Row], site: Site, publisher: Publisher) -> list[OutputFile]:
    """`catalog.json`: every topic with its files. `codes.json`: which topics a clinical code leads to. The schema of topics."""
    about = {
        "schema": VERSION,
        "publisher": {"id": publisher.id, "name": publisher.name, "url": publisher.url},
        "site": {"partner": site.partner, "id": site.id, "name": site.name},
    }
    ordered = sorted(rows, key=lambda row: (row.language, row.id))
    return [
        _file("catalog.json", {**about, "topics": [_catalogued(row) for row in ordered]}),
        _file("codes.json", {**about, "systems": _codes(ordered)}),
        _file(NAME, SCHEMA),
    ]


# --- writing ------------------------------------------------------------------------------------


def _file(path: str, content: Any) -> OutputFile:
    return OutputFile(path, f"{indented(content)}\n".encode(), MEDIA_TYPE)


def _html(element: etree._Element) -> str:
    return to_html(element).decode()


def _article(edition: Edition, content: str) -> str:
    metadata = edition.metadata
    # No `article`: that must have a heading of its own, and the title is for the partner's page to set.
    article = etree.Element("div")
    article.attrib.update({"class": "syn-topic", "lang": metadata.language, "dir": direction(metadata.language)})
    article.attrib.update({"data-topic": metadata.id, "data-language": metadata.language})
    if metadata.version:
        article.set("data-version", metadata.version)
    return f"{_html(article).removesuffix('</div>')}{content}</div>"


def _mark(mark: Mark) -> str:
    element = etree.Element("p")
    element.attrib.update({"class": f"syn-mark syn-mark--{mark.kind}", "data-mark": mark.kind})
    element.text = mark.text
    return _html(element)


def _legal_markup(edition: Edition) -> str:
    """Credits and legal block, or nothing."""
    return _footer(markup(edition))


def _adapted_markup(edition: Edition) -> str:
    """The legal block of a text that the partner has edited."""
    words = labels(edition.metadata.language)
    return _footer(markup(edition, adapted(edition.notices, edition.site.name, edition.publisher.name, words)))


def _footer(notices: str) -> str:
    return f'<footer class="syn-footer">\n{notices}</footer>' if notices else ""


# --- what is told -------------------------------------------------------------------------------


def _metadata(edition: Edition) -> dict[str, Any]:
    """All that is said of a topic besides its text. What is the publisher's own affair (owner, source file) stays out."""
    metadata, record = edition.metadata, rights.record(edition)
    plain_fields = ("version", "concept", "title", "also_called", "summary", "url", "kind", "setting", "audiences")
    list_fields = ("territories", "collections", "keywords")
    return {
        "$schema": f"{_TO_ROOT}/{NAME}",
        "schema": VERSION,
        "id": metadata.id,
        "language": metadata.language,
        "content_language": metadata.language,
        "stands_in_for": edition.stands_in_for,
        "direction": direction(metadata.language),
        **{name: getattr(metadata, name) for name in (*plain_fields, *list_fields)},
        "codes": [{"system": c.system, "oid": c.oid, "code": c.code, "display": c.display} for c in metadata.codes],
        "status": metadata.status,
        "dates": record["dates"],
        "marks": [{"kind": mark.kind, "text": mark.text} for mark in edition.marks],
        **_provenance(metadata),
        "translations": [
            {"language": t.language, "id": t.id, "title": t.title, "path": f"{_TO_ROOT}/{t.language}/{t.id}/topic.json"}
            for t in edition.translations
        ],
        "companions": metadata.companions,
        "reading_level": metadata.reading_level,
        "publisher": {"id": edition.publisher.id, "name": edition.publisher.name, "url": edition.publisher.url},
        "license": record["license"],
        "credit": record["credit"],
        "machines": record["machines"],
        "formats": edition.formats,
    }


def _provenance(metadata: Metadata) -> dict[str, Any]:
    """Who wrote, reviewed, corrected and translated it, and whose it is."""
    rights, source = metadata.copyright, metadata.translation
    return {
        "authors": [_person(author) for author in metadata.authors],
        "reviews": [{"person": _person(r.person), "on": _day(r.on), "version": r.version} for r in metadata.reviews],
        "corrections": [{"on": _day(correction.on), "note": correction.note} for correction in metadata.corrections],
        "copyright": rights and {"first_year": rights.first_year, "last_year": rights.last_year, "holder": rights.holder},
        "translation": source
        and {
            "of": source.of,
            "version": source.version,
            "method": source.method,
            "translator": source.translator,
            "reviewed_on": _day(source.reviewed_on),
        },
    }


def _person(person: Person) -> dict[str, str]:
    return {
        "name": person.name,
        "credentials": person.credentials,
        "specialty": person.specialty,
        "role": person.role,
        "text": person.printed(),
    }


def _notice(notice: Notice) -> dict[str, Any]:
    return {"label": notice.label, "lines": notice.lines, "text": notice.text, "url": notice.url}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _sections(entries: Sequence[Entry], level: int) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield {"id": entry.id, "level": level, "title": entry.text}
        yield from _sections(entry.children, level + 1)


def _links(body: etree._Element) -> Iterator[dict[str, str]]:
    for link in body.iter("a"):
        topic, href = link.get("data-topic", ""), link.get("href", "")
        if topic or not href.startswith("#"):
            yield {
                "kind": "topic" if topic else "external",
                "href": href,
                "text": plain(link),
                "topic": topic,
                "language": link.get("data-language", ""),
                "anchor": link.get("data-anchor", ""),
            }


def _media(rendered: Rendered) -> Iterator[dict[str, Any]]:
    """Each picture once, with the first words that are said of it."""
    alternatives: dict[str, str] = {}
    for shown in rendered.element.iter("img"):
        alternatives.setdefault(shown.get("src", ""), shown.get("alt", ""))
    for image in rendered.media:
        yield {
            "path": at_media_path(image),
            "type": image.media_type,
            "sha256": image.sha256,
            "alt": alternatives.get(at_media_path(image), ""),
            "width": image.width,
            "height": image.height,
            "credit": image.credit,
        }


# --- the bundle's files -------------------------------------------------------------------------


def _catalogued(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "language": row.language,
        "concept": row.concept,
        "version": row.version,
        "title": row.title,
        "also_called": row.also_called,
        "summary": row.summary,
        "kind": row.kind,
        "status": row.status,
        "marks": row.marks,
        "collections": row.collections,
        "audiences": row.audiences,
        "codes": [dict(code) for code in row.codes],
        "dates": {
            "modified": row.modified or None,
            "current_as_of": row.current_as_of or None,
            "review_due": row.review_due or None,
            "expires": row.expires or None,
        },
        "translations": row.translations,
        "text_sha256": row.text_sha256,
        "files": [
            {"format": f.format, "path": f.path, "sha256": f.sha256, "size": f.size, "media_type": f.media_type}
            for f in row.files
        ],
    }


def _codes(rows: Sequence[Row]) -> dict[str, Any]:
    """System (URI, or OID where there is none), then code, then topics."""
    systems: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for code in row.codes:
            oid = code.get("oid")
            topics = systems[code.get("system") or (f"urn:oid:{oid}" if oid else "")][code["code"]]
            entry = {"id": row.id, "language": row.language, "title": row.title, "folder": f"{row.language}/{row.id}"}
            if entry not in topics:
                topics.append(entry)
    return {system: dict(sorted(codes.items())) for system, codes in sorted(systems.items())}
