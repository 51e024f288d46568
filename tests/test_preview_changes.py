"""What will change, and how hard it reads: words that matter to a patient are never passed over in silence."""

from __future__ import annotations

import pytest
from lxml import etree

from pipeline.preview.changes import Block, changed, compare
from pipeline.preview.reading import reading
from pipeline.preview.source_text import coloured


def page(*blocks: str) -> bytes:
    return f"<!DOCTYPE html><html><body><main>{''.join(blocks)}</main></body></html>".encode()


def differing(before: str, after: str) -> Block:
    blocks = [block for block in compare(page(before), page(after)) if block.kind != "same"]
    assert len(blocks) == 1
    return blocks[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Take 5 mg each morning with food.", "Take 50 mg each morning with food."),
        ("Take 5 mg each morning with food.", "Take 5 mcg each morning with food."),
        ("Take 0.5 mg each morning with food.", "Take 5 mg each morning with food."),
        ("Give it to children older than 12 years.", "Give it to children older than 2 years."),
        ("Do not take it with alcohol at any time.", "Do take it with alcohol at any time."),
        ("You can drive after taking this medicine.", "You can never drive after taking this medicine."),
        ("No lo tome con alcohol en ningún momento.", "Lo tome sin alcohol en ningún momento."),
        ("Take 1 tablet every 4 hours for pain.", "Take 1 tablet every 4 days for pain."),
    ],
)
def test_a_change_that_may_be_clinical_is_marked(before: str, after: str) -> None:
    assert differing(f"<p>{before}</p>", f"<p>{after}</p>").clinical


def test_a_change_of_plain_words_is_shown_and_not_marked() -> None:
    block = differing("<p>Asthma makes it hard to breathe.</p>", "<p>Asthma can make it hard to breathe.</p>")
    assert not block.clinical
    assert [(piece.kind, piece.text.strip()) for piece in block.pieces if piece.kind != "same"] == [
        ("gone", "makes"),
        ("new", "can make"),
    ]


def test_all_changes_under_a_heading_that_says_when_to_call_are_marked() -> None:
    before = page(
        "<h2>When to call for help</h2><p>Your lips look gray to others.</p><h2>Causes</h2><p>Dust is a cause of it.</p>"
    )
    after = page(
        "<h2>When to call for help</h2><p>Your lips look pale to others.</p><h2>Causes</h2><p>Smoke is a cause of it.</p>"
    )
    marks = [block.clinical for block in compare(before, after) if block.kind != "same"]
    assert marks == [True, False]


def test_a_lost_line_shows_as_gone() -> None:
    blocks = compare(page("<p>Rest.</p><p>Call 911 if you faint.</p>"), page("<p>Rest.</p>"))
    assert [(block.kind, block.clinical) for block in blocks] == [("same", False), ("gone", True)]
    assert changed(blocks) == 1


def test_markup_in_pages_stays_text() -> None:
    block = differing("<p>a b c</p>", "<p>a b c &lt;script&gt;</p>")
    assert "<script>" in "".join(piece.text for piece in block.pieces)


def test_reading_level_counts_prose_and_shows_the_longest_sentences() -> None:
    long = (
        "This sentence goes on and on with many words so that any reader who is tired will lose its thread before its very end."
    )
    body = etree.fromstring(f"<body><p>Rest. Drink water often. {long}</p><pre>code is no prose</pre></body>")
    found = reading(body, "en", "")
    assert found
    assert found.longest[0] == (len(long.split()), long)
    assert dict(found.scores)["Flesch-Kincaid grade"] > 3
    assert not found.smog_sound
    assert "code" not in " ".join(text for _, text in found.longest)
    spanish = reading(body, "es-US", "")
    assert spanish
    assert [name for name, _ in spanish.scores] == ["Szigriszt-Pazos"]
    arabic = reading(body, "ar", "5")
    assert arabic
    assert (arabic.scores, arabic.target) == ((), "5")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.dita", '<p id="x">Call 911 &amp; wait</p>', {("nt", "<p"), ("na", "id="), ("s", '"x"'), ("ni", "&amp;")}),
        ("a.xml", "<!-- one\ntwo -->\n\n<a/>", {("c", "<!-- one"), ("c", "two -->"), ("nt", "<a/>")}),
        ("a.toml", 'id = "x"  # why', {("s", '"x"'), ("c", "# why")}),
        ("a.csv", "a,b\r\n\u2028c", set()),
        ("a.dita", "<p>\n<<b\x00</p", set()),
    ],
)
def test_source_is_coloured_and_its_text_stays(name: str, text: str, words: set[tuple[str, str]]) -> None:
    lines = text.splitlines()
    found = coloured(name, lines)
    assert ["".join(part for _, part in line) for line in found] == lines
    assert words <= {word for line in found for word in line}
