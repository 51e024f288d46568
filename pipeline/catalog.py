"""Every topic of the inputs, before any body is read.

In: a System and the sets of conditions that its partners name. Out: `Catalog`: files, one index per source and
set of conditions, settled ids, complete metadata, and what is wrong with the inputs. `Surveyor` keeps one up while files change.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline import identity, inputs
from pipeline.contracts import Conditions, Files, Index, Indexer, InputFiles, Source
from pipeline.editions import Key
from pipeline.errors import NotFound, UsageError
from pipeline.findings import Finding
from pipeline.indexing import indexer_of
from pipeline.plugins import System
from pipeline.settings import Publisher
from pipeline.topic import Metadata


@dataclass(frozen=True)
class Catalog:
    """All topics. `indexes` by (source, conditions file); `metadata` has each topic once, as the last conditions have it."""

    files: InputFiles
    indexes: Mapping[tuple[str, str], Index]
    metadata: Mapping[Key, Metadata]
    findings: tuple[Finding, ...]

    @cached_property
    def titles(self) -> dict[str, dict[Key, str]]:
        """By set of conditions, each topic's title: a title may hold words that are for some partners alone. A topic that the
        conditions leave out has the title that it has under others."""
        anywhere = {key: metadata.title for key, metadata in self.metadata.items()}
        names = dict.fromkeys(name for _, name in self.indexes)
        return {name: anywhere | {metadata.key: metadata.title for metadata in self.under(name)} for name in names}

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language of a topic, sorted."""
        return tuple(sorted({language for _, language in self.metadata}))

    @cached_property
    def concepts(self) -> dict[str, tuple[Key, ...]]:
        """The topics that say the same thing in other languages or at other levels of detail."""
        found: dict[str, list[Key]] = defaultdict(list)
        for key, metadata in self.metadata.items():
            found[metadata.concept].append(key)
        return {concept: tuple(sorted(keys)) for concept, keys in found.items()}

    def under(self, conditions: str) -> list[Metadata]:
        """The topics under one set of conditions (a file name, "" for none), by key."""
        found = (entry.metadata for (_, name), index in self.indexes.items() if name == conditions for entry in index.entries)
        return sorted(found, key=lambda metadata: metadata.key)


def survey(system: System, conditions: Iterable[str]) -> Catalog:
    """Lists the inputs, asks each source what is in its files, and settles who is who."""
    return Surveyor().catalog(system, conditions)


class Surveyor:
    """Makes one catalog after the other of the same inputs; what is not touched by a change is not looked at again."""

    def __init__(self) -> None:
        self._files: inputs.Inputs | None = None
        self._owners: dict[str, inputs.Owner] = {}
        self._indexers: dict[tuple[str, str], Indexer] = {}
        self._settlers: dict[str, identity.Settler] = {}
        self._profiles: dict[str, Conditions] = {}
        self._publisher: Publisher | None = None

    def catalog(self, system: System, conditions: Iterable[str], changed: Collection[str] | None = None) -> Catalog:
        """The catalog now. `changed`: names of the input files and folders that changed, came or went since the last call (None =
        any may have). After an error (UsageError, StoreError) the next call must say None."""
        files, changed = self._listed(system, changed)
        for name in self._owners.keys() & changed if changed is not None else [*self._owners]:
            del self._owners[name]
        known = {name: plugin.load() for name, plugin in system.sources.items()}
        claimed = inputs.survey(files, known, self._owners)
        findings = [*files.findings, *claimed.findings]
        if self._publisher != system.configuration.publisher:
            self._publisher, self._settlers = system.configuration.publisher, {}
        indexes: dict[tuple[str, str], Index] = {}
        names = sorted(set(conditions)) or [""]
        for name in names:
            settled, problems = self._indexed(system, name, files, known, claimed, changed)
            findings += [finding for index in settled.values() for finding in index.findings] + problems
            indexes.update({(source, name): index for source, index in settled.items()})
        for name in self._profiles.keys() - set(names):
            self._forget(name)
        metadata = {entry.metadata.key: entry.metadata for index in indexes.values() for entry in index.entries}
        return Catalog(files, indexes, metadata, tuple(dict.fromkeys(findings)))

    def _listed(self, system: System, changed: Collection[str] | None) -> tuple[inputs.Inputs, frozenset[str] | None]:
        """The files, and which of them changed: those that came or went, and all below a changed folder, among them."""
        before = self._files
        if before is None or changed is None:
            self._files = open_inputs(system)
            return self._files, None
        if all(_readable(before, name) for name in changed):
            self._files = before.anew()
            return self._files, frozenset(changed)
        self._files = open_inputs(system)
        old, new = set(before.names()), set(self._files.names())
        folders = tuple(f"{name}/" for name in changed if name not in old | new)
        below = (name for name in new if name.startswith(folders)) if folders else ()
        return self._files, frozenset((*changed, *(old ^ new), *below))

    def _indexed(
        self,
        system: System,
        name: str,
        files: inputs.Inputs,
        known: Mapping[str, Source],
        claimed: inputs.Survey,
        changed: frozenset[str] | None,
    ) -> tuple[dict[str, Index], list[Finding]]:
        profile = _conditions(name, files, system)
        if self._profiles.get(name) != profile:
            self._forget(name)
            self._profiles[name] = profile
        found = {}
        for source, module in known.items():
            fresh = (source, name) not in self._indexers
            indexer = self._indexers.setdefault((source, name), indexer_of(module, profile))
            found[source] = indexer.index(files, claimed.claimed.get(source, ()), None if fresh else changed)
        settler = self._settlers.setdefault(name, identity.Settler(system.configuration.publisher))
        return settler.settle(found)

    def _forget(self, name: str) -> None:
        self._profiles.pop(name, None)
        self._settlers.pop(name, None)
        for place in [place for place in self._indexers if place[1] == name]:
            del self._indexers[place]


def _readable(files: Files, name: str) -> bool:
    try:
        return bool(name in files and files.read(name) is not None)
    except NotFound:
        return False


def open_inputs(system: System) -> inputs.Inputs:
    """The input files of syndication.toml, through the stores that hold them. Raises UsageError where one is missing."""
    return inputs.Inputs([_open_input(system, written) for written in system.configuration.settings.inputs])


def _open_input(system: System, written: str) -> inputs.Input:
    if "://" in written:
        return inputs.Input(written.split("://", 1)[1].rstrip("/"), system.open_store(written))
    path = system.configuration.path(written)
    name = posixpath.normpath(written)
    if path.is_dir() or (path.is_file() and zipfile.is_zipfile(path)):
        return inputs.Input(name, system.open_store(str(path)))
    if path.suffix.lower() == ".zip" and path.is_file():
        raise UsageError(
            f"input {written!r} is no zip archive, or not a whole one",
            expected="an archive that unzip can read",
            found=f"{path.stat().st_size} bytes",
            fix="copy it again, or have it made again",
        )
    if path.is_file():
        return inputs.Input(posixpath.dirname(name), system.open_store(str(path.parent)), path.name)
    raise UsageError(
        f"input {written!r} is not there",
        expected=f"a folder, file or zip archive at {path}",
        fix="mend 'inputs' in syndication.toml",
    )


def _conditions(name: str, files: Files, system: System) -> Conditions:
    maps, formats = tuple(system.configuration.settings.maps), tuple(system.transforms)
    if not name:
        return Conditions(maps=maps, formats=formats)
    if name in files:
        return Conditions(name, files.read(name), maps, formats)
    path = system.configuration.path(name)
    try:
        return Conditions(name, path.read_bytes(), maps, formats)
    except OSError as error:
        raise UsageError(
            f"conditions {name!r} can not be read",
            found=str(error),
            fix="mend 'conditions' in syndication.toml or the partner's file",
        ) from None
