"""Proofs over random topics: what the formats make of them is proven, and no word can go without being missed."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from lxml import etree
from proven import ASSETS, Rendering, rendering

from pipeline.audit._css import sheet
from pipeline.audit._expect import Manner, expect
from pipeline.audit._reading import fold
from pipeline.audit._selectors import matcher
from pipeline.topic import Metadata, Topic, digest, schema_problems

CALM = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

WORDS = st.lists(
    st.sampled_from(
        ["call", "911", "5", "mg", "2.5", "not", "180/120", "°C", "β", "née", "if", "Warning", "Note", "1.", "-", "*", "[1]"]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)


def element(tag: str, *children: etree._Element | str, **attributes: str) -> etree._Element:
    """An element; text children stand between element children."""
    made = etree.Element(tag, {name.replace("_", "-"): value for name, value in attributes.items()})
    for child in children:
        if isinstance(child, str):
            if len(made):
                made[-1].tail = (made[-1].tail or "") + child
            else:
                made.text = (made.text or "") + child
        else:
            made.append(child)
    return made


def paragraph(text: str, mark: str) -> etree._Element:
    """A paragraph with one marked word at its end."""
    return element("p", f"{text} ", element(mark, "x9"), " end.")


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> etree._Element:
    """Any block that a body may hold."""
    kind = draw(st.sampled_from(["p", "ul", "ol", "dl", "aside", "table", "quote"] if depth < 2 else ["p"]))

    def words() -> str:
        return draw(WORDS)

    if kind == "p":
        return paragraph(words(), draw(st.sampled_from(["em", "strong", "sup", "sub", "code", "span"])))
    if kind in ("ul", "ol"):
        items = [
            element("li", words() if draw(st.booleans()) else draw(blocks(depth + 1))) for _ in range(draw(st.integers(1, 3)))
        ]
        return element(kind, *items)
    if kind == "dl":
        return element("dl", element("dt", words()), element("dd", words()), element("dd", paragraph(words(), "em")))
    if kind == "aside":
        heading = [element("h", words())] if draw(st.booleans()) else []
        kinds = ["note", "tip", "warning", "caution", "danger", "emergency"]
        return element("aside", *heading, draw(blocks(depth + 1)), data_kind=draw(st.sampled_from(kinds)))
    if kind == "table":
        head = element("thead", element("tr", element("th", words(), scope="col"), element("th", words(), scope="col")))
        rows = [element("tr", element("td", words()), element("td", words())) for _ in range(draw(st.integers(1, 2)))]
        return element("table", head, element("tbody", *rows))
    return element("blockquote", draw(blocks(depth + 1)))


@st.composite
def topics(draw: st.DrawFn) -> Topic:
    """A topic of a few sections."""
    sections = [
        element("section", element("h", draw(WORDS)), *draw(st.lists(blocks(), min_size=1, max_size=3)))
        for _ in range(draw(st.integers(1, 3)))
    ]
    body = element("body", *sections)
    assert schema_problems(body) == []
    note(etree.tostring(body, encoding="unicode"))
    return Topic(Metadata(id="any", language=draw(st.sampled_from(["en", "es"])), title="Any topic"), body)


@pytest.mark.parametrize("name", ["html", "print", "epub", "json", "text"])
@CALM
@given(topic=topics())
def test_what_the_formats_make_is_proven(name: str, topic: Topic) -> None:
    made = rendering(name, topic)
    assert [finding.text for finding in made.body_findings()] == []
    assert [finding.text for finding in made.file_findings()] == []


@pytest.mark.parametrize("name", ["html", "print", "epub", "json", "text"])
@CALM
@given(topic=topics(), data=st.data())
def test_no_word_can_go_without_being_missed(name: str, topic: Topic, data: st.DataObject) -> None:
    made = rendering(name, topic)
    text = made.body.content.decode()
    start = text.index("syn-body") if name != "text" else 0
    found = re.finditer(r"(?<!\w)(?:911|mg|2\.5|not|x9|end)(?!\w)", text)
    words = [each for each in found if each.start() > start and not _in_a_tag(text, each.start())]
    assume(words)
    gone = data.draw(st.sampled_from(words))
    changed = text[: gone.start()] + text[gone.end() :]
    assert made.body_findings(changed.encode()) != []


def _in_a_tag(text: str, at: int) -> bool:
    return text.rfind("<", 0, at) > text.rfind(">", 0, at)


@CALM
@given(topic=topics())
def test_every_letter_of_a_topic_is_expected(topic: Topic) -> None:
    expected = expect(topic, digest(topic), Manner("html", frozenset()))
    said = "".join(block.text for block in expected.blocks if block.kind != "word")
    letters = re.sub(r"[\s^_]", "", fold("".join(map(str, topic.body.itertext()))))
    assert re.sub(r"[\s^_]", "", said) == letters


# --- style sheets -------------------------------------------------------------------------------


@CALM
@given(st.text(max_size=200))
def test_no_style_sheet_can_break_the_reader(text: str) -> None:
    assert all(matcher(rule.selector)(etree.Element("p")) in (True, False) for rule in sheet(text).rules)


HIDING = [
    "display:none",
    "visibility:hidden",
    "opacity:0",
    "font-size:0",
    "position:absolute;left:-9999px",
    "clip-path:inset(50%)",
]
SELECTORS = [
    ".syn-notice", "p", "footer p", "[data-notice]", "footer > *", "html body p", "#x, .syn-notice", ":not(.x)", "p:first-child",
    "main ~ footer p", "*", "body *:is(p, div)", "p[class~=syn-notice]", "FOOTER P", "p.syn-notice.syn-notice--copyright",
]  # fmt: skip
AROUND = [
    "{}", "@media print{{{}}}", "@layer a{{{}}}", "@supports (a:b){{@media screen{{{}}}}}", "/*x*/{}", ".a{{b:c}}{}",
    "@media x{{}}{}",
]  # fmt: skip


@cache
def page() -> Rendering:
    """The page that sheets are tried on."""
    return rendering("html", assets=ASSETS)


@CALM
@given(st.sampled_from(SELECTORS), st.sampled_from(HIDING), st.sampled_from(AROUND), st.sampled_from(["", " ", "\n", "/**/"]))
def test_a_rule_that_hides_notices_is_found_however_it_is_written(selector: str, hiding: str, around: str, space: str) -> None:
    css = around.format(f"{selector}{space}{{{space}{hiding}{space}}}")
    assert "audit.notice-hidden" in {finding.code for finding in page().styled(css).file_findings()}
