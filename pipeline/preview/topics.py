"""The list of topics: what each row says, and how it is searched, filtered and sorted.

In: a snapshot, the desk of a viewpoint, what the last check of everything found, words from the address. Out: rows.
Ten thousand topics are filtered as values; a page of them is shown at a time.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pipeline.contracts import Decision
from pipeline.editions import Key
from pipeline.findings import Finding, Severity
from pipeline.preview.project import Snapshot
from pipeline.preview.query import Query
from pipeline.preview.translated import behind, originals
from pipeline.preview.viewpoints import Desk
from pipeline.topic import Metadata

PAGE: Final = 100
SOON: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Badge:
    """A word about a topic: what it says, its tone (bad, warn, calm, good) and what it means."""

    name: str
    tone: str
    title: str


IN_REVIEW: Final = Badge("in review", "calm", "The source says that it is in review")
WITHDRAWN: Final = Badge("withdrawn", "bad", "A decision withdraws it, or its source says so")
OVERDUE: Final = Badge("overdue", "bad", "Its medical review was due before this day")
DUE: Final = Badge("due in 60 days", "warn", "Its medical review is due soon")
EMBARGOED: Final = Badge("embargoed", "calm", "It goes live on a later day")
EXPIRED: Final = Badge("expired", "bad", "Its last day is over")
HELD_BACK: Final = Badge("held back", "bad", "An error keeps it from being published")
BEHIND: Final = Badge("behind", "warn", "It translates an older version than there is")
WITHHELD: Final = Badge("withheld", "calm", "The terms do not give it to this site")
BADGES: Final = (HELD_BACK, OVERDUE, DUE, BEHIND, IN_REVIEW, EMBARGOED, WITHDRAWN, EXPIRED, WITHHELD)

_PASSING: Final = frozenset({BEHIND, WITHDRAWN, WITHHELD})  # what other topics, decisions or terms may take away


@dataclass(frozen=True, slots=True)
class Listed:
    """One row: the topic, its badges, and how many findings it has, as far as anyone looked."""

    metadata: Metadata
    badges: tuple[Badge, ...]
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, and how many rows there are in all; `choices`: what each filter offers."""

    rows: tuple[Listed, ...]
    total: int
    pages: int


def badges(
    metadata: Metadata, as_of: date, held_back: bool, refusals: Sequence[Decision] | None, late: bool
) -> tuple[Badge, ...]:
    """What to know of a topic on a day. `refusals`: why it is withheld (None: it is not); `late`: its original is newer."""
    due, decided = metadata.review_due, any(decision.rule == "withdrawn" for decision in refusals or ())
    said = (
        (HELD_BACK, held_back),
        (OVERDUE, bool(due and due < as_of)),
        (DUE, bool(due and as_of <= due <= as_of + SOON)),
        (BEHIND, late),
        (IN_REVIEW, metadata.status == "in-review"),
        (EMBARGOED, bool(metadata.go_live and metadata.go_live > as_of)),
        (WITHDRAWN, decided or metadata.status == "withdrawn"),
        (EXPIRED, bool(metadata.expires and metadata.expires < as_of)),
        (WITHHELD, refusals is not None),
    )
    return tuple(badge for badge, holds in said if holds)


@dataclass(frozen=True, slots=True)
class _Words:
    """What a row is found and sorted by."""

    metadata: Metadata
    searched: str
    title: str


class Shelf:
    """All rows of one snapshot and desk, by title, made once and filtered often. `before`: another shelf of the same desk; rows
    of topics that are the same on both are taken from it."""

    def __init__(self, snapshot: Snapshot, desk: Desk, checked: Iterable[Finding], before: Shelf | None = None) -> None:
        topics, plan = snapshot.topics, desk.plan
        counts = _counts(topics, [*snapshot.catalog.findings, *checked], plan.partner.id)
        self.day = plan.as_of
        known: Mapping[Key, _Words] = before._words if before else {}
        self._words: dict[Key, _Words] = {key: _words(metadata, known.get(key)) for key, metadata in topics.items()}
        self._rows: dict[Key, Listed] = {}
        held = before._rows if before and before.day == self.day else {}
        known_originals = originals(topics)
        for key in _in_order(self._words, before):
            row, errors, warnings = held.get(key), counts[key, "error"], counts[key, "warning"]
            same = row and row.metadata is topics[key] and row.errors == errors and row.warnings == warnings
            refusals = plan.withheld.get(key)
            late = bool(topics[key].translation and behind(topics[key], known_originals))
            if row is None or not same or refusals or not _PASSING.isdisjoint(row.badges) or late:
                said = badges(topics[key], self.day, errors > 0, refusals, late)
                row = Listed(topics[key], said, errors, warnings)
            self._rows[key] = row
        self.rows = list(self._rows.values())

    def choices(self) -> dict[str, list[str]]:
        """What the filters offer."""
        return {
            "collection": sorted({name for row in self.rows for name in row.metadata.collections}),
            "language": sorted({row.metadata.language for row in self.rows}),
            "badge": [badge.name for badge in BADGES if any(badge in row.badges for row in self.rows)],
        }

    def matching(self, query: Query) -> list[tuple[Key, Listed]]:
        """The topics that the query asks for, in its order."""
        wanted, words = fold(query.q).split(), self._words
        found = [
            (key, row)
            for key, row in self._rows.items()
            if _matches(row, query) and all(word in words[key].searched for word in wanted)
        ]
        if query.sort:  # in all other orders they stand already
            found.sort(key=_order(query.sort))
        return found

    def page(self, query: Query) -> Page:
        """One page of them."""
        found = self.matching(query)
        pages = max(1, -(-len(found) // PAGE))
        start = (min(query.page, pages) - 1) * PAGE
        return Page(tuple(row for _, row in found[start : start + PAGE]), len(found), pages)

    def around(self, query: Query, key: Key) -> tuple[Key | None, Key | None]:
        """The topics before and after one, in the list that the query makes."""
        keys = [key for key, _ in self.matching(query)]
        if key not in keys:
            return None, None
        at = keys.index(key)
        return (keys[at - 1] if at else None), (keys[at + 1] if at + 1 < len(keys) else None)


def _counts(topics: Mapping[Key, Metadata], findings: Sequence[Finding], partner: str) -> Counter[tuple[Key, str]]:
    names = {" ".join(key): key for key in topics}
    by_file: dict[str, list[Key]] = {}
    for key, metadata in topics.items():
        by_file.setdefault(metadata.file, []).append(key)
    counts: Counter[tuple[Key, str]] = Counter()
    for finding in dict.fromkeys(findings):
        if finding.partner not in ("", partner):
            continue
        owners: Collection[Key] = [names[finding.topic]] if finding.topic in names else by_file.get(finding.file, ())
        for key in owners:
            counts[key, "error" if finding.severity is Severity.ERROR else "warning"] += 1
    return counts


def fold(text: str) -> str:
    """Lower case, without accents: what people type when they search."""
    if text.isascii():
        return text.lower()  # most titles, and a tenth of the time
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _words(metadata: Metadata, before: _Words | None) -> _Words:
    if before is not None and before.metadata is metadata:
        return before
    said = (metadata.title, metadata.id, *metadata.also_called, *metadata.keywords)
    return _Words(metadata, fold(" ".join(said)), fold(metadata.title))


def _in_order(words: Mapping[Key, _Words], before: Shelf | None) -> list[Key]:
    """The topics by title; most stand as on the shelf before, where sorting costs next to nothing."""
    held = [key for key in before._rows if key in words] if before else []
    known = set(held)
    if before and len(held) == len(words) and all(words[key].title == before._words[key].title for key in held):
        return held
    return sorted((*held, *(key for key in words if key not in known)), key=lambda key: (words[key].title, key))


def _matches(row: Listed, query: Query) -> bool:
    metadata = row.metadata
    return (
        (not query.collection or query.collection in metadata.collections)
        and (not query.language or query.language == metadata.language)
        and (not query.badge or any(badge.name == query.badge for badge in row.badges))
        and (not query.gets or (query.gets == "yes") == (WITHHELD not in row.badges))
        and (
            not query.findings
            or (query.findings == "errors" and row.errors > 0)
            or (query.findings == "warnings" and row.warnings > 0)
            or (query.findings == "none" and not row.errors + row.warnings)
        )
    )


def _order(sort: str) -> Callable[[tuple[Key, Listed]], tuple[object, ...]]:
    """A key to sort rows by that stand by title already."""
    if sort == "due":
        return lambda found: (found[1].metadata.review_due or date.max,)
    if sort == "newest":
        return lambda found: (-(found[1].metadata.modified or date.min).toordinal(),)
    return lambda found: (-found[1].errors, -found[1].warnings)
