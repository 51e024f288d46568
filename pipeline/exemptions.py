"""What a partner's file sets aside by name: findings that would hold a topic back, with a reason, for a time.

In: findings of one topic on one site. Out: the same findings; those that are exempt hold nothing back, and say why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from pipeline.findings import Finding, Severity
from pipeline.settings import Partner
from pipeline.terms import exemption


def exempted(findings: Iterable[Finding], partner: Partner, topic_id: str, as_of: date) -> list[Finding]:
    """The findings, those that the partner's file exempts as warnings."""
    if not partner.exemptions:
        return list(findings)
    return [_exempted(finding, partner, topic_id, as_of) for finding in findings]


def _exempted(finding: Finding, partner: Partner, topic_id: str, as_of: date) -> Finding:
    found = exemption(partner, finding.code, topic_id, as_of) if finding.severity is Severity.ERROR else None
    if found is None:
        return finding
    return replace(finding, severity=Severity.WARNING, text=f"{finding.text} (exempt to {found.ends}: {found.reason})")
