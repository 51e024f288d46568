"""Releases as one zip (outputs/zips.py): for who only unzips, proven by the same tools."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from releases import SITE, Between, expected_files, publish, root, signing, state, tree

from outputs import pull, release
from outputs import signing as metadata
from outputs.stores import folder
from pipeline.contracts import Site, Store
from pipeline.errors import Altered

ZIPPED = replace(SITE, zip=True)


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


def zips(store: Store) -> list[str]:
    return [key for key in state(store) if "/bundles/" in key]


def unzipped(store: Store, target: Path) -> dict[str, bytes]:
    """What is in the newest zip, as `current.json` names it, unzipped over what is there."""
    named = json.loads(store.get(f"{SITE.prefix}/current.json")[0])["zip"]
    data = store.get(f"{SITE.prefix}/{named['path']}")[0]
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (named["sha256"], named["size"])
    (target.parent / "bundle.zip").write_bytes(data)
    with zipfile.ZipFile(target.parent / "bundle.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(target)
    return tree(target)


def test_a_zip_is_the_bundle(disk: Store, tmp_path: Path) -> None:
    publish(disk, site=ZIPPED)
    found = unzipped(disk, tmp_path / "unzipped")
    assert pull.verify(tmp_path / "unzipped") == []
    pull.pull(disk, SITE.prefix, tmp_path / "pulled", root=root())
    assert found == tree(tmp_path / "pulled")
    assert {path: found[path] for path in expected_files()} == expected_files()
    live = metadata.read(disk, SITE.prefix, signing())
    assert live
    assert zips(disk) == [f"{SITE.prefix}/bundles/{live.pointer.zip['sha256']}.zip"]


def test_an_unchanged_release_makes_no_new_zip(disk: Store) -> None:
    publish(disk, site=ZIPPED)
    watched = Between(disk)
    assert publish(watched, site=ZIPPED).state == "unchanged"
    assert watched.keys("put") == [f"{SITE.prefix}/metadata/timestamp.json"]


def test_a_site_that_does_not_say_goes_on_as_it_was(disk: Store, tmp_path: Path) -> None:
    """A withdrawal knows the site from the store alone: its zip must hold the notices too."""
    publish(disk, site=ZIPPED)
    publish(disk, changed={0: "new"}, site=SITE)
    assert unzipped(disk, tmp_path / "b")["en/topic-0/index.html"] == expected_files(changed={0: "new"})["en/topic-0/index.html"]
    other: Site = replace(SITE, zip=False)
    publish(disk, changed={0: "newer"}, site=other)
    assert "zip" not in json.loads(disk.get(f"{SITE.prefix}/current.json")[0])
    publish(disk, changed={0: "last"}, site=SITE)
    assert "zip" not in json.loads(disk.get(f"{SITE.prefix}/current.json")[0])


def test_a_zip_that_is_wanted_later_or_lost_is_made(disk: Store) -> None:
    publish(disk)
    assert zips(disk) == []
    assert publish(disk, site=ZIPPED).state == "unchanged"
    (key,) = zips(disk)
    data = disk.get(key)[0]
    disk.delete(key)
    publish(disk, site=ZIPPED)
    assert disk.get(key)[0] == data
    release.resign(disk, SITE.prefix, created="2026-03-02T00:00:00Z", signing=signing())
    assert zips(disk) == [key]


def test_two_zips_are_kept(disk: Store) -> None:
    for state_ in ("a", "b", "c", "d"):
        publish(disk, changed={0: state_}, site=ZIPPED)
        assert len(zips(disk)) <= 2


def test_a_blob_that_was_swapped_is_not_zipped(disk: Store) -> None:
    publish(disk)
    (key,) = [key for key, data in state(disk).items() if data == expected_files()["en/topic-0/index.html"]]
    disk.put(key, disk.get(key)[0].replace(b"html", b"evil"), media_type="text/html")
    with pytest.raises(Altered):
        publish(disk, site=ZIPPED)
    assert zips(disk) == []
