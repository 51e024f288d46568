"""What stands at the end of a topic and is called from its words: footnotes and definitions.

In: `fn`, glossary entries that keys lead to. Out: the calls, and the sections that hold the notes. Specification:
DITA 1.3, `fn` and glossary elements.
"""

from __future__ import annotations

from functools import partial

from lxml import etree

from sources.dita import codes
from sources.dita.flow import Item, add_all, blank, blocks, contents, wrapped
from sources.dita.names import child, is_a
from sources.dita.places import Ref
from sources.dita.reuse import Origin, said
from sources.dita.targets import remote, unlinked
from sources.dita.writer import Writer

# --- footnotes ----------------------------------------------------------------------------------


def footnote(writer: Writer, element: etree._Element) -> list[Item]:
    """A footnote's number where it stands; one with an id that is called from elsewhere is shown there."""
    if element.get("id") and writer.is_called(element):
        if writer.is_target(element):
            _noted(writer, element)
        return writer.settle(element)
    return call(writer, element)


def of_title(writer: Writer, title: etree._Element) -> None:
    """Puts the footnotes of a topic's own title into the list at its end: a title is words alone and can not call them."""
    for one in title.iter("*"):
        if is_a(one, "fn"):
            writer.there(one, lambda w, note: [_noted(w, note)])


def note_target(writer: Writer, element: etree._Element, ref: Ref) -> etree._Element | None:
    """The footnote that a cross-reference calls, in this topic or another; None where it calls none."""
    target = writer.targets.get(ref)
    if target is None and element.get("type") == "fn" and not ref.url and ref.file != writer.unit.file:
        found = remote(writer, ref)
        target = writer.targets.setdefault(ref, writer.resolver.copied(found, ref.file)) if found is not None else None
        if target is not None:
            writer.resolver.origins.setdefault(target, Origin(ref.file, ref.topic))
    return target if target is not None and is_a(target, "fn") else None


def _noted(writer: Writer, note: etree._Element) -> str:
    """The anchor of a footnote in the list at the end, where it is put once."""
    if note not in writer.footnotes:
        number = len(writer.footnotes) + 1
        anchor = writer.anchors.get(note) or writer.fresh(f"fn-{number}")
        entry = etree.Element("li", id=anchor)
        writer.footnotes[note] = (anchor, entry, number)
        writer.there(note, partial(_fill_note, entry, anchor))
    return writer.footnotes[note][0]


def _fill_note(entry: etree._Element, anchor: str, writer: Writer, note: etree._Element) -> list[Item]:
    writer.mark(entry, note)
    entry.set("id", anchor)
    made = blocks(writer.content(note))
    return [add_all(entry, contents(made[0]) if len(made) == 1 and made[0].tag == "p" else made)]


def call(writer: Writer, note: etree._Element) -> list[Item]:
    """A footnote's number, as a link to it."""
    anchor = _noted(writer, note)
    number = writer.footnotes[note][2]
    raised = etree.Element("sup")
    etree.SubElement(raised, "a", {"data-kind": "footnote", "href": f"#{anchor}"}).text = note.get("callout") or str(number)
    return [raised]


# --- definitions --------------------------------------------------------------------------------


def is_definition(writer: Writer, ref: Ref) -> bool:
    """Whether a place is a glossary entry."""
    return (ref.file, ref.topic) in writer.data.definitions


def defined(writer: Writer, element: etree._Element, ref: Ref, items: list[Item]) -> list[Item]:
    """The words as a link to their definition at the end of the topic."""
    anchor, entry, first = _definition(writer, ref)
    if blank(items) and entry is not None:
        items = _entry_words(writer, entry, first=first, short=is_a(element, "abbreviated-form"))
    if entry is None or blank(items):
        writer.find(codes.KEY_TEXT_MISSING, element, f"the glossary entry {said(ref)} can not be read")
        return items
    return wrapped("a", unlinked(items), {"data-kind": "definition", "href": f"#{anchor}", **writer.attributes(element)})


def _definition(writer: Writer, ref: Ref) -> tuple[str, etree._Element | None, bool]:
    """A glossary entry's anchor in the list at the end, the entry, and whether it was asked for the first time."""
    first = ref not in writer.definitions
    if first:
        found = remote(writer, ref)
        entry = writer.resolver.copied(found, ref.file) if found is not None else None
        if entry is not None:
            writer.resolver.origins.setdefault(entry, Origin(ref.file, entry.get("id") or ""))
        name = (entry.get("id") if entry is not None else "") or ref.topic or "term"
        writer.definitions[ref] = (writer.fresh(f"def-{name}"), entry)
    anchor, entry = writer.definitions[ref]
    return anchor, entry, first


def _entry_words(writer: Writer, entry: etree._Element, *, first: bool, short: bool) -> list[Item]:
    term = next(entry.iter("glossterm", "title"), None)
    surface = next(entry.iter("glossSurfaceForm"), None)
    acronym = next(entry.iter("glossAcronym", "glossAbbreviation"), None)
    if short and acronym is not None and (not first or surface is None):
        made = writer.there(entry, lambda w, _: w.words(acronym))
        title = " ".join("".join(term.itertext()).split()) if term is not None else ""
        return wrapped("abbr", made, {"title": title} if title else None)
    chosen = surface if short and surface is not None else term
    return writer.there(entry, lambda w, _: w.words(chosen)) if chosen is not None else []


def glossary(writer: Writer) -> etree._Element | None:
    """The section of definitions; a definition may bring further ones."""
    section = etree.Element("section", {"data-kind": "glossary"})
    listed = etree.SubElement(section, "dl")
    done: set[Ref] = set()
    while todo := [ref for ref in writer.definitions if ref not in done]:
        for ref in todo:
            done.add(ref)
            anchor, entry = writer.definitions[ref]
            if entry is not None:
                _define(writer, listed, anchor, entry)
    return section if len(listed) else None


def _define(writer: Writer, listed: etree._Element, anchor: str, entry: etree._Element) -> None:
    writer.there(entry, partial(_fill_definition, listed, anchor))


def _fill_definition(listed: etree._Element, anchor: str, writer: Writer, entry: etree._Element) -> list[Item]:
    term = writer.mark(etree.SubElement(listed, "dt"), entry, name=False)
    term.set("id", anchor)
    name, meaning = child(entry, "glossterm", "title"), child(entry, "glossdef", "abstract", "shortdesc")
    add_all(term, writer.words(name) if name is not None else [])
    dd = writer.mark(etree.SubElement(listed, "dd"), entry, name=False)
    add_all(dd, blocks(writer.content(meaning), str(entry.sourceline or 0)) if meaning is not None else [])
    return []


def footnotes(writer: Writer) -> etree._Element | None:
    """The section of footnotes."""
    if not writer.footnotes:
        return None
    section = etree.Element("section", {"data-kind": "footnotes"})
    add_all(etree.SubElement(section, "ol"), [entry for _, entry, _ in writer.footnotes.values()])
    return section
