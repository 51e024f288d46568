"""Findings: what an editor must fix, as values.

In: a `Code` (declared once, as a module constant, where it is found) and a place in a source file.
Out: `Finding`. All findings of a run are reported together; none stops another topic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """ERROR: the topic is held back. WARNING: it is published."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: `text` says what, `action` what to do. `line` 0 = the whole file; `topic` is
    "<id> <language>" where the finding belongs to one topic, "" where it belongs to a file or a site."""

    code: str
    severity: Severity
    file: str
    line: int
    text: str
    action: str
    topic: str = ""
    owner: str = ""
    partner: str = ""

    @property
    def place(self) -> str:
        """`file:line`, `file`, or "" - the form that editors and terminals make clickable."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def of(self, topic: str, owner: str = "") -> Finding:
        """The same finding, said of a topic and its owner."""
        return replace(self, topic=topic, owner=owner)

    def sort_key(self) -> tuple[Any, ...]:
        """Errors first, then by file, line, code."""
        return (self.severity is Severity.WARNING, self.file, self.line, self.code, self.text)


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: `area.name`, its severity, what it means and what to do (both documented)."""

    name: str
    severity: Severity
    meaning: str
    action: str

    def at(self, file: str, line: int | None, text: str, *, topic: str = "", partner: str = "", action: str = "") -> Finding:
        """A finding of this kind at a place. `text` names the value, what was expected and what was found."""
        return Finding(self.name, self.severity, file, line or 0, text, action or self.action, topic, "", partner)


def error(name: str, meaning: str, action: str) -> Code:
    """Declares a kind of finding that holds its topic back."""
    return Code(name, Severity.ERROR, meaning, action)


def warning(name: str, meaning: str, action: str) -> Code:
    """Declares a kind of finding that is reported while its topic is published."""
    return Code(name, Severity.WARNING, meaning, action)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of them holds a topic back."""
    return any(finding.severity is Severity.ERROR for finding in findings)
