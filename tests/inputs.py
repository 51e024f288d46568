"""Input files of tests, and a vocabulary's index as the core hands it on."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline import xml
from pipeline.contracts import Conditions, Entry, Files, Head, Index, Source, Unit
from pipeline.errors import NotFound
from pipeline.findings import Finding
from pipeline.topic import Topic, safe_id

EVERYTHING = Conditions()


class Folder:
    """A folder as input files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def names(self) -> Sequence[str]:
        return self._names

    def read(self, name: str) -> bytes:
        if name not in self._names:
            raise NotFound(f"no file {name!r}")
        return (self._root / name).read_bytes()

    def __contains__(self, name: object) -> bool:
        return name in self._names


class Memory(Folder):
    """Input files given as text."""

    def __init__(self, **files: str) -> None:
        self._files = {name.replace("__", "."): text.encode() for name, text in files.items()}
        self._names = sorted(self._files)

    def read(self, name: str) -> bytes:
        if name not in self._files:
            raise NotFound(f"no file {name!r}")
        return self._files[name]


MARKUP = (".dita", ".ditamap", ".xml")


def claimed(source: Source, files: Files) -> list[str]:
    """The files that are the vocabulary's, and mark-up that can not be read at all."""
    found = []
    for name in files.names():
        if name.endswith(MARKUP):
            shown = xml.head(files.read(name), name)
            found += [name] if not isinstance(shown, Head) or source.claims(shown) else []
    return found


def indexed(source: Source, files: Files, conditions: Conditions = EVERYTHING) -> Index:
    """The index as the core hands it on: ids settled (a public one that stands twice is published by nobody), once over the
    wire."""
    made = source.index(files, claimed(source, files), conditions)
    counts = Counter(map(_key, made.entries))
    ids = {e.unit: _id(e, alone=counts[_key(e)] == 1) for e in made.entries if counts[_key(e)] == 1 or not e.public_id}
    settled: Index = pickle.loads(pickle.dumps(replace(made, ids=ids)))
    return settled


def _key(entry: Entry) -> tuple[str, str]:
    return safe_id(entry.metadata.id), entry.metadata.language


def _id(entry: Entry, *, alone: bool) -> str:
    name = safe_id(entry.metadata.id)
    return name if alone else safe_id(f"{name}-{'-'.join(filter(None, entry.unit))}")


def topics(source: Source, files: Files, index: Index) -> Iterator[tuple[Unit, Topic | None, tuple[Finding, ...]]]:
    """Every topic of an index, completed as the core does: with a language, with a whole copyright or none."""
    for entry in index.entries:
        if entry.unit in index.ids:
            stated = entry.metadata.copyright
            known = stated if stated and stated.first_year and stated.holder else None
            metadata = replace(entry.metadata, language=entry.metadata.language or "en", copyright=known)
            made = source.read(replace(entry, metadata=metadata), index, files)
            yield entry.unit, made.topic, made.findings


def printed(findings: Sequence[Finding]) -> str:
    """Findings, a line each."""
    return "".join(f"{one.severity} {one.code} {one.place}: {one.text}\n" for one in findings)
