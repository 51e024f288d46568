"""schema.org `MedicalWebPage` of an edition, as JSON-LD for a `script` element.

In: an edition. Out: one line of JSON in which no character can end the element. Only properties that schema.org
defines for this type or the types above it; what nobody said is left out. Whose it is and what may be done with it comes
from the rights record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from pipeline import rights
from pipeline.contracts import Edition
from pipeline.topic import Code, Metadata

_ESCAPED: Final = {sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def json_ld(edition: Edition) -> Markup:
    """The object, printed with sorted keys."""
    text = json.dumps(_page(edition), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for sign, escaped in _ESCAPED.items():
        text = text.replace(sign, escaped)
    return Markup(text)  # nothing in it can end the element


def _page(edition: Edition) -> dict[str, Any]:
    metadata, record = edition.metadata, rights.record(edition)
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
        "correction": [correction.note for correction in metadata.corrections],
        "translationOfWork": _original(edition),
        **_people(record),
        **_dates(record["dates"]),
        **_rights(record),
    }
    return _without_nothing(found)


def _dates(days: Mapping[str, str | None]) -> dict[str, Any]:
    names = {
        "dateCreated": "created",
        "datePublished": "published",
        "dateModified": "modified",
        "lastReviewed": "current_as_of",
        "expires": "expires",
    }
    return {theirs: days[ours] for theirs, ours in names.items()}


def _people(record: Mapping[str, Any]) -> dict[str, Any]:
    publisher = record["publisher"]
    return {
        "author": [_person(person) for person in record["authors"]],
        "reviewedBy": [_person(person) for person in record["reviews"]],
        "publisher": _without_nothing({"@type": "Organization", "name": publisher["name"], "url": publisher["url"]}),
    }


def _rights(record: Mapping[str, Any]) -> dict[str, Any]:
    owner, terms = record["copyright"] or {}, record["license"]["url"]
    use = _without_nothing({"url": terms, "text": record["usage"]})
    return {
        "license": terms,
        "usageInfo": {"@type": "CreativeWork", **use} if use else {},
        "creditText": record["credit"],
        "copyrightHolder": {"@type": "Organization", "name": owner["holder"]} if owner else {},
        "copyrightYear": owner.get("first_year"),  # schema.org: when the copyright was first asserted
        "copyrightNotice": owner.get("notice"),
    }


def _original(edition: Edition) -> dict[str, Any]:
    """What this topic translates, where the site has that too."""
    source: Metadata = edition.metadata
    found = next((t for t in edition.translations if source.translation and t.id == source.translation.of), None)
    if found is None or source.translation is None:
        return {}
    work = {"name": found.title, "inLanguage": found.language, "version": source.translation.version}
    return _without_nothing({"@type": "CreativeWork", **work})


def _entity(code: Code) -> dict[str, Any]:
    medical = {"@type": "MedicalCode", "codeValue": code.code, "codingSystem": code.system or code.oid}
    return _without_nothing({"@type": "MedicalEntity", "name": code.display, "code": _without_nothing(medical)})


def _person(person: Mapping[str, str]) -> dict[str, Any]:
    """A person where credentials say so; else the name alone, because it may be a board or a staff."""
    if person["credentials"]:
        known = {"honorificSuffix": person["credentials"], "knowsAbout": person["specialty"]}
        return {"@type": "Person", "name": person["name"], **_without_nothing(known)}
    return {"name": person["name"]}


def _without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in ("", None, [], {})}
