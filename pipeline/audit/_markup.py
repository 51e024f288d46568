"""HTML and XHTML, read as a browser would understand them, and refused where browsers may differ from this parser.

In: bytes. Out: an lxml tree with the problems of its mark-up (`parse_html`, `parse_xml`), and from a tree its visible
blocks, links, pictures, ids and requests. Mark-up must nest plainly: an end tag for every start tag, blocks never inside
paragraphs, table parts only where tables have them. So there is one way to read it, whatever the parser.
Follows the HTML Standard's parsing and content models.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lxml import etree

from pipeline.audit import _codes as codes
from pipeline.audit._reading import Block, Link, Picture, Problem, Unreadable, fold, names
from pipeline.audit._selectors import local

VOID: Final = names("area base br col embed hr img input link meta source track wbr")
HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS: Final = HEADINGS | names(
    """address article aside blockquote body caption center col colgroup dd details dialog dir div dl dt fieldset figcaption
    figure footer form header hgroup hr html legend li main menu nav ol option p pre search section select summary table
    tbody td tfoot th thead tr ul head title"""
)
INLINES: Final = names(
    "a abbr b bdi br cite code data dfn em i img kbd mark q rp rt ruby s samp small span strong sub sup time u var wbr math"
)
# Elements that hold words which readers see. What is not here (noscript, template, svg, button, ...) proves nothing.
SEEN: Final = (
    BLOCKS - frozenset({"dialog", "select", "option", "form", "fieldset", "legend", "head", "title", "center", "dir"})
) | INLINES
# What a notice may be made of.
NOTICE_PARTS: Final = names("a address b bdi br cite div em footer i img li ol p section small span strong time ul dl dt dd")
_TEXT_ONLY: Final = frozenset({"p", "pre", "summary", *HEADINGS}) | (INLINES - {"a", "img", "br"})
_PARENTS: Final = {
    "li": {"ul", "ol", "menu"}, "dt": {"dl", "div"}, "dd": {"dl", "div"}, "caption": {"table"}, "thead": {"table"},
    "tbody": {"table"}, "tfoot": {"table"}, "tr": {"table", "thead", "tbody", "tfoot"}, "td": {"tr"}, "th": {"tr"},
    "figcaption": {"figure"}, "colgroup": {"table"}, "col": {"colgroup"}, "summary": {"details"},
}  # fmt: skip
CHILDREN: Final = {
    "ul": {"li"}, "ol": {"li"}, "table": {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"}, "thead": {"tr"},
    "tbody": {"tr"}, "tfoot": {"tr"}, "tr": {"td", "th"}, "dl": {"dt", "dd", "div"}, "colgroup": {"col"},
}  # fmt: skip
ROLES: Final = {
    **dict.fromkeys(HEADINGS, "heading"), "p": "paragraph", "li": "item", "dt": "term", "dd": "definition", "td": "cell",
    "th": "header", "caption": "caption", "figcaption": "caption", "pre": "preformatted",
}  # fmt: skip
KEEPS: Final = frozenset({"item", "term", "definition", "cell", "header", "caption"})
# An item or cell that begins with one of these has begun.
FILL: Final = frozenset({"ul", "ol", "dl", "table"})
SCRIPTS: Final = {"sup": "^", "sub": "_"}
# Elements that make a browser read on in another way than a reader of mark-up expects.
_TREACHEROUS: Final = names("plaintext xmp listing noembed noframes frameset frame isindex nextid marquee bdo")
_ACTIVE: Final = names("script iframe frame object embed applet form input button select textarea base portal")

BAD_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_DECLARED: Final = re.compile(r"<!(?!--)(?!doctype html\s*>)|<\?", re.IGNORECASE)
ARROW: Final = re.compile("[\u2190-\u21ff\u2b00-\u2bff\ufe0e\ufe0f\\s]*")
_COMMENT: Final = re.compile(r"<!--(.*?)-->", re.DOTALL)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)(?:((?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>)?")
_FOREIGN: Final = frozenset({"svg", "math"})
_RAW: Final = names("script style textarea title xmp iframe noembed noframes plaintext")


# --- parsing ------------------------------------------------------------------------------------


def decode(data: bytes) -> str:
    """The text of UTF-8 bytes. Raises Unreadable."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"expected UTF-8, found byte {data[error.start]:#04x} at offset {error.start}") from None


def parse_html(text: str) -> tuple[etree._Element, list[Problem]]:
    """The `html` element and what in its mark-up is not plain. Raises Unreadable where nothing can be read."""
    problems = [Problem(codes.MARKUP, what) for what in _ambiguous(text)]
    if bad := BAD_CHARACTER.search(text):
        problems.append(Problem(codes.CHARACTER, f"control character U+{ord(bad[0]):04X} at offset {bad.start()}"))
    parser = etree.HTMLParser(recover=True, no_network=True, huge_tree=False, encoding="utf-8")
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"not HTML: {error}") from None
    if root is None:
        raise Unreadable("no element in it")
    for entry in parser.error_log:
        if entry.type_name != "HTML_UNKNOWN_TAG":
            problems.append(Problem(codes.MARKUP, f"line {entry.line}: {entry.message}"))
    problems += nesting(root)
    return root, problems


def parse_fragment(text: str) -> tuple[etree._Element, list[Problem]]:
    """The `body` element around a fragment, and what in its mark-up is not plain. Raises Unreadable."""
    root, problems = parse_html(f"<!DOCTYPE html><html><head></head><body>{text}</body></html>")
    inner = root.find("body")
    if inner is None or len(root) != 2:
        return root, [*problems, Problem(codes.MARKUP, "the fragment ends the page around it")]
    return inner, problems


def parse_xml(data: bytes) -> etree._Element:
    """The root of XML that comes without entities and DTD of its own. Raises Unreadable."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"not well-formed XML: {error}") from None
    if next(root.iter(etree.Entity), None) is not None:
        raise Unreadable("holds an entity reference that reading systems may not know")
    return root


def _ambiguous(text: str) -> Iterator[str]:
    """Mark-up that a browser and another parser may take apart in different places."""
    if found := _DECLARED.search(text):
        yield f"{text[found.start() : found.start() + 30]!r} is neither element, comment nor <!DOCTYPE html>"
    rest = text
    if "<!--" in text:
        for comment in _COMMENT.findall(text):
            if comment.startswith((">", "->")) or "<!--" in comment or "--!>" in comment or comment.endswith("<!-"):
                yield f"comment <!--{comment[:40]}--> ends earlier in a browser"
            if comment.lstrip().startswith("["):
                yield f"conditional comment <!--{comment[:40]}-->"
        rest = _COMMENT.sub("", text)
        if "<!--" in rest or "-->" in rest:
            yield "a comment that does not end, or ends twice"
    yield from _unbalanced(rest)


def _unbalanced(text: str) -> Iterator[str]:
    """Tags without their counterpart: each parser mends these in its own way."""
    open_tags: list[str] = []
    counts: Counter[str] = Counter()
    at = 0
    while (found := _TAG.search(text, at)) is not None:
        at = found.end()
        closing, name, rest = found[1], found[2].lower(), found[3]
        if rest is None:
            yield f"{text[found.start() : found.start() + 40]!r} is no whole tag"
            return
        if closing:
            if not open_tags or open_tags[-1] != name:
                yield f"</{name}> ends {f'<{open_tags[-1]}>' if open_tags else 'nothing'}"
                return
            open_tags.pop()
        elif name in VOID or (rest.endswith("/") and not _FOREIGN.isdisjoint((*open_tags, name))):
            continue
        elif rest.endswith("/"):
            yield f"<{name}/> closes nothing in HTML: what follows stands inside it"
        else:
            counts[name] += 1
            open_tags.append(name)
            if name in _RAW:
                end = text.lower().find(f"</{name}", at)
                at = len(text) if end < 0 else end
    if open_tags:
        yield f"<{open_tags[-1]}> has no end"
    for name in ("html", "head", "body"):
        if counts[name] > 1:
            yield f"<{name}> stands {counts[name]} times"


def nesting(root: etree._Element) -> list[Problem]:
    """Elements where HTML does not allow them: browsers move such elements, or end the one around them."""
    found: dict[str, None] = {}
    for parent in root.iter("*"):
        above = local(parent)
        children = CHILDREN.get(above)
        if above in _TREACHEROUS:
            found[f"<{above}> reads differently in browsers"] = None
        if children and _stray(parent):
            found[f"words between the parts of <{above}>"] = None
        for child in parent.iterchildren("*"):
            name = local(child)
            if misplaced(above, name):
                found[f"<{name}> in <{above}>"] = None
            if name == "a" and (above == "a" or next(parent.iterancestors("{*}a"), None) is not None):
                found["<a> in <a>"] = None
    return [Problem(codes.MARKUP, text) for text in found]


def misplaced(above: str, name: str) -> bool:
    """Whether browsers move an element of this name out of one named `above`, or end that one before it."""
    homeless = name in _PARENTS and above not in _PARENTS[name]
    strange = above in CHILDREN and name not in CHILDREN[above] and name not in ("script", "template")
    return homeless or strange or (name in BLOCKS and above in _TEXT_ONLY)


def _stray(parent: etree._Element) -> bool:
    return bool((parent.text or "").strip()) or any((child.tail or "").strip() for child in parent)


# --- hidden in itself ---------------------------------------------------------------------------


_HIDING: Final = names("hidden inert aria-hidden popover")


def hidden_by_markup(element: etree._Element) -> str:
    """Why an element's words can not be seen, by its own name and attributes; "" where they can."""
    name, attributes = local(element), element.attrib
    if name not in SEEN and not _in_math(element):
        return f"<{name}>"
    if name == "details" and "open" not in attributes:
        return "<details> without open"
    if not attributes or _HIDING.isdisjoint(attributes):
        return ""
    for attribute in ("hidden", "inert", "popover"):
        if attribute in attributes:
            return f"attribute {attribute}"
    return 'aria-hidden="true"' if str(attributes.get("aria-hidden", "")).strip().lower() == "true" else ""


def _in_math(element: etree._Element) -> bool:
    return any(local(up) == "math" for up in element.iterancestors())


# --- blocks -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Owner:
    kind: str
    level: int = 0
    marker: str = ""
    scope: str = ""
    started: bool = False


@dataclass(frozen=True, slots=True)
class _At:
    within: tuple[str, ...] = ()
    silent: bool = False


@dataclass(slots=True)
class Text:
    """What a walk over a tree gives: blocks in order, and elements that hide words, with the reason."""

    blocks: list[Block] = field(default_factory=list)
    hidden: list[tuple[etree._Element, str]] = field(default_factory=list)


def text_of(root: etree._Element, *, skip: frozenset[etree._Element] = frozenset(), keep_hidden: bool = False) -> Text:
    """The blocks of a tree. Elements in `skip` are left out with their content; hidden ones are named in `hidden`
    and left out too, unless `keep_hidden`."""
    walk = _Walk(skip, keep_hidden)
    owner = _Owner("paragraph")
    walk.children(root, owner, _At())
    walk.flush(owner, _At())
    return Text(walk.blocks, walk.hidden)


def shown(element: etree._Element) -> str:
    """The visible text of one element on one line: what is hidden in itself is left out, blocks part words."""
    return fold(" ".join(block.text for block in text_of(element).blocks))


class _Walk:
    """One walk over a tree in document order; text runs become blocks of the innermost list item, cell, ..."""

    def __init__(self, skip: frozenset[etree._Element], keep_hidden: bool) -> None:
        self.skip, self.keep_hidden = skip, keep_hidden
        self.blocks: list[Block] = []
        self.hidden: list[tuple[etree._Element, str]] = []
        self.run: list[str] = []

    def children(self, element: etree._Element, owner: _Owner, at: _At) -> None:
        if element.text:
            self.run.append(element.text)
        for child in element:
            if isinstance(child.tag, str) and child not in self.skip:
                self._element(child, owner, at)
            if child.tail:
                self.run.append(child.tail)

    def flush(self, owner: _Owner, at: _At) -> None:
        text = fold("".join(self.run))
        self.run.clear()
        if text:
            self._emit(owner, at, text)

    def _emit(self, owner: _Owner, at: _At, text: str) -> None:
        first, owner.started = not owner.started, True
        self.blocks.append(Block(owner.kind, text, owner.level, first, owner.marker, owner.scope, at.within))

    def _element(self, element: etree._Element, owner: _Owner, at: _At) -> None:
        name = local(element)
        reason = hidden_by_markup(element)
        if reason and name not in ("script", "style", "img", "link", "meta", "svg", "head"):
            if _says_something(element):
                self.hidden.append((element, reason))
            if not self.keep_hidden:
                return
        elif reason:
            return
        if name == "math" and element.get("display") == "block":
            self.flush(owner, at)
            self.children(element, owner, at)
            self.flush(owner, at)
        elif "syn-credit" in element.get("class", "").split():
            self._credit(element, at)
        elif name in BLOCKS:
            self.flush(owner, at)
            self._block(element, name, owner, at)
        elif name == "br":
            self.run.append(" ")
        elif not _is_sign(element, name):
            if name in SCRIPTS and not _only_link(element) and fold("".join(map(str, element.itertext()))):
                self.run.append(SCRIPTS[name])
            self.children(element, owner, at)

    def _credit(self, element: etree._Element, at: _At) -> None:
        """A picture's credit line: a block of its own, even where it stands in a line of text."""
        before, self.run = self.run, []
        inner = _Owner("credit")
        self.children(element, inner, at)
        self.flush(inner, at)
        self.run = [*before, " "]

    def _block(self, element: etree._Element, name: str, owner: _Owner, at: _At) -> None:
        if name == "aside" and element.get("data-kind"):
            at = replace(at, within=(*at.within, element.get("data-kind", "")))
            owner.started = True
            owner = _Owner("paragraph")
        elif name in FILL:
            owner.started = True
        kind = ROLES.get(name, "")
        if kind and not (kind in ("paragraph", "preformatted") and owner.kind in KEEPS):
            level = int(name[1]) if kind == "heading" else 0
            owner = _Owner(kind, level, _number(element) if kind == "item" else "", element.get("scope", ""))
        self.children(element, owner, at)
        self.flush(owner, at)
        if not owner.started and name in ("td", "th"):
            self._emit(owner, at, "")


def _says_something(element: etree._Element) -> bool:
    return any(char.isalnum() for text in element.itertext() for char in str(text))


def _is_sign(element: etree._Element, name: str) -> bool:
    """Whether an element is a sign that a format adds: an arrow back to the text. A footnote's mark (*, †) is the author's."""
    here = name == "a" and element.get("href", "").startswith("#") and not len(element)
    return here and ARROW.fullmatch(element.text or "") is not None


def _only_link(script: etree._Element) -> bool:
    inner = [child for child in script if isinstance(child.tag, str)]
    if (script.text or "").strip() or len(inner) != 1 or (inner[0].tail or "").strip():
        return False
    return local(inner[0]) == "a" and inner[0].get("href", "").startswith("#")


def _number(item: etree._Element) -> str:
    parent = item.getparent()
    if parent is None or local(parent) != "ol":
        return ""
    before = sum(1 for each in item.itersiblings(preceding=True) if local(each) == "li")
    start = parent.get("start", "1")
    return item.get("value") or str((int(start) if re.fullmatch(r"-?\d+", start) else 1) + before)


# --- links, pictures, requests ------------------------------------------------------------------


def links(root: etree._Element) -> list[Link]:
    """Every hyperlink, in order."""
    found = []
    for element in root.iter("{*}a"):
        if (href := element.get("href")) is not None:
            names = (element.get(f"data-{name}", "") for name in ("topic", "language", "anchor"))
            found.append(Link(href, shown(element), " ".join(names).strip()))
    return found


def pictures(root: etree._Element) -> list[Picture]:
    """Every image with its alternative text, in order."""
    return [Picture(e.get("src", ""), fold(e.get("alt") or "")) for e in root.iter("{*}img")]


def ids(root: etree._Element) -> list[str]:
    """Every id, in order, doubles included."""
    return [str(found) for found in _IDS(root)]


_IDS: Final = etree.XPath("descendant-or-self::*/@id", smart_strings=False)


def active(root: etree._Element) -> list[Problem]:
    """Scripts, handlers, forms, frames. A script that is data (`application/ld+json`) does nothing."""
    found: dict[str, None] = {}
    for element in root.iter(*(f"{{*}}{name}" for name in sorted(_ACTIVE))):
        name = local(element)
        if name != "script" or (element.get("type") or "").strip().lower() != "application/ld+json":
            found[f"<{name}>"] = None
    for element in _HANDLING(root):
        for attribute in map(str, element.attrib):
            if attribute.lower().startswith("on"):
                found[f"<{local(element)} {attribute}>"] = None
    return [Problem(codes.ACTIVE, text) for text in found]


_HANDLING: Final = etree.XPath("descendant-or-self::*[@*[starts-with(translate(name(), 'ON', 'on'), 'on')]]")


def schemes(found: Sequence[Link]) -> list[Problem]:
    """Links that run or embed something instead of leading somewhere."""
    bad = [link.href for link in found if scheme(link.href) not in ("", "http", "https", "mailto", "tel", "sms")]
    return [Problem(codes.LINK_SCHEME, f"a link leads to {href[:80]!r}") for href in bad]


def scheme(url: str) -> str:
    """An address's scheme as a browser sees it (white space and control characters inside it do not count)."""
    found = _SCHEME.match(clean(url).lower()) if ":" in url else None
    return found[1] if found else ""


_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):")


def clean(url: str) -> str:
    """The address as a browser reads it: no tabs or line ends, no outer spaces, slashes for backslashes."""
    return url.translate(_IGNORED).strip(_OUTER).replace("\\", "/")


_IGNORED: Final = dict.fromkeys(map(ord, "\t\r\n"))
_OUTER: Final = "".join(map(chr, range(33)))
