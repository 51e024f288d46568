"""What the publisher's decisions say today: which topics are withdrawn or corrected, which sites are held or offboarded.

In: all decisions of a store, oldest first. Out: `Standing`. Later decisions win: a withdrawal is open until its topic is
restored; a rollback holds its site until it is resumed. No clock: days come in as values.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.contracts import EditorialDecision
from pipeline.terms import covers_language

CORRECTED_DAYS: Final = 90  # how long a correction is marked under the title
NAMED: Final = 5  # topics named in one line


@dataclass(frozen=True)
class Standing:
    """The decisions, and what follows from them."""

    decisions: tuple[EditorialDecision, ...] = ()

    @cached_property
    def _marks(self) -> Mapping[str, int]:
        """The mark of the first decision, of the first two, and so on: `<number> <SHA-256>`, which says what was decided until
        then and changes with every letter of it."""
        marks, so_far = {}, hashlib.sha256()
        for place, decision in enumerate(self.decisions, 1):
            so_far.update(bytes.fromhex(decision.sha256))
            if decision.number == place and decision.sha256:
                marks[f"{place} {so_far.hexdigest()}"] = place
        return marks

    @property
    def mark(self) -> str:
        """What these decisions can be known by later ("" = there are none): kept in several places, it shows that one is lost."""
        return next((mark for mark, place in self._marks.items() if place == len(self.decisions)), "")

    def knows(self, mark: str) -> bool:
        """Whether all that was decided when this mark was made is here, or somebody accepted that it is lost."""
        return mark in self._marks or any(mark in decision.accepted for decision in self.decisions)

    @cached_property
    def _by_topic(self) -> Mapping[str, list[EditorialDecision]]:
        found: dict[str, list[EditorialDecision]] = defaultdict(list)
        for decision in self.decisions:
            for topic in decision.topics:
                found[topic].append(decision)
        return found

    def withdrawal(self, topic: str, language: str, version: str) -> EditorialDecision | None:
        """The open withdrawal of that version of a topic in that language, the newest one; None where there is none."""
        found = None
        for decision in self._of(topic, language):
            if decision.kind == "restore":
                found = None
            elif decision.kind == "withdraw" and (not decision.versions or version in decision.versions):
                found = decision
        return found

    def is_withdrawn(self, topic: str, language: str) -> bool:
        """Whether a withdrawal of any version of a topic is open in that language."""
        kinds = [decision.kind for decision in self._of(topic, language) if decision.kind in ("withdraw", "restore")]
        return kinds[-1:] == ["withdraw"]

    def corrections(self, topic: str, language: str, as_of: date, zone: ZoneInfo) -> tuple[EditorialDecision, ...]:
        """The corrections of a topic that its readers are still told of, oldest first."""
        return tuple(
            decision
            for decision in self._of(topic, language)
            if decision.kind == "correct" and timedelta() <= as_of - day_of(decision.at, zone) < timedelta(days=CORRECTED_DAYS)
        )

    def _of(self, topic: str, language: str) -> Iterator[EditorialDecision]:
        for decision in self._by_topic.get(topic, ()):
            if not decision.languages or covers_language(decision.languages, language):
                yield decision

    @property
    def withdrawn_ids(self) -> Collection[str]:
        """The ids of all topics that a withdrawal ever named: those that need a closer look."""
        return {topic for topic, found in self._by_topic.items() if any(d.kind == "withdraw" for d in found)}

    def open(self) -> list[EditorialDecision]:
        """Withdrawals that are open for any of their topics, and the rollbacks that hold a site; oldest first."""
        held = {decision.number for decision in self.held.values()}
        return [d for d in self.decisions if d.number in held or any(self._stands(d, topic) for topic in d.topics)]

    def in_force(self, decision: EditorialDecision) -> bool:
        """Whether an open decision still says the last word: nothing was withdrawn or restored since of any of its topics."""
        since = (d for topic in decision.topics for d in self._by_topic[topic] if d.number > decision.number)
        return not any(d.kind in ("withdraw", "restore") for d in since)

    def _stands(self, decision: EditorialDecision, topic: str) -> bool:
        """Whether it is a withdrawal, and no later decision restores the topic in all the languages that it names."""
        if decision.kind != "withdraw":
            return False
        later = [d for d in self._by_topic[topic] if d.number > decision.number and d.kind == "restore"]
        tags = decision.languages
        return not any(not d.languages or (tags and all(covers_language(d.languages, tag) for tag in tags)) for d in later)

    @cached_property
    def held(self) -> Mapping[str, EditorialDecision]:
        """By site, the rollback that holds it."""
        found: dict[str, EditorialDecision] = {}
        for decision in self.decisions:
            if decision.kind == "rollback":
                found[decision.site] = decision
            elif decision.kind in ("resume", "offboard"):
                found.pop(decision.site, None)
        return found

    @cached_property
    def offboarded(self) -> Collection[str]:
        """The sites whose partner left."""
        return {decision.site for decision in self.decisions if decision.kind == "offboard"}


def day_of(moment: str, zone: ZoneInfo) -> date:
    """The day of a moment (ISO 8601), where the publisher is."""
    return datetime.fromisoformat(moment).astimezone(zone).date()


def notice_in(texts: Mapping[str, str], language: str) -> str:
    """The text in that language: `es` serves `es-US`, no language serves another."""
    parts = language.split("-")
    return next((texts[tag] for end in range(len(parts), 0, -1) if (tag := "-".join(parts[:end])) in texts), "")


def why(decision: EditorialDecision) -> str:
    """A withdrawal in words: `withdrawn by decision 7 of 2026-11-25 (safety), by Ana Silva`."""
    return f"withdrawn by decision {decision.number} of {decision.at[:10]} ({decision.reason}), by {decision.by}"


def line(decision: EditorialDecision) -> str:
    """A decision on one line, for runs and lists."""
    what = [decision.kind]
    if decision.topics:
        more = f" and {len(decision.topics) - NAMED} more" if len(decision.topics) > NAMED else ""
        what.append(", ".join(decision.topics[:NAMED]) + more)
    what += [f"in {', '.join(decision.languages)}"] if decision.languages else []
    what += [f"version {', '.join(decision.versions)}"] if decision.versions else []
    what += [f"site {decision.site}"] if decision.site else []
    what += [f"to release {decision.sequence}"] if decision.kind == "rollback" else []
    what += [f"({', '.join(filter(None, (decision.reason, decision.severity, decision.action)))})"] if decision.reason else []
    approved = f", approved by {decision.approved_by}" if decision.approved_by else ""
    return f"decision {decision.number}, {decision.at}: {' '.join(what)}, by {decision.by}{approved}"


def as_csv(decisions: Iterable[EditorialDecision]) -> str:
    """Every decision as one line of CSV (RFC 4180), with a line of names above."""
    return table(decisions, [field.name for field in fields(EditorialDecision)])


def table(records: Iterable[object], columns: Sequence[str]) -> str:
    """Attributes of records as CSV: lists are joined by spaces; of texts by language only the texts are written."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for record in records:
        writer.writerow([_cell(getattr(record, name)) for name in columns])
    return text.getvalue()


def _cell(value: object) -> str:
    values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
    text = " ".join(map(str, values))
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text  # a spreadsheet would calculate it
