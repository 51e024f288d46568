"""Tables that conditions take something out of: the cells that stay keep their columns and rows.

In: elements that are to be left out. Out: the cells among them that stay, empty, because their column does; spans of cells above
a row that goes, one row shorter. Specification: OASIS exchange table model (`morerows`), DITA 1.3 tables.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lxml import etree

from sources.dita.names import children, is_a

_ROWS = ("row", "strow", "sthead")
_CELLS = ("entry", "stentry")


def blanked(excluded: Sequence[etree._Element]) -> Collection[etree._Element]:
    """The cells that stay, now empty: those whose column is not left out in every row of the table."""
    cells = [one for one in excluded if any(is_a(one, name) for name in _CELLS)]
    kept = {one for one in cells if not _whole_column(one, set(cells))}
    for one in kept:
        del one[:]
        one.text = None
        for name in ("conref", "conkeyref", "conrefend", "conaction", "keyref"):
            one.attrib.pop(name, None)
    return kept


def _whole_column(cell: etree._Element, excluded: Collection[etree._Element]) -> bool:
    row = cell.getparent()
    if row is None:
        return True
    place = children(row, *_CELLS).index(cell)
    table = next((one for one in row.iterancestors() if is_a(one, "tgroup") or is_a(one, "simpletable")), row)
    columns = [children(one, *_CELLS) for one in table.iter("*") if any(is_a(one, name) for name in _ROWS)]
    return all(cells[place] in excluded for cells in columns if len(cells) > place)


def shorten(element: etree._Element) -> None:
    """Of a row that goes: the cells above that reach into it or beyond reach one row less far."""
    if not is_a(element, "row"):
        return
    for distance, above in enumerate((one for one in element.itersiblings("*", preceding=True) if is_a(one, "row")), start=1):
        for cell in above:
            rows = cell.get("morerows") or ""
            if rows.isdecimal() and int(rows) >= distance:
                cell.set("morerows", str(int(rows) - 1))
