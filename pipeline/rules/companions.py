"""The site gets what the topic must not be shown without."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic one of whose companions the site does not get in the topic's language."""
    if not topic.companions:
        return terms.grant("companions", "the topic needs no companion")
    delivered = use.around.delivered
    if delivered is None:
        return terms.grant("companions", f"must not be shown without {', '.join(topic.companions)}")
    if missing := [name for name in topic.companions if (name, topic.language) not in delivered]:
        return terms.alone(missing)
    return terms.grant("companions", f"shown with {', '.join(topic.companions)}")
