"""The text of a source file, line by line, in words of its language. In: a file's name as findings write it, untrusted. Out: its
lines, or None.

Read is what the inputs hold, the settings files, and files in a site's own templates; no other name reaches the file system.
"""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pipeline.errors import NotFound
from pipeline.preview.project import Snapshot, template_folders

AROUND: Final = 400  # lines shown before and after the one that is asked for
LONGEST_LINE: Final = 2000
COLOURING: Final = 0.3  # seconds
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9._-]{1,40})["']""")


Word = tuple[str, str]  # a class ("" = plain), some text


@dataclass(frozen=True)
class SourceText:
    """`lines` begin at line `first`, each in words with the class of their kind; `total` is how many the file has; `path` where
    it is on this machine ("" = elsewhere)."""

    name: str
    lines: tuple[tuple[Word, ...], ...]
    first: int
    total: int
    path: str = ""


def source_text(snapshot: Snapshot, name: str, line: int) -> SourceText | None:
    """The file around a line; None where it is none that the preview may show."""
    path = _own_file(snapshot, name)
    try:
        data = snapshot.catalog.files.read(name) if name in snapshot.catalog.files else path.read_bytes() if path else None
    except (NotFound, OSError):
        data = None
    if data is None:
        return None
    lines = decoded(data).splitlines()
    first = max(1, line - AROUND) if line else 1
    shown = [text[:LONGEST_LINE] for text in lines[first - 1 : first + 2 * AROUND]]
    return SourceText(name, tuple(coloured(name, shown)), first, len(lines), str(path or ""))


def coloured(name: str, lines: Sequence[str]) -> list[tuple[Word, ...]]:
    """Lines in words, each with a class for its kind (`nt` tag, `na` attribute, `s` text in quotes, `c` comment, `err` what can
    not be), as far as the file's language is known. The words of a line are its text, unchanged."""
    whole: list[list[Word]] = [[]]
    for kind, text in _tokens(name, "\n".join(lines)):
        for number, part in enumerate(text.split("\n")):
            if number:
                whole.append([])
            if part and whole[-1] and whole[-1][-1][0] == _class(kind):
                whole[-1][-1] = _class(kind), whole[-1][-1][1] + part
            elif part:
                whole[-1].append((_class(kind), part))
    return [tuple(words) for words in whole[: len(lines)]]


def _tokens(name: str, text: str) -> Iterator[tuple[Any, str]]:
    """Kinds and texts. What is made to be slow is plain after a moment: each word of it may take a look at all that follows."""
    began = time.monotonic()
    for at, kind, part in _lexer(name).get_tokens_unprocessed(text):
        if time.monotonic() - began > COLOURING:
            yield None, text[at:]
            return
        yield kind, part


def _lexer(name: str) -> Any:
    from pygments.lexers import CssLexer, HtmlLexer, TextLexer, TOMLLexer, XmlLexer

    kinds = {".toml": TOMLLexer, ".html": HtmlLexer, ".htm": HtmlLexer, ".css": CssLexer, ".csv": TextLexer, ".txt": TextLexer}
    return kinds.get(PurePosixPath(name).suffix.lower(), XmlLexer)()


def _class(kind: Any) -> str:
    """Of a kind of token, or of the more general one that has a colour here."""
    while kind and kind not in _classes():
        kind = kind.parent
    return _classes().get(kind, "")


@cache
def _classes() -> dict[Any, str]:
    from pygments.token import Comment, Error, Keyword, Literal, Name

    return {
        Name.Tag: "nt",
        Name.Attribute: "na",
        Name.Entity: "ni",
        Literal.String: "s",
        Comment: "c",
        Comment.Preproc: "cp",
        Keyword: "k",
        Error: "err",
    }


def decoded(data: bytes) -> str:
    """The text of a file in the encoding that it declares; what does not fit shows as a replacement character."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not encoding and b"\0" in data[:4]:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    if not encoding and (declared := _DECLARED.match(data)):
        encoding = declared[1].decode("ascii")
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        encoding = "utf-8"
    return data.decode(encoding or "utf-8", errors="replace")


def _own_file(snapshot: Snapshot, name: str) -> Path | None:
    """Where a file is that belongs to the project: an input on this disk, a settings file, a template."""
    configuration = snapshot.system.configuration
    if not name or "\0" in name:
        return None
    path = (configuration.folder / name).resolve()
    settings = configuration.settings
    known = {configuration.path(written) for written in (settings.publisher, settings.assets) if written}
    known |= {configuration.path(f"{settings.partners}/{partner.id}.toml") for partner in configuration.partners}
    if name in snapshot.catalog.files or path in known:
        return path if path.is_file() else None
    for folder in map(configuration.path, template_folders(snapshot.system)):
        if path.is_relative_to(folder) and path.is_file():
            return path
    return None
