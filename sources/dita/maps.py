"""One map file: what stands in it, without its tree.

In: a map's root element. Out: `MapFile`, whose nodes are references, groups and relationship tables, with what
cascades in a map worked in. Specification: DITA 1.3, DITA maps, cascading of metadata attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from lxml import etree

from pipeline.contracts import Files
from pipeline.findings import Finding
from pipeline.topic import XML_LANG
from pipeline.trees import remove
from sources.dita import codes
from sources.dita.conditions import ATTRIBUTES, Filter, no_format, printing
from sources.dita.documents import language_tag
from sources.dita.keys import KeySpace
from sources.dita.metadata import NO_FACTS, Facts, Prolog, shared_formats
from sources.dita.model import Copy, Data, Renaming
from sources.dita.names import child, children, is_a, names
from sources.dita.places import Ref, refer
from sources.dita.reuse import Resolver
from sources.dita.schemes import Scheme, scheme

NO_TOPICS: Final = frozenset(
    {"subjectdef", "subjectHead", "enumerationdef", "topicsubject", "topicapply", "subjectref", "schemeref", "ditavalref"}
)


_SAYING: Final = ("audience", "deliveryTarget", "print", XML_LANG)  # attributes that say something of what is below
NO_COPY: Final = Copy("", "", 0)


@dataclass(slots=True)
class Node:
    """One element of a map: a reference, a group, a part of a relationship table."""

    kind: str
    line: int
    id: str = ""
    ref: Ref | None = None
    href: str = ""
    keyref: str = ""
    keys: tuple[str, ...] = ()
    keyscope: tuple[str, ...] = ()
    role: str = ""
    format: str = ""
    scope: str = ""
    linking: str = ""
    collection_type: str = ""
    copy: Copy = NO_COPY
    excluded: bool = False
    conditions: Mapping[str, str] = field(default_factory=dict)
    filters: tuple[Renaming, ...] = ()  # DITAVALs for this branch alone; for each of several there is a branch
    facts: Facts = NO_FACTS
    keyword: str = ""
    linktext: str = ""
    navtitle: str = ""
    children: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class MapFile:
    """One map file."""

    file: str
    root: Node
    scheme: Scheme | None = None


def map_file(root: etree._Element, file: str, files: Files, decisions: Filter, findings: list[Finding]) -> MapFile:
    """What a map file holds; findings go to `findings`. What `decisions` leave out stays as an excluded node."""
    data = Data()  # of a map's own references nothing is left out, and its keys are not known yet
    resolver = Resolver(files, data, KeySpace(data, ()))
    copied = resolver.copied(root, file)
    reader = _Reader(file, resolver, decisions, findings)
    findings += resolver.findings
    return MapFile(file, reader.node(copied, {}), scheme(root) if is_a(root, "subjectScheme") else None)


class _Reader:
    def __init__(self, file: str, resolver: Resolver, decisions: Filter, findings: list[Finding]) -> None:
        self._file, self._resolver, self._filter, self._findings = file, resolver, decisions, findings

    def node(self, element: etree._Element, inherited: Mapping[str, str]) -> Node:
        kind = _kind(element)
        meta = self._meta(element)
        prolog = self._prolog(meta) if meta is not None else None
        file, line = self._resolver.place(element, self._file)
        values = {**inherited, **self._attributes(element, kind)}
        href = element.get("href") or ""
        made = Node(
            kind=kind,
            line=line,
            id=element.get("id") or "",
            href=href,
            ref=refer(href, file, values.get("scope", "")) if href.strip() else None,
            keyref=element.get("keyref") or "",
            keys=tuple((element.get("keys") or "").split()),
            keyscope=tuple((element.get("keyscope") or "").split()),
            collection_type=element.get("collection-type") or "",
            excluded=self._filter.excludes(element),
            conditions={name: value for name in ATTRIBUTES if (value := element.get(name))},
            filters=tuple(_renaming(one, file) for one in children(element, "ditavalref")),
            facts=self._facts(element, prolog),
            keyword=_keyword(meta),
            linktext=_linktext(meta),
            navtitle=_navtitle(element, meta),
            role=values.get("role", ""),
            format=values.get("format", ""),
            scope=values.get("scope", ""),
            linking=values.get("linking", ""),
        )
        made.copy = _copy(element, meta, prolog, file, made)
        passed_on = {name: value for name, value in values.items() if value != "ditamap"}
        made.children = [self.node(one, passed_on) for one in element if _kind(one)]
        return made

    def _meta(self, element: etree._Element) -> etree._Element | None:
        meta = child(element, "topicmeta")
        if meta is None or self._filter.excludes(meta):
            return None
        for one in [one for one in meta.iterdescendants("*") if self._filter.excludes(one)]:
            remove(one)
        return meta

    def _attributes(self, element: etree._Element, kind: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for field_name, attribute in (
            ("role", "processing-role"),
            ("format", "format"),
            ("scope", "scope"),
            ("linking", "linking"),
        ):
            value = element.get(attribute)
            if value is not None:
                values[field_name] = value.strip()
        if kind == "keydef":
            values.setdefault("role", "resource-only")
        if kind == "mapref":
            values.setdefault("format", "ditamap")
        return values

    def _stated(self, element: etree._Element) -> Facts:
        """What the attributes of a reference say of its topics."""
        (formats, wanted), lang = self._filter.formats(element), element.get(XML_LANG) or ""
        place = self._resolver.place(element, self._file)
        if wanted and not formats:
            self._findings.append(codes.DELIVERY.at(*place, no_format(wanted, self._filter.ours)))
        if lang and not language_tag(lang):
            self._findings.append(codes.LANGUAGE.at(*place, f"xml:lang={lang!r}"))
        return Facts(
            audiences=tuple(self._filter.audiences(element)),
            formats=shared_formats(printing(element.get("print") or "", self._filter.ours), tuple(formats)),
            language=language_tag(lang),
        )

    def _prolog(self, meta: etree._Element) -> Prolog:
        return Prolog(
            meta, lambda one: self._resolver.place(one, self._file), lambda one: " ".join("".join(one.itertext()).split())
        )

    def _facts(self, element: etree._Element, prolog: Prolog | None) -> Facts:
        if prolog is None and not any(name in element.attrib for name in _SAYING):
            return NO_FACTS
        own = self._stated(element)
        if prolog is None:
            return own
        facts = prolog.facts()
        self._findings += prolog.findings
        return facts.within(own)


def _kind(element: etree._Element) -> str:
    """What an element is to us; "" for what is no part of the map's structure."""
    if not isinstance(element.tag, str):
        return ""
    found = names(element)
    for name in ("map", "reltable", "relheader", "relcolspec", "relrow", "relcell", "keydef", "mapref"):
        if name in found:
            return name
    if "topicref" in found:
        return next((name for name in found if name in NO_TOPICS), "topicref")
    return ""


def _keyword(meta: etree._Element | None) -> str:
    """What a key says: DITA 2.0's `keytext`, else the first keyword."""
    stated = child(meta, "keytext") if meta is not None else None
    keywords = child(meta, "keywords") if meta is not None else None
    word = child(keywords, "keyword") if keywords is not None else None
    return _inner(stated) or _inner(word)


def _navtitle(element: etree._Element, meta: etree._Element | None) -> str:
    stated = child(meta, "navtitle") if meta is not None else None
    return _inner(stated) or _titlealt(meta, "navigation") or escape(element.get("navtitle") or "")


def _linktext(meta: etree._Element | None) -> str:
    stated = child(meta, "linktext") if meta is not None else None
    return _inner(stated) or _titlealt(meta, "linking")


def _titlealt(meta: etree._Element | None, role: str) -> str:
    """DITA 2.0's alternative title for a role."""
    found = children(meta, "titlealt") if meta is not None else []
    return next((_inner(one) for one in found if role in (one.get("title-role") or "").split()), "")


def _copy(element: etree._Element, meta: etree._Element | None, prolog: Prolog | None, file: str, made: Node) -> Copy:
    """What the reference makes of its topic, if it makes a copy; the source is known to those who know its key."""
    stated = (element.get("copy-to") or "").strip()
    to = refer(stated, file).file if stated and not stated.startswith("#") else ""
    if meta is None or prolog is None:
        return Copy(to, file, made.line)
    title = made.linktext or (made.navtitle if element.get("locktitle") == "yes" else "")
    public = bool(prolog.value("topic-id"))
    return Copy(to, file, made.line, "", prolog.public_id(), public, title, _inner(child(meta, "shortdesc")))


def _renaming(element: etree._Element, file: str) -> Renaming:
    meta = child(element, "ditavalmeta", "topicmeta")

    def said(name: str) -> str:
        found = child(meta, name) if meta is not None else None
        return "".join(found.itertext()).strip() if found is not None else ""

    return Renaming(refer(element.get("href") or "", file).file, said("dvrResourcePrefix"), said("dvrResourceSuffix"))


def _inner(element: etree._Element | None) -> str:
    """An element's content as XML on its own."""
    if element is None:
        return ""
    parts = [escape(element.text or "", quote=False)]
    parts += [etree.tostring(one, encoding="unicode") for one in element]
    return "".join(parts).strip()


def branch(node: Node, name: str) -> Node | None:
    """The element of that id, the node itself or one in it."""
    if node.id == name:
        return node
    return next((found for one in node.children if (found := branch(one, name))), None)


def is_map(node: Node) -> bool:
    """Whether a reference takes in another map."""
    if node.ref is None or node.ref.url or node.scope in ("peer", "external"):
        return False
    return node.format == "ditamap" or (not node.format and node.ref.file.endswith((".ditamap", ".bookmap")))
