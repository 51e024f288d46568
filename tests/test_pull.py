"""What a partner runs (outputs/pull.py): whole bundles only, whatever dies, lies or is in the way."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import require_command
from forked import in_child, killed_at, open_to_all
from releases import CREATED, SITE, Between, Dying, Killed, content, expected_files, file_row, forge, publish, root, signing, tree
from seaweed import Place, s3_place

from outputs import manifest, pull, release
from outputs.stores import folder
from pipeline.contracts import OutputFile, Store
from pipeline.errors import Altered, NotFound, StoreError, UsageError

__all__ = ["s3_place"]
OWN = {"manifest.json", "SHA256SUMS"}
FIRST = content().rows[0].files[0]  # a file that is in every release of these tests


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return folder.open(str(tmp_path / "store"), {})
    place: Place = request.getfixturevalue("s3_place")
    return place.open()


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "bundles" / "riverside"


def fetch(store: Store, dest: Path, **how: Any) -> pull.PullResult:
    return pull.pull(store, SITE.prefix, dest, **{"root": root(), **how})


def bundle(dest: Path) -> dict[str, bytes]:
    """The release's files in an installed bundle, which is proven first."""
    assert pull.verify(dest) == []
    files = tree(dest)
    assert set(files) >= OWN
    return {path: data for path, data in files.items() if path not in OWN}


def blob(store: Store, sha256: str = FIRST.sha256) -> str:
    key = release.blob_key(SITE.prefix, sha256)
    store.get(key)
    return key


# --- installing -----------------------------------------------------------------------------------


def test_a_bundle_is_what_was_published(store: Store, dest: Path) -> None:
    publish(store)
    seen: list[tuple[int, int]] = []
    result = fetch(store, dest, partner="riverside", site="portal", progress=lambda *at: seen.append(at))
    assert bundle(dest) == expected_files()
    assert (result.state, result.sequence, result.files, result.partner, result.site) == (
        "installed",
        1,
        11,
        "riverside",
        "portal",
    )
    assert result.fetched == len({file.sha256 for file in manifest.all_files(content())}) == 10
    assert result.fetched_bytes == sum(len(data) for data in set(expected_files().values()))
    assert seen[-1] == (11, 11)
    assert str(dest.readlink()).startswith("riverside.d/1-")
    assert "installed release 1 of portal" in str(result)
    assert json.loads(json.dumps(result.as_json()))["sequence"] == 1


def test_the_manifest_of_a_bundle(disk: Store, dest: Path) -> None:
    """One plain file says it all: the release and, a line each, its topics."""
    publish(disk)
    fetch(disk, dest)
    text = (dest / "manifest.json").read_text(encoding="utf-8")
    found = json.loads(text)
    assert {found[name] for name in ("partner", "site", "sequence", "as_of")} == {"riverside", "portal", 1, "2026-03-01"}
    assert sorted(topic["id"] for topic in found["topics"]) == ["topic-0", "topic-1", "topic-2"]
    assert sum(line.startswith('{"files"') for line in text.splitlines()) == 3
    assert {file["path"] for topic in found["topics"] for file in topic["files"]} < set(expected_files())


def test_the_sums_are_those_of_common_tools(disk: Store, dest: Path) -> None:
    publish(disk)
    fetch(disk, dest)
    done = subprocess.run(
        [require_command("sha256sum"), "--check", "--strict", "SHA256SUMS"], cwd=dest, capture_output=True, check=True
    )
    assert done.stdout.count(b": OK") == 12


def test_nothing_changed(store: Store, dest: Path) -> None:
    publish(store)
    fetch(store, dest)
    before = dest.readlink()
    watched = Between(store)
    result = fetch(watched, dest)
    assert (result.state, result.sequence, result.files, result.fetched) == ("unchanged", 1, 11, 0)
    assert "nothing changed" in str(result)
    assert watched.calls == [("get", f"{SITE.prefix}/metadata/timestamp.json")]
    assert dest.readlink() == before


def test_only_what_changed_is_fetched(store: Store, dest: Path) -> None:
    publish(store, topics=4)
    fetch(store, dest)
    publish(store, topics=3, changed={1: "new"})
    watched = Between(store)
    result = fetch(watched, dest)
    assert bundle(dest) == expected_files(3, {1: "new"})
    assert (result.sequence, result.fetched) == (2, 3)
    assert len(watched.calls) == 1 + 1 + 2 + 1 + 1 + 3  # pointer, next root, snapshot and targets, manifest, shard, files


def test_the_bundle_before_is_kept_and_older_ones_go(disk: Store, dest: Path) -> None:
    names = []
    for version in ("a", "b", "c"):
        publish(disk, changed={0: version})
        fetch(disk, dest)
        names.append(dest.readlink().name)
    assert sorted(path.name for path in dest.with_name("riverside.d").iterdir()) == sorted([".lock", ".trust", *names[1:]])
    old = dest.with_name("riverside.d") / names[1]
    assert pull.verify(old) == []
    assert {path: data for path, data in tree(old).items() if path not in OWN} == expected_files(changed={0: "b"})


def test_bundles_share_files_and_a_bundle_has_its_own(disk: Store, dest: Path) -> None:
    """A file that did not change takes no room twice; two files of one bundle that are equal can be edited one by one."""
    publish(disk)
    fetch(disk, dest)
    old = dest.resolve()
    publish(disk, changed={0: "new"})
    fetch(disk, dest)
    assert (old / "en/topic-1/index.html").samefile(dest / "en/topic-1/index.html")
    assert not (old / "en/topic-0/index.html").samefile(dest / "en/topic-0/index.html")
    assert not (dest / "NOTICE.txt").samefile(dest / "assets/1/NOTICE.txt")


def test_a_file_that_moved_is_not_fetched(disk: Store, dest: Path) -> None:
    publish(disk, 1)
    fetch(disk, dest)
    forge(disk, rows=lambda rows: rows[0]["files"][0].update(path="en/elsewhere.html"), document=_next, point=_next)
    watched = Between(disk)
    assert fetch(watched, dest).fetched == 0
    assert (dest / "en/elsewhere.html").read_bytes() == expected_files(1)["en/topic-0/index.html"]
    assert pull.verify(dest) == []


def _next(values: dict[str, Any]) -> None:
    values["sequence"] += 1


def test_files_may_become_folders(disk: Store, dest: Path) -> None:
    """A path that was a file is a folder in the next release, and the other way round, over a pull that was killed between."""

    def published(path: str) -> None:
        file = OutputFile(path, path.encode(), "text/plain")
        live = release.current(disk, SITE.prefix)
        release.put_files(disk, SITE.prefix, [file], release.present(disk, SITE.prefix))
        only = replace(content(0), files=(file_row("", file),))
        release.publish(disk, SITE, only, live, run_id="r", created=CREATED, signing=signing())

    for path in ("a", "a/b", "a/b/c", "a"):
        published(path)
        fetch(disk, dest)
        assert bundle(dest) == {path: path.encode()}
        staging = dest.with_name("riverside.d") / ".staging-0-dead"
        shutil.copytree(dest.resolve(), staging)


def test_a_link_given_with_a_slash(disk: Store, dest: Path) -> None:
    publish(disk)
    fetch(disk, Path(f"{dest}/"))
    assert fetch(disk, dest.parent / "x" / ".." / dest.name).state == "unchanged"


def test_a_bundle_can_be_moved_with_its_folder(disk: Store, dest: Path) -> None:
    publish(disk)
    fetch(disk, dest)
    dest.parent.rename(dest.parent.with_name("moved"))
    assert pull.verify(dest.parent.with_name("moved") / dest.name) == []


# --- killed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_killed_at_each_request(store: Store, dest: Path, late: bool) -> None:
    """Each pull dies a request later than the one before; what they fetched adds up."""
    publish(store)
    fetch(store, dest)
    changed = {0: "new", 1: "new"}
    publish(store, changed=changed)
    deaths = 0
    for step in range(1, 20):
        assert bundle(dest) == expected_files()
        try:
            fetch(Dying(store, step, late=late), dest)
            break
        except Killed:
            deaths += 1
    assert 4 <= deaths < 19
    assert bundle(dest) == expected_files(changed=changed)


def test_killed_at_each_step_on_the_disk(disk: Store, dest: Path) -> None:
    """SIGKILL before each operation on the file system of a pull that replaces a bundle; DEST is whole each time."""
    states = {state: expected_files(2, {0: state}) for state in ("old", "new")}
    publish(disk, 2, {0: "old"})
    fetch(disk, dest)
    publish(disk, 2, {0: "new"})
    saved = dest.parent.with_name("saved")
    shutil.copytree(dest.parent, saved, symlinks=True)
    step, found = 0, []
    while True:
        step += 1
        shutil.rmtree(dest.parent)
        shutil.copytree(saved, dest.parent, symlinks=True)
        killed = killed_at(lambda: fetch(disk, dest), step)
        found.append(bundle(dest))
        assert found[-1] in states.values()
        # A second kill, somewhere else, on top of what the first one left.
        killed_at(lambda: fetch(disk, dest), 7 + step % 20)
        assert bundle(dest) in states.values()
        fetch(disk, dest)
        assert bundle(dest) == states["new"]
        assert not list(dest.with_name("riverside.d").glob(".staging-*"))
        if not killed:
            break
    assert found[0] == states["old"]
    assert found[-1] == states["new"]
    assert step > 40


def test_killed_at_each_step_of_the_first_pull(disk: Store, dest: Path) -> None:
    publish(disk, 1)
    step = 0
    while killed_at(lambda: fetch(disk, dest), step := step + 1):
        assert not dest.is_symlink() or bundle(dest) == expected_files(1)
        if step % 3 == 0:
            fetch(disk, dest)
            assert bundle(dest) == expected_files(1)
            shutil.rmtree(dest.parent)
    assert step > 20
    assert bundle(dest) == expected_files(1)


def test_half_a_file_of_a_killed_pull_is_not_trusted(disk: Store, dest: Path) -> None:
    publish(disk)
    with pytest.raises(Killed):
        fetch(Dying(disk, 9, late=False), dest)
    (staging,) = dest.with_name("riverside.d").glob(".staging-*")
    held = sorted(path for path in staging.rglob("*") if path.is_file())
    assert len(held) >= 3
    held[0].write_bytes(held[0].read_bytes()[:-3])
    held[1].write_bytes(held[1].read_bytes().replace(b"topic", b"tropi"))
    (staging / "en/extra").write_text("x")
    (staging / "link").symlink_to(dest.parent)
    held[2].unlink()
    held[2].symlink_to("/etc/hostname")
    fetch(disk, dest)
    assert bundle(dest) == expected_files()


def test_two_pulls_of_one_place_do_not_meet(disk: Store, dest: Path) -> None:
    publish(disk)
    home = dest.with_name("riverside.d")
    home.mkdir(parents=True)
    with (home / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another pull is at work"):
            fetch(disk, dest)
    assert fetch(disk, dest).state == "installed"


# --- in the way -----------------------------------------------------------------------------------


def test_what_is_not_ours_is_not_replaced(disk: Store, dest: Path) -> None:
    publish(disk)
    elsewhere = dest.parent / "elsewhere"
    elsewhere.mkdir(parents=True)
    for make, said in (
        (lambda: dest.mkdir(), "not as a link that pull made"),
        (lambda: dest.write_text("x"), "not as a link that pull made"),
        (lambda: dest.symlink_to(elsewhere), "link of someone else"),
        (lambda: dest.symlink_to("nowhere"), "link of someone else"),
    ):
        make()
        before = dest.lstat()
        with pytest.raises(UsageError, match=said):
            fetch(disk, dest)
        assert dest.lstat() == before
        assert not dest.with_name("riverside.d").exists()
        dest.rmdir() if dest.is_dir() and not dest.is_symlink() else dest.unlink()
    with pytest.raises(UsageError, match="can not be a bundle"):
        fetch(disk, Path("/"))


def test_nothing_is_made_where_there_is_no_release(store: Store, dest: Path) -> None:
    with pytest.raises(StoreError, match="there is no release at p/portal") as caught:
        fetch(store, dest)
    assert not isinstance(caught.value, NotFound)
    assert not dest.parent.exists()


def test_a_store_that_is_not_there_is_named(tmp_path: Path, dest: Path) -> None:
    with pytest.raises(StoreError, match="there is no release") as caught:
        fetch(folder.open(str(tmp_path / "mistyped"), {}), dest)
    assert f"{tmp_path}/mistyped: there is no such folder" in str(caught.value)


def test_a_release_without_topics(disk: Store, dest: Path) -> None:
    """All that a partner had may be withdrawn: that is a release too."""
    publish(disk)
    fetch(disk, dest)
    publish(disk, topics=0)
    assert fetch(disk, dest).sequence == 2
    assert bundle(dest) == expected_files(0)
    live = release.current(disk, SITE.prefix)
    release.publish(disk, SITE, replace(content(0), files=()), live, run_id="r", created=CREATED, signing=signing())
    assert fetch(disk, dest).files == 0
    assert bundle(dest) == {}
    assert fetch(disk, dest).state == "unchanged"


def test_another_partner_or_site(disk: Store, dest: Path) -> None:
    publish(disk)
    for names in ({"partner": "hillside"}, {"site": "kiosk"}):
        with pytest.raises(StoreError, match=r"is another (partner|site)'s"):
            fetch(disk, dest, **names)
    fetch(disk, dest)
    other = replace(SITE, id="kiosk", prefix="p/kiosk")
    publish(disk, site=other)
    with pytest.raises(UsageError, match="bundle of another site"):
        pull.pull(disk, "p/kiosk", dest, partner="riverside", site="kiosk", root=root())
    assert bundle(dest) == expected_files()


def test_an_older_release_is_refused(disk: Store, dest: Path) -> None:
    publish(disk)
    old = disk.get(f"{SITE.prefix}/metadata/timestamp.json")[0]
    publish(disk, changed={0: "new"})
    fetch(disk, dest)
    disk.put(f"{SITE.prefix}/metadata/timestamp.json", old, media_type="application/json")
    with pytest.raises(Altered, match="a rollback"):
        fetch(disk, dest)
    assert bundle(dest) == expected_files(changed={0: "new"})


def test_another_release_of_the_same_number_is_refused(disk: Store, dest: Path) -> None:
    publish(disk)
    fetch(disk, dest)
    forge(disk, rows=lambda rows: rows[0].update(title="Another"))
    with pytest.raises(StoreError, match="another of its number"):
        fetch(disk, dest)
    assert bundle(dest) == expected_files()


# --- a store that lies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"), [(b"short", "is not whole"), (b"", "is not whole"), (None, "is not complete"), (b"same", "was altered")]
)
def test_a_blob_that_was_tampered_with(store: Store, dest: Path, data: bytes | None, said: str) -> None:
    publish(store, topics=1, changed={0: "old"})
    fetch(store, dest)
    publish(store)
    key = blob(store)
    whole, _ = store.get(key)
    if data is None:
        store.delete(key)
    else:
        store.put(key, whole.replace(b"topic", b"tonic") if data == b"same" else data, media_type="text/html")
    for _ in range(2):
        with pytest.raises(StoreError, match=said) as caught:
            fetch(store, dest)
        assert FIRST.sha256 in str(caught.value)
        assert not isinstance(caught.value, NotFound)
        assert bundle(dest) == expected_files(1, {0: "old"})
    store.put(key, whole, media_type="text/html")
    fetch(store, dest)
    assert bundle(dest) == expected_files()


@pytest.mark.parametrize(
    "path",
    [
        "../../evil",
        "/etc/evil",
        "a/../../evil",
        "..\\evil",
        "C:\\evil",
        "C:evil",
        "en//evil",
        "./evil",
        "",
        "a\nb",
        "a\x00b",
        "nul",
        "evil. ",
    ],
)
def test_unsafe_paths_are_refused(disk: Store, dest: Path, path: str) -> None:
    publish(disk)
    ways: list[dict[str, Any]] = [
        {"rows": lambda rows: rows[0]["files"][0].update(path=path)},
        {"document": lambda document: document["files"][0].update(path=path)},
    ]
    for how in ways:
        forge(disk, **how)
        with pytest.raises(StoreError, match="not safe to use"):
            fetch(disk, dest)
    assert not dest.exists()
    assert not list(dest.parent.parent.rglob("*evil*"))


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files[1].update(path=files[0]["path"]),
        lambda files: files[1].update(path=files[0]["path"].upper()),
        lambda files: files[1].update(path=files[0]["path"] + "/below"),
        lambda files: files[0].update(path="manifest.json"),
        lambda files: files[0].update(path="sha256sums"),
        lambda files: files[0].update(path="en"),
    ],
)
def test_paths_that_meet_are_refused(disk: Store, dest: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    publish(disk)
    forge(disk, rows=lambda rows: change(rows[0]["files"]))
    with pytest.raises(StoreError, match="not safe to use"):
        fetch(disk, dest)
    assert not dest.exists()


def test_a_release_that_is_replaced_while_it_is_fetched(disk: Store, dest: Path) -> None:
    """The publisher goes on and tidies up meanwhile: it is the new release that is installed."""
    publish(disk)
    fetch(disk, dest)
    publish(disk, changed={0: "second"})

    class Moving(Between):
        moved = False

        def before(self, operation: str, key: str) -> None:
            if (
                operation == "get"
                and "/blobs/" in key
                and not self.moved
                and key.endswith(content(changed={0: "second"}).rows[0].files[0].sha256)
            ):
                self.moved = True
                publish(disk, changed={0: "third"})
                disk.delete(key)

    moving = Moving(disk)
    assert fetch(moving, dest).sequence == 3
    assert moving.moved
    assert bundle(dest) == expected_files(changed={0: "third"})


# --- a disk that fails ----------------------------------------------------------------------------


def test_a_full_disk(disk: Store, dest: Path) -> None:
    publish(disk, topics=1)
    fetch(disk, dest)
    publish(disk, topics=30)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(StoreError, match="installing failed") as caught:
            fetch(disk, dest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in str(caught.value)
    assert "to do:" in str(caught.value)
    assert bundle(dest) == expected_files(1)
    fetch(disk, dest)
    assert bundle(dest) == expected_files(30)


def test_a_folder_without_rights(disk: Store, dest: Path) -> None:
    publish(disk)
    user = 65534 if os.getuid() == 0 else None
    if user is not None:
        open_to_all(dest.parent.parent)
    dest.parent.mkdir()
    dest.parent.chmod(0o555)
    try:
        with pytest.raises(StoreError) as caught:
            in_child(lambda: fetch(disk, dest), user)
    finally:
        dest.parent.chmod(0o755)
    assert "Permission denied" in str(caught.value)
    assert not dest.exists()


# --- verifying ------------------------------------------------------------------------------------


def _edit(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda b: _edit(b / "NOTICE.txt", b"Notice", b"notice"), "NOTICE.txt: it was altered"),
        (lambda b: (b / "en/topic-0/index.html").write_bytes(b""), "en/topic-0/index.html: it was altered"),
        (lambda b: (b / "en/topic-1/topic.json").unlink(), "en/topic-1/topic.json: it is missing"),
        (lambda b: (b / "en/new.html").write_bytes(b""), "en/new.html: it is no part of the release"),
        (lambda b: (b / "en/link").symlink_to("topic-0"), "en/link: it is no part of the release"),
        (lambda b: (b / "SHA256SUMS").unlink(), "SHA256SUMS: it does not say"),
        (lambda b: _edit(b / "SHA256SUMS", b"NOTICE", b"NOTICES"), "SHA256SUMS: it does not say"),
        (
            lambda b: _edit(b / "manifest.json", b'"title":"Topic 1"', b'"title":"Topic 7"'),
            "a shard of manifest.json was altered",
        ),
        (lambda b: _edit(b / "manifest.json", b'"as_of":"2026', b'"as_of":"2027'), "manifest.json was altered"),
        (lambda b: _edit(b / "manifest.json", b"}", b""), "manifest.json is damaged"),
    ],
)
def test_verify_finds(disk: Store, dest: Path, change: Callable[[Path], object], problem: str) -> None:
    publish(disk)
    fetch(disk, dest)
    assert pull.verify(dest) == []
    change(dest)
    found = pull.verify(dest)
    assert found[0].startswith(problem)
    assert len(found) == (2 if problem.startswith(("a shard", "manifest.json")) else 1)
    assert fetch(disk, dest, repair=True).state == "installed"
    assert bundle(dest) == expected_files()
    assert fetch(disk, dest).state == "unchanged"


def test_a_file_in_place_of_another_by_a_link(disk: Store, dest: Path) -> None:
    publish(disk)
    fetch(disk, dest)
    (dest / "NOTICE.txt").unlink()
    (dest / "NOTICE.txt").symlink_to("assets/1/NOTICE.txt")
    assert pull.verify(dest) == ["NOTICE.txt: it is no file of its own"]


def test_a_bundle_that_lacks_a_file_is_made_anew(disk: Store, dest: Path) -> None:
    """Without being asked: what is missing or cut off is seen from names and sizes alone."""
    publish(disk)
    for change in (
        lambda: (dest / "NOTICE.txt").unlink(),
        lambda: (dest / "en/topic-0/index.html").write_bytes(b"cut"),
        lambda: (dest / "manifest.json").unlink(),
        lambda: (dest / "manifest.json").write_text("{"),
        lambda: shutil.rmtree(dest.resolve()),
    ):
        fetch(disk, dest)
        change()
        assert fetch(disk, dest).state == "installed"
        assert bundle(dest) == expected_files()


def test_verify_of_what_is_no_bundle(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UsageError, match="is no bundle"):
            pull.verify(path)


def _forge(bundle: Path) -> None:
    """Alters a file, and everything that the bundle itself says of it."""
    data = (bundle / "manifest.json").read_bytes()
    found, rows = manifest.read_bundle(data, "it")
    path = bundle / FIRST.path
    path.write_bytes(b"Take ten.")
    for file in (file for row in rows for file in row["files"] if file["path"] == FIRST.path):
        file.update(sha256=hashlib.sha256(b"Take ten.").hexdigest(), size=9)
    shards = [{"sha256": shard.sha256, "size": shard.size, "topics": shard.topics} for shard, _ in manifest.pack(rows)]
    document = {**found.document, "shards": shards}
    inner = {key: value for key, value in document.items() if key not in manifest._HEADER}
    document["content"] = hashlib.sha256(manifest.canonical(inner)).hexdigest()
    forged = manifest.read(manifest.canonical(document), "it")
    files = list(manifest.all_files(manifest.content(forged, rows, "it")))
    for name, own in manifest.own_files(forged, rows, files).items():
        (bundle / name).write_bytes(own)


def test_verify_holds_a_bundle_against_its_signature(disk: Store, dest: Path, tmp_path: Path) -> None:
    """Whoever alters a file can alter its hashes too, but not what was signed. A copy has nothing to compare with."""
    publish(disk)
    fetch(disk, dest)
    assert "publisher's signature of release 1" in pull.checked_against(dest)
    _forge(dest)
    (problem,) = pull.verify(dest)
    assert problem.startswith("manifest.json: it is not the signed one: content")
    copy = tmp_path / "copy"
    shutil.copytree(dest.resolve(), copy)
    assert pull.verify(copy) == []
    assert "NOT against the publisher's signature" in pull.checked_against(copy)
    _edit(dest.with_name(f"{dest.name}.d") / ".trust/targets.json", b'"content":"', b'"content":"0')
    assert "not what the publisher signed" in pull.verify(dest)[-1]
    assert fetch(disk, dest, repair=True).state == "installed"


@pytest.mark.parametrize("name", ["partner", "site", "sequence", "content"])
def test_an_installed_manifest_without_a_name_is_made_anew(disk: Store, dest: Path, name: str) -> None:
    publish(disk)
    fetch(disk, dest)
    path = dest / "manifest.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_bytes()).items() if key != name}))
    assert fetch(disk, dest).state == "installed"
    assert bundle(dest) == expected_files()
