"""The row of a release that a finished edition becomes.

In: the edition, its files by format, its views, what decided it. Out: `Row`. What is in a row is all that later runs know of what
is live: rules judge a topic by it that can not be read any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from pipeline.contracts import Edition, FileRow, OutputFile, Row, View
from pipeline.notices import Notice
from pipeline.unread import source_mark

# In the order in which a release keeps them, so that a row read back prints the same.
_CODE: Final = ("code", "display", "oid", "system")


def make_row(
    edition: Edition,
    files: Mapping[str, tuple[str, OutputFile]],
    views: Mapping[str, View],
    *,
    text_sha256: str,
    marks: Iterable[str] = (),
    causes: Mapping[str, str] | None = None,
) -> Row:
    """The topic's row of the release. `files`: (format, file) by path; `marks`: kinds of the marks of all formats; `causes`: see
    causes.py."""
    m = edition.metadata
    return Row(
        id=m.id,
        language=m.language,
        title=m.title,
        concept=m.concept,
        version=m.version,
        kind=m.kind,
        status=m.status,
        marks=tuple(marks),
        collections=m.collections,
        audiences=m.audiences,
        territories=m.territories,
        summary=m.summary,
        also_called=m.also_called,
        codes=tuple({k: v for k in _CODE if (v := getattr(code, k))} for code in m.codes),
        created=_iso(m.created),
        modified=_iso(m.modified),
        current_as_of=_iso(m.current_as_of),
        review_due=_iso(m.review_due),
        go_live=_iso(m.go_live),
        expires=_iso(m.expires),
        companions=m.companions,
        agreement=edition.license.agreement,
        clause=edition.license.clause,
        text_sha256=text_sha256,
        translations=tuple(f"{t.id} {t.language}" for t in edition.translations),
        links=_links(views, m.language),
        files=tuple(_file_row(name, file) for name, file in files.values()),
        proof=proof(edition.notices),
        source=source_mark(m.file),
        causes=causes or {},
    )


def _links(views: Mapping[str, View], language: str) -> tuple[str, ...]:
    links = {
        f"{a.get('data-topic')} {a.get('data-language', language)}"
        for v in views.values()
        for a in v.topic.body.iter("a")
        if a.get("data-topic")
    }
    return tuple(sorted(links))


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def proof(expected: tuple[Notice, ...]) -> str:
    """SHA-256 (hex) of the notices that were proven to stand in every file of the row."""
    return hashlib.sha256("\n".join(f"{n.kind}\t{n.text}\t{n.url}" for n in expected).encode()).hexdigest()


def _file_row(name: str, file: OutputFile) -> FileRow:
    return FileRow(name, file.path, hashlib.sha256(file.data).hexdigest(), len(file.data), file.media_type)
