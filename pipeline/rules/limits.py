"""The agreement covers as many topics as it is used for."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Says how much of the agreement's limit is used. Over it, no single topic is one too many: the site stops, with a list
    (see pipeline/limits.py)."""
    agreement = terms.agreement
    if agreement.limits is None:
        return terms.grant("limits", f"agreement {agreement.id} has no limit")
    used = use.around.counts.get(agreement.id, 0)
    return terms.grant("limits", f"agreement {agreement.id} covers {agreement.limits.topics} topics, {used} are used")
