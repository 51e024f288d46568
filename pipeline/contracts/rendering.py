"""What a format fills, and what it gets: views, bodies, editions, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

from pipeline.contracts.reading import Assets, Image
from pipeline.contracts.rows import Row
from pipeline.notices import Notice
from pipeline.topic import Metadata, Topic


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
    `templates` a folder whose templates and style sheets win over ours ("" = none). `zip`: whether its
    releases come as one file too (None: as the one before); `obligations` what the partner owes, each a clause and its words."""

    partner: str
    id: str
    name: str
    prefix: str
    brand: Brand = Brand()
    templates: str = ""
    presentation: Presentation = Presentation()
    robots: str = "noindex"
    zip: bool | None = None
    obligations: tuple[tuple[str, str], ...] = ()


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


MACHINE_USES: Final = ("train", "ground", "summarize", "translate", "index")


@dataclass(frozen=True, slots=True)
class License:
    """Under which terms a site has a topic: agreement, clause, first and last day, and the address of the terms; `kind` is
    production or evaluation, `edits` none, adapt or translate, `ai` pairs of a use by machines (train, ground, ...) and
    reserved or allowed."""

    agreement: str
    clause: str
    ends: date | None = None
    url: str = ""
    kind: str = "production"
    edits: str = "none"
    ai: tuple[tuple[str, str], ...] = ()
    starts: date | None = None

    @property
    def allowed(self) -> frozenset[str]:
        """The uses by machines that are allowed; all others are reserved."""
        return frozenset(name for name, said in self.ai if said == "allowed")


@dataclass(frozen=True, slots=True)
class Edition:
    """One topic as one site gets it. `metadata` has the publisher's defaults filled in; `notices` stand in
    the order of the legal block and are exactly what the audit expects; `formats` are all that this site gets of
    this topic, so that one page may lead to another; `terms_modified` is the newest date of notices and terms;
    `stands_in_for` are the languages of the site in which this topic does not exist, and whose readers are led here."""

    metadata: Metadata
    site: Site
    publisher: Publisher
    notices: tuple[Notice, ...]
    license: License
    formats: tuple[str, ...] = ()
    translations: tuple[Translated, ...] = ()
    marks: tuple[Mark, ...] = ()
    terms_modified: date | None = None
    stands_in_for: tuple[str, ...] = ()

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


@dataclass(frozen=True, slots=True)
class Place:
    """What the audit may know of a rendering besides its bytes: format name, media type, what it may omit."""

    format: str
    media_type: str
    omits: frozenset[str]
