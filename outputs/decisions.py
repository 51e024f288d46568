"""The publisher's decisions: appended to a store, never changed. In: an EditorialDecision. Out: it, with its number.

    decisions/<number>.json     one decision; numbers count from 1, without gaps

Whoever writes a number first has it (If-None-Match); the other takes the next. A decision that can not be read stops whoever
asks: to publish without knowing what was withdrawn is worse than to publish nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Final

from outputs import manifest, pointer
from outputs.listing import in_parallel
from pipeline.contracts import EditorialDecision, Store
from pipeline.errors import NotFound, PreconditionFailed, StoreError

FOLDER: Final = "decisions"
KINDS: Final = ("withdraw", "correct", "restore", "rollback", "resume", "offboard", "lost")
CACHE_CONTROL: Final = "no-cache"  # in a folder store this also flushes: a decision survives a power cut
_ATTEMPTS: Final = 100
_KEY: Final = re.compile(rf"{FOLDER}/([1-9][0-9]*)\.json")


def read(store: Store) -> tuple[EditorialDecision, ...]:
    """All decisions, oldest first. Raises StoreError where one is missing, damaged, or of a kind that nobody here knows."""
    numbers = sorted(_numbers(store))
    if numbers != list(range(1, len(numbers) + 1)):
        lost = next(number for number in range(1, numbers[-1] + 1) if number not in numbers)
        raise StoreError(
            f"{store.url}: {_key(lost)} is missing: what was withdrawn by it would be published again",
            expected=f"decisions 1 to {numbers[-1]}",
            found=f"{len(numbers)} of them",
            fix="put it back from a copy of the store; where there is none, see 'decisions accept-lost --help'. Let no rule of"
            " the bucket remove decisions",
        )
    return found(store)


def found(store: Store) -> tuple[EditorialDecision, ...]:
    """The decisions that are there, oldest first, whatever is missing. Raises StoreError where one is damaged, or of a kind that
    nobody here knows."""
    return tuple(in_parallel(store, lambda number: _read(store, number), sorted(_numbers(store))))


def latest(store: Store) -> int:
    """The number of the newest decision; 0 before the first. Raises StoreError."""
    return max(_numbers(store), default=0)


def marks(store: Store, prefixes: Iterable[str]) -> dict[str, str]:
    """By site's prefix, the mark of the decisions that who last signed there knew; "" where it says none, nothing is live, or it
    can not be read. Not verified: it is only ever a reason to stop."""
    from outputs import signing  # here, because tuf takes 0.2 s

    def mark(prefix: str) -> str:
        try:
            return signing.mark_of(store.get(pointer.key(prefix))[0], prefix)
        except StoreError:
            return ""

    names = list(prefixes)
    return dict(zip(names, in_parallel(store, mark, names), strict=True))


def append(store: Store, decision: EditorialDecision) -> EditorialDecision:
    """Stores a decision under the next free number. An answer that was lost is recognised: what is read back is ours."""
    number = latest(store) + 1
    for attempt in range(number, number + _ATTEMPTS):
        if stored := _put(store, decision, attempt):
            return stored
    raise StoreError(f"{store.url}: no free number for a decision after {number}", fix="run it again")


def replace_lost(store: Store, decision: EditorialDecision, highest: int) -> tuple[EditorialDecision, ...]:
    """Stores the decision under every number up to `highest` (or up to the newest there is) that is missing; where none is, under
    the next free one. Returns them. Raises StoreError."""
    there = set(_numbers(store))
    missing = [number for number in range(1, max(there | {highest}, default=0) + 1) if number not in there]
    stored = (_put(store, decision, number) for number in missing[:_ATTEMPTS])
    return tuple(filter(None, stored)) or (append(store, decision),)


def _put(store: Store, decision: EditorialDecision, number: int) -> EditorialDecision | None:
    """The decision, stored under that number; None where somebody else decided at this moment."""
    numbered = replace(decision, number=number)
    data = _data(numbered)
    try:
        store.put(_key(number), data, media_type=manifest.MEDIA_TYPE, cache_control=CACHE_CONTROL, absent=True)
    except PreconditionFailed:
        if store.get(_key(number))[0] != data:
            return None
    return replace(numbered, sha256=hashlib.sha256(data).hexdigest())


def _data(decision: EditorialDecision) -> bytes:
    document = {"schema": manifest.SCHEMA, **asdict(decision)}
    del document["sha256"]
    if not decision.accepted:  # older programs wrote none: an answer that was lost is recognised all the same
        del document["accepted"]
    return manifest.canonical(document)


def _key(number: int) -> str:
    return f"{FOLDER}/{number}.json"


def _numbers(store: Store) -> Iterator[int]:
    try:
        for stored in store.list(f"{FOLDER}/"):
            if found := _KEY.fullmatch(stored.key):
                yield int(found[1])
    except NotFound:
        return


def _read(store: Store, number: int) -> EditorialDecision:
    what = f"{store.url}: {_key(number)}"
    data, _ = store.get(_key(number))
    document = manifest.read_json(data, what)
    found = manifest.record(EditorialDecision, document, what)
    if document.get("schema") != manifest.SCHEMA or found.kind not in KINDS:
        raise StoreError(
            f"{what} is a decision that this program does not know",
            expected=", ".join(KINDS),
            found=f"{found.kind!r}, schema {document.get('schema')!r}",
            fix="update this program: nothing is published before it understands every decision",
        )
    if found.number != number:
        raise manifest.unsound(what, f"it says that it is number {found.number}")
    return replace(found, sha256=hashlib.sha256(data).hexdigest())
