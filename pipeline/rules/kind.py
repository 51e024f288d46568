"""The topic is of a kind that the grant names."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, covers, listed
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic whose kind is not granted."""
    scope = terms.clause.kinds
    if covers(scope, topic.kind):
        return terms.grant("kind", f"kinds granted: {listed(scope)}")
    return terms.withhold("kind", f"the topic is a {topic.kind}; kinds granted: {listed(scope)}")
