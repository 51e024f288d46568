"""Seeded leaks: each is one way in which a finished file can name what its site does not have. Every one is caught, and what a
topic says of itself is no leak."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from editions import edition
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from proven import FORMATS, Rendering, codes, rendering, rezipped, topic

from pipeline import audit, rights, withheld
from pipeline.audit import Withheld, _leaks
from pipeline.contracts import Assets, FileRow, OutputFile, Row
from pipeline.topic import Topic
from transforms import html
from transforms import json as data

ID, TITLE, ALT = "secret-trial", "A trial that is not licensed", "Scan of a lung"
PICTURE, DIGEST = "9f8e7d6c-scan.png", "d" * 64
OWN = topic().metadata.id
WITHHELD = Withheld(
    ids=frozenset({ID}),
    folders=frozenset({f"en/{ID}", f"es/{ID}", f"fr/{OWN}"}),
    titles=frozenset({TITLE}),
    files=frozenset({PICTURE, "scans/scan.png", DIGEST}),
    alts=frozenset({ALT}),
)
good = cache(rendering)


def findings(made: Rendering) -> list[Any]:
    """What the proof of the finished file finds."""
    return audit.prove_file(made.view, made.body, made.files, made.edition, made.place, made.bundle, WITHHELD)


def leaks(made: Rendering) -> bool:
    """Whether a leak is among the findings, all of which are errors."""
    return "audit.leak" in codes(findings(made))


@pytest.mark.parametrize("name", FORMATS)
def test_what_names_nothing_withheld_is_proven(name: str) -> None:
    assert findings(good(name)) == []


# --- pages --------------------------------------------------------------------------------------

HEAD, END = "</head>", "</article>"
PAGE_FAULTS = {
    "a link": (END, f'<p><a href="../{ID}/index.html">More</a></p>'),
    "a link to its book": (END, f'<p><a href="../{ID}/{ID}.epub">Book</a></p>'),
    "a link, upper case": (END, f'<P><A HREF="../{ID}/index.html">More</A></P>'),
    "a link with an escape": (END, '<p><a href="../%73ecret-trial/index.html">More</a></p>'),
    "a link with an entity": (END, '<p><a href="../&#115;ecret-trial/">More</a></p>'),
    "a link with a line end in it": (END, '<p><a href="../secret\n-trial/">More</a></p>'),
    "a link with the strokes of another system": (END, f'<p><a href="..\\{ID}\\index.html">More</a></p>'),
    "a link from the root": (END, f'<p><a href="/topics/{ID}">More</a></p>'),
    "a link with a query": (END, f'<p><a href="?topic={ID}">More</a></p>'),
    "a link to an anchor": (END, f'<p><a href="#syn-{ID}--dose">More</a></p>'),
    "a link to another language that the site lacks": (END, f'<p><a href="../../fr/{OWN}/index.html">Français</a></p>'),
    "a link by its title": (END, f'<p><a href="index.html">{TITLE}</a></p>'),
    "a link by its title, spaced out": (END, f'<p><a href="index.html"> {TITLE.replace(" ", "&nbsp; ")}</a></p>'),
    "a hidden link": (END, f'<p hidden><a href="../{ID}/">More</a></p>'),
    "an empty link": (END, f'<a href="../{ID}/"></a>'),
    "a link marked with its id": (END, f'<p><a data-topic="{ID}" href="index.html">More</a></p>'),
    "a marked element": (END, f'<p data-topic="{ID}">More</p>'),
    "an alternate": (HEAD, f'<link rel="alternate" hreflang="es" href="../../es/{ID}/index.html">'),
    "a next page": (HEAD, f'<link rel="next" href="../{ID}/index.html">'),
    "a keyword of its id": (HEAD, f'<meta name="keywords" content="{ID}">'),
    "a value that is its title": (HEAD, f'<meta property="og:title" content="{TITLE}">'),
    "a value that is its path": (HEAD, f'<meta property="og:url" content="en/{ID}">'),
    "a preview picture": (HEAD, f'<meta property="og:image" content="media/{PICTURE}">'),
    "a picture": (END, f'<img src="media/{PICTURE}" alt="">'),
    "a picture by its input file": (END, '<img src="scans/scan.png" alt="">'),
    "a picture among others": (END, f'<img src="media/{PICTURE}" srcset="media/{PICTURE} 2x" alt="">'),
    "its alternative text": (END, f'<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="{ALT}">'),
    "its alternative text as a tooltip": (END, f'<p title="{ALT}">x</p>'),
    "a digest": (END, f'<p data-sha256="{DIGEST}">x</p>'),
    "structured data that relates it": ('"@type":"MedicalWebPage",', f'"relatedLink":"../{ID}/index.html",'),
    "structured data that mentions it": ('"@type":"MedicalWebPage",', f'"mentions":{{"name":"{TITLE}"}},'),
    "structured data that identifies it": ('"@type":"MedicalWebPage",', f'"isPartOf":{{"identifier":"{ID}"}},'),
    "structured data with its picture": ('"@type":"MedicalWebPage",', f'"image":"media/{PICTURE}",'),
}


@pytest.mark.parametrize("fault", PAGE_FAULTS)
def test_a_page(fault: str) -> None:
    before, added = PAGE_FAULTS[fault]
    assert leaks(good("html").changed(before, before + added if before.endswith(",") else added + before))


@pytest.mark.parametrize("fault", ["a link", "a picture", "a keyword of its id", "a link by its title"])
def test_a_print_page(fault: str) -> None:
    before, added = PAGE_FAULTS[fault]
    place = "</main>" if before == END else before
    assert leaks(good("print").changed(place, added + place))


# --- what a redaction forgot --------------------------------------------------------------------


def with_body(markup: str) -> Topic:
    """The topic with one more section."""
    body = copy.deepcopy(topic().body)
    body.append(etree.fromstring(f"<section><h>More</h>{markup}</section>"))
    return replace(topic(), body=body)


@pytest.mark.parametrize("name", ["html", "json"])
@pytest.mark.parametrize("text", ["this trial", TITLE])
def test_a_link_that_was_not_taken_out(name: str, text: str) -> None:
    made = rendering(name, with_body(f'<p>See <a data-kind="topic" data-topic="{ID}">{text}</a>.</p>'))
    assert leaks(made)


@pytest.mark.parametrize("name", ["html", "json"])
def test_a_link_that_was_given_a_withheld_title(name: str) -> None:
    made = rendering(name, with_body(f'<p>See <a data-kind="topic" data-topic="{OWN}">{TITLE}</a>.</p>'))
    assert leaks(made)
    written = replace(WITHHELD, authored=frozenset({TITLE}))  # the author's own words for a topic that the site has
    proof = audit.prove_file(made.view, made.body, made.files, made.edition, made.place, made.bundle, written)
    assert "audit.leak" not in codes(proof)


# --- books --------------------------------------------------------------------------------------

BOOK_FAULTS = {
    "a file listed": ("EPUB/package.opf", "</manifest>", f'<item id="x" href="media/{PICTURE}" media-type="image/png"/>'),
    "a relation": ("EPUB/package.opf", "</metadata>", f"<dc:relation>{ID}</dc:relation>"),
    "a source": ("EPUB/package.opf", "</metadata>", f"<dc:source>en/{ID}</dc:source>"),
    "a subject": ("EPUB/package.opf", "</metadata>", f"<dc:subject>{TITLE}</dc:subject>"),
    "a property": ("EPUB/package.opf", "</metadata>", f'<meta property="dcterms:isPartOf">{ID}</meta>'),
    "a linked record": ("EPUB/package.opf", "</metadata>", f'<link rel="record" href="../{ID}.xml" media-type="text/xml"/>'),
    "an entry of the contents": ("EPUB/nav.xhtml", "</ol>", f'<li><a href="topic.xhtml">{TITLE}</a></li>'),
    "an entry that leads to it": ("EPUB/nav.xhtml", "</ol>", f'<li><a href="{ID}.xhtml">More</a></li>'),
    "a link on the rights page": ("EPUB/rights.xhtml", "</section>", f'<p><a href="../../{ID}/{ID}.epub">More</a></p>'),
    "a title in a link of the rights page": ("EPUB/rights.xhtml", "</section>", f'<p><a href="topic.xhtml">{TITLE}</a></p>'),
    "a cover": ("EPUB/title.xhtml", "</section>", f'<p><img src="media/{PICTURE}" alt=""/></p>'),
    "a cover's words": ("EPUB/title.xhtml", "</section>", f'<p><img src="media/x.png" alt="{ALT}"/></p>'),
}


@pytest.mark.parametrize("fault", BOOK_FAULTS)
def test_a_book(fault: str) -> None:
    member, before, added = BOOK_FAULTS[fault]
    assert leaks(good("epub").member_changed(member, before, added + before))


def test_a_picture_left_in_a_book() -> None:
    made = good("epub")
    renamed = rezipped(made.files[0].data, lambda _, content: content).replace(b"cuff.png", b"scan.png")
    assert leaks(made.with_main(renamed.replace(b"0a1b2c3d-scan", b"9f8e7d6c-scan")))


# --- data ---------------------------------------------------------------------------------------

LINK = {"kind": "topic", "href": "#", "text": "x", "topic": ID, "language": "en", "anchor": ""}
DATA_FAULTS: dict[str, tuple[str, Any]] = {
    "a link": ("links", [LINK]),
    "a link's address": ("links", [{**LINK, "topic": OWN, "href": f"../{ID}/index.html"}]),
    "a medium": ("media", [{"path": f"media/{PICTURE}", "alt": ""}]),
    "a medium's words": ("media", [{"path": "media/x.png", "alt": ALT}]),
    "a medium's digest": ("media", [{"path": "media/x.png", "sha256": DIGEST}]),
    "a translation": ("translations", [{"language": "es", "id": ID, "title": "x", "path": f"../../es/{ID}/topic.json"}]),
    "a translation by its title": ("translations", [{"language": "es", "id": OWN, "title": TITLE, "path": "x"}]),
    "a translation in a language that the site lacks": (
        "translations",
        [{"language": "fr", "id": OWN, "title": "x", "path": f"../../fr/{OWN}/topic.json"}],
    ),
    "a companion": ("companions", [ID]),
    "an original": ("translation", {"of": ID}),
    "a section": ("sections", [{"id": f"syn-{ID}--dose", "level": 1, "title": "Dose"}]),
    "a section by its title": ("sections", [{"id": f"syn-{OWN}--x", "level": 1, "title": TITLE}]),
    "a member that nobody knows": ("see_also", {"deep": [{"ref": ID}]}),
}


@pytest.mark.parametrize("fault", DATA_FAULTS)
def test_a_json_file(fault: str) -> None:
    name, value = DATA_FAULTS[fault]
    made = good("json")
    assert leaks(made.with_main(json.dumps({**json.loads(made.files[0].data), name: value}).encode()))


def test_a_text_with_a_line_that_is_its_title() -> None:
    made = good("text")
    assert leaks(made.with_main(made.files[0].data + f"\n{TITLE}\n".encode()))


def test_a_file_that_should_not_be_there() -> None:
    made = good("html")
    extra = OutputFile(f"{made.edition.folder}/media/{PICTURE}", b"x", "image/png")
    assert leaks(replace(made, files=(*made.files, extra)))


@pytest.mark.parametrize(
    ("name", "value"), [("media", [{"path": f"media/{PICTURE}"}]), ("see", [{"id": ID}]), ("original", f"en/{ID}")]
)
def test_a_rights_record(name: str, value: object) -> None:
    made = edition(topic().metadata)
    by_format = dict.fromkeys(made.formats, made)
    file = rights.file(by_format)
    assert audit.prove_record(file, by_format, WITHHELD) == []
    changed = {**json.loads(file.data), name: value}
    assert "audit.leak" in codes(audit.prove_record(replace(file, data=json.dumps(changed).encode()), by_format, WITHHELD))


# --- files of the bundle ------------------------------------------------------------------------


def row(name: str, title: str, **more: Any) -> Row:
    """A row with one page."""
    return Row(name, "en", title, files=(FileRow("html", f"en/{name}/index.html", "0" * 64, 1, "text/html"),), **more)


MINE = row("asthma", "Asthma", codes=({"system": "http://snomed.info/sct", "code": "195967001"},))
STRANGER = row(ID, TITLE, codes=({"system": "http://snomed.info/sct", "code": "195967001"},))
BUNDLES = {
    "an entry of the catalog": ("catalog.json", (MINE, STRANGER)),
    "an entry of the codes": ("codes.json", (MINE, STRANGER)),
    "a line of the list of topics": ("index.html", (MINE, STRANGER)),
    "a translation": ("catalog.json", (replace(MINE, translations=(f"{ID} es",)),)),
}


@pytest.mark.parametrize("fault", BUNDLES)
def test_a_file_of_the_bundle(fault: str) -> None:
    path, rows = BUNDLES[fault]
    made = edition(topic().metadata)
    files = [*html.bundle(rows, made.site, made.publisher), *data.bundle(rows, made.site, made.publisher)]
    found = audit.prove_bundle(files, "riverside", (MINE,), WITHHELD)
    assert ("audit.leak", path) in {(finding.code, finding.file) for finding in found}
    assert audit.prove_bundle(files, "riverside", rows) == []


# --- no false alarm -----------------------------------------------------------------------------

OWN_WORDS = {
    "a keyword": {"keywords": (TITLE, ID)},
    "another name": {"also_called": (TITLE,)},
    "its own title": {"title": TITLE},
    "its summary": {"summary": TITLE},
    "its collection": {"collections": (ID,)},
    "its concept": {"concept": ID},
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("words", OWN_WORDS)
def test_what_a_topic_says_of_itself_is_no_leak(name: str, words: str) -> None:
    made = rendering(name, replace(topic(), metadata=replace(topic().metadata, **OWN_WORDS[words])))  # type: ignore[arg-type]
    assert findings(made) == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "markup",
    [
        f"<p>{TITLE} is a trial; {ID} is its name.</p>",
        f"<ul><li>{TITLE}</li><li>{ALT}</li></ul>",
        f'<p><a data-kind="external" href="https://example.com/{ID}/index.html">{TITLE}</a></p>',
        f"<section><h>{TITLE}</h><p>Text.</p></section><section><h>Third</h><p>Text.</p></section>",
    ],
)
def test_ordinary_words_and_links_elsewhere_are_no_leak(name: str, markup: str) -> None:
    assert findings(rendering(name, with_body(markup))) == []


@pytest.mark.parametrize("name", FORMATS)
def test_an_abbreviation_is_spelled_out_in_the_words_of_a_withheld_topic(name: str) -> None:
    """Its expansion may come from a glossary entry of that title; the words are the topic's own all the same."""
    made = rendering(name, with_body(f'<p>See <abbr title="{TITLE}">HBP</abbr> on the chart.</p>'))
    known = withheld.from_view(WITHHELD, made.view.topic, (), made.view, Assets({}))
    assert audit.prove_file(made.view, made.body, made.files, made.edition, made.place, made.bundle, known) == []


# --- at a glance ------------------------------------------------------------------------------------


NAMES = st.sampled_from(["asthma", "en/asthma", "High blood pressure", "a1.b2", "artery.svg", "es/a1.b2", "0a1b2c3d-artery.svg"])
AROUND = st.sampled_from(
    ["", "/", "../", "#", "?x=", "&", " ", "  ", "%61sthma", "syn-", "--", ".html", "\u00a0", "https://example.org/", "x"]
)
TEXTS = st.lists(st.one_of(NAMES, AROUND), max_size=5).map("".join)


@settings(max_examples=500, deadline=None)
@given(
    said=st.lists(st.tuples(st.sampled_from(["address", "id", "value", "entry"]), TEXTS), max_size=4),
    names=st.lists(NAMES, min_size=1, max_size=3),
    kind=st.sampled_from(["ids", "titles", "files", "alts", "folders"]),
)
def test_nothing_is_passed_over_at_a_glance(said: list[tuple[str, str]], names: list[str], kind: str) -> None:
    """Where one look finds no name, looking at each text finds none either."""
    chosen = frozenset(name for name in names if ("/" in name) == (kind == "folders"))
    none = replace(Withheld(), **{kind: chosen})  # type: ignore[arg-type]
    found = [
        text
        for sort, text in said
        if not none.all.isdisjoint(_leaks._tokens(sort, text, "en/topic/index.html" if sort == "address" else "", ""))
    ]
    if found:
        texts = [*said, ("address", "en/topic/index.html")]
        assert not _leaks._nowhere(_leaks._glance(texts), none), found
