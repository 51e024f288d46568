"""Views: what terms take out, and what becomes of links to what a site does not get."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from lxml import etree
from partners import agreement, grant, partner, topic

from pipeline import editions
from pipeline.contracts import Rights, Site
from pipeline.topic import Topic

TODAY = date(2026, 6, 1)


def _rules() -> dict[str, Any]:
    from test_rules import RULES

    return RULES


def _view(body: str, *others: Any, rights: Rights | None = None, **narrowed: Any) -> tuple[str, list[str]]:
    """The body's view on a site with one grant, as XML, and its findings as `code line`."""
    subject = topic(file="topics/asthma.dita", line=2)
    root = etree.fromstring(f"<body>{body}</body>")
    owner = partner(agreement(grant(**narrowed)))
    site = Site("acme", "acme", "Acme", "p/acme")
    topics = [subject, *others]
    plan = editions.plan_site(topics, site, owner, _rules(), ["html"], TODAY)
    found = editions.traits(Topic(subject, root), "digest")
    whose = {src: rights or Rights(src) for src in found.images}
    cut = editions.cut(found, plan, subject, "html", whose, _rules()["asset"])
    view, findings = editions.view(Topic(subject, root), found, cut, {t.key: t.title for t in topics})
    text = etree.tostring(view.topic.body, encoding="unicode")
    assert etree.tostring(root, encoding="unicode") == f"<body>{body}</body>", "the topic itself was changed"
    return text.removeprefix("<body>").removesuffix("</body>").removesuffix("<body/>"), [f"{f.code} {f.line}" for f in findings]


LUNGS = topic(id="lungs", title="Lungs", collections=("body",))
HIDDEN = topic(id="hidden", title="Hidden", status="withdrawn")


@pytest.mark.parametrize(
    ("body", "left", "codes"),
    [
        pytest.param('<p>See <a data-kind="topic" data-topic="lungs">lungs</a>.</p>', None, [], id="a granted target stays"),
        pytest.param(
            '<p>See <a data-kind="topic" data-topic="lungs"/>.</p>',
            '<p>See <a data-kind="topic" data-topic="lungs">Lungs</a>.</p>',
            [],
            id="a link without words gets the title",
        ),
        pytest.param(
            '<p data-line="7">See <a data-kind="topic" data-topic="hidden" data-anchor="x">that</a>.</p>',
            '<p data-line="7">See <span>that</span>.</p>',
            ["link.target-withheld 7"],
            id="the author's words stay",
        ),
        pytest.param(
            '<p>See <a data-kind="topic" data-topic="hidden"/> now.</p>',
            "<p>See  now.</p>",
            ["link.target-withheld 2"],
            id="a link without words goes, and never shows the title",
        ),
        pytest.param(
            '<p>See <a data-kind="topic" data-topic="nowhere">it</a>.</p>',
            "<p>See <span>it</span>.</p>",
            ["link.target-missing 2"],
            id="a target that does not exist",
        ),
        pytest.param(
            '<section data-kind="related"><ul><li><a data-kind="topic" data-topic="hidden">Hidden</a></li></ul></section>',
            "",
            ["link.target-withheld 2"],
            id="an emptied list of related topics goes whole",
        ),
        pytest.param(
            '<section data-kind="related"><ul><li><a data-kind="topic" data-topic="hidden">Hidden</a></li>'
            '<li><a data-kind="topic" data-topic="lungs">Lungs</a></li></ul></section>',
            '<section data-kind="related"><ul><li><a data-kind="topic" data-topic="lungs">Lungs</a></li></ul></section>',
            ["link.target-withheld 2"],
            id="the other related topics stay",
        ),
    ],
)
def test_links(body: str, left: str | None, codes: list[str]) -> None:
    assert _view(body, LUNGS, HIDDEN) == (body if left is None else left, codes)


def test_a_target_without_this_format_is_no_target() -> None:
    """A page must not lead to a page that the site does not have."""
    subject = topic(collections=("air",))
    owner = partner(agreement(grant(collections=["air"]), grant(collections=["body"], formats=["epub"])))
    plan = editions.plan_site([subject, LUNGS], Site("acme", "acme", "Acme", "p/acme"), owner, _rules(), ["html", "epub"], TODAY)
    body = etree.fromstring('<body><p><a data-kind="topic" data-topic="lungs">lungs</a></p></body>')
    found = editions.traits(Topic(subject, body), "digest")
    reached = {name: editions.cut(found, plan, subject, name, {}, _rules()["asset"]).links for name in ("html", "epub")}
    assert reached == {"html": (("lungs", ""),), "epub": (("lungs", "en"),)}


def test_the_same_language_in_another_tag() -> None:
    text, codes = _view(
        '<p><a data-kind="topic" data-topic="heart">h</a></p>', topic(id="heart", title="Heart", language="en-US")
    )
    assert (text, codes) == ('<p><a data-kind="topic" data-topic="heart" data-language="en-US">h</a></p>', [])


def test_never_another_language() -> None:
    text, codes = _view('<p><a data-kind="topic" data-topic="heart">h</a></p>', topic(id="heart", title="Corazón", language="es"))
    assert (text, codes) == ("<p><span>h</span></p>", ["link.target-withheld 2"])


def test_another_language_where_the_partner_lets_it_stand_in() -> None:
    """The link leads to the Spanish topic and says its language; what exists in English is reached in English."""
    heart = topic(id="heart", title="Corazón", language="es", concept="heart")
    owner = partner(language_fallback={"en": "es"})
    plan = editions.plan_site([topic(), heart], Site("acme", "acme", "Acme", "p/acme"), owner, _rules(), ["html"], TODAY)
    assert editions.target_language("heart", "en", plan.languages, owner.language_fallback) == "es"
    assert editions.target_language("heart", "fr", plan.languages, owner.language_fallback) is None
    assert plan.stands_in_for(heart, {"heart": (heart.key,)}) == ("en",)
    assert plan.stands_in_for(topic(concept="asthma"), {"asthma": (("asthma", "en"),)}) == ()


FIGURE = '<figure><img src="a.svg" alt="A lung"/><figcaption>A lung</figcaption></figure>'


@pytest.mark.parametrize(
    ("images", "rights", "stays"),
    [
        ("own", Rights("a.svg"), True),
        ("own", Rights("a.svg", ours=False, sublicense=True), False),
        ("sublicensable", Rights("a.svg", ours=False, sublicense=True), True),
        ("sublicensable", Rights("a.svg", ours=False), False),
        ("none", Rights("a.svg"), False),
        ("own", Rights("a.svg", formats=("print",)), False),
        ("own", Rights("a.svg", ends=TODAY), True),
        ("own", Rights("a.svg", ends=date(2026, 5, 31)), False),
    ],
)
def test_images(images: str, rights: Rights, stays: bool) -> None:
    """A withheld image takes its caption along and leaves no alternative text."""
    text, codes = _view(f"<p>Air.</p>{FIGURE}", rights=rights, images=images)
    assert (text, codes) == ((f"<p>Air.</p>{FIGURE}", []) if stays else ("<p>Air.</p>", ["image.withheld 2"]))


def test_links_to_a_withheld_figure_become_words_and_its_list_entry_goes() -> None:
    figure = '<figure id="fig"><img src="a.svg" alt="A lung"/><figcaption>A lung</figcaption></figure>'
    body = (
        '<p data-line="3">See <a data-kind="local" href="#fig">Figure 1</a>, <a data-kind="topic" data-topic="asthma"'
        ' data-anchor="fig">there</a> and <a data-kind="local" href="#more">below</a>.</p>'
        f'<ul><li><p>Air.</p></li><li>{figure}</li></ul><section id="more"><h>More</h><p>x</p></section>'
    )
    text, codes = _view(body, images="none")
    assert codes == ["image.withheld 2", "link.part-withheld 3", "link.part-withheld 3"]
    assert text == (
        '<p data-line="3">See <span>Figure 1</span>, <span>there</span> and <a data-kind="local" href="#more">below</a>.</p>'
        '<ul><li><p>Air.</p></li></ul><section id="more"><h>More</h><p>x</p></section>'
    )


@pytest.mark.parametrize(
    ("beside", "stays"),
    [("<ul><li>1. Cuff</li></ul>", ""), ("<table><tbody><tr><td>1</td></tr></tbody></table>", "<figure>{}</figure>")],
)
def test_a_legend_goes_with_its_picture_and_a_table_stays(beside: str, stays: str) -> None:
    text, _ = _view(f'<p>Air.</p><figure><img src="a.svg" alt="A lung"/>{beside}</figure>', images="none")
    assert text == f"<p>Air.</p>{stays.format(beside)}"


def test_a_required_image_that_is_withheld_holds_the_topic_back() -> None:
    _, codes = _view('<p>Look: <img src="a.svg" alt="A" data-required="yes"/></p>', images="none")
    assert codes == ["image.required-withheld 2"]


def test_words_for_another_audience_go() -> None:
    dose = '<section data-audience="clinician"><h>Dose</h><p>5 mg</p></section>'
    body = f'<p>All.</p>{dose}<p data-audience="patient clinician">Both.</p>'
    text, codes = _view(body, audiences=["patient"])
    assert (text, codes) == ('<p>All.</p><p data-audience="patient clinician">Both.</p>', [])


def test_a_row_that_goes_leaves_the_others_in_their_columns() -> None:
    rows = '<tr><td rowspan="3">Child</td><td>1</td></tr><tr data-audience="clinician"><td>2</td></tr><tr><td>3</td></tr>'
    rows += '<tr><td>Adult</td><td data-audience="clinician">4</td><td>5</td></tr>'
    rest = '<tr><td rowspan="2">Child</td><td>1</td></tr><tr><td>3</td></tr>'
    rest += "<tr><td>Adult</td><td/><td>5</td></tr>"
    text, codes = _view(f"<table><tbody>{rows}</tbody></table>", audiences=["patient"])
    assert (text, codes) == (f"<table><tbody>{rest}</tbody></table>", [])


def test_removal_keeps_the_words_around() -> None:
    root = etree.fromstring("<body><p>a <b>b</b> c <i>d</i> e</p></body>")
    for element in (*root.iter("b"), *root.iter("i")):
        editions.take_out(element)
    assert etree.tostring(root) == b"<body><p>a  c  e</p></body>"
