"""HTML text -> tags and text, without losing a word. Shared by sources, see `_htmltree.py`.

In: a string of HTML of any quality. Out: `Text`, `Tag` and `Problem` values in reading order. Comments, DOCTYPEs, processing
instructions and Word's conditional marks are passed over; whatever is broken comes out as text, as written, with a Problem.
A problem is `grave` where a browser would swallow words, or where it is not sure which of them are meant to be read.
Reading takes time in proportion to the text, however broken it is: nothing is searched for twice.

Specification: HTML Living Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final


@dataclass(frozen=True, slots=True)
class Text:
    """Text, its character references resolved."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: `name` in lower case, `raw` as written. `end`: an end tag; `closed`: a start tag that ends in `/>`."""

    line: int
    name: str
    raw: str
    attributes: dict[str, str]
    end: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Something broken. `grave`: words may be lost, so that nobody should read the text until somebody has looked."""

    line: int
    text: str
    grave: bool = False


Token = Text | Tag | Problem

_SPACE: Final = r"\t\n\f\r "
_VALUE: Final = rf"\"[^\"]*+\"|'[^']*+'|(?![\"'])[^{_SPACE}>]*+"
# A name may hold quotation marks and "<"; that is what a forgotten quotation mark leaves behind.
_ATTRIBUTES: Final = rf"(?:[{_SPACE}/]++|=?[^{_SPACE}/>=]++(?:[{_SPACE}]*+=[{_SPACE}]*+(?:{_VALUE}))?+|=)*+"
_TAG: Final = re.compile(rf"<(?P<end>/?)(?P<name>[A-Za-z][^{_SPACE}/>]*+)(?P<attributes>{_ATTRIBUTES})>")
_ATTRIBUTE: Final = re.compile(rf"(?P<name>=?[^{_SPACE}/>=]++)(?:[{_SPACE}]*+=[{_SPACE}]*+(?P<value>{_VALUE}))?+")
_BEGINS_TAG: Final = re.compile("</?[A-Za-z]")
_PASSED_OVER: Final = re.compile(r"<!doctype[^<>]*+>|<!\[(?:if|else|endif)\b[^<>]*+>|<\?[^<>]*+>|</>", re.IGNORECASE)
_CUT_SHORT: Final = re.compile("<[^<>]*+<")
_SHORT_COMMENT: Final = re.compile("<!---?>")
_COMMENT_END: Final = re.compile("--!?>")
_COMMENT_INSIDE: Final = re.compile("<!--(?!>)")  # `<!--[if !mso]><!-->` is a whole comment
_OPEN_QUOTE: Final = re.compile(rf"=[{_SPACE}]*+[\"']")
_CDATA: Final = "<![CDATA["
# What holds text alone, and whether character references count in it.
_TEXT_ONLY: Final = {"script": False, "style": False, "xmp": False, "title": True, "textarea": True}
_LONG_NUMBER: Final = re.compile(r"&#(?:[0-9]{9,}+|[xX][0-9A-Fa-f]{9,}+);?")  # Python refuses to read some of them


def unescaped(text: str) -> str:
    """The text with its character references resolved; a number that is no character is U+FFFD."""
    return unescape(_LONG_NUMBER.sub("\ufffd", text)) if "&" in text else text


def tokens(text: str, line: int) -> Iterator[Token]:
    """The tokens of a text that begins at `line`."""
    return _Reader(text, line).tokens()


class _Reader:
    """One text, read from front to back."""

    def __init__(self, text: str, line: int) -> None:
        self._text, self._line, self._counted = text, line, 0
        self._at = 0
        self._unended: set[str] = set()  # what was looked for and stands nowhere after this
        self._foreign = False  # whether a drawing or formula began: scripts and styles in it may hold tags
        self._last_cdata_end = text.rfind("]]>")

    def tokens(self) -> Iterator[Token]:
        """See the function of this name."""
        while self._at < len(self._text):
            begin = self._text.find("<", self._at)
            end = begin if begin >= 0 else len(self._text)
            if end > self._at:
                yield Text(self._here(), unescaped(self._text[self._at : end]))
            self._at = end
            if begin >= 0:
                yield from self._markup()

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _markup(self) -> Iterator[Token]:
        text, at = self._text, self._at
        passed = _PASSED_OVER.match(text, at)
        if passed:
            self._at = passed.end()
        elif _BEGINS_TAG.match(text, at):
            yield from self._tag()
        elif text.startswith("<!--", at):
            yield from self._comment()
        elif text.startswith(_CDATA, at) and self._last_cdata_end > at:
            end = text.index("]]>", at)
            yield Text(self._here(), text[at + len(_CDATA) : end])
            self._at = end + len("]]>")
        else:
            if text.startswith(("</", "<!", "<?"), at):
                said = f"{' '.join(text[at : at + 20].split())!r} begins no tag and was kept as text"
                yield Problem(self._here(), said, grave=bool(_CUT_SHORT.match(text, at)))
            yield self._as_written(1)

    def _as_written(self, length: int) -> Text:
        """The next characters as text."""
        line, written = self._here(), self._text[self._at : self._at + length]
        self._at += length
        return Text(line, written)

    def _tag(self) -> Iterator[Token]:
        found = _TAG.match(self._text, self._at)
        if found is None:
            # Without end: it would take all the rest with it.
            rest = self._text[self._at :]
            yield Problem(self._here(), "a tag without end", grave="<" in rest[1:] or ">" in rest)
            yield self._as_written(len(rest))
        elif _is_unsure(found["attributes"]):
            said = f"a quotation mark is missing in the tag <{found['end']}{found['name'][:40]}>, or it holds '<' or '>'"
            yield Problem(self._here(), said, grave=True)
            yield self._as_written(len(found.group()))
        elif found["name"].lower() == "plaintext" and not found["end"]:
            yield Problem(self._here(), "<plaintext>: what follows is text without tags")
            yield self._as_written(len(self._text) - self._at)
        else:
            yield from self._sound_tag(found)

    def _sound_tag(self, found: re.Match[str]) -> Iterator[Token]:
        name, closed = found["name"].lower(), found["attributes"].endswith("/")
        end = None if found["end"] or closed or name not in _TEXT_ONLY else self._end_of(name, found.end())
        if name in _TEXT_ONLY and not found["end"] and not closed and end is None:
            yield Problem(self._here(), f"<{name}> without end", grave=True)
            yield self._as_written(len(found.group()))
            return
        self._foreign |= name in ("svg", "math")
        yield Tag(self._here(), name, found.group(), _attributes(found), bool(found["end"]), closed)
        self._at = found.end()
        if end is not None:
            inside = self._text[self._at : end.start()]
            if self._foreign and "<" in inside:
                yield Problem(self._here(), f"tags in <{name}>", grave=True)
            yield Text(self._here(), unescaped(inside) if _TEXT_ONLY[name] else inside)
            self._at = end.start()

    def _end_of(self, name: str, at: int) -> re.Match[str] | None:
        """The end tag of what holds text alone, from `at` on."""
        if name in self._unended:
            return None
        found = re.compile(rf"</{name}(?=[{_SPACE}/>])", re.IGNORECASE).search(self._text, at)
        if found is None:
            self._unended.add(name)
        return found

    def _comment(self) -> Iterator[Token]:
        short = _SHORT_COMMENT.match(self._text, self._at)
        end = short or (None if "-->" in self._unended else _COMMENT_END.search(self._text, self._at + len("<!--")))
        if end is None:
            self._unended.add("-->")
            yield Problem(self._here(), "a comment without end")
            yield self._as_written(len("<!--"))
            return
        if not short and _COMMENT_INSIDE.search(self._text, self._at + len("<!--"), end.end()):
            yield Problem(self._here(), "a comment that holds the beginning of another: is its end missing?", grave=True)
        self._at = end.end()


def _is_unsure(attributes: str) -> bool:
    """Whether a value may have taken in what stands behind it, because its quotation mark was forgotten."""
    without_values = _ATTRIBUTE.sub(lambda one: one.group() if one["value"] is None else "", attributes)
    return "<" in attributes or ">" in attributes or bool(_OPEN_QUOTE.search(without_values))


def _attributes(tag: re.Match[str]) -> dict[str, str]:
    """The attributes by name in lower case, "" where they have no value; of two of one name the first counts."""
    found: dict[str, str] = {}
    for attribute in _ATTRIBUTE.finditer(tag["attributes"]):
        value = attribute["value"] or ""
        found.setdefault(attribute["name"].lower(), unescaped(value[1:-1] if value[:1] in ("'", '"') else value))
    return found
