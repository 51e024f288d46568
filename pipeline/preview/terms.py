"""What comes of the terms for one topic: each rule's answer for a site, what follows for it, and what every other site gets.

In: a snapshot, a topic, a site, a day. Out: the answer of `explain`, by its code: decisions, grants, rules, companions, missing
notices and limits, with what is live where a rule asks for it. What does not depend on other topics costs no look at them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipeline import explain, limits
from pipeline.contracts import Around, Decision, Rights, Row, Site, Use
from pipeline.editions import Granted, Key, SitePlan, topics_by_id
from pipeline.explain import Explanation
from pipeline.planning import plan_on
from pipeline.plugins import System
from pipeline.preview.live import Shop
from pipeline.preview.project import Snapshot
from pipeline.settings import Agreement, Partner
from pipeline.sites import Today, prefix_of
from pipeline.standing import Standing, why
from pipeline.topic import Metadata


@dataclass(frozen=True)
class Asked:
    """A topic, and what answers about it rest on; `standing` are the publisher's decisions."""

    system: System
    snapshot: Snapshot
    key: Key
    today: Today
    shop: Shop
    standing: Standing


@dataclass(frozen=True)
class Outcome:
    """What comes of it for one site."""

    name: str
    plan: SitePlan
    topic: Metadata
    around: Around

    @property
    def granted(self) -> Granted | None:
        """What the site has of the topic."""
        return self.plan.granted.get(self.topic.key)

    @property
    def withheld(self) -> tuple[Decision, ...]:
        """Why it has none."""
        return self.plan.withheld.get(self.topic.key, ())


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another site gets: its formats, or why it gets none."""

    site: str
    name: str
    formats: tuple[str, ...]
    reasons: tuple[str, ...]


def outcome(asked: Asked, partner: Partner, site_id: str) -> Outcome | None:
    """What a site gets of the topic; None where its partner's conditions leave the topic out."""
    configuration = asked.system.configuration
    topics = _needed(asked.snapshot.catalog.under(configuration.conditions(partner)), asked.key)
    topic = next((one for one in topics if one.key == asked.key), None)
    if topic is None:
        return None
    as_of = asked.today(configuration.timezone(partner))
    site = Site(partner.id, site_id, partner.all_sites()[site_id].name or partner.name, prefix_of(site_id))
    live: Mapping[Key, Row] = asked.shop.live(asked.system, site_id).rows if _winding_down(partner.agreements, as_of) else {}
    around = Around(topics_by_id(topics), live=live)
    plan, _ = plan_on(asked.system, topics, site, partner, as_of, asked.standing, around)
    return Outcome(site.name, plan, topic, replace(around, delivered=frozenset(plan.granted)))


def explained(asked: Asked, found: Outcome, images: Iterable[Rights], plans: Iterable[SitePlan]) -> Explanation:
    """Every rule's answer for that site, under every grant. `plans`: of all sites of the partner, for its limits."""
    partner, topic = found.plan.partner, found.topic
    counts = {name: len(ids) for name, ids in limits.used(plans, partner.id).items()}
    withdrawal = asked.standing.withdrawal(topic.id, topic.language, topic.version)
    around = replace(found.around, counts=counts)
    use = Use(found.plan.site.id, "", topic.language, why(withdrawal) if withdrawal else "", around)
    return explain.about(asked.system, topic, found.plan, use, images)


@dataclass(frozen=True)
class Clause:
    """One clause: the formats that it is the grant of, its answers (what decides it first), and how many of them refuse."""

    name: str
    grants: tuple[str, ...]
    refused: int
    rows: tuple[tuple[tuple[str, ...], Decision], ...]


def by_clause(said: Explanation, found: Outcome) -> list[Clause]:
    """The answers under each clause: clauses that something is granted under first."""
    answers: dict[str, list[tuple[tuple[str, ...], Decision]]] = {}
    for row in said.rows:
        answers.setdefault(row[1].clause, []).append(row)
    by_format = found.granted.by_format if found.granted else {}
    grants = {name: tuple(each for each, terms in by_format.items() if terms[0].place == name) for name in answers}
    clauses = [
        Clause(
            name,
            grants[name],
            sum(decision.refuses for _, decision in rows),
            tuple(sorted(rows, key=lambda row: row[1].refuses is bool(grants[name]))),
        )
        for name, rows in answers.items()
    ]
    return sorted(clauses, key=lambda clause: not clause.grants)


def elsewhere(asked: Asked) -> list[Elsewhere]:
    """What every site of every partner gets of the topic."""
    return [
        _elsewhere(asked, partner, site, settings.name or partner.name)
        for partner in asked.system.configuration.partners
        for site, settings in partner.all_sites().items()
    ]


def _elsewhere(asked: Asked, partner: Partner, site: str, name: str) -> Elsewhere:
    found = outcome(asked, partner, site)
    if found is None:
        return Elsewhere(site, name, (), ("its conditions leave the topic out",))
    formats = found.granted.formats if found.granted else ()
    return Elsewhere(site, name, formats, tuple(dict.fromkeys(decision.reason for decision in found.withheld)))


def limited(partner: Partner) -> bool:
    """Whether how many topics the partner has matters."""
    return any(agreement.limits for agreement in partner.agreements)


def _winding_down(agreements: Sequence[Agreement], as_of: date) -> bool:
    """Whether a rule asks what is live."""
    return any(one.after_end and one.ends < as_of <= one.wind_down_ends for one in agreements)


def _needed(topics: Collection[Metadata], key: Key) -> list[Metadata]:
    """The topic, what it translates, and what it must not be shown without, in all languages."""
    wanted, found = {key[0]}, list[Metadata]()
    while True:
        found = [topic for topic in topics if topic.id in wanted]
        more = {name for topic in found for name in topic.companions}
        more |= {topic.translation.of for topic in found if topic.translation}
        if more <= wanted:
            return found
        wanted |= more
