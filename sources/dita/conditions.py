"""Conditional processing: which elements a DITAVAL leaves out, and what it leaves undecided.

In: a DITAVAL's bytes, elements. Out: `Filter`. Specification: DITA 1.3, conditional processing: an element is left
out where all values of one of its attributes are excluded; a group `a(b c)` counts as an attribute `a` of its own.
`revprop` decides as `prop`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from lxml import etree

from pipeline import xml
from pipeline.contracts import Conditions
from pipeline.findings import Finding, has_errors
from sources.dita import codes

# The attributes that a DITAVAL may speak of without naming them.
ATTRIBUTES: Final = ("audience", "platform", "product", "props", "otherprops", "deliveryTarget", "rev")
# deliveryTarget -> formats of ours; a format of ours stands for itself.
FORMATS: Final[Mapping[str, str]] = {
    "pdf": "print", "html5": "html", "xhtml": "html", "web": "html", "online": "html", "epub3": "epub", "txt": "text",
}  # fmt: skip
# The formats that come with the product; those of a run are in its Conditions.
OURS: Final = frozenset({"html", "print", "epub", "text", "json"})
_PAPER: Final = ("print",)
_INCLUDED: Final = frozenset({"include", "flag", "passthrough"})
_GROUP: Final = re.compile(r"(?<![\w.:-])([\w.:-]++)\(([^()]*+)\)")


_Decisions = dict[tuple[str, str], bool]  # (attribute, value) -> excluded or not; "" stands for any value, any attribute


@dataclass(frozen=True)
class Filter:
    """What DITAVALs decide: that of the run, and those of the branch of a map. One exclusion is enough."""

    layers: tuple[_Decisions, ...] = ()
    broader: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by (attribute, value), from subject schemes
    ours: frozenset[str] = OURS  # the formats that there are

    def __bool__(self) -> bool:
        return bool(self.layers)

    def and_also(self, other: Filter) -> Filter:
        """Both together."""
        return Filter((*self.layers, *other.layers), self.broader or other.broader, self.ours | other.ours)

    def excludes(self, element: etree._Element) -> bool:
        """Whether the element is left out."""
        if not self.layers:
            return False
        values = {str(name): str(raw) for name, raw in element.items() if name in self._spoken_of}
        return bool(values) and self.excludes_values(values)

    @cached_property
    def _spoken_of(self) -> frozenset[str]:
        """The attributes that a decision may be about; most elements have none of them."""
        return frozenset(ATTRIBUTES).union(named for layer in self.layers for named, _ in layer)

    def excludes_values(self, attributes: Mapping[str, str]) -> bool:
        """Whether an element with these attributes is left out."""
        return any(
            all(self._verdict(layer, name, value) for value in values)
            for layer in self.layers
            for attribute, raw in attributes.items()
            if attribute in ATTRIBUTES or any(attribute == named for named, _ in layer)
            for name, values in groups(attribute, raw)
        )

    def formats(self, element: etree._Element) -> tuple[list[str], list[str]]:
        """(the formats of ours that a `deliveryTarget` keeps an element for, the values that nothing decides on)."""
        wanted = self._undecided(element, "deliveryTarget")
        found = dict.fromkeys(value if value in self.ours else FORMATS.get(value, "") for value in wanted)
        return [value for value in found if value in self.ours], wanted

    def audiences(self, element: etree._Element) -> list[str]:
        """The audiences that an element is for, without those that a DITAVAL excludes. One that it includes or flags is named all
        the same: whether a partner may have that audience is for the agreement to say."""
        return [value for value, found in self._verdicts(element, "audience").items() if True not in found]

    def _verdicts(self, element: etree._Element, attribute: str) -> dict[str, set[bool | None]]:
        """What each layer says of each value of an attribute."""
        values = [value for _, found in groups(attribute, element.get(attribute) or "") for value in found]
        return {value: {self._verdict(layer, attribute, value) for layer in self.layers} for value in values}

    def _undecided(self, element: etree._Element, attribute: str) -> list[str]:
        """The values of an attribute, where nothing decides on any of them for good; the excluded ones are gone."""
        verdicts = self._verdicts(element, attribute)
        if any(False in found and True not in found for found in verdicts.values()):
            return []
        return [value for value, found in verdicts.items() if not found - {None}]

    def _verdict(self, layer: _Decisions, name: str, value: str) -> bool | None:
        """What a layer says of a value: of itself, else of the nearest broader one, else of the attribute, else of anything."""
        one: str | None = value
        seen: set[str] = set()
        while one is not None and one not in seen:
            if (name, one) in layer:
                return layer[name, one]
            seen.add(one)
            one = self.broader.get((name, one)) if self.broader else None
        return layer.get((name, ""), layer.get(("", "")))


def printing(stated: str, ours: frozenset[str]) -> tuple[str, ...]:
    """The formats that a reference's `print` leaves a topic to (DITA 1.3 keeps it beside `deliveryTarget`); () = all."""
    if stated == "printonly":
        return _PAPER
    return tuple(sorted(ours.difference(_PAPER))) if stated == "no" else ()


def no_format(wanted: list[str], ours: frozenset[str]) -> str:
    """What is wrong with a `deliveryTarget` that names no format of ours."""
    return f"deliveryTarget={' '.join(wanted)!r}; our formats are {', '.join(sorted(ours))}"


def groups(attribute: str, raw: str) -> list[tuple[str, list[str]]]:
    """An attribute's values by what they belong to: the attribute itself, or the groups written inside it."""
    found = [(match[1], match[2].split()) for match in _GROUP.finditer(raw) if match[2].strip()]
    plain = _GROUP.sub(" ", raw).split()
    return [(attribute, plain), *found] if plain else found


@lru_cache(maxsize=32)
def read(conditions: Conditions) -> tuple[Filter, tuple[Finding, ...]]:
    """The decisions of a DITAVAL, and findings for what it says amiss."""
    ours = frozenset(conditions.formats) or OURS
    if not conditions.file:
        return Filter(ours=ours), ()
    root, findings = xml.parse(conditions.data, conditions.file)
    if root is None or has_errors(findings):
        return Filter(ours=ours), (*findings, codes.DITAVAL_UNREAD.at(conditions.file, 1, "the DITAVAL can not be read"))
    if root.tag != "val":
        text = f"its root is <{root.tag!s}>, expected <val>"
        return Filter(ours=ours), (codes.DITAVAL_UNREAD.at(conditions.file, root.sourceline, text),)
    decisions: _Decisions = {}
    for prop in root.iter("prop", "revprop"):
        finding = _decide(prop, decisions, conditions.file)
        findings += [finding] if finding else []
    return Filter((decisions,) if decisions else (), ours=ours), tuple(findings)


def _decide(prop: etree._Element, decisions: _Decisions, file: str) -> Finding | None:
    attribute = "rev" if prop.tag == "revprop" else prop.get("att") or ""
    value, action = prop.get("val") or "", prop.get("action") or ""
    if action not in ("exclude", "include", "flag", "passthrough", "noflag"):
        return codes.DITAVAL.at(file, prop.sourceline, f"action {action!r}; expected include, exclude, flag or passthrough")
    if value and not attribute:
        return codes.DITAVAL.at(file, prop.sourceline, f"the value {value!r} stands without an attribute (att)")
    if action in _INCLUDED or action == "exclude":
        decisions.setdefault((attribute, value), action == "exclude")
    return None
