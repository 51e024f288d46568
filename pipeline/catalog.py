"""Every topic of the inputs, before any body is read.

In: a System and the sets of conditions that its partners name. Out: `Catalog`: files, one index per source and
set of conditions, settled ids, complete metadata, and what is wrong with the inputs.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline import identity, inputs
from pipeline.contracts import Conditions, Files, Index, InputFiles
from pipeline.editions import Key
from pipeline.errors import UsageError
from pipeline.findings import Finding
from pipeline.plugins import System
from pipeline.topic import Metadata


@dataclass(frozen=True)
class Catalog:
    """All topics. `indexes` by (source, conditions file); `metadata` has each topic once, from the first conditions."""

    files: InputFiles
    indexes: Mapping[tuple[str, str], Index]
    metadata: Mapping[Key, Metadata]
    findings: tuple[Finding, ...]

    @property
    def titles(self) -> dict[Key, str]:
        """Each topic's title."""
        return {key: metadata.title for key, metadata in self.metadata.items()}

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language of a topic, sorted."""
        return tuple(sorted({language for _, language in self.metadata}))

    @property
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
    files = open_inputs(system)
    known = {name: plugin.load() for name, plugin in system.sources.items()}
    claimed = inputs.survey(files, known)
    findings = [*files.findings, *claimed.findings]
    indexes: dict[tuple[str, str], Index] = {}
    for name in sorted(set(conditions)) or [""]:
        profile = _conditions(name, files, system)
        found = {source: module.index(files, claimed.claimed.get(source, ()), profile) for source, module in known.items()}
        settled, problems = identity.settle(found, system.configuration.publisher)
        findings += [finding for index in settled.values() for finding in index.findings] + problems
        indexes.update({(source, name): index for source, index in settled.items()})
    metadata = {entry.metadata.key: entry.metadata for index in indexes.values() for entry in index.entries}
    return Catalog(files, indexes, metadata, tuple(dict.fromkeys(findings)))


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
    maps = tuple(system.configuration.settings.maps)
    if not name:
        return Conditions(maps=maps)
    if name in files:
        return Conditions(name, files.read(name), maps)
    path = system.configuration.path(name)
    try:
        return Conditions(name, path.read_bytes(), maps)
    except OSError as error:
        raise UsageError(
            f"conditions {name!r} can not be read",
            found=str(error),
            fix="mend 'conditions' in syndication.toml or the partner's file",
        ) from None
