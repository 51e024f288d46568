"""HTML text -> a tree, with the end tags that HTML lets authors leave out. Shared by sources, see `_html.py`.

In: a string of HTML of any quality. Out: an lxml tree of known elements, each with its `line`, and what had to be repaired.
Nothing that could be text is lost: a tag without end, and a name that HTML does not have, stay as text. Where that is not sure,
it is said.

Specification: the tokens of the HTML Living Standard (see `_htmltokens.py`), and its rules for optional end tags; not its whole
error recovery.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from sources._htmltokens import Problem, Tag, Text, tokens


def names(text: str) -> frozenset[str]:
    """The element names of a line of them."""
    return frozenset(text.split())


HEADINGS: Final = names("h1 h2 h3 h4 h5 h6")
# What begins a new paragraph where one was open.
_BLOCKS: Final = names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form header hgroup hr"
    " main menu nav ol p pre search section summary table ul"
)
_INLINES: Final = names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q s samp small span strike strong"
    " sub sup time tt u var"
)
_VOID: Final = names("area base br col embed hr img input link meta source track wbr")
_OTHERS: Final = names(
    "audio body button canvas caption colgroup datalist dd dt head html iframe legend li map meter noscript object optgroup"
    " option output picture progress rp rt ruby script select slot style tbody td template textarea tfoot th thead title tr video"
)
_KNOWN: Final = HEADINGS | _BLOCKS | _INLINES | _VOID | _OTHERS
_OPTIONAL_END: Final = names("p li dt dd td th tr thead tbody tfoot html head body colgroup option")
_CELLS: Final = frozenset({"td", "th", "caption", "table"})
_TABLE_PARTS: Final = _CELLS | {"tr", "thead", "tbody", "tfoot"}
_ROW_GROUPS: Final = frozenset({"table", "thead", "tbody", "tfoot"})
# What a start tag closes, and the elements beyond which it closes nothing.
_CLOSED_BY: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "a": (frozenset({"a"}), _CELLS),
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu", "dir"}) | _CELLS),
    **dict.fromkeys(("dt", "dd"), (frozenset({"dt", "dd"}), frozenset({"dl"}) | _CELLS)),
    **dict.fromkeys(("td", "th"), (frozenset({"td", "th", "caption", "colgroup"}), frozenset({"tr", "table"}))),
    "tr": (frozenset({"tr", "caption", "colgroup"}), frozenset({"table"})),
    **dict.fromkeys(
        ("thead", "tbody", "tfoot", "colgroup"),
        (frozenset({"thead", "tbody", "tfoot", "caption", "colgroup"}), frozenset({"table"})),
    ),
    **dict.fromkeys(_BLOCKS | HEADINGS, (frozenset({"p"}), frozenset({"li", "dd", "div", "blockquote"}) | _CELLS)),
}
_ATTRIBUTES: Final = names(
    "href name id lang dir title src alt width height colspan rowspan scope start reversed value type class style xml:lang"
)
DEEPEST: Final = 100  # nobody nests deeper on purpose, and readers of trees are recursive
_SCRIPTS: Final = names("script style")
_UNREAD: Final = names("script style title template")  # nobody reads what stands in them: left open, they would take the rest
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([:-][a-z0-9.-]*)?")

FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0, 2.2


@dataclass(frozen=True, slots=True)
class Tree:
    """A `root` and what is below it; by text, how often something was repaired, and how often words may have been lost, each
    with the line of the first."""

    root: etree._Element
    repairs: Mapping[str, int]
    first: int
    losses: Mapping[str, int]
    first_loss: int


def tree(text: str, line: int) -> Tree:
    """The tree of a text that begins at `line` and holds no character that XML forbids."""
    builder = _Builder(line)
    root = builder.build(text)
    return Tree(root, builder.problems, builder.first, builder.grave, builder.first_grave)


class _Builder:
    """Tags to a tree, optional end tags filled in; `problems` counts what was repaired, `grave` what may have lost words."""

    def __init__(self, line: int) -> None:
        self.problems: Counter[str] = Counter()
        self.grave: Counter[str] = Counter()
        self.first = self.first_grave = 0
        self._line = line
        self._stack = [etree.Element("root", line=str(line))]
        self._texts: list[str] = []  # what stands after all that is in the tree

    def build(self, text: str) -> etree._Element:
        """The tree below one `root`; every element carries its `line`."""
        ends = frozenset(name.lower() for name in re.findall(r"</([A-Za-z][\w-]*)", text))
        for token in tokens(text, self._line):
            self._line = token.line
            if isinstance(token, Text):
                self._texts.append(token.text)
            elif isinstance(token, Problem):
                self._problem(token.text, token.grave)
            elif token.end:
                self._end(token.name)
            else:
                self._start(token, ends)
        self._close(1, self._stack[1:])
        return self._stack[0]

    def _start(self, tag: Tag, ends: frozenset[str]) -> None:
        name = tag.name
        if not (name in _KNOWN or name in ends or ":" in name):
            self._problem(f"<{name[:40]}> is no tag of HTML and was kept as text")
            self._texts.append(tag.raw)
            return
        self._close_before(name)
        if len(self._stack) > DEEPEST and name not in _VOID | _SCRIPTS:
            self._problem(f"elements nested deeper than {DEEPEST}; the inner ones count as text")
            return
        if name in ("td", "th") and self._stack[-1].tag in _ROW_GROUPS:
            self._push("tr")
        element = self._push((name if _NAME.fullmatch(name) else "span").replace(":", "-"))
        for key, value in tag.attributes.items():
            said = "lang" if key == "xml:lang" else key
            if key in _ATTRIBUTES and said not in element.attrib:
                element.set(said, FORBIDDEN.sub("", value))
        if name in _VOID:
            self._stack.pop()
        elif tag.closed:
            self._close(len(self._stack) - 1, ())

    def _end(self, name: str) -> None:
        if name == "br":
            self._push("br")
            self._stack.pop()
        if name in _VOID:
            return
        place = self._open(frozenset({name.replace(":", "-")}), frozenset() if name in _TABLE_PARTS else _CELLS)
        if place:
            self._close(place, self._stack[place + 1 :])
        else:
            self._problem(f"</{name[:40]}> closes nothing")

    def _push(self, name: str) -> etree._Element:
        self._write()
        self._stack.append(etree.SubElement(self._stack[-1], name, line=str(self._line)))
        return self._stack[-1]

    def _write(self) -> None:
        """Puts the texts that were met into the tree: at once, because each time anew would take the square of their number."""
        data = FORBIDDEN.sub("", "".join(self._texts))  # character references may have brought some in
        self._texts.clear()
        last = next(self._stack[-1].iterchildren(reversed=True), None)
        if last is not None:
            last.tail = (last.tail or "") + data
        else:
            self._stack[-1].text = (self._stack[-1].text or "") + data

    def _close_before(self, tag: str) -> None:
        closed, barrier = _CLOSED_BY.get(tag, (frozenset(), frozenset()))
        place = self._open(closed, barrier)
        if place:
            self._close(place, self._stack[place:])

    def _open(self, names: frozenset[str], barrier: frozenset[str]) -> int:
        """The place in the stack of the innermost open element of these names before any barrier; 0 where there is none."""
        for place in range(len(self._stack) - 1, 0, -1):
            if self._stack[place].tag in names:
                return place
            if self._stack[place].tag in barrier:
                break
        return 0

    def _close(self, place: int, early: Sequence[etree._Element]) -> None:
        """Closes everything from that place in the stack on; `early` are the elements that got no end tag of their own."""
        self._write()
        for element in early:
            if element.tag not in _OPTIONAL_END:
                self._problem(f"<{element.tag!s}> is not closed in its place", grave=element.tag in _UNREAD)
        del self._stack[place:]

    def _problem(self, text: str, grave: bool = False) -> None:
        if grave:
            self.first_grave = self.first_grave or self._line
            self.grave[text] += 1
        else:
            self.first = self.first or self._line
            self.problems[text] += 1
