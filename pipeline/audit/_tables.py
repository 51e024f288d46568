"""Which header cells stand over a cell.

In: a canonical table. Out: its header rows, and for each cell below them the header cells over its columns, from the top.
Columns are counted as in the HTML Standard, "Forming a table": a cell takes `colspan` columns, and in `rowspan` rows of its
row group the columns below it are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from lxml import etree

WIDEST = 1000  # columns that one cell may span, as in HTML

Shown = Callable[[etree._Element], bool]


@dataclass(frozen=True, slots=True)
class Heads:
    """The header rows of a table, and by cell the header cells over it. Without other rows there are none."""

    rows: frozenset[etree._Element]
    over: dict[etree._Element, tuple[etree._Element, ...]]


def heads(table: etree._Element, shown: Shown) -> Heads:
    """The headers of a table. A row that is one cell over all columns is a title, over which there is nothing."""
    groups = [group for group in table if group.tag in ("thead", "tbody", "tfoot") and shown(group)]
    rows = [row for group in groups for row in group.iterchildren("tr") if shown(row)]
    top = [row for row in rows if (parent := row.getparent()) is not None and parent.tag == "thead"]
    top = top or list(takewhile(lambda row: _all_columns(row, shown), rows))
    if len(top) == len(rows):
        return Heads(frozenset(), {})
    placed = {cell: place for group in groups for cell, place in _placed(group, shown)}
    width = max((end for _, end in placed.values()), default=0)
    above = [cell for row in top for cell in row if cell in placed]
    over = {}
    for row in rows[len(top) :]:
        cells = [cell for cell in row if cell in placed]
        title = len(cells) == 1 and width > 1 and placed[cells[0]][1] - placed[cells[0]][0] >= width
        for cell in cells:
            start, end = placed[cell]
            over[cell] = () if title else tuple(h for h in above if placed[h][0] < end and placed[h][1] > start)
    return Heads(frozenset(top), over)


def _all_columns(row: etree._Element, shown: Shown) -> bool:
    cells = [cell for cell in row if shown(cell)]
    return bool(cells) and all(cell.get("scope") in ("col", "colgroup") for cell in cells)


def _placed(group: etree._Element, shown: Shown) -> list[tuple[etree._Element, tuple[int, int]]]:
    """Each cell of a row group with its first column and the one after its last."""
    found = []
    reaching: list[tuple[int, int, int]] = []  # first column, one after the last, rows still taken
    for row in group.iterchildren("tr"):
        if not shown(row):
            continue
        taken = [(start, end) for start, end, _ in reaching]
        below = [(start, end, left - 1) for start, end, left in reaching if left > 1]
        column = 0
        for cell in row.iterchildren("td", "th"):
            if not shown(cell):
                continue
            for start, end in sorted(taken):
                column = end if start <= column < end else column
            place = column, column + min(int(cell.get("colspan", "1")), WIDEST)
            found.append((cell, place))
            column = place[1]
            if (left := int(cell.get("rowspan", "1"))) > 1:
                below.append((*place, left - 1))
        reaching = below
    return found
