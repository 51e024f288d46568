"""What is in the files of a publication, kept up as they change: only what a changed file has a part in is worked out again.

In: files, the claimed names, which of them changed. Out: an `Index`, equal to one that is made from the start: there is one way
to make it, and what is kept of the last time is used where everything that it looked at (`sources._noting`) is as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from lxml import etree

from pipeline.contracts import Conditions, Entry, Files, Index, Unit
from pipeline.findings import Finding, has_errors
from sources._noting import NOTHING, NotedFiles, NotedTable, Notes, answer
from sources.dita import codes, conditions, copies
from sources.dita.conditions import Filter
from sources.dita.documents import find, parsed, why_not
from sources.dita.keys import KeySpace
from sources.dita.maps import MapFile, map_file
from sources.dita.metadata import Facts
from sources.dita.model import Data, Key, Keys, Push
from sources.dita.names import is_a
from sources.dita.places import Ref
from sources.dita.publication import Place, Publication, TooMuch, branch_filter
from sources.dita.reuse import Resolver, said
from sources.dita.schemes import broader
from sources.dita.topics import Draft, describe, drafts, units
from sources.dita.walks import Walks

T = TypeVar("T")
_MARKUP = (".dita", ".xml", ".ditamap", ".bookmap")


@dataclass(slots=True)
class _Part:
    """What one file holds: a map, or topics."""

    notes: Notes
    findings: tuple[Finding, ...] = ()
    map: MapFile | None = None
    drafts: tuple[Draft, ...] = ()

    @property
    def shape(self) -> list[object]:
        """What the places of other files' topics depend on."""
        return [(draft.unit, draft.id, draft.topics, draft.definitions) for draft in self.drafts]


@dataclass(slots=True)
class _Made:
    """A topic's entry (None = left out), what was found on the way, and everything that it was made of; `used`: what the list of
    files that it uses was made of."""

    notes: Notes
    around: tuple[object, ...]
    round: int
    entry: Entry | None = None
    findings: tuple[Finding, ...] = ()
    branch: Filter | None = None
    used: Notes = NOTHING


@dataclass(slots=True)
class _NotedKeys(Keys):
    """Keys that note which were asked for, in which scope, and what they meant."""

    files: NotedFiles = field(default_factory=lambda: NotedFiles({}))  # type: ignore[arg-type]  # always given

    def find(self, name: str, scope: int) -> Key | None:
        """As of all keys."""
        found = Keys.find(self, name, scope)
        self.files.notes.asked["keys", (name, scope)] = found
        return found


class _NotedPlaces(AbstractSet[tuple[str, str]]):
    """A set of places that notes what is asked of it."""

    def __init__(self, places: Collection[tuple[str, str]], files: NotedFiles) -> None:
        self._places, self._files = places, files

    def __contains__(self, place: object) -> bool:
        found = place in self._places
        self._files.notes.asked["definitions", place] = found
        return found

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class Indexer:
    """The index of one publication under one set of conditions."""

    def __init__(self, stated: Conditions) -> None:
        self._roots = stated.maps
        self._filter, found = conditions.read(stated)
        self._stated = tuple(found)
        self._files = NotedFiles({})  # type: ignore[arg-type]  # takes the files of each call
        self._round = 0  # counts how often maps, keys or places changed
        self._forget()

    def _forget(self) -> None:
        self._parts: dict[str, _Part] = {}
        self._found: Publication | None = None
        self._walks = Walks()
        self._data = Data(filter=self._filter)
        self._drafts: dict[Unit, Draft] = {}
        self._standing: dict[Unit, str] = {}  # "reached" by a map, "mentioned" in one and not reached, or neither
        self._made: dict[Unit, _Made] = {}
        self._reuse: dict[Unit, tuple[Draft, tuple[str, ...]]] = {}

    def index(self, files: Files, claimed: Sequence[str], changed: Collection[str] | None = None) -> Index:
        """The index of the claimed files. `changed`: those of all input files that changed, came or went since the last call
        (None = any may have)."""
        if has_errors(self._stated):  # what must be left out is not known: nothing may go out
            return Index((), self._stated, Data(filter=self._filter))
        if changed is None:
            self._forget()
        self._files.files = files
        before, self._parts = self._parts, self._parsed(claimed, frozenset(changed or ()))
        before = self._narrowed(before)
        parts = self._parts.values()
        try:
            anew = self._publish(before, frozenset(changed or ()))
        except TooMuch as problem:  # what maps leave out is not known either
            found = [finding for part in parts for finding in part.findings]
            self._forget()
            return Index((), (*self._stated, *found, problem.finding), Data(filter=self._filter))
        assert self._found is not None
        topics = copies.with_copies([draft for part in parts for draft in part.drafts], self._found)
        if anew or not _same_shape(before, self._parts):
            self._place(topics)
        moved, findings = self._push(topics)
        return self._whole(topics, findings, frozenset(changed or ()) | moved)

    def _narrowed(self, before: dict[str, _Part]) -> dict[str, _Part]:
        """Takes up what subject schemes say. Where that is new, maps are read again (topics are not filtered when they are read),
        and nothing else that was known holds. The parts to compare with."""
        found = broader(part.map.scheme for part in self._parts.values() if part.map and part.map.scheme)
        if found == self._filter.broader:
            return before
        self._filter, parts = replace(self._filter, broader=found), self._parts
        self._forget()
        again = bool(self._filter.layers)
        self._parts = {name: self._part(name) if again and part.map else part for name, part in parts.items()}
        return {}

    def _whole(self, topics: list[Draft], findings: list[Finding], changed: frozenset[str]) -> Index:
        assert self._found is not None
        made, more = self._entries(topics, changed)
        self._made = {draft.unit: one for draft, one in made}
        found = [finding for part in self._parts.values() for finding in part.findings]
        copied = {copy.source for copy in self._found.copies.values()}
        asked = self._asked_in_vain(topics)
        remarks = copies.remarks([(draft, one.entry) for draft, one in made if draft.unit.file in copied], self._files)
        found = [*self._stated, *found, *self._found.findings, *asked, *findings, *more, *remarks]
        data = replace(
            self._data,
            branches={draft.unit: one.branch for draft, one in made if one.branch is not None},
            findings={draft.unit: one.findings for draft, one in made if one.findings},
        )
        entries = tuple(one.entry for _, one in made if one.entry is not None)
        return Index(entries, tuple(dict.fromkeys(found)), data)

    def _asked_in_vain(self, topics: list[Draft]) -> Iterator[Finding]:
        """What maps ask for in files that are there, and no topic is. Of a file that can not be read, its own error says so."""
        assert self._found is not None
        there = {place for draft in topics for place in draft.places}
        maps = {name for name, part in self._parts.items() if part.map is not None}
        for (file, topic), (by, line) in self._found.reached.items():
            if (file, topic) in there or file not in self._files.files or file in maps:
                continue
            if file not in self._parts:
                if file.lower().endswith(_MARKUP) and parsed(self._files.files, file)[0] is None:
                    continue  # such files say so themselves
                text = f"the reference leads to {file}, which is no DITA by its root or DOCTYPE"
            elif self._parts[file].drafts:
                text = f"the reference leads to {file}#{topic}; the file is there, that topic in it is not"
            else:
                continue
            yield codes.MAP_TARGET.at(by, line, text)

    # --- files

    def _parsed(self, claimed: Sequence[str], changed: frozenset[str]) -> dict[str, _Part]:
        parts = {}
        for name in claimed:
            held = self._parts.get(name)
            parts[name] = held if held and held.notes.hold(self._files.files, changed) else self._part(name)
        return parts

    def _part(self, name: str) -> _Part:
        """The map or the topics that a file holds."""
        part = _Part(self._files.begin())
        root, problems = parsed(self._files, name)
        findings = list(problems)
        if root is not None and is_a(root, "map"):
            part.map = map_file(root, name, self._files, self._filter, findings)
        elif root is not None:
            part.drafts = tuple(drafts(root, name))
            if not part.drafts:
                text = f"the root <{root.tag!s}> is no topic, no map and holds no topic"
                findings.append(codes.NO_TOPIC.at(name, root.sourceline, text))
        part.findings = tuple(findings)
        return part

    # --- where topics stand

    def _publish(self, before: dict[str, _Part], changed: frozenset[str]) -> bool:
        """What all maps say together. Whether it had to be worked out again."""
        maps = _maps(self._parts)
        if self._found is not None and maps == _maps(before) and self._walks.hold(self._files, changed):
            return False
        self._found = self._walks.publication(maps, self._files, self._roots, changed)
        return True

    def _place(self, topics: list[Draft]) -> None:
        assert self._found is not None
        found, parts, places = self._found, dict[str, dict[str, str]](), set[tuple[str, str]]()
        for draft in topics:
            places.update((draft.unit.file, name) for name in draft.definitions)
            if draft.unit.part and draft.copy is None:
                parts.setdefault(draft.unit.file, {}).update(dict.fromkeys(draft.topics, draft.unit.part))
            if draft.definitions and draft.definitions[0] == draft.id:
                places.add((draft.unit.file, ""))
        scopes = {draft.unit: _of_places(draft, found.scopes) for draft in topics}
        links = {draft.unit: _of_places(draft, found.links) for draft in topics}
        self._data = Data(
            filter=self._filter,
            keys=found.keys,
            scopes={unit: numbers for unit, numbers in scopes.items() if numbers},
            every_scope=tuple(found.roots),
            roots={draft.unit: draft.id for draft in topics},
            parts=parts | {name: held for name, held in copies.parts_of(topics).items() if name not in self._files},
            aliases={name: file for name, file in found.aliases.items() if name not in self._files},
            copies={draft.unit: (draft.source, draft.copy) for draft in topics if draft.source and draft.copy},
            definitions=frozenset(places),
            links={unit: those for unit, those in links.items() if those},
            pushes=self._data.pushes,
        )
        self._standing = {draft.unit: _standing(draft, found) for draft in topics}
        self._round += 1
        self._reuse = {}

    def _push(self, topics: list[Draft]) -> tuple[frozenset[str], list[Finding]]:
        """Notes what is pushed where. The files for which that changed; what is wrong with it."""
        self._files.begin()
        pushes: dict[Ref, list[Push]] = {}
        findings: list[Finding] = []
        for draft in [draft for draft in topics if draft.pushed]:
            keys = KeySpace(self._data, scopes_of(self._data, draft.unit))
            for number, action, ref, key, line in draft.pushed:
                stand_in = etree.Element("p")
                target = (keys.target(key, stand_in, draft.unit.file) if key else None) or ref
                if target is None or self._pushed_to(target) is None:
                    text = f"{action} to {key or (said(target) if target else '')!r}{why_not(self._files, target)}"
                    findings.append(codes.PUSH_TARGET.at(draft.unit.file, line, text))
                else:
                    pushes.setdefault(self._whole_ref(target), []).append(Push(action, draft.unit.file, number))
        before, now = self._data.pushes, {ref: tuple(found) for ref, found in pushes.items()}
        if list(before) != list(now) or before != now:
            self._data = replace(self._data, pushes=now)
            return frozenset(ref.file for ref in (*before, *now)), findings
        return frozenset(), findings

    def _pushed_to(self, ref: Ref) -> etree._Element | None:
        root, _ = parsed(self._files, ref.file) if not ref.url else (None, ())
        return find(root, ref.topic, ref.element) if root is not None and ref.element else None

    def _whole_ref(self, ref: Ref) -> Ref:
        unit = self._data.unit(ref)
        return ref if ref.topic or unit is None else ref._replace(topic=self._data.roots[unit])

    # --- what is published

    def _entries(self, topics: list[Draft], changed: frozenset[str]) -> tuple[list[tuple[Draft, _Made]], list[Finding]]:
        """Every topic that is published, in the order of its place, with what it was made of; what is wrong with the others."""
        made, findings = list[tuple[Draft, _Made]](), list[Finding]()
        reused = {file for draft in topics for file in self._reused(draft)}
        sources = {draft.unit.file: draft for draft in topics}
        self._drafts = {draft.unit: draft for draft in topics}
        data = self._noted()
        for draft in sorted(topics, key=lambda one: one.unit):
            standing = self._standing[draft.unit]
            if not standing and draft.unit.file in reused:
                text = f"<{draft.id}> is reused by other topics and no map mentions it"
                findings.append(codes.REUSE_ONLY.at(draft.unit.file, draft.line, text))
            elif standing != "mentioned":
                held = self._made.get(draft.unit)
                if held is None or not self._holds(held, draft, changed):
                    held = self._entry(draft, data)
                    self._use(held, draft, data, sources)
                elif not self._holds_uses(held, changed):
                    self._use(held, draft, data, sources)
                held.round = self._round
                made.append((draft, held))
        return made, findings

    def _holds(self, made: _Made, draft: Draft, changed: frozenset[str]) -> bool:
        """Whether a topic's entry would come out as it did, but for what it uses."""
        if not made.notes.hold(self._files.files, changed):
            return False
        return made.round == self._round or (made.around == self._around(draft) and made.notes.answered(self._answer))

    def _holds_uses(self, made: _Made, changed: frozenset[str]) -> bool:
        if not made.used.hold(self._files.files, changed):
            return False
        return made.round == self._round or made.used.answered(self._answer)

    def _around(self, draft: Draft) -> tuple[object, ...]:
        """What maps say of a topic, as far as its entry depends on it."""
        assert self._found is not None
        found, places = self._found, draft.places
        tables = (found.facts, found.formats, found.filters)
        said = tuple(tuple(value for place in places for value in table.get(place, ())) for table in tables)
        return (scopes_of(self._data, draft.unit), draft.copy, _of_places(draft, found.uses), *said)

    def _answer(self, table: str, question: Hashable) -> Any:
        if table == "keys":
            return self._data.keys.find(*question)  # type: ignore[misc]
        if table == "definitions":
            return question in self._data.definitions
        if table == "reused":
            return self._reused(self._drafts[question]) if question in self._drafts else ()
        return answer(getattr(self._data, table), question)

    def _noted(self) -> Data:
        """The tables as those who work on one topic see them: what they look up is noted."""
        data, files = self._data, self._files
        return replace(
            data,
            branches={},
            findings={},
            keys=_NotedKeys(data.keys.scopes, files),
            roots=NotedTable("roots", data.roots, files),
            parts=NotedTable("parts", data.parts, files),
            aliases=NotedTable("aliases", data.aliases, files),
            definitions=_NotedPlaces(data.definitions, files),
        )

    def _entry(self, draft: Draft, tables: Data) -> _Made:
        assert self._found is not None
        made = _Made(self._files.begin(), self._around(draft), self._round)
        root, _ = parsed(self._files, draft.unit.file)
        topic = topic_element(root, draft.source or draft.unit) if root is not None else None
        if topic is None:
            return made
        findings = self._branch(draft, topic, tables)
        made.branch = tables.branches.get(draft.unit)
        data = tables.within(draft.unit)
        if data.filter.excludes(topic):
            return made
        found = self._found
        facts = _together(fact for place in draft.places for fact in found.facts.get(place, ()))
        facts = replace(facts, formats=_any_format(one for place in draft.places for one in found.formats.get(place, ())))
        described = describe(topic, draft, self._files, data, scopes_of(data, draft.unit), facts)
        made.findings = (*findings, *described.findings)
        made.entry = Entry(draft.unit, described.metadata, described.public)
        return made

    def _use(self, made: _Made, draft: Draft, data: Data, sources: dict[str, Draft]) -> None:
        """Notes in the entry of a topic which files it uses."""
        notes = self._files.begin()
        uses = self._uses(draft, data, sources) if made.entry is not None else ()
        if made.entry is not None and made.entry.uses != uses:
            made.entry = replace(made.entry, uses=uses)
        made.used = notes if notes.read or notes.there or notes.asked else NOTHING

    def _branch(self, draft: Draft, topic: etree._Element, data: Data) -> list[Finding]:
        """Notes the filter of the branch that a topic stands in; an error where branches would make different texts of it."""
        assert self._found is not None
        stated = dict.fromkeys(names for place in draft.places for names in self._found.filters.get(place, ()))
        if not any(stated):
            return []
        known = self._filter.broader
        filters = [_whole((branch_filter(self._files, name) for name in names), known) for names in stated]
        resolver = Resolver(self._files, data, KeySpace(data, scopes_of(data, draft.unit)))
        elements = list(resolver.copied(topic, draft.unit.file).iter("*"))
        left_out = {tuple(one is None or one.excludes(element) for element in elements) for one in filters}
        if None in filters or len(left_out) > 1:
            said = "; ".join(", ".join(names) or "no filter" for names in stated)
            return [codes.BRANCH_FILTER.at(draft.unit.file, draft.line, f"the branches of this topic have the filters {said}")]
        data.branches[draft.unit] = filters[0] or Filter()
        return []

    def _reused(self, draft: Draft) -> tuple[str, ...]:
        """The files that a topic takes text from."""
        if not draft.reuse_keys:
            return draft.files
        held = self._reuse.get(draft.unit)
        if held is None or held[0] is not draft:
            keys = KeySpace(self._data, scopes_of(self._data, draft.unit))
            stand_in = etree.Element("p")
            refs = [keys.target(name, stand_in, draft.unit.file) for name in draft.reuse_keys]
            files = [ref.file for ref in refs if ref is not None and ref.file and ref.file != draft.unit.file]
            held = self._reuse[draft.unit] = draft, (*draft.files, *files)
        return held[1]

    def _uses(self, draft: Draft, data: Data, sources: dict[str, Draft]) -> tuple[str, ...]:
        """Every file that a topic's text depends on: reused ones (and what they use), images, maps that define its keys."""
        assert self._found is not None
        found, notes = self._found, self._files.notes
        uses: dict[str, None] = dict.fromkeys((*draft.images, *((draft.copy.file,) if draft.copy else ())))
        uses.update(dict.fromkeys(file for place in draft.places for file in found.uses.get(place, ())))
        uses.update(dict.fromkeys(file for place in draft.places for names in found.filters.get(place, ()) for file in names))
        queue, seen = [draft], {draft.unit.file}
        while queue:
            one = queue.pop()
            for name in (*one.keys, *one.reuse_keys):
                for scope in scopes_of(data, draft.unit):
                    key = data.keys.find(name, scope)
                    uses.update({key.file: None} if key else {})
                    if key and key.ref and (key.ref.file, key.ref.topic) in data.definitions:
                        uses[key.ref.file] = None
            uses.update(dict.fromkeys(one.images))
            pushed = [push.file for ref, pushes in data.pushes.items() if ref.file == one.unit.file for push in pushes]
            taken = self._reused(one)
            if one.reuse_keys:
                notes.asked["reused", one.unit] = taken
            for file in (*taken, *pushed):
                uses[file] = None
                notes.read.add(file)  # what it takes in itself counts too
                if file in sources and file not in seen:
                    seen.add(file)
                    queue.append(sources[file])
        return tuple(sorted(file for file in uses if file != draft.unit.file))


def scopes_of(data: Data, unit: Unit) -> tuple[int, ...]:
    """The key scopes of a unit; a topic that no map mentions sees the keys of every root map."""
    return data.scopes.get(unit) or data.every_scope


def topic_element(root: etree._Element, unit: Unit) -> etree._Element | None:
    """The element of a topic in its file."""
    return next((element for one, element in units(root, unit.file) if one == unit), None)


def _of_places(draft: Draft, table: Mapping[Place, Iterable[T]]) -> tuple[T, ...]:
    """What a table says of a topic, by whatever place, each once."""
    return tuple(dict.fromkeys(value for place in draft.places for value in table.get(place, ())))


def _standing(draft: Draft, found: Publication) -> str:
    if any(place in found.reached for place in draft.places):
        return "reached"
    return "mentioned" if any(place in found.mentioned for place in draft.places) else ""


def _maps(parts: Mapping[str, _Part]) -> dict[str, MapFile]:
    return {name: part.map for name, part in parts.items() if part.map is not None}


def _same_shape(before: Mapping[str, _Part], now: Mapping[str, _Part]) -> bool:
    """Whether the places of all topics are as they were."""
    pairs = zip(before.values(), now.values(), strict=False)
    return list(before) == list(now) and all(one is other or one.shape == other.shape for one, other in pairs)


def _whole(filters: Iterable[Filter | None], known: Mapping[tuple[str, str], str]) -> Filter | None:
    """Filters inside one another, as one; None where one of them can not be read. `known`: broader values."""
    whole: Filter | None = Filter(broader=known)
    for one in filters:
        whole = whole.and_also(one) if whole is not None and one is not None else None
    return whole


def _any_format(stated: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The formats that any of a topic's references is for; () = one of them is for all, or there is none."""
    found = list(stated)
    return tuple(dict.fromkeys(name for one in found for name in one)) if all(found) else ()


def _together(facts: Iterable[Facts]) -> Facts:
    """What all branches that hold a topic say of it."""
    whole = Facts()
    for one in facts:
        whole = one.within(whole)
    return whole
