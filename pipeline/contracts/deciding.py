"""What the publisher decided, and what is kept of releases that were replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.contracts.releasing import Content, Released
from pipeline.contracts.rendering import OutputFile, Site
from pipeline.contracts.rows import FileRow, Row
from pipeline.contracts.storing import Store


@dataclass(frozen=True, slots=True)
class EditorialDecision:
    """One decision, as `decisions/<number>.json` holds it for good. `kind` is withdraw, correct, restore, rollback, resume,
    offboard or lost; `at` a moment (ISO 8601, UTC), `act_by` too. `topics` are ids; empty `languages` and `versions` mean all.
    `notice` is what readers are told, by language. `uses` and `image` say by which file the topics were found. `partner`, `site`
    and `sequence` are those of a rollback, resume or offboarding. One of the kind `lost` stands for another that is gone;
    `accepted` are the marks (standing.py) that can not be met since. `number` 0 = not stored yet; `sha256` is that of the bytes
    that are stored, and no part of them."""

    kind: str
    at: str
    by: str
    approved_by: str = ""
    number: int = 0
    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    reason: str = ""
    severity: str = ""
    action: str = ""
    act_by: str = ""
    notice: Mapping[str, str] = field(default_factory=dict)
    replaced_by: str = ""
    uses: str = ""
    image: str = ""
    partner: str = ""
    site: str = ""
    sequence: int = 0
    accepted: tuple[str, ...] = ()
    sha256: str = ""


class Decisions(Protocol):
    """The decisions of a store (`outputs/decisions.py`): appended, never changed."""

    def read(self, store: Store) -> tuple[EditorialDecision, ...]:
        """All of them, oldest first. Raises StoreError where one is missing, or this program does not understand it."""

    def found(self, store: Store) -> tuple[EditorialDecision, ...]:
        """Those that are there, oldest first, whatever is missing. Raises StoreError."""

    def latest(self, store: Store) -> int:
        """The number of the newest one; 0 before the first. Raises StoreError."""

    def marks(self, store: Store, prefixes: Iterable[str]) -> Mapping[str, str]:
        """By prefix, the mark of the decisions that who last signed there knew (standing.py); "" where it says none, nothing is
        live, or it can not be read. Not verified: it is only ever a reason to stop."""

    def append(self, store: Store, decision: EditorialDecision) -> EditorialDecision:
        """Stores it under the next free number, and returns it with that. Raises StoreError."""

    def replace_lost(self, store: Store, decision: EditorialDecision, highest: int) -> tuple[EditorialDecision, ...]:
        """Stores it under every number up to `highest` that is missing, or else the next free one. Raises StoreError."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A main file that a site once had of a topic."""

    format: str
    path: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Received:
    """What a site has ever had of one topic: its last title, every version, the main file of each format."""

    id: str
    language: str
    title: str
    versions: tuple[str, ...]
    files: tuple[ReceivedFile, ...]


@dataclass(frozen=True, slots=True)
class PastRelease:
    """A release that was replaced, as the archive lists it."""

    sequence: int
    created: str
    manifest_sha256: str
    terms_sha256: str


@dataclass(frozen=True, slots=True)
class Since:
    """The release by which something went live, and its moment. Not `exact`: or an earlier one, which is not kept or not read."""

    sequence: int
    created: str
    exact: bool


class Archive(Protocol):
    """The publisher's own memory (`outputs/archive.py`): sites, what each has had, and every release that was replaced."""

    def sites(self, store: Store) -> dict[str, Site]:
        """Every site that was ever published to, by prefix, as it was described last."""

    def describe(self, store: Store, site: Site) -> None:
        """Remembers a site, before its first release."""

    def received(self, store: Store, prefix: str, live: Iterable[Row]) -> dict[tuple[str, str], Received]:
        """What the site has ever had, by (id, language): what was kept, and what is live."""

    def keep(self, store: Store, prefix: str, released: Released | None, terms: Mapping[str, bytes]) -> None:
        """Keeps the terms of the next release (bytes by SHA-256), and the one that it is about to replace: manifest, shards,
        what it held."""

    def releases(self, store: Store, prefix: str) -> list[PastRelease]:
        """Every release kept, oldest first."""

    def since(self, store: Store, prefix: str, released: Released, most: int) -> dict[tuple[str, str], Since]:
        """Since which release each topic of the live one is live in the same version without a break, by (id, language); of the
        replaced ones the newest `most` are read. Raises StoreError."""

    def content(self, store: Store, prefix: str, past: PastRelease) -> Content:
        """What a kept release said, hashes verified. Raises StoreError."""

    def blob(self, store: Store, prefix: str, sha256: str) -> bytes:
        """The bytes of that hash, from the site's prefix or from the archive, verified. Raises NotFound."""

    def files(self, store: Store, prefix: str, content: Content, files: Iterable[FileRow]) -> Iterator[bytes]:
        """The bytes of files of a content, in their order, verified, wherever they are stored. Raises NotFound."""

    def terms(self, store: Store, prefix: str, sha256: str) -> bytes:
        """The terms of that hash. Raises NotFound."""

    def recall(self, store: Store, prefix: str, content: Content, new: Iterable[OutputFile] = ()) -> int:
        """Puts back into the site's prefix what of a content is in the archive alone, but for files that are yet to be stored;
        returns the number of blobs."""

    def claim(self, store: Store, prefix: str, content: Content, moment: str) -> None:
        """Tells `prune` that these blobs are about to be published. Raises StoreError where it is removing one of them at this
        moment (ISO 8601)."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a prune did to a site, or would do: objects moved to the archive, removed for good (no release ever named them, or
    zips of releases that were replaced), still in their grace period (`condemned`); bytes that left the site's prefix; releases
    older than are kept; old metadata whose signature has expired (`outdated`)."""

    site: str
    condemned: int = 0
    archived: int = 0
    removed: int = 0
    freed: int = 0
    expired: int = 0
    outdated: int = 0
