"""Which elements a CSS selector means, on the safe side: what is not understood matches.

In: one complex selector. Out: `matcher(selector)`, a predicate over lxml elements. Tag names, classes, ids, attributes,
combinators, `:is`, `:where`, `:not`, `:root` and `:empty` are worked out; every other pseudo-class holds (an element may be
hovered, first, checked). Pseudo-elements are judged as the element they belong to, because a generated box can
cover it. Follows Selectors Level 4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lxml import etree

from pipeline.audit._css import split

Predicate = Callable[[etree._Element], bool]

_PART: Final = re.compile(
    r"""(?P<tag>\*|[-\w\u0080-\U0010ffff]+)
      | \#(?P<id>[-\w\u0080-\U0010ffff]+)
      | \.(?P<cls>[-\w\u0080-\U0010ffff]+)
      | \[\s*(?P<name>(?:[-\w*]*\|(?!=))?[-\w:]+)\s*
           (?:(?P<op>[~|^$*]?=)\s*(?P<value>"[^"]*"|'[^']*'|[^\]\s]+)\s*(?P<flag>[is])?\s*)?\]
      | ::?(?P<pseudo>[-\w]+)(?P<open>\()?""",
    re.VERBOSE | re.IGNORECASE,
)
_COMBINATOR: Final = re.compile(r"\s*([>+~])\s*|\s+")


_names: dict[object, str] = {}


def local(element: etree._Element) -> str:
    """The element's name without its namespace, "" for comments and processing instructions."""
    tag = element.tag
    name = _names.get(tag)
    if name is None:
        name = tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
        if len(_names) < 10_000:
            _names[tag] = name
    return name


@lru_cache(maxsize=4096)
def matcher(selector: str) -> Predicate:
    """The predicate of one complex selector (no commas at its top level)."""
    try:
        steps = _steps(selector.strip())
    except NotUnderstood:
        return lambda _: True
    return lambda element: _matches(element, steps)


@lru_cache(maxsize=4096)
def subject(selector: str) -> tuple[str, str]:
    """A cheap test before the real one: ("class" | "id" | "tag" | "", name) that every match must have."""
    try:
        last = _steps(selector.strip())[-1]
    except NotUnderstood:
        return "", ""
    return last.needs


class NotUnderstood(ValueError):
    """A selector beyond this module; the caller takes it to match."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One compound and how it hangs on the one before it (" ", ">", "+", "~")."""

    tests: tuple[Predicate, ...]
    combinator: str
    needs: tuple[str, str]


def _steps(selector: str) -> tuple[_Step, ...]:
    steps, at, combinator = [], 0, ""
    while at < len(selector):
        tests, needs, end = _compound(selector, at)
        if end == at:
            raise NotUnderstood(selector)
        steps.append(_Step(tests, combinator, needs))
        gap = _COMBINATOR.match(selector, end)
        if gap is None and end < len(selector):
            raise NotUnderstood(selector)
        combinator, at = (gap[1] or " ", gap.end()) if gap else ("", end)
    if not steps:
        raise NotUnderstood(selector)
    return tuple(steps)


def _compound(text: str, at: int) -> tuple[tuple[Predicate, ...], tuple[str, str], int]:
    tests: list[Predicate] = []
    needs = {"id": "", "class": "", "tag": ""}
    while (found := _PART.match(text, at)) is not None:
        at = found.end()
        if found["tag"]:
            if found["tag"] != "*":
                needs["tag"] = found["tag"].lower()
                tests.append(_tag(found["tag"].lower()))
        elif found["id"]:
            needs["id"] = found["id"]
            tests.append(_attribute("id", "=", found["id"]))
        elif found["cls"]:
            needs["class"] = found["cls"]
            tests.append(_class(found["cls"]))
        elif found["name"]:
            tests.append(
                _attribute(
                    found["name"].split("|")[-1].lower(), found["op"], (found["value"] or "").strip("\"'"), found["flag"] or ""
                )
            )
        else:
            argument = ""
            if found["open"]:
                end = _closing(text, at)
                argument, at = text[at:end], end + 1
            tests.append(_pseudo(found["pseudo"].lower(), argument))
    kind = next((kind for kind in ("id", "class", "tag") if needs[kind]), "")
    return tuple(tests), (kind, needs.get(kind, "")), at


def _closing(text: str, at: int) -> int:
    depth = 1
    for index in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    raise NotUnderstood(text)


def _tag(name: str) -> Predicate:
    return lambda element: local(element) == name


def _class(name: str) -> Predicate:
    return lambda element: name in element.get("class", "").split()


def _attribute(name: str, operator: str | None, value: str, flag: str = "") -> Predicate:
    fold = str.lower if flag.lower() == "i" else str
    value = fold(value)

    def holds(element: etree._Element) -> bool:
        found = element.get(name)
        if found is None:
            return False
        found = fold(found)
        return {
            None: True,
            "=": found == value,
            "~=": value in found.split(),
            "|=": found == value or found.startswith(value + "-"),
            "^=": bool(value) and found.startswith(value),
            "$=": bool(value) and found.endswith(value),
            "*=": bool(value) and value in found,
        }[operator]

    return holds


def _pseudo(name: str, argument: str) -> Predicate:
    if name in ("is", "where", "matches", "-webkit-any"):
        inner = [matcher(part) for part in split(argument)]
        return lambda element: any(test(element) for test in inner)
    if name == "not" and not _vague(argument):
        inner_steps = [_steps(part) for part in split(argument)]
        return lambda element: not any(_matches(element, steps) for steps in inner_steps)
    if name == "root":
        return lambda element: local(element) == "html"
    if name == "empty":
        return lambda element: len(element) == 0 and not element.text
    return lambda _: True


def _vague(argument: str) -> bool:
    """Whether a selector holds something that is only supposed to match: its negation must be supposed to match too."""
    known = ("is", "where", "root", "empty")
    return any(name.lower() not in known for name in re.findall(r":([-\w]+)", re.sub(r"\[[^\]]*\]", "", argument)))


def _matches(element: etree._Element | None, steps: tuple[_Step, ...]) -> bool:
    if element is None or not all(test(element) for test in steps[-1].tests):
        return False
    rest = steps[:-1]
    if not rest:
        return True
    return any(_matches(candidate, rest) for candidate in _candidates(element, steps[-1].combinator))


def _candidates(element: etree._Element, combinator: str) -> list[etree._Element]:
    if combinator == ">":
        parent = element.getparent()
        return [] if parent is None else [parent]
    if combinator == "+":
        return list(element.itersiblings("*", preceding=True))[:1]
    if combinator == "~":
        return list(element.itersiblings("*", preceding=True))
    return list(element.iterancestors())
