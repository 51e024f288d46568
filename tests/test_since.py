"""Since when a version is live: the first release of an unbroken row that has it, read back from the archive."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Final

import pytest
from releases import SITE
from test_prune import TOPICS, moment, pruned, publish, store, system

from outputs import archive, release
from pipeline.contracts import Released, Since, Store
from pipeline.errors import StoreError
from pipeline.plugins import System

__all__ = ["store", "system"]  # pytest finds the fixtures by their names here

DAYS: Final = 25


def live(system: System, store: Store) -> Released:
    found = release.current(store, SITE.prefix, system.signing)
    assert found
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_what_every_release_says(system: System, store: Store, seed: int) -> None:
    """Versions that come, go, come back and are withdrawn for a while: as reading each release whole gives it."""
    chance = random.Random(seed)
    said: list[tuple[int, str, dict[str, str]]] = []
    states: dict[int, str] = {}
    for day in range(DAYS):
        states = {**states, chance.randrange(TOPICS): chance.choice(["1", "2", f"{day}"])}
        gone = frozenset({1}) if 8 <= day < 12 else frozenset[int]()
        sequence = publish(system, store, day, states, gone).sequence
        now = live(system, store)
        if not said or said[-1][0] != sequence:
            said.append((sequence, now.created, {row.id: row.version for row in now.content.rows}))
        found = archive.since(store, SITE.prefix, now, 1000)
        assert found == {(topic, "en"): expected(said, topic) for topic in said[-1][2]}
    pruned(system, store, DAYS)
    assert archive.since(store, SITE.prefix, live(system, store), 1000) == found


def expected(said: list[tuple[int, str, dict[str, str]]], topic: str) -> Since:
    version, first = said[-1][2][topic], said[-1]
    for one in reversed(said):
        if one[2].get(topic) != version:
            break
        first = one
    return Since(first[0], first[1], exact=True)


def test_what_is_not_read_or_not_kept_is_said(system: System, store: Store) -> None:
    for day in range(6):
        publish(system, store, day, {0: "1", 1: str(day)})
    now = live(system, store)
    assert archive.since(store, SITE.prefix, now, 1000)["topic-0", "en"] == Since(1, moment(0), exact=True)
    found = archive.since(store, SITE.prefix, now, 2)
    assert found["topic-0", "en"] == Since(4, moment(3), exact=False)
    assert found["topic-1", "en"] == Since(6, moment(5), exact=True)
    store.delete(f"{archive.home(SITE.prefix)}/releases/5.json")
    assert archive.since(store, SITE.prefix, now, 1000)["topic-1", "en"] == Since(6, moment(5), exact=False)


def test_no_more_is_read_than_must_be(system: System, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards that a release shares with the next one are not read again."""
    for day in range(5):
        publish(system, store, day, {0: "1"} if day < 4 else {0: "1", 1: "2"})
    read: list[str] = []

    whole, now = type(store).get, live(system, store)

    def get(self: Any, key: str, limit: int | None = None) -> Any:
        read.append(key)
        return whole(self, key, limit)

    monkeypatch.setattr(type(store), "get", get)
    archive.since(store, SITE.prefix, now, 1000)
    blobs = [key for key in read if "/blobs/" in key]
    assert len(blobs) <= 3  # two shards; those of a release that was replaced may be in the archive alone


@pytest.mark.parametrize("damage", [b"{}", b"[]", b"\xff", b'{"schema":"1"}'])
def test_an_altered_archive_is_refused(system: System, store: Store, damage: bytes, tmp_path: Path) -> None:
    for day in range(3):
        publish(system, store, day, {0: str(day)})
    now = live(system, store)
    for folder in ("releases", "targets"):
        path = next((tmp_path / "store" / archive.home(SITE.prefix) / folder).rglob("*.json"))
        whole = path.read_bytes()
        path.write_bytes(damage)
        with pytest.raises(StoreError):
            archive.since(store, SITE.prefix, now, 1000)
        path.write_bytes(whole)
