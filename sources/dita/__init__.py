"""DITA 1.3: maps and topics (concept, task, reference, glossary, troubleshooting, and what is specialised from them).

In: files whose root is a DITA topic, `<dita>` or map, with or without a DOCTYPE (no DTD is ever loaded). Out:
canonical topics. Specification: OASIS DITA 1.3, all-inclusive edition. docs/dita.md tells editors which mark-up means
what.

Identity. A topic's id is `data name="topic-id"` (or `resourceid`) in its prolog: meant for the world. Else its `@id`,
which is local: unique in its file alone. One topic per file; nested topics become sections; each child of `<dita>` is
a topic.

Published is what a root map reaches (a map that no other map takes in) and what no map mentions; not what maps
mention only as `resource-only`, nor what is reached by conref alone. What conditions leave out of a map counts as
mentioned.

Collections. A topic's collections are those of the map branches that hold it: `data name="collection"` or `category`
in the topicmeta of its reference, of any reference, group or heading around it, or of a map on the way to it; of all
branches together. A topic of which no map says any has those of its own prolog. Audience, territory and credit lines
of branches are added to the topic's own; author, copyright, owner, setting and version of a branch stand in where the
topic says none.

Conditions. A DITAVAL applies to maps and topics. What it decides nothing on stays in the text, marked: `deliveryTarget`
as `data-only` (html, print, epub, text, json, handout; pdf counts as print; html5, xhtml, web, online as html; epub3 as
epub; txt as text), `audience` as `data-audience`. A `ditavalref` filters the topics of its branch; a topic of which its
branches would make different texts is held back, for one topic is one text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from lxml import etree

from pipeline.contracts import Conditions, Entry, Files, Head, Index, Read, Unit
from pipeline.findings import Finding, has_errors
from pipeline.topic import Topic
from sources.dita import codes, conditions, names
from sources.dita.body import HANDLERS, body
from sources.dita.conditions import Filter
from sources.dita.documents import find, parsed
from sources.dita.keys import KeySpace
from sources.dita.maps import MapFile, map_file
from sources.dita.metadata import Facts
from sources.dita.model import Data, Push
from sources.dita.names import is_a
from sources.dita.places import Ref
from sources.dita.publication import Place, Publication, TooMuch, branch_filter, publication
from sources.dita.reuse import Resolver, said
from sources.dita.topics import Draft, describe, drafts, units
from sources.dita.writer import Writer

_BASES: Final = frozenset({"topic", "map"})


def claims(head: Head) -> bool:
    """Whether a file is DITA: by `@class`, by its public identifier, or by the name of its root."""
    if head.namespace or head.root == "val":  # a DITAVAL
        return False
    stated = head.attributes.get("class", "")
    if " topic/topic " in f" {stated} " or " map/map " in f" {stated} ":
        return True
    if "DITA" in head.public_id:
        return True
    if "schema" in head.attributes:
        return False  # a printed canonical topic
    return head.root == "dita" or names.ancestry(head.root)[-1] in _BASES


def index(files: Files, names: Sequence[str], conditions: Conditions) -> Index:
    """All topics that are published, and what `read` must know of maps, keys and reuse."""
    return _Indexer(files, conditions).index(names)


def read(entry: Entry, index: Index, files: Files) -> Read:
    """One topic. An error finding says why there is none, or why it must be held back."""
    data: Data = index.data.within(entry.unit)
    root, findings = parsed(files, entry.unit.file)
    topic = _topic_element(root, entry.unit) if root is not None else None
    if topic is None:
        gone = codes.GONE.at(entry.unit.file, entry.metadata.line, f"there is no topic {entry.metadata.id!r} any more")
        return Read(None, findings or (gone,))
    resolver = Resolver(files, data, KeySpace(data, _scopes(data, entry.unit)))
    writer = Writer(resolver, data, index.ids, entry.unit, entry.metadata.language, HANDLERS)
    copied = resolver.copied(topic, entry.unit.file)
    made = body(writer, copied, data.links.get(entry.unit, ()))
    metadata = replace(entry.metadata, id=index.ids.get(entry.unit, entry.metadata.id))
    all_findings = dict.fromkeys((*findings, *data.findings.get(entry.unit, ()), *writer.all_findings()))
    return Read(Topic(metadata, made), tuple(all_findings))


def _topic_element(root: etree._Element, unit: Unit) -> etree._Element | None:
    return next((element for one, element in units(root, unit.file) if one == unit), None)


def _scopes(data: Data, unit: Unit) -> tuple[int, ...]:
    """The key scopes of a unit; a topic that no map mentions sees the keys of every root map."""
    return data.scopes.get(unit) or data.every_scope


class _Indexer:
    def __init__(self, files: Files, stated: Conditions) -> None:
        self._files, self._roots = files, stated.maps
        decisions, findings = conditions.read(stated)
        self._data = Data(filter=decisions)
        self._findings: list[Finding] = list(findings)

    def index(self, claimed: Sequence[str]) -> Index:
        if has_errors(self._findings):  # what must be left out is not known: nothing may go out
            return Index((), tuple(self._findings), self._data)
        maps, topics = self._parse(claimed)
        try:
            found = publication(maps, self._files, self._roots)
        except TooMuch as problem:  # what maps leave out is not known either
            return Index((), (*self._findings, problem.finding), self._data)
        self._findings += found.findings
        self._data.keys, self._data.every_scope, self._data.aliases = found.keys, tuple(found.roots), found.aliases
        self._place(topics, found)
        self._push(topics)
        entries = self._entries(topics, found)
        return Index(tuple(entries), tuple(dict.fromkeys(self._findings)), self._data)

    # --- files

    def _parse(self, claimed: Sequence[str]) -> tuple[dict[str, MapFile], list[Draft]]:
        """The maps and the topics that the files hold."""
        maps: dict[str, MapFile] = {}
        topics: list[Draft] = []
        for name in claimed:
            root, findings = parsed(self._files, name)
            self._findings += findings
            if root is not None and is_a(root, "map"):
                maps[name] = map_file(root, name, self._files, self._data.filter, self._findings)
            elif root is not None:
                made = list(drafts(root, name))
                topics += made
                if not made:
                    text = f"the root <{root.tag!s}> is no topic, no map and holds no topic"
                    self._findings.append(codes.NO_TOPIC.at(name, root.sourceline, text))
        return maps, topics

    # --- where topics stand

    def _place(self, topics: list[Draft], found: Publication) -> None:
        data = self._data
        parts: dict[str, dict[str, str]] = {}
        definitions: set[tuple[str, str]] = set()
        for draft in topics:
            data.roots[draft.unit] = draft.id
            definitions.update((draft.unit.file, name) for name in draft.definitions)
            if draft.unit.part:
                parts.setdefault(draft.unit.file, {}).update(dict.fromkeys(draft.topics, draft.unit.part))
            if draft.definitions and draft.definitions[0] == draft.id:
                definitions.add((draft.unit.file, ""))
        data.parts.update(parts)
        data.definitions = frozenset(definitions)
        for draft in topics:
            scopes = [scope for place in _places(draft) for scope in found.scopes.get(place, ())]
            if scopes:
                data.scopes[draft.unit] = tuple(dict.fromkeys(scopes))
            links = [link for place in _places(draft) for link in found.links.get(place, ())]
            if links:
                data.links[draft.unit] = tuple(dict.fromkeys(links))

    def _push(self, topics: list[Draft]) -> None:
        pushes: dict[Ref, list[Push]] = {}
        for draft in topics:
            keys = KeySpace(self._data, _scopes(self._data, draft.unit))
            for number, action, ref, key, line in draft.pushed:
                stand_in = etree.Element("p")
                target = (keys.target(key, stand_in, draft.unit.file) if key else None) or ref
                if target is None or self._pushed_to(target) is None:
                    text = f"{action} to {key or (said(target) if target else '')!r}, where nothing is"
                    self._findings.append(codes.PUSH_TARGET.at(draft.unit.file, line, text))
                else:
                    pushes.setdefault(self._whole(target), []).append(Push(action, draft.unit.file, number))
        self._data.pushes = {ref: tuple(found) for ref, found in pushes.items()}

    def _pushed_to(self, ref: Ref) -> etree._Element | None:
        root, _ = parsed(self._files, ref.file) if not ref.url else (None, ())
        return find(root, ref.topic, ref.element) if root is not None and ref.element else None

    def _whole(self, ref: Ref) -> Ref:
        unit = self._data.unit(ref)
        return ref if ref.topic or unit is None else ref._replace(topic=self._data.roots[unit])

    # --- what is published

    def _entries(self, topics: list[Draft], found: Publication) -> Iterator[Entry]:
        reused = {file for draft in topics for file in self._reused(draft)}
        sources = {draft.unit.file: draft for draft in topics}
        for draft in sorted(topics, key=lambda one: one.unit):
            reached = any(place in found.reached for place in _places(draft))
            if not reached and any(place in found.mentioned for place in _places(draft)):
                continue
            if not reached and draft.unit.file in reused:
                text = f"<{draft.id}> is reused by other topics and no map mentions it"
                self._findings.append(codes.REUSE_ONLY.at(draft.unit.file, draft.line, text))
                continue
            entry = self._entry(draft, found, sources)
            if entry is not None:
                yield entry

    def _entry(self, draft: Draft, found: Publication, sources: dict[str, Draft]) -> Entry | None:
        root, _ = parsed(self._files, draft.unit.file)
        topic = _topic_element(root, draft.unit) if root is not None else None
        if topic is None:
            return None
        findings = self._branch(draft, topic, found)
        data = self._data.within(draft.unit)
        if data.filter.excludes(topic):
            return None
        facts = _together(fact for place in _places(draft) for fact in found.facts.get(place, ()))
        made = describe(topic, draft, self._files, data, _scopes(data, draft.unit), facts)
        if findings or made.findings:
            self._data.findings[draft.unit] = (*findings, *made.findings)
        return Entry(draft.unit, made.metadata, made.public, self._uses(draft, found, sources))

    def _branch(self, draft: Draft, topic: etree._Element, found: Publication) -> list[Finding]:
        """Notes the filter of the branch that a topic stands in; an error where branches would make different texts of it."""
        stated = dict.fromkeys(names for place in _places(draft) for names in found.filters.get(place, ()))
        if not any(stated):
            return []
        filters = [_whole(branch_filter(self._files, name) for name in names) for names in stated]
        resolver = Resolver(self._files, self._data, KeySpace(self._data, _scopes(self._data, draft.unit)))
        elements = list(resolver.copied(topic, draft.unit.file).iter("*"))
        left_out = {tuple(one is None or one.excludes(element) for element in elements) for one in filters}
        if None in filters or len(left_out) > 1:
            said = "; ".join(", ".join(names) or "no filter" for names in stated)
            return [codes.BRANCH_FILTER.at(draft.unit.file, draft.line, f"the branches of this topic have the filters {said}")]
        self._data.branches[draft.unit] = filters[0] or Filter()
        return []

    def _reused(self, draft: Draft) -> Iterator[str]:
        yield from draft.files
        keys = KeySpace(self._data, _scopes(self._data, draft.unit))
        stand_in = etree.Element("p")
        for name in draft.reuse_keys:
            ref = keys.target(name, stand_in, draft.unit.file)
            if ref is not None and ref.file and ref.file != draft.unit.file:
                yield ref.file

    def _uses(self, draft: Draft, found: Publication, sources: dict[str, Draft]) -> tuple[str, ...]:
        """Every file that a topic's text depends on: reused ones (and what they use), images, maps that define its keys."""
        uses: dict[str, None] = dict.fromkeys(draft.images)
        uses.update(dict.fromkeys(file for place in _places(draft) for file in found.uses.get(place, ())))
        uses.update(dict.fromkeys(file for place in _places(draft) for names in found.filters.get(place, ()) for file in names))
        queue, seen = [draft], {draft.unit.file}
        keys = self._data.keys
        while queue:
            one = queue.pop()
            for name in (*one.keys, *one.reuse_keys):
                for scope in _scopes(self._data, draft.unit):
                    key = keys.find(name, scope)
                    uses.update({key.file: None} if key else {})
                    if key and key.ref and (key.ref.file, key.ref.topic) in self._data.definitions:
                        uses[key.ref.file] = None
            uses.update(dict.fromkeys(one.images))
            pushed = [push.file for ref, pushes in self._data.pushes.items() if ref.file == one.unit.file for push in pushes]
            for file in (*self._reused(one), *pushed):
                uses[file] = None
                if file in sources and file not in seen:
                    seen.add(file)
                    queue.append(sources[file])
        return tuple(sorted(file for file in uses if file != draft.unit.file))


def _places(draft: Draft) -> list[Place]:
    """Every way in which a map may name a topic: by its file, or by any topic in it."""
    return [(draft.unit.file, ""), *((draft.unit.file, name) for name in draft.topics if name)]


def _whole(filters: Iterable[Filter | None]) -> Filter | None:
    """Filters inside one another, as one; None where one of them can not be read."""
    whole: Filter | None = Filter()
    for one in filters:
        whole = whole.and_also(one) if whole is not None and one is not None else None
    return whole


def _together(facts: Iterable[Facts]) -> Facts:
    """What all branches that hold a topic say of it."""
    whole = Facts()
    for one in facts:
        whole = one.within(whole)
    return whole
