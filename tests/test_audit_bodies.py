"""Seeded faults in what does not depend on the partner: each is one way to lose, alter, add or move words of a topic."""

from __future__ import annotations

from functools import cache

import pytest
from proven import ASSETS, CASES, FORMATS, codes, rendering, swapped, topic

from pipeline import audit
from pipeline.topic import dump, load

good = cache(rendering)

ITEM = "<li>Do not talk.</li>"
EMERGENCY = "Call 911\u00a0if you have chest pain, or if your pressure is 180/120\u00a0or more."

HTML_FAULTS = {
    "item dropped": (ITEM, "", "text-lost"),
    "item in a comment": (ITEM, f"<!-- {ITEM} -->", "text-lost"),
    "item in a template": (ITEM, f"<template>{ITEM}</template>", "text-hidden"),
    "item hidden": (ITEM, ITEM.replace("<li", "<li hidden"), "text-hidden"),
    "item hidden from ears": (ITEM, ITEM.replace("<li", '<li aria-hidden="true"'), "text-hidden"),
    "item by style": (ITEM, ITEM.replace("<li", '<li style="display:none"'), "active-content"),
    "items run together": ("Do not talk.</li>\n<li>", "Do not talk. ", "text-changed"),
    "items in one": ("Do not talk.</li>\n<li>Keep your feet flat.", "Do not talk.<p>Keep your feet flat.</p>", "structure"),
    "items swapped": ("Do not talk.</li>\n<li>Keep your feet flat.", "Keep your feet flat.</li><li>Do not talk.", "order"),
    "list as paragraphs": (ITEM, "</ul><p>Do not talk.</p><ul>", "structure"),
    "list numbered anew": ("<ol><li>Sit", '<ol start="2"><li>Sit', "structure"),
    "steps without numbers": ("<ol><li>Sit", "<ul><li>Sit", "markup"),
    "digit": ("2.5\u00a0mg", "25\u00a0mg", "text-changed"),
    "digit lost": ("180/120\u00a0or", "180/12\u00a0or", "text-changed"),
    "digit by an entity": ("2.5\u00a0mg", "&#50;.6\u00a0mg", "text-changed"),
    "digit of another script": ("2.5\u00a0mg", "٢.5\u00a0mg", "text-changed"),
    "unit": ("10\u00a0mg a day", "10\u00a0g a day", "text-changed"),
    "unit lost": ("10\u00a0mg a day", "10 a day", "text-changed"),
    "minus added": ("130\u00a0to", "-130\u00a0to", "text-changed"),
    "not lost": ("Do not stop", "Do stop", "text-changed"),
    "never lost": ("Never more than", "More than", "text-changed"),
    "power flattened": ("10<sup>9</sup>", "109", "text-changed"),
    "power in another place": ("10<sup>9</sup>", "1<sup>09</sup>", "text-changed"),
    "index flattened": ("H<sub>2</sub>O", "H2O", "text-changed"),
    "white space in a number": ("180/120", "18 0/120", "text-changed"),
    "zero-width space": ("180/120", "180\u200b/120", "text-changed"),
    "bidi override": ("180/120", "\u202e180/120", "text-changed"),
    "bidi element": ("180/120", '<bdo dir="rtl">180/120</bdo>', "markup"),
    "emergency dropped": (f"<p>{EMERGENCY}</p>", "", "text-lost"),
    "emergency's word dropped": ('<p class="syn-note__label">Emergency</p>', "", "warning-word"),
    "emergency's word weakened": (">Emergency</p>", ">Note</p>", "warning-word"),
    "emergency's word in another language": (">Emergency</p>", ">Emergencia</p>", "warning-word"),
    "emergency as a note": ('data-kind="emergency"', 'data-kind="note"', "structure"),
    "emergency as a plain block": ("<aside", "<div", "markup"),
    "warning's heading dropped": ("Do not stop on your own", "", "text-lost"),
    "heading dropped": ("How it is measured</h3>", "</h3>", "text-lost"),
    "heading as a paragraph": (">How it is measured</h3>", "></h3><p>How it is measured</p>", "structure"),
    "heading too deep": (">How it is measured</h3>", "></h3><h5>How it is measured</h5>", "heading-level"),
    "cell emptied": ("<td>140\u00a0or more</td>", "<td></td>", "text-lost"),
    "cell dropped": ("<td>140\u00a0or more</td>", "", "text-lost"),
    "cells swapped": ("<td>130\u00a0to 139</td>", "<td>140\u00a0or more</td>", "text-lost"),
    "header's scope dropped": ('<th scope="row">Stage 1', "<th>Stage 1", "table-header"),
    "header as a cell": ('<th scope="row">Stage 1</th>', "<td>Stage 1</td>", "structure"),
    "caption dropped": ("Stages of high blood pressure", "", "text-lost"),
    "definition dropped": ("<dd>Start with 10\u00a0mg once a day.</dd>", "", "text-lost"),
    "term dropped": ("<dt>Amlodipine</dt>", "", "text-lost"),
    "footnote dropped": ("Counted by a laboratory.", "", "text-lost"),
    "glossary dropped": ("The second number.", "", "text-lost"),
    "preformatted changed": ("118/79", "118/97", "text-changed"),
    "words added": ("<p>Call 911", "<p>Ask your plan first.</p><p>Call 911", "text-added"),
    "words added in a paragraph": ("Never more than", "Never ever more than", "text-changed"),
    "a word as a label": ("<p>Call 911", "<p>Definitions</p><p>Call 911", "text-added"),
    "picture dropped": ("<img", "<wbr data-was", "image-lost"),
    "picture's words changed": ('alt="A cuff around an upper arm"', 'alt="cuff.png"', "image-lost"),
    "picture's credit dropped": ("Photo: A. Person", "", "image-lost"),
    "another picture": ("media/0a1b2c3d-cuff.png", "media/4e5f6a7b-chart.png", "image-lost"),
    "link to another place": ("https://example.org/bp?x=1&amp;y=2", "https://example.org/", "link-lost"),
    "link to another topic": ('data-topic="heart-attack"', 'data-topic="heart-failure"', "link-lost"),
    "link as words": ('<a href="https://example.org/bp', '<span title="https://example.org/bp', "markup"),
    "link to nowhere": ('href="#syn-blood-pressure--f1"', 'href="#syn-blood-pressure--f2"', "link-broken"),
    "link that runs": ('href="https://example.org/bp?x=1&amp;y=2"', 'href="javascript:void(0)"', "link-scheme"),
    "id twice": ('<section id="syn-blood-pressure--medicine"', '<section id="syn-blood-pressure--numbers"', "id-twice"),
    "id of another page": ('id="syn-blood-pressure--medicine"', 'id="medicine"', "names"),
    "class of another page": ('class="syn-note__label"', 'class="label"', "names"),
    "internal line": ("<p>Call", '<p data-line="15">Call', "leftover"),
    "internal audience": ("<p>Call", '<p data-audience="staff">Call', "leftover"),
    "handler": ("<p>Call", '<p onclick="x()">Call', "active-content"),
    "script": ("<p>Call", "<script>1</script><p>Call", "active-content"),
    "picture from elsewhere": ("<p>Call", '<p><img src="https://example.net/1.png" alt=""></p><p>Call', "outside-request"),
    "entity that closes nothing": ("<p>Call", "<p/>Call", "markup"),
    "block in a paragraph": ("<p>Call", "<p><div>x</div>Call", "markup"),
    "words between rows": ("<tbody>", "<tbody>Ask first.", "markup"),
    "never closed": ("<p>Call", "<div><p>Call", "markup"),
    "closed too early": ("<p>Call", "</div></body></html><p>Call", "markup"),
}


@pytest.mark.parametrize("fault", HTML_FAULTS)
def test_a_page_body(fault: str) -> None:
    page = good("html")
    old, new, code = HTML_FAULTS[fault]
    assert f"audit.{code}" in codes(page.body_findings(swapped(page.body.content, old, new)))


def test_a_finding_names_the_lost_line_and_its_source() -> None:
    page = good("html")
    (finding,) = page.body_findings(swapped(page.body.content, ITEM, ""))
    assert finding.text == 'html: item "Do not talk." is missing'
    assert (finding.file, finding.line, finding.topic) == ("topics/blood-pressure.xml", 36, "blood-pressure en")


def test_a_finding_shows_both_texts_around_the_difference() -> None:
    page = good("html")
    (finding,) = page.body_findings(swapped(page.body.content, "2.5\u00a0mg", "25\u00a0mg"))
    assert finding.text == 'html: definition: expected "Start with 2.5 mg.", found "Start with 25 mg."'


def test_signs_that_nobody_sees_are_named() -> None:
    page = good("html")
    (finding,) = page.body_findings(swapped(page.body.content, "180/120", "180\u200b/120"))
    assert "180[U+200B]/120" in finding.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10\u00a0mg", "10 mg"),
        ("10\u00a0mg", "10\n   mg"),
        ("10\u00a0mg", "10\u202fmg"),
        ("180/120", "180&#47;120"),
        ("Stage 2", "Stage&#32;2"),
        ("<p>Call", '<p class="syn-p">Call'),
        ("Never more", "<em>Never</em> more"),
        ("<p>Call", "<!-- plain --><p>Call"),
    ],
)
def test_changes_that_nobody_sees(old: str, new: str) -> None:
    page = good("html")
    assert page.body_findings(swapped(page.body.content, old, new)) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_count_of_what_was_left_out_must_be_true(name: str) -> None:
    made = good(name)
    wrong = {**made.body.omitted, "definitions": made.body.omitted.get("definitions", 0) + 1}
    assert codes(made.body_findings(omitted=wrong)) == {"audit.omitted"}


# --- print --------------------------------------------------------------------------------------


def test_the_print_page_may_leave_out_what_it_says_and_nothing_else() -> None:
    made = good("print")
    assert dict(made.body.omitted) == {"cross-references": 3, "definitions": 1, "illustrations": 1}
    assert b"Signs of a heart attack" in made.body.content
    assert b"Where the cuff goes" not in made.body.content
    lost = swapped(made.body.content, "Signs of a heart attack", "")
    assert codes(made.body_findings(lost)) == {"audit.text-changed"}


def test_a_required_picture_must_be_on_the_print_page() -> None:
    made = good("print")
    start = made.body.content.index(b"<figure>")
    end = made.body.content.index(b"</figure>") + len(b"</figure>")
    assert codes(made.body_findings(made.body.content[:start] + made.body.content[end:])) == {"audit.image-lost"}


# --- plain text ---------------------------------------------------------------------------------

TEXT_FAULTS = {
    "line dropped": ("- Do not talk.\n", "\n", "text-lost"),
    "digit": ("2.5 mg", "25 mg", "text-changed"),
    "unit": ("10 mg once", "10 g once", "text-changed"),
    "power flattened": ("10^9", "109", "text-changed"),
    "warning's word dropped": ("Emergency: Call", "Call", "warning-word"),
    "warning's word weakened": ("Emergency: Call", "Note: Call", "warning-word"),
    "warning dropped": ("Warning: Do not stop on your own", "", "text-lost"),
    "heading dropped": ("How it is measured\n", "\n", "text-lost"),
    "item's sign dropped": ("- Do not talk.", "  Do not talk.", "structure"),
    "items in one": ("- Do not talk.\n", "- Do not talk. ", "structure"),
    "step's number": ("3.  Write down", "4.  Write down", "structure"),
    "cell dropped": ("140 or more", "", "text-changed"),
    "cell changed": ("140 or more", "14 or more", "text-changed"),
    "header dropped": ("Systolic: ", "", "structure"),
    "picture's words dropped": ("[Image: A cuff around an upper arm]", "", "text-lost"),
    "address dropped": (" <https://example.org/bp?x=1&y=2>", "", "text-changed"),
    "footnote's mark dropped": ("[1]", "", "text-changed"),
    "footnote dropped": ("Counted by a laboratory.", "", "text-lost"),
    "words added": ("Emergency: Call", "Ask your plan first.\n\nEmergency: Call", "text-added"),
    "words added at the end": ("Counted by a laboratory.", "Counted by a laboratory.\n\nThe end", "text-added"),
    "zero-width space": ("180/120", "180\u200b/120", "text-changed"),
    "form feed": ("Medicine\n", "Medicine\x0c\n", "character"),
    "heading in a line of text": ("measured\n~", "measured: sit down\n~", "text-changed"),
}


@pytest.mark.parametrize("fault", TEXT_FAULTS)
def test_a_text_body(fault: str) -> None:
    made = good("text")
    old, new, code = TEXT_FAULTS[fault]
    assert f"audit.{code}" in codes(made.body_findings(swapped(made.body.content, old, new)))


def test_text_items_swapped() -> None:
    made = good("text")
    text = made.body.content.decode()
    one, other = "- Do not talk.\n", "- Keep your feet flat.\n"
    swapped_items = text.replace(one, "\0").replace(other, one).replace("\0", other)
    assert "audit.order" in codes(made.body_findings(swapped_items.encode()))


def test_text_wrapped_elsewhere_is_the_same_text() -> None:
    made = good("text")
    again = made.body.content.decode().replace("once a day", "once\n    a day").replace("Stopping can", "Stopping\n  can")
    assert made.body_findings(again.encode()) == []


# --- EPUB and JSON ------------------------------------------------------------------------------

CHAPTER_FAULTS = {
    "item dropped": (ITEM, "", "text-lost"),
    "digit": ("2.5\u00a0mg", "25\u00a0mg", "text-changed"),
    "emergency's word": (">Emergency</p>", "></p>", "warning-word"),
    "title changed": ("<h1>High", "<h1>Low", "title"),
    "language": ('xml:lang="en"', 'xml:lang="es"', "language"),
    "cut off": ("</section>", "", "unreadable"),
    "entity": ("180/120", "180&frasl;120", "unreadable"),
    "script": ("<h1>", '<script src="x.js"></script><h1>', "active-content"),
    "picture from elsewhere": ('src="media/0a1b2c3d-cuff.png"', 'src="https://example.net/cuff.png"', "outside-request"),
}


@pytest.mark.parametrize("fault", CHAPTER_FAULTS)
def test_a_chapter(fault: str) -> None:
    made = good("epub")
    old, new, code = CHAPTER_FAULTS[fault]
    assert f"audit.{code}" in codes(made.body_findings(swapped(made.body.content, old, new)))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<li>Do not talk.</li>", "", "text-lost"),
        ("2.5\u00a0mg", "2.5\u00a0mcg", "text-changed"),
        ('data-topic=\\"heart-attack\\"', 'data-topic=\\"x\\"', "link-lost"),
        ("Call 911", 'Call 911"', "unreadable"),
        ("<h2", "<h4", "markup"),
    ],
)
def test_a_fragment(old: str, new: str, code: str) -> None:
    made = good("json")
    assert f"audit.{code}" in codes(made.body_findings(swapped(made.body.content, old, new)))


# --- other topics -------------------------------------------------------------------------------


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.xml")))
@pytest.mark.parametrize("name", FORMATS)
def test_every_case_is_proven_as_its_formats_make_it(name: str, case: str) -> None:
    made = rendering(name, topic(case))
    assert made.body_findings() == []
    assert made.file_findings() == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_that_is_not_to_be_had_is_there_in_words(name: str) -> None:
    made = rendering(name, assets=type(ASSETS)({}))
    assert made.body_findings() == []
    assert made.file_findings() == []


def test_the_words_digest_moves_with_words_alone() -> None:
    plain = topic()
    same = load(dump(plain).replace(b'data-line="36"', b'data-line="99"').replace(b'kind="topic"', b'kind="concept"', 1))
    other = load(dump(plain).replace(b"Do not talk.", b"Do not walk."))
    alt = load(dump(plain).replace(b"A cuff around", b"A cuff about"))
    assert audit.text_sha256(same) == audit.text_sha256(plain)
    assert len({audit.text_sha256(each) for each in (plain, other, alt)}) == 3


SHAPE_FAULTS = {
    "header over empty cells": ("  Dose taken:\n", ""),
    "header over no cell": ("How long it lasted", ""),
    "header of the inner table": ("With food: ", ""),
    "warning's word in a header": ("Warning: Dose", "Dose"),
    "words after an inner list": ("  Then rest.\n", ""),
    "a footnote's mark": (")[1]", ")"),
}


@pytest.mark.parametrize("fault", SHAPE_FAULTS)
def test_text_of_odd_shapes(fault: str) -> None:
    made = rendering("text", topic("shapes"))
    old, new = SHAPE_FAULTS[fault]
    assert made.body_findings() == []
    assert made.body_findings(swapped(made.body.content, old, new)) != []
