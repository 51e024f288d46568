"""What a destination fills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol


class Stored(NamedTuple):
    """One object of a listing; `token` is "" where it would cost reading the object."""

    key: str
    size: int
    token: str


class Unread(NamedTuple):
    """What stands in a place to read from and can not be read: `why` continues "it ...". `folder`: nothing is known of what is
    below it. `ignored`: `Store.list` passes over it, because it is no object."""

    key: str
    why: str
    folder: bool = False
    ignored: bool = False


class Store(Protocol):
    """A destination (or an input): keys are POSIX paths; objects are whole or absent. Picklable; clients are
    made on first use in each process. Every method raises StoreError where the store fails. A store that is faster
    with several requests at once says so in an attribute `parallel` (how many). One whose objects can be out of order one by
    one has a method `survey(prefix)`: as `list`, with an `Unread` for each of those, and no error for them."""

    @property
    def url(self) -> str:
        """How the store is written in settings and messages."""

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        """Bytes and token (an opaque compare-and-swap name, not a checksum). Raises NotFound; and Altered where the object
        has more than `limit` bytes, of which no more are read: who asks knows how many there should be."""

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        """As `get`; None, and no bytes travel, where the object still has that token. Raises as `get`."""

    def put(
        self, key: str, data: bytes, *, media_type: str, cache_control: str = "", absent: bool = False, match: str = ""
    ) -> str:
        """Writes whole and returns the new token. `absent`: only where no object is; `match`: only where the
        object still has that token. Raises PreconditionFailed where it is not so, and writes nothing."""

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Every object whose key starts with `prefix`, by key."""

    def delete(self, key: str) -> None:
        """Removes the object; no error where there is none."""


class Destination(Protocol):
    """A destination: `outputs/stores/<name>.py`."""

    def claims(self, url: str) -> bool:
        """Whether a store (or input) written like this is this destination's. At most one claims it."""

    def open(self, url: str, settings: Mapping[str, Any]) -> Store:
        """The store. `settings` is the section of syndication.toml with the destination's name, {} where it has none."""
