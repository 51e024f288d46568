"""The topic itself, sections, paragraphs, quotations, lines: what holds words and blocks in any order.

In: block elements of topic, concept, task, reference, troubleshooting and glossary. Out: canonical blocks.
Specification: DITA 1.3, topic elements and technical content. Labels that formats print are left to them:
`section/@data-kind` says what a section is.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from sources.dita import endnotes
from sources.dita.flow import Item, add, add_all, blank, blocks, runs
from sources.dita.names import child, children, is_a, names
from sources.dita.places import linkable, refer
from sources.dita.reuse import Origin
from sources.dita.writer import Handler, Writer

_KINDS: Final = {
    "prereq": "prerequisites", "context": "context", "result": "result", "postreq": "next", "example": "example",
    "tasktroubleshooting": "troubleshooting", "refsyn": "syntax", "condition": "condition", "cause": "cause", "remedy": "remedy",
    "steps-informal": "steps",
}  # fmt: skip
_OUTPUT_KINDS: Final = frozenset({"questions", "question", "when-to-call"})


# --- topics -------------------------------------------------------------------------------------


def topic_blocks(writer: Writer, topic: etree._Element) -> list[etree._Element]:
    """Everything in a topic after its title, nested topics last."""
    title = child(topic, "title")
    nested = children(topic, "topic")
    if title is not None:
        writer.settle(title)
        endnotes.of_title(writer, title)
    items: list[Item] = []
    for one in topic:
        if isinstance(one.tag, str) and one is not title and not any(one is other for other in nested):
            items += blocks(writer.convert(one))
    for one in nested:
        items += writer.convert(one)
    return blocks(items)


def _nested(writer: Writer, element: etree._Element) -> list[Item]:
    writer.origin = Origin(writer.origin.file, element.get("id") or "")
    made = writer.mark(etree.Element("section"), element)
    writer.head(made, child(element, "title"))
    return [add_all(made, topic_blocks(writer, element))]


def _topic(writer: Writer, element: etree._Element) -> list[Item]:
    before = writer.origin
    try:
        return _nested(writer, element)
    finally:
        writer.origin = before


# --- groups and paragraphs ----------------------------------------------------------------------


def _inside(writer: Writer, element: etree._Element) -> list[Item]:
    """An element that only groups blocks: its blocks, in a `div` where it carries something of its own."""
    kind = _output_kind(element)
    if kind:
        return _section(writer, element)
    return list(writer.group(element, blocks(writer.content(element), str(element.sourceline or 0))))


def paragraph(writer: Writer, element: etree._Element) -> list[Item]:
    """A paragraph; one that holds blocks is taken apart around them, in order."""
    made: list[etree._Element] = []
    for is_one, run in runs(writer.content(element)):
        if is_one:
            made += run  # type: ignore[arg-type]
        elif not blank(run):
            made.append(add_all(etree.Element("p", {"data-line": str(element.sourceline or 0)}), run))
    if len(made) == 1 and made[0].tag == "p" and made[0].get("id") is None:
        return [writer.mark(made[0], element)]
    if made and made[0].tag == "p" and not set(writer.attributes(element)) - {"id"}:
        writer.mark(made[0], element)
        return list(made)
    return list(writer.group(element, made))


def _section(writer: Writer, element: etree._Element) -> list[Item]:
    made = writer.mark(etree.Element("section"), element)
    kind = _output_kind(element) or next((_KINDS[name] for name in names(element) if name in _KINDS), "")
    if kind:
        made.set("data-kind", kind)
    title = child(element, "title")
    writer.head(made, title)
    if title is None and element.get("spectitle"):
        etree.SubElement(made, "h").text = element.get("spectitle")
    inner = blocks(writer.content(element, title), str(element.sourceline or 0))
    if kind == "question" and title is None:
        inner = _ask(made, inner)
    add_all(made, inner)
    return [made] if len(made) else []


def _output_kind(element: etree._Element) -> str:
    return next((one for one in (element.get("outputclass") or "").split() if one in _OUTPUT_KINDS), "")


def _ask(made: etree._Element, inner: list[etree._Element]) -> list[etree._Element]:
    """Without a title, a question's first paragraph is what is asked."""
    if inner and inner[0].tag == "p":
        inner[0].tag = "h"
        inner[0].attrib.pop("data-kind", None)
        add(made, inner[0])
        return inner[1:]
    return inner


def _name(writer: Writer, element: etree._Element) -> list[Item]:
    """A title where no handler took it, or a form of a glossary term: a paragraph of its own."""
    items = writer.words(element)
    return [writer.mark(add_all(etree.Element("p"), items), element)] if not blank(items) else []


def _shortdesc(writer: Writer, element: etree._Element) -> list[Item]:
    """A paragraph; inside the running words of an abstract, words among them."""
    parent = element.getparent()
    if parent is not None and is_a(parent, "abstract") and _runs_on(parent):
        return [" ", *writer.content(element), " "]
    return paragraph(writer, element)


def _runs_on(abstract: etree._Element) -> bool:
    return bool((abstract.text or "").strip()) or any((one.tail or "").strip() for one in abstract)


def _quote(writer: Writer, element: etree._Element) -> list[Item]:
    items = writer.content(element)
    if element.get("reftitle"):
        source = etree.Element("p")
        etree.SubElement(source, "cite").text = element.get("reftitle")
        ref = refer(element.get("href") or "", writer.origin.file, element.get("scope") or "")
        if ref.url and linkable(ref.url):
            link = etree.Element("a", {"data-kind": "external", "href": ref.url})
            link.append(source[0])
            source.append(link)
        items.append(source)
    made = add_all(writer.mark(etree.Element("blockquote"), element), blocks(items, str(element.sourceline or 0)))
    return [made] if len(made) else []


def _preformatted(writer: Writer, element: etree._Element) -> list[Item]:
    made = writer.mark(add_all(etree.Element("pre"), writer.words(element)), element)
    made.text = (made.text or "").lstrip("\r\n") or None
    _trim_end(made)
    return [made] if not blank([made]) else []


def _trim_end(made: etree._Element) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "").rstrip() or None
    else:
        made.text = (made.text or "").rstrip() or None


def _lines(writer: Writer, element: etree._Element) -> list[Item]:
    made = writer.mark(add_all(etree.Element("p"), writer.words(element)), element)
    for one in list(made.iter()):
        if one.text and "\n" in (one.text.strip("\n") if one is made else one.text):
            _break(one, one.text.lstrip("\n") if one is made else one.text, None)
        elif one is made and one.text:
            one.text = one.text.strip("\n")
        if one is not made and one.tail and "\n" in one.tail:
            parent = one.getparent()
            if parent is not None:
                _break(parent, one.tail, one)
    return [made] if not blank([made]) else []


def _break(parent: etree._Element, text: str, after: etree._Element | None) -> None:
    """Puts `text` in `parent` behind `after` (None: at its start), a `br` for each line end."""
    first, *rest = text.split("\n")
    place = 0 if after is None else parent.index(after) + 1
    if after is None:
        parent.text = first
    else:
        after.tail = first
    for number, line in enumerate(rest):
        made = etree.Element("br")
        parent.insert(place + number, made)
        made.tail = line


# --- glossary -----------------------------------------------------------------------------------


def _alternatives(writer: Writer, element: etree._Element) -> list[Item]:
    """glossAlt: each other form of a term as a paragraph, its usage after it."""
    made = [part for one in element if isinstance(one.tag, str) for part in blocks(writer.convert(one))]
    return list(writer.group(element, made))


HANDLERS: Final[dict[str, Handler]] = {
    "topic": _topic,
    **dict.fromkeys(("body", "bodydiv", "sectiondiv", "div", "itemgroup", "abstract", "linkinfo", "equation-block"), _inside),
    **dict.fromkeys(("section", "example", "steps-informal"), _section),
    "p": paragraph,
    "shortdesc": _shortdesc,
    **dict.fromkeys(("title", "glossAcronym", "glossAbbreviation", "glossShortForm", "glossSynonym"), _name),
    "glossAlt": _alternatives,
    "lq": _quote,
    "pre": _preformatted,
    "lines": _lines,
}
