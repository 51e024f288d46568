"""Links in running words: xref, and phrases with keys.

In: `xref` and elements with `keyref`. Out: `a` elements, or words. Specification: DITA 1.3, cross-references,
processing of key references, abbreviated-form. A link that leads nowhere becomes its words. A link to a topic that
the author gave no words stays empty: what its target is called is known only to each edition.
"""

from __future__ import annotations

from functools import lru_cache
from html import unescape

from lxml import etree

from sources.dita import codes
from sources.dita.endnotes import call, defined, is_definition, note_target
from sources.dita.flow import Item, blank, wrapped
from sources.dita.keys import aimed
from sources.dita.model import Key
from sources.dita.names import child, children, is_a, names
from sources.dita.places import Ref
from sources.dita.reuse import said
from sources.dita.targets import DITA, aim, attributes, remote, unlinked
from sources.dita.writer import Writer

# --- words that a link was not given ------------------------------------------------------------


def key_words(writer: Writer, element: etree._Element, key: Key, keyref: str) -> list[Item]:
    """What a key says, as words: a link's own text first for links, the keyword for all else."""
    linking = is_a(element, "xref") or is_a(element, "link")
    order = (key.linktext, key.keyword, key.navtitle) if linking else (key.keyword, key.linktext, key.navtitle)
    text = next((one for one in order if one), "")
    if "<" not in text:
        return [unescape(text)] if text else []
    if keyref in writer.expanding:
        return []
    writer.expanding = (*writer.expanding, keyref)
    try:
        return writer.there(writer.resolver.fragment(text, key.file, key.line), Writer.words)
    finally:
        writer.expanding = writer.expanding[:-1]


def _target_words(writer: Writer, ref: Ref) -> list[Item]:
    """What a place inside a topic is called: its title, a term, a number in a list."""
    target = writer.targets.get(ref)
    if target is not None:
        return _called(writer, target)
    found = remote(writer, ref) if ref.element or ref.topic else None
    if found is None:
        return []
    return writer.there(writer.resolver.copied(found, ref.file), _called)


def _own_title(writer: Writer) -> list[Item]:
    """What the topic itself is called, for a link to its top."""
    found = remote(writer, Ref(file=writer.unit.file, topic=writer.root_id))
    return writer.there(writer.resolver.copied(found, writer.unit.file), _called) if found is not None else []


def _called(writer: Writer, target: etree._Element) -> list[Item]:
    title = child(target, "title", "dt", "glossterm")
    if title is not None:
        return writer.words(title, *children(title, "fn"))  # a note is called where it stands, not from every link
    if is_a(target, "li"):
        parent = target.getparent()
        return [str(_items(parent)[target])] if parent is not None and is_a(parent, "ol") else []
    return writer.words(target) if is_a(target, "dt") or is_a(target, "ph") or is_a(target, "term") else []


@lru_cache(maxsize=8)  # of a list of a thousand items, each may be named
def _items(listed: etree._Element) -> dict[etree._Element, int]:
    return {one: number for number, one in enumerate(children(listed, "li"), start=1)}


# --- xref and keyref ----------------------------------------------------------------------------


def xref(writer: Writer, element: etree._Element) -> list[Item]:
    """A cross-reference: a link, or its words."""
    ref, key, format_ = aim(writer, element)
    desc = child(element, "desc")
    items = writer.content(element, desc)
    if desc is not None:
        writer.settle(desc)  # a hint beside the words
    if element.get("keyref") and key is None:
        no_key(writer, element, lost=blank(items) and ref is None)
        if ref is None and blank(items):
            return []  # all is said
    if ref is not None and (note := note_target(writer, element, ref)) is not None:
        return call(writer, note)
    if blank(items):
        items = own_words(writer, element, ref, key)
    if ref is not None and not ref.url and key is not None and is_definition(writer, ref):
        return defined(writer, element, ref, items)
    return _linked(writer, element, ref, format_, items)


def own_words(writer: Writer, element: etree._Element, ref: Ref | None, key: Key | None) -> list[Item]:
    """The words of a link that was given none: from its key, its address, or the place it leads to."""
    items = key_words(writer, element, key, element.get("keyref") or "") if key else []
    if blank(items) and ref is not None:
        items = [address_words(ref.url)] if ref.url else _target_words(writer, ref) if ref.element else []
    return items


def address_words(url: str) -> str:
    """An address as readers say it, without `mailto:` and `tel:`."""
    return url.partition(":")[2] if url.startswith(("mailto:", "tel:")) else url


def _linked(writer: Writer, element: etree._Element, ref: Ref | None, format_: str, items: list[Item]) -> list[Item]:
    """The words as a link; bare words where there is nothing to lead to."""
    marks = writer.attributes(element)
    leads = attributes(writer, element, ref, format_) if ref is not None else None
    empty = blank(items)
    if not leads or (empty and leads["data-kind"] != "topic"):
        if empty:
            if ref is not None:
                items = _target_words(writer, ref) or (_own_title(writer) if leads == {} else [])
            if blank(items) and (ref is None or leads is not None):
                writer.find(codes.LINK_TEXT, element, f"<{names(element)[0]}> to {said(ref) if ref else 'nothing'} has no words")
        return wrapped("span", items, marks) if marks else items
    if empty:
        return [etree.Element("a", leads | marks)]
    return wrapped("a", unlinked(items), {**leads, **marks})


def keyed(writer: Writer, element: etree._Element, items: list[Item]) -> list[Item]:
    """A phrase with a keyref: its words, from the key where it has none of its own, as a link where the key leads somewhere."""
    keyref = element.get("keyref") or ""
    found = writer.resolver.keys.find(keyref, element, writer.origin.file)
    if found is None:
        no_key(writer, element, lost=blank(items))
        return items
    key, inner = found
    ref = aimed(key, inner)
    own = not blank(items)
    if not own:
        items = key_words(writer, element, key, keyref)
    if ref is not None and not ref.url and is_definition(writer, ref) and is_a(element, "term"):
        return defined(writer, element, ref, items)
    if blank(items) and ref is not None and not ref.url:
        items = _titled(writer, ref)
    if blank(items):
        items = [address_words(ref.url)] if ref is not None and ref.url else items
    if blank(items):
        text = f"key {keyref!r} gives no words: neither keyword nor linktext nor title"
        writer.find(codes.KEY_TEXT_MISSING, element, text)
        return items
    if ref is None:
        return items
    return _soft_link(writer, element, ref, key, items)


def _soft_link(writer: Writer, element: etree._Element, ref: Ref, key: Key, items: list[Item]) -> list[Item]:
    """A link where the target is ours or outside; of other targets (maps, images) only the words."""
    if key.format and key.format.lower() not in (*DITA, "html", "pdf"):
        return items
    leads = attributes(writer, element, ref, key.format)
    return wrapped("a", unlinked(items), leads) if leads else items


def _titled(writer: Writer, ref: Ref) -> list[Item]:
    if ref.element and writer.targets.get(ref) is not None:
        return _target_words(writer, ref)
    found = remote(writer, ref)
    return writer.there(writer.resolver.copied(found, ref.file), _called) if found is not None else []


def no_key(writer: Writer, element: etree._Element, *, lost: bool) -> None:
    """A finding for a key that is not defined; an error where words are lost with it."""
    code = codes.KEY_TEXT_MISSING if lost else codes.KEY_MISSING
    writer.find(code, element, f"key {element.get('keyref')!r} of <{names(element)[0]}> is not defined")


def abbreviated(writer: Writer, element: etree._Element) -> list[Item]:
    """An abbreviated form: what a glossary entry is called at first (its surface form), and after that (its short form)."""
    keyref = element.get("keyref") or ""
    found = writer.resolver.keys.find(keyref, element, writer.origin.file)
    ref = aimed(*found) if found else None
    if ref is None or ref.url or not is_definition(writer, ref):
        return keyed(writer, element, writer.content(element))
    return defined(writer, element, ref, [])
