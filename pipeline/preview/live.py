"""What patients see now: a site's live release, read from the store.

In: a system, a site. Out: the release, its rows by topic, bytes of its files, every hash verified. Nothing is written. What was
read is kept for a few seconds: pages ask for it several times.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.contracts import FileRow, Released, Row
from pipeline.editions import Key
from pipeline.errors import SyndicationError
from pipeline.plugins import System
from pipeline.sites import prefix_of
from pipeline.standing import Standing

FRESH: Final = 5.0  # seconds


@dataclass(frozen=True)
class Live:
    """A site as it is now. `problem`: why the store could not be read; `released` None: nothing was published yet."""

    prefix: str
    released: Released | None = None
    rows: Mapping[Key, Row] = field(default_factory=dict)
    problem: str = ""


class Shop:
    """The store, as far as the preview looks into it."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Live]] = {}
        self._standing: tuple[float, Standing] | None = None

    def live(self, system: System, site: str) -> Live:
        """What is live of a site; a store that can not be read is said, not raised."""
        prefix = prefix_of(site)
        at, held = self._kept.get(prefix, (0.0, None))
        if held is None or time.monotonic() - at > FRESH:
            held = _read(system, prefix)
            self._kept[prefix] = (time.monotonic(), held)
        return held

    def standing(self, system: System) -> Standing:
        """The publisher's decisions; none where the store can not be read (what is live says so)."""
        if self._standing is None or time.monotonic() - self._standing[0] > FRESH:
            try:
                store = system.open_store(system.configuration.settings.store)
                found = Standing(system.decisions.load().read(store))
            except SyndicationError:
                found = Standing()
            self._standing = time.monotonic(), found
        return self._standing[1]

    def file(self, system: System, site: str, path: str) -> tuple[FileRow, bytes] | None:
        """A live file by its path in the bundle; None where the release has no such path. Raises StoreError."""
        live = self.live(system, site)
        if live.released is None:
            return None
        found = [file for row in live.rows.values() for file in row.files if file.path == path]
        content = live.released.content
        found += [file for file in content.files if file.path == path]
        found += [file for gone in content.withdrawn for file in gone.files if file.path == path]
        return (found[0], self.bytes(system, site, found[0])) if found else None

    def bytes(self, system: System, site: str, file: FileRow) -> bytes:
        """The bytes of a live file. Raises StoreError."""
        store = system.open_store(system.configuration.settings.store)
        released = self.live(system, site).released
        content = [released.content] if released else []
        return b"".join(data for each in content for data in system.archive.load().files(store, prefix_of(site), each, [file]))


def _read(system: System, prefix: str) -> Live:
    try:
        store = system.open_store(system.configuration.settings.store)
        released = system.releases.load().current(store, prefix, system.signing)
    except SyndicationError as problem:
        return Live(prefix, problem=str(problem))
    rows = {(row.id, row.language): row for row in released.content.rows} if released else {}
    return Live(prefix, released, rows)


def main_file(row: Row, format_name: str) -> FileRow | None:
    """A format's main file in a row: the first that is no image."""
    return next((f for f in row.files if f.format == format_name and not f.media_type.startswith("image/")), None)
