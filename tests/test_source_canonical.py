"""Canonical topics as a vocabulary: cases, and that any topic printed and loaded is the same topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline.contracts import Head
from pipeline.topic import (
    STATUSES,
    Code,
    Copyright,
    Correction,
    Metadata,
    Person,
    Review,
    Topic,
    Translation,
    digest,
    dump,
    load,
    schema_problems,
)
from sources import canonical


@pytest.mark.parametrize(
    ("head", "claimed"),
    [
        (Head("f", "topic", attributes={"schema": "1", "id": "a"}), True),
        (Head("f", "topic", attributes={"schema": "9"}), True),
        (Head("f", "topic", public_id="-//OASIS//DTD DITA Topic//EN", attributes={"id": "a"}), False),
        (Head("f", "topic", "urn:x", attributes={"schema": "1"}), False),
        (Head("f", "body", attributes={"schema": "1"}), False),
    ],
)
def test_printed_topics_are_claimed_and_dita_topics_are_not(head: Head, claimed: bool) -> None:
    assert canonical.claims(head) is claimed


# --- any topic ----------------------------------------------------------------------------------

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXT = st.text(st.one_of(CHARACTERS, st.sampled_from("\t\n\r")), max_size=12)
SOME = st.text(CHARACTERS, min_size=1, max_size=12)
IDS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
MAYBE = st.one_of(st.just(""), SOME)
PEOPLE = st.builds(Person, name=SOME, credentials=MAYBE, specialty=MAYBE, role=MAYBE, display=MAYBE)


def several(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, max_size=2).map(tuple)


METADATA = st.builds(
    Metadata,
    id=IDS,
    language=st.sampled_from(["en", "es-US", "zh-Hant-TW"]),
    title=SOME,
    version=MAYBE,
    concept=MAYBE,
    also_called=several(SOME),
    summary=MAYBE,
    url=MAYBE,
    setting=st.sampled_from(["", "before", "after", "home"]),
    audiences=several(SOME),
    territories=several(SOME),
    collections=several(SOME),
    keywords=several(SOME),
    codes=several(st.builds(Code, code=SOME, system=MAYBE, oid=MAYBE, display=MAYBE)),
    created=st.none() | DAYS,
    modified=st.none() | DAYS,
    current_as_of=st.none() | DAYS,
    review_due=st.none() | DAYS,
    go_live=st.none() | DAYS,
    expires=st.none() | DAYS,
    status=st.sampled_from(STATUSES),
    authors=several(PEOPLE),
    reviews=several(st.builds(Review, person=PEOPLE, on=st.none() | DAYS, version=MAYBE)),
    translation=st.none()
    | st.builds(Translation, of=SOME, version=MAYBE, method=MAYBE, translator=MAYBE, reviewed_on=st.none() | DAYS),
    corrections=several(st.builds(Correction, on=DAYS, note=SOME)),
    copyright=st.none()
    | st.builds(Copyright, first_year=st.integers(1000, 9999), last_year=st.integers(1000, 9999), holder=SOME),
    source_rights=several(SOME),
    companions=several(IDS),
    reading_level=MAYBE,
    owner=MAYBE,
    file=MAYBE,
    line=st.integers(0, 99999),
)


def element(tag: str, content: Sequence[str | etree._Element], **attributes: str) -> etree._Element:
    made = etree.Element(tag, {name.replace("_", "-"): value for name, value in attributes.items()})
    for piece in content:
        if not isinstance(piece, str):
            made.append(piece)
        elif piece and len(made):
            made[-1].tail = (made[-1].tail or "") + piece
        elif piece:
            made.text = (made.text or "") + piece
    return made


def marked(inner: st.SearchStrategy[list[str | etree._Element]]) -> st.SearchStrategy[etree._Element]:
    return st.one_of(
        st.builds(element, st.sampled_from(["em", "strong", "sub", "sup", "span", "q", "code"]), inner),
        st.builds(element, st.just("a"), inner, data_kind=st.just("topic"), data_topic=IDS, data_anchor=SOME),
        st.builds(element, st.just("abbr"), inner, title=TEXT),
    )


INLINES: st.SearchStrategy[list[str | etree._Element]] = st.recursive(
    st.lists(st.one_of(TEXT, st.builds(element, st.just("br"), st.just([]))), max_size=3),
    lambda inner: st.lists(st.one_of(TEXT, marked(inner)), max_size=3),
    max_leaves=4,
)
LINE = st.integers(1, 9999).map(str)


def containers(blocks: st.SearchStrategy[list[etree._Element]]) -> st.SearchStrategy[list[etree._Element]]:
    items = st.lists(st.builds(element, st.just("li"), st.one_of(INLINES, blocks)), min_size=1, max_size=3)
    heading = st.builds(element, st.just("h"), INLINES)
    section = st.builds(lambda h, inside: element("section", [h, *inside], data_kind="example"), heading, blocks)
    wrapped = st.builds(element, st.sampled_from(["blockquote", "div"]), blocks.filter(bool), data_only=st.just("html epub"))
    return st.lists(st.one_of(st.builds(element, st.sampled_from(["ul", "ol"]), items), section, wrapped), max_size=3)


BLOCKS = st.recursive(
    st.lists(st.builds(element, st.sampled_from(["p", "pre"]), INLINES, data_line=LINE), max_size=3), containers, max_leaves=6
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(METADATA, BLOCKS)
def test_any_topic_that_is_printed_and_loaded_is_the_same(metadata: Metadata, blocks: list[etree._Element]) -> None:
    topic = Topic(metadata, element("body", blocks))
    assert schema_problems(topic.body) == []
    again = load(dump(topic))
    assert again == topic
    assert digest(again) == digest(topic)
    assert dump(again) == dump(topic)
