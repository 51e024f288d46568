"""Tidies a site's prefix: what no live release needs goes to the archive, what no release ever named goes for good.

In: a store, a site, a day. Out: `Pruned`. Nothing that a partner may be fetching, and nothing that a run is about to publish, is
touched:

1. What the live release does not need is condemned, with the day (archive/<site>/condemned.json).
2. What stayed condemned for the grace period is due: partners have had that long to end their pulls.
3. Due blobs that a kept release names are copied to the archive.
4. Due blobs become `going`, by compare-and-swap. Whoever publishes takes its blobs off the list before, by the same means
   (archive.claim), or finds one going and stops. So either it publishes, or we remove; never both.
5. They are deleted, each listed key once, and taken off the list.

A prune that dies anywhere leaves copies too many, never one too few; the next one goes on from there. Copies of releases that
were replaced more years ago than are kept are removed last, and signed metadata that is older than what is live and has expired:
no client would believe it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from outputs import archive, listing, manifest, release, zips
from outputs import signing as metadata
from outputs.archive import Condemned
from outputs.signing import Live
from pipeline.contracts import PastRelease, Pruned, Released, Signing, Store
from pipeline.errors import Altered, NotFound, StoreError

BATCH: Final = 500  # blobs that are going at once
PATIENCE: Final = 600.0  # seconds for the deletes of a batch, far less than archive.STALE
_HASH: Final = re.compile(rb"[0-9a-f]{64}")
_NUMBERED: Final = re.compile(r"([1-9][0-9]*)\.(targets|snapshot)\.json")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Site:
    store: Store
    prefix: str
    needed: frozenset[str]  # by the live release
    kept: Mapping[str, frozenset[str]]  # by each kept release, by its manifest's SHA-256

    @property
    def published(self) -> frozenset[str]:
        """The SHA-256 of everything that a kept release names."""
        return frozenset().union(*self.kept.values())


def prune(
    store: Store,
    prefix: str,
    signing: Signing | None,
    *,
    today: date,
    moment: str,
    grace_days: int,
    years: int,
    dry_run: bool = False,
    progress: Progress = lambda *_: None,
) -> Pruned:
    """Prunes one site; `moment` is now (ISO 8601). A dry run says what would be done, and changes nothing. Raises StoreError."""
    live = release.current(store, prefix, signing)
    signed = metadata.read(store, prefix, signing)
    if live is None or signed is None:
        return Pruned(_site_id(prefix))
    site = _survey(store, prefix, live, str(signed.pointer.zip.get("sha256", "")))
    sizes = dict(_listed(store, prefix))
    unneeded = {sha256 for sha256 in sizes if sha256 not in site.needed}
    before, _ = archive.condemned(store, prefix)
    since = {sha256: before.since.get(sha256, today.isoformat()) for sha256 in sorted(unneeded)}
    last = (today - timedelta(days=grace_days)).isoformat()
    due = sorted(sha256 for sha256, day in since.items() if day <= last)
    expired = _expired(archive.releases(store, prefix), live, today, years)
    found = Pruned(
        site=_site_id(prefix),
        condemned=len(since) - len(due),
        archived=sum(sha256 in site.published for sha256 in due),
        removed=sum(sha256 not in site.published for sha256 in due),
        freed=sum(sizes[sha256][1] for sha256 in due),
        expired=len(expired),
        outdated=len(outdated := list(_outdated(store, prefix, signed, datetime.fromisoformat(moment)))),
    )
    if not dry_run:
        _finish(site, sizes, moment)
        archive.condemn(store, prefix, lambda now: _noted(now, since, before.since, today))
        _remove(site, sizes, due, last, moment, progress)
        _forget(site, expired)
        list(listing.in_parallel(store, store.delete, outdated))
    return found


def _site_id(prefix: str) -> str:
    return prefix.rpartition("/")[2]


def _survey(store: Store, prefix: str, live: Released, zipped: str) -> _Site:
    data, _ = store.get(release.manifest_key(prefix, live.manifest_sha256))
    needed = {live.manifest_sha256, zipped, *_hashes(store, prefix, data)}
    kept = {}
    shards: dict[str, frozenset[str]] = {}
    for past in archive.releases(store, prefix):
        document, _ = store.get(release.manifest_key(archive.home(prefix), past.manifest_sha256))
        kept[past.manifest_sha256] = frozenset({past.manifest_sha256, *_hashes(store, prefix, document, shards)})
    return _Site(store, prefix, frozenset(needed), kept)


def _hashes(store: Store, prefix: str, document: bytes, shards: dict[str, frozenset[str]] | None = None) -> Iterator[str]:
    """Every SHA-256 that a manifest and its shards name, whatever it is of: to keep one too many does no harm."""
    yield from _named(document)
    seen = shards if shards is not None else {}
    for shard in manifest.read(document, f"{store.url}: a manifest of {prefix}").shards:
        if shard.sha256 not in seen:
            seen[shard.sha256] = frozenset(_named(archive.blob(store, prefix, shard.sha256)))
        yield from seen[shard.sha256]


def _named(data: bytes) -> Iterator[str]:
    return (found.decode() for found in _HASH.findall(data))


def _listed(store: Store, prefix: str) -> Iterator[tuple[str, tuple[str, int]]]:
    """SHA-256, key and size of every blob, manifest and zip in the prefix."""
    for folder in ("blobs", "targets", zips.FOLDER):
        for key, size in listing.sizes(store, f"{prefix}/{folder}/"):
            sha256 = key.rpartition("/")[2].removesuffix(".manifest.json").removesuffix(".zip")
            if manifest.is_sha256(sha256):
                yield sha256, (key, size)


def _outdated(store: Store, prefix: str, live: Live, now: datetime) -> Iterator[str]:
    """Keys of metadata of versions before the live ones that has expired. Roots stay: a client walks from the one it knows."""
    before = {role: getattr(live, role).signed.version for role in ("targets", "snapshot")}
    keys = []
    for key, _ in listing.sizes(store, f"{prefix}/metadata/"):
        found = _NUMBERED.fullmatch(key.removeprefix(f"{prefix}/metadata/"))
        if found and int(found[1]) < before[found[2]]:
            keys.append(key)
    for key, (data, _) in zip(keys, listing.in_parallel(store, store.get, keys), strict=True):
        with suppress(Altered):  # what is damaged is left for someone to look at
            if metadata.expires(data, key) < now:
                yield key


def _noted(now: Condemned, since: Mapping[str, str], before: Mapping[str, str], today: date) -> Condemned:
    """What is condemned now; what was claimed after `before` was read is not."""
    claimed = before.keys() - now.since.keys()
    left = {sha256: now.since.get(sha256, today.isoformat()) for sha256 in since if sha256 not in claimed}
    return replace(now, since=left)


def _finish(site: _Site, sizes: Mapping[str, tuple[str, int]], moment: str) -> None:
    """Ends what a prune that died had begun. Raises StoreError where one is at work."""
    noted, _ = archive.condemned(site.store, site.prefix)
    if not noted.going:
        return
    if not archive.stale(noted.began, moment):
        raise StoreError(
            f"{site.store.url}: another prune of {site.prefix} is at work, or died less than an hour ago",
            found=f"begun {noted.began}",
            fix="prune again in an hour",
        )
    _delete(site, sizes, noted.going)


def _remove(
    site: _Site, sizes: Mapping[str, tuple[str, int]], due: list[str], last: str, moment: str, progress: Progress
) -> None:
    published = site.published
    for start in range(0, len(due), BATCH):
        batch = due[start : start + BATCH]
        list(listing.in_parallel(site.store, lambda sha256: _copy(site, sizes[sha256][0]), [s for s in batch if s in published]))
        noted = archive.condemn(site.store, site.prefix, partial(_going, batch, last, moment))
        _delete(site, sizes, noted.going)
        progress(start + len(batch), len(due))


def _going(batch: Iterable[str], last: str, moment: str, now: Condemned) -> Condemned:
    """Moves what nobody claimed meanwhile from condemned to going."""
    going = tuple(sha256 for sha256 in batch if now.since.get(sha256, "9") <= last)
    return Condemned({sha256: day for sha256, day in now.since.items() if sha256 not in going}, going, moment)


def _delete(site: _Site, sizes: Mapping[str, tuple[str, int]], going: Iterable[str]) -> None:
    start = time.monotonic()

    def delete(sha256: str) -> None:
        if time.monotonic() - start > PATIENCE:
            raise StoreError(f"{site.store.url}: deleting takes too long", fix="prune again: it goes on from there")
        if sha256 in sizes and sha256 not in site.needed:
            site.store.delete(sizes[sha256][0])

    list(listing.in_parallel(site.store, delete, list(going)))
    archive.condemn(site.store, site.prefix, lambda now: replace(now, going=(), began=""))


def _copy(site: _Site, key: str) -> None:
    """Keeps an object under the same name in the archive. One that is damaged is kept as it is: it may still say something."""
    target = f"{archive.home(site.prefix)}{key.removeprefix(site.prefix)}"
    try:
        data = site.store.get(key)[0]
    except NotFound:
        return  # an earlier prune had come as far as this
    release.put_once(site.store, target, data, "application/octet-stream")


# --- what is older than is kept -----------------------------------------------------------------


def _expired(past: list[PastRelease], live: Released, today: date, years: int) -> list[PastRelease]:
    """The releases that were replaced more than so many years ago."""
    ends = [*(each.created for each in past), live.created][1:]
    last = _years_before(today, years)
    return [each for each, end in zip(past, ends, strict=True) if datetime.fromisoformat(end).date() < last]


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # February 29
        return day.replace(year=day.year - years, day=28)


def _forget(site: _Site, expired: list[PastRelease]) -> None:
    """Removes from the archive what only expired releases name; their records last: a prune that dies is taken up again."""
    if not expired:
        return
    names = {past.manifest_sha256 for past in expired}
    left = site.needed.union(*(found for name, found in site.kept.items() if name not in names))
    home, gone = archive.home(site.prefix), frozenset().union(*(site.kept[name] for name in names)) - left
    for folder in ("blobs", "targets", "terms"):
        for key, _ in list(listing.sizes(site.store, f"{home}/{folder}/")):
            if key.rpartition("/")[2].partition(".")[0] in gone:
                site.store.delete(key)
    for past in expired:
        site.store.delete(f"{archive.home(site.prefix)}/releases/{past.sequence}.json")
