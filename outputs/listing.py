"""What a store holds; many requests at once. In: a store, keys. Out: sizes by key; StoreError where a release is not whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import Final, TypeVar

from pipeline.contracts import Store
from pipeline.errors import NotFound, StoreError

LISTED: Final = 60  # objects that a listing gives in the time that asking for one takes, where many are asked for at once
_A = TypeVar("_A")
_B = TypeVar("_B")


def sizes(store: Store, folder: str) -> Iterator[tuple[str, int]]:
    """Key and size of every object of a folder; one that is not there yet has none."""
    try:
        for stored in store.list(folder):
            yield stored.key, stored.size
    except NotFound:
        return


def stored(store: Store, prefix: str, keys: Collection[str], about: int) -> dict[str, int]:
    """Size by key of those of these objects that are there: from a listing of their folders, or, where they are few beside all
    that is in those (`about` so many), each asked for. A listing gives a thousand a request, one request after the other."""
    if len(keys) * LISTED < about:
        parts = in_parallel(store, lambda key: list(sizes(store, key)), list(keys))
        return {key: size for part in parts for key, size in part if key in keys}
    folders = dict.fromkeys(key.removeprefix(f"{prefix}/").partition("/")[0] for key in keys)
    return {key: size for folder in folders for key, size in sizes(store, f"{prefix}/{folder}/")}


def compare(store: Store, prefix: str, wanted: Mapping[str, int], about: int) -> None:
    """Lists the store and raises StoreError unless every object wanted is there in its size. A blob of another size is no write
    of ours that ended well: it is removed, so that the next run stores it anew."""
    found = stored(store, prefix, wanted, about)
    wrong = sorted(key for key, size in wanted.items() if found.get(key) != size)
    if not wrong:
        return
    for key in wrong:
        if key in found:
            _remove_if_broken(store, key)
    first = wrong[0]
    raise StoreError(
        f"{store.url}: {len(wrong)} of {len(wanted)} objects of {prefix} are missing or not whole; nothing was published",
        expected=f"{first} with {wanted[first]} bytes",
        found=f"{found[first]} bytes" if first in found else "no such object",
        fix="run again: what is missing is made and stored anew",
    )


def _remove_if_broken(store: Store, key: str) -> None:
    if "/metadata/" in key:  # its name says nothing of its bytes
        return
    data, _ = store.get(key)
    if hashlib.sha256(data).hexdigest() != key.rpartition("/")[2].partition(".")[0]:
        store.delete(key)


def in_parallel(store: Store, work: Callable[[_A], _B], items: Sequence[_A]) -> Iterator[_B]:
    """`work` of each item, in order, in as many threads as the store is faster with (its `parallel`). After the first failure
    no more is begun, and what is under way is waited for."""
    threads = int(getattr(store, "parallel", 1))
    if threads <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    pool = _pool(os.getpid(), threads)
    begun = [pool.submit(work, item) for item in items]
    try:
        for one in begun:
            yield one.result()
    finally:
        for one in begun:
            one.cancel()
        wait(begun)


@lru_cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """The threads of this process; a forked child has none of its parent's."""
    del process
    return ThreadPoolExecutor(threads, "store")
