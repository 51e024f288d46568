"""Print pages: the order of their parts, what they say they left out, and what is on every sheet of paper."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import validators
from conftest import require_command
from editions import PUBLISHER, SITE, edition, view
from lxml import etree, html
from pages import page, written
from rendering import ASSETS, LOGO, case_edition, digests_elsewhere, rendered, topic

from pipeline.contracts import Assets, Brand, License
from pipeline.labels import labels
from pipeline.notices import Texts, notices
from pipeline.topic import Metadata, Topic

if TYPE_CHECKING:
    from playwright.sync_api import Browser

paper = import_module("transforms.print")


def made(body: str, **metadata: object) -> str:
    """The print page of a body."""
    known = Metadata(**({"id": "t1", "language": "en", "title": "T"} | metadata))  # type: ignore[arg-type]
    shown = view(Topic(known, etree.fromstring(f"<body>{body}</body>")))
    return str(paper.imprint(paper.body(shown, ASSETS), edition(known))[0].data.decode())


def note(text: str) -> str:
    """What the page says it left out."""
    found = html.document_fromstring(text).xpath("//p[@class='syn-left-out']")
    return " ".join(found[0].text_content().split()) if found else ""


# --- whole pages --------------------------------------------------------------------------------


def test_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    assert len(digests_elsewhere("print", tmp_path)) == 1


def test_parts_stand_in_their_order() -> None:
    text = page("print", "everything")
    parts = [
        "To print: Use your web browser&#39;s print feature. Close this window after printing.",
        "<h1",
        "Table of Contents",
        '<div class="syn-body"',
        "Credits for Taking a blood thinner",
        "September 1, 2025",
        "Author:",
        "Medical Review:",
        "Ada Byron MD - Internal Medicine",
        "Mary Seacole RN",
        "Note:</span> This printer-friendly",
        "© 1995-2023 Example Health Press, Inc. Example and",
        'data-notice="publisher-disclaimer"',
        'data-notice="partner-disclaimer"',
        'data-notice="attribution"',
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_each_reviewer_has_a_line() -> None:
    [review] = html.document_fromstring(page("print", "everything")).xpath("//*[@data-notice='medical-review']")
    assert [line.text_content().strip() for line in review.iter("p", "li")] == [
        "Medical Review:", "Ada Byron MD - Internal Medicine", "Mary Seacole RN",
    ]  # fmt: skip


def test_addresses_of_notices_are_in_words() -> None:
    root = html.document_fromstring(page("print", "everything"))
    for notice in case_edition("everything").notices:
        [element] = root.xpath(f"//*[@data-notice='{notice.kind}']")
        assert " ".join(element.text_content().split()) == notice.printed


# --- what is left out ---------------------------------------------------------------------------


def test_the_note_counts_what_this_page_left_out() -> None:
    link, picture = '<a data-kind="topic" data-topic="x">X</a>', '<figure><img src="media/pill-box.png" alt="a"/></figure>'
    one = note(made(f"<p>{link}</p>{picture}"))
    assert one == (
        "Note: This printer-friendly document does not hold everything that the online document holds. "
        "Left out here: 1 cross-reference, 1 illustration."
    )
    assert note(made(f"<p>{link}{link}</p>{picture}{picture}")).endswith("Left out here: 2 cross-references, 2 illustrations.")
    glossary = '<section data-kind="glossary"><dl><dt id="d">D</dt><dd>d</dd></dl></section>'
    assert note(made(f'<p><a data-kind="definition" href="#d">D</a></p>{glossary}')).endswith("Left out here: 1 definition.")


def test_the_note_speaks_the_topics_language() -> None:
    link = '<a data-kind="topic" data-topic="x">X</a>'
    assert note(made(f"<p>{link}</p>", language="es")).endswith("lo siguiente: 1 referencia cruzada.")
    assert note(made(f"<p>{link}{link}</p>", language="ar")).endswith("ما يلي: إحالتان.")
    assert note(made(f"<p>{link * 3}</p>", language="ar")).endswith("ما يلي: 3 إحالات.")


def test_where_nothing_was_left_out_no_note_says_so() -> None:
    required = '<figure><img src="media/pill-box.png" alt="a" data-required="yes"/></figure>'
    text = made(f'{required}<p>A <a data-kind="external" href="https://example.org/">link</a>.</p>')
    assert note(text) == ""
    assert 'src="data:image/png;base64,' in text


def test_pages_hold_all_that_they_show() -> None:
    site = replace(SITE, brand=Brand("#7a1fa2", LOGO))
    files = paper.imprint(paper.body(view(topic("everything")), ASSETS), edition(topic("everything").metadata, site=site))
    root = html.document_fromstring(files[0].data.decode())
    assert len(files) == 1
    assert len(list(root.iter("img"))) == 2
    assert all(image.get("src", "").startswith("data:image/") for image in root.iter("img"))
    assert not root.xpath("//link[@rel='stylesheet'] | //script | //*[@style]")


# --- what is on every sheet ---------------------------------------------------------------------


def test_the_policy_allows_no_script_and_nothing_from_elsewhere() -> None:
    root = html.document_fromstring(page("print", "everything"))
    [policy] = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    for directive in ("script-src", "connect-src", "font-src", "frame-src", "media-src", "object-src", "base-uri", "form-action"):
        assert f"{directive} 'none'" in policy


@pytest.mark.parametrize(("language", "start", "end"), [("en", "left", "right"), ("ar", "right", "left")])
def test_running_lines_stand_at_the_side_where_lines_begin(language: str, start: str, end: str) -> None:
    text = made("<p>a</p>", language=language, title="T", version="7")
    rules = dict(re.findall(r"@(top-\w+|bottom-\w+)\{content:(.*?);direction", text))
    assert rules[f"top-{start}"] == '"T"'
    assert rules[f"top-{end}"] == '"Riverside Health"'
    version = labels(language).text("Version {version}", version="7")
    assert rules[f"bottom-{start}"] == f'"t1 \\b7  {version} \\b7  {language}"'.replace("t1", "t1")
    assert "counter(page)" in rules[f"bottom-{end}"]
    assert "counter(pages)" in rules[f"bottom-{end}"]


@pytest.mark.parametrize("title", ['"; } </style><script>', "a\\b\nc", "{}';@import url(x)", "شهر 5", "a\u2028b"])
def test_running_lines_can_not_leave_their_string(title: str) -> None:
    text = made("<p>a</p>", title=title)
    lines = text.split("<style>")[2].split("</style>")[0]
    [content] = re.findall(r'@top-left\{content:"([^"]*)"', lines)
    assert re.fullmatch(r"(?:[\w ]|\\[0-9a-f]{1,6} )*", content)
    assert re.sub(r"\\([0-9a-f]+) ", lambda found: chr(int(found[1], 16)), content) == title


def test_a_topic_of_nothing_but_a_title_makes_a_page() -> None:
    metadata = Metadata(id="t1", language="en", title="T")
    known = replace(
        edition(metadata), metadata=metadata, notices=notices(metadata, Texts(), Texts(), labels("en")), license=License("a", "b")
    )
    shown = view(Topic(metadata, etree.fromstring("<body/>")))
    text = paper.imprint(paper.body(shown, Assets()), known)[0].data.decode()
    assert not re.search(r"Credits|Table of Contents|footer|Note:", text.split("</head>")[1])
    assert "<h1" in text


@pytest.mark.tools
@pytest.mark.parametrize("case", ["everything", "arabic"])
def test_chromium_prints_running_lines_on_every_page(case: str, browser: Browser, tmp_path: Path) -> None:
    pdftotext = require_command("pdftotext")
    [path] = written(tmp_path, rendered("print", case))
    with validators.opened(browser, path) as shown:
        shown.pdf(path=tmp_path / "a.pdf", prefer_css_page_size=True)
    done = subprocess.run([pdftotext, "-layout", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True)
    sheets = done.stdout.split("\f")[:-1]
    metadata = topic(case).metadata
    for number, sheet in enumerate(sheets, 1):
        assert metadata.id in sheet
        if metadata.language.startswith("en"):
            assert f"Page {number} of {len(sheets)}" in sheet
            assert f"Version {metadata.version}" in sheet
            assert metadata.title[:40] in sheet
    assert "browser" not in done.stdout


def test_the_bundle_has_nothing_of_print_alone() -> None:
    assert not hasattr(paper, "bundle")
    assert PUBLISHER.name not in page("print", "bare").split("<footer")[0].split("</head>")[1]
