"""Who is who: settles the id of every topic over all sources, and fills in what the publisher says for topics.

In: each source's Index. Out: the same indexes with `ids` filled and complete metadata, and findings.
A public id that occurs twice names two texts one thing: none of them is published. A local id (unique in its
file alone) that occurs twice is told apart by its path, and nobody is held back.
"""

from __future__ import annotations

import calendar
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date
from typing import Final

from pipeline.contracts import Entry, Index, Unit
from pipeline.findings import Finding, error, warning
from pipeline.names import language_tag
from pipeline.settings import Publisher
from pipeline.topic import Copyright, Metadata, Person, safe_id

DUPLICATE: Final = error(
    "topic.id-duplicate",
    "A public id stands for two topics of one language. None of them is published.",
    "Give each topic an id of its own, or take all but one out of the inputs.",
)
RENAMED: Final = warning(
    "topic.id-renamed",
    "A local id occurs in several files. Each such topic is published under its id and its path.",
    "Give the topic a public id (in DITA: <data name='topic-id' value='...'/>), so that its address never moves.",
)


UNSAFE: Final = warning(
    "topic.id-unsafe",
    "An id holds what no path may hold: '..', a slash, a backslash or a control character. The topic is published under a safe id"
    " that is made of it.",
    "Find out who wrote such an id; give the topic one of letters, digits, '-', '_' and '.'.",
)
_PATH_LIKE: Final = re.compile(r"\.\.|[/\\\x00-\x1f\x7f]")


def settle(indexes: Mapping[str, Index], publisher: Publisher) -> tuple[dict[str, Index], list[Finding]]:
    """The indexes, by source, with `ids` and complete metadata; entries that share a public id are gone from both."""
    return Settler(publisher).settle(indexes)


@dataclass(slots=True)
class _Known:
    """An entry as its source gave it, the names that it stands under, and (with its id) what was made of it."""

    entry: Entry
    group: tuple[str, str]
    unsafe: bool
    alone: bool = False  # nobody else has its id, and nothing is found in it
    id: str = ""
    named: Entry | None = None

    def alone_as(self, before: _Known) -> bool:
        """Whether this takes the place of an entry that was alone, and is so too."""
        same = self.group == before.group and self.entry.public_id == before.entry.public_id
        self.alone = before.alone and same and not self.unsafe
        return self.alone


class Settler:
    """Settles one set of indexes after the other: what is made of an entry is kept as long as the entry is the same object."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._known: dict[Unit, _Known] = {}
        self._settled: tuple[dict[Unit, str], list[Finding]] = {}, []

    def settle(self, indexes: Mapping[str, Index]) -> tuple[dict[str, Index], list[Finding]]:
        """As the function of this name."""
        before, known = self._known, {entry.unit: self._knows(entry) for index in indexes.values() for entry in index.entries}
        if list(before) != list(known) or any(
            one is not before[unit] and not one.alone_as(before[unit]) for unit, one in known.items()
        ):
            self._settled = self._grouped(known)
        self._known, (ids, findings) = known, self._settled
        return {
            name: replace(
                index,
                entries=tuple(self._named(known[e.unit], ids[e.unit]) for e in index.entries if e.unit in ids),
                ids={e.unit: ids[e.unit] for e in index.entries if e.unit in ids},
            )
            for name, index in indexes.items()
        }, [*findings]

    def _grouped(self, known: Mapping[Unit, _Known]) -> tuple[dict[Unit, str], list[Finding]]:
        groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for one in known.values():
            groups[one.group].append(one.entry)
        ids, findings = _settle_groups(groups)
        for one in known.values():
            one.alone = len(groups[one.group]) == 1 and not one.unsafe
        return ids, findings + [_unsafe(one.entry, one.group[1], ids) for one in known.values() if one.unsafe]

    def _knows(self, entry: Entry) -> _Known:
        held = self._known.get(entry.unit)
        if held is not None and held.entry is entry:
            return held
        said = entry.metadata.id
        group = safe_id(said).lower(), _language(entry.metadata, self._publisher)
        return _Known(entry, group, _PATH_LIKE.search(said) is not None)

    def _named(self, known: _Known, topic_id: str) -> Entry:
        if known.named is None or known.id != topic_id:
            known.id, known.named = topic_id, _named(complete(known.entry, self._publisher), topic_id)
        return known.named


def _settle_groups(groups: Mapping[tuple[str, str], list[Entry]]) -> tuple[dict[Unit, str], list[Finding]]:
    ids: dict[Unit, str] = {}
    findings: list[Finding] = []
    shared: dict[tuple[str, str], list[tuple[Entry, int]]] = defaultdict(list)  # by the id that a path makes
    for (topic_id, language), entries in groups.items():
        public = [entry for entry in entries if entry.public_id]
        local = [entry for entry in entries if not entry.public_id]
        if len(public) > 1:
            findings.append(_duplicate(topic_id, language, public))
        elif public:
            ids[public[0].unit] = topic_id
        if len(local) == 1 and not public:
            ids[local[0].unit] = topic_id
            continue
        for entry in local:
            shared[safe_id(f"{topic_id}-{path_slug(entry.unit)}"), language].append((entry, len(entries)))
    for (name, language), renamed in shared.items():
        alone = len(renamed) == 1 and (name, language) not in groups
        for entry, count in renamed:
            ids[entry.unit] = name if alone else safe_id(f"{name}-{_path_hash(entry.unit)}")
            findings.append(_renamed(entry, language, ids[entry.unit], count))
    return ids, findings


def _unsafe(entry: Entry, language: str, ids: Mapping[Unit, str]) -> Finding:
    name = ids.get(entry.unit, safe_id(entry.metadata.id))
    text = f"id {entry.metadata.id[:100]!r} can be no part of a path; this topic is published as {name!r}"
    return UNSAFE.at(entry.unit.file, entry.metadata.line, text, topic=f"{name} {language}")


def _renamed(entry: Entry, language: str, name: str, count: int) -> Finding:
    text = f"id {entry.metadata.id[:100]!r} occurs in {count} files; this topic is published as {name!r}"
    return RENAMED.at(entry.unit.file, entry.metadata.line, text, topic=f"{name} {language}")


def _path_hash(unit: Unit) -> str:
    """What tells paths apart whose letters and digits are the same: `a/b` and `a-b`, or two of another script."""
    return hashlib.sha256(f"{unit.file}\0{unit.part}".encode()).hexdigest()[:8]


def path_slug(unit: Unit) -> str:
    """A unit's path as part of an id: lower case, `-` between, without the file's extension."""
    path = unit.file.rsplit(".", 1)[0] + (f"-{unit.part}" if unit.part else "")
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in path.lower()).split())


def _duplicate(topic_id: str, language: str, entries: list[Entry]) -> Finding:
    places = ", ".join(f"{entry.unit.file}:{entry.metadata.line} ({entry.metadata.title!r})" for entry in entries)
    first = entries[0]
    text = f"id {topic_id!r} in {language} stands for {len(entries)} topics: {places}"
    return DUPLICATE.at(first.unit.file, first.metadata.line, text, topic=f"{topic_id} {language}")


def _named(entry: Entry, topic_id: str) -> Entry:
    metadata = entry.metadata
    return replace(entry, metadata=replace(metadata, id=topic_id, concept=safe_id(metadata.concept or topic_id)))


def complete(entry: Entry, publisher: Publisher) -> Entry:
    """The entry with the publisher's stand-ins for what its topic does not say. What neither says stays unsaid."""
    metadata, defaults = entry.metadata, publisher.defaults
    changes: dict[str, object] = {
        "language": _language(metadata, publisher),
        "authors": metadata.authors or ((Person(name=defaults.author),) if defaults.author else ()),
        "audiences": metadata.audiences or tuple(defaults.audiences),
        "collections": metadata.collections or tuple(defaults.collections),
        "owner": metadata.owner or defaults.owner,
        "copyright": _copyright(metadata, publisher),
        "review_due": metadata.review_due or _review_due(metadata.current_as_of, publisher.review_cycle_months),
    }
    return replace(entry, metadata=replace(metadata, **changes))  # type: ignore[arg-type]


def _language(metadata: Metadata, publisher: Publisher) -> str:
    """In one spelling: `en-us` and `en-US` would be two topics whose files lie in one place on many a disk."""
    said = metadata.language or publisher.language
    return language_tag(said) or said


def _copyright(metadata: Metadata, publisher: Publisher) -> Copyright | None:
    stated, defaults = metadata.copyright, publisher.copyright
    holder = (stated.holder if stated else "") or (defaults.holder if defaults else "")
    if not holder:
        return None
    if stated and stated.first_year:
        return replace(stated, holder=holder)
    years = sorted(_years((metadata.created, metadata.modified, metadata.current_as_of)))
    first = (defaults.first_year if defaults else 0) or (years[0] if years else 0)
    if not first:
        return None  # a range from the clock would change without anyone having changed anything
    return Copyright(first_year=first, last_year=max(first, years[-1] if years else first), holder=holder)


def _years(days: Iterable[date | None]) -> list[int]:
    return [day.year for day in days if day]


def _review_due(reviewed: date | None, months: int) -> date | None:
    if reviewed is None or not months:
        return None
    year, month = divmod(reviewed.year * 12 + reviewed.month - 1 + months, 12)
    if year > MAXYEAR:
        return None
    return date(year, month + 1, min(reviewed.day, calendar.monthrange(year, month + 1)[1]))
