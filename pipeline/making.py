"""A topic as one site gets it: notices, terms and marks around its metadata, for each format.

In: the site's plan, the topic's metadata, what all jobs of a run share. Out: editions. No body is looked at here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.contracts import Edition, License, Translated
from pipeline.editions import SitePlan
from pipeline.labels import labels
from pipeline.marks import corrections, marks
from pipeline.notices import CREDITS, notices
from pipeline.sites import licensed_codes, robots
from pipeline.topic import Metadata

if TYPE_CHECKING:
    from pipeline.work import Context


def make_edition(context: Context, plan: SitePlan, metadata: Metadata, formats: tuple[str, ...]) -> Edition:
    """The topic as this site gets it in the first of these formats: notices, licence, marks, its other languages."""
    publisher_texts, partner_texts = context.texts[plan.partner.id, metadata.language]
    order = (*CREDITS, *(plan.partner.order or context.system.configuration.publisher.order))
    source = metadata.translation
    if source and source.of not in plan.languages:  # an original that the site does not have is not named
        metadata = replace(metadata, translation=replace(source, of=""))
    edition = Edition(
        metadata=replace(metadata, codes=licensed_codes(metadata.codes, plan.partner.code_systems)),
        site=plan.site,
        publisher=context.publishers[metadata.language],
        notices=notices(metadata, publisher_texts, partner_texts, labels(metadata.language), order),
        license=License("", "", url=publisher_texts.terms_url),
        formats=formats,
        translations=tuple(_translations(context, plan, metadata, formats)),
        marks=corrections(context.standing, metadata, plan.as_of, context.system.configuration.publisher_timezone),
        stands_in_for=plan.stands_in_for(metadata, context.concepts),
    )
    return in_format(plan, edition, formats[0])


def in_formats(plan: SitePlan, edition: Edition, names: Iterable[str]) -> dict[str, Edition]:
    """As `in_format`, by format; formats under the same terms share one edition, so that what is made of it is made once."""
    made: dict[tuple[License, tuple[str, ...]], Edition] = {}
    found = {}
    for name in names:
        terms = _terms(plan, edition, name)
        if terms not in made:
            made[terms] = in_format(plan, edition, name)
        found[name] = made[terms]
    return found


def _terms(plan: SitePlan, edition: Edition, name: str) -> tuple[License, tuple[str, ...]]:
    """The terms of one format, and the kinds of its marks."""
    granted = plan.granted[edition.metadata.key]
    return granted.license(name, plan.site.id), (
        *granted.marks.get(name, ()),
        *(["language"] if edition.stands_in_for else []),
    )


def in_format(plan: SitePlan, edition: Edition, name: str) -> Edition:
    """The edition under the terms of one format: its grant, its marks, whether search engines may index it."""
    metadata, (license_, kinds) = edition.metadata, _terms(plan, edition, name)
    corrected = tuple(mark for mark in edition.marks if mark.kind == "corrected")
    return replace(
        edition,
        site=replace(plan.site, robots=robots(plan.partner.all_sites()[plan.site.id], license_, metadata)),
        license=replace(license_, url=edition.license.url),
        marks=(*marks(kinds, metadata, labels(metadata.language)), *corrected),
        terms_modified=license_.starts,
    )


def _translations(context: Context, plan: SitePlan, metadata: Metadata, formats: tuple[str, ...]) -> Iterator[Translated]:
    """Other languages that the site has in all these formats, so that every page of this edition may lead to them."""
    titles = context.titles_of(plan)
    for key in context.concepts.get(metadata.concept, ()):
        other = plan.granted.get(key)
        if key != metadata.key and key[1] != metadata.language and other and set(formats) <= set(other.formats):
            yield Translated(key[1], key[0], titles[key])
