"""Packs (outputs/packs.py): the notices of a withdrawal in one object, through all that reads a release; false ones refused."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from releases import SITE, Between, Dying, Killed, expected_files, file_row, forge, root, signing, tree
from test_prune import moment, notice, pruned, publish, store, system

from outputs import archive, manifest, mirror, packs, pull, release
from outputs.stores import folder
from pipeline import history
from pipeline.contracts import Content, OutputFile, Pack, Row, Store, Withdrawn
from pipeline.errors import Altered, StoreError, UsageError
from pipeline.plugins import System

__all__ = ["store", "system"]  # pytest finds fixtures by their names here

GONE = frozenset({1, 2})


@pytest.fixture
def withdrawn(system: System, store: Store) -> Store:
    """A store whose release 2 has two notices, in one pack."""
    publish(system, store, 0, {})
    publish(system, store, 1, {}, GONE)
    return store


def live(store: Store) -> Content:
    found = release.current(store, SITE.prefix, signing())
    assert found
    return found.content


def fetched(store: Store, dest: Path) -> dict[str, bytes]:
    """The topics' files of what is pulled, proven."""
    pull.pull(store, SITE.prefix, dest, root=root())
    assert pull.verify(dest) == []
    return {path: data for path, data in tree(dest).items() if path.startswith("en/")}


def expected(gone: frozenset[int] = GONE) -> dict[str, bytes]:
    kept = {path: data for path, data in expected_files(4).items() if path.startswith("en/")}
    left = {path: data for path, data in kept.items() if not any(path.startswith(f"en/topic-{number}/") for number in gone)}
    return left | {notice(number).path: notice(number).data for number in gone}


def pack_key(store: Store) -> str:
    (pack,) = live(store).packs
    return release.blob_key(SITE.prefix, pack.sha256)


# --- made -----------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=40), max_size=12, unique=True), st.integers(1, 60))
def test_what_is_packed_comes_out(datas: list[bytes], size: int) -> None:
    """Each file is in one object, no pack is larger than it may be, and a file that is alone has no pack."""
    files = [OutputFile(f"en/x/{number}", data, "text/plain") for number, data in enumerate(datas)]
    rows = tuple(file_row("text", file) for file in files)
    gone = Withdrawn(1, "x", "en", (), "", "", "", "", "", {}, "", "", "en/x", rows)
    before, packs.SIZE = packs.SIZE, size  # type: ignore[misc]
    try:
        content, put = packs.packed(Content("", "", {}, {}, (), (), withdrawn=(gone,)), None, files)
    finally:
        packs.SIZE = before  # type: ignore[misc]
    objects = {hashlib.sha256(file.data).hexdigest(): file.data for file in put}
    assert {name: len(data) for name, data in objects.items()} == {n: s for n, (s, _) in packs.objects(content).items()}
    assert all(pack.size <= size and len(pack.members) > 1 for pack in content.packs)
    assert list(packs.read(lambda sha256, _size: objects[sha256], content.packs, rows, "here")) == datas
    assert packs.packed(content, None, []) == (content, [])


def test_one_object_holds_the_notices(system: System, store: Store) -> None:
    publish(system, store, 0, {})
    watched = Between(store)
    publish(system, watched, 1, {}, GONE)
    (pack,) = live(store).packs
    assert set(pack.members) == {hashlib.sha256(notice(number).data).hexdigest() for number in GONE}
    assert not set(pack.members) & release.present(store, SITE.prefix)
    assert release.blob_key(SITE.prefix, pack.sha256) in watched.keys("put")


def test_the_same_content_is_no_new_release(system: System, withdrawn: Store) -> None:
    assert publish(system, withdrawn, 2, {}, GONE).state == "unchanged"


def test_a_release_without_packs_says_nothing_of_them(system: System, store: Store) -> None:
    publish(system, store, 0, {})
    found = release.current(store, SITE.prefix)
    assert found
    data, _ = store.get(release.manifest_key(SITE.prefix, found.manifest_sha256))
    assert "packs" not in json.loads(data)


# --- read -----------------------------------------------------------------------------------------


def test_pulled(withdrawn: Store, tmp_path: Path) -> None:
    watched = Between(withdrawn)
    assert fetched(watched, tmp_path / "b") == expected()
    assert watched.keys("get").count(pack_key(withdrawn)) == 1  # type: ignore[attr-defined]


def test_only_what_is_missing_is_fetched(withdrawn: Store, tmp_path: Path) -> None:
    """A damaged notice brings the pack once more; one that a killed pull has written already does not."""
    fetched(withdrawn, tmp_path / "b")
    (tmp_path / "b" / notice(1).path).write_bytes(b"damaged")
    watched = Between(withdrawn)
    done = pull.pull(watched, SITE.prefix, tmp_path / "b", root=root(), repair=True)
    assert (done.fetched, done.fetched_bytes) == (1, live(withdrawn).packs[0].size)
    assert fetched(withdrawn, tmp_path / "b") == expected()
    (tmp_path / "b" / "en/topic-0/topic-0.txt").unlink()
    watched = Between(withdrawn)
    pull.pull(watched, SITE.prefix, tmp_path / "b", root=root(), repair=True)
    assert pack_key(withdrawn) not in watched.keys("get")


@pytest.mark.parametrize("late", [False, True])
def test_a_pull_that_is_killed_goes_on(withdrawn: Store, tmp_path: Path, late: bool) -> None:
    for step in range(1, 40):
        dest = tmp_path / f"{step}"
        try:
            fetched(Dying(withdrawn, step, late=late), dest)
            break
        except Killed:
            assert fetched(withdrawn, dest) == expected()
    else:
        pytest.fail("a pull takes more steps than were tried")


def test_delivered_into_a_partners_bucket(withdrawn: Store, tmp_path: Path) -> None:
    theirs = folder.open(str(tmp_path / "theirs"), {})
    mirror.deliver(withdrawn, theirs, SITE.prefix, signing())
    assert fetched(theirs, tmp_path / "b") == expected()


def test_as_one_zip(system: System, withdrawn: Store, tmp_path: Path) -> None:
    """A site gets its first zip while notices are in a pack: the zip holds plain files."""
    found = release.current(withdrawn, SITE.prefix, signing())
    assert found
    content = replace(found.content, as_of="2027-01-01")
    release.publish(
        withdrawn, replace(SITE, zip=True), content, found, run_id="z", created=moment(2), signing=system.signing or signing()
    )
    named = json.loads(withdrawn.get(f"{SITE.prefix}/current.json")[0])["zip"]
    (tmp_path / "b.zip").write_bytes(withdrawn.get(f"{SITE.prefix}/{named['path']}")[0])
    with zipfile.ZipFile(tmp_path / "b.zip") as whole:
        assert {name: whole.read(name) for name in whole.namelist() if name.startswith("en/")} == expected()


def test_a_pack_stays_while_one_notice_is_needed(system: System, withdrawn: Store, tmp_path: Path) -> None:
    """Then it goes to the archive, where its notices are found for years; and comes back with a release that shows them again."""
    (pack,) = live(withdrawn).packs
    publish(system, withdrawn, 2, {}, frozenset({1}))
    assert live(withdrawn).packs == (pack,)
    pruned(system, withdrawn, 3)
    pruned(system, withdrawn, 40)
    assert fetched(withdrawn, tmp_path / "b") == expected(frozenset({1}))
    publish(system, withdrawn, 41, {}, frozenset())
    assert live(withdrawn).packs == ()
    pruned(system, withdrawn, 42)
    pruned(system, withdrawn, 80)
    assert pack.sha256 not in release.present(withdrawn, SITE.prefix)
    found = history.shown(system, withdrawn, SITE.prefix, "topic-2", "en", datetime.fromisoformat(moment(1)) + timedelta(hours=1))
    assert list(archive.files(withdrawn, SITE.prefix, found.content, found.files)) == [notice(2).data]
    publish(system, withdrawn, 81, {}, GONE)
    assert fetched(withdrawn, tmp_path / "b") == expected()


# --- refused --------------------------------------------------------------------------------------


def refused(store: Store, dest: Path) -> str:
    with pytest.raises(Altered) as caught:
        pull.pull(store, SITE.prefix, dest, root=root())
    assert not dest.exists()
    return str(caught.value)


def test_a_pack_that_was_swapped(withdrawn: Store, tmp_path: Path) -> None:
    key = pack_key(withdrawn)
    data, _ = withdrawn.get(key)
    for wrong in (data[::-1], data[:-1], data + b"x", b""):
        withdrawn.put(key, wrong, media_type="text/plain")
        assert key in refused(withdrawn, tmp_path / "b")
    withdrawn.delete(key)
    with pytest.raises(StoreError, match="not complete"):
        pull.pull(withdrawn, SITE.prefix, tmp_path / "b", root=root())


def _negative(pack: dict[str, Any]) -> None:
    first, second = pack["members"]
    pack["members"] = {first: pack["members"][first] + pack["members"][second] + 5, second: -5}


def _huge(pack: dict[str, Any]) -> None:
    pack["members"]["f" * 64] = 10**30


def _shifted(pack: dict[str, Any]) -> None:
    first, second = pack["members"]
    pack["members"] = {first: pack["members"][first] + 1, second: pack["members"][second] - 1}


def _no_hash(pack: dict[str, Any]) -> None:
    pack["members"]["../x"] = 1


def _of_no_hash(pack: dict[str, Any]) -> None:
    pack["sha256"] = "../../../x"


def _no_number(pack: dict[str, Any]) -> None:
    pack["members"] = dict.fromkeys(pack["members"], "1")


def _true(pack: dict[str, Any]) -> None:
    pack["members"] = dict.fromkeys(pack["members"], True)


def _none(pack: dict[str, Any]) -> None:
    pack["members"] = {}


def _more(pack: dict[str, Any]) -> None:
    pack["members"]["0" * 64] = 3


@pytest.mark.parametrize("change", [_negative, _huge, _shifted, _no_hash, _of_no_hash, _no_number, _true, _none, _more])
def test_a_signed_pack_that_can_not_be(withdrawn: Store, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Whoever has the keys says sizes or names that are false: refused before a file is made."""
    forge(withdrawn, document=lambda document: change(document["packs"][0]))
    assert "pack" in refused(withdrawn, tmp_path / "b")


def test_a_signed_member_of_other_bytes(withdrawn: Store, tmp_path: Path) -> None:
    """A pack that is what the manifest says, and holds another text under a notice's SHA-256."""
    (pack,) = live(withdrawn).packs
    data = b"x" * pack.size
    wrong = Pack(hashlib.sha256(data).hexdigest(), pack.members)
    withdrawn.put(release.blob_key(SITE.prefix, wrong.sha256), data, media_type="text/plain")
    forge(withdrawn, document=lambda document: document["packs"][0].update(sha256=wrong.sha256))
    assert "altered" in refused(withdrawn, tmp_path / "b")


def test_a_pack_that_is_missing_is_not_published(system: System, withdrawn: Store) -> None:
    """The comparison before the pointer moves looks for packs, as for any object."""
    found = release.current(withdrawn, SITE.prefix, signing())
    assert found
    withdrawn.delete(pack_key(withdrawn))
    content = replace(found.content, rows=(*found.content.rows, Row("more", "en", "More")))
    with pytest.raises(StoreError, match="missing or not whole"):
        release.publish(withdrawn, SITE, content, found, run_id="x", created=moment(2), signing=system.signing)


def test_a_description_of_a_pack_is_checked_when_written() -> None:
    rows = (Row("x", "en", "X", files=(file_row("text", OutputFile("en/x/a", b"abc", "text/plain")),)),)
    content = Content("", "", {}, {}, rows, (), packs=(Pack("a" * 64, {rows[0].files[0].sha256: 4}),))
    with pytest.raises(UsageError, match="of one SHA-256"):
        manifest.describe(content)
