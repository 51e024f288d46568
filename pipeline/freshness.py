"""How fresh a topic is: where it stands between two medical reviews; what a translation is to be compared with.

In: a topic's metadata, the days that a contract sets, a day. Out: `ReviewState`. Days count from the day on which the review is
due, and that day itself is still in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.settings import FreshnessDays
from pipeline.settings.fields import days_after
from pipeline.topic import Metadata


@dataclass(frozen=True, slots=True)
class ReviewState:
    """`state` is current, due-soon, in-review, overdue, marked or long-overdue; `until` the first day of the next state that
    readers would notice (None = it stays so); `since` the day that brought this one."""

    state: str
    until: date | None = None
    since: date | None = None


def review_state(topic: Metadata, policy: FreshnessDays, as_of: date) -> ReviewState:
    """Where the topic stands. A topic that says no day of review is current: nothing is known against it."""
    due = topic.review_due
    if due is None:
        return ReviewState("current")
    quiet = policy.in_review_days if topic.status == "in-review" else policy.mark_after_days
    marked, withheld = days_after(due, quiet + 1), days_after(due, policy.withhold_after_days + 1)
    if as_of >= withheld:
        return ReviewState("long-overdue", since=withheld)
    if as_of >= marked:
        return ReviewState("marked", withheld, marked)
    if as_of > due:
        return ReviewState("in-review" if topic.status == "in-review" else "overdue", marked, days_after(due, 1))
    soon = days_after(due, -policy.due_soon_days)
    return ReviewState("due-soon" if as_of >= soon else "current", marked, soon if as_of >= soon else None)


def original(topic: Metadata, by_id: Mapping[str, Sequence[Metadata]]) -> Metadata | None:
    """What a topic translates: of the topics with that id in other languages, the first that is no translation itself; None where
    there is none, or the topic is no translation."""
    others = [o for o in by_id.get(topic.translation.of, ()) if o.language != topic.language] if topic.translation else []
    return next((other for other in others if other.translation is None), others[0] if others else None)


def translated_on(topic: Metadata) -> date | None:
    """The day whose original a translation is known to say."""
    return (topic.translation.reviewed_on if topic.translation else None) or topic.modified or topic.current_as_of
