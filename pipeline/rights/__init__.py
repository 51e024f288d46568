"""The rights record of an edition: whose a topic is, who may show it, under which terms, until when.

In: an edition. Out: `record`, plain values that every format prints its metadata from, so that no two of them can say different
things; and `file`, the same as `<lang>/<id>/rights.json`, with the rights of its pictures and a projection to ODRL 2.2.
`schema.py` describes the file (JSON Schema). Years and days come from the topic and the terms, never from a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from pipeline.contracts import MACHINE_USES, Edition, Image, License, OutputFile
from pipeline.rights.odrl import policy
from pipeline.rights.schema import NAME as SCHEMA_NAME
from pipeline.rights.schema import SCHEMA, VERSION
from pipeline.rights.writing import indented
from pipeline.topic import Person

__all__ = ["MEDIA_TYPE", "NAME", "SCHEMA", "SCHEMA_NAME", "bundle", "file", "record"]

MEDIA_TYPE: Final = "application/json"
NAME: Final = "rights.json"

Record = Mapping[str, Any]

_last: tuple[Edition, Record] | None = None


def record(edition: Edition) -> Record:
    """The record, made once: all formats of an edition come one after the other."""
    global _last
    last = _last  # read once: another thread may be at another edition
    if last is None or last[0] is not edition:
        last = _last = edition, _record(edition)
    return last[1]


def file(editions: Mapping[str, Edition], images: Iterable[Image] = ()) -> OutputFile:
    """`<lang>/<id>/rights.json`. `editions` are the topic's by format, each under its own grant and with its own marks; `images`
    the pictures that any of them shows."""
    edition = next(iter(editions.values()))
    media = [{"path": image.path, "sha256": image.sha256, "credit": image.credit} for image in images]
    marks = {(mark.kind, mark.text): None for one in editions.values() for mark in one.marks}
    found = {name: value for name, value in record(edition).items() if name != "license"}
    licenses = _licenses(editions)
    content = {
        "$schema": f"../../{SCHEMA_NAME}",
        "schema": VERSION,
        **found,
        "licenses": licenses,
        "marks": [{"kind": kind, "text": text} for kind, text in marks],
        "media": media,
        "odrl": policy(edition, licenses, found["machines"]["ai"]),
    }
    return OutputFile(f"{edition.folder}/{NAME}", f"{indented(content)}\n".encode(), MEDIA_TYPE)


def _licenses(editions: Mapping[str, Edition]) -> list[dict[str, Any]]:
    """Each grant once, with the formats that it covers."""
    found: dict[License, list[str]] = {}
    for name, edition in editions.items():
        found.setdefault(edition.license, []).append(name)
    return [{**_license(terms), "formats": names} for terms, names in found.items()]


def bundle() -> OutputFile:
    """The schema, as a file of the bundle."""
    return OutputFile(SCHEMA_NAME, f"{indented(SCHEMA)}\n".encode(), MEDIA_TYPE)


def _record(edition: Edition) -> Record:
    m, publisher, site = edition.metadata, edition.publisher, edition.site
    return {
        "topic": {"id": m.id, "language": m.language, "version": m.version, "title": m.title, "url": m.url},
        "publisher": {"id": publisher.id, "name": publisher.name, "url": publisher.url},
        "licensee": {"partner": site.partner, "site": site.id, "name": site.name},
        "license": _license(edition.license),
        "copyright": _copyright(edition),
        "credit": _credit(edition),
        "usage": next((n.text for n in edition.notices if n.kind == "use"), ""),
        "machines": _machines(edition),
        "authors": [_person(person) for person in m.authors],
        "reviews": [{**_person(r.person), "on": day(r.on), "version": r.version} for r in m.reviews],
        "dates": {
            "created": day(m.created),
            "published": day(m.go_live),
            "modified": day(m.modified),
            "current_as_of": day(m.current_as_of),
            "review_due": day(m.review_due),
            "expires": day(m.expires),
        },
        "notices": [{"kind": n.kind, "text": n.text, "url": n.url} for n in edition.notices],
        "marks": [{"kind": mark.kind, "text": mark.text} for mark in edition.marks],
    }


def _license(terms: License) -> dict[str, Any]:
    return {
        "agreement": terms.agreement,
        "clause": terms.clause,
        "kind": terms.kind,
        "starts": day(terms.starts),
        "ends": day(terms.ends),
        "url": terms.url,
        "edits": terms.edits,
    }


def _copyright(edition: Edition) -> Record | None:
    rights = edition.metadata.copyright
    if rights is None:
        return None
    notice = next((n.text for n in edition.notices if n.kind == "copyright"), "")
    return {"holder": rights.holder, "first_year": rights.first_year, "last_year": rights.last_year, "notice": notice}


def _credit(edition: Edition) -> str:
    """What to name as the source: the lines that credit lenders of the text, else the publisher."""
    lines = next((n.lines for n in edition.notices if n.kind == "attribution"), ())
    return " ".join(lines) or edition.publisher.name


def _machines(edition: Edition) -> Record:
    """What programs may do with the text. One use reserved is a reservation (TDMRep has no shades)."""
    terms = edition.license
    uses = {name: "allowed" if name in terms.allowed else "reserved" for name in MACHINE_USES}
    reserved = int("reserved" in uses.values())
    return {"robots": edition.site.robots, "tdm_reservation": reserved, "tdm_policy": terms.url if reserved else "", "ai": uses}


def _person(person: Person) -> Record:
    return {
        "name": person.name or person.display,
        "credentials": person.credentials,
        "specialty": person.specialty,
        "role": person.role,
        "text": person.printed(),
    }


def day(found: date | None) -> str | None:
    """A day as ISO 8601, None where nobody said it."""
    return found.isoformat() if found else None
