"""DITA: folders of mark-up in, printed topics and findings out; what must hold for any file, over real publications."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from pipeline import xml
from pipeline.contracts import Conditions, Files, Head, Index, Unit
from pipeline.errors import NotFound
from pipeline.findings import Finding, has_errors
from pipeline.topic import Topic, dump, load, safe_id, schema_problems
from sources import dita

CASES = Path(__file__).parent / "sources" / "dita"
Expected = Callable[[Path, str | bytes], None]


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


def claimed(files: Files) -> list[str]:
    """The files that are DITA, and those that claim to be but can not be read."""
    found = []
    for name in files.names():
        if name.endswith((".dita", ".ditamap", ".xml")):
            shown = xml.head(files.read(name), name)
            found += [name] if not isinstance(shown, Head) or dita.claims(shown) else []
    return found


def indexed(files: Files, conditions: Conditions = Conditions()) -> Index:
    """The index as the core hands it on: ids settled, once over the wire."""
    made = dita.index(files, claimed(files), conditions)
    counts = Counter(safe_id(entry.metadata.id) for entry in made.entries)
    ids = {}
    for entry in made.entries:
        name = safe_id(entry.metadata.id)
        ids[entry.unit] = name if counts[name] == 1 else safe_id(f"{name}-{'-'.join(filter(None, entry.unit))}")
    settled: Index = pickle.loads(pickle.dumps(replace(made, ids=ids)))  # noqa: S301 - our own bytes
    return settled


def topics(files: Files, index: Index) -> Iterator[tuple[Unit, Topic | None, tuple[Finding, ...]]]:
    """Every topic of an index, its language filled in as the core does."""
    for entry in index.entries:
        complete = replace(entry, metadata=replace(entry.metadata, language=entry.metadata.language or "en"))
        made = dita.read(complete, index, files)
        yield entry.unit, made.topic, made.findings


def printed(findings: Sequence[Finding]) -> str:
    return "".join(f"{one.severity} {one.code} {one.place}: {one.text}\n" for one in findings)


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_case(case: str, expected: Expected) -> None:
    """Each folder says what becomes of its files, which findings there are, and that there are no others."""
    folder = CASES / case
    files = Folder(folder / "in")
    ditaval = folder / "conditions.ditaval"
    index = indexed(files, Conditions(ditaval.name, ditaval.read_bytes()) if ditaval.exists() else Conditions())
    findings = list(index.findings)
    made = set()
    for unit, topic, found in topics(files, index):
        findings += found
        if topic is not None:
            assert schema_problems(topic.body) == [], unit
            assert load(dump(topic)) == topic
            made.add(f"{topic.metadata.id}.{topic.metadata.language}.xml")
            expected(folder / "expected" / f"{topic.metadata.id}.{topic.metadata.language}.xml", dump(topic))
    expected(folder / "expected" / "findings.txt", printed(findings))
    uses = {entry.unit.file: entry.uses for entry in index.entries if entry.uses}
    expected(folder / "expected" / "uses.txt", "".join(f"{file}: {' '.join(used)}\n" for file, used in sorted(uses.items())))
    assert {path.name for path in (folder / "expected").iterdir()} == {*made, "findings.txt", "uses.txt"}
