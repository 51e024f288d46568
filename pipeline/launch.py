"""What a partner's file still needs before its sites go live, as findings: one for each gap, not one for each topic.

In: the configuration, a partner, the topics, a day. Out: findings at the partner's file. What stops a site for sure is found by
every run; here is what would surprise somebody later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final

from pipeline.catalog import survey
from pipeline.findings import Code, Finding, warning
from pipeline.plugins import System
from pipeline.settings import Agreement, Configuration, Grant, Partner
from pipeline.sites import Today, lacking, licensed_codes
from pipeline.terms import covers_language
from pipeline.topic import Metadata

UNMATCHED: Final = warning(
    "terms.nothing-matches",
    "A grant names something that no topic has. It may be misspelt, or not written yet.",
    "Compare the name with 'list topics'; mend it, or leave it where such topics are to come.",
)
LANGUAGE: Final = warning(
    "terms.language-not-ready",
    "A granted language has no topics yet, and no notices or labels either: its first topic would be withheld.",
    "Add [notices.<language>] with a disclaimer to the file that lacks it.",
)
DATES: Final = warning(
    "terms.dates",
    "A date of the terms needs somebody: no agreement is in force, notice is due, an exemption has ended.",
    "Agree on what follows, and say it in the partner's file.",
)
CONTACT: Final = warning(
    "terms.contact-missing",
    "Nobody is named who acts on withdrawals and corrections.",
    "Add 'safety' to [contacts]: an address that somebody reads day and night.",
)
TERRITORY: Final = warning(
    "terms.territory-not-said",
    "A site says no territory, so it counts as shown anywhere; grants, topics or images that name territories do not cover it.",
    "Say 'territories' in the site's table.",
)
CODES: Final = warning(
    "terms.codes-left-out",
    "Topics carry codes of SNOMED CT or CPT, which are left out for partners that state no license of their own.",
    "Ask the partner for its license, and add it to [code_systems]; or leave it.",
)
CANONICAL: Final = warning(
    "terms.no-canonical-page",
    "A site's pages may be indexed where they name the publisher's own page, and topics have none: those pages are noindex.",
    "Give the topics the address of the publisher's page, or choose another 'indexing'.",
)


def of_partners(system: System, names: Iterable[str], today: Today) -> list[Finding]:
    """As `findings`, for the partners of these names. Raises UsageError for a name that is no partner's."""
    configuration = system.configuration
    chosen = [configuration.partner(name) for name in dict.fromkeys(names)]
    partners = [(one, configuration.conditions(one)) for one in chosen]
    if not partners:
        return []
    catalog = survey(system, [conditions for _, conditions in partners])
    return [f for one, conditions in partners for f in findings(configuration, one, catalog.under(conditions), today)]


def findings(configuration: Configuration, partner: Partner, topics: Iterable[Metadata], today: Today) -> list[Finding]:
    """Everything that the partner's file still needs on that day."""
    topics, as_of = list(topics), today(configuration.timezone(partner))
    file = f"{configuration.settings.partners}/{partner.id}.toml"
    found: list[tuple[Code, str]] = [
        *((UNMATCHED, text) for text in _unmatched(partner, topics, as_of)),
        *((LANGUAGE, text) for text in _languages(configuration, partner, topics, as_of)),
        *((DATES, text) for text in _dates(partner, as_of)),
        *((TERRITORY, text) for text in _territories(configuration, partner, topics)),
        *((CODES, text) for text in _codes(partner, topics)),
        *((CANONICAL, text) for text in _canonical(partner, topics)),
    ]
    if not partner.contacts.safety:
        found.append((CONTACT, f"partner {partner.id} has no contact for safety"))
    return [code.at(file, 0, text, partner=partner.id) for code, text in found]


def _coming(partner: Partner, as_of: date) -> Iterator[tuple[Agreement, Grant]]:
    """Grants of agreements that are not over."""
    for agreement in partner.agreements:
        if agreement.ends >= as_of:
            yield from ((agreement, grant) for grant in agreement.grants)


def _unmatched(partner: Partner, topics: list[Metadata], as_of: date) -> Iterator[str]:
    tags = {topic.language for topic in topics}
    known: dict[str, tuple[str, Callable[[str], bool]]] = {
        "collections": ("collection", {name for topic in topics for name in topic.collections}.__contains__),
        "audiences": ("audience", {name for topic in topics for name in topic.audiences}.__contains__),
        "kinds": ("kind", {topic.kind for topic in topics}.__contains__),
        "languages": ("language", lambda name: any(covers_language([name], tag) for tag in tags)),
        "include_topics": ("topic", {topic.id for topic in topics}.__contains__),
        "exclude_topics": ("topic", {topic.id for topic in topics}.__contains__),
    }
    for agreement, grant in _coming(partner, as_of):
        for field, (what, exists) in known.items():
            scope = getattr(grant, field)
            for name in [] if scope == "all" else scope:
                if not exists(name):
                    yield f"{agreement.id}, {grant.clause}: {field} names {name!r}, and there is no topic of that {what}"


def _languages(configuration: Configuration, partner: Partner, topics: list[Metadata], as_of: date) -> Iterator[str]:
    """Languages without topics: those that have some are found by every run."""
    tags = {topic.language for topic in topics}
    scopes = [grant.languages for _, grant in _coming(partner, as_of) if grant.languages != "all"]
    for name in sorted({name for scope in scopes for name in scope}):
        if not any(covers_language([name], tag) for tag in tags) and (why := lacking(configuration, partner, name)):
            yield f"the language {name!r} is granted: {why}"


def _dates(partner: Partner, as_of: date) -> Iterator[str]:
    if not any(agreement.starts <= as_of <= agreement.ends for agreement in partner.agreements):
        yield f"no agreement is in force on {as_of}"
    for agreement in partner.agreements:
        if agreement.starts > as_of:
            yield f"agreement {agreement.id} starts on {agreement.starts}"
        elif agreement.notice_by and agreement.notice_by <= as_of <= agreement.ends:
            yield f"agreement {agreement.id} ends on {agreement.ends}; notice was to be given by {agreement.notice_by}"
    for exemption in partner.exemptions:
        if exemption.ends < as_of:
            yield f"the exemption of {exemption.of} ended on {exemption.ends} ({exemption.reason})"


def _territories(configuration: Configuration, partner: Partner, topics: list[Metadata]) -> Iterator[str]:
    named = [
        *(
            f"clause {grant.clause}"
            for agreement in partner.agreements
            for grant in agreement.grants
            if grant.territories != "all"
        ),
        *(f"the image {file}" for file, asset in configuration.assets.items() if asset.territories != "all"),
        *(f"the topic {topic.id}" for topic in topics if topic.territories),
    ]
    for site_id, site in partner.all_sites().items() if named else ():
        if not site.territories:
            yield f"site {site_id} says no territory, and {len(named)} others do, the first of them {named[0]}"


def _codes(partner: Partner, topics: list[Metadata]) -> Iterator[str]:
    for system, name in (("snomed-ct", "SNOMED CT"), ("cpt", "CPT")):
        others = {"snomed-ct", "cpt"} - {system}
        count = sum(1 for topic in topics if licensed_codes(topic.codes, others) != topic.codes)
        if count and system not in partner.code_systems:
            yield f"codes of {name} in {count} topics are left out for partner {partner.id}"


def _canonical(partner: Partner, topics: list[Metadata]) -> Iterator[str]:
    count = sum(1 for topic in topics if not topic.url)
    for site_id, site in partner.all_sites().items():
        if site.indexing == "canonical" and count:
            yield f"site {site_id} is 'canonical', and {count} of {len(topics)} topics name no page of the publisher"
