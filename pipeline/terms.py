"""One grant of one agreement, as the rules see it.

In: a partner's agreements. Out: `Terms`, one per grant. A use is covered where, for one grant, no rule refuses:
two grants that each cover half of a use do not add up to one that covers it whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from pipeline.contracts import Decision, Use
from pipeline.settings import Agreement, Grant, Partner
from pipeline.topic import Metadata


@dataclass(frozen=True, slots=True)
class Terms:
    """A grant with the agreement and partner that it belongs to."""

    partner: Partner
    agreement: Agreement
    clause: Grant

    @property
    def place(self) -> str:
        """The clause as people cite it: `RH-2026-014, Schedule A, 1`."""
        return f"{self.agreement.id}, {self.clause.clause}"

    def grant(self, rule: str, reason: str, until: date | None = None) -> Decision:
        """This rule has nothing against the use."""
        return Decision(rule, "grant", reason, self.place, until)

    def withhold(self, rule: str, reason: str, until: date | None = None) -> Decision:
        """This rule refuses the use under this grant."""
        return Decision(rule, "withhold", reason, self.place, until)


class Rule(Protocol):
    """A license rule: `pipeline/rules/<name>.py`."""

    def decide(self, topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:
        """The rule's answer for one use of one topic under one grant on one day. Never silent: it has a reason."""


def all_terms(partner: Partner) -> Iterator[Terms]:
    """Every grant of every agreement, in the order of the partner's file."""
    for agreement in partner.agreements:
        for grant in agreement.grants:
            yield Terms(partner, agreement, grant)


def covers(scope: Literal["all"] | Collection[str], value: str) -> bool:
    """Whether a scope names the value, or is 'all'."""
    return scope == "all" or value in scope


def covers_language(scope: Literal["all"] | Collection[str], tag: str) -> bool:
    """As `covers`; a language covers its regional forms: `es` covers `es-US` (RFC 4647 basic filtering)."""
    lower = tag.lower()
    return scope == "all" or any(lower == s.lower() or lower.startswith(f"{s.lower()}-") for s in scope)


def listed(scope: Literal["all"] | Collection[str]) -> str:
    """A scope in words."""
    return "all" if scope == "all" else ", ".join(scope)
