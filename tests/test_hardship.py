"""Hardship: bad networks, killed processes, racing runs. After each, every pull gives a complete, verified release, old or new,
and the next run goes on with no repair by hand.

How many: SYNDICATION_KILLS (default 4, by kind of store), SYNDICATION_STORMS (1), SYNDICATION_RACES (3 rounds of 4 publishers).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import pytest
from faults import Proxy, proxy
from releases import CREATED, SITE, bundle_files, content, expected_files, publish, root, signing, topic_files, tree
from seaweed import Place, s3_place

from outputs import pull, release
from outputs import signing as metadata
from outputs.stores import folder, s3
from pipeline.contracts import Store
from pipeline.errors import RaceLost, StoreError

__all__ = ["s3_place"]
KILLS: Final = int(os.environ.get("SYNDICATION_KILLS", "4"))
STORMS: Final = int(os.environ.get("SYNDICATION_STORMS", "1"))
RACES: Final = int(os.environ.get("SYNDICATION_RACES", "3"))
OWN = {"manifest.json", "SHA256SUMS"}
FAULTS: Final = ("busy", "error", "reset", "lost", "cut", "stall")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return folder.open(str(tmp_path / "store"), {})
    place: Place = request.getfixturevalue("s3_place")
    return place.open()


def fetch(store: Store, dest: Path) -> dict[str, bytes]:
    """The files of the bundle after a pull, which is proven."""
    pull.pull(store, SITE.prefix, dest, partner="riverside", site="portal", root=root())
    assert pull.verify(dest) == []
    return {path: data for path, data in tree(dest).items() if path not in OWN}


def live_sequence(store: Store) -> int:
    live = metadata.read(store, SITE.prefix, signing())
    return live.pointer.sequence if live else 0


# --- a bad network --------------------------------------------------------------------------------


@pytest.fixture
def storm(s3_place: Place, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A proxy, the store behind it, and the store without it."""
    monkeypatch.setattr(s3, "ATTEMPTS", 2)
    monkeypatch.setattr(s3, "READ_SECONDS", 1)
    monkeypatch.setattr(release, "PAUSES", (0.0, 0.0, None))
    with proxy(s3_place.settings["endpoint_url"]) as between:
        between.stall = 1.5
        yield between, s3_place.open(endpoint_url=between.url), s3_place.open()


@pytest.mark.parametrize("seed", range(STORMS))
def test_publish_and_pull_in_a_storm(storm: tuple[Proxy, Store, Store], tmp_path: Path, seed: int) -> None:
    between, through, direct = storm
    publish(direct, topics=2)
    chance = random.Random(seed)
    for number in range(2):
        changed = {0: f"{seed} {number}"}
        before = fetch(direct, tmp_path / "direct")
        between.faults[:] = [chance.choice(FAULTS) if chance.random() < 0.2 else "" for _ in range(400)]
        tries = 0
        while True:
            tries += 1
            assert tries < 12, "no run came through"
            try:
                publish(through, 2, changed)
                break
            except StoreError:
                assert fetch(direct, tmp_path / "direct") in (before, expected_files(2, changed))
        assert live_sequence(direct) == number + 2
        for _ in range(12):
            try:
                assert fetch(through, tmp_path / "through") == expected_files(2, changed)
                break
            except StoreError:
                if (tmp_path / "through").exists():
                    assert pull.verify(tmp_path / "through") == []
        else:
            pytest.fail("no pull came through")
    assert any(" " in seen for seen in between.seen)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_the_pointer(storm: tuple[Proxy, Store, Store], tmp_path: Path, fault: str) -> None:
    """Its move, with each fault: done or not done, never half, never called a race. Four requests come after it: the copies'."""
    between, through, direct = storm
    publish(direct, topics=1)
    publish(through, topics=1, changed={0: "count"})
    between.faults[:] = [""] * (len(between.seen) - 5) + [fault]
    try:
        publish(through, topics=1, changed={0: "new"})
    except StoreError:
        publish(direct, topics=1, changed={0: "new"})
    assert live_sequence(direct) == 3
    assert fetch(direct, tmp_path / "b") == expected_files(1, {0: "new"})


# --- killed ---------------------------------------------------------------------------------------


def killed_after(seconds: float, work: Callable[[], object]) -> bool:
    """Runs `work` in a child that is killed (SIGKILL) after so long; False where it had ended."""
    child = get_context("fork").Process(target=work)
    child.start()
    child.join(seconds)
    if child.is_alive():
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        return True
    return False


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_killed_at_any_moment(store: Store, tmp_path: Path) -> None:
    """Publish, then pull, each killed at a random moment; then everything is whole, and goes on."""
    publish(store, topics=2)
    fetch(store, tmp_path / "b")
    chance = random.Random(7)
    started = time.monotonic()
    publish(store, 2, {0: "timed"})
    longest = (time.monotonic() - started) * 1.1
    kills = 0
    for number in range(KILLS):
        before, sequence = fetch(store, tmp_path / "b"), live_sequence(store)
        changed = {0: f"{number}"}
        kills += killed_after(chance.uniform(0, longest), lambda changed=changed: publish(store, 2, changed))  # type: ignore[misc]
        kills += killed_after(chance.uniform(0, longest), lambda: fetch(store, tmp_path / "b"))
        assert pull.verify(tmp_path / "b") == []
        found = fetch(store, tmp_path / "b")
        assert found in (before, expected_files(2, changed))
        assert publish(store, 2, changed).sequence == sequence + 1
        assert fetch(store, tmp_path / "b") == expected_files(2, changed)
        assert fetch(store, tmp_path / f"new{number}") == expected_files(2, changed)
    assert kills > 0


# --- racing ---------------------------------------------------------------------------------------


def test_of_four_racing_publishers_one_wins(store: Store, tmp_path: Path) -> None:
    """Each reads, stores and publishes by itself; a loser has harmed nothing, and sequences have no gap that a partner sees."""
    publish(store, topics=1)
    for number in range(RACES):
        before = release.current(store, SITE.prefix, signing())

        def run(racer: int, number: int = number, before: Any = before) -> str:
            changed = {0: f"{number} {racer}"}
            release.put_files(store, SITE.prefix, [*topic_files(0, changed[0]), *bundle_files()], set())
            try:
                release.publish(store, SITE, content(1, changed), before, run_id=f"{racer}", created=CREATED, signing=signing())
            except RaceLost:
                return ""
            return changed[0]

        with ThreadPoolExecutor(4) as pool:
            won = [state for state in pool.map(run, range(4)) if state]
        assert len(won) == 1
        assert live_sequence(store) == number + 2
        assert fetch(store, tmp_path / "b") == expected_files(1, {0: won[0]})
