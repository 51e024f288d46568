"""HTML text -> a tree, with the end tags that HTML lets authors leave out. Shared by sources, see `_html.py`.

In: a string of HTML of any quality. Out: an lxml tree of known elements, each with its `line`, and what had to be repaired.
Nothing that could be text is lost: a tag without end, and a name that HTML does not have, stay as text.

Specification: the tokens of the HTML Living Standard, and its rules for optional end tags; not its whole error recovery.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Final

from lxml import etree


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
    **dict.fromkeys(("td", "th"), (frozenset({"td", "th", "caption"}), frozenset({"tr", "table"}))),
    "tr": (frozenset({"tr", "caption"}), frozenset({"table"})),
    **dict.fromkeys(("thead", "tbody", "tfoot"), (frozenset({"thead", "tbody", "tfoot", "caption"}), frozenset({"table"}))),
    **dict.fromkeys(_BLOCKS | HEADINGS, (frozenset({"p"}), frozenset({"li", "dd", "div", "blockquote"}) | _CELLS)),
}
_ATTRIBUTES: Final = names(
    "href name id lang dir title src alt width height colspan rowspan scope start type class style xml:lang"
)
DEEPEST: Final = 100  # nobody nests deeper on purpose, and readers of trees are recursive
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([:-][a-z0-9.-]*)?")

FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # by XML 1.0, 2.2


def tree(text: str, line: int) -> tuple[etree._Element, Counter[str], int]:
    """The tree below one `root`, what was repaired (with counts), and the line of the first repair.

    `text` begins at `line`, and holds no character that XML forbids.
    """
    builder = _Builder(line)
    return builder.build(text), builder.problems, builder.first


class _Builder(HTMLParser):
    """Tags to a tree, optional end tags filled in; `problems` counts what was repaired."""

    def __init__(self, line: int) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: Counter[str] = Counter()
        self.first = 0
        self._line = line
        self._ends: frozenset[str] = frozenset()
        self._stack = [etree.Element("root", line=str(line))]

    def build(self, text: str) -> etree._Element:
        """The tree below one `root`; every element carries its `line`."""
        self._ends = frozenset(name.lower() for name in re.findall(r"</([A-Za-z][\w-]*)", text))
        self.feed(self._complete(text))
        self.close()
        self._close(1, self._stack[1:])
        return self._stack[0]

    def _complete(self, text: str) -> str:
        # A tag or comment that never ends would take the rest of the text with it: it is text.
        comment = text.rfind("<!--")
        if comment >= 0 and "-->" not in text[comment:]:
            self._problem("a comment without end")
            text = text[:comment] + "&lt;" + text[comment + 1 :]
        tag = text.rfind("<")
        if tag > text.rfind(">") and re.match(r"<[A-Za-z/!?]", text[tag:]):
            self._problem("a tag without end")
            text = text[:tag] + "&lt;" + text[tag + 1 :]
        return text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not (tag in _KNOWN or tag in self._ends or ":" in tag):
            self._problem(f"<{tag[:40]}> is no tag of HTML and was kept as text")
            self.handle_data(self.get_starttag_text() or "")
            return
        self._close_before(tag)
        if len(self._stack) > DEEPEST:
            self._problem(f"elements nested deeper than {DEEPEST}; the inner ones count as text")
            return
        if tag in ("td", "th") and self._stack[-1].tag in _ROW_GROUPS:
            self._push("tr")
        name = tag if _NAME.fullmatch(tag) else "span"
        element = self._push(name.replace(":", "-"))
        for key, value in attrs:
            if key in _ATTRIBUTES and value is not None and key not in element.attrib:
                element.set("lang" if key == "xml:lang" else key, value)
        if tag in _VOID:
            self._stack.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID and self._stack[-1].tag == tag:
            self._close(len(self._stack) - 1, ())

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":
            self.handle_starttag(tag, [])
        if tag in _VOID:
            return
        place = self._open(frozenset({tag.replace(":", "-")}), frozenset() if tag in _TABLE_PARTS else _CELLS)
        if place:
            self._close(place, self._stack[place + 1 :])
        else:
            self._problem(f"</{tag}> closes nothing")

    def _push(self, name: str) -> etree._Element:
        self._stack.append(etree.SubElement(self._stack[-1], name, line=str(self._here())))
        return self._stack[-1]

    def handle_data(self, data: str) -> None:
        parent = self._stack[-1]
        data = FORBIDDEN.sub("", data)  # character references may have brought some in
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + data
        else:
            parent.text = (parent.text or "") + data

    def unknown_decl(self, data: str) -> None:
        self.handle_data(data.removeprefix("CDATA["))

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
        for element in early:
            if element.tag not in _OPTIONAL_END:
                self._problem(f"<{element.tag!s}> is not closed in its place")
        del self._stack[place:]

    def _here(self) -> int:
        return self._line + self.getpos()[0] - 1

    def _problem(self, text: str) -> None:
        self.first = self.first or self._here()
        self.problems[text] += 1
