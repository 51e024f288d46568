"""The use's language is granted."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, covers_language, listed
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a language that the grant does not name; `es` covers `es-US`."""
    scope = terms.clause.languages
    if covers_language(scope, use.language):
        return terms.grant("language", f"languages granted: {listed(scope)}")
    return terms.withhold("language", f"the topic is in {use.language}; languages granted: {listed(scope)}")
