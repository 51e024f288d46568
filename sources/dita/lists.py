"""Lists, steps, definition lists.

In: `ul`, `ol`, `sl`, `steps`, `choices`, `dl`, `parml`. Out: `ul`, `ol`, `dl`; a table for a definition list with headings.
Specification: DITA 1.3, body elements and task elements.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from lxml import etree

from pipeline.labels import Labels
from sources.dita.flow import Item, add, add_all, blank, blocks, flow, words
from sources.dita.links import keyed
from sources.dita.names import child, children, is_a
from sources.dita.writer import Handler, Writer

_NONE: Final = ("noconds", "nosafety")  # items that only say that there are none


def _item(writer: Writer, element: etree._Element) -> list[Item]:
    """An `li`: words alone, or blocks; an optional step says that it is."""
    items = writer.content(element)
    if any(is_a(element, name) for name in _NONE) and blank(items):
        return []
    word = _word(writer.labels, element.get("importance") or "") if writer.labels and is_a(element, "step") else ""
    return [flow(writer.mark(etree.Element("li"), element), [f"{word} ", *items] if word else items)]


def _word(words: Labels, importance: str) -> str:
    return {"optional": words.text("Optional:"), "required": words.text("Required:")}.get(importance, "")


def _list(tag: str, kind: str, writer: Writer, element: etree._Element) -> list[Item]:
    """A list; what stands between its items (a `stepsection`) interrupts it, and it goes on counting."""
    made: list[Item] = []
    current: etree._Element | None = None
    count = 0
    title = child(element, "title")
    for one in element:
        if not isinstance(one.tag, str) or one is title:
            continue
        inside = (is_a(one, "li") or is_a(one, "sli")) and not is_a(one, "stepsection")
        found = writer.there(one, _item) if inside else blocks(_between(writer, one))
        for part in found:
            if not inside:
                made.append(part)
                current = None
                continue
            if current is None:
                current = etree.Element(tag)
                made.append(current)
                _begin(writer, current, element, kind, count)
            add(current, part)
            count += 1
    if title is not None:
        made = [*writer.convert(title), *made]
    return made if len(made) < 2 else list(_together(writer, element, made))


def _together(writer: Writer, element: etree._Element, made: list[Item]) -> Iterable[Item]:
    """Parts of an interrupted list: the conditions of the list hold for what stands between them too."""
    if not set(writer.attributes(element, name=False)):
        return made
    return [add_all(writer.mark(etree.Element("div"), element, name=False), made)]


def _between(writer: Writer, element: etree._Element) -> list[Item]:
    return writer.there(element, Writer.content) if is_a(element, "stepsection") else writer.convert(element)


def _begin(writer: Writer, made: etree._Element, element: etree._Element, kind: str, count: int) -> None:
    writer.mark(made, element, name=count == 0)
    if kind:
        made.set("data-kind", kind)
    if made.tag == "ol" and count:
        made.set("start", str(count + 1))


def _stray_item(writer: Writer, element: etree._Element) -> list[Item]:
    return [add_all(etree.Element("ul"), _item(writer, element))]


def _definitions(writer: Writer, element: etree._Element) -> list[Item]:
    head = child(element, "dlhead")
    if head is not None:
        return _definition_table(writer, element, head)
    made = writer.mark(etree.Element("dl"), element)
    rest: list[Item] = []
    for one in element:
        if isinstance(one.tag, str):
            rest += writer.there(one, partial(_pair, made)) if is_a(one, "dlentry") else writer.convert(one)
    return [*([made] if len(made) else []), *blocks(rest)]


def _pair(made: etree._Element, writer: Writer, element: etree._Element) -> list[Item]:
    terms, meanings = children(element, "dt"), children(element, "dd")
    for one in terms or [etree.Element("dt")]:
        writer.there(one, lambda w, e: [add_all(w.mark(etree.SubElement(made, "dt"), e), _term(w, e))])
    others = [one for one in element if isinstance(one.tag, str) and not is_a(one, "dt") and not is_a(one, "dd")]
    stray = blocks(found for one in others for found in writer.convert(one))
    for one in meanings or [etree.Element("dd")]:
        writer.there(one, lambda w, e: [flow(w.mark(etree.SubElement(made, "dd"), e), w.content(e))])
    if stray:
        add_all(etree.SubElement(made, "dd"), stray)
    anchor = writer.anchors.get(element)
    if anchor:
        first = made.findall("dt")[-len(terms or [element])]
        if first.get("id") is None:
            first.set("id", anchor)
    return []


def _term(writer: Writer, element: etree._Element) -> list[Item]:
    items = writer.words(element)
    return words(keyed(writer, element, items)) if element.get("keyref") else items


def _definition_table(writer: Writer, element: etree._Element, head: etree._Element) -> list[Item]:
    """A definition list with headings is a table of two columns."""
    made = writer.mark(etree.Element("table"), element)
    row = etree.SubElement(etree.SubElement(made, "thead"), "tr")
    for name in ("dthd", "ddhd"):
        one = child(head, name)
        cell = etree.SubElement(row, "th", scope="col")
        if one is not None:
            add_all(cell, writer.words_there(one))
    body = etree.SubElement(made, "tbody")
    rest: list[Item] = []
    for one in element:
        if not isinstance(one.tag, str) or one is head:
            continue
        rest += writer.there(one, partial(_definition_row, body)) if is_a(one, "dlentry") else writer.convert(one)
    return [*([made] if len(body) else []), *blocks(rest)]


def _definition_row(body: etree._Element, writer: Writer, element: etree._Element) -> list[Item]:
    row = writer.mark(etree.SubElement(body, "tr"), element)
    for name, tag in (("dt", "th"), ("dd", "td")):
        cell = etree.SubElement(row, tag, {"scope": "row"} if tag == "th" else {})
        parts = children(element, name)
        items = [part for one in parts for part in _cell_part(writer, one, alone=len(parts) == 1)]
        flow(cell, items)
    return []


def _cell_part(writer: Writer, element: etree._Element, *, alone: bool) -> list[Item]:
    items = writer.there(element, lambda w, one: w.content(one))
    return items if alone else list(blocks(items))


HANDLERS: Final[dict[str, Handler]] = {
    "ul": partial(_list, "ul", ""),
    "sl": partial(_list, "ul", "plain"),
    "ol": partial(_list, "ol", ""),
    "steps": partial(_list, "ol", "steps"),
    "substeps": partial(_list, "ol", "steps"),
    **dict.fromkeys(("li", "sli"), _stray_item),
    "dl": _definitions,
}
