"""The grant does not take the topic out."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic that the grant names as not granted."""
    if topic.id in terms.clause.exclude_topics:
        return terms.withhold("topic", f"the grant takes the topic {topic.id} out")
    return terms.grant("topic", "the grant does not take the topic out")
