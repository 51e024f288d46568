"""Whether words can be seen: mark-up, inline styles and every style sheet of the page, taken together.

In: the sheets of a page and an element. Out: the reason why its words can not be seen, or "". Answers are remembered by
the chain of elements from the root, because every topic of a site stands in the same frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from lxml import etree

from pipeline.audit._colors import LOWEST, Paint, lowest_contrast, paints
from pipeline.audit._css import Declaration, Rule, Sheet, declarations, sheet
from pipeline.audit._hazards import generated, hazard, hazards
from pipeline.audit._markup import hidden_by_markup
from pipeline.audit._selectors import local, matcher, subject

# Values of these say nothing about how an element looks.
_MEANINGLESS: Final = frozenset({"href", "src", "alt", "title", "datetime", "data-line"})
# Where the place among siblings counts, the chain of ancestors does not say enough.
_SIBLINGS: Final = ("+", "~", ":empty", ":has")
# A positioned box may cover what readers must see. These do not count where the box is out of sight or without size.
_COVERS: Final = frozenset(
    {"position", "transform", "translate", "scale", "inset", "margin", "margin-top", "margin-bottom", "z-index"}
)


@lru_cache(maxsize=64)
def styles(texts: tuple[str, ...]) -> Styles:
    """The sheets of a page, in order, parsed once for all pages that have them."""
    return Styles([sheet(text) for text in texts])


class Styles:
    """What the sheets of a page could do to it."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        rules = [rule for each in sheets for rule in each.rules]
        whole = Sheet(tuple(rules), (), _joined(sheets))
        self.variables = dict(whole.variables)
        self.hazards: tuple[Rule, ...] = hazards(whole)
        self.generated = generated(whole)
        self.paints: tuple[Paint, ...] = paints(rules)
        self.key = (self.hazards, whole.variables)
        self._by_subject: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.hazards:
            self._by_subject.setdefault(subject(rule.selector), []).append(rule)
        self.rememberable = not any(mark in rule.selector for rule in self.hazards for mark in _SIBLINGS)
        self._seen: dict[tuple[object, ...], str] = {}

    def hidden(self, element: etree._Element, *, exact: bool = False) -> str:
        """Why the words of an element can not be seen, "" where they can. `exact`: the words must also stand out
        from what is behind them."""
        chain = [element, *element.iterancestors()]
        signature = (exact, *(_signature(each) for each in chain))
        if self.rememberable and signature in self._seen:
            return self._seen[signature]
        reason = next((r for r in map(self._own, chain) if r), "") or (self._faint(element) if exact else "")
        if len(self._seen) > 4096:
            self._seen.clear()
        self._seen[signature] = reason
        return reason

    def concealed(self, root: etree._Element) -> list[tuple[etree._Element, Rule]]:
        """The elements below (and with) `root` to which a hazard of the sheets applies, with the rule."""
        found = []
        for (kind, name), rules in self._by_subject.items():
            for element in _having(root, kind, name):
                found += [(element, rule) for rule in rules if _applies(rule, element)][:1]
        return found

    def covers(self, elements: Iterable[etree._Element]) -> list[str]:
        """Rules and inline styles by which an element could be laid over others."""
        found: dict[str, None] = {}
        for element in elements:
            for rule in self._rules_for(element):
                if (
                    any(d.name in _COVERS for d in rule.declarations)
                    and not _out_of_sight(rule.declarations)
                    and matcher(rule.selector)(element)
                ):
                    found[said(rule)] = None
            inline = declarations(element.get("style", ""))
            if any(d.name in _COVERS and hazard(d, self.variables) for d in inline) and not _out_of_sight(inline):
                found[f'style="{element.get("style")}"'] = None
        return list(found)

    def _own(self, element: etree._Element) -> str:
        if reason := hidden_by_markup(element):
            return reason
        for declaration in declarations(element.get("style", "")):
            if hazard(declaration, self.variables) or declaration.name == "content":
                return f'style="{declaration.name}: {declaration.value}"'
        return next((said(rule) for rule in self._rules_for(element) if _applies(rule, element)), "")

    def _rules_for(self, element: etree._Element) -> list[Rule]:
        keys = [
            ("", ""),
            ("tag", local(element)),
            ("id", element.get("id", "")),
            *(("class", c) for c in element.get("class", "").split()),
        ]
        return [rule for key in keys for rule in self._by_subject.get(key, ())]

    def _faint(self, element: etree._Element) -> str:
        try:
            ratios = [lowest_contrast(each, self.paints) for each in element.iter("*") if local(each) not in ("br", "img")]
        except ValueError as error:
            return str(error)
        lowest = min(ratios, default=21.0)
        return f"contrast {lowest:.1f}, expected at least {LOWEST:.0f}" if lowest < LOWEST else ""


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


def _having(root: etree._Element, kind: str, name: str) -> list[etree._Element]:
    if kind == "tag":
        return list(root.iter("{*}" + name))
    if kind == "class":
        return [e for e in root.iter("*") if name in e.get("class", "").split()]
    if kind == "id":
        return [e for e in root.iter("*") if e.get("id") == name]
    return list(root.iter("*"))


def _signature(element: etree._Element) -> tuple[object, ...]:
    return (local(element), *((k, v) for k, v in element.attrib.items() if k not in _MEANINGLESS))


def _out_of_sight(found: Iterable[Declaration]) -> bool:
    """Whether a positioned box is the usual way to write for screen readers alone: clipped, tiny or far away."""
    return any(
        d.name in ("clip", "clip-path") or (d.name in ("width", "height") and d.value in ("1px", "0")) or "-999" in d.value
        for d in found
    )


def said(rule: Rule) -> str:
    """A rule in one line, for a message."""
    what = "; ".join(f"{d.name}: {d.value}" for d in rule.declarations[:3])
    return f"{' '.join(rule.media)} {rule.selector} {{ {what} }}".strip()
