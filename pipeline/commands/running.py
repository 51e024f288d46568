"""A run with all that goes with it: a record from its first moment, log lines, a report page, messages.

In: a System and the words of the command line. Out: the Report; the record in the store; whoever must know, told. What stops
a run is written down before it leaves.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.commands.building import with_keys
from pipeline.commands.clock import now, run_id, today
from pipeline.commands.delivering import deliver_all
from pipeline.commands.speaking import event, json_logs, note, progress_shown, unexpected, warn
from pipeline.errors import SyndicationError, UsageError

if TYPE_CHECKING:
    from pipeline.contracts import EditorialDecision
    from pipeline.due import Moment
    from pipeline.plugins import System
    from pipeline.records import Delivery, Keeper, Record
    from pipeline.report import Report, SiteReport
    from pipeline.run import Options

Work = Callable[["System", "Options", "Record", Callable[[str, int, int], None]], "Report"]


def options_of(
    system: System, partners: list[str] | None, topics: list[str] | None, as_of: str, workers: int | None, **more: Any
) -> Options:
    """The words of the command line as options of a run that begins now. Raises UsageError."""
    from pipeline.run import Options

    moment = now()
    return Options(
        today=today(as_of),
        run_id=run_id(moment),
        created=moment.isoformat(timespec="seconds"),
        partners=tuple(partners or ()),
        topics=tuple(topics or ()),
        workers=system.configuration.settings.workers if workers is None else workers,
        **more,
    )


def run_all(system: System, options: Options, record: Record, progress: Callable[[str, int, int], None]) -> Report:
    """The usual run."""
    from pipeline.run import run

    record.scope = "part" if options.partners or options.topics else "all"
    return run(system, options, progress, ended=record.sites)


def run_due(system: System, options: Options, record: Record, progress: Callable[[str, int, int], None]) -> Report:
    """A run that does what is due and nothing else."""
    from pipeline import outlook

    def told(moments: Sequence[Moment]) -> None:
        record.due = [moment.as_json() | {"topics": " ".join(moment.topics[:1])} for moment in moments]
        for moment in moments:
            note(f"due: {moment.site}: {moment.text}")
        if not moments:
            note("nothing is due")

    record.command, record.scope = "run --due", "due"
    return outlook.run_due(system, options, told, progress, record.sites)


def run_plainly(system: System, options: Options, work: Work = run_all) -> Report:
    """A run that leaves nothing behind: `check`, `run --dry-run`. Raises SyndicationError where the whole run stops."""
    from pipeline.records import Record

    with progress_shown() as progress:
        return work(system, options, Record(options.run_id, "run", "", options.created), progress)


def run_recorded(system: System, options: Options, work: Work) -> Report:
    """A run that leaves a record, and tells whom the settings name.

    Raises SyndicationError where the whole run stops; the record says so by then.
    """
    from pipeline.records import Keeper, Record

    moment = now()
    record = Record(options.run_id, "run", "", options.created)
    settings = system.configuration.settings
    keeper = Keeper(system.open_store(settings.store), system.configuration.path(settings.reports))
    keeper.begin(record)
    event("run.started", run_id=record.run_id, command=record.command)
    try:
        with _stoppable(), progress_shown() as progress:
            able = with_keys(system, moment, make=True)
            report = work(able, options, record, progress)
            deliver_all(able, report.sites, options.partners)
    except BaseException as problem:
        _failed(record, problem)
        _finish(system, record, keeper)
        raise
    record.tell(report)
    record.end(_moment())
    _finish(system, record, keeper)
    return report


def _moment() -> str:
    return now().isoformat(timespec="seconds")


def _failed(record: Record, problem: BaseException) -> None:
    if isinstance(problem, KeyboardInterrupt):
        record.end(_moment(), "interrupted", 130, "interrupted: nothing half-done was published")
        return
    known = problem if isinstance(problem, SyndicationError) else unexpected(problem)
    record.end(_moment(), "failed", known.exit_code, str(known))


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM stops a run as Ctrl-C does: systemd, Kubernetes and Docker send it, and the record should say so."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# --- after a run ----------------------------------------------------------------------------------


def _finish(system: System, record: Record, keeper: Keeper) -> None:
    """Tells partners, writes record and page, tells operators, and writes down who could be told."""
    from pipeline.report_page import page

    record.deliveries += tell_partners(system, record.sites, record.run_id)
    place = keeper.finish(record, page(record))
    told = _tell_operators(system, record, place)
    if told:
        record.deliveries += told
        place = keeper.finish(record, page(record))
    _say(record, keeper, place)


def tell_partners(
    system: System, sites: Sequence[SiteReport], run: str, decision: EditorialDecision | None = None
) -> list[Delivery]:
    """Tells partners of the new releases of their sites, of the withdrawal that made them, and of what did not arrive before; who
    could be told, and who not."""
    if not any(partner.webhook for partner in system.configuration.partners):
        return []
    from pipeline import outbox

    store = system.open_store(system.configuration.settings.store)
    return outbox.tell(system, store, sites, outbox.Event(run, now(), decision))


def warn_of(deliveries: Sequence[Delivery], run: str) -> None:
    """A warning for each message that did not arrive."""
    for delivery in deliveries:
        if not delivery.delivered:
            again = "; the next run tries again" if delivery.to.startswith("partner ") else ""
            warn(f"{delivery.to} could not be told: {delivery.error}{again}", run_id=run, address=delivery.address)


def _tell_operators(system: System, record: Record, page: str) -> list[Delivery]:
    from pipeline import messages, notify

    configuration = system.configuration
    wanted = messages.about_run(record, configuration.settings.notify, configuration.publisher.name, page, now())
    return notify.send(wanted) if wanted else []


def _say(record: Record, keeper: Keeper, page: str) -> None:
    for site in record.sites:
        event("site.finished", run_id=record.run_id, site=site.site, state=site.state, sequence=site.sequence, error=site.error)
    event("run.finished", run_id=record.run_id, exit_code=record.exit_code, held_back=len(record.held_back), report=page)
    if page and not keeper.problem and not json_logs():
        note(f"report: {page}")
    if keeper.problem:
        why = keeper.problem if record.exit_code != 4 else keeper.problem.splitlines()[0]  # the run itself says the rest
        warn(f"the store took no record of this run{f'; it is in {page}' if page else ''}: {why}", run_id=record.run_id)
    warn_of(record.deliveries, record.run_id)


@contextmanager
def settings_watched(config: Path, command: str) -> Iterator[None]:
    """A run that settings keep from beginning is told too, where `[notify]` itself can still be read."""
    try:
        yield
    except UsageError as problem:
        _tell_of_settings(config, command, problem)
        raise


def _tell_of_settings(config: Path, command: str, problem: UsageError) -> None:
    from pipeline import messages, notify
    from pipeline.records import Record
    from pipeline.settings import notify_of

    settings = notify_of(config)
    if settings is None:
        return
    moment = now()
    record = Record(run_id(moment), command, "all", moment.isoformat(timespec="seconds"))
    record.end(_moment(), "failed", problem.exit_code, str(problem))
    warn_of(notify.send(messages.about_run(record, settings, config.resolve().parent.name, "", moment)), record.run_id)
