"""What a rendering of a view must show: the topic's own words, in order, each with what it is.

In: a view's canonical body, a format's name and what that format may omit. Out: `Expected`. Nothing here
looks at a rendering, and nothing here is shared with the code that makes one.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeVar

from lxml import etree

from pipeline.audit._reading import Block, fold
from pipeline.audit._speech import Speech
from pipeline.audit._tables import heads
from pipeline.labels import Labels, labels
from pipeline.topic import BLOCKS, MATHML, Topic

_ROLES: Final = {
    "h": "heading",
    "p": "paragraph",
    "li": "item",
    "dt": "term",
    "dd": "definition",
    "td": "cell",
    "th": "header",
    "caption": "caption",
    "figcaption": "caption",
    "pre": "preformatted",
}
# These keep their role when their words stand in a paragraph of their own.
_KEEPS: Final = frozenset({"item", "term", "definition", "cell", "header", "caption"})
# An item or cell that begins with one of these has begun: its sign stands before what these hold.
_FILL: Final = frozenset({"ul", "ol", "dl", "table"})
_SCRIPTS: Final = {"sup": "^", "sub": "_"}
_MATH: Final = f"{{{MATHML}}}math"
# Another notation of a formula, which nobody sees.
_NOT_READ: Final = frozenset({f"{{{MATHML}}}annotation", f"{{{MATHML}}}annotation-xml"})
_HOLD_BLOCKS: Final = frozenset({"body", "section", "div", "figure", "aside", "blockquote"})


@dataclass(frozen=True, slots=True)
class ExpectedImage:
    """An image of the topic: input file, alternative text, whether the format may leave it out."""

    src: str
    alt: str
    optional: bool
    line: int
    file: str


@dataclass(frozen=True, slots=True)
class ExpectedLink:
    """A link of the topic: kind, address (external, local) or target topic and anchor, and its words."""

    kind: str
    href: str
    topic: str
    anchor: str
    text: str
    optional: bool
    line: int
    file: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What one format must show of one view. `omissible` counts what the format may leave out, by name."""

    blocks: tuple[Block, ...]
    images: tuple[ExpectedImage, ...]
    links: tuple[ExpectedLink, ...]
    omissible: Mapping[str, int]


def word(words: Labels, kind: str) -> str:
    """The word of an aside's kind, in the topic's language."""
    return {
        "note": words.text("Note"),
        "tip": words.text("Tip"),
        "warning": words.text("Warning"),
        "caution": words.text("Caution"),
        "danger": words.text("Danger"),
        "emergency": words.text("Emergency"),
    }[kind]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a format shows a topic: its name, what it may omit, the level of the first heading, whether pictures, links and
    formulas must be put into words (`spoken`), and the images that are not to be had (their words stand in their place)."""

    format: str
    omits: frozenset[str]
    base: int = 2
    spoken: bool = False
    missing: frozenset[str] = frozenset()


def expect(topic: Topic, key: str, manner: Manner) -> Expected:
    """The expectation, remembered by the view's key: many sites share one view, and many formats one walk."""
    whole = replace(manner, omits=frozenset())
    walk = _remembered(_walks, (key, whole), lambda: _Walk(topic, whole))
    return _remembered(_seen, (key, manner), lambda: walk.without(manner.omits))


def _remembered(known: OrderedDict[tuple[str, Manner], T], wanted: tuple[str, Manner], make: Callable[[], T]) -> T:
    if wanted not in known:
        known[wanted] = make()
        while len(known) > 256:
            known.popitem(last=False)
    return known[wanted]


T = TypeVar("T")
_walks: OrderedDict[tuple[str, Manner], _Walk] = OrderedDict()
_seen: OrderedDict[tuple[str, Manner], Expected] = OrderedDict()


def text_sha256(topic: Topic) -> str:
    """SHA-256 (hex) of the words alone - title, body text, alternative texts - so that it moves only when they do."""
    pieces = [fold(topic.metadata.title)]
    for element in topic.body.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in BLOCKS or element.tag == "br":
            pieces.append(" ")
        pieces += [element.get("alt", ""), _SCRIPTS.get(element.tag, ""), element.text or ""]
        if element.tail:
            pieces += [" " if element.tag in BLOCKS else "", element.tail]
    return hashlib.sha256(fold("\n".join(pieces[:1]) + " " + "".join(pieces[1:])).encode()).hexdigest()


@dataclass(slots=True)
class _Owner:
    """The list item, cell or paragraph that runs of text belong to."""

    kind: str
    level: int = 0
    marker: str = ""
    scope: str = ""
    started: bool = False


class _At(NamedTuple):
    """Where the walk stands: what holds for all text below."""

    within: tuple[str, ...] = ()
    depth: int = 0
    reasons: tuple[str, ...] = ()
    tables: tuple[int, ...] = ()
    column: bool = False
    repeats: bool = False
    line: int = 0
    file: str = ""


class _Walk:
    """One walk over a body; collects blocks, images and links, each with the names under which a format may leave it out."""

    def __init__(self, topic: Topic, manner: Manner) -> None:
        self.manner = manner
        self.targets: dict[str, tuple[str, ...] | None] = {}
        self.words = labels(topic.metadata.language)
        self.blocks: list[Block] = []
        self.images: list[tuple[ExpectedImage, tuple[str, ...]]] = []
        self.links: list[tuple[ExpectedLink, tuple[str, ...]]] = []
        self.figures: list[tuple[str, ...]] = []
        self.numbers: dict[etree._Element, str] = {}  # of the items of ordered lists
        self.run: list[str] = []
        self.tables = 0
        self.heads: set[etree._Element] = set()
        self.over: dict[etree._Element, tuple[etree._Element, ...]] = {}
        self.said: dict[etree._Element, list[str]] = {}
        self.under: tuple[str, ...] = ()
        self.speech = Speech(topic.body, self.words, manner.format) if manner.spoken else None
        at, owner = _At(line=topic.metadata.line, file=topic.metadata.file), _Owner("paragraph")
        self._children(topic.body, owner, at)
        self._flush(owner, at)
        self._aim(topic.body)

    def without(self, omits: frozenset[str]) -> Expected:
        """What a format must show that may leave these out."""
        counts: Counter[str] = Counter()
        blocks = [b._replace(optional=True) if b.reasons and not omits.isdisjoint(b.reasons) else b for b in self.blocks]
        images = [replace(i, optional=True) if reasons and not omits.isdisjoint(reasons) else i for i, reasons in self.images]
        counts["illustrations"] = sum(_omitted(reasons, omits) == "" for reasons in self.figures if "illustrations" in omits)
        links = []
        for link, reasons in self.links:
            name, omitted = _NAMES.get(link.kind, ""), _omitted(reasons, omits)
            if omitted in ("definitions", "illustrations") or (omitted == "related" and link.kind != "topic"):
                continue
            if name in omits or omitted:
                counts[name] += 1
            target = self.targets.get(link.href, ())
            if target is not None:
                goes = omitted or name in omits or _omitted(target, omits)
                links.append(replace(link, optional=True) if goes else link)
        return Expected(tuple(blocks), tuple(images), tuple(links), +counts)

    def _aim(self, body: etree._Element) -> None:
        """Notes for each link inside the topic why its target may be left out; None where this format has no such place."""
        inside = {link.href for link, _ in self.links if link.kind in ("local", "definition", "footnote")}
        places = {f"#{one.get('id')}": one for one in body.iterfind(".//*[@id]")} if inside else {}
        for href in inside:
            around = [places[href], *places[href].iterancestors()] if href in places else []
            shown = around and all(map(self._shown, around))
            self.targets[href] = tuple(filter(None, map(_may_go, reversed(around)))) if shown else None

    def _shown(self, element: etree._Element) -> bool:
        if not isinstance(element.tag, str):
            return False
        alone = element.get("data-only")
        return not alone or self.manner.format in alone.split()

    def _children(self, element: etree._Element, owner: _Owner, at: _At) -> None:
        self.run.append(element.text or "")
        for child in _with_caption_last(element) if element.tag == "figure" else element:
            if self._shown(child) and child.tag not in _NOT_READ:
                if child.tag in BLOCKS or (child.tag == _MATH and element.tag in _HOLD_BLOCKS):
                    self._flush(owner, at)
                    self._block(child, owner, at)
                else:
                    self._inline(child, owner, at)
            self.run.append(child.tail or "")

    def _flush(self, owner: _Owner, at: _At) -> None:
        text = fold("".join(self.run))
        self.run.clear()
        if text:
            self._emit(owner, at, text)

    def _emit(self, owner: _Owner, at: _At, text: str, optional: bool = False) -> None:
        first, owner.started = not owner.started, True
        own = owner.kind, text, owner.level, first, owner.marker, owner.scope
        self.blocks.append(
            Block(*own, at.within, at.line, at.file, optional, at.tables, at.column, at.repeats, self.under, at.reasons)
        )
        self.under = ()

    def _block(self, element: etree._Element, owner: _Owner, at: _At) -> None:
        at = self._at(element, at)
        kind = _ROLES.get(str(element.tag), "")
        if element.tag == "aside":
            self._emit(_Owner("word"), at, word(self.words, element.get("data-kind", "note")))
            owner.started = True
            owner = _Owner("paragraph")
        elif element.tag == "section" and element.find("h") is None:
            if label := section_label(self.words, element.get("data-kind", "")):
                self._emit(_Owner("word"), at, label, optional=True)
        elif element.tag == _MATH:
            self._inline(element, owner, at)
        elif element.tag in _FILL:
            owner.started = True
            if element.tag == "ol":
                start = int(element.get("start", "1"))
                self.numbers.update((item, str(n)) for n, item in enumerate(element.iterchildren("li"), start))
        if kind and not (kind in ("paragraph", "preformatted") and owner.kind in _KEEPS):
            owner = self._owner(element, kind, at)
        start = len(self.blocks)
        self.under = tuple(text for head in self.over.get(element, ()) for text in self.said.get(head, ())) or self.under
        if element.tag != _MATH:
            self._children(element, owner, at)
        self._flush(owner, at)
        if not owner.started and element.tag in ("td", "th"):
            self._emit(owner, at, "")
        if at.column and element.tag in ("td", "th"):
            self.said[element] = [block.text for block in self.blocks[start:] if block.text]

    def _at(self, element: etree._Element, at: _At) -> _At:
        tag, get = element.tag, element.get
        line, file = get("data-line"), get("data-file", at.file)
        place = int(line) if line else at.line
        if tag in _PLAIN:
            return _At(at.within, at.depth, at.reasons, at.tables, at.column, at.repeats, place, file)
        reason = _may_go(element)
        if reason == "illustrations":
            self.figures.append(at.reasons)
        return _At(
            (*at.within, get("data-kind", "note")) if tag == "aside" else at.within,
            at.depth + 1 if tag == "section" and element.find("h") is not None else at.depth,
            (*at.reasons, reason) if reason else at.reasons,
            (*at.tables, self._table(element)) if tag == "table" else at.tables,
            element in self.heads if tag == "tr" else at.column and tag != "table",
            get("rowspan", "1") != "1" if tag in ("td", "th") else at.repeats,
            place,
            file,
        )

    def _table(self, table: etree._Element) -> int:
        """The table's number; its header rows and the headers over its cells are noted."""
        found = heads(table, self._shown)
        self.heads.update(found.rows)
        self.over.update(found.over)
        self.tables += 1
        return self.tables

    def _owner(self, element: etree._Element, kind: str, at: _At) -> _Owner:
        if kind == "heading":
            parent = element.getparent()
            inside = parent is not None and parent.tag == "aside"
            return _Owner(kind, 0 if inside else min(6, self.manner.base - 1 + max(1, at.depth)))
        marker = self.numbers.get(element, "") if kind == "item" else ""
        return _Owner(kind, marker=marker, scope=element.get("scope", ""))

    def _inline(self, element: etree._Element, owner: _Owner, at: _At) -> None:
        tag, start = element.tag, len(self.run)
        if tag == "br":
            self.run.append(" ")
        elif tag == "img":
            self._image(element, at)
        elif tag == _MATH and self.speech:
            self.run.append(self.speech.formula(element))
        else:
            script = "" if _only_link(element) else _SCRIPTS.get(str(tag), "")
            self._children(element, owner, at)
            if script and fold("".join(self.run[start:])):
                self.run.insert(start, script)
        if tag == "a":
            self._link(element, fold("".join(self.run[start:])), at)
        if self.speech and tag != "img":
            self.run[start:] = [self.speech.said(element, "".join(self.run[start:]))]

    def _image(self, element: etree._Element, at: _At) -> None:
        source, alt = element.get("src", ""), fold(element.get("alt", ""))
        self.images.append((ExpectedImage(source, alt, False, at.line, at.file), at.reasons))
        if self.speech:
            self.run.append(self.speech.picture(alt))
        elif source in self.manner.missing:
            self.run.append(alt)

    def _link(self, element: etree._Element, text: str, at: _At) -> None:
        kind, href, topic, anchor = (element.get(name, "") for name in ("data-kind", "href", "data-topic", "data-anchor"))
        self.links.append((ExpectedLink(kind, href, topic, anchor, text, False, at.line, at.file), at.reasons))


_NAMES: Final = {"topic": "cross-references", "definition": "definitions"}
# Nothing about these changes what holds for the text below but where they stand.
_PLAIN: Final = frozenset({"p", "ul", "ol", "li", "dl", "dt", "dd", "h", "thead", "tbody", "tfoot", "div", "caption", "pre"})


def _may_go(element: etree._Element) -> str:
    """The name under which formats may leave this element out, or ""."""
    if element.tag == "section":
        return {"related": "related", "glossary": "definitions"}.get(element.get("data-kind", ""), "")
    return "illustrations" if element.tag == "figure" and _only_pictures(element) else ""


def _omitted(reasons: tuple[str, ...], omits: frozenset[str]) -> str:
    """The outermost reason for which a format leaves something out; "" where it does not."""
    return next((reason for reason in reasons if reason in omits), "")


def section_label(words: Labels, kind: str) -> str:
    """The heading that formats give a section of this kind where its author gave none, or ""."""
    if kind == "glossary":
        return words.text("Definitions")
    if kind == "footnotes":
        return words.text("Footnotes")
    return words.text("Related information") if kind == "related" else ""


def _with_caption_last(figure: etree._Element) -> list[etree._Element]:
    """The parts of a figure as HTML allows them: its caption first or last."""
    parts = list(figure)
    caption = figure.find("figcaption")
    if caption is not None and caption is not parts[0] and caption is not parts[-1]:
        parts.remove(caption)
        parts.append(caption)
    return parts


def _only_pictures(figure: etree._Element) -> bool:
    """Whether a figure is nothing but pictures, none of them required."""
    pictures = [child for child in figure if isinstance(child.tag, str) and child.tag != "figcaption"]
    return all(child.tag == "img" and child.get("data-required") != "yes" for child in pictures)


def _only_link(script: etree._Element) -> bool:
    """Whether a super- or subscript is nothing but the mark of a footnote or definition."""
    inner = [child for child in script if isinstance(child.tag, str)]
    if (script.text or "").strip() or len(inner) != 1 or (inner[0].tail or "").strip():
        return False
    return inner[0].tag == "a" and inner[0].get("data-kind") in ("definition", "footnote")
