"""Decisions that vanish from the store: whoever could publish a withdrawn topic again stops, and says the way out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from releases import state
from seaweed import Place, s3_place
from test_withdraw import HOW, check_gone, check_there, command, on_s3, pulled, run, store_of

from benchmarks import library as shared_library
from outputs import decisions
from pipeline.contracts import EditorialDecision, Store
from pipeline.standing import Standing

__all__ = ["s3_place"]
BY = ["--by", "Ana Silva"]


@pytest.fixture
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Two topics at two partners, published once; one topic withdrawn. In a folder, or where a test says so on S3."""
    config = shared_library.make(tmp_path / "library", topics=2, partners=2, sharing=1)
    if getattr(request, "param", "folder") == "s3":
        place: Place = request.getfixturevalue("s3_place")
        config = on_s3(config, place)
    run(config)
    command("correct", "medicine-1", "--note", "en=The dose is right now.", *BY, config=config)
    command("withdraw", "medicine-0", *HOW, config=config)
    return config


def forget(config: Path, *places: str) -> None:
    """Empties places that remember: the cache of this machine, the records of runs, the sites' pointers."""
    store = store_of(config)
    if "cache" in places:
        shutil.rmtree(config.parent / "build/cache", ignore_errors=True)
    if "records" in places:
        for key in list(state(store)):
            if key.startswith("runs/"):
                store.delete(key)
    if "sites" in places:
        for key, data in state(store).items():
            if key.endswith("/timestamp.json"):
                store.put(key, data.replace(b'"decisions"', b'"decisionx"'), media_type="application/json")


@pytest.mark.parametrize(
    ("library", "left"),
    [("folder", {"cache"}), ("folder", {"records"}), ("folder", {"sites"}), ("s3", {"records"}), ("s3", {"sites"})],
    indirect=["library"],
)
def test_the_newest_decision_is_gone(library: Path, left: set[str]) -> None:
    """Each place that remembers is enough. Nothing moves: the notice stays where the topic was."""
    run(library)
    store_of(library).delete("decisions/2.json")
    forget(library, *{"cache", "records"} - left)
    if "sites" not in left:
        forget(library, "sites")
    for words in (["run"], ["run", "--due"], ["withdraw", "medicine-1", *HOW], ["correct", "medicine-1", "--note", "en=x", *BY]):
        said = command(*words, config=library, code=4).stderr
        assert "decisions are missing, or were replaced" in said
        assert "decisions 1 to 2, as" in said
        assert "1 of them" in said
        assert "accept-lost" in said
    assert [key for key in state(store_of(library)) if key.startswith("decisions/")] == ["decisions/1.json"]


def test_all_are_gone_and_put_back(library: Path, tmp_path: Path) -> None:
    store = store_of(library)
    kept = {key: data for key, data in state(store).items() if key.startswith("decisions/")}
    for key in kept:
        store.delete(key)
    assert "0 of them" in command("run", config=library, code=4).stderr
    for key, data in kept.items():
        store.put(key, data, media_type="application/json")
    run(library)
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    check_gone(bundle, "medicine-0")
    check_there(bundle, "medicine-1")


def _another(store: Store) -> None:
    """Somebody with an old program decided after the loss: the numbers are whole again."""
    store.delete("decisions/2.json")
    decisions.append(store, EditorialDecision("correct", "2026-03-01T00:00:00+00:00", "Bo", topics=("medicine-1",)))


def _edited(store: Store) -> None:
    data = store.get("decisions/1.json")[0]
    store.put("decisions/1.json", data.replace(b"right now", b"wrong now"), media_type="application/json")


@pytest.mark.parametrize("change", [_another, _edited])
def test_one_was_replaced(library: Path, change: Callable[[Store], None]) -> None:
    change(store_of(library))
    said = command("run", config=library, code=4).stderr
    assert "others under the numbers up to 2" in said


@pytest.mark.parametrize(
    ("library", "gone"), [("folder", (2,)), ("folder", (1,)), ("folder", (1, 2)), ("s3", (2,))], indirect=["library"]
)
def test_the_way_out(library: Path, tmp_path: Path, gone: tuple[int, ...]) -> None:
    """What is live as withdrawn is listed, so that it can be withdrawn again; a note of the loss takes the numbers."""
    store = store_of(library)
    for number in gone:
        store.delete(f"decisions/{number}.json")
    listed = command("decisions", "accept-lost", "--dry-run", config=library).stdout
    assert "nothing was decided" in listed
    assert ("medicine-0 en, withdrawn by decision 2" in listed) == (2 in gone)
    assert "--by" in command("decisions", "accept-lost", config=library, code=2).stderr
    done = command("decisions", "accept-lost", *BY, "--approved-by", "Dr. Cho", config=library).stdout
    for number in gone:
        assert f"decision {number}, " in done
    assert done.count("lost, by Ana Silva, approved by Dr. Cho") == len(gone)
    if 2 in gone:
        command("withdraw", "medicine-0", *HOW, config=library)
    run(library)
    check_gone(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")
    shown = command("decisions", "list", "--all", config=library).stdout
    assert shown.count("lost, by Ana Silva") == len(gone)
    assert "no decision is lost" in command("decisions", "accept-lost", *BY, config=library, code=2).stderr


def test_who_looks_sees_what_is_there(library: Path) -> None:
    store_of(library).delete("decisions/2.json")
    done = command("decisions", "list", "--all", config=library, code=4)
    assert "decision 1, " in done.stdout
    assert "decisions are missing" in done.stderr
    done = command("decisions", "export", config=library, code=4)
    assert "medicine-1" in done.stdout


def test_a_decision_of_another_makes_no_release(library: Path) -> None:
    """The mark is signed with the pointer, and is no part of what is released."""
    before = {site["site"]: site["sequence"] for site in run(library)["sites"]}
    command("withdraw", "medicine-1", *HOW, "--language", "fr", "--in-advance", config=library)
    report = run(library)
    assert {site["site"]: (site["state"], site["sequence"]) for site in report["sites"]} == {
        name: ("unchanged", sequence) for name, sequence in before.items()
    }
    store_of(library).delete("decisions/3.json")
    assert "decisions 1 to 3" in command("run", config=library, code=4).stderr


def test_marks() -> None:
    one = EditorialDecision("correct", "2026-03-01T00:00:00+00:00", "A", number=1, sha256="1" * 64)
    two = replace(one, number=2, sha256="2" * 64)
    both = Standing((one, two))
    assert both.mark.startswith("2 ")
    assert both.knows(Standing((one,)).mark)
    assert not Standing((one,)).knows(both.mark)
    assert not Standing((one, replace(two, sha256="3" * 64))).knows(both.mark)
    assert not Standing((replace(one, sha256="3" * 64), two)).knows(both.mark)
    assert Standing((one, replace(two, kind="lost", sha256="3" * 64, accepted=(both.mark,)))).knows(both.mark)
    assert Standing().mark == ""


def test_a_decision_of_this_moment_is_not_taken_for_a_lost_one(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody withdraws while a run looks what was decided, between any two of its looks."""
    for place in ("read", "marks"):
        real = getattr(decisions, place)
        decided: list[int] = []

        def meanwhile(*words: object, place: str = place, real: Any = real, decided: list[int] = decided) -> object:
            if not decided:
                decided.append(1)
                language = "fr" if place == "read" else "de"
                command("withdraw", "medicine-1", *HOW, "--language", language, "--in-advance", config=library)
            return real(*words)

        monkeypatch.setattr(decisions, place, meanwhile)
        run(library)
        assert decided
        monkeypatch.setattr(decisions, place, real)
