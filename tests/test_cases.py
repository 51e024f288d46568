"""Cases are folders of data: a vocabulary's input files and the topics and findings that they give; a format's finished files.

`tests/sources/<vocabulary>/<case>/in/` goes in, `expected/` comes out (`conditions.ditaval` beside them, if any).
`tests/transforms/topics/<case>.xml` goes in, `tests/transforms/<format>/<case>/` comes out, in every format there is.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import cast

import pytest
from conftest import ROOT
from inputs import Folder, indexed, printed, topics
from rendering import CASES, TOPICS, proven, rendered, topic

from pipeline.commands.building import plugins
from pipeline.contracts import Conditions, OutputFile, Source
from pipeline.topic import dump, load, schema_problems

Expected = Callable[[Path, str | bytes], None]

SOURCES = ROOT / "tests" / "sources"
FORMATS = tuple(plugins()["transforms"])


@pytest.mark.parametrize("case", sorted(path.relative_to(SOURCES).as_posix() for path in SOURCES.glob("*/*")))
def test_source(case: str, expected: Expected) -> None:
    """Each folder says what becomes of its files, which findings there are, and that there are no others."""
    folder, source = SOURCES / case, cast(Source, import_module(f"sources.{case.split('/')[0]}"))
    files, ditaval = Folder(folder / "in"), folder / "conditions.ditaval"
    index = indexed(source, files, Conditions(ditaval.name, ditaval.read_bytes()) if ditaval.exists() else Conditions())
    findings = list(index.findings)
    made = set()
    for unit, read, found in topics(source, files, index):
        findings += found
        if read is not None:
            assert read.metadata.id == index.ids[unit]
            assert schema_problems(read.body) == [], unit
            assert load(dump(read)) == read
            made.add(f"{read.metadata.id}.{read.metadata.language}.xml")
            expected(folder / "expected" / f"{read.metadata.id}.{read.metadata.language}.xml", dump(read))
    expected(folder / "expected" / "findings.txt", printed(findings))
    uses = {entry.unit.file: entry.uses for entry in index.entries if entry.uses}
    expected(folder / "expected" / "uses.txt", "".join(f"{file}: {' '.join(used)}\n" for file, used in sorted(uses.items())))
    assert {path.name for path in (folder / "expected").iterdir()} == {*made, "findings.txt", "uses.txt"}


@pytest.mark.parametrize("case", TOPICS)
@pytest.mark.parametrize("name", FORMATS)
def test_format(name: str, case: str, expected: Expected) -> None:
    """Each folder holds the finished main file of a topic, or the members of one that is a zip file."""
    main, metadata = rendered(name, case, logo=case == "everything")[0], topic(case).metadata
    assert main.path.startswith(f"{metadata.language}/{metadata.id}/")
    made = dict(_texts(main))
    for path, text in made.items():
        expected(CASES / name / case / path, _without_style(text))
    saved = {path.relative_to(CASES / name / case).as_posix() for path in (CASES / name / case).rglob("*") if path.is_file()}
    assert saved == set(made)


def _texts(main: OutputFile) -> Iterator[tuple[str, str]]:
    if not main.data.startswith(b"PK"):
        yield Path(main.path).name, main.data.decode()
        return
    with zipfile.ZipFile(io.BytesIO(main.data)) as archive:
        for member in archive.namelist():
            if member.endswith((".opf", ".xhtml", ".json", ".txt")):
                yield member, archive.read(member).decode()


def _without_style(text: str) -> str:
    """A page without what changes whenever a style sheet does: its sheet, and its sheet's name. Running lines stay."""
    text = re.sub(r"assets/[0-9a-f]{8}/topic\.css", "assets/.../topic.css", text)
    return re.sub(r"<style>@layer.*?</style>", "<style>...</style>", text, flags=re.DOTALL)


@pytest.mark.parametrize("logo", [False, True])
@pytest.mark.parametrize("case", TOPICS)
@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_proven(name: str, case: str, logo: bool) -> None:
    assert proven(name, case, logo=logo) == []
