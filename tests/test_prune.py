"""Prune and archive: a year of history can be asked for any day; whoever publishes and whoever prunes never harm each other."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import releases
from releases import SITE, content, topic_files
from test_withdraw import HOW, command, pulled, run, system_of

from benchmarks import library as shared_library
from outputs import archive, manifest, packs, prune, pull, release
from outputs.stores import folder
from pipeline import handover, history
from pipeline.contracts import Content, Outcome, OutputFile, Pruned, Signing, Site, Store, Withdrawn
from pipeline.errors import StoreError
from pipeline.plugins import System
from pipeline.standing import Standing

YEAR = int(os.environ.get("ARCHIVE_DAYS", "120"))  # days of simulated history; 365 is what is promised
START = date(2026, 1, 1)
TOPICS = 4


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


@pytest.fixture
def system(tmp_path: Path) -> System:
    config = shared_library.make(tmp_path / "library", topics=1, partners=1, sharing=1)
    return replace(system_of(config), signing=releases.signing())


def moment(day: int) -> str:
    return datetime(START.year, START.month, START.day, 4, tzinfo=UTC).__add__(timedelta(days=day)).isoformat()


def terms_of(day: int) -> bytes:
    return f"terms of quarter {day // 90}".encode()


def publish(system: System, store: Store, day: int, states: dict[int, str], gone: frozenset[int] = frozenset()) -> Outcome:
    """A release as a run hands it over: topics in these states, some withdrawn."""
    whole = content(TOPICS, states, as_of=(START + timedelta(days=day)).isoformat())
    rows = tuple(row for number, row in enumerate(whole.rows) if number not in gone)
    files = [file for number in range(TOPICS) if number not in gone for file in topic_files(number, states.get(number, ""))]
    notices = [notice(number) for number in sorted(gone)]
    data = terms_of(day)
    said: Content = replace(
        whole,
        rows=rows,
        terms_sha256=hashlib.sha256(data).hexdigest(),
        withdrawn=tuple(withdrawn(number, file) for number, file in zip(sorted(gone), notices, strict=True)),
    )
    live = release.current(store, SITE.prefix, system.signing)
    return handover.hand_over(
        system,
        store,
        SITE,
        said,
        live,
        [*files, *notices, *releases.bundle_files()],
        run_id=str(day),
        created=moment(day),
        terms={said.terms_sha256: data},
        standing=Standing(),
    )


def notice(number: int) -> OutputFile:
    return OutputFile(f"en/topic-{number}/topic-{number}.txt", f"Topic {number} was withdrawn.\n".encode(), "text/plain")


def withdrawn(number: int, file: OutputFile) -> Withdrawn:
    told = {"en": file.data.decode()}
    words: dict[str, Any] = dict.fromkeys(("reason", "severity", "action", "at", "act_by", "contact", "replaced_by"), "")
    row = releases.file_row("text", file)
    return Withdrawn(1, f"topic-{number}", "en", (), notice=told, path=f"en/topic-{number}", files=(row,), **words)


def pruned(system: System, store: Store, day: int, **how: Any) -> Pruned:
    today = START + timedelta(days=day)
    settings: dict[str, Any] = {"today": today, "moment": moment(day), "grace_days": 30, "years": 10, **how}
    return prune.prune(store, SITE.prefix, system.signing, **settings)


def history_of_a_year() -> Iterator[tuple[int, dict[int, str], frozenset[int]]]:
    """What is published on which day: changes, reverts, a withdrawal that lasts, days on which nothing changes."""
    chance = random.Random(7)
    states: dict[int, str] = {}
    gone: frozenset[int] = frozenset()
    for day in range(YEAR):
        if chance.random() < 0.2:
            states = {**states, chance.randrange(TOPICS): chance.choice(["", "a", "b", f"day {day}"])}
        if day == YEAR // 3:
            gone = frozenset({1, 2})
        if day == YEAR * 2 // 5:
            gone = frozenset({2})
        if day == YEAR // 2:
            gone = frozenset()
        yield day, states, gone


def test_any_day_of_a_year_can_be_asked(system: System, store: Store) -> None:
    """After changes, reverts, withdrawals and prunes, each day gives the bytes that were live, and the terms."""
    expected: dict[int, tuple[dict[int, str], frozenset[int], int]] = {}
    moved = removed = 0
    for day, states, gone in history_of_a_year():
        published = publish(system, store, day, states, gone)
        expected[day] = states, gone, published.sequence
        if day % 30 == 29:
            done = pruned(system, store, day)
            moved, removed = moved + done.archived, removed + done.removed
    assert moved > 0
    assert removed == 0
    final = pruned(system, store, YEAR + 60)
    pruned(system, store, YEAR + 100)
    assert final.condemned + final.archived > 0
    live = release.current(store, SITE.prefix, system.signing)
    assert live
    assert set(packs.objects(live.content)) <= release.present(store, SITE.prefix)
    for day, (states, gone, sequence) in expected.items():
        for number in range(TOPICS):
            at = datetime.fromisoformat(moment(day)) + timedelta(hours=5)
            found = history.shown(system, store, SITE.prefix, f"topic-{number}", "en", at)
            assert found.lived.release.sequence == sequence
            assert found.terms == terms_of(day)
            wanted = [notice(number)] if number in gone else topic_files(number, states.get(number, ""))
            data = archive.files(store, SITE.prefix, found.content, found.files)
            given = {file.path: each for file, each in zip(found.files, data, strict=True)}
            assert given == {file.path: file.data for file in wanted}


def test_what_was_forgotten_after_the_years_set(system: System, store: Store) -> None:
    publish(system, store, 0, {0: "old"})
    publish(system, store, 1, {0: "new"})
    publish(system, store, 2, {0: "newer"})
    pruned(system, store, 3)
    pruned(system, store, 40)
    done = pruned(system, store, 3654)  # ten years and a day after the first was replaced
    assert done.expired == 1
    assert [past.sequence for past in archive.releases(store, SITE.prefix)] == [2]
    old = hashlib.sha256(topic_files(0, "old")[0].data).hexdigest()
    new = hashlib.sha256(topic_files(0, "new")[0].data).hexdigest()
    with pytest.raises(StoreError):
        archive.blob(store, SITE.prefix, old)
    assert archive.blob(store, SITE.prefix, new) == topic_files(0, "new")[0].data


def test_what_no_release_ever_named_goes_for_good(system: System, store: Store) -> None:
    publish(system, store, 0, {})
    orphan = OutputFile("x", b"left by a run that died", "text/plain")
    release.put_files(store, SITE.prefix, [orphan], set())
    assert pruned(system, store, 1).condemned == 1
    assert pruned(system, store, 30).removed == 0
    before = releases.state(store)
    assert pruned(system, store, 31, dry_run=True).removed == 1
    assert releases.state(store) == before
    assert pruned(system, store, 31).removed == 1
    with pytest.raises(StoreError):
        archive.blob(store, SITE.prefix, hashlib.sha256(orphan.data).hexdigest())


def test_what_comes_back_in_time_is_left_alone(system: System, store: Store) -> None:
    """A text is reverted while its old blobs are condemned: the release that names them again is whole."""
    publish(system, store, 0, {0: "a"})
    publish(system, store, 1, {0: "b"})
    pruned(system, store, 2)
    publish(system, store, 20, {0: "a"})
    pruned(system, store, 40)
    pruned(system, store, 80)
    assert_whole(system, store, {0: "a"})


def assert_whole(system: System, store: Store, states: dict[int, str]) -> None:
    live = release.current(store, SITE.prefix, system.signing)
    assert live
    for file in manifest.all_files(live.content):
        data, _ = store.get(release.blob_key(SITE.prefix, file.sha256))
        assert hashlib.sha256(data).hexdigest() == file.sha256
    assert {row.version for row in live.content.rows if row.id == "topic-0"} == {states.get(0, "")}


def test_old_zips_and_expired_signatures_go(store: Store, tmp_path: Path) -> None:
    """A zip that no live release names goes after its days of grace; metadata before the live one when it has expired."""
    keys = releases.signing()
    short, zipped = replace(keys, days=dict.fromkeys(keys.days, 30)), replace(SITE, zip=True)

    def put(day: int, site: Site, signed: Signing, state: str) -> None:
        live, said = release.current(store, SITE.prefix), content(1, {0: state})
        release.put_files(store, SITE.prefix, [*topic_files(0, state), *releases.bundle_files()], set())
        release.publish(store, site, said, live, run_id=str(day), created=moment(day), signing=signed)

    def left(folder: str) -> list[str]:
        return [stored.key.rpartition("/")[2] for stored in store.list(f"{SITE.prefix}/{folder}/")]

    def prune_on(day: int, **how: Any) -> Pruned:
        words: dict[str, Any] = {
            "today": START + timedelta(days=day),
            "moment": moment(day),
            "grace_days": 30,
            "years": 10,
            **how,
        }
        return prune.prune(store, SITE.prefix, keys, **words)

    put(0, zipped, short, "a")
    put(1, replace(SITE, zip=False), short, "b")
    put(50, replace(SITE, zip=False), keys, "c")
    (first,) = left("bundles")
    assert prune_on(20).outdated == 0
    assert left("bundles") == [first]
    before = releases.state(store)
    assert (found := prune_on(51, dry_run=True)).outdated == 4
    assert found.removed >= 1
    assert releases.state(store) == before
    assert prune_on(51) == found
    assert left("bundles") == []
    assert left("metadata") == ["1.root.json", "3.snapshot.json", "3.targets.json", "timestamp.json"]
    pull.pull(store, SITE.prefix, tmp_path / "b", root=releases.root())
    assert pull.verify(tmp_path / "b") == []


def test_a_release_never_needs_what_is_going(system: System, store: Store) -> None:
    """A publication between a prune's every two operations either comes first, or stops and succeeds later. Never is a live
    release without a blob."""
    stopped = 0
    for step in range(1, 60):
        inner = folder.open(f"{store.url}-{step}", {})
        publish(system, inner, 0, {0: "a"})
        publish(system, inner, 1, {0: "b"})
        pruned(system, inner, 2)

        class Meanwhile(releases.Between):
            done = False
            failed = False

            def before(self, operation: str, key: str) -> None:  # noqa: ARG002 - all operations count
                if len(self.calls) >= self.at and not self.done:
                    self.done = True
                    try:
                        publish(system, self.inner, 40, {0: "a"})
                    except StoreError:
                        self.failed = True

            at = step

        watched = Meanwhile(inner)
        pruned(system, watched, 40)
        if not watched.done:
            break
        if watched.failed:
            stopped += 1
            publish(system, inner, 41, {0: "a"})
        assert_whole(system, inner, {0: "a"})
    else:
        pytest.fail("prune takes more steps than were tried")
    assert stopped > 0


def test_the_commands(tmp_path: Path) -> None:
    """report topic gives what was live, with terms and bytes; prune says what it would do."""
    config = shared_library.make(tmp_path / "library", topics=2, partners=1, sharing=1)
    run(config)
    words = ["--partner", "partner-0", "--at", "2099-01-01"]
    done = command("report", "topic", "medicine-0", *words, "--output", str(tmp_path / "evidence"), config=config)
    assert "release 1, live from" in done.output
    assert "under A-partner-0, 1" in done.output
    terms = (tmp_path / "evidence/terms.json").read_text()
    assert '"id":"partner-0"' in terms
    page = (tmp_path / "evidence/en/medicine-0/index.html").read_bytes()
    assert page == (pulled(config, "partner-0", tmp_path / "bundle") / "en/medicine-0/index.html").read_bytes()
    command("withdraw", "medicine-0", *HOW, config=config)
    said = json.loads(command("report", "topic", "medicine-0", *words, "--json", config=config).stdout)
    assert (said["state"], said["withdrawn"]["reason"]) == ("withdrawn", "error")
    assert (
        "nothing was live"
        in command("report", "topic", "medicine-0", "--partner", "partner-0", "--at", "2000-01-01", config=config, code=2).stderr
    )
    assert "0 objects would be archived" in command("prune", "--dry-run", config=config).output
    command("prune", config=config)
    later = (datetime.now(UTC).date() + timedelta(days=60)).isoformat()
    assert json.loads(command("prune", "--as-of", later, "--json", config=config).stdout)[0]["archived"] > 0
