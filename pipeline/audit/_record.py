"""The rights record of an edition (`rights.json`), read back: what it says of a topic is what the edition says.

In: the file and the edition. Out: problems. Shares nothing with the code that writes the record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.audit import _codes as codes
from pipeline.audit import _frame as frame
from pipeline.audit._reading import Problem
from pipeline.contracts import Edition, OutputFile

# Our names, and where the record has them.
_PLACES: Final = {
    "id": ("topic", "id"),
    "language": ("topic", "language"),
    "version": ("topic", "version"),
    "title": ("topic", "title"),
    "copyright": ("copyright", "notice"),
    "copyright-holder": ("copyright", "holder"),
    "copyright-year": ("copyright", "first_year"),
    "agreement": ("license", "agreement"),
    "clause": ("license", "clause"),
    "license": ("license", "url"),
    "credit": ("credit",),
    "robots": ("machines", "robots"),
    "tdm-reservation": ("machines", "tdm_reservation"),
    "tdm-policy": ("machines", "tdm_policy"),
    "created": ("dates", "created"),
    "published": ("dates", "published"),
    "modified": ("dates", "modified"),
    "current-as-of": ("dates", "current_as_of"),
    "review-due": ("dates", "review_due"),
    "expires": ("dates", "expires"),
}


def problems(file: OutputFile, edition: Edition) -> Iterator[Problem]:
    """Everything wrong in the record."""
    try:
        data = json.loads(file.data)
    except (ValueError, RecursionError) as error:
        yield Problem(codes.UNREADABLE, f"{file.path}: {error}")
        return
    said = [(name, _texts(_at(data, place))) for name, place in _PLACES.items()]
    said += [(name, tuple(_names(data, key))) for name, key in (("authors", "authors"), ("reviewers", "reviews"))]
    said.append(("licensee", (f"{_at(data, ('licensee', 'partner'))} {_at(data, ('licensee', 'site'))}",)))
    for problem in frame.metadata(edition, said):
        yield Problem(problem.code, f"{file.path}: {problem.text}")
    wanted = [(n.kind, n.text, n.url) for n in edition.notices]
    found = [(_at(n, ("kind",)), _at(n, ("text",)), _at(n, ("url",))) for n in _list(data, "notices")]
    if found != wanted:
        yield Problem(codes.NOTICE_ALTERED, f"{file.path}: expected {wanted}, each once and exact, found {found}"[:600])


def _at(data: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def _texts(value: Any) -> tuple[str, ...]:
    return () if value in (None, "") else (str(value),)


def _list(data: Any, name: str) -> list[Any]:
    found = _at(data, (name,))
    return found if isinstance(found, list) else []


def _names(data: Any, name: str) -> Iterator[str]:
    yield from (str(_at(person, ("name",)) or "") for person in _list(data, name))
