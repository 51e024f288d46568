"""What a site gets, planned again as far as it has to be.

In: the topics now, a plan of the same site from before. Out: a plan: equal to one that is made from the start where the terms are
the same; else the topics that are looked at stand in it under the new terms, and all others as under those before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from pipeline.catalog import Catalog
from pipeline.editions import Key, SitePlan, plan_site
from pipeline.topic import Metadata
from pipeline.work import Context


@dataclass(frozen=True)
class Known:
    """A plan, and the topics that it is of."""

    catalog: Catalog
    conditions: str
    plan: SitePlan


def same_terms(before: SitePlan, bare: SitePlan) -> bool:
    """Whether two plans are made under the same terms on the same day."""
    return before.as_of == bare.as_of and before.partner == bare.partner and before.site.id == bare.site.id


def planned(
    catalog: Catalog, bare: SitePlan, context: Context, conditions: str, known: Known | None, first: Collection[Key]
) -> SitePlan:
    """What the site of a plan without topics gets of all. What is `known` of topics stays, but for those that differ now, for
    `first`, and for all whose answers depend on one of those."""
    topics = catalog.under(conditions)
    held = _still(known, topics, first) if known else None
    rules = {name: plugin.load() for name, plugin in context.system.rules.items()}
    formats = list(context.system.transforms)
    return plan_site(topics, bare.site, bare.partner, rules, formats, bare.as_of, context.standing, known=held)


def _still(known: Known, topics: Sequence[Metadata], first: Collection[Key]) -> SitePlan:
    old = {topic.key: topic for topic in known.catalog.under(known.conditions)}
    changed = {topic.key for topic in topics if old.pop(topic.key, None) is not topic} | old.keys()
    again = depending(changed.union(first), topics)
    granted = {key: value for key, value in known.plan.granted.items() if key not in again}
    withheld = {key: value for key, value in known.plan.withheld.items() if key not in again}
    return replace(known.plan, granted=granted, withheld=withheld)


def depending(changed: Collection[Key], topics: Sequence[Metadata]) -> set[Key]:
    """These topics, their translations, and all that must not be shown without one of those: rules look at no other topics."""
    again = set(changed)
    while True:
        ids = {topic_id for topic_id, _ in again}
        more = {
            topic.key
            for topic in topics
            if (topic.translation and topic.translation.of in ids) or (topic.companions and not ids.isdisjoint(topic.companions))
        }
        if more <= again:
            return again
        again |= more
