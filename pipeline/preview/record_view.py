"""A rights record in words: what the license lets its holder do, what it asks, what it forbids.

In: the record (`rights.json`), as the partner gets it, and so perhaps from a store. Out: sentences. What is not known here is
shown as the record writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_ACTIONS: Final = {
    "display": "show it",
    "print": "print it",
    "attribute": "name its source",
    "include": "show all notices with it",
    "tdm:mine": "mine its text and data, or train on it",
    "extract": "let programs answer from it",
    "derive": "let programs summarize it",
    "translate": "translate it",
    "index": "let search engines index it",
    "modify": "change it",
}
_SIGNS: Final = {"gteq": "from", "lteq": "to", "eq": "only"}
_LEFT: Final = {"dateTime": "", "language": "in language "}


@dataclass(frozen=True, slots=True)
class Said:
    """What the record's policy comes to: `may` with when and in which language, `must` with what `may` allows, `may_not`."""

    may: tuple[str, ...]
    must: tuple[str, ...]
    may_not: tuple[str, ...]


def said(record: Mapping[str, Any]) -> Said:
    """The ODRL policy of a record in words."""
    policy = record.get("odrl")
    policy = policy if isinstance(policy, dict) else {}
    permissions = _rules(policy.get("permission"))
    duties = [_action(duty.get("action")) for rule in permissions for duty in _rules(rule.get("duty"))]
    may = [_with_constraints(rule) for rule in permissions]
    may_not = [_action(rule.get("action")) for rule in _rules(policy.get("prohibition"))]
    return Said(*(tuple(dict.fromkeys(found)) for found in (may, duties, may_not)))


def _rules(found: object) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _action(found: object) -> str:
    names = found if isinstance(found, list) else [found]
    return " and ".join(_ACTIONS.get(str(name), str(name)) for name in names)


def _with_constraints(rule: Mapping[str, Any]) -> str:
    limits = [_limit(each) for each in _rules(rule.get("constraint"))]
    return ", ".join([_action(rule.get("action")), *limits])


def _limit(constraint: Mapping[str, Any]) -> str:
    right = constraint.get("rightOperand")
    value = right.get("@value") if isinstance(right, dict) else right
    left, sign = str(constraint.get("leftOperand")), str(constraint.get("operator"))
    return f"{_SIGNS.get(sign, sign)} {_LEFT.get(left, f'{left} ')}{value}"
