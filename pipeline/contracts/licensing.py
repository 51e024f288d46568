"""What a rule is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Use:
    """What a licence is asked for: a format of a topic, in its language, on a site. `withdrawn` says in words which open decision
    withdraws the topic ("" = none)."""

    site: str
    format: str
    language: str
    withdrawn: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule's answer. `verdict` is grant, withhold or condition (granted, under a `mark` right under the title);
    `until` the first day it could differ."""

    rule: str
    verdict: str
    reason: str
    clause: str = ""
    until: date | None = None
    mark: str = ""

    @property
    def refuses(self) -> bool:
        """Whether this answer alone withholds the use."""
        return self.verdict == "withhold"
