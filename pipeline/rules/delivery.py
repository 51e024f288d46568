"""The topic is meant for the use's format."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, listed
from pipeline.topic import Metadata

BY_FORMAT = True


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a format that the topic's authors did not mean it for; a topic that names no format is for all."""
    if not topic.formats or use.format in topic.formats:
        return terms.grant("delivery", f"the topic is for {listed(topic.formats) if topic.formats else 'every format'}")
    return terms.withhold("delivery", f"the topic is not for {use.format}; it is for {listed(topic.formats)}")
