"""Words and blocks: putting what mark-up gave in mixed order into canonical elements, nothing lost and in order.

In: items, that is strings and canonical elements (whose tails mean nothing). Out: elements that `topic.rng` allows.
White space is folded at the very end (`fold`), over a whole body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from lxml import etree

from pipeline.topic import BLOCKS, MATHML

Item = str | etree._Element

MATH: Final = f"{{{MATHML}}}math"
SPACE: Final = " \t\r\n"
_RUN: Final = re.compile(r"[ \t\r\n]+")
_LEAVES: Final = frozenset({"p", "h", "dt", "caption"})
_FLOW: Final = frozenset({"li", "dd", "td", "th", "figcaption"})
_STANDING: Final = frozenset({"img", "br", MATH})


def is_block(item: Item) -> bool:
    """Whether an item is a block of its own."""
    return not isinstance(item, str) and (item.tag in BLOCKS or (item.tag == MATH and item.get("display") == "block"))


def blank(items: Iterable[Item]) -> bool:
    """Whether a reader would see nothing of these items."""
    return all(not (item.strip(SPACE) if isinstance(item, str) else _shows(item)) for item in items)


def _shows(element: etree._Element) -> bool:
    if (element.text or "").strip(SPACE) or "".join(element.itertext()).strip(SPACE):
        return True
    return any(one.tag in _STANDING or one.get("data-kind") == "topic" for one in element.iter("*"))


def add(parent: etree._Element, item: Item) -> None:
    """Puts an item at the end of an element."""
    if not isinstance(item, str):
        item.tail = None
        parent.append(item)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + item
    else:
        parent.text = (parent.text or "") + item


def add_all(parent: etree._Element, items: Iterable[Item]) -> etree._Element:
    """Puts items at the end of an element, as they are."""
    for item in items:
        add(parent, item)
    return parent


def runs(items: Iterable[Item]) -> Iterator[tuple[bool, list[Item]]]:
    """The items as runs: (True, [one block]) or (False, words), in order."""
    words: list[Item] = []
    for item in items:
        if is_block(item):
            if words:
                yield False, words
                words = []
            yield True, [item]
        else:
            words.append(item)
    if words:
        yield False, words


def blocks(items: Iterable[Item], line: str = "") -> list[etree._Element]:
    """The items as blocks alone: runs of words become paragraphs, runs of nothing go."""
    made: list[etree._Element] = []
    for is_one, run in runs(items):
        if is_one:
            made.append(run[0])  # type: ignore[arg-type]
        elif not blank(run):
            paragraph = etree.Element("p")
            if line:
                paragraph.set("data-line", line)
            made.append(add_all(paragraph, run))
    return made


def flow(parent: etree._Element, items: list[Item]) -> etree._Element:
    """Fills an element that holds either words or blocks."""
    mixed = any(is_block(item) for item in items)
    return add_all(parent, blocks(items, parent.get("data-line") or "") if mixed else items)


def words(items: Iterable[Item]) -> list[Item]:
    """The items where only words may stand: of blocks, their words, apart by a space."""
    made: list[Item] = []
    for item in items:
        if isinstance(item, str) or not is_block(item):
            made.append(item)
        elif item.tag == MATH:
            item.attrib.pop("display")
            made.append(item)
        else:
            made += [" ", *words(contents(item)), " "]
    return made


def contents(element: etree._Element) -> list[Item]:
    """Everything in an element, taken out of it, as items."""
    inner: list[Item] = [element.text] if element.text else []
    element.text = None
    for one in list(element):
        tail, one.tail = one.tail, None
        element.remove(one)
        inner += [one, tail] if tail else [one]
    return inner


def wrapped(tag: str, items: list[Item], attributes: dict[str, str] | None = None) -> list[Item]:
    """The items with an inline element around each run of words; blocks step out of it."""
    made: list[Item] = []
    carried = dict(attributes or {})
    for is_one, run in runs(items):
        if is_one or (not carried and blank(run)):
            made += run
        else:
            made.append(add_all(etree.Element(tag, carried), run))
            carried.pop("id", None)
    return made


# --- white space --------------------------------------------------------------------------------


def fold(element: etree._Element) -> None:
    """Folds white space, in place: one space for a run, none at the ends of a block, nothing between blocks."""
    tag = element.tag
    if tag == "pre" or tag == MATH:
        return
    if tag in _LEAVES or (tag in _FLOW and not (len(element) and is_block(element[0]))):
        _fold_words(element, True)
        _trim(element)
        return
    element.text = None
    for one in element:
        one.tail = None
        fold(one)


def _fold_words(element: etree._Element, after_space: bool) -> bool:
    """Folds an element's words; says whether the last thing in it is white space."""
    element.text, after_space = _folded(element.text, after_space)
    for one in list(element):
        if one.tag in _STANDING or _to_be_named(one):
            after_space = one.tag == "br"
        else:
            after_space = _fold_words(one, after_space)
        one.tail, after_space = _folded(one.tail, after_space)
    return after_space


def _to_be_named(element: etree._Element) -> bool:
    """Whether it is a link that gets its words in each edition: white space beside it counts."""
    return element.get("data-kind") == "topic" and not len(element) and not (element.text or "").strip(SPACE)


def _folded(text: str | None, after_space: bool) -> tuple[str | None, bool]:
    if not text:
        return None, after_space
    text = _RUN.sub(" ", text)
    if after_space and text[0] == " ":
        text = text[1:]
    return (text, text[-1] == " ") if text else (None, after_space)


def _trim(element: etree._Element) -> None:
    """Takes the white space off the end of a block, however deep it stands."""
    while len(element):
        last = element[-1]
        if last.tail:
            last.tail = last.tail.rstrip(SPACE) or None
            if last.tail:
                return
        if last.tag == "br":
            element.remove(last)
        elif last.tag in _STANDING:
            return
        else:
            element = last
    element.text = (element.text or "").rstrip(SPACE) or None
