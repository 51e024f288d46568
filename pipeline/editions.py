"""What each site sees: which uses are granted, and what a topic's view leaves out for a site.

In: settled entries, partners and their terms, the rules, a day.
Out: `SitePlan` (per site: granted formats and clause of each topic, every refusal with its reason), and per topic
`view(...)`: the topic redacted and linked, with the findings that go with it.

Order: grants and rules, companions, redaction, links. Rights come before links, or a withheld topic leaks by name.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal

from lxml import etree

from pipeline.contracts import Decision, License, Presentation, Site, Use, View
from pipeline.findings import Finding, error, warning
from pipeline.settings import Asset, Partner
from pipeline.standing import Standing, why
from pipeline.terms import Rule, Terms, all_terms, covers
from pipeline.topic import Metadata, Topic, plain

Key = tuple[str, str]  # (id, language)

LINK_WITHHELD: Final = warning(
    "link.target-withheld",
    "A link leads to a topic that this site does not get, by its terms or because it is held back. The author's words stay,"
    " without the link.",
    "Nothing, where the terms are meant so. Else grant the target, mend it where it is held back, or take the link out.",
)
LINK_MISSING: Final = warning(
    "link.target-missing",
    "A link leads to a topic that is in no input. The author's words stay, without the link.",
    "Mend the link, or add the topic.",
)
IMAGE_WITHHELD: Final = warning(
    "image.withheld",
    "The terms of this site do not cover an image. Its figure is left out.",
    "Nothing, where the terms are meant so. Else see 'images' in the grant, and the image's entry in assets.toml.",
)
IMAGE_REQUIRED: Final = error(
    "image.required-withheld",
    "The terms of this site do not cover an image without which the text can not be followed.",
    "License the image for partners (assets.toml), grant it, or rewrite the text so that it stands alone.",
)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a site has of a topic: its formats and the grant that covers them."""

    formats: tuple[str, ...]
    terms: Terms

    @property
    def license(self) -> License:
        """The agreement and clause as editions and rights records name them."""
        agreement = self.terms.agreement
        return License(agreement.id, self.terms.clause.clause, agreement.ends, starts=agreement.starts)


@dataclass(frozen=True)
class SitePlan:
    """One site on one day. `granted` and `withheld` together hold every topic once."""

    site: Site
    partner: Partner
    as_of: date
    granted: Mapping[Key, Granted]
    withheld: Mapping[Key, tuple[Decision, ...]]
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # id -> languages that the site has it in


def decide(
    topic: Metadata, use: Use, partner: Partner, rules: Mapping[str, Rule], as_of: date
) -> tuple[Terms | None, tuple[Decision, ...]]:
    """The first grant under which no rule refuses the use, with its decisions; else None and the refusals of the
    grant that came nearest."""
    nearest: tuple[Decision, ...] | None = None
    for terms in all_terms(partner):
        decisions = tuple(rule.decide(topic, use, terms, as_of) for rule in rules.values())
        refusals = tuple(decision for decision in decisions if decision.refuses)
        if not refusals:
            return terms, decisions
        if nearest is None or len(refusals) < len(nearest):
            nearest = refusals
    return None, nearest or ()


def plan_site(
    topics: Iterable[Metadata],
    site: Site,
    partner: Partner,
    rules: Mapping[str, Rule],
    formats: Sequence[str],
    as_of: date,
    standing: Standing | None = None,
) -> SitePlan:
    """Applies decisions and terms to every topic: agreements, rules, then companions."""
    topics = list(topics)
    granted: dict[Key, Granted] = {}
    withheld: dict[Key, tuple[Decision, ...]] = {}
    for topic in topics:
        withdrawal = standing.withdrawal(topic.id, topic.language, topic.version) if standing else None
        withdrawn = why(withdrawal) if withdrawal else ""
        found, refusals = _granted(topic, site, partner, rules, formats, as_of, withdrawn)
        if found:
            granted[topic.key] = found
        else:
            withheld[topic.key] = refusals
    _withhold_without_companions(topics, granted, withheld)
    languages: dict[str, tuple[str, ...]] = {}
    for topic_id, language in granted:
        languages[topic_id] = (*languages.get(topic_id, ()), language)
    return SitePlan(site, partner, as_of, granted, withheld, languages)


def _granted(
    topic: Metadata,
    site: Site,
    partner: Partner,
    rules: Mapping[str, Rule],
    formats: Sequence[str],
    as_of: date,
    withdrawn: str,
) -> tuple[Granted | None, tuple[Decision, ...]]:
    """Formats that share one grant come together: pages of one topic refer to each other under the same clause."""
    by_terms: dict[int, tuple[Terms, list[str]]] = {}
    refusals: tuple[Decision, ...] = ()
    for name in formats:
        terms, decisions = decide(topic, Use(site.id, name, topic.language, withdrawn), partner, rules, as_of)
        if terms is None:
            refusals = refusals or decisions
        else:
            by_terms.setdefault(id(terms.clause), (terms, []))[1].append(name)
    if not by_terms:
        return None, refusals
    terms = next(iter(by_terms.values()))[0]
    allowed = {name for _, names in by_terms.values() for name in names}
    return Granted(tuple(name for name in formats if name in allowed), _strictest(terms, by_terms.values())), ()


def _strictest(first: Terms, found: Iterable[tuple[Terms, list[str]]]) -> Terms:
    """Where several grants cover a topic's formats, the one whose images are the most restricted rules them all."""
    rank = {"none": 0, "own": 1, "sublicensable": 2}
    return min((terms for terms, _ in found), key=lambda terms: rank[terms.clause.images], default=first)


def _withhold_without_companions(
    topics: Sequence[Metadata], granted: dict[Key, Granted], withheld: dict[Key, tuple[Decision, ...]]
) -> None:
    """A topic is not shown without its companions; taking one out may take out others, so until nothing changes."""
    with_companions = [topic for topic in topics if topic.companions and topic.key in granted]
    changed = True
    while changed:
        changed = False
        for topic in with_companions:
            missing = [name for name in topic.companions if topic.key in granted and (name, topic.language) not in granted]
            if missing:
                place = granted.pop(topic.key).terms.place
                reason = f"must not be shown without {', '.join(missing)}, which this site does not get"
                withheld[topic.key] = (Decision("companions", "withhold", reason, place),)
                changed = True


def target_language(topic_id: str, language: str, languages: Mapping[str, Sequence[str]]) -> str | None:
    """In which language a link from a topic of `language` reaches `topic_id`: its own tag, else a form of the same
    language; never another one."""
    there = languages.get(topic_id, ())
    if language in there:
        return language
    primary = language.split("-")[0].lower()
    return next((tag for tag in sorted(there) if tag.split("-")[0].lower() == primary), None)


# --- views --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cut:
    """What a site's view of a topic leaves out or fills in. Equal cuts of one topic share one view."""

    images: frozenset[str] = frozenset()  # img/@src that the terms do not cover
    audiences: Literal["all"] | tuple[str, ...] = "all"  # of sections marked for an audience
    links: tuple[tuple[str, str], ...] = ()  # (id, language that it is reached in, or "" = not at all)
    presentation: Presentation = field(default_factory=Presentation)


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a topic's body the terms of a site can touch, found once per topic."""

    images: frozenset[str]
    audiences: frozenset[str]
    links: tuple[str, ...]
    digest: str


def traits(topic: Topic, digest: str) -> Traits:
    """The images, marked audiences and link targets of a body."""
    body = topic.body
    return Traits(
        frozenset(str(src) for src in body.xpath(".//img/@src")),
        frozenset(word for value in body.xpath(".//@data-audience") for word in str(value).split()),
        tuple(sorted({str(target) for target in body.xpath(".//a/@data-topic")})),
        digest,
    )


def cut(
    found: Traits, plan: SitePlan, topic: Metadata, format_name: str, own: Collection[str], assets: Mapping[str, Asset]
) -> Cut:
    """What this site's view in this format leaves out. `own` are the images whose rights are the publisher's."""
    grant = plan.granted[topic.key].terms.clause
    links = []
    for target in found.links:
        there = [tag for tag in plan.languages.get(target, ()) if format_name in plan.granted[target, tag].formats]
        links.append((target, target_language(target, topic.language, {target: there}) or ""))
    audiences: Literal["all"] | tuple[str, ...] = "all"
    if found.audiences and grant.audiences != "all":
        audiences = tuple(sorted(found.audiences.intersection(grant.audiences)))
    refused = frozenset(src for src in found.images if not image_allowed(grant.images, src, own, assets))
    return Cut(refused, audiences, tuple(links), plan.site.presentation)


def image_allowed(granted: str, src: str, own: Collection[str], assets: Mapping[str, Asset]) -> bool:
    """Whether a grant's `images` covers an image."""
    if granted == "none":
        return False
    if src in own:
        return True
    return granted == "sublicensable" and src in assets and assets[src].sublicense


def view(topic: Topic, found: Traits, cut: Cut, titles: Mapping[Key, str]) -> tuple[View, tuple[Finding, ...]]:
    """The topic as the cut leaves it, and what an editor should know of it."""
    empty = {str(a.get("data-topic")) for a in topic.body.iter("a") if a.get("data-kind") == "topic" and not plain(a)}
    names = {target: titles.get((target, tag), "") for target, tag in cut.links if target in empty}
    key = hashlib.sha256(
        repr(
            (found.digest, cut.images and sorted(cut.images), cut.audiences, cut.links, cut.presentation, sorted(names.items()))
        ).encode()
    ).hexdigest()
    dead = {target for target, tag in cut.links if not tag}
    if not (cut.images or dead or names or cut.audiences != "all" or any(tag != topic.metadata.language for _, tag in cut.links)):
        return View(topic, key, cut.presentation), ()
    body = copy.deepcopy(topic.body)
    findings = [*_redact_audiences(body, cut.audiences), *_redact_images(body, topic.metadata, cut.images)]
    findings += _link(body, topic.metadata, dict(cut.links), titles)
    return View(replace(topic, body=body), key, cut.presentation), tuple(findings)


def _redact_audiences(body: etree._Element, audiences: Literal["all"] | Sequence[str]) -> Iterator[Finding]:
    """Takes out what is marked for other audiences: the terms are meant so, hence no finding."""
    for element in body.xpath(".//*[@data-audience]"):
        if not any(covers(audiences, word) for word in (element.get("data-audience") or "").split()):
            remove(element)
    yield from ()


def _redact_images(body: etree._Element, topic: Metadata, images: Collection[str]) -> Iterator[Finding]:
    for image in [img for img in body.iter("img") if img.get("src") in images]:
        kind = IMAGE_REQUIRED if image.get("data-required") else IMAGE_WITHHELD
        yield kind.at(*place(image, topic), f"image {image.get('src')!r} is not covered by the terms of this site")
        figure = image.getparent()
        while figure is not None and figure.tag != "figure":
            figure = figure.getparent()
        # a list beside a picture is its legend, and says nothing without it; a table or code stands for itself
        alone = figure is not None and not figure.xpath(".//table | .//pre") and len(figure.xpath(".//img")) == 1
        remove(figure if alone and figure is not None else image)


def _link(body: etree._Element, topic: Metadata, reached: Mapping[str, str], titles: Mapping[Key, str]) -> Iterator[Finding]:
    for link in body.xpath(".//a[@data-kind='topic']"):
        target = link.get("data-topic")
        tag = reached.get(target, "")
        if tag:
            if tag != topic.language:
                link.set("data-language", tag)
            if not plain(link):
                link.text = titles.get((target, tag), target)
            continue
        kind = LINK_WITHHELD if any(key[0] == target for key in titles) else LINK_MISSING
        yield kind.at(*place(link, topic), f"link to topic {target!r}{f' ({plain(link)!r})' if plain(link) else ''}")
        _unlink(link)


def _unlink(link: etree._Element) -> None:
    """The author's words stay. A link without words goes, and so does an entry of a list of related topics."""
    entry = link.getparent()
    related = any(a.tag == "section" and a.get("data-kind") == "related" for a in link.iterancestors("section"))
    if related:
        while entry is not None and entry.tag not in ("li", "p"):
            entry = entry.getparent()
        if entry is not None and plain(entry) == plain(link):
            remove(entry)
            return
    if plain(link):
        for name in ("data-kind", "data-topic", "data-anchor"):
            link.attrib.pop(name, None)
        link.tag = "span"
    else:
        remove(link)


_MAY_BE_EMPTY: Final = frozenset({"body", "td", "th", "dd"})


def remove(element: etree._Element) -> None:
    """Takes an element out, keeps the words after it, and takes out containers that it leaves empty."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)
    left = [child for child in parent if child.tag not in ("h", "figcaption", "caption")]
    if not left and not (parent.text or "").strip() and parent.tag not in _MAY_BE_EMPTY:
        remove(parent)


def place(element: etree._Element, topic: Metadata) -> tuple[str, int]:
    """Source file and line of an element, from itself or the nearest ancestor that knows."""
    current: etree._Element | None = element
    file = ""
    while current is not None:
        file = file or current.get("data-file", "")
        if line := current.get("data-line"):
            return file or topic.file, int(line)
        current = current.getparent()
    return file or topic.file, topic.line
