"""A rights record as an ODRL 2.2 agreement, in JSON-LD: for programs that read licenses.

In: an edition, its grants, what programs may do. Out: plain values. Only terms of the ODRL 2.2 vocabulary, and `mine` of TDMRep,
which profiles ODRL. Parties and topics have no public address of their own, hence `urn:uuid` names that are the same in every
release.
Specifications: ODRL Information Model 2.2, ODRL Vocabulary 2.2, TDMRep (10 May 2024).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from pipeline.contracts import Edition

_CONTEXT: Final = ["http://www.w3.org/ns/odrl.jsonld", {"tdm": "http://www.w3.org/ns/tdmrep#"}]
_ACTIONS: Final = {"train": "tdm:mine", "ground": "extract", "summarize": "derive", "translate": "translate", "index": "index"}
_PRINTED: Final = frozenset({"print", "handout"})


def policy(edition: Edition, licenses: Sequence[Mapping[str, Any]], uses: Mapping[str, str]) -> dict[str, Any]:
    """For each grant: display (and print, where it covers a format for paper) from its first to its last day, with the notices.
    `uses` are what programs may do: what is not allowed is a prohibition."""
    publisher, site, m = edition.publisher, edition.site, edition.metadata
    target = _name(publisher.id, "topic", m.language, m.id)
    allowed = [{"target": target, "action": _ACTIONS[name]} for name, said in uses.items() if said == "allowed"]
    reserved = [{"target": target, "action": _ACTIONS[name]} for name, said in uses.items() if said != "allowed"]
    if edition.license.edits == "none":
        reserved.append({"target": target, "action": "modify"})
    return {
        "@context": _CONTEXT,
        "@type": "Agreement",
        "uid": _name(publisher.id, "policy", site.partner, site.id, m.language, m.id),
        "profile": "http://www.w3.org/ns/tdmrep",
        "assigner": _party(publisher.id, "publisher", publisher.id, publisher.name),
        "assignee": _party(publisher.id, "partner", site.partner, site.name),
        "permission": [*(_shown(target, terms, m.language) for terms in licenses), *allowed],
        "prohibition": reserved,
    }


def _shown(target: str, terms: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {
        "target": target,
        "action": ["display", "print"] if _PRINTED.intersection(terms["formats"]) else ["display"],
        "constraint": _constraints(terms, language),
        "duty": [{"action": "attribute"}, {"action": "include", "target": f"{target}#notices"}],
    }


def _constraints(terms: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    days = (("gteq", terms["starts"]), ("lteq", terms["ends"]))
    found = [_constraint("dateTime", sign, {"@value": value, "@type": "xsd:date"}) for sign, value in days if value]
    return [*found, _constraint("language", "eq", language)]


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


@lru_cache(maxsize=1024)
def _party(publisher: str, kind: str, name: str, shown: str) -> dict[str, Any]:
    return {"@type": ["Party", "vcard:Organization"], "uid": _name(publisher, kind, name), "vcard:fn": shown}


@lru_cache(maxsize=1024)
def _name(*parts: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, '/'.join(parts))}"
