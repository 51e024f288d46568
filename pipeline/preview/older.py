"""What stands in for a topic whose source is broken since before the preview started: what patients see of it.

In: the store as the preview sees it (live.py), what the inputs say. Out: the metadata of such topics, and their live files as a
rendering. No more is read than a topic has on one site.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pipeline.catalog import Catalog
from pipeline.contracts import FileRow, OutputFile, Row
from pipeline.editions import Key
from pipeline.errors import SyndicationError
from pipeline.findings import Severity
from pipeline.plugins import System
from pipeline.preview.live import Live, Shop
from pipeline.preview.project import Snapshot
from pipeline.preview.rendering import Shown
from pipeline.preview.viewpoints import Viewpoint
from pipeline.topic import Metadata
from pipeline.unread import source_mark, unread

SITES: Final = 20  # so many are asked
LARGEST: Final = 50_000_000  # bytes of a topic's files


def broken(shop: Shop, system: System, catalog: Catalog) -> dict[Key, Metadata]:
    """Topics that are live on some site, and whose file is there with an error in it: as their release says them."""
    known = {metadata.file for metadata in catalog.metadata.values()}
    errors = (finding.file for finding in catalog.findings if finding.severity is Severity.ERROR)
    files = {source_mark(name): name for name in errors if name in catalog.files and name not in known}
    found: dict[Key, Metadata] = {}
    for _, conditions, live in _sites(shop, system) if files else ():
        marks = {key: row.source for key, row in live.rows.items()}
        for metadata in unread(catalog, conditions, live.rows.values()):
            if name := files.get(marks[metadata.key]):
                found.setdefault(metadata.key, replace(metadata, file=name))
    return found


def as_live(shop: Shop, snapshot: Snapshot, chosen: Viewpoint, shown: Shown) -> Shown:
    """The topic with the files that are live: of the site that is looked at, or of the first that has it. As it is, where none
    has it, or the store does not say."""
    for name, _, live in _sites(shop, snapshot.system, chosen.site):
        row = live.rows.get(shown.key)
        if row and live.released and sum(file.size for file in row.files) <= LARGEST:
            try:
                files = _files(shop, snapshot.system, live, row)
                shared = {f.path: _file(shop, snapshot.system, live, f) for f in live.released.content.files if _is_shared(f)}
            except SyndicationError:
                continue
            said = f"what {name} has now (release {live.released.sequence})"
            return replace(shown, files=files, shared=shared, record=files.pop("", (None,))[0], stale=True, instead=said)
    return shown


def _sites(shop: Shop, system: System, only: str = "") -> Iterator[tuple[str, str, Live]]:
    """Name, conditions and what is live of each site."""
    configuration = system.configuration
    named = [
        (site, settings.name or partner.name, configuration.conditions(partner))
        for partner in configuration.partners
        for site, settings in partner.all_sites().items()
        if only in ("", site)
    ]
    yield from ((name, conditions, shop.live(system, site)) for site, name, conditions in named[:SITES])


def _is_shared(file: FileRow) -> bool:
    return file.path.startswith("assets/") and file.size <= LARGEST


def _files(shop: Shop, system: System, live: Live, row: Row) -> dict[str, tuple[OutputFile, ...]]:
    """By format; the rights record is of none ("")."""
    found: dict[str, tuple[OutputFile, ...]] = {}
    for file in row.files:
        found[file.format] = (*found.get(file.format, ()), _file(shop, system, live, file))
    return found


def _file(shop: Shop, system: System, live: Live, file: FileRow) -> OutputFile:
    return OutputFile(file.path, shop.bytes(system, live.prefix.removeprefix("p/"), file), file.media_type)
