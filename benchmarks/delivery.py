"""What delivery costs: requests, bytes and time of publishing and pulling many topics, on a real S3 server on this machine.

    python benchmarks/delivery.py [--topics 10000] [--output benchmarks/results/delivery.md]

Five files a topic, of sizes as the formats make them. Published for the first time (by as many processes as there are cores, as
a run does it), again unchanged, and with 1 % of the topics changed; pulled for the first time, with nothing changed, with 1 %
changed. Beside it s5cmd uploads the same files to the same server in the same run. Requests are counted where the store is asked.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from deploy.seaweedfs import Server, running
from outputs import keys, pull, release
from outputs.stores import s3
from pipeline.contracts import Content, FileRow, OutputFile, Row, Signing, Site, Store, Stored

BUCKET: Final = "bench"
CHUNK: Final = 50  # topics in a unit of work, as a run has it
FORMATS: Final = {
    "html": ("index.html", "text/html", 14_000),
    "print": ("print.html", "text/html", 12_000),
    "epub": ("{}.epub", "application/epub+zip", 9_000),
    "text": ("{}.txt", "text/plain", 5_000),
    "json": ("topic.json", "application/json", 11_000),
}
SITE: Final = Site("partner", "portal", "Partner", "p/portal")
PAGE: Final = 1000  # objects that one answer of a listing has


@dataclass
class Counted:
    """A store that counts what it is asked."""

    inner: Store
    requests: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    received: int = 0

    @property
    def url(self) -> str:
        """See contracts.Store."""
        return self.inner.url

    @property
    def parallel(self) -> int:
        """See contracts.Store."""
        return int(getattr(self.inner, "parallel", 1))

    def _count(self, name: str, number: int = 1) -> None:
        self.requests[name] = self.requests.get(name, 0) + number

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        """See contracts.Store."""
        self._count("GET")
        data, token = self.inner.get(key, limit)
        self.received += len(data)
        return data, token

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        """See contracts.Store."""
        self._count("GET")
        found = self.inner.get_changed(key, token, limit)
        self.received += len(found[0]) if found else 0
        return found

    def put(self, key: str, data: bytes, **how: Any) -> str:
        """See contracts.Store."""
        self._count("PUT")
        self.sent += len(data)
        return self.inner.put(key, data, **how)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """See contracts.Store."""
        found = list(self.inner.list(prefix))
        self._count("LIST", len(found) // PAGE + 1)
        yield from found

    def delete(self, key: str) -> None:
        """See contracts.Store."""
        self._count("DELETE")
        self.inner.delete(key)


@dataclass(frozen=True)
class Step:
    """One line of the report."""

    name: str
    seconds: float
    requests: Mapping[str, int]
    sent: int
    received: int


def files_of(number: int, state: str) -> list[OutputFile]:
    """The five files of a topic: words by chance, always the same for the same number and state."""
    chance = random.Random(f"{number} {state}")
    words = [f"{chance.getrandbits(24):x}" for _ in range(300)]
    made = []
    for form, (path, media_type, size) in FORMATS.items():
        chance.shuffle(words)
        text = f"{form} {number} {state} {' '.join(words)} " * (size // 1500 + 1)
        made.append(OutputFile(f"en/topic-{number}/{path.format(f'topic-{number}')}", text.encode()[:size], media_type))
    return made


def _row(number: int, state: str) -> Row:
    files = tuple(
        FileRow(form, file.path, hashlib.sha256(file.data).hexdigest(), len(file.data), file.media_type)
        for form, file in zip(FORMATS, files_of(number, state), strict=True)
    )
    return Row(f"topic-{number}", "en", f"Topic {number}", version=state, files=files)


def content(topics: int, changed: int) -> Content:
    """The content of so many topics, the first `changed` of them in another state."""
    rows = tuple(_row(number, "new" if number < changed else "") for number in range(topics))
    return Content("2026-12-01", "0" * 64, {"agreements": [{"id": "A", "ends": "2099-12-31"}]}, {}, rows, ())


@cache
def _present(store: s3.S3Store, run: str) -> tuple[set[str], Counted]:
    """What is in the store already, listed once by each process of a run."""
    del run
    counted = Counted(store)
    return release.present(counted, SITE.prefix), counted


def _work(store: s3.S3Store, numbers: range, changed: int, run: str) -> tuple[dict[str, int], int]:
    present, counted = _present(store, run)
    files = [file for number in numbers for file in files_of(number, "new" if number < changed else "")]
    release.put_files(counted, SITE.prefix, files, present)
    done, sent = counted.requests, counted.sent
    counted.requests, counted.sent = {}, 0
    return done, sent


def publish(store: s3.S3Store, signing: Signing, topics: int, changed: int, pool: ProcessPoolExecutor) -> Counted:
    """One run's way to a release: what is live, what is there, blobs in workers, the release."""
    counted = Counted(store)
    live = release.current(counted, SITE.prefix, signing)
    run = f"{time.monotonic()}"
    jobs = [range(start, min(start + CHUNK, topics)) for start in range(0, topics, CHUNK)]
    for requests, sent in pool.map(_work, *zip(*[(store, job, changed, run) for job in jobs], strict=True)):
        counted.sent += sent
        for name, number in requests.items():
            counted._count(name, number)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    release.publish(counted, SITE, content(topics, changed), live, run_id="bench", created=created, signing=signing)
    return counted


def _measured(name: str, work: Callable[[], Counted]) -> Step:
    start = time.perf_counter()
    counted = work()
    return Step(name, time.perf_counter() - start, counted.requests, counted.sent, counted.received)


def _pulled(store: s3.S3Store, dest: Path, root: bytes) -> Counted:
    counted = Counted(store)
    pull.pull(counted, SITE.prefix, dest, partner=SITE.partner, site=SITE.id, root=root)
    return counted


def _s5cmd(server: Server, folder: Path, topics: int) -> Step:
    """The same files, written to a disk first, uploaded by s5cmd with as many requests at once as we have."""
    for number in range(topics):
        for file in files_of(number, ""):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    command = [
        str(Path(sys.executable).with_name("s5cmd")),
        "--log",
        "error",
        "--numworkers",
        str(s3.THREADS * (os.cpu_count() or 1)),
    ]
    environment = {**os.environ, **server.environment(BUCKET)}
    start = time.perf_counter()
    words = [*command, "--endpoint-url", server.endpoint, "cp", f"{folder}/", f"s3://{BUCKET}/s5cmd/"]
    subprocess.run(words, check=True, env=environment)
    return Step("s5cmd uploads the same files", time.perf_counter() - start, {"PUT": topics * 5}, size, 0)


def measure(topics: int) -> list[Step]:
    """Every step, in order."""
    with running() as server, tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        server.make_bucket(BUCKET)
        os.environ.update(server.environment(BUCKET))
        folder = Path(name)
        uris = {role: f"file:{folder}/{'root' if role == 'root' else 'online'}.pem" for role in keys.ROLES}
        place = keys.Place(folder / "keys", uris, dict.fromkeys(keys.ROLES, 100))
        keys.init(place, datetime.now(UTC))
        signing = keys.load(place)
        assert signing is not None
        store = s3.open(f"s3://{BUCKET}", {"endpoint_url": server.endpoint})
        share = max(1, topics // 100)
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            list(pool.map(abs, range(8)))  # processes start before the clock does
            first = _measured("publish", lambda: publish(store, signing, topics, 0, pool))
        beside = _s5cmd(server, folder / "s5cmd", topics)
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            again = _measured("publish again, unchanged", lambda: publish(store, signing, topics, 0, pool))
            pulled = _measured("pull", lambda: _pulled(store, folder / "bundle", signing.roots[0]))
            same = _measured("pull, nothing changed", lambda: _pulled(store, folder / "bundle", b""))
            changed = _measured("publish, 1 % changed", lambda: publish(store, signing, topics, share, pool))
        part = _measured("pull, 1 % changed", lambda: _pulled(store, folder / "bundle", b""))
        assert pull.verify(folder / "bundle") == []
    return [first, beside, again, changed, pulled, same, part]


def report(topics: int, steps: list[Step]) -> str:
    """The steps as a Markdown page."""
    size = sum(size for _, _, size in FORMATS.values()) / 1000
    lines = [
        "# Delivery",
        "",
        f"{topics} topics, {len(FORMATS)} files each, {size:.0f} kB a topic; SeaweedFS"
        f" on the same machine ({os.cpu_count()} cores, Python {platform.python_version()}), {datetime.now(UTC):%Y-%m-%d}.",
        "",
        "| step | seconds | GET | PUT | LIST | MB sent | MB received | files/s | MB/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for step in steps:
        requests = [str(step.requests.get(name, 0)) for name in ("GET", "PUT", "LIST")]
        moved = max(step.requests.get("PUT", 0), step.requests.get("GET", 0))
        speed = (step.sent + step.received) / 1e6 / step.seconds
        lines.append(
            f"| {step.name} | {step.seconds:.2f} | {' | '.join(requests)} | {step.sent / 1e6:.2f} |"
            f" {step.received / 1e6:.2f} | {moved / step.seconds:.0f} | {speed:.1f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measures and prints the report."""
    parser = argparse.ArgumentParser(description="Measure publishing and pulling on a local S3 server.")
    parser.add_argument("--topics", type=int, default=10_000)
    parser.add_argument("--output", type=Path, help="write the report there too")
    arguments = parser.parse_args()
    text = report(arguments.topics, measure(arguments.topics))
    print(text)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
