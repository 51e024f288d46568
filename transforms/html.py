"""Web pages: one complete, accessible HTML page for a topic, and the pages and style sheet of its bundle.

In: a view or an edition. Out: `<lang>/<id>/index.html` with its images; for a bundle `index.html`, the style sheet and
the logos. No script, no inline style, no request to another host; the page works from a disk.
Follows the HTML Standard, WCAG 2.2 AA, schema.org (`MedicalWebPage`) and Content Security Policy Level 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pipeline.contracts import Assets, Body, Edition, FileRow, Image, OutputFile, Publisher, Row, Site, View
from pipeline.labels import Labels, direction, known, labels
from transforms._html import Options, anchor_id, at_media_path, outside, topic_links
from transforms._pages import common, language_name, logo, others, own_sheet, template
from transforms._schema_org import json_ld
from transforms._shared import shared

MEDIA_TYPE: Final = "text/html"
OMITS: Final[frozenset[str]] = frozenset()

_TOC_FROM: Final = 3  # a page with fewer sections is short enough to see
_UP: Final = "../../"  # from a topic's folder to the bundle's


def path(edition: Edition) -> str:
    """`<lang>/<id>/index.html`."""
    return f"{edition.folder}/index.html"


def body(view: View, assets: Assets) -> Body:
    """The topic's text as HTML, with its table of contents in `parts`."""
    rendered = shared(view, assets, Options("html", topic_links(view), at_media_path))
    toc = tuple((entry.id, entry.text) for entry in rendered.toc)
    return Body(rendered.html, {"toc": toc}, rendered.omitted, rendered.media)


def imprint(body: Body, edition: Edition) -> list[OutputFile]:
    """The page of an edition, then the images that it shows."""
    toc = body.parts["toc"]
    values = common(edition, body.content) | {
        "canonical": outside(edition.metadata.url),
        "json_ld": json_ld(edition),
        "main": anchor_id(edition.metadata.id, "syn-main"),
        "sheet": _UP + own_sheet(edition.site).path,
        "logo": _logo(edition.site.brand.logo, "logo", _UP),
        "publisher_logo": _logo(edition.publisher.logo, "publisher", _UP),
        "others": others(edition),
        "formats": _versions(edition, labels(edition.metadata.language)),
        "toc": toc if len(toc) >= _TOC_FROM else (),
    }
    page = template(edition.site.templates, "html.html").render(values)
    media = [OutputFile(f"{edition.folder}/{image.path}", image.data, image.media_type) for image in body.media]
    return [OutputFile(path(edition), page.encode(), MEDIA_TYPE), *media]


def bundle(rows: Sequence[Row], site: Site, publisher: Publisher) -> list[OutputFile]:
    """The bundle's index page, style sheet and logos."""
    language = _main_language(rows)
    words = labels(language)
    values = {
        "site": site,
        "publisher": publisher,
        "title": words.text("Topics for {name}", name=site.name),
        "language": language,
        "direction": words.direction,
        "count": len(rows),
        "languages": _by_language(rows, words),
        "sheet": own_sheet(site).path,
        "logo": _logo(site.brand.logo, "logo", ""),
        "t": words.text,
        "nt": words.plural,
    }
    page = template(site.templates, "index.html").render(values)
    files = (own_sheet(site), logo(site.brand.logo, "logo"), logo(publisher.logo, "publisher"))
    return [OutputFile("index.html", page.encode(), MEDIA_TYPE), *(file for file in files if file)]


# --- a topic's page -----------------------------------------------------------------------------


def _logo(image: Image | None, name: str, up: str) -> dict[str, Any] | None:
    file = logo(image, name)
    return {"src": up + file.path, "width": image.width, "height": image.height} if file and image else None


def _versions(edition: Edition, words: Labels) -> list[dict[str, str]]:
    """The other formats of this edition that a reader may want."""
    topic = edition.metadata.id
    found = {
        "print": ("print.html", "text/html", words.text("Print version")),
        "epub": (f"{topic}.epub", "application/epub+zip", words.text("E-book (EPUB)")),
        "text": (f"{topic}.txt", "text/plain", words.text("Plain text")),
    }
    return [
        {"href": href, "media_type": media_type, "name": name}
        for format_name, (href, media_type, name) in found.items()
        if format_name in edition.formats
    ]


# --- a bundle's index ---------------------------------------------------------------------------


def _main_language(rows: Iterable[Row]) -> str:
    """The language of most topics among those that there are words for."""
    counts: dict[str, int] = {}
    for row in rows:
        if known(row.language):
            counts[row.language] = counts.get(row.language, 0) + 1
    return min(counts, key=lambda tag: (-counts[tag], tag), default="en")


def _by_language(rows: Sequence[Row], words: Labels) -> list[dict[str, Any]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.language, []).append(row)
    return [
        {"tag": tag, "name": language_name(tag), "direction": direction(tag), "collections": _by_collection(found[tag], words)}
        for tag in sorted(found)
    ]


def _by_collection(rows: Sequence[Row], words: Labels) -> list[dict[str, Any]]:
    """The topics under each of their collections; those in none come last."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.title.casefold(), row.id)):
        for name in row.collections or ("",):
            found.setdefault(name, []).append(row)
    names = sorted(found, key=lambda name: (not name, name))
    return [
        {"name": _spoken(name) or words.text("Other topics"), "topics": [_topic(row, words) for row in found[name]]}
        for name in names
    ]


def _spoken(collection: str) -> str:
    """A collection's identifier as words: `cancer-care` is "Cancer care"."""
    name = collection.replace("-", " ").replace("_", " ").strip()
    return name[:1].upper() + name[1:]


def _topic(row: Row, words: Labels) -> dict[str, Any]:
    """A topic's line: it leads to its page, or to the first file it has; its other formats follow."""
    mains = _main_files(row.files)
    first = mains.get("html") or next(iter(mains.values()), None)
    return {
        "title": row.title,
        "href": first.path if first else f"{row.language}/{row.id}/",
        "formats": [
            {"href": file.path, "media_type": file.media_type, "name": _format_name(name, words)}
            for name, file in mains.items()
            if file is not first
        ],
    }


def _main_files(files: Iterable[FileRow]) -> dict[str, FileRow]:
    """The main file of each format: the first that is no image."""
    found: dict[str, FileRow] = {}
    for file in files:
        if file.format and not file.media_type.startswith("image/"):
            found.setdefault(file.format, file)
    return found


def _format_name(name: str, words: Labels) -> str:
    names = {
        "html": words.text("Web page"),
        "print": words.text("Print version"),
        "epub": words.text("E-book (EPUB)"),
        "text": words.text("Plain text"),
        "json": words.text("JSON"),
    }
    return names.get(name, name)
