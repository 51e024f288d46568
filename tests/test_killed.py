"""Prune and withdraw, killed (SIGKILL) at random moments, on a folder and on a real S3 server: before every operation on the file
system, or every request, it may be. Nothing is lost, every pull is whole, and what follows goes on with no repair by hand.

How many: KILLS (200 is what is promised; default 12 on a folder, a quarter of it on the server and for withdrawals).
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from forked import EVENTS, REQUESTS, killed_at, steps_of
from releases import SITE, topic_files
from seaweed import Place, s3_place
from test_prune import assert_whole, moment, pruned, publish, system
from test_withdraw import HOW, check_gone, command, on_s3, pulled, run

from benchmarks import library as shared_library
from outputs import archive
from outputs.stores import folder
from pipeline import history
from pipeline.contracts import Store
from pipeline.plugins import System

__all__ = ["s3_place", "system"]  # pytest finds fixtures by their names here

KILLS: Final = int(os.environ.get("KILLS", "12"))
FEW: Final = KILLS if "KILLS" in os.environ else max(3, KILLS // 4)  # of what takes a second or two each


@dataclass(frozen=True)
class Kind:
    """A kind of store: what counts as a step of whoever works with it, a new store of it, a library that is published there."""

    steps: Collection[str]
    kills: int
    store: Callable[[str], Store]
    library: Callable[[str], Path]


@pytest.fixture(params=["folder", "s3"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    def library(name: str) -> Path:
        return shared_library.make(tmp_path / name, topics=2, partners=2, sharing=1)

    if request.param == "folder":
        return Kind(EVENTS, KILLS, lambda name: folder.open(str(tmp_path / name), {}), library)
    place: Place = request.getfixturevalue("s3_place")

    def below(name: str) -> Place:
        return Place(f"{place.url}-{name}", place.settings)

    return Kind(REQUESTS, FEW, lambda name: below(name).open(), lambda name: on_s3(library(name), below(name)))


def moments(most: int, kills: int) -> Iterator[tuple[str, int]]:
    """A name for each round, and at which of `most` steps it is killed: spread over all of them."""
    chance = random.Random(11)
    for number in range(kills):
        first = 1 + most * number // kills
        yield str(number), chance.randint(first, max(first, most * (number + 1) // kills))


def published(system: System, store: Store) -> Store:
    """A store with three releases, and something to prune."""
    for day, states in enumerate(({0: "a"}, {0: "b"}, {0: "a", 1: "c"})):
        publish(system, store, day, states)
    pruned(system, store, 3)
    return store


def test_killed_prunes_lose_nothing(system: System, kind: Kind) -> None:
    """The live release is whole, the next run publishes, the next prune goes on, history is there."""
    measured = published(system, kind.store("measured"))
    most, killed = steps_of(lambda: pruned(system, measured, 40), kind.steps), 0
    for name, step in moments(most, kind.kills):
        store = published(system, kind.store(name))
        killed += killed_at(lambda store=store: pruned(system, store, 40), step, kind.steps)  # type: ignore[misc]
        assert_whole(system, store, {0: "a"})
        publish(system, store, 41, {0: "b", 1: "c"})
        assert_whole(system, store, {0: "b"})
        pruned(system, store, 42)
        pruned(system, store, 90)
        found = history.shown(system, store, SITE.prefix, "topic-0", "en", datetime.fromisoformat(moment(0)) + timedelta(hours=1))
        assert archive.blob(store, SITE.prefix, found.files[0].sha256) == topic_files(0, "a")[0].data
    assert killed > 0


def test_killed_withdrawals_are_finished_by_the_next_run(kind: Kind, tmp_path: Path) -> None:
    """Every pull is whole, with the topic or its notice; once it is decided, the next run makes it live everywhere."""

    def withdraw(config: Path) -> Callable[[], object]:
        return lambda: command("withdraw", "medicine-0", *HOW, config=config)

    measured = kind.library("measured")
    run(measured)
    most, killed = steps_of(withdraw(measured), kind.steps), 0
    for name, step in moments(most, FEW):
        config = kind.library(name)
        run(config)
        killed += killed_at(withdraw(config), step, kind.steps)
        for partner in ("partner-0", "partner-1"):
            pulled(config, partner, tmp_path / f"{name}-{partner}")
        decided = json.loads(command("decisions", "list", "--json", config=config).stdout)
        run(config)
        for partner in ("partner-0", "partner-1"):
            bundle = pulled(config, partner, tmp_path / f"{name}-{partner}")
            if decided:
                check_gone(bundle, "medicine-0")
    assert killed > 0
