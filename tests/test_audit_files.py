"""Seeded faults in books, plain text and JSON: finished files that lose, alter, double or hide what readers must see."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from editions import SITE
from proven import codes, rendering, rezipped

from pipeline.contracts import Presentation

good = cache(rendering)

PARTNER = '<p class="syn-notice syn-notice--partner-disclaimer" data-notice="partner-disclaimer">'
PARTNER_TEXT = "Not all treatments or services described are covered benefits."
WHOLE = f"{PARTNER}{PARTNER_TEXT}</p>"


# --- books --------------------------------------------------------------------------------------

RIGHTS_ITEM = 'href="rights.xhtml" media-type="application/xhtml+xml"'
ITEMREF = '<itemref idref="rights"/>'
RIGHTS, TITLE, CHAPTER, PACKAGE = "EPUB/rights.xhtml", "EPUB/title.xhtml", "EPUB/topic.xhtml", "EPUB/package.opf"

BOOK_FAULTS = {
    "notice lost": (RIGHTS, WHOLE, "", "notice-missing"),
    "notice altered": (RIGHTS, "advice of a doctor", "advice of a docter", "notice-altered"),
    "notice twice": (RIGHTS, WHOLE, WHOLE + WHOLE, "notice-twice"),
    "notice in the chapter's place": (TITLE, "</section>", f"{WHOLE}</section>", "notice-twice"),
    "notice hidden": (RIGHTS, PARTNER, PARTNER.replace("<p", '<p hidden="hidden"'), "notice-hidden"),
    "notice by style": (RIGHTS, PARTNER, PARTNER.replace("<p", '<p style="display:none"'), "notice-hidden"),
    "notice by sheet": ("EPUB/style.css", ".syn-topic", ".syn-notice { display: none } .syn-topic", "notice-hidden"),
    "notice by class": ("EPUB/style.css", ".syn-legal {", ".syn-legal { visibility: hidden;", "notice-hidden"),
    "chapter by sheet": ("EPUB/style.css", ".syn-topic", ".syn-body li { display: none } .syn-topic", "text-hidden"),
    "sheet from elsewhere": (
        "EPUB/style.css",
        ".syn-topic",
        "@import url(//example.net/); .syn-topic",
        "outside-request",
    ),
    "page cut off": (RIGHTS, "</section>", "", "unreadable"),
    "page language": (RIGHTS, 'lang="en"', 'lang="fr"', "language"),
    "page from elsewhere": (
        RIGHTS,
        "</head>",
        '<link rel="stylesheet" href="//example.net/"/></head>',
        "outside-request",
    ),
    "processing instruction": (
        RIGHTS,
        "<!DOCTYPE",
        '<?xml-stylesheet href="//example.net/"?><!DOCTYPE',
        "outside-request",
    ),
    "script": (RIGHTS, "</head>", "<script>1</script></head>", "active-content"),
    "picture missing": (RIGHTS, "</section>", '<p><img src="media/none.png" alt=""/></p></section>', "resource-missing"),
    "mark lost": (TITLE, "Review due: March 1, 2025", "", "mark-missing"),
    "rights page out of the spine": (PACKAGE, ITEMREF, "", "notice-missing"),
    "rights page beside the spine": (
        PACKAGE,
        '<itemref idref="rights"/>',
        '<itemref idref="rights" linear="no"/>',
        "notice-missing",
    ),
    "chapter out of the spine": (PACKAGE, '<itemref idref="topic"/>', "", "body-place"),
    "spine to nothing": (PACKAGE, '<itemref idref="topic"/>', '<itemref idref="none"/>', "unreadable"),
    "language of the book": (PACKAGE, "<dc:language>en<", "<dc:language>es<", "language"),
    "title of the book": (PACKAGE, "<dc:title>High", "<dc:title>Low", "metadata"),
    "rights of the book": (PACKAGE, "<dc:rights>© 1995-2023", "<dc:rights>© 1995-2024", "metadata"),
    "license of the book": (PACKAGE, "https://example.org/terms<", "https://example.net/<", "metadata"),
    "author of the book": (PACKAGE, "Ana Ruiz", "Someone Else", "metadata"),
    "direction of the book": (PACKAGE, 'page-progression-direction="ltr"', 'page-progression-direction="rtl"', "language"),
    "page as a picture": (PACKAGE, RIGHTS_ITEM, RIGHTS_ITEM.replace("application/xhtml+xml", "image/png"), "unreadable"),
    "file from elsewhere": (PACKAGE, 'href="style.css"', 'href="https://example.net/style.css"', "resource-missing"),
    "contents to nowhere": ("EPUB/nav.xhtml", "topic.xhtml#syn-blood-pressure--numbers", "topic.xhtml#numbers", "link-broken"),
    "contents to no page": ("EPUB/nav.xhtml", "topic.xhtml", "chapter.xhtml", "link-broken"),
    "no contents": ("EPUB/nav.xhtml", 'epub:type="toc"', 'epub:type="loi"', "unreadable"),
    "container": ("META-INF/container.xml", "EPUB/package.opf", "EPUB/other.opf", "unreadable"),
    "media type": ("mimetype", "application/epub+zip", "application/zip", "unreadable"),
    "item of the chapter": (CHAPTER, "<li>Do not talk.</li>", "", "text-lost"),
    "digit of the chapter": (CHAPTER, "2.5\u00a0mg", "25\u00a0mg", "text-changed"),
    "warning of the chapter": (CHAPTER, ">Emergency</p>", "></p>", "warning-word"),
}


@pytest.mark.parametrize("fault", BOOK_FAULTS)
def test_a_book(fault: str) -> None:
    name, old, new, code = BOOK_FAULTS[fault]
    found = codes(good("epub").member_changed(name, old, new).file_findings())
    assert f"audit.{code}" in found


def test_a_book_cut_off() -> None:
    made = good("epub")
    for length in (10, 1000, len(made.files[0].data) // 2, len(made.files[0].data) - 30):
        assert codes(made.with_main(made.files[0].data[:length]).file_findings()) == {"audit.unreadable"}


def test_a_book_with_a_damaged_page() -> None:
    made = good("epub")
    data = bytearray(made.files[0].data)
    at = data.index(b"EPUB/rights.xhtml") + len(b"EPUB/rights.xhtml") + 60
    data[at] ^= 0xFF
    assert "audit.unreadable" in codes(made.with_main(bytes(data)).file_findings())


@pytest.mark.parametrize("name", ["EPUB/rights.xhtml", "EPUB/topic.xhtml", "EPUB/nav.xhtml", "EPUB/package.opf", "mimetype"])
def test_a_book_without_one_of_its_parts(name: str) -> None:
    made = good("epub")
    without = rezipped(made.files[0].data, lambda n, data: None if n == name else data)
    assert codes(made.with_main(without).file_findings()) & {"audit.unreadable", "audit.notice-missing"}


def test_a_file_that_the_package_does_not_list() -> None:
    made = good("epub")
    stream = io.BytesIO(made.files[0].data)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("EPUB/extra.xhtml", "<html/>")
    assert codes(made.with_main(stream.getvalue()).file_findings()) == {"audit.unreadable"}


def test_a_book_that_says_one_thing_twice() -> None:
    made = good("epub")
    stream = io.BytesIO(made.files[0].data)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("EPUB/rights.xhtml", "<html/>")
    assert "audit.unreadable" in codes(made.with_main(stream.getvalue()).file_findings())


# --- plain text ---------------------------------------------------------------------------------

LINE = PARTNER_TEXT + "\n"
TEXT_FAULTS = {
    "notice lost": (LINE, "", "notice-missing"),
    "notice altered": ("advice of a doctor", "advice of a docter", "notice-altered"),
    "a year": ("© 1995-2023", "© 1995-2024", "notice-altered"),
    "address": ("https://example.org/terms", "https://example.com/terms", "notice-altered"),
    "twice": (LINE, f"{LINE}\n{LINE}", "notice-twice"),
    "run into the next": (f"{LINE}", f"{PARTNER_TEXT} More.\n", "notice-altered"),
    "a zero-width space": ("advice of a doctor", "advice of a doc\u200btor", "notice-altered"),
    "turned round": ("Author: Ana", "\u202eAuthor: Ana", "character"),
    "control characters": (LINE, f"\x1b[8m{LINE}", "character"),
    "carriage return": (LINE, f"{PARTNER_TEXT}\r{' ' * len(PARTNER_TEXT)}\n", "character"),
    "title": ("High Blood Pressure: 5", "Low Blood Pressure: 5", "title"),
    "mark": ("Review due: March 1, 2025", "", "mark-missing"),
    "item": ("- Do not talk.\n", "", "text-lost"),
    "dose": ("2.5 mg", "25 mg", "text-changed"),
}


@pytest.mark.parametrize("fault", TEXT_FAULTS)
def test_a_text_file(fault: str) -> None:
    old, new, code = TEXT_FAULTS[fault]
    assert f"audit.{code}" in codes(good("text").changed(old, new).file_findings())


def test_a_text_file_wrapped_elsewhere() -> None:
    made = good("text")
    wrapped = (
        made.files[0].data.replace(b"services described are", b"services\ndescribed are").replace(b"the advice", b"the\nadvice")
    )
    assert made.with_main(wrapped).file_findings() == []


# --- JSON ---------------------------------------------------------------------------------------


def _legal_from_html(data: dict[str, Any]) -> None:
    data["html"] = data["html"].replace(data["parts"]["legal"], "")


def _one_from_html(data: dict[str, Any]) -> None:
    data["html"] = data["html"].replace(WHOLE, "")


def _set(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for name in path[:-1]:
            data = data[name]
        assert path[-1] in data
        data[path[-1]] = to

    return change


def _swap(name: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        assert old in data[name]
        data[name] = data[name].replace(old, new, 1)

    return change


def _swap_part(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        assert old in data["parts"]["legal_adapted"]
        data["parts"]["legal_adapted"] = data["parts"]["legal_adapted"].replace(old, new, 1)

    return change


JSON_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "html without its legal block": (_legal_from_html, "notice-missing"),
    "html without one notice": (_one_from_html, "notice-missing"),
    "notice altered in html": (_swap("html", "advice of a doctor", "advice of a docter"), "notice-altered"),
    "notice hidden in html": (_swap("html", PARTNER, PARTNER.replace("<p", "<p hidden")), "notice-hidden"),
    "item dropped from html": (_swap("html", "<li>Do not talk.</li>", ""), "text-lost"),
    "digit in html": (_swap("html", "2.5\u00a0mg", "25\u00a0mg"), "text-changed"),
    "script in html": (_swap("html", "</footer>", "<script>1</script></footer>"), "active-content"),
    "style in html": (_swap("html", '<div class="syn-topic"', '<div style="color:red" class="syn-topic"'), "active-content"),
    "class of others in html": (_swap("html", 'class="syn-topic"', 'class="syn-topic card"'), "names"),
    "language of html": (_swap("html", 'lang="en"', 'lang="es"'), "language"),
    "picture from elsewhere in html": (
        _swap("html", "</footer>", '<img src="//x.net/" alt=""></footer>'),
        "outside-request",
    ),
    "notice lost among fields": (lambda data: data["legal"].pop("copyright"), "notice-missing"),
    "notice altered among fields": (_set("legal", "copyright", "text", to="© Someone"), "notice-altered"),
    "address altered among fields": (_set("legal", "terms", "url", to="https://example.net/"), "notice-altered"),
    "notice unknown among fields": (lambda data: data["legal"].update(sponsor={"text": "x"}), "notice-unknown"),
    "legal part without a notice": (lambda d: d["parts"].update(legal=d["parts"]["legal"].replace(WHOLE, "")), "notice-altered"),
    "adapted part without a notice": (_swap_part(WHOLE, ""), "notice-altered"),
    "adapted part by another": (_swap_part("Adapted by Riverside Health", "Adapted by Lakeside Health"), "notice-altered"),
    "adapted part that says nothing of it": (lambda d: d["parts"].update(legal_adapted=d["parts"]["legal"]), "notice-altered"),
    "adapted part that leads elsewhere": (_swap_part("https://example.org/terms", "https://example.net/"), "notice-altered"),
    "adapted part missing": (lambda d: d["parts"].pop("legal_adapted"), "notice-altered"),
    "adapted part as the usual one": (_set("parts", "default", to="legal_adapted"), "metadata"),
    "body part altered": (lambda d: d["parts"].update(body=d["parts"]["body"].replace("2.5", "25")), "body-place"),
    "body part missing": (_set("parts", "body", to=""), "body-place"),
    "title": (_set("title", to="Low Blood Pressure"), "metadata"),
    "id": (_set("id", to="other"), "metadata"),
    "language": (_set("language", to="es"), "language"),
    "direction": (_set("direction", to="rtl"), "language"),
    "date": (_set("dates", "current_as_of", to="2024-03-01"), "metadata"),
    "holder": (_set("copyright", "holder", to="Another"), "metadata"),
    "license": (_set("license", "url", to="https://example.net/"), "metadata"),
    "reviewer lost": (lambda data: data["reviews"].pop(), "metadata"),
    "picture not in the bundle": (_set("media", to=[{"path": "media/none.png"}]), "resource-missing"),
    "html that is no text": (_set("html", to=None), "unreadable"),
}


@pytest.mark.parametrize("fault", JSON_FAULTS)
def test_a_json_file(fault: str) -> None:
    change, code = JSON_FAULTS[fault]
    made = good("json")
    data = json.loads(made.files[0].data)
    change(data)
    broken = made.with_main(json.dumps(data, ensure_ascii=False).encode())
    assert f"audit.{code}" in codes(broken.file_findings())


def test_json_written_in_another_way_is_the_same() -> None:
    made = good("json")
    assert made.with_main(json.dumps(json.loads(made.files[0].data)).encode()).file_findings() == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"html": "a", "html": "b"}', b"\xff"])
def test_json_that_is_none(data: bytes) -> None:
    assert codes(good("json").with_main(data).file_findings()) == {"audit.unreadable"}


def test_a_site_may_choose_the_level_of_the_first_heading() -> None:
    made = rendering("json", site=replace(SITE, presentation=Presentation(heading_base=4)))
    assert made.body_findings() == []
    assert made.file_findings() == []
    assert b"<h4" in made.body.content
    assert b"<h2" not in made.body.content
