"""Links: xref, keys, footnotes, definitions, related topics.

In: linking elements and those with `keyref`. Out: `a` elements, and the sections that stand at the end of a topic: related topics,
footnotes, definitions. Specification: DITA 1.3, 2.2.4, 3.3.1 and 3.5.4; glossary references: 3.7.3.
A link that leads nowhere becomes its words; each is a finding. A link to a topic that the author gave no words stays empty:
what its target is called is known only to each edition.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Final

from lxml import etree

from pipeline.contracts import Unit
from pipeline.topic import XML_LANG
from sources.dita import codes
from sources.dita.documents import find, parsed
from sources.dita.flow import Item, add, add_all, blank, blocks, fold, wrapped
from sources.dita.keys import aimed
from sources.dita.model import Key, Link
from sources.dita.names import child, children, is_a, names
from sources.dita.places import Ref, linkable, refer
from sources.dita.reuse import Origin
from sources.dita.writer import Writer

_TOPIC_FILES: Final = (".dita", ".xml", ".ditamap", "")
_DITA: Final = ("", "dita", "topic", "concept", "task", "reference", "glossentry", "troubleshooting")


# --- what a link's attributes lead to -----------------------------------------------------------


def _aim(writer: Writer, element: etree._Element) -> tuple[Ref | None, Key | None, str]:
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
    return (ref._replace(topic=writer.origin.topic) if ref.topic == "." else ref), None, element.get("format") or ""


def attributes(writer: Writer, element: etree._Element, ref: Ref, format_: str) -> dict[str, str] | None:
    """The attributes of an `a` that leads there; None (and a finding) where nothing of ours is there. {} = this topic's own top."""
    if ref.url:
        return _outside(writer, element, ref.url)
    here = writer.targets.get(ref if ref.topic else ref._replace(topic=writer.root_id))
    unit = writer.data.unit(ref)
    if here is not None and (unit == writer.unit or ref.file == writer.origin.file):
        return {"data-kind": "local", "href": f"#{writer.anchors[here]}"}
    if unit == writer.unit:
        return _own(writer, element, ref)
    if unit is None:
        return _nowhere(writer, element, ref, format_)
    if writer.ids and unit not in writer.ids:
        writer.find(codes.LINK_UNPUBLISHED, element, f"the link leads to {_said(ref)}, which is not published")
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
    writer.find(codes.LINK_MISSING, element, f"the link leads to {_said(ref)}, which this topic does not have")
    return None


def _nowhere(writer: Writer, element: etree._Element, ref: Ref, format_: str) -> dict[str, str] | None:
    extension = posixpath.splitext(ref.file)[1].lower()
    if (
        (format_ and format_.lower() not in _DITA)
        or extension not in _TOPIC_FILES
        or format_ == "ditamap"
        or extension == ".ditamap"
    ):
        writer.find(codes.LINK_FORMAT, element, f"the link leads to {ref.file}")
    else:
        writer.find(codes.LINK_MISSING, element, f"the link leads to {_said(ref)}, which is not in the inputs")
    return None


def _topic(writer: Writer, element: etree._Element, ref: Ref, unit: Unit) -> dict[str, str]:
    made = {"data-kind": "topic", "data-topic": writer.ids.get(unit, "topic")}
    if ref.element or ref.topic not in ("", writer.data.roots.get(unit, "")):
        if _remote(writer, ref) is None:
            writer.find(
                codes.LINK_MISSING, element, f"the link leads to {_said(ref)}; the topic is there, that place in it is not"
            )
        else:
            made["data-anchor"] = writer.anchor(ref)
    return made


def _remote(writer: Writer, ref: Ref) -> etree._Element | None:
    root, _ = parsed(writer.resolver.files, writer.data.aliases.get(ref.file, ref.file))
    return find(root, ref.topic, ref.element) if root is not None else None


def _said(ref: Ref) -> str:
    return ref.file + (f"#{ref.topic}" if ref.topic or ref.element else "") + (f"/{ref.element}" if ref.element else "")


# --- words that a link was not given ------------------------------------------------------------


def _key_words(writer: Writer, element: etree._Element, key: Key, keyref: str) -> list[Item]:
    """What a key says, as words: a link's own text first for links, the keyword for all else."""
    linking = is_a(element, "xref") or is_a(element, "link")
    order = (key.linktext, key.keyword, key.navtitle) if linking else (key.keyword, key.linktext, key.navtitle)
    text = next((one for one in order if one), "")
    if "<" not in text:
        return [_plain(text)] if text else []
    if keyref in writer.expanding:
        return []
    writer.expanding = (*writer.expanding, keyref)
    try:
        fragment = etree.fromstring(f"<keyword>{text}</keyword>")
        resolved = writer.resolver.copied(fragment, key.file)
        return writer.there(resolved, lambda w, one: w.words(one))
    finally:
        writer.expanding = writer.expanding[:-1]


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")


def _target_words(writer: Writer, ref: Ref) -> list[Item]:
    """What a place inside a topic is called: its title, a term, a number in a list."""
    target = writer.targets.get(ref)
    if target is not None:
        return _called(writer, target)
    found = _remote(writer, ref) if ref.element or ref.topic else None
    if found is None:
        return []
    return writer.there(writer.resolver.copied(found, ref.file), _called)


def _called(writer: Writer, target: etree._Element) -> list[Item]:
    title = child(target, "title", "dt", "glossterm")
    if title is not None:
        return writer.words(title)
    if is_a(target, "li"):
        before = [one for one in target.itersiblings("*", preceding=True) if is_a(one, "li")]
        parent = target.getparent()
        return [str(len(before) + 1)] if parent is not None and is_a(parent, "ol") else []
    return writer.words(target) if is_a(target, "dt") or is_a(target, "ph") or is_a(target, "term") else []


# --- xref and keyref ----------------------------------------------------------------------------


def xref(writer: Writer, element: etree._Element) -> list[Item]:
    """A cross-reference: a link, or its words."""
    ref, key, format_ = _aim(writer, element)
    desc = child(element, "desc")
    items = writer.content(element, desc)
    if element.get("keyref") and key is None:
        _no_key(writer, element, lost=blank(items) and ref is None)
    if ref is not None and (note := _note_target(writer, element, ref)) is not None:
        return _call(writer, note)
    if blank(items):
        items = _own_words(writer, element, ref, key)
    if ref is not None and not ref.url and key is not None and _is_definition(writer, ref):
        return _defined(writer, element, ref, items)
    return _linked(writer, element, ref, format_, items)


def _own_words(writer: Writer, element: etree._Element, ref: Ref | None, key: Key | None) -> list[Item]:
    items = _key_words(writer, element, key, element.get("keyref") or "") if key else []
    if blank(items) and ref is not None:
        items = [_address_words(ref.url)] if ref.url else _target_words(writer, ref) if ref.element else []
    return items


def _address_words(url: str) -> str:
    return url.partition(":")[2] if url.startswith(("mailto:", "tel:")) else url


def _linked(writer: Writer, element: etree._Element, ref: Ref | None, format_: str, items: list[Item]) -> list[Item]:
    """The words as a link; bare words where there is nothing to lead to."""
    marks = writer.attributes(element)
    leads = attributes(writer, element, ref, format_) if ref is not None else None
    empty = blank(items)
    if not leads or (empty and leads["data-kind"] != "topic"):
        if empty:
            if ref is not None:
                items = _target_words(writer, ref)
            if blank(items) and (ref is None or leads is not None):
                writer.find(codes.LINK_TEXT, element, f"<{names(element)[0]}> to {_said(ref) if ref else 'nothing'} has no words")
        return wrapped("span", items, marks) if marks else items
    if empty:
        return [etree.Element("a", {**leads, **marks})]
    return wrapped("a", _unlinked(items), {**leads, **marks})


def _unlinked(items: list[Item]) -> list[Item]:
    """The words without links of their own: a link can not stand in a link."""
    for item in items:
        if not isinstance(item, str):
            etree.strip_tags(item, "a")
            if item.tag == "a":
                item.tag = "span"
                item.attrib.clear()
    return items


def keyed(writer: Writer, element: etree._Element, items: list[Item]) -> list[Item]:
    """A phrase with a keyref: its words, from the key where it has none of its own, as a link where the key leads somewhere."""
    keyref = element.get("keyref") or ""
    found = writer.resolver.keys.find(keyref, element, writer.origin.file)
    if found is None:
        _no_key(writer, element, lost=blank(items))
        return items
    key, inner = found
    ref = aimed(key, inner)
    own = not blank(items)
    if not own:
        items = _key_words(writer, element, key, keyref)
    if ref is not None and not ref.url and _is_definition(writer, ref) and is_a(element, "term"):
        return _defined(writer, element, ref, items)
    if blank(items) and ref is not None and not ref.url:
        items = _titled(writer, ref)
    if blank(items):
        items = [_address_words(ref.url)] if ref is not None and ref.url else items
    if blank(items):
        text = f"key {keyref!r} gives no words: neither keyword nor linktext nor title"
        writer.find(codes.KEY_TEXT_MISSING, element, text)
        return items
    if ref is None or (not own and is_a(element, "keyword") and _is_words_only(key)):
        return items
    return _soft_link(writer, element, ref, key, items)


def _is_words_only(key: Key) -> bool:
    return key.ref is None


def _soft_link(writer: Writer, element: etree._Element, ref: Ref, key: Key, items: list[Item]) -> list[Item]:
    """A link where the target is ours or outside; of other targets (maps, images) only the words."""
    if key.format and key.format.lower() not in (*_DITA, "html", "pdf"):
        return items
    leads = attributes(writer, element, ref, key.format)
    return wrapped("a", _unlinked(items), leads) if leads else items


def _titled(writer: Writer, ref: Ref) -> list[Item]:
    if ref.element and writer.targets.get(ref) is not None:
        return _target_words(writer, ref)
    found = _remote(writer, ref)
    return writer.there(writer.resolver.copied(found, ref.file), _called) if found is not None else []


def _no_key(writer: Writer, element: etree._Element, *, lost: bool) -> None:
    code = codes.KEY_TEXT_MISSING if lost else codes.KEY_MISSING
    writer.find(code, element, f"key {element.get('keyref')!r} of <{names(element)[0]}> is not defined")


# --- footnotes ----------------------------------------------------------------------------------


def footnote(writer: Writer, element: etree._Element) -> list[Item]:
    """A footnote's number where it stands; one with an id that is called from elsewhere is shown there."""
    if element.get("id") and _called_from_elsewhere(writer, element):
        _noted(writer, element)
        return []
    return _call(writer, element)


def _called_from_elsewhere(writer: Writer, element: etree._Element) -> bool:
    root = element.getroottree().getroot()
    wanted = element.get("id") or ""
    return any(
        (one.get("href") or "").endswith(f"/{wanted}") for one in root.iter("*") if is_a(one, "xref") or is_a(one, "synnoteref")
    )


def _note_target(writer: Writer, element: etree._Element, ref: Ref) -> etree._Element | None:
    target = writer.targets.get(ref)
    if target is None and element.get("type") == "fn" and not ref.url and ref.file != writer.unit.file:
        found = _remote(writer, ref)
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
        writer.footnotes[note] = (anchor, entry)

        def fill(inner: Writer, element: etree._Element) -> list[Item]:
            inner.mark(entry, element)
            entry.set("id", anchor)
            items = inner.content(element)
            made = blocks(items)
            add_all(entry, made if len(made) > 1 or (made and made[0].tag != "p") else items)
            if len(made) == 1 and made[0].tag == "p" and made[0].getparent() is None:
                entry.text = made[0].text
                del entry[:]
                add_all(entry, list(made[0]))
            return []

        writer.there(note, fill)
    return writer.footnotes[note][0]


def _call(writer: Writer, note: etree._Element) -> list[Item]:
    anchor = _noted(writer, note)
    number = list(writer.footnotes).index(note) + 1
    raised = etree.Element("sup")
    etree.SubElement(raised, "a", {"data-kind": "footnote", "href": f"#{anchor}"}).text = note.get("callout") or str(number)
    return [raised]


# --- definitions --------------------------------------------------------------------------------


def _is_definition(writer: Writer, ref: Ref) -> bool:
    return (ref.file, ref.topic) in writer.data.definitions


def abbreviated(writer: Writer, element: etree._Element) -> list[Item]:
    """An abbreviated form: what a glossary entry is called at first (its surface form), and after that (its short form)."""
    keyref = element.get("keyref") or ""
    found = writer.resolver.keys.find(keyref, element, writer.origin.file)
    ref = aimed(*found) if found else None
    if ref is None or ref.url or not _is_definition(writer, ref):
        return keyed(writer, element, writer.content(element))
    return _defined(writer, element, ref, [])


def _defined(writer: Writer, element: etree._Element, ref: Ref, items: list[Item]) -> list[Item]:
    """The words as a link to their definition at the end of the topic."""
    anchor, entry, first = _definition(writer, ref)
    if blank(items) and entry is not None:
        items = _entry_words(writer, entry, first=first, short=is_a(element, "abbreviated-form"))
    if entry is None or blank(items):
        writer.find(codes.KEY_TEXT_MISSING, element, f"the glossary entry {_said(ref)} can not be read")
        return items
    return wrapped("a", _unlinked(items), {"data-kind": "definition", "href": f"#{anchor}", **writer.attributes(element)})


def _definition(writer: Writer, ref: Ref) -> tuple[str, etree._Element | None, bool]:
    """A glossary entry's anchor in the list at the end, the entry, and whether it was asked for the first time."""
    first = ref not in writer.definitions
    if first:
        found = _remote(writer, ref)
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
    def fill(inner: Writer, element: etree._Element) -> list[Item]:
        term = etree.SubElement(listed, "dt")
        inner.mark(term, element, name=False)
        term.set("id", anchor)
        name, meaning = child(element, "glossterm", "title"), child(element, "glossdef", "abstract", "shortdesc")
        add_all(term, inner.words(name) if name is not None else [])
        dd = inner.mark(etree.SubElement(listed, "dd"), element, name=False)
        items = inner.content(meaning) if meaning is not None else []
        made = blocks(items)
        add_all(dd, made)
        return []

    writer.there(entry, fill)


def footnotes(writer: Writer) -> etree._Element | None:
    """The section of footnotes."""
    if not writer.footnotes:
        return None
    section = etree.Element("section", {"data-kind": "footnotes"})
    add_all(etree.SubElement(section, "ol"), [entry for _, entry in writer.footnotes.values()])
    return section


# --- related topics -----------------------------------------------------------------------------


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
    _collect(writer, element, group)
    for words in [*children(element, "desc"), *children(element, "linkinfo")]:
        made = blocks(writer.content(words))
        writer.related.append((group, made))
    return []


def _relate(writer: Writer, element: etree._Element, group: etree._Element | None) -> list[Item]:
    ref, key, format_ = _aim(writer, element)
    text, desc = child(element, "linktext"), child(element, "desc")
    items = writer.words(text) if text is not None else []
    if element.get("keyref") and key is None:
        _no_key(writer, element, lost=ref is None and blank(items))
    if ref is not None and blank(items):
        items = _own_words(writer, element, ref, key)
    made = _entry(writer, element, ref, format_, items) if ref is not None else None
    if made is None:
        return []
    if desc is not None:
        add_all(made, [_paragraph([one for one in _taken(made)]), *blocks(writer.content(desc))])
    writer.related.append((group, [made]))
    return []


def _taken(element: etree._Element) -> list[etree._Element]:
    inner = list(element)
    for one in inner:
        element.remove(one)
    return inner


def _paragraph(items: list[etree._Element]) -> etree._Element:
    return add_all(etree.Element("p"), items)


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
        writer.find(codes.LINK_TEXT, element, f"the link to {_said(ref)} has no words")
        return None
    add_all(etree.SubElement(entry, "a", leads), _unlinked(items))
    return entry


def map_links(writer: Writer, links: tuple[Link, ...]) -> None:
    """Takes in the links that relationship tables and collection types give the topic."""
    for link in links:
        unit = None if link.ref.url else writer.data.unit(link.ref)
        if not link.ref.url and (unit is None or unit == writer.unit or unit not in writer.ids):
            continue  # what a map asks for in vain, is said of the map
        stated = etree.fromstring(f"<linktext>{link.text}</linktext>") if link.text else etree.Element("linktext")
        stand_in = etree.Element("link")
        resolved = writer.resolver.copied(stated, link.file)
        before, writer.origin = writer.origin, Origin(link.file, "")
        try:
            items = writer.words(resolved)
            if blank(items) and link.ref.url:
                items = [_address_words(link.ref.url)]
            made = _entry(writer, stand_in, link.ref, link.format, items)
        finally:
            writer.origin = before
        if made is not None:
            made.attrib.pop("data-line", None)
            made.attrib.pop("data-file", None)
            writer.related.append((None, [made]))


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
