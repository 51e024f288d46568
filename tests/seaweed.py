"""A real S3 server for tests: started once, on the loopback address, gone at the end. In: nothing. Out: fixtures."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import require_tool

from deploy.seaweedfs import Server, command, running
from outputs.access import policy
from outputs.stores import s3

BUCKET = "tests"
# Access key: (secret key, what it may do). Each is also a profile of that name.
PARTNERS = {
    name: (f"{name}-secret", policy("seaweedfs", f"s3://{BUCKET}", f"p/{name}", name=name)["actions"])
    for name in ("acme", "nobody")
}


@dataclass(frozen=True)
class Place:
    """An address of the server, and the settings to open it with."""

    url: str
    settings: Mapping[str, str]

    def open(self, **settings: str) -> s3.S3Store:
        return s3.open(self.url, {**self.settings, **settings})


@cache
def _server() -> Server:
    stack = ExitStack()
    atexit.register(stack.close)
    server = stack.enter_context(running(PARTNERS))
    server.make_bucket(BUCKET)
    return server


@pytest.fixture
def s3_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    """An empty place in a bucket, and an environment in which every program finds its keys."""
    require_tool(bool(command()), "weed")
    server = _server()

    profiles = [f"[{name}]\naws_access_key_id={name}\naws_secret_access_key={secret}\n" for name, (secret, _) in PARTNERS.items()]
    profiles += [f"[wrong]\naws_access_key_id={server.access_key}\naws_secret_access_key=not-it\n"]
    (tmp_path / "credentials").write_text("\n".join(profiles))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in server.environment(BUCKET).items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    return Place(f"s3://{BUCKET}/{uuid4().hex}", {"endpoint_url": server.endpoint})
