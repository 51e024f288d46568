"""Seeded faults in what files say of themselves to programs, and in a file's language: each is caught in the format it is in."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from proven import FORMATS, Rendering, codes, rendering, rezipped, topic

from pipeline.topic import Topic


def said() -> Topic:
    """The topic with every day."""
    days = {"go_live": date(2023, 5, 10), "expires": date(2030, 1, 31), "review_due": date(2026, 3, 1)}
    return replace(topic(), metadata=replace(topic().metadata, **days))  # type: ignore[arg-type]


@cache
def good(name: str) -> Rendering:
    return rendering(name, said())


@pytest.mark.parametrize("name", FORMATS)
def test_true_metadata_are_proven(name: str) -> None:
    assert good(name).file_findings() == []


PAGE_FAULTS = {
    "let search engines in": ('content="noindex"', 'content="all"', "metadata"),
    "let some engines in": ('content="noindex"', 'content="noindex, all"', "metadata"),
    "no word to search engines": ('<meta name="robots" content="noindex">', "", "metadata"),
    "no reservation": ('<meta name="tdm-reservation" content="1">', "", "metadata"),
    "reservation lifted": ('name="tdm-reservation" content="1"', 'name="tdm-reservation" content="0"', "metadata"),
    "two reservations": ("</head>", '<meta name="tdm-reservation" content="0"></head>', "metadata"),
    "another policy": (
        'tdm-policy" content="https://example.org/terms"',
        'tdm-policy" content="https://example.com/"',
        "metadata",
    ),
    "no license": ('<link rel="license" href="https://example.org/terms">', "", "metadata"),
    "another license": ('<link rel="license" href="https://example.org/terms">', '<link rel="license" href="x">', "metadata"),
    "two licenses": ("</head>", '<link rel="license" href="https://example.com/free"></head>', "metadata"),
    "another language": ('lang="en" dir="ltr">', 'lang="es" dir="ltr">', "language"),
    "another direction": ('lang="en" dir="ltr">', 'lang="en" dir="rtl">', "language"),
}
STRUCTURED_FAULTS: dict[str, tuple[str, Any, str]] = {
    "another language": ("inLanguage", "es", "language"),
    "another title": ("name", "Low Blood Pressure", "metadata"),
    "another id": ("identifier", "stroke", "metadata"),
    "another version": ("version", "4", "metadata"),
    "a later edit": ("dateModified", "2026-05-04", "metadata"),
    "a later review": ("lastReviewed", "2026-03-01", "metadata"),
    "a review that is no day": ("lastReviewed", "March 1, 2023", "metadata"),
    "an earlier publication": ("datePublished", "2020-01-01", "metadata"),
    "another creation": ("dateCreated", "2019-02-02", "metadata"),
    "a later end": ("expires", "2031-01-31", "metadata"),
    "no end": ("expires", None, "metadata"),
    "another holder": ("copyrightHolder", {"@type": "Organization", "name": "Riverside"}, "metadata"),
    "another year": ("copyrightYear", 2026, "metadata"),
    "another notice": ("copyrightNotice", "© 2026 Riverside.", "metadata"),
    "another license": ("license", "https://creativecommons.org/licenses/by/4.0/", "metadata"),
    "another credit": ("creditText", "Riverside Health", "metadata"),
    "no author": ("author", [], "metadata"),
    "an author more": ("author", [{"name": "Ana Ruiz"}, {"name": "Dr. Who"}], "metadata"),
    "a reviewer lost": ("reviewedBy", [{"name": "Lee Okafor"}], "metadata"),
    "a reviewer twice": ("reviewedBy", [{"name": "Lee Okafor"}, {"name": "Ida Bergman"}, {"name": "Ida Bergman"}], "metadata"),
}
BOOK_FAULTS = {
    "another language": ("<dc:language>en</dc:language>", "<dc:language>es</dc:language>", "language"),
    "another title": ("<dc:title>High", "<dc:title>Low", "metadata"),
    "another direction": ('page-progression-direction="ltr"', 'page-progression-direction="rtl"', "language"),
    "another notice": ("<dc:rights>© 1995", "<dc:rights>© 1996", "metadata"),
    "another author": (">Ana Ruiz<", ">Ana Diaz<", "metadata"),
    "another reviewer": (">Lee Okafor<", ">Lee Marvin<", "metadata"),
    "a reviewer who only edits": (">rev<", ">edt<", "metadata"),
    "another license": ('license">https://example.org/terms', 'license">https://example.com/terms', "metadata"),
    "reservation lifted": ('"tdm:reservation">1<', '"tdm:reservation">0<', "metadata"),
    "another policy": ('"tdm:policy">https://example.org', '"tdm:policy">https://example.com', "metadata"),
    "another publication": ("<dc:date>2023-05-10", "<dc:date>2024-05-10", "metadata"),
    "a later review": ('lastReviewed">2023', 'lastReviewed">2026', "metadata"),
    "a later edit": ('dateModified">2023', 'dateModified">2026', "metadata"),
    "a later end": ('expires">2030', 'expires">2040', "metadata"),
    "another creation": ('dateCreated">2019', 'dateCreated">2018', "metadata"),
}
DATA_FAULTS: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "another language": (("language",), "es", "language"),
    "another title": (("title",), "Low Blood Pressure", "metadata"),
    "a later review": (("dates", "current_as_of"), "2026-03-01", "metadata"),
    "another day of review": (("dates", "review_due"), None, "metadata"),
    "another publication": (("dates", "published"), "2020-01-01", "metadata"),
    "another agreement": (("license", "agreement"), "RH-0", "metadata"),
    "another clause": (("license", "clause"), "Schedule Z", "metadata"),
    "another credit": (("credit",), "Riverside", "metadata"),
    "another first year": (("copyright", "first_year"), 2020, "metadata"),
    "another holder": (("copyright", "holder"), "Riverside", "metadata"),
    "reservation lifted": (("machines", "tdm_reservation"), 0, "metadata"),
    "let search engines in": (("machines", "robots"), "all", "metadata"),
    "an author lost": (("authors",), [], "metadata"),
    "a reviewer lost": (("reviews",), [], "metadata"),
}


def found(made: Rendering) -> set[str]:
    """The kinds of findings of the finished file."""
    return codes(made.file_findings())


@pytest.mark.parametrize("name", ["html", "print"])
@pytest.mark.parametrize("fault", PAGE_FAULTS)
def test_a_page(fault: str, name: str) -> None:
    old, new, code = PAGE_FAULTS[fault]
    assert f"audit.{code}" in found(good(name).changed(old, new))


@pytest.mark.parametrize("fault", STRUCTURED_FAULTS)
def test_structured_data(fault: str) -> None:
    name, value, code = STRUCTURED_FAULTS[fault]
    page = good("html").files[0].data.decode()
    match = re.search(r'(<script type="application/ld\+json">)(.*?)(</script>)', page)
    assert match is not None
    data = json.loads(match[2])
    assert data.get(name) != value
    changed = json.dumps({**data, name: value} if value is not None else {k: v for k, v in data.items() if k != name})
    assert f"audit.{code}" in found(good("html").changed(match[0], match[1] + changed + match[3]))


@pytest.mark.parametrize("fault", BOOK_FAULTS)
def test_a_book(fault: str) -> None:
    old, new, code = BOOK_FAULTS[fault]
    assert f"audit.{code}" in found(good("epub").member_changed("EPUB/package.opf", old, new))


@pytest.mark.parametrize("fault", DATA_FAULTS)
def test_a_json_file(fault: str) -> None:
    place, value, code = DATA_FAULTS[fault]
    data = json.loads(good("json").files[0].data)
    target = data
    for name in place[:-1]:
        target = target[name]
    assert target[place[-1]] != value
    target[place[-1]] = value
    assert f"audit.{code}" in found(good("json").with_main(json.dumps(data).encode()))


# --- a page of a book that ends too soon --------------------------------------------------------


def cut(data: bytes, after: str) -> bytes:
    """A page that ends after the first place of that text, every open element closed: well-formed, and not whole."""
    text = data.decode()
    end = text.index(after) + len(after)
    tags = [tag for tag in re.findall(r"<(/?)([\w:]+)[^>]*?(/?)>", text[:end]) if not tag[2] and tag[1] != "DOCTYPE"]
    still: list[str] = []
    for closing, name, _ in tags:
        still.pop() if closing else still.append(name)
    return (text[:end] + "".join(f"</{name}>" for name in reversed(still)) + "\n").encode()


@pytest.mark.parametrize(
    ("member", "after", "code"),
    [
        ("EPUB/rights.xhtml", "Terms of use</a></p>", "notice-missing"),
        ("EPUB/rights.xhtml", "</h1>", "notice-missing"),
        ("EPUB/title.xhtml", '<section class="syn-title-page" epub:type="titlepage">', "mark-missing"),
        ("EPUB/topic.xhtml", "Call your doctor within", "text-lost"),
        ("EPUB/topic.xhtml", "</h1>", "text-lost"),
        ("EPUB/nav.xhtml", "<ol>", "link-broken"),
    ],
)
def test_a_page_of_a_book_that_ends_too_soon(member: str, after: str, code: str) -> None:
    made = good("epub")
    data = rezipped(made.files[0].data, lambda name, content: cut(content, after) if name == member else content)
    assert f"audit.{code}" in found(made.with_main(data))


@pytest.mark.parametrize("member", ["EPUB/rights.xhtml", "EPUB/title.xhtml", "EPUB/topic.xhtml"])
@pytest.mark.parametrize("old", ['xml:lang="en"', ' lang="en"'])
def test_a_page_of_a_book_in_another_language(member: str, old: str) -> None:
    changed = good("epub").member_changed(member, old, old.replace("en", "es"))
    assert found(changed) & {"audit.language", "audit.text-lost", "audit.body-place"}
