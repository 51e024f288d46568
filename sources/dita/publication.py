"""All maps together: which topics they reach, with which keys, facts and links.

In: the maps by file. Out: `Publication`. Specification: DITA 1.3, key scopes, key precedence (breadth first, the first definition
counts), relationship tables, collection types. A root map is one that no other map takes in. What the conditions leave out of a
map is not reached, yet mentioned: it must not come back as a topic that no map knows.
"""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline.contracts import Conditions, Files
from pipeline.findings import Finding, has_errors
from sources.dita import codes
from sources.dita.conditions import Filter, read
from sources.dita.documents import alike
from sources.dita.maps import NO_TOPICS, MapFile, Node, branch, is_map
from sources.dita.metadata import Facts
from sources.dita.model import Copy, Key, Keys, Link, Renaming, Scope
from sources.dita.places import Ref
from sources.dita.schemes import broader

_DITA: Final = frozenset({"dita", ""})
_NO_DITA: Final = frozenset(
    {".pdf", ".html", ".htm", ".md", ".txt", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".zip", ".docx", ".mp4"}
)
MAX_DEPTH: Final = 200  # levels of maps and of references in them
MAX_STEPS: Final = 200_000  # references, each counted as often as its map is taken in; keys and topics count apart

Place = tuple[str, str]  # a file, and the id of a topic in it ("" = the file's topic, or all of them)


@dataclass(slots=True)
class Publication:
    """What all maps say: by place, its key scopes and facts; what is reached, what is mentioned; links."""

    keys: Keys = field(default_factory=Keys)
    roots: list[int] = field(default_factory=list)
    reached: dict[Place, tuple[str, int]] = field(default_factory=dict)  # by the first reference: map file and line
    mentioned: dict[Place, None] = field(default_factory=dict)
    scopes: dict[Place, dict[int, None]] = field(default_factory=dict)
    facts: dict[Place, list[Facts]] = field(default_factory=dict)
    formats: dict[Place, list[tuple[str, ...]]] = field(default_factory=dict)  # of each reference that is no mere relation
    filters: dict[Place, list[tuple[str, ...]]] = field(default_factory=dict)
    links: dict[Place, list[Link]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    copies: dict[Place, Copy] = field(default_factory=dict)
    uses: dict[Place, dict[str, None]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Step:
    """A node on the way down from a root map, where it stands."""

    node: Node
    file: str
    scope: int
    facts: Facts
    role: str = ""
    excluded: bool = False
    way: tuple[str, ...] = ()
    filters: tuple[Renaming, ...] = ()
    depth: int = 0
    related: bool = False  # in a relationship table

    def to(self, node: Node, scope: int | None = None) -> _Step:
        """One step down, to a node inside this one."""
        scope = self.scope if scope is None else scope  # spelt out: `replace` takes ten times as long, and there are many steps
        depth, related = self.depth + 1, self.related
        return _Step(node, self.file, scope, self.facts, self.role, self.excluded, self.way, self.filters, depth, related)

    def into(self, inner: MapFile, scope: int) -> _Step:
        """One step down, into another map."""
        way, depth, related = (*self.way, inner.file), self.depth + 1, self.related
        return _Step(inner.root, inner.file, scope, self.facts, self.role, self.excluded, way, self.filters, depth, related)


class TooMuch(Exception):
    """Maps that can not be walked to their end."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def roots_of(maps: Mapping[str, MapFile]) -> list[str]:
    """The maps that no other takes in; of maps that take each other in, the first by name."""
    taken = {file: set(_taken(maps[file].root)) & maps.keys() - {file} for file in maps}
    roots = [file for file in sorted(maps) if not any(file in others for others in taken.values())]
    reached: set[str] = set()
    for file in [*roots, *sorted(maps)]:
        if file in reached:
            continue
        if file not in roots:
            roots.append(file)
        queue = [file]
        while queue:
            one = queue.pop()
            if one not in reached:
                reached.add(one)
                queue += taken[one]
    return roots


def _taken(node: Node) -> Iterator[str]:
    if node.ref and is_map(node):
        yield node.ref.file
    for one in node.children:
        yield from _taken(one)


class Walker:
    """Walks one root map, after `steps` of others. `found`: what it says, its key scopes counted from 0; `seen`: every map that
    was looked for, None where there is none."""

    def __init__(self, maps: Mapping[str, MapFile], files: Files, steps: int) -> None:
        self._maps, self._files, self.steps = maps, files, steps
        self._broader = broader(one.scheme for one in maps.values() if one.scheme)
        self._scopes: dict[tuple[tuple[str, ...], int], int] = {}  # of every node, by way of maps and node
        self.seen: dict[str, MapFile | None] = {}
        self.found = Publication()

    def _map(self, file: str) -> MapFile | None:
        found = self.seen[file] = self._maps.get(file)
        return found

    def root(self, file: str) -> None:
        """Walks one root map: first all its keys (they hold everywhere), then its references."""
        if file not in self._maps:
            text = (
                f"the root map {file!r} is not among the maps of the inputs: {', '.join(sorted(self._maps)) or 'there are none'}"
            )
            self.found.findings.append(codes.MAP_TARGET.at(file, 0, text))
            return
        scope = self._new_scope(None, ())
        self.found.roots.append(scope)
        self._from(_Step(self._maps[file].root, file, scope, Facts(), way=(file,)))

    def mention(self, file: str) -> None:
        """Notes what a map that is not to be published mentions: it must not come back as what no map knows."""
        self._from(_Step(self._maps[file].root, file, self._new_scope(None, ()), Facts(), excluded=True, way=(file,)))

    def _from(self, start: _Step) -> None:
        self._map(start.file)
        self._collect_keys(start)
        self._walk(start)

    def _count(self, step: _Step) -> None:
        """Raises TooMuch where maps stand too deep in maps, or too often: of 20 that each take in the next twice, a million."""
        self.steps += 1
        if step.depth > MAX_DEPTH or self.steps > MAX_STEPS:
            found = f"more than {MAX_DEPTH} levels" if step.depth > MAX_DEPTH else f"more than {MAX_STEPS} references"
            raise TooMuch(codes.MAP_LIMIT.at(step.file, step.node.line, f"the maps from {step.way[0]} on have {found}"))

    # --- keys: breadth first, the first definition counts

    def _new_scope(self, parent: int | None, named: tuple[str, ...]) -> int:
        number = len(self.found.keys.scopes)
        self.found.keys.scopes.append(Scope(parent))
        if parent is not None:
            for name in named:
                self.found.keys.scopes[parent].children.setdefault(name, number)
        return number

    def _collect_keys(self, start: _Step) -> None:
        queue = deque([start])
        while queue:
            self._keys_of(queue.popleft(), queue)

    def _keys_of(self, step: _Step, queue: deque[_Step]) -> None:
        node, scope = step.node, step.scope
        self._count(step)
        if node.excluded:
            return
        if node.keyscope:
            scope = self._new_scope(scope, node.keyscope)
        self._scopes[step.way, id(node)] = scope
        for name in node.keys:
            self.found.keys.scopes[scope].keys.setdefault(name, _key(node, step.file))
        for one in node.children:
            self._keys_of(step.to(one, scope), queue)
        inner = self._submap(node)
        if inner and inner.file not in step.way:
            queue.append(step.into(inner, scope))

    def _submap(self, node: Node) -> MapFile | None:
        return self._map(node.ref.file) if node.ref and is_map(node) else None

    # --- references

    def _walk(self, step: _Step) -> None:
        node = step.node
        self._count(step)
        scope = self._scopes.get((step.way, id(node)), step.scope)
        facts, role = node.facts.within(step.facts), node.role or step.role
        for one in node.filters or (None,):
            self._branch(node, step, scope, facts, role, (*step.filters, one) if one else step.filters)

    def _branch(self, node: Node, step: _Step, scope: int, facts: Facts, role: str, filters: tuple[Renaming, ...]) -> None:
        """A node and all in it, under one of its filters."""
        here = _Step(node, step.file, scope, facts, role, step.excluded, step.way, filters, step.depth, step.related)
        here.excluded = step.excluded or node.excluded or (bool(filters) and self._filtered(here))
        if node.kind == "reltable":
            self._reltable(here)
        elif node.kind not in NO_TOPICS:
            if node.kind != "map":
                self._take(here)
            if node.collection_type in ("sequence", "family") and not here.excluded:
                self._siblings(here)
            for one in node.children:
                self._walk(here.to(one))

    def _filtered(self, step: _Step) -> bool:
        """Whether a DITAVAL of the branch leaves the node out."""
        known = [found for one in step.filters if (found := branch_filter(self._files, one.file)) is not None]
        return any(replace(found, broader=self._broader).excludes_values(step.node.conditions) for found in known)

    def _take(self, step: _Step) -> None:
        """One reference: a topic is reached or mentioned, a map walked."""
        node, ref = step.node, self._ref(step)
        if ref is None and self._undefined(step):
            text = f"key {node.keyref!r} is not defined"
            self.found.findings.append(codes.MAP_TARGET.at(step.file, node.line, text))
        if ref is None or ref.url or node.scope in ("peer", "external"):
            if ref is not None and not step.excluded and step.role != "resource-only" and ref.url.startswith("file:"):
                text = f"{node.href!r} is a path of one machine; expected one that is relative to the map"
                self.found.findings.append(codes.MAP_TARGET.at(step.file, node.line, text))
            return
        if ref.file == step.file and (ref.topic or node.href.startswith("#")):
            return  # a part of this very map, or a place that is still to be filled in
        inner = self._map(ref.file)
        if inner and (is_map(node) or node.keyref or not node.format):
            self._submap_walk(inner, step, ref.topic)
        elif ref.file not in self._files and self._format(step) in (*_DITA, "ditamap"):
            self._missing(step, ref)
        elif self._format(step) in _DITA:
            self._topic(step, ref)
        elif step.role != "resource-only" and not step.excluded:
            text = f"{node.href or node.keyref!r} has the format {self._format(step)!r}"
            self.found.findings.append(codes.MAP_FORMAT.at(step.file, node.line, text))

    def _submap_walk(self, inner: MapFile, step: _Step, name: str) -> None:
        """A map inside another one: all of it, or the one branch that the reference names. What it leaves is mentioned."""
        if inner.file in step.way:
            text = " -> ".join((*step.way, inner.file))
            self.found.findings.append(codes.MAP_CYCLE.at(step.file, step.node.line, text))
        elif inner.scheme is None:
            start, part = step.into(inner, step.scope), branch(inner.root, name) if name else inner.root
            if part is not inner.root:
                self._walk(replace(start, excluded=True))
                start = replace(start, facts=inner.root.facts.within(start.facts))
            if part is not None:
                self._walk(start if part is inner.root else start.to(part))
            else:
                text = f"{step.node.href!r} leads to {inner.file}#{name}; the map is there, that branch of it is not"
                self.found.findings.append(codes.MAP_TARGET.at(step.file, step.node.line, text))

    def _undefined(self, step: _Step) -> bool:
        return bool(step.node.keyref) and self._key(step) is None and step.role != "resource-only" and not step.excluded

    def _missing(self, step: _Step, ref: Ref) -> None:
        if step.role == "resource-only" or step.excluded:
            return  # whoever uses it, says so
        near = alike(self._files, ref.file)
        text = f"{step.node.href or step.node.keyref!r} leads to {ref.file}, which is not in the inputs"
        text += f"; there is {near!r}" if near else ""
        self.found.findings.append(codes.MAP_TARGET.at(step.file, step.node.line, text))

    def _topic(self, step: _Step, ref: Ref) -> None:
        self.found.mentioned[ref.file, ref.topic] = None
        if step.excluded:
            return
        copy = self._copy(step, ref)
        place = copy.place(ref.topic) if copy else (ref.file, ref.topic)
        if copy:
            self.found.aliases.setdefault(copy.to, ref.file)
            self.found.copies.setdefault(place, copy)
        self.found.scopes.setdefault(place, {})[step.scope] = None
        if step.role != "resource-only":
            self.found.reached.setdefault(place, (step.file, step.node.line))
            self.found.facts.setdefault(place, []).append(step.facts)
            if not step.related:
                self.found.formats.setdefault(place, []).append(step.facts.formats)
            self.found.filters.setdefault(place, []).append(tuple(one.file for one in step.filters))

    def _key(self, step: _Step) -> Key | None:
        """The definition behind a reference's keyref."""
        name, seen = step.node.keyref.partition("/")[0], set[str]()
        key = self.found.keys.find(name, step.scope) if name else None
        while key and key.ref is None and key.keyref and key.keyref not in seen:
            seen.add(key.keyref)
            key = self.found.keys.find(key.keyref.partition("/")[0], step.scope)
        return key

    def _ref(self, step: _Step) -> Ref | None:
        key = self._key(step)
        if key and key.ref and key.copy:
            return key.ref._replace(file=key.copy.source)
        return key.ref if key and key.ref else step.node.ref

    def _copy(self, step: _Step, ref: Ref) -> Copy | None:
        """The copy that a reference makes of a file, or names by the key of one that does."""
        made = step.node.copy.of(ref.file, step.filters)
        key = self._key(step) if made is None else None
        return key.copy if key else made

    def _format(self, step: _Step) -> str:
        key = self._key(step)
        stated = (step.node.format or (key.format if key else "")).lower()
        ref = None if stated else self._ref(step)
        extension = posixpath.splitext(ref.file)[1].lower() if ref else ""
        return stated or (extension[1:] if extension in _NO_DITA else "")

    # --- links

    def _siblings(self, step: _Step) -> None:
        """collection-type: of a family each member leads to all others, in a sequence to the one before and the one after."""
        members = [link for one in step.node.children if (link := self._link(one, step))]
        for number, (place, _) in enumerate(members):
            if step.node.collection_type == "family":
                others = members[:number] + members[number + 1 :]
            else:
                others = members[max(number - 1, 0) : number] + members[number + 1 : number + 2]
            if place:
                self._add_links(place, [link for _, link in others], step)

    def _link(self, node: Node, step: _Step) -> tuple[Place | None, Link] | None:
        """A node as a link: the place of its topic (None where it is outside) and the link to it."""
        if node.excluded or node.linking == "none" or node.kind in NO_TOPICS:
            return None
        here = step.to(node)
        ref, key = self._ref(here), self._key(here)
        if ref is None or is_map(node):
            return None
        text = node.linktext or (key.linktext if key else "")
        if not text and (ref.url or node.scope == "peer"):
            text = node.navtitle or (key.navtitle or key.keyword if key else "")
        place = None if ref.url or node.scope in ("peer", "external") else (ref.file, ref.topic)
        copy = self._copy(here, ref) if place else None
        if copy:
            place, ref = copy.place(ref.topic), ref._replace(file=copy.to)
        return place, Link(ref, text, self._format(here), step.file, node.line)

    def _add_links(self, place: Place, links: list[Link], step: _Step) -> None:
        held = self.found.links.setdefault(place, [])
        held += [link for link in links if link not in held and (link.ref.file, link.ref.topic) != place]
        self.found.uses.setdefault(place, {})[step.file] = None

    def _reltable(self, step: _Step) -> None:
        columns = [one.linking for head in step.node.children if head.kind == "relheader" for one in head.children]
        for row in step.node.children:
            if row.kind != "relrow":
                continue
            if not row.excluded and not step.excluded:
                self._relate(row, step, columns)
            for cell in row.children:
                for one in cell.children:
                    out = step.excluded or row.excluded or cell.excluded
                    self._walk(replace(step, node=one, excluded=out, related=True))

    def _relate(self, row: Node, step: _Step, columns: list[str]) -> None:
        """Links every topic of a row's cell to what the row's other cells hold."""
        linkings = [*columns, *[""] * len(row.children)]
        cells = [self._cell(cell, step, linking) for cell, linking in zip(row.children, linkings, strict=False)]
        for number, members in enumerate(cells):
            others = [one for other, found in enumerate(cells) if other != number for one in found]
            targets = [link for _, link, way in others if way != "sourceonly"]
            for place, _, way in members:
                if place and way != "targetonly" and targets:
                    self._add_links(place, targets, step)
        for cell in row.children:
            if cell.collection_type in ("sequence", "family"):
                self._siblings(step.to(cell))

    def _cell(self, cell: Node, step: _Step, linking: str) -> list[tuple[Place | None, Link, str]]:
        """What a cell of a relationship table holds: place, link, and the way it may be used."""
        found = []
        queue = list(reversed(cell.children))
        while queue:
            node = queue.pop()
            link = self._link(node, step)
            if link:
                found.append((*link, node.linking or linking))
            if not node.excluded:
                queue += reversed(node.children)
        return found


def branch_filter(files: Files, name: str) -> Filter | None:
    """What a DITAVAL among the inputs decides; None where it can not be read."""
    if name not in files:
        return None
    decisions, findings = read(Conditions(name, files.read(name)))
    return None if has_errors(findings) else decisions


def _key(node: Node, file: str) -> Key:
    ref = node.ref if node.ref else None
    local = ref is not None and not ref.url and node.scope not in ("peer", "external")
    copy = node.copy.of(ref.file, ()) if ref and local else None
    ref = ref._replace(file=copy.to) if ref and copy else ref
    format_ = node.format or ("ditamap" if is_map(node) else "")
    return Key(file, node.line, ref, format_, node.keyref, node.keyword, node.linktext, node.navtitle, copy)
