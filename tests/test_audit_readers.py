"""The readers by themselves, over files written by hand: what they see, and what they refuse to guess at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from editions import SITE, edition, view
from lxml import etree

from pipeline import audit
from pipeline.audit import _colors, _css, _hazards, _markup, _selectors
from pipeline.contracts import Assets, Body, Edition, OutputFile, Place
from pipeline.errors import UsageError
from pipeline.findings import Finding, Severity
from pipeline.notices import Notice
from pipeline.topic import Metadata, Topic

HTML = Place("html", "text/html", frozenset())
TEXT = Place("text", "text/plain", frozenset())
BODY = etree.fromstring("<body><section><h>Doses</h><p>Take 5 mg.</p><ul><li>Not more.</li></ul></section></body>")
TOPIC = Topic(Metadata(id="dose", language="en", title="Your dose", current_as_of=date(2024, 2, 29), file="dose.xml"), BODY)
NOTICES = (
    Notice("current-as-of", ("February 29, 2024",), "Current as of:"),
    Notice("copyright", ("© 2024 A Press.",)),
    Notice("terms", ("Terms of use",), url="https://example.org/t"),
)
CONTENT = "<div><h2>Doses</h2><p>Take 5&nbsp;mg.</p><ul><li>Not more.</li></ul></div>"
PAGE = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Your dose</title>
<meta name="robots" content="noindex"><meta name="tdm-reservation" content="1">
<meta name="TDM-Policy" content="https://example.org/terms"><link rel="license" href="https://example.org/terms"></head>
<body><h1>Your dose</h1>
{CONTENT}
<p data-notice="current-as-of"><b>Current as of:</b> February 29, 2024</p>
<p data-notice="copyright">&copy; 2024 A&#32;Press.</p>
<p data-notice="terms"><a href="https://example.org/t">Terms of use</a></p>
</body></html>"""
PLAIN = """Your dose
=========

Doses
-----

Take 5
mg.

- Not more.

Current as of: February 29,
2024

© 2024 A Press.

Terms of use: https://example.org/t
"""


def made() -> Edition:
    return replace(edition(TOPIC.metadata, site=SITE), notices=NOTICES, translations=())


def proven(text: str, content: str, place: Place) -> list[Finding]:
    """What both proofs find in a file written by hand."""
    seen, body = view(TOPIC), Body(content.encode())
    files = [OutputFile("en/dose/x", text.encode(), place.media_type)]
    return [*audit.prove_body(seen, body, place, Assets()), *audit.prove_file(seen, body, files, made(), place)]


def test_a_page_written_by_hand_is_proven() -> None:
    assert proven(PAGE, CONTENT, HTML) == []


def test_a_text_written_by_hand_is_proven() -> None:
    body = PLAIN[PLAIN.index("Doses") : PLAIN.index("Current")].strip("\n")
    assert proven(PLAIN, body, TEXT) == []


def test_a_page_that_a_person_wrote_without_our_body_is_read_whole() -> None:
    other = CONTENT.replace("<p>", '<p class="dose">').replace("&nbsp;", " ")
    seen, files = view(TOPIC), [OutputFile("en/dose/x", PAGE.replace(CONTENT, other).encode(), "text/html")]
    assert audit.prove_file(seen, Body(CONTENT.encode()), files, made(), HTML) == []


def test_all_findings_are_errors_with_something_to_do() -> None:
    findings = proven(PAGE.replace("5&nbsp;mg", "50&nbsp;mg"), CONTENT.replace("5&nbsp;mg", "50&nbsp;mg"), HTML)
    assert [finding.code for finding in findings] == ["audit.text-changed"]
    assert all(finding.severity is Severity.ERROR and finding.action for finding in findings)


def test_there_is_a_reader_for_each_media_type_and_no_other() -> None:
    assert audit.readers() == {"text/html", "application/epub+zip", "text/plain", "application/json"}


def test_a_media_type_without_reader_stops() -> None:
    with pytest.raises(UsageError, match="application/pdf"):
        audit.expectations(view(TOPIC), Place("pdf", "application/pdf", frozenset()))


# --- mark-up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<p>a",
        "a</p>",
        "<p>a</div>",
        "<b><i>a</b></i>",
        "<p><div>a</div></p>",
        "<div/>a",
        "<p title='a>b</p>",
        "<p title=a'>b</p>'",
        "<ul><p>a</p></ul>",
        "<table><p>a</p><tr><td>b</td></tr></table>",
        "<table>a</table>",
        "<a href='#'><a href='#'>a</a></a>",
        "<!--><p>a</p>-->",
        "<!-- a --!><p>b</p>-->",
        "<!--[if IE]><p>a</p><![endif]-->",
        "<![CDATA[a]]>",
        "<?xml version='1.0'?>",
        "<plaintext>a</plaintext>",
        "<script>a",
        "<p>a</p></body><p>b</p>",
        "<",
    ],
)
def test_markup_that_parsers_read_differently(text: str) -> None:
    _, problems = _markup.parse_fragment(text)
    assert problems or text == "<"


@pytest.mark.parametrize(
    "text",
    [
        "<p>a &lt; b</p>",
        "a < b",
        "<p>a<br>b<br/>c</p>",
        "<!-- a --><p>b</p>",
        '<p title="a > b">c</p>',
        "<p title='\"'>c</p>",
        '<script type=\'application/ld+json\'>{"a": "</p>"}</script>',
        "<math><mi>x</mi><mspace/></math>",
        "<svg><path d='M0 0'/></svg>",
        "<details open><summary>a</summary><p>b</p></details>",
        "<table><caption>a</caption><colgroup><col></colgroup><tbody><tr><td>b</td></tr></tbody></table>",
    ],
)
def test_markup_that_all_parsers_read_alike(text: str) -> None:
    assert _markup.parse_fragment(text)[1] == []


def blocks(text: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in _markup.text_of(_markup.parse_fragment(text)[0]).blocks]


def test_blocks_in_order_with_what_they_are() -> None:
    assert blocks("<h2>A</h2>b<p>c <b>d</b></p><ul><li>e<ul><li>f</li></ul>g</li></ul><pre>h\n i</pre>") == [
        ("heading", "A"),
        ("paragraph", "b"),
        ("paragraph", "c d"),
        ("item", "e"),
        ("item", "f"),
        ("item", "g"),
        ("preformatted", "h i"),
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>x</p>",
        "<template><p>x</p></template>",
        "<noscript>x</noscript>",
        "<details><p>x</p></details>",
        '<div aria-hidden=" TRUE "><p>x</p></div>',
        "<button>x</button>",
        "<svg><text>x</text></svg>",
        "<title>x</title>",
        "<custom-box>x</custom-box>",
    ],
)
def test_words_that_nobody_sees_are_no_words(hidden: str) -> None:
    assert blocks(f"<p>a</p>{hidden}<p>b</p>") == [("paragraph", "a"), ("paragraph", "b")]


# --- style sheets -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("css", "rules"),
    [
        ("a{b:c}", [("a", "b:c", ())]),
        ("a,b c{d:e;f:g!important}", [("a", "d:e f:g", ()), ("b c", "d:e f:g", ())]),
        ("/*x*/a/**/{b:c/*y*/}", [("a", "b:c", ())]),
        ("@media print{a{b:c}}", [("a", "b:c", ("@media print",))]),
        ("@layer x{@media y{a{b:c}}}d{e:f}", [("a", "b:c", ("@layer x", "@media y")), ("d", "e:f", ())]),
        ("a{b:c;& d{e:f}.g{h:i}}", [("a d", "e:f", ()), ("a .g", "h:i", ()), ("a", "b:c", ())]),
        ('a{b:";}"}c{d:e}', [("a", 'b:";}"', ()), ("c", "d:e", ())]),
        ("a{b:url(x;y)}", [("a", "b:url(x;y)", ())]),
        (r"a{\62 :\63}", [("a", "b:c", ())]),
        ("@import 'x';a{b:c}", [("a", "b:c", ())]),
        ("a{b:c", [("a", "b:c", ())]),
    ],
)
def test_a_sheets_rules(css: str, rules: list[tuple[str, str, tuple[str, ...]]]) -> None:
    found = _css.sheet(css).rules
    assert [(r.selector, " ".join(f"{d.name}:{d.value}" for d in r.declarations), r.media) for r in found] == rules


@pytest.mark.parametrize(
    ("css", "urls"),
    [
        ("@import 'a.css';", ["a.css"]),
        ("@import url(a.css) print;", ["a.css"]),
        ("a{b:url( 'x y' ) , url(z)}", ["x y", "z"]),
        ("a{b:image-set('x' 1x)}", ["x"]),
        ("@font-face{src:url(x.woff2)}", ["x.woff2"]),
        ("a{b:c}", []),
        ("/* url(x) */", []),
    ],
)
def test_what_a_sheet_fetches(css: str, urls: list[str]) -> None:
    assert list(_css.sheet(css).urls) == urls


TREE = etree.fromstring(
    '<html><body><main id="m"><p class="a b" lang="en">x</p><p>y</p></main><footer><p/></footer></body></html>'
)


@pytest.mark.parametrize(
    ("selector", "matched"),
    [
        ("p", 3),
        ("*", 7),
        (".a", 1),
        (".a.b", 1),
        ("p.c", 0),
        ("#m > p", 2),
        ("body p", 3),
        ("main + footer p", 1),
        ("main ~ footer", 1),
        ("p + p", 1),
        ("[lang]", 1),
        ("[lang|=en]", 1),
        ("[class~='b']", 1),
        ("[class^=x]", 0),
        ("p:empty", 1),
        ("p:not(.a)", 2),
        ("p:not(:hover)", 3),
        (":is(main, footer) p", 3),
        (":root", 1),
        ("p::before", 3),
        ("p:nth-child(2)", 3),
        ("p ! q", 7),
        ("svg|p", 7),
    ],
)
def test_what_a_selector_means(selector: str, matched: int) -> None:
    assert sum(map(_selectors.matcher(selector), TREE.iter("*"))) == matched


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("#fff", ((1, 1, 1), 1)),
        ("#00000080", ((0, 0, 0), 128 / 255)),
        ("black", ((0, 0, 0), 1)),
        ("rgb(255, 0, 0)", ((1, 0, 0), 1)),
        ("rgb(0 0 0 / 50%)", ((0, 0, 0), 0.5)),
        ("hsl(120, 100%, 50%)", ((0, 1, 0), 1)),
        ("CanvasText", None),
    ],
)
def test_colours(value: str, found: object) -> None:
    assert _colors.rgb(value) == found


@pytest.mark.parametrize("value", ["color-mix(in srgb, red, blue)", "oklch(1 0 0)", "#12345", "nocolour"])
def test_colours_that_can_not_be_worked_out(value: str) -> None:
    with pytest.raises(ValueError, match="no colour that can be proven"):
        _colors.rgb(value)


def test_contrast_is_wcags() -> None:
    assert _colors.contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert _colors.contrast((1, 1, 1), (1, 1, 1)) == pytest.approx(1)


def test_a_variable_stands_for_every_value_that_it_may_have() -> None:
    values = {"--a": ("1", "2"), "--b": ("var(--a)",)}
    assert _hazards.substituted("x var(--b, 3)", values) == ["x 1", "x 2", "x 3"]
    assert _hazards.substituted("x var(--a, 3)", values, known=True) == ["x 1", "x 2"]
    assert _hazards.substituted("var(--none)", values) == [""]
    assert _hazards.substituted("var(--self)", {"--self": ("var(--self)",)}) == ["var(--self)"]
