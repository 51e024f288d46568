"""Releases (outputs/release.py, manifest.py, pointer.py): what is stored, in which order, and what happens when a run dies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from forked import killed_at
from releases import (
    CREATED,
    SITE,
    Between,
    Dying,
    Killed,
    bundle_files,
    content,
    file_row,
    forge,
    publish,
    root,
    row,
    signing,
    state,
    topic_files,
)
from seaweed import Place, s3_place

from outputs import manifest, pull, release
from outputs import signing as metadata
from outputs.pointer import Pointer
from outputs.stores import folder
from pipeline.contracts import Content, FileRow, Moved, Outcome, OutputFile, Pack, Row, Store, Withdrawn
from pipeline.errors import NotFound, PreconditionFailed, RaceLost, StoreError, UsageError

__all__ = ["s3_place"]
CASES = Path(__file__).parent / "cases/release"
POINTER = f"{SITE.prefix}/metadata/timestamp.json"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return folder.open(str(tmp_path / "store"), {})
    place: Place = request.getfixturevalue("s3_place")
    return place.open()


def read_pointer(store: Store) -> Pointer | None:
    live = metadata.read(store, SITE.prefix, signing())
    return live.pointer if live else None


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


# --- publishing -----------------------------------------------------------------------------------


def test_a_release_is_read_back_as_it_was_written(store: Store) -> None:
    assert release.current(store, SITE.prefix) is None
    assert release.present(store, SITE.prefix) == set()
    outcome = publish(store)
    live = release.current(store, SITE.prefix)
    assert live is not None
    assert outcome == Outcome("published", 1, live.content_sha256, 3)
    assert live.content == content()
    assert (live.partner, live.site, live.sequence, live.created, live.run_id) == ("riverside", "portal", 1, CREATED, "run")
    assert live.token == store.get(POINTER)[1]


def test_the_bytes_of_a_release(disk: Store, expected: Callable[[Path, str | bytes], None]) -> None:
    """Every byte that a store gets, pinned: a change here gives every partner a new release."""
    publish(disk, topics=2)
    publish(disk, topics=2, changed={1: "new"})
    for key, data in state(disk).items():
        if not key.startswith(f"{SITE.prefix}/blobs/") or data.startswith(b'{"topics"'):
            expected(CASES / key.removeprefix(f"{SITE.prefix}/"), data)
    saved = {path.relative_to(CASES).as_posix() for path in CASES.rglob("*") if path.is_file()}
    assert {f"{SITE.prefix}/{name}" for name in saved} <= set(state(disk))


def test_where_things_are(disk: Store) -> None:
    publish(disk)
    live = read_pointer(disk)
    assert live
    found, _ = release.read_release(disk, SITE.prefix, live)
    blobs = {file.sha256 for file in manifest.all_files(content())} | {shard.sha256 for shard in found.shards}
    blobs |= {found.header.changes["sha256"]}
    keys = {f"{SITE.prefix}/blobs/{sha256[:2]}/{sha256}" for sha256 in blobs}
    roles = {f"{SITE.prefix}/metadata/1.{role}.json" for role in ("root", "targets", "snapshot")}
    roles |= {f"{SITE.prefix}/{name}" for name in ("changes/1.json", "changes/1.html", "current.json")}
    assert set(state(disk)) == {*keys, *roles, POINTER, f"{SITE.prefix}/targets/{live.manifest}.manifest.json"}
    assert release.present(disk, SITE.prefix) == blobs


def test_every_field_comes_back() -> None:
    """Whatever the contracts add to a row, a file or the content is written and read."""

    def filled(kind: type[Any], **given: Any) -> Any:
        values = {
            "str": "x",
            "int": 7,
            "tuple[str, ...]": ("a", "b"),
            "Mapping[str, str]": {"k": "v"},
            "Mapping[str, Any]": {"k": [1, True, None, {"deep": "v"}]},
            "tuple[Mapping[str, str], ...]": ({"k": "v"}, {}),
        }
        return kind(**{f.name: given[f.name] if f.name in given else values[str(f.type)] for f in fields(kind)})

    def file(path: str) -> FileRow:
        return filled(FileRow, path=path, sha256="a" * 64)  # type: ignore[no-any-return]

    rows = (filled(Row, files=(file("z"), file("a"))), Row("y", "en", "", status=""), Row("y", "es", "T"))
    gone = filled(Withdrawn, id="w", language="en", files=(file("c"),))
    pack = filled(Pack, sha256="b" * 64, members={"a" * 64: 7})
    whole = filled(Content, rows=rows, files=(file("b"),), withdrawn=(gone,), moved=(filled(Moved),), packs=(pack,))
    described = manifest.describe(whole)
    data = manifest.write(described, manifest.Header("p", "s", 1, "", "r", "c"))
    found = manifest.read(data, "it")
    again = manifest.read_rows(found, [part for _, part in described.shards], "it")
    assert manifest.content(found, again, "it") == whole


def test_the_same_content_is_no_new_release(store: Store) -> None:
    first = publish(store)
    before = state(store)
    watched = Between(store)
    again = publish(watched, run="another run")
    assert again == Outcome("unchanged", 1, first.content_sha256)
    assert (watched.keys("put"), watched.keys("delete")) == ([POINTER], [])
    assert {key: data for key, data in state(store).items() if key != POINTER} == {
        key: data for key, data in before.items() if key != POINTER
    }


def test_only_what_changed_is_stored(store: Store) -> None:
    publish(store)
    watched = Between(store)
    outcome = publish(watched, changed={1: "new"})
    live = release.current(store, SITE.prefix)
    assert live
    assert outcome.sequence == live.sequence == 2
    assert live.content == content(changed={1: "new"})
    puts = watched.keys("put")
    assert (
        len(puts) == len(set(puts)) == 3 + 2 + 1 + 2 + 1 + 3
    )  # files, shard and changes, manifest, targets and snapshot, pointer, copies
    assert json.loads(store.get(f"{SITE.prefix}/targets/{live.manifest_sha256}.manifest.json")[0])["previous"] != ""


def test_the_order(store: Store) -> None:
    """Blobs, shards, manifest, comparison, pointer: nothing is named before it is there and was looked at."""
    watched = Between(store)
    publish(watched)
    done = [f"{name} {key.removeprefix(SITE.prefix + '/').split('/')[0]}" for name, key in watched.calls]
    first_put = done.index("put blobs")
    order = [name for place, name in enumerate(done[first_put:]) if place == 0 or done[first_put + place - 1] != name]
    assert order == [
        "put blobs",
        "get metadata",
        "put blobs",
        "put targets",
        "put metadata",
        "list blobs",
        "list targets",
        "list metadata",
        "put metadata",
        "get current.json",
        "put changes",
        "put current.json",
    ]


def test_the_pointer_alone_may_not_be_cached(s3_place: Place) -> None:
    store = s3_place.open()
    publish(store)
    client = store._client()
    for stored in store.list():
        head = client.head_object(Bucket=store.bucket, Key=store.prefix + stored.key)
        assert head["CacheControl"] == (
            "no-cache" if stored.key in (POINTER, f"{SITE.prefix}/current.json") else release.IMMUTABLE
        )
        assert head["Metadata"] == {}
        if "/targets/" in stored.key or "/metadata/" in stored.key:
            assert head["ContentType"] == "application/json; charset=utf-8"


def test_sites_do_not_meet(store: Store) -> None:
    other = replace(SITE, id="portal2", prefix="p/portal2")
    publish(store)
    publish(store, topics=1, site=other)
    publish(store, topics=2, site=other)
    assert [live.sequence for prefix in ("p/portal", "p/portal2") if (live := release.current(store, prefix))] == [1, 2]
    assert release.current(store, "p/port") is None


# --- the rows in shards ---------------------------------------------------------------------------


def _shards(topics: range) -> dict[str, tuple[manifest.Shard, bytes]]:
    rows = [manifest.row_document(Row(f"t{n}", language, "T")) for n in topics for language in ("en", "es")]
    return {shard.sha256: (shard, data) for shard, data in manifest.pack(rows)}


def test_shards_are_of_a_handy_size_and_hold_every_row_once() -> None:
    parts = _shards(range(2000)).values()
    assert sum(shard.topics for shard, _ in parts) == 4000
    assert all(100 < shard.topics <= manifest.SHARD_TOPICS and shard.size == len(data) for shard, data in parts)
    found = [(item["id"], item["language"]) for _, data in parts for item in json.loads(data)["topics"]]
    assert sorted(found) == sorted((f"t{n}", language) for n in range(2000) for language in ("en", "es"))


def test_a_topic_that_comes_touches_one_shard() -> None:
    before, after = _shards(range(2000)), _shards(range(2001))
    assert len(before.keys() - after.keys()) == 1
    assert 1 <= len(after.keys() - before.keys()) <= 2  # it may have grown too big, and split


def test_bounds_do_not_depend_on_order_or_history() -> None:
    rows = tuple(Row(f"t{n}", "en", "T") for n in range(1200))
    ways = {manifest.describe(replace(content(0), rows=some)).sha256 for some in (rows, rows[::-1], rows[600:] + rows[:600])}
    assert len(ways) == 1


def test_content_does_not_depend_on_run_or_place(disk: Store, tmp_path: Path) -> None:
    other = folder.open(str(tmp_path / "other"), {})
    publish(other, topics=5)
    assert publish(disk, run="one").content_sha256 == publish(other, run="two").content_sha256


# --- several runs at once -------------------------------------------------------------------------


def test_of_two_runs_one_wins(store: Store) -> None:
    """Both read the same live release; the second finds that it is another one now."""
    for start in (None, {0: "a"}):
        if start:
            publish(store, changed=start)
        live = release.current(store, SITE.prefix)
        for file in [*topic_files(0, "b"), *topic_files(0, "c"), *(f for n in range(3) for f in topic_files(n)), *bundle_files()]:
            release.put_files(store, SITE.prefix, [file], set())
        sequence = live.sequence + 1 if live else 1
        won = release.publish(store, SITE, content(changed={0: "b"}), live, run_id="one", created=CREATED, signing=signing())
        assert won.sequence == sequence
        with pytest.raises(RaceLost) as caught:
            release.publish(store, SITE, content(changed={0: "c"}), live, run_id="two", created=CREATED, signing=signing())
        assert "another one is live now" in str(caught.value)
        now = release.current(store, SITE.prefix)
        assert now
        assert (now.sequence, now.run_id, now.content) == (sequence, "one", content(changed={0: "b"}))
    assert publish(store, changed={0: "c"}).sequence == 4


def test_of_racing_runs_one_wins(store: Store) -> None:
    for sequence in range(1, 4):
        live = release.current(store, SITE.prefix)
        contents = [content(topics=n + 1, as_of=f"2026-03-0{sequence}") for n in range(4)]
        for number in range(4):
            release.put_files(store, SITE.prefix, [*topic_files(number), *bundle_files()], release.present(store, SITE.prefix))

        def run(number: int, live: Any = live, contents: list[Content] = contents) -> str:
            try:
                outcome = release.publish(
                    store, SITE, contents[number], live, run_id=f"run {number}", created=CREATED, signing=signing()
                )
            except RaceLost:
                return "lost"
            return outcome.state

        with ThreadPoolExecutor(4) as pool:
            states = list(pool.map(run, range(4)))
        now = release.current(store, SITE.prefix)
        assert sorted(states) == ["lost", "lost", "lost", "published"]
        assert now
        assert (now.sequence, now.content) == (sequence, contents[states.index("published")])


class LosesAnswers(Between):
    """Writes the pointer, but the answer does not arrive."""

    def after(self, operation: str, key: str) -> None:
        if operation == "put" and key == POINTER:
            raise StoreError("the connection broke")


class LosesWrites(Between):
    """Neither writes the pointer nor answers."""

    def before(self, operation: str, key: str) -> None:
        if operation == "put" and key == POINTER:
            raise StoreError("the connection broke")


def test_a_lost_answer_is_read_back(store: Store) -> None:
    assert publish(LosesAnswers(store)).sequence == 1
    assert publish(LosesAnswers(store), changed={0: "new"}).sequence == 2
    live = release.current(store, SITE.prefix)
    assert live
    assert live.content == content(changed={0: "new"})


def test_a_lost_write_is_an_error(store: Store) -> None:
    publish(store)
    with pytest.raises(StoreError, match="connection broke"):
        publish(LosesWrites(store), changed={0: "new"})
    live = release.current(store, SITE.prefix)
    assert live
    assert live.content == content()


# --- a run that dies ------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_run_that_dies_anywhere_is_invisible(store: Store, tmp_path: Path, late: bool) -> None:
    """Killed at each of its operations: who reads then finds a whole release, old or new, and the next run goes on by itself."""
    publish(store, topics=2)
    step = 0
    while True:
        step += 1
        number = step if late else 1000 + step
        changed = {0: f"step {number}"}
        before = release.current(store, SITE.prefix)
        assert before
        try:
            publish(Dying(store, step, late=late), 2, changed)
        except Killed:
            died = True
        else:
            died = False
        live = release.current(store, SITE.prefix)
        assert live
        assert live.content in (before.content, content(2, changed))
        assert release.present(store, SITE.prefix) >= {file.sha256 for file in manifest.all_files(live.content)}
        if not died:
            break
        assert live.sequence == publish(store, 2, changed).sequence - (live.content == before.content)
    pull.pull(store, SITE.prefix, tmp_path / "dest", root=root())
    assert pull.verify(tmp_path / "dest") == []
    assert step > 8


def test_a_run_that_is_killed_on_a_disk(disk: Store, tmp_path: Path) -> None:
    """As above with SIGKILL before each operation on the file system, the store's own steps among them."""
    publish(disk, topics=1)
    step = 0
    while True:
        step += 1
        changed = {0: f"step {step}"}
        before = release.current(disk, SITE.prefix)
        ended = not killed_at(partial(publish, disk, 1, changed), step)
        live = release.current(disk, SITE.prefix)
        assert before
        assert live
        assert live.content in (before.content, content(1, changed))
        assert publish(disk, 1, changed).sequence == before.sequence + 1
        if ended:
            break
    assert step > 15
    pull.pull(disk, SITE.prefix, tmp_path / "dest", root=root())
    assert pull.verify(tmp_path / "dest") == []


class Flaky(Between):
    """Fails to take each blob a number of times."""

    def __init__(self, inner: Store, failures: int) -> None:
        super().__init__(inner)
        self.failures = failures

    def before(self, operation: str, key: str) -> None:
        if operation == "put" and self.calls.count((operation, key)) <= self.failures:
            raise StoreError("503 Slow Down")


def test_what_a_store_did_not_take_is_tried_again(disk: Store) -> None:
    flaky, present = Flaky(disk, 1), set[str]()
    files = [*topic_files(0), *bundle_files()]
    with pytest.raises(StoreError, match="Slow Down"):
        release.put_files(Flaky(disk, 9), SITE.prefix, files, present)
    assert present == set()
    assert release.put_files(flaky, SITE.prefix, files[:2], present) == 2
    assert len(present) == 2
    assert release.put_files(disk, SITE.prefix, files, present) == 2
    assert present == release.present(disk, SITE.prefix) == {file_row("", file).sha256 for file in files}


def test_files_are_stored_once(store: Store) -> None:
    watched, present = Between(store), set[str]()
    same = [OutputFile(f"{n}", b"same", "text/plain") for n in range(3)]
    assert release.put_files(watched, SITE.prefix, same, present) == 1
    assert release.put_files(watched, SITE.prefix, iter(same), present) == 0
    assert release.put_files(watched, SITE.prefix, same, set()) >= 0
    assert len(set(watched.keys("put"))) == 1
    assert store.get(next(iter(watched.keys("put"))))[0] == b"same"


# --- what is not as it should be ------------------------------------------------------------------


def test_a_release_without_its_blobs_is_not_published(store: Store) -> None:
    publish(store)
    live = release.current(store, SITE.prefix)
    with pytest.raises(StoreError) as caught:
        release.publish(store, SITE, content(changed={1: "never stored"}), live, run_id="r", created=CREATED, signing=signing())
    assert "3 of" in str(caught.value)
    assert "no such object" in str(caught.value)
    assert release.current(store, SITE.prefix) == live


def test_an_unchanged_release_that_lost_a_blob_is_not_called_fine(store: Store) -> None:
    publish(store)
    live = release.current(store, SITE.prefix)
    store.delete(release.blob_key(SITE.prefix, content().rows[0].files[0].sha256))
    with pytest.raises(StoreError, match="missing or not whole"):
        release.publish(store, SITE, content(), live, run_id="r", created=CREATED, signing=signing())
    assert publish(store).state == "unchanged"


def test_a_blob_that_is_not_whole_is_made_anew(store: Store) -> None:
    """A power cut may leave a short file; the run says so, and the next one mends it."""
    publish(store)
    broken = release.blob_key(SITE.prefix, content().rows[0].files[0].sha256)
    store.put(broken, b"sho", media_type="text/html")
    with pytest.raises(StoreError, match="3 bytes"):
        publish(store, changed={1: "new"})
    live = release.current(store, SITE.prefix)
    assert live
    assert live.sequence == 1
    assert publish(store, changed={1: "new"}).sequence == 2
    assert hashlib.sha256(store.get(broken)[0]).hexdigest() in broken


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (("../x",), "'..'"),
        (("/x",), "starts or ends with /"),
        (("a\\b",), "backslash"),
        (("C:x",), "Windows does not allow"),
        (("a/con.txt",), "device on Windows"),
        (("a.",), "full stop or a space"),
        (("a\u202fb", "a\u0000"), "U+0000"),
        (("same", "same"), "same name as"),
        (("en/Topic.html", "en/topic.html"), "same name as"),
        (("caf\u00e9", "cafe\u0301"), "same name as"),
        (("a", "a/b"), "is a file, not a folder"),
        (("a/b", "a"), "a folder of"),
        (("manifest.json",), "same name as 'manifest.json'"),
        (("SHA256sums",), "same name as 'SHA256SUMS'"),
    ],
)
def test_no_bundle_could_hold_it(store: Store, paths: tuple[str, ...], said: str) -> None:
    files = tuple(FileRow("html", path, hashlib.sha256(path.encode()).hexdigest(), 1, "text/html") for path in paths)
    with pytest.raises(UsageError) as caught:
        release.publish(store, SITE, replace(content(1), files=files), None, run_id="r", created=CREATED, signing=signing())
    assert said in str(caught.value)
    assert _nothing(store)


def _nothing(store: Store) -> bool:
    try:
        return list(store.list()) == []
    except NotFound:
        return True


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"license": {"share": 0.5}}, "0.5 is a float"),
        ({"notices": {1: "x"}}, "no text"),
        ({"upcoming": ({"on": object()},)}, "only texts, whole numbers"),
        ({"as_of": "\ud800"}, "surrogates"),
        ({"rows": (row(1), row(1))}, "twice"),
        ({"files": (FileRow("", "x", "a" * 64, 1, "t"), FileRow("", "y", "a" * 64, 2, "t"))}, "of one SHA-256"),
    ],
)
def test_what_has_no_exact_form_is_refused(disk: Store, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        release.publish(disk, SITE, replace(content(1), **change), None, run_id="r", created=CREATED, signing=signing())
    assert said in str(caught.value)
    assert _nothing(disk)


# --- a store that lies ----------------------------------------------------------------------------

_Change = Callable[[dict[str, Any]], object]


def _refused(store: Store) -> str:
    with pytest.raises(StoreError) as caught:
        release.current(store, SITE.prefix)
    assert not isinstance(caught.value, NotFound | PreconditionFailed)
    return str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"schema":"1"}\n',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"x":1.5}\n',
        b'{"x":NaN}\n',
        b'{"x":' + b"9" * 5000 + b"}\n",
        b'{"a":1,"a":1}\n',
        b'{"a":"\\ud800"}\n',
    ],
)
def test_a_pointer_that_is_none(disk: Store, data: bytes) -> None:
    publish(disk)
    disk.put(POINTER, data, media_type="application/json")
    assert "timestamp.json" in _refused(disk)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.update(sequence=True), "whole number"),
        (lambda p: p.update(sequence=0), "sequence 0"),
        (lambda p: p.update(manifest="../../secret"), "../../secret"),
        (lambda p: p.update(size=3), "larger than it may be"),
        (lambda p: p.update(sequence=7), "damaged"),
        (lambda p: p.update(partner="other"), "damaged"),
        (lambda p: p.update(content="0" * 64), "damaged"),
        (lambda p: p.update(partner=7), "a text is expected"),
    ],
)
def test_a_pointer_that_says_something_else(disk: Store, change: _Change, said: str) -> None:
    publish(disk)
    forge(disk, point=change)
    assert said in _refused(disk)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema="2"), "update this program"),
        (lambda d: d.update(sequence=9), "damaged"),
        (lambda d: d.update(previous="x"), "previous 'x'"),
        (lambda d: d.update(topics=[]), "rows, which belong into shards"),
        (lambda d: d.pop("shards"), "'shards' is no list"),
        (lambda d: d.update(shards=[{"sha256": "../x", "size": 1, "topics": 1}]), "../x"),
        (lambda d: d["shards"][0].update(topics=1), "3 topics where the manifest says 1"),
        (lambda d: d["shards"][0].update(size=1), "larger than it may be"),
        (lambda d: d["files"][0].update(path="../x"), "'../x'"),
        (lambda d: d["files"][0].update(sha256="A" * 64), "SHA-256"),
        (lambda d: d["files"][0].update(size=-1), "-1 bytes"),
        (lambda d: d["files"].append(d["files"][0]), "same name as"),
        (lambda d: d.update(files={}), "a list is expected"),
        (lambda d: d.update(license=[]), "an object is expected"),
        (lambda d: d.update(upcoming=[{"on": 1}]), "a text is expected"),
    ],
)
def test_a_manifest_that_says_something_else(disk: Store, change: _Change, said: str) -> None:
    publish(disk)
    forge(disk, document=change)
    assert said in _refused(disk)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[0].update(title=3), "a text is expected"),
        (lambda rows: rows[0].pop("id"), "'id' is missing"),
        (lambda rows: rows[0].update(collections="all"), "a list is expected"),
        (lambda rows: rows[0]["files"][0].update(path="/etc/passwd"), "/etc/passwd"),
        (lambda rows: rows[0]["files"][0].pop("size"), "'size' is missing"),
        (lambda rows: rows.append(dict(rows[0])), "twice"),
        (lambda rows: rows.append("x"), "an object is expected"),
    ],
)
def test_rows_that_say_something_else(disk: Store, change: Callable[[list[dict[str, Any]]], object], said: str) -> None:
    publish(disk)
    forge(disk, rows=change)
    assert said in _refused(disk)


def test_what_a_later_version_adds_is_left_alone(disk: Store) -> None:
    publish(disk)
    forge(
        disk,
        rows=lambda rows: [item.update(grade="A") for item in rows],
        document=lambda d: d.update(changes={"sha256": "x"}, renewed=[{"id": "y"}]),
    )
    live = release.current(disk, SITE.prefix)
    assert live
    assert live.content == content()


@pytest.mark.parametrize("part", ["targets", "blobs"])
@pytest.mark.parametrize("how", ["cut", "altered", "gone", "swapped"])
def test_a_part_that_was_tampered_with(store: Store, part: str, how: str) -> None:
    publish(store)
    live = read_pointer(store)
    assert live
    found, _ = release.read_release(store, SITE.prefix, live)
    keys = {
        "targets": release.manifest_key(SITE.prefix, live.manifest),
        "blobs": release.blob_key(SITE.prefix, found.shards[0].sha256),
    }
    data, _ = store.get(keys[part])
    changed = {"cut": data[:-9], "altered": data.replace(b"2", b"3"), "swapped": bundle_files()[0].data}
    if how == "gone":
        store.delete(keys[part])
    else:
        store.put(keys[part], changed[how], media_type="application/json")
    assert {"gone": "is not complete", "altered": "was altered"}.get(how, "is not whole") in _refused(store)


def test_a_release_that_is_replaced_while_it_is_read(disk: Store) -> None:
    """Another run publishes and the old manifest is tidied away: the reader starts again from the pointer."""
    publish(disk)

    class Moving(Between):
        moved = False

        def before(self, operation: str, key: str) -> None:
            if operation == "get" and "/targets/" in key and not self.moved:
                self.moved = True
                publish(disk, changed={0: "new"})
                disk.delete(key)

    live = release.current(Moving(disk), SITE.prefix)
    assert live
    assert live.content == content(changed={0: "new"})
