"""A topic's body: the blocks of its mark-up, then related topics, footnotes and definitions.

In: a resolved copy of a topic and its `Writer`. Out: a `body` element that `topic.rng` allows, white space folded.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from sources.dita import blocks, codes, endnotes, figures, inline, links, lists, notes, related, tables
from sources.dita.flow import add_all, fold
from sources.dita.model import Link
from sources.dita.writer import Handler, Handlers, Writer

_BY_NAME: Final[dict[str, Handler]] = {
    **inline.HANDLERS,
    **blocks.HANDLERS,
    **lists.HANDLERS,
    **notes.HANDLERS,
    **figures.HANDLERS,
    **tables.HANDLERS,
    **dict.fromkeys(("xref", "longdescref", "longquoteref", "glossAlternateFor"), links.xref),
    **dict.fromkeys(("related-links", "linkpool", "linklist"), related.related_links),
    "synnoteref": links.xref,
    "abbreviated-form": links.abbreviated,
    "link": related.related_link,
}
HANDLERS: Final = Handlers(_BY_NAME)
_DELETED: Final = etree.XPath("descendant-or-self::*[@status = 'deleted']")
_MARKS: Final = ("oxy_insert_start", "oxy_delete", "xm-insertion_mark", "xm-deletion_mark", "fontoxml-change")  # of three editors
_TRACKED: Final = etree.XPath(
    f"descendant::processing-instruction()[{' or '.join(f'starts-with(name(), {m!r})' for m in _MARKS)}]"
)


def body(writer: Writer, topic: etree._Element, map_links: tuple[Link, ...]) -> etree._Element:
    """The body of a resolved topic."""
    writer.name_all(topic)
    _find_changes(writer, topic)
    made = blocks.topic_blocks(writer, topic)
    writer.find_lost(topic)
    made = _directed(writer, topic, made)
    related.map_links(writer, map_links)
    end = [related.related(writer), endnotes.glossary(writer)]
    notes = endnotes.footnotes(writer)  # last: a definition may have brought some
    result = etree.Element("body")
    add_all(result, [*made, *(one for one in (end[0], notes, end[1]) if one is not None)])
    fold(result)
    _settle_local_links(writer, result)
    return result


def _find_changes(writer: Writer, topic: etree._Element) -> None:
    """A finding, once of each kind, for what was marked as changed and nobody has settled."""
    tracked = [one.getparent() for one in _TRACKED(topic)]
    for what, found in (("text with status='deleted'", _DELETED(topic)), ("tracked changes", tracked)):
        if found:
            file, line = writer.resolver.place(found[0], writer.unit.file)
            writer.findings.append(codes.CHANGES.at(file, line, f"{what}: {len(found)} in this topic, the first here"))


def _directed(writer: Writer, topic: etree._Element, made: list[etree._Element]) -> list[etree._Element]:
    """A topic that runs the other way: so does everything in it. The formats that it is for are in its metadata."""
    direction = writer.attributes(topic, name=False).get("dir")
    return [add_all(etree.Element("div", dir=direction), made)] if direction and made else made


def _settle_local_links(writer: Writer, result: etree._Element) -> None:
    """Links inside the topic to what the body does not have become their words."""
    present = {one.get("id") for one in result.iter("*") if one.get("id")}
    for link in [one for one in result.iter("a") if (one.get("href") or "").startswith("#")]:
        if (link.get("href") or "")[1:] not in present:
            parent = next((one for one in (link, *link.iterancestors()) if one.get("data-line")), link)
            line = int(parent.get("data-line") or 0)
            text = f"the link leads to {link.get('href')}, which has no place of its own in the text"
            writer.findings.append(codes.LINK_MISSING.at(parent.get("data-file") or writer.unit.file, line, text))
            link.tag = "span"
            link.attrib.clear()
