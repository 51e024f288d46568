"""schema.org `MedicalWebPage` of an edition, as JSON-LD for a `script` element.

In: an edition. Out: one line of JSON in which no character can end the element. Only properties that schema.org
defines for this type or the types above it; what nobody said is left out.
"""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from pipeline.contracts import Edition
from pipeline.topic import Code, Metadata, Person


def json_ld(edition: Edition) -> Markup:
    """The object, printed with sorted keys."""
    text = json.dumps(_page(edition), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # nothing in it can end the element


def _page(edition: Edition) -> dict[str, Any]:
    metadata = edition.metadata
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "MedicalWebPage",
        "name": metadata.title,
        "inLanguage": metadata.language,
        "identifier": metadata.id,
        "version": metadata.version,
        "alternateName": list(metadata.also_called),
        "description": metadata.summary,
        "url": metadata.url,
        "keywords": list(metadata.keywords),
        "about": [_entity(code) for code in metadata.codes],
        "audience": [{"@type": "MedicalAudience", "audienceType": name} for name in metadata.audiences],
        "author": [_person(person) for person in metadata.authors],
        "reviewedBy": [_person(review.person) for review in metadata.reviews],
        "correction": [correction.note for correction in metadata.corrections],
        "publisher": _without_nothing({"@type": "Organization", "name": edition.publisher.name, "url": edition.publisher.url}),
        "license": edition.license.url,
        **_dates(metadata),
        **_rights(edition),
    }
    return _without_nothing(found)


def _dates(metadata: Metadata) -> dict[str, Any]:
    days = {
        "dateCreated": metadata.created,
        "datePublished": metadata.go_live,
        "dateModified": metadata.modified,
        "lastReviewed": metadata.current_as_of,
        "expires": metadata.expires,
    }
    return {name: day.isoformat() for name, day in days.items() if day}


def _rights(edition: Edition) -> dict[str, Any]:
    rights = edition.metadata.copyright
    if rights is None:
        return {}
    return {
        "copyrightHolder": {"@type": "Organization", "name": rights.holder},
        "copyrightYear": rights.first_year,  # schema.org: when the copyright was first asserted
        "copyrightNotice": next((n.text for n in edition.notices if n.kind == "copyright"), ""),
    }


def _entity(code: Code) -> dict[str, Any]:
    medical = {"@type": "MedicalCode", "codeValue": code.code, "codingSystem": code.system or code.oid}
    return _without_nothing({"@type": "MedicalEntity", "name": code.display, "code": _without_nothing(medical)})


def _person(person: Person) -> dict[str, Any]:
    """A person where credentials say so; else the name alone, because it may be a board or a staff."""
    if person.credentials:
        return {"@type": "Person", "name": person.name, "honorificSuffix": person.credentials}
    return {"name": person.name}


def _without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in ("", None, [], {})}
