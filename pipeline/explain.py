"""Why a site gets a topic, or does not: each rule's answer, with the clause that it follows.

In: a System, a day, topic, partner, site, language. Out: `Explanation`: a row per format, grant and rule, and one
sentence a person can send on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pipeline.catalog import survey
from pipeline.contracts import Decision, Use
from pipeline.editions import Granted, SitePlan
from pipeline.plugins import System
from pipeline.report import Report
from pipeline.run import Options, conditions_of, prepare
from pipeline.single import find_key, find_prefix
from pipeline.sites import Today
from pipeline.terms import all_terms


@dataclass(frozen=True)
class Explanation:
    """`rows`: (format, decision) under every grant; `sentence`: what comes of it."""

    rows: tuple[tuple[str, Decision], ...]
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"sentence": self.sentence, "decisions": [{"format": name, **asdict(decision)} for name, decision in self.rows]}

    def table(self) -> list[dict[str, str]]:
        """The rows as strings."""
        return [
            {
                "format": name,
                "clause": decision.clause,
                "rule": decision.rule,
                "verdict": decision.verdict,
                "reason": decision.reason,
                "until": str(decision.until or ""),
            }
            for name, decision in self.rows
        ]


def explain(system: System, today: Today, topic: str, partner: str, *, site: str = "", language: str = "") -> Explanation:
    """Every rule's answer for every format. Raises UsageError for a name that does not exist."""
    options = Options(today, "explain", "", partners=(partner,), topics=(topic,), dry_run=True, offline=True)
    catalog = survey(system, conditions_of(system, options))
    state = prepare(system, options, catalog, Report("explain", ""))
    owner = system.configuration.partner(partner)
    prefix = find_prefix(owner, site)
    plan = state.context.plans[prefix]
    key = find_key(plan, topic, language)
    rules = [plugin.load() for plugin in system.rules.values()]
    rows = [
        (name, rule.decide(catalog.metadata[key], Use(plan.site.id, name, key[1]), terms, plan.as_of))
        for name in system.transforms
        for terms in all_terms(owner)
        for rule in rules
    ]
    return Explanation(
        tuple(rows), _sentence(catalog.metadata[key].title, plan, plan.granted.get(key), plan.withheld.get(key, ()))
    )


def _sentence(title: str, plan: SitePlan, granted: Granted | None, refusals: tuple[Decision, ...]) -> str:
    day = plan.as_of.isoformat()
    if granted:
        return f"On {day} {plan.site.name} gets {title!r} as {', '.join(granted.formats)}, under {granted.terms.place}."
    reasons = "; ".join(f"{decision.reason} ({decision.clause})" if decision.clause else decision.reason for decision in refusals)
    return f"On {day} {plan.site.name} does not get {title!r}: {reasons}."
