"""Why a site gets a topic, or does not: each rule's answer, with the clause that it follows.

In: a System, a day, topic, partner, site, language. Out: `Explanation`: a row per grant, rule and answer (formats that get the
same answer share one), and one sentence a person can send on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from pipeline import limits
from pipeline.catalog import Catalog, survey
from pipeline.contracts import Around, Decision, Rights, Use
from pipeline.editions import Granted, SitePlan, topics_by_id
from pipeline.errors import StoreError
from pipeline.findings import has_errors
from pipeline.plugins import System
from pipeline.report import Report
from pipeline.run import Options, State, conditions_of, prepare
from pipeline.settings import Partner, unknown
from pipeline.single import find_key, find_prefix, read_topic
from pipeline.sites import Today
from pipeline.standing import why
from pipeline.terms import Terms, all_terms
from pipeline.topic import Metadata
from pipeline.work import TopicResult


@dataclass(frozen=True)
class Explanation:
    """`rows`: (formats, decision) under every grant; `sentence`: what comes of it."""

    rows: tuple[tuple[tuple[str, ...], Decision], ...]
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "sentence": self.sentence,
            "decisions": [{"formats": list(names), **asdict(decision)} for names, decision in self.rows],
        }

    def table(self) -> list[dict[str, str]]:
        """The rows as strings."""
        return [
            {
                "clause": decision.clause,
                "rule": decision.rule,
                "verdict": decision.verdict,
                "formats": ", ".join(names) or "all",
                "reason": decision.reason,
                "until": str(decision.until or ""),
            }
            for names, decision in self.rows
        ]


def explain(system: System, today: Today, topic: str, partner: str, *, site: str = "", language: str = "") -> Explanation:
    """Every rule's answer for every format and image. Where the store can not be asked, the sentence says so: what it knows
    (withdrawals, what is live) may decide. Raises UsageError for a name that does not exist."""
    owner = system.configuration.partner(partner)
    options = Options(today, "explain", "", partners=(partner,), dry_run=True)  # of all topics: companions are among them
    catalog = survey(system, conditions_of(system, options))
    if topic not in (known := {topic_id for topic_id, _ in catalog.metadata}):
        raise unknown("topic", topic, known)
    state, unasked = _prepared(system, options, catalog)
    prefix = find_prefix(owner, site)
    plan = state.context.plans[prefix]
    key = find_key(plan, topic, language)
    withdrawal = state.context.standing.withdrawal(*key, catalog.metadata[key].version)
    use = Use(plan.site.id, "", key[1], why(withdrawal) if withdrawal else "", _around(state, prefix, catalog, owner))
    prepared = read_topic(system, state, catalog, owner, key, result := TopicResult(key))
    found = about(system, catalog.metadata[key], plan, use, prepared.rights.values() if prepared else ())
    held_back = " But it is held back, for what 'check' finds in it."
    sentence = found.sentence + (held_back if key in plan.granted and has_errors(result.findings) else "")
    return replace(found, sentence=sentence + unasked)


def about(system: System, topic: Metadata, plan: SitePlan, use: Use, images: Iterable[Rights]) -> Explanation:
    """Every rule's answer about a topic under every grant of the plan's partner, and about its images under the grants that cover
    its pages; and what comes of it. `use` says what stands around it, and whether a decision withdraws it."""
    rows = [row for terms in all_terms(plan.partner) for row in _answers(system, topic, use, terms, plan.as_of)]
    rows += _images(system, plan, topic, use, images)
    return Explanation(tuple(rows), _sentence(topic.title, plan, plan.granted.get(topic.key), plan.withheld.get(topic.key, ())))


def _prepared(system: System, options: Options, catalog: Catalog) -> tuple[State, str]:
    try:
        state = prepare(system, options, catalog, Report("explain", ""))
        return state, "".join(f" The store did not say what is live: {problem.what}." for problem in state.failed.values())
    except StoreError as problem:
        state = prepare(system, replace(options, offline=True), catalog, Report("explain", ""))
        return state, f" The store did not say what is withdrawn or live: {problem.what}."


def _around(state: State, prefix: str, catalog: Catalog, owner: Partner) -> Around:
    conditions = state.context.system.configuration.conditions(owner)
    counts = {name: len(topics) for name, topics in limits.used(state.context.plans.values(), owner.id).items()}
    plan = state.context.plans[prefix]
    return Around(
        topics_by_id(catalog.under(conditions)),
        frozenset(plan.granted),
        state.live_rows.get(prefix, {}),
        counts,
    )


def _answers(system: System, topic: Metadata, use: Use, terms: Terms, as_of: date) -> Iterator[tuple[tuple[str, ...], Decision]]:
    """Each rule's answers under one grant, those that formats share once."""
    for plugin in system.rules.values():
        rule = plugin.load()
        formats = list(system.transforms) if rule.BY_FORMAT else [""]
        uses = (replace(use, format=name) for name in formats)
        yield from _merged((one.format, rule.decide(topic, one, terms, as_of)) for one in uses)


def _images(
    system: System, plan: SitePlan, topic: Metadata, use: Use, images: Iterable[Rights]
) -> Iterator[tuple[tuple[str, ...], Decision]]:
    """What becomes of each image of the body, under the grants that cover the page."""
    granted = plan.granted.get(topic.key)
    if granted is None:
        return
    rule = system.rules["asset"].load()
    for image in images:
        uses = ((name, replace(use, format=name, image=image)) for name in granted.formats)
        answers = ((name, rule.decide(topic, one, terms, plan.as_of)) for name, one in uses for terms in granted.by_format[name])
        yield from _merged(answers)


def _merged(answers: Iterable[tuple[str, Decision]]) -> Iterator[tuple[tuple[str, ...], Decision]]:
    found: dict[Decision, list[str]] = {}
    for name, decision in answers:
        found.setdefault(decision, []).append(name)
    for decision, names in found.items():
        yield tuple(dict.fromkeys(names)) if len(found) > 1 else (), decision


def _sentence(title: str, plan: SitePlan, granted: Granted | None, refusals: tuple[Decision, ...]) -> str:
    day = plan.as_of.isoformat()
    if granted:
        marks = _listed({mark: None for name in granted.formats for mark in granted.marks.get(name, ())})
        marked = f", marked {marks}" if marks else ""
        return f"On {day} {plan.site.name} gets {title!r} as {_by_place(granted)}{marked}."
    reasons = "; ".join(f"{decision.reason} ({decision.clause})" if decision.clause else decision.reason for decision in refusals)
    return f"On {day} {plan.site.name} does not get {title!r}: {reasons}."


def _by_place(granted: Granted) -> str:
    places: dict[str, list[str]] = {}
    for name in granted.formats:
        places.setdefault(granted.by_format[name][0].place, []).append(name)
    return "; ".join(f"{_listed(names)}, under {place}" for place, names in places.items())


def _listed(names: Mapping[str, None] | list[str]) -> str:
    return ", ".join(names)
