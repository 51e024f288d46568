"""The use's format is granted."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, covers, listed
from pipeline.topic import Metadata

BY_FORMAT = True


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a format that the grant does not name."""
    scope = terms.clause.formats
    if covers(scope, use.format):
        return terms.grant("format", f"formats granted: {listed(scope)}")
    return terms.withhold("format", f"{use.format} is not granted; formats granted: {listed(scope)}")
