"""What days alone bring about: what is due today and not yet live, and what comes next.

In: the topics, a site with its terms, the publisher's decisions, what is live, days. Out: `Moment`s. Nothing here looks at what
changed in the inputs: a topic is due where today's rules give another answer than those of the day that the live release was
made for, and the live release does not say so yet. So whatever a run missed is due until a run has done it, and then no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from pipeline.contracts import Around, Decision, Released, Row, Site, Use
from pipeline.editions import Key, SitePlan, plan_site, topics_by_id
from pipeline.made_of import pairs
from pipeline.settings import Asset, Partner
from pipeline.settings.fields import days_after
from pipeline.standing import CORRECTED_DAYS, Standing, day_of
from pipeline.terms import Rule, Terms, covers
from pipeline.topic import Metadata
from pipeline.unread import source_mark
from pipeline.withdrawn import over_on

# What people call the rules whose answers days change.
KINDS: Final = {
    "dates": "agreement",
    "freshness": "review",
    "withdrawn": "decision",
}
NAMED: Final = 5  # topics named in one line
HORIZON: Final = 3 * 366  # days ahead that are looked at


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that a moment brings: to which site, of what kind, which topics ("<id> <language>"). `acts`: a run does it; else
    a person must."""

    at: datetime
    site: str
    partner: str
    kind: str
    text: str
    topics: tuple[str, ...] = ()
    acts: bool = True

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"at": self.at.isoformat(timespec="seconds"), "topics": list(self.topics)}


State = tuple[Any, ...]  # what days can change of a granted topic: formats, clause, marks


@dataclass(frozen=True)
class Days:
    """One site, and all that decides what it gets on a day. `live` None: it has no release yet."""

    site: Site
    partner: Partner
    zone: ZoneInfo
    publisher_zone: ZoneInfo
    topics: Sequence[Metadata]
    rules: Mapping[str, Rule]
    formats: Sequence[str]
    standing: Standing
    live: Released | None
    assets: Mapping[str, Asset] = field(default_factory=dict)
    uses: Mapping[Key, frozenset[str]] = field(default_factory=dict)  # the input files that a topic uses
    _plans: dict[date, SitePlan] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether a rollback holds the site: then topics still go when their day comes, and nothing else happens."""
        return self.site.id in self.standing.held

    @cached_property
    def rows(self) -> Mapping[Key, Row]:
        """What is live, by topic."""
        return {(row.id, row.language): row for row in self.live.content.rows} if self.live else {}

    def since(self) -> date:
        """The day that the live release was made for; without one, the day before the first agreement."""
        if self.live:
            return date.fromisoformat(self.live.content.as_of)
        return days_after(min(agreement.starts for agreement in self.partner.agreements), -1)

    def begins(self, day: date) -> datetime:
        """The moment (UTC) at which a day begins where the partner is."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def moment(self, day: date, kind: str, text: str, topics: Iterable[Key] = (), acts: bool = True) -> Moment:
        """A moment of this site: the beginning of a day."""
        names = tuple(" ".join(key) for key in sorted(topics))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        named = f"{', '.join(names[:NAMED])}{more}: {text}" if names else text
        return Moment(self.begins(day), self.site.id, self.partner.id, kind, named, names, acts)

    def plan(self, day: date, topics: Sequence[Metadata] | None = None) -> SitePlan:
        """What the site gets on a day; of these topics, or all. Companions are left to the run: they follow from the rest."""
        rules = {name: rule for name, rule in self.rules.items() if name != "companions"}
        if topics is not None:
            return plan_site(topics, self.site, self.partner, rules, self.formats, day, self.standing, self.around)
        if day not in self._plans:
            whole = plan_site(self.topics, self.site, self.partner, rules, self.formats, day, self.standing, self.around)
            self._plans[day] = whole
        return self._plans[day]

    @cached_property
    def around(self) -> Around:
        """What rules may know beside the topic."""
        return Around(topics_by_id(self.topics), live=self.rows)


def _state(plan: SitePlan, key: Key) -> State | None:
    granted = plan.granted.get(key)
    if granted is None:
        return None
    marks = {mark for found in granted.marks.values() for mark in found}
    return granted.formats, granted.terms.place, frozenset(marks)


def _live_state(row: Row) -> State:
    present = {file.format for file in row.files}
    return present, f"{row.agreement}, {row.clause}", frozenset(row.marks) - {"language", "corrected"}


def _is_live(row: Row | None, state: State | None) -> bool:
    """Whether the live release says already what the rules say."""
    if row is None or state is None:
        return row is None and state is None
    present, place, marks = _live_state(row)
    return set(state[0]) == present - {""} and state[1:] == (place, marks)


# --- now ------------------------------------------------------------------------------------------


def due(days: Days, today: date) -> list[Moment]:
    """What is due on a site: days have come that its live release does not know of, or decisions that it does not show."""
    since, before, after = days.since(), days.plan(min(days.since(), today)), days.plan(today)
    found: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for topic in days.topics:
        key = topic.key
        old, new = _state(before, key), _state(after, key)
        row = days.rows.get(key)
        if _decided(days, after, key):
            found["decision", "a decision that is not live yet"].append(key)
        elif days.held and new is not None:
            continue
        elif old != new and not _is_live(row, new):
            found[_why(days, before, after, topic)].append(key)
        elif _corrected(days, key, today) != ("corrected" in row.marks if row else False) and row:
            found["correction", "its mark comes or goes"].append(key)
    moments = [days.moment(today, kind, text, keys) for (kind, text), keys in found.items()]
    return moments if days.held else [*moments, *_images_ended(days, since, today), *_notices_over(days, today)]


def _decided(days: Days, plan: SitePlan, key: Key) -> bool:
    """Whether a withdrawal or a restoration of the topic has been decided and is not live."""
    if key in plan.granted:
        gone = days.live.content.withdrawn if days.live else ()
        return key not in days.rows and any((one.id, one.language) == key for one in gone)
    return key in days.rows and any(decision.rule == "withdrawn" for decision in plan.withheld.get(key, ()))


def _corrected(days: Days, key: Key, day: date) -> bool:
    return bool(days.standing.corrections(*key, day, days.publisher_zone))


def _why(days: Days, before: SitePlan, after: SitePlan, topic: Metadata) -> tuple[str, str]:
    """What changes for a topic between two days: the kind as people call it, and a sentence."""
    old, new = before.granted.get(topic.key), after.granted.get(topic.key)
    if old and not new:
        refusal = _refusal(days, topic, old.terms, after.as_of) or next(iter(after.withheld.get(topic.key, ())), None)
        return (KINDS.get(refusal.rule, refusal.rule), refusal.reason) if refusal else ("terms", "is granted no more")
    if new and not old:
        refusal = _refusal(days, topic, new.terms, before.as_of)
        if refusal and refusal.rule == "embargo":
            return "embargo", "goes live"
        kind = KINDS.get(refusal.rule, refusal.rule) if refusal else "terms"
        return kind, f"comes under {new.terms.place}"
    return _changed(_state(before, topic.key), _state(after, topic.key))


def _refusal(days: Days, topic: Metadata, terms: Terms, day: date) -> Decision | None:
    """The first rule that refuses a topic on a day under one grant."""
    for rule in days.rules.values():
        for name in days.formats if rule.BY_FORMAT else ("",):
            found = rule.decide(topic, Use(days.site.id, name, topic.language, "", days.around), terms, day)
            if found.refuses and (not name or covers(terms.clause.formats, name)):
                return found
    return None


def _changed(old: State | None, new: State | None) -> tuple[str, str]:
    (formats, place, marks), (later, then, more) = old or ((), "", frozenset()), new or ((), "", frozenset())
    if marks != more:
        mark = sorted(marks ^ more)[0]
        return {"review-due": "review"}.get(mark, mark), f"{'gets' if mark in more else 'loses'} the mark {mark!r}"
    if place != then:
        return "agreement", f"comes under {then} instead of {place}"
    gone, came = sorted(set(formats) - set(later)), sorted(set(later) - set(formats))
    return "agreement", " and ".join(f"{word} {', '.join(names)}" for word, names in (("loses", gone), ("gets", came)) if names)


def _images_ended(days: Days, since: date, today: date) -> Iterator[Moment]:
    for file, asset in days.assets.items():
        if asset.ends and since <= asset.ends < today:
            keys = [key for key, row in days.rows.items() if file in days.uses.get(key, ()) and _shows(row, file)]
            if keys:
                yield days.moment(days_after(asset.ends, 1), "image", f"the rights of {file} ended on {asset.ends}", keys)


def _shows(row: Row, file: str) -> bool:
    """Whether a live page shows the image; of old rows, nobody noted it."""
    return not row.made_of or source_mark(file) in pairs(row.made_of.get("images", ""))


def _notices_over(days: Days, today: date) -> Iterator[Moment]:
    gone = [one for one in (days.live.content.withdrawn if days.live else ()) if one.files]
    keys = [(one.id, one.language) for one in gone if over_on(one.at, days.publisher_zone) <= today]
    if keys:
        yield days.moment(today, "notice", "the notice has stood for its months and leaves", keys)


# --- next -----------------------------------------------------------------------------------------


def coming(days: Days, today: date) -> list[Moment]:
    """The next moment of each kind that changes something on the site after today, and the next day of review."""
    found: dict[str, Moment] = {}
    by_key = {topic.key: topic for topic in days.topics}
    ahead, last = _turns(days.plan(today), today), dict.fromkeys(by_key, days.plan(today))
    while ahead:
        day = min(ahead)
        topics = [by_key[key] for key in sorted(ahead.pop(day))]
        after = days.plan(day, topics)
        changes: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for topic in topics:
            before, last[topic.key] = last[topic.key], after
            old, new = _state(before, topic.key), _state(after, topic.key)
            if old != new and not (days.held and new is not None):
                changes[_why(days, before, after, topic)].append(topic.key)
        for (kind, text), keys in changes.items():
            found.setdefault(kind, days.moment(day, kind, text, keys))
        for later, more in _turns(after, day).items():
            if later <= days_after(today, HORIZON):
                ahead.setdefault(later, set()).update(more)
    moments = [*found.values(), *(() if days.held else _other_days(days, today))]
    return sorted(moments, key=lambda moment: moment.at)


def _turns(plan: SitePlan, day: date) -> dict[date, set[Key]]:
    """The next days on which a rule's answer could differ from that of a day, with the topics that it is about."""
    found: dict[date, set[Key]] = defaultdict(set)
    for key, until in plan.until.items():
        if until > day:
            found[until].add(key)
    return dict(found)


def _other_days(days: Days, today: date) -> Iterator[Moment]:
    reviews: dict[date, list[Key]] = defaultdict(list)
    granted = days.plan(today).granted
    for topic in days.topics:
        if topic.key in granted and topic.review_due and topic.review_due >= today:
            reviews[days_after(topic.review_due, 1)].append(topic.key)
    if reviews:
        day = min(reviews)
        yield days.moment(day, "review-due", f"review is due on {days_after(day, -1)}", reviews[day], acts=False)
    ends = [(a.ends, file) for file, a in days.assets.items() if a.ends and a.ends >= today and _used(days, file)]
    if ends:
        yield days.moment(days_after(min(ends)[0], 1), "image", f"the rights of {min(ends)[1]} end")
    marked = [d for d in days.standing.decisions if d.kind == "correct" and any(key[0] in d.topics for key in days.rows)]
    last = [day for d in marked if (day := day_of(d.at, days.publisher_zone) + timedelta(days=CORRECTED_DAYS)) > today]
    if last:
        yield days.moment(min(last), "correction", "the mark of a correction goes")
    notices = [over_on(one.at, days.publisher_zone) for one in (days.live.content.withdrawn if days.live else ()) if one.files]
    if later := [day for day in notices if day > today]:
        yield days.moment(min(later), "notice", "the notice of a withdrawn topic leaves")


def _used(days: Days, file: str) -> bool:
    return any(file in days.uses.get(key, ()) for key in days.rows)


def signatures(days: Days, renewals: Mapping[str, datetime]) -> list[Moment]:
    """When each signature of the live release should be renewed (`Releases.renewals`), as moments."""
    return [
        Moment(at.astimezone(UTC), days.site.id, days.partner.id, "re-signing", f"the {role} signature is past half its life")
        for role, at in renewals.items()
    ]
