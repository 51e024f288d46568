"""The proofs on finished bytes: nothing of a topic lost, every notice there, nothing asked of another host.

In: a view, the body a transform made of it, the finished files and the edition. Out: findings (`audit.*`), all of them errors.
Everything is read back from the bytes, by readers that share nothing with the transforms; there is one reader per media type
(`html.py`, `epub.py`, `text.py`, `json.py`), found by listing this folder.

The work has the same two halves as rendering: `prove_body` once per view, `prove_file` for each site, which reads only what
stands around the body as long as the body's bytes stand in the file verbatim, once.
"""

from __future__ import annotations

import hashlib
import pkgutil
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from typing import Any, cast

from pipeline.audit import _codes as codes
from pipeline.audit import _frame as frame
from pipeline.audit import _leaks as leaks
from pipeline.audit import _record as record
from pipeline.audit import _shelf as shelf
from pipeline.audit._compare import compare, compare_images, compare_links, same_links, same_pictures, shows
from pipeline.audit._expect import Expected, Manner, expect, text_sha256
from pipeline.audit._leaks import NOTHING, Withheld
from pipeline.audit._reading import Finished, Problem, Reader, Reading, Unreadable, WordsReader, fold
from pipeline.contracts import Assets, Body, Edition, Image, OutputFile, Place, Row, View
from pipeline.errors import UsageError
from pipeline.findings import Finding

__all__ = [
    "NOTHING",
    "Withheld",
    "expectations",
    "prove_body",
    "prove_bundle",
    "prove_file",
    "prove_record",
    "readers",
    "text_sha256",
]


def readers() -> frozenset[str]:
    """The media types that can be read back."""
    return frozenset(_readers())


@cache
def _readers() -> dict[str, Reader]:
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    found = [cast(Any, import_module(f"{__name__}.{name}")) for name in names]
    return {module.MEDIA_TYPE: module for module in found}


def _reader(place: Place) -> Reader:
    reader = _readers().get(place.media_type)
    if reader is None:
        raise UsageError(
            f"format {place.format!r} makes {place.media_type}, which no audit reader can read",
            expected=", ".join(sorted(readers())),
            found=place.media_type,
            fix="add a reader to pipeline/audit, or give the format a media type that has one",
        )
    return reader


def expectations(view: View, place: Place, shown: Collection[str] = ()) -> Expected:
    """What the format must show of the view; remembered by the view's key. `shown` are the images that there are (by
    `img/@src`); of others, their words stand in their place. Raises UsageError for an unknown media type."""
    spoken = not _reader(place).PICTURES
    base = view.presentation.heading_base if place.media_type == "application/json" else 2
    sources, alone = _traits(view)
    missing = frozenset() if spoken else sources.difference(shown)
    return expect(view.topic, view.key, Manner(place.format if alone else "", place.omits, base, spoken, missing))


_known_traits: OrderedDict[str, tuple[frozenset[str], bool]] = OrderedDict()


def _traits(view: View) -> tuple[frozenset[str], bool]:
    """The images of a view (by `img/@src`), and whether some of it is meant for certain formats alone: else formats of one kind
    share an expectation. Remembered by the view's key."""
    if view.key not in _known_traits:
        body = view.topic.body
        alone = any("data-only" in element.attrib for element in body.iter("*"))
        _known_traits[view.key] = frozenset(image.get("src", "") for image in body.iter("img")), alone
        while len(_known_traits) > 256:
            _known_traits.popitem(last=False)
    return _known_traits[view.key]


# --- once per view ------------------------------------------------------------------------------


def prove_body(view: View, body: Body, place: Place, assets: Assets) -> list[Finding]:
    """Reads a body back and compares it with its topic: nothing lost, nothing added, nothing active. [] = proven.
    Raises UsageError for an unknown media type."""
    reader = _reader(place)
    expected = expectations(view, place, assets.images)
    try:
        reading = _inner(reader, body, view, place)
    except Unreadable as error:
        return _findings([Problem(codes.UNREADABLE, str(error))], view, place)
    problems = [*reading.problems, *_counted(expected, body), *_outside(reading)]
    images = {source: image for source, image in assets.images.items() if source in _traits(view)[0]}
    compared = _compared(expected, reading, reader, images, inside=False)
    return [*_findings(problems, view, place), *(_said(finding, view, place) for finding in compared)]


_read: OrderedDict[tuple[str, str, bytes], Reading] = OrderedDict()


def _inner(reader: Reader, body: Body, view: View, place: Place) -> Reading:
    """The body as read back, remembered by its bytes: every site of a view has the same. Raises Unreadable."""
    key = (place.format, view.topic.metadata.id, hashlib.sha256(body.content).digest())
    if key not in _read:
        _read[key] = reader.body(body.content, view, place)
        while len(_read) > 64:
            _read.popitem(last=False)
    return _read[key]


def _outside(reading: Reading) -> list[Problem]:
    urls = {request.url: request.how for request in reading.requests if frame.leads_out(request.url)}
    return [Problem(codes.REQUEST, f"{how}: {url[:200]}") for url, how in urls.items()]


def _compared(
    expected: Expected, reading: Reading, reader: Reader, images: Mapping[str, Image], *, inside: bool
) -> list[Finding]:
    if not reader.PICTURES:
        return cast(WordsReader, reader).compare(expected.blocks, reading.blocks, inside=inside)
    present = [image for image in images.values() if image.credit and shows(reading.pictures, image)]
    credit_lines = frozenset(fold(image.credit) for image in present)
    return [
        *compare(expected.blocks, reading.blocks, reader.ASPECTS, credit_lines, inside=inside),
        *compare_images(expected, reading, images),
        *compare_links(expected, reading),
    ]


def _counted(expected: Expected, body: Body) -> list[Problem]:
    """Whether the body says of what it left out what is true."""
    names = sorted({*expected.omissible, *body.omitted})
    pairs = [(name, expected.omissible.get(name, 0), body.omitted.get(name, 0)) for name in names]
    return [Problem(codes.OMITTED, f"{name}: expected {count}, found {said}") for name, count, said in pairs if count != said]


# --- once per file ------------------------------------------------------------------------------


def prove_file(
    view: View,
    body: Body,
    files: Sequence[OutputFile],
    edition: Edition,
    place: Place,
    bundle: Sequence[OutputFile] = (),
    withheld: Withheld = NOTHING,
) -> list[Finding]:
    """Reads what stands around a body in a finished file: the body whole, every notice once, exact and visible, no request
    to another host, nothing named that is `withheld` from the site. `files[0]` is the main file; `bundle` are files of the
    bundle that pages refer to (style sheets, logos). Where the body is not found verbatim, the whole file is read and compared
    with the view. [] = proven. Raises UsageError for an unknown media type."""
    reader = _reader(place)
    problems = _media_type(files[0], place)
    try:
        inner = _inner(reader, body, view, place)
        finished = Finished(tuple(files), body, inner, view, edition, place, tuple(bundle))
        reading = reader.file(finished)
    except Unreadable as error:
        return _findings([*problems, Problem(codes.UNREADABLE, str(error))], view, place, edition)
    problems += [*reading.problems, *frame.check(finished, reading), *_leaked(finished, reading, withheld)]
    found = _findings(problems, view, place, edition)
    if reading.whole:
        compared = _whole(reader, inner, reading, view, place)
        found += [_said(finding, view, place, edition) for finding in compared]
    return found


def _leaked(finished: Finished, reading: Reading, withheld: Withheld) -> Iterator[Problem]:
    around = [*reading.said, *(("address", file.path) for file in finished.files)]
    said = [around] if reading.whole else [finished.inner.said, around]
    own = partial(leaks.own_words, finished.edition, finished.inner)
    yield from leaks.problems(said, finished.files[0].path, withheld, own)


def prove_bundle(
    files: Sequence[OutputFile], partner: str, rows: Iterable[Row] = (), withheld: Withheld = NOTHING
) -> list[Finding]:
    """Reads the files of the whole bundle, which no topic owns: nothing in them runs, asks another host, or names what is
    `withheld` from the site; what its `rows` say of themselves is theirs to say. [] = proven."""
    own = cache(partial(leaks.words_of_rows, rows))
    found = [*shelf.problems(files), *((file.path, p) for file in files for p in shelf.leaked(file, withheld, own))]
    return [problem.code.at(path, 0, problem.text, partner=partner) for path, problem in found]


def prove_record(file: OutputFile, editions: Mapping[str, Edition], withheld: Withheld = NOTHING) -> list[Finding]:
    """Reads a rights record (`rights.json`) back: it says of the edition what the edition is, and every notice, and names nothing
    that is `withheld` from the site. `editions` are the topic's by format. [] = proven."""
    edition = next(iter(editions.values()))
    m = edition.metadata
    found = [p.code.at(m.file, m.line, p.text, partner=edition.site.partner) for p in record.problems(file, editions, withheld)]
    return [finding.of(f"{m.id} {m.language}", m.owner) for finding in dict.fromkeys(found)]


def _whole(reader: Reader, inner: Reading, reading: Reading, view: View, place: Place) -> list[Finding]:
    """A page whose template rewrote the body: it must show all that the body, proven before, shows."""
    if not reader.PICTURES:
        expected = expectations(view, place).blocks
        return cast(WordsReader, reader).compare(expected, reading.blocks, inside=True)
    lines = {block.text: block for block in expectations(view, place).blocks}
    known = [lines.get(block.text, block) for block in inner.blocks]
    blocks = [
        block._replace(line=there.line, file=there.file, kind="word" if there.kind == "word" else block.kind)
        for block, there in zip(inner.blocks, known, strict=True)
    ]
    return [
        *compare(blocks, reading.blocks, reader.ASPECTS, frozenset(), inside=True),
        *same_pictures(inner.pictures, reading.pictures),
        *same_links(inner.links, reading.links),
    ]


def _media_type(main: OutputFile, place: Place) -> list[Problem]:
    if main.media_type == place.media_type:
        return []
    return [Problem(codes.UNREADABLE, f"{main.path}: expected {place.media_type}, found {main.media_type}")]


# --- findings -----------------------------------------------------------------------------------


def _findings(problems: Iterable[Problem], view: View, place: Place, edition: Edition | None = None) -> list[Finding]:
    metadata = view.topic.metadata
    unique = dict.fromkeys(problems)
    return [_said(p.code.at(metadata.file, metadata.line, p.text), view, place, edition) for p in unique]


def _said(finding: Finding, view: View, place: Place, edition: Edition | None = None) -> Finding:
    """The finding, said of the topic, its format and (where it is about a site's file) the partner."""
    metadata = view.topic.metadata
    partner = edition.site.partner if edition else ""
    said = replace(finding, text=f"{place.format}: {finding.text}", partner=partner)
    return said.of(f"{metadata.id} {metadata.language}", metadata.owner)
