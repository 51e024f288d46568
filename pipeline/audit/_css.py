"""Style sheets, read for two questions: what would they fetch, and what could they hide.

In: the text of a sheet or of a `style` attribute. Out: `Sheet` - rules with their selectors, declarations and
media - and, by `hazards`, those declarations that are not on the list of what may apply to words that readers must
see. The list allows; whatever it does not know is a hazard, so that tomorrow's CSS property is no hole. No cascade
is worked out: a rule that could hide a notice on paper, on a phone or under the pointer is one too many.

Follows CSS Syntax Level 3 as far as style sheets go: comments, strings, escapes, nested rules, at-rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<comment>/\*.*?(?:\*/|\Z))
      | (?P<string>"(?:\\.|[^"\\\n])*(?:"|\n|\Z)|'(?:\\.|[^'\\\n])*(?:'|\n|\Z))
      | (?P<url>url\(\s*(?!["'\s])(?:\\.|[^)\\])*(?:\)|\Z))
      | (?P<mark>[{};])
      | (?P<other>(?:\\.|[^{};"'/\\u]|/(?!\*)|u(?!rl\())+|.)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ESCAPE: Final = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\r\n\f]?|(.))", re.DOTALL)
_URL: Final = re.compile(
    r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*))\s*\)|(?:src|image-set|image)\(\s*["']([^"']*)["']""", re.IGNORECASE
)
_STRING: Final = re.compile(r'"([^"]*)"|\'([^\']*)\'')


@dataclass(frozen=True, slots=True)
class Declaration:
    """`name: value`, both with escapes undone and the name in lower case."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One style rule. `selector` is one selector of its list; `media` the at-rules around it, outermost first."""

    selector: str
    declarations: tuple[Declaration, ...]
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A style sheet: its rules, what it would fetch, and the values that each custom property may have."""

    rules: tuple[Rule, ...]
    urls: tuple[str, ...]
    variables: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=256)
def sheet(text: str) -> Sheet:
    """The sheet's rules and requests. Never raises: what can not be understood becomes a rule that matches nothing
    known and is a hazard (`unreadable`)."""
    rules: list[Rule] = []
    urls: list[str] = []
    for prelude, body, media in _statements(_tokens(text), ()):
        if body is None:
            urls += _import_urls(prelude)
        else:
            rules += [Rule(selector, body, media) for selector in split(prelude)]
    for rule in rules:
        for declaration in rule.declarations:
            urls += requested(declaration.value)
    return Sheet(tuple(rules), tuple(urls), _variables(rules))


def of_pages_alone(text: str) -> bool:
    """Whether a sheet says nothing but what stands in the margins of printed pages: a topic's own running lines, whose words
    differ from page to page and fetch nothing."""
    return text.lstrip().startswith("@page") and _of_pages_alone(_QUOTED.sub("0", text))


_QUOTED: Final = re.compile(r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""")
_MAY_FETCH: Final = re.compile(r"""url|image|src|@import|/\*|[\\"']""", re.IGNORECASE)


@lru_cache(maxsize=256)
def _of_pages_alone(text: str) -> bool:
    return not _MAY_FETCH.search(text) and all(rule.selector.startswith("@page") for rule in sheet(text).rules)


@lru_cache(maxsize=1024)
def declarations(text: str) -> tuple[Declaration, ...]:
    """The declarations of a `style` attribute."""
    found = [_declaration(part) for part in split(_without_comments(text), ";")]
    return tuple(d for d in found if d)


def requested(value: str) -> list[str]:
    """Addresses in a value: `url(...)`, `image-set("...")`."""
    return [next(part for part in match if part) for match in _URL.findall(value) if any(match)]


def split(text: str, mark: str = ",") -> list[str]:
    """The parts of a list, with strings and brackets respected."""
    parts, depth, quote, start = [], 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == mark and depth <= 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [part for part in (*parts, text[start:].strip()) if part]


# --- reading ------------------------------------------------------------------------------------


def _without_comments(text: str) -> str:
    return "".join(" " if m.lastgroup == "comment" else m.group() for m in _TOKEN.finditer(text))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "comment":
            yield "other", " "
        else:
            yield str(match.lastgroup), match.group()


_END, _OPEN = ";", "{"
_Statement = tuple[str, tuple[Declaration, ...] | None, tuple[str, ...]]
# At-rules whose blocks hold rules for elements; all others (page, font-face, keyframes) hold their own.
_GROUPS: Final = frozenset({"@media", "@layer", "@supports", "@container", "@scope", "@starting-style", "@document"})


def _statements(tokens: Iterator[tuple[str, str]], media: tuple[str, ...], parent: str = "") -> Iterator[_Statement]:
    """(prelude, declarations or None for a statement without block, media) of everything up to the closing brace."""
    text, own = "", []
    for kind, token in tokens:
        if kind != "mark":
            text += token
        elif token == _END:
            if declaration := _declaration(text):
                own.append(declaration)
            else:
                yield unescape(text.strip()), None, media
            text = ""
        elif token == _OPEN:
            yield from _block(text.strip(), tokens, media, parent)
            text = ""
        else:
            break
    if declaration := _declaration(text):
        own.append(declaration)
    elif text.strip():
        yield unescape(text.strip()), None, media
    if own:
        yield parent or "*", tuple(own), media


def _block(prelude: str, tokens: Iterator[tuple[str, str]], media: tuple[str, ...], parent: str) -> Iterator[_Statement]:
    name = prelude.split("(")[0].split()[0].lower() if prelude.startswith("@") else ""
    if name in _GROUPS:
        yield from _statements(tokens, (*media, prelude), parent)
    elif name:
        yield from (
            (f"{prelude} {inner}".strip() if inner != name else name, body, media)
            for inner, body, _ in _statements(tokens, media, name)
        )
    else:
        selector = unescape(prelude)
        nested = ", ".join(_nest(parent, part) for part in split(selector)) if parent else selector
        yield from _statements(tokens, media, nested or "*")


def _nest(parent: str, child: str) -> str:
    outer = f":is({parent})" if "," in parent else parent
    return child.replace("&", outer) if "&" in child else f"{outer} {child}"


def _declaration(text: str) -> Declaration | None:
    name, colon, value = text.partition(":")
    name = unescape(name.strip())
    if not colon or not re.fullmatch(r"[-\w]+", name):
        return None
    value = unescape(value.strip())
    bare = re.sub(r"(?<!\s)\s*+!\s*+important\s*+$", "", value, flags=re.IGNORECASE)
    return Declaration(name if name.startswith("--") else name.lower(), " ".join(bare.split()), bare != value)


def unescape(text: str) -> str:
    """The text with CSS escapes undone."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda m: chr(min(int(m[1], 16), 0x10FFFF)) if m[1] else m[2], text)


def _import_urls(prelude: str) -> list[str]:
    if not prelude.lower().startswith(("@import", "@namespace")):
        return []
    if prelude.lower().startswith("@namespace"):
        return []
    strings = [a or b for a, b in _STRING.findall(prelude)]
    return requested(prelude) or strings[:1]


def _variables(rules: list[Rule]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, dict[str, None]] = {}
    for rule in rules:
        for declaration in rule.declarations:
            if declaration.name.startswith("--"):
                found.setdefault(declaration.name, {})[declaration.value] = None
    return tuple((name, tuple(values)) for name, values in found.items())
