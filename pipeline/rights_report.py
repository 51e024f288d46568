"""What a partner is licensed for, as facts: agreements and clauses, what each site has under which, what is withheld and why.

In: a System, a day, a partner, whom the report is for (`us`, or the `partner`). Out: `RightsReport`, plain values. What goes to
the partner names no topic that it never had, and nobody who decided anything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from pipeline import limits
from pipeline.ahead import KINDS, Ahead, Event, agreements, images, reviews, site_events
from pipeline.catalog import Catalog, survey
from pipeline.contracts import MACHINE_USES, Decision, Released
from pipeline.editions import Granted, Key, SitePlan
from pipeline.forecast import Group, groups
from pipeline.handover import terms_of
from pipeline.plugins import System
from pipeline.report import Report
from pipeline.run import Options, State, conditions_of, prepare
from pipeline.settings import Agreement, Grant, Obligation, Partner
from pipeline.settings.fields import days_after
from pipeline.sites import Today, notice_texts
from pipeline.terms import listed

Whom = Literal["partner", "us"]
AHEAD_DAYS: Final = 90
_TOLD: Final = frozenset(KINDS) - {"lifts", "review-overdue", "exemption-ends"}


@dataclass(frozen=True, slots=True)
class Held:
    """One topic that a site has: under which clauses, as which formats. `published` is the live version, "" where a release
    does not hold it yet."""

    id: str
    language: str
    title: str
    version: str
    published: bool
    current_as_of: str
    expires: str
    clauses: tuple[tuple[str, tuple[str, ...]], ...]  # clause, formats
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """One topic that a site does not have, each reason with its clause; `once`: it had it."""

    id: str
    language: str
    title: str
    reasons: tuple[tuple[str, str], ...]
    until: str
    once: bool


@dataclass(frozen=True)
class SitePart:
    """One site: what it is, what it has, what it does not have. `outside` counts topics that are not named, by rule."""

    id: str
    name: str
    facts: Mapping[str, str]
    held: tuple[Held, ...]
    refused: tuple[Refused, ...]
    outside: Mapping[str, int]
    counts: Mapping[tuple[str, str], int]  # (language, format) -> topics


@dataclass(frozen=True)
class AgreementPart:
    """One agreement, its state on the day, and each clause with its scopes in words."""

    id: str
    facts: Mapping[str, str]
    clauses: tuple[tuple[str, Mapping[str, str], int], ...]  # clause, scopes, topics used under it


@dataclass(frozen=True)
class RightsReport:
    """Everything that the report says."""

    whom: Whom
    publisher: str
    partner: str
    name: str
    as_of: date
    terms_sha256: str
    agreements: tuple[AgreementPart, ...]
    sites: tuple[SitePart, ...]
    machines: Mapping[str, str]
    code_systems: Mapping[str, str]
    obligations: tuple[Obligation, ...]
    contacts: Mapping[str, str]
    notices: Mapping[str, Mapping[str, str]]
    exemptions: tuple[Mapping[str, str], ...]
    ahead: tuple[Group, ...]
    notes: tuple[str, ...]


def report(system: System, today: Today, partner: str, whom: Whom) -> RightsReport:
    """The report on one partner. Raises UsageError for a name that is no partner's."""
    owner = system.configuration.partner(partner)
    options = Options(today, "report", "", partners=(partner,), dry_run=True)
    catalog = survey(system, conditions_of(system, options))
    state = prepare(system, options, catalog, Report("report", ""))
    plans = state.context.plans
    as_of = today(system.configuration.timezone(owner))
    (terms_sha256,) = terms_of(system, owner)
    return RightsReport(
        whom=whom,
        publisher=system.configuration.publisher.name,
        partner=owner.id,
        name=owner.name,
        as_of=as_of,
        terms_sha256=terms_sha256,
        agreements=tuple(_agreement(a, as_of, list(plans.values())) for a in owner.agreements),
        sites=tuple(_site(state, catalog, prefix, whom) for prefix in plans),
        machines={use: getattr(owner.ai, use) for use in MACHINE_USES},
        code_systems={str(name): text for name, text in owner.code_systems.items()},
        obligations=tuple(owner.obligations),
        contacts={name: value for name, value in owner.contacts.model_dump().items() if value},
        notices=_notices(system, owner, plans.values()),
        exemptions=tuple(_exemptions(owner)) if whom == "us" else (),
        ahead=tuple(groups(_ahead(state, catalog, whom))),
        notes=tuple(f"{name.removeprefix('p/')}: what is live could not be read" for name in state.failed),
    )


# --- agreements ---------------------------------------------------------------------------------


def _agreement(agreement: Agreement, as_of: date, plans: Sequence[SitePlan]) -> AgreementPart:
    used = len(limits.used(plans, plans[0].partner.id).get(agreement.id, ())) if plans else 0
    winding = agreement.after_end is not None and as_of <= agreement.wind_down_ends
    state = (
        f"begins on {agreement.starts}"
        if as_of < agreement.starts
        else "in force"
        if as_of <= agreement.ends
        else f"ended on {agreement.ends}" + (", winding down" if winding else "")
    )
    facts = {
        "State": state,
        "Kind": agreement.kind,
        "First day": str(agreement.starts),
        "Last day": f"{agreement.ends} (inclusive)",
        "Notice by": str(agreement.notice_by or "not agreed"),
        "After the end": f"{agreement.after_end.days} days, keeps {agreement.after_end.keep}"
        if agreement.after_end
        else "all goes",
        "Topics": f"{used}" + (f" of at most {agreement.limits.topics}" if agreement.limits else ", no limit"),
    }
    return AgreementPart(
        agreement.id, facts, tuple((g.clause, _scopes(g), _under(plans, agreement, g)) for g in agreement.grants)
    )


def _scopes(grant: Grant) -> dict[str, str]:
    found = {
        "Collections": listed(grant.collections) or "none",
        "Languages": listed(grant.languages),
        "Audiences": listed(grant.audiences),
        "Formats": listed(grant.formats),
        "Images": grant.images,
        "Sites": listed(grant.sites),
        "Channels": listed(grant.channels),
        "Territories": listed(grant.territories),
        "Kinds": listed(grant.kinds),
        "Members of collections": "growing" if grant.members == "growing" else f"as of {grant.members}",
        "Topics included by name": ", ".join(grant.include_topics),
        "Topics excluded by name": ", ".join(grant.exclude_topics),
    }
    return {name: words for name, words in found.items() if words}


def _under(plans: Iterable[SitePlan], agreement: Agreement, grant: Grant) -> int:
    """How many topics (ids) are shown under a clause, on any site, in any language."""
    return len(
        {
            key[0]
            for plan in plans
            for key, granted in plan.granted.items()
            for terms in granted.by_format.values()
            if (terms[0].agreement.id, terms[0].clause.clause) == (agreement.id, grant.clause)
        }
    )


# --- sites --------------------------------------------------------------------------------------


def _site(state: State, catalog: Catalog, prefix: str, whom: Whom) -> SitePart:
    plan, live = state.context.plans[prefix], state.live.get(prefix)
    rows, once = state.live_rows.get(prefix, {}), _once(state, prefix)
    held = tuple(_held(key, granted, catalog, key in rows) for key, granted in sorted(plan.granted.items()))
    refused = [_refused(key, plan, catalog, key in once, whom) for key in sorted(plan.withheld)]
    named = tuple(one for one in refused if whom == "us" or one.once)
    hidden = [key for key in plan.withheld if whom == "partner" and key not in once]
    return SitePart(
        plan.site.id,
        plan.site.name,
        _site_facts(plan, live),
        held,
        named,
        Counter(plan.withheld[key][0].rule if plan.withheld[key] else "held back" for key in hidden),
        Counter((key[1], name) for key, granted in plan.granted.items() for name in granted.formats),
    )


def _once(state: State, prefix: str) -> set[Key]:
    """Every topic that the site has or once had."""
    rows = state.live_rows.get(prefix, {})
    if state.store is None or prefix in state.failed:
        return set(rows)
    return set(state.context.system.archive.load().received(state.store, prefix, rows.values()))


def _site_facts(plan: SitePlan, live: Released | None) -> dict[str, str]:
    settings = plan.partner.all_sites()[plan.site.id]
    return {
        "Channel": settings.channel,
        "Territories": ", ".join(settings.territories) or "anywhere",
        "Edits": settings.edits,
        "Search engines": settings.indexing,
        "Release": f"{live.sequence} of {live.created[:10]}" if live else "none yet",
        "Content": live.content_sha256 if live else "–",
    }


def _held(key: Key, granted: Granted, catalog: Catalog, published: bool) -> Held:
    m = catalog.metadata[key]
    clauses: dict[str, list[str]] = defaultdict(list)
    for name in granted.formats:
        clauses[granted.by_format[name][0].place].append(name)
    marks = dict.fromkeys(mark for marks in granted.marks.values() for mark in marks)
    days = (str(m.current_as_of or ""), str(m.expires or ""))
    under = tuple((place, tuple(names)) for place, names in clauses.items())
    return Held(*key, m.title, m.version, published, *days, under, tuple(marks))


def _refused(key: Key, plan: SitePlan, catalog: Catalog, once: bool, whom: Whom) -> Refused:
    refusals = plan.withheld[key]
    main = [d for d in refusals if d.rule != "format"] or refusals  # formats say nothing where no format would do
    reasons = tuple((_reason(d, whom), d.clause) for d in main) or (("held back: see the findings of the run", ""),)
    days = [d.until for d in plan.withheld[key] if d.until]
    return Refused(*key, catalog.metadata[key].title, reasons, str(min(days)) if days else "", once)


def _reason(decision: Decision, whom: Whom) -> str:
    """The rule's own words; who decided a withdrawal is the publisher's affair."""
    return "withdrawn by the publisher" if decision.rule == "withdrawn" and whom == "partner" else decision.reason


# --- the rest -----------------------------------------------------------------------------------


def _notices(system: System, partner: Partner, plans: Iterable[SitePlan]) -> dict[str, dict[str, str]]:
    """The publisher's and the partner's notices, to the letter, in each language that the partner has topics in."""
    found = {}
    for tag in sorted({language for plan in plans for _, language in plan.granted}):
        ours, theirs = notice_texts(system.configuration, partner, tag)
        said = {
            "Trademark": ours.trademark,
            "Publisher's disclaimer": ours.disclaimer,
            "Use": ours.use,
            "Terms of use": ours.terms_url,
            "Privacy policy": ours.privacy_url,
            "To learn more": " ".join(filter(None, (ours.learn_more, ours.learn_more_url))),
            "Partner's disclaimer": theirs.disclaimer,
            "Attribution": " ".join((*ours.attribution, *theirs.attribution)),
        }
        found[tag] = {name: text for name, text in said.items() if text}
    return found


def _exemptions(partner: Partner) -> Iterator[dict[str, str]]:
    for exemption in partner.exemptions:
        yield {
            "Of": exemption.of,
            "Topics": listed(exemption.topics),
            "Reason": exemption.reason,
            "Last day": str(exemption.ends),
        }


def _ahead(state: State, catalog: Catalog, whom: Whom) -> list[Event]:
    found: set[Event] = set()
    for prefix, plan in state.context.plans.items():
        end, rows = days_after(plan.as_of, AHEAD_DAYS), state.live_rows.get(prefix, {})
        ahead = Ahead(state.context.system, plan, catalog, state.context.standing, rows)
        found.update(agreements(plan.partner, plan.as_of, end), site_events(ahead, end), reviews(plan, catalog, end))
        found.update(images(ahead, end))
    theirs = (replace(event, clause="") if event.kind == "image-lapses" else event for event in found if event.kind in _TOLD)
    told = found if whom == "us" else set(theirs)  # the file of an image is the publisher's affair
    return sorted(told)
