"""Lines of at most so many columns: text in, wrapped lines out.

Widths are Unicode's (UAX 11): an East Asian wide character takes two columns, a combining one none. Lines are broken at
spaces, and between wide characters where their punctuation allows it (JIS X 4051, reduced). Never broken: a word, an address,
what a no-break space joins, and a number from the word after it - a dose must not read as another at a line's end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

COLUMNS: Final = 78
NARROWEST: Final = 24  # however deep a list is nested, so much is left for its words

_NUMBER = re.compile(r"[^\w\s]{0,2}\d[\d.,/:–-]*")
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U0001f000-\U0003fffd]"
)
# Words of printable ASCII without digits, one space between them.
_SIMPLE = re.compile(r"[!-/:-~]+(?: [!-/:-~]+)*")
_NOT_FIRST = frozenset("ーゝゞ々〻ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ…‥・：；！？，．％℃")


def width(text: str) -> int:
    """Columns that the text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, columns: int = COLUMNS, first: str = "") -> list[str]:
    """The text's lines. `first` stands before the first (a list's marker), blanks as wide before the others."""
    if width(first) + width(text) <= columns:
        return [(first + text).rstrip(" ")]
    rest = " " * width(first)
    room, more = (max(columns - width(prefix), NARROWEST) for prefix in (first, rest))
    lines = (_simple_lines if _SIMPLE.fullmatch(text) else _lines)(text, room, more)
    return [(prefix + line).rstrip(" ") for prefix, line in zip([first] + [rest] * (len(lines) - 1), lines, strict=True)]


def _simple_lines(text: str, room: int, more: int) -> list[str]:
    """As `_lines`, where each character takes one column and each space may be a line's end: most text."""
    lines = []
    room -= 1  # `_lines` counts a space before the first word as well
    while len(text) > room:
        end = text.rfind(" ", 0, room + 1)
        if end < 0 and (end := text.find(" ")) < 0:  # a word longer than the line
            break
        lines.append(text[:end])
        text, room = text[end + 1 :], more
    return [*lines, text]


def _lines(text: str, room: int, more: int) -> list[str]:
    """The text in lines of at most `room` columns for the first, `more` for the others."""
    lines, line, used = [], "", 0
    for piece, gap in _pieces(text):
        needed = width(piece)
        if line and used + gap + needed > room:
            lines.append(line)
            line, used, gap, room = "", 0, 0, more
        line += " " * gap + piece if line else piece
        used += gap + needed
    return [*lines, line]


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """What may not be parted, each with the number of spaces before it."""
    held = ""
    for word in text.split(" "):
        if not held and word.isalpha() and word.isascii():  # most words: nothing more to ask
            yield word, 1
            continue
        if held and not _NUMBER.fullmatch(word):
            word = f"{held} {word}"
            held = ""
        elif held:
            yield held, 1
            held = ""
        if _NUMBER.fullmatch(word):
            held = word
        elif word.isascii() or not _WIDE.search(word):
            yield word, 1
        else:
            yield from ((part, int(not number)) for number, part in enumerate(_wide_parts(word)))
    if held:
        yield held, 1


def _wide_parts(word: str) -> Iterator[str]:
    start = 0
    for index in range(1, len(word)):
        before, after = word[index - 1], word[index]
        if (_WIDE.match(before) or _WIDE.match(after)) and _may_part(before, after):
            yield word[start:index]
            start = index
    yield word[start:]


def _may_part(before: str, after: str) -> bool:
    if "\u00a0" in (before, after) or "\u2060" in (before, after):
        return False
    if unicodedata.category(before) in ("Ps", "Pi") or (before.isdecimal() and not after.isspace()):
        return False
    return unicodedata.category(after) not in ("Pe", "Pf", "Po", "Mn", "Me", "Cf") and after not in _NOT_FIRST
