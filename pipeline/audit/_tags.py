"""Start tags as they are written, judged once: the same few dozen stand in every page of every topic.

In: the text of a start tag in plain mark-up. Out: `Tag`, or None where the tag is not plain (quotes left out, an attribute
twice, a name that browsers and parsers may take in different ways, anything active): such mark-up is read by a whole parser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pipeline.audit import _markup as markup
from pipeline.audit import _mentions as mentions
from pipeline.audit._reading import fold, names
from pipeline.audit._requests import requests_by_attributes
from pipeline.audit._visible import Kind, signature, when_forgotten

TAG: Final = re.compile(r'(</?[a-z][a-z0-9]*(?: [a-zA-Z][a-zA-Z0-9:._-]*(?:="[^"<\n\t]*")?)*/?>)')
_NAME: Final = re.compile(r"<([a-z][a-z0-9]*)")
_ATTRIBUTE: Final = re.compile(r' ([a-zA-Z][a-zA-Z0-9:._-]*)(?:="([^"]*)")?')
_ENTITY: Final = re.compile(r"&(?:(amp|lt|gt|quot)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"'}

XHTML: Final = "http://www.w3.org/1999/xhtml"
_PREFIXES: Final = {"xml": "http://www.w3.org/XML/1998/namespace", "epub": "http://www.idpf.org/2007/ops"}
_SPACES: Final = {
    "html": {"xmlns": XHTML, "xmlns:epub": _PREFIXES["epub"]},
    "math": {"xmlns": "http://www.w3.org/1998/Math/MathML"},
}
# In these names a parser of HTML and one of XML see the same element, or none that has words.
_KNOWN: Final = markup.SEEN | names("html head title meta link style script img")
_FAR: Final = names("hidden inert popover aria-hidden style")
_INTERNAL: Final = names("data-line data-file data-only data-audience")


class NotPlain(ValueError):
    """The mark-up can be read in more than one way, or holds what no plain page has."""


def decoded(text: str) -> str:
    """Text or an attribute's value with its character references undone. Raises NotPlain for any that only some parsers know."""
    if "&" not in text:
        return text
    parts = _ENTITY.split(text)
    out = [parts[0]]
    for at in range(1, len(parts), 4):
        name, decimal, hexadecimal, rest = parts[at : at + 4]
        out += [_NAMED[name] if name else _character(int(decimal) if decimal else int(hexadecimal, 16)), rest]
    if any("&" in rest for rest in parts[::4]):
        raise NotPlain("a character reference that not every parser knows")
    return "".join(out)


def _character(number: int) -> str:
    if number in (9, 10) or any(low <= number < high for low, high in _CHARACTERS):
        return chr(number)
    raise NotPlain(f"a reference to character {number}")


_CHARACTERS: Final = ((32, 127), (160, 0xD800), (0xE000, 0xFFFE), (0x10000, 0x110000))


class Tag:
    """A start tag: its element's `name` (lower case) and `attributes`, `own` as `signature` gives it, and what can be said of
    the element whatever stands around it. `route` says what a pass does with it; `role` which text it holds; `simple`: a block
    whose end does nothing but end its text. `empty`: it has no end tag. `watched`: it must be seen as it is. `said`: see
    `_mentions.py`. `referred`: it has
    an id, refers to one, or fetches something. `strange`: a fragment may not hold it (a class that is not ours, an attribute
    that never leaves the house). `below`: by its parent's number, the number of such an element."""

    __slots__ = (
        "attributes",
        "bare",
        "below",
        "empty",
        "href",
        "id",
        "known",
        "level",
        "name",
        "notice",
        "own",
        "referred",
        "requests",
        "role",
        "route",
        "said",
        "simple",
        "strange",
        "targets",
        "topic",
        "watched",
    )

    def __init__(self, name: str, attributes: Mapping[str, str], empty: bool) -> None:
        self.name, self.attributes, self.empty = name, attributes, empty
        self.own: Kind = signature(name, attributes)
        get = attributes.get
        classes = get("class", "").split()
        self.id, self.href, self.notice = get("id"), get("href") if name == "a" else None, get("data-notice")
        self.requests = tuple(requests_by_attributes(name, attributes))
        self.said = tuple(mentions.of_attributes(attributes.items()))
        self.strange = not all(c.startswith("syn-") for c in classes) or not _INTERNAL.isdisjoint(attributes)
        self.targets = tuple([target for key in _REFERRING if key in attributes for target in attributes[key].split()])
        self.referred = self.id is not None or bool(self.requests or self.targets)
        self.topic = " ".join([get(f"data-{key}", "") for key in ("topic", "language", "anchor")]).strip()
        self.known = name in _KNOWN
        self.route = CREDIT if "syn-credit" in classes and name not in _TRANSPARENT else _route(name, empty)
        self.bare, self.role = name in markup.CHILDREN, markup.ROLES.get(name, "")
        self.level = int(name[1]) if self.role == "heading" else 0
        self.watched = self.notice is not None or name == "h1" or "data-audit-body" in attributes
        self.simple = self.notice is None and name not in _SPECIAL
        if len(_below) > _MOST:
            _below.clear()
        self.below: dict[int, int] = _below.setdefault(self.own, {})

    def alt(self) -> str:
        """The alternative text of an image."""
        return fold(self.attributes.get("alt", ""))


# What a pass does with an element.
ROOT, TRANSPARENT, BLOCK, CREDIT, BREAK, INLINE, EMPTY = range(7)
_TRANSPARENT: Final = names("img meta link script style")  # hold no words of the page
_SPECIAL: Final = names("aside ol td th h1")
_REFERRING: Final = ("aria-labelledby", "aria-describedby", "headers", "for")


def _route(name: str, empty: bool) -> int:
    if name in ("html", "head"):
        return ROOT
    if name in _TRANSPARENT:
        return TRANSPARENT
    if name in markup.BLOCKS:
        return BLOCK
    return BREAK if name == "br" else EMPTY if empty else INLINE


_below: dict[Kind, dict[int, int]] = {}
_html: dict[str, Tag] = {}
_xml: dict[str, Tag] = {}
_MOST: Final = 20_000


def _forget() -> None:
    for known in (_html, _xml, _below):
        known.clear()


when_forgotten.append(_forget)


def remembered(xml: bool) -> dict[str, Tag]:
    """The tags judged so far, by their text."""
    known = _xml if xml else _html
    if len(known) > _MOST:
        known.clear()
    return known


def judged(text: str, xml: bool) -> Tag:
    """The tag of this text. Raises NotPlain."""
    match = _NAME.match(text)
    assert match is not None
    name, pairs = match[1], _ATTRIBUTE.findall(text[match.end() :])
    attributes: dict[str, str] = {}
    for key, value in pairs:
        if key in attributes or key.startswith("on") or key in _FAR or (not xml and key != key.lower()):
            raise NotPlain(f"attribute {key}")
        attributes[key] = decoded(value)
    closed = text.endswith("/>")
    if xml:
        if len(pairs) != text.count('="'):
            raise NotPlain("an attribute without a value")
        attributes = _qualified(name, attributes)
    elif closed and name not in markup.VOID:
        raise NotPlain(f"<{name}/>")
    if attributes.get("http-equiv", "").lower() == "refresh" or name == "details":
        raise NotPlain(f"<{name}>")
    if markup.scheme(attributes.get("href", "")) not in ("", "http", "https", "mailto", "tel", "sms"):
        raise NotPlain("a link that runs something")
    return Tag(name, attributes, closed or (not xml and name in markup.VOID))


def _qualified(name: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """XML attributes as lxml names them; declarations of name spaces are those we know, and are gone."""
    found = {}
    for key, value in attributes.items():
        prefix, colon, rest = key.partition(":")
        if prefix == "xmlns":
            if _SPACES.get(name, {}).get(key) != value:
                raise NotPlain(f"{key}={value!r}")
        elif colon:
            if prefix not in _PREFIXES:
                raise NotPlain(f"prefix {prefix}")
            found[f"{{{_PREFIXES[prefix]}}}{rest}"] = value
        else:
            found[key] = value
    if not _SPACES.get(name, {}).keys() <= attributes.keys():
        raise NotPlain(f"<{name}> without its name spaces")
    return found
