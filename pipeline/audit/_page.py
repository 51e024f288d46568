"""What every kind of mark-up has in common: the checks of a body fragment, and of what stands around it.

In: lxml trees. Out: problems and `Reading` parts. HTML pages, EPUB chapters and JSON fragments go through here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from lxml import etree

from pipeline.audit import _codes as codes
from pipeline.audit import _markup as markup
from pipeline.audit import _mentions as mentions
from pipeline.audit import _plain
from pipeline.audit._compare import visible_signs
from pipeline.audit._reading import Block, Link, Problem, Reading, Request, Shown, fold
from pipeline.audit._requests import requests_of
from pipeline.audit._selectors import local
from pipeline.audit._tags import NotPlain
from pipeline.audit._visible import Look, Styles
from pipeline.contracts import Edition

_INTERNAL: Final = ("data-line", "data-file", "data-only", "data-audience")


@lru_cache(maxsize=16)
def html_fragment(text: str, topic_id: str) -> Reading:
    """As `fragment`, from HTML text: a page and a JSON file of a topic often hold the same. Raises Unreadable."""
    try:
        return plain(_plain.fragment(text, topic_id))
    except NotPlain:
        root, problems = markup.parse_fragment(text)
        return with_problems(fragment(root, topic_id), problems)


def plain(found: _plain.Found) -> Reading:
    """What one pass over plain mark-up has found."""
    return Reading(
        blocks=tuple(found.blocks),
        notices=tuple(found.notices),
        links=tuple(found.links),
        pictures=tuple(found.pictures),
        requests=tuple([Request(url, how, "") for url, how in found.requests]),
        ids=tuple(found.ids),
        said=tuple(dict.fromkeys([*found.said, *(each for text in found.data for each in mentions.of_data(text))])),
        chains=frozenset(found.chains),
    )


def fragment(root: etree._Element, topic_id: str) -> Reading:
    """All that is in a body, with what is wrong in it whatever the topic says."""
    text = markup.text_of(root, keep_hidden=True)
    links = markup.links(root)
    problems = [
        *(Problem(codes.TEXT_HIDDEN, f"{_name(e)} hides its words: {why}") for e, why in text.hidden),
        *markup.active(root),
        *markup.schemes(links),
        *_hygiene(root, topic_id),
        *_ids_and_fragments(root, links),
        *_levels([b.level for b in text.blocks if b.kind == "heading" and b.level]),
    ]
    return Reading(
        blocks=tuple(text.blocks),
        links=tuple(links),
        pictures=tuple(markup.pictures(root)),
        requests=tuple(requests_of(root, "")),
        ids=tuple(markup.ids(root)),
        problems=tuple(problems),
        said=tuple(dict.fromkeys(mentions.of_markup(root, body=True))),
    )


def _hygiene(root: etree._Element, topic_id: str) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for element in root.iter("*"):
        for raw, value in element.attrib.items():
            name, text = str(raw), str(value)
            if (name, text) in seen:
                continue
            seen.add((name, text))
            if name in _INTERNAL:
                yield Problem(codes.LEFTOVER, f"{_name(element)} carries {name}={text!r}")
            elif name == "style":
                yield Problem(codes.ACTIVE, f"{_name(element)} carries style={text!r}")
            elif name == "class" and not all(c.startswith("syn-") for c in text.split()):
                yield Problem(codes.NAMES, f"{_name(element)}: expected classes syn-*, found {text!r}")
            elif name == "id" and not text.startswith(f"syn-{topic_id}--"):
                yield Problem(codes.NAMES, f"{_name(element)}: expected an id syn-{topic_id}--*, found {text!r}")


def _ids_and_fragments(root: etree._Element, links: Sequence[Link]) -> Iterator[Problem]:
    ids = Counter(markup.ids(root))
    for name, count in ids.items():
        if count > 1:
            yield Problem(codes.ID_TWICE, f"id {name!r} stands {count} times")
    for href in dict.fromkeys(link.href for link in links):
        if href.startswith("#") and unquote(href[1:]) not in ids:
            yield Problem(codes.LINK_BROKEN, f"a link leads to {href!r}, and nothing has that id")
    for element in _REFERRING(root):
        for name in ("aria-labelledby", "aria-describedby", "headers", "for"):
            for target in (element.get(name) or "").split():
                if target not in ids:
                    yield Problem(codes.LINK_BROKEN, f"{_name(element)} {name} names {target!r}, and nothing has that id")


_REFERRING: Final = etree.XPath("descendant-or-self::*[@aria-labelledby or @aria-describedby or @headers or @for]")


def _levels(levels: Sequence[int]) -> Iterator[Problem]:
    for before, level in pairwise(levels):
        if level > before + 1:
            yield Problem(codes.HEADING, f"a heading of level {level} follows one of level {before}")


def _name(element: etree._Element) -> str:
    identity = element.get("id") or element.get("class") or ""
    return f"<{local(element)}{' ' + identity if identity else ''}>"


# --- around the body ----------------------------------------------------------------------------


def around(
    root: etree._Element,
    words: etree._Element,
    look: Look,
    metadata: Iterable[tuple[str, tuple[str, ...]]],
    problems: Iterable[Problem],
) -> Reading:
    """What stands around a body, read from a tree; the words that readers see stand below `words`."""
    links = markup.links(root)
    found = [*problems, *markup.active(root), *frame_style(root, look), *markup.schemes(links)]
    reading = Reading(
        blocks=visible(words, look),
        notices=tuple(notices(root, look)),
        links=tuple(links),
        pictures=tuple(markup.pictures(root)),
        requests=tuple(requests_of(root, "")),
        ids=tuple(markup.ids(root)),
        metadata=tuple(metadata),
        problems=tuple(found),
        said=tuple(dict.fromkeys(mentions.of_markup(root))),
    )
    look.learn(root)
    return reading


def notices(root: etree._Element, look: Look) -> list[Shown]:
    """Every `data-notice` element, in order, with why it can not be seen."""
    return [_shown(element, look) for element in root.iterfind(".//*[@data-notice]")]


def _shown(element: etree._Element, look: Look) -> Shown:
    text = markup.text_of(element)
    reason = next((why for _, why in text.hidden), "") or next(
        filter(None, (_wrong(e, element, look) for e in element.iter("*"))), ""
    )
    words = fold(" ".join(block.text for block in text.blocks))
    hrefs = tuple(a.get("href", "") for a in element.iter("{*}a"))
    return Shown(element.get("data-notice", ""), words, hrefs, reason)


def _wrong(part: etree._Element, notice: etree._Element, look: Look) -> str:
    """What is wrong with a notice, or an element in it."""
    if part is not notice and local(part) not in markup.NOTICE_PARTS:
        return f"<{local(part)}> inside"
    if part is not notice and part.get("data-notice") is not None:
        return f"the notice {part.get('data-notice')!r} stands inside"
    why = look.hidden(part, exact=local(part) not in ("br", "img"))
    return why.reason if why else ""


def body_hidden(place: etree._Element, look: Look, inner: Reading, make: Callable[[], etree._Element]) -> list[Problem]:
    """Whether words of the body, standing at its place in the page, are hidden by what is around it or by the sheets. `make`
    gives the body's tree; what is seen of it is noted for other bodies (`shows`)."""
    if around := look.hidden(place):
        return [Problem(codes.BODY_PLACE, f"the topic's text can not be seen: {around.reason}")]
    inside = list(make())
    place.extend(inside)
    found: dict[str, Problem] = {}
    for element in place.iterdescendants("*"):
        if why := look.hidden(element, exact=local(element) not in ("br", "img")):
            words = fold(" ".join(map(str, element.itertext()))) or element.get("alt", "")
            if words:
                found.setdefault(why.reason, Problem(codes.TEXT_HIDDEN, f'{_name(element)} "{words[:60]}": {why.reason}'))
    if not found and look.styles.plain:
        look.styles.bodies.setdefault(look.number(place), set()).update(inner.chains)
    for child in inside:
        place.remove(child)
        look.forget(child)
    return list(found.values())


def shows(styles: Styles, place: int, inner: Reading) -> bool:
    """Whether all of a body is known to be seen, standing in the element of number `place`."""
    return bool(inner.chains) and inner.chains <= styles.bodies.get(place, frozenset())


def frame_style(root: etree._Element, look: Look) -> list[Problem]:
    """Boxes that could lie over words, and words that a sheet would write by itself."""
    problems = [Problem(codes.STYLE, f"words that only the style sheet has: {text}") for text in look.styles.generated]
    return problems + [Problem(codes.STYLE, f"a box that could cover words: {text}") for text in look.covers(root)]


def sheets_in(root: etree._Element) -> list[str]:
    """The text of each `<style>`, in order."""
    return ["".join(map(str, e.itertext())) for e in root.iter("{*}style")]


def reordering(root: etree._Element, edition: Edition) -> list[Problem]:
    """Characters in the frame that reorder text and that nothing of the edition has."""
    found = frozenset(markup.BIDI.findall("".join(map(str, root.itertext()))))
    if not found:
        return []
    texts = [edition.metadata.title, edition.site.name, *(n.text for n in edition.notices), *(m.text for m in edition.marks)]
    known = "".join([*texts, *(t.title for t in edition.translations)])
    bad = {c for c in found if c not in known}
    return [Problem(codes.CHARACTER, f"{visible_signs(c)} reorders text") for c in sorted(bad)]


def references(own: Sequence[str], links: Sequence[Link], inner: Sequence[str]) -> list[Problem]:
    """Ids that stand twice in the page and links that lead to no id of it; `inner` are the ids of the body, cut out."""
    known = Counter([*own, *inner])
    problems = [Problem(codes.ID_TWICE, f"id {i!r} stands {known[i]} times") for i in dict.fromkeys(own) if known[i] > 1]
    for link in links:
        if link.href.startswith("#") and unquote(link.href[1:]) not in known and link.href not in ("#", "#top"):
            problems.append(Problem(codes.LINK_BROKEN, f"a link leads to {link.href!r}, and nothing has that id"))
    return problems


def headings(root: etree._Element, look: Look) -> list[str]:
    """The text of each visible heading of the first level."""
    return [markup.shown(e) for e in root.iter("{*}h1") if not look.hidden(e, exact=True)]


def visible(root: etree._Element, look: Look) -> tuple[Block, ...]:
    """The blocks of a page that its sheets do not hide."""
    return tuple(markup.text_of(root, skip=look.gone(root)).blocks)


def with_problems(reading: Reading, problems: Sequence[Problem]) -> Reading:
    """The same reading with these problems before its own."""
    return replace(reading, problems=(*problems, *reading.problems))
