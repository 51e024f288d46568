"""What a release holds, and how it is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.contracts.rows import FileRow, Moved, Pack, Row, Withdrawn
from pipeline.contracts.storing import Store

if TYPE_CHECKING:  # a partner's client has releases, and neither topics nor formats
    from pipeline.contracts.rendering import OutputFile, Site


@dataclass(frozen=True, slots=True)
class Content:
    """What a release says, free of when and by which run: the same inputs give the same bytes of it. A file whose SHA-256 is in
    one of `packs` is stored there, any other as an object of its own."""

    as_of: str
    terms_sha256: str
    license: Mapping[str, Any]
    notices: Mapping[str, Any]
    rows: tuple[Row, ...]
    files: tuple[FileRow, ...]
    withdrawn: tuple[Withdrawn, ...] = ()
    moved: tuple[Moved, ...] = ()
    upcoming: tuple[Mapping[str, str], ...] = ()
    packs: tuple[Pack, ...] = ()


@dataclass(frozen=True, slots=True)
class Released:
    """A release as read back from a store. `token` is the store's name (ETag) for the pointer's present state."""

    partner: str
    site: str
    sequence: int
    content_sha256: str
    manifest_sha256: str
    created: str
    run_id: str
    content: Content
    token: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What publishing did: `published` or `unchanged`, and the sequence that is live now."""

    state: str
    sequence: int
    content_sha256: str
    uploaded: int = 0


@dataclass(frozen=True, slots=True)
class Signing:
    """With what releases are signed. `roots` is the publisher's root metadata (TUF), oldest first; `keys` says by online role
    (`targets`, `snapshot`, `timestamp`) where its private key is, as a URI, never the key itself; `days` how long each lives."""

    roots: tuple[bytes, ...]
    keys: Mapping[str, str]
    days: Mapping[str, int]


class Releases(Protocol):
    """Publishing, as the core sees it (`outputs/release.py`). `prefix` is the site's place in the store."""

    def current(self, store: Store, prefix: str, signing: Signing | None = None) -> Released | None:
        """What is live, hashes verified, with `signing` signatures too; None before the first release. Raises StoreError."""

    def renewals(self, store: Store, prefix: str, signing: Signing) -> Mapping[str, datetime]:
        """By role, the moment from which what is live should be signed anew; none before the first release, nor for what can not
        live longer because the agreement ends. Raises StoreError."""

    def resign(self, store: Store, prefix: str, *, created: str, signing: Signing | None) -> Outcome | None:
        """Signs what is live anew, without looking at sources; None before the first release. Raises RaceLost, StoreError."""

    def put_files(self, store: Store, prefix: str, files: Iterable[OutputFile], present: set[str]) -> int:
        """Stores each file's blob unless its SHA-256 is in `present` (to which it is added). Returns the number stored."""

    def packed(self, content: Content, live: Content | None, files: Iterable[OutputFile]) -> tuple[Content, list[OutputFile]]:
        """The content as it is stored, after what is live, and of these files, which may be new, the objects to put: notices of
        withdrawn topics are many and small, and go together in packs."""

    def present(self, store: Store, prefix: str, files: Iterable[OutputFile] = (), live: Released | None = None) -> set[str]:
        """The SHA-256 of every blob that the site's prefix holds; of `files` alone, where they are few beside what is live."""

    def publish(
        self,
        store: Store,
        site: Site,
        content: Content,
        previous: Released | None,
        *,
        run_id: str,
        created: str,
        signing: Signing | None = None,
        decided: str = "",
    ) -> Outcome:
        """Shards, manifest, signed metadata, then the pointer by compare-and-swap. `created` is the run's moment (ISO 8601), from
        which signatures' lives are counted; `decided` is the mark of the decisions that it obeys ("" = the one that is there
        stays). Same content: no new release. Raises RaceLost, StoreError, and UsageError without `signing`."""

    def bundle(
        self, store: Store, site: Site, content: Content, previous: Released | None, path: Path, *, run_id: str, created: str
    ) -> Outcome:
        """Writes to `path`, as one zip, what a partner would pull if `content` were published after `previous`; the store is only
        read. Returns what publishing would do. Raises StoreError where a blob is missing."""
