"""The command line: thin commands over the core. Builds the System and hands it on; has no logic of its own.

In: words and settings files. Out: exit codes 0 done, 1 done with topics held back, 2 wrong usage or settings,
3 stopped by a brake, 4 store or network failed, 5 another run published first.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer

from pipeline.errors import MachineError, SyndicationError, UsageError

if TYPE_CHECKING:
    from pipeline.plugins import System
    from pipeline.report import Report

app = typer.Typer(
    help="Topic XML in; licensed, proven, reproducible bundles out, one per partner site.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[Path, typer.Option("--config", "-c", help="The settings file.", show_default=True)]
Partners = Annotated[list[str] | None, typer.Option("--partner", "-p", help="Only this partner (may be repeated).")]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", "-t", help="Only this topic (may be repeated); the others stay as published.")
]
AsOf = Annotated[str, typer.Option("--as-of", help="The day to decide for, YYYY-MM-DD; default: today where each partner is.")]
Workers = Annotated[int | None, typer.Option("--workers", "-w", min=0, help="Processes that render; 0: one per core.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON, for programs.")]
DEFAULT_CONFIG = Path("syndication.toml")


@app.command(
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
    as_json: Json = False,
) -> None:
    """Read the inputs, make every site's edition, prove it and publish what changed."""
    with _system(config, store=store) as system:
        brake = {"allow_removals": allow_removals, "allow_changes": allow_changes}
        report = _run(system, partner, topic, as_of, workers, dry_run=dry_run, **brake)
        _print_report(report, as_json)
    raise typer.Exit(report.exit_code)


@app.command(
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
    """Print the findings of the inputs; store and publish nothing."""
    with _system(config, paths or []) as system:
        report = _run(system, partner, None, as_of, workers, dry_run=True, offline=True)
        if paths:
            wanted = [_input_name(path, system) for path in paths]
            report.findings = [
                f
                for f in report.findings
                if any(f.file == name or f.file.startswith(f"{name}/") or name == "." for name in wanted)
            ]
        if as_json:
            _echo_json(report.as_json()["findings"])
        else:
            _print_findings(report, limit=0)
            _say(f"{report.topics} topics, {len(report.findings)} findings")
    raise typer.Exit(1 if report.held_back or report.exit_code == 1 else 0)


@app.command(
    epilog="Examples:\n\n  run_pipeline.py render asthma --format html --partner riverside -o asthma.html\n\n"
    "  run_pipeline.py render asthma --format print --partner riverside --language es -o asma.html"
)
def render(
    topic: Annotated[str, typer.Argument(help="The topic's id.")],
    format_: Annotated[str, typer.Option("--format", "-f", help="The format.")],
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner whose edition it is.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its media files go beside it.")],
    config: Config = DEFAULT_CONFIG,
    site: Annotated[str, typer.Option(help="The site, where the partner has several.")] = "",
    language: Annotated[str, typer.Option("--language", "-l", help="The language, where the topic has several.")] = "",
    as_of: AsOf = "",
) -> None:
    """Write one topic in one format, as a partner's site gets it."""
    with _system(config) as system:
        from pipeline import single

        result = single.render(system, _today(as_of), topic, format_, partner, site=site, language=language)
        single.write(result, output)
        for line in result.lines():
            _say(line)
        _say(f"wrote {output} ({result.files[0].media_type}, {len(result.files[0].data)} bytes)")


@app.command(
    epilog="Examples:\n\n  run_pipeline.py explain asthma --partner riverside\n\n"
    "  run_pipeline.py explain asthma --partner riverside --as-of 2028-01-01"
)
def explain(
    topic: Annotated[str, typer.Argument(help="The topic's id.")],
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner.")],
    config: Config = DEFAULT_CONFIG,
    site: Annotated[str, typer.Option(help="The site, where the partner has several.")] = "",
    language: Annotated[str, typer.Option("--language", "-l", help="The language, where the topic has several.")] = "",
    as_of: AsOf = "",
    as_json: Json = False,
) -> None:
    """Say why a partner's site gets a topic, or does not: every rule's answer, with its clause."""
    with _system(config) as system:
        from pipeline import explain as explaining

        found = explaining.explain(system, _today(as_of), topic, partner, site=site, language=language)
        if as_json:
            _echo_json(found.as_json())
        else:
            _print_table(found.table())
            _say(found.sentence)


@app.command(
    epilog="Examples:\n\n  run_pipeline.py pull build/store bundles/riverside --partner riverside\n\n"
    "  run_pipeline.py pull s3://bucket/prefix /srv/health --partner riverside --site portal"
)
def pull(
    store: Annotated[str, typer.Argument(help="The store: a folder or s3://bucket/prefix.")],
    dest: Annotated[
        Path, typer.Argument(help="Where the bundle goes: a link to a folder in DEST.d/ that is switched when all is there.")
    ],
    partner: Annotated[str, typer.Option("--partner", "-p", help="The partner.")],
    site: Annotated[str, typer.Option(help="The site, where the partner has several.")] = "",
    endpoint_url: Annotated[str, typer.Option(help="Address of an S3 server other than Amazon's.")] = "",
    repair: Annotated[bool, typer.Option("--repair", help="Make the bundle anew even where the release is installed.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch what a partner's site has now: only what is missing, verified, switched in at once."""
    with _reported():
        from outputs import pull as client
        from pipeline.sites import prefix_of

        with _progress() as progress:
            result = client.pull(
                _store(store, endpoint_url),
                prefix_of(site or partner),
                dest,
                partner=partner,
                site=site or partner,
                repair=repair,
                progress=lambda done, total: progress("files", done, total),
            )
        _echo_json(result.as_json()) if as_json else _say(str(result))


@app.command(epilog="Examples:\n\n  run_pipeline.py verify bundles/riverside")
def verify(
    dest: Annotated[Path, typer.Argument(help="A pulled bundle.")],
    as_json: Json = False,
) -> None:
    """Check that a pulled bundle is complete and unaltered."""
    with _reported():
        from outputs import pull as client

        problems = client.verify(dest)
        if as_json:
            _echo_json({"dest": str(dest), "problems": problems})
        else:
            for problem in problems:
                _say(problem)
            _say(f"{dest}: {len(problems)} problems" if problems else f"{dest}: complete and unaltered")
    raise typer.Exit(1 if problems else 0)


@app.command("list", epilog="Examples:\n\n  run_pipeline.py list topics\n\n  run_pipeline.py list formats")
def list_(
    what: Annotated[str, typer.Argument(help="topics, partners, formats, vocabularies, destinations or rules.")],
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """List topics, partners, formats, vocabularies, destinations or rules."""
    with _reported():
        from pipeline import listing

        rows = listing.rows(what, lambda: _build(config), _plugins)
        _echo_json(rows) if as_json else _print_table(rows)


@app.command(epilog="Examples:\n\n  run_pipeline.py init my-library")
def init(directory: Annotated[Path, typer.Argument(help="A folder that does not exist, or is empty.", metavar="DIR")]) -> None:
    """Make a commented starter project: settings, a partner, two topics, JSON Schemas for editors."""
    with _reported():
        from pipeline import starter

        for path in starter.write(directory):
            _say(f"wrote {path}")
        _say(f"next: run_pipeline.py run --config {directory / 'syndication.toml'}")


# --- building -----------------------------------------------------------------------------------


def _plugins() -> dict[str, Any]:
    from pipeline.contracts import Destination, Source, Transform
    from pipeline.plugins import Plugin, discover
    from pipeline.terms import Rule

    return {
        "sources": discover("sources", Source),
        "transforms": discover("transforms", Transform),
        "rules": discover("pipeline.rules", Rule),
        "destinations": discover("outputs.stores", Destination),
        "releases": Plugin("release", "outputs.release"),
    }


def _build(config: Path, paths: list[Path] | None = None, store: str = "") -> System:
    from pipeline import settings
    from pipeline.plugins import System

    plugins = _plugins()
    if paths and config == DEFAULT_CONFIG and not config.exists():
        configuration = settings.without_files([str(path.resolve()) for path in paths])
    else:
        configuration = settings.load(config, list(plugins["destinations"]))
    if store:  # a path on the command line is taken from here, not from the settings' folder
        configuration = configuration.with_store(store if "://" in store else str(Path(store).resolve()))
    return System(configuration, **plugins).check()


@contextmanager
def _system(config: Path, paths: list[Path] | None = None, store: str = "") -> Iterator[System]:
    with _reported():
        yield _build(config, paths, store)


def _store(url: str, endpoint_url: str) -> Any:
    from pipeline.errors import UsageError as Wrong

    for plugin in _plugins()["destinations"].values():
        where = url if "://" in url else str(Path(url).resolve())
        if plugin.load().claims(where):
            return plugin.load().open(where, {"endpoint_url": endpoint_url} if endpoint_url else {})
    raise Wrong(f"no destination reads {url!r}", expected="a folder or s3://bucket/prefix", fix="mend the address")


def _input_name(path: Path, system: System) -> str:
    folder = system.configuration.folder
    resolved = path.resolve()
    return resolved.relative_to(folder).as_posix() if resolved.is_relative_to(folder) else str(path)


# --- running ------------------------------------------------------------------------------------


def _run(
    system: System, partners: list[str] | None, topics: list[str] | None, as_of: str, workers: int | None, **options: Any
) -> Report:
    from pipeline.run import Options
    from pipeline.run import run as run_once

    now = datetime.now(UTC)
    chosen = Options(
        today=_today(as_of),
        run_id=now.strftime("%Y%m%dT%H%M%S.%fZ"),
        created=now.isoformat(timespec="seconds"),
        partners=tuple(partners or ()),
        topics=tuple(topics or ()),
        workers=system.configuration.settings.workers if workers is None else workers,
        **options,
    )
    with _progress() as progress:
        return run_once(system, chosen, progress)


def _today(as_of: str) -> Callable[[ZoneInfo], date]:
    if not as_of:
        return lambda zone: datetime.now(zone).date()
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        raise UsageError(f"--as-of {as_of!r} is no day", expected="YYYY-MM-DD, e.g. 2026-12-31") from None
    return lambda _zone: day


# --- speaking -----------------------------------------------------------------------------------


@contextmanager
def _reported() -> Iterator[None]:
    """No traceback reaches a user: errors are printed on stderr and become exit codes."""
    try:
        yield
    except SyndicationError as problem:
        _fail(str(problem), problem.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted: nothing half-done was published; run again to go on", 130)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as problem:
        _fail(str(_unexpected(problem)), MachineError.exit_code)


def _unexpected(problem: Exception) -> MachineError:
    """What nobody foresaw, without a traceback: its last place in our own code says enough to report it."""
    if isinstance(problem, OSError):
        what = f"this machine refused {problem.filename!r}" if problem.filename else "this machine refused something"
        return MachineError(what, found=problem.strerror or str(problem), fix="look at rights and free space, then run again")
    here = str(Path(__file__).parent)
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename.startswith(here)]
    place = f" ({Path(frames[-1].filename).relative_to(here)}:{frames[-1].lineno})" if frames else ""
    return MachineError(
        "something failed that should not; nothing half-done was published",
        found=f"{type(problem).__name__}: {problem}{place}",
        fix="report this message with the command and the settings",
    )


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)


def _say(text: str) -> None:
    typer.echo(text)


def _echo_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _print_report(report: Report, as_json: bool) -> None:
    from pipeline.report import site_line

    if as_json:
        _echo_json(report.as_json())
        return
    _print_findings(report, limit=10)
    for site in report.sites:
        _say(site_line(site))
    if report.held_back:
        names = ", ".join(report.held_back[:20]) + (" ..." if len(report.held_back) > 20 else "")
        _say(f"{len(report.held_back)} topics held back: {names}")


def _print_findings(report: Report, limit: int) -> None:
    from pipeline.report import finding_lines

    for line in finding_lines(report.findings, limit):
        _say(line)


def _print_table(rows: list[dict[str, str]]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(*(rows[0] if rows else ()))
        for row in rows:
            table.add_row(*row.values())
        Console().print(table)
        return
    for row in rows:
        _say("\t".join(row.values()))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal; a plain line per tenth of the work elsewhere, on stderr, so that stdout stays the report's."""
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            tasks.setdefault(what, bar.add_task(what, total=total)) if what not in tasks else None
            bar.update(tasks[what], completed=done, total=total)

        yield show


def _plain_progress() -> Callable[[str, int, int], None]:
    said = {"": -1}

    def show(what: str, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 10
        if said.get(what) != tenth:
            said[what] = tenth
            typer.echo(f"{what}: {done} of {total}", err=True)

    return show


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
