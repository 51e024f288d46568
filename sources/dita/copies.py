"""Copies of topics: what a map's `copy-to` makes of one file.

In: the topics of the files, what all maps say. Out: the same topics and their copies. Specification: DITA 1.3, `copy-to`: another
resource of the same source, with a name, a title (`linktext`, or a locked `navtitle`) and a short description of its own; it
stands in the key scope and branch of its own reference.

A topic that maps name by one copy alone is that topic still, under its own id: the copy's name is an alias. Whatever name is a
copy of its own gets the id that its reference states (`data name="topic-id"`, `resourceid`), else the original's id and its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lxml import etree

from pipeline.contracts import Entry, Files, Unit
from pipeline.findings import Finding
from sources.dita import codes
from sources.dita.model import Copy
from sources.dita.names import child
from sources.dita.publication import Publication
from sources.dita.reuse import Resolver
from sources.dita.topics import Draft

_BEFORE_SHORTDESC = ("title", "titlealts")


def with_copies(drafts: Sequence[Draft], found: Publication) -> list[Draft]:
    """The topics, each followed by its copies."""
    if not found.copies:
        return [*drafts]
    by_file: dict[str, dict[str, Copy]] = {}
    for (file, _), copy in found.copies.items():
        by_file.setdefault(copy.source, {}).setdefault(file, copy)
    return [one for draft in drafts for one in _with_copies(draft, by_file.get(draft.unit.file, {}), found)]


def _with_copies(draft: Draft, copies: Mapping[str, Copy], found: Publication) -> Iterator[Draft]:
    """A topic and its copies. Where no reference names it by its own name, the first copy that states no id is the topic."""
    made = [_copy(draft, file, copy) for file, copy in copies.items()]
    made = [one for one in made if any(place in found.reached for place in one.places)]
    if not any(place in found.reached for place in draft.places):
        same = next((one for one in made if one.copy is not None and not one.copy.id), None)
        if same is not None:
            draft = replace(draft, places=(*draft.places, *same.places))
            made.remove(same)
    yield draft
    yield from made


def _copy(draft: Draft, file: str, copy: Copy) -> Draft:
    unit = Unit(draft.unit.file, f"{draft.unit.part}>{copy.to}")
    places = tuple((file, topic) for _, topic in draft.places)
    return replace(draft, unit=unit, source=draft.unit, copy=copy, places=places, pushed=())


def parts_of(drafts: Iterable[Draft]) -> dict[str, dict[str, str]]:
    """By the names of copies: which part of the source file each topic id is in."""
    parts: dict[str, dict[str, str]] = {}
    for draft in drafts:
        if draft.copy is not None:
            parts.setdefault(draft.copy.to, {}).update(dict.fromkeys(draft.topics, draft.unit.part))
    return parts


def described(topic: etree._Element, copy: Copy, resolver: Resolver) -> None:
    """Puts a copy's own short description in the place of the original's."""
    made = resolver.fragment(copy.summary, copy.file, copy.line)
    made.tag = "shortdesc"
    held = child(topic, "shortdesc", "abstract")
    if held is not None:
        topic.replace(held, made)
        return
    number = sum(1 for one in topic if isinstance(one.tag, str) and one.tag in _BEFORE_SHORTDESC)
    topic.insert(number, made)


def remarks(entries: Sequence[tuple[Draft, Entry | None]], files: Files) -> Iterator[Finding]:
    """Copies that bear the title of another copy, or of their original; names that something else has."""
    titles: dict[tuple[Unit, str], str] = {}
    names: dict[str, Unit] = {}
    for draft, entry in entries:
        if entry is None:
            continue
        source = draft.source or draft.unit
        key = source, entry.metadata.title
        copy = draft.copy
        if copy is not None and key in titles:
            text = f"the copy {copy.to} of {copy.source} has the title {entry.metadata.title!r}, as has {titles[key]}"
            yield codes.COPY_TITLE.at(copy.file, copy.line, text)
        titles.setdefault(key, copy.to if copy is not None else draft.unit.file)
        if copy is not None and (copy.to in files or names.setdefault(copy.to, source).file != source.file):
            other = copy.to if copy.to in files else names[copy.to].file
            yield codes.COPY_TAKEN.at(copy.file, copy.line, f"copy-to {copy.to!r} of {copy.source}; {other} has that name")
