"""From a canonical body to an HTML tree: shared by every format that is HTML inside.

In: a view, its images, and `Options` (what the format leaves out, where links and images lead). Out: `Rendered`: a
`<div class="syn-body">`, its table of contents, what was left out, and the images used. `to_html` and `to_xhtml` print
the tree.

Every class is `syn-*` and every id `syn-<topic id>--<anchor>`, so that a fragment can stand in any page. Anchors are
the source's own ids, or slugs of titles; never counters, which would move when an editor adds a section. Elements and
attributes pass by allow-list: what the canonical vocabulary does not know keeps its words and loses its mark-up.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple
from urllib.parse import quote

from lxml import etree

from pipeline.contracts import Assets, Image, View
from pipeline.labels import Labels, direction, labels
from pipeline.topic import BLOCKS, MATHML, PROVENANCE, plain, slug
from pipeline.trees import before, emptied, remove
from transforms._addresses import TopicLink, at_media_path, outside, topic_links
from transforms._anchors import Anchors, anchor_id
from transforms._math import words as in_words
from transforms._mathml import clean_math, names
from transforms._numbers import join_numbers
from transforms._trees import to_html, to_xhtml, wrap

__all__ = [
    "Entry",
    "Options",
    "Rendered",
    "anchor_id",
    "at_media_path",
    "outside",
    "render",
    "to_html",
    "to_xhtml",
    "topic_links",
]


@dataclass(frozen=True, slots=True)
class Options:
    """How a format wants the body. `topic_link` gives the address of (topic, language, anchor), None turns links to
    other topics into their own words; `definitions`, `related`: whether links to definitions and their list, and lists of
    related topics, are kept; `illustrations`: or only those marked required; `ways_back`: whether footnotes and
    definitions lead back to the text; `media` gives an image's address."""

    format: str
    topic_link: TopicLink | None
    media: Callable[[Image], str]
    definitions: bool = True
    related: bool = True
    illustrations: bool = True
    ways_back: bool = True
    heading_base: int = 2


class Entry(NamedTuple):
    """A line of the table of contents: id of the section, its title, its subsections."""

    id: str
    text: str
    children: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """A body as HTML. `omitted` counts, by name, what the options left out of this topic."""

    element: etree._Element
    toc: tuple[Entry, ...]
    omitted: Mapping[str, int]
    media: tuple[Image, ...]

    @cached_property
    def html(self) -> bytes:
        """The tree, printed as HTML."""
        return to_html(self.element)


# --- rendering ----------------------------------------------------------------------------------

_INLINES: Final = names("em strong i b u s sub sup code kbd samp var cite q dfn span bdi abbr br a img")
_KNOWN: Final = _INLINES | BLOCKS | {"body"}
_KEPT_ATTRIBUTES: Final = names("id lang dir start type scope colspan rowspan title")
_UNWRAP: Final = "syn-unwrap"  # elements of this name lose their tags at the end of the work
_HAS_ID: Final = etree.XPath("descendant::*[@id]")
_HAS_ONLY: Final = etree.XPath("descendant::*[@data-only]")


def render(view: View, assets: Assets, options: Options) -> Rendered:
    """The body of a view as HTML. The view is left as it is."""
    work = _Work(view, assets, options)
    work.leave_out()
    work.take_ids()
    for element in list(work.root.iter(etree.Element)):
        work.visit(element)
    work.finish()
    return Rendered(work.root, work.toc(), dict(work.omitted), tuple(work.media.values()))


@dataclass(slots=True)
class _Section:
    """What is known of a section while its content is visited."""

    depth: int
    id: str = ""
    title: str = ""
    parent: _Section | None = None
    children: list[_Section] = field(default_factory=list)

    def entries(self) -> tuple[Entry, ...]:
        """The entries below this section; what has no title hands its own up."""
        return tuple(
            entry
            for child in self.children
            for entry in ([Entry(child.id, child.title, child.entries())] if child.title else child.entries())
        )


class _Work:
    """One rendering: a copy of the tree, changed in place."""

    def __init__(self, view: View, assets: Assets, options: Options) -> None:
        self.metadata, self.assets, self.options = view.topic.metadata, assets, options
        self.words: Labels = labels(self.metadata.language)
        self.root = copy.deepcopy(view.topic.body)
        self.root.tail = None
        self.anchors = Anchors(self.metadata.id)
        self.omitted: Counter[str] = Counter()
        self.media: dict[str, Image] = {}
        self.top = _Section(0)
        self.sections: dict[etree._Element, _Section] = {}
        self.targets: dict[str, etree._Element] = {}
        self.landmarks: set[str] = set()

    # what goes

    def leave_out(self) -> None:
        """Takes out what is for other formats, and what this format leaves out."""
        etree.strip_attributes(self.root, *PROVENANCE, "data-audience")
        etree.strip_elements(self.root, etree.Comment, etree.ProcessingInstruction, with_tail=False)
        for element in _HAS_ONLY(self.root):
            if self.options.format not in element.get("data-only").split() and not emptied(element):
                remove(element)
        if not self.options.related:
            self._leave_out_sections("related", "topic", "cross-references")
        if not self.options.definitions:
            self._leave_out_sections("glossary", "", "")
        if not self.options.illustrations:
            self._leave_out_figures()

    def _leave_out_sections(self, kind: str, link_kind: str, counted_as: str) -> None:
        for section in list(self.root.iter("section")):
            if section.get("data-kind") == kind:
                if counted_as:
                    self.omitted[counted_as] += sum(a.get("data-kind") == link_kind for a in section.iter("a"))
                remove(section)

    def _leave_out_figures(self) -> None:
        for figure in list(self.root.iter("figure")):
            if _only_pictures(figure):
                self.omitted["illustrations"] += 1
                remove(figure)

    def take_ids(self) -> None:
        """Gives the source's ids their form in the page. The first of two equal ones keeps it, as in a browser."""
        for element in _HAS_ID(self.root):
            taken = self.anchors.from_source(element.get("id"))
            if taken:
                element.set("id", taken)
                self.targets[taken] = element
            else:
                del element.attrib["id"]

    def finish(self) -> None:
        """Makes the root an element of its own right, and drops the tags that were marked for it."""
        etree.strip_tags(self.root, _UNWRAP)
        for element, known in self.sections.items():
            if not known.title:  # a section without a heading is none, for readers who go from heading to heading
                element.tag = "div"
        self.root.tag = "div"
        self.root.attrib.clear()
        for name, value in (("class", "syn-body"), ("lang", self.metadata.language), ("dir", self.words.direction)):
            self.root.set(name, value)

    def toc(self) -> tuple[Entry, ...]:
        """The headed sections, nested."""
        return self.top.entries()

    # what stays

    def visit(self, element: etree._Element) -> None:
        """Turns one element into HTML. Called in document order."""
        tag = element.tag
        if tag not in _KNOWN:
            self._unknown(element)
            return
        data = dict(element.items())
        if data:
            self._attributes(element, data)
        handler = _HANDLERS.get(tag)
        if handler is not None:
            handler(self, element, data)
        join_numbers(element)
        if tag in BLOCKS and not element.tail:
            element.tail = "\n"

    def _unknown(self, element: etree._Element) -> None:
        if element.tag == f"{{{MATHML}}}math":
            clean_math(element)
            if element.get("display") == "block":
                self._formula(element)
        elif not str(element.tag).startswith("{" + MATHML):
            element.tag = _UNWRAP

    def _formula(self, element: etree._Element) -> None:
        """A formula on lines of its own can be wider than a telephone, too; `math` itself can not be reached by the keyboard."""
        wrapper = etree.Element("span")
        wrapper.attrib.update({"class": "syn-formula", "role": "group", "tabindex": "0", "aria-label": in_words(element)})
        wrap(element, wrapper)

    def _attributes(self, element: etree._Element, data: dict[str, str]) -> None:
        for name in data:
            if name not in _KEPT_ATTRIBUTES:
                del element.attrib[name]
        language = data.get("lang")
        if language and "dir" not in data and direction(language) != self.words.direction:
            element.set("dir", direction(language))

    def section_of(self, element: etree._Element) -> _Section:
        """The innermost section around an element."""
        around = next(element.iterancestors("section"), None)
        return self.top if around is None else self.sections[around]

    def heading(self, element: etree._Element, depth: int) -> None:
        """Makes an element the heading of a level: h6 with its true level beyond six."""
        level = self.options.heading_base - 1 + depth
        element.tag = f"h{min(level, 6)}"
        if level > 6:
            element.set("aria-level", str(level))

    def section(self, element: etree._Element, data: dict[str, str]) -> None:
        """A section gets an id, its title a level; what has no title, but a kind that readers look for, gets one."""
        kind, outer, heading = data.get("data-kind", ""), self.section_of(element), element.find("h")
        known = _Section(outer.depth + (heading is not None), parent=outer)
        outer.children.append(known)
        self.sections[element] = known
        if kind:
            element.set("class", f"syn-section syn-section--{slug(kind)}")
        if heading is None and (label := _section_label(self.words, kind)):
            heading = etree.Element("h")
            heading.text = label
            element.insert(0, heading)
            self.heading(heading, outer.depth + 1)
        if heading is not None:
            self._title(element, heading, known)

    def _title(self, element: etree._Element, heading: etree._Element, known: _Section) -> None:
        known.title = plain(heading) if len(heading) else " ".join((heading.text or "").split())
        above = known.parent.id if known.parent else ""
        known.id = element.get("id") or self.anchors.derived(slug(known.title), above, lambda: plain(element))
        element.set("id", known.id)
        if known.parent is self.top and known.title and known.title not in self.landmarks:
            # A named section is a landmark: one per main part helps, one per subsection would be noise, and two of one
            # name could not be told apart.
            self.landmarks.add(known.title)
            if heading.get("id") is None:
                heading.set("id", self.anchors.beside(known.id, "title"))
            element.set("aria-labelledby", str(heading.get("id")))

    def h(self, element: etree._Element, _: dict[str, str]) -> None:
        """A heading that a section or an aside has."""
        parent = element.getparent()
        inside = parent is not None and parent.tag == "aside"
        around = self.section_of(element)
        self.heading(element, around.depth + inside)
        if not len(element) and not (element.text or "").strip():
            remove(element)

    def p(self, element: etree._Element, data: dict[str, str]) -> None:
        """A paragraph; its kind becomes a class."""
        if data.get("data-kind"):
            element.set("class", f"syn-p syn-p--{slug(data['data-kind'])}")

    def list(self, element: etree._Element, data: dict[str, str]) -> None:
        """A list; its kind becomes a class."""
        if data.get("data-kind"):
            element.set("class", f"syn-{slug(data['data-kind'])}")

    def aside(self, element: etree._Element, data: dict[str, str]) -> None:
        """A note or warning: the word of its kind is written, not only coloured. `role="note"` keeps it from being a
        landmark, which an `aside` inside of `main` must not be."""
        kind = data.get("data-kind", "note")
        word = _aside_word(self.words, kind)
        element.attrib.update({"class": f"syn-note syn-note--{kind}", "data-kind": kind, "role": "note"})
        label = etree.Element("p")
        label.set("class", "syn-note__label")
        label.text = word
        element.insert(0, label)

    def table(self, element: etree._Element, _: dict[str, str]) -> None:
        """A table stands in a named region that the keyboard can reach, because it may be wider than a telephone."""
        if next(element.iterancestors("table"), None) is not None:
            return
        wrapper = etree.Element("div")
        wrapper.attrib.update({"class": "syn-table", "role": "region", "tabindex": "0"})
        caption = element.find("caption")
        title = plain(caption) if caption is not None else ""
        if caption is not None and title:
            if caption.get("id") is None:
                caption.set("id", self.anchors.derived(slug(title), self.section_of(element).id, lambda: plain(element)))
            wrapper.set("aria-labelledby", str(caption.get("id")))
        else:
            title = self.words.text("Table: {title}", title=self._table_title(element))
            wrapper.set("aria-label", title)
        if title in self.landmarks:
            wrapper.set("role", "group")
        self.landmarks.add(title)
        wrap(element, wrapper)

    def _table_title(self, table: etree._Element) -> str:
        """What a table without caption is about: its column headings, else the section that it stands in."""
        row = table.find("thead/tr")
        columns = ", ".join(filter(None, map(plain, row))) if row is not None else ""
        return columns or self.section_of(table).title or self.metadata.title

    def figure(self, element: etree._Element, _: dict[str, str]) -> None:
        """A figure's caption stands last in it (HTML knows it first or last only), credit lines before it."""
        caption = element.find("figcaption")
        if caption is not None and caption is not element[0] and caption is not element[-1]:
            element.append(caption)

    def img(self, element: etree._Element, data: dict[str, str]) -> None:
        """An image at its address, with its size, its alternative text and its credit line. One that the view does not
        have is shown by its alternative text."""
        image = self.assets.images.get(data.get("src", ""))
        if image is None:
            element.tag, element.text = _UNWRAP, data.get("alt", "")
            return
        self.media[image.path] = image
        element.set("src", self.options.media(image))
        element.set("alt", data.get("alt", ""))
        width, height = image.width or data.get("width"), image.height or data.get("height")
        if width and height:
            element.set("width", str(width))
            element.set("height", str(height))
        if image.credit:
            _credit(element, image.credit)

    def a(self, element: etree._Element, data: dict[str, str]) -> None:
        """A link. One that leads nowhere here, or stands inside another link, keeps its words."""
        maker = _LINKS.get(data.get("data-kind", ""))
        if maker is None or not maker(self, element, data) or next(element.iterancestors("a"), None) is not None:
            element.tag = _UNWRAP
            element.attrib.clear()

    def topic_link(self, element: etree._Element, data: dict[str, str]) -> bool:
        """A link to another topic says which one, so that a partner can lead it elsewhere."""
        if self.options.topic_link is None:
            self.omitted["cross-references"] += 1
            return False
        topic, anchor = data.get("data-topic", ""), data.get("data-anchor", "")
        language = data.get("data-language") or self.metadata.language
        element.set("href", self.options.topic_link(topic, language, anchor))
        element.attrib.update({"data-topic": topic, "data-language": language})
        if anchor:
            element.set("data-anchor", anchor)
        return True

    def external_link(self, element: etree._Element, data: dict[str, str]) -> bool:
        """A link out of the publisher's topics."""
        href = outside(data.get("href", ""))
        if href:
            element.attrib.update({"href": href, "rel": "external noopener"})
        return bool(href)

    def local_link(self, element: etree._Element, data: dict[str, str]) -> bool:
        """A link inside the topic."""
        target = self.anchors.of(data.get("href", "").removeprefix("#"))
        if target is not None:
            element.set("href", f"#{quote(target, safe='-._~')}")
        return target is not None

    def definition_link(self, element: etree._Element, data: dict[str, str]) -> bool:
        """A word that is explained in the list of definitions, from which the first such link is the way back."""
        if not self.options.definitions:
            self.omitted["definitions"] += 1
            return False
        element.set("class", "syn-definition")
        return self._note_link(element, data)

    def footnote_link(self, element: etree._Element, data: dict[str, str]) -> bool:
        """The mark of a footnote, to which the footnote leads back."""
        element.set("class", "syn-footnote")
        return self._note_link(element, data)

    def _note_link(self, element: etree._Element, data: dict[str, str]) -> bool:
        if not self.local_link(element, data):
            return False
        target = self.anchors.of(data["href"].removeprefix("#"))
        if self.options.ways_back and target is not None and self.anchors.first_reference(target):
            if element.get("id") is None:
                element.set("id", self.anchors.beside(target, "ref"))
            self._way_back(target, str(element.get("id")))
        return True

    def _way_back(self, target: str, reference: str) -> None:
        note = self.targets[target]
        if note.tag == "dt":
            note = next(note.itersiblings("dd"), note)
        elif note.tag not in ("li", "dd", "p"):
            return
        last = note[-1] if len(note) and note[-1].tag == "p" else note
        back = etree.SubElement(last, "a")
        back.attrib.update(
            {"class": "syn-back", "href": f"#{quote(reference, safe='-._~')}", "title": self.words.text("Back to text")}
        )
        back.text = "↩"
        before(back, "\u00a0")


_Handler = Callable[[_Work, etree._Element, dict[str, str]], None]
_HANDLERS: Final[dict[str, _Handler]] = {
    "section": _Work.section,
    "h": _Work.h,
    "p": _Work.p,
    "ul": _Work.list,
    "ol": _Work.list,
    "aside": _Work.aside,
    "table": _Work.table,
    "figure": _Work.figure,
    "img": _Work.img,
    "a": _Work.a,
}
_LINKS: Final[dict[str, Callable[[_Work, etree._Element, dict[str, str]], bool]]] = {
    "topic": _Work.topic_link,
    "external": _Work.external_link,
    "local": _Work.local_link,
    "definition": _Work.definition_link,
    "footnote": _Work.footnote_link,
}


# --- words --------------------------------------------------------------------------------------


def _aside_word(words: Labels, kind: str) -> str:
    return {
        "tip": words.text("Tip"),
        "warning": words.text("Warning"),
        "caution": words.text("Caution"),
        "danger": words.text("Danger"),
        "emergency": words.text("Emergency"),
    }.get(kind) or words.text("Note")


def _section_label(words: Labels, kind: str) -> str:
    if kind == "glossary":
        return words.text("Definitions")
    if kind == "footnotes":
        return words.text("Footnotes")
    return words.text("Related information") if kind == "related" else ""


# --- trees --------------------------------------------------------------------------------------


def _credit(image: etree._Element, text: str) -> None:
    """Sets an image's credit line right after it."""
    parent = image.getparent()
    assert parent is not None
    credit = etree.Element("p" if parent.tag in ("figure", "div", "body") else "small")
    credit.set("class", "syn-credit")
    credit.text = text
    credit.tail, image.tail = image.tail, None
    parent.insert(parent.index(image) + 1, credit)


def _only_pictures(figure: etree._Element) -> bool:
    """Whether a figure is pictures alone, none of them needed to follow the text."""
    content = [child for child in figure if child.tag != "figcaption"]
    return all(child.tag == "img" and child.get("data-required") != "yes" for child in content)
