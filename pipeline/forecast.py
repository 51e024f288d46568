"""A forecast for people: every change that comes by itself within some days, for all sites, grouped.

In: a System, a day, how far to look. Out: `Forecast`, and rows for a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from pipeline.ahead import KINDS, UPCOMING_DAYS, Ahead, Event, agreements, images, reviews, site_events
from pipeline.catalog import survey
from pipeline.errors import SyndicationError
from pipeline.plugins import System
from pipeline.report import Report
from pipeline.run import Options, conditions_of, prepare
from pipeline.settings.fields import days_after
from pipeline.sites import Today


@dataclass(frozen=True)
class Forecast:
    """Events from a day to a last day, in order; `notes` are sites of which less is known."""

    events: tuple[Event, ...]
    as_of: date
    until: date
    notes: tuple[str, ...] = ()


def forecast(system: System, today: Today, days: int = UPCOMING_DAYS, partners: Collection[str] = ()) -> Forecast:
    """Everything that changes on the sites of these partners (none named: all) within so many days. Raises UsageError."""
    options = Options(today, "forecast", "", partners=tuple(partners), dry_run=True)
    catalog = survey(system, conditions_of(system, options))
    state = prepare(system, options, catalog, Report("forecast", ""))
    found: set[Event] = set()
    for prefix, plan in state.context.plans.items():
        end = days_after(plan.as_of, days)
        ahead = Ahead(system, plan, catalog, state.context.standing, state.live_rows.get(prefix, {}))
        found.update(agreements(plan.partner, plan.as_of, end), site_events(ahead, end))
        found.update(reviews(plan, catalog, end), images(ahead, end))
    known = [plan.as_of for plan in state.context.plans.values()]
    first = min(known, default=today(system.configuration.publisher_timezone))
    return Forecast(tuple(sorted(found)), first, days_after(first, days), tuple(map(_unknown, state.failed.items())))


def _unknown(failed: tuple[str, SyndicationError]) -> str:
    return f"{failed[0].removeprefix('p/')}: what is live could not be read, so a wind-down looks as if nothing were there"


@dataclass(frozen=True, slots=True)
class Group:
    """Events of one day and one cause: the sites and topics that they are about."""

    event: Event
    sites: tuple[str, ...]
    topics: tuple[tuple[str, str, str], ...]  # id, language, title

    def named(self, most: int) -> str:
        """The topics in words, at most so many."""
        shown = [f"{title} ({name} {language})" for name, language, title in self.topics[:most]]
        return ", ".join(shown) + (f" and {len(self.topics) - most} more" if len(self.topics) > most else "")

    def summary(self) -> str:
        """What happens, on one line."""
        event = self.event
        if not self.topics:
            return f"{event.partner}: {KINDS[event.kind]} {event.clause}".rstrip()
        what = self.topics[0][2] if len(self.topics) == 1 else f"{len(self.topics)} topics:"
        return f"{event.partner}: {what} {KINDS[event.kind]}"


def groups(events: Iterable[Event]) -> list[Group]:
    """Events that have all but site and topic in common, together, in order."""
    found: dict[Event, list[Event]] = defaultdict(list)
    for event in events:
        found[replace(event, site="", topic="", language="", title="", owner="")].append(event)
    return [
        Group(
            common,
            tuple(sorted({e.site for e in own if e.site})),
            tuple(sorted({(e.topic, e.language, e.title) for e in own if e.topic})),
        )
        for common, own in found.items()
    ]


def table(found: Forecast) -> list[dict[str, str]]:
    """A row per group, for a terminal."""
    return [
        {
            "on": group.event.on.isoformat(),
            "in days": str((group.event.on - found.as_of).days),
            "what": KINDS[group.event.kind],
            "partner": group.event.partner,
            "sites": ", ".join(group.sites),
            "topics": group.named(3),
            "why": group.event.reason,
            "clause": group.event.clause,
        }
        for group in groups(found.events)
    ]
