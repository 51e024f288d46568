"""Why a topic's files are as they are: a short digest of each thing that decides them, so that a change list can say what moved.

In: a topic, its edition, what the run is made with. Out: the `causes` of a row: text (the topic's own words), reuse (words that
other files bring), images, terms, notice, template, tool. Two rows whose files differ differ in at least one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.contracts import Assets, Edition, Row
from pipeline.topic import Topic

if TYPE_CHECKING:
    from lxml.etree import _Element

_DIGITS = 16
JUDGED = ("terms", "notice", "images", "agreements")  # parts of `made_of` that later runs judge the row by


def of_topic(topic: Topic, assets: Assets, text_sha256: str) -> dict[str, str]:
    """The causes that no site decides. `text_sha256` is of all the topic's words."""
    images = _digest(f"{name} {image.sha256} {image.credit}" for name, image in sorted(assets.images.items()))
    if topic.body.find(".//*[@data-file]") is None:
        return {"text": text_sha256[:_DIGITS], "images": images}
    own: list[str] = [topic.metadata.title]
    shared: list[str] = []
    _part(topic.body, own, shared)
    return {"text": _words(own), "reuse": _words(shared), "images": images}


def of_edition(edition: Edition, looks: str, tool: str) -> dict[str, str]:
    """The causes that a site decides. `looks`: a digest of its brand and templates; `tool`: of the program."""
    license_ = edition.license
    return {
        "terms": _digest([repr(license_), *edition.formats, edition.site.robots]),
        "notice": _digest(
            [f"{n.kind}\t{n.text}\t{n.url}" for n in edition.notices] + [f"{m.kind}\t{m.text}" for m in edition.marks]
        ),
        "template": looks[:_DIGITS],
        "tool": tool[:_DIGITS],
    }


def settled(rows: Iterable[Row], live: Sequence[Row]) -> list[Row]:
    """The rows; as they are live, those of which nothing moved but their causes and the files they are made of: a new version of
    the program, or a template or file edited without effect, is no news to a partner. Other terms, notices or images are, even
    where no byte moves: the row says what it was proven under, and whether it may stay is judged by that."""
    before = {(row.id, row.language): row for row in live}
    return [_settled(row, before.get((row.id, row.language))) for row in rows]


def _settled(row: Row, before: Row | None) -> Row:
    if before is None:
        return row
    if any(row.made_of.get(name) != before.made_of.get(name) for name in JUDGED):
        return row
    return before if replace(row, causes=before.causes, made_of=before.made_of) == before else row


def _part(element: _Element, own: list[str], shared: list[str]) -> None:
    """Sorts the words below an element by who wrote them."""
    for child in element.iterchildren():
        mine = shared if child.get("data-file") else own
        if isinstance(child.tag, str):
            mine += [child.get("alt", ""), child.text or ""]
            _part(child, mine, shared)
        own.append(child.tail or "")


def _words(pieces: Iterable[str]) -> str:
    return _digest(" ".join(pieces).split())


def _digest(pieces: Iterable[str]) -> str:
    """ "" for nothing, so that a row without says nothing."""
    joined = "\n".join(pieces)
    return hashlib.sha256(joined.encode()).hexdigest()[:_DIGITS] if joined else ""


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """The causes that say something."""
    return {name: value for part in parts for name, value in part.items() if value}
