"""NLM MedlinePlus health topics: feeds of both ages of the schema, summaries as escaped HTML.

In: `MedicalTopics/MedicalTopic` (to 2011) and `health-topics/health-topic` (2012 on), one record alone as a root, or an
answer of the web service (`nlmSearchResult`).
Out: one topic for each record. What stands where:

- id: NLM's number, public. Concept: the English side's number, so that both languages share it even where a feed has one side.
- collections: `group-<number>` (the same in every language) and the slug of the group's name.
- keywords: see-references. Codes: MeSH, a descriptor with each of its qualifiers.
- copyright, review dates: not in the feeds, not invented.
- text: the summary; `section data-kind="related"`; `section data-kind="links"` with the sites, one section for each information
  category, and the primary institute and other languages before them. A site's address in another language is not taken:
  it belongs to that language's topic.
- an attribution below the summary is a source right (see `_html.convert`).

Specification: https://medlineplus.gov/xmldescription.html and the DTDs of its feeds.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from pipeline.contracts import Conditions, Entry, Files, Head, Index, Read, Unit
from pipeline.findings import Finding, error, warning
from pipeline.topic import Metadata, Topic, slug
from sources._blocks import new
from sources._html import Html, absolute, convert
from sources.medlineplus.records import FEEDS, Feed, Link, Record, language_tag, parsed, unique

RECORD = error(
    "medlineplus.record", "A health topic lacks what a topic can not do without.", "Have NLM's record completed, or take it out."
)
LANGUAGE = error(
    "medlineplus.language", "A health topic's language is none that is known.", "Correct the language's English name."
)
CHANGED = error("medlineplus.changed", "A feed was changed while it was being read.", "Run again when the feed is whole.")
DATE = warning("medlineplus.date", "A date is none; the topic goes without it.", "Correct the date.")
COUNT = warning(
    "medlineplus.count", "A feed does not hold as many topics as it announces.", "Fetch the feed again, if it should be whole."
)
UNKNOWN = warning(
    "medlineplus.unknown-element", "A record holds an element that is not known; it was not read.", "Report the element to us."
)
RELATED = warning(
    "medlineplus.related-missing", "A related topic is not in the feed, and has no name.", "Add the topic, or take the link out."
)
ADDRESS = warning("medlineplus.address", "An address can not be followed; its text was kept.", "Correct the address.")

_FEEDS_KEPT: Final = 2


@dataclass(frozen=True, slots=True)
class _Data:
    """What links need: each feed's hash, and the units by id and by address."""

    digests: Mapping[str, str] = field(default_factory=dict)
    by_id: Mapping[str, Unit] = field(default_factory=dict)
    by_url: Mapping[str, Unit] = field(default_factory=dict)


# The feeds that this process read last, by name and hash: topics are read one by one, feeds are parsed once.
_FEEDS: dict[tuple[str, str], Feed] = {}


def claims(head: Head) -> bool:
    """Feeds of both ages, and records alone."""
    return not head.namespace and (head.root in FEEDS or head.root in FEEDS.values())


def index(files: Files, names: Sequence[str], conditions: Conditions) -> Index:
    """Every complete record. One that lacks id, title or summary is an error finding with its line; the others go on."""
    return indexer(conditions).index(files, names)


def indexer(conditions: Conditions) -> Indexer:  # noqa: ARG001  # these topics have no conditions
    """An index that is kept up as feeds change."""
    return Indexer()


@dataclass(slots=True)
class _Indexed:
    """One feed."""

    digest: str
    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    urls: dict[str, Unit] = field(default_factory=dict)


class Indexer:
    """The records of all feeds; a feed is read again where it changed."""

    def __init__(self) -> None:
        self._held: dict[str, _Indexed] = {}

    def index(self, files: Files, names: Sequence[str], changed: Collection[str] | None = None) -> Index:
        """See contracts.Indexer."""
        before = self._held if changed is not None else {}
        self._held = {
            name: before[name] if name in before and name not in (changed or ()) else _indexed(files, name) for name in names
        }
        feeds = self._held.values()
        entries = [entry for feed in feeds for entry in feed.entries]
        by_id = {entry.metadata.id: entry.unit for entry in reversed(entries)}
        by_url = {url: unit for feed in reversed(feeds) for url, unit in feed.urls.items()}
        data = _Data({name: feed.digest for name, feed in self._held.items()}, by_id, by_url)
        return Index(tuple(entries), tuple(finding for feed in feeds for finding in feed.findings), data)


def _indexed(files: Files, name: str) -> _Indexed:
    data = files.read(name)
    made = _Indexed(hashlib.sha256(data).hexdigest())
    feed = _keep((name, made.digest), parsed(data, name))
    made.findings += [*feed.findings, *_counted(feed, name), *_unknown(feed, name)]
    for place, record in enumerate(feed.records):
        unit = Unit(name, str(place))
        metadata, problems = _metadata(record, name)
        made.findings += problems
        if metadata is not None:
            made.entries.append(Entry(unit, metadata))
            made.urls.setdefault(_bare(record.url), unit)
    return made


def read(entry: Entry, index: Index, files: Files) -> Read:
    """The topic of a record: summary, related topics, links."""
    data: _Data = index.data
    name = entry.unit.file
    key = (name, data.digests[name])
    feed = _FEEDS.get(key)
    if feed is None:
        raw = files.read(name)
        if hashlib.sha256(raw).hexdigest() != key[1]:
            return Read(None, (CHANGED.at(name, entry.metadata.line, "its bytes are not those that the index was made of"),))
        feed = _keep(key, parsed(raw, name))
    record = feed.records[int(entry.unit.part)]
    html = convert(record.summary, name, record.summary_line, record.url, _topic_of(index, entry.unit))
    findings = list(html.findings)
    body = etree.Element("body")
    body.extend(html.blocks)
    body.extend(_related(record, index, name, findings))
    body.extend(_links(record, name, findings))
    return Read(Topic(replace(entry.metadata, id=index.ids[entry.unit]), body), tuple(findings))


def _keep(key: tuple[str, str], feed: Feed) -> Feed:
    _FEEDS[key] = feed
    while len(_FEEDS) > _FEEDS_KEPT:
        _FEEDS.pop(next(iter(_FEEDS)))
    return feed


# --- feeds --------------------------------------------------------------------------------------


def _counted(feed: Feed, name: str) -> list[Finding]:
    found = len(feed.records)
    # "²" is a digit to Python, and no number; of too many digits it makes none either.
    if not re.fullmatch("[0-9]{1,9}", feed.announced) or int(feed.announced) == found:
        return []
    return [COUNT.at(name, 1, f"it announces {feed.announced} topics and holds {found}")]


def _unknown(feed: Feed, name: str) -> list[Finding]:
    counts = Counter(tag for record in feed.records for tag in record.unknown)
    first = {tag: record.line for record in reversed(feed.records) for tag in record.unknown}
    return [UNKNOWN.at(name, first[tag], f"<{tag}> ({count} times)") for tag, count in sorted(counts.items())]


# --- metadata -----------------------------------------------------------------------------------


def _metadata(record: Record, name: str) -> tuple[Metadata | None, list[Finding]]:
    lacking = [
        what for what, value in (("id", record.id), ("title", record.title), ("summary", record.summary.strip())) if not value
    ]
    if lacking:
        said = f"topic {record.id or '?'} ({record.title or 'without title'})"
        return None, [RECORD.at(name, record.line, f"{said} has no {' and no '.join(lacking)}")]
    language = language_tag(record.language)
    if record.language and not language:
        return None, [
            LANGUAGE.at(
                name, record.line, f"topic {record.id} is in {record.language!r}; expected a name like 'English' or 'Spanish'"
            )
        ]
    created = _date(record.created)
    findings = (
        [DATE.at(name, record.line, f"topic {record.id} was made on {record.created!r}")]
        if record.created and not created
        else []
    )
    html = (
        convert(record.summary, name, record.summary_line, record.url)
        if re.search("attribution|style", record.summary)
        else Html(())
    )
    return (
        Metadata(
            id=record.id,
            language=language,
            title=record.title,
            concept=_concept(record, language),
            also_called=record.also_called,
            summary=record.description,
            url=absolute(record.url, ""),
            collections=unique(
                part for number, said in record.groups for part in (number and f"group-{number}", said and slug(said)) if part
            ),
            keywords=record.see,
            codes=record.codes,
            created=created,
            source_rights=html.credits,
            file=name,
            line=record.line,
        ),
        findings,
    )


def _concept(record: Record, language: str) -> str:
    """The number of the English side; between two other languages, the lower one."""
    other = language_tag(record.mapped_language) or ("es" if language == "en" else "en")
    if not record.mapped or language == "en":
        return record.id
    return record.mapped if other == "en" else min((record.id, record.mapped), key=lambda number: (len(number), number))


def _date(text: str) -> date | None:
    """A day as the feeds write it (month/day/year), or as ISO 8601 does."""
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    try:
        return date(int(found[3]), int(found[1]), int(found[2])) if found else date.fromisoformat(text)
    except ValueError:
        return None


# --- links --------------------------------------------------------------------------------------


def _bare(url: str) -> str:
    """An address without what may differ between two writings of it: scheme, `www.`, a last slash."""
    return re.sub(r"^https?://(www\.)?", "", url.strip(), flags=re.IGNORECASE).rstrip("/")


def _topic_of(index: Index, own: Unit) -> Callable[[str], str]:
    data: _Data = index.data

    def find(url: str) -> str:
        unit = data.by_url.get(_bare(url))
        return index.ids.get(unit, "") if unit is not None and unit != own else ""

    return find


def _related(record: Record, index: Index, name: str, findings: list[Finding]) -> list[etree._Element]:
    items = []
    for link in record.related:
        unit = index.data.by_id.get(link.id)
        topic = index.ids.get(unit, "") if unit is not None else ""
        if topic:
            inner = new("a", {"data-kind": "topic", "data-topic": topic})
            inner.text = link.title or None
        elif link.title:
            inner = _anchor(link, record, name, findings)
        else:
            findings.append(RELATED.at(name, link.line, f"topic {record.id} names the topic {link.id or '?'} as related"))
            continue
        items.append(_item(link, inner))
    return _section("related", items)


def _links(record: Record, name: str, findings: list[Finding]) -> list[etree._Element]:
    """The section of links to others, by information category in the order of the feed; those without a category first."""
    groups: dict[str, list[Link]] = {"": list(record.beside)}
    for site in record.sites:
        for category in site.categories or ("",):
            groups.setdefault(category, []).append(site)
    made = []
    for category, links in groups.items():
        items = [_item(link, _anchor(link, record, name, findings)) for link in links]
        made += _list(items) if not category else _section("", _list(items), category)
    return _section("links", made)


def _section(kind: str, content: list[etree._Element], heading: str = "") -> list[etree._Element]:
    if not content:
        return []
    section = new("section", {"data-kind": kind})
    if heading:
        etree.SubElement(section, "h").text = heading
    section.extend(_list(content) if content[0].tag == "li" else content)
    return [section]


def _list(items: list[etree._Element]) -> list[etree._Element]:
    if not items:
        return []
    (made := etree.Element("ul")).extend(items)
    return [made]


def _item(link: Link, inner: etree._Element) -> etree._Element:
    item = new("li", {"data-line": str(link.line or "")})
    item.append(inner)
    inner.tail = f" ({'; '.join(link.owners)})" if link.owners else None
    if inner.tag == "span" and not inner.attrib:
        etree.strip_tags(item, "span")
    return item


def _anchor(link: Link, record: Record, name: str, findings: list[Finding]) -> etree._Element:
    """A link to somewhere else; its text alone where the address can not be followed."""
    address = absolute(link.url, record.url)
    title = link.title or urlsplit(address).netloc or posixpath.basename(link.url)
    if not address:
        finding = ADDRESS.at(name, link.line, f"topic {record.id}: {link.url!r}, the address of {title!r}, can not be followed")
        if finding not in findings:
            findings.append(finding)
    anchor = new("a", {"data-kind": "external", "href": address}) if address else etree.Element("span")
    if link.language:
        anchor.set("lang", link.language)
    anchor.text = title
    return anchor
