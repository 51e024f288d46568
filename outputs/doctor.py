"""Whether a store can be trusted with releases: it is tried out, and what is missing is said. In: a store. Out: checks.

Everything is written below `doctor/<id>/` and removed again. Nothing of a release is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from outputs import signing, status
from pipeline.contracts import Signing, Store
from pipeline.errors import NotFound, PreconditionFailed, StoreError, SyndicationError

RACERS: Final = 8
ROUNDS: Final = 5
FOLDER: Final = "doctor"
_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried: `state` is ok, warning or failed; `text` says what was found, or what to do."""

    name: str
    state: str
    text: str


def examine(store: Store, name: str, clock: Callable[[], datetime]) -> Iterator[Check]:
    """Tries the store out, below a folder of that name. A store that can not be written to ends it. `clock` is this machine's, to
    be compared with the server's."""
    home = f"{FOLDER}/{name}"
    first = _tried("write, read, delete", lambda: _basics(store, home))
    yield first
    if first.state == "failed":
        return
    yield _tried("only where nothing is (If-None-Match)", lambda: _absent(store, home))
    yield _tried("only where unchanged (If-Match)", lambda: _match(store, home))
    yield _tried(f"{ROUNDS} races of {RACERS} writers, nothing there", lambda: _races(store, home, absent=True))
    yield _tried(f"{ROUNDS} races of {RACERS} writers, replacing", lambda: _races(store, home, absent=False))
    yield _tried("a reader is told 'unchanged'", lambda: _unchanged(store, home))
    yield _tried("a listing shows what was just written", lambda: _listing(store, home))
    for probe in getattr(store, "probes", lambda *_: ())(f"{home}/own", clock):
        yield Check(*probe)
    yield _tried("all of it removed again", lambda: _clean(store, home))


def examine_keys(keys: Signing | None, now: datetime) -> Iterator[Check]:
    """Tries the signing keys out."""
    if keys is None:
        yield Check("signing keys", "failed", "there are none: run `keys init`, or bring the folder of keys")
        return
    root = signing.root_of(keys.roots[-1])
    for role in signing.ONLINE:
        yield _tried(f"the key of {role}", lambda role=role: _signs(keys, role))  # type: ignore[misc]
    warnings = list(status.root_warnings(keys, now))
    yield Check("the root's expiry", "warning" if warnings else "ok", "; ".join(warnings) or f"{root.expires:%Y-%m-%d}")


def _tried(name: str, work: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", work())
    except SyndicationError as problem:
        return Check(name, "failed", " | ".join(line.strip() for line in str(problem).splitlines()))


def _wrong(what: str) -> StoreError:
    return StoreError(what, fix="use a server with conditional writes and consistent listings: releases are not safe without")


def _put(store: Store, key: str, data: bytes, *, absent: bool = False, match: str = "") -> str:
    return store.put(key, data, media_type=_TYPE, absent=absent, match=match)


def _basics(store: Store, home: str) -> str:
    _put(store, f"{home}/a", b"1")
    if store.get(f"{home}/a")[0] != b"1":
        raise _wrong("what was written is read back as something else")
    store.delete(f"{home}/a")
    try:
        store.get(f"{home}/a")
    except NotFound:
        return "works"
    raise _wrong("a deleted object is still there")


def _absent(store: Store, home: str) -> str:
    _put(store, f"{home}/absent", b"1", absent=True)
    try:
        _put(store, f"{home}/absent", b"2", absent=True)
    except PreconditionFailed:
        return "honoured"
    raise _wrong("an object that was there was overwritten")


def _match(store: Store, home: str) -> str:
    token = _put(store, f"{home}/match", b"1")
    newer = _put(store, f"{home}/match", b"2", match=token)
    try:
        _put(store, f"{home}/match", b"3", match=token)
    except PreconditionFailed:
        _put(store, f"{home}/match", b"4", match=newer)
        return "honoured"
    raise _wrong("an object that had changed was overwritten")


def _races(store: Store, home: str, *, absent: bool) -> str:
    for number in range(ROUNDS):
        key = f"{home}/race-{absent}-{number}"
        token = "" if absent else _put(store, key, b"before")

        def write(racer: int, key: str = key, token: str = token) -> bytes:
            data = f"{racer}".encode()
            try:
                _put(store, key, data, absent=absent, match=token)
            except PreconditionFailed:
                return b""
            return data

        with ThreadPoolExecutor(RACERS) as pool:
            won = [data for data in pool.map(write, range(RACERS)) if data]
        if len(won) != 1 or store.get(key)[0] != won[0]:
            raise _wrong(f"{len(won)} writers of one race were told that they won")
    return "one winner each"


def _unchanged(store: Store, home: str) -> str:
    token = _put(store, f"{home}/changed", b"1")
    if store.get_changed(f"{home}/changed", token) is not None:
        raise _wrong("an unchanged object is sent again")
    _put(store, f"{home}/changed", b"2")
    if store.get_changed(f"{home}/changed", token) is None:
        raise _wrong("a changed object is called unchanged")
    return "works"


def _listing(store: Store, home: str) -> str:
    wanted = {f"{home}/list/{number}": number + 1 for number in range(20)}
    for key, size in wanted.items():
        _put(store, key, b"x" * size)
    found = {stored.key: stored.size for stored in store.list(f"{home}/list/")}
    if found != wanted:
        raise _wrong(f"{len(wanted)} objects were written, the listing shows {len(found)} or other sizes")
    return "works"


def _clean(store: Store, home: str) -> str:
    for stored in list(store.list(f"{home}/")):
        store.delete(stored.key)
    return "done"


def _signs(keys: Signing, role: str) -> str:
    key = signing.key_of(signing.root_of(keys.roots[-1]), role)
    signature = signing.signer(keys.keys[role], key).sign(b"doctor")
    key.verify_signature(signature, b"doctor")
    return f"{key.keytype}, {keys.keys[role]}"
