"""Entities and attribute defaults that a file declares itself: XML text in, the same with its entities written out.

Done on the text, before libxml2 sees it: in attributes libxml2 would drop an entity that it does not know. Nothing outside the
file is read: an entity from there is refused, and so is one that only a DTD could define, but for the standard names of
characters. An entity may hold mark-up and other entities, as XML has it; all of them together may add `MAX_EXPANSION` bytes, and
one that is built of others may hold `MAX_BUILT`.

Specification: XML 1.0 (fifth edition), 4.4 (treatment of entities), 4.5 (replacement text), 3.3.2 (attribute defaults).
"""

from __future__ import annotations

import re
from html.entities import html5
from typing import Final

from lxml import etree

from pipeline.findings import Code, Finding, error

ENTITY_REFUSED = error(
    "xml.entity-refused",
    "A file uses an entity from outside the file, one that holds itself, or too much of its entities.",
    "Write the text itself in the place of the entity.",
)
ENTITY_UNKNOWN = error(
    "xml.entity-unknown",
    "A file uses an entity that only its DTD could define; DTDs are not fetched.",
    "Write the character itself, or its number (&#160;).",
)
MAX_EXPANSION: Final = 65_536  # bytes that all entities of one file may add
# Of an entity that is built of others, in bytes: enough for names of products, too little for a bomb.
MAX_BUILT: Final = 512

QUOTED: Final = rb"\"[^\"]*+\"|'[^']*+'"
_ASIDES: Final = rb"<!--.*?-->|<\?.*?\?>"
# For searching: what has no end goes to the end of the file (which no parser will take), so that it is looked for once. A file
# of nothing but beginnings would take the square of its size.
ASIDES: Final = rb"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)"
CDATA: Final = rb"<!\[CDATA\[.*?(?:\]\]>|\Z)"
_DECLARATION: Final = rb"<!(?:[^>\"']++|%s|[\"'])*+(?:>|\Z)" % QUOTED
PROLOG: Final = re.compile(rb"(?:\s++|%s)*+" % _ASIDES, re.DOTALL)
_DOCTYPE = re.compile(
    rb"<!DOCTYPE\s++[^\s\[>]++(?P<external>(?:[^\[\"'>]++|%s)*+)(?:\[(?P<subset>(?:%s|%s|[^\]\"'<]++|<(?!!--|\?))*+)\]\s*)?>"
    % (QUOTED, _ASIDES, QUOTED),
    re.DOTALL,
)
_ENTITY = rb"<!ENTITY\s++(?P<parameter>%%\s++)?+(?P<name>[^\s\"'%%>]++)\s++(?P<value>%s)?+(?:[^>\"']++|%s)*+>" % (QUOTED, QUOTED)
_SUBSET_ITEM = re.compile(rb"%s|%s|%s|(?P<reference>%%[^\s;%%]++;)" % (ASIDES, _ENTITY, _DECLARATION), re.DOTALL)
_REFERENCE = rb"&(?P<name>(?!(?:amp|lt|gt|quot|apos);)[^\s;&<#\"'][^\s;&<\"']*);"
_NAMED = re.compile(_REFERENCE)
_TEXT_ITEM = re.compile(rb"%s|%s|%s" % (ASIDES, CDATA, _REFERENCE), re.DOTALL)
_CHARACTER = re.compile(r"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")

_ATTLIST: Final = re.compile(
    rb"%s|<!ATTLIST\s++(?P<element>[^\s>]++)(?P<attributes>(?:[^>\"']++|%s)*+)>|%s" % (ASIDES, QUOTED, _DECLARATION),
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    rb"(?<![^\s\"'()|#])(?P<name>[^\s\"'()|#]++)\s++(?:(?:NOTATION\s*+)?+\([^()]*+\)|[A-Z]++)\s*+"
    rb"(?:#REQUIRED|#IMPLIED|(?:#FIXED\s++)?+(?P<value>%s))" % QUOTED
)
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"


def expanded(source: bytes, file: str) -> tuple[bytes, list[Finding]]:
    """A file (UTF-8) with its entities written out and their declarations blanked; an error for each one that is refused."""
    doctype = doctype_of(source)
    if doctype is None or not (b"<!ENTITY" in doctype.group() or _NAMED.search(source, doctype.end())):
        return source, []
    declared, subset = _declared_entities(doctype.group("subset") or b"")
    unread = bool(re.search(rb"PUBLIC|SYSTEM", doctype.group("external"))) or b"%" in (doctype.group("subset") or b"")
    start, end = doctype.span("subset") if doctype.group("subset") else (doctype.end(), doctype.end())
    entities = _Entities(declared, unread, file, source)
    text = _TEXT_ITEM.sub(entities.write, source[:start] + subset + source[end:])
    return text, entities.findings()


def doctype_of(source: bytes) -> re.Match[bytes] | None:
    """A file's document type declaration, with the groups `external` and `subset`."""
    prolog = PROLOG.match(source)
    return _DOCTYPE.match(source, prolog.end() if prolog else 0)


def blank(text: bytes) -> bytes:
    """As many spaces as the text has bytes, its lines kept."""
    return re.sub(rb"[^\n]", b" ", text)


def _declared_entities(subset: bytes) -> tuple[dict[bytes, bytes | None], bytes]:
    """Entity values by name (None = outside the file), the first declaration counting; and the subset without them."""
    declared: dict[bytes, bytes | None] = {}

    def blanked(item: re.Match[bytes]) -> bytes:
        if item["name"] and not item["parameter"]:
            declared.setdefault(item["name"], item["value"][1:-1] if item["value"] else None)
        return blank(item.group()) if item["name"] or item["reference"] else item.group()

    rest = _SUBSET_ITEM.sub(blanked, subset)
    return declared, rest


class _Refused(Exception):
    """An entity that is not written out, and why."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class _Entities:
    """Writes out the entities of one file, within bounds, and remembers which it refused."""

    def __init__(self, declared: dict[bytes, bytes | None], unread: bool, file: str, source: bytes) -> None:
        self._declared, self._unread, self._file, self._source = declared, unread, file, source
        self._budget = MAX_EXPANSION
        self._made: dict[bytes, bytes] = {}
        self._refused: dict[bytes, _Refused] = {}

    def write(self, item: re.Match[bytes]) -> bytes:
        """What stands in the text instead of a reference; what is no reference, or is refused, stays."""
        name = item["name"]
        if name is None or name in self._refused:
            return item.group()
        try:
            text = self._text(name, ())
            if text is None:
                return item.group()
            self._budget -= len(text)
            if self._budget < 0:
                raise _too_much()
        except _Refused as refused:
            self._refused[name] = refused
            return item.group()
        return text

    def _text(self, name: bytes, around: tuple[bytes, ...]) -> bytes | None:
        """What a reference becomes; None where nothing defines it. Raises _Refused. `around`: the entities that it stands in."""
        shown = name.decode("utf-8", "replace")
        if name in self._made:
            return self._made[name]
        if name not in self._declared:
            return self._standard(shown) if self._unread else None  # None: libxml2 says that it is not defined
        value = self._declared[name]
        if value is None:
            raise _Refused(ENTITY_REFUSED, f"the entity &{shown}; stands outside the file, and nothing outside is read")
        if name in around or len(around) > 50:
            raise _Refused(ENTITY_REFUSED, f"the entity &{shown}; holds itself")
        if re.search(rb"%[^\s;%]+;", value):
            raise _Refused(ENTITY_REFUSED, f"the entity &{shown}; is built of a parameter entity, and those are not read")
        made = _kept_on_its_line(self._replacement(value, (*around, name)))
        if len(made) > MAX_EXPANSION:
            raise _too_much()
        return self._made.setdefault(name, made)

    def _replacement(self, value: bytes, around: tuple[bytes, ...]) -> bytes:
        """The replacement text of an entity's value: character references in it count once (XML 1.0, 4.5), entities are
        written out."""
        parts: list[bytes] = []
        at = size = 0
        text = _CHARACTER.sub(_character, value.decode("utf-8", "replace")).encode("utf-8", "surrogatepass")
        for reference in _NAMED.finditer(text):
            inner = self._text(reference["name"], around)
            parts += [text[at : reference.start()], reference.group() if inner is None else inner]
            size += len(parts[-1]) + len(parts[-2])
            at = reference.end()
            if size > MAX_BUILT:
                raise _Refused(ENTITY_REFUSED, f"an entity that is built of others has more than {MAX_BUILT} bytes")
        return b"".join([*parts, text[at:]])

    def _standard(self, shown: str) -> bytes:
        character = html5.get(f"{shown};")
        if character is None:
            raise _Refused(ENTITY_UNKNOWN, f"the entity &{shown}; is defined in a DTD, and DTDs are not fetched")
        return "".join(f"&#{ord(c)};" for c in character).encode()

    def findings(self) -> list[Finding]:
        """One error for each refused entity, at its first reference."""
        return [refused.code.at(self._file, self._line(name), refused.text) for name, refused in self._refused.items()]

    def _line(self, name: bytes) -> int:
        doctype = doctype_of(self._source)
        place = self._source.find(b"&" + name + b";", doctype.end() if doctype else 0)
        return self._source.count(b"\n", 0, max(place, 0)) + 1


def _too_much() -> _Refused:
    return _Refused(ENTITY_REFUSED, f"the entities of this file add more than {MAX_EXPANSION} bytes")


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16) if found[1] else int(found[2])
    return chr(number) if number <= 0x10FFFF else "\ufffd"


def _kept_on_its_line(text: bytes) -> bytes:
    """Replacement text that brings no line end of its own (lines are what findings name), and no quote into an attribute."""
    if b"<" in text:
        return re.sub(rb"[\r\n]+", b" ", text)
    for sign in (b'"', b"'", b">", b"\n", b"\r", b"\t"):
        text = text.replace(sign, b"&#%d;" % sign[0])
    return text


# --- attribute defaults -------------------------------------------------------------------------


def add_defaults(root: etree._Element, source: bytes) -> None:
    """Puts the attribute defaults of the file's own DOCTYPE where the mark-up does not say otherwise. `source`: the file, its
    entities written out. How much they add, libxml2 has bounded by then (it counts them when it reads the file)."""
    for element, defaults in _defaults(source).items():
        for found in root.iter(element):
            written = found.keys()  # `in found.attrib` is true for what the DOCTYPE only declares
            for name, value in defaults.items():
                if name not in written:
                    found.set(name, value)


def _defaults(source: bytes) -> dict[str, dict[str, str]]:
    """By element, the attributes that have a default; the first declaration counts. Of prefixes, only `xml` is known here."""
    doctype = doctype_of(source)
    found: dict[str, dict[str, str | None]] = {}
    for item in _ATTLIST.finditer((doctype["subset"] or b"") if doctype else b""):
        element = (item["element"] or b"").decode("utf-8", "replace")
        for attribute in _ATTRIBUTE.finditer(item["attributes"] or b"") if element and ":" not in element else ():
            name = attribute["name"].decode("utf-8", "replace").replace("xml:", _XML)
            value = _attribute_value(attribute["value"]) if attribute["value"] else None
            if ":" not in name.removeprefix(_XML) and not name.startswith("xmlns"):
                found.setdefault(element, {}).setdefault(name, value)
    return {element: {n: v for n, v in values.items() if v is not None} for element, values in found.items()}


def _attribute_value(quoted: bytes) -> str | None:
    try:
        return etree.fromstring(b"<a v=" + quoted + b"/>").get("v")
    except etree.XMLSyntaxError:
        return None
