"""The publisher's own memory: nothing that was published is lost. In: a release that is about to be replaced. Out: what was live
on any day, its terms and its bytes.

    sites/<site>.json                       a site as it was last described: who ever got a release
    archive/<site>/received.json            what the site has ever had, by topic
    archive/<site>/releases/<sequence>.json one for each replaced release: when it was made, its manifest, its terms
    archive/<site>/targets/<sha256>.manifest.json, archive/<site>/blobs/<aa>/<sha256>
    archive/<site>/terms/<sha256>.json      terms, as they were hashed
    archive/<site>/condemned.json           what prune.py will remove, and since when nothing has needed it

Partners read their own prefix, `p/<site>`, and nothing of these. A release is kept before the next one is published, so that a
run that dies can lose none. The bytes of files stay in the prefix until `prune` moves them here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from outputs import manifest, packs
from outputs.listing import in_parallel
from outputs.release import blob_key, manifest_key, put_once
from pipeline.contracts import (
    Content,
    FileRow,
    OutputFile,
    PastRelease,
    Received,
    ReceivedFile,
    Released,
    Row,
    Since,
    Site,
    Store,
    plain_values,
)
from pipeline.errors import NotFound, PreconditionFailed, StoreError

FOLDER: Final = "archive"
SITES: Final = "sites"
STALE: Final = timedelta(hours=1)  # a prune that has not ended its batch of deletes by then is dead
_ATTEMPTS: Final = 20

Key = tuple[str, str]


def home(prefix: str) -> str:
    """Where a site's archive is."""
    return f"{FOLDER}/{_site_id(prefix)}"


def _site_id(prefix: str) -> str:
    return prefix.rpartition("/")[2]


# --- sites --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Described:
    partner: str
    id: str
    name: str
    prefix: str
    color: str


def sites(store: Store) -> dict[str, Site]:
    """Every site that was ever published to, by prefix. Raises StoreError."""
    keys = [key for key in _keys(store, f"{SITES}/") if key.endswith(".json")]
    found = in_parallel(store, lambda key: _site(store, key), keys)
    return {site.prefix: site for site in found}


def _site(store: Store, key: str) -> Site:
    what = f"{store.url}: {key}"
    found = manifest.record(_Described, manifest.read_json(store.get(key)[0], what), what)
    if key != f"{SITES}/{_site_id(found.prefix)}.json":
        raise manifest.unsound(what, f"it describes {found.prefix!r}")
    site = Site(found.partner, found.id, found.name, found.prefix)
    return replace(site, brand=replace(site.brand, color=found.color))


def describe(store: Store, site: Site) -> None:
    """Remembers a site as it is now; where nothing changed, nothing is written."""
    found = _Described(site.partner, site.id, site.name, site.prefix, site.brand.color)
    data = manifest.canonical(asdict(found))
    key = f"{SITES}/{_site_id(site.prefix)}.json"
    try:
        if store.get(key)[0] == data:
            return
    except NotFound:
        pass
    store.put(key, data, media_type=manifest.MEDIA_TYPE)


# --- what a site has had ------------------------------------------------------------------------


def received(store: Store, prefix: str, live: Iterable[Row]) -> dict[Key, Received]:
    """What the site has ever had: what was kept, and the rows that are live. Raises StoreError."""
    return _merged(_received(store, prefix)[0], live)


def _received(store: Store, prefix: str) -> tuple[dict[Key, Received], str]:
    key = f"{home(prefix)}/received.json"
    try:
        data, token = store.get(key)
    except NotFound:
        return {}, ""
    what = f"{store.url}: {key}"
    topics = manifest.read_json(data, what).get("topics")
    if not isinstance(topics, list):
        raise manifest.unsound(what, "'topics' is no list")
    found = (_read_received(item, what) for item in topics)
    return {(one.id, one.language): one for one in found}, token


def _read_received(item: Any, what: str) -> Received:
    if not isinstance(item, dict) or not isinstance(item.get("files"), list):
        raise manifest.unsound(what, f"{item!r:.80} where a topic is expected")
    files = tuple(manifest.record(ReceivedFile, file, what) for file in item["files"])
    return replace(manifest.record(_Topic, item, what).received(), files=files)


@dataclass(frozen=True, slots=True)
class _Topic:
    id: str
    language: str
    title: str
    versions: tuple[str, ...]

    def received(self) -> Received:
        return Received(self.id, self.language, self.title, self.versions, ())


def _merged(before: Mapping[Key, Received], live: Iterable[Row]) -> dict[Key, Received]:
    found = dict(before)
    for row in live:
        old = found.get((row.id, row.language))
        versions = (*(v for v in old.versions if v != row.version), row.version) if old else (row.version,)
        files = {file.format: file for file in old.files} if old else {}
        files.update(_main_files(row))
        found[row.id, row.language] = Received(row.id, row.language, row.title, versions, tuple(files.values()))
    return found


def _main_files(row: Row) -> dict[str, ReceivedFile]:
    """The main file of each format: the first, as formats give them; pictures come after it."""
    found: dict[str, ReceivedFile] = {}
    for file in row.files:
        if file.format and not file.media_type.startswith("image/"):
            found.setdefault(file.format, ReceivedFile(file.format, file.path, file.media_type))
    return found


# --- keeping ------------------------------------------------------------------------------------


def keep(store: Store, prefix: str, released: Released | None, terms: Mapping[str, bytes]) -> None:
    """Keeps the terms of the release that comes next, and the one that it is about to replace (None = it is the first). What is
    kept already is left alone. Raises StoreError."""
    _keep_terms(store, prefix, terms)
    if released is None:
        return
    record = f"{home(prefix)}/releases/{released.sequence}.json"
    if _has(store, record):
        return
    data, _ = store.get(manifest_key(prefix, released.manifest_sha256))
    found = manifest.read(data, f"{store.url}: the manifest of {prefix}, release {released.sequence},")
    parts = [shard.sha256 for shard in found.shards]
    parts += [named] if manifest.is_sha256(named := str(found.header.changes.get("sha256", ""))) else []
    list(in_parallel(store, lambda sha256: _copy(store, prefix, sha256), parts))
    put_once(store, manifest_key(home(prefix), released.manifest_sha256), data, manifest.MEDIA_TYPE)
    _update_received(store, prefix, released.content.rows)
    past = PastRelease(released.sequence, released.created, released.manifest_sha256, released.content.terms_sha256)
    put_once(store, record, manifest.canonical(asdict(past)), manifest.MEDIA_TYPE)  # last: it says that all else is there


def _keep_terms(store: Store, prefix: str, terms: Mapping[str, bytes]) -> None:
    for sha256, data in terms.items():
        put_once(store, _terms_key(prefix, sha256), data, manifest.MEDIA_TYPE)


def _terms_key(prefix: str, sha256: str) -> str:
    return f"{home(prefix)}/terms/{sha256}.json"


def _copy(store: Store, prefix: str, sha256: str) -> None:
    key = blob_key(home(prefix), sha256)
    if not _has(store, key):
        put_once(store, key, _verified(store.get(blob_key(prefix, sha256))[0], sha256, store, prefix), "application/octet-stream")


def _update_received(store: Store, prefix: str, rows: Iterable[Row]) -> None:
    rows = list(rows)

    def change(before: dict[Key, Received]) -> dict[Key, Received]:
        return _merged(before, rows)

    for _ in range(_ATTEMPTS):
        before, token = _received(store, prefix)
        after = change(before)
        if after == before:
            return
        data = manifest.canonical({"topics": [plain_values(after[key]) for key in sorted(after)]})
        if write(store, f"{home(prefix)}/received.json", data, token):
            return
    raise StoreError(f"{store.url}: {home(prefix)}/received.json changes faster than it can be written", fix="run again")


def write(store: Store, key: str, data: bytes, token: str) -> bool:
    """Writes an object that only has the state `token` ("" = is not there); False where another writer came first."""
    try:
        store.put(key, data, media_type=manifest.MEDIA_TYPE, absent=not token, match=token)
    except PreconditionFailed:
        return store.get(key)[0] == data
    return True


# --- asking -------------------------------------------------------------------------------------


def releases(store: Store, prefix: str) -> list[PastRelease]:
    """Every release kept, oldest first. Raises StoreError."""

    keys = _keys(store, f"{home(prefix)}/releases/")
    return sorted(in_parallel(store, lambda key: _past(store, key), keys), key=lambda past: past.sequence)


def _past(store: Store, key: str) -> PastRelease:
    what = f"{store.url}: {key}"
    return manifest.record(PastRelease, manifest.read_json(store.get(key, manifest.MAX_BYTES)[0], what), what)


def content(store: Store, prefix: str, past: PastRelease) -> Content:
    """What a kept release said, every hash verified. Raises StoreError."""
    what = f"{store.url}: release {past.sequence} in {home(prefix)}"
    data = _verified(store.get(manifest_key(home(prefix), past.manifest_sha256))[0], past.manifest_sha256, store, prefix)
    found = manifest.read(data, what)
    shards = in_parallel(store, lambda shard: blob(store, prefix, shard.sha256), found.shards)
    return manifest.content(found, manifest.read_rows(found, shards, what), what)


def blob(store: Store, prefix: str, sha256: str, limit: int | None = None) -> bytes:
    """The bytes of that hash, `limit` at the most, from the site's prefix or the archive, verified. Raises NotFound where neither
    has them."""
    try:
        data = store.get(blob_key(prefix, sha256), limit)[0]
    except NotFound:
        data = store.get(blob_key(home(prefix), sha256), limit)[0]
    return _verified(data, sha256, store, prefix)


def files(store: Store, prefix: str, content: Content, files: Iterable[FileRow]) -> Iterator[bytes]:
    """The bytes of files of a content, in their order, verified, wherever they are stored. Raises NotFound."""
    return packs.read(lambda sha256, _size: blob(store, prefix, sha256), content.packs, files, prefix)


def terms(store: Store, prefix: str, sha256: str) -> bytes:
    """The terms of that hash, verified. Raises NotFound."""
    return _verified(store.get(_terms_key(prefix, sha256))[0], sha256, store, prefix)


def recall(store: Store, prefix: str, content: Content, new: Iterable[OutputFile] = ()) -> int:
    """Puts back into the site's prefix what of a content is in the archive alone, files that are yet to be stored left aside.
    Raises NotFound where a blob is nowhere."""
    present = {key.rpartition("/")[2] for key in _keys(store, f"{prefix}/blobs/")}
    present.update(hashlib.sha256(file.data).hexdigest() for file in new)
    missing = {sha256: media_type for sha256, (_, media_type) in packs.objects(content).items() if sha256 not in present}

    def put_back(item: tuple[str, str]) -> bool:
        return put_once(store, blob_key(prefix, item[0]), blob(store, prefix, item[0]), item[1])

    return sum(in_parallel(store, put_back, list(missing.items())))


def _verified(data: bytes, sha256: str, store: Store, prefix: str) -> bytes:
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise StoreError(
            f"{store.url}: something of {prefix} was altered",
            expected=sha256,
            found=found,
            fix="restore it from a backup, and find out who can write there",
        )
    return data


def _has(store: Store, key: str) -> bool:
    return key in _keys(store, key)


def _keys(store: Store, folder: str) -> list[str]:
    try:
        return [stored.key for stored in store.list(folder)]
    except NotFound:
        return []


# --- since when ---------------------------------------------------------------------------------


def since(store: Store, prefix: str, released: Released, most: int) -> dict[Key, Since]:
    """Since which release each topic is live in the version that is live now, without a break: from the live release back, `most`
    replaced ones at the most. Shards that two releases share are read once. Raises StoreError."""
    first = Since(released.sequence, released.created, exact=True)
    shards = _shards(store, prefix, prefix, released.sequence, released.manifest_sha256)
    places = _placed(store, prefix, shards)
    found, still = dict.fromkeys(places, first), set(places)
    last = released.sequence
    for number in _numbers(store, prefix, released.sequence)[:most]:
        if not still:
            return found
        past = _past(store, f"{home(prefix)}/releases/{number}.json")
        before = _shards(store, prefix, home(prefix), past.sequence, past.manifest_sha256)
        others = _placed(store, prefix, {name: size for name, size in before.items() if name not in shards})
        same = {key for key in still if places[key].shard in before or places[key].same(others.get(key))}
        if number < last - 1:  # releases between were forgotten: what ends here may have ended there
            found |= {key: replace(found[key], exact=False) for key in still - same}
        found |= dict.fromkeys(same, Since(past.sequence, past.created, exact=True))
        places |= {key: others[key] for key in same & others.keys()}
        still, shards, last = same, before, number
    if last > 1:  # older ones were forgotten, or are too many to read
        found |= {key: replace(found[key], exact=False) for key in still}
    return found


@dataclass(frozen=True, slots=True)
class _Placed:
    """A topic in a release: the shard that it is in, its version, the SHA-256 of its words."""

    shard: str
    version: str
    text: str

    def same(self, other: _Placed | None) -> bool:
        """Whether both are one version; where none is said, the same words."""
        return other is not None and self.version == other.version and (bool(self.version) or self.text == other.text)


def _numbers(store: Store, prefix: str, before: int) -> list[int]:
    """The numbers of the releases kept, the newest first."""
    names = [key.rpartition("/")[2].removesuffix(".json") for key in _keys(store, f"{home(prefix)}/releases/")]
    return sorted((int(name) for name in names if name.isascii() and name.isdigit() and int(name) < before), reverse=True)


def _shards(store: Store, prefix: str, folder: str, sequence: int, sha256: str) -> dict[str, int]:
    """The size of each shard of a release, by SHA-256."""
    what = f"{store.url}: release {sequence} of {prefix}"
    data = _verified(store.get(manifest_key(folder, sha256), manifest.MAX_BYTES)[0], sha256, store, prefix)
    found = manifest.read(data, what).shards
    manifest.check_amount(sum(shard.size for shard in found), sum(shard.topics for shard in found), what)
    return {shard.sha256: shard.size for shard in found}


def _placed(store: Store, prefix: str, shards: Mapping[str, int]) -> dict[Key, _Placed]:
    parts = in_parallel(store, lambda shard: blob(store, prefix, *shard), list(shards.items()))
    found: dict[Key, _Placed] = {}
    for sha256, data in zip(shards, parts, strict=True):
        for row in manifest.shard_rows(data, f"{store.url}: the shard {sha256} of {prefix}"):
            said = (str(row.get(name, "")) for name in ("version", "text_sha256"))
            found[str(row["id"]), str(row["language"])] = _Placed(sha256, *said)
    return found


# --- what is about to be removed ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condemned:
    """Blobs of a prefix (by SHA-256) that nothing has needed since a day, and those that `prune` is removing since a moment."""

    since: Mapping[str, str]
    going: tuple[str, ...] = ()
    began: str = ""


def condemned(store: Store, prefix: str) -> tuple[Condemned, str]:
    """What prune.py noted of a site, with the store's token for it ("" = nothing yet)."""
    key = f"{home(prefix)}/condemned.json"
    try:
        data, token = store.get(key)
    except NotFound:
        return Condemned({}), ""
    what = f"{store.url}: {key}"
    return manifest.record(Condemned, manifest.read_json(data, what), what), token


def condemn(store: Store, prefix: str, change: Callable[[Condemned], Condemned]) -> Condemned:
    """Changes what is noted, whoever else does at the same moment. Raises StoreError."""
    for _ in range(_ATTEMPTS):
        before, token = condemned(store, prefix)
        after = change(before)
        if after == before or write(store, f"{home(prefix)}/condemned.json", manifest.canonical(asdict(after)), token):
            return after
    raise StoreError(f"{store.url}: {home(prefix)}/condemned.json changes faster than it can be written", fix="run again")


def claim(store: Store, prefix: str, content: Content, moment: str) -> None:
    """Takes the blobs of a content, which is about to be published, off the list of what `prune` will remove. Where a prune is
    removing one of them at this `moment` (ISO 8601): raises StoreError; where one died over it, puts back what it removed."""
    before, _ = condemned(store, prefix)
    if not before.since and not before.going:
        return
    described = manifest.describe(content)
    wanted = {*packs.objects(content), *(shard.sha256 for shard, _ in described.shards)}

    def change(now: Condemned) -> Condemned:
        hit = wanted.intersection(now.going)
        if hit and not stale(now.began, moment):
            raise StoreError(
                f"{store.url}: prune is removing {len(hit)} blobs of {prefix} that this release needs; nothing was published",
                found=f"begun {now.began}",
                fix="run again when prune has ended: what is missing is made and stored anew",
            )
        since = {sha256: day for sha256, day in now.since.items() if sha256 not in wanted}
        return Condemned(since) if hit else replace(now, since=since)

    if wanted.intersection(before.going) and condemn(store, prefix, change).going == ():
        recall(store, prefix, content)
    else:
        condemn(store, prefix, change)


def stale(began: str, moment: str) -> bool:
    """Whether a prune that began then is dead by this moment."""
    return datetime.fromisoformat(moment) - datetime.fromisoformat(began) > STALE
