"""Characters that make a text read otherwise than it is written.

In: a topic. Out: findings. A directional override turns letters and numbers around ("mg 01" for "10 mg"): no proof on finished
files can see it, since the characters are all there, in their order. Specification: Unicode Standard Annex 9, 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from lxml import etree

from pipeline.findings import Finding, error
from pipeline.topic import Metadata, Topic

OVERRIDE: Final = error(
    "topic.direction-override",
    "A text holds a character that makes readers see its letters and numbers in another order than they are written in.",
    "Take the character out; for words of another direction, mark their language instead.",
)
_OVERRIDE: Final = re.compile("[\u202d\u202e]")
_AROUND: Final = 20  # letters shown before and after, so that an editor finds the place


def reordered(topic: Topic) -> list[Finding]:
    """A finding for each text (of the metadata, of an element) with a directional override in it."""
    metadata = topic.metadata
    if "\\u202" not in repr(metadata) and not _OVERRIDE.search(etree.tostring(topic.body, encoding="unicode")):
        return []  # nearly every topic: `repr` shows what nobody sees by its number
    said = [(metadata.file, metadata.line, text) for text in _texts(asdict(metadata))]
    for element in topic.body.iter("*"):
        texts = [text for text in (element.text, element.tail, *element.values()) if text and _OVERRIDE.search(text)]
        said += [(*_place(element, metadata), text) for text in texts]
    found = ((file, line, text, _OVERRIDE.search(text)) for file, line, text in said)
    return [OVERRIDE.at(file, line, _said(text, mark)) for file, line, text, mark in found if mark]


def _place(element: etree._Element, metadata: Metadata) -> tuple[str, int]:
    known = next((one for one in (element, *element.iterancestors()) if one.get("data-line")), element)
    return known.get("data-file") or metadata.file, int(known.get("data-line") or metadata.line)


def _said(text: str, mark: re.Match[str]) -> str:
    around = text[max(0, mark.start() - _AROUND) : mark.end() + _AROUND]
    return f"U+{ord(mark[0]):04X} in {_OVERRIDE.sub(chr(0xFFFD), around)!r}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
