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

from pipeline.contracts import MACHINE_USES, Around, Decision, License, Presentation, Rights, Site, Use, View
from pipeline.findings import Finding, error, warning
from pipeline.settings import Partner
from pipeline.standing import Standing, why
from pipeline.terms import Rule, Terms, all_terms, covers, covers_language
from pipeline.topic import Metadata, Topic, plain
from pipeline.trees import emptied, remove

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
LINK_PART: Final = warning(
    "link.part-withheld",
    "A link leads to a part of the same topic (a figure, a section) that the terms of this site take out. The author's words"
    " stay, without the link.",
    "Nothing, where the text reads well without that part. Else word the reference so that it does, or license the part.",
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


@dataclass(frozen=True)
class Granted:
    """What a site has of a topic: its formats, for each of them every grant that covers it, and the marks that the first of
    these asks for."""

    formats: tuple[str, ...]
    by_format: Mapping[str, tuple[Terms, ...]]
    marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        """The grant that pages and reports cite: that of the first format."""
        return self.by_format[self.formats[0]][0]

    def only(self, formats: Iterable[str]) -> Granted:
        """The same in these formats alone."""
        names = tuple(formats)
        marks = {name: self.marks[name] for name in names if name in self.marks}
        return Granted(names, {name: self.by_format[name] for name in names}, marks)

    def license(self, format_name: str, site: str) -> License:
        """The terms of one format as editions and rights records name them."""
        terms = self.by_format[format_name][0]
        agreement, machines = terms.agreement, terms.partner.ai
        return License(
            agreement.id,
            terms.clause.clause,
            agreement.ends,
            starts=agreement.starts,
            ai=tuple((use, getattr(machines, use)) for use in MACHINE_USES),
            kind=agreement.kind,
            edits=terms.partner.all_sites()[site].edits,
        )


@dataclass(frozen=True)
class SitePlan:
    """One site on one day. `granted` and `withheld` together hold every topic once; `until` is the first day on which a rule's
    answer about a topic could differ; `companions` are what topics must not be shown without."""

    site: Site
    partner: Partner
    as_of: date
    granted: Mapping[Key, Granted]
    withheld: Mapping[Key, tuple[Decision, ...]]
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # id -> languages that the site has it in
    until: Mapping[Key, date] = field(default_factory=dict)
    companions: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)  # ids, in the topic's own language

    def stands_in_for(self, metadata: Metadata, concepts: Mapping[str, Sequence[Key]]) -> tuple[str, ...]:
        """The languages of the site that lack this topic, and for which the partner lets the topic's language stand in."""
        have = {key[1] for key in concepts.get(metadata.concept, ()) if key in self.granted}
        return tuple(
            language
            for language, substitute in self.partner.language_fallback.items()
            if covers_language([substitute], metadata.language)
            and not any(covers_language([language], tag) for tag in have)
            and any(covers_language([language], tag) for tags in self.languages.values() for tag in tags)
        )

    def without(self, gone: Mapping[Key, tuple[Decision, ...]]) -> SitePlan:
        """The plan with these topics withheld, for these reasons; of all others, a format goes in which the site does not have
        what they must not be shown without. Taking out one may take out others, so until nothing changes."""
        granted = {key: value for key, value in self.granted.items() if key not in gone}
        withheld = {**self.withheld, **gone}
        left = {key: names for key, names in self.companions.items() if key in granted}
        while lost := {key: found for key, names in left.items() if key in granted and (found := _alone(key, names, granted))}:
            for key, found in lost.items():
                had = granted.pop(key)
                if kept := [name for name in had.formats if name not in found]:
                    granted[key] = had.only(kept)
                else:
                    withheld[key] = (had.terms.alone(found[had.formats[0]]),)
        return replace(self, granted=granted, withheld=withheld, languages=languages_of(granted))


def _alone(key: Key, companions: Iterable[str], granted: Mapping[Key, Granted]) -> dict[str, list[str]]:
    """The formats in which a topic would stand without companions, and without which."""
    there = {name: granted[name, key[1]].formats if (name, key[1]) in granted else () for name in companions}
    found = {name: [mate for mate, formats in there.items() if name not in formats] for name in granted[key].formats}
    return {name: mates for name, mates in found.items() if mates}


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
    around: Around | None = None,
    known: SitePlan | None = None,
) -> SitePlan:
    """Applies decisions and terms to every topic: agreements, rules, then companions. `around`: what rules may know besides the
    topic (left out: the topics alone). `known` holds topics whose answers are known (of the same site, terms and day)."""
    topics = list(topics)
    bench = _Bench(site.id, list(all_terms(partner)), rules, formats, as_of, around or Around(topics_by_id(topics)))
    granted: dict[Key, Granted] = {}
    withheld: dict[Key, tuple[Decision, ...]] = {}
    until: dict[Key, date] = {}
    for topic in topics:
        if known and _copied(topic.key, known, granted, withheld, until):
            continue
        withdrawal = standing.withdrawal(topic.id, topic.language, topic.version) if standing else None
        found, refusals = bench.granted(topic, why(withdrawal) if withdrawal else "")
        if found:
            granted[topic.key] = found
        else:
            withheld[topic.key] = refusals
        if bench.days:
            until[topic.key] = min(bench.days)
    companions = {topic.key: topic.companions for topic in topics if topic.companions and "companions" in rules}
    return SitePlan(site, partner, as_of, granted, withheld, {}, until, companions).without({})


def _copied(
    key: Key, known: SitePlan, granted: dict[Key, Granted], withheld: dict[Key, tuple[Decision, ...]], until: dict[Key, date]
) -> bool:
    if key in known.granted:
        granted[key] = known.granted[key]
    elif key in known.withheld:
        withheld[key] = known.withheld[key]
    else:
        return False
    if key in known.until:
        until[key] = known.until[key]
    return True


def topics_by_id(topics: Iterable[Metadata]) -> dict[str, tuple[Metadata, ...]]:
    """Topics by id, each in all its languages."""
    found: dict[str, tuple[Metadata, ...]] = {}
    for topic in topics:
        found[topic.id] = (*found.get(topic.id, ()), topic)
    return found


def languages_of(granted: Iterable[Key]) -> dict[str, tuple[str, ...]]:
    """Topics (ids) and the languages that they are granted in."""
    languages: dict[str, tuple[str, ...]] = {}
    for topic_id, language in granted:
        languages[topic_id] = (*languages.get(topic_id, ()), language)
    return languages


class _Bench:
    """The terms of one site and the rules, ready to be asked about one topic after the other. Rules whose answer is the same
    for every format are asked once: that is most of the time that planning takes."""

    def __init__(
        self, site: str, terms: list[Terms], rules: Mapping[str, Rule], formats: Sequence[str], as_of: date, around: Around
    ) -> None:
        self.site, self.terms, self.rules, self.formats, self.as_of, self.around = site, terms, rules, formats, as_of, around
        self._general = [rule for rule in rules.values() if not rule.BY_FORMAT]
        self._by_format = [rule for rule in rules.values() if rule.BY_FORMAT]
        self.days: set[date] = set()  # on which an answer about the last topic could differ
        self._known: dict[object, Granted] = {}  # equal answers are one object: plans travel to workers

    def granted(self, topic: Metadata, withdrawn: str = "") -> tuple[Granted | None, tuple[Decision, ...]]:
        """What the site has of a topic; None and the refusals of the grant that came nearest, where it has nothing."""
        self.days = set()
        covering: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        nearest: tuple[Decision, ...] | None = None
        for number, terms in enumerate(self.terms):
            refused, marks = self._ask(self._general, topic, Use(self.site, "", topic.language, withdrawn, self.around), terms)
            for name in self.formats:
                more, own = self._ask(self._by_format, topic, Use(self.site, name, topic.language, withdrawn, self.around), terms)
                if not refused and not more:
                    covering.setdefault(name, []).append((number, (*marks, *own)))
                elif nearest is None or len(refused) + len(more) < len(nearest):
                    nearest = (*refused, *more)
                if refused and not more:
                    break  # no other format comes nearer
        return (self._found(covering), ()) if covering else (None, nearest or ())

    def _ask(self, rules: Sequence[Rule], topic: Metadata, use: Use, terms: Terms) -> tuple[list[Decision], tuple[str, ...]]:
        decisions = [rule.decide(topic, use, terms, self.as_of) for rule in rules]
        self.days.update(d.until for d in decisions if d.until)
        return [d for d in decisions if d.refuses], tuple(d.mark for d in decisions if d.mark)

    def _found(self, covering: Mapping[str, list[tuple[int, tuple[str, ...]]]]) -> Granted:
        """Production before evaluation: a page of the one does not carry the marks, or the images, of the other."""
        formats = tuple(name for name in self.formats if name in covering)
        key = repr([(name, covering[name]) for name in formats])
        if key not in self._known:
            chosen = {name: [self.terms[number] for number, _ in covering[name]] for name in formats}
            self._known[key] = Granted(
                formats,
                {name: tuple(t for t in ts if t.agreement.kind == ts[0].agreement.kind) for name, ts in chosen.items()},
                {name: covering[name][0][1] for name in formats},
            )
        return self._known[key]


def target_language(
    topic_id: str, language: str, languages: Mapping[str, Sequence[str]], fallback: Mapping[str, str] | None = None
) -> str | None:
    """In which language a link from a topic of `language` reaches `topic_id`: its own tag, else a form of the same
    language; another one only where `fallback` names it for that language."""
    there = sorted(languages.get(topic_id, ()))
    if language in there:
        return language
    primary = language.split("-")[0].lower()
    substitute = next((to for tag, to in (fallback or {}).items() if covers_language([tag], language)), "")
    wanted = [tag for tag in there if tag.split("-")[0].lower() == primary]
    wanted += [tag for tag in there if substitute and covers_language([substitute], tag)]
    return wanted[0] if wanted else None


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
    found: Traits,
    plan: SitePlan,
    topic: Metadata,
    format_name: str,
    rights: Mapping[str, Rights],
    rule: Rule,
) -> Cut:
    """What this site's view in this format leaves out. `rights` are those of the body's images, `rule` decides on each: an image
    is shown where one grant covers both the page and the image."""
    grants = plan.granted[topic.key].by_format[format_name]
    links, fallback = [], plan.partner.language_fallback
    for target in found.links:
        there = [tag for tag in plan.languages.get(target, ()) if format_name in plan.granted[target, tag].formats]
        links.append((target, target_language(target, topic.language, {target: there}, fallback) or ""))
    use = Use(plan.site.id, format_name, topic.language)
    refused = frozenset(
        src
        for src in found.images
        if all(rule.decide(topic, replace(use, image=rights[src]), terms, plan.as_of).refuses for terms in grants)
    )
    return Cut(refused, _audiences(found, grants), tuple(links), plan.site.presentation)


def _audiences(found: Traits, grants: Iterable[Terms]) -> Literal["all"] | tuple[str, ...]:
    scopes = [terms.clause.audiences for terms in grants]
    if not found.audiences or "all" in scopes:
        return "all"
    return tuple(sorted(found.audiences.intersection(name for scope in scopes for name in scope)))


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
    before = _anchors(body)
    findings = [*_redact_audiences(body, cut.audiences), *_redact_images(body, topic.metadata, cut.images)]
    findings += _redact_references(body, topic.metadata, before - _anchors(body))
    findings += _link(body, topic.metadata, dict(cut.links), titles)
    return View(replace(topic, body=body), key, cut.presentation), tuple(findings)


def _redact_audiences(body: etree._Element, audiences: Literal["all"] | Sequence[str]) -> Iterator[Finding]:
    """Takes out what is marked for other audiences: the terms are meant so, hence no finding."""
    for element in body.xpath(".//*[@data-audience]"):
        if not any(covers(audiences, word) for word in (element.get("data-audience") or "").split()) and not emptied(element):
            take_out(element)
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
        take_out(figure if alone and figure is not None else image)


def _anchors(body: etree._Element) -> set[str]:
    return {str(anchor) for anchor in body.xpath(".//@id")}


def _redact_references(body: etree._Element, topic: Metadata, gone: Collection[str]) -> Iterator[Finding]:
    """Links within the topic to what was taken out."""
    for link in body.xpath(".//a") if gone else ():
        own = link.get("data-topic") == topic.id
        anchor = link.get("data-anchor", "") if own else link.get("href", "").removeprefix("#")
        if anchor in gone and (own or link.get("href", "").startswith("#")):
            words = plain(link)
            yield LINK_PART.at(*place(link, topic), f"link to {anchor!r}{f' ({words!r})' if words else ''}, which is taken out")
            _unlink(link)


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
            take_out(entry)
            return
    if plain(link):
        for name in ("data-kind", "data-topic", "data-anchor", "href"):
            link.attrib.pop(name, None)
        link.tag = "span"
    else:
        take_out(link)


_MAY_BE_EMPTY: Final = frozenset({"body", "td", "th", "dd"})


def take_out(element: etree._Element) -> None:
    """Takes an element out, keeps the words after it, and takes out containers that it leaves empty."""
    parent = element.getparent()
    if parent is None:
        return
    remove(element)
    left = [child for child in parent if child.tag not in ("h", "figcaption", "caption")]
    if not left and not (parent.text or "").strip() and parent.tag not in _MAY_BE_EMPTY:
        take_out(parent)


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
