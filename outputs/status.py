"""What is live where, until when it is vouched for, and who has it. In: a store, sites. Out: plain values, one record a site.

What partners acknowledge (`ack/<sequence>.json`) is untrusted: it is shown, and decides nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from outputs import signing
from pipeline.contracts import Signing, Store
from pipeline.errors import NotFound, StoreError

ROOT_DAYS: Final = 90  # before the root expires, everybody is told
_ACK: Final = re.compile(r"ack/([1-9][0-9]{0,9})\.json")
_LIMIT: Final = 64 * 1024  # bytes of an acknowledgement


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a partner said last."""

    sequence: int
    installed: str = ""
    name: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One site. `sequence` 0: nothing is live. `warnings` say what someone should do."""

    site: str
    sequence: int = 0
    last_run: str = ""
    expires: str = ""
    acknowledged: Acknowledged | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def behind(self) -> bool:
        """Whether the partner has not said that it has what is live."""
        return self.sequence > (self.acknowledged.sequence if self.acknowledged else 0)


def site_status(store: Store, prefix: str, keys: Signing | None, now: datetime) -> SiteStatus:
    """What is to be said of a site. Raises StoreError, Altered."""
    site = prefix.rpartition("/")[2]
    live = signing.read(store, prefix, keys)
    if live is None:
        return SiteStatus(site)
    expiries = live.expiries()
    first = min(expiries, key=lambda role: expiries[role])
    return SiteStatus(
        site,
        live.pointer.sequence,
        live.last_run,
        expiries[first].isoformat(),
        _newest(store, prefix),
        tuple(_warnings(expiries, keys, now)),
    )


def _warnings(expiries: dict[str, datetime], keys: Signing | None, now: datetime) -> Iterator[str]:
    for role, expires in sorted(expiries.items()):
        if expires <= now:
            yield f"{role} has expired on {expires:%Y-%m-%d}: partners refuse to go on; run, or `resign`"
    if keys:
        yield from root_warnings(keys, now)


def root_warnings(keys: Signing, now: datetime) -> Iterator[str]:
    """What is to be said of the root's expiry: nothing until 90 days before."""
    expires = signing.root_of(keys.roots[-1]).expires
    if expires - now < timedelta(days=ROOT_DAYS):
        when = "has expired" if expires <= now else "expires"
        yield f"the root {when} on {expires:%Y-%m-%d}: bring the root key and run `keys rotate`, then `resign`"


def _newest(store: Store, prefix: str) -> Acknowledged | None:
    """The newest acknowledgement that can be read."""
    found: dict[int, tuple[str, int]] = {}
    try:
        for stored in store.list(f"{prefix}/ack/"):
            if match := _ACK.fullmatch(stored.key.removeprefix(f"{prefix}/")):
                found[int(match[1])] = stored.key, stored.size
    except NotFound:
        return None
    for sequence in sorted(found, reverse=True):
        key, size = found[sequence]
        if size <= _LIMIT:
            return _read(store, key, sequence)
    return None


def _read(store: Store, key: str, sequence: int) -> Acknowledged:
    try:
        document: Any = json.loads(store.get(key)[0])
    except (StoreError, ValueError, RecursionError):
        return Acknowledged(sequence)
    said = document if isinstance(document, dict) else {}
    return Acknowledged(sequence, *(_plain(said.get(name)) for name in ("installed", "name", "statement")))


def _plain(value: object) -> str:
    """A partner's words in one printable line."""
    text = value if isinstance(value, str) else ""
    return "".join(character if character.isprintable() else " " for character in text)[:500]
