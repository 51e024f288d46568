"""Printing of lxml trees as HTML and XHTML, and an element around another.

In: elements. Out: the same trees changed in place, or bytes. Follows the HTML Standard's serialisation of void elements.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from transforms._mathml import without_namespace

# XML escapes < and > everywhere, so that this is always a tag.
_SELF_CLOSED: Final = re.compile(rb"<([a-z0-9]++)[^<>]*/>")
_VOID: Final = frozenset({b"br", b"img"})


def to_html(element: etree._Element) -> bytes:
    """The tree as HTML in UTF-8: void elements without end tags, MathML without prefixes. Printed as XML and mended, since
    libxml2's own HTML printer rewrites addresses."""
    text = etree.tostring(without_namespace(element), method="xml", encoding="utf-8", with_tail=False)
    return _SELF_CLOSED.sub(_html_ending, bytes(text))


def _html_ending(found: re.Match[bytes]) -> bytes:
    name = found[1]
    return found[0][:-2] + (b">" if name in _VOID else b"></" + name + b">")


def to_xhtml(element: etree._Element) -> bytes:
    """The tree as XML in UTF-8, to be set below an element whose default namespace is XHTML's."""
    return bytes(etree.tostring(element, method="xml", encoding="utf-8", with_tail=False))


def wrap(element: etree._Element, wrapper: etree._Element) -> None:
    """Sets `wrapper` in the place of an element, and the element into it."""
    parent = element.getparent()
    assert parent is not None
    wrapper.tail, element.tail = element.tail, None
    parent.replace(element, wrapper)
    wrapper.append(element)
