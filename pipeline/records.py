"""What each run leaves behind, for those who look later: `runs/<id>.json` in the store, and a page to read, `runs/<id>.html`.

In: a run as it begins and ends. Out: `Record`, in the store; where the store takes nothing, in a folder of this machine. A record
is written when its run begins and replaced when it ends, so that a run which was killed is seen too. Records are the
publisher's: no partner can read them. Raises StoreError where a store fails or holds something else than a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from pipeline.contracts import Store
from pipeline.errors import NotFound, StoreError, UsageError
from pipeline.findings import Finding, Severity
from pipeline.report import Report, SiteReport

FOLDER: Final = "runs/"
LATEST: Final = 10  # records that stay, however old
SCHEMA: Final = "1"
RUN_ID: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_NAME: Final = re.compile(rf"{FOLDER}({RUN_ID.pattern})\.json")


@dataclass
class Delivery:
    """A message about a run: to whom (`webhook`, `email`, `partner <id>`), where, whether it arrived, after how many tries."""

    to: str
    address: str
    delivered: bool
    tries: int = 1
    error: str = ""
    sequence: int = 0


@dataclass
class Record:
    """One run. Moments are ISO 8601 in UTC. `state` is running (or killed), done, failed or interrupted; `scope` is all, due, or
    part (only some partners or topics); `exit_code` is -1 until the run ends. `seconds` are added up over all workers;
    `decided` is the mark of the decisions that it obeyed."""

    run_id: str
    command: str
    scope: str
    started: str
    finished: str = ""
    state: str = "running"
    exit_code: int = -1
    error: str = ""
    as_of: str = ""
    topics: int = 0
    sites: list[SiteReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    due: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    decided: str = ""
    schema: str = SCHEMA

    def tell(self, report: Report) -> None:
        """Takes over what the run reports."""
        self.as_of, self.topics, self.sites = report.as_of, report.topics, report.sites
        self.decided = report.decided
        self.findings = sorted(report.findings, key=Finding.sort_key)
        self.seconds = {name: round(value, 3) for name, value in sorted(report.seconds.items())}
        self.exit_code = report.exit_code

    def end(self, moment: str, state: str = "done", exit_code: int | None = None, error: str = "") -> None:
        """The run is over: when, how, and with which exit code (None: the report's)."""
        self.finished, self.state, self.error = moment, state, error
        self.exit_code = self.exit_code if exit_code is None else exit_code

    @property
    def held_back(self) -> list[str]:
        """Topics ("<id> <language>") that an error finding holds back."""
        return sorted({finding.topic for finding in self.findings if finding.severity is Severity.ERROR and finding.topic})

    @property
    def quiet(self) -> bool:
        """Whether the run looked for what is due, and nothing was."""
        return self.scope == "due" and self.state == "done" and not (self.exit_code or self.due or self.sites)

    def dump(self) -> bytes:
        """The record as JSON (UTF-8); `load` gives it back."""
        return (json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


_ADAPTER: Final = TypeAdapter(Record)


def load(data: bytes, what: str) -> Record:
    """A record from its JSON. Raises StoreError naming `what` where it is none."""
    try:
        record = _ADAPTER.validate_json(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _none(what, f"{place}: {first['msg']}" if place else first["msg"]) from None
    if not RUN_ID.fullmatch(record.run_id):
        raise _none(what, f"run_id: {record.run_id!r:.80}")
    return record


def _none(what: str, found: str) -> StoreError:
    expected, fix = "a JSON object as 'run' writes it", "delete it, if nobody can say where it comes from"
    return StoreError(f"{what} is no record of a run", expected=expected, found=found, fix=fix)


# --- keeping --------------------------------------------------------------------------------------


@dataclass
class Keeper:
    """Writes one run's record. `fallback` is a folder of this machine for what the store does not take; `problem` says why."""

    store: Store
    fallback: Path
    token: str = ""
    problem: str = ""

    def begin(self, record: Record) -> None:
        """Says that the run has begun. A store that takes no record stops no run: the run itself says what is wrong with it."""
        try:
            self.token = self.store.put(_key(record.run_id), record.dump(), media_type="application/json", absent=True)
        except (StoreError, UsageError) as problem:
            self.problem = str(problem)

    def finish(self, record: Record, page: str) -> str:
        """Writes how the run ended, and its page. Returns where the page is ("": there is none). Of quiet runs one after the
        other only the first and the last keep a record, and none has a page: there may be a hundred a day."""
        try:
            self._put(_key(record.run_id), record.dump(), "application/json")
            if record.quiet:
                _thin(self.store, record)
                return ""
            key = _key(record.run_id, "html")
            self.store.put(key, page.encode(), media_type="text/html; charset=utf-8")
        except (StoreError, UsageError) as problem:
            self.problem = str(problem)
            return self._beside(record, page)
        return f"{self.store.url.rstrip('/')}/{key}"

    def _put(self, key: str, data: bytes, media_type: str) -> None:
        self.token = self.store.put(key, data, media_type=media_type, absent=not self.token, match=self.token)

    def _beside(self, record: Record, page: str) -> str:
        try:
            self.fallback.mkdir(parents=True, exist_ok=True)
            (self.fallback / f"{record.run_id}.json").write_bytes(record.dump())
            path = self.fallback / f"{record.run_id}.html"
            path.write_text(page, encoding="utf-8")
        except OSError as problem:
            self.problem += f"\n  and on this machine: {problem}"
            return ""
        return str(path)


def _thin(store: Store, record: Record) -> None:
    """Removes the record before this one where it, and the one before it, are quiet too."""
    earlier = [name for name in names(store) if name < record.run_id][:2]
    try:
        if len(earlier) == 2 and all(get(store, name).quiet for name in earlier):
            store.delete(_key(earlier[0]))
    except StoreError:
        return  # one that can not be read stays


def _key(run_id: str, kind: str = "json") -> str:
    return f"{FOLDER}{run_id}.{kind}"


# --- reading --------------------------------------------------------------------------------------


def names(store: Store) -> list[str]:
    """Every run that left a record in the store, the latest first. A store that is not there yet has none."""
    try:
        found = (_NAME.fullmatch(stored.key) for stored in store.list(FOLDER))
        return sorted((match[1] for match in found if match), reverse=True)
    except NotFound:
        return []


def prune(store: Store, before: date, *, dry_run: bool = False) -> int:
    """Removes the records of runs that began before that day, and their pages; returns how many. The latest stay however old they
    are: what comes next, and what was decided, is asked of them. Raises StoreError."""
    old = [name for name in names(store)[LATEST:] if name[:8] < before.strftime("%Y%m%d")]
    for name in () if dry_run else old:
        for kind in ("html", "json"):  # the record last: a prune that dies finds it again
            store.delete(_key(name, kind))
    return len(old)


def get(store: Store, run_id: str) -> Record:
    """One record. Raises StoreError where there is none."""
    key = _key(run_id)
    return load(store.get(key)[0], f"{store.url}: {key}")


def latest(store: Store, wanted: Callable[[Record], bool] = lambda _: True) -> Iterator[Record]:
    """Records, the latest first, that are as wanted. One that can not be read is passed over: it is only a report."""
    for name in names(store):
        try:
            record = get(store, name)
        except StoreError:
            continue
        if wanted(record):
            yield record


def find(store: Store, written: str) -> Record:
    """The record that a person means: `last`, a whole id, or its first characters. Raises UsageError, StoreError."""
    known = names(store)
    matching = known[:1] if written == "last" else [name for name in known if name.startswith(written)]
    if len(matching) != 1:
        some = ", ".join(matching[:5] or known[:5]) or "(no run has left a record)"
        raise UsageError(
            f"{'no run' if not matching else f'{len(matching)} runs'} with the id {written!r} in {store.url}",
            expected=f"'last', or one of {some}{' ...' if len(matching or known) > 5 else ''}",
            fix="see 'runs list'",
        )
    return get(store, matching[0])


def before(store: Store, record: Record) -> Record:
    """The run before that one. Raises UsageError where it was the first."""
    for name in names(store):
        if name < record.run_id:
            return get(store, name)
    raise UsageError(f"there is no run before {record.run_id} in {store.url}", fix="compare after the next run")


def row(record: Record) -> dict[str, str]:
    """A record on one line of a table."""
    sites: dict[str, Any] = {}
    for site in record.sites:
        sites[site.state or "-"] = sites.get(site.state or "-", 0) + 1
    return {
        "run": record.run_id,
        "command": record.command,
        "state": record.state if record.finished else "running, or killed",
        "exit code": "" if record.exit_code < 0 else str(record.exit_code),
        "topics": str(record.topics),
        "sites": ", ".join(f"{count} {state}" for state, count in sorted(sites.items())),
        "held back": str(len(record.held_back)),
        "seconds": f"{duration(record):.1f}" if record.finished else "",
    }


def duration(record: Record) -> float:
    """Seconds from beginning to end by the clock; 0.0 where a moment is missing or unreadable."""
    from datetime import datetime

    try:
        return (datetime.fromisoformat(record.finished) - datetime.fromisoformat(record.started)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
