"""A store that is only read: whatever is written to it lands in a folder beside it, and is read from there first.

In: a System, a folder of this machine. Out: a System whose store is so sheltered. By this the code of a run works in full, and
nothing of it can reach what partners pull.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from pipeline.contracts import Store, Stored
from pipeline.errors import NotFound
from pipeline.plugins import System


@dataclass(frozen=True)
class Sheltered:
    """See contracts.Store: reads `own`, then `base`; writes to `own` alone, so `absent` and `match` are asked of that."""

    base: Store
    own: Store

    @property
    def url(self) -> str:
        """How the base is written."""
        return self.base.url

    @property
    def parallel(self) -> int:
        """As many requests at once as the base is faster with."""
        return int(getattr(self.base, "parallel", 1))

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        """See contracts.Store.get."""
        try:
            return self.own.get(key, limit)
        except NotFound:
            return self.base.get(key, limit)

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        """See contracts.Store.get_changed."""
        found = self.get(key, limit)
        return None if found[1] == token else found

    def put(
        self, key: str, data: bytes, *, media_type: str, cache_control: str = "", absent: bool = False, match: str = ""
    ) -> str:
        """See contracts.Store.put."""
        return self.own.put(key, data, media_type=media_type, cache_control=cache_control, absent=absent, match=match)

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """See contracts.Store.list."""
        found = {one.key: one for store in (self.base, self.own) for one in _listed(store, prefix)}
        yield from (found[key] for key in sorted(found))

    def delete(self, key: str) -> None:
        """Removes what was written here; the base keeps what it has."""
        self.own.delete(key)


def _listed(store: Store, prefix: str) -> Iterator[Stored]:
    try:
        yield from store.list(prefix)
    except NotFound:
        return


@dataclass(frozen=True)
class ShelteredSystem(System):
    """A System whose own store is sheltered by the folder `shelter`."""

    shelter: str = ""

    def open_store(self, url: str) -> Store:
        """See System.open_store."""
        store = System.open_store(self, url)
        return Sheltered(store, System.open_store(self, self.shelter)) if url == self.configuration.settings.store else store


def sheltered(system: System, folder: str) -> System:
    """The system, unable to write to its store."""
    return ShelteredSystem(**{field.name: getattr(system, field.name) for field in fields(system)}, shelter=folder)
