"""What a file says besides its words: addresses, ids, values of metadata, the texts of links. In: trees and JSON values. Out:
(kind, text) pairs, for the proof that nothing withheld is named (`_leaks.py`).

`address` is where something leads or is fetched from, `id` names a topic, `value` is any other value, `entry` is the whole text
of a link.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from lxml import etree

from pipeline.audit import _markup as markup
from pipeline.audit._reading import fold, names
from pipeline.audit._selectors import local

Said = tuple[str, str]

_ADDRESSES: Final = names("href src srcset poster action data cite background content-location full-path")
_IDS: Final = names("data-topic data-id")
_SILENT: Final = names(
    "class style lang dir rel type role tabindex charset hreflang width height scope colspan rowspan name data-notice data-mark"
)
_ADDRESS_KEYS: Final = names("path href url src folder style_sheet license")
_ID_KEYS: Final = names("id topic of identifier companions translations links")
_KINDS: Final = dict.fromkeys(_ID_KEYS, "id") | dict.fromkeys(_ADDRESS_KEYS, "address")
_WORDS: Final = names("html parts legal text")  # read elsewhere: as mark-up, and as notices


def of_markup(root: etree._Element, *, body: bool = False) -> Iterator[Said]:
    """Every attribute that says something, the text of every link (of a body: of links to topics, because an author's link to
    another site may be called anything), and JSON-LD."""
    for element in root.iter("*"):
        yield from of_attributes(element.items())
        kind = local(element)
        if kind == "a" and (not body or element.get("data-topic")):
            yield "entry", markup.shown(element)
        elif kind == "script":
            yield from of_data("".join(map(str, element.itertext())))


def of_attributes(pairs: Iterable[tuple[str, str]]) -> Iterator[Said]:
    """Every attribute of an element that says something."""
    for name, text in pairs:
        if text.startswith("data:"):
            continue  # the picture itself
        if name in _ADDRESSES:
            yield "address", text
        elif name in _IDS:
            yield "id", text
        elif name not in _SILENT and text:
            yield "value", text


def of_data(text: str) -> Iterator[Said]:
    """What JSON-LD says."""
    try:
        yield from of_json(parsed(text))
    except ValueError:
        return  # what is no JSON is another finding


@lru_cache(maxsize=16)
def parsed(text: str) -> Any:
    """A page's JSON-LD, which several proofs read, and which its print page has too. Not to be changed. Raises ValueError."""
    return json.loads(text)


def of_json(value: Any) -> list[Said]:
    """Every string of a JSON value but words for readers, which other proofs read."""
    found: list[Said] = []
    left = [("value", value)]
    while left:
        kind, item = left.pop()
        if isinstance(item, str):
            found.append((kind, item))
        elif isinstance(item, list):
            left += [(kind, each) for each in reversed(item)]
        elif isinstance(item, dict):
            left += [(_KINDS.get(name, "value"), each) for name, each in reversed(item.items()) if name not in _WORDS]
    return found


def of_xml(root: etree._Element) -> Iterator[Said]:
    """Every address and text of an XML file that holds no words for readers, such as a book's package."""
    for element in root.iter("*"):
        for name, text in element.items():
            if name in _ADDRESSES:
                yield "address", text
        if element.text and (text := fold(element.text)):
            yield "value", text
