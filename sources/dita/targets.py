"""Where links lead: inside the topic, to another topic, outside, or nowhere of ours.

In: linking elements. Out: `Ref` and the attributes of an `a`; a finding where nothing of ours is there.
Specification: DITA 1.3, DITA linking and addressing.
"""

from __future__ import annotations

import posixpath
from typing import Final

from lxml import etree

from pipeline.contracts import Unit
from sources.dita import codes
from sources.dita.documents import find, parsed, why_not
from sources.dita.flow import Item
from sources.dita.keys import aimed
from sources.dita.model import Key
from sources.dita.places import Ref, linkable, refer
from sources.dita.reuse import local, said
from sources.dita.writer import Writer

_TOPIC_FILES: Final = (".dita", ".xml", "")
DITA: Final = ("", "dita", "topic", "concept", "task", "reference", "glossentry", "troubleshooting")


def aim(writer: Writer, element: etree._Element) -> tuple[Ref | None, Key | None, str]:
    """Where an element leads, by its key or href; its key's definition; the format of the target."""
    keyref = element.get("keyref")
    found = writer.resolver.keys.find(keyref, element, writer.origin.file) if keyref else None
    if found:
        key, inner = found
        return aimed(key, inner), key, element.get("format") or key.format
    href = element.get("href")
    if href is None or not href.strip():
        return None, None, ""
    ref = refer(href, writer.origin.file, element.get("scope") or "")
    return local(ref, writer.origin), None, element.get("format") or ""


def attributes(writer: Writer, element: etree._Element, ref: Ref, format_: str) -> dict[str, str] | None:
    """The attributes of an `a` that leads there; {} = this topic's own top; None (and a finding) = nothing of ours is there."""
    if ref.url:
        return _outside(writer, element, ref.url)
    unit = writer.unit_of(ref)
    if unit == writer.unit:
        ref = ref._replace(file=writer.unit.file)  # of a copy, by its own name
    here = writer.targets.get(ref if ref.topic else ref._replace(topic=writer.root_id))
    if here is not None and (unit == writer.unit or ref.file == writer.origin.file):
        return {"data-kind": "local", "href": f"#{writer.anchors[here]}"}
    if unit == writer.unit:
        return _own(writer, element, ref)
    if unit is None:
        return _nowhere(writer, element, ref, format_)
    if writer.ids and unit not in writer.ids:
        writer.find(codes.LINK_UNPUBLISHED, element, f"the link leads to {said(ref)}, which is not published")
        return None
    return _topic(writer, element, ref, unit)


def _outside(writer: Writer, element: etree._Element, url: str) -> dict[str, str] | None:
    if linkable(url):
        return {"data-kind": "external", "href": url}
    writer.find(codes.LINK_SCHEME, element, f"the link leads to {url!r}")
    return None


def _own(writer: Writer, element: etree._Element, ref: Ref) -> dict[str, str] | None:
    if not ref.element and ref.topic in ("", writer.root_id):
        return {}
    writer.find(codes.LINK_MISSING, element, f"the link leads to {said(ref)}, which this topic does not have")
    return None


def _nowhere(writer: Writer, element: etree._Element, ref: Ref, format_: str) -> dict[str, str] | None:
    extension = posixpath.splitext(ref.file)[1].lower()
    if (format_ and format_.lower() not in DITA) or extension not in _TOPIC_FILES:
        writer.find(codes.LINK_FORMAT, element, f"the link leads to {ref.file}")
    else:
        writer.find(codes.LINK_MISSING, element, f"the link leads to {said(ref)}{why_not(writer.resolver.files, ref)}")
    return None


def _topic(writer: Writer, element: etree._Element, ref: Ref, unit: Unit) -> dict[str, str]:
    made = {"data-kind": "topic", "data-topic": writer.ids.get(unit, "topic")}
    if ref.element or ref.topic not in ("", writer.data.roots.get(unit, "")):
        if remote(writer, ref) is None:
            writer.find(
                codes.LINK_MISSING, element, f"the link leads to {said(ref)}; the topic is there, that place in it is not"
            )
        else:
            made["data-anchor"] = writer.anchor(ref)
    return made


def remote(writer: Writer, ref: Ref) -> etree._Element | None:
    """The element at a place in another file (or this one, as it stands there); None where there is none."""
    root, _ = parsed(writer.resolver.files, writer.data.aliases.get(ref.file, ref.file))
    return find(root, ref.topic, ref.element) if root is not None else None


def unlinked(items: list[Item]) -> list[Item]:
    """The words without links of their own: a link can not stand in a link."""
    for item in items:
        if not isinstance(item, str):
            etree.strip_tags(item, "a")
            if item.tag == "a":
                item.tag = "span"
                item.attrib.clear()
    return items
