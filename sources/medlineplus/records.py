"""MedlinePlus records of both ages, as values.

In: a feed's bytes. Out: `Feed`: its records in the order of the file, each as it says it, white space folded. What is missing is
empty; what is not known is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, TypeVar

from babel import Locale, UnknownLocaleError
from lxml import etree

from pipeline import xml
from pipeline.findings import Finding
from pipeline.names import language_tag as usual_tag
from pipeline.topic import Code

# By the root's name, where its records are; the last is an answer of MedlinePlus' web service.
FEEDS: Final = {
    "MedicalTopics": "MedicalTopic",
    "health-topics": "health-topic",
    "nlmSearchResult": "list/document/content/health-topic",
}
_T = TypeVar("_T")
MESH: Final = ("http://id.nlm.nih.gov/mesh", "2.16.840.1.113883.6.177")
_OLD: Final = re.compile(
    "ID|MedicalTopicName|URL|FullSummary|DateCreated|Groups|Synonyms|RelatedTopics|LanguageMappedTopicID|SeeReferencesList|MeshHeadingList"
)


@dataclass(frozen=True, slots=True)
class Link:
    """A named address: a related topic, an institute, a site with its categories and those who answer for it."""

    title: str
    url: str = ""
    id: str = ""
    language: str = ""
    line: int = 0
    categories: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One record of either age, as it says it."""

    line: int
    id: str = ""
    title: str = ""
    language: str = ""
    url: str = ""
    summary: str = ""
    summary_line: int = 0
    description: str = ""
    created: str = ""
    mapped: str = ""
    mapped_language: str = ""
    also_called: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    codes: tuple[Code, ...] = ()
    related: tuple[Link, ...] = ()
    beside: tuple[Link, ...] = ()
    sites: tuple[Link, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A file's records, how many it announces, and what is wrong with it as XML."""

    records: tuple[Record, ...] = ()
    announced: str = ""
    findings: tuple[Finding, ...] = ()


def parsed(data: bytes, name: str) -> Feed:
    """The feed in a file's bytes; without records where its findings say why there are none."""
    root, findings = xml.parse(data, name)
    if root is None:
        return Feed(findings=tuple(findings))
    wanted = FEEDS.get(str(root.tag))
    elements = root.findall(wanted) if wanted else [root]
    return Feed(
        tuple(_record_of_2011(element) if element.tag == "MedicalTopic" else _record_of_2012(element) for element in elements),
        root.get("total", ""),
        tuple(findings),
    )


def _record_of_2012(element: etree._Element) -> Record:
    """A record of 2012 and later."""
    found: dict[str, list[etree._Element]] = {}
    for child in element.iterchildren(etree.Element):
        found.setdefault(str(child.tag), []).append(child)

    def take(tag: str) -> list[etree._Element]:
        return found.pop(tag, [])  # what is left in the end is unknown

    summary, mapped = _first(take("full-summary")), _first(take("language-mapped-topic"))
    record = Record(
        line=element.sourceline or 0,
        id=element.get("id", "").strip(),
        title=_folded(element.get("title")),
        language=_folded(element.get("language")),
        url=element.get("url", "").strip(),
        summary=_inner(summary),
        summary_line=_line(summary),
        description=_folded(element.get("meta-desc")),
        created=element.get("date-created", "").strip(),
        mapped=_folded(mapped.get("id")) if mapped is not None else "",
        mapped_language=_folded(mapped.get("language")) if mapped is not None else "",
        also_called=_texts(take("also-called")),
        see=_texts(take("see-reference")),
        groups=tuple((group.get("id", "").strip(), _text(group)) for group in take("group")),
        codes=unique(
            code for heading in take("mesh-heading") for code in _mesh(_ids(heading, "descriptor"), _ids(heading, "qualifier"))
        ),
        related=tuple(
            Link(_text(one), one.get("url", ""), one.get("id", "").strip(), line=_line(one)) for one in take("related-topic")
        ),
        beside=(
            *(Link(_text(one), one.get("url", ""), line=_line(one)) for one in take("primary-institute")),
            *(_other_language(one) for one in take("other-language")),
        ),
        sites=tuple(_site(one) for one in take("site")),
    )
    return replace(record, unknown=tuple(str(child.tag) for children in found.values() for child in children))


def _other_language(element: etree._Element) -> Link:
    title, code = element.get("vernacular-name", "").strip(), language_tag(_text(element))
    return Link(title or _text(element), element.get("url", ""), language=code if title else "", line=_line(element))


def _site(element: etree._Element) -> Link:
    return Link(
        _folded(element.get("title")),
        element.get("url", ""),
        line=_line(element),
        categories=_texts(element.findall("information-category")),
        owners=_texts(element.findall("organization") + element.findall("standard-description")),
    )


def _record_of_2011(element: etree._Element) -> Record:
    """A record of 2011 and before."""
    created = element.find("DateCreated")
    headings = element.findall("MeshHeadingList/MeshHeading") + element.findall(
        "SeeReferencesList/SeeReference/MeshHeadingList/MeshHeading"
    )
    codes = (_mesh(_pairs(one, "Descriptor"), _pairs(one, "Qualifier")) for one in headings)
    return Record(
        line=element.sourceline or 0,
        id=_folded(element.findtext("ID")) or element.get("ID", "").strip().removeprefix("T"),
        title=_folded(element.findtext("MedicalTopicName")),
        language=_folded(element.get("langcode")),
        url=_folded(element.findtext("URL")),
        summary=_inner(element.find("FullSummary")),
        summary_line=_line(element.find("FullSummary")),
        created="" if created is None else "/".join(_folded(created.findtext(part)) for part in ("Month", "Day", "Year")),
        mapped=_folded(element.findtext("LanguageMappedTopicID")).removeprefix("T"),
        also_called=_texts(element.findall("Synonyms/Synonym")),
        see=_texts(element.findall("SeeReferencesList/SeeReference/SeeRefName")),
        groups=tuple(
            (_folded(one.findtext("GroupID")), _folded(one.findtext("GroupName"))) for one in element.findall("Groups/Group")
        ),
        codes=unique(code for found in codes for code in found),
        related=tuple(
            Link("", id=one.get("IDREF", "").strip().removeprefix("T"), line=_line(one))
            for one in element.findall("RelatedTopics/RelatedTopic")
        ),
        unknown=tuple(str(child.tag) for child in element.iterchildren(etree.Element) if not _OLD.fullmatch(str(child.tag))),
    )


def _mesh(descriptors: Sequence[tuple[str, str]], qualifiers: Sequence[tuple[str, str]]) -> Iterator[Code]:
    """A heading's codes, as MeSH writes them: D012345 alone, or D012345Q000123 for each qualifier."""
    for code, name in descriptors:
        for qualifier, said in qualifiers or [("", "")]:
            if code:
                yield Code(code=code + qualifier, system=MESH[0], oid=MESH[1], display=f"{name}/{said}" if said else name)


def _ids(heading: etree._Element, tag: str) -> list[tuple[str, str]]:
    return [(one.get("id", "").strip(), _text(one)) for one in heading.findall(tag)]


def _pairs(heading: etree._Element, tag: str) -> list[tuple[str, str]]:
    return [(_folded(one.findtext(f"{tag}UI")), _folded(one.findtext(f"{tag}Name"))) for one in heading.iter(tag)]


def _folded(text: str | None) -> str:
    return " ".join((text or "").split())


def _text(element: etree._Element) -> str:
    return _folded("".join(element.itertext(etree.Element)) if len(element) else element.text)


def _texts(elements: Sequence[etree._Element]) -> tuple[str, ...]:
    return unique(text for element in elements if (text := _text(element)))


def unique(values: Iterable[_T]) -> tuple[_T, ...]:
    """The values, each once, in their order."""
    return tuple(dict.fromkeys(values))


def _first(elements: Sequence[etree._Element]) -> etree._Element | None:
    return elements[0] if elements else None


def _line(element: etree._Element | None) -> int:
    return (element.sourceline or 0) if element is not None else 0


def _inner(element: etree._Element | None) -> str:
    """A summary's HTML: escaped text, as the feeds have it, or elements, where a tool unescaped it."""
    if element is None:
        return ""
    children = (etree.tostring(child, encoding="unicode") for child in element)
    return (element.text or "") + "".join(children)


@cache
def language_tag(name: str) -> str:
    """The BCP 47 tag of a language's English name, or of a tag; "" where there is none."""
    if name.lower() in _names():
        return _names()[name.lower()]
    try:
        return usual_tag(str(Locale.parse(name, sep="-")).replace("_", "-"))
    except (UnknownLocaleError, ValueError, TypeError):
        return ""


@cache
def _names() -> Mapping[str, str]:
    codes = Locale("en").languages
    return {str(said).lower(): code.replace("_", "-") for code, said in sorted(codes.items(), reverse=True)}
