"""One grant of one agreement, as the rules see it.

In: a partner's agreements. Out: `Terms`, one per grant. A use is covered where, for one grant, no rule refuses:
two grants that each cover half of a use do not add up to one that covers it whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Literal, Protocol

from pipeline.contracts import Decision, Use
from pipeline.settings import Agreement, Exemption, FreshnessDays, Grant, Partner, SiteSettings
from pipeline.topic import Metadata

_PLAIN_SITE: Final = SiteSettings()
_PLAIN_FRESHNESS: Final = FreshnessDays()


@dataclass(frozen=True)
class Terms:
    """A grant with the agreement and partner that it belongs to."""

    partner: Partner
    agreement: Agreement
    clause: Grant

    @cached_property
    def place(self) -> str:
        """The clause as people cite it: `RH-2026-014, Schedule A, 1`."""
        return f"{self.agreement.id}, {self.clause.clause}"

    @property
    def freshness(self) -> FreshnessDays:
        """The days after which an overdue topic is marked and withheld."""
        return self.partner.freshness or _PLAIN_FRESHNESS

    def site(self, use: Use) -> SiteSettings:
        """The settings of the use's site."""
        return self.partner.sites.get(use.site, _PLAIN_SITE)

    def exemption(self, of: str, topic: Metadata, as_of: date) -> Exemption | None:
        """What sets a rule or a finding aside for a topic on that day."""
        return exemption(self.partner, of, topic.id, as_of)

    def grant(self, rule: str, reason: str, until: date | None = None) -> Decision:
        """This rule has nothing against the use."""
        return Decision(rule, "grant", reason, self.place, until)

    def mark(self, rule: str, mark: str, reason: str, until: date | None = None) -> Decision:
        """This rule grants the use under a mark right under the title."""
        return Decision(rule, "condition", reason, self.place, until, mark)

    def withhold(self, rule: str, reason: str, until: date | None = None) -> Decision:
        """This rule refuses the use under this grant."""
        return Decision(rule, "withhold", reason, self.place, until)

    def alone(self, missing: Iterable[str]) -> Decision:
        """A topic must not be shown without these companions, which the site does not get."""
        reason = f"must not be shown without {', '.join(missing)}, which this site does not get"
        return self.withhold("companions", reason)


class Rule(Protocol):
    """A license rule: `pipeline/rules/<name>.py`."""

    BY_FORMAT: bool  # whether its answer can differ from one format to another; if not, it is asked once for all

    def decide(self, topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:
        """The rule's answer for one use of one topic under one grant on one day. Never silent: it has a reason."""


def exemption(partner: Partner, of: str, topic_id: str, as_of: date) -> Exemption | None:
    """What the partner's file says that sets a rule or a finding aside for a topic on that day."""
    return next((e for e in partner.exemptions if e.of == of and covers(e.topics, topic_id) and as_of <= e.ends), None)


def all_terms(partner: Partner) -> Iterator[Terms]:
    """Every grant of every agreement: those of production first, since what they cover needs no mark; else in the order of
    the partner's file."""
    for agreement in sorted(partner.agreements, key=lambda agreement: agreement.kind == "evaluation"):
        for grant in agreement.grants:
            yield Terms(partner, agreement, grant)


def covers(scope: Literal["all"] | Collection[str], value: str) -> bool:
    """Whether a scope names the value, or is 'all'."""
    return scope == "all" or value in scope


def covers_language(scope: Literal["all"] | Collection[str], tag: str) -> bool:
    """As `covers`; a language covers its regional forms: `es` covers `es-US` (RFC 4647 basic filtering)."""
    lower = tag.lower()
    return scope == "all" or any(lower == s.lower() or lower.startswith(f"{s.lower()}-") for s in scope)


def outside(scope: Literal["all"] | Collection[str], territories: Collection[str]) -> str:
    """What a site shows its content in and a scope of territories does not cover, in words; "" where all is covered. `US` covers
    `US-CA`; a site that names no territory is shown anywhere, which "all" alone covers."""
    if scope == "all":
        return ""
    if not territories:
        return "anywhere"
    return ", ".join(code for code in territories if code not in scope and code.split("-")[0] not in scope)


def listed(scope: Literal["all"] | Collection[str]) -> str:
    """A scope in words."""
    return "all" if scope == "all" else ", ".join(scope)
