"""Pieces of text and elements -> canonical blocks. Shared by sources whose mark-up mixes text and blocks freely.

In: `Piece`s, that is strings, inline elements and block elements, in reading order. Out: blocks as `topic.rng` wants them:
runs of text in paragraphs, an item's content either text or blocks, headings (`h` with a `level`) made into nested sections.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from lxml import etree

from pipeline.topic import plain

Piece = str | etree._Element

BLOCKS: Final = frozenset({"p", "ul", "ol", "dl", "table", "blockquote", "pre", "div", "figure", "aside", "section", "h", "hr"})
_PARTS: Final = frozenset({"li", "dt", "dd", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "figcaption"})
_HOLDERS: Final = ("p", "h", "li", "dt", "dd", "td", "th", "caption", "figcaption", "pre")
_EDGE: Final = " \t\r\n\f"  # not the no-break space: an author put that there


def new(tag: str, attributes: Mapping[str, str]) -> etree._Element:
    """An element with those attributes that have a value."""
    element = etree.Element(tag)
    for name, value in attributes.items():
        if value or name == "alt":
            element.set(name, value)
    return element


def says(element: etree._Element) -> bool:
    """Whether a reader gets anything from the element: text, an image, a formula, a place that links lead to."""
    return (
        bool(plain(element))
        or element.tag == "img"
        or any(e.tag == "img" or e.get("id") for e in element.iterdescendants(etree.Element))
    )


def is_block(piece: Piece) -> bool:
    """Whether a piece stands on lines of its own."""
    return not isinstance(piece, str) and piece.tag in BLOCKS


def fill(element: etree._Element, pieces: Iterable[Piece], *, trim: bool = True) -> None:
    """Puts text and inline elements into an element; `trim` takes the white space at both ends off."""
    last = next(element.iterchildren(reversed=True), None)  # len() and an index would walk over all children each time
    for run in (list(found) for _, found in groupby(pieces, lambda piece: isinstance(piece, str))):
        text = "".join(piece for piece in run if isinstance(piece, str))  # one by one would copy all before it each time
        if text and last is not None:
            last.tail = (last.tail or "") + text
        elif text:
            element.text = (element.text or "") + text
        for inner in (piece for piece in run if not isinstance(piece, str)):
            element.append(last := inner)
    if trim:
        element.text = (element.text or "").lstrip(_EDGE) or None
        if last is not None:
            last.tail = (last.tail or "").rstrip(_EDGE) or None
        else:
            element.text = (element.text or "").rstrip(_EDGE) or None


def flow(element: etree._Element, pieces: Sequence[Piece]) -> None:
    """Fills an item, cell or definition: with text, or with blocks where there is any block."""
    if any(is_block(piece) for piece in pieces):
        element.extend(sections(blocks(pieces)))
    else:
        fill(element, pieces)


def blocks(pieces: Iterable[Piece], attributes: Mapping[str, str] | None = None) -> list[etree._Element]:
    """The pieces as blocks: each run of text and inline elements becomes a paragraph, the first with the attributes."""
    result: list[etree._Element] = []
    for block, run in _runs(pieces):
        if block is not None:
            result += [block] if block.tag != "hr" else []  # it only parts what stands around it
            continue
        paragraph = new("p", attributes or {})
        fill(paragraph, run)
        if says(paragraph):
            result.append(paragraph)
            attributes = {name: value for name, value in (attributes or {}).items() if name != "id"}
    return result


def _runs(pieces: Iterable[Piece]) -> Iterator[tuple[etree._Element | None, list[Piece]]]:
    """Each block, and each run of pieces that are none."""
    run: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) or not is_block(piece):
            run.append(piece)
            continue
        if run:
            yield None, run
            run = []
        yield piece, []
    if run:
        yield None, run


def around(pieces: Sequence[Piece], name: str, attributes: Mapping[str, str]) -> list[Piece]:
    """The pieces inside an inline element; where there are blocks, the element is inside each of them instead."""
    result: list[Piece] = []
    given = dict(attributes)
    for block, run in _runs(pieces) if pieces else [(None, [])]:
        if block is not None:
            _inside(block, name, given)
            result.append(block)
            continue
        element = new(name, given)
        fill(element, run, trim=False)
        if name == "a":
            etree.strip_tags(element, "a")
        result += [element] if says(element) or given.get("id") else _content(element)
        given.pop("id", None)
    return result


def _inside(block: etree._Element, name: str, attributes: Mapping[str, str]) -> None:
    for holder in list(block.iter(*_HOLDERS)):
        if not plain(holder) or any(child.tag in BLOCKS for child in holder):
            continue
        element = new(name, attributes)
        element.text, holder.text = holder.text, None
        element.extend(list(holder))
        if name == "a":
            etree.strip_tags(element, "a")
        holder.append(element)


def inlines(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces where only text may stand: blocks give up their content, with a space between."""
    for piece in pieces:
        if isinstance(piece, str) or not is_block(piece):
            yield piece
            continue
        yield " "
        for holder in _innermost(piece):
            yield from _content(holder)
            yield " "


def _innermost(block: etree._Element) -> Iterator[etree._Element]:
    if any(child.tag in BLOCKS or child.tag in _PARTS for child in block):
        for child in block:
            yield from _innermost(child)
    else:
        yield block


def _content(element: etree._Element) -> list[Piece]:
    pieces: list[Piece] = [element.text or ""]
    for child in list(element):
        tail, child.tail = child.tail or "", None
        pieces += [child, tail]
    return [piece for piece in pieces if not isinstance(piece, str) or piece]


def sections(found: Iterable[etree._Element]) -> list[etree._Element]:
    """Blocks with each heading and what follows it in a section, by the headings' `level`."""
    result: list[etree._Element] = []
    opened: list[tuple[int, etree._Element]] = []
    for block in found:
        level = int(block.attrib.pop("level", "0")) if block.tag == "h" else 0
        if level:
            while opened and opened[-1][0] >= level:
                opened.pop()
        place = opened[-1][1] if opened else result
        if level:
            section = new("section", {"data-line": block.get("data-line", "")})
            section.append(block)
            opened.append((level, section))
            block = section
        place.append(block)
    return result


def paragraph_of(heading: etree._Element) -> etree._Element:
    """A heading as a paragraph, for places that have no sections."""
    paragraph = copy.deepcopy(heading)
    paragraph.tag = "p"
    paragraph.attrib.pop("level", None)
    return paragraph
