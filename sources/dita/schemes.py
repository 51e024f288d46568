"""Subject schemes: which values of an attribute stand under which.

In: the root of a `subjectScheme`. Out: `Scheme`, and of all schemes together the broader value of each value. Specification: DITA
1.3, subject scheme maps, "filtering": what is decided of a value holds for the values under it that nothing else is decided of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from sources.dita.names import child, is_a


@dataclass(frozen=True, slots=True)
class Scheme:
    """`under`: pairs of a subject and the one right above it; `bound`: pairs of an attribute and the subject that holds its
    values."""

    under: tuple[tuple[str, str], ...] = ()
    bound: tuple[tuple[str, str], ...] = ()


def scheme(root: etree._Element) -> Scheme:
    """What a scheme says."""
    subjects = [one for one in root.iter("*") if is_a(one, "subjectdef")]
    under = ((name, above) for one in subjects for above in _above(one) for name in _names(one))
    bound = ((attribute, name) for one in root.iter("*") if is_a(one, "enumerationdef") for attribute, name in _bound(one))
    return Scheme(tuple(under), tuple(bound))


def _names(subject: etree._Element) -> list[str]:
    return (subject.get("keys") or subject.get("keyref") or "").split()


def _above(subject: etree._Element) -> list[str]:
    """The subject around this one, whatever stands between them (`hasNarrower`, groups)."""
    around = next((one for one in subject.iterancestors() if is_a(one, "subjectdef") or is_a(one, "enumerationdef")), None)
    return _names(around) if around is not None and is_a(around, "subjectdef") else []


def _bound(enumeration: etree._Element) -> list[tuple[str, str]]:
    attribute, subject = child(enumeration, "attributedef"), child(enumeration, "subjectdef")
    named = (attribute.get("name") or "").strip() if attribute is not None else ""
    return [(named, name) for name in _names(subject)] if named and subject is not None else []


def broader(schemes: Iterable[Scheme]) -> Mapping[tuple[str, str], str]:
    """Of each (attribute, value) the value right above it; the subject that is bound to the attribute is no value itself."""
    found = list(schemes)
    inner: dict[str, list[str]] = {}
    for one in found:
        for name, above in one.under:
            inner.setdefault(above, []).append(name)
    made: dict[tuple[str, str], str] = {}
    for attribute, top in (pair for one in found for pair in one.bound):
        queue = list(inner.get(top, ()))
        while queue:
            value = queue.pop()
            for name in inner.get(value, ()):
                if name != top and (attribute, name) not in made:
                    made[attribute, name] = value
                    queue.append(name)
    return made
