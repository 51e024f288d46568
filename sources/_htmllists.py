"""Lists of HTML as a body has them. Shared by sources, see `_html.py`.

In: a list's element and its items. Out: `ol` and `ul` elements whose numbers are those that a browser would show.

Specification: HTML Living Standard, 4.4.5 to 4.4.8 (ol, ul, li: the ordinal value of an item).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from sources._blocks import Piece, flow, new, says


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list; `number` is the one that it says itself."""

    attributes: dict[str, str]
    pieces: list[Piece]
    number: int | None = None


def lists(node: etree._Element, common: Mapping[str, str], items: Iterable[Item]) -> list[etree._Element]:
    """The list of these items. Where an item's number is not the next one, a list of its own begins: `value` has no place in a
    body, and an item that says nothing counts, as it does in a browser."""
    name = "ol" if node.tag == "ol" else "ul"
    kind = node.get("type", "").strip()
    start = whole(node.get("start", ""))
    number = first = 1 if start is None else start
    result: list[etree._Element] = []
    for one in items:
        number = one.number if one.number is not None else number
        flow(item := new("li", one.attributes), one.pieces)
        if says(item):
            if not result or (name == "ol" and number != first):
                result.append(new(name, common if not result else {"data-line": one.attributes.get("data-line", "")}))
                _number(result[-1], name, kind, "" if number == 1 and start is None else str(number))
            result[-1].append(item)
            first = number + 1
        number += 1
    return result


def _number(element: etree._Element, name: str, kind: str, start: str) -> None:
    if name == "ol" and start:
        element.set("start", start)
    if name == "ol" and kind in ("1", "a", "A", "i", "I"):
        element.set("type", kind)


def whole(text: str) -> int | None:
    """The number of an item, as far as lists count here."""
    return int(text) if re.fullmatch(r"\s*-?[0-9]{1,6}\s*", text, re.ASCII) else None
