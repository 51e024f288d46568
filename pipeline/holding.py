"""Sites that a run leaves aside: held by a rollback, or of partners whose file is gone. And what takes a site there.

In: a withdrawal's Context, a site. Out: SiteReport. All of it works from what is live or archived, and reads no source. A site on
hold still loses what is withdrawn, and what today's rules refuse: time passes there too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from pipeline.contracts import Archive, Around, Content, OutputFile, PastRelease, Released, Row
from pipeline.editions import plan_site, topics_by_id
from pipeline.errors import SyndicationError, UsageError
from pipeline.report import SiteReport
from pipeline.settings import Partner
from pipeline.sites import Today
from pipeline.unread import metadata_of
from pipeline.withdrawing import Context, Job, Known, known_sites, live_release, publish_until_live, reduced


def still_granted(context: Context, job: Job, partner: Partner, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Of these rows, those that today's decisions, terms and rules grant in all their formats."""
    rows = list(rows)
    topics = [metadata_of(row) for row in rows]
    rules = {name: plugin.load() for name, plugin in context.system.rules.items()}
    around = Around(topics_by_id(topics), live={(row.id, row.language): row for row in rows})
    formats = list(context.system.transforms)
    plan = plan_site(topics, job.known.site, partner, rules, formats, job.as_of, context.standing, around)
    granted = {key: set(grant.formats) for key, grant in plan.granted.items()}
    return tuple(
        row for row in rows if {file.format for file in row.files if file.format} <= granted.get((row.id, row.language), set())
    )


def hold(context: Context, job: Job, *, dry_run: bool) -> SiteReport:
    """A run's part in a site on hold: what is live stays, less what is withdrawn or refused today. Exit code 1."""
    report = SiteReport(job.known.site.id, job.known.site.partner)
    decision = context.standing.held[job.known.site.id]
    try:
        if not dry_run:
            publish_until_live(context, job, report, lambda live: _kept(context, job, live, live.content))
        report.state, report.exit_code = "on hold", 1
        report.error = (
            f"{'' if dry_run else f'release {report.sequence} is live, '}"
            f"decision {decision.number} put release {decision.sequence} back on {decision.at[:10]};"
            f" 'resume --partner {job.known.site.partner}' lets runs publish again"
        )
    except SyndicationError as problem:
        report.state, report.error, report.exit_code = "failed", str(problem), problem.exit_code
    return report


def _kept(context: Context, job: Job, live: Released, base: Content) -> tuple[Content, list[OutputFile]]:
    assert job.known.partner is not None
    return reduced(context, job, live, base, still_granted(context, job, job.known.partner, base.rows))


def roll_back(context: Context, job: Job, past: PastRelease) -> SiteReport:
    """Publishes an earlier release's content again, less what is withdrawn or refused today. Raises SyndicationError."""
    archive: Archive = context.system.archive.load()
    prefix = job.known.site.prefix
    before = replace(archive.content(context.store, prefix, past), as_of=job.as_of.isoformat())
    report = SiteReport(job.known.site.id, job.known.site.partner)

    def make(live: Released) -> tuple[Content, list[OutputFile]]:
        content, files = _kept(context, job, live, before)
        archive.recall(context.store, prefix, content, files)
        return content, files

    publish_until_live(context, job, report, make)
    return report


def past_release(context: Context, known: Known, sequence: int) -> PastRelease:
    """The release of that number that was replaced. Raises UsageError where there is none, or it is live."""
    archive: Archive = context.system.archive.load()
    found = {past.sequence: past for past in archive.releases(context.store, known.site.prefix)}
    live = live_release(context.system, context.store, known.site.prefix)
    if sequence in found and (live is None or live.sequence != sequence):
        return found[sequence]
    lives = f"; {live.sequence} is live" if live else ""
    raise UsageError(
        f"site {known.site.id} has no earlier release {sequence}",
        expected=f"one of {', '.join(map(str, sorted(found)[-20:])) or 'none: nothing was replaced yet'}{lives}",
        fix="name one of those with --to",
    )


def offboard(context: Context, job: Job) -> SiteReport:
    """Publishes a last release without any topic; the notices of withdrawn topics stay. Raises SyndicationError."""
    report = SiteReport(job.known.site.id, job.known.site.partner)

    def make(live: Released) -> tuple[Content, list[OutputFile]]:
        return reduced(context, job, live, live.content, ())

    publish_until_live(context, job, report, make)
    return report


def aside(context: Context, today: Today, partners: Collection[str], *, dry_run: bool) -> list[SiteReport]:
    """A run's part in sites that are on hold (of these partners, none named = all), and a report with exit code 1 for each site
    that was published to and that no partner's file has any more, until it is offboarded."""
    known = known_sites(context.system, context.store)
    reports = []
    for _, site in sorted(known.items()):
        if site.partner is None and not partners and site.site.id not in context.standing.offboarded:
            reports.append(_gone(context, site))
        if site.partner and site.site.id in context.standing.held and (not partners or site.partner.id in partners):
            day = today(context.system.configuration.timezone(site.partner))
            reports.append(hold(context, Job(site, day), dry_run=dry_run))
    return reports


def _gone(context: Context, known: Known) -> SiteReport:
    report = SiteReport(known.site.id, known.site.partner, "gone", exit_code=1)
    report.error = (
        f"no file in {context.system.configuration.settings.partners}/ has this site any more, and what was published to it is"
        f" still live; bring the file back, or 'offboard --partner {known.site.partner}'"
    )
    return report
