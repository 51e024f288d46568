"""Related topics: the links that stand at the end of a topic.

In: `related-links`, and the links that maps give a topic (relationship tables, collection types). Out: one section,
each target once. Specification: DITA 1.3, related links, relationship tables.
"""

from __future__ import annotations

from functools import partial

from lxml import etree

from sources.dita import codes
from sources.dita.flow import Item, add, add_all, blank, blocks, contents
from sources.dita.links import address_words, no_key, own_words
from sources.dita.model import Link
from sources.dita.names import child, children, is_a
from sources.dita.places import Ref
from sources.dita.reuse import said
from sources.dita.targets import aim, attributes, unlinked
from sources.dita.writer import Writer


def related_links(writer: Writer, element: etree._Element) -> list[Item]:
    """Takes the links of a `related-links` (or linkpool, linklist) to the end of the topic."""
    _collect(writer, element, None)
    return []


def related_link(writer: Writer, element: etree._Element) -> list[Item]:
    """A single link outside a list of links."""
    return _relate(writer, element, None)


def _collect(writer: Writer, element: etree._Element, group: etree._Element | None) -> None:
    for one in element:
        if not isinstance(one.tag, str):
            continue
        if is_a(one, "link"):
            writer.there(one, lambda w, link: _relate(w, link, group))
        elif is_a(one, "linklist"):
            writer.there(one, lambda w, inner: _group(w, inner))
        elif is_a(one, "linkpool"):
            writer.there(one, lambda w, inner: _collect(w, inner, group) or [])  # type: ignore[func-returns-value]


def _group(writer: Writer, element: etree._Element) -> list[Item]:
    title = child(element, "title")
    group = etree.Element("section") if title is not None else None
    if group is not None and title is not None:
        add_all(etree.SubElement(group, "h"), writer.words(title))
    for before in children(element, "desc"):
        writer.related.append((group, blocks(writer.content(before))))
    _collect(writer, element, group)
    for after in children(element, "linkinfo"):
        writer.related.append((group, blocks(writer.content(after))))
    return []


def _relate(writer: Writer, element: etree._Element, group: etree._Element | None) -> list[Item]:
    writer.settle(element)  # a link that is there already goes with all its words
    ref, key, format_ = aim(writer, element)
    text, desc = child(element, "linktext"), child(element, "desc")
    items = writer.words(text) if text is not None else []
    if element.get("keyref") and key is None:
        no_key(writer, element, lost=ref is None and blank(items))
    if ref is not None and blank(items):
        items = own_words(writer, element, ref, key)
    made = _entry(writer, element, ref, format_, items) if ref is not None else None
    if made is None:
        return []
    if desc is not None:
        add_all(made, [add_all(etree.Element("p"), contents(made)), *blocks(writer.content(desc))])
    writer.related.append((group, [made]))
    return []


def _entry(writer: Writer, element: etree._Element, ref: Ref, format_: str, items: list[Item]) -> etree._Element | None:
    """One `li` of related topics; None where the link leads nowhere or is there already."""
    leads = attributes(writer, element, ref, format_)
    if not leads:
        return None
    target = (leads.get("data-topic") or leads["href"], leads.get("data-anchor") or "")
    if target in writer.linked:
        return None
    writer.linked.add(target)
    entry = writer.mark(etree.Element("li"), element)
    if blank(items) and leads["data-kind"] != "topic":
        writer.find(codes.LINK_TEXT, element, f"the link to {said(ref)} has no words")
        return None
    add_all(etree.SubElement(entry, "a", leads), unlinked(items))
    return entry


def map_links(writer: Writer, links: tuple[Link, ...]) -> None:
    """Takes in the links that relationship tables and collection types give the topic."""
    for link in links:
        unit = None if link.ref.url else writer.unit_of(link.ref)
        if not link.ref.url and (unit is None or unit == writer.unit or unit not in writer.ids):
            continue  # what a map asks for in vain, is said of the map
        stated = writer.resolver.fragment(link.text, link.file, link.line)
        writer.there(stated, partial(_relate_by_map, link))


def _relate_by_map(link: Link, writer: Writer, stated: etree._Element) -> list[Item]:
    items = writer.words(stated)
    if blank(items) and link.ref.url:
        items = [address_words(link.ref.url)]
    made = _entry(writer, stated, link.ref, link.format, items)
    writer.related += [(None, [made])] if made is not None else []
    return []


def related(writer: Writer) -> etree._Element | None:
    """The section of related topics: those without a group first, then each group under its heading."""
    section = etree.Element("section", {"data-kind": "related"})
    groups: dict[int, etree._Element] = {}
    for group, made in sorted(writer.related, key=lambda one: one[0] is not None):
        parent = section if group is None else groups.setdefault(id(group), group)
        if group is not None and group.getparent() is None:
            section.append(group)
        for one in made:
            if one.tag == "li":
                last = parent[-1] if len(parent) else None
                parent_list = last if last is not None and last.tag == "ul" else etree.SubElement(parent, "ul")
                add(parent_list, one)
            else:
                add(parent, one)
    return section if len(section) else None
