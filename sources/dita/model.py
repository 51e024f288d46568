"""What the DITA source keeps of its files between `index` and `read`: keys, key scopes, places of topics. No trees."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipeline.contracts import Unit
from pipeline.findings import Finding
from sources.dita.conditions import Filter
from sources.dita.places import Ref


@dataclass(frozen=True, slots=True)
class Key:
    """One definition of a key. The texts are XML of a `<keyword>`'s (linktext's, navtitle's) content, "" where there is none."""

    file: str
    line: int
    ref: Ref | None = None
    format: str = ""
    keyref: str = ""
    keyword: str = ""
    linktext: str = ""
    navtitle: str = ""
    copy: Copy | None = None  # where the reference that defines it makes one: `ref` has the copy's name, this its source

    @property
    def said(self) -> tuple[object, ...]:
        """What the definition says, without where it stands."""
        return self.ref, self.keyref, self.keyword, self.linktext, self.navtitle


class Renaming(NamedTuple):
    """A `ditavalref` of a branch: its file, and what it sets before and after the names of what is in the branch."""

    file: str
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a reference makes of a topic by `copy-to`, or by a branch that renames: the name `to` ("" = its own); where the
    reference stands; the file that is copied. `title` and `summary` are XML, "" = as of the original; `public`: the id, where
    stated, is meant for the world."""

    to: str
    file: str
    line: int
    source: str = ""
    id: str = ""
    public: bool = False
    title: str = ""
    summary: str = ""
    branches: tuple[Renaming, ...] = ()

    def of(self, source: str, renamings: Sequence[Renaming]) -> Copy | None:
        """The copy of a file, in branches that rename what is in them; None where all of it leaves the file its own name. What
        stands deeper is nearer to the name."""
        if not self.to and not renamings:  # nearly all references
            return None
        folder, name = posixpath.split(self.to or source)
        stem, extension = posixpath.splitext(name)
        renamed = [one for one in reversed(renamings) if one.prefix or one.suffix]
        for one in renamed:
            stem = f"{one.prefix}{stem}{one.suffix}"
        to = posixpath.normpath(posixpath.join(folder, stem + extension)) if renamed else self.to or source
        if to == source:
            return None
        own = replace(self, id="", public=False) if renamed else self  # of several branches each has one of its own
        return replace(own, to=to, source=source, branches=tuple(renamings))

    def place(self, topic: str) -> tuple[str, str]:
        """The place of a topic of the copy: two sources with copies of one name are two."""
        return f"{self.source}>{self.to}", topic

    def named(self, original: str) -> str:
        """Its id where none is stated: the original's, and the name's last part (with its folders where that is the
        original's too). So no copy takes the id of a topic that was there before."""
        path = posixpath.splitext(posixpath.relpath(self.to, posixpath.dirname(self.source) or "."))[0].replace("../", "")
        name = posixpath.basename(path)
        name = name if name.lower() != original.lower() else path.replace("/", "-")
        return name if name.lower().startswith(f"{original.lower()}-") else f"{original}-{name}"


@dataclass(slots=True)
class Scope:
    """One key scope. A parent's definition goes before its own; it sees its children's keys as `child.key`."""

    parent: int | None
    keys: dict[str, Key] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Keys:
    """All key scopes, by number."""

    scopes: list[Scope] = field(default_factory=list)

    def find(self, name: str, scope: int) -> Key | None:
        """The definition that a key has in a scope."""
        return next((key for number in reversed([*self._upward(scope)]) if (key := self._here(name, number))), None)

    def _upward(self, scope: int) -> Iterator[int]:
        number: int | None = scope
        while number is not None:
            yield number
            number = self.scopes[number].parent

    def _here(self, name: str, number: int) -> Key | None:
        scope = self.scopes[number]
        if name in scope.keys:
            return scope.keys[name]
        first, dot, rest = name.partition(".")
        while dot:
            if first in scope.children and (found := self._here(rest, scope.children[first])):
                return found
            more, dot, rest = rest.partition(".")
            first = f"{first}.{more}"
        return None


@dataclass(frozen=True, slots=True)
class Link:
    """A link that maps give a topic: where to, and the author's words (XML, "" = the target's title)."""

    ref: Ref
    text: str = ""
    format: str = ""
    file: str = ""
    line: int = 0


class Push(NamedTuple):
    """Text to be pushed: how (pushreplace, pushbefore, pushafter), which file, which of its elements with conaction."""

    action: str
    file: str
    number: int


@dataclass(slots=True)
class Data:
    """The source's own part of an Index. A file's "root id" is the id of its topic, of each child in a `<dita>`.

    `parts`: for files with several topics, and for names of copies, which unit part each topic id (nested ones too) is in;
    `roots`: the id of each unit's own topic; `scopes`: the key scopes that a unit stands in; `copies`: of copies, the originals.
    """

    filter: Filter = field(default_factory=Filter)
    branches: dict[Unit, Filter] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    scopes: dict[Unit, tuple[int, ...]] = field(default_factory=dict)
    every_scope: tuple[int, ...] = ()
    roots: Mapping[Unit, str] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    copies: dict[Unit, tuple[Unit, Copy]] = field(default_factory=dict)
    definitions: Set[tuple[str, str]] = frozenset()
    links: dict[Unit, tuple[Link, ...]] = field(default_factory=dict)
    pushes: dict[Ref, tuple[Push, ...]] = field(default_factory=dict)
    findings: dict[Unit, tuple[Finding, ...]] = field(default_factory=dict)

    def within(self, unit: Unit) -> Data:
        """The same with the filter of the branch that a unit stands in."""
        return replace(self, filter=self.filter.and_also(self.branches[unit])) if unit in self.branches else self

    def unit(self, ref: Ref) -> Unit | None:
        """The unit that a place in the input files is in; None where no topic is there."""
        file = self.aliases.get(ref.file, ref.file)
        parts = self.parts.get(ref.file) or self.parts.get(file)
        if parts is None:
            unit = Unit(file)
            return unit if unit in self.roots else None
        part = parts.get(ref.topic) if ref.topic else next(iter(parts.values()), None)
        return Unit(file, part) if part is not None else None

    def beside(self, unit: Unit, ref: Ref) -> Ref:
        """A place as text in `unit` means it: in a copy that a branch made, the copy that the branch made of the place's file."""
        branches = self.copies[unit][1].branches if unit in self.copies else ()
        for count in range(len(branches), 0, -1):  # an inner branch has copies of less than an outer one
            copy = Copy("", "", 0).of(ref.file, branches[:count])
            if copy is not None and copy.to in self.parts and self.aliases.get(copy.to) == ref.file:
                return ref._replace(file=copy.to)
        return ref
