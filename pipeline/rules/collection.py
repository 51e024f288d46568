"""The topic is in a collection that the grant names."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, listed
from pipeline.topic import Metadata


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic none of whose collections is granted; a topic in no collection is covered by "all" alone."""
    scope = terms.clause.collections
    if scope == "all" or any(name in scope for name in topic.collections):
        return terms.grant("collection", f"collections granted: {listed(scope)}")
    found = ", ".join(topic.collections) or "none"
    return terms.withhold("collection", f"the topic is in {found}; collections granted: {listed(scope)}")
