"""What is lent for evaluation says so, and does not travel as a book."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = True


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Marks a use under an evaluation agreement, and withholds EPUB: a file that people keep outlives an evaluation."""
    agreement = terms.agreement
    if agreement.kind != "evaluation":
        return terms.grant("evaluation", f"agreement {agreement.id} is for production")
    if use.format == "epub":
        return terms.withhold("evaluation", f"agreement {agreement.id} is an evaluation, which gives no EPUB")
    return terms.mark("evaluation", "evaluation", f"agreement {agreement.id} is an evaluation to {agreement.ends}")
