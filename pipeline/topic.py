"""The canonical topic: what every vocabulary is read into and every format is made from.

In: values that a source found, and a body tree built by that source.
Out: `Topic`, its readable XML file (`dump`, `load`) and its `digest`.

A topic is metadata (a frozen dataclass) and a body: an lxml tree in a small XHTML vocabulary that
`topic.rng` defines. Body elements stand in no namespace, so that one string of them serves HTML and
(below an `html` element with its default namespace) XHTML alike; only MathML carries its own.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from lxml import etree

from pipeline.names import has_device

SCHEMA: Final = "1"
MATHML: Final = "http://www.w3.org/1998/Math/MathML"
XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"

# Where an element came from. Kept for findings, never part of the digest, never in an output.
PROVENANCE: Final = ("data-line", "data-file")

BLOCKS: Final = frozenset(
    [
        "section",
        "h",
        "p",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "aside",
        "blockquote",
        "pre",
        "div",
    ]
)

# Entities stay unexpanded and nothing outside the file is asked for: topics come from outside.
PARSER_OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
}

_SUPERSCRIPT = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPT = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_SAFE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A clinical code. `system` is a URI (HL7 style), `oid` its dotted OID, either may be empty."""

    code: str
    system: str = ""
    oid: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author, editor or organisation. `display`, where given, is the whole text to print."""

    name: str
    credentials: str = ""
    specialty: str = ""
    role: str = ""
    display: str = ""

    def printed(self) -> str:
        """The one spelling of a person in every format: `display`, or "Name Credentials - Specialty"."""
        if self.display:
            return self.display
        named = " ".join(part for part in (self.name, self.credentials) if part)
        return f"{named} - {self.specialty}" if self.specialty else named


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One medical review: who, when (`on`), of which topic version."""

    person: Person
    on: date | None = None
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copyright:
    """First and last year (equal for one year) and holder."""

    first_year: int
    last_year: int
    holder: str

    def years(self) -> str:
        """`1995-2023`, or `2023` where both years are the same."""
        return str(self.first_year) if self.first_year == self.last_year else f"{self.first_year}-{self.last_year}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What this topic translates: topic id, the version translated, how, by whom, reviewed when."""

    of: str
    version: str = ""
    method: str = ""
    translator: str = ""
    reviewed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A published mistake that was mended: day and what readers are told."""

    on: date
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """All that is known of a topic besides its text. Empty string, empty tuple or None = not said.

    `current_as_of` is the last medical review, `modified` the last edit: different things. `formats`: those that the topic is
    meant for, where not for all.
    `file` is the input file, `line` the line of the topic's element in it.
    """

    id: str
    language: str
    title: str
    version: str = ""
    concept: str = ""
    also_called: tuple[str, ...] = ()
    summary: str = ""
    url: str = ""
    kind: str = "topic"
    setting: str = ""
    audiences: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    created: date | None = None
    modified: date | None = None
    current_as_of: date | None = None
    review_due: date | None = None
    go_live: date | None = None
    expires: date | None = None
    status: str = "active"
    authors: tuple[Person, ...] = ()
    reviews: tuple[Review, ...] = ()
    translation: Translation | None = None
    corrections: tuple[Correction, ...] = ()
    copyright: Copyright | None = None
    source_rights: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    reading_level: str = ""
    owner: str = ""
    file: str = ""
    line: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """A topic's identity: (id, language)."""
        return self.id, self.language


STATUSES: Final = ("active", "in-review", "withdrawn")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `body` is a `<body>` element; treat it as read-only and copy it before changing it."""

    metadata: Metadata
    body: etree._Element

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Topic):
            return NotImplemented
        return self.metadata == other.metadata and _canonical(self.body) == _canonical(other.body)

    def __hash__(self) -> int:
        return hash(self.metadata)

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return load, (dump(self),)


class InvalidTopic(ValueError):
    """A topic file that `load` can not read; the message says line, expected and found."""


# --- identity -----------------------------------------------------------------------------------


def safe_id(raw: str) -> str:
    """The id that paths carry: `raw` where it is `[a-z0-9][a-z0-9._-]{0,99}` and no device name,
    else a slug of it with 8 hex digits of its SHA-256, so that two ids never fall together."""
    if _SAFE_ID.fullmatch(raw) and not has_device(raw) and not raw.endswith("."):
        return raw
    slug = re.sub(r"[^a-z0-9]+", "-", raw.lower()).strip("-")[:80].strip("-") or "topic"
    return f"{slug}-{hashlib.sha256(raw.encode()).hexdigest()[:8]}"


def slug(text: str) -> str:
    """A fragment identifier from words: letters and digits of any script, `-` between; never empty."""
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")[:80].strip("-") or "section"


# --- text ---------------------------------------------------------------------------------------


def plain(element: etree._Element) -> str:
    """The element's text on one line, white space folded.

    Super- and subscripts become their Unicode signs or `^x` and `_x`: 10<sup>9</sup> must never read 109.
    """
    return " ".join("".join(_plain_parts(element)).split())


def _plain_parts(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            inner = "".join(_plain_parts(child))
            yield _script(child.tag, inner)
        yield child.tail or ""


def _script(tag: str, text: str) -> str:
    table, sign = {"sup": (_SUPERSCRIPT, "^"), "sub": (_SUBSCRIPT, "_")}.get(tag, (None, ""))
    if table is None or not text.strip():
        return text
    converted = text.translate(table)
    return converted if all(a != b for a, b in zip(text, converted, strict=True)) else sign + text


# --- printing and loading -----------------------------------------------------------------------

_T = TypeVar("_T")
_ITEM_NAMES = {
    "also_called": "also-called",
    "audiences": "audience",
    "territories": "territory",
    "formats": "format",
    "collections": "collection",
    "keywords": "keyword",
    "codes": "code",
    "authors": "author",
    "reviews": "review",
    "corrections": "correction",
    "source_rights": "source-right",
    "companions": "companion",
}
_FIELD_OF_ITEM = {item: field for field, item in _ITEM_NAMES.items()}
_ROOT_FIELDS = ("id", "language", "version", "kind", "status", "file", "line")


def dump(topic: Topic) -> bytes:
    """One readable UTF-8 XML file of the topic: `<topic>` with `<metadata>` and `<body>`."""
    root = etree.Element("topic", schema=SCHEMA)
    for name in _ROOT_FIELDS:
        value = getattr(topic.metadata, name)
        if value not in ("", 0):
            root.set(XML_LANG if name == "language" else name, str(value))
    root.append(_metadata_element(topic.metadata))
    root.append(copy.deepcopy(topic.body))
    root[-1].tail = None
    _indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def load(data: bytes) -> Topic:
    """The topic that `dump` printed. Raises InvalidTopic where the file is no such topic."""
    try:
        root = etree.fromstring(data, etree.XMLParser(**PARSER_OPTIONS))
    except etree.XMLSyntaxError as error:
        raise InvalidTopic(f"not well-formed XML: {error}") from None
    return load_element(root)


def load_element(root: etree._Element) -> Topic:
    """As `load`, from a parsed `<topic>` element, which is checked against `topic.rng`."""
    if root.tag != "topic" or root.get("schema") != SCHEMA:
        raise InvalidTopic(f"line {root.sourceline}: expected <topic schema={SCHEMA!r}>, found <{root.tag!s}>")
    problems = schema_problems(root)
    if problems:
        raise InvalidTopic("; ".join(f"line {line}: {text}" for line, text in problems))
    meta, body = root.find("metadata"), root.find("body")
    assert meta is not None
    assert body is not None
    try:
        metadata = _load_metadata(root, meta)
    except ValueError as error:
        raise InvalidTopic(f"line {meta.sourceline}: {error}") from None
    body = copy.deepcopy(body)
    _unindent(body)
    return Topic(metadata, body)


def digest(topic: Topic) -> str:
    """SHA-256 (hex) of what the topic says: metadata and body, without where it came from."""
    hasher = hashlib.sha256()
    for field in fields(Metadata):
        if field.name not in ("file", "line"):
            hasher.update(f"{field.name}={getattr(topic.metadata, field.name)!r}\n".encode())
    hasher.update(_canonical(topic.body))
    return hasher.hexdigest()


def schema_problems(root: etree._Element) -> list[tuple[int, str]]:
    """(line, message) for each thing in a `<topic>` or `<body>` that `topic.rng` does not allow."""
    schema = _schema(str(root.tag))
    if schema.validate(root):
        return []
    seen: dict[tuple[int, str], None] = {(e.line, e.message): None for e in schema.error_log}
    return list(seen)


@cache
def _schema(start: str) -> etree.RelaxNG:
    document = etree.parse(Path(__file__).with_name("topic.rng"))
    reference = document.find(".//{*}start/{*}ref")
    assert reference is not None
    reference.set("name", start)
    return etree.RelaxNG(document)


def _canonical(body: etree._Element) -> bytes:
    # Canonical XML 1.0: lxml writes 1.0 in C, twenty times faster than 2.0, and we need one spelling, not a version
    clean = copy.deepcopy(body)
    clean.tail = None
    strip_provenance(clean)
    return bytes(etree.tostring(clean, method="c14n", with_comments=False)).strip()


def strip_provenance(body: etree._Element) -> None:
    """Takes `data-line` and `data-file` off every element, in place."""
    etree.strip_attributes(body, *PROVENANCE)


def _metadata_element(metadata: Metadata) -> etree._Element:
    element = etree.Element("metadata")
    for field in fields(Metadata):
        if field.name in _ROOT_FIELDS:
            continue
        value = getattr(metadata, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if item not in ("", None) or field.name == "title":  # every file has a title element, even an empty one
                element.append(_value_element(_ITEM_NAMES.get(field.name, field.name.replace("_", "-")), item))
    return element


def _value_element(name: str, value: Any) -> etree._Element:
    element = etree.Element(name)
    if isinstance(value, str | int | date):
        element.text = str(value)
        return element
    for field in fields(value):
        inner = getattr(value, field.name)
        if isinstance(inner, Person):
            element.append(_value_element("person", inner))
        elif inner not in ("", None):
            element.set(field.name.replace("_", "-"), str(inner))
    return element


def _load_metadata(root: etree._Element, meta: etree._Element) -> Metadata:
    values: dict[str, Any] = {}
    for name in _ROOT_FIELDS:
        raw = root.get(XML_LANG if name == "language" else name)
        if raw is not None:
            values[name] = int(raw) if name == "line" else raw
    hints = _hints(Metadata)
    for child in meta:
        tag = str(child.tag)
        name = _FIELD_OF_ITEM.get(tag, tag.replace("-", "_"))
        value = _load_value(child, hints[name])
        values[name] = (*values.get(name, ()), value) if name in _ITEM_NAMES else value
    return Metadata(**values)


def _load_value(element: etree._Element, hint: Any) -> Any:
    kind = _inner_type(hint)
    if kind is str:
        return element.text or ""
    if kind is date:
        return date.fromisoformat(element.text or "")
    hints = _hints(kind)
    values: dict[str, Any] = {}
    for name, raw in element.attrib.items():
        field = str(name).replace("-", "_")
        inner = _inner_type(hints[field])
        values[field] = date.fromisoformat(str(raw)) if inner is date else inner(raw)
    for child in element:
        values[str(child.tag)] = _load_value(child, Person)
    return kind(**values)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _inner_type(hint: Any) -> Any:
    arguments = [a for a in getattr(hint, "__args__", ()) if a not in (type(None), Ellipsis)]
    return arguments[0] if arguments else hint


# Elements whose children are blocks only: white space inside them means nothing and may be laid out.
_CONTAINERS = frozenset(
    [
        "topic",
        "metadata",
        "review",
        "body",
        "section",
        "ul",
        "ol",
        "dl",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "figure",
        "aside",
        "blockquote",
        "div",
    ]
)
# These hold either words or blocks; laid out only where they hold blocks.
_FLOW = frozenset(["li", "dd", "td", "th", "figcaption"])


def _indent(root: etree._Element, level: int = 0) -> None:
    """Lays block children out on lines of their own; leaves mixed content and `pre` as they are."""
    if not _is_container(root):
        return
    for child in root:
        _indent(child, level + 1)
        child.tail = "\n" + "  " * (level + 1)
    if len(root):
        root.text = "\n" + "  " * (level + 1)
        root[-1].tail = "\n" + "  " * level


def _unindent(root: etree._Element) -> None:
    if not _is_container(root):
        return
    root.text = None
    for child in root:
        _unindent(child)
        child.tail = None


def _is_container(element: etree._Element) -> bool:
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        return False
    return element.tag in _CONTAINERS or (
        element.tag in _FLOW and len(element) > 0 and all(child.tag in BLOCKS for child in element)
    )
