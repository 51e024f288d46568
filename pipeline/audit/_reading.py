"""What a reader finds in finished bytes: plain values, the same for every media type.

Readers fill `Reading`; the comparison with the topic and with the edition (`_compare.py`,
`_frame.py`) knows nothing of HTML, EPUB, plain text or JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pipeline.contracts import Body, Edition, OutputFile, Place, View
from pipeline.findings import Code, Finding


class Block(NamedTuple):
    """One run of text that a reader sees as a unit, white space folded.

    `kind` is heading, paragraph, item, term, definition, cell, header, caption, preformatted or word (the word of
    an aside's kind, a label). `level` counts headings; `first`: the run opens its list item or cell;
    `marker` is an ordered item's number; `within` are the kinds of the asides around it, outermost first. `optional`: a format
    may leave it out. For media types without tables: `tables` are those around it, outermost first, `column` says that it
    heads a column, `repeats` that it reaches over several rows. `reasons` are names under which formats may leave it out.
    """

    kind: str
    text: str
    level: int = 0
    first: bool = True
    marker: str = ""
    scope: str = ""
    within: tuple[str, ...] = ()
    line: int = 0
    file: str = ""
    optional: bool = False
    tables: tuple[int, ...] = ()
    column: bool = False
    repeats: bool = False
    heads: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


class Shown(NamedTuple):
    """One notice as found: kind, visible text, addresses of its links; `hidden` says why it can not be seen."""

    kind: str
    text: str
    hrefs: tuple[str, ...] = ()
    hidden: str = ""


class Link(NamedTuple):
    """One hyperlink: where to, its text, and for a link to another topic "<topic> <language> <anchor>"."""

    href: str
    text: str
    topic: str = ""


class Picture(NamedTuple):
    """One image as found: address and alternative text."""

    src: str
    alt: str


class Request(NamedTuple):
    """Something that is fetched when the file is opened. `source` is the file that asks, `how` names mark-up."""

    url: str
    how: str
    source: str


class Problem(NamedTuple):
    """Something wrong in itself, whatever the topic says."""

    code: Code
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was found in one file, or in its body, or in what stands around its body.

    `metadata` holds what the file says of itself by our names (title, language, direction, modified, ...); a name that is
    absent was not said, one that stands twice was said in two places. `members` are the paths of files inside the file.
    `said` are addresses, ids, values and texts of links, for the proof that nothing withheld is named (`_mentions.py`).
    `whole`: the body was not found verbatim, so the blocks are the whole file's. Of a body in plain mark-up: `chains`, the kinds
    of its elements by those around them; of a whole document also `place`, the number of its body, and `sheets`.
    """

    blocks: tuple[Block, ...] = ()
    notices: tuple[Shown, ...] = ()
    links: tuple[Link, ...] = ()
    pictures: tuple[Picture, ...] = ()
    requests: tuple[Request, ...] = ()
    ids: tuple[str, ...] = ()
    metadata: tuple[tuple[str, tuple[str, ...]], ...] = ()
    problems: tuple[Problem, ...] = ()
    members: frozenset[str] = frozenset()
    said: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    chains: frozenset[int] = frozenset()
    place: int = 0
    sheets: tuple[str, ...] = ()


class Unreadable(ValueError):
    """The bytes are not what their media type says; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What `file` of a reader gets: the finished files (main file first), the body and what was read in it (`inner`), and
    files of the bundle that pages may refer to (style sheets, logos)."""

    files: tuple[OutputFile, ...]
    body: Body
    inner: Reading
    view: View
    edition: Edition
    place: Place
    bundle: tuple[OutputFile, ...] = ()


class Reader(Protocol):
    """A reader is a module of this package whose name does not begin with `_`."""

    MEDIA_TYPE: str
    PICTURES: bool  # whether files of this type show images; else their alternative text is expected in words
    ASPECTS: frozenset[str]  # fields of Block that this media type can express

    def body(self, content: bytes, view: View, place: Place) -> Reading:
        """Reads a body alone. Raises Unreadable."""

    def file(self, finished: Finished) -> Reading:
        """Reads what stands around the body, or the whole file where the body is not found verbatim. Raises Unreadable."""


class WordsReader(Reader, Protocol):
    """A reader of a media type without pictures compares by itself, because everything there is words."""

    def compare(self, expected: Sequence[Block], found: Sequence[Block], *, inside: bool) -> list[Finding]:
        """As `_compare.compare`."""


def fold(text: str) -> str:
    """White space folded as a browser shows it, no-break spaces as spaces."""
    return " ".join(text.split())


def names(text: str) -> frozenset[str]:
    """The words of a text: how lists of names are written here."""
    return frozenset(text.split())
