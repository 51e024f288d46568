"""DITA: folders of mark-up in, printed topics and findings out; what must hold for any file, over real publications."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from inputs import Folder, Memory, claimed, indexed, topics
from lxml import etree

from pipeline import xml
from pipeline.contracts import Conditions, Files, Head, Index, Unit
from pipeline.findings import Severity, has_errors
from pipeline.topic import Topic, dump, load, schema_problems
from pipeline.trees import remove
from sources import dita
from sources.dita import conditions, places
from sources.dita.copies import described
from sources.dita.documents import parsed
from sources.dita.keys import KeySpace
from sources.dita.reuse import Resolver
from sources.dita.topics import units

CASES = Path(__file__).parent / "sources" / "dita"


# --- nothing lost -------------------------------------------------------------------------------

# What readers do not get as words of the body: by name here, not by asking the code that is tested.
HIDDEN = frozenset(
    (
        *(
            "titlealts",
            "prolog",
            "draft-comment",
            "required-cleanup",
            "indexterm",
            "index-base",
            "indextermref",
            "data",
            "data-about",
        ),
        *(
            "unknown",
            "param",
            "sort-as",
            "no-topic-nesting",
            "shape",
            "coords",
            "lcAreaShape",
            "lcAreaCoords",
            "related-links",
            "object",
            "boolean",
        ),
    )
)


def texts(element: etree._Element, *, root: bool = True) -> Iterator[str]:
    """Every run of text that a reader should see in a topic's mark-up, white space taken out."""
    for one in element:
        names = {str(one.tag), *re.findall(r"/([\w.-]+)", one.get("class") or "")} if isinstance(one.tag, str) else {"comment"}
        of_link = element.tag in ("xref", "longdescref") and "desc" in names
        if not (names & HIDDEN or of_link or (root and names & {"title", "glossterm"}) or "comment" in names):
            yield "".join((one.text or "").split())
            yield from texts(one, root=False)
        yield "".join((one.tail or "").split())


def seen(topic: Topic) -> str:
    """Everything that a reader sees of a topic's body, white space taken out."""
    parts = [*topic.body.itertext(), *(image.get("alt") or "" for image in topic.body.iter("img"))]
    return "".join("".join(parts).split())


def assert_nothing_lost(files: Files, index: Index, unit: Unit, topic: Topic) -> None:
    """Each run of text of the resolved mark-up is in the body, as often as there."""
    data = index.data.within(unit)
    resolver = Resolver(files, data, KeySpace(data, ()))
    root, _ = parsed(files, unit.file)
    assert root is not None
    original, copy = data.copies.get(unit, (unit, None))
    element = next(one for place, one in units(root, unit.file) if place == original)
    copied = resolver.copied(element, unit.file)
    if copy is not None and copy.summary:
        described(copied, copy, resolver)
    notes: dict[str, etree._Element] = {}
    for note in list(copied.iter("fn")):
        if notes.setdefault(note.get("id") or str(len(notes)), note) is not note:
            remove(note)  # of a note that is taken in twice, one is enough
    wanted = Counter(text for text in texts(copied) if text)
    body = seen(topic)
    assert {text: (count, body.count(text)) for text, count in wanted.items() if body.count(text) < count} == {}, unit


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_nothing_lost(case: str) -> None:
    """What stands in the mark-up, stands in the body."""
    folder = CASES / case
    ditaval = folder / "conditions.ditaval"
    files = Folder(folder / "in")
    index = indexed(dita, files, Conditions(ditaval.name, ditaval.read_bytes()) if ditaval.exists() else Conditions())
    for unit, topic, findings in topics(dita, files, index):
        if topic is not None and not has_errors(findings):
            assert_nothing_lost(files, index, unit, topic)


@pytest.mark.corpus
@pytest.mark.parametrize("corpus", ["dita-ot-docs", "dita-ot-tests"])
def test_real_publications(corpora: Path, corpus: str) -> None:
    """Whatever is in it, a file makes topics or error findings with a place; bodies are valid and lose nothing."""
    files = Folder(corpora / corpus)
    index = indexed(dita, files)
    assert len(index.entries) > 200
    assert all(finding.file for finding in index.findings)
    for unit, topic, findings in topics(dita, files, index):
        assert all(finding.file and finding.line for finding in findings if finding.severity is Severity.ERROR)
        assert topic is not None
        assert schema_problems(topic.body) == [], unit
        assert load(dump(topic)).body is not None
        if not has_errors(findings):
            assert_nothing_lost(files, index, unit, topic)


@pytest.mark.corpus
def test_what_is_no_dita_is_left_alone(corpora: Path) -> None:
    """Other vocabularies' files are not claimed."""
    names = ("medlineplus", "pdq", "medquad", "spl-health-canada", "pdq-derived-xml", "jats-preview-docs")
    others = [path for name in names for path in (corpora / name).rglob("*.xml")]
    heads = [xml.head(path.read_bytes(), path.name) for path in others]
    assert len(heads) > 50
    assert [shown for shown in heads if isinstance(shown, Head) and dita.claims(shown)] == []


# --- any nesting at all -------------------------------------------------------------------------

BODY_ELEMENTS = """
section example p note lq q pre lines fig figgroup ul ol li sl sli dl dlhead dlentry dt dd dthd ddhd table tgroup
colspec thead tbody row entry simpletable sthead strow stentry choicetable chrow choption chdesc properties property
proptype propdesc steps step substeps cmd info stepsection choices choice ph b i keyword term cite tm xref fn image alt
title desc div bodydiv sectiondiv itemgroup abstract shortdesc topic glossentry glossterm glossdef hazardstatement
messagepanel typeofhazard howtoavoid imagemap area syntaxdiagram groupseq kwd lines codeblock draft-comment unheard-of
"""


def tree(chance: random.Random, depth: int) -> etree._Element:
    """A random element of DITA elements, sensible or not, with words that occur once."""
    made = etree.Element(chance.choice(BODY_ELEMENTS.split()))
    if chance.random() < 0.3:
        name = f"i{chance.randrange(9)}"
        made.set(*chance.choice([("id", name), ("audience", "x"), ("href", "#t/i1"), ("type", "fn"), ("morerows", "3")]))
    if chance.random() < 0.6:
        made.text = f"w{chance.randrange(10**9)}x "
    for _ in range(chance.randrange(4) if depth else 0):
        one = tree(chance, depth - 1)
        one.tail = f"w{chance.randrange(10**9)}x " if chance.random() < 0.3 else None
        made.append(one)
    return made


@pytest.mark.parametrize("seed", range(40))
def test_any_nesting(seed: int) -> None:
    """However elements are nested: a valid body that loads back, each id once; every word in it, or an error."""
    chance = random.Random(seed)
    root = etree.Element("topic", id="t")
    etree.SubElement(root, "title").text = "T"
    body = etree.SubElement(root, "body")
    for _ in range(6):
        body.append(tree(chance, 4))
    files = Memory(t__dita=etree.tostring(root, encoding="unicode"))
    index = indexed(dita, files)
    [(unit, topic, findings)] = topics(dita, files, index)
    assert topic is not None
    assert schema_problems(topic.body) == []
    assert load(dump(topic)) == topic
    ids = [one.get("id") for one in topic.body.iter("*") if one.get("id")]
    assert len(ids) == len(set(ids))
    if not has_errors(findings):
        assert_nothing_lost(files, index, unit, topic)


# --- single things ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "claimed_by_us"),
    [
        ("<topic id='t'/>", True),
        ("<glossgroup id='t'/>", True),
        ("<dita/>", True),
        ("<bookmap/>", True),
        ("<subjectScheme/>", True),
        ("<leaflet class='- topic/topic leaflet/leaflet '/>", True),
        ("<!DOCTYPE x PUBLIC '-//OTHER//DTD DITA Special//EN' 'x.dtd'><x/>", True),
        ("<topic schema='1' id='t'/>", False),
        ("<topic xmlns='urn:other'/>", False),
        ("<section/>", False),
        ("<!DOCTYPE val PUBLIC '-//OASIS//DTD DITA DITAVAL//EN' 'x.dtd'><val/>", False),
        ("<html/>", False),
    ],
)
def test_claims(root: str, claimed_by_us: bool) -> None:
    """A root is ours by class, public identifier or name; a printed canonical topic is not."""
    shown = xml.head(root.encode(), "x.dita")
    assert isinstance(shown, Head)
    assert dita.claims(shown) is claimed_by_us


def test_reuse_that_multiplies_itself_is_cut_short() -> None:
    """Ten to the seventh paragraphs from a few lines: refused, with the line."""
    steps = "".join(f"<div id='p{n}'>" + f"<p conref='#bomb/p{n - 1}'/>" * 10 + "</div>\n" for n in range(1, 8))
    files = Memory(bomb__dita=f"<topic id='bomb' xml:lang='en'><title>Bomb</title><body><p id='p0'>x</p>\n{steps}</body></topic>")
    [(_, topic, findings)] = topics(dita, files, indexed(dita, files))
    assert topic is not None
    assert sum(1 for _ in topic.body.iter()) < 20_000
    [error] = [one for one in findings if one.severity is Severity.ERROR]
    assert (error.code, error.file) == ("dita.reuse-too-large", "bomb.dita")


def test_a_changed_file_is_read_again() -> None:
    """Files are kept as trees per process; a file of the same name with other bytes is another file."""
    for word in ("old", "new"):
        files = Memory(
            a__dita="<topic id='a' xml:lang='en'><title>A</title><body><p conref='b.dita#b/p'/></body></topic>",
            b__dita=f"<topic id='b' xml:lang='en'><title>B</title><body><p id='p'>{word}</p></body></topic>",
        )
        [(_, topic, _)] = topics(dita, files, indexed(dita, files))
        assert topic is not None
        assert seen(topic) == word


def test_places_outside_the_folder_and_in_stores() -> None:
    """Names are joined as POSIX paths, whatever stands before them."""
    assert places.refer("../x/b.dita#t/e", "a/c/d.dita") == places.Ref("", "a/x/b.dita", "t", "e")
    assert places.refer("b%20c.dita", "s3://bucket/p/a.dita") == places.Ref("", "s3://bucket/p/b c.dita", "", "")
    assert places.refer("..\\b.dita", "x/a.dita") == places.Ref("", "b.dita", "", "")
    assert places.refer("a%00%1B[2J.dita#t%0A", "x.dita") == places.Ref("", "a\ufffd\ufffd[2J.dita", "t\ufffd", "")
    assert places.refer("#./e", "a.dita") == places.Ref("", "a.dita", ".", "e")
    assert places.refer("HTTPS://Example.org/a b", "a.dita") == places.Ref("https://Example.org/a%20b", "", "", "")


def test_dita_without_a_topic_is_said() -> None:
    """A file that only its DOCTYPE calls DITA is no topic without classes; a topic that goes during a run is an error."""
    odd = "<!DOCTYPE odd PUBLIC '-//OTHER//DTD DITA Odd//EN' 'odd.dtd'>\n<odd><title>T</title></odd>"
    files = Memory(odd__dita=odd, a__dita="<topic id='a' xml:lang='en'><title>A</title></topic>")
    index = indexed(dita, files)
    assert [(finding.code, finding.place) for finding in index.findings] == [("dita.no-topic", "odd.dita:2")]
    gone = dita.read(index.entries[0], index, Memory())
    assert gone.topic is None
    assert [finding.code for finding in gone.findings] == ["dita.topic-gone"]


def test_prefixes_that_only_a_dtd_declares() -> None:
    """No DTD is loaded; what only it declares does not stop us."""
    doctype = "<!DOCTYPE topic PUBLIC '-//OASIS//DTD DITA Topic//EN' 'topic.dtd'>"
    files = Memory(t__dita=f"{doctype}<topic id='t' ditaarch:DITAArchVersion='1.3'><title>T</title></topic>")
    index = indexed(dita, files)
    assert [entry.metadata.title for entry in index.entries] == ["T"]
    assert index.findings == ()


def test_root_maps_named_in_settings() -> None:
    """Only named maps publish; what other maps mention is mentioned all the same. A named map that is missing is an error."""
    topic = "<topic id='{0}' xml:lang='en'><title>{0}</title></topic>"
    files = Memory(
        yes__ditamap="<map><topicref href='a.dita'/></map>",
        no__ditamap="<map><topicref href='a.dita'/><topicref href='b.dita'/></map>",
        **{f"{name}__dita": topic.format(name) for name in "abc"},
    )
    index = dita.index(files, claimed(dita, files), Conditions(maps=("yes.ditamap", "gone.ditamap")))
    assert [entry.metadata.id for entry in index.entries] == ["a", "c"]
    assert [(finding.code, finding.file) for finding in index.findings] == [("dita.map-target-missing", "gone.ditamap")]


def test_each_root_map_has_its_own_keys() -> None:
    """Two publications that name the same key differently: each topic gets the word of its own, in scopes within them too."""
    key = "<keydef keys='who'><topicmeta><keywords><keyword>{0}</keyword></keywords></topicmeta></keydef>"
    files = Memory(
        one__ditamap=f"<map>{key.format('nurse')}<topicref href='a.dita'/></map>",
        two__ditamap=f"<map>{key.format('doctor')}{key.format('ward').replace('who', 'where')}<topicref href='b.dita'/>"
        f"<topicgroup keyscope='in'>{key.format('dentist')}"
        "<topicref href='c.dita'/></topicgroup></map>",
        a__dita="<topic id='a' xml:lang='en'><title>Your <ph keyref='who'/></title></topic>",
        b__dita="<topic id='b' xml:lang='en'><title>Your <ph keyref='who'/>, <ph keyref='in.who'/></title></topic>",
        c__dita="<topic id='c' xml:lang='en'><title>Your <ph keyref='who'/></title></topic>",
        d__dita="<topic id='d' xml:lang='en'><title>In no map, of every <ph keyref='where'/></title></topic>",
    )
    index = dita.index(files, claimed(dita, files), Conditions())
    titles = [entry.metadata.title for entry in index.entries]
    assert titles == ["Your nurse", "Your doctor, dentist", "Your doctor", "In no map, of every ward"]


def test_a_link_without_words_keeps_the_space_beside_it() -> None:
    """Its words come in each edition; until then it must not be taken for nothing."""
    files = Memory(
        a__dita="<topic id='a' xml:lang='en'><title>A</title><body>"
        "<p>See <xref href='b.dita'/> and <b><xref href='b.dita'/></b> too.</p></body></topic>",
        b__dita="<topic id='b' xml:lang='en'><title>B</title></topic>",
    )
    [(_, topic, _), _] = topics(dita, files, indexed(dita, files))
    assert topic is not None
    link = '<a data-kind="topic" data-topic="b"/>'
    assert etree.tostring(topic.body).decode() == f'<body><p data-line="1">See {link} and <b>{link}</b> too.</p></body>'


def test_an_id_of_a_help_system_is_not_meant_for_the_world() -> None:
    prologs = {"a": "<resourceid id='help-7'/>", "b": "<resourceid id='help-7'/>", "c": "<data name='topic-id' value='c-7'/>"}
    files = Memory(
        **{
            f"{name}__dita": f"<topic id='x' xml:lang='en'><title>{name}</title><prolog>{prolog}</prolog></topic>"
            for name, prolog in prologs.items()
        }
    )
    found = [(entry.metadata.id, entry.public_id) for entry in dita.index(files, list(files.names()), Conditions()).entries]
    assert found == [("help-7", False), ("help-7", False), ("c-7", True)]


def test_delivery_targets_are_the_formats_that_there_are() -> None:
    """Words kept for a format that nobody makes would be in no file."""
    folder = Path(__file__).parents[1] / "transforms"
    assert {path.stem for path in folder.glob("[a-z]*.py")} >= conditions.OURS


def test_delivery_targets_are_the_formats_of_the_run() -> None:
    text = '<topic id="a"><title>A</title><body><p deliveryTarget="handout">b</p><p deliveryTarget="pdf">c</p></body></topic>'
    files = Memory(a__dita=text)
    shown = {}
    for formats in ((), ("html", "handout")):
        index = dita.index(files, ["a.dita"], Conditions(formats=formats))
        index = replace(index, ids={entry.unit: "a" for entry in index.entries})
        topic = dita.read(index.entries[0], index, files).topic
        assert topic is not None
        shown[formats] = [p.get("data-only") for p in topic.body.iter("p")]
    assert shown == {(): [None, "print"], ("html", "handout"): ["handout", None]}
