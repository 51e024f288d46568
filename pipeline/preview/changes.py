"""What will change for readers: the text that a site has now against the text that it would get, word by word.

In: two HTML pages. Out: blocks, each a list of pieces that stay, go or come; changes that may be clinical are marked: numbers
with their units, doses, ages, negations, and everything in a section that says when to call for help. A mark is a hint to look
closely: it is never proof that the rest is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from lxml import etree, html

_BLOCKS: Final = frozenset(
    ["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "th", "dt", "dd", "caption", "figcaption", "pre", "blockquote"]
)
_WORDS: Final = re.compile(r"\d+(?:[.,/]\d+)*|[^\W\d]+(?:['’-][^\W\d]+)*|[^\w\s]|\s+")
_NUMBER: Final = re.compile(r"\d")
_NEGATION: Final = re.compile(
    r"not|no|never|none|without|neither|nor|cannot|can't|don't|doesn't|won't|avoid|stop|unless|except|only|"
    r"nunca|sin|ni|evite|deje|salvo|solo|sólo|لا|لم|لن|ليس|ليست|بدون|دون|تجنب",
    re.IGNORECASE,
)
_UNIT: Final = re.compile(
    r"%|°|mcg|µg|mg|g|kg|ml|mL|l|L|dl|dL|mmol|mmhg|units?|iu|tablets?|pills?|drops?|puffs?|doses?|times?|hours?|days?|weeks?|months?|"
    r"years?|minutes?|pounds?|lbs?|ounces?|oz|teaspoons?|tablespoons?|horas?|días?|semanas?|meses|años?|minutos?|veces|dosis|gotas?",
    re.IGNORECASE,
)
_CALL: Final = re.compile(
    r"\bcall\b|\b911\b|emergency|when to (?:get|seek|see)|get help|get medical|"
    r"llame|emergencia|cuándo|busque ayuda|اتصل|طوارئ|متى",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words: `kind` is same, gone or new; `clinical` where they may change what a patient does."""

    kind: str
    text: str
    clinical: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (`level` 1-6), or anything else (0). `kind`: same, gone, new or changed."""

    kind: str
    level: int
    pieces: tuple[Piece, ...]

    @property
    def clinical(self) -> bool:
        """Whether any change in it may be clinical."""
        return any(piece.clinical for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class _Line:
    level: int
    text: str
    urgent: bool


def compare(before: bytes, after: bytes) -> list[Block]:
    """The blocks of both pages in order."""
    old, new = list(_lines(before)), list(_lines(after))
    matcher = SequenceMatcher(None, [line.text for line in old], [line.text for line in new], autojunk=False)
    blocks: list[Block] = []
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            blocks += [Block("same", line.level, (Piece("same", line.text),)) for line in new[c:d]]
        else:
            blocks += _replaced(old[a:b], new[c:d])
    return blocks


def changed(blocks: Sequence[Block]) -> int:
    """How many blocks differ."""
    return sum(block.kind != "same" for block in blocks)


def _replaced(old: Sequence[_Line], new: Sequence[_Line]) -> Iterator[Block]:
    """Lines that took the place of others: those that are alike are compared word by word."""
    left = list(old)
    for line in new:
        at = next((i for i, each in enumerate(left) if _alike(each.text, line.text)), None)
        if at is None:
            yield Block("new", line.level, (Piece("new", line.text, _clinical(line.text, line.urgent)),))
            continue
        yield from (_gone(each) for each in left[:at])
        yield Block("changed", line.level, tuple(_words(left[at], line)))
        del left[: at + 1]
    yield from (_gone(each) for each in left)


def _gone(line: _Line) -> Block:
    return Block("gone", line.level, (Piece("gone", line.text, _clinical(line.text, line.urgent)),))


def _alike(a: str, b: str) -> bool:
    matcher = SequenceMatcher(None, a.split(), b.split(), autojunk=False)
    return matcher.ratio() > 0.4


def _words(old: _Line, new: _Line) -> Iterator[Piece]:
    before, after = _WORDS.findall(old.text), _WORDS.findall(new.text)
    urgent = old.urgent or new.urgent
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            yield Piece("same", "".join(before[a:b]))
            continue
        gone, come = "".join(before[a:b]), "".join(after[c:d])
        marked = _clinical(gone, urgent) or _clinical(come, urgent) or _beside_number(before, a, b) or _beside_number(after, c, d)
        if gone:
            yield Piece("gone", gone, marked)
        if come:
            yield Piece("new", come, marked)


def _beside_number(words: Sequence[str], start: int, end: int) -> bool:
    """Whether a unit changed whose number stayed: `5 mg` to `5 mcg`."""
    around = [word for word in words[max(0, start - 2) : start] if word.strip()]
    return any(_UNIT.fullmatch(word) for word in words[start:end]) and any(_NUMBER.search(word) for word in around)


def _clinical(text: str, urgent: bool) -> bool:
    words = _WORDS.findall(text)
    if urgent and text.strip():
        return True
    return any(_NUMBER.search(word) or _NEGATION.fullmatch(word) for word in words)


def _lines(page: bytes) -> Iterator[_Line]:
    """The text blocks of a page's main part. A block is urgent inside a warning, or below a heading that says when to call."""
    root = html.fromstring(page.decode(errors="replace"))
    found = root.xpath("//main | //article") or [root]
    under: dict[int, bool] = {}
    for element in found[0].iter("*"):
        name = str(element.tag)
        if name not in _BLOCKS or element.xpath("ancestor::nav"):
            continue
        text = " ".join(_own_text(element).split())
        if not text:
            continue
        level = int(name[1]) if re.fullmatch("h[1-6]", name) else 0
        if level:
            under = {at: urgent for at, urgent in under.items() if at < level} | {level: bool(_CALL.search(text))}
        warned = bool(element.xpath("ancestor::aside | ancestor::*[contains(@class, 'syn-note')]"))
        yield _Line(level, text, warned or any(under.values()) or bool(_CALL.search(text)))


def _own_text(element: etree._Element) -> str:
    """The text of a block without that of blocks inside it."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _BLOCKS and not child.xpath(".//p | .//li | .//td"):
            parts.append(_own_text(child))
        parts.append(child.tail or "")
    return "".join(parts)
