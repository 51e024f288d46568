"""The use's site is granted."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, covers, listed
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a site that the grant does not name."""
    scope = terms.clause.sites
    if covers(scope, use.site):
        return terms.grant("site", f"sites granted: {listed(scope)}")
    return terms.withhold("site", f"site {use.site} is not granted; sites granted: {listed(scope)}")
