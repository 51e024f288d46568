"""A topic's blocks found again in lines of plain text.

In: what must be said, in order, and the lines of a file. Out: findings. Words must be exactly the topic's and in its order;
between and before them only the layout may stand:

    a line of =, -, ~ or . under a heading        - or * before an item, 1. or a. before a numbered one, [ ] before a box
    Warning: before what is warned of             Header: before a cell, Header, Header: under two heads
    | between cells without headers               a cell that reaches over rows, again in each of them

Words are compared one by one; scripts that are written without spaces, sign by sign.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from pipeline.audit import _codes as codes
from pipeline.audit._compare import differing, named, quoted
from pipeline.audit._reading import Block
from pipeline.findings import Code, Finding

# Scripts in which a line may end between any two signs.
_WIDE: Final = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U0001f000-\U0003fffd"
_WORD: Final = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+")
_RULE: Final = re.compile(r"([=\-~.])\1*")
_NUMBER: Final = re.compile(r"\(?(?:[0-9]+|[a-zA-Z]|[ivxlcdmIVXLCDM]+)[.)]")
_SIGNS: Final = frozenset({"-", "*", "•", "|", "[", "]", "[ ]", ":", "/"})
_MOST: Final = 25
_FAR: Final = 40  # blocks to look ahead after a difference


@lru_cache(maxsize=1024)  # notices stand in every topic's file, and are looked for in each
def words(text: str) -> tuple[str, ...]:
    """The text's words; each sign of a script without spaces is one."""
    return tuple(_WORD.findall(text))


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    starts: bool
    ends: bool


def compare(expected: Sequence[Block], lines: Sequence[str], *, inside: bool) -> list[Finding]:
    """What is lost, changed, added or out of order. `inside`: the lines are a whole file's, with words around the topic's."""
    blocks = [block for block in expected if block.text]
    if not inside and _line_by_line(blocks, lines):
        return []
    found = [word for line in lines for word in _line(line)]
    return list(islice(_Match(blocks, found, inside).findings(), _MOST))


# --- the usual case -----------------------------------------------------------------------------


def _line_by_line(blocks: Sequence[Block], lines: Sequence[str]) -> bool:
    """Whether the lines are the blocks one by one, each on lines of its own with nothing but its sign before it. Where this
    can not be said so simply (letters for numbers, scripts without spaces), words are compared one by one; so are tables."""
    left = [folded for line in lines if (folded := " ".join(line.split()))]
    at = index = 0
    while index < len(blocks):
        block = blocks[index]
        if block.tables:
            after = next((i for i in range(index, len(blocks)) if not blocks[i].tables), len(blocks))
            end = _next(left, at, blocks[after]) if after < len(blocks) else len(left)
            words = [word for line in left[at:end] for word in _line(line)]
            if end < 0 or any(_Match(list(blocks[index:after]), words, False).findings()):
                return False
            index, at = after, end
            continue
        end, rest = _after(left, at, block)
        if end < 0 and not block.optional:
            return False
        if end >= 0:
            at = end
            left[at : at + bool(rest)] = [rest] if rest else []
        while at < len(left) and _RULE.fullmatch(left[at]):
            at += 1
        index += 1
    return at == len(left)


def _next(left: Sequence[str], at: int, block: Block) -> int:
    """The next place where a block stands; -1 where it does not."""
    return next((place for place in range(at, len(left)) if _after(left, place, block)[0] >= 0), -1)


def _after(left: Sequence[str], at: int, block: Block) -> tuple[int, str]:
    """The place after a block that stands here, and what is left of the line there, where its label is only a beginning;
    -1 where the block does not stand here, or something else stands on its lines."""
    if at >= len(left):
        return -1, ""
    said = left[at]
    if block.kind == "word":
        rest = said.removeprefix(block.text)
        if len(rest) == len(said) or rest[:1] not in ("", ":") or rest[1:2] not in ("", " "):
            return -1, ""
        return (at, rest[2:]) if rest[2:] else (at + 1, "")
    if block.kind == "item" and block.first:
        sign = f"{block.marker}. " if block.marker else "- "
        if not said.startswith(sign):
            return -1, ""
        said = said[len(sign) :]
    end = at + 1
    while len(said) < len(block.text) and end < len(left):
        said += " " + left[end]
        end += 1
    return (end, "") if said == block.text else (-1, "")


# --- word by word -------------------------------------------------------------------------------


def _line(line: str) -> Iterator[_Word]:
    parts = _WORD.findall(line)
    for at, part in enumerate(parts):
        yield _Word(part, at == 0, at == len(parts) - 1)


class _Match:
    """One pass over the words of a file, with the topic's blocks in hand."""

    def __init__(self, blocks: list[Block], found: list[_Word], inside: bool) -> None:
        self.blocks, self.found, self.inside = blocks, found, inside
        self.texts = [word.text for word in found]
        self.places: dict[str, list[int]] = defaultdict(list)  # of each word, signs at its end left aside
        for place, text in enumerate(self.texts):
            self.places[_stem(text)].append(place)
        self.phrases = [words(block.text) for block in blocks]
        self.heads = _heads(blocks, self.phrases)
        self.seen: set[tuple[int, tuple[str, ...]]] = set()
        self.at = 0
        self.tables: tuple[int, ...] = ()  # those that the last block stands in
        self.clean = True  # nothing but layout stands before this word on its line
        self.marker = ""
        self.passed: set[tuple[str, ...]] = set()

    def findings(self) -> Iterator[Finding]:
        """All differences, in order."""
        index = 0
        while index < len(self.blocks):
            block = self.blocks[index]
            if block.column:
                self.tables = (*self.tables, *block.tables)  # its headers may be all that is said of a table
            if block.column or self._take(index):
                index += 1
                yield from self.late
                continue
            index = yield from self._difference(index)
        self._layout(self.blocks[-1] if self.blocks else None, after=True)
        yield from self._columns()
        if self.at < len(self.found) and not self.inside:
            yield codes.TEXT_ADDED.at(
                "", 0, f"{quoted(self._said(self.at, len(self.found)))} is neither the topic's nor a known label"
            )

    late: tuple[Finding, ...] = ()

    def _take(self, index: int) -> bool:
        """Passes layout and the block, where both are next."""
        block, phrase, start, clean = self.blocks[index], self.phrases[index], self.at, self.clean
        self.marker = ""
        while not self._stands_here(block, phrase):
            if not self._head(block, 0) and not self._layout_word(block):
                self.at, self.clean, self.late = start, clean, ()
                return block.optional
        self.late = tuple(self._structure(block, self.at, self.at + len(phrase)))
        self.at += len(phrase)
        self.tables = block.tables
        self.clean = block.kind == "word" or bool(block.tables)
        return True

    def _stands_here(self, block: Block, phrase: tuple[str, ...]) -> bool:
        """Whether the block is next and nothing more stands before it: a cell of "-" is no list's sign and an item "1." no
        number, as long as sign, number or header are still wanting; nor is a cell a header that only begins like it."""
        while self._is_next(phrase, self.at, block):
            wanting = self._wanting(block)
            if not self._head(block, 0 if wanting else len(phrase)) and not (wanting and self._layout_word(block)):
                return True
        return False

    def _wanting(self, block: Block) -> bool:
        """Whether a header or a list's sign that must stand before the block has not been passed yet."""
        unmarked = block.kind == "item" and block.first and not block.tables and not self.marker
        return unmarked or any(words(head) not in self.passed for head in block.heads)

    def _is_next(self, phrase: tuple[str, ...], at: int, block: Block) -> bool:
        end = at + len(phrase)
        if tuple(self.texts[at : end - 1]) != phrase[:-1] or end > len(self.texts):
            return False
        last = self.texts[end - 1]
        if last == phrase[-1]:
            return True
        closers = ":" if block.kind == "word" else ":," if block.tables else ""
        return bool(closers) and last[-1:] in closers and last[:-1].rstrip(":") == phrase[-1].rstrip(":")

    def _head(self, block: Block, shortest: int) -> bool:
        """Passes a column's header (or a cell that reaches over rows) where one is next; one that a cell may begin with
        must be longer than `shortest` words, or closed by a sign."""
        tables = tuple(dict.fromkeys((*reversed(block.tables), *reversed(self.tables))))
        for table in tables:
            for phrase in self.heads.get(table, ()):
                end = self.at + len(phrase)
                if tuple(self.texts[self.at : end - 1]) == phrase[:-1] and end <= len(self.texts):
                    last = self.texts[end - 1]
                    closed = last[-1:] in (":", ",") and last[:-1].rstrip(":") == phrase[-1].rstrip(":")
                    if closed or (last == phrase[-1] and (len(phrase) > shortest or self._slash(end))):
                        self.seen.add((self._of(tables, table, phrase), phrase))
                        self.passed.add(phrase)
                        self.at = end
                        return True
        return False

    def _of(self, tables: Sequence[int], table: int, phrase: tuple[str, ...]) -> int:
        """Of tables in one another that share a header, the outermost of which it was not seen yet."""
        alike = (one for one in reversed(tables) if phrase in self.heads.get(one, ()) and (one, phrase) not in self.seen)
        return next(alike, table)

    def _slash(self, at: int) -> bool:
        return at < len(self.texts) and self.texts[at] == "/"

    def _layout_word(self, block: Block | None) -> bool:
        """Passes one sign of layout."""
        if self.at >= len(self.found):
            return False
        word = self.found[self.at]
        self.clean = self.clean or word.starts
        numbered = block is not None and (block.kind != "heading" or not block.level)
        if word.text in _SIGNS and (self.clean or word.text in "|/"):
            self.marker = word.text if word.text in "-*•" else self.marker
        elif self.clean and _NUMBER.fullmatch(word.text) and (numbered or self._bare()):
            self.marker = word.text
        elif not (word.starts and word.ends and _RULE.fullmatch(word.text)):
            return False
        self.at += 1
        return True

    def _bare(self) -> bool:
        """Whether all of this line is signs: items without words."""
        if not self.found[self.at].starts:
            return False
        for at in range(self.at, len(self.found)):
            word = self.found[at]
            if word.text not in _SIGNS and not _NUMBER.fullmatch(word.text):
                return False
            if word.ends:
                break
        return True

    def _layout(self, block: Block | None, *, after: bool) -> None:
        while self._layout_word(block) or (after and block is not None and self._head(block, 0)):
            pass

    # --- where blocks stand ---

    def _structure(self, block: Block, start: int, end: int) -> Iterator[Finding]:
        clean = self.clean or self.found[start].starts
        if not block.tables and block.kind != "word":
            if not clean:
                yield _at(codes.STRUCTURE, block, f"{named(block)} {quoted(block.text)}: expected on a line of its own")
            elif not self.found[end - 1].ends:
                yield _at(codes.STRUCTURE, block, f"{named(block)} {quoted(block.text)}: expected nothing after it on its line")
        if block.kind == "item" and block.first and not block.tables:
            yield from self._item(block)
        for head in block.heads:
            if words(head) not in self.passed:
                yield _at(codes.STRUCTURE, block, f"{named(block)} {quoted(block.text)}: expected {quoted(head)} before it")

    def _item(self, block: Block) -> Iterator[Finding]:
        if not self.marker:
            yield _at(
                codes.STRUCTURE, block, f"{named(block)} {quoted(block.text)}: expected a list's sign before it, found none"
            )
        elif block.marker and self.marker[:-1].isdigit() and self.marker[:-1] != block.marker:
            text = f"{quoted(block.text)}: expected number {block.marker}, found {self.marker}"
            yield _at(codes.STRUCTURE, block, text)

    def _columns(self) -> Iterator[Finding]:
        for block, phrase in zip(self.blocks, self.phrases, strict=True):
            if block.column and block.tables and (block.tables[-1], phrase) not in self.seen:
                self.seen.add((block.tables[-1], phrase))
                yield _at(codes.TEXT_LOST, block, f"column header {quoted(block.text)} stands before no cell")

    # --- differences ---

    def _difference(self, index: int) -> Generator[Finding, None, int]:
        """Reports one difference and returns the block to go on with; words and blocks in question are passed."""
        block = self.blocks[index]
        own = self._find(index, self.at)
        ahead = self._later(index)
        if ahead is not None and (own is None or ahead[1] <= own):
            later, place = ahead
            yield from self._lost(index, later, place)
            self.at = place
            return later
        if own is not None:
            if not self.inside:
                yield codes.TEXT_ADDED.at(
                    block.file, block.line, f"before {quoted(block.text)}: {quoted(self._said(self.at, own))}"
                )
            self.at, self.clean = own, True
            return index
        yield _lost(block)
        return index + 1

    def _later(self, index: int) -> tuple[int, int] | None:
        """The next block that is found again, and where: the nearest place wins."""
        found = []
        for later in range(index + 1, min(index + 1 + _FAR, len(self.blocks))):
            if not self.blocks[later].column and (place := self._find(later, self.at)) is not None:
                found.append((place, later))
        if not found:
            return None
        place, later = min(found)
        return later, place

    def _find(self, index: int, start: int) -> int | None:
        block, phrase = self.blocks[index], self.phrases[index]
        places = self.places.get(_stem(phrase[0]), ())
        return next((at for at in places[bisect_left(places, start) :] if self._is_next(phrase, at, block)), None)

    def _lost(self, index: int, later: int, place: int) -> Iterator[Finding]:
        """The blocks that stand between what was found last and what is found next."""
        missing = [(at, b) for at, b in enumerate(self.blocks[index:later], index) if not (b.optional or b.column)]
        said = self._said(self.at, place)
        for at, block in missing:
            if at == missing[0][0] and said and block.kind != "word" and not _only_layout(said):
                yield _at(codes.TEXT_CHANGED, block, f"{named(block)}: expected {differing(block.text, said)}")
            elif self._find(at, 0) is not None:
                yield _at(codes.ORDER, block, f"{named(block)} {quoted(block.text)} stands in another place than in the topic")
            else:
                yield _lost(block)

    def _said(self, start: int, end: int) -> str:
        return " ".join(self.texts[start:end])


def _stem(word: str) -> str:
    return word.rstrip(":,") or word


def _heads(blocks: Sequence[Block], phrases: Sequence[tuple[str, ...]]) -> dict[int, list[tuple[str, ...]]]:
    """By table: the phrases that may stand before its cells, longest first."""
    heads: dict[int, dict[tuple[str, ...], None]] = {}
    for block, phrase in zip(blocks, phrases, strict=True):
        for table in block.tables if block.repeats else block.tables[-1:] if block.column else ():
            heads.setdefault(table, {})[phrase] = None
    return {table: sorted(found, key=len, reverse=True) for table, found in heads.items()}


def _only_layout(said: str) -> bool:
    return all(w in _SIGNS or _NUMBER.fullmatch(w) or _RULE.fullmatch(w) for w in said.split())


def _lost(block: Block) -> Finding:
    if block.kind == "word":
        return _at(codes.WARNING_WORD, block, f"expected the word {quoted(block.text)} before what it is about, found none")
    return _at(codes.TEXT_LOST, block, f"{named(block)} {quoted(block.text)} is missing")


def _at(code: Code, block: Block, text: str) -> Finding:
    return code.at(block.file, block.line, text)
