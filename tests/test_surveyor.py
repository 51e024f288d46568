"""A catalog that is kept up while files change says what one says that is made from the start."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from edits import CONDITIONS, EXAMPLES, edit, edits, library, written
from hypothesis import example, given, settings
from hypothesis import strategies as st
from partners import topic

from pipeline.catalog import Catalog, Surveyor, survey
from pipeline.commands.building import build
from pipeline.contracts import Conditions, Entry, Files, Index, Unit
from pipeline.indexing import indexer_of


def _said(catalog: Catalog) -> dict[str, object]:
    """All that a catalog says, in its order."""
    data = {place: index.data for place, index in catalog.indexes.items() if hasattr(index.data, "pushes")}
    return {
        "names": list(catalog.files.names()),
        "metadata": list(catalog.metadata.items()),
        "findings": catalog.findings,
        "entries": {place: index.entries for place, index in catalog.indexes.items()},
        "ids": {place: index.ids for place, index in catalog.indexes.items()},
        "data": {place: index.data for place, index in catalog.indexes.items()},
        "pushes": {place: list(one.pushes.items()) for place, one in data.items()},
    }


@example(steps=[written(("topics/push.dita", 0)), written(("topics/push.dita", 2))])  # text comes into a file from elsewhere
@example(steps=[written(("topics/main.ditamap", 5), ("topics/shared/dose.dita", 2)), written(("topics/main.ditamap", 6))])
@example(steps=[written(("topics/asthma.dita", 2))])  # the id of another topic
@example(steps=[written(("topics/term.dita", 0)), written(("topics/main.ditamap", 3)), written(("topics/branch.ditaval", 1))])
@pytest.mark.parametrize("maps", ["", 'maps = ["topics/main.ditamap", "more/second.ditamap"]\n'])
@settings(max_examples=EXAMPLES, deadline=None)
@given(steps=st.lists(st.lists(edits, min_size=1, max_size=3), min_size=1, max_size=8))
def test_after_any_edits_it_is_as_made_from_the_start(
    maps: str, steps: list[list[tuple[str, str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "library"
    system = build(library(folder, maps))
    surveyor = Surveyor()
    surveyor.catalog(system, CONDITIONS)
    for step in steps:
        touched = {name for one in step for name in edit(folder, one)}
        assert _said(surveyor.catalog(system, CONDITIONS, touched)) == _said(survey(system, CONDITIONS))


def test_of_a_source_that_keeps_no_index_equal_entries_are_the_same_objects() -> None:
    asked: list[Sequence[str]] = []

    def index(_files: Files, names: Sequence[str], _conditions: Conditions) -> Index:
        asked.append(names)
        return Index(tuple(Entry(Unit(name), topic(id=name)) for name in names))

    indexer = indexer_of(cast(Any, SimpleNamespace(index=index)), Conditions())
    files = cast(Any, None)
    before = indexer.index(files, ["a", "b"])
    after = indexer.index(files, ["b", "c"], {"a", "c"})
    assert [entry.unit.file for entry in after.entries] == ["b", "c"]
    assert after.entries[0] is before.entries[1]
    assert indexer.index(files, [], {"b"}).entries == ()
    assert indexer.index(files, [], {"x"}).entries == ()
    assert asked == [["a", "b"], ["b", "c"], []]  # where nothing is claimed, nothing is asked again
