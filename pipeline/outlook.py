"""What is due now and what comes next, over all sites: put together from inputs, settings, decisions and the store.

In: a System, days, the moment. Out: `Outlook`. `run_due` then does what is due and nothing else. A site whose store or release
can not be read is in `failed`: it stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pipeline import reuse
from pipeline.catalog import Catalog, survey
from pipeline.contracts import Released, Releases, Store
from pipeline.deciding import standing_of
from pipeline.due import Days, Moment, coming, due, signatures
from pipeline.editions import Key
from pipeline.errors import StoreError, SyndicationError
from pipeline.findings import Finding
from pipeline.plugins import System
from pipeline.report import Report, SiteReport
from pipeline.run import Options, chosen_partners, conditions_of, run
from pipeline.settings import Partner
from pipeline.sites import sites
from pipeline.unread import unread

Progress = Callable[[str, int, int], None]


@dataclass
class Outlook:
    """`due` is due now, `coming` the next moments of each site and kind, soonest first; `topics` what is due by site prefix,
    `stale` the prefixes whose signatures are past half their life."""

    catalog: Catalog
    due: list[Moment] = field(default_factory=list)
    coming: list[Moment] = field(default_factory=list)
    topics: dict[str, frozenset[Key]] = field(default_factory=dict)
    partners: dict[str, str] = field(default_factory=dict)  # partner by prefix of every site
    stale: list[str] = field(default_factory=list)
    failed: dict[str, SyndicationError] = field(default_factory=dict)

    @property
    def next(self) -> Moment | None:
        """The next moment at which a run has something to do."""
        return next((moment for moment in self.coming if moment.acts), None)


def look(system: System, options: Options, *, ahead: bool = True) -> Outlook:
    """What is due at the moment of `options`; with `ahead` also what comes next. Raises UsageError, StoreError."""
    found = Outlook(survey(system, conditions_of(system, options)))
    store = system.open_store(system.configuration.settings.store)
    now = datetime.fromisoformat(options.created)
    for prefix, days in _days(system, options, store, found):
        today = options.today(days.zone)
        moments = due(days, today)
        renewals = _renewals(system, store, prefix, days, found)
        stale = [moment for moment in renewals if moment.at <= now]
        if moments:
            found.topics[prefix] = frozenset(key for moment in moments for key in _keys(moment))
        elif stale:
            found.stale.append(prefix)
        found.due += [*moments, *stale]
        if ahead:
            found.coming += [*coming(days, today), *(moment for moment in renewals if moment.at > now)]
    found.coming.sort(key=lambda moment: (moment.at, moment.site, moment.kind))
    return found


def _keys(moment: Moment) -> Iterator[Key]:
    for name in moment.topics:
        topic, _, language = name.partition(" ")
        yield topic, language


def _days(system: System, options: Options, store: Store, found: Outlook) -> Iterator[tuple[str, Days]]:
    """Every site with what decides about its days, but those whose partner left."""
    configuration = system.configuration
    rules = {name: plugin.load() for name, plugin in system.rules.items()}
    standing = standing_of(system, store)
    uses = reuse.read(store) if any(asset.ends for asset in configuration.assets.values()) else {}
    for partner in chosen_partners(system, options):
        for prefix, site in sites(configuration, partner).items():
            found.partners[prefix] = partner.id
            if site.id in standing.offboarded:
                continue
            try:
                live = system.releases.load().current(store, prefix, system.signing)
            except StoreError as problem:
                found.failed[prefix] = problem
                continue
            yield (
                prefix,
                Days(
                    site=site,
                    partner=partner,
                    zone=configuration.timezone(partner),
                    publisher_zone=configuration.publisher_timezone,
                    topics=_topics(system, partner, found.catalog, live),
                    rules=rules,
                    formats=list(system.transforms),
                    standing=standing,
                    live=live,
                    assets=configuration.assets,
                    uses=uses,
                ),
            )


def _topics(system: System, partner: Partner, catalog: Catalog, live: Released | None) -> list[Any]:
    conditions = system.configuration.conditions(partner)
    kept = unread(catalog, conditions, live.content.rows, missing_too=True) if live else []
    return [*catalog.under(conditions), *kept]


def _renewals(system: System, store: Store, prefix: str, days: Days, found: Outlook) -> list[Moment]:
    if system.signing is None or days.live is None:
        return []
    releases: Releases = system.releases.load()
    try:
        return signatures(days, releases.renewals(store, prefix, system.signing))
    except StoreError as problem:
        found.failed[prefix] = problem
        return []


# --- doing it -------------------------------------------------------------------------------------


def run_due(
    system: System,
    options: Options,
    told: Callable[[Sequence[Moment]], None],
    progress: Progress,
    ended: list[SiteReport] | None = None,
) -> Report:
    """Does what is due and nothing else; `told` hears what that is before it is done, and `ended` is as in `run`. Topics that are
    not due stay as they are published, whatever their sources say now. Raises UsageError, StoreError."""
    outlook = look(system, options, ahead=False)
    told(outlook.due)
    report = Report(options.run_id, "", topics=len(outlook.catalog.metadata))
    if outlook.topics:
        partners = tuple(dict.fromkeys(outlook.partners[prefix] for prefix in outlook.topics))
        chosen = replace(options, partners=partners, only=outlook.topics)
        report = run(system, chosen, progress, outlook.catalog, ended)
        report.findings = [finding for finding in report.findings if _concerns(finding, outlook.topics)]
    done = {site.site for site in report.sites}
    for prefix in outlook.stale:
        if prefix.removeprefix("p/") not in done:
            report.sites.append(_resigned(system, prefix, outlook.partners[prefix], options.created, dry_run=options.dry_run))
    for prefix, problem in outlook.failed.items():
        site = SiteReport(prefix.removeprefix("p/"), outlook.partners[prefix], "failed", error=str(problem))
        site.exit_code = problem.exit_code
        report.sites.append(site)
    return report


def _concerns(finding: Finding, topics: Mapping[str, frozenset[Key]]) -> bool:
    """Whether a finding is of a topic that is due, or of a site."""
    if not finding.topic:
        return bool(finding.partner)
    return any(finding.topic == " ".join(key) for keys in topics.values() for key in keys)


def _resigned(system: System, prefix: str, partner: str, created: str, *, dry_run: bool) -> SiteReport:
    site = SiteReport(prefix.removeprefix("p/"), partner, "dry-run")
    if dry_run:
        return site
    releases: Releases = system.releases.load()
    store = system.open_store(system.configuration.settings.store)
    try:
        outcome = releases.resign(store, prefix, created=created, signing=system.signing)
    except SyndicationError as problem:
        site.state, site.error, site.exit_code = "failed", str(problem), problem.exit_code
        return site
    site.state, site.sequence = "re-signed", outcome.sequence if outcome else 0
    return site
