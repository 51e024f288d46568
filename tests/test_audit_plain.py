"""One pass over plain mark-up finds what a whole parser finds; what is not plain is left to the parser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from proven import ASSETS, FORMATS, Rendering, rendering
from rendering import TOPICS, topic
from test_audit_properties import CALM, topics

from pipeline import audit
from pipeline.audit import _page, _plain
from pipeline.audit._reading import Finished, Reading
from pipeline.audit._tags import NotPlain
from pipeline.audit._visible import Styles
from pipeline.topic import Topic

PAGES = tuple(name for name in FORMATS if name != "text")
PASSES = ("fragment", "chapter", "article", "page")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, *, refuse: bool) -> Iterator[list[str]]:
    """The passes that succeed; with `refuse`, none does, so that everything is read by a whole parser."""
    done: list[str] = []
    with monkeypatch.context() as patch:
        for name in PASSES:
            original = getattr(_plain, name)

            def one(*given: object, name: str = name, original: object = original, **more: object) -> object:
                if refuse:
                    raise NotPlain("refused by the test")
                found = original(*given, **more)  # type: ignore[operator]
                done.append(name)
                return found

            patch.setattr(_plain, name, one)
        yield done


def readings(made: Rendering) -> tuple[Reading, Reading]:
    """Body and file as read, without what only one pass knows."""
    _page.html_fragment.cache_clear()
    reader = audit._reader(made.place)
    inner = reader.body(made.body.content, made.view, made.place)
    around = reader.file(Finished(made.files, made.body, inner, made.view, made.edition, made.place, made.bundle))
    return same(inner), same(around)


def same(reading: Reading) -> Reading:
    return replace(
        reading,
        chains=frozenset(),
        place=0,
        sheets=(),
        requests=tuple(sorted(set(reading.requests), key=str)),
        said=tuple(sorted(set(reading.said))),
    )


def check_both(made: Rendering, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Reads by parser, then by passes; the same is found. The passes that succeeded the second time."""
    with counted(monkeypatch, refuse=False):
        readings(made)  # the kinds of bodies and frames are looked at once
    with counted(monkeypatch, refuse=True):
        wanted = readings(made)
    with counted(monkeypatch, refuse=False) as done:
        assert readings(made) == wanted
    return done


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("case", TOPICS)
def test_the_same_is_found_in_every_case(name: str, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = check_both(rendering(name, topic(case)), monkeypatch)
    wanted = {"html": ["fragment", "page"], "print": ["fragment", "page"], "json": ["fragment", "article"], "epub": ["chapter"]}
    if case != "arabic":  # its pages hold characters that turn text round
        assert set(wanted[name]) <= set(done)


@pytest.mark.parametrize("name", PAGES)
@CALM
@given(made=topics())
def test_the_same_is_found_in_random_topics(name: str, made: Topic) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_both(rendering(name, made, assets=ASSETS), monkeypatch)


NOT_PLAIN = {
    "comment": "<p>a<!-- b --></p>",
    "no end": "<p>a",
    "no beginning": "a</p>",
    "crossed": "<p><em>a</p></em>",
    "quotes": "<p id=syn-x--a>a</p>",
    "single quotes": "<p id='syn-x--a'>a</p>",
    "twice": '<p id="syn-x--a" id="syn-x--b">a</p>',
    "upper case": "<P>a</P>",
    "entity": "<p>&nbsp;</p>",
    "half an entity": "<p>&amp</p>",
    "control by number": "<p>&#1;</p>",
    "windows by number": "<p>&#150;</p>",
    "stray sign": "<p>a < b</p>",
    "block in a paragraph": "<p><ul><li>a</li></ul></p>",
    "words in a list": "<ul>a<li>b</li></ul>",
    "item alone": "<li>a</li>",
    "link in a link": '<a href="#syn-x--a"><em><a href="#syn-x--a">b</a></em></a>',
    "script": "<script>1</script>",
    "data script": '<script type="application/ld+json">{}</script>',
    "handler": '<p onclick="x()">a</p>',
    "inline style": '<p style="color:red">a</p>',
    "hidden": "<p hidden>a</p>",
    "inert": '<p inert="">a</p>',
    "details": "<details><summary>a</summary></details>",
    "vector": "<svg><text>a</text></svg>",
    "form": "<form><p>a</p></form>",
    "frame": '<iframe src="a"></iframe>',
    "unknown": "<blink>a</blink>",
    "base": '<base href="x">',
    "runs": '<a href="javascript:x()">a</a>',
    "runs, in disguise": '<a href="java&#9;script:x()">a</a>',
    "leads nowhere": '<a href="#syn-x--none">a</a>',
    "id of another": '<p id="other">a</p>',
    "id twice": '<p id="syn-x--a">a</p><p id="syn-x--a">b</p>',
    "class of another": '<p class="note">a</p>',
    "leftover": '<p data-line="3">a</p>',
    "level": "<h2>a</h2><h4>b</h4>",
    "closed in itself": "<p/>a",
    "control": "<p>a\x0b</p>",
    "ends the page": "</body><p>a</p>",
    "second page": "<html><p>a</p></html>",
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_parser(case: str) -> None:
    with pytest.raises(NotPlain):
        _plain.fragment(NOT_PLAIN[case], "x")


def test_an_element_that_nobody_has_looked_at_is_not_plain() -> None:
    with pytest.raises(NotPlain, match="nobody has looked at"):
        _plain.article('<div class="syn-topic">a</div>', Styles([]))
