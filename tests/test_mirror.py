"""Delivery into a partner's own bucket (outputs/mirror.py): the same signed release, pointer last."""

from __future__ import annotations

import json
from dataclasses import replace
from mailbox import hook
from pathlib import Path

import pytest
from demo import command
from releases import SITE, Between, Dying, Killed, expected_files, publish, root, signing, state, tree
from seaweed import Place, s3_place

from outputs import mirror, pull, release
from outputs.stores import folder
from pipeline import starter
from pipeline.contracts import Store
from pipeline.errors import Altered, StoreError

__all__ = ["s3_place"]
OWN = {"manifest.json", "SHA256SUMS"}


@pytest.fixture
def ours(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "ours"), {})


@pytest.fixture(params=["folder", "s3"])
def theirs(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return folder.open(str(tmp_path / "theirs"), {})
    place: Place = request.getfixturevalue("s3_place")
    return place.open()


def fetched(store: Store, dest: Path) -> dict[str, bytes]:
    pull.pull(store, SITE.prefix, dest, partner="riverside", site="portal", root=root())
    assert pull.verify(dest) == []
    return {path: data for path, data in tree(dest).items() if path not in OWN}


def test_only_what_is_missing_travels(ours: Store, theirs: Store, tmp_path: Path) -> None:
    assert mirror.deliver(ours, theirs, SITE.prefix, signing()) is None
    publish(ours, site=replace(SITE, zip=True))
    done = mirror.deliver(ours, theirs, SITE.prefix, signing())
    assert done
    assert (done.state, done.sequence) == ("delivered", 1)
    assert state(theirs) == state(ours)
    assert fetched(theirs, tmp_path / "b") == expected_files()
    assert mirror.deliver(ours, theirs, SITE.prefix, signing()) == mirror.Delivered("unchanged", 1)
    publish(ours, changed={0: "new"}, site=replace(SITE, zip=True))
    done = mirror.deliver(ours, theirs, SITE.prefix, signing())
    assert done
    assert done.objects == 3 + 2 + 1 + 1 + 2  # files, shard and changes, manifest, zip, targets and snapshot
    assert fetched(theirs, tmp_path / "b") == expected_files(changed={0: "new"})
    release.resign(ours, SITE.prefix, created="2026-03-05T00:00:00Z", signing=signing())
    done = mirror.deliver(ours, theirs, SITE.prefix, signing())
    assert done
    assert done.objects == 0


def test_a_delivery_that_dies_anywhere_is_invisible(ours: Store, tmp_path: Path) -> None:
    theirs = folder.open(str(tmp_path / "theirs"), {})
    publish(ours, topics=1)
    mirror.deliver(ours, theirs, SITE.prefix, signing())
    for step in range(1, 60):
        before = fetched(theirs, tmp_path / "b")
        publish(ours, 1, {0: f"{step}"})
        try:
            mirror.deliver(ours, Dying(theirs, step, late=False), SITE.prefix, signing())
            break
        except Killed:
            assert fetched(theirs, tmp_path / "b") in (before, expected_files(1, {0: f"{step}"}))
    assert step > 8
    assert fetched(theirs, tmp_path / "b") == expected_files(1, {0: f"{step}"})


def test_a_release_that_comes_between_is_delivered_whole(ours: Store, tmp_path: Path) -> None:
    """Ours is published again after its metadata were read, and before the bytes of its pointer are."""
    publish(ours)
    rounds = iter(range(1))

    class Busy(Between):
        def before(self, operation: str, key: str) -> None:
            reads = self.calls.count(("get", f"{SITE.prefix}/metadata/timestamp.json"))
            if (operation, key.rpartition("/")[2]) == ("get", "timestamp.json") and reads == 2 and next(rounds, None) is not None:
                publish(ours, changed={0: "new"})

    theirs = folder.open(str(tmp_path / "theirs"), {})
    done = mirror.deliver(Busy(ours), theirs, SITE.prefix, signing())
    assert done
    assert next(rounds, None) is None
    assert done.sequence == 2
    assert fetched(theirs, tmp_path / "b") == expected_files(changed={0: "new"})


def test_what_is_newer_or_altered_is_not_delivered(ours: Store, tmp_path: Path) -> None:
    theirs = folder.open(str(tmp_path / "theirs"), {})
    publish(ours)
    backup = state(ours)
    publish(ours, changed={0: "new"})
    mirror.deliver(ours, theirs, SITE.prefix, signing())
    for key in state(ours):
        ours.delete(key)
    for key, data in backup.items():
        ours.put(key, data, media_type="text/plain")
    with pytest.raises(StoreError, match="is newer than what we would deliver"):
        mirror.deliver(ours, theirs, SITE.prefix, signing())
    other = folder.open(str(tmp_path / "other"), {})
    (key,) = [key for key, data in state(ours).items() if data == expected_files()["en/topic-0/index.html"]]
    ours.put(key, ours.get(key)[0].replace(b"html", b"evil"), media_type="text/html")
    watched = Between(other)
    with pytest.raises(Altered):
        mirror.deliver(ours, watched, SITE.prefix, signing())
    assert f"{SITE.prefix}/metadata/timestamp.json" not in watched.keys("put")


def test_the_command(tmp_path: Path) -> None:
    starter.write(tmp_path / "p")
    file = tmp_path / "p/partners/first-partner.toml"
    file.write_text(f'{file.read_text()}\n[delivery]\nstore = "{tmp_path}/theirs"\n')
    config = ("-c", str(tmp_path / "p/syndication.toml"))
    command("run", *config, "-w", "1", "--as-of", "2026-06-01")
    assert "release 1 delivered" in command("deliver", *config)
    assert "release 1 unchanged" in command("deliver", *config)
    words = ("pull", str(tmp_path / "theirs"), str(tmp_path / "b"), "--partner", "first-partner")
    command(*words, "--root", str(tmp_path / "p/keys/root.json"))


# --- as the last step of runs ---------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A starter project whose partner has a bucket of its own, which runs serve."""
    starter.write(tmp_path / "project")
    partner = tmp_path / "project/partners/first-partner.toml"
    partner.write_text(partner.read_text() + '\n[delivery]\nstore = "../theirs"\nautomatic = true\n')
    return tmp_path / "project"


def called(project: Path, *words: str, code: int = 0) -> str:
    return command(*words, "-c", str(project / "syndication.toml"), codes=(code,), HOOK_SECRET="agreed")  # noqa: S106 - of a test


def live_in(project: Path, place: str) -> bytes:
    where = project / "build/store" if place == "ours" else project.parent / "theirs"
    return (where / "p/first-partner/metadata/timestamp.json").read_bytes()


def test_runs_withdrawals_and_resigning_deliver(project: Path) -> None:
    decide = ("--reason", "safety", "--severity", "immediate", "--action", "recall", "--act-by", "2099-12-31", "--by", "Ana")
    for words in (("run",), ("run",), ("withdraw", "drinking-water", *decide), ("resign",)):
        before = live_in(project, "theirs") if (project.parent / "theirs").exists() else b""
        called(project, *words)
        assert live_in(project, "theirs") == live_in(project, "ours") != before
    store = folder.open(str(project.parent / "theirs"), {})
    done = pull.pull(store, "p/first-partner", project.parent / "bundle", root=(project / "keys/root.json").read_bytes())
    assert done.sequence == 2
    assert "Do not use it" in (project.parent / "bundle/en/drinking-water/drinking-water.txt").read_text()


def test_a_bucket_that_fails_holds_up_nobody_and_is_served_by_the_next_run(project: Path) -> None:
    """It is that site's failure alone, its partner is told when the copy is there, and a run that finds nothing due makes it."""
    (project.parent / "theirs").write_text("a file")
    partner = project / "partners/first-partner.toml"
    other = partner.read_text().replace("first-partner", "second").partition("\n[delivery]")[0]
    (project / "partners/second.toml").write_text(other)
    with hook() as server:
        partner.write_text(f'{partner.read_text()}[webhook]\nurl = "{server.url}"\nsecret_env = "HOOK_SECRET"\n')
        report = json.loads(called(project, "run", "--json", code=4))
        states = {site["site"]: (site["state"], site["exit_code"]) for site in report["sites"]}
        assert states == {"first-partner": ("undelivered", 4), "second": ("published", 0)}
        assert "not copied into the partner's own bucket" in report["sites"][0]["error"]
        called(project, "run", "--due", code=4)
        assert server.requests == []
        (project.parent / "theirs").unlink()
        called(project, "run", "--due")
        assert [headers["webhook-id"] for headers, _ in server.requests] == ["first-partner.1"]
        assert live_in(project, "theirs") == live_in(project, "ours")
        called(project, "run", "--due")
        assert len(server.requests) == 1
