"""A number and the word after it never part at a line end.

In: elements. Out: the same with U+00A0 between a number and its word. The sign stands in the text itself, not in a `span`
and a style sheet: it needs no mark-up, survives copying into a partner's page, and holds where style sheets are
ignored. It changes the text in white space alone. What readers may copy into a machine stays as typed.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from pipeline.topic import BLOCKS

_AS_TYPED: Final = ("pre", "code", "kbd", "samp")
_NUMBER: Final = re.compile(r"\d\s")
_AFTER_NUMBER: Final = re.compile(r"(?<=\d)[ \t\r\n]+(?=[°%µ‰℃℉]|[^\W\d_]{1,14}(?![^\W_]))")


def join_numbers(element: etree._Element) -> None:
    """Joins the numbers in an element's own text, and in the text after it where it stands in a line."""
    text, tail = element.text, element.tail
    if text and _NUMBER.search(text):
        _join_inside(element, text)
    if tail and (_NUMBER.search(tail) or (text and text[-1].isdigit())):
        _join_after(element, tail)


def _join_inside(element: etree._Element, text: str) -> None:
    joined = _joined(text, False, len(element) > 0 and element[0].tag not in BLOCKS)
    if joined != text and element.tag not in _AS_TYPED and next(element.iterancestors(*_AS_TYPED), None) is None:
        element.text = joined


def _join_after(element: etree._Element, text: str) -> None:
    """The element before the text may itself end with the number."""
    ends_with_number = not len(element) and (element.text or "")[-1:].isdigit()
    joined = _joined(text, ends_with_number, element.getnext() is not None)
    if joined != text and next(element.iterancestors(*_AS_TYPED), None) is None:
        element.tail = joined


def _joined(text: str, after_number: bool, before_inline: bool) -> str:
    text = _AFTER_NUMBER.sub("\u00a0", text)
    if before_inline and text[-1] == " " and text[-2:-1].isdigit():
        text = text[:-1] + "\u00a0"
    if after_number and text[0] == " " and text[1:2].isalpha():
        text = "\u00a0" + text[1:]
    return text
