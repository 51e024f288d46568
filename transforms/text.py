"""Plain text: UTF-8, LF, 78 columns. Every word of a topic, for whatever can show nothing but words.

In: a view or an edition. Out: `<lang>/<id>/<id>.txt`, and `NOTICE.txt` for the bundle. The body goes to pandoc as an AST
in which all that plain text can not show is in words already (`_ast.py`); pandoc sets lists, definitions and quotations; we
break the lines (`_wrap.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from pipeline import pandoc
from pipeline.contracts import Assets, Body, Edition, OutputFile, Publisher, Row, Site, View
from pipeline.labels import labels
from pipeline.notices import Notice
from transforms._ast import HEADING, TEXT, VERBATIM, document, fold
from transforms._wrap import COLUMNS, width, wrap

MEDIA_TYPE: Final = "text/plain"
OMITS: Final = frozenset({"cross-references"})  # their words stay; where they lead can not be said

_OPTIONS: Final = {"wrap_text": "wrap-none"}
_UNDERLINES: Final = {"0": "=", "1": "-", "2": "~", "3": "."}
_RULE: Final = "-" * COLUMNS


def path(edition: Edition) -> str:
    """`<lang>/<id>/<id>.txt`."""
    return f"{edition.folder}/{edition.metadata.id}.txt"


def body(view: View, assets: Assets) -> Body:  # noqa: ARG001  # pictures are words here
    """The topic's text, wrapped. Raises PandocError."""
    topic = view.topic
    source, cut_links = document(topic.body, labels(topic.metadata.language))
    return Body(_set(source), omitted={"cross-references": cut_links} if cut_links else {})


@lru_cache(maxsize=8)
def _set(source: bytes) -> bytes:
    """pandoc's document as text. Remembered: the notices of thousands of withdrawn topics say the same, one after the other."""
    set_by_pandoc = pandoc.convert(source, "json", "plain", _OPTIONS).decode()
    lines = [line for raw in set_by_pandoc.split("\n") for line in _laid_out(raw)]
    return ("\n".join(lines).strip("\n") + "\n").encode()


def imprint(body: Body, edition: Edition) -> list[OutputFile]:
    """Title, marks, body, credits and legal block; each notice is a paragraph, its lines are lines."""
    metadata, words = edition.metadata, labels(edition.metadata.language)
    head = ["\n".join(_heading("0", fold(metadata.title)))]
    if metadata.also_called:
        names = words.text(", ").join(metadata.also_called)
        head.append("\n".join(wrap(fold(f"{words.text('Also called:')} {names}"))))
    head += ["\n".join(wrap(fold(mark.text))) for mark in edition.marks]
    tail = [_RULE, *map(_paragraph, edition.notices)] if edition.notices else []
    before, after = "\n\n".join(head), "".join(f"\n{part}\n" for part in tail)
    return [OutputFile(path(edition), f"{before}\n\n".encode() + body.content + after.encode(), MEDIA_TYPE)]


def bundle(rows: Sequence[Row], site: Site, publisher: Publisher) -> list[OutputFile]:
    """`NOTICE.txt`: whose texts these are, who may show them, under which agreements, how many there are, and what is owed."""
    source = f"{publisher.name} ({publisher.url})" if publisher.url else publisher.name
    paragraphs = [
        f"Published by {source}, licensed to {site.name} (partner {site.partner}, site {site.id}).",
        "The texts stand under the agreements below, and may be shown only as those allow and with the notices that each text "
        "carries: copyright, disclaimers, credits and dates.",
        f"Topics in this bundle: {len(rows)}",
    ]
    title = _heading("0", fold(f"{publisher.name}: topics for {site.name}"))
    terms = [line for item in _terms(rows) for line in wrap(item, first="- ")]
    owed = [line for clause, text in site.obligations for line in wrap(fold(f"{clause}: {text}"), first="- ")]
    if owed:
        owed = [*wrap("What the agreements ask besides:"), "", *owed]
    parts = ["\n".join(lines) for lines in (title, *map(wrap, map(fold, paragraphs)), terms, owed) if lines]
    return [OutputFile("NOTICE.txt", ("\n\n".join(parts) + "\n").encode(), MEDIA_TYPE)]


def _laid_out(line: str) -> Iterator[str]:
    """The lines that one line of pandoc's becomes."""
    for sign in (TEXT, VERBATIM, HEADING):
        before, found, text = line.partition(sign)
        if found and sign == TEXT:
            yield from wrap(text, first=before)
            return
        if found and sign == VERBATIM:
            yield (before + text).rstrip(" ")
            return
        if found:
            yield from ["", *_heading(text[0], text[1:])] if text[0] == "1" else _heading(text[0], text[1:])
            return
    yield line.rstrip(" ")


def _heading(level: str, text: str) -> list[str]:
    """A heading and the line under it; deep ones have none."""
    lines = wrap(text)
    under = _UNDERLINES.get(level, "") * max(map(width, lines))
    return [*lines, under] if under else lines


@lru_cache(maxsize=1024)
def _paragraph(notice: Notice) -> str:
    """A notice, laid out once: most topics share most notices."""
    return "\n".join(_notice(notice))


def _notice(notice: Notice) -> list[str]:
    """A notice's lines: unwrapped, they are `notice.printed`."""
    lines = [part for part in (notice.label, *notice.lines) if part]
    if notice.url or len(notice.lines) == 1:
        return wrap(fold(notice.printed))
    return [line for index, part in enumerate(lines) for line in wrap(fold(part), first="  " if notice.label and index else "")]


def _terms(rows: Sequence[Row]) -> list[str]:
    """A line for each agreement and clause: how many topics in which languages."""
    counts = Counter((row.agreement, row.clause, row.language) for row in rows)
    lines = []
    for agreement, clause in sorted({(agreement, clause) for agreement, clause, _ in counts}):
        languages = {language: n for (a, c, language), n in sorted(counts.items()) if (a, c) == (agreement, clause)}
        terms = ", ".join(part for part in (agreement, clause) if part) or "No agreement named"
        total = sum(languages.values())
        detail = ", ".join(f"{language} {n}" for language, n in languages.items())
        lines.append(f"{terms}: {total} {'topic' if total == 1 else 'topics'} ({detail})")
    return lines
