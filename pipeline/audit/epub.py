"""application/epub+zip, read back: container, package, navigation, every page of the spine.

In: the bytes of a book. Out: `Reading`, in which addresses inside the book are paths below the book's own path. A body is one
whole content document; in the book it must be one member, byte for byte, in the linear spine.
Follows EPUB 3.3 and OCF; nothing is fetched and no member is trusted to be what its name says.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from lxml import etree

from pipeline.audit import _codes as codes
from pipeline.audit import _markup as markup
from pipeline.audit import _mentions as mentions
from pipeline.audit import _page as page
from pipeline.audit import _plain
from pipeline.audit._css import sheet
from pipeline.audit._reading import Finished, Problem, Reading, Request, Unreadable, fold
from pipeline.audit._requests import requests_of
from pipeline.audit._tags import NotPlain, Tag
from pipeline.audit._visible import Look, Styles, styles
from pipeline.contracts import Place, View

MEDIA_TYPE: Final = "application/epub+zip"
PICTURES: Final = True
ASPECTS: Final = frozenset({"kind", "level", "first", "marker", "scope", "within"})

_LARGEST: Final = 200_000_000  # bytes of one book, unpacked
_XHTML: Final = "application/xhtml+xml"
_DC: Final = "{http://purl.org/dc/elements/1.1/}"
_OPF: Final = "{http://www.idpf.org/2007/opf}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_TYPE: Final = "{http://www.idpf.org/2007/ops}type"
_HTML: Final = "{http://www.w3.org/1999/xhtml}html"


# --- a body -------------------------------------------------------------------------------------


def body(content: bytes, view: View, place: Place) -> Reading:  # noqa: ARG001
    """Reads a content document: its title, then the topic. Raises Unreadable."""
    reading, problems = _chapter(content, view.topic.metadata.id, view.topic.metadata.language)
    title = fold(view.topic.metadata.title)
    blocks = list(reading.blocks)
    if title and (not blocks or (blocks[0].kind, blocks[0].level, blocks[0].text) != ("heading", 1, title)):
        found = blocks[0].text if blocks else "nothing"
        problems.append(Problem(codes.TITLE, f'expected the title "{title}" first, found "{found[:120]}"'))
    else:
        del blocks[: bool(title)]
    return page.with_problems(replace(reading, blocks=tuple(blocks)), problems)


def _chapter(content: bytes, topic_id: str, language: str) -> tuple[Reading, list[Problem]]:
    """A content document with its title, and what is wrong in it. Raises Unreadable."""
    try:
        found = _plain.chapter(markup.decode(content), topic_id)
        if _proper_root(found, language):
            sheets = tuple([tag.attributes.get("href", "") for tag, own in found.sheets if not own])
            if len(sheets) == len(found.sheets):
                return replace(page.plain(found), place=found.place, sheets=sheets), []
    except NotPlain:
        pass
    root, inner = _document(content)
    said = tuple(dict.fromkeys(mentions.of_markup(root, body=True)))
    reading = replace(page.fragment(inner, topic_id), requests=tuple(requests_of(root, "")), said=said)
    return reading, [*markup.nesting(root), *_languages(root, language)]


def _proper_root(found: _plain.Found, language: str) -> bool:
    attributes = found.root.attributes if found.root else {}
    return attributes.get("lang") == attributes.get(f"{_XML}lang") == language


def _document(data: bytes) -> tuple[etree._Element, etree._Element]:
    """A content document's root and its body. Raises Unreadable."""
    root = markup.parse_xml(data)
    inner = root.find("{*}body")
    if root.tag != _HTML or inner is None:
        raise Unreadable(f"expected an XHTML document with a body, found <{root.tag!s}>")
    return root, inner


def _languages(root: etree._Element, language: str) -> Iterator[Problem]:
    for name in ("lang", f"{_XML}lang"):
        if root.get(name) != language:
            yield Problem(codes.LANGUAGE, f"expected {language}, found {root.get(name) or 'none'} in {name.split('}')[-1]}")


# --- a book -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Book:
    """A book taken apart: members by name, the package's root and folder, manifest (name to media type), linear spine and
    navigation document by member name, and that document's root (`contents`)."""

    members: dict[str, bytes]
    package: etree._Element
    folder: str
    manifest: dict[str, str]
    spine: tuple[str, ...]
    nav: str
    contents: etree._Element
    problems: tuple[Problem, ...]


def file(finished: Finished) -> Reading:
    """Reads the pages around the body; all pages where the body is no member byte for byte. Raises Unreadable."""
    main, content = finished.files[0], finished.body.content
    book = _opened(main.data)
    chapters = [name for name, data in book.members.items() if data == content]
    problems = list(book.problems)
    if len(chapters) > 1:
        problems.append(Problem(codes.BODY_PLACE, f"the topic's text stands in {len(chapters)} members"))
    elif chapters and chapters[0] not in book.spine:
        problems.append(Problem(codes.BODY_PLACE, f"{chapters[0]} is not in the linear spine"))
    pages = [_page(name, book, main.path, finished) for name in book.spine if name not in chapters]
    requests = [request for each in pages for request in each.requests] + list(_other_requests(book, main.path))
    for chapter in chapters:
        requests += [Request(r.url, r.how, f"{main.path}/{chapter}") for r in finished.inner.requests]
        problems += _concealed(chapter, book, finished)
    problems += _navigation(book, dict.fromkeys(chapters, finished.inner.ids))
    own = [fold(finished.view.topic.metadata.title)] if chapters else []
    titles = (*own, *(title for each in pages for _, found in each.metadata for title in found))
    return Reading(
        blocks=tuple(block for each in pages for block in each.blocks),
        notices=tuple(notice for each in pages for notice in each.notices),
        links=tuple(link for each in pages for link in each.links),
        pictures=tuple(picture for each in pages for picture in each.pictures),
        requests=tuple(requests),
        metadata=(*_metadata(book), ("heading", titles)),
        problems=(*problems, *(problem for each in pages for problem in each.problems)),
        members=frozenset(f"{main.path}/{name}" for name in book.members),
        said=(*_said(book), *(each for one in pages for each in one.said)),
        whole=not chapters,
    )


def _said(book: _Book) -> Iterator[tuple[str, str]]:
    """What package, navigation and the names of members say."""
    yield from mentions.of_xml(book.package)
    if book.nav not in book.spine:
        yield from mentions.of_markup(book.contents)
    yield from (("address", name) for name in book.members)


def _opened(data: bytes) -> _Book:
    problems: list[Problem] = []
    members = _members(data, problems)
    paths = _rootfiles(_member(members, "META-INF/container.xml"))
    if len(paths) != 1:
        raise Unreadable(f"META-INF/container.xml: expected one rootfile, found {len(paths)}")
    package = markup.parse_xml(_member(members, paths[0]))
    folder = posixpath.dirname(paths[0])
    items = {e.get("id", ""): e for e in package.iter(f"{_OPF}item")}
    names = {key: _inside(folder, item.get("href", "")) for key, item in items.items()}
    for key, item in items.items():
        if markup.scheme(item.get("href", "")) or names[key] not in members:
            problems.append(Problem(codes.RESOURCE, f"the package names {item.get('href')!r}, which is not in the book"))
    listed = {*names.values(), paths[0], "mimetype"}
    for name in members:
        if name not in listed and name != "META-INF/container.xml":
            problems.append(Problem(codes.UNREADABLE, f"{name} is in the book but not in its package"))
    spine = [e.get("idref", "") for e in package.iter(f"{_OPF}itemref") if e.get("linear", "yes") != "no"]
    navs = [names[key] for key, item in items.items() if "nav" in (item.get("properties") or "").split()]
    for key in spine:
        if names.get(key) not in members:
            raise Unreadable(f"the spine names {key!r}, which the package does not hold")
    if len(navs) != 1 or navs[0] not in members:
        raise Unreadable(f"expected one navigation document, found {len(navs)}")
    contents, _ = _document(members[navs[0]])
    manifest = {names[key]: item.get("media-type", "") for key, item in items.items()}
    strange = sorted({names[key] for key in spine if manifest[names[key]] != _XHTML})
    problems += [Problem(codes.UNREADABLE, f"{name}: expected {_XHTML} in the spine, found {manifest[name]}") for name in strange]
    return _Book(members, package, folder, manifest, tuple(names[key] for key in spine), navs[0], contents, tuple(problems))


def _members(data: bytes, problems: list[Problem]) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > _LARGEST:
                raise Unreadable(f"more than {_LARGEST} bytes unpacked")
            members = {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Unreadable(f"not a readable zip file: {error}") from None
    for name, count in Counter(info.filename for info in infos).items():
        if count > 1 or name.startswith("/") or ".." in name.split("/"):
            problems.append(Problem(codes.UNREADABLE, f"member {name!r} stands {count} times or leads outside the book"))
    first = infos[0] if infos else None
    if first is None or first.filename != "mimetype" or first.compress_type != zipfile.ZIP_STORED or first.extra:
        problems.append(Problem(codes.UNREADABLE, "expected the first member to be mimetype, stored"))
    if members.get("mimetype") != MEDIA_TYPE.encode():
        problems.append(Problem(codes.UNREADABLE, f"mimetype: expected {MEDIA_TYPE}, found {members.get('mimetype')!r}"))
    return members


def _member(members: dict[str, bytes], name: str) -> bytes:
    if name not in members:
        raise Unreadable(f"{name} is missing")
    return members[name]


def _inside(folder: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(href.split("#")[0])))


# --- its pages ----------------------------------------------------------------------------------


def _page(name: str, book: _Book, path: str, finished: Finished) -> Reading:
    text = markup.decode(book.members[name])
    try:
        reading = _in_one_pass(name, text, book, finished.edition.metadata.language)
    except NotPlain:
        reading = _from_tree(name, text, book, finished)
    problems = [*reading.problems, *page.references(reading.ids, reading.links, ())]
    return replace(
        reading,
        requests=tuple([Request(r.url, r.how, f"{path}/{name}") for r in reading.requests]),
        ids=(),
        problems=tuple(Problem(p.code, f"{name}: {p.text}") for p in problems),
    )


def _in_one_pass(name: str, text: str, book: _Book, language: str) -> Reading:
    """A page of the book without the topic's text. Raises NotPlain where more than a pass is needed."""

    def look(sheets: Sequence[tuple[Tag, str]]) -> Styles:
        return _styles(name, [own if tag.name == "style" else tag.attributes.get("href", "") for tag, own in sheets], book)

    found = _plain.page(text, look, xml=True)
    if not _proper_root(found, language) or found.data or any(own for _, own in found.sheets):
        raise NotPlain("no plain page of a book")
    return replace(page.plain(found), metadata=(("heading", tuple(found.headings)),))


def _from_tree(name: str, text: str, book: _Book, finished: Finished) -> Reading:
    """As `_in_one_pass`, from a tree, with what is wrong. Raises Unreadable."""
    root, inner = _document(text.encode())
    look = _look(root, name, book)
    heading = ("heading", tuple(page.headings(root, look)))
    language = finished.edition.metadata.language
    problems = [*markup.nesting(root), *_languages(root, language), *page.reordering(root, finished.edition)]
    return page.around(root, inner, look, (heading,), problems)


def _styles(name: str, hrefs: Sequence[str], book: _Book) -> Styles:
    """The sheets of the book that a page names, those that are not there left out."""
    members = [_inside(posixpath.dirname(name), href) for href in hrefs]
    return styles([book.members[member].decode("utf-8", "replace") for member in members if member in book.members])


def _look(root: etree._Element, name: str, book: _Book) -> Look:
    texts = page.sheets_in(root)
    for link in root.iter("{*}link"):
        target = _inside(posixpath.dirname(name), link.get("href", ""))
        if "stylesheet" in (link.get("rel") or "").lower().split() and target in book.members:
            texts.append(book.members[target].decode("utf-8", "replace"))
    return Look(styles(texts))


def _concealed(chapter: str, book: _Book, finished: Finished) -> list[Problem]:
    """Words of the body that the book's sheets hide."""
    inner = finished.inner
    if inner.sheets:
        used = _styles(chapter, inner.sheets, book)
        if used.plain and page.shows(used, inner.place, inner):
            return []
    root, body = _document(finished.body.content)
    look = _look(root, chapter, book)
    for child in list(body):
        body.remove(child)
    problems = page.body_hidden(body, look, inner, lambda: _document(finished.body.content)[1])
    return problems + [Problem(codes.STYLE, f"words that only the style sheet has: {text}") for text in look.styles.generated]


def _other_requests(book: _Book, path: str) -> Iterator[Request]:
    for name, media_type in book.manifest.items():
        data = book.members.get(name, b"")
        if media_type == "text/css":
            yield from (Request(url, "style sheet", f"{path}/{name}") for url in sheet(data.decode("utf-8", "replace")).urls)
        elif name == book.nav:
            yield from requests_of(book.contents, f"{path}/{name}")
        elif media_type == "image/svg+xml":
            yield from (Request(r.url, r.how, f"{path}/{name}") for r in _of_picture(data))


@lru_cache(maxsize=64)
def _of_picture(data: bytes) -> tuple[Request, ...]:
    """What a vector picture fetches; many sites show the same."""
    return tuple(requests_of(markup.parse_xml(data), ""))


@lru_cache(maxsize=64)
def _rootfiles(container: bytes) -> tuple[str, ...]:
    return tuple(e.get("full-path", "") for e in markup.parse_xml(container).iter("{*}rootfile"))


def _navigation(book: _Book, ids: dict[str, tuple[str, ...]]) -> Iterator[Problem]:
    """Every entry of the navigation document leads to a page of the book, and to a place that the page has."""
    root = book.contents
    tables = [e for e in root.iter("{*}nav") if "toc" in (e.get(_TYPE) or "").split()]
    if len(tables) != 1:
        yield Problem(codes.UNREADABLE, f"{book.nav}: expected one table of contents, found {len(tables)}")
    reached = set()
    for href in (a.get("href", "") for a in root.iter("{*}a") if a.get("href") is not None):
        target, _, fragment = href.partition("#")
        name = _inside(posixpath.dirname(book.nav), target) if target else book.nav
        reached.add(name)
        if name not in book.members or (fragment and name in ids and unquote(fragment) not in ids[name]):
            yield Problem(codes.LINK_BROKEN, f"{book.nav}: {href!r} leads nowhere")
    for name in ids:
        if name not in reached:
            yield Problem(codes.LINK_BROKEN, f"{book.nav}: no entry leads to {name}")


def _metadata(book: _Book) -> Iterator[tuple[str, tuple[str, ...]]]:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(e.text or "" for e in book.package.iter(f"{_DC}{name}"))

    def property_(name: str) -> tuple[str, ...]:
        return tuple(e.text or "" for e in book.package.iter(f"{_OPF}meta") if e.get("property") == name)

    yield "title", texts("title")
    yield "language", texts("language")
    yield "copyright", texts("rights")
    yield "authors", texts("creator")
    yield "reviewers", tuple(_reviewers(book.package))
    yield "published", texts("date")
    for ours, theirs in _PROPERTIES.items():
        yield ours, property_(theirs)
    spine = book.package.find(f"{_OPF}spine")
    if spine is not None:
        yield "direction", (spine.get("page-progression-direction") or "ltr",)


_PROPERTIES: Final = {
    "license": "dcterms:license",
    "tdm-reservation": "tdm:reservation",
    "tdm-policy": "tdm:policy",
    "created": "schema:dateCreated",
    "modified": "schema:dateModified",
    "current-as-of": "schema:lastReviewed",
    "expires": "schema:expires",
}


def _reviewers(package: etree._Element) -> Iterator[str]:
    """The contributors whose role is `rev` (MARC relators)."""
    roles = {e.get("refines"): (e.text or "").strip() for e in package.iter(f"{_OPF}meta") if e.get("property") == "role"}
    for element in package.iter(f"{_DC}contributor"):
        if roles.get(f"#{element.get('id')}") == "rev":
            yield element.text or ""
