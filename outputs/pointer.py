"""The one mutable object of a site's prefix: which release is live. In: a release that is stored whole. Out: it is live.

It is the timestamp of a TUF repository (signing.py writes and reads what is in it). All else that counts is immutable, so
whoever can move the pointer decides what partners get, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from outputs import manifest
from pipeline.contracts import Store
from pipeline.errors import NotFound, PreconditionFailed, RaceLost, StoreError

NAME: Final = "metadata/timestamp.json"
CACHE_CONTROL: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class Pointer:
    """The live release: its manifest by SHA-256 and size, and the SHA-256 of its content; `zip` is the release as one file
    (`sha256`, `size`; {} = there is none). `token` is the store's name for this state of the pointer ("" = not stored)."""

    partner: str
    site: str
    sequence: int
    manifest: str
    size: int
    content: str
    token: str = ""
    zip: Mapping[str, Any] = field(default_factory=dict)


def key(prefix: str) -> str:
    """Where the pointer of a site is."""
    return f"{prefix}/{NAME}"


def move(store: Store, prefix: str, data: bytes, before: str) -> str:
    """Writes the pointer where it still is in the state `before` ("" = none yet), and returns its new token. Where the answer is
    lost or another's write came between, it is read back: if it holds our bytes, we won. Raises RaceLost where another run
    published first, StoreError where the store failed and the pointer is not ours."""
    try:
        return store.put(
            key(prefix),
            data,
            media_type=manifest.MEDIA_TYPE,
            cache_control=CACHE_CONTROL,
            absent=not before,
            match=before,
        )
    except StoreError as problem:
        return _after(store, prefix, data, problem)


def _after(store: Store, prefix: str, data: bytes, problem: StoreError) -> str:
    try:
        found, token = store.get(key(prefix))
    except NotFound:
        found, token = b"", ""
    except StoreError:
        raise problem from None
    if found == data:
        return token
    if not isinstance(problem, PreconditionFailed):
        raise problem
    raise race_lost(store, prefix) from problem


def race_lost(store: Store, prefix: str) -> RaceLost:
    """The RaceLost of a run that found the pointer moved."""
    return RaceLost(
        f"{store.url}: another run published {prefix} first",
        expected="the release that this run had read to be live still",
        found="another one is live now",
        fix="nothing is to be repaired: run again, and it goes on from there",
    )
