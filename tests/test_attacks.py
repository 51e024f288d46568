"""Attacks on the bucket: whoever can write there can stop a partner from getting news, and nothing else. Each is refused with a
message that says what happened; the installed bundle stays; and once the store is mended, the partner goes on by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from forked import killed_at
from releases import CREATED, SITE, Between, content, expected_files, key_pair, publish, root, signing, state, tree

from outputs import keys, pull, release
from outputs import signing as metadata
from outputs.stores import folder
from pipeline.contracts import Signing, Store
from pipeline.errors import Altered, Expired, StoreError, UsageError

POINTER = f"{SITE.prefix}/metadata/timestamp.json"
OWN = {"manifest.json", "SHA256SUMS"}
OTHER = replace(SITE, partner="hillside", id="kiosk", prefix="p/kiosk")


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "bundles" / "riverside"


def fetch(store: Store, dest: Path, **how: Any) -> pull.PullResult:
    return pull.pull(store, SITE.prefix, dest, **{"partner": "riverside", "site": "portal", "root": root(), **how})


def bundle(dest: Path) -> dict[str, bytes]:
    assert pull.verify(dest) == []
    return {path: data for path, data in tree(dest).items() if path not in OWN}


def put(store: Store, key: str, data: bytes) -> None:
    store.put(key, data, media_type="application/json")


def newest(store: Store, role: str) -> str:
    """The key of a role's newest metadata."""
    return max(key for key in state(store) if key.endswith(f".{role}.json"))


def older_pointer(store: Store, before: dict[str, bytes]) -> None:
    put(store, POINTER, before[POINTER])


def older_everything(store: Store, before: dict[str, bytes]) -> None:
    for key in state(store):
        store.delete(key)
    for key, data in before.items():
        put(store, key, data)


def manifest_edited(store: Store, _: dict[str, bytes]) -> None:
    for key, data in state(store).items():
        if "/targets/" in key:
            put(store, key, data.replace(b"riverside", b"riverbank"))


def blob_swapped(store: Store, _: dict[str, bytes]) -> None:
    one, other = (release.blob_key(SITE.prefix, file.sha256) for file in content(changed={0: "new"}).rows[0].files[:2])
    put(store, one, store.get(other)[0])


def blob_of_equal_size(store: Store, _: dict[str, bytes]) -> None:
    key = release.blob_key(SITE.prefix, content(changed={0: "new"}).rows[0].files[0].sha256)
    put(store, key, store.get(key)[0].replace(b"html", b"evil"))


def targets_edited(store: Store, _: dict[str, bytes]) -> None:
    key = newest(store, "targets")
    put(store, key, store.get(key)[0].replace(b'"sequence":2', b'"sequence":9'))


def pointer_edited(store: Store, _: dict[str, bytes]) -> None:
    put(store, POINTER, store.get(POINTER)[0].replace(b'"last_run":"2026', b'"last_run":"2027'))


def other_partner(store: Store, _: dict[str, bytes]) -> None:
    """All of another site's prefix, copied here: signed by the same keys, with higher numbers."""
    for number in range(5):
        publish(store, changed={0: f"{number}"}, site=OTHER)
    for key in state(store):
        if key.startswith("p/portal/"):
            store.delete(key)
    for key, data in state(store).items():
        if key.startswith("p/kiosk/"):
            put(store, key.replace("p/kiosk/", "p/portal/"), data)


def other_keys(store: Store, _: dict[str, bytes]) -> None:
    """A whole release of someone who has no key of ours."""
    for key in state(store):
        store.delete(key)
    release.put_files(store, SITE.prefix, files_of(content()), set())
    for number in range(4):
        live = release.current(store, SITE.prefix)
        changed = replace(content(), as_of=f"2026-03-0{number + 1}")
        release.publish(store, SITE, changed, live, run_id="evil", created=CREATED, signing=signing("theirs"))


def files_of(_: object) -> Iterator[Any]:
    from releases import bundle_files, topic_files

    yield from (file for number in range(3) for file in topic_files(number))
    yield from bundle_files()


def a_root_of_their_own(store: Store, _: dict[str, bytes]) -> None:
    """The next version of the root, signed by another key."""
    put(store, f"{SITE.prefix}/metadata/2.root.json", root("theirs").replace(b'"version":1', b'"version":2'))


ATTACKS: list[tuple[Callable[[Store, dict[str, bytes]], None], str]] = [
    (older_pointer, "a rollback"),
    (older_everything, "a rollback"),
    (manifest_edited, "was altered"),
    (blob_swapped, "was altered"),
    (blob_of_equal_size, "was altered"),
    (targets_edited, "metadata was altered"),
    (pointer_edited, "not signed by the publisher's keys"),
    (other_partner, "another partner's"),
    (other_keys, "not signed by the publisher's keys"),
    (a_root_of_their_own, "not signed by the publisher's keys"),
]


@pytest.mark.parametrize(("attack", "said"), ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_refused(disk: Store, dest: Path, attack: Callable[[Store, dict[str, bytes]], None], said: str) -> None:
    publish(disk)
    before = state(disk)
    fetch(disk, dest)
    publish(disk, changed={0: "new"})
    if attack in (older_pointer, older_everything):
        fetch(disk, dest)
    held, good = bundle(dest), state(disk)
    attack(disk, before)
    for _ in range(2):
        with pytest.raises(Altered) as caught:
            fetch(disk, dest)
        assert said in str(caught.value)
        assert "to do:" in str(caught.value)
        assert caught.value.exit_code == 7
        assert bundle(dest) == held
    for key in state(disk):
        disk.delete(key)
    for key, data in good.items():
        put(disk, key, data)
    fetch(disk, dest)
    assert bundle(dest) == expected_files(changed={0: "new"})


@pytest.mark.parametrize("attack", [other_keys, other_partner], ids=lambda attack: attack.__name__)
def test_refused_at_the_first_pull(disk: Store, dest: Path, attack: Callable[[Store, dict[str, bytes]], None]) -> None:
    publish(disk)
    attack(disk, {})
    with pytest.raises(Altered):
        fetch(disk, dest)
    assert not dest.exists()


def test_the_publisher_is_not_fooled_either(disk: Store) -> None:
    publish(disk)
    other_keys(disk, {})
    with pytest.raises(Altered, match="not signed by our keys"):
        release.current(disk, SITE.prefix, signing())


def test_a_first_pull_needs_a_root(disk: Store, dest: Path) -> None:
    publish(disk)
    with pytest.raises(UsageError, match="needs the publisher's root"):
        fetch(disk, dest, root=b"")
    for wrong in (b"{}", b"", disk.get(POINTER)[0]):
        with pytest.raises(UsageError):
            fetch(disk, dest, root=wrong)
    assert fetch(disk, dest).state == "installed"
    publish(disk, changed={0: "new"})
    assert fetch(disk, dest, root=b"").state == "installed"


def test_a_restored_bucket_is_brought_past_what_partners_have_seen(disk: Store, dest: Path) -> None:
    """Honestly restored, it looks like a rollback; `resume --past` publishes it under new numbers."""
    publish(disk)
    backup = state(disk)
    for number in range(4):
        publish(disk, changed={0: f"{number}"})
        fetch(disk, dest)
    older_everything(disk, backup)
    with pytest.raises(Altered, match="must be >= 5") as caught:
        fetch(disk, dest)
    assert "resume --past" in str(caught.value)
    done = release.advance(disk, SITE.prefix, past=5, run_id="r", created=CREATED, signing=signing())
    assert done
    assert (done.state, done.sequence) == ("published", 6)
    assert fetch(disk, dest).sequence == 6
    assert bundle(dest) == expected_files()
    assert publish(disk, changed={0: "new"}).sequence == 7
    assert fetch(disk, dest).sequence == 7
    assert release.advance(disk, "p/none", past=5, run_id="r", created=CREATED, signing=signing()) is None


# --- time -----------------------------------------------------------------------------------------


def short_lived(tmp_path: Path, days: int = 14) -> Signing:
    found = keys.load(key_pair(tmp_path / "keys"))
    assert found
    return replace(found, days=dict.fromkeys(found.days, days))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock of python-tuf to so many days after CREATED."""
    from tuf.api import _payload
    from tuf.ngclient._internal import trusted_metadata_set

    real = datetime

    class Clock(real):  # type: ignore[misc, valid-type]
        day = 0

        @classmethod
        def now(cls, tz: Any = None) -> Any:  # noqa: ARG003 - as datetime has it
            return metadata.moment(CREATED) + timedelta(days=cls.day)

    class Module:
        def __getattr__(self, name: str) -> Any:
            import datetime as module

            return Clock if name == "datetime" else getattr(module, name)

    monkeypatch.setattr(trusted_metadata_set, "datetime", Module())
    monkeypatch.setattr(_payload, "datetime", Clock)

    def to(day: int) -> None:
        Clock.day = day

    return to


def run_on(disk: Store, keys: Signing, day: int, changed: dict[int, str] | None = None) -> None:
    """A run on that day."""
    created = (metadata.moment(CREATED) + timedelta(days=day)).isoformat()
    live = release.current(disk, SITE.prefix, keys)
    from releases import bundle_files, topic_files

    files = [file for number in range(3) for file in topic_files(number, (changed or {}).get(number, ""))]
    release.put_files(disk, SITE.prefix, [*files, *bundle_files()], set())
    release.publish(disk, SITE, content(changed=changed), live, run_id="r", created=created, signing=keys)


def test_expired_metadata_is_refused_and_the_bundle_stays(
    disk: Store, dest: Path, tmp_path: Path, clock: Callable[[int], None]
) -> None:
    ours = short_lived(tmp_path)
    run_on(disk, ours, 0)
    clock(1)
    fetch(disk, dest)
    clock(15)  # frozen: the store shows the same for ever
    watched = Between(disk)
    with pytest.raises(Expired, match="out of date") as caught:
        fetch(watched, dest)
    assert caught.value.exit_code == 6
    assert len(watched.calls) == 1
    assert bundle(dest) == expected_files()
    shutil.rmtree(dest.parent)
    with pytest.raises(Expired):
        fetch(disk, dest)
    release.resign(disk, SITE.prefix, created=(metadata.moment(CREATED) + timedelta(days=15)).isoformat(), signing=ours)
    assert fetch(disk, dest).state == "installed"


def test_every_run_renews_what_is_past_half_its_life(
    disk: Store, dest: Path, tmp_path: Path, clock: Callable[[int], None]
) -> None:
    ours = replace(short_lived(tmp_path), days={"targets": 40, "snapshot": 20, "timestamp": 10})
    seen = []
    for day in range(0, 60, 6):
        run_on(disk, ours, day)
        clock(day + 5)
        fetch(disk, dest)
        live = metadata.read(disk, SITE.prefix, ours)
        assert live
        assert live.pointer.sequence == 1
        seen.append((live.targets.signed.version, live.snapshot.signed.version, live.timestamp.signed.version))
    assert [item[2] for item in seen] == list(range(1, 11))
    assert seen[-1][0] == 3
    assert seen[-1][1] >= 5


def test_resign_says_when_a_run_last_looked(disk: Store) -> None:
    publish(disk)
    before = metadata.read(disk, SITE.prefix, signing())
    done = release.resign(disk, SITE.prefix, created="2026-03-05T00:00:00Z", signing=signing())
    after = metadata.read(disk, SITE.prefix, signing())
    assert before
    assert after
    assert done
    assert done.sequence == 1
    assert after.last_run == before.last_run == CREATED
    assert after.timestamp.signed.version == before.timestamp.signed.version + 1
    assert release.resign(disk, "p/none", created=CREATED, signing=signing()) is None


def test_nothing_is_valid_longer_than_the_agreement() -> None:
    now = metadata.moment("2026-03-01T00:00:00Z")
    ours = replace(signing(), days={"targets": 180, "snapshot": 60, "timestamp": 14})
    assert metadata.expiry("targets", now, ours, "") - now == timedelta(days=180)
    assert metadata.expiry("targets", now, ours, "2026-03-31").isoformat() == "2026-04-01T00:00:00+00:00"
    assert metadata.expiry("timestamp", now, ours, "2026-03-31") - now == timedelta(days=14)
    assert metadata.expiry("timestamp", now, ours, "2025-12-31") - now == timedelta(days=14)  # a withdrawal of one that ended


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "roles", [metadata.ONLINE, ("root",), ("root", *metadata.ONLINE), ()], ids=["online", "root", "all", "none"]
)
def test_partners_go_on_after_keys_are_rotated(disk: Store, dest: Path, tmp_path: Path, roles: tuple[str, ...]) -> None:
    place = key_pair(tmp_path / "keys")
    ours = keys.load(place)
    assert ours
    run_on(disk, ours, 0)
    fetch(disk, dest, root=ours.roots[0])
    keys.rotate(place, roles, metadata.moment(CREATED))
    newer = keys.load(place)
    assert newer
    assert len(newer.roots) == 2
    release.resign(disk, SITE.prefix, created=CREATED, signing=newer)
    assert fetch(disk, dest, root=b"").state == "unchanged"
    run_on(disk, newer, 1, {0: "new"})
    assert fetch(disk, dest, root=b"").state == "installed"
    assert fetch(disk, dest.with_name("new"), root=newer.roots[1]).state == "installed"
    if "timestamp" in roles:  # what the old online key signs from now on is refused
        old = replace(ours, keys=dict.fromkeys(metadata.ONLINE, f"file:{tmp_path}/keys/online.pem.old-1"))
        live = metadata.read(disk, SITE.prefix)
        assert live
        forged = metadata.prepare(disk, SITE.prefix, live.pointer, live, old, metadata.moment(CREATED), last_run=CREATED)
        put(disk, POINTER, forged.timestamp)
        with pytest.raises(Altered, match="not signed by the publisher's keys"):
            fetch(disk, dest, root=b"")


def test_a_rotation_needs_the_root_key(tmp_path: Path) -> None:
    place = key_pair(tmp_path / "keys")
    (tmp_path / "keys/root.pem").rename(tmp_path / "safe.pem")
    before = tree(tmp_path / "keys")
    with pytest.raises(UsageError, match=r"root\.pem can not be used"):
        keys.rotate(place, metadata.ONLINE, metadata.moment(CREATED))
    assert tree(tmp_path / "keys") == before
    away = replace(place, keys={**place.keys, "root": f"file:{tmp_path}/safe.pem"})
    assert keys.rotate(away, metadata.ONLINE, metadata.moment(CREATED))


def test_a_shared_key_is_rotated_for_all_that_share_it(tmp_path: Path) -> None:
    place = key_pair(tmp_path / "keys")
    before = tree(tmp_path / "keys")
    with pytest.raises(UsageError, match="targets has the same key as snapshot, timestamp"):
        keys.rotate(place, ("targets",), metadata.moment(CREATED))
    assert tree(tmp_path / "keys") == before


@pytest.mark.parametrize("roles", [metadata.ONLINE, ("root", *metadata.ONLINE)], ids=["online", "all"])
def test_a_rotation_that_is_killed(tmp_path: Path, roles: tuple[str, ...]) -> None:
    """Before each of its steps on the disk: a run still signs with what is there, and the next rotation goes on."""
    step = 0
    while True:
        step += 1
        place = key_pair(tmp_path / f"{step}")
        killed = killed_at(lambda place=place: keys.rotate(place, roles, metadata.moment(CREATED)), step)  # type: ignore[misc]
        ours = keys.load(place)
        assert ours
        store = folder.open(str(tmp_path / f"store-{step}"), {})
        run_on(store, ours, 0)
        assert metadata.read(store, SITE.prefix, ours)
        assert keys.rotate(place, roles, metadata.moment(CREATED))
        if not killed:
            break
    assert step > 8


def test_keys_from_the_environment(tmp_path: Path, disk: Store, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = key_pair(tmp_path / "keys")
    monkeypatch.setenv("ONLINE_KEY", (tmp_path / "keys/online.pem").read_text())
    (tmp_path / "keys/online.pem").unlink()
    ours = keys.load(replace(place, keys={**place.keys, **dict.fromkeys(metadata.ONLINE, "env:ONLINE_KEY")}))
    assert ours
    run_on(disk, ours, 0)
    assert fetch(disk, dest, root=ours.roots[0]).state == "installed"
    for value in ("", "not a key", (tmp_path / "keys/root.pem").read_text()):
        monkeypatch.setenv("ONLINE_KEY", value)
        with pytest.raises(UsageError, match="the signing key env:ONLINE_KEY can not be used"):
            run_on(disk, ours, 1)
    monkeypatch.delenv("ONLINE_KEY")
    with pytest.raises(UsageError, match="no variable ONLINE_KEY"):
        run_on(disk, ours, 1)


def test_keys_are_never_made_anew_over_others(tmp_path: Path) -> None:
    place = key_pair(tmp_path / "keys")
    before = tree(tmp_path / "keys")
    with pytest.raises(UsageError, match="holds keys already"):
        keys.init(place, metadata.moment(CREATED))
    assert tree(tmp_path / "keys") == before
    assert (tmp_path / "keys/root.pem").exists()
    shutil.copy(tmp_path / "keys/1.root.json", tmp_path / "keys/2.root.json")
    with pytest.raises(UsageError, match="not signed by the root before it"):
        keys.load(place)


def test_new_key_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder_ = tmp_path / "new"
    uris = {role: f"file:{folder_}/{'root' if role == 'root' else 'online'}.pem" for role in keys.ROLES}
    keys.init(keys.Place(folder_, uris, dict.fromkeys(keys.ROLES, 10)), metadata.moment(CREATED))
    assert {path.name: path.stat().st_mode & 0o777 for path in folder_.glob("*.pem")} == {"root.pem": 0o600, "online.pem": 0o600}


def test_nothing_is_published_unsigned(disk: Store) -> None:
    with pytest.raises(UsageError, match="no signing keys"):
        release.publish(disk, SITE, content(), None, run_id="r", created=CREATED)
    with pytest.raises(StoreError):
        disk.get(POINTER)
