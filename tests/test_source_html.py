"""HTML inside topics: what it becomes, what is repaired, and that no word is lost."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.findings import has_errors
from pipeline.topic import schema_problems
from sources._html import Html, absolute, convert

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BASE = "https://example.org/topics/wrist.html"


def made(html: str) -> Html:
    return convert(html, "f.xml", 10, BASE, lambda url: "hip" if url == "https://example.org/topics/hip.html" else "")


def body(html: Html) -> etree._Element:
    element = etree.Element("body")
    element.extend(html.blocks)
    return element


def printed(html: str) -> str:
    """The blocks without lines, checked against the schema."""
    element = body(made(html))
    assert schema_problems(element) == []
    etree.strip_attributes(element, "data-line")
    return "".join(etree.tostring(child, encoding="unicode") for child in element)


def codes(html: str) -> list[str]:
    return [finding.code for finding in made(html).findings]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("text & more", "<p>text &amp; more</p>"),
        ("<p>a\n  <b>b</b>  c </p>", "<p>a <b>b</b> c</p>"),
        ("a<br>b<br/>c", "<p>a<br/>b<br/>c</p>"),
        ("<p>5&nbsp;mg &lt; 6 &micro;g</p>", "<p>5\xa0mg &lt; 6 µg</p>"),
        ("<p>10<sup>9</sup> H<sub>2</sub>O</p>", "<p>10<sup>9</sup> H<sub>2</sub>O</p>"),
        ("<div>a</div><div>b</div>", "<p>a</p><p>b</p>"),
        ('<div lang="es" dir="ltr">uno</div>', '<div lang="es" dir="ltr"><p>uno</p></div>'),
        ('<span style="x">a</span> <span lang="fr">b</span> <font color="red">c</font>', '<p>a <span lang="fr">b</span> c</p>'),
        ("<acronym title='x'>A</acronym><tt>b</tt><strike>c</strike>", '<p><abbr title="x">A</abbr><code>b</code><s>c</s></p>'),
        (
            "<ul><li>a<li>b<ol start=3 type=a><li>c</ol></ul>",
            '<ul><li>a</li><li><p>b</p><ol start="3" type="a"><li>c</li></ol></li></ul>',
        ),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "<ul><li><p>a</p><ul><li>b</li></ul></li></ul>"),
        ("<ul>x<li>a</li>y<p>z</p></ul>", "<ul><li>x</li><li>a</li><li>y</li><li><p>z</p></li></ul>"),
        ("<ul><li></li><li> <br> </li></ul>", ""),
        ("<ol><li value=5>a<li>b<li value=9>c</ol>", '<ol start="5"><li>a</li><li>b</li></ol><ol start="9"><li>c</li></ol>'),
        ("<ol type=a><li>a<li></li><li>b</ol>", '<ol type="a"><li>a</li></ol><ol start="3" type="a"><li>b</li></ol>'),
        ("<ol start=3><li value=x>a<li value=3>b</ol>", '<ol start="3"><li>a</li></ol><ol start="3"><li>b</li></ol>'),
        ("<ol>x<li>a</li>y<p>z</p><li>b</ol>", "<p>x</p><ol><li><p>a y</p><p>z</p></li><li>b</li></ol>"),
        ("<dialog>a</dialog><dialog>b</dialog><search>c</search>", "<p>a</p><p>b</p><p>c</p>"),
        ("a<hr>b<hr>", "<p>a</p><p>b</p>"),
        ("<!--> a <!--x--> b <!-- x --!> c", "<p>a b c</p>"),
        ("<!--[if !mso]><!-->a<!--<![endif]--><![if !x]>b<![endif]><?o:x y='1'/>", "<p>ab</p>"),
        ("<![CDATA[a <b> &amp;]]>", "<p>a &lt;b&gt; &amp;amp;</p>"),
        ("&#99999999999999999999;", "<p>\ufffd</p>"),
        ("<p></p><p>&nbsp;</p><p><br></p>", ""),
        ("<dl><dt>a<dd>b<dd>c<dt>d</dl>", "<dl><dt>a</dt><dd>b</dd><dd>c</dd><dt>d</dt><dd/></dl>"),
        ("<dl><div><dt>a</dt><dd>b</dd></div></dl>", "<dl><dt>a</dt><dd>b</dd></dl>"),
        ("<blockquote>a<p>b</blockquote>", "<blockquote><p>a</p><p>b</p></blockquote>"),
        ("<pre>a\n  b</pre>", "<pre>a\n  b</pre>"),
        (
            "<h2>A</h2>a<h3>B</h3>b<h2>C</h2>c",
            "<section><h>A</h><p>a</p><section><h>B</h><p>b</p></section></section><section><h>C</h><p>c</p></section>",
        ),
        ("<h4>A</h4><h2>B</h2>b", "<section><h>A</h></section><section><h>B</h><p>b</p></section>"),
        ("<h2> </h2>a", "<p>a</p>"),
        ("<li>a", "<p>a</p>"),
        ("<b><p>a</p><ul><li>b</li></ul></b>", "<p><b>a</b></p><ul><li><b>b</b></li></ul>"),
        ("<!-- no --><p>a<!-- no --></p>", "<p>a</p>"),
        ("<hr><p>a</p><style>p{}</style>", "<p>a</p>"),
        ("<html><head></head><body><p>a</p></body></html>", "<p>a</p>"),
        ("<aside>a</aside>", '<aside data-kind="note"><p>a</p></aside>'),
        (
            "<figure><img src='a.png' alt='A'><figcaption>c</figcaption></figure>",
            '<figure><img src="https://example.org/topics/a.png" alt="A"/><figcaption>c</figcaption></figure>',
        ),
    ],
)
def test_html_becomes_canonical(html: str, expected: str) -> None:
    assert printed(html) == expected
    assert codes(html) == []


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (
            "<table><caption>c</caption><thead><tr><th>a<th>b</thead><tr><td>1<td colspan=2>2</table>",
            '<table><caption>c</caption><thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>'
            '<tbody><tr><td>1</td><td colspan="2">2</td></tr></tbody></table>',
        ),
        (
            "<table><tr><th>a</th><td>1</td></tr><tr><th scope=rowgroup>b<td rowspan=0>2</tr></table>",
            '<table><tbody><tr><th scope="row">a</th><td>1</td></tr>'
            '<tr><th scope="rowgroup">b</th><td>2</td></tr></tbody></table>',
        ),
        (
            "<table><tfoot><tr><td>f</td></tr></tfoot><tbody><tr><td>b</td></tr></tbody></table>",
            "<table><tbody><tr><td>b</td></tr></tbody><tfoot><tr><td>f</td></tr></tfoot></table>",
        ),
        ("<table><td>a<td>b</table>", "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>"),
        (
            "<table><colgroup>x<col><tr><td>a<colgroup></table>",
            "<p>x</p><table><tbody><tr><td>a</td></tr></tbody></table>",
        ),
        ("<table>x<tr>y<td>a</tr>z</table>", "<p>x</p><p>z</p><table><tbody><tr><td>y</td><td>a</td></tr></tbody></table>"),
        ("<table><thead><tr><th>a</thead></table>", '<table><tbody><tr><th scope="col">a</th></tr></tbody></table>'),
        ("<table><caption>c</caption></table>", "<p>c</p>"),
        ("<table><tr><td></td></tr></table>", ""),
    ],
)
def test_tables_are_put_in_order(html: str, expected: str) -> None:
    assert printed(html) == expected
    assert codes(html) == []


@pytest.mark.parametrize(
    ("html", "expected", "code"),
    [
        ("<p>a<b>b<i>c</b>d</i>", "<p>a<b>b<i>c</i></b>d</p>", "html.repaired"),
        ("<p><b>call 911<p>now", "<p><b>call 911</b></p><p>now</p>", "html.repaired"),
        ("a</div>b", "<p>ab</p>", "html.repaired"),
        ("a <b unfinished", "<p>a &lt;b unfinished</p>", "html.repaired"),
        ("<!-- a <p>b", "<p>&lt;!-- a</p><p>b</p>", "html.repaired"),
        ("write to <jo@example.org>", "<p>write to &lt;jo@example.org&gt;</p>", "html.repaired"),
        ("a <!b> c", "<p>a &lt;!b&gt; c</p>", "html.repaired"),
        ("a</ b> c", "<p>a&lt;/ b&gt; c</p>", "html.repaired"),
        ("<plaintext>a <b>", "<p>&lt;plaintext&gt;a &lt;b&gt;</p>", "html.repaired"),
        ("<ol reversed><li>a</ol>", "<ol><li>a</li></ol>", "html.left-out"),
        ("a<button>b</button><button>c</button>", "<p>a b c</p>", "html.unknown-element"),
        ("<blink>a</blink>", "<p>a</p>", "html.unknown-element"),
        ("<o:p>a</o:p>", "<p>a</p>", "html.unknown-element"),
        ("<button>a</button>", "<p>a</p>", "html.unknown-element"),
        ("a<script>b()</script>", "<p>a</p>", "html.left-out"),
        ("<video src=v.mp4>a</video>", "<p>a</p>", "html.left-out"),
        ("<img alt='a'>", "<p>a</p>", "html.left-out"),
        ("<img src='a.png'>", '<p><img src="https://example.org/topics/a.png" alt=""/></p>', "html.alt-missing"),
        ("&lt;p&gt;a &amp;amp; b&lt;/p&gt;", "<p>a &amp; b</p>", "html.escaped-twice"),
        ("<p>a\x0bb</p>", "<p>ab</p>", "html.characters"),
    ],
)
def test_what_is_broken_is_read_and_said(html: str, expected: str, code: str) -> None:
    assert printed(html) == expected
    assert codes(html) == [code]


@pytest.mark.parametrize(
    "html",
    [
        '<p>Before <a href="x>link</a> w1w</p><p>More "quoted" w2w</p>',
        '<p>Before <a href="x>link</a> w1w w2w</p>',
        "<p title='a > b'>w1w</p><b title='c < d'>w2w</b>",
        "<p>w1w <i class='x>w2w</i> now</p><p>it's</p>",
        "<b <i>w1w</i> w2w",
        "w1w <script>a() w2w",
        "w1w <style>a() w2w",
        "w1w <title>a() w2w",
        "w1w <template>a() w2w",
        "<!-- a <p>w1w</p> <!-- b --> w2w",
        "w1w <! note <b>w2w</b>",
        "w1w <a href='b'>c</a w2w <b>",
        "<svg><style><p>w1w</style> w2w",
    ],
)
def test_where_words_may_be_lost_nobody_reads_the_text(html: str) -> None:
    assert [f.code for f in made(html).findings if f.severity == "error"] == ["html.text-unsure"]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<a href='hip.html'>a</a>", '<p><a data-kind="topic" data-topic="hip">a</a></p>'),
        ("<a href='/topics/hip.html#care'>a</a>", '<p><a data-kind="topic" data-topic="hip" data-anchor="care">a</a></p>'),
        ("<a href='HTTP://x.example/a b'>a</a>", '<p><a data-kind="external" href="http://x.example/a%20b">a</a></p>'),
        ("<a href='mailto:a@x.example'>a</a>", '<p><a data-kind="external" href="mailto:a@x.example">a</a></p>'),
        ("<a href='#b'>a</a><p id='b'>b</p>", '<p><a data-kind="local" href="#b">a</a></p><p id="b">b</p>'),
        ("<a href='#b'>a</a> <a name='b'></a>b", '<p><a data-kind="local" href="#b">a</a> <span id="b"/>b</p>'),
        ("<p id='unwanted'>a</p>", "<p>a</p>"),
        ("<a href='hip.html'><p>a</p></a>", '<p><a data-kind="topic" data-topic="hip">a</a></p>'),
    ],
)
def test_links_lead_where_they_did(html: str, expected: str) -> None:
    assert printed(html) == expected
    assert codes(html) == []


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", " JaVa\nscript:x", "data:text/html,x", "http://", "#", "#nowhere", "ftp://x/y", "http://[x/"]
)
def test_links_that_lead_nowhere_leave_their_text(href: str) -> None:
    html = f'<p>see <a href="{href}">here</a></p>'
    assert printed(html) == "<p>see here</p>"
    assert [(f.code, f.line) for f in made(html).findings] == [("html.link-refused", 10)]


@pytest.mark.parametrize("href", ["", "a.html", "//", "www.example.org", "http:///a"])
def test_without_a_base_only_whole_addresses_count(href: str) -> None:
    assert absolute(href, "") == ""


@pytest.mark.parametrize(
    ("html", "said", "left"),
    [
        ('<p>a</p><p class="attribution">NIH: B</p>', ("NIH: B",), "<p>a</p>"),
        (
            '<p class="x Attribution">NIH: <a href="http://b.example">B</a></p>',
            ("NIH: B",),
            '<p>NIH: <a data-kind="external" href="http://b.example">B</a></p>',
        ),
        ('<p>a</p><p style="text-align:right">Institute of B</p> ', ("Institute of B",), "<p>a</p><p>Institute of B</p>"),
        ('<p>a</p><p style="color:red">Call 911.</p>', (), "<p>a</p><p>Call 911.</p>"),
        ('<p style="color:red">B</p><p>a</p>', (), "<p>B</p><p>a</p>"),
    ],
)
def test_credit_lines_are_told_from_the_text(html: str, said: tuple[str, ...], left: str) -> None:
    assert made(html).credits == said
    assert printed(html) == left


@pytest.mark.parametrize("tag", ["div", "ul><li", "b", "table><tr><td", "blockquote", "section"])
def test_nesting_without_end_is_cut_and_said(tag: str) -> None:
    html = made(f"<{tag}>" * 5000 + "call 911")
    element = body(html)
    assert schema_problems(element) == []
    assert "".join(element.itertext()) == "call 911"
    assert [finding.code for finding in html.findings] == ["html.repaired"]


def test_blocks_and_findings_say_their_line() -> None:
    html = made("<p>a</p>\n<p>b</p>\n\n<ul>\n<li>c <blink>d</blink></ul>")
    assert [block.get("data-line") for block in html.blocks] == ["10", "11", "13"]
    assert [(f.file, f.line) for f in html.findings] == [("f.xml", 14)]


TAGS = (
    "p b i em ul ol li table tr td th caption thead tbody tfoot h2 h3 h4 div a dl dt dd blockquote pre figure figcaption span"
    " aside section font summary button article center sub sup q abbr address form br img hr bogus o:p"
)
PIECES = st.one_of(
    st.sampled_from([f"<{tag}>" for tag in TAGS.split()]),
    st.sampled_from([f"</{tag}>" for tag in TAGS.split()]),
    st.sampled_from(
        [
            "<a href='#z' id='z'>",
            "<a href='http://x.example/'>",
            "<p class='attribution'>",
            "<span lang='es'>",
            "<img src='a' alt='b'>",
        ]
    ),
    st.just("WORD "),
)


@given(st.lists(PIECES, max_size=16))
def test_no_word_is_lost_or_said_twice_whatever_the_tags(pieces: list[str]) -> None:
    words = [f"w{number}w" for number, piece in enumerate(pieces) if piece == "WORD "]
    html = made("".join(f"w{number}w " if piece == "WORD " else piece for number, piece in enumerate(pieces)))
    element = body(html)
    assert schema_problems(element) == []
    text = "".join(element.itertext())
    assert all(text.count(word) <= 1 for word in words)
    assert [word for word in words if word not in text + " ".join(html.credits)] == []


ODD = (
    " script style title template textarea select option noscript iframe object xmp svg math ruby rt dialog search colgroup col"
    " plaintext head body noembed x-y input label"
)
BROKEN = """
<a href="|<a href='|"|'|<!--|-->|--!>|<!-->|<![CDATA[|]]>|<!|</|<?|<|>|/>|=|<li value=5>|&lt;|&#|<!doctype html>|<![if x]>|<b/>
|<script src=x />|</script x>|</br>|<img alt="|<p class=attribution>"""
# Of a browser's text: what it does not show, and titles and frames, which say nothing of the topic's text.
WORDS_OF_CHROMIUM = """pages => pages.map(page => {
    const read = new DOMParser().parseFromString('<body>' + page, 'text/html');
    read.querySelectorAll('script, style, template, noframes, noembed, iframe, title').forEach(element =>
        element.namespaceURI.endsWith('xhtml') && element.remove());
    return read.documentElement.textContent;
})"""


def odd_page(chance: random.Random) -> str:
    """HTML as nobody should write it; each word stands in it once."""
    tags, broken = (TAGS + ODD).split(), BROKEN.split("|")
    kinds: list[Callable[[int], str]] = [
        lambda place: f" w{place}w ",
        lambda place: f" w{place}w ",
        lambda _: f"<{chance.choice(tags)}>",
        lambda _: f"</{chance.choice(tags)}>",
        lambda _: chance.choice(broken),
    ]
    return "".join(chance.choices(kinds, weights=[2, 2, 4, 3, chance.choice((0, 2))])[0](n) for n in range(chance.randint(1, 24)))


@pytest.mark.tools
def test_what_a_browser_shows_is_in_the_topic_or_it_is_held_back(browser: Browser) -> None:
    chance = random.Random(1)
    pages = [odd_page(chance) for _ in range(int(os.environ.get("ODD_PAGES", "1000")))]
    read = 0
    for page, shown in zip(pages, browser.new_page().evaluate(WORDS_OF_CHROMIUM, pages), strict=True):
        html = made(page)
        element = body(html)
        assert schema_problems(element) == [], page
        if not has_errors(html.findings):
            read += 1
            text = "".join(element.itertext()) + " ".join(html.credits)
            assert [word for word in re.findall(r"w\d+w", shown) if word not in text] == [], page
    assert read > len(pages) / 3


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    assert schema_problems(body(made(text.replace("&", "<")))) == []
    assert schema_problems(body(made(text))) == []
