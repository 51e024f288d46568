"""No open decision of the publisher withdraws the topic."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic that is withdrawn, whatever its source says, until it is restored."""
    if use.withdrawn:
        return terms.withhold("withdrawn", use.withdrawn)
    return terms.grant("withdrawn", "no open decision withdraws it")
