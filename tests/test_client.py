"""The partner's client (outputs/client.py, stores/https.py, the single file): the web, hooks, acknowledgements, JSON."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from releases import CREATED, SITE, content, expected_files, publish, root, tree
from web import Web, web

from deploy import pull_client
from outputs import client, pull
from outputs import signing as metadata
from outputs.stores import folder, https
from pipeline.contracts import Store
from pipeline.errors import Forbidden, NotFound, StoreError, UsageError

OWN = {"manifest.json", "SHA256SUMS"}
NOW = metadata.moment(CREATED)


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(https, "WAITS", (0.0, 0.0, 0.0, None))
    (tmp_path / "store").mkdir()
    with web(tmp_path / "store") as running:
        yield running


@pytest.fixture
def request_(tmp_path: Path) -> client.Request:
    """A pull of the site from the folder store."""
    (tmp_path / "root.json").write_bytes(root())
    return client.Request(str(tmp_path / "store"), tmp_path / "bundle", "riverside", "portal", tmp_path / "root.json")


def changed(request: client.Request, **fields: Any) -> client.Request:
    from dataclasses import replace

    return replace(request, **fields)


def bundle(dest: Path) -> dict[str, bytes]:
    assert pull.verify(dest) == []
    return {path: data for path, data in tree(dest).items() if path not in OWN}


# --- the web --------------------------------------------------------------------------------------


def test_pulled_from_the_web(disk: Store, server: Web, request_: client.Request) -> None:
    publish(disk)
    found = client.run(changed(request_, store=server.url), NOW)
    assert (found["state"], found["acknowledgement"]) == ("installed", "")
    assert bundle(request_.dest) == expected_files()
    server.seen.clear()
    assert client.run(changed(request_, store=f"{server.url}/"), NOW)["state"] == "unchanged"
    assert server.seen == [("/p/portal/metadata/timestamp.json", 304)]
    publish(disk, changed={0: "new"})
    assert client.run(changed(request_, store=server.url), NOW)["fetched"] == 3
    assert bundle(request_.dest) == expected_files(changed={0: "new"})


@pytest.mark.parametrize("faults", [[503], [500, 429, 502], ["cut"], ["cut", 503], [503, 200]])
def test_a_server_that_stumbles(disk: Store, server: Web, faults: list[int | str]) -> None:
    publish(disk)
    key = f"{SITE.prefix}/metadata/timestamp.json"
    server.faults += [fault for fault in faults if fault != 200]
    assert https.open(server.url, {}).get(key)[0] == disk.get(key)[0]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(404, NotFound), (410, NotFound), (403, Forbidden), (401, Forbidden), (302, StoreError), (503, StoreError)],
)
def test_a_server_that_refuses(server: Web, fault: int, kind: type[StoreError]) -> None:
    server.faults += [fault] * 4
    with pytest.raises(kind) as caught:
        https.open(server.url, {}).get("a")
    assert caught.type is kind


def test_a_web_server_is_read_only(server: Web) -> None:
    store = https.open(server.url, {})
    for operation in (lambda: store.put("a", b""), lambda: list(store.list()), lambda: store.delete("a")):
        with pytest.raises(StoreError, match="can only be read"):
            operation()
    with pytest.raises(StoreError, match="not safe as a key"):
        store.get("../x")
    with pytest.raises(StoreError, match="reading 'a' failed"):
        https.open("http://127.0.0.1:9", {}).get("a")


@pytest.mark.parametrize("url", ["https://", "https://host/?x=1", "https://host/#x"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        https.open(url, {})


def test_a_sign_in_is_sent_and_never_shown(server: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    store = https.open(server.url.replace("//", "//me:secret@"), {})
    with pytest.raises(NotFound) as caught:
        store.get("a")
    assert "secret" not in str(caught.value)
    assert server.headers[-1]["authorization" if "authorization" in server.headers[-1] else "Authorization"].startswith("Basic ")
    monkeypatch.setenv("SYNDICATION_AUTHORIZATION", "Bearer x")
    with pytest.raises(NotFound):
        https.open(server.url, {}).get("a")
    assert server.headers[-1]["Authorization"] == "Bearer x"


def test_through_a_proxy(disk: Store, server: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The web server is the proxy here: it is asked for the whole address of a host that does not exist."""
    publish(disk)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(NotFound):
        https.open("http://content.invalid", {}).get("a")
    assert server.seen == [("http://content.invalid/a", 404)]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    https._pool.cache_clear()
    assert https.open(server.url, {}).get(f"{SITE.prefix}/metadata/timestamp.json")
    https._pool.cache_clear()


def test_a_private_authority(disk: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: client.Request) -> None:
    publish(disk)
    monkeypatch.setattr(https, "WAITS", (None,))
    certificate, authority = _certificate(tmp_path)
    with web(tmp_path / "store", certificate) as server:
        with pytest.raises(StoreError, match="--ca-file"):
            https.open(server.url, {}).get("a")
        found = client.run(changed(request_, store=server.url, ca_file=str(authority)), NOW)
        assert found["state"] == "installed"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        https._pool.cache_clear()
        with pytest.raises(NotFound):
            https.open(server.url, {}).get("a")
        https._pool.cache_clear()
        with pytest.raises(UsageError, match="there is no file"):
            https.open(server.url, {"ca_file": str(tmp_path / "none")}).get("a")


def _certificate(folder_: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself: with its key, and alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder_ / "server.pem").write_bytes(private + public)
    (folder_ / "authority.pem").write_bytes(public)
    return folder_ / "server.pem", folder_ / "authority.pem"


# --- acknowledgements and hooks -------------------------------------------------------------------


def test_what_is_installed_is_acknowledged(disk: Store, request_: client.Request) -> None:
    publish(disk)
    asked = changed(request_, name="Ann", statement="Shown since noon.")
    assert client.run(asked, NOW)["acknowledgement"] == "written"
    said = json.loads(disk.get(f"{SITE.prefix}/ack/1.json")[0])
    assert (said["sequence"], said["name"], said["statement"]) == (1, "Ann", "Shown since noon.")
    assert client.run(asked, NOW)["acknowledgement"] == ""
    publish(disk, changed={0: "new"})
    assert client.run(changed(asked, acknowledge=False), NOW)["acknowledgement"] == ""
    assert client.run(asked, NOW)["acknowledgement"] == "written"
    assert json.loads(disk.get(f"{SITE.prefix}/ack/2.json")[0])["sequence"] == 2


def test_a_hook_runs_after_each_switch_and_until_it_succeeds(disk: Store, request_: client.Request, tmp_path: Path) -> None:
    publish(disk)
    hook = tmp_path / "hook.sh"
    log = tmp_path / "log"
    hook.write_text(f'echo "$SYNDICATION_SEQUENCE $SYNDICATION_SITE" >> {log}\n[ ! -e {tmp_path}/broken ]\n')
    asked = changed(request_, hook=f"sh {hook}")
    (tmp_path / "broken").touch()
    found = client.run(asked, NOW)
    assert found["state"] == "installed"
    assert "exit code 1" in found["hook"]
    assert client.exit_code(found) == 1
    assert client.run(asked, NOW)["hook"].startswith("it failed")
    (tmp_path / "broken").unlink()
    found = client.run(asked, NOW)
    assert (found["state"], found["hook"], client.exit_code(found)) == ("unchanged", "done", 0)
    assert client.run(asked, NOW)["hook"] == ""
    assert log.read_text().splitlines() == ["1 portal"] * 3
    publish(disk, changed={0: "new"})
    assert client.run(asked, NOW)["hook"] == "done"
    assert "could not be run" in client.run(changed(asked, hook="/not/there", dest=tmp_path / "b"), NOW)["hook"]


def test_addresses_that_nothing_reads() -> None:
    with pytest.raises(UsageError, match="nothing reads"):
        client.open_store("ftp://host/x")


# --- the single file ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def single_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "syndication-pull.pyz"
    assert pull_client.build(path) > 100_000
    return path


def call(single_file: Path, *words: object, code: int = 0) -> str:
    """What the single file prints, run by a Python that has its own library alone."""
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-W", "error", str(single_file), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_the_single_file_is_the_same_each_time_and_pure(single_file: Path, tmp_path: Path) -> None:
    import zipfile

    pull_client.build(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == single_file.read_bytes()
    names = zipfile.ZipFile(single_file).namelist()
    assert all(name.endswith(".py") or name == "LICENSE" or name.startswith("licenses/") for name in names)
    assert {name.split("/")[1] for name in names if name.startswith("licenses/")} == set(pull_client.LIBRARIES)


def test_the_single_file_pulls_and_verifies(single_file: Path, disk: Store, server: Web, request_: client.Request) -> None:
    publish(disk)
    words = ("pull", server.url, request_.dest, "--partner", "riverside", "--site", "portal")
    assert "needs the publisher's root" in call(single_file, *words, code=2)
    assert "installed release 1" in call(single_file, *words, "--root", request_.root)
    assert bundle(request_.dest) == expected_files()
    assert json.loads(call(single_file, *words, "--json"))["state"] == "unchanged"
    assert "no problems" in call(single_file, "verify", request_.dest)
    (request_.dest / "NOTICE.txt").write_text("x")
    assert "NOTICE.txt: it was altered" in call(single_file, "verify", request_.dest, code=1)
    key = f"{SITE.prefix}/metadata/timestamp.json"
    disk.put(key, disk.get(key)[0].replace(b"2026", b"2027"), media_type="application/json")
    failed = call(single_file, *words, "--json", code=7)
    assert json.loads(failed[: failed.index("\n}") + 2])["kind"] == "Altered"
    assert "boto3 is not installed" in call(single_file, "pull", "s3://bucket", "x", "--partner", "p", code=2)


def test_a_failure_as_json(disk: Store) -> None:
    publish(disk)
    found = client.failure(StoreError("what", found="found", fix="fix"))
    assert found == {
        "state": "failed",
        "kind": "StoreError",
        "exit_code": 4,
        "error": {"what": "what", "expected": "", "found": "found", "to_do": "fix"},
    }
    assert content().as_of == "2026-03-01"
