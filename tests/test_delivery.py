"""What answers for the delivery: rights of partners (real identities), doctor, status, and their commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from demo import command
from releases import CREATED, SITE, Between, expected_files, publish, root, signing, tree
from seaweed import BUCKET, Place, s3_place
from typer.testing import CliRunner

import run_pipeline
from outputs import access, client, doctor, pull, status
from outputs import signing as metadata
from outputs.stores import folder, s3
from pipeline import starter
from pipeline.contracts import Store
from pipeline.errors import Forbidden, UsageError

__all__ = ["s3_place"]
NOW = metadata.moment(CREATED)


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


# --- rights ---------------------------------------------------------------------------------------


@pytest.fixture
def two_partners(s3_place: Place) -> Iterator[s3.S3Store]:
    """The publisher's store, with a release of acme and one of nobody, and an archive."""
    ours = s3.open(f"s3://{BUCKET}", s3_place.settings)
    for name in ("acme", "nobody"):
        publish(ours, site=replace(SITE, partner=name, id=name, prefix=f"p/{name}"))
    ours.put("archive/acme/releases/1.json", b"{}", media_type="application/json")
    yield ours
    s3._client.cache_clear()  # the partner's
    for stored in list(ours.list()):
        if stored.key.startswith(("p/acme", "p/nobody", "archive/acme")):
            ours.delete(stored.key)


def test_a_partner_reads_its_own_releases_and_acknowledges_them(
    two_partners: s3.S3Store, s3_place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.delenv(name)
        patch.setenv("AWS_PROFILE", "acme")
        s3._client.cache_clear()  # the publisher's client, for the same server
        _as_acme(s3_place, tmp_path)
    assert two_partners.get("p/acme/metadata/timestamp.json")


def _as_acme(s3_place: Place, tmp_path: Path) -> None:
    (tmp_path / "root.json").write_bytes(root())
    url = s3_place.settings["endpoint_url"]
    asked = client.Request(f"s3://{BUCKET}", tmp_path / "b", "acme", root=tmp_path / "root.json", endpoint_url=url)
    found = client.run(asked, NOW)
    assert (found["state"], found["acknowledgement"]) == ("installed", "written")
    assert {path for path in tree(tmp_path / "b") if path in expected_files()} == set(expected_files())
    assert client.run(asked, NOW)["state"] == "unchanged"
    partner = s3.open(f"s3://{BUCKET}", {**s3_place.settings, "profile": "acme"})
    watched = Between(partner)
    pull.pull(watched, "p/acme", tmp_path / "b", partner="acme", site="acme")
    assert watched.calls == [("get", "p/acme/metadata/timestamp.json")]
    refused: list[Any] = [
        lambda: partner.get("p/nobody/metadata/timestamp.json"),
        lambda: partner.get("archive/acme/releases/1.json"),
        lambda: list(partner.list("p/nobody/")),
        lambda: list(partner.list("archive/")),
        lambda: list(partner.list("")),
        lambda: list(partner.list("p/acme/")),
        lambda: partner.put("p/acme/metadata/timestamp.json", b"x", media_type="text/plain"),
        lambda: partner.put("p/nobody/ack/1.json", b"x", media_type="text/plain"),
        lambda: partner.delete("p/acme/metadata/timestamp.json"),
    ]
    for operation in refused:
        with pytest.raises(Forbidden):
            operation()
    with pytest.raises(Forbidden, match="it is not yours, or not there"):
        client.run(replace(asked, partner="nobody", dest=tmp_path / "other"), NOW)


def test_policies_name_the_least() -> None:
    iam = access.policy("iam", "s3://bucket/health", "p/acme", kms_key="arn:key")
    assert [(one["Action"], one["Resource"]) for one in iam["Statement"]] == [
        (["s3:GetObject"], ["arn:aws:s3:::bucket/health/p/acme/*"]),
        (["s3:PutObject"], ["arn:aws:s3:::bucket/health/p/acme/ack/*"]),
        (["kms:Decrypt", "kms:GenerateDataKey"], ["arn:key"]),
    ]
    bucket = access.policy("bucket", "s3://bucket", "p/acme", principal="arn:them")
    assert {one["Principal"]["AWS"] for one in bucket["Statement"]} == {"arn:them"}
    assert "ListBucket" not in json.dumps([iam, bucket])
    for wrong in (("bucket", "s3://bucket"), ("other", "s3://bucket"), ("iam", "build/store")):
        with pytest.raises(UsageError):
            access.policy(*wrong, "p/acme")


# --- doctor ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_good_store_is_called_good(kind: str, disk: Store, request: pytest.FixtureRequest) -> None:
    store: Store = disk
    if kind == "s3":
        place: Place = request.getfixturevalue("s3_place")
        store = place.open()
    from datetime import UTC, datetime

    checks = list(doctor.examine(store, "id", lambda: datetime.now(UTC)))
    assert {check.state for check in checks} == {"ok"}, checks
    assert len(checks) == (8 if kind == "folder" else 11)
    assert list(store.list("doctor/")) == []


class Careless(Between):
    """A store that knows no conditions."""

    def put(self, key: str, data: bytes, *, media_type: str, **_: Any) -> str:
        return self.inner.put(key, data, media_type=media_type)


class Forgetful(Between):
    """A store whose listing comes later."""

    def list(self, prefix: str = "") -> Iterator[Any]:
        yield from list(self.inner.list(prefix))[1:]


class Deaf(Between):
    def put(self, *_: Any, **_options: Any) -> str:
        raise Forbidden("writing is not allowed")


@pytest.mark.parametrize(
    ("kind", "failed"),
    [
        (Careless, ["only where nothing is", "only where unchanged", "races", "races"]),
        (Forgetful, ["a listing"]),
        (Deaf, ["write, read, delete"]),
    ],
)
def test_what_is_missing_is_named(disk: Store, kind: type[Between], failed: list[str]) -> None:
    checks = [check for check in doctor.examine(kind(disk), "id", lambda: NOW) if check.state == "failed"]
    assert len(checks) == len(failed)
    assert all(word in check.name for word, check in zip(failed, checks, strict=True))


def test_clocks_that_disagree(s3_place: Place) -> None:
    (check,) = [one for one in doctor.examine(s3_place.open(), "id", lambda: NOW) if one.name == "clocks agree"]
    assert check.state == "failed"
    assert "set this machine's clock" in check.text


def test_keys_are_examined() -> None:
    assert {check.state for check in doctor.examine_keys(signing(), NOW)} == {"ok"}
    (check,) = doctor.examine_keys(None, NOW)
    assert check.state == "failed"
    gone = replace(signing(), keys={**signing().keys, "snapshot": "env:NOT_SET"})
    assert [check.name for check in doctor.examine_keys(gone, NOW) if check.state == "failed"] == ["the key of snapshot"]
    late = metadata.root_of(root()).expires - timedelta(days=89)
    assert [check.state for check in doctor.examine_keys(signing(), late)][-1] == "warning"


# --- status ---------------------------------------------------------------------------------------


def test_status_says_who_is_behind(disk: Store, tmp_path: Path) -> None:
    assert status.site_status(disk, SITE.prefix, signing(), NOW) == status.SiteStatus("portal")
    publish(disk)
    found = status.site_status(disk, SITE.prefix, signing(), NOW)
    assert (found.sequence, found.last_run, found.acknowledged, found.behind) == (1, CREATED, None, True)
    (tmp_path / "root.json").write_bytes(root())
    asked = client.Request(
        str(tmp_path / "store"), tmp_path / "b", "riverside", "portal", tmp_path / "root.json", name="Ann\x1b[2J"
    )
    client.run(asked, NOW)
    found = status.site_status(disk, SITE.prefix, signing(), NOW)
    assert not found.behind
    assert found.acknowledged
    assert found.acknowledged.name == "Ann [2J"
    publish(disk, changed={0: "new"})
    assert status.site_status(disk, SITE.prefix, signing(), NOW).behind
    assert found.warnings == ()


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"name": 7}', b"[" * 50_000, b"x" * 100_000])
def test_acknowledgements_are_not_believed(disk: Store, data: bytes) -> None:
    publish(disk)
    disk.put(f"{SITE.prefix}/ack/1.json", data, media_type="application/json")
    disk.put(f"{SITE.prefix}/ack/x.json", b"{}", media_type="application/json")
    found = status.site_status(disk, SITE.prefix, signing(), NOW)
    assert found.acknowledged is None or found.acknowledged.name == ""


def test_status_warns_in_time(disk: Store) -> None:
    publish(disk)
    expires = metadata.root_of(root()).expires
    assert list(status.root_warnings(signing(), expires - timedelta(days=91))) == []
    (warning,) = list(status.root_warnings(signing(), expires - timedelta(days=89)))
    assert "keys rotate" in warning
    late = status.site_status(disk, SITE.prefix, signing(), expires + timedelta(days=1))
    assert [warning.split()[0] for warning in late.warnings] == ["snapshot", "targets", "timestamp", "the"]


# --- the commands ---------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path) -> None:
    """A publisher's first day: keys, a run, another day's signature, a rotation; and a partner that notices nothing."""
    starter.write(tmp_path / "p")
    config = ("-c", str(tmp_path / "p/syndication.toml"))
    assert "wrote" in called("keys", "init", *config)
    assert "holds keys already" in called("keys", "init", *config, code=2)
    command("run", *config, "-w", "1", "--as-of", "2026-06-01")
    called("keys", "export-root", str(tmp_path / "root.json"), *config)
    words = ("pull", str(tmp_path / "p/build/store"), str(tmp_path / "b"), "--partner", "first-partner")
    called(*words, "--root", str(tmp_path / "root.json"), "--name", "Ann")
    (found,) = json.loads(called("status", *config, "--json"))
    assert (found["sequence"], found["behind"], found["acknowledged"]["name"]) == (1, False, "Ann")
    assert "release 1 signed" in called("resign", *config)
    called("keys", "rotate", "online", "root", *config)
    assert json.loads(called("keys", "show", "--json", *config))["version"] == 2
    called("resign", *config)
    assert json.loads(called(*words, "--json"))["state"] == "unchanged"
    assert all(check["state"] == "ok" for check in json.loads(called("doctor", *config, "--json")))
    policy = json.loads(called("access", "policy", "--partner", "first-partner", "--store", "s3://bucket", *config))
    assert policy["Statement"][0]["Resource"] == ["arn:aws:s3:::bucket/p/first-partner/*"]
    (tmp_path / "p/keys").rename(tmp_path / "away")
    assert "there are no signing keys" in called("run", *config, "-w", "1", "--as-of", "2026-06-02", code=2)


def called(*words: str, code: int = 0) -> str:
    """What a command prints, run in this process: a new one for each would take ten times as long."""
    done = CliRunner().invoke(run_pipeline.app, list(words))
    assert done.exit_code == code, done.output
    return done.output


def test_another_account_s_bucket_is_refused_in_settings() -> None:
    for settings in ({"expected_bucket_owner": "12"}, {"acl": "public-read"}, {"role_arn": 7}):
        with pytest.raises(UsageError):
            s3.open("s3://bucket", settings)
    store = s3.open("s3://bucket", {"expected_bucket_owner": "1" * 12, "kms_key": "arn:k", "acl": "bucket-owner-full-control"})
    request = store._request("a", b"", "text/plain", "", absent=True)
    assert (request["ExpectedBucketOwner"], request["SSEKMSKeyId"], request["ACL"]) == (
        "1" * 12,
        "arn:k",
        "bucket-owner-full-control",
    )
    assert request["ServerSideEncryption"] == "aws:kms"
