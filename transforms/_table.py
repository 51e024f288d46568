"""Tables as rows that stand alone: a `table` element in; out, for each row, its headers, and each cell with its column's header.

Spans are resolved as in HTML (4.9.12 "Forming a table"): a cell that reaches over several rows is in each of them, so that each
row can be read without the others. A row that is one cell over all columns is a title of the rows below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

WIDEST: Final = 1000  # columns that one cell may span, as in HTML


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell and the header of its columns ("" = none)."""

    element: etree._Element
    header: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its title over all columns, or its own headers (`leads`) and its cells."""

    leads: tuple[Cell, ...] = ()
    cells: tuple[Cell, ...] = ()
    title: etree._Element | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A cell in its columns, `start` to `end` (not included)."""

    element: etree._Element
    start: int
    end: int


def rows(table: etree._Element, shown: Callable[[etree._Element], bool], text: Callable[[etree._Element], str]) -> Iterator[Row]:
    """The table's rows in order; header rows only where there is nothing but them. `text` gives a header's words."""
    grids = [(group.tag, _grid(group, shown)) for group in table if group.tag in ("thead", "tbody", "tfoot") and shown(group)]
    lines = [(tag, line) for tag, grid in grids for line in grid]
    count = _header_count(lines)
    heads, body = [line for _, line in lines[:count]], [line for _, line in lines[count:]]
    columns = max((cell.end for _, line in lines for cell in line), default=0)
    if not body:
        heads, body = [], heads
    headers = _Headers(heads, text)
    lonely = tuple(Cell(cell.element, "") for cell in headers.over_nothing(body, columns))
    if lonely:  # rows that are shorter than their header
        yield Row(cells=lonely)
    for line in body:
        if _is_title(line, columns):
            yield Row(title=line[0].element)
        elif line:
            yield _row(line, headers)


def _is_title(line: list[_Placed], columns: int) -> bool:
    return len(line) == 1 and columns > 1 and line[0].end - line[0].start >= columns


def _row(line: list[_Placed], headers: _Headers) -> Row:
    cells = [Cell(cell.element, headers.over(cell)) for cell in line]
    leading = next((index for index, cell in enumerate(cells) if cell.element.tag != "th"), len(cells))
    if leading == len(cells):
        leading = 0 if len(cells) == 1 else 1
    return Row(tuple(cells[:leading]), tuple(cells[leading:]))


class _Headers:
    """The header rows, and what they say over a cell."""

    def __init__(self, heads: list[list[_Placed]], text: Callable[[etree._Element], str]) -> None:
        self.levels = [[(cell, text(cell.element)) for cell in line] for line in heads]

    def over(self, cell: _Placed) -> str:
        """The words of all header cells over a cell's columns, from the top, none twice."""
        said: dict[str, None] = {}
        for level in self.levels:
            here = [words for head, words in level if words and head.start < cell.end and head.end > cell.start]
            said.update(dict.fromkeys([" / ".join(dict.fromkeys(here))] if here else []))
        return ", ".join(said)

    def over_nothing(self, body: list[list[_Placed]], columns: int) -> list[_Placed]:
        """The header cells with words under which no row has a cell."""
        filled = {n for line in body if not _is_title(line, columns) for cell in line for n in range(cell.start, cell.end)}
        return [
            head for level in self.levels for head, words in level if words and filled.isdisjoint(range(head.start, head.end))
        ]


def _header_count(lines: list[tuple[str, list[_Placed]]]) -> int:
    """How many rows at the top are headers: those of `thead`, or leading ones made of column headers only."""
    heads = sum(tag == "thead" for tag, _ in lines)
    if heads:
        return heads
    for index, (_, line) in enumerate(lines):
        if not line or any(cell.element.get("scope") not in ("col", "colgroup") for cell in line):
            return index
    return len(lines)


def _grid(group: etree._Element, shown: Callable[[etree._Element], bool]) -> list[list[_Placed]]:
    """Each shown row's cells by column, those that reach down from above included. What is not shown has its place too."""
    grid: list[list[_Placed]] = []
    reaching: list[tuple[_Placed, int]] = []  # cells from above, and how many more rows they take
    for row in group.iterchildren("tr"):
        line = [cell for cell, _ in reaching]
        below = [(cell, left - 1) for cell, left in reaching if left > 1]
        column = 0
        for element in (cell for cell in row if cell.tag in ("th", "td")):
            column = _free(column, line)
            placed = _Placed(element, column, column + min(int(element.get("colspan", "1")), WIDEST))
            column = placed.end
            if not shown(element):
                continue
            line.append(placed)
            if (span := int(element.get("rowspan", "1"))) > 1:
                below.append((placed, span - 1))
        if shown(row):
            grid.append(sorted(line, key=lambda cell: cell.start))
        reaching = below
    return grid


def _free(column: int, line: list[_Placed]) -> int:
    """The first column from `column` on that no cell takes."""
    for cell in sorted(line, key=lambda cell: cell.start):
        if cell.start <= column < cell.end:
            column = cell.end
    return column
