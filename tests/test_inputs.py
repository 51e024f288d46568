"""Input files: names over several stores, archives that must be refused, and who claims what."""

from __future__ import annotations

import errno
import os
import pickle
import socket
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from outputs._paths import key_problem
from outputs.stores import folder
from outputs.stores import zip as archives
from pipeline.contracts import Head, Stored
from pipeline.errors import NotFound, StoreError, UsageError
from pipeline.findings import Finding
from pipeline.inputs import Input, Inputs, survey


@dataclass
class Held:
    """A store of a few files in memory."""

    files: Mapping[str, bytes]
    url: str = "held"
    listed: list[str] = field(default_factory=list)

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        assert limit is None
        return self.files[key], ""

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        assert limit is None
        raise AssertionError(f"inputs are not asked for changes: {key}, {token}")

    def list(self, prefix: str = "") -> Iterator[Stored]:
        self.listed.append(prefix)
        return (Stored(key, len(data), "") for key, data in sorted(self.files.items()) if key.startswith(prefix))

    def put(self, key: str, *_data: object, **_options: object) -> str:
        raise AssertionError(f"inputs are not written to: {key}")

    def delete(self, key: str) -> None:
        raise AssertionError(f"inputs are not deleted: {key}")


def source(*roots: str) -> Any:
    return SimpleNamespace(claims=lambda head: head.root in roots)


def codes(findings: Iterable[Finding]) -> list[tuple[str, str, int]]:
    return [(f.code, f.file, f.line) for f in findings]


# --- names --------------------------------------------------------------------------------------


def test_files_of_all_inputs_stand_in_one_sorted_list() -> None:
    files = Inputs([Input("topics", Held({"b.xml": b"B", "sub/a.xml": b"A"})), Input("../shared", Held({"c.xml": b"C"}))])
    assert files.names() == ("../shared/c.xml", "topics/b.xml", "topics/sub/a.xml")
    assert [files.read(name) for name in files.names()] == [b"C", b"B", b"A"]
    assert "topics/b.xml" in files
    assert "b.xml" not in files
    assert files.findings == ()
    with pytest.raises(NotFound, match=r"topics/B\.xml"):
        files.read("topics/B.xml")


def test_an_input_in_the_settings_folder_has_no_prefix() -> None:
    files = Inputs([Input(".", Held({"a.xml": b"A"})), Input("", Held({"b.xml": b"B"}))])
    assert files.names() == ("a.xml", "b.xml")
    assert files.read("b.xml") == b"B"


def test_files_of_an_address_have_names_that_resolve_like_paths() -> None:
    files = Inputs([Input("s3://bucket/topics", Held({"a/b.xml": b"B"}))])
    assert files.names() == ("bucket/topics/a/b.xml",)
    assert files.read("bucket/topics/a/b.xml") == b"B"


def test_a_single_file_brings_nothing_beside_it() -> None:
    files = Inputs([Input("feeds", Held({"feed.xml": b"F", "feed.xml.old": b"O", "other.xml": b"X"}), only="feed.xml")])
    assert files.names() == ("feeds/feed.xml",)


def test_hidden_files_are_not_inputs() -> None:
    files = Inputs([Input("t", Held({".git/config": b"", "a/.b.xml": b"", "a/b.xml": b""}))])
    assert files.names() == ("t/a/b.xml",)
    assert files.findings == ()


NO_NAMES = ("../up.xml", "a/../b.xml", "a//b.xml", "a\\b.xml", "a\x07b.xml", "a\u202exml.b", "a\udcffb.xml", "/etc/x.xml")
NO_KEYS = ("con.dita", "a/NUL", "a/aux/b.xml", "Com1.txt", "a\u2028b.xml", f"{'x' * 256}.xml", "/".join(["y" * 200] * 6))


@pytest.mark.parametrize("key", [*NO_NAMES, *NO_KEYS])
def test_a_name_that_could_be_another_place_is_refused(key: str) -> None:
    files = Inputs([Input("t", Held({key: b"<a/>", "good.xml": b"<a/>"}))])
    assert files.names() == ("t/good.xml",)
    (finding,) = files.findings
    assert finding.code == "input.name-refused"
    finding.text.encode()


@pytest.mark.parametrize("key", NO_KEYS)
def test_what_a_store_would_not_hand_out_is_refused_before(key: str) -> None:
    assert key_problem(key)
    assert not key_problem("console/content.xml")
    assert Inputs([Input("t", Held({"console/content.xml": b"<a/>"}))]).names() == ("t/console/content.xml",)


def test_a_name_in_two_inputs_is_read_from_the_first() -> None:
    files = Inputs([Input("t", Held({"a.xml": b"1"}, "one")), Input("t", Held({"a.xml": b"2"}, "two"))])
    assert files.read("t/a.xml") == b"1"
    assert codes(files.findings) == [("input.name-twice", "t/a.xml", 0)]


def test_a_worker_gets_the_inputs_without_the_list() -> None:
    many = Held({f"topic-{n:05}.xml": b"<a/>" for n in range(5000)})
    files = Inputs([Input("t", many)])
    assert len(files.names()) == 5000
    stores = len(pickle.dumps(many))
    sent = pickle.dumps(files)
    assert len(sent) < stores + 1000
    again = pickle.loads(sent)
    assert again.names() == files.names()
    assert again.read("t/topic-00042.xml") == b"<a/>"
    assert many.listed == [""]


# --- who reads what -----------------------------------------------------------------------------


def test_each_file_goes_to_the_source_that_claims_its_head() -> None:
    held = Held(
        {
            "a.xml": b"<concept/>",
            "b.dita": b"<task/>",
            "feed": "\ufeff<feed/>".encode("utf-16-le"),
            "logo.svg": b"<svg/>",
            "page.html": b"<html/>",
            "notes.txt": b"no mark-up here",
            "scheme.dtd": b"<!ELEMENT a ANY>",
        }
    )
    found = survey(Inputs([Input("t", held)]), {"dita": source("concept", "task"), "feeds": source("feed"), "none": source()})
    assert found.claimed == {"dita": ("t/a.xml", "t/b.dita"), "feeds": ("t/feed",), "none": ()}
    assert found.findings == ()


def test_files_that_can_not_be_given_to_one_source_are_findings() -> None:
    held = Held(
        {"empty.xml": b"", "broken.xml": b"<a", "nobody.xml": b"\n<x xmlns='urn:x'/>", "two.xml": b"<a/>", "words.xml": b"hello"}
    )
    found = survey(Inputs([Input("", held)]), {"one": source("a"), "other": source("a")})
    assert found.claimed == {"one": (), "other": ()}
    assert codes(found.findings) == [
        ("xml.not-well-formed", "broken.xml", 1),
        ("xml.empty", "empty.xml", 1),
        ("input.unclaimed", "nobody.xml", 0),
        ("input.claimed-twice", "two.xml", 0),
        ("xml.not-well-formed", "words.xml", 1),
    ]
    assert "<x> in the namespace urn:x" in found.findings[2].text


@pytest.mark.parametrize("held", [{}, {"a.png": b"\x89PNG"}])
def test_inputs_without_xml_are_an_error(held: dict[str, bytes]) -> None:
    found = survey(Inputs([Input("t", Held(held))]), {"one": source("a")})
    assert codes(found.findings) == [("input.empty", "", 0)]


def test_a_source_gets_the_doctype_and_attributes_of_the_root() -> None:
    heads: list[Head] = []

    def claims(head: Head) -> bool:
        heads.append(head)
        return True

    held = Held({"a.xml": b'<!DOCTYPE topic PUBLIC "-//X//DTD T//EN" "t.dtd"><topic schema="1" id="x"><title/></topic>'})
    survey(Inputs([Input("", held)]), {"one": cast(Any, SimpleNamespace(claims=claims))})
    assert heads == [Head("a.xml", "topic", "", "-//X//DTD T//EN", "t.dtd", {"schema": "1", "id": "x"})]


# --- archives -----------------------------------------------------------------------------------


def write(path: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return str(path)


def test_an_archive_is_an_input(tmp_path: Path) -> None:
    url = write(tmp_path / "t.zip", {"sub/b.xml": b"<b/>", "a.xml": b"<a/>", "sub/": b""})
    store = archives.open(url, {})
    assert [stored[:2] for stored in store.list()] == [("a.xml", 4), ("sub/b.xml", 4)]
    assert [stored.key for stored in store.list("sub/")] == ["sub/b.xml"]
    data, token = store.get("a.xml")
    assert (data, token) == (b"<a/>", next(store.list("a.xml")).token)
    with pytest.raises(NotFound, match="A\\.xml"):
        store.get("A.xml")
    files = pickle.loads(pickle.dumps(Inputs([Input("t.zip", store)])))
    assert files.names() == ("t.zip/a.xml", "t.zip/sub/b.xml")
    assert files.read("t.zip/sub/b.xml") == b"<b/>"


def test_an_archive_is_not_written_to(tmp_path: Path) -> None:
    store = archives.open(write(tmp_path / "t.zip", {"a.xml": b""}), {})
    with pytest.raises(UsageError, match="inputs only"):
        store.put("b.xml", b"", media_type="text/xml")
    with pytest.raises(UsageError, match="inputs only"):
        store.delete("a.xml")


@pytest.mark.parametrize(
    ("url", "claimed"),
    [("t.zip", True), ("/in/Topics.ZIP", True), ("s3://b/t.zip", False), ("topics", False), ("a.zip/b", False)],
)
def test_archives_claim_local_zip_files_alone(url: str, claimed: bool) -> None:
    assert archives.claims(url) is claimed


@pytest.mark.parametrize("name", ["../a.xml", "/a.xml", "a/../../b.xml", "C:/a.xml", "a\\..\\b.xml", "a\x01b.xml"])
def test_an_archive_with_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    store = archives.open(write(tmp_path / "t.zip", {"good.xml": b"<a/>", name: b"<a/>"}), {})
    with pytest.raises(UsageError, match="is refused"):
        list(store.list())
    with pytest.raises(UsageError, match="is refused"):
        store.get("good.xml")


def test_an_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("a.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UsageError, match="is a link"):
        list(archives.open(str(path), {}).list())


def test_an_archive_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.xml", "2")
    with pytest.raises(UsageError, match="twice"):
        list(archives.open(str(path), {}).list())


def test_a_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    url = write(tmp_path / "t.zip", {"a.xml": b"<a>" + b" " * (archives.RATIO_FROM + 1) + b"</a>"})
    with pytest.raises(UsageError, match="would unpack"):
        list(archives.open(url, {}).list())


def test_many_small_bombs_are_refused_together(tmp_path: Path) -> None:
    url = write(tmp_path / "t.zip", {f"{n}.xml": b" " * (archives.RATIO_FROM // 2) for n in range(4)})
    with pytest.raises(UsageError, match="would unpack"):
        list(archives.open(url, {}).list())


def test_a_missing_and_a_damaged_archive_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no archive"):
        list(archives.open(str(tmp_path / "none.zip"), {}).list())
    (tmp_path / "bad.zip").write_bytes(b"PK, but no archive")
    with pytest.raises(StoreError, match="can not be read"):
        list(archives.open(str(tmp_path / "bad.zip"), {}).list())
    url = write(tmp_path / "cut.zip", {"a.xml": b"x" * 1000}, zipfile.ZIP_STORED)
    data = bytearray(Path(url).read_bytes())
    data[60] ^= 0xFF
    Path(url).write_bytes(data)
    with pytest.raises(StoreError, match="can not be read"):
        archives.open(url, {}).get("a.xml")
    url = write(tmp_path / "deflated.zip", {"a.xml": b"text of a topic " * 100})
    data = bytearray(Path(url).read_bytes())
    data[40:50] = b"\xff" * 10
    Path(url).write_bytes(data)
    with pytest.raises(StoreError, match="can not be read"):
        archives.open(url, {}).get("a.xml")


@pytest.mark.corpus
def test_corpora_are_surveyed_without_a_crash(corpora: Path) -> None:
    files = {str(path.relative_to(corpora)): path.read_bytes() for path in corpora.rglob("*") if path.is_file()}
    found = survey(Inputs([Input("", Held(files))]), {"none": source()})
    pdq = [f for f in found.findings if f.file.startswith("pdq/")]
    assert pdq
    assert {f.code for f in pdq} == {"input.unclaimed"}
    assert {f.code for f in found.findings if f.file.startswith("medquad/")} == {"input.unclaimed"}


# --- files that can not be read -----------------------------------------------------------------


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder with one sound file, and one of each that is none."""
    root, outside = tmp_path / "topics", tmp_path / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    (root / "a.xml").write_bytes(b"<a/>")
    (outside / "b.xml").write_bytes(b"<a/>")
    (root / "link.xml").symlink_to("a.xml")
    (root / "loop.xml").symlink_to("loop.xml")
    (root / "one.xml").symlink_to("other.xml")
    (root / "other.xml").symlink_to("one.xml")
    (root / "nothing.xml").symlink_to("gone.xml")
    (root / "out.xml").symlink_to(outside / "b.xml")
    (root / "away").symlink_to(outside)
    (root / "sub" / "up").symlink_to("..")
    os.mkfifo(root / "pipe.xml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "socket.xml"))
    (Path(os.fsdecode(bytes(root) + b"/\xe9t\xe9.xml"))).write_bytes(b"<a/>")
    return root


def test_what_is_no_readable_file_is_a_finding_each(odd: Path) -> None:
    files = Inputs([Input("topics", folder.open(str(odd), {}))])
    assert files.names() == ("topics/a.xml", "topics/link.xml")
    assert {(f.code, f.file) for f in files.findings} == {
        ("input.name-refused", "topics/\ufffdt\ufffd.xml"),
        ("input.folder-unreadable", "topics/away"),
        *{("input.unreadable", f"topics/{name}.xml") for name in ("loop", "one", "other", "nothing", "out", "pipe", "socket")},
    }
    assert survey(files, {"s": source("a")}).findings == ()


def test_a_store_is_as_strict_as_before(odd: Path) -> None:
    with pytest.raises(StoreError):
        list(folder.open(str(odd), {}).list())


def test_files_and_folders_without_the_right_to_read_are_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.xml", "closed.xml", "shut/b.xml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"<a/>")
    scan, opened = os.scandir, os.open

    def refuse(path: Any, closed: str, real: Callable[..., Any], *more: Any) -> Any:  # the superuser may read all
        if str(path).rstrip("/").endswith(closed):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, *more)

    monkeypatch.setattr(os, "scandir", lambda path: refuse(path, "shut", scan))
    monkeypatch.setattr(os, "open", lambda path, *more: refuse(path, "closed.xml", opened, *more))
    files = Inputs([Input("topics", folder.open(str(tmp_path), {}))])
    found = survey(files, {"s": source("a")})
    assert found.claimed == {"s": ("topics/a.xml",)}
    assert codes([*files.findings, *found.findings]) == [
        ("input.folder-unreadable", "topics/shut", 0),
        ("input.unreadable", "topics/closed.xml", 0),
    ]
    with pytest.raises(NotFound, match="can not be read"):
        files.read("topics/closed.xml")
