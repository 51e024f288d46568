"""What a site must see around a topic's text: every notice once, exact and visible; title, marks, language, metadata.

In: what a reader found around the body, and the edition. Out: findings that name the altered notice, what was expected and
found. Nothing here knows a media type.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pipeline.audit import _codes as codes
from pipeline.audit._compare import visible_signs
from pipeline.audit._markup import clean, scheme
from pipeline.audit._reading import Finished, Problem, Reading, fold
from pipeline.contracts import MACHINE_USES, Edition, OutputFile
from pipeline.labels import direction
from pipeline.notices import Notice

# These lines stand nowhere else; dates and names may be mentioned in the text.
_ALONE: Final = ("copyright", "publisher-disclaimer", "partner-disclaimer")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What every file of an edition must say: its notices, each as (text, printed), white space folded, by kind; what files may
    say of themselves by our names, in no order."""

    notices: Mapping[str, tuple[Notice, str, str]]
    known: Mapping[str, list[str]]


_last: list[tuple[Edition, Wanted]] = []


def wanted(edition: Edition) -> Wanted:
    """What every file of the edition must say; worked out once, because its formats come one after the other."""
    if not _last or _last[0][0] is not edition:
        spellings = {n.kind: (n, fold(n.text), fold(n.printed)) for n in edition.notices}
        _last[:] = [(edition, Wanted(spellings, {name: _set(values) for name, values in _known(edition).items()}))]
    return _last[0][1]


def check(finished: Finished, reading: Reading) -> list[Problem]:
    """Everything wrong around the body."""
    edition = finished.edition
    body_text = " ".join([block.text for block in finished.inner.blocks])  # blocks are folded
    said = " ".join([block.text for block in reading.blocks])
    return [
        *_notices(edition, reading),
        *_elsewhere(edition, said, "" if reading.whole else body_text),
        *_title(edition, reading),
        *_marks(edition, said),
        *metadata(edition, reading.metadata),
        *_full_stops(edition, reading, body_text),
        *_requests(reading, finished.files, finished.bundle),
    ]


# --- notices ------------------------------------------------------------------------------------


def _notices(edition: Edition, reading: Reading) -> Iterator[Problem]:
    found = [notice.kind for notice in reading.notices]
    for notice in edition.notices:
        if (count := found.count(notice.kind)) == 0:
            yield Problem(codes.NOTICE_MISSING, f"{notice.kind}: expected {_quoted(notice.text)}, found none")
        elif count > 1:
            yield Problem(codes.NOTICE_TWICE, f"{notice.kind}: expected once, found {count} times")
    by_kind = wanted(edition).notices
    for shown in reading.notices:
        if shown.kind not in by_kind:
            yield Problem(codes.NOTICE_UNKNOWN, f"{shown.kind}: {_quoted(shown.text)} is no notice of this edition")
            continue
        notice, text, printed = by_kind[shown.kind]
        if shown.text not in (text, printed):
            yield Problem(codes.NOTICE_ALTERED, f"{notice.kind}: expected {_quoted(notice.text)}, found {_quoted(shown.text)}")
        elif notice.url and shown.text != printed and notice.url not in map(clean, shown.hrefs):
            leads = ", ".join(shown.hrefs) or "nowhere"
            yield Problem(codes.NOTICE_ALTERED, f"{notice.kind}: expected a link to {notice.url}, found {leads}")
        if shown.hidden:
            yield Problem(codes.NOTICE_HIDDEN, f"{notice.kind}: {shown.hidden}")
    yield from _order([n.kind for n in edition.notices], found)


def _order(expected: Sequence[str], found: Sequence[str]) -> Iterator[Problem]:
    present = [kind for kind in dict.fromkeys(found) if kind in expected]
    wanted = [kind for kind in expected if kind in present]
    if present != wanted:
        yield Problem(codes.NOTICE_ORDER, f"expected {', '.join(wanted)}; found {', '.join(present)}")


def _elsewhere(edition: Edition, said: str, body_text: str) -> Iterator[Problem]:
    for kind in _ALONE:
        notice, text, _ = wanted(edition).notices.get(kind, (None, "", ""))
        if notice is not None and (count := said.count(text) + body_text.count(text)) > 1:
            yield Problem(codes.NOTICE_TWICE, f"{kind}: {_quoted(notice.text)} stands {count} times in the visible text")


# --- title, marks, metadata ---------------------------------------------------------------------


def _title(edition: Edition, reading: Reading) -> Iterator[Problem]:
    expected = fold(edition.metadata.title)
    shown = [texts for name, texts in reading.metadata if name == "heading"]
    found = [text for texts in shown for text in texts]
    if expected and shown and expected not in found:
        yield Problem(
            codes.TITLE, f"expected the visible title {_quoted(expected)}, found {_quoted(' / '.join(found) or 'none')}"
        )


def _marks(edition: Edition, said: str) -> Iterator[Problem]:
    for mark in edition.marks:
        if fold(mark.text) not in said:
            yield Problem(codes.MARK, f"{mark.kind}: expected {_quoted(mark.text)}, found none")


def metadata(edition: Edition, found: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Problem]:
    """What a file says of itself (by our names) and the edition does not."""
    known = wanted(edition).known
    yield from _robots(edition.site.robots, [texts for name, texts in found if name == "robots"])
    for name, texts in found:
        values = known.get(name)
        if values is not None and _set(texts) != values:
            code = codes.LANGUAGE if name in ("language", "direction") else codes.METADATA
            said = ", ".join(map(_quoted, texts)) or "none"
            yield Problem(code, f"{name}: expected {', '.join(map(_quoted, values)) or 'none'}, found {said}")


def _robots(expected: str, found: Sequence[tuple[str, ...]]) -> Iterator[Problem]:
    """A page never lets search engines in that the site keeps out; one for paper may keep them out by itself."""
    for texts in found:
        if not set(texts) <= {expected, "noindex"} or bool(texts) != bool(expected):
            said = ", ".join(map(_quoted, texts)) or "none"
            yield Problem(codes.METADATA, f"robots: expected {_quoted(expected or 'none')}, found {said}")


def _set(texts: Sequence[str]) -> list[str]:
    """The texts in no order; an empty one is not said."""
    return sorted(filter(None, map(fold, texts))) if texts else []


def _known(edition: Edition) -> dict[str, tuple[str, ...]]:
    """Everything that a file may say of itself, and what it must say then. What nobody knows must be absent."""
    metadata, rights = edition.metadata, edition.metadata.copyright
    notice = next((n.text for n in edition.notices if n.kind == "copyright"), "")
    dates = {
        "modified": metadata.modified,
        "current-as-of": metadata.current_as_of,
        "created": metadata.created,
        "expires": metadata.expires,
        "review-due": metadata.review_due,
        "published": metadata.go_live,
    }
    sources = next((" ".join(n.lines) for n in edition.notices if n.kind == "attribution"), "")
    reserved = set(MACHINE_USES) - edition.license.allowed
    return {
        "id": (metadata.id,),
        "title": (metadata.title,),
        "language": (metadata.language,),
        "direction": (direction(metadata.language),),
        "version": (metadata.version,) if metadata.version else (),
        **{name: (day.isoformat(),) if day else () for name, day in dates.items()},
        "license": (edition.license.url,) if edition.license.url else (),
        "copyright": (notice,) if notice else (),
        "copyright-holder": (rights.holder,) if rights else (),
        "copyright-year": (str(rights.first_year),) if rights else (),
        "credit": (sources or edition.publisher.name,),
        "tdm-reservation": ("1" if reserved else "0",),
        "tdm-policy": (edition.license.url,) if reserved and edition.license.url else (),
        "agreement": (edition.license.agreement,),
        "clause": (edition.license.clause,),
        "licensee": (f"{edition.site.partner} {edition.site.id}",),
        "authors": tuple(person.name for person in metadata.authors),
        "reviewers": tuple(review.person.name for review in metadata.reviews),
    }


def _full_stops(edition: Edition, reading: Reading, body_text: str) -> Iterator[Problem]:
    for text in [block.text for block in reading.blocks if block.text.endswith("..")]:
        if not text.endswith("...") and text not in edition.metadata.title and text not in body_text:
            yield Problem(codes.FULL_STOP, f"{_quoted(text[-80:])} ends in two full stops")


# --- requests -----------------------------------------------------------------------------------


def _requests(reading: Reading, files: Sequence[OutputFile], bundle: Sequence[OutputFile]) -> Iterator[Problem]:
    known = {*(file.path for file in (*files, *bundle)), *reading.members}
    for request in dict.fromkeys(reading.requests):
        url = clean(request.url)
        always = request.how.startswith(("<meta", "<form", "<base"))
        if not always and (scheme(url) == "data" or url.startswith("#")):
            continue
        if always or leads_out(url):
            yield Problem(codes.REQUEST, f"{request.source} {request.how}: {request.url[:200]}")
        elif resolved(request.source, url) not in known:
            yield Problem(codes.RESOURCE, f"{request.source} {request.how}: {request.url[:200]} is not in the bundle")


def leads_out(url: str) -> bool:
    """Whether fetching an address asks another host (`data:` asks nobody)."""
    return scheme(url) not in ("", "data") or clean(url).startswith("//")


def resolved(source: str, url: str) -> str:
    """The bundle path that a relative address in the file `source` means."""
    path = unquote(url.split("#")[0].split("?")[0])
    if not path:
        return source
    return path if path.startswith("/") else posixpath.normpath(posixpath.join(posixpath.dirname(source), path))


def _quoted(text: str) -> str:
    short = text if len(text) <= 240 else f"{text[:240]}..."
    return f'"{visible_signs(short)}"'
