"""A release copied into a partner's own bucket. In: our store and theirs. Out: the same signed release there, pointer last.

Only what is missing travels; what is copied is hashed again. Signatures are ours and go with it, so that a pull from there proves
the same as a pull from here. A copy that dies is invisible, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outputs import listing, manifest, packs, pointer, release, signing, zips
from pipeline.contracts import Content, Signing, Store
from pipeline.errors import NotFound, StoreError

ATTEMPTS = 10  # against runs that publish while we read


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a copy did: `delivered` or `unchanged`, the sequence that is there now, objects and bytes that travelled."""

    state: str
    sequence: int
    objects: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Object:
    key: str
    media_type: str
    size: int = -1  # -1: not known before it is read
    sha256: str = ""


def deliver(source: Store, target: Store, prefix: str, keys: Signing | None) -> Delivered | None:
    """Copies what is live at `prefix`; None where nothing is. Raises Altered where ours is not what we signed, StoreError where a
    store failed or theirs holds something newer than ours."""
    live, data = _live(source, prefix, keys)
    if live is None:
        return None
    token = _state(target, prefix, live)
    if token and target.get(pointer.key(prefix))[0] == data:
        return Delivered("unchanged", live.pointer.sequence)
    found, rows = release.read_release(source, prefix, live.pointer)
    content = manifest.content(found, rows, f"{source.url}: the release of {prefix}")
    wanted = list(_objects(prefix, live, found, content, keys))
    held = _sizes(target, prefix)
    missing = [one for one in wanted if one.key not in held or (one.size >= 0 and held[one.key] != one.size)]
    sizes = list(listing.in_parallel(target, lambda one: _copy(source, target, one), missing))
    there = _sizes(target, prefix)
    if lost := [one.key for one in wanted if one.key not in there]:
        raise StoreError(f"{target.url}: {len(lost)} of {len(wanted)} objects are missing", found=lost[0], fix="deliver again")
    pointer.move(target, prefix, data, token)
    for name in (f"changes/{live.pointer.sequence}.json", f"changes/{live.pointer.sequence}.html", release.COPY):
        _copy_unsigned(source, target, f"{prefix}/{name}")
    return Delivered("delivered", live.pointer.sequence, len(missing), sum(sizes))


def _live(source: Store, prefix: str, keys: Signing | None) -> tuple[signing.Live | None, bytes]:
    """What is live, and the very bytes of its pointer: those of a release that came between would lead to what is not copied."""
    for _ in range(ATTEMPTS):
        live = signing.read(source, prefix, keys)
        if live is None:
            return None, b""
        data, token = source.get(pointer.key(prefix))
        if token == live.pointer.token:
            return live, data
    raise StoreError(f"{source.url}: {prefix} is published again and again", fix="deliver when no run is under way")


def _state(target: Store, prefix: str, live: signing.Live) -> str:
    """The token of their pointer ("" = none). Raises StoreError where it is newer than ours."""
    try:
        data, token = target.get(pointer.key(prefix))
    except NotFound:
        return ""
    theirs = signing.version_of(data, f"{target.url}: {pointer.key(prefix)}")
    if theirs > live.timestamp.signed.version:
        raise StoreError(
            f"{target.url}: {prefix} is newer than what we would deliver",
            expected=f"a pointer of version {live.timestamp.signed.version} or before",
            found=f"version {theirs}",
            fix="was our store restored from a backup? Then `resume --past` first",
        )
    return token


def _objects(
    prefix: str, live: signing.Live, found: manifest.Manifest, content: Content, keys: Signing | None
) -> Iterator[_Object]:
    for sha256, (size, media_type) in packs.objects(content).items():
        yield _Object(release.blob_key(prefix, sha256), media_type, size, sha256)
    named: list[Mapping[str, object]] = [{"sha256": shard.sha256, "size": shard.size} for shard in found.shards]
    named += [found.header.changes] if found.header.changes else []
    for one in named:
        sha256, size = str(one["sha256"]), int(str(one["size"]))
        yield _Object(release.blob_key(prefix, sha256), manifest.MEDIA_TYPE, size, sha256)
    if live.pointer.zip:
        sha256 = str(live.pointer.zip["sha256"])
        yield _Object(zips.key(prefix, sha256), zips.MEDIA_TYPE, int(str(live.pointer.zip["size"])), sha256)
    yield _Object(
        release.manifest_key(prefix, live.pointer.manifest), manifest.MEDIA_TYPE, live.pointer.size, live.pointer.manifest
    )
    for number, _ in enumerate(keys.roots if keys else (), 1):
        yield _Object(signing.metadata_key(prefix, number, "root"), manifest.MEDIA_TYPE)
    for role, version in (("targets", live.targets.signed.version), ("snapshot", live.snapshot.signed.version)):
        yield _Object(signing.metadata_key(prefix, version, role), manifest.MEDIA_TYPE)


def _copy(source: Store, target: Store, one: _Object) -> int:
    data, _ = source.get(one.key)
    if one.sha256:
        manifest.check_blob(data, one.sha256, one.size, f"{source.url}: {one.key}")
    target.put(one.key, data, media_type=one.media_type, cache_control=release.IMMUTABLE)
    return len(data)


def _copy_unsigned(source: Store, target: Store, key: str) -> None:
    """The copies for who only polls: a run mends ours where one is missing, and the next delivery brings it."""
    try:
        data, _ = source.get(key)
    except NotFound:
        return
    media_type = "text/html" if key.endswith(".html") else manifest.MEDIA_TYPE
    control = pointer.CACHE_CONTROL if key.endswith(release.COPY) else release.IMMUTABLE
    target.put(key, data, media_type=media_type, cache_control=control)


def _sizes(target: Store, prefix: str) -> dict[str, int]:
    try:
        return {stored.key: stored.size for stored in target.list(f"{prefix}/")}
    except NotFound:
        return {}
