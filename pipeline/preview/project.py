"""The project that is previewed: its settings and topics, read once and kept fresh as files are saved.

In: a way to build the System, and the paths that changed. Out: `Snapshot`, which never changes; a newer one takes its place.
A save costs about as much as the topics that the saved file has a part in: a `Surveyor` keeps the catalog up. What can not be
read keeps the snapshot that there was, and says why.
"""

from __future__ import annotations

import posixpath
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from pipeline.catalog import Catalog, Surveyor
from pipeline.contracts import Entry
from pipeline.editions import Key
from pipeline.errors import SyndicationError
from pipeline.findings import Finding, Severity
from pipeline.plugins import System
from pipeline.topic import Metadata

Roots = tuple[tuple[str, Path], ...]


@dataclass(frozen=True)
class Snapshot:
    """All that is known at one moment. `lost`: topics whose file broke, as they were last; `problem`: why settings or inputs
    could not be read."""

    number: int
    system: System
    catalog: Catalog
    lost: Mapping[Key, Metadata] = field(default_factory=dict)
    problem: str = ""

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

    @property
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

    def __init__(
        self,
        build: Callable[[], System],
        config: Path,
        remembered: Callable[[System, Catalog], Mapping[Key, Metadata]] = lambda *_: {},
    ) -> None:
        """`remembered`: the topics whose files were broken already when everything was read first."""
        self._build, self._config, self._remembered = build, config.resolve(), remembered
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._surveyor = Surveyor()
        self._inputs: tuple[System | None, Roots] = None, ()
        self._missed: set[str] | None = None  # changed files that no survey has seen yet; None = all of them

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest; None while the first is being read."""
        return self._snapshot

    def load(self, first: Callable[[Snapshot], None] = lambda _: None) -> Snapshot:
        """Reads everything; `first` is done before anybody sees it. Raises SyndicationError."""
        with self._lock:
            self._missed = None
            snapshot = self._surveyed(self._build())
            first(snapshot)
            return self._take(snapshot)

    def refresh(self, paths: Collection[Path]) -> Snapshot:
        """The snapshot after these paths changed."""
        with self._lock:
            before = self._snapshot
            if before is None:
                return self.load()
            try:
                return self._take(self._refreshed(before, {path.resolve() for path in paths}))
            except SyndicationError as problem:
                text = str(problem)
            except Exception as problem:  # whatever it is, the pages stay, and the next save reads everything anew
                self._surveyor, self._missed = Surveyor(), None
                text = (
                    f"What was saved could not be taken in: {type(problem).__name__}: {problem}. Save once more, or start anew."
                )
            return self._take(replace(before, number=before.number + 1, problem=text))

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

    def _refreshed(self, before: Snapshot, paths: set[Path]) -> Snapshot:
        configuration = before.system.configuration
        partners = configuration.path(configuration.settings.partners)
        settings = _settings_files(before.system, self._config)
        about_settings = {path for path in paths if path in settings or path.parent == partners}
        if self._inputs[0] is not before.system:
            self._inputs = before.system, _roots(before.system)
        names = _input_names(self._inputs[1], paths - about_settings)
        if self._missed is not None:
            self._missed.update(names)
        if len(names) < len(paths):  # a template or a style sheet may be among them
            forget(before.system)
        system, problem = self._rebuilt(before) if about_settings or before.problem else (before.system, "")
        conditions = {configuration.path(name) for name in conditions_of(before.system) if name}
        if names or self._missed != set() or not _same_topics(before.system, system) or paths & conditions:
            return self._surveyed(system, problem)
        return replace(before, number=before.number + 1, system=system, problem=problem)

    def _rebuilt(self, before: Snapshot) -> tuple[System, str]:
        """The system of the settings as they are now; the one before, and why, where they can not be used."""
        try:
            return self._build(), ""
        except SyndicationError as problem:
            return before.system, str(problem)

    def _surveyed(self, system: System, problem: str = "") -> Snapshot:
        before = self._snapshot
        if before and before.system.configuration.settings != system.configuration.settings:
            self._surveyor, self._missed = Surveyor(), None
        missed, self._missed = self._missed, None
        catalog = self._surveyor.catalog(system, conditions_of(system), missed)
        self._missed = set()
        number = before.number + 1 if before else 1
        lost = _lost(before, catalog) if before else self._remembered(system, catalog)
        return Snapshot(number, system, catalog, lost, problem)


def forget(system: System) -> None:
    """Empties what formats keep of files (templates, style sheets): they are made for runs, in which no file changes."""
    packages = {plugin.module.split(".")[0] for plugin in system.transforms.values()}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in packages:
            for value in list(vars(module).values()):
                if callable(getattr(value, "cache_clear", None)):
                    value.cache_clear()


def _lost(before: Snapshot, catalog: Catalog) -> dict[Key, Metadata]:
    """Topics that were there, and whose file is there still, with an error in it."""
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


def _same_topics(before: System, now: System) -> bool:
    """Whether settings say the same of what the topics are; of terms and looks they may say something else."""
    old, new = before.configuration, now.configuration
    return now is before or (
        old.settings == new.settings and old.publisher == new.publisher and conditions_of(before) == conditions_of(now)
    )


def _roots(system: System) -> Roots:
    """The inputs on this machine: the name that stands before their files' names, and where they are."""
    configuration = system.configuration
    names = [name for name in configuration.settings.inputs if "://" not in name]
    return tuple((posixpath.normpath(name), configuration.path(name)) for name in names)


def _input_names(roots: Roots, paths: Iterable[Path]) -> list[str]:
    """The input files' names of paths; what is no input has none."""
    found = []
    for path in paths:
        for name, root in roots:
            if path == root:
                found.append(name)
            elif path.is_relative_to(root):
                relative = path.relative_to(root).as_posix()
                found.append(relative if name == "." else f"{name}/{relative}")
    return found
