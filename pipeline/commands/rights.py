"""Commands about rights over time: forecast, rehearse, report rights."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.building import DEFAULT_CONFIG, opened
from pipeline.commands.clock import today
from pipeline.commands.options import AsOf, Config, Json, Partners, Workers
from pipeline.commands.reporting import reports
from pipeline.commands.speaking import echo_json, note, print_table, progress_shown, say
from pipeline.errors import UsageError

commands = typer.Typer()


class Whom(StrEnum):
    """Whom a report is for."""

    PARTNER = "partner"
    US = "us"


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py forecast\n\n  run_pipeline.py forecast --days 365 --partner riverside\n\n"
    "  run_pipeline.py forecast --csv forecast.csv --ics forecast.ics"
)
def forecast(
    config: Config = DEFAULT_CONFIG,
    partner: Partners = None,
    days: Annotated[int, typer.Option("--days", min=0, max=3650, help="How far to look ahead.")] = 90,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write every event to this file, for spreadsheets.")] = None,
    ics: Annotated[Path | None, typer.Option("--ics", help="Also write the events to this file, for calendars.")] = None,
    as_of: AsOf = "",
    as_json: Json = False,
) -> None:
    """Say what lapses, lifts, expires or must be reviewed, and when: per partner and topic."""
    with opened(config) as system:
        from pipeline import forecast as forecasting
        from pipeline import forecast_files

        found = forecasting.forecast(system, today(as_of), days, partner or ())
        written = [_write(csv, forecast_files.as_csv(found))] if csv else []
        written += [_write(ics, forecast_files.as_ics(found, system.configuration.publisher.name))] if ics else []
        for line in (*found.notes, *written):
            note(line)
        if as_json:
            echo_json([event.as_row() for event in found.events])
            return
        print_table(forecasting.table(found))
        say(f"{len(found.events)} changes from {found.as_of} to {found.until}")


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py rehearse --partner-file drafts/riverside.toml\n\n"
    "  run_pipeline.py rehearse --partner-file drafts/riverside.toml --as-of 2027-01-01 --all"
)
def rehearse(
    partner_file: Annotated[Path, typer.Option("--partner-file", help="The partner's file as it would be.")],
    config: Config = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Name every topic, not the first 20 of a kind.")] = False,
    as_of: AsOf = "",
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Say what would change per site and format if a partner's terms were these; publish nothing."""
    with opened(config) as system:
        from pipeline import rehearse as rehearsing
        from pipeline.report import finding_lines
        from pipeline.settings import load_partner

        with progress_shown() as progress:
            number = system.configuration.settings.workers if workers is None else workers
            found = rehearsing.rehearse(system, today(as_of), load_partner(partner_file), progress, number)
        if as_json:
            echo_json(found.as_json())
        else:
            for line in rehearsing.lines(found, 0 if everything else 20):
                say(line)
            for line in finding_lines(list(found.findings), 0 if everything else 10):
                say(line)
            say(f"nothing was published; decided for {found.as_of}")
    raise typer.Exit(1 if found.stops else 0)


@reports.command(
    epilog="Examples:\n\n  run_pipeline.py report rights --partner riverside --for us -o riverside.html\n\n"
    "  run_pipeline.py report rights --partner riverside --for partner -o for-riverside.html"
)
def rights(
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file to write.")],
    whom: Annotated[
        Whom, typer.Option("--for", help="us: everything; partner: names no topic that the partner never had.")
    ] = Whom.US,
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = "",
) -> None:
    """Write what a partner is licensed for: clauses, what it has under which, obligations, what is withheld and why."""
    with opened(config) as system:
        from pipeline import rights_report, rights_report_page

        found = rights_report.report(system, today(as_of), partner, "us" if whom is Whom.US else "partner")
        say(_write(output, rights_report_page.page(found).encode()))


def _write(path: Path, data: bytes) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as problem:
        raise UsageError(f"{path} can not be written", found=str(problem), fix="give another file") from None
    return f"wrote {path}"
