"""The topic is not withdrawn. A topic in review stays as it was published."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic whose source says that it is withdrawn."""
    if topic.status == "withdrawn":
        return terms.withhold("status", "the topic is withdrawn")
    return terms.grant("status", f"the topic is {topic.status}")
