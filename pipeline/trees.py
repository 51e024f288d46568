"""Small work on lxml trees: an element goes, the words after it stay.

In: elements. Out: the same trees, changed in place.
"""

from __future__ import annotations

from lxml import etree


def remove(element: etree._Element) -> None:
    """Takes an element out, and leaves the text that follows it. Cells that reach into a row that goes reach less far."""
    if element.tag == "tr":
        _shorten(element)
    if element.tail:
        before(element, element.tail)
        element.tail = None
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def emptied(element: etree._Element) -> bool:
    """Empties a cell of a table: it stays, for the cells after it keep their columns. Whether the element is one."""
    if element.tag not in ("td", "th"):
        return False
    del element[:]
    element.text = None
    etree.strip_attributes(element, "data-only", "data-audience")
    return True


def _shorten(row: etree._Element) -> None:
    for distance, above in enumerate(row.itersiblings("tr", preceding=True), start=1):
        for cell in above.iterchildren("td", "th"):
            rows = int(cell.get("rowspan", "1"))
            if rows > distance:
                cell.set("rowspan", str(rows - 1))


def before(element: etree._Element, text: str) -> None:
    """Puts text right before an element."""
    previous, parent = element.getprevious(), element.getparent()
    if previous is not None:
        previous.tail = (previous.tail or "") + text
    elif parent is not None:
        parent.text = (parent.text or "") + text
