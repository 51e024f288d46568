"""What the terms say of a topic: each rule's answer for a site, and which other sites get it.

In: a desk, a topic's metadata. Out: rows for tables, decided by the same rules as a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.editions import decide
from pipeline.plugins import System
from pipeline.preview.viewpoints import Desk
from pipeline.settings import Partner
from pipeline.sites import Today
from pipeline.terms import Rule
from pipeline.topic import Metadata


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site has of a topic in one format: the clause that grants it ("" = none does), and every rule's answer under it, or
    the refusals under the clause that came nearest."""

    format: str
    clause: str
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another site gets: its formats, or why it gets none."""

    site: str
    name: str
    partner: str
    formats: tuple[str, ...]
    reason: str


def answers(desk: Desk, metadata: Metadata) -> list[Answer]:
    """Each format's answer for the desk's site."""
    system, plan = desk.context.system, desk.plan
    rules = _rules(system)
    found = []
    for name in system.transforms:
        terms, decisions = decide(metadata, Use(plan.site.id, name, metadata.language), plan.partner, rules, plan.as_of)
        found.append(Answer(name, terms.place if terms else "", decisions))
    return found


def elsewhere(system: System, metadata: Metadata, today: Today) -> list[Elsewhere]:
    """What every site of every partner gets of the topic, before companions and missing notices."""
    rules = _rules(system)
    return [
        _elsewhere(
            system, rules, partner, site, settings.name or partner.name, metadata, today(system.configuration.timezone(partner))
        )
        for partner in system.configuration.partners
        for site, settings in partner.all_sites().items()
    ]


def _elsewhere(
    system: System, rules: dict[str, Rule], partner: Partner, site: str, name: str, metadata: Metadata, as_of: date
) -> Elsewhere:
    formats, reason = [], ""
    for each in system.transforms:
        terms, decisions = decide(metadata, Use(site, each, metadata.language), partner, rules, as_of)
        if terms:
            formats.append(each)
        elif decisions and not reason:
            reason = decisions[0].reason
    return Elsewhere(site, name, partner.id, tuple(formats), "" if formats else reason)


def _rules(system: System) -> dict[str, Rule]:
    return {name: plugin.load() for name, plugin in system.rules.items()}
