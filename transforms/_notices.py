"""Notices as mark-up, for formats that have no template of their own.

In: an edition's notices. Out: one element each, marked `data-notice`, whose visible text, white space folded, is exactly
`notice.text`.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from pipeline.notices import CREDITS, Notice

_RELATIONS: Final = {"terms": "license", "privacy": "privacy-policy"}


def block(notice: Notice) -> etree._Element:
    """A paragraph; or, for several lines, a list under the label."""
    if len(notice.lines) == 1:
        element = etree.Element("p")
        _label(element, notice, " ")
        _line(element, notice, notice.lines[0])
    else:
        element = etree.Element("div")
        if notice.label:
            _label(etree.SubElement(element, "p"), notice, "")
        lines = etree.SubElement(element, "ul")
        for line in notice.lines:
            _line(etree.SubElement(lines, "li"), notice, line)
    element.attrib.update({"class": f"syn-notice syn-notice--{notice.kind}", "data-notice": notice.kind})
    return element


def parts(notices: tuple[Notice, ...]) -> tuple[list[Notice], list[Notice]]:
    """Credits, and the legal block; each in the edition's order."""
    credits_ = [notice for notice in notices if notice.kind in CREDITS]
    return credits_, [notice for notice in notices if notice.kind not in CREDITS]


def _label(parent: etree._Element, notice: Notice, after: str) -> None:
    if notice.label:
        label = etree.SubElement(parent, "span")
        label.set("class", "syn-notice__label")
        label.text, label.tail = notice.label, after


def _line(parent: etree._Element, notice: Notice, text: str) -> None:
    target = parent
    if notice.url:
        target = etree.SubElement(parent, "a")
        target.attrib.update({"href": notice.url, "rel": " ".join(filter(None, ["external", _RELATIONS.get(notice.kind)]))})
    if len(target):
        target[-1].tail = (target[-1].tail or "") + text
    else:
        target.text = text
