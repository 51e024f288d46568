"""Conditional processing: which elements a DITAVAL leaves out, and what it leaves undecided.

In: a DITAVAL's bytes, elements. Out: `Filter`. Specification: DITA 1.3, conditional processing: an element is left
out where all values of one of its attributes are excluded; a group `a(b c)` counts as an attribute `a` of its own.
`revprop` decides as `prop`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from lxml import etree

from pipeline import xml
from pipeline.contracts import Conditions
from pipeline.findings import Finding, has_errors
from sources.dita import codes

# The attributes that a DITAVAL may speak of without naming them.
ATTRIBUTES: Final = ("audience", "platform", "product", "props", "otherprops", "deliveryTarget", "rev")
_INCLUDED: Final = frozenset({"include", "flag", "passthrough"})
_GROUP: Final = re.compile(r"([\w.:-]+)\(([^()]*)\)")


@dataclass(frozen=True)
class Filter:
    """The decisions of one DITAVAL: (attribute, value) -> excluded or not; "" stands for any value, any attribute."""

    decisions: dict[tuple[str, str], bool] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset(ATTRIBUTES)

    def excludes(self, element: etree._Element) -> bool:
        """Whether the element is left out."""
        if not self.decisions:
            return False
        return any(self._all_excluded(name, values) for name, values in self._conditions(element))

    def undecided(self, element: etree._Element, attribute: str) -> list[str]:
        """The values of an attribute, where the DITAVAL decides on none of them for good; the excluded ones are gone."""
        raw = element.get(attribute)
        if not raw:
            return []
        values = [value for _, found in groups(attribute, raw) for value in found]
        verdicts = {value: self._excluded(attribute, value) for value in values}
        if False in verdicts.values():
            return []
        return [value for value, verdict in verdicts.items() if verdict is None]

    def _conditions(self, element: etree._Element) -> Iterator[tuple[str, list[str]]]:
        for name, raw in element.attrib.items():
            if name in self.attributes:
                yield from groups(str(name), str(raw))

    def _all_excluded(self, name: str, values: list[str]) -> bool:
        return bool(values) and all(self._excluded(name, value) for value in values)

    def _excluded(self, name: str, value: str) -> bool | None:
        for key in ((name, value), (name, ""), ("", "")):
            if key in self.decisions:
                return self.decisions[key]
        return None


def groups(attribute: str, raw: str) -> list[tuple[str, list[str]]]:
    """An attribute's values by what they belong to: the attribute itself, or the groups written inside it."""
    found = [(match[1], match[2].split()) for match in _GROUP.finditer(raw)]
    plain = _GROUP.sub(" ", raw).split()
    return [(attribute, plain), *found] if plain else found


@lru_cache(maxsize=8)
def read(conditions: Conditions) -> tuple[Filter, tuple[Finding, ...]]:
    """The decisions of a DITAVAL, and findings for what it says amiss."""
    if not conditions.data.strip():
        return Filter(), ()
    root, findings = xml.parse(conditions.data, conditions.file)
    if root is None or has_errors(findings):
        return Filter(), (*findings, codes.DITAVAL_UNREAD.at(conditions.file, 1, "the DITAVAL can not be read"))
    decisions: dict[tuple[str, str], bool] = {}
    for prop in root.iter("prop", "revprop"):
        finding = _decide(prop, decisions, conditions.file)
        findings += [finding] if finding else []
    attributes = frozenset((*ATTRIBUTES, *(attribute for attribute, _ in decisions if attribute)))
    return Filter(decisions, attributes), tuple(findings)


def _decide(prop: etree._Element, decisions: dict[tuple[str, str], bool], file: str) -> Finding | None:
    attribute = "rev" if prop.tag == "revprop" else prop.get("att") or ""
    value, action = prop.get("val") or "", prop.get("action") or ""
    if action not in ("exclude", "include", "flag", "passthrough", "noflag"):
        return codes.DITAVAL.at(file, prop.sourceline, f"action {action!r}; expected include, exclude, flag or passthrough")
    if value and not attribute:
        return codes.DITAVAL.at(file, prop.sourceline, f"the value {value!r} stands without an attribute (att)")
    if action in _INCLUDED or action == "exclude":
        decisions.setdefault((attribute, value), action == "exclude")
    return None
