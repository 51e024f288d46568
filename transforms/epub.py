"""EPUB 3.3: a topic as a small book of its own.

In: a view or an edition. Out: `<lang>/<id>/<id>.epub`. The chapter, the navigation document and the pictures do not depend
on the partner: they are packed once and copied into each site's book. Package document, title page (with the marks), rights
page (credits and legal block) and style sheet are the site's.
Specifications: EPUB 3.3, EPUB Accessibility 1.1, DPUB-ARIA 1.1, OCF.

No claim of conformance to WCAG is written: it is a person's to make, and needs whom to name for it.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

from lxml import etree
from lxml.builder import E

from pipeline import rights
from pipeline.contracts import Assets, Body, Edition, Image, OutputFile, View
from pipeline.labels import Labels, labels
from pipeline.topic import MATHML, Metadata
from transforms._html import Entry, Options, at_media_path
from transforms._notices import markup
from transforms._pages import style
from transforms._shared import shared
from transforms._zip import Member, archive, deflated, stored

MEDIA_TYPE: Final = "application/epub+zip"
OMITS: Final = frozenset({"cross-references"})  # a book can not link into another; the words stay

MODIFIED: Final = date(2026, 11, 25)  # when this format last changed what it writes

_FOLDER: Final = "EPUB"
_CHAPTER: Final = "topic.xhtml"
_BRAND_COLOR: Final = "#0b5fa5"  # in epub.css, for the site's own
_XHTML: Final = b"http://www.w3.org/1999/xhtml"
_OPS: Final = "http://www.idpf.org/2007/ops"
_OPF: Final = "http://www.idpf.org/2007/opf"
_PREFIXES: Final = "tdm: http://www.w3.org/ns/tdmrep#"  # those of dcterms, marc and schema are reserved by EPUB 3.3
_DC: Final = "http://purl.org/dc/elements/1.1/"
_TYPE: Final = f"{{{_OPS}}}type"
_MIMETYPE: Final = stored("mimetype", MEDIA_TYPE.encode())
_CONTAINER: Final = deflated(
    "META-INF/container.xml",
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">\n'
    b'  <rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>\n'
    b"</container>\n",
)
# Marks of meaning by class: EPUB's own (epub:type) and assistive technology's (role).
_MEANINGS: Final = {
    "syn-section--glossary": ("glossary", "doc-glossary"),
    "syn-section--footnotes": ("endnotes", "doc-endnotes"),
    "syn-footnote": ("noteref", "doc-noteref"),
    "syn-definition": ("glossref", "doc-glossref"),
    "syn-back": ("", "doc-backlink"),
}


def path(edition: Edition) -> str:
    """`<lang>/<id>/<id>.epub`."""
    return f"{edition.folder}/{edition.metadata.id}.epub"


# --- what all sites share -----------------------------------------------------------------------


def body(view: View, assets: Assets) -> Body:
    """The chapter, which is `content`; it, the navigation and the pictures are packed in `parts`."""
    metadata = view.topic.metadata
    words = labels(metadata.language)
    rendered = shared(view, assets, Options(format="epub", topic_link=None, media=at_media_path))
    has_math = next(rendered.element.iter(f"{{{MATHML}}}math"), None) is not None
    chapter = _chapter(copy.deepcopy(rendered.element), metadata, words)
    parts = {
        "chapter": deflated(f"{_FOLDER}/{_CHAPTER}", chapter),
        "nav": deflated(f"{_FOLDER}/nav.xhtml", _navigation(rendered.toc, metadata, words)),
        "images": tuple(_image(image) for image in rendered.media),
        "items": tuple((image.path, image.media_type) for image in rendered.media),
        "math": has_math,
    }
    return Body(chapter, parts, rendered.omitted)


def _chapter(element: etree._Element, metadata: Metadata, words: Labels) -> bytes:
    section = etree.Element("section", nsmap={"epub": _OPS})
    section.attrib.update({_TYPE: "chapter", "role": "doc-chapter", "class": "syn-topic"})
    section.append(E.h1(metadata.title))
    section.append(element)
    _mean(element)
    return _page(metadata.title, words, section)


def _mean(body: etree._Element) -> None:
    """Says in EPUB's and DPUB-ARIA's words what definitions, notes and the links between them are."""
    for element in body.iter("section", "a"):
        for name in (element.get("class") or "").split():
            epub_type, role = _MEANINGS.get(name, ("", ""))
            if epub_type:
                element.set(_TYPE, epub_type)
            if role:
                element.set("role", role)


def _navigation(toc: tuple[Entry, ...], metadata: Metadata, words: Labels) -> bytes:
    title = words.text("Table of Contents")
    rights = words.text("Credits and notices")
    first = Entry("", metadata.title, toc)
    entries = [_entry(first), E.li(E.a(rights, href="rights.xhtml"))]
    contents = E.nav(E.h1(title), E.ol(*entries), {"role": "doc-toc"}, id="toc")
    contents.set(_TYPE, "toc")
    places = [
        ("titlepage", "title.xhtml", words.text("Title page")),
        ("bodymatter", _CHAPTER, metadata.title),
        ("copyright-page", "rights.xhtml", rights),
    ]
    landmarks = E.nav(E.h2(words.text("Landmarks")), E.ol(*(_landmark(*place) for place in places)), hidden="hidden")
    landmarks.set(_TYPE, "landmarks")
    return _page(title, words, contents, landmarks)


def _entry(entry: Entry) -> etree._Element:
    address = f"{_CHAPTER}#{entry.id}" if entry.id else _CHAPTER
    item = E.li(E.a(entry.text, href=address))
    if entry.children:
        item.append(E.ol(*map(_entry, entry.children)))
    return item


def _landmark(epub_type: str, href: str, text: str) -> etree._Element:
    link = E.a(text, href=href)
    link.set(_TYPE, epub_type)
    return E.li(link)


def _image(image: Image) -> Member:
    pack = deflated if image.media_type == "image/svg+xml" else stored
    return pack(f"{_FOLDER}/{image.path}", image.data)


def _page(title: str, words: Labels, *content: etree._Element) -> bytes:
    """A whole XHTML document. Its elements stand in no namespace; the root's default namespace makes them XHTML."""
    root = etree.Element("html", nsmap={"epub": _OPS})
    root.attrib.update({"lang": words.language, "dir": words.direction})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", words.language)
    link = E.link(rel="stylesheet", type="text/css", href="style.css")
    root.append(E.head(E.meta(charset="utf-8"), E.title(title), link))
    root.append(E.body(*content))
    etree.cleanup_namespaces(root, keep_ns_prefixes=["epub"])
    markup = etree.tostring(root, encoding="utf-8")
    start = markup.replace(b"<html ", b'<html xmlns="%s" ' % _XHTML, 1)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n' + start + b"\n"


# --- what is the site's -------------------------------------------------------------------------


def imprint(body: Body, edition: Edition) -> list[OutputFile]:
    """The book: the shared members as they were packed, and the site's own."""
    parts, words = body.parts, labels(edition.metadata.language)
    logo = [_image(edition.site.brand.logo)] if edition.site.brand.logo else []
    members = [
        _MIMETYPE,
        _CONTAINER,
        deflated(f"{_FOLDER}/package.opf", _package(body, edition, words)),
        parts["nav"],
        deflated(f"{_FOLDER}/title.xhtml", _title_page(edition, words)),
        parts["chapter"],
        deflated(f"{_FOLDER}/rights.xhtml", _rights_page(edition, words)),
        _style(edition.site.templates, edition.site.brand.color),
        *parts["images"],
        *logo,
    ]
    unique = {member.name: member for member in members}
    return [OutputFile(path(edition), archive(unique.values()), MEDIA_TYPE)]


def _title_page(edition: Edition, words: Labels) -> bytes:
    metadata, site = edition.metadata, edition.site
    page = E.section({"class": "syn-title-page"})
    page.set(_TYPE, "titlepage")
    if site.brand.logo:
        page.append(E.p(E.img(src=at_media_path(site.brand.logo), alt=site.name), {"class": "syn-logo"}))
    else:
        page.append(E.p(site.name, {"class": "syn-site"}))
    page.append(E.h1(metadata.title))
    if metadata.also_called:
        names = words.text(", ").join(metadata.also_called)
        page.append(E.p(f"{words.text('Also called:')} {names}", {"class": "syn-also"}))
    for mark in edition.marks:
        page.append(E.p(mark.text, {"class": f"syn-mark syn-mark--{mark.kind}", "data-mark": mark.kind}))
    page.append(E.p(edition.publisher.name, {"class": "syn-publisher"}))
    return _page(metadata.title, words, page)


def _rights_page(edition: Edition, words: Labels) -> bytes:
    title = words.text("Credits and notices")
    page = E.section(E.h1(title), {"class": "syn-rights", "role": "doc-credits"})
    page.set(_TYPE, "copyright-page")
    page.extend(etree.fromstring(f"<div>{markup(edition)}</div>"))
    return _page(title, words, page)


@lru_cache(maxsize=64)
def _style(templates: str, color: str) -> Member:
    return deflated(f"{_FOLDER}/style.css", style(templates, "epub.css").replace(_BRAND_COLOR, color).encode())


# --- package document ---------------------------------------------------------------------------


def _package(body: Body, edition: Edition, words: Labels) -> bytes:
    language = edition.metadata.language
    root = etree.Element(f"{{{_OPF}}}package", nsmap={None: _OPF, "dc": _DC})
    root.attrib.update({"version": "3.0", "unique-identifier": "id", "prefix": _PREFIXES, "dir": words.direction})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", language)
    metadata = etree.SubElement(root, f"{{{_OPF}}}metadata")
    for name, text, attributes in _metadata(body, edition, words):
        element = etree.SubElement(metadata, name, attributes)
        element.text = text
    manifest = etree.SubElement(root, f"{{{_OPF}}}manifest")
    for item in _manifest(body, edition):
        etree.SubElement(manifest, f"{{{_OPF}}}item", item)
    spine = etree.SubElement(root, f"{{{_OPF}}}spine", {"page-progression-direction": words.direction})
    for identifier in ("title", "topic", "rights"):
        etree.SubElement(spine, f"{{{_OPF}}}itemref", {"idref": identifier})
    etree.indent(root)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _manifest(body: Body, edition: Edition) -> Iterator[dict[str, str]]:
    xhtml = "application/xhtml+xml"
    yield {"id": "nav", "href": "nav.xhtml", "media-type": xhtml, "properties": "nav"}
    yield {"id": "title", "href": "title.xhtml", "media-type": xhtml}
    yield {"id": "topic", "href": _CHAPTER, "media-type": xhtml, **({"properties": "mathml"} if body.parts["math"] else {})}
    yield {"id": "rights", "href": "rights.xhtml", "media-type": xhtml}
    yield {"id": "style", "href": "style.css", "media-type": "text/css"}
    logo = edition.site.brand.logo
    images = dict([*body.parts["items"], *([(logo.path, logo.media_type)] if logo else [])])
    for number, (href, media_type) in enumerate(images.items(), 1):
        yield {"id": f"image-{number}", "href": href, "media-type": media_type}


def identifier(edition: Edition) -> str:
    """The book's name for all time: the same for every version of a topic in one language on one site."""
    site, metadata = edition.site, edition.metadata
    name = "/".join([edition.publisher.id, site.partner, site.id, metadata.language, metadata.id])
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


def modified(edition: Edition) -> date:
    """The newest day of the topic, its corrections, its terms and this format. Notices have no day of their own: a book in which
    they alone changed is a new file of the same day."""
    metadata = edition.metadata
    days = [metadata.created, metadata.modified, metadata.current_as_of, edition.terms_modified]
    days += [correction.on for correction in metadata.corrections]
    return max([MODIFIED, *(day for day in days if day)])


def _metadata(body: Body, edition: Edition, words: Labels) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each line of the package's metadata: element, text, attributes."""
    metadata = edition.metadata
    yield f"{{{_DC}}}identifier", identifier(edition), {"id": "id"}
    yield f"{{{_DC}}}title", metadata.title, {}
    yield f"{{{_DC}}}language", metadata.language, {}
    yield from _people(metadata)
    yield f"{{{_DC}}}publisher", edition.publisher.name, {}
    if metadata.summary:
        yield f"{{{_DC}}}description", metadata.summary, {}
    for keyword in metadata.keywords:
        yield f"{{{_DC}}}subject", keyword, {}
    yield _meta("dcterms:modified", f"{modified(edition).isoformat()}T00:00:00Z")
    yield from _rights(rights.record(edition))
    yield from (_meta(name, text) for name, text in _accessibility(body, words))


def _rights(record: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Whose the book is, what may be done with it, and the topic's own days (`dcterms:modified` is the book's)."""
    days, machines = record["dates"], record["machines"]
    if record["copyright"]:
        yield f"{{{_DC}}}rights", record["copyright"]["notice"], {}
    if days["published"]:
        yield f"{{{_DC}}}date", days["published"], {}
    said = {
        "dcterms:license": record["license"]["url"],
        "tdm:reservation": str(machines["tdm_reservation"]),
        "tdm:policy": machines["tdm_policy"],
        "schema:dateCreated": days["created"],
        "schema:dateModified": days["modified"],
        "schema:lastReviewed": days["current_as_of"],
        "schema:expires": days["expires"],
    }
    yield from (_meta(name, text) for name, text in said.items() if text)


def _people(metadata: Metadata) -> Iterator[tuple[str, str, dict[str, str]]]:
    people = [("creator", "aut", author) for author in metadata.authors]
    people += [("contributor", "rev", review.person) for review in metadata.reviews]
    for number, (name, role, person) in enumerate(people, 1):
        yield f"{{{_DC}}}{name}", person.name or person.display, {"id": f"person-{number}"}
        yield _meta("role", role, refines=f"#person-{number}", scheme="marc:relators")


def _accessibility(body: Body, words: Labels) -> Iterator[tuple[str, str]]:
    """Schema.org's accessibility terms: what is needed to read the book, what helps, what could harm."""
    types = [media_type for _, media_type in body.parts["items"]]
    yield "schema:accessMode", "textual"
    if types:
        yield "schema:accessMode", "visual"
    yield "schema:accessModeSufficient", "textual"
    features = ["tableOfContents", "structuralNavigation", "readingOrder", "displayTransformability", "ARIA"]
    features += ["alternativeText"] if types else []
    features += ["MathML"] if body.parts["math"] else []
    for feature in features:
        yield "schema:accessibilityFeature", feature
    # a picture that moves may flash, and nothing here has watched it
    yield "schema:accessibilityHazard", "unknown" if "image/gif" in types else "none"
    yield (
        "schema:accessibilitySummary",
        words.text("Headings, lists, tables and links are marked as such, and pictures are described in words."),
    )


def _meta(name: str, text: str, **attributes: str) -> tuple[str, str, dict[str, Any]]:
    return f"{{{_OPF}}}meta", text, {"property": name, **attributes}
