"""Topic content as frames show it: the bytes of a rendering, under a policy in which they run nothing and ask nobody else.

In: `/bundle/<viewpoint>/<path in the bundle>`: looked up in a rendering, never on a disk. Out: those bytes. A page that says how
it wants to be printed can be asked for as sheets of paper; an e-book, chapter by chapter or in a reader.
"""

from __future__ import annotations

import io
import mimetypes
import posixpath
import zipfile
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.contracts import OutputFile
from pipeline.errors import SyndicationError
from pipeline.preview import export, paper
from pipeline.preview.query import PAPERS
from pipeline.preview.rendering import Shown
from pipeline.preview.safety import CONTENT, READER
from pipeline.preview.session import Session
from pipeline.preview.viewpoints import find_partner, from_token

LIBRARY: Final = Path(__file__).parents[2] / "deploy/preview/node_modules"  # put there by `make preview`; never in the repository
PAGES: Final = Path(__file__).with_name("pages")
EPUB: Final = "application/epub+zip"
LARGEST_MEMBER: Final = 50_000_000
_STATIC: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".html": "text/html"}


def routes(session: Session) -> list[BaseRoute]:
    """The addresses of content and of the app's own files."""

    def bundle(request: Request) -> Response:
        found = _found(session, request.path_params["token"], request.path_params["path"])
        if found is None:
            return _missing()
        sheet = request.query_params.get("paper", "")
        data = paper.paged(found.data, sheet) if sheet in PAPERS and found.media_type == "text/html" else found.data
        return content(data, found.media_type)

    def chapter(request: Request) -> Response:
        found = _found(session, request.path_params["token"], request.path_params["path"])
        member = _member(found.data, request.path_params["member"]) if found and found.media_type == EPUB else None
        return content(member, _type(request.path_params["member"])) if member is not None else _missing()

    def now(request: Request) -> Response:
        site, path = request.path_params["site"], request.path_params["path"]
        snapshot = session.project.snapshot
        try:
            known = snapshot and find_partner(snapshot.system, site)
            found = session.shop.file(snapshot.system, site, path) if snapshot and known else None
        except SyndicationError:
            found = None
        return content(found[1], found[0].media_type) if found else _missing()

    def archive(request: Request) -> Response:
        snapshot, asked = session.project.snapshot, request.path_params
        try:
            shown = session.show(snapshot, from_token(asked["token"]), (asked["id"], asked["language"])) if snapshot else None
        except (SyndicationError, KeyError):
            shown = None
        return content(export.archive(shown), "application/zip") if shown and shown.files else _missing()

    def bundle_zip(request: Request) -> Response:
        path = session.packer.path(request.path_params["name"])
        return FileResponse(path, media_type="application/zip", filename=request.path_params["name"]) if path else _missing()

    return [
        Route("/export/{name}", bundle_zip),
        Route("/export/{token}/{language}/{id}.zip", archive),
        Route("/bundle/{token}/{path:path}", bundle),
        Route("/book/{token}/{path:path}/!/{member:path}", chapter),
        Route("/now/{site}/{path:path}", now),
        Route("/reader", _reader),
        Route("/static/{name}", _static),
        Route("/library/{path:path}", _library),
    ]


def content(data: bytes, media_type: str) -> Response:
    """Topic content as an answer that runs nothing."""
    text = media_type.startswith("text/") or media_type == "application/json"
    headers = {"content-security-policy": CONTENT, "content-type": f"{media_type}; charset=utf-8" if text else media_type}
    return Response(data, headers=headers)


def _missing() -> Response:
    return PlainTextResponse("There is nothing here.", 404)


def _found(session: Session, token: str, path: str) -> OutputFile | None:
    """The file of a rendering: `<language>/<id>/...`, or one that all pages of the site share."""
    snapshot = session.project.snapshot
    parts = path.split("/")
    if snapshot is None or len(parts) < 3:
        return None
    try:
        chosen = from_token(token)
        if parts[0] == "assets":
            return session.renderer.shared(chosen, path)
        shown = session.show(snapshot, chosen, (parts[1], parts[0]))
    except (SyndicationError, KeyError):
        return None
    return shown.file(path)


# --- e-books ------------------------------------------------------------------------------------


def chapters(shown: Shown, name: str) -> list[tuple[str, str]]:
    """The pages of an e-book in the order of its spine: path in the package, and its title."""
    from lxml import etree

    file = shown.main(name)
    if file is None:
        return []
    with zipfile.ZipFile(io.BytesIO(file.data)) as book:
        container = etree.fromstring(book.read("META-INF/container.xml"))
        package_path = str(container.xpath("string(//*[local-name()='rootfile']/@full-path)"))
        package = etree.fromstring(book.read(package_path))
        folder = posixpath.dirname(package_path)
        items = {str(item.get("id")): str(item.get("href")) for item in package.xpath("//*[local-name()='item']")}
        order = [str(ref.get("idref")) for ref in package.xpath("//*[local-name()='itemref']")]
        paths = [posixpath.normpath(posixpath.join(folder, items[one])) for one in order if one in items]
        return [(path, _title(book.read(path)) or posixpath.basename(path)) for path in paths]


def _title(data: bytes) -> str:
    from lxml import etree

    page = etree.fromstring(data)
    return str(page.xpath("normalize-space(//*[local-name()='title'])"))


def _member(data: bytes, name: str) -> bytes | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            return book.read(name) if book.getinfo(name).file_size <= LARGEST_MEMBER else None
    except (KeyError, zipfile.BadZipFile):
        return None


def _type(name: str) -> str:
    if name.endswith((".xhtml", ".opf", ".ncx")):
        return "application/xhtml+xml" if name.endswith(".xhtml") else "application/xml"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def has_reader() -> bool:
    """Whether the e-book reader is installed beside the environment."""
    return (LIBRARY / "foliate-js/view.js").is_file()


# --- the app's own files ------------------------------------------------------------------------


def _reader(_request: Request) -> Response:
    if not has_reader():
        return _missing()
    page = (PAGES / "reader.html").read_bytes()
    return Response(page, headers={"content-security-policy": READER, "content-type": "text/html; charset=utf-8"})


def _static(request: Request) -> Response:
    return _file(PAGES, request.path_params["name"], {".css", ".js", ".svg"}, cache="no-cache")


def _library(request: Request) -> Response:
    return _file(LIBRARY, request.path_params["path"], {".css", ".js"}, cache="max-age=3600")


def _file(folder: Path, name: str, kinds: set[str], cache: str) -> Response:
    """A file below a folder, of a kind that browsers load; no name leads out of the folder."""
    path = (folder / name).resolve() if "\0" not in name else folder
    if not path.is_relative_to(folder.resolve()) or path.suffix not in kinds or not path.is_file():
        return _missing()
    return Response(path.read_bytes(), headers={"content-type": f"{_STATIC[path.suffix]}; charset=utf-8", "cache-control": cache})
