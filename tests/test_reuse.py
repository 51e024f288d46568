"""What uses what is saved before anything is published, and never lost between two runs."""

from __future__ import annotations

from pathlib import Path

from releases import Between

from outputs.stores import folder
from pipeline import reuse
from pipeline.contracts import Store

DOSE = {("dose", "en"): frozenset({"dose.dita", "shared.dita"})}
FEVER = {("fever", "en"): frozenset({"fever.dita"})}


def place(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


def test_what_is_not_settled_keeps_what_it_used(tmp_path: Path) -> None:
    """A run notes all before it publishes; who dies then leaves what is live in the graph, and what may be."""
    store, now = place(tmp_path), {("dose", "en"): frozenset({"dose.dita"})}
    assert reuse.note(store, DOSE, DOSE) == []
    assert reuse.note(store, now, ()) == []
    assert reuse.users(reuse.read(store), "shared.dita") == [("dose", "en")]
    assert reuse.note(store, now, now) == []
    assert reuse.read(store) == now


def test_two_runs_lose_nothing_of_each_other(tmp_path: Path) -> None:
    store = place(tmp_path)
    reuse.note(store, {("old", "en"): frozenset({"old.dita"})}, ())
    rounds = iter(range(2))

    class Busy(Between):
        def before(self, operation: str, key: str) -> None:
            if (operation, key) == ("put", reuse.KEY) and (number := next(rounds, None)) is not None:
                reuse.note(store, {(f"other-{number}", "en"): frozenset({"other.dita"})}, ())

    assert reuse.note(Busy(store), FEVER, FEVER) == []
    assert {key[0] for key in reuse.read(store)} == {"old", "other-0", "other-1", "fever"}


def test_a_store_that_takes_nothing_is_a_finding(tmp_path: Path) -> None:
    store = place(tmp_path)
    reuse.note(store, DOSE, ())
    (tmp_path / "store" / reuse.KEY).write_text("{")
    (finding,) = reuse.note(store, FEVER, ())
    assert (finding.code, finding.file) == ("reuse.not-saved", reuse.KEY)
    assert "is damaged" in finding.text
