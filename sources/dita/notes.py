"""Notes and hazard statements.

In: `note`, `hazardstatement`. Out: `aside` elements. Specification: DITA 1.3, `note` and the hazard statement domain.
A kind that canonical topics do not have ("important") is a note under that word; a note whose `othertype` is
"emergency" is an emergency.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from pipeline.labels import Labels
from sources.dita.blocks import paragraph
from sources.dita.flow import Item, add, add_all, blocks, contents
from sources.dita.names import child, children, is_a
from sources.dita.writer import Handler, Writer

_KINDS: Final = {"tip": "tip", "fastpath": "tip", "caution": "caution", "warning": "warning", "danger": "danger"}
_EMERGENCY: Final = "emergency"


def _kind(element: etree._Element, otherwise: str) -> str:
    stated, other = element.get("type") or otherwise, (element.get("othertype") or "").strip().lower()
    return _EMERGENCY if _EMERGENCY in (stated, other) else _KINDS.get(stated, "note")


def _word(words: Labels, kind: str) -> str:
    """The word for a kind of note that formats have no word for."""
    return {
        "important": words.text("Important"),
        "remember": words.text("Remember"),
        "attention": words.text("Attention"),
        "restriction": words.text("Restriction"),
        "notice": words.text("Notice"),
        "trouble": words.text("Troubleshooting"),
    }.get(kind, "")


def _named(writer: Writer, element: etree._Element, made: etree._Element) -> str:
    """The word that the element's type says and its kind does not; "" where formats have one for it."""
    stated, other = element.get("type") or "", (element.get("othertype") or "").strip()
    if stated == "other" and made.get("data-kind") == "note":
        return other
    return _word(writer.labels, stated) if writer.labels else ""


def _note(writer: Writer, element: etree._Element) -> list[Item]:
    made = writer.mark(etree.Element("aside"), element)
    made.set("data-kind", _kind(element, "note"))
    title = child(element, "title")
    writer.head(made, title)
    word = _named(writer, element, made)
    inner = blocks(writer.content(element, title), str(element.sourceline or 0))
    if not inner:
        return list(map(_as_paragraph, made))
    if title is None and word:
        etree.SubElement(made, "h").text = word
    return [add_all(made, inner)]


def _as_paragraph(heading: etree._Element) -> etree._Element:
    heading.tag = "p"
    return heading


def _hazard(writer: Writer, element: etree._Element) -> list[Item]:
    """A hazard statement: what may happen, what follows from it, how to avoid it; symbols first."""
    made = writer.mark(etree.Element("aside"), element)
    made.set("data-kind", _kind(element, "caution"))
    if word := _named(writer, element, made):
        etree.SubElement(made, "h").text = word
    heading = len(made)
    symbols = children(element, "hazardsymbol")
    for one in symbols:
        add_all(made, blocks(writer.convert(one)))
    add_all(made, blocks(writer.content(element, *symbols)))
    return [made] if len(made) > heading else []


def _panel(writer: Writer, element: etree._Element) -> list[Item]:
    made: list[Item] = []
    for one in element:
        if isinstance(one.tag, str):
            made += writer.there(one, _hazard_part if is_a(one, "li") else Writer.convert)
    return list(writer.group(element, blocks(made)))


def _hazard_part(writer: Writer, element: etree._Element) -> list[Item]:
    made = paragraph(writer, element)
    if is_a(element, "typeofhazard"):
        for one in made:
            if not isinstance(one, str) and one.tag == "p":
                strong = add_all(etree.Element("strong"), contents(one))
                add(one, strong)
    return made


HANDLERS: Final[dict[str, Handler]] = {"note": _note, "hazardstatement": _hazard, "messagepanel": _panel}
