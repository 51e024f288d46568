"""A source that fails over a file holds back that file, whatever it is that fails: all others are published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from partners import topic
from test_withdraw import check_there, pulled, run, texts

from benchmarks import library as shared_library
from pipeline import xml
from pipeline.contracts import Conditions, Entry, Files, Index, Unit
from pipeline.errors import StoreError
from pipeline.indexing import indexer_of


class Texts:
    """Input files that are short texts."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def names(self) -> Sequence[str]:
        return sorted(self.files)

    def read(self, name: str) -> bytes:
        return self.files[name].encode()

    def __contains__(self, name: object) -> bool:
        return name in self.files


def failing(files: Files, names: Sequence[str], _conditions: Conditions) -> Index:
    """A source: it fails over "bad", over "half" and "other half" together, over "always" in a name."""
    read = [files.read(name).decode() for name in names]
    if "bad" in read or {"half", "other half"} <= set(read) or any("always" in name for name in names):
        raise ValueError("what is this?")
    if "store" in read:
        raise StoreError("no network")
    return Index(tuple(Entry(Unit(name), topic(id=name)) for name, text in zip(names, read, strict=True) if text))


@pytest.mark.parametrize(
    ("texts_by_name", "sound", "failed"),
    [
        ({"a": "x", "b": "y"}, ["a", "b"], []),
        ({"a": "x", "b": "bad", "c": "y", "d": "bad"}, ["a", "c"], ["b", "d"]),
        ({"a": "half", "b": "x", "c": "other half", "d": "y", "e": "bad"}, ["a", "b", "d"], ["c", "e"]),
        ({"a": "bad"}, [], ["a"]),
        ({"a": "x", "always": "y"}, [], ["a", "always"]),
    ],
)
def test_files_that_a_source_fails_over_are_errors(texts_by_name: dict[str, str], sound: list[str], failed: list[str]) -> None:
    files = Texts(texts_by_name)
    indexer = indexer_of(cast(Any, SimpleNamespace(index=failing)), Conditions())
    for changed in (None, [], ["a"]):
        index = indexer.index(files, files.names(), changed)
        assert [entry.unit.file for entry in index.entries] == sound
        assert [(f.code, f.file, f.text) for f in index.findings] == [
            ("source.failed", name, "ValueError: what is this?") for name in failed
        ]


def test_what_the_operator_must_mend_still_stops_the_run() -> None:
    files = Texts({"a": "bad", "b": "store"})
    with pytest.raises(StoreError):
        indexer_of(cast(Any, SimpleNamespace(index=failing)), Conditions()).index(files, files.names())


@pytest.mark.parametrize("where", ["head", "index"])
def test_what_is_live_of_a_file_that_a_source_fails_over_stays(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = shared_library.make(tmp_path / "library", topics=3, partners=1, sharing=1)
    run(config)
    first, second, _ = sorted((config.parent / "topics").glob("medicine-*.dita"))
    first.write_text(first.read_text().replace("About", "TRAP"))
    second.write_text(second.read_text().replace("About", "All about"))
    name, parse = {"head": "head", "index": "parse"}[where], getattr(xml, {"head": "head", "index": "parse"}[where])

    def trapped(data: bytes, file: str) -> Any:
        if b"TRAP" in data:
            raise ValueError("what is this?")
        return parse(data, file)

    monkeypatch.setattr(xml, name, trapped)
    report = run(config, code=1)
    assert [f["file"] for f in report["findings"] if f["code"] == "source.failed"] == ["topics/medicine-0.dita"]
    bundle = pulled(config, "partner-0", tmp_path / "bundle")
    for kept in ("medicine-0", "medicine-1", "medicine-2"):
        check_there(bundle, kept)
    assert "TRAP" not in texts(bundle, "medicine-0")["index.html"]
    assert "All about" in texts(bundle, "medicine-1")["index.html"]


def test_what_is_live_of_a_file_that_can_not_be_read_stays(tmp_path: Path) -> None:
    config = shared_library.make(tmp_path / "library", topics=3, partners=1, sharing=1)
    run(config)
    first, second, third = sorted((config.parent / "topics").glob("medicine-*.dita"))
    first.unlink()
    first.symlink_to(first.name)
    second.write_text(second.read_text().replace("About", "All about"))
    third.unlink()
    (config.parent / "topics" / "more").symlink_to(tmp_path)  # who knows what was in there
    report = run(config, code=1)
    assert {(f["code"], f["file"]) for f in report["findings"] if f["code"].startswith("input.")} == {
        ("input.unreadable", "topics/medicine-0.dita"),
        ("input.folder-unreadable", "topics/more"),
    }
    bundle = pulled(config, "partner-0", tmp_path / "bundle")
    for kept in ("medicine-0", "medicine-1", "medicine-2"):
        check_there(bundle, kept)
    assert "All about" in texts(bundle, "medicine-1")["index.html"]
