"""One contract for every destination (pipeline/contracts/storing.py, Store), and what each does when its world is broken."""

from __future__ import annotations

import hashlib
import os
import pickle
import resource
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, require_tool
from faults import Proxy, proxy
from forked import in_child, open_to_all
from seaweed import BUCKET, Place, s3_place
from web import web

from deploy.seaweedfs import command
from outputs.stores import folder, s3
from pipeline.contracts import Store, Stored
from pipeline.errors import Altered, Forbidden, NotFound, PreconditionFailed, StoreError, SyndicationError, UsageError

__all__ = ["s3_place"]
WRITABLE = ("folder", "s3")
READABLE = ("folder", "s3", "zip")
CLAIMING = (*READABLE, "https")
NOBODY = 65534


def _make(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if kind == "folder":
        return folder.open(str(tmp_path / "store"), {})
    place: Place = request.getfixturevalue("s3_place")
    return place.open()


@pytest.fixture(params=WRITABLE)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return _make(request.param, request, tmp_path)


def put(store: Store, key: str, data: bytes = b"x", **how: Any) -> str:
    return store.put(key, data, media_type="text/plain", **how)


def keys(store: Store, prefix: str = "") -> list[str]:
    return [stored.key for stored in store.list(prefix)]


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("build/store", "folder"),
        ("/srv/store", "folder"),
        ("file:///srv/store", "folder"),
        ("C.zip/x", "folder"),
        ("s3://bucket", "s3"),
        ("s3://bucket/a/b", "s3"),
        ("s3://bucket/topics.zip", "s3"),
        ("topics.zip", "zip"),
        ("in/TOPICS.ZIP", "zip"),
        ("https://example.org/store", "https"),
        ("ftp://example.org/store", ""),
    ],
)
def test_one_destination_claims_an_address(url: str, kind: str) -> None:
    assert [name for name in CLAIMING if import_module(f"outputs.stores.{name}").claims(url)] == ([kind] if kind else [])


def test_a_file_address_is_its_path() -> None:
    assert folder.open("file:///srv/a%20b", {}).root == "/srv/a b"


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "s3://bucket/a//b", "s3://bucket/../x"])
def test_s3_refuses_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError, match="no S3 address"):
        s3.open(url, {})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"endpoint": "http://localhost"}, "did you mean 'endpoint_url'"),
        ({"secret_access_key": "x"}, "belong into the environment"),
        ({"region": 1}, "not a text"),
        ({"endpoint_url": "localhost:9000"}, "http://host:port"),
        ({"addressing_style": "paths"}, '"path", "virtual"'),
        ({"colour": "red"}, "the settings are endpoint_url"),
    ],
)
def test_s3_refuses_settings_that_are_none(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        s3.open("s3://bucket", settings)
    assert said in str(caught.value)


def test_a_folder_has_no_settings() -> None:
    with pytest.raises(UsageError, match="no setting 'region'"):
        folder.open("store", {"region": "x"})


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", READABLE)
def test_reads_and_lists(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """What every destination does, those that are inputs alone among them."""
    files = {"a/b.xml": b"<a/>", "a/ü 日.xml": "<ü/>".encode(), "a.xml": b"", "ab/c.xml": b"123"}
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        store: Store = import_module("outputs.stores.zip").open(str(tmp_path / "in.zip"), {})
    else:
        store = _make(kind, request, tmp_path)
        for name, data in files.items():
            put(store, name, data)
    again = pickle.loads(pickle.dumps(store))
    for one in (store, again):
        assert {name: one.get(name)[0] for name in files} == files
        assert [(s.key, s.size) for s in one.list()] == [(name, len(files[name])) for name in sorted(files)]
        assert keys(one, "a") == ["a.xml", "a/b.xml", "a/ü 日.xml", "ab/c.xml"]
        assert keys(one, "a/") == ["a/b.xml", "a/ü 日.xml"]
        assert keys(one, "none") == keys(one, "a/b.xml/x") == []
        for missing in ("none", "a", "a/", "a/b.xml/c") if kind == "zip" else ("none", "a", "a/b.xml/c"):
            with pytest.raises(NotFound):
                one.get(missing)


def test_the_web_reads_what_a_folder_holds(tmp_path: Path) -> None:
    """Everything of the contract that a web server can do; the rest is in test_client.py."""
    files = {"a/b.xml": b"<a/>", "a/ü 日.xml": "<ü/>".encode(), "a.xml": b""}
    held = folder.open(str(tmp_path), {})
    for name, data in files.items():
        put(held, name, data)
    with web(tmp_path) as server:
        store = import_module("outputs.stores.https").open(server.url, {})
        for one in (store, pickle.loads(pickle.dumps(store))):
            assert {name: one.get(name)[0] for name in files} == files
            token = one.get("a/b.xml")[1]
            assert one.get_changed("a/b.xml", token) is None
            assert one.get_changed("a/b.xml", '"x"') == (b"<a/>", token)
            with pytest.raises(NotFound):
                one.get("none")


@pytest.mark.parametrize("kind", READABLE)
def test_an_unchanged_object_is_not_sent_again(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            archive.writestr("a", b"1")
        store: Store = import_module("outputs.stores.zip").open(str(tmp_path / "in.zip"), {})
    else:
        store = _make(kind, request, tmp_path)
        put(store, "a", b"1")
    data, token = store.get("a")
    assert store.get_changed("a", token) is None
    assert store.get_changed("a", '"other"') == (data, token)
    with pytest.raises(NotFound):
        store.get_changed("none", token)


# --- writing --------------------------------------------------------------------------------------


def test_writes_and_replaces(store: Store) -> None:
    first = put(store, "a/b", b"1")
    assert store.get("a/b") == (b"1", first)
    second = put(store, "a/b", b"22")
    assert second != first
    assert store.get("a/b") == (b"22", second)
    assert [(s.key, s.size) for s in store.list()] == [("a/b", 2)]
    assert next(iter(store.list())).token in (second, "")


def test_deletes(store: Store) -> None:
    put(store, "a/b")
    put(store, "a/c")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/there")
    assert keys(store) == ["a/c"]
    with pytest.raises(NotFound):
        store.get("a/b")


def test_absent_writes_only_where_nothing_is(store: Store) -> None:
    put(store, "a", b"1", absent=True)
    with pytest.raises(PreconditionFailed):
        put(store, "a", b"2", absent=True)
    assert store.get("a")[0] == b"1"
    store.delete("a")
    put(store, "a", b"3", absent=True)
    assert store.get("a")[0] == b"3"


def test_match_writes_only_where_nothing_changed(store: Store) -> None:
    first = put(store, "a", b"1")
    second = put(store, "a", b"2", match=first)
    for old in (first, '"0"'):
        with pytest.raises(PreconditionFailed):
            put(store, "a", b"3", match=old)
    assert store.get("a") == (b"2", second)
    with pytest.raises(PreconditionFailed):
        put(store, "nothing", b"3", match=first)
    assert keys(store) == ["a"]


@pytest.mark.parametrize("how", ["absent", "match"])
def test_of_racing_writes_one_wins(store: Store, how: str) -> None:
    for number in range(3):
        key = f"race/{number}"
        condition: dict[str, Any] = {"absent": True} if how == "absent" else {"match": put(store, key, b"before")}
        wins = _race(16, partial(_write, store, key, condition))
        assert len(wins) == 1
        assert store.get(key) == (b"writer %d" % next(iter(wins)), next(iter(wins.values())))


def _write(store: Store, key: str, condition: dict[str, Any], writer: int) -> str:
    return put(store, key, b"writer %d" % writer, **condition)


def _race(writers: int, write: Callable[[int], str]) -> dict[int, str]:
    """Token by number of those who won."""
    start = threading.Barrier(writers)

    def one(number: int) -> str | None:
        start.wait()
        try:
            return write(number)
        except PreconditionFailed:
            return None

    with ThreadPoolExecutor(writers) as pool:
        return {n: token for n, token in enumerate(pool.map(one, range(writers))) if token is not None}


def test_readers_meet_whole_objects(store: Store) -> None:
    """While an object is replaced over and over, a reader finds one of its states, never a mixture or a part."""
    states = [bytes([n]) * 200_000 for n in range(4)]
    put(store, "a", states[0])
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [put(store, "a", state) for state in states * 3])
        while not writing.done():
            assert store.get("a")[0] in states
            assert {stored.size for stored in store.list()} == {200_000}
        assert len(writing.result()) == 12


def test_a_big_object(store: Store) -> None:
    data = hashlib.sha256(b"seed").digest() * (24 * 1024 * 1024 // 32)
    put(store, "big", data, absent=True)
    assert hashlib.sha256(store.get("big")[0]).digest() == hashlib.sha256(data).digest()
    assert next(iter(store.list("big"))).size == len(data)


def test_an_empty_object(store: Store) -> None:
    token = put(store, "empty", b"")
    assert store.get("empty") == (b"", token)
    assert keys(store) == ["empty"]


def test_lists_more_than_a_page(store: Store) -> None:
    names = sorted(f"n/{n % 7}/{n}" for n in range(1234))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: put(store, name, b""), names))
    assert keys(store, "n/") == names


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "../a",
        "a/../b",
        "./a",
        "a/.",
        "a\\b",
        "..\\a",
        "a\x00b",
        "a\nb",
        "a\x7fb",
        "a\u0085b",
        "a\u2028b",
        "a\ud800b",
        "con",
        "a/NUL.txt",
        "COM1/a",
        "a" * 256,
        "/".join(["a" * 200] * 6),
    ],
)
def test_unsafe_keys_are_refused(store: Store, key: str) -> None:
    for operation in (lambda: put(store, key), lambda: store.get(key), lambda: store.delete(key)):
        with pytest.raises(StoreError, match="not safe as a key") as caught:
            operation()
        assert not isinstance(caught.value, NotFound | PreconditionFailed)
        str(caught.value).encode()
    assert _listed(store) == []


def _listed(store: Store) -> list[str]:
    try:
        return keys(store)
    except NotFound:
        return []


@pytest.mark.parametrize(
    "key", ["a b", "ü/日本", "a+b&c=d?e#f", "%2e%2e/x", "a'b\"c", "...", ".hidden", "e\u0301", "\u00e9", "A", "a"]
)
def test_unusual_keys_are_kept(store: Store, key: str) -> None:
    put(store, key, key.encode())
    assert store.get(key)[0] == key.encode()
    assert keys(store) == [key]
    store.delete(key)
    assert keys(store) == []


def test_works_in_a_forked_child(store: Store) -> None:
    """A client is not shared over a fork: the child makes its own, and the parent's goes on."""
    put(store, "a", b"1")
    assert in_child(lambda: (store.get("a")[0], put(store, "b", b"2"), os.getpid()))[0] == b"1"
    assert keys(store) == ["a", "b"]


# --- a folder and its disk ------------------------------------------------------------------------


def test_a_folder_is_made_by_the_first_write_alone(tmp_path: Path) -> None:
    store = folder.open(str(tmp_path / "build/store"), {})
    for read in (lambda: store.get("a"), lambda: list(store.list())):
        with pytest.raises(NotFound, match=r"build/store: there is no such folder"):
            read()
    store.delete("a")
    assert list(tmp_path.iterdir()) == []
    put(store, "a")
    assert keys(store) == ["a"]


def test_a_mistyped_folder_is_not_made(tmp_path: Path) -> None:
    for path in (tmp_path / "a/b/c/store", Path("/no-such-mount-point/store")):
        with pytest.raises(StoreError) as caught:
            put(folder.open(str(path), {}), "a")
        assert f"there is no folder {path.parent}" in str(caught.value)
        assert "make that folder" in str(caught.value)
        assert not path.parent.exists()


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may have another working folder."""
    monkeypatch.chdir(tmp_path)
    store = folder.open("store", {})
    put(store, "a")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert keys(store) == ["a"]


def test_links_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    store = folder.open(str(tmp_path / "store"), {})
    put(store, "a/b")
    (tmp_path / "store/file").symlink_to(tmp_path / "outside/secret")
    (tmp_path / "store/dir").symlink_to(tmp_path / "outside")
    for operation in (
        lambda: store.get("file"),
        lambda: store.get("dir/secret"),
        lambda: put(store, "dir/new"),
        lambda: store.delete("dir/secret"),
        lambda: keys(store),
    ):
        with pytest.raises(StoreError, match=r"leads out of the (store|folder)"):
            operation()
    assert keys(store, "a/") == ["a/b"]
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["secret"]


def test_links_inside_a_folder(tmp_path: Path) -> None:
    """A link to a file is that file; a link to a folder shows nothing twice; a link to nothing is nothing."""
    (tmp_path / "real").mkdir()
    (tmp_path / "store").symlink_to("real")
    store = folder.open(str(tmp_path / "store"), {})
    put(store, "a/b", b"1")
    (tmp_path / "store/link").symlink_to("a/b")
    (tmp_path / "store/again").symlink_to("a")
    (tmp_path / "store/.#lock").symlink_to("user@host.1234")
    (tmp_path / "store/a/loop").symlink_to("..")
    assert [(s.key, s.size) for s in store.list()] == [("a/b", 1), ("link", 1)]
    assert store.get("link")[0] == b"1"
    with pytest.raises(NotFound):
        store.get(".#lock")


def test_what_is_no_file_is_no_object(tmp_path: Path) -> None:
    store = folder.open(str(tmp_path), {})
    os.mkfifo(tmp_path / "pipe")
    assert keys(store) == []
    with pytest.raises(NotFound):
        store.get("pipe")


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    store = folder.open(str(tmp_path / "store"), {})
    put(store, "a")
    with pytest.raises(StoreError, match="move the file that stands where a folder is needed"):
        put(store, "a/b")
    put(store, "c/d")
    with pytest.raises(StoreError, match="move the folder that stands where a file is needed"):
        put(store, "c")
    assert keys(store) == ["a", "c/d"]


def test_what_a_killed_run_left_is_no_object_and_goes(tmp_path: Path) -> None:
    store = folder.open(str(tmp_path), {})
    put(store, "a")
    old, fresh = (tmp_path / folder.OWN / "tmp" / name for name in ("00/old", "ff/fresh"))
    for path in (old, fresh):
        path.parent.mkdir(parents=True, exist_ok=True)
    old.write_bytes(b"half")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    fresh.write_bytes(b"half")
    assert keys(store) == ["a"]
    put(store, "pointer", cache_control="no-cache")
    assert not old.exists()
    assert fresh.exists()
    assert keys(store) == ["a", "pointer"]
    with pytest.raises(StoreError, match="the store's own"):
        store.get(f"{folder.OWN}/lock")


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """A disk that takes no file above this size: the kernel refuses the write, as it does where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_what_was(tmp_path: Path) -> None:
    store = folder.open(str(tmp_path), {})
    token = put(store, "a", b"old")
    for how in ({}, {"match": token}):
        with file_size_limit(50_000), pytest.raises(StoreError) as caught:
            put(store, "a", b"x" * 100_000, **how)
        assert "File too large" in str(caught.value)
        assert "to do:" in str(caught.value)
    assert store.get("a") == (b"old", token)
    assert list((tmp_path / folder.OWN / "tmp").glob("*/*")) == []


def test_a_folder_without_rights(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("rights")
    user = NOBODY if os.getuid() == 0 else None
    if user is not None:
        open_to_all(root)
    store = folder.open(str(root), {})
    put(store, "a/b", b"1")
    (root / "closed").mkdir()
    for path in (*(root / folder.OWN / "tmp").rglob("*"), root / folder.OWN / "tmp", root):
        path.chmod(0o555)
    (root / "closed").chmod(0)
    try:
        assert in_child(lambda: store.get("a/b")[0], user) == b"1"
        for operation in (lambda: put(store, "c"), lambda: store.get("closed/x"), lambda: keys(store)):
            with pytest.raises(StoreError) as caught:
                in_child(operation, user)
            assert "Permission denied" in str(caught.value)
            assert "give the user who runs this the right" in str(caught.value)
    finally:
        (root / "closed").chmod(0o755)
        root.chmod(0o755)


# --- S3 and its server ----------------------------------------------------------------------------


def test_s3_sends_a_checksum_that_the_server_checks(s3_place: Place) -> None:
    store = s3_place.open()
    request = store._request("a", b"what was meant", "text/plain", "", absent=False, match="")
    with pytest.raises(Exception, match="BadDigest"):
        store._client().put_object(**{**request, "Body": b"what came in"})
    assert keys(store) == []
    store._client().put_object(**request)
    assert keys(store) == ["a"]


@pytest.mark.parametrize(
    ("media_type", "sent"),
    [
        ("text/html", "text/html; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/css", "text/css; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("application/ld+json", "application/ld+json; charset=utf-8"),
        ("image/svg+xml", "image/svg+xml; charset=utf-8"),
        ("application/epub+zip", "application/epub+zip"),
        ("image/png", "image/png"),
    ],
)
def test_s3_says_what_an_object_is(s3_place: Place, media_type: str, sent: str) -> None:
    store = s3_place.open()
    store.put("a", b"x", media_type=media_type, cache_control="no-cache")
    head = store._client().head_object(Bucket=store.bucket, Key=f"{store.prefix}a")
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == (sent, "no-cache", {})


def test_s3_tokens_of_a_list_are_those_of_get(s3_place: Place) -> None:
    store = s3_place.open()
    token = put(store, "a")
    assert list(store.list()) == [Stored("a", 1, token)]
    assert put(store, "a", b"2", match=next(iter(store.list())).token)


def test_s3_keeps_to_its_prefix(s3_place: Place) -> None:
    place = s3.open(f"{s3_place.url}/a", s3_place.settings)
    beside = s3.open(f"{s3_place.url}/ab", s3_place.settings)
    put(place, "x")
    put(beside, "x")
    assert keys(place) == ["x"]
    assert keys(s3_place.open()) == ["a/x", "ab/x"]


@pytest.mark.parametrize(
    ("url", "settings", "said"),
    [
        ("s3://no-such-bucket/x", {}, ("NoSuchBucket", "make the bucket, or correct its name")),
        (f"s3://{BUCKET}/x", {"profile": "wrong"}, ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY")),
        (f"s3://{BUCKET}/x", {"profile": "nobody"}, ("AccessDenied", "give these keys the right")),
        (f"s3://{BUCKET}/x", {"profile": "not-there"}, ("ProfileNotFound", "correct [s3] profile")),
        (f"s3://{BUCKET}/x", {"endpoint_url": "http://127.0.0.1:9"}, ("EndpointConnectionError", "server runs")),
    ],
)
def test_s3_says_what_is_wrong(
    s3_place: Place, monkeypatch: pytest.MonkeyPatch, url: str, settings: dict[str, str], said: tuple[str, ...]
) -> None:
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if "profile" in settings:
            monkeypatch.delenv(name)
    store = s3.open(url, {**s3_place.settings, **settings})
    for operation in (lambda: store.get("a"), lambda: put(store, "a"), lambda: put(store, "a", absent=True), lambda: keys(store)):
        with pytest.raises(SyndicationError) as caught:
            operation()
        assert caught.type in (StoreError, Forbidden)
        assert all(text in str(caught.value) for text in said), str(caught.value)


def test_s3_without_any_keys(s3_place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(StoreError, match="set AWS_ACCESS_KEY_ID"):
        s3_place.open(region="without-keys").get("a")


def test_a_partner_reads_its_own_prefix_and_nothing_else(s3_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = s3.open(f"s3://{BUCKET}", s3_place.settings)
    put(ours, "p/acme/current.json", b"acme")
    put(ours, "p/other/current.json", b"other")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    partner = s3.open(f"s3://{BUCKET}", {**s3_place.settings, "profile": "acme"})
    assert partner.get("p/acme/current.json")[0] == b"acme"
    for operation in (
        lambda: partner.get("p/other/current.json"),
        lambda: put(partner, "p/acme/x"),
        lambda: partner.delete("p/acme/current.json"),
    ):
        with pytest.raises(StoreError, match="AccessDenied"):
            operation()


# --- a bad network --------------------------------------------------------------------------------


@pytest.fixture
def bad_network(s3_place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Proxy, s3.S3Store]]:
    """A proxy, and the store behind it with three attempts a request."""
    monkeypatch.setattr(s3, "ATTEMPTS", 3)
    with proxy(s3_place.settings["endpoint_url"]) as between:
        yield between, s3_place.open(endpoint_url=between.url)


@pytest.mark.parametrize("faults", [["lost"], ["busy", "lost"], ["reset", "lost"], ["lost", "lost"], ["lost"] * 3])
@pytest.mark.parametrize("how", ["absent", "match"])
def test_an_answer_that_is_lost_is_looked_up(bad_network: tuple[Proxy, s3.S3Store], faults: list[str], how: str) -> None:
    """The server wrote, we do not know: the retry finds our own object in its way, or no answer comes at all."""
    between, store = bad_network
    condition: dict[str, Any] = {"absent": True} if how == "absent" else {"match": put(store, "a", b"before")}
    between.faults[:] = faults
    token = put(store, "a", b"ours", **condition)
    assert store.get("a") == (b"ours", token)
    assert between.faults == []


def test_a_retry_that_meets_another_write_loses(bad_network: tuple[Proxy, s3.S3Store]) -> None:
    between, store = bad_network
    put(store, "a", b"theirs")
    between.faults[:] = ["reset", "busy"]
    with pytest.raises(PreconditionFailed):
        put(store, "a", b"ours", absent=True)
    assert store.get("a")[0] == b"theirs"


def test_a_busy_server_is_asked_again(bad_network: tuple[Proxy, s3.S3Store]) -> None:
    between, store = bad_network
    between.faults[:] = ["busy", "reset"]
    put(store, "a", b"1" * 1000)
    between.faults[:] = ["cut", "busy"]
    assert store.get("a")[0] == b"1" * 1000
    between.faults[:] = ["reset", "cut"]
    assert keys(store) == ["a"]
    between.faults[:] = ["busy", "lost"]
    store.delete("a")
    assert keys(store) == []


@pytest.mark.parametrize(
    ("fault", "said"), [("busy", "run again later"), ("reset", "look whether the server runs"), ("cut", "proxy")]
)
def test_a_server_that_stays_broken(bad_network: tuple[Proxy, s3.S3Store], fault: str, said: str) -> None:
    between, store = bad_network
    put(store, "a", b"1" * 1000)
    between.faults[:] = [fault] * 40
    for operation in (lambda: store.get("a"), lambda: keys(store)):
        with pytest.raises(StoreError, match=said) as caught:
            operation()
        assert caught.type is StoreError
    between.faults.clear()
    assert store.get("a")[0] == b"1" * 1000


# --- the server that demonstrations use -----------------------------------------------------------


def test_a_command_runs_with_a_server_beside_it() -> None:
    require_tool(bool(command()), "weed")
    script = (
        "import os; from outputs.stores import s3; store = s3.open(os.environ['SYNDICATION_STORE'], {});"
        "store.put('a', b'1', media_type='text/plain'); print([o.key for o in store.list()], flush=True); raise SystemExit(7)"
    )
    words = [
        sys.executable,
        str(ROOT / "deploy/seaweedfs.py"),
        "--bucket",
        "demo",
        "--",
        sys.executable,
        "-W",
        "error",
        "-c",
        script,
    ]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("['a']\n", "", 7)


# --- no more than asked for -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*READABLE, "https"])
def test_no_more_is_read_than_who_asks_allows(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    data = b"0123456789" * 10_000
    (tmp_path / "web").mkdir()
    (tmp_path / "web/a").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", data)
    with web(tmp_path / "web") as server:
        if kind == "zip":
            store: Store = import_module("outputs.stores.zip").open(str(tmp_path / "a.zip"), {})
        elif kind == "https":
            store = import_module("outputs.stores.https").open(server.url, {})
        else:
            store = _make(kind, request, tmp_path)
            put(store, "a", data)
        for limit in (None, len(data), 10 * len(data)):
            assert store.get("a", limit)[0] == data
            assert store.get_changed("a", '"another"', limit) == store.get("a")
        for limit in (0, 1, len(data) - 1):
            with pytest.raises(Altered, match=f"at most {limit} bytes"):
                store.get("a", limit)
            with pytest.raises(Altered, match=f"at most {limit} bytes"):
                store.get_changed("a", '"another"', limit)


def test_an_s3_server_whose_answer_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    sent = 0

    def endless(request: Any) -> None:
        nonlocal sent
        request.wfile.write(b'HTTP/1.1 200 OK\r\nETag: "x"\r\n\r\n')
        while sent < 500_000_000:
            sent += request.wfile.write(b"x" * 65536)

    with web(tmp_path) as server:
        server.lies["key"] = endless
        store = s3.open("s3://bucket", {"endpoint_url": server.url, "region": "us-east-1"})
        with pytest.raises(Altered, match="larger than it may be"):
            store.get("key", 1000)
    assert sent < 50_000_000
