"""The site is a channel that the grant names."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, covers, listed
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds from a site whose channel is not granted."""
    scope, channel = terms.clause.channels, terms.site(use).channel
    if covers(scope, channel):
        return terms.grant("channel", f"channels granted: {listed(scope)}")
    return terms.withhold("channel", f"site {use.site} is of the channel {channel}; channels granted: {listed(scope)}")
