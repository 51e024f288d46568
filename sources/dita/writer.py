"""One topic's conversion: state, and the step from one DITA element to canonical items.

In: a resolved copy of a topic. Out: items (see flow.py), findings, footnotes, definitions, related links. What an
element becomes is said by the handlers (blocks.py, inline.py, tables.py, ...), which get the `Writer` and the
element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from lxml import etree

from pipeline.contracts import Unit
from pipeline.findings import Code, Finding
from pipeline.labels import Labels, UnknownLanguage, labels
from pipeline.topic import XML_LANG
from sources.dita import codes
from sources.dita.conditions import no_format
from sources.dita.documents import language_tag
from sources.dita.flow import Item, add_all, blank, blocks, words
from sources.dita.model import Data
from sources.dita.names import is_a, names
from sources.dita.places import Ref
from sources.dita.reuse import Origin, Resolver

Handler = Callable[["Writer", etree._Element], list[Item]]

_MOST_KNOWN: Final = 4096
_WITH_ID: Final = etree.XPath("descendant-or-self::*[@id]")
_HREFS: Final = etree.XPath("descendant::*/@href")
_DIRECTIONS: Final = {"ltr": "ltr", "rtl": "rtl", "lro": "ltr", "rlo": "rtl"}
_CONTAINERS: Final = frozenset({"body", "section", "example", "bodydiv", "sectiondiv", "div", "topic", "note", "lq", "fig"})


class Handlers:
    """What makes canonical items of an element, by the element's names."""

    def __init__(self, by_name: Mapping[str, Handler]) -> None:
        self._by_name = by_name
        self._known: dict[tuple[str, str | None], Handler] = {}

    def of(self, element: etree._Element) -> Handler:
        """The handler of the most special name that has one; else the one that keeps unknown elements' words."""
        key = (str(element.tag), element.get("class"))
        found = self._known.get(key)
        if found is None:
            found = next((self._by_name[name] for name in names(element) if name in self._by_name), Writer.keep_unknown)
            if len(self._known) < _MOST_KNOWN:  # class attributes come from outside
                self._known[key] = found
        return found


class Writer:
    """Converts one topic. `ids` are the published units; without them (in `index`) links are only words."""

    def __init__(
        self, resolver: Resolver, data: Data, ids: Mapping[Unit, str], unit: Unit, language: str, handlers: Handlers
    ) -> None:
        self.resolver, self.data, self.ids, self.unit, self.language = resolver, data, ids, unit, language
        self.root_id = data.roots.get(unit, "")
        self.origin = Origin(unit.file, self.root_id)
        self.findings: list[Finding] = []
        self.anchors: dict[etree._Element, str] = {}
        self.targets: dict[Ref, etree._Element] = {}
        self.footnotes: dict[etree._Element, tuple[str, etree._Element, int]] = {}
        self.definitions: dict[Ref, tuple[str, etree._Element | None]] = {}
        self.related: list[tuple[etree._Element | None, list[etree._Element]]] = []
        self.linked: set[tuple[str, str]] = set()
        self.expanding: tuple[str, ...] = ()  # keys whose text is being written, against circles
        self.labels = _labels(language)
        self._handlers = handlers
        self._taken: set[str] = set()
        self._read: set[etree._Element] = set()
        self._aimed: tuple[int, frozenset[etree._Element]] = (0, frozenset())
        self._called: dict[etree._Element, frozenset[str]] = {}
        self._settled: set[etree._Element] = set()
        self._unknown: dict[tuple[str, str], tuple[int, int]] = {}

    # --- conversion

    def content(self, element: etree._Element, *skipped: etree._Element | None) -> list[Item]:
        """What stands in an element, as items; `skipped` children are left out."""
        self._read.add(element)
        text = element.text
        items: list[Item] = [text] if text else []
        for one in element:
            if isinstance(one.tag, str) and not (skipped and any(one is other for other in skipped)):
                items += self.convert(one)
            text = one.tail
            if text:
                items.append(text)
        return items

    def convert(self, element: etree._Element) -> list[Item]:
        """What an element becomes."""
        handler = self._handlers.of(element)
        return self.there(element, handler) if self.resolver.origins else handler(self, element)

    def there(self, element: etree._Element, handler: Handler) -> list[Item]:
        """A handler's items, made where the element comes from."""
        origin = self.resolver.origins.get(element)
        if origin is None:
            return handler(self, element)
        before, self.origin = self.origin, origin
        try:
            return handler(self, element)
        finally:
            self.origin = before

    def words(self, element: etree._Element, *skipped: etree._Element | None) -> list[Item]:
        """What stands in an element, where only words may stand."""
        return words(self.content(element, *skipped))

    def keep_unknown(self, element: etree._Element) -> list[Item]:
        """An element of no known name: its words, and a finding at the end."""
        name = names(element)[0]
        line, count = self._unknown.get((self.origin.file, name), (element.sourceline or 0, 0))
        self._unknown[self.origin.file, name] = line, count + 1
        return self.standing(element, self.content(element))

    def standing(self, element: etree._Element, items: list[Item]) -> list[Item]:
        """The items of an element that may stand among words or among blocks; there, as blocks of their own."""
        parent = element.getparent()
        alone = parent is None or any(one in _CONTAINERS for one in names(parent))
        return list(blocks(items, str(element.sourceline or 0))) if alone else items

    def words_there(self, element: etree._Element) -> list[Item]:
        """The words in an element, made where it comes from."""
        return self.there(element, Writer.words)

    def head(self, made: etree._Element, title: etree._Element | None) -> None:
        """Puts a `title`, where there is one that says something, into a section as its `h`."""
        if title is not None:
            items = self.words_there(title)
            if not blank(items):
                heading = etree.SubElement(made, "h")
                self.there(title, lambda writer, one: [writer.mark(heading, one)])
                add_all(heading, items)

    def group(self, element: etree._Element, made: list[etree._Element]) -> list[etree._Element]:
        """The blocks of an element, held together where its id, language or conditions are theirs (of a body, not its id)."""
        if not made or not set(self.attributes(element)) - ({"id"} if is_a(element, "body") else set()):
            return made
        return [add_all(self.mark(etree.Element("div"), element), made)]

    # --- findings

    def find(self, code: Code, element: etree._Element, text: str) -> None:
        """A finding at an element."""
        self.findings.append(code.at(self.origin.file, element.sourceline, text))

    def all_findings(self) -> list[Finding]:
        """Every finding of the conversion and of what led to it."""
        unknown = [
            codes.UNKNOWN.at(file, line, f"<{name}> ({count} in this topic) is no DITA element")
            for (file, name), (line, count) in self._unknown.items()
        ]
        return [*self.resolver.findings, *self.resolver.keys.findings, *self.findings, *unknown]

    def settle(self, element: etree._Element) -> list[Item]:
        """Says that an element's words are not for readers, or are dealt with otherwise: nothing of it is lost."""
        self._settled.add(element)
        return []

    def find_lost(self, element: etree._Element) -> None:
        """A finding for every element whose words nothing has taken up."""
        if element in self._settled:
            return
        if element not in self._read and ((element.text or "").strip() or any((one.tail or "").strip() for one in element)):
            file, line = self.resolver.place(element, self.unit.file)
            words = " ".join(" ".join((element.text or "", *(one.tail or "" for one in element))).split())
            self.findings.append(codes.OUT_OF_PLACE.at(file, line, f"right in <{names(element)[0]}>: {words[:80]!r}"))
            return
        for one in element:
            if isinstance(one.tag, str):
                self.find_lost(one)

    # --- attributes

    def mark(self, made: etree._Element, element: etree._Element, *, name: bool = True) -> etree._Element:
        """Puts on a block what all blocks carry: id, language, conditions, where it comes from."""
        made.attrib.update(self.attributes(element, name=name))
        made.set("data-line", str(element.sourceline or 0))
        if self.origin.file != self.unit.file:
            made.set("data-file", self.origin.file)
        return made

    def attributes(self, element: etree._Element, *, name: bool = True) -> dict[str, str]:
        """The attributes of an element that matter to us."""
        anchor = self.anchors.get(element) if name else None
        if not element.attrib and not anchor:
            return {}
        made = {}
        if anchor:
            made["id"] = anchor
        language = self._language(element)
        if language and language != self.language:
            made["lang"] = language
        direction = _DIRECTIONS.get(element.get("dir") or "")
        if direction:
            made["dir"] = direction
        only = self._formats(element)
        if only:
            made["data-only"] = only
        audience = self.data.filter.audiences(element)
        if audience:
            made["data-audience"] = " ".join(audience)
        return made

    def _language(self, element: etree._Element) -> str:
        raw = element.get(XML_LANG)
        if not raw:
            return ""
        tag = language_tag(raw)
        if not tag:
            self.find(codes.LANGUAGE, element, f"xml:lang={raw!r}")
        return tag

    def _formats(self, element: etree._Element) -> str:
        found, wanted = self.data.filter.formats(element)
        if wanted and not found:
            self.find(codes.DELIVERY, element, no_format(wanted, self.data.filter.ours))
        return " ".join(found)

    def unit_of(self, ref: Ref) -> Unit | None:
        """The unit that a place is in; of a copy's own source, the copy."""
        unit = self.data.unit(self.data.beside(self.unit, ref))
        return self.unit if unit is not None and self.data.copies.get(self.unit, (None,))[0] == unit else unit

    # --- anchors

    def name_all(self, root: etree._Element) -> None:
        """Settles the anchor of every element that has an id: the topic's own first, for other topics lead to them."""
        found = [(one, self._ref(one, root)) for one in _WITH_ID(root) if one is not root]
        for own in (True, False):
            for element, ref in found:
                if (ref.file == self.unit.file) == own:
                    self.anchors[element] = self.fresh(self.anchor(ref))
                    self.targets.setdefault(ref, element)
        self._name_taken_in(root)

    def _name_taken_in(self, root: etree._Element) -> None:
        """Links to text that was taken in here lead to it here, though it lost its id on the way."""
        wanted = {str(href).rpartition("/")[2] for href in _HREFS(root)}
        for ref, element in self.resolver.taken_in.items():
            if ref.element in wanted and ref not in self.targets:
                self.targets[ref] = element
                if element not in self.anchors:
                    self.anchors[element] = self.fresh(_token(ref.element))

    def is_target(self, element: etree._Element) -> bool:
        """Whether links can lead to this very element (of text taken in twice, to the first copy)."""
        if self._aimed[0] != len(self.targets):
            self._aimed = len(self.targets), frozenset(self.targets.values())
        return element in self._aimed[1]

    def is_called(self, element: etree._Element) -> bool:
        """Whether a link in the same text names the element's id."""
        root = element.getroottree().getroot()
        if root not in self._called:
            self._called[root] = frozenset(str(href).rpartition("/")[2] for href in _HREFS(root) if "/" in href)
        return element.get("id") in self._called[root]

    def anchor(self, ref: Ref) -> str:
        """The anchor of a place in its topic: its id, behind the id of a nested topic where it stands in one."""
        unit = self.data.unit(ref)
        root_id = self.data.roots.get(unit, "") if unit else ""
        if not ref.element:
            return _token(ref.topic)
        return _token(ref.element if ref.topic in ("", root_id) else f"{ref.topic}-{ref.element}")

    def fresh(self, wanted: str) -> str:
        """An id that nothing in the body has yet."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}-{number}"
        self._taken.add(name)
        return name

    def _ref(self, element: etree._Element, root: etree._Element) -> Ref:
        """Where an element of the copy stands in the inputs."""
        file, topic = self.unit.file, self.root_id
        for one in (element, *element.iterancestors()):
            origin = self.resolver.origins.get(one)
            if origin or one is root:
                file, topic = origin or (file, topic)
                break
            if one is not element and is_a(one, "topic"):
                topic = one.get("id") or ""
                file = next((o.file for up in (one, *one.iterancestors()) if (o := self.resolver.origins.get(up))), file)
                break
        if is_a(element, "topic"):
            return Ref(file=file, topic=element.get("id") or "")
        return Ref(file=file, topic=topic, element=(element.get("id") or "").strip())


def _labels(language: str) -> Labels | None:
    """The words of a language; None where there are none: such a topic goes to no site anyway."""
    try:
        return labels(language) if language else None
    except UnknownLanguage:
        return None


def _token(name: str) -> str:
    return re.sub(r"[^\w.:-]+", "-", name).strip("-") or "place"
