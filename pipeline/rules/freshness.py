"""The medical review of the topic is not long overdue."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.freshness import review_state
from pipeline.settings.fields import days_after
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Marks a topic whose review is overdue, and withholds one whose review is long overdue, by the days of the contract."""
    found, due = review_state(topic, terms.freshness, as_of), topic.review_due
    if found.state in ("marked", "long-overdue") and (exemption := terms.exemption("freshness", topic, as_of)):
        reason = f"review was due on {due}; exempt to {exemption.ends}: {exemption.reason}"
        return terms.grant("freshness", reason, until=days_after(exemption.ends, 1))
    if found.state == "long-overdue":
        return terms.withhold("freshness", f"review was due on {due}; withheld since {found.since}")
    if found.state == "marked":
        return terms.mark("freshness", "review-due", f"review was due on {due}; marked since {found.since}", until=found.until)
    reasons = {
        "current": f"review is due on {due}" if due else "the topic says no day of review",
        "due-soon": f"review is due soon, on {due}",
        "overdue": f"review was due on {due}; marked from {found.until}",
        "in-review": f"review was due on {due}, and is under way; marked from {found.until}",
    }
    return terms.grant("freshness", reasons[found.state], until=found.until)
