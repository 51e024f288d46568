"""Changes that come by themselves: what the rules will say otherwise on a later day, reviews that fall due, rights that end.

In: the plan of a site today, topics, what is live, the rules' `until` (the first day on which an answer could differ), a last
day. Out: `Event`s. A rule is asked again only on days and about topics for which it said so, and only a difference is an event:
nothing is guessed from dates, so a new rule is in the forecast as soon as it is in its folder.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from pipeline import reuse
from pipeline.asset_rights import listed_rights
from pipeline.catalog import Catalog
from pipeline.contracts import Around, Decision, Rights, Row, Use
from pipeline.editions import Granted, Key, SitePlan, topics_by_id
from pipeline.planning import plan_on
from pipeline.plugins import System
from pipeline.settings import Partner
from pipeline.settings.fields import days_after
from pipeline.standing import Standing
from pipeline.topic import Metadata

KINDS: Final = {
    "expires": "expires",
    "lapses": "is withheld",
    "lifts": "becomes available",
    "formats": "changes formats",
    "terms": "changes terms",
    "marked": "is marked for readers",
    "unmarked": "loses a mark",
    "review-due": "must be reviewed",
    "review-overdue": "should have been reviewed",
    "image-lapses": "loses an image",
    "notice-by": "last day to give notice",
    "agreement-starts": "agreement starts",
    "agreement-ends": "last day of the agreement",
    "wind-down-ends": "last day of the wind-down",
    "exemption-ends": "last day of an exemption",
}
UPCOMING_DAYS: Final = 90
# What partners are told of their own topics. What they never had is not named, and reviews overdue are marked on the page.
_TOLD: Final = frozenset(KINDS) - {"lifts", "review-overdue", "exemption-ends"}


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One change on one site. Without a topic it is about the agreement. `reason` is the rule's own, on that day."""

    on: date
    kind: str
    partner: str
    site: str = ""
    topic: str = ""
    language: str = ""
    title: str = ""
    reason: str = ""
    clause: str = ""
    owner: str = ""

    def as_row(self) -> dict[str, str]:
        """All of it as strings."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Ahead:
    """All that is needed to ask again on a later day: a site's plan of today, the topics, decisions, and what is live there."""

    system: System
    plan: SitePlan
    catalog: Catalog
    standing: Standing = field(default_factory=Standing)
    live: Mapping[Key, Row] = field(default_factory=dict)


def upcoming(ahead: Ahead, shown: Collection[Key]) -> tuple[Mapping[str, str], ...]:
    """The same facts for the partner, as its manifest has them: of topics that it is shown. They reach to the end of a month, so
    that most days bring no new release."""
    plan = ahead.plan
    day = days_after(plan.as_of, UPCOMING_DAYS)
    end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    found = {*agreements(plan.partner, plan.as_of, end), *site_events(ahead, end)}
    found.update(reviews(plan, ahead.catalog, end), (replace(event, clause="") for event in images(ahead, end)))
    told = [e for e in sorted(found) if e.kind in _TOLD and (not e.topic or (e.topic, e.language) in shown)]
    names = {"on": "on", "kind": "what", "topic": "id", "language": "language", "reason": "reason", "clause": "clause"}
    return tuple({theirs: row[ours] for ours, theirs in names.items() if row[ours]} for row in (e.as_row() for e in told))


# --- topics -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a site has of a topic on a day: the grant, or why not."""

    granted: Granted | None
    refusals: tuple[Decision, ...] = ()


def site_events(ahead: Ahead, end: date) -> Iterator[Event]:
    """What rules will say otherwise about topics of a site, after today and up to `end`."""
    plan, system = ahead.plan, ahead.system
    conditions = system.configuration.conditions(plan.partner)
    topics = {**ahead.catalog.metadata, **{m.key: m for m in ahead.catalog.under(conditions)}}
    around = Around(topics_by_id(topics.values()), live=ahead.live)
    together = _companions(topics)

    def again(day: date, keys: Collection[Key]) -> SitePlan:
        asked_for = {*keys, *together} if together.intersection(keys) else keys
        asked = [topics[key] for key in sorted(asked_for) if key in topics]
        return plan_on(system, asked, plan.site, plan.partner, day, ahead.standing, around)[0]

    return changes(plan, again, topics, end)


def _companions(topics: Mapping[Key, Metadata]) -> set[Key]:
    """Topics that need others, and those: what one loses, the other may lose too."""
    found = set()
    for key, metadata in topics.items():
        if metadata.companions:
            found |= {key, *((name, metadata.language) for name in metadata.companions)}
    return found


def changes(
    plan: SitePlan, again: Callable[[date, Collection[Key]], SitePlan], topics: Mapping[Key, Metadata], end: date
) -> Iterator[Event]:
    """The differences between what a site has today and on each later day. `again` plans topics on a later day (more than asked
    for, where topics need each other)."""
    days: dict[date, set[Key]] = defaultdict(set)
    for key, day in plan.until.items():
        days[day].add(key)
    now = _standings(plan)
    while days and (day := min(days)) <= end:
        later = again(day, days.pop(day))
        for key, after in _standings(later).items():
            blank = Event(day, "", plan.partner.id, plan.site.id, *key, topics[key].title, owner=topics[key].owner)
            yield from _change(blank, now.get(key, _Standing(None)), after)
            now[key] = after
        for key, next_day in later.until.items():
            if next_day > day:
                days[next_day].add(key)


def _standings(plan: SitePlan) -> dict[Key, _Standing]:
    found = {key: _Standing(None, refusals) for key, refusals in plan.withheld.items()}
    return found | {key: _Standing(granted) for key, granted in plan.granted.items()}


def _change(blank: Event, before: _Standing, after: _Standing) -> Iterator[Event]:
    had, has = before.granted, after.granted
    if had and not has:
        first = after.refusals[0] if after.refusals else Decision("", "withhold", "")
        kind = "expires" if first.rule == "expiry" else "lapses"
        yield replace(blank, kind=kind, reason=first.reason, clause=first.clause or had.terms.place)
    elif has and not had:
        reason = f"until then: {before.refusals[0].reason}" if before.refusals else ""
        yield replace(blank, kind="lifts", reason=reason, clause=has.terms.place)
    elif had and has:
        yield from _differences(replace(blank, clause=has.terms.place), had, has)


def _differences(blank: Event, had: Granted, has: Granted) -> Iterator[Event]:
    gone, new = ([name for name in a.formats if name not in b.formats] for a, b in ((had, has), (has, had)))
    if gone or new:
        parts = ([f"no longer as {', '.join(gone)}"] if gone else []) + ([f"also as {', '.join(new)}"] if new else [])
        yield replace(blank, kind="formats", reason="; ".join(parts))
    if had.terms.place != has.terms.place:
        yield replace(blank, kind="terms", reason=f"until then under {had.terms.place}")
    old_marks, new_marks = ({mark for marks in g.marks.values() for mark in marks} for g in (had, has))
    for mark in sorted(new_marks - old_marks):
        yield replace(blank, kind="marked", reason=f"a line under the title: {mark}")
    for mark in sorted(old_marks - new_marks):
        yield replace(blank, kind="unmarked", reason=f"the line goes: {mark}")


def reviews(plan: SitePlan, catalog: Catalog, end: date) -> Iterator[Event]:
    """Reviews that fall due, and those that should have been: they stand on today."""
    for key in plan.granted:
        metadata = catalog.metadata.get(key)
        if metadata is None or metadata.review_due is None or metadata.review_due > end:
            continue
        due = metadata.review_due
        on, kind = (due, "review-due") if due >= plan.as_of else (plan.as_of, "review-overdue")
        last = f"; last review {metadata.current_as_of}" if metadata.current_as_of else ""
        text = f"review due {due}{last}"
        yield Event(on, kind, plan.partner.id, plan.site.id, *key, metadata.title, text, owner=metadata.owner)


def images(ahead: Ahead, end: date) -> Iterator[Event]:
    """Images whose rights end: the topics that show them lose them the day after. `clause` is the image's file."""
    plan, listed = ahead.plan, listed_rights(ahead.system.configuration)
    ending = {file: rights for file, rights in listed.items() if rights.ends and plan.as_of <= rights.ends < end}
    uses = reuse.of_indexes(ahead.catalog.indexes.values()) if ending else {}
    for file, rights in ending.items():
        assert rights.ends is not None
        after = rights.ends + timedelta(days=1)
        for key in plan.granted:
            if file not in uses.get(key, ()) or key not in ahead.catalog.metadata:
                continue
            shown, then = (_showing(ahead, key, rights, day) for day in (plan.as_of, after))
            if lost := [name for name in shown if name not in then]:
                m, text = ahead.catalog.metadata[key], f"its rights end on {rights.ends}; no longer in {', '.join(lost)}"
                yield Event(after, "image-lapses", plan.partner.id, plan.site.id, *key, m.title, text, file, m.owner)


def _showing(ahead: Ahead, key: Key, rights: Rights, day: date) -> list[str]:
    """The formats in which a site may show an image of a topic on a day."""
    rule, granted, topic = ahead.system.rules["asset"].load(), ahead.plan.granted[key], ahead.catalog.metadata[key]
    uses = {name: Use(ahead.plan.site.id, name, topic.language, image=rights) for name in granted.formats}
    return [
        name
        for name, use in uses.items()
        if not all(rule.decide(topic, use, terms, day).refuses for terms in granted.by_format[name])
    ]


# --- agreements ---------------------------------------------------------------------------------


def agreements(partner: Partner, as_of: date, end: date) -> Iterator[Event]:
    """First and last days of a partner's agreements, days to give notice, ends of wind-downs and exemptions."""
    for agreement in partner.agreements:
        days: list[tuple[date | None, str, str]] = [
            (agreement.starts, "agreement-starts", f"{agreement.kind} agreement, to {agreement.ends}"),
            (agreement.notice_by, "notice-by", f"the agreement ends on {agreement.ends}"),
            (agreement.ends, "agreement-ends", f"{agreement.kind} agreement since {agreement.starts}"),
        ]
        if agreement.after_end:
            text = f"the agreement ended on {agreement.ends}; it keeps {agreement.after_end.keep}"
            days.append((agreement.wind_down_ends, "wind-down-ends", text))
        for day, kind, text in days:
            if day and as_of <= day <= end:
                yield Event(day, kind, partner.id, reason=text, clause=agreement.id)
    for exemption in partner.exemptions:
        if as_of <= exemption.ends <= end:
            names = exemption.topics if isinstance(exemption.topics, str) else ", ".join(exemption.topics)
            yield Event(exemption.ends, "exemption-ends", partner.id, reason=f"{exemption.of} for {names}: {exemption.reason}")
