"""What the other folders fill or get, as Protocols and plain values.

A plug-in is a module: its functions fill a Protocol below, its docstring says what it is, its file
name is its name everywhere. All values here are frozen, picklable and free of I/O, so that the same
function runs in this process, in a pool or on a cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from pipeline.findings import Finding
from pipeline.notices import Notice
from pipeline.topic import Metadata, Topic

EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


# --- sources ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """What a file shows before it is parsed whole: its name and its root element.

    `root` is the local name, `namespace` "" where there is none, `public_id` that of the DOCTYPE.
    """

    file: str
    root: str
    namespace: str = ""
    public_id: str = ""
    system_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class Files(Protocol):
    """The input files, wherever they are. Names are POSIX paths relative to the settings file's folder
    (an input outside it keeps its path as written); `..` is already resolved."""

    def names(self) -> Sequence[str]:
        """Every file, sorted."""

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises NotFound where there is none."""

    def __contains__(self, name: object) -> bool: ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """One DITAVAL (or another vocabulary's profile): file name and bytes. Empty = everything. `maps`: the root maps
    that settings name; empty = every map that no other takes in."""

    file: str = ""
    data: bytes = b""
    maps: tuple[str, ...] = ()


class Unit(NamedTuple):
    """Where one topic is: the input file, and what the source calls the place in it ("" = all of it)."""

    file: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One topic before its body is read. `metadata.id` is the id that the source says; the id that is
    published is `Index.ids[unit]`. `public_id`: the id is meant for the world, not for its file alone."""

    unit: Unit
    metadata: Metadata
    public_id: bool = True
    uses: tuple[str, ...] = ()  # files whose text or images it brings in


@dataclass(frozen=True, slots=True)
class Index:
    """What a source knows of all its files under one set of conditions: small, picklable, no trees.

    `data` is the source's own (keys, maps). `ids` is filled by the core, which settles identity over
    all sources: links are resolved to a Unit first and to `ids[unit]` then; a unit that is not in
    `ids` is not published.
    """

    entries: tuple[Entry, ...] = ()
    findings: tuple[Finding, ...] = ()
    data: Any = None
    ids: Mapping[Unit, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """What `read` gives: the topic (None where an error finding says why there is none) and findings."""

    topic: Topic | None
    findings: tuple[Finding, ...] = ()


class Source(Protocol):
    """A vocabulary: `sources/<name>.py` or `sources/<name>/__init__.py`."""

    def claims(self, head: Head) -> bool:
        """Whether files of this head are this vocabulary's. At most one source claims a head."""

    def index(self, files: Files, names: Sequence[str], conditions: Conditions) -> Index:
        """What is in the claimed files `names`. Never raises for what a file holds: that is a finding."""

    def read(self, entry: Entry, index: Index, files: Files) -> Read:
        """The topic of an entry; its metadata are the entry's with `id` = `index.ids[entry.unit]`."""


# --- images -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Image:
    """A checked image. `src` is the input file, `path` its place beside a topic's page
    (`media/<sha8>-<slug>.<ext>`), `data` its bytes (SVG rebuilt from an allow-list), sizes in CSS pixels
    (0 = not known), `credit` the line that must be visible wherever it is shown."""

    src: str
    path: str
    media_type: str
    data: bytes
    sha256: str
    width: int = 0
    height: int = 0
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Assets:
    """The images of one view, by `img/@src`."""

    images: Mapping[str, Image] = field(default_factory=dict)


# --- transforms ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Presentation:
    """How a site wants fragments: the level (1-6) of a fragment's first heading, and its link template
    with the fields `{id}`, `{language}`, `{anchor}` ("" = relative links between bundle files)."""

    heading_base: int = 2
    topic_link: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A topic after terms, before names and notices: redacted and linked. Every `a data-kind="topic"`
    that is left in its body leads to a topic of the edition and has text. Sites whose views have the same
    `key` (a digest) share one body."""

    topic: Topic
    key: str
    presentation: Presentation = Presentation()


@dataclass(frozen=True, slots=True)
class Body:
    """A format's rendering without anything of the partner. `content` is what the finished file must
    hold verbatim, once; `parts` is the transform's own (picklable), e.g. a table of contents; `omitted`
    counts what this format left out of this topic, by name (`cross-references`, `definitions`, `illustrations`)."""

    content: bytes
    parts: Mapping[str, Any] = field(default_factory=dict)
    omitted: Mapping[str, int] = field(default_factory=dict)
    media: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A finished file: path in the bundle, bytes, media type (without parameters)."""

    path: str
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Brand:
    """A site's looks. `color` is `#rrggbb`; the logo's alternative text is the partner's name."""

    color: str = "#0b5fa5"
    logo: Image | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """One place of a partner that shows content. `prefix` is its place in the store;
    `templates` a folder whose templates and style sheets win over ours ("" = none)."""

    partner: str
    id: str
    name: str
    prefix: str
    brand: Brand = Brand()
    templates: str = ""
    presentation: Presentation = Presentation()
    robots: str = "noindex"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes: id, name, home page, logo."""

    id: str
    name: str
    url: str = ""
    logo: Image | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A line right under the title: kind (`review-due`, `corrected`, `sample`, ...) and text."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Translated:
    """The same concept in another language of the same edition."""

    language: str
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class License:
    """Under which terms a site has a topic: agreement, clause, last day, and the address of the terms."""

    agreement: str
    clause: str
    ends: date | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """One topic as one site gets it. `metadata` has the publisher's defaults filled in; `notices` stand in
    the order of the legal block and are exactly what the audit expects; `formats` are all that this site gets of
    this topic, so that one page may lead to another; `terms_modified` is the newest date of notices and terms."""

    metadata: Metadata
    site: Site
    publisher: Publisher
    notices: tuple[Notice, ...]
    license: License
    formats: tuple[str, ...] = ()
    translations: tuple[Translated, ...] = ()
    marks: tuple[Mark, ...] = ()
    terms_modified: date | None = None

    @property
    def folder(self) -> str:
        """`<lang>/<id>`: where the files of the edition stand in the bundle."""
        return f"{self.metadata.language}/{self.metadata.id}"


class Transform(Protocol):
    """A format: `transforms/<name>.py`. Pure: no clock, no locale, no random ids, no I/O but packaged files."""

    MEDIA_TYPE: str  # of the main file; an audit reader of that type must exist
    OMITS: frozenset[str]  # of cross-references, definitions, illustrations, related: what it may leave out

    def path(self, edition: Edition) -> str:
        """The main file's path in the bundle."""

    def body(self, view: View, assets: Assets) -> Body:
        """Renders all that does not depend on the partner."""

    def imprint(self, body: Body, edition: Edition) -> list[OutputFile]:
        """The finished files, main file first, then media. Joins strings and packs; renders no body again."""


class BundleTransform(Transform, Protocol):
    """A format may also make files of the whole bundle (style sheet, index page, catalog)."""

    def bundle(self, rows: Sequence[Row], site: Site, publisher: Publisher) -> list[OutputFile]:
        """Files that belong to no topic, from all rows of the release."""


# --- audit --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """What the audit may know of a rendering besides its bytes: format name, media type, what it may omit."""

    format: str
    media_type: str
    omits: frozenset[str]


# --- terms --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    """What a licence is asked for: a format of a topic, in its language, on a site."""

    site: str
    format: str
    language: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule's answer. `verdict` is grant, withhold or condition; `until` the first day it could differ."""

    rule: str
    verdict: str
    reason: str
    clause: str = ""
    until: date | None = None

    @property
    def refuses(self) -> bool:
        """Whether this answer alone withholds the use."""
        return self.verdict == "withhold"


# --- releases -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a release: its format ("" = of the bundle), bundle path, SHA-256 (hex), bytes, media type."""

    format: str
    path: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Row:
    """One topic of a release, as manifest and catalog show it; what rules need to judge it again is in it.
    Dates are ISO strings ("" = none). `links` are (id, language) pairs that its pages lead to. `source` tells its input file
    from others, without naming it."""

    id: str
    language: str
    title: str
    concept: str = ""
    version: str = ""
    kind: str = ""
    status: str = "active"
    marks: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    summary: str = ""
    also_called: tuple[str, ...] = ()
    codes: tuple[Mapping[str, str], ...] = ()
    modified: str = ""
    current_as_of: str = ""
    review_due: str = ""
    go_live: str = ""
    expires: str = ""
    agreement: str = ""
    clause: str = ""
    text_sha256: str = ""
    translations: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    files: tuple[FileRow, ...] = ()
    proof: str = ""
    source: str = ""
    causes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """What a release says, free of when and by which run: the same inputs give the same bytes of it."""

    as_of: str
    terms_sha256: str
    license: Mapping[str, Any]
    notices: Mapping[str, Any]
    rows: tuple[Row, ...]
    files: tuple[FileRow, ...]
    upcoming: tuple[Mapping[str, str], ...] = ()


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


class Releases(Protocol):
    """Publishing, as the core sees it (`outputs/release.py`). `prefix` is the site's place in the store."""

    def current(self, store: Store, prefix: str) -> Released | None:
        """What is live, hashes verified; None before the first release. Raises StoreError."""

    def put_files(self, store: Store, prefix: str, files: Iterable[OutputFile], present: set[str]) -> int:
        """Stores each file's blob unless its SHA-256 is in `present` (to which it is added). Returns the number stored."""

    def present(self, store: Store, prefix: str) -> set[str]:
        """The SHA-256 of every blob that the site's prefix holds."""

    def publish(
        self, store: Store, site: Site, content: Content, previous: Released | None, *, run_id: str, created: str
    ) -> Outcome:
        """Shards, manifest, then the pointer by compare-and-swap. Same content: no new release. Raises RaceLost, StoreError."""


# --- stores -------------------------------------------------------------------------------------


class Stored(NamedTuple):
    """One object of a listing; `token` is "" where it would cost reading the object."""

    key: str
    size: int
    token: str


class Store(Protocol):
    """A destination (or an input): keys are POSIX paths; objects are whole or absent. Picklable; clients are
    made on first use in each process. Every method raises StoreError where the store fails. A store that is faster
    with several requests at once says so in an attribute `parallel` (how many)."""

    @property
    def url(self) -> str:
        """How the store is written in settings and messages."""

    def get(self, key: str) -> tuple[bytes, str]:
        """Bytes and token (an opaque compare-and-swap name, not a checksum). Raises NotFound."""

    def put(
        self, key: str, data: bytes, *, media_type: str, cache_control: str = "", absent: bool = False, match: str = ""
    ) -> str:
        """Writes whole and returns the new token. `absent`: only where no object is; `match`: only where the
        object still has that token. Raises PreconditionFailed where it is not so, and writes nothing."""

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Every object whose key starts with `prefix`, by key."""

    def delete(self, key: str) -> None:
        """Removes the object; no error where there is none."""


class Destination(Protocol):
    """A destination: `outputs/stores/<name>.py`."""

    def claims(self, url: str) -> bool:
        """Whether a store (or input) written like this is this destination's. At most one claims it."""

    def open(self, url: str, settings: Mapping[str, Any]) -> Store:
        """The store. `settings` is the section of syndication.toml with the destination's name, {} where it has none."""
