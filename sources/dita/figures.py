"""Figures, images, syntax diagrams, objects.

In: `fig`, `image`, `imagemap`, `object`. Out: `figure` and `img`. What can not be shown leaves its words behind, and
a finding. Specification: DITA 1.3, body elements, utilities and programming domains.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from sources.dita import codes
from sources.dita.flow import Item, add, add_all, blank, blocks, contents, flow, runs
from sources.dita.names import child, children, is_a, names
from sources.dita.places import Ref, refer
from sources.dita.writer import Handler, Writer

_SIZE: Final = re.compile(r"([1-9]\d{0,4})(?:\.\d+)?(?:px)?")


def _figure(writer: Writer, element: etree._Element) -> list[Item]:
    title, desc = child(element, "title"), child(element, "desc")
    made = writer.mark(etree.Element("figure"), element)
    after: list[Item] = []
    for is_one, run in runs(writer.content(element, title, desc)):
        _into_figure(made, after, is_one, run)
    caption = etree.Element("figcaption")
    head = writer.words_there(title) if title is not None else []
    said = writer.there(desc, lambda w, one: w.content(one)) if desc is not None else []
    if not blank(head) and not blank(said):
        add_all(caption, [add_all(etree.Element("p"), head), *blocks(said)])
    else:
        flow(caption, said if blank(head) else head)
    if not len(made):
        return [*writer.group(element, blocks(contents(caption), str(element.sourceline or 0))), *after]
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
                _into_figure(made, after, False, contents(inner))
            else:
                add(made, inner)
    elif not isinstance(block, str) and block.tag == "section":
        after.append(block)
    else:
        add(made, block)


def _figure_group(writer: Writer, element: etree._Element) -> list[Item]:
    """A group inside a figure; in a syntax diagram, its parts in a row: alternatives with a stroke between them."""
    found = names(element)
    if not any(name in found for name in ("groupseq", "groupchoice", "groupcomp")):
        return list(writer.group(element, blocks(writer.content(element))))
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
        writer.find(codes.IMAGE, element, f"the image {repr(ref.url) if ref else _named(element)} is not among the inputs")
        return [alt] if alt else []
    attributes: dict[str, str] = {"src": ref.file, "alt": alt or "", **_sizes(element)}
    if _required(element):
        attributes["data-required"] = "yes"
    made = etree.Element("img", attributes | writer.attributes(element))
    longer = [part for one in children(element, "longdescref") for part in writer.convert(one)]
    if element.get("placement") == "break" or "hazardsymbol" in names(element):
        figure = etree.Element("figure", {"data-line": str(element.sourceline or 0)})
        return [add_all(figure, [made, *([add_all(etree.Element("p"), longer)] if longer else [])])]
    return [made, *([" ", *longer] if longer else [])]


def _named(element: etree._Element) -> str:
    named = element.get("href") or (f"key {element.get('keyref')}" if element.get("keyref") else "")
    return repr(named) if named else "without href"


def _alternative(writer: Writer, element: etree._Element) -> str:
    stated = child(element, "alt")
    if stated is not None:
        return _as_text(writer.convert(stated))
    alt = element.get("alt")
    if alt is None:
        writer.find(codes.ALT, element, f"the image {_named(element)} has no alt")
    return " ".join((alt or "").split())


def _as_text(items: list[Item]) -> str:
    return " ".join("".join(one if isinstance(one, str) else "".join(one.itertext()) for one in items).split())


def _image_ref(writer: Writer, element: etree._Element) -> Ref | None:
    keyref = element.get("keyref")
    found = writer.resolver.keys.target(keyref, element, writer.origin.file) if keyref else None
    href = element.get("href") or ""
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
        items = writer.words(area)
        if not blank(items):
            add_all(etree.SubElement(listed, "li"), items)
    rest = [one for one in element if isinstance(one.tag, str) and not is_a(one, "area")]
    made = [part for one in rest for part in writer.convert(one)]
    return [*made, *([listed] if len(listed) else [])]


def _object(writer: Writer, element: etree._Element) -> list[Item]:
    address = element.get("data") or element.get("href") or element.get("datakeyref") or element.get("name") or ""
    writer.find(codes.OBJECT, element, f"<{names(element)[0]}> {address!r}")
    items: list[Item] = [element.text or ""]
    writer.content(element, *element)  # says that its own words are read
    for one in element:
        items += [" ", *(writer.convert(one) if isinstance(one.tag, str) else []), " ", one.tail or ""]
    if blank(items) and element.get("alt"):
        items = [element.get("alt") or ""]
    return writer.standing(element, items)


HANDLERS: Final[dict[str, Handler]] = {
    "fig": _figure,
    "syntaxdiagram": _figure,
    "figgroup": _figure_group,
    "image": _image,
    "svgref": _image,
    "imagemap": _image_map,
    "object": _object,
}
