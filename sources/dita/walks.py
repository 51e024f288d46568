"""All maps together, kept up as they change: each root map is walked by itself, and again where something on its way changed.

In: the maps by file, the input files, which of them changed. Out: `Publication`, equal to one that is made from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sources._noting import NotedFiles, Notes
from sources.dita.maps import MapFile
from sources.dita.model import Scope
from sources.dita.publication import MAX_STEPS, Publication, Walker, roots_of


@dataclass(slots=True)
class _Walk:
    """One root map: what it says, in how many steps, and everything that was looked at on the way."""

    found: Publication
    steps: int
    notes: Notes
    seen: Mapping[str, MapFile | None]

    def holds(self, maps: Mapping[str, MapFile], files: NotedFiles, changed: Collection[str]) -> bool:
        """Whether it would come out as it did."""
        return self.notes.hold(files.files, changed) and all(maps.get(file) == one for file, one in self.seen.items())


class Walks:
    """The walks of all root maps."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, bool], _Walk] = {}

    def hold(self, files: NotedFiles, changed: Collection[str]) -> bool:
        """Whether no file on any way is other than it was."""
        return all(walk.notes.hold(files.files, changed) for walk in self._held.values())

    def publication(
        self, maps: Mapping[str, MapFile], files: NotedFiles, named: tuple[str, ...], changed: Collection[str]
    ) -> Publication:
        """Everything that `maps` say together. `named`: the root maps by name; none = those that no other map takes in. Raises
        TooMuch."""
        roots = roots_of(maps)
        wanted = [*((file, True) for file in named or roots), *((file, False) for file in roots if named)]
        before, self._held, steps, walks = self._held, {}, 0, []
        for file, reached in wanted:
            walk = before.get((file, reached))
            if walk is None or steps + walk.steps > MAX_STEPS or not walk.holds(maps, files, changed):
                walk = _walk(file, reached, maps, files, steps)
            if file in maps:  # else it says which maps there are
                self._held[file, reached] = walk
            walks.append(walk.found)
            steps += walk.steps
        return _together(walks)


def _walk(file: str, reached: bool, maps: Mapping[str, MapFile], files: NotedFiles, steps: int) -> _Walk:
    notes, walker = files.begin(), Walker(maps, files, steps)
    if reached:
        walker.root(file)
    else:
        walker.mention(file)
    return _Walk(walker.found, walker.steps - steps, notes, walker.seen)


def _together(walks: Iterable[Publication]) -> Publication:
    whole = Publication()
    for one in walks:
        shift = len(whole.keys.scopes)
        whole.keys.scopes += [_shifted(scope, shift) for scope in one.keys.scopes]
        whole.roots += [number + shift for number in one.roots]
        for place, said in one.reached.items():
            whole.reached.setdefault(place, said)
        whole.mentioned.update(one.mentioned)
        for place, numbers in one.scopes.items():
            whole.scopes.setdefault(place, {}).update(dict.fromkeys(number + shift for number in numbers))
        for place, facts in one.facts.items():
            whole.facts.setdefault(place, []).extend(facts)
        for place, formats in one.formats.items():
            whole.formats.setdefault(place, []).extend(formats)
        for place, filters in one.filters.items():
            whole.filters.setdefault(place, []).extend(filters)
        for place, links in one.links.items():
            held = whole.links.setdefault(place, [])
            held += [link for link in links if link not in held]
        for place, files in one.uses.items():
            whole.uses.setdefault(place, {}).update(files)
        for copy, file in one.aliases.items():
            whole.aliases.setdefault(copy, file)
        for place, made in one.copies.items():
            whole.copies.setdefault(place, made)
        whole.findings += one.findings
    return whole


def _shifted(scope: Scope, shift: int) -> Scope:
    parent = None if scope.parent is None else scope.parent + shift
    return Scope(parent, scope.keys, {name: number + shift for name, number in scope.children.items()})
