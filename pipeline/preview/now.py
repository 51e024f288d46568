"""What patients see now, beside what the sources say: every live topic of a site, since when, and what of ours is held back.

In: what is live (live.py), a snapshot, a site's plan, what was found. Out: rows. `Lives` finds out since when, aside: that reads
one release after the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pipeline.contracts import Archive, FileRow, Released, Row, Since, Withdrawn
from pipeline.editions import Key, SitePlan
from pipeline.errors import SyndicationError
from pipeline.findings import Finding, Severity
from pipeline.plugins import System
from pipeline.preview.live import Live
from pipeline.preview.project import Snapshot
from pipeline.preview.query import Query
from pipeline.preview.topics import Badge, fold
from pipeline.report import SiteReport
from pipeline.topic import Metadata

MOST: Final = 200  # releases read to say since when
PAGE: Final = 100
KEPT: Final = 20  # releases whose dates are kept in memory


# How what is live and what the sources say go together.
SAME: Final = Badge("as yours", "good", "The version that is live is the one in the sources")
NEWER: Final = Badge("yours differs", "warn", "The sources hold another version than patients see")
CHANGES: Final = Badge("a run changes it", "warn", "The version is the same, and its files would differ")
HELD_BACK: Final = Badge("yours is held back", "bad", "An error keeps yours from patients: they see the one before, or none")
WITHHELD: Final = Badge("yours is withheld", "calm", "The terms do not give it to this site any more")
GONE: Final = Badge("not in the sources", "bad", "It is live, and the sources hold it no more")
NEW: Final = Badge("not live yet", "calm", "A run would publish it")
WITHDRAWN: Final = Badge("withdrawn", "bad", "A notice stands in its place")
STATES: Final = (HELD_BACK, NEWER, CHANGES, GONE, WITHHELD, WITHDRAWN, NEW, SAME)


@dataclass(frozen=True, slots=True)
class Seen:
    """One topic: what is live of it (`version`, `current_as_of`; `path` its page in the bundle), and what is to be known of ours.
    `live`: whether patients see it; `known`: whether the sources hold it; `place` leads to the problem."""

    key: Key
    title: str
    state: Badge
    note: str = ""
    version: str = ""
    current_as_of: str = ""
    path: str = ""
    live: bool = True
    known: bool = True
    place: tuple[str, int] = ("", 0)


def seen(live: Live, snapshot: Snapshot, plan: SitePlan, found: Sequence[Finding], checked: SiteReport | None) -> list[Seen]:
    """Every topic that is live on a site, was withdrawn there, or is ours to give and is not live; what needs a look first.
    `checked` is what a dry run said of the site, None where none has looked at this snapshot."""
    errors = _errors(found, plan.partner.id, snapshot)
    rows = [_live(row, snapshot, plan, errors, checked) for row in live.rows.values()]
    gone = live.released.content.withdrawn if live.released else ()
    rows += [_withdrawn(one, snapshot) for one in gone]
    told = {row.key for row in rows}
    rows += [_not_live(key, snapshot.topics[key], errors.get(key)) for key in (*plan.granted, *errors) if key not in told]
    return sorted(dict.fromkeys(rows), key=lambda row: (row.state is SAME, fold(row.title), row.key))


def matching(rows: Iterable[Seen], query: Query) -> list[Seen]:
    """The rows that a query asks for."""
    words = fold(query.q).split()
    return [
        row
        for row in rows
        if (not query.seen or row.state.name == query.seen)
        and all(word in fold(f"{row.title} {row.key[0]}") for word in words)
        and (not query.language or row.key[1] == query.language)
    ]


def _live(row: Row, snapshot: Snapshot, plan: SitePlan, errors: Mapping[Key, Finding], checked: SiteReport | None) -> Seen:
    key = row.id, row.language
    state, note, place = _beside(row, key, snapshot, plan, errors.get(key), checked)
    page = main_page(row.files)
    return Seen(
        key,
        row.title,
        state,
        note,
        row.version,
        row.current_as_of,
        page.path if page else "",
        known=key in snapshot.topics,
        place=place,
    )


def _beside(
    row: Row, key: Key, snapshot: Snapshot, plan: SitePlan, problem: Finding | None, checked: SiteReport | None
) -> tuple[Badge, str, tuple[str, int]]:
    """How a live row and our topic go together, with why, and where the problem is."""
    ours, nowhere = snapshot.topics.get(key), ("", 0)
    if ours is None:
        return GONE, "a run would remove it", nowhere
    version = f"version {ours.version}: " if ours.version != row.version else ""
    if problem:
        return HELD_BACK, f"{version}{problem.text}", (problem.file, problem.line)
    if refusals := plan.withheld.get(key):
        return WITHHELD, "; ".join(dict.fromkeys(decision.reason for decision in refusals)), nowhere
    if version:
        return NEWER, f"yours is version {ours.version or '(none)'}", nowhere
    if checked and " ".join(key) in checked.changed:
        return CHANGES, "", nowhere
    return SAME, "", nowhere


def _withdrawn(gone: Withdrawn, snapshot: Snapshot) -> Seen:
    key, page = (gone.id, gone.language), main_page(gone.files)
    ours = snapshot.topics.get(key)
    note = f"decision {gone.decision} of {gone.at[:10]} ({gone.reason}): {gone.notice.get(gone.language, '')}".rstrip(": ")
    return Seen(key, ours.title if ours else gone.id, WITHDRAWN, note, path=page.path if page else "", known=ours is not None)


def _not_live(key: Key, ours: Metadata, problem: Finding | None) -> Seen:
    if problem:
        place = problem.file, problem.line
        return Seen(key, ours.title or ours.id, HELD_BACK, f"nothing is live: {problem.text}", live=False, place=place)
    return Seen(key, ours.title or ours.id, NEW, live=False)


def _errors(found: Iterable[Finding], partner: str, snapshot: Snapshot) -> dict[Key, Finding]:
    """The first error of each topic that it has for this partner."""
    names = {" ".join(key): key for key in snapshot.topics}
    by_file: dict[str, list[Key]] = {}
    for key, metadata in snapshot.topics.items():
        by_file.setdefault(metadata.file, []).append(key)
    errors: dict[Key, Finding] = {}
    for finding in found:
        if finding.severity is Severity.ERROR and finding.partner in ("", partner):
            owners = [names[finding.topic]] if finding.topic in names else by_file.get(finding.file, ())
            for key in owners:
                errors.setdefault(key, finding)
    return errors


def main_page(files: Sequence[FileRow]) -> FileRow | None:
    """What of a topic's live files is shown: a page, else what is text."""
    for media_type in ("text/html", "text/plain"):
        if page := next((file for file in files if file.media_type == media_type), None):
            return page
    return None


def moment(written: str) -> str:
    """A moment of the store (ISO 8601) as people read it: `2026-12-01 04:00 UTC`."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return written[:40]
    return f"{found.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if found.tzinfo else f"{found:%Y-%m-%d %H:%M}"


# --- since when ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dates:
    """Since when each live topic of one release is live in its version; `problem`: why the archive could not be read."""

    topics: Mapping[Key, Since]
    problem: str = ""


class Lives:
    """Since when what is live is live: found once for each release, in a thread. `tell` is called when it is known."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._found: dict[str, Dates | None] = {}  # by the manifest's SHA-256; None: under way
        self._lock = threading.Lock()

    def dates(self, system: System, prefix: str, released: Released) -> Dates | None:
        """What is known; None while it is being found out."""
        name = released.manifest_sha256
        with self._lock:
            if name in self._found:
                return self._found[name]
            self._found[name] = None
            while len(self._found) > KEPT:
                self._found.pop(next(iter(self._found)))
        thread = threading.Thread(target=self._find, args=(system, prefix, released), daemon=True)
        thread.start()
        thread.join(0.3)  # most archives are read by then, and nobody sees a page without dates
        return self._found.get(name)

    def _find(self, system: System, prefix: str, released: Released) -> None:
        archive: Archive = system.archive.load()
        try:
            store = system.open_store(system.configuration.settings.store)
            found = Dates(archive.since(store, prefix, released, MOST))
        except SyndicationError as problem:
            found = Dates({}, str(problem))
        with self._lock, suppress(KeyError):
            self._found[released.manifest_sha256] = found
        self._tell("live")
