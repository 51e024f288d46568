"""Publishing: all of a release is stored before anything names it. In: rows and finished files. Out: the live release.

A site's prefix in the store:

    metadata/timestamp.json           the pointer, and all that is ever changed (pointer.py)
    metadata/N.<role>.json            signed metadata that leads from the pointer to the manifest (signing.py)
    targets/<sha256>.manifest.json    a release's manifest
    blobs/<aa>/<sha256>               every file, shard and change list, once
    bundles/<sha256>.zip              the release as one file, where the site has one
    changes/, current.json            unsigned copies for those who only poll

Order: blobs, shards, manifest, metadata, then a LIST compared with all that, then the pointer by compare-and-swap. A run that
dies anywhere leaves the live release as it was, and what it stored is not stored again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from outputs import changes, listing, manifest, packs, pointer, zips
from outputs.listing import in_parallel
from outputs.packs import packed as packed  # a part of contracts.Releases
from outputs.pointer import Pointer
from pipeline.contracts import Content, Outcome, Released, Signing, Store
from pipeline.errors import NotFound, PreconditionFailed, StoreError, UsageError

if TYPE_CHECKING:  # a partner's client reads releases, and makes none
    from pipeline.contracts import FileRow, OutputFile, Site

IMMUTABLE: Final = "public, max-age=31536000, immutable"
COPY: Final = "current.json"  # unsigned, for those who only poll
BATCH: Final = 1024  # files in memory at once
PAUSES: Final = (0.2, 1.0, None)  # seconds between rounds over what is still missing; below that each request has its own retries
READS: Final = 3  # of a release that is replaced while it is read

Progress = Callable[[int, int], None]
_A = TypeVar("_A")
_B = TypeVar("_B")


def blob_key(prefix: str, sha256: str) -> str:
    """Where the bytes of that hash are."""
    return f"{prefix}/blobs/{sha256[:2]}/{sha256}"


def manifest_key(prefix: str, sha256: str) -> str:
    """Where the manifest of that hash is."""
    return f"{prefix}/targets/{sha256}.manifest.json"


# --- reading --------------------------------------------------------------------------------------


def current(store: Store, prefix: str, signing: Signing | None = None) -> Released | None:
    """What is live, every hash verified, with `signing` every signature too; None before the first release. Raises StoreError."""
    from outputs import signing as metadata  # here, because tuf takes 0.2 s, and who only stores blobs needs none of it

    for _ in range(READS):
        live = None
        try:
            live = metadata.read(store, prefix, signing)
            return _released(live.pointer, *read_release(store, prefix, live.pointer)) if live else None
        except NotFound as problem:
            # Another run may have published and tidied up since the pointer was read; then it has moved.
            if _token(store, prefix) == (live.pointer.token if live else _token(store, prefix)):
                raise incomplete(store, prefix, problem) from problem
    raise StoreError(f"{store.url}: {prefix} changes faster than it can be read", fix="let one run at a time publish a site")


def _token(store: Store, prefix: str) -> str:
    try:
        return store.get(pointer.key(prefix))[1]
    except NotFound:
        return ""


def read_release(store: Store, prefix: str, live: Pointer) -> tuple[manifest.Manifest, list[dict[str, object]]]:
    """Manifest and row documents that a pointer names. Raises NotFound where a part is gone, StoreError where one is not what
    the pointer says."""
    what = f"{store.url}: the manifest of {prefix}, release {live.sequence},"
    manifest.check_amount(live.size, 0, what)
    data, _ = store.get(manifest_key(prefix, live.manifest), live.size)
    manifest.check_blob(data, live.manifest, live.size, what)
    found = manifest.read(data, what)
    said = (found.header.partner, found.header.site, found.header.sequence, found.content_sha256)
    if said != (live.partner, live.site, live.sequence, live.content):
        raise manifest.unsound(what, f"it says {said}, the pointer {(live.partner, live.site, live.sequence, live.content)}")
    manifest.check_amount(sum(shard.size for shard in found.shards), sum(shard.topics for shard in found.shards), what)
    parts = in_parallel(store, lambda shard: store.get(blob_key(prefix, shard.sha256), shard.size)[0], found.shards)
    return found, manifest.read_rows(found, parts, what)


def incomplete(store: Store, prefix: str, problem: StoreError) -> StoreError:
    """The StoreError for a live release of which something is gone."""
    return StoreError(
        f"{store.url}: the live release of {prefix} is not complete",
        found=problem.what,
        fix="restore the object from a backup; where there is none, remove the whole prefix, publish again, and tell who pulls "
        "it to remove the installed bundle first, because releases are counted from 1 again",
    )


def present(store: Store, prefix: str, files: Iterable[OutputFile] = (), live: Released | None = None) -> set[str]:
    """The SHA-256 of every blob that the site's prefix holds; of `files` alone, where they are few beside what is live."""
    keys = {blob_key(prefix, hashlib.sha256(file.data).hexdigest()) for file in files}
    found = listing.stored(store, prefix, keys, _about(live)) if keys else dict(listing.sizes(store, f"{prefix}/blobs/"))
    names = (key.rpartition("/")[2] for key in found)
    return {name for name in names if manifest.is_sha256(name)}


def _about(live: Released | None) -> int:
    """About how many blobs are in a site's prefix: those of the live release, at least."""
    return len(packs.objects(live.content)) if live else 0


def _released(live: Pointer, found: manifest.Manifest, rows: Sequence[Mapping[str, object]]) -> Released:
    header = found.header
    return Released(
        partner=header.partner,
        site=header.site,
        sequence=header.sequence,
        content_sha256=found.content_sha256,
        manifest_sha256=live.manifest,
        created=header.created,
        run_id=header.run_id,
        content=manifest.content(found, rows, f"release {header.sequence} of {header.site}"),
        token=live.token,
    )


# --- storing --------------------------------------------------------------------------------------


def put_files(store: Store, prefix: str, files: Iterable[OutputFile], present: set[str]) -> int:
    """Stores each file's blob unless its SHA-256 is in `present`, to which it is added; returns the number stored. What a
    store fails to take is tried again, with what is left. Raises StoreError; what was stored by then is in `present`."""
    stored = 0
    for batch in _batches(files):
        missing = {}
        for file in batch:
            if (sha256 := hashlib.sha256(file.data).hexdigest()) not in present:
                missing[sha256] = file
        for sha256 in _put_all(store, prefix, missing):
            present.add(sha256)
            stored += 1
    return stored


def _batches(files: Iterable[_A]) -> Iterator[list[_A]]:
    left = iter(files)
    while batch := list(islice(left, BATCH)):
        yield batch


def _put_all(store: Store, prefix: str, missing: dict[str, OutputFile]) -> Iterator[str]:
    """Stores the files and yields each hash as it is done, in rounds over what is left."""
    for pause in PAUSES:
        try:
            for sha256 in in_parallel(store, lambda item: _put_blob(store, prefix, *item), list(missing.items())):
                yield sha256
                del missing[sha256]
            return
        except StoreError:
            if pause is None:
                raise
        time.sleep(pause)


def _put_blob(store: Store, prefix: str, sha256: str, file: OutputFile) -> str:
    put_once(store, blob_key(prefix, sha256), file.data, file.media_type)
    return sha256


def put_once(store: Store, key: str, data: bytes, media_type: str) -> bool:
    """Stores an object whose key names its bytes. One that is there is those bytes, and is left alone (False)."""
    try:
        store.put(key, data, media_type=media_type, cache_control=IMMUTABLE, absent=True)
    except PreconditionFailed:
        return False
    return True


# --- publishing -----------------------------------------------------------------------------------


def publish(
    store: Store,
    site: Site,
    content: Content,
    previous: Released | None,
    *,
    run_id: str,
    created: str,
    signing: Signing | None = None,
    progress: Progress | None = None,
    decided: str = "",
) -> Outcome:
    """Makes `content` the live release of a site, after `previous` (as `current` gave it); its blobs are stored (`put_files`).

    The same content is no new release: the pointer alone is signed anew, and says when this run looked. Raises RaceLost where
    another run published first, StoreError where a blob is missing or the store failed, UsageError without `signing`, or where no
    bundle could hold the content. After any of them the release that was live still is.
    """
    return _publish(store, site, content, previous, run_id, created, signing, progress, decided=decided)


def advance(store: Store, prefix: str, *, past: int, run_id: str, created: str, signing: Signing | None = None) -> Outcome | None:
    """Publishes what is live again, as a release whose every number comes after `past`: for a store that was restored from a
    backup, while partners have seen later releases and refuse what now looks like old ones. None where nothing is live. Raises as
    `publish`."""
    from pipeline.contracts import Site

    live = current(store, prefix, required_keys(signing))
    if live is None:
        return None
    site = Site(live.partner, live.site, live.site, prefix)
    return _publish(store, site, live.content, live, run_id, created, signing, None, past)


def _publish(
    store: Store,
    site: Site,
    content: Content,
    previous: Released | None,
    run_id: str,
    created: str,
    signing: Signing | None,
    progress: Progress | None,
    past: int = 0,
    decided: str = "",
) -> Outcome:
    from outputs import signing as metadata

    keys, now, prefix = required_keys(signing), metadata.moment(created), site.prefix
    described = manifest.describe(content)
    before = metadata.read(store, prefix, keys)
    if (before.pointer.token if before else "") != (previous.token if previous else ""):
        raise pointer.race_lost(store, prefix)
    if before:
        mend(store, prefix, before.pointer)
    objects: dict[str, bytes] = {}
    uploaded, changed = 0, b""
    if before and before.pointer.content == described.sha256 and not past:
        to = before.pointer
    else:
        header = _header(site, previous, run_id, created, past)
        changed = changes.changes(previous.content if previous else None, content, header)
        to = _stage(described, header, changed, objects, prefix)
        uploaded = _put_objects(store, objects, progress)
    to = replace(to, zip=_zip(store, site, described, content, to, before.pointer.zip if before else {}))
    ends = metadata.last_day(content.license)
    looked = before.last_run if before and past else created
    prepared = metadata.prepare(store, prefix, to, before, keys, now, last_run=looked, ends=ends, past=past, decided=decided)
    sizes = {key: len(part) for key, part in objects.items()} or {manifest_key(prefix, to.manifest): to.size}
    sizes |= {zips.key(prefix, to.zip["sha256"]): to.zip["size"]} if to.zip else {}
    wanted = {blob_key(prefix, sha256): size for sha256, (size, _) in packs.objects(content).items()}
    listing.compare(store, prefix, {**wanted, **sizes, **prepared.objects}, _about(previous))
    pointer.move(store, prefix, prepared.timestamp, before.pointer.token if before else "")
    if before is None or to != before.pointer:
        with suppress(StoreError):  # the release is live; the next run mends its copies
            mend(store, prefix, to, changed)
            if zipped := {named.zip["sha256"] for named in (to, before.pointer if before else to) if named.zip}:
                _tidy_zips(store, prefix, zipped)
    return Outcome("published" if objects else "unchanged", to.sequence, described.sha256, uploaded)


def resign(store: Store, prefix: str, *, created: str, signing: Signing | None) -> Outcome | None:
    """Signs the pointer of what is live anew, and what else is past half its life, without looking at sources: `last_run` stays.
    None where nothing is live. Raises RaceLost, StoreError, UsageError."""
    from outputs import signing as metadata

    keys, now = required_keys(signing), metadata.moment(created)
    before = metadata.read(store, prefix, keys)
    if before is None:
        return None
    try:
        found, _ = read_release(store, prefix, before.pointer)
    except NotFound as problem:
        raise incomplete(store, prefix, problem) from problem
    ends = metadata.last_day(found.document.get("license", {}))
    prepared = metadata.prepare(store, prefix, before.pointer, before, keys, now, last_run=before.last_run, ends=ends)
    pointer.move(store, prefix, prepared.timestamp, before.pointer.token)
    return Outcome("unchanged", before.pointer.sequence, before.pointer.content)


def renewals(store: Store, prefix: str, signing: Signing) -> dict[str, datetime]:
    """By role, the moment from which what is live should be signed anew; none before the first release, nor for what can not live
    longer because the agreement ends. Raises StoreError."""
    from outputs import signing as metadata

    live = metadata.read(store, prefix, signing)
    if live is None:
        return {}
    found, _ = read_release(store, prefix, live.pointer)
    return metadata.renewals(live, signing, metadata.last_day(found.document.get("license", {})))


def _zip(
    store: Store, site: Site, described: manifest.Described, content: Content, to: Pointer, before: Mapping[str, object]
) -> Mapping[str, object]:
    """Stores the release as one zip where the site has one, and says which; a site that does not say so (`zip` None) goes on as
    it was."""
    if not (bool(before) if site.zip is None else site.zip):
        return {}
    if to.zip and any(True for _ in listing.sizes(store, zips.key(site.prefix, str(to.zip["sha256"])))):
        return to.zip
    found = manifest.read(store.get(manifest_key(site.prefix, to.manifest))[0], f"the manifest of {site.prefix}")
    rows = manifest.read_rows(found, [part for _, part in described.shards], f"the rows of {site.prefix}")
    data = zips.pack(found, rows, manifest.all_files(content), _reader(store, site.prefix, content))
    made = zips.described(data)
    put_once(store, zips.key(site.prefix, made["sha256"]), data, zips.MEDIA_TYPE)
    return made


def bundle(
    store: Store, site: Site, content: Content, previous: Released | None, path: Path, *, run_id: str, created: str
) -> Outcome:
    """Writes to `path`, as one zip, what a partner would pull if `content` were published after `previous` at this moment; the
    store is only read. Returns what publishing would do. Raises StoreError where a blob is missing, Altered."""
    described, prefix = manifest.describe(content), site.prefix
    if previous and previous.content_sha256 == described.sha256:
        state, sequence = "unchanged", previous.sequence
        data, _ = store.get(manifest_key(prefix, previous.manifest_sha256), manifest.MAX_BYTES)
    else:
        header = _header(site, previous, run_id, created, 0)
        changed, objects = changes.changes(previous.content if previous else None, content, header), dict[str, bytes]()
        state, sequence = "published", header.sequence
        data = objects[manifest_key(prefix, _stage(described, header, changed, objects, prefix).manifest)]
    found = manifest.read(data, f"the manifest of {prefix}")
    rows = manifest.read_rows(found, [part for _, part in described.shards], f"the rows of {prefix}")
    zips.write(path, found, rows, manifest.all_files(content), _reader(store, prefix, content))
    return Outcome(state, sequence, described.sha256)


def _reader(store: Store, prefix: str, content: Content) -> Callable[[Sequence[FileRow]], Iterator[bytes]]:
    """Reads files of a content in order, as many at a time as the store is faster with."""

    def get(sha256: str, size: int) -> bytes:
        return store.get(blob_key(prefix, sha256), size)[0]

    def read(files: Sequence[FileRow]) -> Iterator[bytes]:
        inside = packs.homes(content.packs)
        together = packs.read(get, content.packs, [file for file in files if file.sha256 in inside], prefix)
        alone = _batches(file for file in files if file.sha256 not in inside)
        singly = (data for batch in alone for data in in_parallel(store, lambda file: get(file.sha256, file.size), batch))
        return (next(together if file.sha256 in inside else singly) for file in files)

    return read


def _tidy_zips(store: Store, prefix: str, keep: Container[object]) -> None:
    """Removes zips but the newest two: who is fetching the one before may end."""
    for key, _ in list(listing.sizes(store, f"{prefix}/{zips.FOLDER}/")):
        if key.rpartition("/")[2].removesuffix(".zip") not in keep:
            store.delete(key)


def required_keys(signing: Signing | None) -> Signing:
    """The keys, where there are any. Raises UsageError."""
    if signing is None:
        raise UsageError(
            "there are no signing keys: nothing is published unsigned",
            expected="a folder of keys ([signing] keys in syndication.toml)",
            fix="bring back the folder of keys of this store; `keys init` makes keys for a store without releases",
        )
    return signing


def _header(site: Site, previous: Released | None, run_id: str, created: str, past: int) -> manifest.Header:
    return manifest.Header(
        partner=site.partner,
        site=site.id,
        sequence=max(previous.sequence if previous else 0, past) + 1,
        previous=previous.manifest_sha256 if previous else "",
        run_id=run_id,
        created=created,
    )


def _stage(
    described: manifest.Described, header: manifest.Header, changed: bytes, objects: dict[str, bytes], prefix: str
) -> Pointer:
    """Puts shards, change list and manifest of a new release among `objects`; the pointer that will name it."""
    name = hashlib.sha256(changed).hexdigest()
    data = manifest.write(described, replace(header, changes={"sha256": name, "size": len(changed)}))
    sha256 = hashlib.sha256(data).hexdigest()
    objects |= {blob_key(prefix, shard.sha256): part for shard, part in described.shards}
    objects[blob_key(prefix, name)] = changed
    objects[manifest_key(prefix, sha256)] = data  # last: what it names is there before it
    return Pointer(header.partner, header.site, header.sequence, sha256, len(data), described.sha256)


def mend(store: Store, prefix: str, live: Pointer, changed: bytes = b"") -> bool:
    """Writes the unsigned copies of what is live - its change list (`changed`, where it is at hand), and `current.json`, which
    comes last and says that they are there - unless they are; whether it did. Raises StoreError."""
    wanted = manifest.canonical(
        {
            "schema": manifest.SCHEMA,
            **{name: getattr(live, name) for name in ("partner", "site", "sequence", "content", "size")},
            "manifest": f"targets/{live.manifest}.manifest.json",
            "changes": f"changes/{live.sequence}.json",
            **({"zip": {"path": zips.key("", live.zip["sha256"]).lstrip("/"), **live.zip}} if live.zip else {}),
        }
    )
    key = f"{prefix}/{COPY}"
    with suppress(NotFound):
        if store.get(key)[0] == wanted:
            return False
    if not changed:
        found = manifest.read(store.get(manifest_key(prefix, live.manifest))[0], f"{store.url}: the manifest of {prefix}")
        named = str(found.header.changes.get("sha256", ""))
        changed = store.get(blob_key(prefix, named))[0] if manifest.is_sha256(named) else b""
    for name, data, media_type in changes.copies(changed, live.sequence, f"the changes of {prefix}") if changed else ():
        put_once(store, f"{prefix}/{name}", data, media_type)
    store.put(key, wanted, media_type=manifest.MEDIA_TYPE, cache_control=pointer.CACHE_CONTROL)
    return True


def _put_objects(store: Store, objects: Mapping[str, bytes], progress: Progress | None) -> int:
    stored = 0
    for number, (key, data) in enumerate(objects.items(), 1):
        stored += put_once(store, key, data, manifest.MEDIA_TYPE)
        if progress:
            progress(number, len(objects))
    return stored
