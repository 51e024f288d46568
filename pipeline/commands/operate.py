"""Commands for those who run the pipeline on a schedule: schedule, next-due, runs list, runs show, runs compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.building import DEFAULT_CONFIG, build, with_keys
from pipeline.commands.clock import now, zone_of
from pipeline.commands.options import AsOf, Config, Json, LogFormat, Partners, Workers
from pipeline.commands.running import options_of
from pipeline.commands.speaking import echo_json, log_as, note, print_table, reported, say, warn

if TYPE_CHECKING:
    from pipeline.due import Moment
    from pipeline.plugins import System

commands = typer.Typer()
runs = typer.Typer(help="What earlier runs did: list, show, compare.", no_args_is_help=True)
commands.add_typer(runs, name="runs")

StoreOption = Annotated[str, typer.Option(help="This folder or s3://bucket/prefix instead of the settings' store.")]


@runs.command("list", epilog="Examples:\n\n  run_pipeline.py runs list\n\n  run_pipeline.py runs list --last 100 --json")
def list_(
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="No more than this many, the latest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List the latest runs: when, how they ended, how much they held back."""
    with reported():
        from itertools import islice

        from pipeline import records

        rows = [records.row(record) for record in islice(records.latest(_store(config, store)), last)]
        echo_json(rows) if as_json else print_table(rows)
        if not rows and not as_json:
            say("no run has left a record in this store yet")


@runs.command(
    epilog="Examples:\n\n  run_pipeline.py runs show last\n\n  run_pipeline.py runs show 20261125T02 --html report.html\n\n"
    "  run_pipeline.py runs show last --json"
)
def show(
    run: Annotated[str, typer.Argument(help="A run: its id, the first characters of it, or 'last'.")] = "last",
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write the report page to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show one run: what it did, to whom, what it held back and why."""
    with reported():
        from pipeline import records, report_page

        record = records.find(_store(config, store), run)
        if html:
            html.write_text(report_page.page(record), encoding="utf-8")
            say(f"wrote {html}")
        elif as_json:
            typer.echo(record.dump().decode().rstrip())
        else:
            for line in report_page.lines(record):
                say(line)


@runs.command(epilog="Examples:\n\n  run_pipeline.py runs compare\n\n  run_pipeline.py runs compare 20261124T02 20261125T02")
def compare(
    before: Annotated[str, typer.Argument(help="The earlier run; left out: the last but one.")] = "",
    after: Annotated[str, typer.Argument(help="The later run.")] = "last",
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    as_json: Json = False,
) -> None:
    """Compare two runs: exit codes, sites, findings that are new or gone, topics newly held back."""
    with reported():
        from pipeline import compare as comparing
        from pipeline import records

        where = _store(config, store)
        later = records.find(where, after)
        earlier = records.find(where, before) if before else records.before(where, later)
        found = comparing.compare(earlier, later)
        if as_json:
            echo_json(found.as_json())
        else:
            for line in found.lines():
                say(line)


def _store(config: Path, store: str) -> Any:
    system = build(config, store=store)
    return system.open_store(system.configuration.settings.store)


@commands.command("next-due", epilog="Examples:\n\n  run_pipeline.py next-due\n\n  run_pipeline.py next-due --json")
def next_due(
    config: Config = DEFAULT_CONFIG,
    partner: Partners = None,
    as_of: AsOf = "",
    store: StoreOption = "",
    as_json: Json = False,
    log_format: LogFormat = "text",
) -> None:
    """Say what is due now, and the next moments that matter: embargo, expiry, agreement, review, re-signing."""
    with reported():
        from pipeline import outlook

        log_as(log_format)
        system = with_keys(build(config, store=store), now())
        found = outlook.look(system, options_of(system, partner, None, as_of, None))
        for prefix, problem in found.failed.items():
            warn(f"{prefix.removeprefix('p/')}: {problem}")
        coming = sorted([*found.coming, *_root_expiry(system)], key=lambda moment: moment.at)
        if as_json:
            first = found.next.as_json() if found.next else None
            later = [moment.as_json() for moment in coming]
            echo_json({"due": [moment.as_json() for moment in found.due], "next": first, "coming": later})
        else:
            print_table([*_lines(found.due, "now"), *_lines(coming)])
            say(_summary(found.due, found.next))
    raise typer.Exit(next((p.exit_code for p in found.failed.values()), 0))


def _lines(moments: list[Moment], at: str = "") -> list[dict[str, str]]:
    """A line for each moment; what it brings to several sites alike is said once."""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for moment in moments:
        what = (at or f"{moment.at:%Y-%m-%d %H:%M} UTC", moment.kind, moment.text, "" if moment.acts else "by hand")
        alike.setdefault(what, []).append(moment.site)
    return [
        {"when": when, "kind": kind, "sites": ", ".join(sites), "what": text, "who": who}
        for (when, kind, text, who), sites in alike.items()
    ]


def _summary(due: list[Moment], following: Moment | None) -> str:
    then = f"next: {following.at:%Y-%m-%d %H:%M} UTC, {following.site}, {following.kind}" if following else "nothing comes next"
    return f"{len(due)} due now ('run --due' does it); {then}" if due else f"nothing is due; {then}"


def _root_expiry(system: System) -> list[Moment]:
    """The day 90 days before the root's signature ends: only a person with the root key can renew it."""
    from datetime import timedelta

    from outputs.signing import root_of
    from pipeline.due import Moment

    if system.signing is None:
        return []
    ends = root_of(system.signing.roots[-1]).expires
    text = f"the root metadata is valid until {ends:%Y-%m-%d}: renew it with 'keys rotate' and the root key"
    return [Moment(ends - timedelta(days=90), "(all)", "", "root", text, acts=False)]


@commands.command(
    epilog='Examples:\n\n  run_pipeline.py schedule --cron "0 2 * * *"\n\n'
    "  run_pipeline.py schedule --config /etc/syndication/syndication.toml --log-format json"
)
def schedule(
    config: Config = DEFAULT_CONFIG,
    cron: Annotated[
        str, typer.Option(help="When whole runs begin: minute hour day month weekday. Left out: only what is due.")
    ] = "",
    timezone: Annotated[str, typer.Option(help="Where the cron expression is read; default: where the publisher is.")] = "",
    store: StoreOption = "",
    workers: Workers = None,
    log_format: LogFormat = "text",
) -> None:
    """Stay in the foreground: run on schedule, and do what is due when it is due. SIGTERM or Ctrl-C ends it."""
    with reported():
        from pipeline.commands.scheduling import Machine
        from pipeline.schedule import Cron, Loop

        log_as(log_format)
        system = build(config, store=store)
        zone = zone_of(timezone) if timezone else system.configuration.publisher_timezone
        options = [*(["--workers", str(workers)] if workers is not None else []), "--log-format", log_format]
        machine = Machine(config, store, options)
        loop = Loop(machine, Cron(cron, zone))
        machine.listen()
        note(f"schedule: {cron or 'only what is due'}, {zone.key}; SIGTERM or Ctrl-C ends it")
        loop.run()
