"""Plain text: whole files of cases, and the rules of lines, tables and formulas one by one."""

from __future__ import annotations

import pickle
import unicodedata
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from editions import PUBLISHER, SITE, edition, view
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from rendering import TOPICS, digests_elsewhere, rendered, topic

from pipeline.contracts import Assets, Row
from pipeline.notices import Notice
from pipeline.topic import MATHML, Metadata, Topic
from transforms._math import words
from transforms._wrap import COLUMNS, width, wrap

text = import_module("transforms.text")


def said(markup: str, language: str = "en") -> str:
    """The body text of mark-up."""
    body = etree.fromstring(f'<body xmlns:m="{MATHML}">{markup}</body>')
    made = text.body(view(Topic(Metadata(id="t", language=language, title="T"), body)), Assets())
    return str(made.content.decode())


@pytest.mark.parametrize("name", TOPICS)
def test_lines_are_clean_and_short(name: str) -> None:
    data = rendered("text", name)[0].data.decode()
    assert data.endswith("\n")
    assert not data.endswith("\n\n")
    assert "\r" not in data
    assert "\n\n\n\n" not in data
    assert not [c for c in data if unicodedata.category(c) == "Cc" and c != "\n"]
    for line in data.split("\n"):
        assert line == line.rstrip()
        assert width(line) <= COLUMNS or "https://" in line, line


def test_body_stands_verbatim_once_and_knows_no_partner() -> None:
    body = text.body(view(topic("everything")), Assets())
    file = rendered("text", "everything")[0]
    assert file.data.count(body.content) == 1
    assert SITE.name.encode() not in body.content
    assert body.omitted == {"cross-references": 2}
    assert pickle.loads(pickle.dumps(body)) == body


def test_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    assert len(digests_elsewhere("text", tmp_path)) == 1


def test_each_notice_is_a_paragraph() -> None:
    metadata = topic("everything").metadata
    paragraphs = [" ".join(p.split()) for p in rendered("text", "everything")[0].data.decode().split("\n\n")]
    for notice in edition(metadata).notices:
        assert paragraphs.count(notice.printed) == 1


def test_lines_of_a_notice_are_lines() -> None:
    review = Notice("medical-review", ("Ada Byron MD", "Mary Seacole RN"), "Medical Review:")
    assert text._notice(review) == ["Medical Review:", "  Ada Byron MD", "  Mary Seacole RN"]
    assert text._notice(Notice("attribution", ("From A.", "From B."))) == ["From A.", "From B."]
    terms = Notice("terms", ("Terms of use",), url="https://example.org/terms")
    assert text._notice(terms) == ["Terms of use: https://example.org/terms"]


@pytest.mark.parametrize(
    ("markup", "expected_text"),
    [
        ("<p>10<sup>9</sup> H<sub>2</sub>O</p>", "10^9 H_2O"),
        ('<p>See <a data-kind="external" href="https://e.org/x">this</a>.</p>', "See this <https://e.org/x>."),
        ('<p><a data-kind="external" href="https://e.org/">e.org</a></p>', "e.org"),
        ('<p><a data-kind="external" href="https://e.org/"/></p>', "https://e.org/"),
        ('<p><a data-kind="external" href="mailto:a@e.org">Write</a></p>', "Write <a@e.org>"),
        ('<p><a data-kind="external" href="tel:+1-555-0100">+1 555 0100</a></p>', "+1 555 0100"),
        ('<p>a <img src="x" alt=""/> b</p>', "a b"),
        ('<p>a <img src="x" alt="a cat"/> b</p>', "a [Image: a cat] b"),
        ("<p>a<br/>b</p>", "a\nb"),
        ("<p><br/></p><p>b</p>", "b"),
        ("<p>was <s>5 mg</s> 2 mg</p>", "was ~~5 mg~~ 2 mg"),
        ("<p>- no list, *no* _mark_ \\ &lt;b&gt;</p>", "- no list, *no* _mark_ \\ <b>"),
        ("<p>1. no list</p>", "1. no list"),
        ("<p>  a\n\t b&#8201;c&#8232;d </p>", "a b c d"),
        ("<p>5&#160;mg</p>", "5\u00a0mg"),
        ('<p data-only="html">x</p><p>y<b data-only="json">x</b>z</p>', "yz"),
        ('<aside data-kind="danger"><ul><li>a</li></ul></aside>', "  Danger:\n\n  - a"),
        ('<aside data-kind="note"><h>Read</h><p>a</p></aside>', "  Note: Read\n\n  a"),
        ('<ul data-kind="checklist"><li><p>a</p></li></ul>', "- [ ] a"),
        ('<ul data-kind="checklist"><li><ul><li>a</li></ul></li></ul>', "- [ ]\n  - a"),
        ("<ul><li/><li>a</li></ul>", "-\n- a"),
        ('<ol start="0"><li>a</li></ol>', "0.  a"),
        ('<ol start="-2"><li>a</li></ol>', "-2. a"),
        ("<pre>a\n  b\n\n c</pre>", "  a\n    b\n\n   c"),
        ("<dl><dt>a</dt><dt>b</dt><dd>c</dd></dl>", "a\nb\n    c"),
        ('<section data-kind="related"><ul><li>a</li></ul></section>', "Related information\n-------------------\n\n- a"),
        ("<section><h/><p>a</p></section>", "a"),
    ],
)
def test_what_can_not_be_shown_is_said(markup: str, expected_text: str) -> None:
    assert said(markup) == expected_text + "\n"


@pytest.mark.parametrize(("mark", "expected_text"), [("2", "a[2]"), ("*", "a[2]"), ("", "a[2]"), ("see below", "asee below [2]")])
def test_footnote_marks_name_the_printed_number(mark: str, expected_text: str) -> None:
    link = f'<sup><a data-kind="footnote" href="#n">{mark}</a></sup>'
    notes = '<section data-kind="footnotes"><ol><li>x</li><li id="n">y</li></ol></section>'
    assert said(f"<p>a{link}</p>{notes}").startswith(expected_text + "\n")


TABLES = {
    "no headers": ("<tr><td>a</td><td>b</td></tr>", "- a | b"),
    "empty cell": ("<tr><td>a</td><td/></tr>", "- a |"),
    "row headers alone": ('<tr><th scope="row">a</th><td>b</td></tr>', "- a\n  - b"),
    "column headers in the first row": (
        '<tr><th scope="col">A</th><th scope="col">B:</th></tr><tr><td>1</td><td>2</td></tr>',
        "- A: 1\n  B: 2",
    ),
    "headers alone": ('<tr><th scope="col">A</th><th scope="col">B</th></tr>', "- A\n  - B"),
    "one over all": ('<tr><td colspan="2">t</td></tr><tr><td>a</td><td>b</td></tr>', "t\n\n- a | b"),
    "span beyond the group": ('<tr><td rowspan="9">a</td><td>b</td></tr><tr><td>c</td></tr>', "- a | b\n- a | c"),
    "span of monstrous width": ('<tr><td colspan="99999999">a</td></tr>', "a"),
    "spans in both directions": (
        '<tr><td rowspan="2" colspan="2">a</td><td>b</td></tr><tr><td>c</td></tr><tr><td>d</td><td>e</td><td>f</td></tr>',
        "- a | b\n- a | c\n- d | e | f",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_of_tables_stand_alone(name: str) -> None:
    markup, expected_text = TABLES[name]
    assert said(f"<table><tbody>{markup}</tbody></table>") == expected_text + "\n"


@pytest.mark.parametrize(
    ("markup", "expected_text"),
    [
        ('<math alttext="a over b"><mi>x</mi></math>', "a over b"),
        ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac></math>", "(a + b)/2"),
        ("<math><msup><mi>x</mi><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></msup></math>", "x^(n + 1)"),
        ("<math><msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup></math>", "x_1^2"),
        ("<math><msqrt><mi>a</mi><mi>b</mi></msqrt></math>", "√ab"),
        ("<math><mroot><mi>a</mi><mn>3</mn></mroot></math>", "a^(1/3)"),
        ("<math><mi>f</mi><mo>\u2061</mo><mo>(</mo><mi>x</mi><mo>)</mo></math>", "f(x)"),
        ("<math><mfenced><mi>a</mi><mi>b</mi></mfenced></math>", "(a, b)"),
        ("<math><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable></math>", "[1, 2]"),
        ('<math><semantics><mi>a</mi><annotation encoding="x">b</annotation></semantics></math>', "a"),
        ("<math><mover><mi>x</mi><mo>¯</mo></mover></math>", "x^(¯)"),
    ],
)
def test_formulas_keep_their_value(markup: str, expected_text: str) -> None:
    math = etree.fromstring(markup.replace("<math", f'<math xmlns="{MATHML}"', 1))
    assert words(math) == expected_text


def test_what_is_not_shown_in_a_table_has_its_place() -> None:
    head = "<thead><tr><th>Age</th><th>Day</th><th>Night</th></tr></thead>"
    first = '<tr><td rowspan="3">Child</td><td data-only="html">1</td><td>2</td></tr>'
    rows = f'{first}<tr data-only="html"><td>3</td><td>4</td></tr><tr><td>5</td><td>6</td></tr>'
    found = said(f"<table>{head}<tbody>{rows}</tbody></table>")
    assert " ".join(found.split()) == "- Age: Child Night: 2 - Age: Child Day: 5 Night: 6"


def test_lines_break_at_spaces_only() -> None:
    address = "https://example.org/" + "a" * 90
    assert wrap(f"see {address} now", 24) == ["see", address, "now"]
    assert wrap("one two three four five six seven", 30, first="1.  ") == ["1.  one two three four five", "    six seven"]
    assert wrap("one two three four five six", 10) == ["one two three four five", "six"]  # so much is always left


def test_numbers_stay_with_the_word_after_them() -> None:
    assert wrap("aaaaaaaaaaaaaaaaa take 20 mg", 24) == ["aaaaaaaaaaaaaaaaa take", "20 mg"]
    assert wrap("aaaaaaaaaaaaaaaaa take 2.5\u00a0mg", 24) == ["aaaaaaaaaaaaaaaaa take", "2.5\u00a0mg"]
    assert wrap("1 2 3 4 5 6 7 8 9 10 11 12 13 14", 24) == ["1 2 3 4 5 6 7 8 9 10 11", "12 13 14"]


def test_wide_scripts_break_between_signs_but_not_before_their_stops() -> None:
    lines = wrap("请在饭后服用药物，每天两次。如果出现任何不适，请立即联系医生。", 24)
    assert "".join(lines) == "请在饭后服用药物，每天两次。如果出现任何不适，请立即联系医生。"
    assert [width(line) for line in lines] == [22, 24, 16]
    assert wrap("请在饭后服用药物药物药物，每", 24) == ["请在饭后服用药物药物药", "物，每"]
    assert wrap("服用 5\u00a0毫克", 24) == ["服用 5\u00a0毫克"]
    assert width("e\u0301") == 1
    assert width("薬") == 2


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=300), st.integers(24, 90))
def test_wrapping_keeps_every_sign(line: str, columns: int) -> None:
    given_text = " ".join(line.split())
    lines = wrap(given_text, columns)
    assert "".join("".join(lines).split()) == "".join(given_text.split())
    assert all(part == part.rstrip(" ") for part in lines)


def test_bundle_says_whose_texts_these_are() -> None:
    def row(name: str, language: str, agreement: str) -> Row:
        return Row(id=name, language=language, title="T", agreement=agreement, clause="Schedule A, 1")

    rows = [row("a", "es", "RH-1"), row("b", "en", "RH-2"), row("c", "en", "RH-1"), row("d", "en", "RH-1")]
    (file,) = text.bundle(rows, SITE, PUBLISHER)
    assert (file.path, file.media_type) == ("NOTICE.txt", "text/plain")
    notice = file.data.decode()
    assert "Example Health Press" in notice
    assert "Riverside Health" in notice
    assert "- RH-1, Schedule A, 1: 3 topics (en 2, es 1)\n- RH-2, Schedule A, 1: 1 topic (en 1)\n" in notice
    assert text.bundle(list(reversed(rows)), SITE, PUBLISHER) == [file]


def test_bundle_says_what_is_owed() -> None:
    """Clauses that software can not enforce, to the letter, each an item of its own."""
    site = replace(SITE, obligations=(("Schedule C, 2", "No advertising beside the content."), ("5.1", "Monthly usage figures.")))
    (file,) = text.bundle([], site, PUBLISHER)
    assert file.data.decode().endswith(
        "What the agreements ask besides:\n\n- Schedule C, 2: No advertising beside the content.\n- 5.1: Monthly usage figures.\n"
    )
