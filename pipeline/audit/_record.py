"""The rights record of an edition (`rights.json`), read back: what it says of a topic is what the edition says.

In: the file and the edition. Out: problems. Shares nothing with the code that writes the record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any, Final

from pipeline.audit import _codes as codes
from pipeline.audit import _frame as frame
from pipeline.audit import _leaks as leaks
from pipeline.audit import _mentions as mentions
from pipeline.audit._leaks import Withheld
from pipeline.audit._reading import Problem, Reading
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


def problems(file: OutputFile, editions: Mapping[str, Edition], withheld: Withheld) -> Iterator[Problem]:
    """Everything wrong in the record of the editions, by format."""
    edition = next(iter(editions.values()))
    try:
        data = json.loads(file.data)
    except (ValueError, RecursionError) as error:
        yield Problem(codes.UNREADABLE, f"{file.path}: {error}")
        return
    found = (*_untrue(data, editions), *_leaked(data, file.path, edition, withheld))
    yield from (Problem(code, f"{file.path}: {text}") for code, text in found)


def _untrue(data: Any, editions: Mapping[str, Edition]) -> Iterator[Problem]:
    """Whatever the record says that the editions do not, and what it does not say."""
    edition = next(iter(editions.values()))
    told = [(name, _texts(_at(data, place))) for name, place in _PLACES.items()]
    told += [(name, tuple(_names(data, key))) for name, key in (("authors", "authors"), ("reviewers", "reviews"))]
    told.append(("licensee", (f"{_at(data, ('licensee', 'partner'))} {_at(data, ('licensee', 'site'))}",)))
    yield from frame.metadata(edition, told)
    yield from (Problem(codes.METADATA, text) for text in _licenses(data, editions))
    wanted = [(n.kind, n.text, n.url) for n in edition.notices]
    found = [(_at(n, ("kind",)), _at(n, ("text",)), _at(n, ("url",))) for n in _list(data, "notices")]
    if found != wanted:
        yield Problem(codes.NOTICE_ALTERED, f"expected {wanted}, each once and exact, found {found}"[:600])


_TERMS: Final = ("agreement", "clause", "kind", "starts", "ends", "url", "edits")


def _licenses(data: Any, editions: Mapping[str, Edition]) -> Iterator[str]:
    """Every format under the grant that it has, and no other."""
    found = {
        str(name): tuple(_at(terms, (key,)) for key in _TERMS)
        for terms in _list(data, "licenses")
        for name in _list(terms, "formats")
    }
    for name, edition in editions.items():
        values = (getattr(edition.license, key) for key in _TERMS)
        wanted = tuple(str(value) if isinstance(value, date) else value for value in values)
        if found.pop(name, None) != wanted:
            yield f"licenses: expected {name} under {wanted}"
    for name in found:
        yield f"licenses: {name} is no format of this edition"


def _leaked(data: Any, path: str, edition: Edition, withheld: Withheld) -> Iterator[Problem]:
    """Whatever of the record names something withheld."""
    own = partial(leaks.own_words, edition, Reading())
    return leaks.problems(leaks.in_parts(mentions.of_json(data)), path, withheld, own)


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
