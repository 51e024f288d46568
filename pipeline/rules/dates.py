"""The agreement is in force on the day asked for; both ends are included."""

from __future__ import annotations

from datetime import date, timedelta

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds before the agreement's first and after its last day."""
    agreement = terms.agreement
    if as_of < agreement.starts:
        return terms.withhold("dates", f"agreement {agreement.id} starts on {agreement.starts}", until=agreement.starts)
    if as_of > agreement.ends:
        return terms.withhold("dates", f"agreement {agreement.id} ended on {agreement.ends}")
    return terms.grant("dates", f"agreement {agreement.id} runs to {agreement.ends}", until=agreement.ends + timedelta(days=1))
