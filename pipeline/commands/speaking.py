"""What people see of a command: lines, tables, progress, and errors without a traceback.

In: values. Out: text on stdout (results) and stderr (progress, errors, log lines), exit codes.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from pipeline.commands.clock import now
from pipeline.errors import MachineError, SyndicationError, UsageError

if TYPE_CHECKING:
    from pipeline.report import Report


@contextmanager
def reported() -> Iterator[None]:
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
        _fail(str(unexpected(problem)), MachineError.exit_code)


def unexpected(problem: BaseException) -> MachineError:
    """What nobody foresaw, without a traceback: its last place in our own code says enough to report it."""
    if isinstance(problem, OSError):
        what = f"this machine refused {problem.filename!r}" if problem.filename else "this machine refused something"
        return MachineError(what, found=problem.strerror or str(problem), fix="look at rights and free space, then run again")
    here = str(Path(__file__).parents[2])
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename.startswith(here)]
    place = f" ({Path(frames[-1].filename).relative_to(here)}:{frames[-1].lineno})" if frames else ""
    return MachineError(
        "something failed that should not; nothing half-done was published",
        found=f"{type(problem).__name__}: {problem}{place}",
        fix="report this message with the command and the settings",
    )


def _fail(message: str, code: int) -> NoReturn:
    if json_logs():
        event("error", "error", text=message, exit_code=code)
    else:
        typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)


# --- log lines, on stderr -------------------------------------------------------------------------

_log = {"format": "text"}  # of this process, as logs are


def log_as(format_: str) -> None:
    """How stderr is written from now on: text, or json (one object a line). Raises UsageError."""
    if format_ not in ("text", "json"):
        raise UsageError(f"--log-format {format_!r} is not known", expected="text or json")
    _log["format"] = format_


def json_logs() -> bool:
    """Whether stderr is for programs."""
    return _log["format"] == "json"


def event(name: str, level: str = "info", **values: Any) -> None:
    """Something that programs may want to know, as a line of JSON; nothing where logs are text."""
    if json_logs():
        import json

        line = {"time": now().isoformat(timespec="milliseconds"), "level": level, "event": name, **values}
        typer.echo(json.dumps(line, ensure_ascii=False, default=str), err=True)


def note(text: str) -> None:
    """A line that is neither result nor warning, on stderr."""
    if json_logs():
        event("note", text=text)
    else:
        typer.echo(text, err=True)


def warn(text: str, **values: Any) -> None:
    """A warning, on stderr."""
    if json_logs():
        event("warning", "warning", text=text, **values)
    else:
        typer.echo(f"warning: {text}", err=True)


def say(text: str) -> None:
    """A line of the result, on stdout."""
    typer.echo(text)


def counted(number: int, what: str) -> str:
    """`1 topic`, `2 topics`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def echo_json(value: Any) -> None:
    """A value as JSON, on stdout."""
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_report(report: Report, as_json: bool) -> None:
    """A run: findings, a line a site, what is held back; or all of it as JSON."""
    from pipeline.report import site_line

    if as_json:
        echo_json(report.as_json())
        return
    print_findings(report, limit=10)
    for decision in report.decisions:
        say(f"open: {decision}")
    for site in report.sites:
        say(site_line(site))
    if report.held_back:
        names = ", ".join(report.held_back[:20]) + (" ..." if len(report.held_back) > 20 else "")
        say(f"{counted(len(report.held_back), 'topic')} held back: {names}")


def print_findings(report: Report, limit: int) -> None:
    """Findings by severity, each kind at most `limit` times (0: all)."""
    from pipeline.report import finding_lines

    for line in finding_lines(report.findings, limit):
        say(line)


def print_table(rows: list[dict[str, str]]) -> None:
    """Rows of equal keys: a table on a terminal, tab-separated lines elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*(rows[0] if rows else ()))
        for row in rows:
            table.add_row(*map(Text, row.values()))  # a title is no mark-up of rich: "[units]" would vanish
        Console().print(table)
        return
    for row in rows:
        say("\t".join(row.values()))


@contextmanager
def progress_shown() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal; a plain line per tenth of the work elsewhere, on stderr, so that stdout stays the report's."""
    if json_logs() or not sys.stderr.isatty():
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
            if json_logs():
                event("progress", stage=what, done=done, total=total)
            else:
                typer.echo(f"{what}: {done} of {total}", err=True)

    return show
