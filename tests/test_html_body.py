"""A canonical body as an HTML tree: names, headings, links, what stays, what goes, and how it is printed."""

from __future__ import annotations

import copy
import re

import pytest
from editions import view
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html
from rendering import ASSETS, TOPICS, topic

from pipeline.contracts import Assets, View
from pipeline.topic import MATHML, PROVENANCE, Metadata, Topic
from transforms._addresses import outside
from transforms._html import Options, Rendered, at_media_path, render, to_html, to_xhtml, topic_links


def a_view(body: str, language: str = "en") -> View:
    return view(Topic(Metadata(id="t1", language=language, title="A topic"), etree.fromstring(f"<body>{body}</body>")))


def made(body: str, language: str = "en", **options: object) -> Rendered:
    shown = a_view(body, language)
    wanted: dict[str, object] = {"topic_link": topic_links(shown), "media": at_media_path} | options
    return render(shown, ASSETS, Options("html", **wanted))  # type: ignore[arg-type]


def inner(body: str, language: str = "en", **options: object) -> str:
    """The mark-up inside of the body's root, on one line."""
    text = to_html(made(body, language, **options).element).decode()
    return re.sub(r"\n", "", text.partition(">")[2].removesuffix("</div>"))


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOPICS)
def test_every_class_and_id_is_ours_and_every_place_exists(name: str) -> None:
    shown = view(topic(name))
    root = render(shown, ASSETS, Options("html", topic_links(shown), at_media_path)).element
    ids = [element.get("id", "") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(each.startswith(f"syn-{shown.topic.metadata.id}--") for each in ids)
    assert all(each.startswith("syn-") for element in root.iter() for each in element.get("class", "").split())
    targets = [a.get("href", "") for a in root.iter("a")]
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    assert {element.get("aria-labelledby") for element in root.iter() if element.get("aria-labelledby")} <= set(ids)
    inside = {*PROVENANCE, "data-only", "data-audience", "data-required"}
    assert not [element for element in root.iter() if inside & set(element.keys())]


@pytest.mark.parametrize("name", TOPICS)
def test_the_view_is_left_as_it_is(name: str) -> None:
    shown = view(topic(name))
    before = copy.deepcopy(shown.topic)
    render(shown, ASSETS, Options("html", topic_links(shown), at_media_path))
    assert shown.topic == before


def test_anchors_come_from_ids_and_titles_and_do_not_count() -> None:
    rendered = made(
        '<section id="first"><h>Causes</h><section><h>Treatment</h><p>a</p></section></section>'
        "<section><h>Treatment</h><section><h>Treatment</h><p>b</p></section></section>"
        "<section><h>Treatment</h><p>c</p></section><section><h>Treatment</h><p>c</p></section>"
    )
    ids = [section.get("id", "").removeprefix("syn-t1--") for section in rendered.element.iter("section")]
    assert ids[:2] == ["first", "treatment"]
    assert len(set(ids)) == 6
    assert all(re.fullmatch(r"treatment-[0-9a-f]{8}|(first|treatment(-[0-9a-f]{8})?)--treatment", name) for name in ids[2:])
    assert rendered.toc[0].children[0].id == "syn-t1--treatment"


def test_of_two_equal_ids_the_first_keeps_it_and_reserved_ones_go() -> None:
    text = inner('<p id="x">one</p><p id="x">two</p><p id="syn-main">three</p><p><a data-kind="local" href="#x">to one</a></p>')
    assert text == '<p id="syn-t1--x">one</p><p>two</p><p>three</p><p><a href="#syn-t1--x">to one</a></p>'


def test_titles_of_other_scripts_make_anchors() -> None:
    assert [entry.id for entry in made("<section><h>ألم الصدر</h></section>", "ar").toc] == ["syn-t1--ألم-الصدر"]


# --- headings and sections ----------------------------------------------------------------------


def test_headings_stop_at_six_and_say_their_level_beyond() -> None:
    body = "<p>deep</p>"
    for level in range(7, 0, -1):
        body = f"<section><h>L{level}</h>{body}</section>"
    headings = [e for e in made(body).element.iter() if re.fullmatch(r"h\d", str(e.tag))]
    assert [(e.tag, e.get("aria-level")) for e in headings] == [
        ("h2", None), ("h3", None), ("h4", None), ("h5", None), ("h6", None), ("h6", "7"), ("h6", "8"),
    ]  # fmt: skip
    assert [e.tag for e in made(body, heading_base=4).element.iter("h4", "h5", "h6")][:2] == ["h4", "h5"]


def test_sections_without_a_title_do_not_deepen_and_known_kinds_get_one() -> None:
    rendered = made(
        "<section><section><h>A</h><p>a</p></section></section>"
        '<section data-kind="footnotes"><ol><li id="f">n</li></ol></section>'
    )
    assert [(e.tag, e.text) for e in rendered.element.iter("h2", "h3")] == [("h2", "A"), ("h2", "Footnotes")]
    assert [entry.text for entry in rendered.toc] == ["A", "Footnotes"]


def test_only_main_sections_are_landmarks() -> None:
    root = made("<section><h>A</h><section><h>B</h></section></section>").element
    assert [section.get("aria-labelledby") for section in root.iter("section")] == ["syn-t1--a--title", None]


def test_an_empty_title_is_no_heading() -> None:
    assert inner("<section><h> </h><p>a</p></section>") == '<div id="syn-t1--section"><p>a</p></div>'


@pytest.mark.parametrize(
    ("language", "kind", "word"),
    [("en", "emergency", "Emergency"), ("en", "note", "Note"), ("es", "warning", "Advertencia"), ("ar", "danger", "خطر")],
)
def test_asides_write_their_word_and_keep_the_authors_title(language: str, kind: str, word: str) -> None:
    text = inner(f'<aside data-kind="{kind}"><h>Now</h><p>Go.</p></aside>', language)
    assert text == (
        f'<aside class="syn-note syn-note--{kind}" data-kind="{kind}" role="note"><p class="syn-note__label">{word}</p>'
        "<h2>Now</h2><p>Go.</p></aside>"
    )


# --- links --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "href"),
    [
        ('data-topic="other"', "../other/index.html"),
        ('data-topic="other" data-anchor="when to call"', "../other/index.html#syn-other--when%20to%20call"),
        ('data-topic="other" data-language="es"', "../../es/other/index.html"),
    ],
)
def test_links_to_topics_are_relative_and_say_which_topic(attributes: str, href: str) -> None:
    [link] = made(f'<p><a data-kind="topic" {attributes}>Other</a></p>').element.iter("a")
    assert link.get("href") == href
    assert link.get("data-topic") == "other"
    assert link.get("data-language") in ("en", "es")


def test_links_to_topics_follow_a_sites_template() -> None:
    shown = a_view("<p/>")
    link = topic_links(shown, template="https://portal.example/t?id={id}&l={language}#{anchor}")
    assert link("a.b", "en", "x y") == "https://portal.example/t?id=a.b&l=en#syn-a.b--x%20y"
    assert link("a.b", "en", "") == "https://portal.example/t?id=a.b&l=en"


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://example.org/a?b=1&amp;c=2", '<a href="https://example.org/a?b=1&amp;c=2" rel="external noopener">x</a>'),
        ("https://example.org/niño", '<a href="https://example.org/niño" rel="external noopener">x</a>'),
        ("https://example.org/a b", '<a href="https://example.org/a%20b" rel="external noopener">x</a>'),
        ("tel:+15550100", '<a href="tel:+15550100" rel="external noopener">x</a>'),
        ("javascript:alert(1)", "x"),
        (" JAVASCRIPT:alert(1)", "x"),
        ("//example.org/a", "x"),
        ("data:text/html,hi", "x"),
    ],
)
def test_links_outside(href: str, expected: str) -> None:
    assert inner(f'<p><a data-kind="external" href="{href}">x</a></p>') == f"<p>{expected}</p>"


def test_links_that_lead_nowhere_or_stand_in_a_link_keep_their_words() -> None:
    body = (
        '<p><a data-kind="local" href="#gone">lost <em>place</em></a> <a>bare</a> '
        '<a data-kind="external" href="https://example.org/">out <a data-kind="external" href="https://example.com/">in</a></a></p>'
    )
    assert inner(body) == ('<p>lost <em>place</em> bare <a href="https://example.org/" rel="external noopener">out in</a></p>')


def test_definitions_and_footnotes_lead_there_and_back_once() -> None:
    body = (
        '<p><a data-kind="definition" href="#d">INR</a>, again <a data-kind="definition" href="#d">INR</a>'
        '<sup><a data-kind="footnote" href="#f">1</a></sup></p>'
        '<section data-kind="glossary"><dl><dt id="d">INR</dt><dd><p>A number.</p></dd></dl></section>'
        '<section data-kind="footnotes"><ol><li id="f">A note.</li></ol></section>'
    )
    text = inner(body)
    assert text.count('href="#syn-t1--d"') == 2
    assert '<a class="syn-definition" href="#syn-t1--d" id="syn-t1--d--ref">INR</a>' in text
    back = '<a class="syn-back" href="#syn-t1--{}--ref" title="Back to text">↩</a>'
    assert f"<dd><p>A number.\u00a0{back.format('d')}</p></dd>" in text
    assert f'<li id="syn-t1--f">A note.\u00a0{back.format("f")}</li>' in text
    assert text.count("syn-back") == 2
    assert "syn-back" not in inner(body, ways_back=False)


# --- what stays, what goes ----------------------------------------------------------------------


def test_what_is_for_other_formats_goes_and_text_after_it_stays() -> None:
    body = '<p data-only="print">no</p>'
    body += '<p>a <span data-only="epub text">no</span>b<!-- no --> c<?no no?> d</p><p data-only="html epub">yes</p>'
    assert inner(body) == "<p>a b c d</p><p>yes</p>"


def test_what_the_vocabulary_does_not_know_keeps_its_words_alone() -> None:
    body = '<p onclick="a()" style="color:red" class="x" data-x="1">a <script>b()</script> <blink>c</blink></p>'
    body += '<iframe src="x">d</iframe>'
    assert inner(body) == "<p>a b() c</p>d"


def test_formats_for_paper_leave_out_and_count() -> None:
    body = (
        '<p>See <a data-kind="topic" data-topic="x"><em>that</em></a> and <a data-kind="definition" href="#d">INR</a>.</p>'
        '<figure><img src="media/pill-box.png" alt="a"/><figcaption>gone too</figcaption></figure>'
        '<figure><img src="media/pill-box.png" alt="b" data-required="yes"/></figure>'
        "<figure><table><tbody><tr><td>stays</td></tr></tbody></table></figure>"
        '<section data-kind="related"><ul><li><a data-kind="topic" data-topic="y">Y</a></li></ul></section>'
        '<section data-kind="glossary"><dl><dt id="d">INR</dt><dd>n</dd></dl></section>'
    )
    rendered = made(body, topic_link=None, definitions=False, related=False, illustrations=False)
    text = to_html(rendered.element).decode()
    assert "<p>See <em>that</em> and INR.</p>" in text
    assert [img.get("alt") for img in rendered.element.iter("img")] == ["b"]
    assert "gone too" not in text
    assert "stays" in text
    assert not list(rendered.element.iter("section", "dl"))
    assert rendered.omitted["illustrations"] == 1
    assert rendered.omitted["definitions"] == 1
    assert rendered.omitted["cross-references"] >= 1


# --- tables, figures, formulas ------------------------------------------------------------------


def test_tables_stand_in_named_regions() -> None:
    row = "<tbody><tr><td>1</td></tr></tbody>"
    head = '<thead><tr><th scope="col">Age</th><th scope="col">Dose</th></tr></thead>'
    root = made(
        f"<section><h>Doses</h><table><caption>By age</caption>{row}</table><table>{head}{row}</table><table>{row}</table>"
        f"<table>{row}</table></section>"
    ).element
    regions = root.findall(".//div[@class='syn-table']")
    assert [(r.get("role"), r.get("aria-label"), r.get("aria-labelledby"), r.get("tabindex")) for r in regions] == [
        ("region", None, "syn-t1--by-age", "0"),
        ("region", "Table: Age, Dose", None, "0"),
        ("region", "Table: Doses", None, "0"),
        ("group", "Table: Doses", None, "0"),
    ]


def test_a_table_in_a_table_has_no_region_of_its_own() -> None:
    inside = "<table><tbody><tr><td>b</td></tr></tbody></table>"
    root = made(f'<table><tbody><tr><td colspan="2" rowspan="3">{inside}</td></tr></tbody></table>').element
    assert len(root.findall(".//div[@class='syn-table']")) == 1
    assert root.find(".//td").attrib == {"colspan": "2", "rowspan": "3"}  # type: ignore[union-attr]


def test_figures_show_size_credit_and_the_caption_last() -> None:
    text = inner('<figure><img src="media/pill-box.png" alt="A &quot;box&quot;"/><figcaption>C</figcaption><p>after</p></figure>')
    path = ASSETS.images["media/pill-box.png"].path
    assert text == (
        f'<figure><img src="{path}" alt="A &quot;box&quot;" width="40" height="30">'
        '<p class="syn-credit">Photo: A. Photographer</p><p>after</p><figcaption>C</figcaption></figure>'
    )


def test_a_credit_in_a_line_of_text_stays_in_the_line() -> None:
    assert '<small class="syn-credit">Photo: A. Photographer</small> x' in inner(
        '<p>a <img src="media/pill-box.png" alt="b"/> x</p>'
    )


def test_an_image_that_there_is_not_is_its_words() -> None:
    shown = a_view('<p>See <img src="gone.png" alt="a heart"/>.</p>')
    rendered = render(shown, Assets(), Options("html", None, at_media_path))
    assert "<p>See a heart.</p>" in to_html(rendered.element).decode()
    assert rendered.media == ()


def test_formulas_are_cleaned_and_printed_for_html_and_for_xml() -> None:
    body = (
        f'<p>Mean <m:math xmlns:m="{MATHML}" alttext="x" onclick="a()"><m:semantics><m:mrow><m:mi href="javascript:a()">x</m:mi>'
        '<m:mspace/><m:img src="x" onerror="a()">y</m:img></m:mrow><m:annotation-xml encoding="text/html">z</m:annotation-xml>'
        "</m:semantics></m:math>.</p>"
    )
    element = made(body).element
    formula = '<math alttext="x"><semantics><mrow><mi>x</mi><mspace></mspace><mrow>y</mrow></mrow></semantics></math>.'
    assert formula in to_html(element).decode()
    page = etree.fromstring(b'<html xmlns="http://www.w3.org/1999/xhtml">' + to_xhtml(element) + b"</html>")
    assert page[0].tag == "{http://www.w3.org/1999/xhtml}div"
    assert page.find(f".//{{{MATHML}}}mi").text == "x"  # type: ignore[union-attr]


def test_a_formula_among_blocks_is_a_block() -> None:
    assert 'display="block"' in inner(f'<math xmlns="{MATHML}"><mi>x</mi></math>')


def test_html_has_void_elements_and_no_empty_tags() -> None:
    text = inner("<p>a<br/>b</p><p/><table><tbody><tr><td/></tr></tbody></table>")
    assert "<p>a<br>b</p><p></p>" in text
    assert "<td></td>" in text


# --- language -----------------------------------------------------------------------------------


def test_root_says_language_and_direction_and_so_do_other_languages_inside() -> None:
    root = made('<p>نص <span lang="en">word</span> <span lang="fa">واژه</span></p>', "ar").element
    assert dict(root.attrib) == {"class": "syn-body", "lang": "ar", "dir": "rtl"}
    assert [span.get("dir") for span in root.iter("span")] == ["ltr", None]


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Take 5 mg now", "Take 5~mg now"),
        ("2 to 3\n   hours", "2~to 3~hours"),
        ("38.5 °C, 5 % or 10 µg/kg", "38.5~°C, 5~% or 10~µg/kg"),
        ("<b>2</b> tablets", "<b>2</b>~tablets"),
        ("10<sup>9</sup> cells", "10<sup>9</sup>~cells"),
        ("take 5 <b>mg</b>", "take 5~<b>mg</b>"),
        ("<em>a</em> 5 mg", "<em>a</em> 5~mg"),
        ("خذ 5 ملغ", "خذ 5~ملغ"),
        ("800 555 0100", "800 555 0100"),
        ("5 - 10", "5 - 10"),
        ("<code>sleep 5 seconds</code> 5 s", "<code>sleep 5 seconds</code> 5~s"),
        ("B12 vitamin", "B12~vitamin"),
    ],
)
def test_a_number_and_its_word_never_part(body: str, expected: str) -> None:
    assert inner(f"<p>{body}</p>") == f"<p>{expected.replace('~', chr(160))}</p>"


def test_what_may_be_copied_stays_as_typed() -> None:
    assert inner("<pre>wait 5 s <b>2</b> more</pre>") == "<pre>wait 5 s <b>2</b> more</pre>"


@given(st.text(alphabet="ab 5\n\t°%é<&\u00a0", max_size=60), st.text(alphabet="c 7 \n", max_size=20))
@settings(max_examples=200, deadline=None)
def test_words_change_in_white_space_alone(before: str, after: str) -> None:
    paragraph = etree.Element("p")
    paragraph.text = before
    bold = etree.SubElement(paragraph, "b")
    bold.text, bold.tail = "1", after
    body = etree.Element("body")
    body.append(paragraph)
    shown = view(Topic(Metadata(id="t1", language="en", title="A"), body))
    text = to_html(render(shown, Assets(), Options("html", None, at_media_path)).element).decode()
    read = html.fromstring(text).find("p")
    assert read is not None
    assert "".join(map(str, read.itertext())).split() == f"{before}1{after}".split()


def test_a_formula_that_is_wider_than_a_telephone_can_be_reached() -> None:
    body = f'<math xmlns="{MATHML}" display="block"><mfrac><mi>a</mi><mi>b</mi></mfrac></math>'
    [formula] = made(body).element.iter("span")
    assert dict(formula.attrib) == {"class": "syn-formula", "role": "group", "tabindex": "0", "aria-label": "a/b"}
    assert [child.tag for child in formula] == [f"{{{MATHML}}}math"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://example.org/find?term=a[majr]", "https://example.org/find?term=a%5Bmajr%5D"),
        ("http://[::1]:80/a#[b]", "http://[::1]:80/a#%5Bb%5D"),
        ("mailto:a@example.org?subject=[x]", "mailto:a@example.org?subject=%5Bx%5D"),
    ],
)
def test_brackets_stand_in_host_names_alone(address: str, expected: str) -> None:
    assert outside(address) == expected
