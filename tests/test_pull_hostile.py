"""Hostile answers to `pull`, over a real connection: whatever a server says, the message says what happened and what to do, the
exit code is right, the installed bundle is whole and as it was, and nothing is written elsewhere."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from releases import CREATED, SITE, Between, content, expected_files, forge, publish, root, signing, tree
from typer.testing import CliRunner
from web import Web, web

import run_pipeline
from deploy import pull_client
from outputs import manifest, pull, release
from outputs.stores import folder, https
from pipeline.contracts import Store
from pipeline.errors import Altered, UsageError

OWN = {"manifest.json", "SHA256SUMS"}
POINTER = "/metadata/timestamp.json"
CHANGED = {0: "new"}
BLOB = content(changed=CHANGED).rows[0].files[0]
Lie = Callable[[BaseHTTPRequestHandler], object]


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "here" / "bundle"


@pytest.fixture
def server(tmp_path: Path, disk: Store, dest: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server with two releases, of which the first is installed."""
    monkeypatch.setattr(https, "WAITS", (0.0, None))
    (tmp_path / "root.json").write_bytes(root())
    publish(disk)
    fetch(disk, dest)
    publish(disk, changed=CHANGED)
    with web(tmp_path / "store") as running:
        yield running


@pytest.fixture(scope="module")
def single_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "syndication-pull.pyz"
    pull_client.build(path)
    return path


@pytest.fixture(params=["command", "single file"])
def program(request: pytest.FixtureRequest) -> Callable[..., tuple[int, str]]:
    """Both programs that partners have: exit code and all words of one call."""
    if request.param == "command":
        return command
    path = request.getfixturevalue("single_file")
    return lambda *words: single(path, *words)


def command(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(run_pipeline.app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def single(path: Path, *words: object) -> tuple[int, str]:
    asked = [sys.executable, "-S", "-I", "-W", "error", str(path), *map(str, words)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def fetch(store: Store, dest: Path, **how: Any) -> pull.PullResult:
    return pull.pull(store, SITE.prefix, dest, **{"partner": "riverside", "site": "portal", "root": root(), **how})


def bundle(dest: Path) -> dict[str, bytes]:
    assert pull.verify(dest) == []
    return {path: data for path, data in tree(dest).items() if path not in OWN}


def around(dest: Path) -> dict[str, object]:
    """All that is on the disk beside DEST and DEST.d: path, kind, bytes."""
    top = dest.parent.parent
    return {
        str(path.relative_to(top)): str(path.readlink()) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in sorted(top.rglob("*"))
        if not path.is_relative_to(dest.with_name(f"{dest.name}.d")) and path != dest
    }


# --- answers --------------------------------------------------------------------------------------


def raw(*parts: bytes) -> Lie:
    """An answer of those bytes."""
    return lambda request: [request.wfile.write(part) for part in parts]


def plain_answer(body: bytes, *headers: str, status: str = "200 OK") -> Lie:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return raw(head.encode() + b"\r\n" + body)


def endless(head: bytes, part: bytes = b"x" * 65536, pause: float = 0.0) -> Lie:
    """An answer that goes on until the client goes away, or for 10 seconds and 2 GB, which a test would feel."""

    def say(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        end, said = time.monotonic() + 10, 0
        while time.monotonic() < end and said < 2 * 1024**3:
            request.wfile.write(part)
            said += len(part)
            time.sleep(pause)

    return say


def packed(how: str, pack: Callable[[bytes], bytes]) -> Lie:
    return plain_answer(pack(b"\0" * 50_000_000), f"Content-Encoding: {how}")


OK = b"HTTP/1.1 200 OK\r\n"
BIG = b"Content-Length: 999999999999\r\n\r\n"
ANSWERS: dict[str, tuple[Lie, int, str]] = {
    "endless, no length": (endless(OK + b"\r\n"), 7, "larger than it may be"),
    "endless, in chunks": (
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        7,
        "larger",
    ),
    "one endless chunk": (endless(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n"), 7, "larger than it may be"),
    "no such chunk": (raw(OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 4, "reading"),
    "a large length": (endless(OK + BIG), 7, "999999999999 bytes"),
    "a length beyond numbers": (raw(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"), 7, "larger than it may be"),
    "more than it says": (raw(OK + b"Content-Length: 5\r\n\r\n" + b"x" * 5000), 7, "altered|damaged|not whole|two different"),
    "less than it says": (raw(OK + b"Content-Length: 10\r\n\r\nxx"), 4, "IncompleteRead"),
    "two lengths": (raw(OK + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nxxxxxxx"), 4, "reading"),
    "a negative length": (raw(OK + b"Content-Length: -5\r\n\r\nxx"), 7, "altered|damaged|not whole|two different"),
    "gzip bomb": (packed("gzip", gzip.compress), 7, "larger than it may be|packed"),
    "deflate bomb": (packed("deflate", zlib.compress), 7, "larger than it may be|packed"),
    "packed in a pack": (packed("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))), 4, r"packed \(gzip, gzip\)"),
    "an error without end": (endless(b"HTTP/1.1 500 No\r\n\r\n"), 4, "HTTP 500"),
    "a redirect to another host": (
        plain_answer(b"", "Location: http://127.0.0.1:1/x", status="302 Found"),
        4,
        "redirects are not",
    ),
    "a redirect to a file": (plain_answer(b"", "Location: file:///etc/passwd", status="301 No"), 4, "file:///etc/passwd"),
    "a redirect of controls": (
        raw(b"HTTP/1.1 307 No\r\nLocation: \x1b[2J\x07x\r\nContent-Length: 0\r\n\r\n"),
        4,
        "leads to .2J x",
    ),
    "not changed, unasked": (raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"), 4, "without being asked for changes"),
    "a part": (plain_answer(b"x", "Content-Range: bytes 0-0/9", status="206 Partial Content"), 4, "HTTP 206"),
    "a status of no number": (raw(b"HTTP/1.1 XYZ OK\r\n\r\n"), 4, "reading"),
    "not even HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), 4, "reading"),
    "a header without end": (endless(OK + b"X-A: "), 4, "reading"),
    "headers without end": (endless(OK, b"X-A: " + b"y" * 60000 + b"\r\n"), 4, "reading"),
    "nothing": (raw(), 4, "reading"),
}


@pytest.mark.parametrize("key", [POINTER, BLOB.sha256], ids=["pointer", "blob"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none(server: Web, dest: Path, name: str, key: str) -> None:
    lie, code, said = ANSWERS[name]
    before = around(dest)
    server.lies[key] = lie
    if (name, key) == ("not changed, unasked", POINTER):  # there it is asked for, and only the signatures' age tells
        assert command("pull", server.url, dest, "--partner", "riverside", "--site", "portal")[0] == 0
        return
    words = ("pull", server.url, dest, "--partner", "riverside", "--site", "portal")
    found = command(*words)
    refuse(found, code, said)
    assert bundle(dest) == expected_files()
    assert around(dest) == before
    del server.lies[key]
    assert command(*words)[0] == 0
    assert bundle(dest) == expected_files(changed=CHANGED)


def refuse(found: tuple[int, str], code: int, said: str) -> None:
    """The exit code, one error that says `said` and what to do, and nothing of a program's insides or a terminal's controls."""
    assert found[0] == code, found[1]
    assert re.search(said, found[1]), found[1]
    assert "to do:" in found[1]
    assert "Traceback" not in found[1]
    assert all(character.isprintable() or character == "\n" for character in found[1])
    assert len(found[1]) < 2000


@pytest.mark.parametrize("name", ["endless, no length", "gzip bomb", "a redirect to a file"])
def test_the_single_file_is_the_same_client(single_file: Path, server: Web, dest: Path, name: str) -> None:
    lie, code, said = ANSWERS[name]
    server.lies[POINTER] = lie
    refuse(single(single_file, "pull", server.url, dest, "--partner", "riverside", "--site", "portal"), code, said)
    assert bundle(dest) == expected_files()


SLOW: dict[str, Lie] = {
    "a body in drops": endless(OK + b"\r\n", b"x", 0.02),
    "a header in drops": endless(OK + b"X-A: ", b"y", 0.02),
    "the status in drops": endless(b"HTTP", b"/", 0.02),
    "always goes on": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a chunk in drops": endless(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n", b"x", 0.02),
    "trailers without end": endless(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-A: y\r\n"),
    "silence": endless(b"", b"", 0.1),
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("key", [POINTER, BLOB.sha256], ids=["pointer", "blob"])
def test_an_answer_that_never_ends(server: Web, dest: Path, monkeypatch: pytest.MonkeyPatch, name: str, key: str) -> None:
    monkeypatch.setattr(https, "READ_SECONDS", 0.4)
    monkeypatch.setattr(https, "SLOWEST", 1e6)
    server.lies[key] = SLOW[name]
    began = time.monotonic()
    refuse(command("pull", server.url, dest, "--partner", "riverside", "--site", "portal"), 4, "no whole answer|timed out")
    assert time.monotonic() - began < 8  # the server would go on for ten seconds, twice
    assert bundle(dest) == expected_files()


def test_a_sign_in_page(program: Callable[..., tuple[int, str]], server: Web, dest: Path, tmp_path: Path) -> None:
    page = plain_answer(b"<!DOCTYPE html><title>Sign in</title>", "Content-Type: text/html")
    words = ("pull", server.url, "--partner", "riverside", "--site", "portal", "--root", tmp_path / "root.json")
    for key in (POINTER, ".root.json", ".targets.json", ".manifest.json"):
        server.lies = {key: page}
        for place in (dest, dest.with_name("first")):
            refuse(program(*words, place), 4, "a web page")
            assert not dest.with_name("first").exists()
    assert bundle(dest) == expected_files()


def test_a_sign_in_goes_nowhere_else(server: Web, dest: Path, tmp_path: Path, program: Callable[..., tuple[int, str]]) -> None:
    (tmp_path / "other").mkdir()
    with web(tmp_path / "other") as other:
        server.lies[POINTER] = plain_answer(b"", f"Location: {other.url}/x", status="302 Found")
        address = server.url.replace("//", "//me:secret@")
        found = program("pull", address, dest, "--partner", "riverside", "--site", "portal")
    refuse(found, 4, "redirects are not followed")
    assert "secret" not in found[1]
    assert other.seen == []
    assert "Basic" in str(server.headers)


def test_it_asks_for_the_bytes_as_they_are(server: Web, dest: Path) -> None:
    assert command("pull", server.url, dest, "--partner", "riverside", "--site", "portal")[0] == 0
    assert {headers["Accept-Encoding"] for headers in server.headers} == {"identity"}


def test_no_more_is_read_than_there_should_be(server: Web, dest: Path) -> None:
    """By the server's own count: of a blob that never ends, what fits into the buffers between."""
    sent = {"bytes": 0}

    def say(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(OK + b"\r\n")
        while sent["bytes"] < 500_000_000:
            sent["bytes"] += request.wfile.write(b"x" * 65536)

    server.lies[BLOB.sha256] = say
    refuse(command("pull", server.url, dest, "--partner", "riverside", "--site", "portal"), 7, f"at most {BLOB.size} bytes")
    assert sent["bytes"] < 50_000_000


# --- requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
def test_a_pointer_that_was_only_signed_anew_costs_one_request(server: Web, disk: Store, dest: Path, times: int) -> None:
    words = ("pull", server.url, dest, "--partner", "riverside", "--site", "portal")
    assert command(*words)[0] == 0
    for _ in range(times):
        release.resign(disk, SITE.prefix, created=CREATED, signing=signing())
    server.seen.clear()
    code, said = command(*words)
    assert (code, "nothing changed" in said) == (0, True)
    assert server.seen == [(f"/p/portal{POINTER}", 200)]
    assert command(*words)[0] == 0
    assert server.seen[1:] == [(f"/p/portal{POINTER}", 304)]


def test_what_was_signed_anew_is_not_rolled_back(disk: Store, dest: Path) -> None:
    """The short way believes what the long one believes, and remembers it."""
    publish(disk)
    fetch(disk, dest)
    old = disk.get(f"{SITE.prefix}{POINTER}")[0]
    release.resign(disk, SITE.prefix, created=CREATED, signing=signing())
    watched = Between(disk)
    assert fetch(watched, dest).state == "unchanged"
    assert watched.calls == [("get", f"{SITE.prefix}{POINTER}")]
    new = disk.get(f"{SITE.prefix}{POINTER}")[0]
    for data, said in (
        (old, "a rollback"),
        (new.replace(b'"last_run":"2026', b'"last_run":"2027'), "not signed by the publisher's keys"),
        (b"[" * 16000, "was altered"),
        (b"{" * 10, "was altered"),
        (b'"\\ud800"', "was altered"),
        (new + b" " * 20000, "larger than it may be"),
    ):
        disk.put(f"{SITE.prefix}{POINTER}", data, media_type="application/json")
        with pytest.raises(Altered, match=said):
            fetch(disk, dest)
    disk.put(f"{SITE.prefix}{POINTER}", new, media_type="application/json")
    assert fetch(disk, dest).state == "unchanged"


# --- what only someone with the keys could sign ---------------------------------------------------


def paths(*names: str) -> Callable[[list[dict[str, Any]]], object]:
    """Gives the first files of a release those paths."""

    def alter(rows: list[dict[str, Any]]) -> None:
        for file, name in zip(rows[0]["files"], names, strict=False):
            file["path"] = name

    return alter


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (paths("en/a", "en/a"), "the same name"),
        (paths("en/a", "EN/A"), "the same name"),
        (paths("en/\u00e4", "en/a\u0308"), "the same name"),
        (paths("en/stra\u00dfe", "en/STRASSE"), "the same name"),
        (paths("en/a", "en/a/b"), "is a file"),
        (paths("en/A/b", "en/a"), "is a file"),
        (paths("en/con.html"), "a device on Windows"),
        (paths("en/COM1"), "a device on Windows"),
        (paths("en/nul/x"), "a device on Windows"),
        (paths("en/a\u202elmth.exe"), "character U\\+202E"),
        (paths("en/a\u200bb"), "character U\\+200B"),
        (paths("en/a\ufeffb"), "character U\\+FEFF"),
        (paths("en/a\U000e0041b"), "character U\\+E0041"),
        (paths("en/a\x85b"), "character U\\+0085"),
        (paths("en/" + "\u0301" * 200), "longer than"),
        (paths("en/" + "x" * 300), "longer than"),
        (paths("MANIFEST.json"), "the same name"),
        (paths("sha256sums/x"), "is a file"),
        (lambda rows: rows[0]["files"][0].update(size=10**30), ""),
        (lambda rows: rows[0]["files"][0].update(size=-1), ""),
        (lambda rows: rows[0].update(files=[{}]), ""),
        (lambda rows: rows[0].update(id=["x"]), ""),
    ],
)
def test_rows_that_no_bundle_may_have(
    disk: Store, dest: Path, tmp_path: Path, rows: Callable[[list[dict[str, Any]]], object], said: str
) -> None:
    publish(disk)
    fetch(disk, dest)
    forge(disk, rows=rows, document=_next, point=_next)
    (tmp_path / "root.json").write_bytes(root())
    before = around(dest)
    code, words = command("pull", tmp_path / "store", dest, "--partner", "riverside", "--site", "portal")
    refuse((code, words), 7, said)
    assert bundle(dest) == expected_files()
    assert around(dest) == before


def _next(values: dict[str, Any]) -> None:
    values["sequence"] += 1


MANY = {"sha256": "0" * 64, "size": 20_000_000_000, "topics": 10_000_000}


@pytest.mark.parametrize(
    ("document", "point", "said"),
    [
        ({"shards": [MANY]}, {}, "10000000 topics in 20000000000 bytes"),
        ({}, {"size": 10**15}, "0 topics in 1000000000000000 bytes"),
    ],
    ids=["rows", "bytes"],
)
def test_a_manifest_that_is_too_much(disk: Store, dest: Path, document: dict[str, Any], point: dict[str, Any], said: str) -> None:
    """Signed by someone with the keys. It is refused by its own numbers, before a byte of it is asked for."""
    publish(disk)
    fetch(disk, dest)

    def alter(values: dict[str, Any], change: dict[str, Any]) -> None:
        _next(values)
        values.update(change)

    forge(disk, document=lambda values: alter(values, document), point=lambda values: alter(values, point))
    watched = Between(disk)
    with pytest.raises(Altered, match=said) as caught:
        fetch(watched, dest)
    assert caught.value.exit_code == 7
    assert not any("/blobs/" in key for key in watched.keys("get"))
    assert bundle(dest) == expected_files()


@pytest.mark.parametrize(
    "data",
    [
        b'{"topics":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}\n",
        b'{"topics":[' + b"9" * 5000 + b"]}\n",
        b'{"topics":[1e999]}\n',
        b'{"topics":["\xff"]}\n',
        b'{"topics":["\\ud800"]}\n',
        b"\xff\xfe{\x00}\x00",
        b"",
    ],
    ids=["deep", "long", "infinite", "bytes", "half", "wide", "nothing"],
)
def test_a_shard_that_no_json_is(data: bytes) -> None:
    with pytest.raises(Altered, match="damaged"):
        manifest.read_json(data, "a shard")


def test_a_publisher_makes_no_release_that_no_client_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MAX_TOPICS", 2)
    with pytest.raises(UsageError, match="at most 2"):
        manifest.describe(content(3))
