"""Nothing leaked: a finished file does not name what its site does not have.

In: what a file says (`_mentions.py`), and what the site does not have. Out: problems. Looked for are ids and folders of topics,
files, digests and alternative texts of pictures, in addresses, ids and values of metadata; and titles, as the whole text of a
link. Words in running text do not count, nor does what the topic itself says as its own: a keyword may be a withheld topic's
title.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import islice, pairwise
from typing import Final
from urllib.parse import unquote

from pipeline.audit import _codes as codes
from pipeline.audit._compare import visible_signs
from pipeline.audit._frame import resolved
from pipeline.audit._markup import clean, scheme
from pipeline.audit._mentions import Said
from pipeline.audit._reading import Problem, Reading, fold, names
from pipeline.contracts import Edition, Row

_SPLIT: Final = re.compile(r"[/#?&=,\s]+")
_PATH: Final = re.compile("[^?#]+")
_ENDING: Final = re.compile(r"\.[a-z]{2,5}[0-9]?$")  # of a file's name; an id may have points of its own
_ANCHOR: Final = re.compile(r"syn-(.{1,200}?)--")  # no id is longer


@dataclass(frozen=True)
class Withheld:
    """What a site does not have. `ids` of topics that it has in no language; `folders` (`<lang>/<id>`) and `titles` (white space
    folded) of topics, unless it has another one of that title; `files`: names and digests of pictures; `alts`: their
    alternative texts. `template` is the site's link template, `authored` the texts that authors gave to
    links and abbreviations of the topic."""

    ids: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    alts: frozenset[str] = frozenset()
    template: str = ""
    authored: frozenset[str] = field(default=frozenset(), compare=False)

    @cached_property
    def all(self) -> frozenset[str]:
        """Everything that can be recognised."""
        return self.ids | self.folders | self.titles | self.files | self.alts

    def with_pictures(self, files: Iterable[str], alts: Iterable[str], authored: Iterable[str] = ()) -> Withheld:
        """The same, without these pictures of one topic."""
        made = replace(self, files=frozenset(files), alts=frozenset(filter(None, map(fold, alts))), authored=frozenset(authored))
        own = made.files | made.alts
        for name in ("all", "names"):  # tens of thousands of names are not joined anew for each topic
            made.__dict__[name] = getattr(self, name) | own if own else getattr(self, name)
        return made

    def is_title(self, text: str) -> bool:
        """Whether a text is the title of such a topic, and no words that an author wrote."""
        return text in self.titles and text not in self.authored

    @cached_property
    def names(self) -> frozenset[str]:
        """As `all`, with the id alone of each folder: what must stand by itself somewhere in a text that names any of these."""
        return self.all | {folder.rpartition("/")[2] for folder in self.folders}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of all of it."""
        return sha256("\n".join(sorted(self.all)).encode()).hexdigest()


NOTHING: Final = Withheld()


def problems(
    said: Iterable[Sequence[Said]], source: str, withheld: Withheld, own: Callable[[], Collection[str]]
) -> Iterator[Problem]:
    """Whatever of `said` names something withheld. `said` is in parts of any size; of one that is a tuple it is remembered what
    it says. `source` is the path of the file that says it. `own` gives what the topic, its site or the rows of a bundle say of
    themselves; it is asked where there is a doubt alone."""
    known: Collection[str] | None = None
    if not withheld.all:
        return
    folder = posixpath.dirname(source) + "/"  # all that an address is relative to: formats of a topic share what was found
    plain = _nowhere(_glance((("address", source), ("address", withheld.template))), withheld)
    for part in said:
        if plain and _nowhere(_known_glance(part) if isinstance(part, tuple) else _glance(part), withheld):
            continue
        for kind, text in part:
            found = _tokens(kind, text, folder if kind == "address" and text[:1] != "#" else "", withheld.template)
            if withheld.all.isdisjoint(found):
                continue
            if known is None:
                known = own()
            if what := _named(kind, text, found, withheld, known):
                yield Problem(codes.LEAK, f'{kind} "{visible_signs(text[:200])}" names {what}, which this site does not have')


def in_parts(said: Iterable[Said]) -> Iterator[list[Said]]:
    """A catalog of ten thousand topics says a quarter of a million things; they are looked at some thousand at a time."""
    left = iter(said)
    while part := list(islice(left, 5000)):
        yield part


def _nowhere(parts: frozenset[str] | None, withheld: Withheld) -> bool:
    """Whether it is plain at a glance that nothing withheld is named: no text, and no part of one, is a name."""
    return parts is not None and withheld.names.isdisjoint(parts)


def _glance(said: Sequence[Said]) -> frozenset[str] | None:
    """All texts and parts of texts in which a name would stand by itself; None where some text would hold it in other signs."""
    texts = [text for _, text in said]
    joined = _BETWEEN.join(["", *texts, ""])
    # What `_tokens` undoes or folds before it looks: with these in it, a text does not hold the name as it is written.
    if not joined.isprintable() or any(sign in joined for sign in _REWRITTEN):
        return None
    split = _BETWEEN.join([text for kind, text in said if " " not in text or kind in ("address", "id")])
    parts = set(_PARTS.split(split))
    parts.update([_ENDING.sub("", part) for part in parts if "." in part])
    parts.update(_ANCHOR.findall(split) if "syn-" in split else ())
    parts.update(texts)
    return frozenset(parts)


_known_glance = lru_cache(maxsize=64)(_glance)  # what a topic's body says, every site's files say

_BETWEEN: Final = "\u2400"  # a sign that can be printed, and that no name holds
_PARTS: Final = re.compile(f"[/#?&=,\\s{_BETWEEN}]+")
_REWRITTEN: Final = ("%", "\\", "  ", f" {_BETWEEN}", f"{_BETWEEN} ")


def _named(kind: str, text: str, found: frozenset[str], withheld: Withheld, own: Collection[str]) -> str:
    whole = fold(text)
    if kind == "entry":
        return f"the topic {whole!r}" if withheld.is_title(whole) and whole not in own else ""
    if kind == "value" and whole in own:
        return ""
    if files := sorted(found & withheld.files):
        return f"the picture {files[0]!r}"
    if places := sorted(found & (withheld.folders | withheld.ids)):
        return f"the topic {places[0]!r}"
    if kind == "value" and withheld.is_title(whole):
        return f"the topic {whole!r}"
    return f"the picture {whole!r}" if kind == "value" and whole in withheld.alts else ""


@lru_cache(maxsize=8192)
def _tokens(kind: str, text: str, source: str, template: str) -> frozenset[str]:
    """What of a text could be a name: all of it, and of an address inside the bundle (or by the site's template) its parts."""
    whole = clean(text) if kind == "address" else fold(text)
    if kind == "entry" or (kind == "value" and " " in whole):
        return frozenset([whole])
    place = _inside(whole, source, template)
    if place is None:
        return frozenset([whole])
    parts = [part for part in _SPLIT.split(unquote(place)) if part]
    anchors = [anchor[1] for part in parts if (anchor := _ANCHOR.match(part))]
    pairs = [f"{one}/{two}" for one, two in pairwise(parts)]
    if kind == "value" and not whole.startswith(("/", "./", "../")):  # words with a stroke between them are no path yet
        return frozenset([whole, *anchors, *pairs, *parts[-1:]] if len(parts) > 1 else [whole, *anchors])
    turned = [f"{two}/{one}" for one, two in pairwise(parts)] if kind == "id" else []  # "<id> <language>"
    stems = [_ENDING.sub("", part) for part in parts]
    return frozenset([whole, *parts, *stems, *anchors, *pairs, *turned])


def _inside(text: str, source: str, template: str) -> str | None:
    """The part of an address that names places of ours; None of one that leads to another host: its paths are its own."""
    before = template.partition("{")[0]
    if before and text.startswith(before):
        return text.removeprefix(before)
    if scheme(text) or text.startswith("//"):
        return None
    if not source:
        return text
    path = _PATH.match(text)
    return resolved(source, path[0]) + text[path.end() :] if path else text


# Words of our files and of the standards that they follow; a topic may have such an id or title.
_TERMS: Final = names(
    """ltr rtl topic external reserved allowed none noindex all free production evaluation adapt translate active in-review
    withdrawn textual visual unknown aut rev tableOfContents structuralNavigation readingOrder displayTransformability ARIA
    alternativeText MathML"""
)


def edition_values(edition: Edition) -> Iterator[str]:
    """What title, names, dates and notices of an edition say."""
    m = edition.metadata
    yield from (m.title, m.summary, m.url, *m.also_called, *m.keywords, m.version)
    yield from (str(day) for day in (m.created, m.modified, m.current_as_of, m.review_due, m.go_live, m.expires) if day)
    people = [*m.authors, *(review.person for review in m.reviews)]
    yield from (text for p in people for text in (p.printed(), p.name, p.specialty, p.credentials))
    yield from (text for code in m.codes for text in (code.code, code.display))
    yield from (text for notice in edition.notices for text in (*notice.lines, notice.text, notice.printed))
    yield from (text for other in edition.translations for text in (other.title,))
    yield from (mark.text for mark in edition.marks)


def own_words(edition: Edition, inner: Reading) -> frozenset[str]:
    """Everything that an edition says of its own topic and site, and the headings and pictures of its text."""
    m, site = edition.metadata, edition.site
    texts = [*edition_values(edition), *m.collections, *m.audiences, *m.territories, *m.source_rights]
    texts += [m.id, m.concept, m.kind, m.setting, m.status, m.reading_level, m.language, site.name, site.id, site.partner]
    texts += [edition.publisher.name, edition.publisher.id, edition.license.agreement, edition.license.clause, *edition.formats]
    texts += [text for person in (*m.authors, *(review.person for review in m.reviews)) for text in (person.name, person.role)]
    texts += [*_TERMS, *(mark.kind for mark in edition.marks), *(notice.kind for notice in edition.notices)]
    texts += [block.text for block in inner.blocks if block.kind == "heading"]
    texts += [picture.alt for picture in inner.pictures]
    return frozenset(map(fold, texts))


def words_of_rows(rows: Iterable[Row]) -> frozenset[str]:
    """Everything that the rows of a release say of their topics."""
    found: set[str] = set()
    for row in rows:
        found.update((row.id, row.title, row.concept, row.summary, row.kind, row.version, *row.also_called, *row.collections))
        found.update((*row.audiences, *row.territories, *(text for code in row.codes for text in code.values())))
    return frozenset(map(fold, found)) | _TERMS
