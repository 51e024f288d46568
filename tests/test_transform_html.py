"""Web pages: what stands where, what can not get in, and whether browsers and checkers agree."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import validators
from conftest import require_tool
from editions import PUBLISHER, SITE, edition, view
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.exceptions import SecurityError
from lxml import etree, html
from pages import page, written
from rendering import ASSETS, CASES, LOGO, TOPICS, case_edition, digests_elsewhere, rendered, topic

from pipeline.contracts import Brand, FileRow, Row, Site
from pipeline.topic import Copyright, Correction, Person
from transforms._brand import DARK_PANEL, LIGHT_PANEL, TEXT_CONTRAST, brand_css, contrast, parse

if TYPE_CHECKING:
    from playwright.sync_api import Browser

web = import_module("transforms.html")


def tree(text: str) -> etree._Element:
    return html.document_fromstring(text)


def structured(text: str) -> dict[str, Any]:
    """The page's JSON-LD, which is its only script."""
    [script] = tree(text).findall(".//script")
    assert script.get("type") == "application/ld+json"
    return dict(json.loads(script.text or ""))


# --- whole pages --------------------------------------------------------------------------------


def test_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    assert len(digests_elsewhere("html", tmp_path)) == 1


def test_body_stands_verbatim_once_and_knows_no_partner() -> None:
    body = web.body(view(topic("everything")), ASSETS)
    assert rendered("html", "everything")[0].data.count(body.content) == 1
    assert SITE.name.encode() not in body.content
    assert body.omitted == {}
    assert pickle.loads(pickle.dumps(body)) == body


def test_images_stand_beside_the_page() -> None:
    files = rendered("html", "everything")
    text = files[0].data.decode()
    assert {file.path.removeprefix("en-US/warfarin-home/") for file in files[1:]} == set(re.findall(r'src="(media/[^"]+)"', text))
    assert {file.media_type for file in files[1:]} == {"image/png", "image/svg+xml"}


def test_each_notice_stands_once_in_one_element() -> None:
    made = case_edition("everything")
    root = tree(page("html", "everything"))
    for notice in made.notices:
        [element] = root.xpath(f"//*[@data-notice='{notice.kind}']")
        assert " ".join(element.text_content().split()) == notice.text


def test_marks_stand_right_under_the_title() -> None:
    root = tree(page("html", "everything"))
    [mark] = root.xpath("//*[@data-mark]")
    assert mark.text_content() == case_edition("everything").marks[0].text
    [title] = root.iter("h1")
    assert title.getparent() is mark.getparent()
    assert [e.tag for e in title.itersiblings()].index("nav") > [*title.itersiblings()].index(mark)


def test_a_page_offers_only_what_the_site_gets() -> None:
    metadata = topic("everything").metadata
    body = web.body(view(topic("everything")), ASSETS)

    def offered(*formats: str) -> list[str]:
        text = web.imprint(body, edition(metadata, formats=formats))[0].data.decode()
        return re.findall(r'<li><a href="([^"]+)" type="', text)

    assert offered("html", "print", "epub", "text", "json") == ["print.html", "warfarin-home.epub", "warfarin-home.txt"]
    assert offered("html", "epub") == ["warfarin-home.epub"]
    assert offered("html") == []


def test_other_languages_are_offered_in_their_own_words() -> None:
    text = page("html", "everything")
    link = '<a href="../../es/warfarin-home/index.html" hreflang="es" lang="es" dir="ltr">Español</a>'
    assert link in text
    assert '<link rel="alternate" hreflang="es" href="../../es/warfarin-home/index.html">' in text


def test_short_topics_have_no_table_of_contents() -> None:
    assert "syn-toc" not in page("html", "bare")
    assert "syn-toc" in page("html", "everything")


# --- structured data ----------------------------------------------------------------------------


def test_structured_data() -> None:
    metadata = replace(
        topic("everything").metadata,
        copyright=Copyright(first_year=1998, last_year=2026, holder="Example Health Press, Inc."),
        go_live=date(2026, 3, 1),
        expires=date(2028, 1, 1),
        authors=(Person(name="Ada Byron", credentials="MD"), Person(name="Example Staff")),
        corrections=(Correction(on=date(2026, 2, 11), note="The number was wrong."),),
    )
    made = edition(metadata)
    found = structured(web.imprint(web.body(view(topic("everything")), ASSETS), made)[0].data.decode())
    assert found == {
        "@context": "https://schema.org",
        "@type": "MedicalWebPage",
        "about": [
            {
                "@type": "MedicalEntity",
                "name": "Warfarin",
                "code": {"@type": "MedicalCode", "codeValue": "48603004", "codingSystem": "http://snomed.info/sct"},
            }
        ],
        "alternateName": ["Anticoagulant care", "Warfarin care"],
        "audience": [{"@type": "MedicalAudience", "audienceType": "patient"}],
        "author": [{"@type": "Person", "name": "Ada Byron", "honorificSuffix": "MD"}, {"name": "Example Staff"}],
        "copyrightHolder": {"@type": "Organization", "name": "Example Health Press, Inc."},
        "copyrightNotice": next(n.text for n in made.notices if n.kind == "copyright"),
        "copyrightYear": 1998,
        "correction": ["The number was wrong."],
        "creditText": "Dose figures adapted with permission from the Example Formulary.",
        "dateCreated": "2015-06-30",
        "dateModified": "2026-02-11",
        "datePublished": "2026-03-01",
        "description": metadata.summary,
        "expires": "2028-01-01",
        "identifier": "warfarin-home",
        "inLanguage": "en-US",
        "keywords": ["blood thinner", "INR"],
        "lastReviewed": "2025-09-01",
        "license": "https://example.org/terms",
        "name": metadata.title,
        "publisher": {"@type": "Organization", "name": "Example Health Press", "url": "https://example.org/"},
        "reviewedBy": [
            {"@type": "Person", "name": "Ada Byron", "honorificSuffix": "MD", "knowsAbout": "Internal Medicine"},
            {"@type": "Person", "name": "Mary Seacole", "honorificSuffix": "RN"},
        ],
        "url": "https://example.org/topics/warfarin-home",
        "usageInfo": {
            "@type": "CreativeWork",
            "text": "Your use of this information means that you agree to the terms of use.",
            "url": "https://example.org/terms",
        },
        "version": "3.2",
    }


def test_what_nobody_said_is_not_in_the_structured_data() -> None:
    assert set(structured(page("html", "names"))) == {
        "@context", "@type", "alternateName", "copyrightHolder", "copyrightNotice", "copyrightYear", "creditText", "identifier",
        "inLanguage", "license", "name", "publisher", "usageInfo",
    }  # fmt: skip


# --- what can not get in ------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", ["html", "print"])
def test_nothing_of_a_topic_becomes_mark_up(format_name: str) -> None:
    text = page(format_name, "hostile")
    root, metadata = tree(text), topic("hostile").metadata
    scripts = [script.get("type") for script in root.iter("script")]
    assert scripts == (["application/ld+json"] if format_name == "html" else [])
    assert not [name for element in root.iter() for name in element.keys() if name.startswith("on")]  # noqa: SIM118
    assert not list(root.iter("svg", "iframe", "i", "b"))
    assert [" ".join("".join(map(str, title.itertext())).split()) for title in root.iter("h1")] == [
        " ".join(metadata.title.split())
    ]
    assert len(root.findall(".//style")) == (0 if format_name == "html" else 2)


def test_structured_data_survives_hostile_metadata() -> None:
    found, metadata = structured(page("html", "hostile")), topic("hostile").metadata
    assert found["name"] == metadata.title
    assert found["author"] == [{"name": metadata.authors[0].name}]
    assert "<" not in page("html", "hostile").split('application/ld+json">')[1].split("</script>")[0]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_title_is_read_back_as_it_is(title: str) -> None:
    shown = topic("bare")
    made = edition(replace(shown.metadata, title=title))
    text = web.imprint(web.body(view(shown), ASSETS), made)[0].data.decode()
    assert structured(text)["name"] == title
    assert tree(text).find(".//h1").text == title  # type: ignore[union-attr]


def test_pages_ask_no_other_host_and_carry_no_style_or_script_of_their_own() -> None:
    root = tree(page("html", "everything"))
    asked = [e.get("src") for e in root.iter("img")] + [e.get("href") for e in root.iter("link") if e.get("rel") == "stylesheet"]
    assert all(url and not re.match(r"[a-z]+:|//", url) for url in asked)
    assert not root.xpath("//*[@style] | //style")
    policy = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert len(policy) == 1
    for directive in ("connect-src", "font-src", "frame-src", "media-src", "object-src", "base-uri", "form-action"):
        assert f"{directive} 'none'" in policy[0]


# --- a site's own looks -------------------------------------------------------------------------


def test_a_sites_own_files_win_over_ours_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "html.html").write_text(
        "<!DOCTYPE html><html lang='{{ topic.language }}'><title>{{ topic.title }}</title>{{ body }}"
    )
    (tmp_path / "topic.css").write_text("/* ours */ .syn-main { color: #123456 }")
    site = replace(SITE, templates=str(tmp_path))
    body = web.body(view(topic("bare")), ASSETS)
    text = web.imprint(body, edition(topic("bare").metadata, site=site))[0].data
    assert text.startswith(b"<!DOCTYPE html><html lang='")
    assert text.count(body.content) == 1
    [sheet] = [file.data.decode() for file in web.bundle([], site, PUBLISHER) if file.media_type == "text/css"]
    assert "#123456" in sheet
    assert ".syn-note--emergency" in sheet
    assert "ours" not in sheet


def test_a_sites_templates_reach_nothing_but_their_values(tmp_path: Path) -> None:
    (tmp_path / "html.html").write_text("{{ topic.__class__.__mro__ }}")
    site = replace(SITE, templates=str(tmp_path))
    with pytest.raises(SecurityError):
        web.imprint(web.body(view(topic("bare")), ASSETS), edition(topic("bare").metadata, site=site))


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_any_brand_colour_can_be_read(color: str) -> None:
    light, dark = re.findall(r"--syn-accent:(#[0-9a-f]{6})", brand_css(color))
    [ink] = re.findall(r"--syn-on-brand:(#[0-9a-f]{6})", brand_css(color))
    assert contrast(parse(light), LIGHT_PANEL) >= TEXT_CONTRAST
    assert contrast(parse(dark), DARK_PANEL) >= TEXT_CONTRAST
    assert contrast(parse(ink), parse(color)) >= TEXT_CONTRAST
    if contrast(parse(color), LIGHT_PANEL) >= TEXT_CONTRAST:
        assert light == color


@pytest.mark.parametrize("color", ["red", "#fff", "#12345g", "#123456;}", ""])
def test_a_colour_that_is_none_is_refused(color: str) -> None:
    with pytest.raises(ValueError, match="brand colour: expected #rrggbb"):
        brand_css(color)


def test_words_of_our_own_sheet_stand_out_from_what_is_behind_them() -> None:
    sheet = (CASES.parents[1] / "transforms/pages/topic.css").read_text()
    schemes = [dict(re.findall(r"(--syn-[a-z-]+): (#[0-9a-f]{6})", part)) for part in sheet.split("prefers-color-scheme: dark")]
    for colors in schemes:
        for behind in ("paper", "panel", "note", "tip", "warning", "danger"):
            assert contrast(parse(colors["--syn-text"]), parse(colors[f"--syn-{behind}"])) >= 7
        assert contrast(parse(colors["--syn-soft"]), parse(colors["--syn-paper"])) >= TEXT_CONTRAST
        for kind in ("note", "tip", "warning", "danger"):
            assert contrast(parse(colors[f"--syn-{kind}-line"]), parse(colors[f"--syn-{kind}"])) >= TEXT_CONTRAST


# --- a bundle's own files -----------------------------------------------------------------------


def a_row(name: str, language: str, title: str, formats: tuple[str, ...] = ("html", "print"), **values: Any) -> Row:
    ends = {"html": "index.html", "print": "print.html", "epub": f"{name}.epub", "text": f"{name}.txt", "json": "topic.json"}
    types = {"html": "text/html", "print": "text/html", "epub": "application/epub+zip", "text": "text/plain"}
    files = tuple(FileRow(f, f"{language}/{name}/{ends[f]}", "0", 1, types.get(f, "application/json")) for f in formats)
    image = FileRow("html", f"{language}/{name}/media/0-a.png", "0", 1, "image/png")
    return Row(id=name, language=language, title=title, files=(image, *files), **values)


def index(rows: list[Row], site: Site = SITE) -> etree._Element:
    return tree(web.bundle(rows, site, PUBLISHER)[0].data.decode())


def test_index_groups_by_language_and_collection() -> None:
    root = index([
        a_row("b", "en", "Zinc & <iron>", collections=("heart-care", "food")),
        a_row("a", "en", "Apples", collections=("food",)),
        a_row("c", "ar", "ألم الصدر"),
    ])  # fmt: skip
    headings = [(e.tag, e.text) for e in root.iter("h1", "h2", "h3")]
    assert headings == [
        ("h1", "Topics for Riverside Health"),
        ("h2", "العربية"), ("h3", "Other topics"),
        ("h2", "English"), ("h3", "Food"), ("h3", "Heart care"),
    ]  # fmt: skip
    links = [(a.get("href"), a.text) for a in root.iter("a") if a.get("class") == "syn-index__topic"]
    assert links == [
        ("ar/c/index.html", "ألم الصدر"),
        ("en/a/index.html", "Apples"),
        ("en/b/index.html", "Zinc & <iron>"),
        ("en/b/index.html", "Zinc & <iron>"),
    ]
    assert root.xpath("//section[1]//a/@dir") == ["rtl"]
    assert root.xpath("string(//p[@class='syn-also'])") == "3 topics"


def test_index_leads_to_each_format_once() -> None:
    root = index([a_row("b", "en", "B", ("print", "epub", "text", "json"))])
    links = [(a.get("href"), a.text, a.get("aria-label")) for a in root.xpath("//ul//a")]
    assert links == [
        ("en/b/print.html", "B", None),
        ("en/b/b.epub", "E-book (EPUB)", "E-book (EPUB): B"),
        ("en/b/b.txt", "Plain text", "Plain text: B"),
        ("en/b/topic.json", "JSON", "JSON: B"),
    ]


def test_index_speaks_the_language_of_most_topics() -> None:
    root = index(
        [a_row("a", "ar", "أ"), a_row("b", "ar", "ب"), a_row("c", "en", "C"), a_row("d", "tlh", "D"), a_row("e", "tlh", "E")]
    )
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")


def test_bundle_files_are_those_that_pages_ask_for() -> None:
    site = replace(SITE, brand=Brand("#7a1fa2", LOGO))
    publisher = replace(PUBLISHER, logo=LOGO)
    files = {file.path for file in web.bundle([], site, publisher)}
    made = replace(edition(topic("bare").metadata, site=site), publisher=publisher)
    text = web.imprint(web.body(view(topic("bare")), ASSETS), made)[0].data.decode()
    asked = {url.removeprefix("../../") for url in re.findall(r'(?:src|href)="(\.\./\.\./assets/[^"]+)"', text)}
    assert asked == {path for path in files if path != "index.html"}
    assert len(asked) == 3


# --- browsers and checkers ----------------------------------------------------------------------


def laid_out(folder: Path) -> list[Path]:
    """All cases' pages, web and print, in one bundle."""
    rows = [a_row(topic(case).metadata.id, topic(case).metadata.language, topic(case).metadata.title) for case in TOPICS]
    files = [file for case in TOPICS for name in ("html", "print") for file in rendered(name, case)]
    return written(folder, [*files, *web.bundle(rows, SITE, PUBLISHER)])


@pytest.mark.tools
def test_nu_finds_neither_errors_nor_warnings(tmp_path: Path) -> None:
    require_tool(validators.NU_JAR.exists(), "vnu-jar")
    assert validators.nu([*laid_out(tmp_path), *tmp_path.rglob("*.css")]) == []


@pytest.mark.tools
def test_chromium_shows_every_page_whole_and_axe_finds_no_barrier(browser: Browser, tmp_path: Path) -> None:
    require_tool(validators.AXE.exists(), "axe-core")
    for path in laid_out(tmp_path):
        for width, dark in ((1280, False), (320, True)):
            with validators.opened(browser, path, width=width, dark=dark) as shown:
                assert not shown.evaluate("document.documentElement.scrollWidth > innerWidth"), (path, width)
                violations = [line for line in validators.axe(shown) if " violations " in line]
            assert violations == []


@pytest.mark.tools
def test_chromium_applies_policies_without_complaint(browser: Browser, tmp_path: Path) -> None:
    said: list[str] = []
    for path in laid_out(tmp_path):
        shown = browser.new_page()
        shown.on("console", lambda message: said.append(message.text))
        shown.goto(path.as_uri(), wait_until="load")
        assert shown.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--syn-paper')") == "#ffffff"
        assert shown.evaluate("[...document.images].every(image => image.naturalWidth > 0)"), path
        shown.close()
    assert said == []
