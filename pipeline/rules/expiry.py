"""The topic has not expired; its last day is included."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.settings.fields import days_after
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic after its last day."""
    if topic.expires is None:
        return terms.grant("expiry", "does not expire")
    if as_of > topic.expires:
        return terms.withhold("expiry", f"expired after {topic.expires}")
    return terms.grant("expiry", f"expires after {topic.expires}", until=days_after(topic.expires, 1))
