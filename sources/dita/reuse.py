"""Reuse by reference: a topic's copy without what the conditions leave out and with all it takes in from elsewhere.

In: a copy of a topic (or of a part of one), where it stands. Out: the same with conref, conrefend, conkeyref and
pushed content worked in; `Resolver.origins` tells where each element that came from elsewhere stood. Specification:
DITA 1.3, content reference (conref). A reference that can not be followed is an error finding: words would be
missing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Final, NamedTuple

from lxml import etree

from pipeline.contracts import Files
from pipeline.findings import Finding
from pipeline.topic import XML_LANG
from pipeline.trees import remove
from sources.dita import codes, grid
from sources.dita.documents import find, language, parsed, topic_of, why_not
from sources.dita.keys import KeySpace
from sources.dita.model import Data, Push
from sources.dita.names import is_a, names
from sources.dita.places import Ref, refer

LIMIT: Final = 100_000  # elements that reuse may bring into one topic
MOST: Final = 5_000  # references in one topic, those in reused text included
USE_TARGET: Final = "-dita-use-conref-target"
PUSHING: Final = etree.XPath("descendant-or-self::*[@conaction]")
_REUSING: Final = etree.XPath("descendant-or-self::*[normalize-space(@conref) or @conkeyref or @conaction]")
_WITH_ID: Final = etree.XPath("descendant-or-self::*[normalize-space(@id) = $id]")
_REFERENCE: Final = ("conref", "conkeyref", "conrefend", "conaction")


class Origin(NamedTuple):
    """Where an element stands in the inputs: file, and the id of its topic."""

    file: str
    topic: str


class Resolver:
    """Works reuse into copies, for one topic."""

    def __init__(self, files: Files, data: Data, keys: KeySpace) -> None:
        self.files, self.data, self.keys = files, data, keys
        self.origins: dict[etree._Element, Origin] = {}
        self.taken_in: dict[Ref, etree._Element] = {}
        self.findings: list[Finding] = []
        self._size = self._references = 0

    def copied(self, element: etree._Element, file: str) -> etree._Element:
        """A resolved copy of an element of an input file, without its tail."""
        owner = topic_of(element)
        origin = Origin(file, (owner.get("id") or "") if owner is not None else "")
        return self._copied(element, origin, language(element), ())

    def fragment(self, text: str, file: str, line: int) -> etree._Element:
        """Words with mark-up that stand at a line of a file (a key's, a link's), as a resolved element."""
        element = etree.fromstring(f"<keyword>{text}</keyword>")
        for one in element.iter("*"):
            one.sourceline = line  # type: ignore[misc]  # lxml has a setter that its stubs do not know
        made = self.copied(element, file)
        self.origins[made] = Origin(file, "")
        return made

    def _copied(self, element: etree._Element, origin: Origin, lang: str, chain: tuple[Ref, ...]) -> etree._Element:
        made = copy.deepcopy(element)
        made.tail = None
        return self._resolved(made, origin, lang, chain)

    def _resolved(self, root: etree._Element, origin: Origin, lang: str, chain: tuple[Ref, ...]) -> etree._Element:
        self._leave_out(root)
        if self.data.pushes:
            self._take_pushed(root, origin, lang, chain)
        for element in _REUSING(root):
            if element is not root and not _within(element, root):
                continue  # its parent was replaced
            if element.get("conaction"):
                if element is not root and element.get("conaction") == "mark":  # it only says where
                    remove(element)
                continue
            replacement = self._referred(element, origin, lang, chain)
            if element is root:
                root = replacement
        return root

    def _leave_out(self, root: etree._Element) -> None:
        if self.data.filter:
            excluded = [one for one in root.iter("*") if one is not root and self.data.filter.excludes(one)]
            kept = grid.blanked(excluded) if excluded else ()
            for element in excluded:
                if element.getparent() is not None and element not in kept:
                    grid.shorten(element)
                    remove(element)

    def place(self, element: etree._Element, file: str) -> tuple[str, int]:
        """File and line that an element of a copy of `file` comes from."""
        for one in (element, *element.iterancestors()):
            if one in self.origins:
                return self.origins[one].file, element.sourceline or 0
        return file, element.sourceline or 0

    # --- pulling

    def _referred(self, element: etree._Element, origin: Origin, lang: str, chain: tuple[Ref, ...]) -> etree._Element:
        """The element that takes this one's place (already in the tree), or this one where there is none."""
        stated = element.get("conkeyref") or element.get("conref") or ""
        if self._full(element, origin):
            return element
        ref = self._aim(element, origin)
        target = self._target(ref) if ref else None
        if ref is None or target is None:
            text = f"{stated!r} leads to {said(ref) if ref else 'no key'}{why_not(self.files, ref)}"
            return self._unresolved(element, codes.CONREF_TARGET.at(origin.file, element.sourceline, text))
        if ref in chain:
            text = f"{stated!r} leads back to itself: {' -> '.join(said(one) for one in (*chain, ref))}"
            return self._unresolved(element, codes.CONREF_CYCLE.at(origin.file, element.sourceline, text))
        targets = self._range(element, target, origin, ref)
        self._size += sum(sum(1 for _ in one.iter()) for one in targets)
        return self._put(element, targets, origin, ref, lang, chain)

    def _full(self, element: etree._Element, origin: Origin) -> bool:
        """Whether the topic has taken in all that it may; said once."""
        before = self._references > MOST or self._size > LIMIT
        self._references += 1
        full = self._references > MOST or self._size > LIMIT
        if full and not before:
            text = f"{self._references} references bring in {self._size} elements; the most are {MOST} and {LIMIT}"
            self.findings.append(codes.REUSE_TOO_LARGE.at(origin.file, element.sourceline, text))
        return full

    def _put(
        self, element: etree._Element, targets: list[etree._Element], origin: Origin, ref: Ref, lang: str, chain: tuple[Ref, ...]
    ) -> etree._Element:
        owner = topic_of(targets[0])
        source = Origin(ref.file, (owner.get("id") or "") if owner is not None else "")
        here = _language(element, lang)
        made = []
        for target in targets:
            if not self.data.filter.excludes(target):
                one = self._copied(target, source, language(target) or here, (*chain, ref))
                self.origins.setdefault(one, source)
                if language(target) and language(target) != here and not one.get(XML_LANG):
                    one.set(XML_LANG, language(target))
                made.append(one)
        if not made:  # the conditions leave the target out
            remove(element)
            return element
        self._merge(element, made[0], origin)
        self.taken_in.setdefault(ref, made[0])
        _replace(element, made)
        return made[0]

    def _unresolved(self, element: etree._Element, finding: Finding) -> etree._Element:
        self.findings.append(finding)
        for name in _REFERENCE:
            element.attrib.pop(name, None)
        return element

    def _aim(self, element: etree._Element, origin: Origin) -> Ref | None:
        ref = self._stated(element, origin)
        return ref._replace(file=self.data.aliases.get(ref.file, ref.file)) if ref is not None else None

    def _stated(self, element: etree._Element, origin: Origin) -> Ref | None:
        keyref = element.get("conkeyref")
        if keyref:
            ref = self.keys.target(keyref, element, origin.file)
            if ref is not None or not element.get("conref"):
                return ref
        return local(refer(element.get("conref") or "", origin.file), origin)

    def _target(self, ref: Ref) -> etree._Element | None:
        if ref.url:
            return None
        root, _ = parsed(self.files, ref.file)
        return find(root, ref.topic, ref.element) if root is not None else None

    def _range(self, element: etree._Element, first: etree._Element, origin: Origin, ref: Ref) -> list[etree._Element]:
        """The target, and with conrefend all its siblings up to that one."""
        end = element.get("conrefend")
        if not end:
            return [first]
        wanted = end.rpartition("#")[2].rpartition("/")[2]
        siblings = [first, *(one for one in first.itersiblings("*"))]
        ids = [one.get("id") for one in siblings]
        if wanted not in ids:
            text = f"conrefend {end!r} is no later sibling of {said(ref)}"
            self.findings.append(codes.CONREF_RANGE.at(origin.file, element.sourceline, text))
            return [first]
        return siblings[: ids.index(wanted) + 1]

    def _merge(self, element: etree._Element, made: etree._Element, origin: Origin) -> None:
        """The referring element's attributes win; its kind wins where the target's is the more general."""
        mine, theirs = names(element), names(made)
        if mine[0] not in theirs:
            if theirs[0] in mine:
                made.tag = element.tag
                made.attrib.pop("class", None)
            else:
                text = f"<{mine[0]}> reuses <{theirs[0]}>"
                self.findings.append(codes.CONREF_TYPE.at(origin.file, element.sourceline, text))
        made.attrib.pop("id", None)
        for name, value in element.attrib.items():
            if name not in _REFERENCE and name != "class" and value != USE_TARGET:
                made.set(name, value)

    # --- pushing

    def _take_pushed(self, root: etree._Element, origin: Origin, lang: str, chain: tuple[Ref, ...]) -> None:
        for ref, pushes in self.data.pushes.items():
            if ref.file != origin.file:
                continue
            for element in _WITH_ID(root, id=ref.element or ref.topic):
                if _owner(element, root, origin) == ref.topic and element is not root:
                    self._push(element, ref, pushes, lang, chain)

    def _push(self, element: etree._Element, ref: Ref, pushes: tuple[Push, ...], lang: str, chain: tuple[Ref, ...]) -> None:
        for push in pushes:
            root, _ = parsed(self.files, push.file)
            if root is None or ref in chain:
                continue
            pushed = PUSHING(root)[push.number]
            owner = topic_of(pushed)
            made = copy.deepcopy(pushed)
            made.tail = None
            for name in _REFERENCE:
                made.attrib.pop(name, None)
            source = Origin(push.file, (owner.get("id") or "") if owner is not None else "")
            made = self._resolved(made, source, lang, (*chain, ref))
            self.origins[made] = source
            if push.action == "pushbefore":
                element.addprevious(made)
            elif push.action == "pushafter":
                made.tail, element.tail = element.tail, None
                element.addnext(made)
            else:
                if element.get("id"):
                    made.set("id", element.get("id") or "")
                _replace(element, [made])
                element = made


def local(ref: Ref, origin: Origin) -> Ref:
    """The place with `.` (the same topic) written out."""
    return ref._replace(topic=origin.topic) if ref.topic == "." else ref


def _replace(element: etree._Element, made: list[etree._Element]) -> None:
    parent = element.getparent()
    made[-1].tail = element.tail
    if parent is None:
        return
    element.tail = None
    place = parent.index(element)
    parent[place : place + 1] = made


def _within(element: etree._Element, root: etree._Element) -> bool:
    return any(one is root for one in element.iterancestors())


def _owner(element: etree._Element, root: etree._Element, origin: Origin) -> str:
    for one in (element, *element.iterancestors()):
        if is_a(one, "topic") and one is not element:
            return one.get("id") or ""
        if one is root:
            break
    return origin.topic


def _language(element: etree._Element, fallback: str) -> str:
    return language(element) or fallback


def said(ref: Ref) -> str:
    """A place as findings name it."""
    place = "/".join(part for part in (ref.topic, ref.element) if part)
    return ref.url or (f"{ref.file}#{place}" if place else ref.file)


def pushes(root: etree._Element) -> Iterator[tuple[int, str, etree._Element]]:
    """(number, action, the element whose conref names the place) of everything that a file pushes elsewhere."""
    elements = PUSHING(root)
    for number, element in enumerate(elements):
        action = element.get("conaction")
        if action == "pushreplace":
            yield number, action, element
        elif action in ("pushbefore", "pushafter"):
            mark = next(element.itersiblings("*", preceding=action == "pushafter"), None)
            if mark is not None:
                yield number, action, mark
