"""What a run did, for people and programs.

In: findings and each site's outcome. Out: `Report`, its exit code, its JSON, and lines of text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.contracts import Row
from pipeline.errors import MachineError, StoppedError, SyndicationError
from pipeline.findings import Finding, Severity

SCHEMA = "1"


@dataclass
class SiteReport:
    """One site: `state` is published, unchanged, dry-run, stopped, failed or undelivered (live, and not in the partner's own
    bucket); `error` says why it was not published or copied."""

    site: str
    partner: str
    state: str = ""
    sequence: int = 0
    topics: int = 0
    files: int = 0
    uploaded: int = 0
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    withheld: dict[str, str] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)
    error: str = ""
    exit_code: int = 0

    def compare(self, before: Sequence[Row], after: Sequence[Row]) -> None:
        """Says which topics came, went and changed between these rows."""
        was = {f"{row.id} {row.language}": row.files for row in before}
        now = {f"{row.id} {row.language}": row.files for row in after}
        self.added, self.removed = sorted(now.keys() - was.keys()), sorted(was.keys() - now.keys())
        self.changed = sorted(name for name in now.keys() & was.keys() if now[name] != was[name])

    def fail(self, problem: Exception) -> None:
        """Says why the site was not published; what nobody foresaw becomes a MachineError."""
        if not isinstance(problem, SyndicationError):
            found, fix = f"{type(problem).__name__}: {problem}", "report this message; the other sites went on without this one"
            problem = MachineError(f"site {self.site}: something failed that should not", found=found, fix=fix)
        self.state = "stopped" if isinstance(problem, StoppedError) else "failed"
        self.error, self.exit_code = str(problem), problem.exit_code


@dataclass
class Report:
    """A whole run. `seconds` are processor stages added up over all workers; `decisions` are the open ones, a line each;
    `decided` is the mark of all that it obeyed (standing.py)."""

    run_id: str
    as_of: str
    sites: list[SiteReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    topics: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    decided: str = ""

    @property
    def held_back(self) -> list[str]:
        """Topics ("<id> <language>") that an error finding holds back, from one site or all."""
        return sorted({f.topic for f in self.findings if f.severity is Severity.ERROR and f.topic})

    @property
    def exit_code(self) -> int:
        """The first of 7, 4, 5, 3, 2, 1, 0 that happened to any site; 1 where anything was held back."""
        codes = {site.exit_code for site in self.sites}
        codes |= {1} if any(f.severity is Severity.ERROR for f in self.findings) else set()
        return next((code for code in (7, 4, 5, 3, 2, 1) if code in codes), 0)

    def as_json(self) -> dict[str, Any]:
        """Everything, as plain values; findings sorted, errors first."""
        return {
            "schema": SCHEMA,
            "run_id": self.run_id,
            "as_of": self.as_of,
            "exit_code": self.exit_code,
            "topics": self.topics,
            "held_back": self.held_back,
            "decisions": self.decisions,
            "sites": [asdict(site) for site in self.sites],
            "findings": [asdict(finding) for finding in sorted(self.findings, key=Finding.sort_key)],
            "seconds": {name: round(value, 3) for name, value in sorted(self.seconds.items())},
        }


def finding_lines(findings: list[Finding], limit: int = 0) -> Iterator[str]:
    """One finding: place, severity, code and text on a line; what to do once per code, under its first finding.

    `limit`: no more than this many of one code (0 = all), then how many more there are.
    """
    ordered = sorted(findings, key=Finding.sort_key)
    totals: Mapping[str, int] = Counter(finding.code for finding in ordered)
    seen: Counter[str] = Counter()
    for finding in ordered:
        seen[finding.code] += 1
        if limit and seen[finding.code] > limit:
            continue
        partner = f" [{finding.partner}]" if finding.partner else ""
        yield f"{finding.place or '-'}: {finding.severity}: {finding.code}{partner}: {finding.text}"
        if seen[finding.code] == 1:
            yield f"    to do: {finding.action}"
        if limit and seen[finding.code] == limit and totals[finding.code] > limit:
            yield f"    ... and {totals[finding.code] - limit} more {finding.code}"


def site_line(site: SiteReport) -> str:
    """One site on one line."""
    if site.error:
        return f"{site.site}: {site.state}: {site.error}"
    parts = [f"{site.topics} topic{'' if site.topics == 1 else 's'}", f"{site.files} files"]
    parts += [
        f"{len(values)} {name}"
        for name, values in (
            ("added", site.added),
            ("changed", site.changed),
            ("removed", site.removed),
            ("kept as published", site.kept),
            ("withheld by terms", site.withheld),
            ("withdrawn", site.withdrawn),
        )
        if values
    ]
    release = f" release {site.sequence}" if site.sequence else ""
    return f"{site.site}: {site.state}{release}: {', '.join(parts)}"
