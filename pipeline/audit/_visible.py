"""Whether words can be seen: mark-up, inline styles and every style sheet of the page, taken together.

In: the sheets of a page and an element. Out: the reason why its words can not be seen, or None. Answers are remembered by
the chain of elements from the root, because every topic of a site stands in the same frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Final, TypeVar

from lxml import etree

from pipeline.audit._colors import LOWEST, Paint, lowest_contrast, paints
from pipeline.audit._css import Declaration, Rule, Sheet, declarations, of_pages_alone, sheet
from pipeline.audit._hazards import generated, hazard, hazards
from pipeline.audit._markup import hidden_by_markup
from pipeline.audit._reading import names
from pipeline.audit._selectors import local, matcher, subject

# Attributes that say nothing about how an element looks, unless a sheet asks for them.
_MEANINGLESS: Final = names(
    """id href src alt title datetime content width height colspan rowspan headers aria-label aria-labelledby data-topic
    data-anchor data-language hreflang"""
)
_ASKED: Final = re.compile(r"#[-\w]|\[\s*(?:" + "|".join(sorted(_MEANINGLESS)) + r")\b")
# Where the place among siblings counts, the chain of ancestors does not say enough.
_SIBLINGS: Final = re.compile(r"[+~](?!=)|:empty|:has")
# A positioned box may cover what readers must see.
_COVERS: Final = names("position transform translate scale inset margin margin-top margin-bottom z-index")
# Hazards that change words but leave them readable.
_STILL_READ: Final = names("text-transform list-style list-style-type text-decoration text-decoration-line direction")


T = TypeVar("T", Rule, Paint)
Kind = tuple[object, ...]  # an element by itself: its name, and the attributes that may decide how it looks


@dataclass(frozen=True, slots=True)
class Why:
    """Why words can not be seen as they are. `gone`: not at all."""

    reason: str
    gone: bool = True


def styles(texts: Iterable[str]) -> Styles:
    """The sheets of a page, in order, parsed once for all pages that have them. Sheets about paper alone (`@page`, with a
    topic's own running lines) are left aside."""
    return _styles(tuple(text for text in texts if not of_pages_alone(text) and _of_elements(text)))


@lru_cache(maxsize=256)
def _of_elements(text: str) -> bool:
    return any(not rule.selector.startswith("@page") for rule in sheet(text).rules)


@lru_cache(maxsize=64)
def _styles(texts: tuple[str, ...]) -> Styles:
    return Styles([sheet(text) for text in texts])


class Styles:
    """What the sheets of a page could do to it."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        rules = tuple(rule for each in sheets for rule in each.rules)
        whole = Sheet(rules, (), _joined(sheets))
        found = hazards(whole)
        self.variables = dict(whole.variables)
        self.generated = generated(whole)
        painted = paints(rules)
        self.hazards = _by_subject(found)
        self.paints = _by_subject(painted)
        self.covering = [rule for rule in found if _lays_over(rule.declarations)]
        asked = [rule.selector for rule in found] + [paint.selector for paint in painted]
        self.rememberable = not any(_SIBLINGS.search(s) or _ASKED.search(s) for s in asked)
        self.plain = self.rememberable and not self.generated
        self.known: dict[int, int] = {}  # how elements of frames look, by number: AS_IT_IS, ALTERED or GONE
        self.exact: set[int] = set()  # the numbers of those that also stand out
        self.bodies: dict[int, set[int]] = {}  # what is seen of bodies, by the number of the place they stand in
        self.verdicts: dict[tuple[int, bool], Why | None] = {}
        self.painted: dict[int, list[Paint]] = {}


class Look:
    """How one page looks: its sheets, and what is known of each of its elements."""

    def __init__(self, sheets: Styles) -> None:
        self.styles = sheets
        self._numbers: dict[etree._Element, int] = {}
        self._own = sheets.verdicts if sheets.rememberable else {}
        self._paints = sheets.painted if sheets.rememberable else {}

    def number(self, element: etree._Element) -> int:
        """A number that is the same for elements of the same kind below elements of the same kinds."""
        known = self._numbers.get(element)
        if known is None:
            parent = element.getparent()
            own = _signature(element) if self.styles.rememberable else element
            known = self._numbers[element] = interned(own, 0 if parent is None else self.number(parent))
        return known

    def forget(self, top: etree._Element) -> None:
        """Lets go of elements that leave the page. Last first, with `top` in hand: else lxml would walk through all that is
        left of the tree for each of them, to see whether it may be freed."""
        for element in reversed(list(top.iter("*"))):
            self._numbers.pop(element, None)

    def hidden(self, element: etree._Element, *, exact: bool = False) -> Why | None:
        """Why the words of an element can not be seen as they are, None where they can. `exact`: they must also stand out
        from what is behind them."""
        key = self.number(element), exact
        if key not in self._own:
            if len(self._own) > 20_000:
                self._own.clear()
                self._paints.clear()
            self._own[key] = self._judged(element, exact)
        return self._own[key]

    def _judged(self, element: etree._Element, exact: bool) -> Why | None:
        if exact:
            return self.hidden(element) or self._faint(element)
        parent = element.getparent()
        return (None if parent is None else self.hidden(parent)) or self._by_itself(element)

    def _by_itself(self, element: etree._Element) -> Why | None:
        if reason := hidden_by_markup(element):
            return Why(reason)
        for declaration in declarations(element.get("style", "")):
            if hazard(declaration, self.styles.variables) or declaration.name == "content":
                return Why(f'style="{declaration.name}: {declaration.value}"', declaration.name not in _STILL_READ)
        rules = [rule for rule in _meant(self.styles.hazards, element) if _applies(rule, element)]
        for rule in sorted(rules, key=_still_read):
            return Why(said(rule), not _still_read(rule))
        return None

    def _faint(self, element: etree._Element) -> Why | None:
        try:
            chain = [*reversed(list(element.iterancestors())), element]
            ratio = lowest_contrast([(each, self._painted(each)) for each in chain])
        except ValueError as error:
            return Why(str(error))
        return Why(f"contrast {ratio:.1f}, expected at least {LOWEST:.0f}") if ratio < LOWEST else None

    def _painted(self, element: etree._Element) -> list[Paint]:
        number = self.number(element)
        if number not in self._paints:
            self._paints[number] = [p for p in _meant(self.styles.paints, element) if matcher(p.selector)(element)]
        return self._paints[number]

    def learn(self, root: etree._Element) -> None:
        """Notes how each element of a frame looks, for other frames that have such elements: see `_plain.py`."""
        styles = self.styles
        if not styles.plain:
            return
        if len(styles.known) > _MOST_KNOWN:
            styles.known.clear()
            styles.exact.clear()
        laid = {element for rule in styles.covering for element in root.iter("*") if matcher(rule.selector)(element)}
        for element in root.iter("*"):
            if element not in laid and element.get("style") is None:
                number, why = self.number(element), self.hidden(element)
                styles.known[number] = AS_IT_IS if why is None else GONE if why.gone else ALTERED
                if self.hidden(element, exact=True) is None:
                    styles.exact.add(number)

    def gone(self, root: etree._Element) -> frozenset[etree._Element]:
        """The elements below `root` whose words nobody sees."""
        found = [(element, self.hidden(element)) for element in root.iter("*")]
        return frozenset(element for element, why in found if why and why.gone)

    def covers(self, root: etree._Element) -> list[str]:
        """Rules and inline styles by which an element could be laid over others."""
        found = [said(rule) for rule in self.styles.covering if any(map(matcher(rule.selector), root.iter("*")))]
        for element in root.iter("*"):
            if inline := declarations(element.get("style", "")):
                covering = _lays_over([d for d in inline if hazard(d, self.styles.variables)])
                found += [f'style="{element.get("style")}"'] if covering else []
        return found


def _by_subject(found: Iterable[T]) -> dict[tuple[str, str], list[T]]:
    """Rules by what every element that they mean must have."""
    table: dict[tuple[str, str], list[T]] = {}
    for each in found:
        table.setdefault(subject(each.selector), []).append(each)
    return table


def _meant(table: Mapping[tuple[str, str], Sequence[T]], element: etree._Element) -> Iterator[T]:
    """The rules that may mean an element."""
    keys = [("", ""), ("tag", local(element)), ("id", element.get("id", ""))]
    keys += [("class", name) for name in element.get("class", "").split()]
    for key in keys:
        yield from table.get(key, ())


AS_IT_IS, ALTERED, GONE = range(3)
_MOST_KNOWN: Final = 50_000
_numbers: dict[tuple[object, int], int] = {}
when_forgotten: list[Callable[[], None]] = []  # those who remember numbers
_next: Final = count(1)


def interned(own: object, parent: int) -> int:
    """A number for elements of one kind (`own`) below elements of one number; never given twice."""
    if len(_numbers) > 100_000:
        _numbers.clear()  # numbers are never given twice, so that what was remembered stays true
        for forget in when_forgotten:
            forget()
    key = own, parent
    if key not in _numbers:
        _numbers[key] = next(_next)
    return _numbers[key]


def _still_read(rule: Rule) -> bool:
    return all(d.name in _STILL_READ for d in rule.declarations)


def _joined(sheets: Sequence[Sheet]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    values: dict[str, dict[str, None]] = {}
    for each in sheets:
        for name, found in each.variables:
            values.setdefault(name, {}).update(dict.fromkeys(found))
    return tuple((name, tuple(found)) for name, found in values.items())


def _applies(rule: Rule, element: etree._Element) -> bool:
    if all(d.name.startswith("list-style") for d in rule.declarations) and not _is_numbered(element):
        return False
    if all(d.name == "line-height" for d in rule.declarations) and local(element) in ("sup", "sub"):
        return False
    return matcher(rule.selector)(element)


def _is_numbered(element: etree._Element) -> bool:
    name, parent = local(element), element.getparent()
    return name == "ol" or (name == "li" and parent is not None and local(parent) == "ol")


def _signature(element: etree._Element) -> Kind:
    return signature(local(element), element.attrib)


def signature(name: str, attributes: Mapping[Any, Any] | etree._Attrib) -> Kind:
    """An element by itself: its name, and the attributes that may decide how it looks."""
    return (name, *((key, value) for key, value in attributes.items() if key not in _MEANINGLESS))


def _lays_over(hazardous: Sequence[Declaration]) -> bool:
    """Whether a box may come to lie over others. The usual ways to write for screen readers alone (clipped, tiny or far away)
    and boxes that stick at the edge while a page is scrolled do not."""
    out_of_sight = any(
        d.name in ("clip", "clip-path") or (d.name in ("width", "height") and d.value in ("1px", "0")) or "-999" in d.value
        for d in hazardous
    )
    laid = any(d.name in _COVERS and d.value not in ("sticky", "-webkit-sticky") for d in hazardous)
    return laid and not out_of_sight


def said(rule: Rule) -> str:
    """A rule in one line, for a message."""
    what = "; ".join(f"{d.name}: {d.value}" for d in rule.declarations[:3])
    return f"{' '.join(rule.media)} {rule.selector} {{ {what} }}".strip()
