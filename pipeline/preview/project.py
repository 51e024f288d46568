"""The project that is previewed: its settings and topics, read once and kept fresh as files are saved.

In: a way to build the System, and the paths that changed. Out: `Snapshot`, which never changes; a newer one takes its place.
A save of one topic costs about as much as that topic: it is read again with the files that it uses, and takes its place in
the index; what else the save may have touched is settled by reading everything once more, aside. What can not be read keeps
the snapshot that there was, and says why.
"""

from __future__ import annotations

import posixpath
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pipeline import identity, inputs
from pipeline.catalog import Catalog, survey
from pipeline.contracts import Conditions, Entry, Files, Index
from pipeline.editions import Key
from pipeline.errors import SyndicationError
from pipeline.findings import Finding, Severity
from pipeline.plugins import System
from pipeline.topic import Metadata

AT_ONCE: Final = 0.15  # seconds: where reading everything takes no longer, everything is read at every save


@dataclass(frozen=True)
class Snapshot:
    """All that is known at one moment. `changed`: the topics that differ from the snapshot before (None = any may). `lost`:
    topics whose file broke, as they were last; `problem`: why settings or inputs could not be read."""

    number: int
    system: System
    catalog: Catalog
    changed: frozenset[Key] | None = None
    lost: Mapping[Key, Metadata] = field(default_factory=dict)
    problem: str = ""
    complete: bool = True  # False: topics were read again one by one, and not yet all together

    @cached_property
    def topics(self) -> dict[Key, Metadata]:
        """Every topic, those whose file is broken among them."""
        return {**self.lost, **self.catalog.metadata}

    @cached_property
    def _entries(self) -> dict[str, dict[Key, tuple[str, Entry]]]:
        found: dict[str, dict[Key, tuple[str, Entry]]] = {}
        for (source, conditions), index in self.catalog.indexes.items():
            found.setdefault(conditions, {}).update({entry.metadata.key: (source, entry) for entry in index.entries})
        return found

    def entry(self, conditions: str, key: Key) -> tuple[str, Entry] | None:
        """A topic under a set of conditions: its source's name and its entry."""
        return self._entries.get(conditions, {}).get(key)

    @cached_property
    def languages(self) -> dict[str, tuple[Key, ...]]:
        """The topics of each concept, by language."""
        return self.catalog.concepts

    def findings(self, key: Key) -> tuple[Finding, ...]:
        """What indexing found in a topic or its file."""
        metadata = self.topics.get(key)
        name = " ".join(key)
        return tuple(
            f for f in self.catalog.findings if f.topic == name or (metadata and f.file == metadata.file and not f.topic)
        )


def conditions_of(system: System) -> list[str]:
    """Every set of conditions that somebody reads the inputs under; the publisher's own first."""
    configuration = system.configuration
    return list(dict.fromkeys([configuration.settings.conditions, *map(configuration.conditions, configuration.partners)]))


class Project:
    """The newest snapshot, and how it gets newer. Safe to use from several threads."""

    def __init__(self, build: Callable[[], System], config: Path) -> None:
        self._build, self._config = build, config.resolve()
        self._lock = threading.RLock()
        self._seconds = 0.0
        self._snapshot: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest; None while the first is being read."""
        return self._snapshot

    def load(self) -> Snapshot:
        """Reads everything. Raises SyndicationError where there is nothing older to keep."""
        with self._lock:
            system = self._build()
            started = time.perf_counter()
            catalog = survey(system, conditions_of(system))
            self._seconds = time.perf_counter() - started
            return self._take(self._newer(system, catalog))

    def settle(self, catalog: Catalog, since: int) -> Snapshot | None:
        """Takes a catalog that was read aside, where nothing changed since that snapshot."""
        with self._lock:
            now = self._snapshot
            if now is None or now.number != since:
                return None
            return self._take(self._newer(now.system, catalog))

    def refresh(self, paths: Collection[Path]) -> Snapshot:
        """The snapshot after these paths changed."""
        with self._lock:
            before = self._snapshot
            try:
                if before is None:
                    return self.load()
                return self._take(self._refreshed(before, {path.resolve() for path in paths}))
            except SyndicationError as problem:
                if before is None:
                    raise
                return self._take(replace(before, number=before.number + 1, problem=str(problem), changed=None))

    def folders(self) -> list[Path]:
        """Every folder (or file) to watch."""
        snapshot = self._snapshot
        found = [self._config.parent]
        if snapshot:
            configuration = snapshot.system.configuration
            written = [*configuration.settings.inputs, configuration.settings.partners, *template_folders(snapshot.system)]
            found += [configuration.path(name) for name in written if "://" not in name]
        return [path for path in dict.fromkeys(found) if path.exists()]

    # --- one step

    def _take(self, snapshot: Snapshot) -> Snapshot:
        self._snapshot = snapshot
        return snapshot

    def _newer(self, system: System, catalog: Catalog) -> Snapshot:
        before = self._snapshot
        return Snapshot(before.number + 1 if before else 1, system, catalog, lost=_lost(before, catalog))

    def _refreshed(self, before: Snapshot, paths: set[Path]) -> Snapshot:
        configuration = before.system.configuration
        settings = _settings_files(before.system, self._config)
        partners = configuration.path(configuration.settings.partners)
        about_settings = {path for path in paths if path in settings or path.parent == partners}
        names = _input_names(before.system, paths - about_settings)
        if len(names) < len(paths):  # a template or a style sheet may be among them
            forget(before.system)
        if before.problem or about_settings:
            return self._with_settings(before, names)
        conditions = {configuration.path(name) for name in conditions_of(before.system) if name}
        if not names and not paths & conditions:  # a template, a style sheet, a logo
            return replace(before, number=before.number + 1, changed=frozenset())
        if self._seconds > AT_ONCE and not paths & conditions:
            quick = reread(before, names)
            if quick is not None:
                return quick
        return self._everything(before.system)

    def _with_settings(self, before: Snapshot, names: Sequence[str]) -> Snapshot:
        system = self._build()
        old, new = before.system.configuration, system.configuration
        same = old.settings == new.settings and old.publisher == new.publisher and not names
        if same and not before.problem and set(conditions_of(system)) <= set(conditions_of(before.system)):
            return replace(before, number=before.number + 1, system=system, changed=None)
        return self._everything(system)

    def _everything(self, system: System) -> Snapshot:
        started = time.perf_counter()
        catalog = survey(system, conditions_of(system))
        self._seconds = time.perf_counter() - started
        return self._newer(system, catalog)


def read_all(system: System, _progress: object = None) -> Catalog:
    """The whole catalog, read in a process of its own."""
    return survey(system, conditions_of(system))


def forget(system: System) -> None:
    """Empties what formats keep of files (templates, style sheets): they are made for runs, in which no file changes."""
    packages = {plugin.module.split(".")[0] for plugin in system.transforms.values()}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in packages:
            for value in list(vars(module).values()):
                if callable(getattr(value, "cache_clear", None)):
                    value.cache_clear()


def _lost(before: Snapshot | None, catalog: Catalog) -> dict[Key, Metadata]:
    """Topics that were there, and whose file is there still, with an error in it."""
    if before is None:
        return {}
    broken = {finding.file for finding in catalog.findings if finding.severity is Severity.ERROR}
    return {
        key: metadata
        for key, metadata in before.topics.items()
        if key not in catalog.metadata and metadata.file in broken and metadata.file in catalog.files
    }


# --- which file is what -------------------------------------------------------------------------


def _settings_files(system: System, config: Path) -> set[Path]:
    configuration = system.configuration
    named = (configuration.settings.publisher, configuration.settings.assets)
    return {config, *(configuration.path(name) for name in named if name)}


def template_folders(system: System) -> list[str]:
    """The folders of templates that sites bring, as settings write them."""
    partners = system.configuration.partners
    found = [partner.templates for partner in partners]
    found += [site.templates for partner in partners for site in partner.all_sites().values()]
    return [name for name in dict.fromkeys(found) if name]


def _input_names(system: System, paths: Iterable[Path]) -> list[str]:
    """The input files' names of paths; what is no input has none."""
    configuration = system.configuration
    roots = [(posixpath.normpath(name), configuration.path(name)) for name in configuration.settings.inputs if "://" not in name]
    found = []
    for path in paths:
        for name, root in roots:
            if path == root:
                found.append(name)
            elif path.is_relative_to(root):
                relative = path.relative_to(root).as_posix()
                found.append(relative if name == "." else f"{name}/{relative}")
    return found


# --- one topic read again -----------------------------------------------------------------------

# A map around a topic may say these of it too; what it says is not in the topic's own file, and stays until all is read.
_SAID_AROUND: Final = ("collections", "audiences", "territories", "source_rights")


class _Some:
    """Some of the input files by name; all can be read."""

    def __init__(self, files: Files, names: Sequence[str]) -> None:
        self._files, self._names = files, names

    def names(self) -> Sequence[str]:
        """The chosen files."""
        return self._names

    def read(self, name: str) -> bytes:
        """As of all."""
        return self._files.read(name)

    def __contains__(self, name: object) -> bool:
        return name in self._files


def reread(before: Snapshot, names: Sequence[str]) -> Snapshot | None:
    """The snapshot after these input files changed, where no more than their own topics did; None where all must be read."""
    catalog, present = before.catalog, frozenset(names)
    if not all(name in catalog.files for name in present):
        return None  # a file came
    lost = {key: metadata for key, metadata in before.lost.items() if metadata.file in present}
    known = {entry.unit.file for index in catalog.indexes.values() for entry in index.entries} | {m.file for m in lost.values()}
    if any(_is_xml(name) for name in present - known):
        return None  # a map, or text that other topics bring in
    indexes = dict(catalog.indexes)
    findings = [finding for finding in catalog.findings if finding.file not in present]
    for place, index in catalog.indexes.items():
        own = {entry.metadata.key: entry for entry in index.entries if entry.unit.file in present}
        if own or lost:
            found = _entries_again(before.system, catalog, place, present, own)
            if found is None or any(entry.metadata.key not in own and entry.metadata.key not in lost for entry in found[0]):
                return None  # a topic came, or has another id
            entries = tuple(_around(entry, own, lost) for entry in found[0])
            kept = tuple(entry for entry in index.entries if entry.unit.file not in present)
            ids = {**index.ids, **{entry.unit: entry.metadata.id for entry in entries}}
            indexes[place] = replace(index, entries=(*kept, *entries), ids=ids)
            findings += found[1]
    return _with_topics(before, indexes, findings, present)


def _with_topics(
    before: Snapshot, indexes: Mapping[tuple[str, str], Index], findings: Sequence[Finding], names: frozenset[str]
) -> Snapshot:
    metadata = {key: value for key, value in before.catalog.metadata.items() if value.file not in names}
    again = {e.metadata.key: e.metadata for index in indexes.values() for e in index.entries if e.unit.file in names}
    newer = Catalog(before.catalog.files, indexes, metadata | again, tuple(dict.fromkeys(findings)))
    changed = frozenset(key for key, value in before.topics.items() if value.file in names) | again.keys()
    return Snapshot(before.number + 1, before.system, newer, changed, _lost(before, newer), before.problem, complete=False)


def _around(entry: Entry, own: Mapping[Key, Entry], lost: Mapping[Key, Metadata]) -> Entry:
    """The entry with what is not said in its own file as it was."""
    key = entry.metadata.key
    old, new = own[key].metadata if key in own else lost[key], entry.metadata
    names = [each.name for each in fields(Metadata)]
    kept: dict[str, Any] = {n: getattr(old, n) for n in names if n in _SAID_AROUND or not getattr(new, n)}
    uses = (*own[key].uses, *entry.uses) if key in own else entry.uses
    return replace(entry, metadata=replace(new, **kept), uses=tuple(dict.fromkeys(uses)))


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".dita", ".ditamap", ".bookmap", ".nxml"))


def _entries_again(
    system: System, catalog: Catalog, place: tuple[str, str], names: frozenset[str], own: Mapping[Key, Entry]
) -> tuple[list[Entry], list[Finding]] | None:
    """The entries that files have now, read with the files that they use; None where an id is not what it was."""
    source, profile = place
    wanted = sorted({*names, *(name for entry in own.values() for name in entry.uses if name in catalog.files)})
    files = _Some(catalog.files, wanted)
    modules = {name: plugin.load() for name, plugin in system.sources.items()}
    claimed = inputs.survey(files, modules)
    maps = tuple(name for name in system.configuration.settings.maps if name in wanted)
    conditions = Conditions(profile, _profile(catalog.files, profile, system), maps)
    index = modules[source].index(files, claimed.claimed.get(source, ()), conditions)
    settled, problems = identity.settle({source: index}, system.configuration.publisher)
    entries = [entry for entry in settled[source].entries if entry.unit.file in names]
    before = {entry.unit: key for key, entry in own.items()}
    if any(before.get(entry.unit, entry.metadata.key) != entry.metadata.key for entry in entries):
        return None
    return entries, [f for f in (*claimed.findings, *settled[source].findings, *problems) if f.file in names]


def _profile(files: Files, name: str, system: System) -> bytes:
    if not name:
        return b""
    return files.read(name) if name in files else system.configuration.path(name).read_bytes()
