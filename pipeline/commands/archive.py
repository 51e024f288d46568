"""Commands of a site's past and end: rollback, resume, offboard, report topic, prune."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.building import DEFAULT_CONFIG, build, salvaged, with_keys
from pipeline.commands.clock import now, run_id, today
from pipeline.commands.decisions import ApprovedBy, By, StoreOption
from pipeline.commands.options import AsOf, Config, Json, Language, Partners, SiteOption
from pipeline.commands.reporting import reports
from pipeline.commands.speaking import echo_json, progress_shown, reported, say

if TYPE_CHECKING:
    from datetime import date

    from pipeline.contracts import EditorialDecision, Pruned
    from pipeline.errors import StoreError
    from pipeline.plugins import System
    from pipeline.withdrawing import Context, Job, Known

commands = typer.Typer()
commands.add_typer(reports, name="report")

Partner = Annotated[str, typer.Option("--partner", "-p", help="The partner.")]


@commands.command(epilog='Examples:\n\n  run_pipeline.py rollback --partner riverside --to 41 --by "Ana Silva"')
def rollback(
    partner: Partner,
    to: Annotated[int, typer.Option("--to", min=1, help="The release to go back to, by its sequence.")],
    by: By,
    site: SiteOption = "",
    approved_by: ApprovedBy = "",
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
) -> None:
    """Publish an earlier release of a site again, less what is withdrawn or refused today; runs leave the site alone until
    resume."""
    with reported():
        from pipeline import holding

        context, known = _context(salvaged(config, store))
        chosen = _sites(known, partner, site)
        if len(chosen) > 1:
            _several(partner, chosen)
        if chosen[0].partner is None:
            _no_terms(partner)
        past = holding.past_release(context, chosen[0], to)
        context, decision = _decided(context, "rollback", chosen[0], by, approved_by, to)
        report = holding.roll_back(context, _job(context, chosen[0]), past)
        say(f"{report.site}: release {report.sequence} is live, with what release {to} had: {report.topics} topics")
        say(f"decision {decision.number}: runs leave the site as it is until 'resume --partner {partner}'")


@commands.command(epilog='Examples:\n\n  run_pipeline.py resume --partner riverside --by "Ana Silva"')
def resume(
    partner: Partner,
    by: By,
    site: SiteOption = "",
    approved_by: ApprovedBy = "",
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    past: Annotated[
        int,
        typer.Option(min=0, help="After a restored bucket: the newest version that partners have seen; their pull says it."),
    ] = 0,
) -> None:
    """End a rollback's hold: the next run publishes the site from the sources again. With --past: publish what a restored bucket
    holds under numbers that partners take for news."""
    with reported():
        from pipeline.errors import UsageError

        if past:
            _advance(salvaged(config, store), partner, site, past)
            return
        context, known = _context(salvaged(config, store))
        held = [each for each in _sites(known, partner, site) if each.site.id in context.standing.held]
        if not held:
            raise UsageError(f"no site of {partner} is on hold", expected="a site after a rollback", fix="see 'decisions list'")
        for each in held:
            context, decision = _decided(context, "resume", each, by, approved_by, 0)
            say(f"decision {decision.number}: the next run publishes {each.site.id} again")


def _advance(system: System, partner: str, site: str, past: int) -> None:
    """Publishes what is live again, past a number that partners have seen."""
    from outputs import release
    from pipeline.sites import all_sites

    moment = now()
    system = with_keys(system, moment)
    place = system.open_store(system.configuration.settings.store)
    for prefix in [
        prefix for prefix in all_sites(system.configuration.partner(partner)) if site in ("", prefix.removeprefix("p/"))
    ]:
        created = moment.isoformat(timespec="seconds")
        done = release.advance(place, prefix, past=past, run_id=run_id(moment), created=created, signing=system.signing)
        say(f"{prefix.removeprefix('p/')}: " + (f"published release {done.sequence}" if done else "nothing is live"))


@commands.command(epilog='Examples:\n\n  run_pipeline.py offboard --partner riverside --by "Ana Silva"')
def offboard(
    partner: Partner,
    by: By,
    site: SiteOption = "",
    approved_by: ApprovedBy = "",
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
) -> None:
    """End a partner whose file is gone: a last release without topics, and no run asks after it any more. Later withdrawals
    still reach it."""
    with reported():
        from pipeline import holding
        from pipeline.errors import UsageError

        context, known = _context(build(config, store=store))
        chosen = _sites(known, partner, site)
        if there := [each.site.id for each in chosen if each.partner]:
            raise UsageError(
                f"partner {partner} still has its file, so runs would publish to {', '.join(there)} again",
                fix=f"take {context.system.configuration.settings.partners}/{partner}.toml away first (or the site out of it)",
            )
        for each in chosen:
            context, decision = _decided(context, "offboard", each, by, approved_by, 0)
            report = holding.offboard(context, _job(context, each))
            done = f"release {report.sequence} is live, with no topics" if report.sequence else "nothing was ever published there"
            say(f"{each.site.id}: {done} (decision {decision.number})")


@reports.command(
    epilog="Examples:\n\n  run_pipeline.py report topic asthma --partner riverside --at 2026-03-01\n\n"
    "  run_pipeline.py report topic asthma --partner riverside --at 2026-03-01T09:30-07:00 --output evidence"
)
def topic(
    topic_id: Annotated[str, typer.Argument(help="The topic's id.", metavar="ID")],
    partner: Partner,
    at: Annotated[str, typer.Option("--at", help="A day (its end), or a moment; without a zone it is the publisher's.")],
    site: SiteOption = "",
    language: Language = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for the bytes, the terms and the report.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    as_json: Json = False,
) -> None:
    """Show what was live of a topic at a moment: release, terms, proofs, notices, and the bytes themselves."""
    with reported():
        from datetime import datetime

        from pipeline import deciding, history

        context, known = _context(salvaged(config, store))
        chosen = _sites(known, partner, site)
        if len(chosen) > 1:
            _several(partner, chosen)
        moment = deciding.moment_of(at, "--at", context.system.configuration.publisher_timezone)
        prefix = chosen[0].site.prefix
        found = history.shown(context.system, context.store, prefix, topic_id, language, datetime.fromisoformat(moment))
        written = history.write(context.system, context.store, prefix, found, output) if output else []
        if as_json:
            echo_json(found.as_json())
            return
        for line in found.lines():
            say(line)
        for path in written:
            say(f"wrote {path}")


@commands.command(epilog="Examples:\n\n  run_pipeline.py prune --dry-run\n\n  run_pipeline.py prune --partner riverside")
def prune(
    partner: Partners = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be moved and removed.")] = False,
    as_of: AsOf = "",
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    as_json: Json = False,
) -> None:
    """Move what no live release needs to the archive after a grace period, remove what no release ever named, and, unless
    partners are named, the records of runs that are older than is kept."""
    with reported():
        from dataclasses import asdict

        from outputs import prune as pruning
        from pipeline.errors import StoreError

        context, known = _context(build(config, store=store))
        chosen = [each for _, each in sorted(known.items()) if not partner or each.site.partner in partner]
        for name in partner or []:
            _sites(known, name, "")
        configuration = context.system.configuration
        done: list[Pruned] = []
        failed: list[StoreError] = []
        with progress_shown() as progress:
            for each in chosen:
                try:
                    found = pruning.prune(
                        context.store,
                        each.site.prefix,
                        context.system.signing,
                        today=today(as_of)(configuration.publisher_timezone),
                        moment=context.moment.created,
                        grace_days=configuration.settings.archive.grace_days,
                        years=configuration.settings.archive.years,
                        dry_run=dry_run,
                        progress=partial(progress, each.site.id),
                    )
                except StoreError as problem:  # the other sites go on
                    failed.append(problem)
                    typer.echo(f"error: {problem}", err=True)
                else:
                    done.append(found)
        records = 0 if partner else _prune_records(context, today(as_of)(configuration.publisher_timezone), dry_run, failed)
        if as_json:
            echo_json([asdict(found) for found in done])
        would = "would be " if dry_run else ""
        for found in [] if as_json else done:
            say(
                f"{found.site}: {found.archived} objects {would}archived, {found.removed} {would}removed ({found.freed} bytes),"
                f" {found.condemned} in their grace period, {found.expired} releases {would}forgotten,"
                f" {found.outdated} expired signatures {would}removed"
            )
        if not partner and not as_json:
            say(f"{records} records of runs {would}removed, older than {configuration.settings.runs.keep_days} days")
    raise typer.Exit(max((problem.exit_code for problem in failed), default=0))


def _prune_records(context: Context, day: date, dry_run: bool, failed: list[StoreError]) -> int:
    """Removes old records of runs, and says how many; a failure goes to `failed`."""
    from datetime import timedelta

    from pipeline import records
    from pipeline.errors import StoreError

    try:
        keep = timedelta(days=context.system.configuration.settings.runs.keep_days)
        return records.prune(context.store, day - keep, dry_run=dry_run)
    except StoreError as problem:
        failed.append(problem)
        typer.echo(f"error: {problem}", err=True)
        return 0


def _context(system: System) -> tuple[Context, dict[str, Known]]:
    from pipeline import deciding, withdrawing

    moment = now()
    system = with_keys(system, moment)
    opened = system.open_store(system.configuration.settings.store)
    when = withdrawing.Moment(run_id(moment), moment.isoformat(timespec="seconds"))
    context = withdrawing.Context(system, opened, deciding.standing_of(system, opened), when)
    return context, withdrawing.known_sites(system, opened)


def _sites(known: dict[str, Known], partner: str, site: str) -> list[Known]:
    from pipeline.settings import unknown

    found = [each for _, each in sorted(known.items()) if each.site.partner == partner]
    if not found:
        raise unknown("partner", partner, {each.site.partner for each in known.values()})
    if site and site not in [each.site.id for each in found]:
        raise unknown("site", site, [each.site.id for each in found])
    return [each for each in found if site in ("", each.site.id)]


def _several(partner: str, chosen: list[Known]) -> None:
    from pipeline.errors import UsageError

    names = ", ".join(each.site.id for each in chosen)
    raise UsageError(f"partner {partner} has several sites", expected=names, fix="name one with --site")


def _no_terms(partner: str) -> None:
    from pipeline.errors import UsageError

    raise UsageError(
        f"partner {partner} has no file that can be used, so nothing says what it may have today",
        fix="mend the file, or bring it back; to take topics down, 'withdraw' them",
    )


def _job(context: Context, known: Known) -> Job:
    from pipeline.withdrawing import Job

    configuration = context.system.configuration
    zone = configuration.timezone(known.partner) if known.partner else configuration.publisher_timezone
    return Job(known, today("")(zone))


def _decided(
    context: Context, kind: str, known: Known, by: str, approved_by: str, sequence: int
) -> tuple[Context, EditorialDecision]:
    from dataclasses import replace

    from pipeline import deciding
    from pipeline.contracts import EditorialDecision

    at = now().isoformat(timespec="seconds")
    decision = EditorialDecision(kind, at, by, approved_by, partner=known.site.partner, site=known.site.id, sequence=sequence)
    standing, decision = deciding.decide(context.system, context.store, context.standing, decision)
    return replace(context, standing=standing), decision
