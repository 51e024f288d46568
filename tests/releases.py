"""Small releases for tests, and stores that fail. In: how many topics, in which state. Out: files, content, a release."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from outputs import keys, manifest, pointer, release
from outputs import signing as metadata
from outputs.pointer import Pointer
from pipeline.contracts import Content, FileRow, Outcome, OutputFile, Row, Signing, Site, Store, Stored

SITE = Site("riverside", "portal", "Riverside Health", "p/portal")
CREATED = "2026-03-01T04:00:00Z"
FORMATS = {"html": ("index.html", "text/html"), "text": ("{}.txt", "text/plain"), "json": ("topic.json", "application/json")}


def key_pair(folder: Path, seed: str = "ours", days: int = 36_500, moment: str = CREATED) -> keys.Place:
    """A folder of keys that are the same each time, and new root metadata in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("root", "online"):
        private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    uris = {role: f"file:{folder / ('root.pem' if role == 'root' else 'online.pem')}" for role in keys.ROLES}
    place = keys.Place(folder, uris, dict.fromkeys(keys.ROLES, days))
    keys.init(place, metadata.moment(moment))
    return place


@cache
def signing(seed: str = "ours") -> Signing:
    """What tests sign with: valid for a hundred years from CREATED on."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found = keys.load(key_pair(folder, seed))
    assert found
    return found


def root(seed: str = "ours") -> bytes:
    """The root metadata that a partner gets."""
    return signing(seed).roots[0]


def topic_files(number: int, state: str = "") -> list[OutputFile]:
    """The files of one topic; `state` is what changed in it."""
    name = f"topic-{number}"
    return [
        OutputFile(f"en/{name}/{path.format(name)}", f"{form} of {name} {state}\n".encode() * 20, media_type)
        for form, (path, media_type) in FORMATS.items()
    ]


def bundle_files() -> list[OutputFile]:
    """Files of the whole bundle; two of them are equal."""
    return [OutputFile(path, b"Notice\n", "text/plain") for path in ("NOTICE.txt", "assets/1/NOTICE.txt")]


def file_row(form: str, file: OutputFile) -> FileRow:
    return FileRow(form, file.path, hashlib.sha256(file.data).hexdigest(), len(file.data), file.media_type)


def row(number: int, state: str = "") -> Row:
    files = tuple(file_row(form, file) for form, file in zip(FORMATS, topic_files(number, state), strict=True))
    return Row(f"topic-{number}", "en", f"Topic {number}", version=state, files=files)


def content(topics: int = 3, changed: Mapping[int, str] | None = None, as_of: str = "2026-03-01") -> Content:
    """What a release of so many topics says; `changed` gives some of them another state."""
    rows = tuple(row(number, (changed or {}).get(number, "")) for number in range(topics))
    return Content(
        as_of=as_of,
        terms_sha256="0" * 64,
        license={"agreements": [{"id": "RH-1", "ends": "2099-12-31"}]},
        notices={"en": {"disclaimer": "No advice."}},
        rows=rows,
        files=tuple(file_row("", file) for file in bundle_files()),
        upcoming=({"id": "topic-9", "on": "2026-04-01"},),
    )


def publish(
    store: Store, topics: int = 3, changed: Mapping[int, str] | None = None, site: Site = SITE, run: str = "run"
) -> Outcome:
    """Publishes as a run does it: what is live, what is there, files, release."""
    live = release.current(store, site.prefix, signing())
    present = release.present(store, site.prefix)
    files = [file for number in range(topics) for file in topic_files(number, (changed or {}).get(number, ""))]
    release.put_files(store, site.prefix, [*files, *bundle_files()], present)
    return release.publish(store, site, content(topics, changed), live, run_id=run, created=CREATED, signing=signing())


def expected_files(topics: int = 3, changed: Mapping[int, str] | None = None) -> dict[str, bytes]:
    """Path and bytes of every file that a bundle of that release has, besides its manifest and sums."""
    files = [file for number in range(topics) for file in topic_files(number, (changed or {}).get(number, ""))]
    return {file.path: file.data for file in [*files, *bundle_files()]}


def state(store: Store) -> dict[str, bytes]:
    """Every object of the store."""
    return {stored.key: store.get(stored.key)[0] for stored in store.list()}


def forge(
    store: Store,
    *,
    rows: Callable[[list[dict[str, Any]]], object] = lambda _: None,
    document: Callable[[dict[str, Any]], object] = lambda _: None,
    point: Callable[[dict[str, Any]], object] = lambda _: None,
    site: Site = SITE,
) -> None:
    """Alters the live release as someone could who has the keys: all hashes and signatures are right again afterwards."""
    before = metadata.read(store, site.prefix)
    assert before
    live = before.pointer
    found, held = release.read_release(store, site.prefix, live)
    changed: dict[str, Any] = json.loads(json.dumps(found.document))
    rows(held)
    data = manifest.canonical({"topics": held})
    sha256 = hashlib.sha256(data).hexdigest()
    changed["shards"] = [{"sha256": sha256, "size": len(data), "topics": len(held)}]
    store.put(release.blob_key(site.prefix, sha256), data, media_type="application/json")
    document(changed)
    headers = ("schema", "partner", "site", "sequence", "previous", "run_id", "created", "changes", "content")
    changed["content"] = hashlib.sha256(manifest.canonical({k: v for k, v in changed.items() if k not in headers})).hexdigest()
    data = manifest.canonical(changed)
    sha256 = hashlib.sha256(data).hexdigest()
    store.put(release.manifest_key(site.prefix, sha256), data, media_type="application/json")
    to: dict[str, Any] = {"partner": live.partner, "site": live.site, "sequence": live.sequence}
    to |= {"manifest": sha256, "size": len(data), "content": changed["content"]}
    point(to)
    given = {name: to.get(name, "") for name in ("partner", "site", "sequence", "manifest", "size", "content")}
    prepared = metadata.prepare(
        store, site.prefix, Pointer(**given), before, signing(), metadata.moment(CREATED), last_run=CREATED
    )
    store.put(pointer.key(site.prefix), prepared.timestamp, media_type="application/json")


def tree(folder: Path) -> dict[str, bytes]:
    """Path and bytes of every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Killed(BaseException):
    """The run was killed. No `except Exception` stops it."""


class Between:
    """A store before another one. `before` and `after` see each operation with its name and key, and may raise."""

    def __init__(self, inner: Store) -> None:
        self.inner, self.url = inner, inner.url
        self.parallel = getattr(inner, "parallel", 1)
        self.calls: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def before(self, operation: str, key: str) -> None:
        """Called before an operation is done."""

    def after(self, operation: str, key: str) -> None:
        """Called when it is done."""

    def _do(self, operation: str, key: str, work: Callable[[], Any]) -> Any:
        with self._lock:
            self.calls.append((operation, key))
            self.before(operation, key)
        result = work()
        with self._lock:
            self.after(operation, key)
        return result

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        return self._do("get", key, lambda: self.inner.get(key, limit))  # type: ignore[no-any-return]

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        return self._do("get", key, lambda: self.inner.get_changed(key, token, limit))  # type: ignore[no-any-return]

    def put(
        self, key: str, data: bytes, *, media_type: str, cache_control: str = "", absent: bool = False, match: str = ""
    ) -> str:
        how: dict[str, Any] = {"media_type": media_type, "cache_control": cache_control, "absent": absent, "match": match}
        return self._do("put", key, lambda: self.inner.put(key, data, **how))  # type: ignore[no-any-return]

    def list(self, prefix: str = "") -> Iterator[Stored]:
        yield from self._do("list", prefix, lambda: self.inner.list(prefix))

    def delete(self, key: str) -> None:
        self._do("delete", key, lambda: self.inner.delete(key))

    def keys(self, operation: str) -> Collection[str]:
        """The keys of all operations of that name."""
        return [key for name, key in self.calls if name == operation]


class Dying(Between):
    """Kills the run at its `step`-th operation: right before it is done, or right after (`late`)."""

    def __init__(self, inner: Store, step: int, *, late: bool) -> None:
        super().__init__(inner)
        self.step, self.late, self.dead = step, late, False

    def before(self, operation: str, key: str) -> None:  # noqa: ARG002 - all operations count
        if self.dead or (not self.late and len(self.calls) >= self.step):
            self.dead = True
            raise Killed

    def after(self, operation: str, key: str) -> None:  # noqa: ARG002
        if self.dead or (self.late and len(self.calls) >= self.step):
            self.dead = True
            raise Killed
