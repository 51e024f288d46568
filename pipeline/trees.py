"""Small work on lxml trees: an element goes, the words after it stay.

In: elements. Out: the same trees, changed in place.
"""

from __future__ import annotations

from lxml import etree


def remove(element: etree._Element) -> None:
    """Takes an element out, and leaves the text that follows it."""
    if element.tail:
        before(element, element.tail)
        element.tail = None
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def before(element: etree._Element, text: str) -> None:
    """Puts text right before an element."""
    previous, parent = element.getprevious(), element.getparent()
    if previous is not None:
        previous.tail = (previous.tail or "") + text
    elif parent is not None:
        parent.text = (parent.text or "") + text
