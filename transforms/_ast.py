"""A canonical body as pandoc's AST (JSON), made so that plain text of it loses nothing.

What plain text can not show is put into words on the way: tables as "Header: cell" lines, pictures by their alternative text,
outside addresses, super- and subscripts as `^` and `_`, formulas, the word of a warning, footnote marks.

Each run of text is one `Str`. It begins with a control character that no XML can hold, so that whoever lays out pandoc's
lines knows what they are: `TEXT` (to be wrapped, further lines under its beginning), `VERBATIM` (left as it is), `HEADING`
and a level digit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from lxml import etree

from pipeline.labels import Labels
from pipeline.topic import BLOCKS, MATHML
from transforms._math import words as math_words
from transforms._table import Row, rows

TEXT: Final = "\x01"
VERBATIM: Final = "\x02"
HEADING: Final = "\x03"
_BREAK: Final = "\x04"
_VERSION: Final = [1, 23, 1]

# Not \s: what joins words (U+00A0, U+202F, U+2007) stays.
_SPACE: Final = re.compile("[\t\n\x0b\x0c\r\x1c-\x20\x85\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]+")
_STYLES: Final = {"1": "Decimal", "a": "LowerAlpha", "A": "UpperAlpha", "i": "LowerRoman", "I": "UpperRoman"}
_SIGNS: Final = {"sup": "^", "sub": "_"}
_FORMAT: Final = "text"

Block = dict[str, Any]


def document(body: etree._Element, words: Labels) -> tuple[bytes, int]:
    """The whole document of a `<body>`, and the number of links to other topics of which only the words are left."""
    writer = _Writer(body, words)
    ast = {"pandoc-api-version": _VERSION, "meta": {}, "blocks": writer.flow(body)}
    return json.dumps(ast, ensure_ascii=False).encode(), writer.cut_links


def fold(text: str) -> str:
    """White space folded to single spaces, what joins words kept."""
    return _SPACE.sub(" ", text).strip(" ")


class _Writer:
    """One walk over a body."""

    def __init__(self, body: etree._Element, words: Labels) -> None:
        self.words = words
        self.numbers = _footnote_numbers(body)
        self.spelled: set[str] = set()
        self.depth = 0
        self.cut_links = 0

    # --- blocks ---

    def flow(self, element: etree._Element) -> list[Block]:
        """An element's content as blocks: runs of text become paragraphs."""
        blocks: list[Block] = []
        run = [element.text or ""]
        for child in element:
            if _shown(child):
                if child.tag in BLOCKS:
                    blocks += _paragraph("".join(run))
                    run.clear()
                    blocks += self.block(child)
                else:
                    run.append(self.inline(child))
            run.append(child.tail or "")
        return blocks + _paragraph("".join(run))

    def block(self, element: etree._Element) -> list[Block]:
        """One block element as pandoc's blocks."""
        if element.tag not in BLOCKS:  # a formula among blocks
            return _paragraph(self.inline(element))
        make = _MAKERS.get(str(element.tag), _Writer.flow)
        return make(self, element)

    def _p(self, element: etree._Element) -> list[Block]:
        return _paragraph(self.text(element))

    def _section(self, element: etree._Element) -> list[Block]:
        heading = next(element.iterchildren("h"), None)
        title = self._line(heading) if heading is not None else _section_label(self.words, element.get("data-kind", ""))
        self.depth += bool(title)
        blocks = [_para(f"{HEADING}{min(self.depth, 9)}{title}")] if title else []
        for child in element:
            if child is not heading and _shown(child):
                blocks += self.block(child)
        self.depth -= bool(title)
        return blocks

    def _aside(self, element: etree._Element) -> list[Block]:
        word = _kind_word(self.words, element.get("data-kind", "note"))
        heading = next(element.iterchildren("h"), None)
        blocks = [block for child in element if child is not heading and _shown(child) for block in self.block(child)]
        if heading is not None:
            blocks.insert(0, _para(f"{TEXT}{word}: {self._line(heading)}"))
        elif blocks and blocks[0]["t"] == "Para":
            _prefix(blocks[0], f"{word}: ")
        else:
            blocks.insert(0, _para(f"{TEXT}{word}:"))
        return [{"t": "BlockQuote", "c": blocks}]

    def _blockquote(self, element: etree._Element) -> list[Block]:
        return [{"t": "BlockQuote", "c": self.flow(element)}]

    def _pre(self, element: etree._Element) -> list[Block]:
        lines = self.text(element).replace(_BREAK, "\n").expandtabs().strip("\n").split("\n")
        return [{"t": "BlockQuote", "c": [_lines([VERBATIM + line for line in lines])]}]

    def _ul(self, element: etree._Element) -> list[Block]:
        items = self._items(element)
        if element.get("data-kind") == "checklist":
            for item in items:
                _checkbox(item)
        return [{"t": "BulletList", "c": items}]

    def _ol(self, element: etree._Element) -> list[Block]:
        items = self._items(element)
        start, style = int(element.get("start", "1")), _STYLES[element.get("type", "1")]
        if start < 1 or ("Alpha" in style and start + len(items) > 27):
            style = "Decimal"  # letters begin again after z, and there is no letter for 0
        return [{"t": "OrderedList", "c": [[start, {"t": style}, {"t": "Period"}], items]}]

    def _items(self, element: etree._Element) -> list[list[Block]]:
        return _tight([self.flow(item) for item in element.iterchildren("li") if _shown(item)])

    def _dl(self, element: etree._Element) -> list[Block]:
        groups: list[tuple[list[str], list[list[Block]]]] = []
        for child in element:
            if not _shown(child):
                continue
            if child.tag == "dt" and (not groups or groups[-1][1]):
                groups.append(([], []))
            if child.tag == "dt":
                groups[-1][0].append(TEXT + self._line(child))
            elif groups:
                groups[-1][1].append(self.flow(child))
        pairs = [[_inlines(terms), _tight(definitions)] for terms, definitions in groups]
        return [{"t": "DefinitionList", "c": pairs}]

    def _table(self, element: etree._Element) -> list[Block]:
        caption = next(element.iterchildren("caption"), None)
        blocks = _paragraph(self.text(caption)) if caption is not None and _shown(caption) else []
        items: list[list[Block]] = []
        for row in rows(element, _shown, self._line):
            if row.title is not None:
                blocks += [*_list(items), *self.flow(row.title)]
                items = []
            else:
                items.append(self._row(row))
        return blocks + _list(items)

    def _row(self, row: Row) -> list[Block]:
        leads = [line for cell in row.leads for line in [_labelled(cell.header, self._line(cell.element))] if line]
        cells = [(cell.header, self.flow(cell.element)) for cell in row.cells]
        if not leads and not any(header for header, _ in cells) and all(_is_line(blocks) for _, blocks in cells):
            return [_plain(" | ".join(_words_of(blocks) for _, blocks in cells))]
        items = [_cell(header, blocks) for header, blocks in cells]
        if leads:
            return [_plain(", ".join(leads)), *_list(items)]
        return _joined(items)

    # --- inlines ---

    def _line(self, element: etree._Element) -> str:
        """An element's text on one line."""
        return fold(self.text(element).replace(_BREAK, " "))

    def text(self, element: etree._Element) -> str:
        """An element's text, unfolded, `_BREAK` where a line ends."""
        parts = [element.text or ""]
        for child in element:
            if _shown(child):
                parts.append(f" {self._said(child)} " if child.tag in BLOCKS else self.inline(child))
            parts.append(child.tail or "")
        return "".join(parts)

    def _said(self, block: etree._Element) -> str:
        """A block's text where it must stand on a line; a warning keeps its word."""
        word = f"{_kind_word(self.words, block.get('data-kind', 'note'))}: " if block.tag == "aside" else ""
        return word + self.text(block)

    def inline(self, element: etree._Element) -> str:
        """One inline element's text."""
        tag = element.tag
        if tag == "br":
            return _BREAK
        if tag == "img":
            alt = fold(element.get("alt", ""))
            return f"[{self.words.text('Image: {text}', text=alt)}]" if alt else ""
        if tag == f"{{{MATHML}}}math":
            return math_words(element)
        if tag == "a":
            return self._link(element)
        return self._styled(element, self.text(element))

    def _styled(self, element: etree._Element, text: str) -> str:
        tag = element.tag
        if tag in _SIGNS:
            return text if _only_mark(element) or not text.strip() else _SIGNS[tag] + text
        if tag == "q":
            return f"“{text}”"
        if tag == "s" and text.strip():
            return f"~~{text}~~"
        title = fold(element.get("title", "")) if tag == "abbr" else ""
        if title and title not in self.spelled and fold(text) != title:
            self.spelled.add(title)
            return f"{text} ({title})"
        return text

    def _link(self, element: etree._Element) -> str:
        text, href = self.text(element), element.get("href", "")
        kind = element.get("data-kind")
        self.cut_links += kind == "topic"
        if kind == "external" and not _says(text, href):
            address = re.sub(r"^(mailto|tel):", "", href)
            return f"{text} <{address}>" if text.strip() else address
        if kind == "footnote":
            number = self.numbers.get(href[1:], text.strip())
            # a mark of the author's own ("1", "*") gives way to the number that the list prints; words stay
            return f"[{number}]" if len(text.strip()) <= 3 else f"{text} [{number}]"
        return text


_MAKERS: Final[dict[str, Callable[[_Writer, etree._Element], list[Block]]]] = {
    "p": _Writer._p,
    "section": _Writer._section,
    "aside": _Writer._aside,
    "blockquote": _Writer._blockquote,
    "pre": _Writer._pre,
    "ul": _Writer._ul,
    "ol": _Writer._ol,
    "dl": _Writer._dl,
    "table": _Writer._table,
}


# --- pandoc's values ----------------------------------------------------------------------------


def _inlines(lines: Sequence[str]) -> list[Block]:
    inlines: list[Block] = []
    for line in lines:
        inlines += [{"t": "LineBreak"}] if inlines else []
        inlines.append({"t": "Str", "c": line})
    return inlines


def _lines(lines: Sequence[str], kind: str = "Para") -> Block:
    return {"t": kind, "c": _inlines(lines)}


def _para(line: str) -> Block:
    return _lines([line])


def _plain(line: str) -> Block:
    return _lines([TEXT + line], "Plain")


def _paragraph(text: str) -> list[Block]:
    """No block where there are no words."""
    lines = [fold(line) for line in text.split(_BREAK)]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return [_lines([TEXT + line for line in lines])] if lines else []


def _list(items: list[list[Block]]) -> list[Block]:
    return [{"t": "BulletList", "c": _tight(items)}] if items else []


def _tight(items: list[list[Block]]) -> list[list[Block]]:
    """Without blank lines between items where none holds more than a paragraph and the lists under it."""
    lists = ("BulletList", "OrderedList")
    if all(not item or (item[0]["t"] in ("Para", "Plain") and all(block["t"] in lists for block in item[1:])) for item in items):
        return [[{**item[0], "t": "Plain"}, *item[1:]] if item else [] for item in items]
    return items


def _prefix(block: Block, words: str) -> None:
    first = block["c"][0]
    first["c"] = first["c"][0] + words + first["c"][1:]


def _checkbox(item: list[Block]) -> None:
    if item and item[0]["t"] in ("Para", "Plain"):
        _prefix(item[0], "[ ] ")
    else:
        item.insert(0, _plain("[ ]"))


def _is_line(blocks: list[Block]) -> bool:
    return not blocks or (len(blocks) == 1 and blocks[0]["t"] == "Para")


def _words_of(blocks: list[Block]) -> str:
    """The text of a cell that `_is_line`, on one line."""
    return " ".join(inline["c"][1:] for block in blocks for inline in block["c"] if inline["t"] == "Str")


def _labelled(header: str, text: str) -> str:
    return f"{header.rstrip(':')}: {text}".rstrip(" ") if header else text


def _cell(header: str, blocks: list[Block]) -> list[Block]:
    if _is_line(blocks):
        text = _labelled(header, _words_of(blocks))
        return [_plain(text)] if text else []
    return [_plain(f"{header.rstrip(':')}:"), *blocks] if header else blocks


def _joined(cells: Iterable[list[Block]]) -> list[Block]:
    """Cells of one row, the lines of neighbours in one paragraph."""
    blocks: list[Block] = []
    for block in (block for cell in cells for block in cell):
        if block["t"] == "Plain" and blocks and blocks[-1]["t"] == "Plain":
            blocks[-1]["c"] += [{"t": "LineBreak"}, *block["c"]]
        else:
            blocks.append(block)
    return blocks


# --- what stands where --------------------------------------------------------------------------


def _shown(element: etree._Element) -> bool:
    return isinstance(element.tag, str) and _FORMAT in (element.get("data-only") or _FORMAT).split()


def _footnote_numbers(body: etree._Element) -> dict[str, str]:
    """The number that a list prints before each of its items, by the item's id."""
    return {item.get("id", ""): str(number) for ol in body.iter("ol") for number, item in _numbered(ol) if item.get("id")}


def _numbered(ol: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    return enumerate((item for item in ol.iterchildren("li") if _shown(item)), int(ol.get("start", "1")))


def _only_mark(script: etree._Element) -> bool:
    """Whether a superscript holds nothing but a footnote's or definition's mark, which needs no sign."""
    inner = list(script)
    if len(inner) != 1 or (script.text or "").strip() or (inner[0].tail or "").strip():
        return False
    return inner[0].get("data-kind") in ("footnote", "definition")


def _says(text: str, href: str) -> bool:
    """Whether a link's words already tell its address."""
    if href.startswith("tel:"):
        return re.sub(r"\D", "", href) in re.sub(r"\D", "", text)
    address = re.sub(r"^(https?://|mailto:)", "", href).rstrip("/")
    return address in text


def _section_label(words: Labels, kind: str) -> str:
    if kind == "glossary":
        return words.text("Definitions")
    if kind == "footnotes":
        return words.text("Footnotes")
    return words.text("Related information") if kind == "related" else ""


def _kind_word(words: Labels, kind: str) -> str:
    return {
        "note": words.text("Note"),
        "tip": words.text("Tip"),
        "warning": words.text("Warning"),
        "caution": words.text("Caution"),
        "danger": words.text("Danger"),
        "emergency": words.text("Emergency"),
    }[kind]
