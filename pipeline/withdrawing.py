"""Publishes open withdrawals from what is live: reads no source, and no brake, finding or other site stops it.

In: a System (its settings may be broken in part), a store, decisions. Out: a SiteReport for each site that ever had a topic.
Sites of partners that left are among them: what they were given, they may still show. Another run that publishes a site at the
same moment is waited out: its release is taken as the new ground.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from pipeline import engine
from pipeline.bundles import bundle_files
from pipeline.contracts import Archive, Content, OutputFile, Released, Releases, Row, Site, Store, Withdrawn
from pipeline.editions import Key
from pipeline.errors import MachineError, RaceLost, StoreError, SyndicationError, UsageError
from pipeline.handover import file_rows, hand_over
from pipeline.plugins import System
from pipeline.reach import Had
from pipeline.report import SiteReport
from pipeline.settings import Partner
from pipeline.sites import Today, contacts, sites
from pipeline.standing import Standing
from pipeline.withdrawn import NoticeMaker, Place

WORTH_PROCESSES: Final = 1000  # topics on sites: below that, starting processes takes longer than the work
ATTEMPTS: Final = 20  # against runs that publish the same site at the same moment
Progress = Callable[[str, int, int], None]
Make = Callable[[Released], tuple[Content, list[OutputFile]]]


@dataclass(frozen=True)
class Moment:
    """When this happens, and under which name: the run's id, and the moment as ISO 8601."""

    run_id: str
    created: str


@dataclass(frozen=True)
class Known:
    """A site that was published to; `partner` is None where its file is gone or can not be read."""

    site: Site
    partner: Partner | None


def known_sites(system: System, store: Store) -> dict[str, Known]:
    """Every site that may have been published to, by prefix: those of the settings, and those that the store remembers."""
    archive: Archive = system.archive.load()
    found = {prefix: Known(site, None) for prefix, site in archive.sites(store).items()}
    for partner in system.configuration.partners:
        try:
            found.update({prefix: Known(site, partner) for prefix, site in sites(system.configuration, partner).items()})
        except UsageError:  # a logo or template folder that is not there: the site is shown as it was
            for site_id in partner.all_sites():
                prefix = f"p/{site_id}"
                old = found.get(prefix, Known(Site(partner.id, site_id, partner.name, prefix), None))
                found[prefix] = replace(old, partner=partner)
    return found


@dataclass(frozen=True)
class Job:
    """One site, and what day it is there."""

    known: Known
    as_of: date


@dataclass(frozen=True)
class Context:
    """What all sites share."""

    system: System
    store: Store
    standing: Standing
    moment: Moment


def publish_withdrawals(
    context: Context, known: Mapping[str, Known], today: Today, topics: int, progress: Progress = lambda *_: None
) -> list[SiteReport]:
    """Makes open withdrawals live on every one of these sites that ever had one of their topics (about so many at once). What
    befalls one site is in its report."""
    configuration = context.system.configuration
    zones = {
        prefix: configuration.timezone(site.partner) if site.partner else configuration.publisher_timezone
        for prefix, site in known.items()
    }
    jobs = [Job(site, today(zones[prefix])) for prefix, site in sorted(known.items())]
    workers = configuration.settings.workers if topics * len(jobs) >= WORTH_PROCESSES else 1
    reports = []
    for report in engine.run(site_withdrawn, context, jobs, workers):
        reports.append(report)
        progress("sites", len(reports), len(jobs))
    return sorted(reports, key=lambda report: report.site)


def site_withdrawn(context: Context, job: Job) -> SiteReport:
    """One site's part."""
    known = job.known
    report = SiteReport(known.site.prefix.removeprefix("p/"), known.site.partner)
    try:
        _until_live(context, job, report)
    except SyndicationError as problem:
        report.state, report.error, report.exit_code = "failed", str(problem), problem.exit_code
    except Exception as problem:  # whatever it is, the other sites must not wait for it
        failed = MachineError(
            f"the withdrawal could not be published on {known.site.id}",
            found=f"{type(problem).__name__}: {problem}",
            fix="report it; the other sites have it",
        )
        report.state, report.error, report.exit_code = "failed", str(failed), failed.exit_code
    return report


def _until_live(context: Context, job: Job, report: SiteReport) -> None:
    publish_until_live(context, job, report, lambda live: _content(context, job, live))


def publish_until_live(context: Context, job: Job, report: SiteReport, make: Make) -> None:
    """Publishes what `make` makes of what is live (a content, and files that may be new), again after each release of others
    that came between; what was done goes to `report`. Raises SyndicationError."""
    for attempt in range(ATTEMPTS):
        live = live_release(context.system, context.store, job.known.site.prefix)
        if live is None:
            report.state = "empty"
            return
        try:
            _publish(context, job, report, live, *make(live))
            return
        except RaceLost:
            if attempt == ATTEMPTS - 1:
                raise


def live_release(system: System, store: Store, prefix: str) -> Released | None:
    """What is live of a site. Raises StoreError."""
    releases: Releases = system.releases.load()
    return releases.current(store, prefix, system.signing)


def _publish(context: Context, job: Job, report: SiteReport, live: Released, content: Content, files: list[OutputFile]) -> None:
    report.topics, report.withdrawn = len(content.rows), [f"{gone.id} {gone.language}" for gone in content.withdrawn]
    report.removed = sorted({f"{r.id} {r.language}" for r in live.content.rows} - {f"{r.id} {r.language}" for r in content.rows})
    report.sequence, report.state = live.sequence, "unchanged"
    if content != live.content:
        outcome = hand_over(
            context.system,
            context.store,
            job.known.site,
            content,
            live,
            files,
            run_id=context.moment.run_id,
            created=context.moment.created,
            terms={},
            standing=context.standing,
        )
        report.state, report.sequence, report.uploaded = outcome.state, outcome.sequence, outcome.uploaded


def _content(context: Context, job: Job, live: Released) -> tuple[Content, list[OutputFile]]:
    """What is live without the topics that are withdrawn, their notices in their place; and the files that may be new."""
    left = [row for row in live.content.rows if not context.standing.withdrawal(row.id, row.language, row.version)]
    return reduced(context, job, live, live.content, _with_companions(live.content.rows, left))


def _with_companions(before: Iterable[Row], left: Iterable[Row]) -> tuple[Row, ...]:
    """The rows that are left, without those that must not be shown without one that went."""
    rows = list(left)
    there = {(row.id, row.language) for row in before}
    while True:
        here = {(row.id, row.language) for row in rows}
        alone = {(row.id, row.language) for row in rows if any((name, row.language) in there - here for name in row.companions)}
        if not alone:
            return tuple(rows)
        rows = [row for row in rows if (row.id, row.language) not in alone]


def reduced(context: Context, job: Job, live: Released, base: Content, rows: tuple[Row, ...]) -> tuple[Content, list[OutputFile]]:
    """A content (`base`, live or earlier) with these of its rows alone, and the notices that stand in the place of withdrawn
    topics; and the files that may be new."""
    system, known = context.system, job.known
    archive: Archive = system.archive.load()
    received = archive.received(context.store, known.site.prefix, live.content.rows)
    place = Place({(row.id, row.language): row for row in rows}, contacts(system.configuration, known.partner))
    made, notices = _maker(context).withdrawn(context.standing, received, place, job.as_of, live.content.withdrawn)
    withdrawn = (*made, *_left(live.content.withdrawn, made, place))
    if withdrawn == base.withdrawn and rows == base.rows:
        return base, []
    whole = _bundle_files(system, known.site, rows, withdrawn, base.rows)
    sheets = [file for file in notices if file.path.startswith("assets/")]
    kept = {row.path: row for row in base.files}
    kept.update({row.path: row for row in file_rows([*sheets, *whole])})
    files = tuple(kept[path] for path in sorted(kept))
    packs = (*base.packs, *live.content.packs)
    return replace(base, rows=rows, withdrawn=withdrawn, files=files, packs=packs), [*whole, *notices]


# Per process: notices are the same for most sites, and are made once.
_makers: dict[str, NoticeMaker] = {}


def _maker(context: Context) -> NoticeMaker:
    configuration = context.system.configuration
    if context.moment.run_id not in _makers:
        _makers.clear()
        _makers[context.moment.run_id] = NoticeMaker(
            context.system, configuration.publisher_shown, configuration.publisher_timezone
        )
    return _makers[context.moment.run_id]


def _left(before: tuple[Withdrawn, ...], made: tuple[Withdrawn, ...], place: Place) -> Iterator[Withdrawn]:
    """Notices of topics that were restored, and that no run has brought back yet."""
    there = {(gone.id, gone.language) for gone in made} | set(place.rows)
    return (gone for gone in before if (gone.id, gone.language) not in there)


def _bundle_files(
    system: System, site: Site, rows: tuple[Row, ...], withdrawn: tuple[Withdrawn, ...], before: tuple[Row, ...]
) -> list[OutputFile]:
    publisher = system.configuration.publisher_shown
    try:
        return bundle_files(system, site, publisher, rows, withdrawn, before)
    except UsageError:  # a template of the site's own fails: ours does not
        return bundle_files(system, replace(site, templates=""), publisher, rows, withdrawn, before)


def known_topics(system: System, store: Store, known: Mapping[str, Known]) -> dict[Key, Had]:
    """Every topic that any site ever had, with what they had of it. A site that can not be read is left out here."""
    archive: Archive = system.archive.load()
    found: dict[Key, Had] = {}
    for prefix, site in known.items():
        try:
            live = live_release(system, store, prefix)
            topics = archive.received(store, prefix, live.content.rows if live else ())
        except StoreError:
            continue
        for key, topic in topics.items():
            had = found.setdefault(key, Had())
            had.newest[site.site.id] = topic.versions[-1]
            had.versions.update(topic.versions)
    return found
