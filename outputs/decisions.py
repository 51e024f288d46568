"""The publisher's decisions: appended to a store, never changed. In: an EditorialDecision. Out: it, with its number.

    decisions/<number>.json     one decision; numbers count from 1, without gaps

Whoever writes a number first has it (If-None-Match); the other takes the next. A decision that can not be read stops whoever
asks: to publish without knowing what was withdrawn is worse than to publish nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Final

from outputs import manifest
from outputs.release import in_parallel
from pipeline.contracts import EditorialDecision, Store
from pipeline.errors import NotFound, PreconditionFailed, StoreError

FOLDER: Final = "decisions"
KINDS: Final = ("withdraw", "correct", "restore", "rollback", "resume", "offboard")
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
            fix="put it back from a copy of the store or from 'decisions export'; let no rule of the bucket remove decisions",
        )
    return tuple(in_parallel(store, lambda number: _read(store, number), numbers))


def latest(store: Store) -> int:
    """The number of the newest decision; 0 before the first. Raises StoreError."""
    return max(_numbers(store), default=0)


def append(store: Store, decision: EditorialDecision) -> EditorialDecision:
    """Stores a decision under the next free number. An answer that was lost is recognised: what is read back is ours."""
    number = latest(store) + 1
    for attempt in range(number, number + _ATTEMPTS):
        numbered = replace(decision, number=attempt)
        try:
            data = _data(numbered)
            store.put(_key(attempt), data, media_type=manifest.MEDIA_TYPE, cache_control=CACHE_CONTROL, absent=True)
        except PreconditionFailed:
            if store.get(_key(attempt))[0] != data:
                continue  # somebody else decided at this moment
        return numbered
    raise StoreError(f"{store.url}: no free number for a decision after {number}", fix="run it again")


def _data(decision: EditorialDecision) -> bytes:
    return manifest.canonical({"schema": manifest.SCHEMA, **asdict(decision)})


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
    document = manifest.read_json(store.get(_key(number))[0], what)
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
    return found
