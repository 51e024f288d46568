"""The topic is written for an audience that the grant names."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, listed
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic none of whose audiences is granted; a topic that names no audience is for everyone."""
    scope = terms.clause.audiences
    if scope == "all" or not topic.audiences or any(name in scope for name in topic.audiences):
        return terms.grant("audience", f"audiences granted: {listed(scope)}")
    return terms.withhold("audience", f"the topic is for {listed(topic.audiences)}; audiences granted: {listed(scope)}")
