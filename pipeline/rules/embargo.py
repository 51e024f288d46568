"""The topic has gone live."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic before its go-live day."""
    if topic.go_live is None:
        return terms.grant("embargo", "no embargo")
    if as_of < topic.go_live:
        return terms.withhold("embargo", f"embargoed until {topic.go_live}", until=topic.go_live)
    return terms.grant("embargo", f"live since {topic.go_live}")
