"""Words: phrases, highlighting, names of things, trade marks, formulas, text of other files.

In: phrase elements of the base, highlighting, programming, software, user interface, utilities, mark-up and equation domains.
Out: inline items. Specification: DITA 1.3, body elements and domain elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from lxml import etree

from pipeline.topic import MATHML
from sources.dita import codes
from sources.dita.documents import parsed
from sources.dita.endnotes import footnote
from sources.dita.flow import MATH, Item, add_all, blank, words, wrapped
from sources.dita.links import keyed
from sources.dita.names import child, children, is_a, names
from sources.dita.places import refer
from sources.dita.writer import Handler, Writer

_MARKS: Final = {
    "b": "b", "i": "i", "u": "u", "strong": "strong", "em": "em", "sub": "sub", "sup": "sup", "tt": "code", "line-through": "s",
    "cite": "cite", "q": "q", "dfn": "dfn", "codeph": "code", "cmdname": "code", "option": "code", "parmname": "code",
    "apiname": "code", "filepath": "code", "kwd": "code", "synph": "code", "msgnum": "code", "markupname": "code",
    "systemoutput": "samp", "msgph": "samp", "userinput": "kbd", "shortcut": "kbd", "varname": "var", "var": "var",
    "uicontrol": "b",
}  # fmt: skip
_PLAIN: Final = (
    "ph", "keyword", "term", "text", "desc", "linktext", "alt", "cmd", "equation-inline", "navtitle",
    "delim", "sep", "oper", "repsep", "fragref",
)  # fmt: skip
# What readers do not get as words where it stands.
_HIDDEN: Final = """
no-topic-nesting indexterm indextermref index-base data data-about titlealts prolog sort-as unknown param shape coords
lcAreaShape lcAreaCoords lcAreaShape2 lcAreaCoords2
"""
# How names of mark-up are written.
_WRITTEN: Final = {
    "xmlelement": "<{}>", "xmlatt": "@{}", "xmlpi": "<?{}?>",
    "parameterentity": "%{};", "textentity": "&{};", "numcharref": "&#{};",
}  # fmt: skip
_FORMULA_NAMES: Final = """
math maction maligngroup malignmark menclose merror mfenced mfrac mi mlabeledtr mlongdiv mmultiscripts mn mo mover mpadded
mphantom mprescripts mroot mrow ms mscarries mscarry msgroup msline mspace msqrt msrow mstack mstyle msub msubsup msup mtable
mtd mtext mtr munder munderover none semantics
"""
_FORMULA: Final = frozenset(_FORMULA_NAMES.split())
# Attributes of formulas that lead outside, run, or could clash with the page.
_REFUSED: Final = frozenset({"href", "src", "altimg", "style", "class", "id", "actiontype"})
_TRADE_MARKS: Final = {"tm": "™", "reg": "®", "service": "℠"}


def phrase(tag: str, writer: Writer, element: etree._Element) -> list[Item]:
    """A phrase with its mark ("" = none of its own), and a link where its key leads somewhere."""
    items = keyed(writer, element, writer.content(element)) if element.get("keyref") else writer.content(element)
    attributes = writer.attributes(element)
    if tag or attributes:
        return wrapped(tag or "span", items, attributes)
    return items


def _written(pattern: str, writer: Writer, element: etree._Element) -> list[Item]:
    before, after = pattern.split("{}")
    return wrapped("code", [before, *writer.content(element), after], writer.attributes(element))


def _trade_mark(writer: Writer, element: etree._Element) -> list[Item]:
    items = phrase("", writer, element)
    sign = _TRADE_MARKS.get(element.get("tmtype") or "", "")
    text = "".join(element.itertext()).rstrip()
    return items if text.endswith(sign) else [*items, sign]


def _state(writer: Writer, element: etree._Element) -> list[Item]:
    name, value = element.get("name") or "", element.get("value") or element.get("state") or ""
    return wrapped("code", ["=".join(part for part in (name, value) if part)], writer.attributes(element))


def _equation_number(writer: Writer, element: etree._Element) -> list[Item]:
    """The number of an equation in brackets, apart from what it counts: `2x` is another equation than `(2) x`."""
    items = phrase("", writer, element)
    if blank(items):
        return []
    bare = not "".join(element.itertext()).lstrip().startswith(("(", "["))
    around = element.getparent()
    gap = " " if around is not None and (is_a(around, "equation-block") or is_a(around, "equation-figure")) else ""
    return [f"{gap}(" if bare else gap, *items, f"){gap}" if bare else gap]


def _menu(writer: Writer, element: etree._Element) -> list[Item]:
    items: list[Item] = []
    for one in children(element, "uicontrol"):
        items += [*([" > "] if items else []), *writer.convert(one)]
    return items


def _draft(writer: Writer, element: etree._Element) -> list[Item]:
    text = " ".join("".join(element.itertext()).split())
    writer.find(codes.DRAFT, element, f"<{names(element)[0]}> {text[:80]!r}")
    return writer.settle(element)


def _formula(writer: Writer, element: etree._Element) -> list[Item]:
    """A formula; a block of its own where the element around it is one."""
    writer.settle(element)
    around = [one for one, _ in zip(element.iterancestors(), range(2), strict=False)]
    shown_alone = any(is_a(one, name) for one in around for name in ("equation-block", "equation-figure"))
    return [_math(element, display=shown_alone or element.get("display") == "block")]


def _math(found: etree._Element, *, display: bool) -> etree._Element:
    made = _rebuilt(found)
    made.attrib.pop("display", None)
    if display:
        made.set("display", "block")
    return made


def _rebuilt(element: etree._Element) -> etree._Element:
    """An element of a formula, with MathML as its default namespace, as HTML needs it.

    Only elements that browsers take for MathML: others could end the formula there. Of these, the words."""
    name = etree.QName(element)
    ours = name.namespace in (MATHML, None) and name.localname in _FORMULA
    made = etree.Element(f"{{{MATHML}}}{name.localname if ours else 'mtext'}", nsmap={None: MATHML})
    for attribute, value in element.attrib.items():
        if ours and str(attribute) not in _REFUSED and not str(attribute).startswith(("on", "{")):
            made.set(attribute, value)
    add_all(made, _formula_parts(element))
    return made


def _formula_parts(element: etree._Element) -> Iterator[Item]:
    if element.text and element.text.strip():
        yield element.text
    for one in element:
        if isinstance(one.tag, str) and etree.QName(one).localname not in ("annotation", "annotation-xml"):  # for machines
            yield _rebuilt(one)
        if one.tail and one.tail.strip():
            yield one.tail


def _formula_file(writer: Writer, element: etree._Element) -> list[Item]:
    ref = refer(element.get("href") or "", writer.origin.file)
    root, _ = parsed(writer.resolver.files, ref.file) if not ref.url else (None, ())
    found = None
    if root is not None:
        found = next((one for one in root.iter(MATH) if not ref.topic or ref.topic in (one.get("id"), "")), None)
    if found is None:
        writer.find(codes.MATH, element, f"mathmlref {element.get('href')!r} leads to no MathML")
        return writer.content(element)
    return [_math(found, display=found.get("display") == "block")]


def _foreign(writer: Writer, element: etree._Element) -> list[Item]:
    """Other vocabularies: formulas are kept, of the rest the words."""
    if element.find(f".//{MATH}") is not None:
        return writer.content(element)
    writer.settle(element)
    text = " ".join("".join(element.itertext()).split())
    writer.find(codes.FOREIGN, element, f"<{names(element)[0]}> with the text {text[:80]!r}")
    return writer.standing(element, [text] if text else [])


def _drawing(writer: Writer, element: etree._Element) -> list[Item]:
    """An SVG drawn inside the text: its words (title, desc, labels) stand for it."""
    writer.settle(element)
    said = [" ".join("".join(one.itertext()).split()) for one in element.iter("{*}title", "{*}desc", "{*}text")]
    text = " ".join(dict.fromkeys(part for part in said if part))
    writer.find(codes.IMAGE, element, f"an SVG drawn inside the text; its words: {text[:80]!r}")
    return [text] if text else []


def _code_file(writer: Writer, element: etree._Element) -> list[Item]:
    """The text of another file, or the lines of it that the reference names."""
    href = element.get("href") or ""
    found = (
        writer.resolver.keys.target(element.get("keyref") or "", element, writer.origin.file) if element.get("keyref") else None
    )
    ref = found or refer(href.partition("#")[0], writer.origin.file)
    if ref.url or ref.file not in writer.resolver.files:
        writer.find(codes.CODEREF, element, f"coderef {href!r} leads to {ref.url or ref.file}, which is not in the inputs")
        return []
    try:
        lines = writer.resolver.files.read(ref.file).decode(_charset(element)).splitlines()
    except (UnicodeDecodeError, LookupError):
        writer.find(codes.CODEREF, element, f"{ref.file} is no {_charset(element)} text")
        return []
    return ["\n".join(_lines(lines, href.partition("#")[2]))]


def _include(writer: Writer, element: etree._Element) -> list[Item]:
    """DITA 2.0's include: the text of another file; where there is none, the words that the author gave for that."""
    fallback = child(element, "fallback")
    if fallback is not None and refer(element.get("href") or "", writer.origin.file).file not in writer.resolver.files:
        return writer.content(element)
    if fallback is not None:
        writer.settle(fallback)
    return _code_file(writer, element)


def _charset(element: etree._Element) -> str:
    return (element.get("format") or "").partition("charset=")[2].strip() or "utf-8-sig"


def _lines(lines: list[str], fragment: str) -> list[str]:
    """`line-range(2, 5)`, `line=1,5` (RFC 5147) or `token=start,end` of a file's lines; all of them where it is none of these."""
    name, _, rest = fragment.partition("(" if "(" in fragment else "=")
    first, _, last = (part.strip() for part in rest.rstrip(")").partition(","))
    if name == "line-range" and first.isdecimal():
        return lines[max(int(first) - 1, 0) : int(last) if last.isdecimal() else None]
    if name == "line":
        return lines[int(first) if first.isdecimal() else 0 : int(last) if last.isdecimal() else None]
    if name == "token":
        starts = [number for number, line in enumerate(lines) if first and first in line] or [-1]
        ends = [number for number, line in enumerate(lines) if last and last in line and number > starts[0]] or [len(lines)]
        return lines[starts[0] + 1 : ends[0]]
    return lines


def _footnote(writer: Writer, element: etree._Element) -> list[Item]:
    return footnote(writer, element)


def title(writer: Writer, element: etree._Element) -> etree._Element:
    """The `h` of a `title`."""
    made = writer.mark(etree.Element("h"), element)
    writer.there(element, lambda w, one: [add_all(made, words(phrase("", w, one)))] if not blank(w.content(one)) else [])
    return made


HANDLERS: Final[dict[str, Handler]] = {
    **{name: partial(phrase, tag) for name, tag in _MARKS.items()},
    **{name: partial(phrase, "") for name in _PLAIN},
    **{name: partial(_written, pattern) for name, pattern in _WRITTEN.items()},
    **dict.fromkeys(_HIDDEN.split(), Writer.settle),
    **dict.fromkeys(("draft-comment", "required-cleanup"), _draft),
    "tm": _trade_mark,
    "state": _state,
    "boolean": _state,
    "menucascade": _menu,
    "equation-number": _equation_number,
    "math": _formula,
    "mathml": lambda writer, element: writer.content(element),
    "mathmlref": _formula_file,
    "svg": _drawing,
    "svg-container": lambda writer, element: writer.standing(element, writer.content(element)),
    "foreign": _foreign,
    "coderef": _code_file,
    "include": _include,
    "fallback": lambda writer, element: writer.content(element),
    "fn": _footnote,
    "synnote": _footnote,
}
