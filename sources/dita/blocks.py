"""Blocks: sections, paragraphs, notes, lists, figures, images, and the topic itself.

In: block elements of topic, concept, task, reference, troubleshooting, glossary and hazard statement. Out: canonical blocks.
Specification: DITA 1.3, 3.2 to 3.5 and 3.7. Labels that formats print ("Before you start") are left to them: `section/@data-kind` says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Final

from lxml import etree

from sources.dita import codes
from sources.dita.flow import Item, add, add_all, blank, blocks, flow, runs, words
from sources.dita.names import child, children, is_a, names
from sources.dita.places import Ref, linkable, refer
from sources.dita.reuse import Origin
from sources.dita.writer import Handler, Writer

_KINDS: Final = {
    "prereq": "prerequisites", "context": "context", "result": "result", "postreq": "next", "example": "example",
    "tasktroubleshooting": "troubleshooting", "refsyn": "syntax", "condition": "condition", "cause": "cause", "remedy": "remedy",
    "steps-informal": "steps",
}  # fmt: skip
_OUTPUT_KINDS: Final = frozenset({"questions", "question", "when-to-call"})
_NOTES: Final = {
    "note": "note", "notice": "note", "important": "note", "remember": "note", "attention": "note", "restriction": "note",
    "trouble": "note", "tip": "tip", "fastpath": "tip", "caution": "caution", "warning": "warning", "danger": "danger",
}  # fmt: skip
_EMERGENCY: Final = "emergency"
_SIZE: Final = re.compile(r"([1-9]\d{0,4})(?:\.\d+)?(?:px)?")
# What a figure may hold beside its caption.
_IN_FIGURE: Final = frozenset({"img", "p", "ul", "ol", "dl", "table", "pre", "blockquote", "aside", "div"})


# --- topics -------------------------------------------------------------------------------------


def topic_blocks(writer: Writer, topic: etree._Element) -> list[etree._Element]:
    """Everything in a topic after its title, nested topics last."""
    title = child(topic, "title")
    nested = children(topic, "topic")
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
    _head(writer, made, child(element, "title"))
    return [add_all(made, topic_blocks(writer, element))]


def _topic(writer: Writer, element: etree._Element) -> list[Item]:
    before = writer.origin
    try:
        return _nested(writer, element)
    finally:
        writer.origin = before


def _head(writer: Writer, made: etree._Element, title: etree._Element | None) -> None:
    if title is not None:
        items = _words_there(writer, title)
        if not blank(items):
            add_all(_there_mark(writer, etree.SubElement(made, "h"), title), items)


def _words_there(writer: Writer, element: etree._Element) -> list[Item]:
    return writer.there(element, lambda w, one: w.words(one))


def _there_mark(writer: Writer, made: etree._Element, element: etree._Element) -> etree._Element:
    writer.there(element, lambda w, one: [w.mark(made, one)])
    return made


# --- groups and paragraphs ----------------------------------------------------------------------


def _inside(writer: Writer, element: etree._Element) -> list[Item]:
    """An element that only groups blocks: its blocks, in a `div` where it carries something of its own."""
    kind = _output_kind(element)
    if kind:
        return _section(writer, element)
    return list(group(writer, element, blocks(writer.content(element), str(element.sourceline or 0))))


def group(writer: Writer, element: etree._Element, made: list[etree._Element]) -> list[etree._Element]:
    """The blocks of an element, held together where its id, language or conditions are theirs."""
    if not made or not writer.attributes(element):
        return made
    return [add_all(writer.mark(etree.Element("div"), element), made)]


def _paragraph(writer: Writer, element: etree._Element) -> list[Item]:
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
    return list(group(writer, element, made))


def _section(writer: Writer, element: etree._Element) -> list[Item]:
    made = writer.mark(etree.Element("section"), element)
    kind = _output_kind(element) or next((_KINDS[name] for name in names(element) if name in _KINDS), "")
    if kind:
        made.set("data-kind", kind)
    title = child(element, "title")
    _head(writer, made, title)
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


def _out_of_place_title(writer: Writer, element: etree._Element) -> list[Item]:
    items = writer.words(element)
    return [writer.mark(add_all(etree.Element("p"), items), element)] if not blank(items) else []


def _abstract(writer: Writer, element: etree._Element) -> list[Item]:
    return _inside(writer, element)


def _shortdesc(writer: Writer, element: etree._Element) -> list[Item]:
    """A paragraph; inside the running words of an abstract, words among them."""
    parent = element.getparent()
    if parent is not None and is_a(parent, "abstract") and _runs_on(parent):
        return writer.content(element)
    return _paragraph(writer, element)


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


# --- notes --------------------------------------------------------------------------------------


def _note(writer: Writer, element: etree._Element) -> list[Item]:
    kind, other = element.get("type") or "note", (element.get("othertype") or "").strip()
    made = writer.mark(etree.Element("aside"), element)
    emergency = _EMERGENCY in (kind, other.lower())
    made.set("data-kind", _EMERGENCY if emergency else _NOTES.get(kind, "note"))
    title = child(element, "title")
    _head(writer, made, title)
    if title is None and kind == "other" and other and not emergency:
        etree.SubElement(made, "h").text = other
    inner = blocks(writer.content(element, title), str(element.sourceline or 0))
    if not inner and len(made):
        made[0].tag = "p"
    add_all(made, inner)
    return [made] if len(made) else []


def _hazard(writer: Writer, element: etree._Element) -> list[Item]:
    """A hazard statement: what may happen, what follows from it, how to avoid it; symbols first."""
    made = writer.mark(etree.Element("aside"), element)
    kind, other = element.get("type") or "caution", (element.get("othertype") or "").strip().lower()
    made.set("data-kind", _EMERGENCY if _EMERGENCY in (kind, other) else _NOTES.get(kind, "caution"))
    symbols = children(element, "hazardsymbol")
    for one in symbols:
        add_all(made, blocks(writer.convert(one)))
    add_all(made, blocks(writer.content(element, *symbols)))
    return [made] if len(made) else []


def _panel(writer: Writer, element: etree._Element) -> list[Item]:
    made: list[Item] = []
    for one in element:
        if isinstance(one.tag, str):
            made += writer.there(one, _hazard_part if is_a(one, "li") else Writer.convert)
    return list(group(writer, element, blocks(made)))


def _hazard_part(writer: Writer, element: etree._Element) -> list[Item]:
    made = _paragraph(writer, element)
    if is_a(element, "typeofhazard"):
        for one in made:
            if not isinstance(one, str) and one.tag == "p":
                strong = add_all(etree.Element("strong"), _taken(one))
                add(one, strong)
    return made


def _taken(element: etree._Element) -> list[Item]:
    """All words out of an element, as items."""
    items: list[Item] = [element.text] if element.text else []
    element.text = None
    for one in list(element):
        tail, one.tail = one.tail, None
        element.remove(one)
        items += [one, tail] if tail else [one]
    return items


# --- lists --------------------------------------------------------------------------------------


def item(writer: Writer, element: etree._Element) -> list[Item]:
    """An `li`: words alone, or blocks."""
    return [flow(writer.mark(etree.Element("li"), element), writer.content(element))]


def _list(tag: str, kind: str, writer: Writer, element: etree._Element) -> list[Item]:
    """A list; what stands between its items (a `stepsection`) interrupts it, and it goes on counting."""
    made: list[Item] = []
    current: etree._Element | None = None
    count = 0
    title = child(element, "title")
    for one in element:
        if not isinstance(one.tag, str) or one is title:
            continue
        inside = is_a(one, "li") and not is_a(one, "stepsection")
        found = writer.there(one, item) if inside else blocks(_between(writer, one))
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
    return made if len(made) < 2 else list(group_rest(writer, element, made))


def group_rest(writer: Writer, element: etree._Element, made: list[Item]) -> Iterable[Item]:
    """Parts of an interrupted list: the conditions of the list hold for what stands between them too."""
    if not set(writer.attributes(element, name=False)):
        return made
    return [add_all(writer.mark(etree.Element("div"), element, name=False), made)]


def _between(writer: Writer, element: etree._Element) -> list[Item]:
    return writer.there(element, lambda w, one: _inside(w, one)) if is_a(element, "stepsection") else writer.convert(element)


def _begin(writer: Writer, made: etree._Element, element: etree._Element, kind: str, count: int) -> None:
    writer.mark(made, element, name=count == 0)
    if kind:
        made.set("data-kind", kind)
    if made.tag == "ol" and count:
        made.set("start", str(count + 1))


def _stray_item(writer: Writer, element: etree._Element) -> list[Item]:
    return [add_all(etree.Element("ul"), item(writer, element))]


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
    from sources.dita.links import keyed

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
            add_all(cell, _words_there(writer, one))
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


# --- figures and images -------------------------------------------------------------------------


def _figure(writer: Writer, element: etree._Element) -> list[Item]:
    title, desc = child(element, "title"), child(element, "desc")
    made = writer.mark(etree.Element("figure"), element)
    after: list[Item] = []
    for is_one, run in runs(writer.content(element, title, desc)):
        _into_figure(made, after, is_one, run)
    caption = etree.Element("figcaption")
    head = _words_there(writer, title) if title is not None else []
    said = writer.there(desc, lambda w, one: w.content(one)) if desc is not None else []
    if not blank(head) and not blank(said):
        add_all(caption, [add_all(etree.Element("p"), head), *blocks(said)])
    else:
        flow(caption, said if blank(head) else head)
    if not len(made):
        return [*blocks([add_all(etree.Element("p"), _taken(caption))] if not blank([caption]) else []), *after]
    if not blank([caption]):
        add(made, caption)
    return [made, *after]


def _into_figure(made: etree._Element, after: list[Item], is_one: bool, run: list[Item]) -> None:
    """Puts a run into a figure: images by themselves, other words as paragraphs, sections behind it."""
    block = run[0]
    if not is_one:
        if all((isinstance(one, str) and not one.strip()) or (not isinstance(one, str) and one.tag == "img") for one in run):
            add_all(made, [one for one in run if not isinstance(one, str)])
        else:
            add_all(made, blocks(run))
    elif not isinstance(block, str) and block.tag == "figure":
        for inner in list(block):
            if inner.tag == "figcaption":
                _into_figure(made, after, False, _taken(inner))
            else:
                add(made, inner)
    elif not isinstance(block, str) and block.tag == "section":
        after.append(block)
    else:
        add(made, block)


def _figure_group(writer: Writer, element: etree._Element) -> list[Item]:
    """A group inside a figure; in a syntax diagram, its parts in a row: alternatives with a stroke between them."""
    found = names(element)
    if found[0] == "figgroup" or "fragment" in found or "synblk" in found:
        return list(group(writer, element, blocks(writer.content(element))))
    sign = " | " if "groupchoice" in found else " "
    parts = [made for one in element if isinstance(one.tag, str) and not blank(made := writer.convert(one))]
    items: list[Item] = []
    for made in parts:
        items += [*([sign] if items else []), *made]
    optional = element.get("importance") == "optional"
    return [" ", *(["["] if optional else []), *items, *(["]"] if optional else []), " "]


def _image(writer: Writer, element: etree._Element) -> list[Item]:
    alt = _alternative(writer, element)
    ref = _image_ref(writer, element)
    if ref is None or ref.url:
        text = f"the image {ref.url if ref else element.get('href')!r} is not among the inputs"
        writer.find(codes.IMAGE, element, text)
        return [alt] if alt else []
    attributes = {"src": ref.file, "alt": alt or "", **_sizes(element)}
    if _required(element):
        attributes["data-required"] = "yes"
    made = etree.Element("img", {**attributes, **writer.attributes(element)})
    longer = [part for one in children(element, "longdescref") for part in writer.convert(one)]
    if element.get("placement") == "break" or "hazardsymbol" in names(element):
        figure = etree.Element("figure", {"data-line": str(element.sourceline or 0)})
        return [add_all(figure, [made, *([add_all(etree.Element("p"), longer)] if longer else [])])]
    return [made, *([" ", *longer] if longer else [])]


def _alternative(writer: Writer, element: etree._Element) -> str:
    stated = child(element, "alt")
    if stated is not None:
        return _as_text(_words_there(writer, stated))
    alt = element.get("alt")
    if alt is None:
        writer.find(codes.ALT, element, f"the image {element.get('href') or element.get('keyref')!r} has no alt")
    return " ".join((alt or "").split())


def _as_text(items: list[Item]) -> str:
    return " ".join("".join(one if isinstance(one, str) else "".join(one.itertext()) for one in items).split())


def _image_ref(writer: Writer, element: etree._Element) -> Ref | None:
    keyref = element.get("keyref")
    found = writer.resolver.keys.target(keyref, element, writer.origin.file) if keyref else None
    href = element.get("href") or ""
    if found is None and keyref and not href:
        writer.find(codes.KEY_MISSING, element, f"key {keyref!r} of <image> is not defined or has no file")
        return None
    return found or (refer(href, writer.origin.file, element.get("scope") or "") if href.strip() else None)


def _sizes(element: etree._Element) -> dict[str, str]:
    stated = ((name, _SIZE.fullmatch((element.get(name) or "").strip())) for name in ("width", "height"))
    return {name: match[1] for name, match in stated if match}


def _required(element: etree._Element) -> bool:
    """Whether the text can not be followed without the image: it or its figure says so."""
    for one in (element, *element.iterancestors()):
        if one is element or is_a(one, "fig"):
            said = "required" in (one.get("outputclass") or "").split()
            if said or any(data.get("name") == "required" and data.get("value") != "no" for data in children(one, "data")):
                return True
    return False


def _image_map(writer: Writer, element: etree._Element) -> list[Item]:
    """An image with areas: the image, and the areas' links as a list."""
    listed = etree.Element("ul")
    for area in children(element, "area"):
        link = child(area, "xref")
        items = writer.words(area, child(area, "shape"), child(area, "coords")) if link is not None else []
        if not blank(items):
            add_all(etree.SubElement(listed, "li"), items)
    rest = [one for one in element if not is_a(one, "area")] if len(element) else []
    made = [part for one in rest if isinstance(one.tag, str) for part in writer.convert(one)]
    return [*made, *([listed] if len(listed) else [])]


def _object(writer: Writer, element: etree._Element) -> list[Item]:
    address = element.get("data") or element.get("href") or element.get("datakeyref") or element.get("name") or ""
    writer.find(codes.OBJECT, element, f"<{names(element)[0]}> {address!r}")
    items = writer.content(element)
    if blank(items) and element.get("alt"):
        items = [element.get("alt") or ""]
    return list(blocks(items)) if any(True for _ in items) and not _among_words(element) else words(items)


def _among_words(element: etree._Element) -> bool:
    parent = element.getparent()
    return parent is not None and (bool((parent.text or "").strip()) or any((one.tail or "").strip() for one in parent))


# --- glossary -----------------------------------------------------------------------------------


def _alternatives(writer: Writer, element: etree._Element) -> list[Item]:
    """glossAlt: each other form of a term as a paragraph, its usage after it."""
    made = [part for one in element if isinstance(one.tag, str) for part in blocks(writer.convert(one))]
    return list(group(writer, element, made))


def _form(writer: Writer, element: etree._Element) -> list[Item]:
    items = writer.words(element)
    return [writer.mark(add_all(etree.Element("p"), items), element)] if not blank(items) else []


def _equation(writer: Writer, element: etree._Element) -> list[Item]:
    """A displayed formula, with its number behind it."""
    return list(group(writer, element, blocks(writer.content(element), str(element.sourceline or 0))))


HANDLERS: Final[dict[str, Handler]] = {
    "topic": _topic,
    **dict.fromkeys(("body", "bodydiv", "sectiondiv", "div", "itemgroup", "abstract", "linkinfo", "stepsection"), _inside),
    **dict.fromkeys(("section", "example", "steps-informal"), _section),
    "p": _paragraph,
    "shortdesc": _shortdesc,
    "title": _out_of_place_title,
    **dict.fromkeys(("glossAcronym", "glossAbbreviation", "glossShortForm", "glossSynonym"), _form),
    "glossAlt": _alternatives,
    "note": _note,
    "hazardstatement": _hazard,
    "messagepanel": _panel,
    "lq": _quote,
    "pre": _preformatted,
    "lines": _lines,
    "ul": partial(_list, "ul", ""),
    "sl": partial(_list, "ul", "plain"),
    "ol": partial(_list, "ol", ""),
    "steps": partial(_list, "ol", "steps"),
    "substeps": partial(_list, "ol", "steps"),
    **dict.fromkeys(("li", "sli"), _stray_item),
    "dl": _definitions,
    "fig": _figure,
    "syntaxdiagram": _figure,
    "figgroup": _figure_group,
    "image": _image,
    "svgref": _image,
    "imagemap": _image_map,
    "object": _object,
    "equation-block": _equation,
}
