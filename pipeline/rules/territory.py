"""The site's territories are inside the grant's and the topic's."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, listed, outside
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds where the site is shown in a territory that the grant or the topic does not cover; a topic that names no
    territory may be shown anywhere."""
    shown = terms.site(use).territories
    if beyond := outside(terms.clause.territories, shown):
        return terms.withhold(
            "territory", f"the site is shown {_in(beyond)}; the grant covers {listed(terms.clause.territories)}"
        )
    if topic.territories and (beyond := outside(topic.territories, shown)):
        return terms.withhold("territory", f"the site is shown {_in(beyond)}; the topic is for {listed(topic.territories)}")
    return terms.grant("territory", f"the site is shown in {listed(shown) or 'any territory'}; grant and topic cover that")


def _in(beyond: str) -> str:
    return beyond if beyond == "anywhere" else f"in {beyond}"
