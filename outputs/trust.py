"""What a partner believes, and why: the client of The Update Framework. In: a store, a root, what was seen. Out: what is live.

    DEST.d/.trust/anchor.json       the root metadata that the partner was given
    DEST.d/.trust/root_history/     every root since, each signed by the one before
    DEST.d/.trust/timestamp.json, snapshot.json, targets.json    the newest that were verified: nothing older is believed again
    DEST.d/.trust/pointer.json      which state of the store's pointer the bundle is: asking for a newer one is one request

python-tuf does the verifying: signatures, expiry, rollback, mix and match. This module fetches for it and says what its
refusals mean. The clock of this machine is python-tuf's.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tuf.api import exceptions as tuf
from tuf.api.metadata import Metadata, Root, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from outputs import pointer, signing
from outputs._limits import plain
from outputs.pointer import Pointer
from pipeline.contracts import Store
from pipeline.errors import Altered, Expired, Forbidden, NotFound, StoreError, SyndicationError, UsageError

FOLDER: Final = ".trust"
_ANCHOR: Final = "anchor.json"
NEW: Final = ".new"  # where metadata is verified before it is believed
ROOTS: Final = "root_history"
_SEEN: Final = "pointer.json"
_LARGEST: Final = UpdaterConfig()  # python-tuf's own limits of what a role's metadata may weigh
_TELL: Final = "do not use it; tell the publisher, who should find out who can write to the store. Your installed bundle stays"


class Trust:
    """The trust of one bundle's place, kept in `folder`. `root` is the root metadata that the partner was given (b"" = what was
    given at the first pull)."""

    def __init__(self, store: Store, prefix: str, folder: Path, root: bytes = b"") -> None:
        self.store, self.prefix, self.folder = store, prefix, folder
        self.anchor = root or _read(folder / _ANCHOR)
        self.last_run = ""
        self.token = ""
        self._fetched: tuple[bytes, str] | None = None

    def unchanged(self, installed: str) -> bool:
        """Whether the store's pointer still leads where it did when the bundle `installed` was made, and nothing of it has
        expired: one request, also where it was only signed anew. Raises Expired, StoreError. Else what came is kept for
        `live`."""
        seen = _json(self.folder / _SEEN)
        if not self.anchor or not installed or seen.get("bundle") != installed or not seen.get("token"):
            return False
        try:
            self._fetched = self.store.get_changed(pointer.key(self.prefix), str(seen["token"]), _LARGEST.timestamp_max_length)
        except (NotFound, Forbidden):  # `live` asks again, and says what it means
            return False
        if self._fetched is None:
            return self._still_valid()
        if not self._only_signed_anew(self._fetched[0], seen.get("snapshot")):
            return False
        data, self.token = self._fetched
        _replace(self.folder / "timestamp.json", data)
        self.installed(installed)
        return True

    def live(self) -> Pointer | None:
        """What is live, verified from the root down; None where nothing is. Raises Altered, Expired, StoreError, and UsageError
        where no root is known."""
        if not self.anchor:
            raise UsageError(
                f"the first pull of {self.prefix} needs the publisher's root",
                expected="--root FILE: root.json, which the publisher gave you by a way you trust (not from the store)",
                fix="ask the publisher for root.json; `keys export-root` writes it",
            )
        fetched, self._fetched = self._fetched, None
        try:
            data, self.token = fetched or self.store.get(pointer.key(self.prefix), _LARGEST.timestamp_max_length)
        except NotFound:
            return None
        except Forbidden as problem:  # without the right to list, what is not there looks like what is not allowed
            raise Forbidden(
                f"{self._what} can not be read: it is not yours, or not there",
                found=problem.found,
                fix="look at the names of partner and site, the address, and your keys or sign-in",
            ) from problem
        updater = self._refreshed(data)
        believed = _read(self._new / "timestamp.json")
        if believed != data:
            raise Altered(f"{self._what}: two different pointers of one number", found="another one was seen before", fix=_TELL)
        self.last_run = str(Metadata.from_bytes(believed).signed.unrecognized_fields.get("last_run", ""))
        target = updater.get_targetinfo(signing.TARGET)
        if target is None:
            raise Altered(f"{self._what}: the signed targets name no {signing.TARGET}", fix=_TELL)
        return signing.pointer_of(target, self._what, self.token)

    def accept(self) -> None:
        """Believes from now on what `live` verified, and nothing older. The caller has looked whose release it is: another
        site's metadata, put here by someone, must not count as seen."""
        _replace(self.folder / _ANCHOR, self.anchor)
        for path in sorted(self._new.rglob("*"), key=lambda path: (path.name == "timestamp.json", path.name == "root.json")):
            target = self.folder / path.relative_to(self._new)
            target.parent.mkdir(exist_ok=True)
            if path.is_symlink() or path.is_file():
                path.replace(target)
        shutil.rmtree(self._new)

    def installed(self, bundle: str) -> None:
        """Keeps which state of the pointer the bundle of that name was made from, and which snapshot it named."""
        snapshot = self._local("timestamp").signed.snapshot_meta.to_dict()
        _replace(self.folder / _SEEN, json.dumps({"bundle": bundle, "token": self.token, "snapshot": snapshot}).encode())

    @property
    def _what(self) -> str:
        return f"{self.store.url}: {self.prefix}"

    @property
    def _new(self) -> Path:
        return self.folder / NEW

    def _refreshed(self, timestamp: bytes) -> Updater:
        shutil.rmtree(self._new, ignore_errors=True)
        if self.folder.exists():
            shutil.copytree(self.folder, self._new, symlinks=True)
        self._new.mkdir(parents=True, exist_ok=True)
        fetcher = _Fetcher(self.store, self.prefix, timestamp)
        try:
            updater = Updater(str(self._new), "metadata/", fetcher=fetcher, bootstrap=self.anchor)
        except (tuf.RepositoryError, ValueError) as problem:
            raise UsageError(
                "the root is no root metadata", found=str(problem), fix="ask the publisher for root.json"
            ) from problem
        try:
            updater.refresh()
        except (tuf.RepositoryError, tuf.DownloadError) as problem:
            raise self._refusal(problem) from problem
        return updater

    def _refusal(self, problem: Exception) -> SyndicationError:
        """What a refusal of python-tuf means to a partner."""
        said = plain(problem)
        cause: BaseException | None = problem
        while cause is not None:
            if isinstance(cause, SyndicationError):
                return cause
            cause = cause.__cause__
        if isinstance(problem, tuf.ExpiredMetadataError):
            return self._expired(said)
        if isinstance(problem, tuf.UnsignedMetadataError):
            what = f"{self._what} is not signed by the publisher's keys"
            return Altered(what, expected="the signatures that the root names", found=said, fix=_TELL)
        if isinstance(problem, tuf.BadVersionNumberError):
            what = f"{self._what}: the store offers older metadata than was seen before (a rollback)"
            return Altered(what, found=said, fix=f"{_TELL}. Was the store restored from a backup, it is `resume --past`")
        if isinstance(problem, tuf.DownloadHTTPError):
            return StoreError(f"{self._what} is not complete", found=said, fix="pull again later; then tell the publisher")
        return Altered(f"{self._what}: the metadata was altered", found=said, fix=_TELL)

    def _expired(self, found: str) -> Expired:
        return Expired(
            f"{self._what}: the publisher's signatures are out of date, so nobody says that this is the newest",
            expected="metadata that is valid today",
            found=found,
            fix="your installed bundle stays. Ask the publisher to run `resign`; is this machine's clock right?",
        )

    def _still_valid(self, roles: Iterable[str] = ("root", *signing.ONLINE)) -> bool:
        """Whether all that was verified is still valid; False where it can not be read. Raises Expired."""
        try:
            kept = {role: self._local(role).signed for role in roles}
        except tuf.RepositoryError:  # a killed pull; it is verified anew
            return False
        for role, signed in kept.items():
            if signed.is_expired():
                raise self._expired(f"{role} was valid until {_day(signed.expires)}")
        return True

    def _only_signed_anew(self, data: bytes, snapshot: object) -> bool:
        """Whether this pointer is a newer one, by the keys that we know, that names the snapshot which the bundle was made from,
        all valid today: then nothing else can be new, and nothing else is asked for. All doubts are for `live`."""
        try:
            new: Metadata[Timestamp] = Metadata.from_bytes(data)
            root, old = self._local("root").signed, self._local("timestamp").signed
            root.verify_delegate("timestamp", new.signed_bytes, new.signatures)
            same = bool(new.signed.snapshot_meta.hashes) and new.signed.snapshot_meta.to_dict() == snapshot
            newer = new.signed.version > old.version or data == _read(self.folder / "timestamp.json")
            return bool(same and newer and not new.signed.is_expired() and self._still_valid(("root", "snapshot", "targets")))
        except (tuf.RepositoryError, AttributeError, ValueError, RecursionError):
            return False

    def _local(self, role: str) -> Metadata[Any]:
        return Metadata.from_bytes(_read(self.folder / f"{role}.json"))


class _Fetcher(FetcherInterface):
    """Gives python-tuf the objects of a site's prefix; the pointer is already there."""

    def __init__(self, store: Store, prefix: str, timestamp: bytes) -> None:
        self.store, self.prefix, self.timestamp = store, prefix, timestamp

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url == pointer.NAME:
            return iter((self.timestamp,))
        try:
            return iter((self.store.get(f"{self.prefix}/{url}", _LARGEST.targets_max_length)[0],))
        except NotFound as problem:
            raise tuf.DownloadHTTPError(str(problem), 404) from None
        except Forbidden as problem:
            raise tuf.DownloadHTTPError(str(problem), 403) from None


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def trusted(folder: Path) -> Pointer | None:
    """The release that the last pull verified, its signatures checked again against the newest root that is kept here; None where
    nothing is kept. Asks no store, and takes no notice of expiry. Raises Altered where what is kept is not what was signed."""
    root, targets = _read(folder / "root.json") or _read(folder / _ANCHOR), _read(folder / "targets.json")
    if not root or not targets:
        return None
    what = f"{folder}/targets.json"
    try:
        signed = Metadata[Targets].from_bytes(targets)
        Metadata[Root].from_bytes(root).signed.verify_delegate("targets", signed.signed_bytes, signed.signatures)
        target = signed.signed.targets[signing.TARGET]
    except (tuf.RepositoryError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Altered(f"{what} is not what the publisher signed", found=str(problem), fix=_TELL) from problem
    return signing.pointer_of(target, what)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(path) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(data)
    new.replace(path)
