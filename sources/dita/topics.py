"""Topics before their bodies are read: metadata, what they use, what is in them.

In: a parsed file, the maps' facts. Out: for each topic a `Draft`, and its metadata once the maps are known. Keys in a
title are written out here, for license rules decide on metadata before any body is read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from lxml import etree

from pipeline.contracts import Files, Unit
from pipeline.findings import Finding
from pipeline.topic import Metadata, plain
from sources.dita import codes
from sources.dita.body import HANDLERS
from sources.dita.documents import language, language_tag, roots, topic_of
from sources.dita.flow import Item, add_all, fold, words
from sources.dita.keys import KeySpace
from sources.dita.links import keyed
from sources.dita.metadata import Facts, Prolog, shared_formats, unique
from sources.dita.model import Copy, Data
from sources.dita.names import child, children, is_a, names
from sources.dita.places import Ref, refer
from sources.dita.reuse import Origin, Resolver, local, pushes
from sources.dita.writer import Writer

_TAKEN_IN: Final = ("image", "coderef", "include", "svgref", "mathmlref")  # their href names a file that becomes part of the text
_KINDS: Final = ("glossentry", "glossgroup", "troubleshooting", "concept", "task", "reference", "topic")


@dataclass(slots=True)
class Draft:
    """What a topic's mark-up says without maps: its place, and everything that it refers to."""

    unit: Unit
    id: str
    line: int
    topics: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # of reused text
    images: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    reuse_keys: tuple[str, ...] = ()
    pushed: tuple[tuple[int, str, Ref | None, str, int], ...] = ()
    source: Unit | None = None  # of a copy: the original
    copy: Copy | None = None
    places: tuple[tuple[str, str], ...] = ()  # every way in which a map may name it: by its file, or by any topic in it


def drafts(root: etree._Element, file: str) -> Iterator[Draft]:
    """Every topic of a file, before its metadata."""
    for unit, topic in units(root, file):
        yield _draft(topic, unit, root)


def units(root: etree._Element, file: str) -> Iterator[tuple[Unit, etree._Element]]:
    """Every topic of a file and where it is: the root, or each child of `<dita>`."""
    alone = is_a(root, "topic")
    taken: set[str] = set()
    for number, topic in enumerate(roots(root), start=1):
        part = "" if alone else topic.get("id") or f"topic-{number}"
        while part in taken:
            part += f"-{number}"
        taken.add(part)
        yield Unit(file, part), topic


def _draft(topic: etree._Element, unit: Unit, root: etree._Element) -> Draft:
    nested, definitions, files, images, keys, reuse_keys = [], [], [], [], [], []
    for one in topic.iter("*"):
        attributes = one.attrib
        if is_a(one, "topic"):
            nested.append(attributes.get("id") or "")
            definitions += [attributes.get("id") or ""] if is_a(one, "glossentry") else []
        if not attributes:
            continue
        for name in ("conref", "conrefend"):
            if name in attributes and "conaction" not in attributes:
                files.append(refer(attributes[name], unit.file).file)
        if "conkeyref" in attributes:
            reuse_keys.append(attributes["conkeyref"].partition("/")[0])
        if "keyref" in attributes:
            keys.append(attributes["keyref"].partition("/")[0])
        if "href" in attributes and any(is_a(one, name) for name in _TAKEN_IN):
            images.append(refer(attributes["href"], unit.file, attributes.get("scope") or "").file)
    return Draft(
        unit=unit,
        id=topic.get("id") or "",
        line=topic.sourceline or 0,
        topics=tuple(nested),
        definitions=tuple(definitions),
        files=unique(one for one in files if one and one != unit.file),
        images=unique(one for one in images if one),
        keys=unique(keys),
        reuse_keys=unique(reuse_keys),
        pushed=tuple(_pushed(root, unit)) if unit.part == "" or topic.getprevious() is None else (),
        places=((unit.file, ""), *((unit.file, name) for name in nested if name)),
    )


def _pushed(root: etree._Element, unit: Unit) -> Iterator[tuple[int, str, Ref | None, str, int]]:
    """(number, action, place, key, line) of everything that a file pushes elsewhere; said once a file, by its first topic."""
    for number, action, mark in pushes(root):
        owner = topic_of(mark)
        origin = Origin(unit.file, (owner.get("id") or "") if owner is not None else "")
        href, key = mark.get("conref"), mark.get("conkeyref") or ""
        yield number, action, local(refer(href, unit.file), origin) if href else None, key, mark.sourceline or 0


@dataclass(slots=True)
class Described:
    """A topic's metadata, whether its id is meant for the world, and findings."""

    metadata: Metadata
    public: bool
    findings: list[Finding] = field(default_factory=list)


_PARTS: Final = {
    "title": ("title",),
    "alternatives": ("titlealts",),
    "summary": ("shortdesc", "abstract"),
    "prolog": ("prolog",),
}


def describe(topic: etree._Element, draft: Draft, files: Files, data: Data, scopes: tuple[int, ...], facts: Facts) -> Described:
    """The metadata of a topic; `facts` are what the maps say of it."""
    file = draft.unit.file
    resolver = Resolver(files, data, KeySpace(data, scopes))
    writer = Writer(resolver, data, {}, draft.unit, "", HANDLERS)
    parts = {name: _resolved(resolver, child(topic, *kinds), file) for name, kinds in _PARTS.items()}

    def say(element: etree._Element | None) -> str:
        return _text(writer, element) if element is not None else ""

    prolog = Prolog(parts["prolog"], lambda one: resolver.place(one, file), say)
    title, topic_id, public = say(parts["title"]), prolog.public_id() or draft.id, bool(prolog.value("topic-id"))
    copy = draft.copy
    if copy is not None:
        title = say(resolver.fragment(copy.title, copy.file, copy.line)) or title
        topic_id, public = copy.id or copy.named(topic_id), copy.public
        parts["summary"] = resolver.fragment(copy.summary, copy.file, copy.line) if copy.summary else parts["summary"]
    base = _from_prolog(prolog, Metadata(id=topic_id, language="", title=title), facts)
    findings = [*writer.all_findings(), *prolog.findings, *_remarks(topic, draft, title, base)]
    view = prolog.view() or facts.view
    if view in ("internal", "classified"):
        findings.append(codes.PERMISSIONS.at(file, draft.line, f"<{names(topic)[0]} id={draft.id!r}> has the view {view!r}"))
    made = replace(
        base,
        language=language_tag(language(topic)) or facts.language,
        id=base.id or posixpath.splitext(posixpath.basename(file))[0],
        summary=say(_summary(parts["summary"])),  # what is wrong in it, `read` says
        also_called=unique((*prolog.listed("also-called"), *_other_names(topic, parts["alternatives"], prolog, say, title))),
        kind=prolog.value("kind") or next(kind for kind in names(topic) if kind in _KINDS),
        audiences=unique((*base.audiences, *data.filter.audiences(topic))),
        formats=shared_formats(base.formats, tuple(data.filter.formats(topic)[0])),
        keywords=unique((*prolog.keywords(), *_index_terms(topic, data))),
        current_as_of=base.current_as_of or base.modified,
        file=file,
        line=draft.line,
    )
    return Described(made, public, list(dict.fromkeys(findings)))


def _from_prolog(prolog: Prolog, base: Metadata, facts: Facts) -> Metadata:
    return replace(
        base,
        version=prolog.version() or facts.version,
        concept=prolog.value("concept"),
        url=prolog.value("url"),
        setting=prolog.setting() or facts.setting,
        audiences=unique((*facts.audiences, *prolog.audiences())),
        formats=facts.formats,
        territories=unique((*facts.territories, *prolog.listed("territory"))),
        collections=facts.collections or prolog.collections(),
        codes=prolog.clinical_codes(),
        created=prolog.created(),
        modified=prolog.modified(),
        current_as_of=prolog.day("current-as-of"),
        review_due=prolog.day("review-due") or facts.review_due,
        go_live=prolog.go_live() or facts.go_live,
        expires=prolog.expires() or facts.expires,
        status=prolog.status(),
        authors=prolog.authors() or facts.authors,
        reviews=prolog.reviews(),
        translation=prolog.translation(),
        corrections=prolog.corrections(),
        copyright=prolog.copyright() or facts.copyright,
        source_rights=unique((*facts.source_rights, *prolog.values("source-rights"))),
        companions=prolog.companions(),
        reading_level=prolog.reading_level(),
        owner=prolog.value("owner") or facts.owner,
    )


def _remarks(topic: etree._Element, draft: Draft, title: str, made: Metadata) -> Iterator[Finding]:
    file, line = draft.unit.file, draft.line
    if not draft.id:
        yield codes.NO_ID.at(file, line, f"<{names(topic)[0]}> has no id")
    if not title:
        yield codes.NO_TITLE.at(file, line, f"<{names(topic)[0]} id={draft.id!r}> has no title")
    if topic.get("importance") in ("obsolete", "deprecated") and made.status == "active":
        yield codes.OBSOLETE.at(file, line, f"<{names(topic)[0]} id={draft.id!r}> has importance={topic.get('importance')!r}")
    stated = language(topic)
    if stated and not language_tag(stated):
        yield codes.LANGUAGE.at(file, line, f"xml:lang={stated!r}")
    if made.current_as_of is None and made.modified is not None:
        yield codes.NOT_REVIEWED.at(file, line, f"no current-as-of; {made.modified.isoformat()} (last revised) stands in for it")


def _resolved(resolver: Resolver, element: etree._Element | None, file: str) -> etree._Element | None:
    return resolver.copied(element, file) if element is not None and not resolver.data.filter.excludes(element) else None


def _text(writer: Writer, element: etree._Element) -> str:
    """An element's words on one line, keys written out."""
    if not len(element) and not element.get("keyref"):
        return " ".join((element.text or "").split())
    made = etree.Element("p")
    add_all(made, writer.there(element, _words))
    fold(made)
    return plain(made)


def _words(writer: Writer, element: etree._Element) -> list[Item]:
    items = writer.words(element)
    return words(keyed(writer, element, items)) if element.get("keyref") else items


def _summary(element: etree._Element | None) -> etree._Element | None:
    """The shortdesc; of an abstract, the shortdesc in it where there is one."""
    if element is None or is_a(element, "shortdesc"):
        return element
    inner = next((one for one in element.iter("*") if is_a(one, "shortdesc")), None)
    return inner if inner is not None else element


def _other_names(
    topic: etree._Element,
    alternatives: etree._Element | None,
    prolog: Prolog,
    say: Callable[[etree._Element | None], str],
    title: str,
) -> Iterator[str]:
    """What else a topic is called: its search titles (in DITA 2.0 in the prolog); other forms of the term of a glossary entry."""
    found = [*(children(alternatives, "searchtitle") if alternatives is not None else ()), *prolog.search_titles()]
    if is_a(topic, "glossentry"):
        forms = ("glossSurfaceForm", "glossAcronym", "glossAbbreviation", "glossShortForm", "glossSynonym")
        found += [one for one in topic.iter("*") if any(name in forms for name in names(one))]
    for one in found:
        name = say(one)
        if name and name != title:
            yield name


def _index_terms(topic: etree._Element, data: Data) -> Iterator[str]:
    """The words of the index terms anywhere in a topic; an inner term by itself."""
    for one in topic.iter("indexterm"):
        if not data.filter.excludes(one):
            text = " ".join("".join(_own_words(one)).split())
            if text:
                yield text


def _own_words(term: etree._Element) -> Iterator[str]:
    yield term.text or ""
    for one in term:
        if isinstance(one.tag, str) and not is_a(one, "indexterm") and not is_a(one, "index-base"):
            yield "".join(one.itertext())
        yield one.tail or ""
