"""What makes a release trusted: the metadata of The Update Framework (TUF 1.0), one repository per site prefix.

    metadata/N.root.json        whose keys count; signed offline (keys.py), the same for all sites of a publisher
    metadata/N.targets.json     the manifest: SHA-256, size, and in `custom` partner, site, sequence, content
    metadata/N.snapshot.json    which targets.json counts
    metadata/timestamp.json     which snapshot counts, when a run last looked (`last_run`), and the mark of the decisions that
                                it obeyed (`decisions`), so that a lost one is noticed: THE pointer

In: a manifest that is stored, the moment of the run. Out: signed metadata; what is live, read back and verified. All but the
pointer is written once; a dead run leaves an N behind, and the next takes the next free one. A role is signed anew when it is
past half its life, or when its key is no longer the one that the root names. Nothing lives longer than the agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from securesystemslib.exceptions import Error as KeyProblem
from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Signed, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from outputs import manifest, pointer
from outputs.pointer import Pointer
from pipeline.contracts import Signing, Store
from pipeline.errors import Altered, NotFound, PreconditionFailed, StoreError, UsageError

TARGET: Final = "manifest.json"
DECIDED: Final = "decisions"
ONLINE: Final = ("targets", "snapshot", "timestamp")
NEXT: Final = ".next"  # a key file's successor, until `keys rotate` has put it in its place
TRIES: Final = 1000  # numbers that dead runs may have left, one after the other
IMMUTABLE: Final = "public, max-age=31536000, immutable"
FIX_KEYS: Final = "give this run the keys of that store ([signing] keys); after `keys rotate`, use the newest folder of keys"


@dataclass(frozen=True, slots=True)
class Live:
    """What is live, as the metadata says it. `root` is the version of our root that its keys belong to (0: not verified)."""

    pointer: Pointer
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    root: int = 0

    @property
    def last_run(self) -> str:
        """When a run last looked at the sources, whether or not it found changes; ISO 8601."""
        return str(self.timestamp.signed.unrecognized_fields.get("last_run", ""))

    @property
    def decided(self) -> str:
        """The mark of the decisions that who signed it knew ("" = it says none)."""
        return str(self.timestamp.signed.unrecognized_fields.get(DECIDED, ""))

    def expiries(self) -> dict[str, datetime]:
        """Until when each online role's metadata is valid."""
        return {role: getattr(self, role).signed.expires for role in ONLINE}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Metadata that is stored, and the pointer that would make it count. `objects` are keys and sizes of what it names."""

    pointer: Pointer
    timestamp: bytes
    objects: Mapping[str, int] = field(default_factory=dict)


def metadata_key(prefix: str, version: int, role: str) -> str:
    """Where a role's metadata of that version is."""
    return f"{prefix}/metadata/{version}.{role}.json"


def moment(created: str) -> datetime:
    """The moment of a run (ISO 8601) in whole seconds of UTC. Raises UsageError."""
    try:
        found = datetime.fromisoformat(created)
    except ValueError:
        raise UsageError(f"{created!r} is no moment", expected="ISO 8601, e.g. 2026-12-31T04:00:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


# --- reading --------------------------------------------------------------------------------------


def read(store: Store, prefix: str, signing: Signing | None = None) -> Live | None:
    """What is live; None before the first release. Its hashes are verified, and with `signing` its signatures too. Raises
    NotFound where part of it is gone, Altered where it is not what we write or not signed by our keys, StoreError."""
    try:
        data, token = store.get(pointer.key(prefix))
    except NotFound:
        return None
    what = f"{store.url}: {pointer.key(prefix)}"
    timestamp = parsed(Timestamp, data, what)
    snapshot = _named(Snapshot, store, prefix, timestamp.signed.snapshot_meta)
    targets = _named(Targets, store, prefix, snapshot.signed.meta.get("targets.json"))
    target = targets.signed.targets.get(TARGET)
    if target is None:
        raise manifest.unsound(f"{store.url}: {prefix}, targets", f"it names no {TARGET}")
    live = Live(pointer_of(target, what, token), timestamp, snapshot, targets)
    return Live(live.pointer, timestamp, snapshot, targets, _verified(live, signing, what)) if signing else live


def parsed(kind: type[Signed], data: bytes, what: str) -> Metadata[Any]:
    """Metadata of that role from bytes, unverified. Raises Altered where it is none."""
    found = _unverified(data, what)
    if not isinstance(found.signed, kind):
        raise manifest.unsound(what, f"metadata of the role {found.signed.type}")
    return found


def _unverified(data: bytes, what: str) -> Metadata[Any]:
    try:
        return Metadata.from_bytes(data)
    except (RepositoryError, ValueError, RecursionError) as problem:
        raise manifest.unsound(what, str(problem)) from problem


def version_of(data: bytes, what: str) -> int:
    """The version of a pointer. Raises Altered where it is none."""
    return int(parsed(Timestamp, data, what).signed.version)


def mark_of(data: bytes, what: str) -> str:
    """The mark of decisions in a pointer ("" = it says none). Raises Altered where it is none."""
    return str(parsed(Timestamp, data, what).signed.unrecognized_fields.get(DECIDED, ""))


def expires(data: bytes, what: str) -> datetime:
    """Until when metadata of any role is valid. Raises Altered where it is none."""
    return _unverified(data, what).signed.expires  # type: ignore[no-any-return]


def pointer_of(target: TargetFile, what: str, token: str = "") -> Pointer:
    """The pointer that a target's signed facts are. Raises Altered."""
    custom = target.custom if isinstance(target.custom, dict) else {}
    document = {**custom, "manifest": target.hashes.get("sha256", ""), "size": target.length, "token": token}
    found = manifest.record(Pointer, document, what)
    if found.sequence < 1 or not manifest.is_sha256(found.manifest) or not manifest.is_sha256(found.content):
        raise manifest.unsound(what, f"sequence {found.sequence}, manifest {found.manifest!r:.80}, content {found.content!r:.80}")
    return found


def _named(kind: type[Any], store: Store, prefix: str, meta: MetaFile | None) -> Metadata[Any]:
    if meta is None:
        raise manifest.unsound(f"{store.url}: {prefix}, snapshot", f"it names no {kind.type}.json")
    name = metadata_key(prefix, meta.version, kind.type)
    what = f"{store.url}: {name}"
    data, _ = store.get(name)
    try:
        meta.verify_length_and_hashes(data)
    except RepositoryError as problem:
        raise manifest.altered(what, str(problem)) from problem
    return parsed(kind, data, what)


def _verified(live: Live, signing: Signing, what: str) -> int:
    """The newest version of our root whose keys signed all of it. Raises Altered."""
    for data in reversed(signing.roots):
        root = root_of(data)
        try:
            for role in ONLINE:
                found = getattr(live, role)
                root.verify_delegate(role, found.signed_bytes, found.signatures)
        except (UnsignedMetadataError, ValueError):
            continue
        return root.version
    raise Altered(f"{what} is not signed by our keys", found="other keys, or none that our root names", fix=FIX_KEYS)


def root_of(data: bytes) -> Root:
    """Our own root metadata. Raises UsageError where the file is none."""
    try:
        return Metadata[Root].from_bytes(data).signed
    except (RepositoryError, ValueError) as problem:
        raise UsageError(
            "a file of [signing] keys is no root metadata", found=str(problem), fix="take it from a backup"
        ) from problem


def key_of(root: Root, role: str) -> Key:
    """The key that the root names for a role. We give each role one."""
    return root.get_key(root.get_delegated_role(role).keyids[0])


# --- signing --------------------------------------------------------------------------------------


def signer(uri: str, key: Key) -> Signer:
    """The private key that a setting names: `file:PATH` (PEM, PKCS 8), `env:NAME` (the same in a variable), `awskms:ID`, or any
    other URI of securesystemslib. Raises UsageError where it can not be had, or is not the key of `key`."""
    import os

    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    scheme, _, rest = uri.partition(":")
    try:
        if scheme == "env":
            return CryptoSigner(load_pem_private_key(os.environ[rest].encode(), None), cast("Any", key))
        return _from_file(rest, key) if scheme == "file" else Signer.from_priv_key_uri(uri, key)
    except KeyError as problem:
        found = f"no variable {rest}"
        raise _no_key(uri, found) from problem
    except (OSError, ValueError, KeyProblem, ImportError) as problem:
        found = "another key" if "match" in str(problem) else str(problem)
        raise _no_key(uri, found) from problem


def _from_file(path: str, key: Key) -> Signer:
    try:
        return Signer.from_priv_key_uri(f"file2:{path}", key)
    except (OSError, ValueError, KeyProblem):
        if not Path(f"{path}{NEXT}").exists():
            raise
        return Signer.from_priv_key_uri(f"file2:{path}{NEXT}", key)  # a rotation was killed before its last step


def _no_key(uri: str, found: str) -> UsageError:
    return UsageError(
        f"the signing key {uri} can not be used",
        expected="a private key (PEM, PKCS 8) that the newest root metadata names",
        found=found,
        fix="look at [signing] in syndication.toml; `keys show` says which keys are expected",
    )


def _signed(role: str, signed: Signed, signing: Signing) -> bytes:
    root = root_of(signing.roots[-1])
    uri = signing.keys[role]
    metadata: Metadata[Any] = Metadata(cast("Any", signed))
    try:
        metadata.sign(signer(uri, key_of(root, role)))
    except UsageError:
        raise
    except Exception as problem:  # a key service may fail in any way
        raise StoreError(
            f"signing with {uri} failed", found=str(problem), fix="look at the key service, then run again"
        ) from problem
    return metadata.to_bytes(JSONSerializer(compact=True))


def expiry(role: str, now: datetime, signing: Signing, ends: str) -> datetime:
    """Until when metadata signed now is valid: the role's days, but not past the last day of the agreement (`ends`, "" = none).
    Where that is past already, what is published is a withdrawal that the partner must still be able to verify."""
    full = now + timedelta(days=signing.days[role])
    end = datetime.combine(date.fromisoformat(ends), datetime.min.time(), UTC) + timedelta(days=1) if ends else full
    return min(full, end) if end > now else full


def last_day(license: Mapping[str, Any]) -> str:  # noqa: A002 - the manifest's name for it
    """The last day on which the agreements that a release names deliver, wind-down and all ("" = it names none)."""
    days = (item.get("wind_down_ends") or item.get("ends") for item in license.get("agreements", ()))
    return max((str(day) for day in days if day), default="")


def renewals(live: Live, signing: Signing, ends: str) -> dict[str, datetime]:
    """By role, the moment from which it should be signed anew: past half its life, where it could live longer then."""
    found = {}
    for role, expires in live.expiries().items():
        at = expires - timedelta(days=signing.days[role]) / 2
        if expiry(role, at + timedelta(seconds=1), signing, ends) > expires:
            found[role] = at
    return found


def _due(role: str, before: Live | None, now: datetime, expires: datetime, signing: Signing) -> bool:
    """Whether a role must be signed anew although what it says is the same."""
    if before is None or before.root != root_of(signing.roots[-1]).version:
        return True
    held: datetime = getattr(before, role).signed.expires
    return held - now < timedelta(days=signing.days[role]) / 2 and expires > held


def prepare(
    store: Store,
    prefix: str,
    to: Pointer,
    before: Live | None,
    signing: Signing,
    now: datetime,
    *,
    last_run: str,
    ends: str = "",
    past: int = 0,
    decided: str = "",
) -> Prepared:
    """Stores the metadata under which `to` would be live, but not the pointer. What is live already and not past half its life
    is kept. `past`: every version comes after that one. `decided` "" = what is there stays. Raises UsageError, StoreError."""
    facts = {
        "partner": to.partner,
        "site": to.site,
        "sequence": to.sequence,
        "content": to.content,
        **({"zip": dict(to.zip)} if to.zip else {}),
    }
    target = TargetFile(to.size, {"sha256": to.manifest}, TARGET, {"custom": facts})
    expires = {role: expiry(role, now, signing, ends) for role in ONLINE}
    objects = _put_roots(store, prefix, before, signing)
    versions = {role: max(getattr(before, role).signed.version if before else 0, past) for role in ONLINE}
    keep = before is not None and not past and before.targets.signed.targets[TARGET] == target
    if before and keep and not _due("targets", before, now, expires["targets"], signing):
        targets = before.snapshot.signed.meta["targets.json"]
    else:
        keep = False
        targets = _put_next(
            store,
            prefix,
            "targets",
            versions,
            lambda version: Targets(version, None, expires["targets"], {TARGET: target}),
            signing,
        )
    if before and keep and not _due("snapshot", before, now, expires["snapshot"], signing):
        snapshot = before.timestamp.signed.snapshot_meta
    else:
        snapshot = _put_next(
            store,
            prefix,
            "snapshot",
            versions,
            lambda version: Snapshot(version, None, expires["snapshot"], {"targets.json": targets}),
            signing,
        )
    objects |= {metadata_key(prefix, targets.version, "targets"): targets.length or 0}
    objects |= {metadata_key(prefix, snapshot.version, "snapshot"): snapshot.length or 0}
    mark = decided or (before.decided if before else "")
    said = {"last_run": last_run, **({DECIDED: mark} if mark else {})}
    timestamp = Timestamp(versions["timestamp"] + 1, None, expires["timestamp"], snapshot, said)
    return Prepared(to, _signed("timestamp", timestamp, signing), objects)


def _put_roots(store: Store, prefix: str, before: Live | None, signing: Signing) -> dict[str, int]:
    """Stores the versions of the root that the site lacks; returns keys and sizes of all. Raises UsageError where another root
    stands there."""
    roots = {metadata_key(prefix, number, "root"): data for number, data in enumerate(signing.roots, 1)}
    newest = next(reversed(roots))
    with suppress(NotFound):
        if before and store.get(newest)[0] == roots[newest]:
            return {name: len(data) for name, data in roots.items()}
    for name, data in roots.items():
        try:
            store.put(name, data, media_type=manifest.MEDIA_TYPE, cache_control=IMMUTABLE, absent=True)
        except PreconditionFailed as problem:
            if store.get(name)[0] != data:
                raise UsageError(
                    f"{store.url}: {name} is another publisher's, or of other keys", found="other root metadata", fix=FIX_KEYS
                ) from problem
    return {name: len(data) for name, data in roots.items()}


def _put_next(
    store: Store,
    prefix: str,
    role: str,
    versions: Mapping[str, int],
    make: Callable[[int], Signed],
    signing: Signing,
) -> MetaFile:
    """Stores a role's metadata under the next free number; dead and racing runs may hold some."""
    for version in range(versions[role] + 1, versions[role] + TRIES):
        data = _signed(role, make(version), signing)
        try:
            store.put(
                metadata_key(prefix, version, role), data, media_type=manifest.MEDIA_TYPE, cache_control=IMMUTABLE, absent=True
            )
        except PreconditionFailed:
            continue
        return MetaFile.from_data(version, data, ["sha256"])
    raise StoreError(f"{store.url}: {prefix}/metadata has no free number for {role}", fix="run prune, then run again")
