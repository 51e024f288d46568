"""MathML for pages: the elements and attributes of MathML Core and its common forerunners, and no others.

In: a `math` element as it came from outside. Out: the same, cleaned in place. A browser leaves MathML at the first
element that is not MathML's, and runs `on...` attributes inside it, so both pass by allow-list.
"""

from __future__ import annotations

import copy
from typing import Final

from lxml import etree

from pipeline.topic import MATHML


def names(text: str) -> frozenset[str]:
    """The words of a text: how lists of allowed names are written here."""
    return frozenset(text.split())


_ELEMENTS: Final = names(
    """math maction menclose merror mfenced mfrac mglyph mi mlabeledtr mmultiscripts mn mo mover mpadded mphantom
    mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
    semantics"""
)
_ATTRIBUTES: Final = names(
    """accent accentunder align alttext close columnalign columnlines columnspacing columnspan depth dir display
    displaystyle fence form frame height largeop linethickness lspace mathbackground mathcolor mathsize mathvariant
    maxsize minsize movablelimits notation open rowalign rowlines rowspacing rowspan rspace scriptlevel separator
    separators stretchy symmetric voffset width"""
)
# Another notation of the same formula, which browsers do not show.
_ANNOTATIONS: Final = (f"{{{MATHML}}}annotation", f"{{{MATHML}}}annotation-xml")
_ROW: Final = f"{{{MATHML}}}mrow"
_BLOCKS_AROUND: Final = frozenset({"body", "section", "div", "figure", "aside", "blockquote"})


def clean_math(math: etree._Element) -> None:
    """Cleans a formula. One that stands among blocks is shown as a block."""
    etree.strip_elements(math, *_ANNOTATIONS, with_tail=False)
    for element in math.iter(etree.Element):
        if etree.QName(element).localname not in _ELEMENTS:
            element.tag = _ROW
        for name in list(element.attrib):
            if name not in _ATTRIBUTES:
                del element.attrib[name]
    parent = math.getparent()
    if parent is not None and parent.tag in _BLOCKS_AROUND and math.get("display") is None:
        math.set("display", "block")


def without_namespace(root: etree._Element) -> etree._Element:
    """The tree with MathML's elements in no namespace, as HTML writes them: the same tree where it has none."""
    if root.find(f".//{{{MATHML}}}math") is None:
        return root
    root = copy.deepcopy(root)
    for element in root.iter(f"{{{MATHML}}}*"):
        element.tag = etree.QName(element).localname
    etree.cleanup_namespaces(root)
    return root
