"""Commands about topics: run, check, render, explain, list, init."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.building import DEFAULT_CONFIG, build, input_name, opened, plugins
from pipeline.commands.clock import today
from pipeline.commands.options import AsOf, Config, Json, Language, LogFormat, Partners, SiteOption, Topics, Workers
from pipeline.commands.running import options_of, run_all, run_due, run_plainly, run_recorded, settings_watched
from pipeline.commands.speaking import counted, echo_json, log_as, print_findings, print_report, print_table, reported, say
from pipeline.errors import UsageError

commands = typer.Typer()


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py run\n\n"
    "  run_pipeline.py run --config examples/syndication.toml --partner riverside --dry-run\n\n"
    "  run_pipeline.py run --as-of 2027-01-01 --json > report.json"
)
def run(
    config: Config = DEFAULT_CONFIG,
    partner: Partners = None,
    topic: Topics = None,
    as_of: AsOf = "",
    workers: Workers = None,
    store: Annotated[str, typer.Option(help="Publish to this folder or s3://bucket/prefix instead of the settings' store.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but store and publish.")] = False,
    allow_removals: Annotated[
        int, typer.Option(min=0, help="Let up to this many undecided removals per site through the brake.")
    ] = 0,
    allow_changes: Annotated[int, typer.Option(min=0, help="Let up to this many changed texts per site through the brake.")] = 0,
    due: Annotated[
        bool, typer.Option("--due", help="Only what is due: days that have come, decisions not live yet, old signatures.")
    ] = False,
    as_json: Json = False,
    log_format: LogFormat = "text",
) -> None:
    """Read the inputs, make every site's edition, prove it and publish what changed."""
    with reported():
        log_as(log_format)
        with settings_watched(config, "run"):
            system = build(config, store=store)
        brake = {"allow_removals": allow_removals, "allow_changes": allow_changes}
        options = options_of(system, partner, topic, as_of, workers, dry_run=dry_run, **brake)
        if due and topic:
            raise UsageError("--due and --topic are both given", fix="leave one out: --due chooses the topics that are due")
        work = run_due if due else run_all
        report = run_plainly(system, options, work) if dry_run else run_recorded(system, options, work)
        print_report(report, as_json)
    raise typer.Exit(report.exit_code)


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py check\n\n"
    "  run_pipeline.py check topics/asthma.dita topics/diabetes.dita\n\n  run_pipeline.py check --json"
)
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Only findings in these files or folders.", metavar="[PATH]...")
    ] = None,
    config: Config = DEFAULT_CONFIG,
    partner: Partners = None,
    as_of: AsOf = "",
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Print the findings of the inputs, and with --partner what its contract still needs; store and publish nothing."""
    with opened(config, paths or []) as system:
        from pipeline import launch

        report = run_plainly(system, options_of(system, partner, None, as_of, workers, dry_run=True, offline=True))
        report.findings += launch.of_partners(system, partner or [], today(as_of))
        if paths:
            wanted = [input_name(path, system) for path in paths]
            report.findings = [
                f
                for f in report.findings
                if any(f.file == name or f.file.startswith(f"{name}/") or name == "." for name in wanted)
            ]
        if as_json:
            echo_json(report.as_json()["findings"])
        else:
            print_findings(report, limit=0)
            held = f"; {len(report.held_back)} held back" if report.held_back else ""
            say(f"{counted(report.topics, 'topic')}, {counted(len(report.findings), 'finding')}{held}")
    raise typer.Exit(1 if report.held_back or report.exit_code == 1 else 0)


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py render asthma --format html --partner riverside -o asthma.html\n\n"
    "  run_pipeline.py render asthma --format print --partner riverside --language es -o asma.html"
)
def render(
    topic: Annotated[str, typer.Argument(help="The topic's id.")],
    format_: Annotated[str, typer.Option("--format", "-f", help="The format.")],
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner whose edition it is.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its media files go beside it.")],
    config: Config = DEFAULT_CONFIG,
    site: SiteOption = "",
    language: Language = "",
    as_of: AsOf = "",
) -> None:
    """Write one topic in one format, as a partner's site gets it."""
    with opened(config) as system:
        from pipeline import single

        result = single.render(system, today(as_of), topic, format_, partner, site=site, language=language)
        single.write(result, output)
        for line in result.lines():
            say(line)
        say(f"wrote {output} ({result.files[0].media_type}, {len(result.files[0].data)} bytes)")


@commands.command(
    epilog="Examples:\n\n  run_pipeline.py explain asthma --partner riverside\n\n"
    "  run_pipeline.py explain asthma --partner riverside --as-of 2028-01-01"
)
def explain(
    topic: Annotated[str, typer.Argument(help="The topic's id.")],
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner.")],
    config: Config = DEFAULT_CONFIG,
    site: SiteOption = "",
    language: Language = "",
    as_of: AsOf = "",
    as_json: Json = False,
) -> None:
    """Say why a partner's site gets a topic, or does not: every rule's answer, with its clause."""
    with opened(config) as system:
        from pipeline import explain as explaining

        found = explaining.explain(system, today(as_of), topic, partner, site=site, language=language)
        if as_json:
            echo_json(found.as_json())
        else:
            print_table(found.table())
            say(found.sentence)


@commands.command("list", epilog="Examples:\n\n  run_pipeline.py list topics\n\n  run_pipeline.py list formats")
def list_(
    what: Annotated[str, typer.Argument(help="topics, partners, formats, vocabularies, destinations or rules.")],
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """List topics, partners, formats, vocabularies, destinations or rules."""
    with reported():
        from pipeline import listing

        rows = listing.rows(what, lambda: build(config), plugins)
        echo_json(rows) if as_json else print_table(rows)


@commands.command(epilog="Examples:\n\n  run_pipeline.py init my-library")
def init(directory: Annotated[Path, typer.Argument(help="A folder that does not exist, or is empty.", metavar="DIR")]) -> None:
    """Make a commented starter project: settings, a partner, two topics, JSON Schemas for editors."""
    with reported():
        from pipeline import starter

        for path in starter.write(directory):
            say(f"wrote {path}")
        say(f"next: run_pipeline.py run --config {directory / 'syndication.toml'}")
