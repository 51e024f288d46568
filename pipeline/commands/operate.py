"""Commands for those who run the pipeline on a schedule: runs list, runs show, runs compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.building import DEFAULT_CONFIG, build
from pipeline.commands.options import Config, Json
from pipeline.commands.speaking import echo_json, print_table, reported, say

commands = typer.Typer()
runs = typer.Typer(help="What earlier runs did: list, show, compare.", no_args_is_help=True)
commands.add_typer(runs, name="runs")

StoreOption = Annotated[str, typer.Option(help="The runs of this folder or s3://bucket/prefix instead of the settings' store.")]


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
