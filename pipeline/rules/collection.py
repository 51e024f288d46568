"""The topic is in a collection that the grant names, or the grant names the topic itself."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.terms import Terms, listed
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:  # noqa: ARG001
    """Withholds a topic none of whose collections is granted; a topic in no collection is covered by "all" alone. Members of
    collections that were agreed as they stood on a day are those that were created, or went live, by then."""
    clause = terms.clause
    if topic.id in clause.include_topics:
        return terms.grant("collection", f"the grant names the topic {topic.id}")
    if clause.collections != "all" and not any(name in clause.collections for name in topic.collections):
        found = ", ".join(topic.collections) or "none"
        scope = listed(clause.collections) or f"none, but {len(clause.include_topics)} topics by name"
        return terms.withhold("collection", f"the topic is in {found}; collections granted: {scope}")
    if clause.members != "growing" and (problem := _not_yet_a_member(topic, clause.members)):
        return terms.withhold("collection", problem)
    return terms.grant("collection", f"collections granted: {listed(clause.collections)}")


def _not_yet_a_member(topic: Metadata, frozen: date) -> str:
    born = min((day for day in (topic.created, topic.go_live) if day), default=None)
    if born is None:
        return f"collections are granted as of {frozen}, and the topic does not say when it was created"
    return f"collections are granted as of {frozen}; the topic is of {born}" if born > frozen else ""
