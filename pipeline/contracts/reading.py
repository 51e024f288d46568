"""What a vocabulary fills: heads, files, indexes, topics read; images checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from pipeline.findings import Finding
from pipeline.topic import Metadata, Topic


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


class InputFiles(Files, Protocol):
    """The input files, as a run reads them."""

    def digest(self, name: str) -> str:
        """SHA-256 (hex) of a file as it was last read. Raises as `read`."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """One DITAVAL (or another vocabulary's profile): file name and bytes. Empty = everything. `maps`: the root maps
    that settings name; empty = every map that no other takes in. `formats`: those that can be made; empty = the product's."""

    file: str = ""
    data: bytes = b""
    maps: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()


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


class Indexer(Protocol):
    """An index that is kept up while somebody writes. A source may have a function `indexer(conditions)` that gives one; of one
    that has none everything is indexed again at every change."""

    def index(self, files: Files, names: Sequence[str], changed: Collection[str] | None = None) -> Index:
        """As `Source.index`, and equal to it. `changed`: every input file that changed, came or went since the last call (None =
        any may have). An entry that is as it was is the same object."""


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
