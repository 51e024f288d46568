"""What plain text says where it can not show: pictures, links, formulas, quotation marks.

The grammar that readers of plain text rely on, and so does the proof:

    [Image: words]            a picture, by its alternative text ("Image" in the topic's language)
    words <example.org/a>     a link out, unless its words tell the address
    words [2]                 a footnote's mark, with the number that the list of footnotes prints
    10^9   H_2O               super- and subscripts
    “words”   ~~words~~       a quotation, struck words
    MRI (magnetic ...)        an abbreviation, spelled out the first time
    (a + b)/2                 a formula, unless its author gave words for it
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from pipeline.audit._reading import fold
from pipeline.labels import Labels
from pipeline.topic import MATHML

_ATOM: Final = re.compile(r"[\w.,%°′″]+|\([^()]*\)")
_SCRIPTED: Final = {
    "msub": "_",
    "msup": "^",
    "munder": "_",
    "mover": "^",
    "msubsup": "_^",
    "munderover": "_^",
}


class Speech:
    """The grammar for one topic: footnotes have numbers, and an abbreviation is spelled out once."""

    def __init__(self, body: etree._Element, words: Labels, format_name: str) -> None:
        self.words = words
        self.spelled: set[str] = set()
        self.numbers: dict[str, str] = {}
        for listing in body.iter("ol"):
            items = [i for i in listing.iterchildren("li") if not (only := i.get("data-only")) or format_name in only.split()]
            for number, item in enumerate(items, int(listing.get("start", "1"))):
                self.numbers[item.get("id", "")] = str(number)

    def picture(self, alt: str) -> str:
        """A picture in words; nothing where it has none."""
        return f"[{self.words.text('Image: {text}', text=alt)}]" if alt else ""

    def said(self, element: etree._Element, text: str) -> str:
        """An inline element's text as plain text says it."""
        tag, kind = element.tag, element.get("data-kind", "")
        if tag == "q":
            return f"“{text}”"
        if tag == "s" and text.strip():
            return f"~~{text}~~"
        if tag == "abbr":
            return self._spelled_out(text, fold(element.get("title", "")))
        if tag == "a" and kind == "external":
            return _with_address(text, element.get("href", ""))
        if tag == "a" and kind == "footnote":
            number = self.numbers.get(element.get("href", "")[1:], text.strip())
            return f"[{number}]" if len(text.strip()) <= 3 else f"{text} [{number}]"
        return text

    def _spelled_out(self, text: str, title: str) -> str:
        if not title or title in self.spelled or fold(text) == title:
            return text
        self.spelled.add(title)
        return f"{text} ({title})"

    def formula(self, element: etree._Element) -> str:
        """A formula on one line."""
        return fold(element.get("alttext") or _spelled(element))


def _with_address(text: str, href: str) -> str:
    address = re.sub(r"^(mailto|tel):", "", href)
    if href.startswith("tel:"):
        told = re.sub(r"\D", "", href) in re.sub(r"\D", "", text)
    else:
        told = re.sub(r"^(https?://|mailto:)", "", href).rstrip("/") in text
    if told:
        return text
    return f"{text} <{address}>" if text.strip() else address


def _spelled(element: etree._Element) -> str:
    name = str(element.tag).removeprefix(f"{{{MATHML}}}")
    parts = [_spelled(child) for child in element if isinstance(child.tag, str)]
    if name == "semantics":
        return "".join(parts[:1])
    if name.startswith("annotation"):
        return ""
    if name == "mo":
        sign = re.sub("[\u2061-\u2064\u200b]", "", element.text or "").strip()
        return sign if sign in ("", "(", ")", "[", "]", ",", "!", "%") else f" {sign} "
    if name == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if name == "msqrt":
        return f"√{_grouped(''.join(parts))}"
    if name == "mroot" and len(parts) == 2:
        return f"{_grouped(parts[0])}^(1/{_grouped(parts[1])})"
    if name in _SCRIPTED and len(parts) == len(_SCRIPTED[name]) + 1:
        return parts[0] + "".join(sign + _grouped(part) for sign, part in zip(_SCRIPTED[name], parts[1:], strict=True))
    if name in ("mtr", "mfenced"):
        inner = ", ".join(part.strip() for part in parts)
        opening, closing = ("[", "]") if name == "mtr" else (element.get("open", "(")[:1], element.get("close", ")")[:1])
        return f"{opening}{inner}{closing}"
    return (element.text or "").strip() + "".join(parts)


def _grouped(text: str) -> str:
    text = text.strip()
    return text if _ATOM.fullmatch(text) else f"({text})"
