"""What no validator looks for in a bundle: links to files or fragments that are not there, files that nobody listed, EPUBs
packed wrongly. In: folders and files. Out: one line for each thing wrong."""

from __future__ import annotations

import json
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree, html

REFERENCES = ("href", "src", "srcset", "poster", "data", "longdesc", "cite", "{http://www.w3.org/1999/xlink}href")
OUTSIDE = {"http", "https", "mailto", "tel"}


def bundle_problems(bundle: Path) -> Iterator[str]:
    """Dangling links and fragments in every page, EPUB and JSON article of a bundle; files that its manifest does not list."""
    files = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*") if path.is_file()}
    pages = {name: _parse(path.read_bytes()) for name, path in files.items() if name.endswith(".html")}
    yield from _links(pages, set(files))
    for name, path in files.items():
        if name.endswith(".epub"):
            yield from (f"{name}: {problem}" for problem in epub_problems(path))
        if name.endswith("/topic.json"):
            yield from _fragment(name, json.loads(path.read_text(encoding="utf-8")), set(files))
    yield from _unlisted(bundle, set(files))


def epub_problems(path: Path) -> Iterator[str]:
    """Dangling links, files that the package does not list, a mimetype that is compressed or not first."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        files = {info.filename: archive.read(info) for info in infos}
    if infos[0].filename != "mimetype" or infos[0].compress_type != zipfile.ZIP_STORED or infos[0].extra:
        yield "mimetype is not the first member, stored"
    if len(files) != len(infos):
        yield "a member occurs twice"
    container = etree.fromstring(files["META-INF/container.xml"])
    package = str(next(iter(container.iter("{*}rootfile"))).get("full-path"))
    base = posixpath.dirname(package)
    items = {
        posixpath.normpath(posixpath.join(base, unquote(str(i.get("href")))))
        for i in etree.fromstring(files[package]).iter("{*}item")
    }
    listed = items | {"mimetype", "META-INF/container.xml", package}
    yield from (f"{name} is not in the package's manifest" for name in sorted(set(files) - listed))
    yield from (f"{name} is in the package's manifest alone" for name in sorted(listed - set(files)))
    pages = {name: etree.fromstring(data) for name, data in files.items() if name.endswith((".xhtml", ".opf", ".svg"))}
    yield from _links(pages, set(files))


def _links(pages: Mapping[str, etree._Element], files: set[str]) -> Iterator[str]:
    anchors = {name: _anchors(page) for name, page in pages.items()}
    for name, page in pages.items():
        for element, reference in _references(page):
            parts = urlsplit(reference)
            if parts.scheme in OUTSIDE and etree.QName(element).localname in ("a", "link"):
                continue  # a reader may follow it; nothing is fetched by itself
            if parts.scheme or parts.netloc:
                if parts.scheme != "data":
                    yield f"{name}: <{etree.QName(element).localname}> asks for {reference}"
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
            if target not in files:
                yield f"{name}: {reference} leads to {target}, which is not there"
            elif parts.fragment and unquote(parts.fragment) not in anchors.get(target, set()):
                yield f"{name}: {reference} leads to no element of {target}"


def _references(page: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    for element in page.iter(etree.Element):
        for attribute in REFERENCES:
            value = element.get(attribute)
            if value is not None and not (attribute == "cite" and "://" in value):
                yield element, value


def _anchors(page: etree._Element) -> set[str]:
    return {str(value) for element in page.iter(etree.Element) for value in (element.get("id"), element.get("name")) if value}


def _fragment(name: str, topic: Mapping[str, object], files: set[str]) -> Iterator[str]:
    """The article of a JSON file: its fragments lead into itself; what it shows is in the bundle."""
    article = html.fragment_fromstring(str(topic["html"]), create_parent="div")
    anchors = _anchors(article)
    for element, reference in _references(article):
        parts = urlsplit(reference)
        if parts.scheme in OUTSIDE and element.tag == "a":
            continue
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
        if parts.path and target not in files:
            yield f"{name}: {reference} leads to {target}, which is not there"
        if not parts.path and parts.fragment and unquote(parts.fragment) not in anchors:
            yield f"{name}: {reference} leads to no element of the article"


def _unlisted(bundle: Path, files: set[str]) -> Iterator[str]:
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    listed = {row["path"] for owner in [manifest, *manifest["topics"]] for row in owner["files"]}
    yield from (f"{name} is not in manifest.json" for name in sorted(files - listed - {"manifest.json", "SHA256SUMS"}))
    yield from (f"{name} is in manifest.json alone" for name in sorted(listed - files))


@cache
def _parse(data: bytes) -> etree._Element:
    return html.document_fromstring(data.decode("utf-8"))
