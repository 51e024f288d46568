"""Tables: CALS tables, simple tables, choice tables and properties, with scoped headers and true spans.

In: `table`, `simpletable` and what is made of them. Out: `table` elements. Specification: DITA 1.3, table elements
(OASIS exchange table model). Spans that lead out of the table are cut to fit, with a finding.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from lxml import etree

from sources.dita import codes
from sources.dita.flow import Item, add_all, blank, blocks, flow, is_block
from sources.dita.names import child, children, is_a
from sources.dita.writer import Handler, Writer

WIDEST: Final = 1000  # columns that one cell may span, as in HTML
_MOST_ADDED: Final = 20_000  # empty cells; a table that wants more of them is no table
_CONDITIONS: Final = ("data-only", "data-audience")
_SCOPES: Final = frozenset({"col", "row", "colgroup", "rowgroup"})


def _table(writer: Writer, element: etree._Element) -> list[Item]:
    """A CALS table: one canonical table for each `tgroup`, the caption on the first."""
    title, desc = child(element, "title"), child(element, "desc")
    made: list[Item] = []
    for group in children(element, "tgroup"):
        table = writer.mark(etree.Element("table"), element, name=not made)
        if title is not None and not made:
            _caption(writer, table, title)
        writer.there(group, partial(_group, table, _row_header(element)))
        if table.find("tbody") is not None:
            made.append(_squared(table))
    made = made or _title_alone(writer, element, title)
    said = blocks(writer.there(desc, lambda w, one: w.content(one))) if desc is not None else []
    rest = [one for one in element if not any(one is other for other in (title, desc)) and not is_a(one, "tgroup")]
    stray = blocks(part for one in rest if isinstance(one.tag, str) for part in writer.convert(one))
    return [*said, *made, *stray]


def _title_alone(writer: Writer, element: etree._Element, title: etree._Element | None) -> list[Item]:
    """The title of a table that has no rows: its words are all that there is."""
    items = writer.words_there(title) if title is not None else []
    return [writer.mark(add_all(etree.Element("p"), items), element)] if not blank(items) else []


def _caption(writer: Writer, table: etree._Element, title: etree._Element) -> None:
    items = writer.there(title, lambda w, one: w.words(one))
    if not blank(items):
        caption = etree.SubElement(table, "caption")
        writer.there(title, lambda w, one: [w.mark(caption, one)])
        add_all(caption, items)


def _row_header(table: etree._Element) -> bool:
    return table.get("rowheader") == "firstcol"


class _Columns:
    """The columns of a tgroup: places by name, and those that are row headers."""

    def __init__(self, group: etree._Element, first_is_header: bool) -> None:
        specs = children(group, "colspec")
        self.places: dict[str, int] = {}
        self.headers = {0} if first_is_header else set[int]()
        place = 0
        for spec in specs:
            number = spec.get("colnum") or ""
            place = int(number) - 1 if number.isdecimal() and 0 < int(number) < 1000 else place
            self.places.setdefault(spec.get("colname") or f"col{place + 1}", place)
            if spec.get("rowheader") == "headers":
                self.headers.add(place)
            place += 1
        stated = group.get("cols") or ""
        self.count = max(int(stated) if stated.isdecimal() and len(stated) < 4 else 0, place)
        for column in range(place, self.count):  # what columns without a colspec are called
            self.places.setdefault(f"col{column + 1}", column)


def _group(table: etree._Element, first_is_header: bool, writer: Writer, element: etree._Element) -> list[Item]:
    columns = _Columns(element, first_is_header)
    head, body = child(element, "thead"), child(element, "tbody")
    filled = body is not None and any(children(row, "entry") for row in children(body, "row"))
    if head is not None:
        _rows(writer, table, "thead" if filled else "tbody", head, columns, header=True)
    if body is not None:
        _rows(writer, table, "tbody", body, columns, header=False)
    return []


def _rows(writer: Writer, table: etree._Element, tag: str, element: etree._Element, columns: _Columns, *, header: bool) -> None:
    part = writer.mark(etree.Element(tag), element)
    rows = [row for row in children(element, "row") if children(row, "entry")]
    busy: dict[int, int] = {}  # column -> rows below that a cell from above still covers
    for number, row in enumerate(rows):
        made = writer.mark(etree.Element("tr"), row)
        writer.there(row, partial(_cells, made, columns, busy, len(rows) - number, header))
        if len(made):
            part.append(made)
    if len(part):
        table.append(part)


def _cells(
    made: etree._Element, columns: _Columns, busy: dict[int, int], left: int, header: bool, writer: Writer, row: etree._Element
) -> list[Item]:
    place = 0
    covered = {column for column, rows in busy.items() if rows > 0}
    for column in covered:
        busy[column] -= 1
    for entry in children(row, "entry"):
        while place in covered:
            place += 1
        start, width = _span(writer, entry, columns, place)
        for _ in range(sum(column not in covered for column in range(place, start))):  # columns that the row passes over
            etree.SubElement(made, "td")
        height = min(_number(entry.get("morerows")) + 1, left)
        for column in range(start, start + width):
            busy[column] = height - 1
        writer.there(entry, partial(_cell, made, _scope(entry, columns, start, header), width, height))
        place = start + width
    return []


def _span(writer: Writer, entry: etree._Element, columns: _Columns, place: int) -> tuple[int, int]:
    """(first column, number of columns) of a cell."""
    first, last = entry.get("namest") or entry.get("colname"), entry.get("nameend")
    start = columns.places.get(first or "", place)
    if not last:
        return max(start, place), 1
    end = columns.places.get(last)
    if end is None or end < start:
        writer.find(codes.TABLE, entry, f"a cell spans {first!r} to {last!r}; there are the columns {', '.join(columns.places)}")
        return max(start, place), 1
    return max(start, place), max(end - max(start, place) + 1, 1)


def _scope(entry: etree._Element, columns: _Columns, start: int, header: bool) -> str:
    stated = entry.get("scope") or ""
    if stated in _SCOPES:
        return stated
    if header:
        return "col"  # of all columns that it spans
    return "row" if start in columns.headers else ""


def _cell(made: etree._Element, scope: str, width: int, height: int, writer: Writer, entry: etree._Element) -> list[Item]:
    cell = writer.mark(etree.SubElement(made, "th" if scope else "td"), entry)
    if scope:
        cell.set("scope", scope)
    if width > 1:
        cell.set("colspan", str(width))
    if height > 1:
        cell.set("rowspan", str(height))
    conditions = {name: cell.attrib.pop(name) for name in _CONDITIONS if name in cell.attrib}
    items = writer.content(entry)
    flow(cell, [_conditional(conditions, items)] if conditions and not blank(items) else items)
    return []


def _conditional(conditions: dict[str, str], items: list[Item]) -> etree._Element:
    """What is for some readers alone in a cell: it goes and the cell stays, or the cells after it would change their columns."""
    mixed = any(is_block(item) for item in items)
    return add_all(etree.Element("div" if mixed else "span", conditions), blocks(items) if mixed else items)


def _squared(table: etree._Element) -> etree._Element:
    """The table with empty cells at the end of the rows that are shorter than the longest one."""
    lengths: dict[etree._Element, int] = {}
    for part in table.iterchildren("thead", "tbody"):
        busy: dict[int, int] = {}  # column -> rows below that a cell from above still covers
        for row in part:
            taken = {column for column, rows in busy.items() if rows > 0}
            busy = {column: busy[column] - 1 for column in taken}
            place = 0
            for cell in row:
                while place in taken:
                    place += 1
                width = int(cell.get("colspan") or 1)
                busy.update(dict.fromkeys(range(place, place + width), int(cell.get("rowspan") or 1) - 1))
                taken.update(range(place, place + width))
                place += width
            lengths[row] = len(taken)
    longest = max(lengths.values(), default=0)
    if sum(longest - length for length in lengths.values()) > _MOST_ADDED:
        return table
    for row, length in lengths.items():
        for _ in range(longest - length):
            etree.SubElement(row, "td")
    return table


def _number(raw: str | None) -> int:
    return int(raw) if raw and raw.isdecimal() and len(raw) < 5 else 0


# --- simple tables ------------------------------------------------------------------------------


def _simple(writer: Writer, element: etree._Element) -> list[Item]:
    """simpletable, choicetable, properties: a head row (`sthead`) and rows; `keycol` names the column of row headers."""
    table = writer.mark(etree.Element("table"), element)
    title = child(element, "title")
    if title is not None:
        _caption(writer, table, title)
    rows = [row for row in children(element, "strow") if children(row, "stentry")]
    key = _number(element.get("keycol")) or (1 if is_a(element, "choicetable") else 0)
    kinds = _property_columns(element) if is_a(element, "properties") else ()
    head = child(element, "sthead")
    if head is not None:
        part = etree.SubElement(table, "thead" if rows else "tbody")
        writer.there(head, partial(_simple_row, writer.mark(etree.SubElement(part, "tr"), head), 0, kinds, "col", 1))
    if rows:
        body = etree.SubElement(table, "tbody")
        for number, row in enumerate(rows):
            line = writer.mark(etree.SubElement(body, "tr"), row)
            writer.there(row, partial(_simple_row, line, key, kinds, "", len(rows) - number))
    for empty in [row for row in table.iter("tr") if not len(row)]:
        _remove(empty)
    rest = [one for one in element if one is not head and one is not title and not is_a(one, "strow")]
    stray = blocks(part for one in rest if isinstance(one.tag, str) for part in writer.convert(one))
    made = [_squared(table)] if table.find("tbody") is not None else _title_alone(writer, element, title)
    return [*made, *stray]


def _remove(row: etree._Element) -> None:
    part = row.getparent()
    if part is None:
        return
    part.remove(row)
    table = part.getparent()
    if not len(part) and table is not None:
        table.remove(part)


def _property_columns(element: etree._Element) -> tuple[str, ...]:
    """The columns that a properties table uses, in their order."""
    present = {
        name
        for row in element
        for one in row
        for name in ("proptype", "propvalue", "propdesc")
        if is_a(one, name) or is_a(one, name + "hd")
    }
    return tuple(name for name in ("proptype", "propvalue", "propdesc") if name in present)


def _simple_row(
    made: etree._Element, key: int, kinds: tuple[str, ...], scope: str, left: int, writer: Writer, row: etree._Element
) -> list[Item]:
    cells: list[etree._Element | None] = list(children(row, "stentry"))
    if kinds:
        cells = [child(row, kind, f"{kind}hd") for kind in kinds]
    for number, one in enumerate(cells, start=1):
        here = scope or ("row" if number == key else "")
        if one is None:
            etree.SubElement(made, "td")
        else:
            writer.there(one, partial(_cell, made, here, *_spans(one, left)))
    return []


def _spans(entry: etree._Element, left: int) -> tuple[int, int]:
    """Columns and rows of a `stentry` (DITA 2.0), within the `left` rows."""
    return min(max(_number(entry.get("colspan")), 1), WIDEST), min(max(_number(entry.get("rowspan")), 1), left)


HANDLERS: Final[dict[str, Handler]] = {"table": _table, "simpletable": _simple}
