"""MedlinePlus: every case is a folder with a feed, the topics read from it, and the findings that it gives."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from inputs import Folder, indexed
from lxml import etree

from pipeline.contracts import Conditions, Head
from pipeline.topic import Topic, dump, load
from sources import medlineplus

CASES = Path(__file__).parent / "sources" / "medlineplus"


class Changed(Folder):
    """The files of a folder, after somebody wrote to them."""

    def __init__(self, root: Path, more: bytes) -> None:
        super().__init__(root)
        self.more = more

    def read(self, name: str) -> bytes:
        return super().read(name) + self.more


def test_records_of_one_number_are_entries_with_units_of_their_own() -> None:
    index = medlineplus.index(Folder(CASES / "bad-records" / "in"), ["feed.xml"], Conditions())
    units = [entry.unit for entry in index.entries if entry.metadata.id == "5"]
    assert len(units) == len(set(units)) == 2
    assert all(entry.public_id for entry in index.entries)


def test_both_sides_of_a_pair_share_a_concept() -> None:
    for case, number in (("schema-2011", "9202"), ("schema-2012", "9001")):
        concepts = {
            e.metadata.language: e.metadata.concept
            for e in indexed(medlineplus, Folder(CASES / case / "in")).entries
            if e.metadata.id != "9002"
        }
        assert concepts == {"en": number, "es": number}


def test_a_related_topic_that_is_not_published_is_a_link_to_its_address() -> None:
    files = Folder(CASES / "schema-2012" / "in")
    index = indexed(medlineplus, files)
    index = replace(index, ids={unit: topic for unit, topic in index.ids.items() if topic != "9002"})
    topic = medlineplus.read(index.entries[0], index, files).topic
    assert topic is not None
    related = topic.body.find("section[@data-kind='related']")
    assert related is not None
    assert [(a.get("data-kind"), a.get("href")) for a in related.iter("a")] == [
        ("external", "https://medlineplus.gov/fractures.html"),
        ("external", "https://medlineplus.gov/sportsinjuries.html"),
    ]
    assert "broken bones" in "".join(topic.body.itertext())
    assert not topic.body.findall(".//a[@data-kind='topic']")


def test_a_feed_that_changes_meanwhile_is_an_error() -> None:
    files = Folder(CASES / "schema-2012" / "in")
    index = indexed(medlineplus, files)
    medlineplus._FEEDS.clear()
    read = medlineplus.read(index.entries[0], index, Changed(CASES / "schema-2012" / "in", b"<!-- more -->"))
    assert read.topic is None
    assert [finding.code for finding in read.findings] == ["medlineplus.changed"]
    assert medlineplus.read(index.entries[0], index, files).topic is not None


def test_a_feed_that_is_no_xml_is_an_error() -> None:
    index = medlineplus.index(Changed(CASES / "schema-2012" / "in", b"<"), ["feed.xml"], Conditions())
    assert index.entries == ()
    assert [finding.code for finding in index.findings] == ["xml.not-well-formed"]


@pytest.mark.parametrize(
    ("head", "claimed"),
    [
        (Head("f", "health-topics"), True),
        (Head("f", "MedicalTopics"), True),
        (Head("f", "health-topic"), True),
        (Head("f", "health-topics", "urn:x"), False),
        (Head("f", "topic"), False),
    ],
)
def test_feeds_and_single_records_are_claimed(head: Head, claimed: bool) -> None:
    assert medlineplus.claims(head) is claimed


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def text_of(topic: Topic) -> str:
    return " ".join([*topic.body.itertext(), topic.metadata.title, topic.metadata.summary, *topic.metadata.source_rights])


@pytest.mark.corpus
def test_nothing_of_the_corpus_is_lost(corpora: Path) -> None:
    files = Folder(corpora / "medlineplus")
    index = indexed(medlineplus, files)
    assert len(index.ids) == len(index.entries) == 5
    assert {finding.code for finding in index.findings} == {"medlineplus.count"}
    records = {
        name: [e for e in etree.fromstring(files.read(name)) if e.tag in ("MedicalTopic", "health-topic")]
        for name in files.names()
        if name.endswith(".xml")
    }
    for entry in index.entries:
        read = medlineplus.read(entry, index, files)
        assert read.findings == ()
        assert read.topic is not None
        assert load(dump(read.topic)) == read.topic
        record = records[entry.unit.file][int(entry.unit.part)]
        summary = record.find("full-summary") if record.find("full-summary") is not None else record.find("FullSummary")
        assert summary is not None
        wanted = words(unescape(re.sub("<[^>]*>", " ", summary.text or "")))
        assert [word for word in words(text_of(read.topic)) if word in set(wanted)][: len(wanted)] == wanted
        for site in record.findall("site"):
            assert set(words(site.get("title", ""))) <= set(words(text_of(read.topic)))
            assert read.topic.body.xpath("boolean(.//a[@href=$url])", url=site.get("url", ""))
