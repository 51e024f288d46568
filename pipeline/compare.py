"""What is different between two runs. In: two records, the earlier first. Out: `Difference`, lines of text and plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from pipeline.findings import Finding
from pipeline.records import Record, duration

LONGEST: Final = 20  # names on a line


@dataclass(frozen=True)
class Difference:
    """`facts` are (name, before, after) that differ; findings are told apart by all but their line, so that an edit further up
    in a file makes nothing new."""

    before: str
    after: str
    facts: tuple[tuple[str, str, str], ...]
    new_findings: tuple[Finding, ...]
    gone_findings: tuple[Finding, ...]
    newly_held_back: tuple[str, ...]
    no_longer_held_back: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it, as plain values."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """All of it, for people."""
        yield f"{self.before} -> {self.after}"
        for name, before, after in self.facts:
            yield f"{name}: {before or '-'} -> {after or '-'}"
        for title, names in (("newly held back", self.newly_held_back), ("no longer held back", self.no_longer_held_back)):
            if names:
                more = f" and {len(names) - LONGEST} more" if len(names) > LONGEST else ""
                yield f"{title}: {', '.join(names[:LONGEST])}{more}"
        for title, findings in (("new", self.new_findings), ("gone", self.gone_findings)):
            for finding in findings:
                yield f"{title}: {finding.place or '-'}: {finding.severity}: {finding.code}: {finding.text}"
        if not (self.facts or self.new_findings or self.gone_findings or self.newly_held_back or self.no_longer_held_back):
            yield "no difference"


def compare(before: Record, after: Record) -> Difference:
    """What the later run says that the earlier did not, and the other way round."""
    facts = [(name, old, new) for (name, old), (_, new) in zip(_facts(before), _facts(after), strict=True) if old != new]
    return Difference(
        before.run_id,
        after.run_id,
        (*facts, *_sites(before, after)),
        _only(after.findings, before.findings),
        _only(before.findings, after.findings),
        tuple(sorted(set(after.held_back) - set(before.held_back))),
        tuple(sorted(set(before.held_back) - set(after.held_back))),
    )


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    yield "command", record.command
    yield "state", record.state
    yield "exit code", str(record.exit_code)
    yield "decided for", record.as_of
    yield "topics", str(record.topics)
    yield "findings", str(len(record.findings))
    yield "seconds", f"{duration(record):.1f}"


def _sites(before: Record, after: Record) -> Iterator[tuple[str, str, str]]:
    old = {site.site: f"{site.state}, release {site.sequence}, {site.topics} topics" for site in before.sites}
    new = {site.site: f"{site.state}, release {site.sequence}, {site.topics} topics" for site in after.sites}
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"site {name}", old.get(name, ""), new.get(name, "")


def _only(findings: Sequence[Finding], others: Sequence[Finding]) -> tuple[Finding, ...]:
    known = {_identity(finding) for finding in others}
    return tuple(finding for finding in findings if _identity(finding) not in known)


def _identity(finding: Finding) -> tuple[str, ...]:
    return finding.code, finding.file, finding.text, finding.topic, finding.partner
