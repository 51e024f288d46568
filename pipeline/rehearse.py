"""What would change if a partner's terms were these: per site and format, topics by title, files, notices. Nothing is published.

In: a System, a day, a partner's new file. Out: `Rehearsal`. Both sides are made and proven in full from today's inputs, so that
what the new terms would hold back is known before they are signed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from pipeline import brake, limits
from pipeline.contracts import Content, FileRow, Row
from pipeline.editions import Key
from pipeline.errors import StoppedError
from pipeline.findings import Finding, Severity
from pipeline.notices import Texts
from pipeline.plugins import System
from pipeline.run import Options, Progress, State, made_rows, worked
from pipeline.settings import Partner
from pipeline.sites import Today, notice_texts

_NOT_COMPARED: Final = ("rights.json",)  # names the clause itself: it changes with every word of the terms


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one topic on a site: `what` is gained, lost, formats or terms; `why` in words, with the clause."""

    what: str
    id: str
    language: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class FormatChange:
    """Topics and files of one format: `new`, `changed`, `gone` count files."""

    format: str
    before: int
    after: int
    new: int
    changed: int
    gone: int


@dataclass(frozen=True, slots=True)
class NoticeChange:
    """A notice whose text would differ; "" = none."""

    language: str
    notice: str
    before: str
    after: str


@dataclass(frozen=True)
class SiteRehearsal:
    """One site before and after; `state` is kept, new or gone. `stops` are reasons for which a run would not publish."""

    site: str
    state: str
    before: int
    after: int
    formats: tuple[FormatChange, ...]
    topics: tuple[Change, ...]
    stops: tuple[str, ...]


@dataclass(frozen=True)
class Rehearsal:
    """Everything that would change. `findings` are those that today's terms do not bring."""

    partner: str
    as_of: str
    sites: tuple[SiteRehearsal, ...]
    notices: tuple[NoticeChange, ...]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)

    @property
    def stops(self) -> bool:
        """Whether a run under these terms would hold anything back, or stop."""
        return any(site.stops for site in self.sites) or any(f.severity is Severity.ERROR for f in self.findings)


def rehearse(system: System, today: Today, partner: Partner, progress: Progress = lambda *_: None, workers: int = 0) -> Rehearsal:
    """Makes every edition of the partner's sites under its terms of today and under these. Raises UsageError."""
    changed = replace(system, configuration=system.configuration.with_partner(partner)).check()
    known = any(each.id == partner.id for each in system.configuration.partners)
    # two names, because workers remember by run what they made
    today_, then = (
        Options(today, f"rehearse-{side}", "", (partner.id,), workers=workers, dry_run=True) for side in ("today", "then")
    )
    before, old = worked(system, today_, _named("today's terms", progress)) if known else (None, None)
    after, new = worked(changed, then, _named("new terms", progress))
    prefixes = sorted({*(before.context.plans if before else ()), *after.context.plans})
    told = {_said(finding) for finding in old.findings} if old else set()
    return Rehearsal(
        partner.id,
        new.as_of,
        tuple(_site(prefix, before, after) for prefix in prefixes),
        tuple(_notices(system if known else None, changed, partner.id, after)),
        tuple(sorted((f for f in new.findings if _said(f) not in told), key=Finding.sort_key)),
    )


def _named(what: str, progress: Progress) -> Progress:
    return lambda _, done, total: progress(f"topics under {what}", done, total)


def _said(finding: Finding) -> tuple[str, ...]:
    return finding.code, finding.topic, finding.partner, finding.text


# --- sites --------------------------------------------------------------------------------------


def _site(prefix: str, before: State | None, after: State) -> SiteRehearsal:
    was = made_rows(before, prefix) if before and prefix in before.context.plans else {}
    will = made_rows(after, prefix) if prefix in after.context.plans else {}
    known = before is not None and prefix in before.context.plans
    state = "gone" if prefix not in after.context.plans else "kept" if known else "new"
    return SiteRehearsal(
        prefix.removeprefix("p/"),
        state,
        len(was),
        len(will),
        tuple(_formats(was, will)),
        tuple(_topics(prefix, after, was, will)),
        tuple(_stops(prefix, after, was, will)) if state != "gone" else (),
    )


def _topics(prefix: str, after: State, was: Mapping[Key, Row], will: Mapping[Key, Row]) -> Iterator[Change]:
    for key in sorted({*was, *will}):
        row, old = will.get(key), was.get(key)
        if row and not old:
            yield Change("gained", *key, row.title, f"{_place(row)}: {', '.join(_formats_of(row))}")
        elif old and not row:
            yield Change("lost", *key, old.title, _why(prefix, key, after))
        elif row and old:
            yield from _differences(key, old, row)


def _differences(key: Key, old: Row, row: Row) -> Iterator[Change]:
    had, has = _formats_of(old), _formats_of(row)
    if had != has:
        yield Change("formats", *key, row.title, f"{', '.join(had)} becomes {', '.join(has)}")
    if _place(old) != _place(row):
        yield Change("terms", *key, row.title, f"{_place(old)} becomes {_place(row)}")


def _place(row: Row) -> str:
    return f"{row.agreement}, {row.clause}"


def _formats_of(row: Row) -> list[str]:
    return sorted({file.format for file in row.files if file.format})


def _why(prefix: str, key: Key, after: State) -> str:
    plan = after.context.plans.get(prefix)
    if plan is None:
        return "the site is no more"
    refusals = plan.withheld.get(key, ())
    main = [d for d in refusals if d.rule != "format"] or list(refusals)
    return "; ".join(f"{d.reason} ({d.clause})" if d.clause else d.reason for d in main) or "held back: see the findings"


def _formats(was: Mapping[Key, Row], will: Mapping[Key, Row]) -> Iterator[FormatChange]:
    old, new = _files(was.values()), _files(will.values())
    for name in sorted({*old, *new}):
        before, after = old.get(name, {}), new.get(name, {})
        changed = sum(after[path] != digest for path, digest in before.items() if path in after)
        counts = (_with(name, was.values()), _with(name, will.values()))
        yield FormatChange(name, *counts, len(after.keys() - before.keys()), changed, len(before.keys() - after.keys()))


def _files(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """By format, the SHA-256 of each path."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for file in (file for row in rows for file in row.files if _compared(file)):
        found[file.format][file.path] = file.sha256
    return found


def _compared(file: FileRow) -> bool:
    return bool(file.format) and not file.path.endswith(_NOT_COMPARED)


def _with(name: str, rows: Iterable[Row]) -> int:
    return sum(any(file.format == name for file in row.files) for row in rows)


def _stops(prefix: str, after: State, was: Mapping[Key, Row], will: Mapping[Key, Row]) -> Iterator[str]:
    """Why a run under these terms would publish nothing to the site."""
    plan = after.context.plans[prefix]
    live = list(after.live_rows.get(prefix, {}).values()) or list(was.values())
    settings = after.context.system.configuration.settings.brake
    if not will:
        yield f"site {plan.site.id} would get no topic"
    try:
        limits.check(plan, limits.used(after.context.plans.values(), plan.partner.id), {(r.id, r.language): r for r in live})
        released, rules = after.live.get(prefix), {name: plugin.load() for name, plugin in after.context.system.rules.items()}
        content = released.content if released else Content("", "", {}, {}, tuple(live), ())
        judge = brake.Judge(plan, content, after.catalog.metadata, rules, after.context.standing)
        brake.check_removals(plan.site.id, judge.undecided(), len(live), settings)
        brake.check_changes(plan.site.id, live, will.values(), settings)
    except StoppedError as problem:
        yield str(problem)


# --- notices ------------------------------------------------------------------------------------


def _notices(old: System | None, new: System, partner: str, after: State) -> Iterator[NoticeChange]:
    """The partner's own notices, in each language that it would have topics in."""
    languages: Collection[str] = {language for plan in after.context.plans.values() for _, language in plan.granted}
    for tag in sorted(languages):
        was = notice_texts(old.configuration, old.configuration.partner(partner), tag)[1] if old else Texts()
        will = notice_texts(new.configuration, new.configuration.partner(partner), tag)[1]
        for name in ("disclaimer", "attribution"):
            before, now = (_text(getattr(texts, name)) for texts in (was, will))
            if before != now:
                yield NoticeChange(tag, name, before, now)


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " / ".join(value)


# --- for people ---------------------------------------------------------------------------------


def lines(found: Rehearsal, limit: int = 0) -> Iterator[str]:
    """The rehearsal as text; at most `limit` topics of a kind are named (0 = all)."""
    for site in found.sites:
        state = {"new": " (a new site)", "gone": " (the site would be no more)"}.get(site.state, "")
        yield f"{site.site}{state}: {site.before} topics today, {site.after} under the new terms"
        for one in site.formats:
            files = f"files: {one.new} new, {one.changed} changed, {one.gone} gone"
            yield f"  {one.format}: {one.before} topics today, {one.after} then; {files}"
        counts = Counter(change.what for change in site.topics)
        for what in dict.fromkeys(change.what for change in sorted(site.topics, key=lambda c: c.what)):
            own = [change for change in site.topics if change.what == what]
            yield f"  {what}: {counts[what]}"
            shown = own[:limit] if limit else own
            yield from (f"    {c.title!r} ({c.id} {c.language}): {c.why}" for c in shown)
            yield from [f"    ... and {len(own) - len(shown)} more"] if len(shown) < len(own) else []
        yield from (f"  a run would stop: {text}" for text in site.stops)
    for notice in found.notices:
        yield f"notice {notice.notice} in {notice.language}: {notice.before!r} becomes {notice.after!r}"
