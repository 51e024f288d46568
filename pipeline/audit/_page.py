"""What every kind of mark-up has in common: the checks of a body fragment, and of what stands around it.

In: lxml trees. Out: problems and `Reading` parts. HTML pages, EPUB chapters and JSON fragments go through here.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from lxml import etree

from pipeline.audit import _codes as codes
from pipeline.audit import _markup as markup
from pipeline.audit._compare import visible_signs
from pipeline.audit._reading import Block, Link, Problem, Reading, Shown, fold, names
from pipeline.audit._selectors import local
from pipeline.audit._visible import Styles, said
from pipeline.contracts import Edition

_INTERNAL: Final = ("data-line", "data-file", "data-only", "data-audience")
# Hazards that change words but leave them readable.
_STILL_READ: Final = frozenset({"text-transform", "list-style", "list-style-type", "text-decoration", "direction"})
# What a notice may be made of.
_NOTICE_PARTS: Final = names("a address b bdi br cite div em footer i img li ol p section small span strong time ul dl dt dd")


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
        requests=tuple(markup.requests(root, "")),
        ids=tuple(markup.ids(root)),
        problems=tuple(problems),
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
    for element in root.iter("*"):
        for name in ("aria-labelledby", "aria-describedby", "headers", "for"):
            for target in (element.get(name) or "").split():
                if target not in ids:
                    yield Problem(codes.LINK_BROKEN, f"{_name(element)} {name} names {target!r}, and nothing has that id")


def _levels(levels: Sequence[int]) -> Iterator[Problem]:
    for before, level in pairwise(levels):
        if level > before + 1:
            yield Problem(codes.HEADING, f"a heading of level {level} follows one of level {before}")


def _name(element: etree._Element) -> str:
    identity = element.get("id") or element.get("class") or ""
    return f"<{local(element)}{' ' + identity if identity else ''}>"


# --- around the body ----------------------------------------------------------------------------


def notices(root: etree._Element, styles: Styles) -> list[Shown]:
    """Every `data-notice` element, in order, with why it can not be seen."""
    return [_shown(element, styles) for element in root.iter("*") if element.get("data-notice") is not None]


def _shown(element: etree._Element, styles: Styles) -> Shown:
    text = markup.text_of(element)
    reason = styles.hidden(element, exact=True) or next((why for _, why in text.hidden), "")
    for part in element.iterdescendants("*"):
        if reason:
            break
        name = local(part)
        reason = f"<{name}> inside" if name not in _NOTICE_PARTS else styles.hidden(part)
        if not reason and part.get("data-notice") is not None:
            reason = f"the notice {part.get('data-notice')!r} stands inside"
    words = fold(" ".join(block.text for block in text.blocks))
    hrefs = tuple(a.get("href", "") for a in element.iter("{*}a"))
    return Shown(element.get("data-notice", ""), words, hrefs, reason)


def body_hidden(place: etree._Element, styles: Styles) -> list[Problem]:
    """Whether words of the body, standing at its place in the page, are hidden by what is around it or by the sheets."""
    around = styles.hidden(place)
    if around:
        return [Problem(codes.BODY_PLACE, f"the topic's text can not be seen: {around}")]
    found: dict[str, Problem] = {}
    for element, rule in styles.concealed(place):
        words, reason = fold(" ".join(str(t) for t in element.itertext())), said(rule)
        if words or element.get("alt"):
            found.setdefault(reason, Problem(codes.TEXT_HIDDEN, f'{_name(element)} "{words[:60]}": {reason}'))
    return list(found.values())


_concealed: OrderedDict[tuple[Hashable, ...], tuple[Problem, ...]] = OrderedDict()


def body_concealed(key: tuple[Hashable, ...], styles: Styles, build: Callable[[], etree._Element]) -> tuple[Problem, ...]:
    """`body_hidden` of the tree that `build` makes, remembered by `key` (the body, and the elements around it) and by what the
    sheets could hide: most sites of a topic have the same answer."""
    whole = (*key, styles.key)
    if not styles.rememberable:
        return tuple(body_hidden(build(), styles))
    if whole not in _concealed:
        _concealed[whole] = tuple(body_hidden(build(), styles))
        while len(_concealed) > 256:
            _concealed.popitem(last=False)
    return _concealed[whole]


def frame_style(root: etree._Element, styles: Styles) -> list[Problem]:
    """Boxes that could lie over words, and words that a sheet would write by itself."""
    problems = [Problem(codes.STYLE, f"words that only the style sheet has: {text}") for text in styles.generated]
    problems += [Problem(codes.STYLE, f"a box that could cover words: {text}") for text in styles.covers(root.iter("*"))]
    return problems


def sheets_in(root: etree._Element) -> list[str]:
    """The text of each `<style>`, in order."""
    return ["".join(map(str, e.itertext())) for e in root.iter("{*}style")]


def reordering(root: etree._Element, edition: Edition) -> list[Problem]:
    """Characters in the frame that reorder text and that nothing of the edition has."""
    texts = [edition.metadata.title, edition.site.name, *(n.text for n in edition.notices), *(m.text for m in edition.marks)]
    known = "".join([*texts, *(t.title for t in edition.translations)])
    words = "".join(map(str, root.itertext()))
    bad = {c for c in markup.BIDI.findall(words) if c not in known}
    return [Problem(codes.CHARACTER, f"{visible_signs(c)} reorders text") for c in sorted(bad)]


def references(root: etree._Element, inner: Sequence[str]) -> list[Problem]:
    """Ids that stand twice in the page and links that lead to no id of it; `inner` are the ids of the body, cut out."""
    own = markup.ids(root)
    known = Counter([*own, *inner])
    problems = [Problem(codes.ID_TWICE, f"id {i!r} stands {known[i]} times") for i in dict.fromkeys(own) if known[i] > 1]
    for link in markup.links(root):
        if link.href.startswith("#") and unquote(link.href[1:]) not in known and link.href not in ("#", "#top"):
            problems.append(Problem(codes.LINK_BROKEN, f"a link leads to {link.href!r}, and nothing has that id"))
    return problems


def headings(root: etree._Element, styles: Styles) -> list[str]:
    """The text of each visible heading of the first level."""
    return [markup.shown(e) for e in root.iter("{*}h1") if not styles.hidden(e, exact=True)]


def visible(root: etree._Element, styles: Styles) -> tuple[Block, ...]:
    """The blocks of a page that its sheets do not hide."""
    hidden = frozenset(e for e, rule in styles.concealed(root) if not all(d.name in _STILL_READ for d in rule.declarations))
    return tuple(markup.text_of(root, skip=hidden).blocks)


def with_problems(reading: Reading, problems: Sequence[Problem]) -> Reading:
    """The same reading with these problems before its own."""
    return replace(reading, problems=(*problems, *reading.problems))
