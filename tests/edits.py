"""A small library in which topics have to do with one another in every way, and edits of it, for Hypothesis."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from benchmarks.partner import everything

SETTINGS: Final = 'inputs = ["topics", "more"]\nconditions = "home.ditaval"\nstore = "build/store"\n'
PUBLISHER: Final = """id = "example"
name = "Example"
language = "en"
[copyright]
holder = "Example"
first_year = 2020
[notices.en]
disclaimer = "Ask a doctor."
"""
PARTNER: Final = everything("acme", {"en": "Ask Acme."}, name="Acme")
CONDITIONS: Final = ["", "home.ditaval"]
VAL: Final = '<val><prop att="audience" val="{}" action="exclude"/></val>'


def _topic(topic_id: str, title: str, body: str, prolog: str = "", lang: str = "en") -> str:
    return (
        f'<topic id="{topic_id}" xml:lang="{lang}"><title>{title}</title><prolog><metadata>{prolog}</metadata></prolog>'
        f"<body>{body}</body></topic>"
    )


def _public(name: str) -> str:
    return f'<data name="topic-id" value="{name}"/>'


# What each file may hold, in turn: as it is at first, and as it may become.
FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "topics/asthma.dita": (
        _topic("a", "Asthma", '<p conref="shared/dose.dita#dose/adult"/>', _public("asthma")),
        _topic("a", "Asthma <ph keyref='name'/>", '<p conkeyref="doses/adult"/>', _public("asthma")),
        _topic("a", "Asthma, <ph conref='shared/dose.dita#dose/word'/>", '<p audience="clinic">x</p>', _public("flu")),
        _topic("b", "Asthma", "<p>no more</p><image href='airway.png'/>", '<data name="companion" value="flu"/>'),
        '<topic id="a"><title>Broken</title><body><p>',
        '<dita><topic id="one"><title>One</title><body/></topic><topic id="two"><title>Two</title><body/></topic></dita>',
        "<notes>Not DITA any more</notes>",
    ),
    "topics/flu.dita": (
        _topic("f", "Flu", '<p id="push">Rest.</p><p keyref="name"/>', _public("flu")),
        _topic("f", "A flu", "<p/>", _public("flu")),
        _topic("f", "A flu", '<p id="push">Descanse.</p>', _public("flu"), "es"),
        _topic("f", "Flu", '<p conref="asthma.dita#a/none"/><xref href="asthma.dita"/>', '<data name="review-due" value="x"/>'),
        _topic("a", "Flu", "<p/>", _public("../flu")),
    ),
    "topics/push.dita": (
        _topic("p", "Pushing", '<p conaction="pushreplace" conref="flu.dita#f/push">More rest.</p>', _public("push")),
        _topic("p", "Pushing", '<p conaction="pushafter">x</p><p conaction="mark" conref="flu.dita#f/push"/>', _public("push")),
        _topic("p", "Pushing", '<p conaction="pushreplace" conref="flu.dita#f/gone">Nowhere.</p>', _public("push")),
    ),
    "topics/shared/dose.dita": (
        _topic("dose", "Doses", '<p id="adult">One a day.</p><p><ph id="word">mild</ph></p>'),
        _topic("dose", "Doses", '<p id="adult">Two, <ph keyref="name"/>.</p><p><ph id="word" audience="clinic">bad</ph></p>'),
        _topic("dose", "Doses", '<p id="adult" conkeyref="inner/x"/>'),
        _topic("dose", "Doses", '<p id="child">Half.</p><p conref="../asthma.dita#a/x"/>'),
    ),
    "topics/term.dita": (
        '<glossentry id="g"><glossterm>Airway</glossterm><glossdef>A tube.</glossdef></glossentry>',
        '<glossentry id="h"><glossterm>Air way</glossterm><glossdef>A tube.</glossdef></glossentry>',
        '<concept id="g"><title>Airway</title></concept>',
    ),
    "topics/main.ditamap": (
        '<map><mapref href="keys.ditamap"/><topicref href="asthma.dita"/><topicref href="flu.dita"/></map>',
        '<map><topicref href="asthma.dita"><topicmeta><data name="collection" value="lungs"/></topicmeta></topicref>\n'
        '<topicref href="gone.dita"/><topicref href="term.dita" processing-role="resource-only"/></map>',
        '<map><mapref href="keys.ditamap" keyscope="k"/><topicref href="flu.dita" audience="clinic"/>\n'
        '<reltable><relrow><relcell><topicref href="asthma.dita"/></relcell>'
        '<relcell><topicref href="flu.dita"/></relcell></relrow></reltable></map>',
        '<map><topicref href="asthma.dita"><ditavalref href="branch.ditaval"/></topicref>'
        '<keydef keys="name" href="term.dita"/></map>',
        '<map><mapref href="main.ditamap"/><topicref keyref="doses"/></map>',
        '<map><topicref href="asthma.dita"/><topicgroup keyscope="in"><keydef keys="inner" href="term.dita"/>'
        '<topicref href="shared/dose.dita" processing-role="resource-only"/></topicgroup></map>',
        '<map><topicref href="asthma.dita"/><topicgroup keyscope="in"><keydef keys="inner" href="flu.dita"/>'
        '<topicref href="shared/dose.dita" processing-role="resource-only"/></topicgroup></map>',
        "<map><topicref",
    ),
    "topics/keys.ditamap": (
        '<map><keydef keys="name"><topicmeta><keywords><keyword>breath</keyword></keywords></topicmeta></keydef>'
        '<keydef keys="doses" href="shared/dose.dita"/></map>',
        '<map><keydef keys="name"><topicmeta><keywords><keyword>air</keyword></keywords></topicmeta></keydef>'
        '<keydef keys="doses" href="term.dita"/></map>',
        '<map><keydef keys="name doses" href="term.dita"/><mapref href="main.ditamap"/></map>',
        '<map><keydef keys="name" keyref="doses"/><keydef keys="doses" conref="main.ditamap#x"/></map>',
    ),
    "more/second.ditamap": (
        '<map><keydef keys="name" href="../topics/term.dita"/><topicref href="asthma.dita" keyscope="second" keys="own"/></map>',
        '<map><topicref href="../topics/asthma.dita" keyref="own"/><mapref href="../topics/keys.ditamap"/></map>',
        '<map><topicgroup keyscope="a b"><topicref href="../topics/flu.dita" copy-to="../topics/term.dita"/></topicgroup></map>',
        '<map><topicref href="../topics/flu.dita"/><topicgroup keyscope="a"><topicref href="../topics/flu.dita" copy-to='
        '"../topics/second-flu.dita"><topicmeta><linktext>Flu twice</linktext></topicmeta></topicref></topicgroup></map>',
    ),
    "topics/scheme.ditamap": (
        '<subjectScheme><subjectdef keys="all"><subjectdef keys="x"><subjectdef keys="clinic"/></subjectdef></subjectdef>'
        '<enumerationdef><attributedef name="audience"/><subjectdef keyref="all"/></enumerationdef></subjectScheme>',
        '<subjectScheme><subjectdef keys="all"><subjectdef keys="clinic"/></subjectdef></subjectScheme>',
        "<map/>",
    ),
    "topics/branch.ditaval": (VAL.format("clinic"), VAL.format("home"), "<val"),
    "topics/canonical.xml": (
        '<topic schema="1"><metadata><id>canon</id><language>en</language><title>Canon</title></metadata><body/></topic>',
        '<topic schema="9"/>',
        '<health-topics><health-topic id="7" title="T" url="https://x.org/t" language="English"><full-summary>S</full-summary>'
        "</health-topic></health-topics>",
    ),
    "topics/airway.png": ("an image", "another"),
    "more/asthma.dita": (
        _topic("a", "Asthma again", "<p/>"),
        _topic("a", "Asthma again", "<p/>", _public("asthma")),
        _topic("c", "Asthma as well", '<p conref="../topics/shared/dose.dita#dose/child"/>'),
    ),
    "more/feed.xml": (
        '<health-topics><health-topic id="7" title="T" url="https://x.org/t" language="English"><full-summary>S</full-summary>'
        "</health-topic></health-topics>",
        '<health-topics total="2"><health-topic id="8" title="U" url="https://x.org/u" language="English"><full-summary>S'
        '</full-summary><related-topic id="7" url="https://x.org/t">T</related-topic></health-topic></health-topics>',
    ),
    "home.ditaval": (VAL.format("clinic"), VAL.format("x"), "<val"),
}
AT_FIRST: Final = ("topics/asthma.dita", "topics/flu.dita", "topics/shared/dose.dita", "topics/main.ditamap")

writes = st.sampled_from([("write", name, text) for name, texts in FILES.items() for text in texts])
deletes = st.sampled_from([("delete", name, "") for name in FILES if name != "home.ditaval"])
moves = st.sampled_from([("move", "topics/asthma.dita", "more/b/asthma.dita"), ("move", "topics/flu.dita", "topics/term.dita")])
folders = st.sampled_from([("move", "topics/shared", "more/shared"), ("move", "more", "topics/inside")])
edits = st.one_of(writes, writes, writes, writes, deletes, moves, folders)
EXAMPLES: Final = int(os.environ.get("SURVEYOR_EXAMPLES", "30"))  # libraries edited at random; each costs 0.2 s


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def edit(folder: Path, one: tuple[str, str, str]) -> set[str]:
    """Does an edit (write, delete, move); the files and folders that it touched."""
    act, name, more = one
    if act == "write":
        _write(folder, name, more)
        return {name}
    if not (folder / name).exists():
        return set()
    if act == "delete":
        (folder / name).unlink()
        return {name}
    (folder / more).parent.mkdir(parents=True, exist_ok=True)
    if (folder / more).is_dir():
        return set()
    shutil.move(folder / name, folder / more)
    (folder / "more").mkdir(exist_ok=True)
    return {name, more}


def library(folder: Path, more: str = "") -> Path:
    """A small library in an emptied folder, with more settings; its settings file."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in AT_FIRST:
        _write(folder, name, FILES[name][0])
    (folder / "more").mkdir()
    _write(folder, "partners/acme.toml", PARTNER)
    _write(folder, "home.ditaval", FILES["home.ditaval"][0])
    _write(folder, "publisher.toml", PUBLISHER)
    _write(folder, "syndication.toml", SETTINGS + more)
    return folder / "syndication.toml"


def written(*names: tuple[str, int]) -> list[tuple[str, str, str]]:
    """The edits that give each of these files that of its texts."""
    return [("write", name, FILES[name][number]) for name, number in names]
