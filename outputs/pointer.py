"""The one mutable object of a site's prefix: which release is live. In: a release that is stored whole. Out: it is live.

All else in a prefix is immutable, so whoever can move the pointer decides what partners get, and nothing else does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Final

from outputs import manifest
from pipeline.contracts import Store
from pipeline.errors import NotFound, PreconditionFailed, RaceLost, StoreError

NAME: Final = "current.json"
CACHE_CONTROL: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class Pointer:
    """The live release: its manifest by SHA-256 and size, and the SHA-256 of its content. `token` is the store's name for this
    state of the pointer ("" = not stored)."""

    partner: str
    site: str
    sequence: int
    manifest: str
    size: int
    content: str
    token: str = ""


def read(store: Store, prefix: str) -> Pointer | None:
    """The pointer; None before the first release. Raises StoreError, also where the pointer is not one that we write."""
    key = f"{prefix}/{NAME}"
    try:
        data, token = store.get(key)
    except NotFound:
        return None
    what = f"{store.url}: {key}"
    document = manifest.read_json(data, what)
    if document.pop("schema", None) != manifest.SCHEMA:
        raise StoreError(f"{what} has a schema that this program does not know", fix="update this program")
    found = manifest.record(Pointer, document, what)
    if found.sequence < 1 or not manifest.is_sha256(found.manifest) or not manifest.is_sha256(found.content):
        raise manifest.unsound(what, f"sequence {found.sequence}, manifest {found.manifest!r:.80}, content {found.content!r:.80}")
    return replace(found, token=token)


def move(store: Store, prefix: str, to: Pointer, before: str) -> Pointer:
    """Makes `to` the live release where the pointer still is in the state `before` ("" = none yet), and returns it with its
    new token. Where the answer is lost or another's write came between, the pointer is read back: if it names our manifest, we
    won. Raises RaceLost where another run published first, StoreError where the store failed and the pointer is not ours."""
    values = {key: value for key, value in asdict(to).items() if key != "token"}
    data = manifest.canonical({"schema": manifest.SCHEMA, **values})
    try:
        token = store.put(
            f"{prefix}/{NAME}",
            data,
            media_type=manifest.MEDIA_TYPE,
            cache_control=CACHE_CONTROL,
            absent=not before,
            match=before,
        )
    except StoreError as problem:
        return _after(store, prefix, to, problem)
    return replace(to, token=token)


def _after(store: Store, prefix: str, to: Pointer, problem: StoreError) -> Pointer:
    try:
        found = read(store, prefix)
    except StoreError:
        raise problem from None
    if found and found.manifest == to.manifest:
        return found
    if not isinstance(problem, PreconditionFailed):
        raise problem
    live = f"release {found.sequence}" if found else "no release"
    raise RaceLost(
        f"{store.url}: another run published {prefix} first",
        expected=f"release {to.sequence - 1} to be live" if to.sequence > 1 else "no release yet",
        found=f"{live} is live",
        fix="nothing is to be repaired: run again, and it goes on from there",
    ) from problem
