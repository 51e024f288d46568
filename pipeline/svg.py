"""An SVG from outside -> one that only draws.

In: the bytes of an SVG file. Out: `Drawing`: the picture rebuilt from a list of elements, attributes and style declarations that
draw and do nothing else, and what had to be taken out. Nothing in it runs, moves, links or asks another host for anything.

Specification: SVG 1.1 (second edition), with `href` as in SVG 2. Only pictures inside the file are used: `url(#id)`, `#id`, and
raster images as base64 data. Pure: the same bytes give the same picture.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from pipeline import xml
from pipeline.findings import Finding, Severity

SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
MAX_DRAWN: Final = 200_000  # elements, each `use` counted with all that it draws again

_ELEMENTS: Final = re.compile(
    "svg|g|defs|symbol|use|title|desc|path|rect|circle|ellipse|line|polyline|polygon|text|tspan|textPath|image|switch|style"
    "|linearGradient|radialGradient|stop|clipPath|mask|pattern|marker|filter|feBlend|feColorMatrix|feComponentTransfer|feComposite"
    "|feDropShadow|feFlood|feFunc[RGBA]|feGaussianBlur|feMerge|feMergeNode|feMorphology|feOffset|feTile"
)
# Not drawn, or drawn the same without: their loss needs no word.
_SILENT: Final = re.compile("metadata|view|cursor")
_UNWRAPPED: Final = frozenset({"a"})
_ATTRIBUTES: Final = re.compile(
    "id|class|role|lang|aria-[a-z]+|transform|x|y|z|x1|x2|y1|y2|dx|dy|cx|cy|r|rx|ry|fx|fy|fr|d|points|width|height|viewBox"
    "|preserveAspectRatio|pathLength|rotate|textLength|lengthAdjust|startOffset|method|spacing|side|offset|orient|refX|refY"
    "|(marker|mask|pattern|filter|primitive|gradient|clipPath|maskContent|patternContent)Units|marker(Width|Height)"
    "|(gradient|pattern)Transform|spreadMethod|in|in2|result|type|mode|values|operator|k[1-4]|stdDeviation|edgeMode|radius"
    "|tableValues|slope|intercept|amplitude|exponent|systemLanguage|requiredFeatures|version"
)
_PROPERTIES: Final = re.compile(
    "alignment-baseline|baseline-shift|clip|clip-path|clip-rule|color|color-interpolation(-filters)?|direction|display"
    "|dominant-baseline|fill|fill-opacity|fill-rule|filter|flood-color|flood-opacity|font|font-(family|size|size-adjust|stretch|style"
    "|variant|weight|kerning|feature-settings|variation-settings)|glyph-orientation-(horizontal|vertical)|image-rendering|isolation"
    "|kerning|letter-spacing|line-height|marker|marker-(start|mid|end)|mask|mask-type|mix-blend-mode|opacity|overflow|paint-order"
    "|shape-rendering|stop-color|stop-opacity|stroke|stroke-(dasharray|dashoffset|linecap|linejoin|miterlimit|opacity|width)"
    "|text-(align|anchor|decoration|indent|orientation|rendering|transform)(-[a-z]+)?|unicode-bidi|vector-effect|visibility"
    "|white-space|word-spacing|writing-mode|transform|transform-(box|origin)|x|y|r|rx|ry|cx|cy|width|height|d"
)
_DROPPED_ATTRIBUTES: Final = re.compile(
    r"data-.*|baseProfile|contentScriptType|contentStyleType|zoomAndPan|enable-background|xml:base|target|requiredExtensions"
    "|focusable|tabindex|externalResourcesRequired|color-profile|color-rendering|solid-.*|-.*"
)
_LOCAL: Final = re.compile(r"#[\w.:-]+")
_URL: Final = re.compile(r"url\(\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^()\"'\s]*+))\s*+\)", re.IGNORECASE)
_UNSAFE_CSS: Final = re.compile(r"\\|<|expression\s*\(|javascript:|image-set\(|image\(|@|src\(", re.IGNORECASE)
# No group gives back what it has taken: a file of 5 MB that fits nowhere would take the square of its size.
_RULE: Final = re.compile(r"(?<![^{}])([^{}]++)\{([^{}]*+)\}")
_AT_RULE: Final = re.compile(r"@[^;{}]*+(?:;|\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\}|$)")
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|$)|<!--|-->", re.DOTALL)
_DATA: Final = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,([A-Za-z0-9+/=\s]+)", re.IGNORECASE)
_LENGTH: Final = re.compile(
    r"\s*+((?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)(?:e[+-]?[0-9]{1,3})?+)\s*+(px|pt|pc|mm|cm|in|)\s*+", re.IGNORECASE
)
_PIXELS: Final = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A rebuilt picture: bytes, size in CSS pixels (0 = not said), what was taken out of it, each named once with a count."""

    data: bytes
    width: int
    height: int
    removed: tuple[str, ...] = ()


def rebuilt(data: bytes, file: str, raster: Callable[[bytes], bool]) -> Drawing | Finding | str:
    """The picture without all that does not draw. A Finding where it is no XML that can be read, a sentence where it is no SVG or
    would draw without end. `raster` says whether the bytes of an embedded image may stay."""
    root, findings = xml.parse(data, file)
    if root is None:
        return next(finding for finding in findings if finding.severity is Severity.ERROR)
    if root.tag not in (f"{{{SVG}}}svg", "svg"):
        return f"its root is <{etree.QName(root).localname}>, expected <svg>"
    cleaner = _Cleaner(root, raster)
    made = cleaner.copy(root)
    if _drawn(made) > MAX_DRAWN:
        return f"its <use> elements would draw more than {MAX_DRAWN} elements, or themselves"
    etree.cleanup_namespaces(made)
    width, height = _size(made)
    named = (f"{what} ({count} times)" if count > 1 else what for what, count in cleaner.removed.items())
    return Drawing(etree.tostring(made, encoding="UTF-8"), width, height, tuple(named))


class _Cleaner:
    """Copies what draws; `removed` counts what does not, by name."""

    def __init__(self, root: etree._Element, raster: Callable[[bytes], bool]) -> None:
        self.removed: Counter[str] = Counter()
        self._raster = raster
        self._own = (SVG, None) if root.tag == "svg" else (SVG,)
        for instruction in root.xpath("preceding-sibling::processing-instruction('xml-stylesheet')"):
            self.removed[f"style sheet {str(instruction.text)[:60]}"] += 1

    def copy(self, element: etree._Element) -> etree._Element:
        """The element with what may stay of it."""
        made = etree.Element(f"{{{SVG}}}{etree.QName(element).localname}", nsmap={None: SVG, "xlink": XLINK})
        for name, value in element.attrib.items():
            self._attribute(made, str(name), str(value))
        if made.tag == f"{{{SVG}}}style":
            made.text = self._sheet("".join(element.itertext(etree.Element)))
            return made
        self._content(element, made)
        return made

    def _content(self, element: etree._Element, made: etree._Element) -> None:
        _append(made, element.text)
        for child in element:
            if isinstance(child.tag, str):
                self._child(child, made)
            _append(made, child.tail)

    def _child(self, child: etree._Element, made: etree._Element) -> None:
        name = etree.QName(child)
        if name.namespace not in self._own or _SILENT.fullmatch(name.localname):
            return  # what drawing programs note for themselves
        if name.localname in _UNWRAPPED:
            self._content(child, made)
        elif not _ELEMENTS.fullmatch(name.localname):
            self.removed[f"<{name.localname}>"] += 1
        else:
            copied = self.copy(child)
            if name.localname not in ("use", "image") or copied.get(f"{{{XLINK}}}href"):
                made.append(copied)

    def _attribute(self, made: etree._Element, name: str, value: str) -> None:
        local = name.rpartition("}")[2]
        if local == "href" and name in ("href", f"{{{XLINK}}}href"):
            self._href(made, value)
        elif name in (f"{{{_XML}}}space", f"{{{_XML}}}lang"):
            made.set(name, value)
        elif name.startswith("{"):
            return
        elif name == "style":
            made.set("style", self._declarations(value))
        elif _ATTRIBUTES.fullmatch(name) or _PROPERTIES.fullmatch(name):
            if self._safe(value, name):
                made.set(name, value)
        elif not _DROPPED_ATTRIBUTES.fullmatch(name):
            self.removed[name] += 1

    def _href(self, made: etree._Element, value: str) -> None:
        data = _DATA.fullmatch(value.strip())
        if _LOCAL.fullmatch(value.strip()) and made.tag != f"{{{SVG}}}image":
            made.set(f"{{{XLINK}}}href", value.strip())
        elif data and made.tag == f"{{{SVG}}}image" and self._raster(_decoded(data[1])):
            made.set(f"{{{XLINK}}}href", "".join(value.split()))
        else:
            self.removed[f"link to {value.strip()[:60]}"] += 1

    def _safe(self, value: str, name: str) -> bool:
        urls = ["".join(found) for found in _URL.findall(value)]
        outside = [url for url in urls if not _LOCAL.fullmatch(url.strip())]
        if not outside and not _UNSAFE_CSS.search(value) and value.lower().count("url(") == len(urls):
            return True
        self.removed[f"{name} with {outside[0][:60]}" if outside else name] += 1
        return False

    def _declarations(self, text: str) -> str:
        kept = []
        for declaration in _COMMENT.sub("", text).split(";"):
            name, _, value = (part.strip() for part in declaration.partition(":"))
            if not value or _DROPPED_ATTRIBUTES.fullmatch(name):
                continue
            if not _PROPERTIES.fullmatch(name.lower()):
                self.removed[f"style {name[:60]}"] += 1
            elif self._safe(value, f"style {name}"):
                kept.append(f"{name}:{value}")
        return ";".join(kept)

    def _sheet(self, text: str) -> str:
        text = _COMMENT.sub("", text)
        for rule in _AT_RULE.findall(text):
            self.removed[f"style {' '.join(rule.split())[:60]}"] += 1
        rules = ((selector.strip(), declarations) for selector, declarations in _RULE.findall(_AT_RULE.sub("", text)))
        return "".join(
            f"{selector}{{{self._declarations(body)}}}" for selector, body in rules if self._safe(selector, "style rule")
        )


def _append(made: etree._Element, text: str | None) -> None:
    last = next(made.iterchildren(reversed=True), None)  # len() and an index would walk over all children each time
    if last is not None:
        last.tail = (last.tail or "") + (text or "")
    else:
        made.text = (made.text or "") + (text or "")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return b""


def _drawn(root: etree._Element) -> int:
    """How many elements are drawn, counting what each `use` draws again; beyond MAX_DRAWN where one draws itself."""
    by_id = {element.get("id"): element for element in root.iter(etree.Element) if element.get("id")}
    known: dict[etree._Element, int] = {}
    begun: set[etree._Element] = set()
    stack = [root]  # no recursion: a chain of `use` may be as long as the file
    while stack:
        element = stack[-1]
        inside = list(_drawn_by(element, by_id)) if element not in known else []
        if element in known:
            stack.pop()
        elif element in begun:
            known[stack.pop()] = min(1 + sum(known[one] for one in inside), MAX_DRAWN + 1)
        else:
            begun.add(element)
            stack += (unknown := [one for one in inside if one not in known])
            if not begun.isdisjoint(unknown):
                return MAX_DRAWN + 1  # it draws itself
    return known[root]


def _drawn_by(element: etree._Element, by_id: dict[str | None, etree._Element]) -> Iterator[etree._Element]:
    yield from element.iterchildren(etree.Element)
    target = by_id.get(str(element.get(f"{{{XLINK}}}href", ""))[1:]) if element.tag == f"{{{SVG}}}use" else None
    if target is not None:
        yield target


def _size(root: etree._Element) -> tuple[int, int]:
    """Width and height in CSS pixels; from the view box where the picture does not say them."""
    box = [float(number) for number in re.findall(r"-?[0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?", root.get("viewBox", ""))][2:4]
    width, height = _pixels(root.get("width", "")), _pixels(root.get("height", ""))
    if len(box) == 2 and all(0 < side < 100_000 for side in box):
        if not width and not height:
            width, height = box
        width, height = width or height * box[0] / box[1], height or width * box[1] / box[0]
    known = 0 < width < 100_000 and 0 < height < 100_000
    return (max(1, round(width)), max(1, round(height))) if known else (0, 0)


def _pixels(length: str) -> float:
    found = _LENGTH.fullmatch(length)
    return float(found[1]) * _PIXELS[found[2].lower()] if found else 0.0
