"""A run's report as one HTML page: what happened, to whom, what is held back and why, whom it concerns, how long it took.

In: a `Record`. Out: a page that needs no other file, no script and no network, can be read by screen readers, and prints.
What it shows comes from inputs and stores that nobody vouches for: the template escapes all of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from pipeline.findings import Finding, Severity
from pipeline.records import Record, duration
from pipeline.report import SiteReport, finding_lines, site_line

LONGEST: Final = 200  # names or findings of one kind that the page lists; the JSON record has all
NO_OWNER: Final = "Nobody (no owner is named)"
MEANINGS: Final[Mapping[int, tuple[str, str]]] = {
    0: ("Done", "Nothing to do."),
    1: ("Done, with topics held back", "Pass the findings to the editors; everything else was published."),
    2: ("Not begun: wrong usage or settings", "Mend what the message names, then run again. Nothing was done."),
    3: ("A brake stopped a site", "Read the list: run again with the flag it names, or mend the inputs."),
    4: ("The store, the network or this machine failed", "Look at it, then run again. Nothing half-done is visible."),
    5: ("Another run published first", "Nothing to repair: the next run goes on from there."),
    130: ("Interrupted", "Run again to go on. Nothing half-done was published."),
}
CHANGES: Final = (
    ("added", "Added"),
    ("changed", "Changed"),
    ("removed", "Removed"),
    ("kept", "Kept as published, because today's source can not be used"),
)


@dataclass(frozen=True)
class Names:
    """A list cut to what a page can hold; `more` are left out."""

    title: str
    count: int
    shown: Sequence[Any]
    more: int


def page(record: Record) -> str:
    """The whole page."""
    headline, to_do = meaning(record)
    made: str = _template().render(
        record=record,
        headline=headline,
        to_do=to_do,
        good=record.exit_code == 0,
        started=_readable(record.started),
        finished=_readable(record.finished),
        took=_span(duration(record)),
        errors=sum(finding.severity is Severity.ERROR for finding in record.findings),
        changes=[(site, _changes(site)) for site in record.sites],
        held_back=_names("", _held_back(record.findings)),
        owners=_by_owner(record.findings),
        withheld=[(site, _withheld(site)) for site in record.sites if site.withheld],
        stages=_stages(record.seconds),
    )
    return made


def lines(record: Record) -> Iterator[str]:
    """The same for a terminal."""
    headline, to_do = meaning(record)
    code = f" (exit code {record.exit_code})" if record.exit_code >= 0 else ""
    yield f"{headline}{code}. {to_do}"
    yield f"{record.run_id}: {record.command}, started {_readable(record.started)}, took {_span(duration(record))}"
    yield from [record.error] if record.error else []
    yield from (f"due: {one.get('at', '')} {one.get('site', '')} {one.get('text', '')}" for one in record.due)
    yield from finding_lines(record.findings, limit=10)
    yield from map(site_line, record.sites)
    yield from [f"{len(record.held_back)} topics held back: {', '.join(record.held_back)}"] if record.held_back else []
    for owner, errors, warnings, _ in _by_owner(record.findings):
        yield f"{owner}: {errors} errors, {warnings} warnings"
    for one in record.deliveries:
        yield f"told {one.to} ({one.address}): " + ("yes" if one.delivered else f"no: {one.error}")


def meaning(record: Record) -> tuple[str, str]:
    """What a run's end means, and what to do."""
    if not record.finished:
        return "Still running, or killed", "If no such process runs any more, run again: nothing half-done was published."
    return MEANINGS.get(record.exit_code, (f"Ended with exit code {record.exit_code}", "See the message."))


def _names(title: str, values: Sequence[Any]) -> Names:
    return Names(title, len(values), values[:LONGEST], max(0, len(values) - LONGEST))


def _changes(site: SiteReport) -> list[Names]:
    return [_names(title, getattr(site, name)) for name, title in CHANGES if getattr(site, name)]


def _held_back(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Each topic that is held back, with the errors that do it."""
    by_topic: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.severity is Severity.ERROR:
            by_topic[finding.topic or finding.file or finding.partner].append(finding)
    return sorted(by_topic.items())


def _by_owner(findings: Iterable[Finding]) -> list[tuple[str, int, int, Names]]:
    """Owner, number of errors, number of warnings, findings; who has most errors first, findings of nobody last."""
    by_owner: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_owner[finding.owner or NO_OWNER].append(finding)
    rows = []
    for owner, own in by_owner.items():
        errors = sum(finding.severity is Severity.ERROR for finding in own)
        rows.append((owner, errors, len(own) - errors, _names(owner, sorted(own, key=Finding.sort_key))))
    return sorted(rows, key=lambda row: (row[0] == NO_OWNER, -row[1], -row[2], row[0]))


def _withheld(site: SiteReport) -> list[Names]:
    """Reasons, the most frequent first, with the topics that each withholds."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for topic, reason in sorted(site.withheld.items()):
        by_reason[reason].append(topic)
    counts = Counter({reason: len(topics) for reason, topics in by_reason.items()})
    return [_names(reason, by_reason[reason]) for reason, _ in counts.most_common()]


def _stages(seconds: Mapping[str, float]) -> list[tuple[str, float, int]]:
    """Stage, seconds, share of all in percent; the longest first."""
    total = sum(seconds.values())
    rows = [(name, value, round(100 * value / total) if total else 0) for name, value in seconds.items()]
    return sorted(rows, key=lambda row: -row[1])


def _readable(moment: str) -> str:
    try:
        return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return moment


def _span(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).with_name("pages")
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals["readable"] = _readable
    return environment.get_template("run.html")
