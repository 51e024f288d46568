"""Outside judges over every finished file of examples/: EPUBCheck, Nu, axe, Ace, Chromium - no error and no warning.

Each judge is first shown a file that it must refuse.
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bundlecheck import bundle_problems, epub_problems
from demo import Demo, run
from validators import NoReport, Visit, ace, axe, epubcheck, nu, opened, visit

from benchmarks import project
from benchmarks.partner import everything

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.tools

GOOD_PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>A page</title></head>'
    "<body><main><h1>A page</h1><p>About a small page that has nothing wrong with it.</p></main></body></html>\n"
)
BAD_PAGE = (
    "<!DOCTYPE html>\n<html><head><title></title><style>@media print { [data-notice] { display: none } } p { width: 600px } "
    "@media (prefers-color-scheme: dark) { body { background: #222 } p { color: #333 } }</style></head>"
    '<body><h1></h1><p><img src="http://127.0.0.1:9/x.png"><a href="gone.html">here</a> <a href="#gone">there</a></p>'
    '<p data-notice="copyright">\u00a9 2026 Somebody</p><p data-notice="use" hidden>Terms</p></body></html>\n'
)
CONTAINER = (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="p.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="u" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="u">urn:x-one</dc:identifier><dc:title>One</dc:title>
<dc:language>en</dc:language><meta property="dcterms:modified">2026-01-01T00:00:00Z</meta>
<meta property="schema:accessMode">textual</meta><meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta><meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Text alone.</meta></metadata>
<manifest><item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>
<spine><itemref idref="n"/></spine></package>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>One</title></head><body><nav epub:type="toc" role="doc-toc" aria-label="Contents"><h1>Contents</h1><ol>
<li><a href="nav.xhtml">One</a></li></ol></nav></body></html>"""


def _epub(path: Path, *, nav: str = NAV, compress_mimetype: bool = False) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        method = zipfile.ZIP_DEFLATED if compress_mimetype else zipfile.ZIP_STORED
        archive.writestr("mimetype", "application/epub+zip", method)
        for name, text in (("META-INF/container.xml", CONTAINER), ("p.opf", PACKAGE), ("nav.xhtml", nav)):
            archive.writestr(name, text)
    return path


def _page(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# --- the judges can say no ----------------------------------------------------------------------


def test_epubcheck_tells_good_from_bad(tmp_path: Path) -> None:
    good = _epub(tmp_path / "good.epub")
    bad = _epub(tmp_path / "bad.epub", nav=NAV.replace("<ol>", "<ol><p/>"))
    assert epubcheck([good]) == []
    assert any("RSC-005" in line for line in epubcheck([good, bad]))
    assert epubcheck([_page(tmp_path / "no.epub", "no zip at all")]) != []


def test_a_missing_file_is_no_clean_file(tmp_path: Path) -> None:
    with pytest.raises(NoReport):
        epubcheck([tmp_path / "missing.epub"])


def test_bundle_check_tells_good_from_bad(tmp_path: Path) -> None:
    assert list(epub_problems(_epub(tmp_path / "good.epub"))) == []
    assert list(epub_problems(_epub(tmp_path / "packed.epub", compress_mimetype=True))) == [
        "mimetype is not the first member, stored"
    ]
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    _page(bundle / "index.html", BAD_PAGE)
    _page(bundle / "manifest.json", json.dumps({"files": [], "topics": []}))
    assert list(bundle_problems(bundle)) == [
        "index.html: <img> asks for http://127.0.0.1:9/x.png",
        "index.html: gone.html leads to gone.html, which is not there",
        "index.html: #gone leads to no element of index.html",
        "index.html is not in manifest.json",
    ]


@pytest.mark.usefixtures("npm_tools")
def test_nu_tells_good_from_bad(tmp_path: Path) -> None:
    good, bad = _page(tmp_path / "good.html", GOOD_PAGE), _page(tmp_path / "bad.html", BAD_PAGE)
    sheet = _page(tmp_path / "bad.css", "p { colour: red }\n")
    assert nu([good]) == []
    found = nu([good, bad, sheet])
    assert any("alt" in line for line in found)
    assert any("warning" in line and "lang" in line for line in found)
    assert any("bad.css" in line for line in found)
    assert not any("good.html" in line for line in found)


@pytest.mark.usefixtures("npm_tools")
def test_axe_tells_good_from_bad(tmp_path: Path, browser: Browser) -> None:
    with opened(browser, _page(tmp_path / "good.html", GOOD_PAGE)) as page:
        assert axe(page) == []
    with opened(browser, _page(tmp_path / "bad.html", BAD_PAGE)) as page:
        assert any("image-alt" in line for line in axe(page))


@pytest.mark.usefixtures("npm_tools")
def test_a_visit_tells_good_from_bad(tmp_path: Path, browser: Browser) -> None:
    good, bad = _page(tmp_path / "good.html", GOOD_PAGE), _page(tmp_path / "bad.html", BAD_PAGE)
    assert visit(browser, good) == Visit(good, (good.as_uri(),), (), (), False, (), ())
    seen = visit(browser, bad)
    assert seen.requests == (bad.as_uri(), "http://127.0.0.1:9/x.png")
    assert any("image-alt" in line for line in seen.desk)
    assert any("color-contrast" in line for line in seen.telephone)
    assert not any("color-contrast" in line for line in seen.desk)
    assert seen.too_wide
    assert seen.screen == (("copyright", "\u00a9 2026 Somebody"), ("use", ""))
    assert seen.paper == (("copyright", ""), ("use", ""))


@pytest.mark.usefixtures("npm_tools")
def test_ace_tells_good_from_bad(tmp_path: Path, chromium_path: str) -> None:
    good = _epub(tmp_path / "good.epub")
    bad = _epub(tmp_path / "bad.epub", nav=NAV.replace("<li>", '<li><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="/>'))
    assert ace([good], chromium_path) == []
    assert any("image-alt" in line for line in ace([good, bad], chromium_path))
    with pytest.raises(NoReport):
        ace([good, _page(tmp_path / "no.epub", "no zip at all")], chromium_path)


# --- examples/ ----------------------------------------------------------------------------------


def test_examples_hold_what_is_judged(examples_run: Demo) -> None:
    assert len(examples_run.bundles) >= 3
    assert {path.parent.parent.name for path in examples_run.files("index.html")} >= {"en", "es", "ar"}
    for pattern in ("index.html", "print.html", "*.epub", "*.txt", "topic.json", "*.css"):
        assert examples_run.files(pattern), pattern


def test_bundles_hang_together(examples_run: Demo) -> None:
    assert [f"{name}: {line}" for name, bundle in examples_run.bundles.items() for line in bundle_problems(bundle)] == []


def test_epubs_pass_epubcheck(examples_run: Demo) -> None:
    assert epubcheck(examples_run.files("*.epub")) == []


@pytest.mark.usefixtures("npm_tools")
def test_epubs_pass_ace(examples_run: Demo, chromium_path: str) -> None:
    assert ace(examples_run.files("*.epub"), chromium_path) == []


@pytest.mark.usefixtures("npm_tools")
def test_pages_pass_nu(examples_run: Demo) -> None:
    assert nu(examples_run.files("*.html", "*.css", "*.svg")) == []


@pytest.mark.usefixtures("npm_tools")
def test_articles_pass_nu_and_axe(examples_run: Demo, browser: Browser) -> None:
    """The `html` of a JSON file, put into a partner's page as it is, under headings down to the level that the site asked for."""
    pages = [_partners_page(path, number) for number, path in enumerate(examples_run.files("topic.json"))]
    try:
        assert nu(pages) == []
        found = []
        for path in pages:
            with opened(browser, path) as page:
                found += axe(page)
        assert found == []
    finally:
        for path in pages:
            path.unlink()


def _partners_page(path: Path, number: int) -> Path:
    topic = json.loads(path.read_text(encoding="utf-8"))
    first = re.search(r"<h([1-6])", topic["html"])
    above = "".join(f"<h{level}>{topic['title']}</h{level}>" for level in range(1, int(first[1]) if first else 2))
    return _page(
        path.parent / f"article-{number}.html",
        f'<!DOCTYPE html>\n<html lang="{topic["language"]}" dir="{topic["direction"]}"><head><meta charset="utf-8">'
        f"<title>{topic['title']}</title></head><body><main>{above}{topic['html']}</main></body></html>\n",
    )


@pytest.fixture(scope="session")
def visits(examples_run: Demo, browser: Browser, npm_tools: None) -> list[Visit]:  # noqa: ARG001
    """Every page of examples/, visited once."""
    return [visit(browser, path) for path in examples_run.files("*.html")]


def test_pages_pass_axe(visits: list[Visit]) -> None:
    """At a desk in light colours, on a telephone in dark ones."""
    assert [line for seen in visits for line in (*seen.desk, *seen.telephone)] == []


def test_pages_ask_nobody_for_anything(visits: list[Visit]) -> None:
    asked = {url for seen in visits for url in seen.requests}
    assert [url for url in sorted(asked) if not url.startswith(("file:", "data:"))] == []


def test_pages_fit_a_telephone(visits: list[Visit]) -> None:
    """Nothing but what scrolls by itself is wider than the screen."""
    assert [str(seen.path) for seen in visits if seen.too_wide] == []


def test_every_notice_is_seen_in_a_browser(visits: list[Visit]) -> None:
    """Chromium shows each notice once, on screen and on paper, word for word as the JSON file of the same edition states it."""
    judged = 0
    for seen in visits:
        topic = seen.path.parent / "topic.json"
        if not topic.exists():
            continue
        legal = json.loads(topic.read_text(encoding="utf-8"))["legal"]
        for shown in (seen.screen, seen.paper):
            assert sorted(kind for kind, _ in shown) == sorted(legal), seen.path
            for kind, text in shown:
                plain = " ".join(legal[kind]["text"].split())
                assert text in (plain, f"{plain.rstrip(' :.')}: {legal[kind].get('url')}"), f"{seen.path}: {kind}"
        judged += 1
    assert judged


# --- real publications --------------------------------------------------------------------------

PROJECT = """inputs = [{inputs}]
publisher = "publisher.toml"
partners = "partners"
store = "build/store"
cache = "build/cache"
"""
PUBLISHER = """id = "example"
name = "Example Press"
timezone = "UTC"
language = "en"
require = ["title"]
[copyright]
holder = "Example Press"
first_year = 2000
[notices.en]
disclaimer = "This text serves tests."
[notices.es]
disclaimer = "Este texto sirve para pruebas."
"""
PARTNER = everything("reader", {"en": "For tests alone.", "es": "Solo para pruebas."}, formats=project.FORMATS)


def _corpus_run(inputs: Path, folder: Path) -> Demo:
    (folder / "partners").mkdir(parents=True)
    _page(folder / "publisher.toml", PUBLISHER)
    _page(folder / "partners/reader.toml", PARTNER)
    config = _page(folder / "syndication.toml", PROJECT.format(inputs=json.dumps(str(inputs))))
    return run(config, folder / "bundles", codes=(0, 1))


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "least"), [("dita-ot-docs", 200), ("medlineplus", 4)])
def test_epubs_of_real_publications_pass_epubcheck(corpora: Path, tmp_path: Path, name: str, least: int) -> None:
    """Every topic comes out or has a finding; every EPUB of what came out is without errors."""
    demo = _corpus_run(corpora / name, tmp_path)
    epubs = demo.files("*.epub")
    assert len(epubs) >= least
    assert [line for line in epubcheck(epubs) if " ERROR " in line or " FATAL " in line] == []
    assert list(bundle_problems(demo.bundles["reader"])) == []
    topics = json.loads((demo.bundles["reader"] / "catalog.json").read_text())["topics"]
    made = {f"{topic['id']} {topic['language']}" for topic in topics}
    withheld = {name for site in demo.report["sites"] for name in site["withheld"]}  # a map may keep a topic from some formats
    assert len(made | withheld | set(demo.report["held_back"])) >= demo.report["topics"]
