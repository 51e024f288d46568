"""Turns the words of a command into a decision, and appends it. In: words, a store. Out: EditorialDecision.

Nothing is appended that names what nobody knows: at three in the morning a typing error would look like a withdrawal that worked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from pipeline import remembering
from pipeline.contracts import Decisions, EditorialDecision, Store
from pipeline.editions import Key
from pipeline.errors import UsageError
from pipeline.plugins import System
from pipeline.reuse import Graph, users
from pipeline.settings import unknown
from pipeline.standing import Standing
from pipeline.terms import covers_language


def standing_of(system: System, store: Store) -> Standing:
    """What the store's decisions say. Raises StoreError, also where some are lost."""
    decisions: Decisions = system.decisions.load()
    marks = remembering.remembered(system, store)
    standing = Standing(decisions.read(store))
    remembering.check(system, store, standing, marks)
    return standing


def found_in(system: System, store: Store) -> Standing:
    """What the decisions that are there say, whatever is lost: for those who look. Raises StoreError."""
    decisions: Decisions = system.decisions.load()
    return Standing(decisions.found(store))


def decide(system: System, store: Store, standing: Standing, decision: EditorialDecision) -> tuple[Standing, EditorialDecision]:
    """Appends a decision; where the same one is still open, and in force for all that it names, that is returned, and nothing is
    appended: a withdrawal that was interrupted may be given again. Returns what stands now as well. Raises StoreError, and
    UsageError where nobody answers for it."""
    if not decision.by.strip():
        raise UsageError("nobody is named", expected="--by NAME: who answers for it", fix="write a name that people know")
    if before := same(standing, decision):
        return standing, before
    decisions: Decisions = system.decisions.load()
    appended = decisions.append(store, decision)
    now = Standing((*standing.decisions, appended))
    if appended.number != len(now.decisions):  # others decided meanwhile
        now = Standing(decisions.read(store))
    remembering.keep(system, store, now)
    return now, appended


def same(standing: Standing, decision: EditorialDecision) -> EditorialDecision | None:
    """The open decision in force that says all that this one says, whoever says it: the same words, deadline and notice, and the
    same approval where this one names any. None = it is news."""
    for open_ in standing.open():
        approved = decision.approved_by in ("", open_.approved_by)
        if approved and _what(open_) == _what(decision) and standing.in_force(open_):
            return open_
    return None


def check_deadline(standing: Standing, decision: EditorialDecision, now: datetime) -> EditorialDecision | None:
    """The same decision, where it is open already. Raises UsageError where it is news, and the moment by which partners must act
    is over."""
    before = same(standing, decision)
    if before is None and datetime.fromisoformat(decision.act_by) <= now:
        raise UsageError(
            f"--act-by {decision.act_by} is over; nothing was decided",
            expected=f"a moment after {now.isoformat(timespec='seconds')}",
            fix="for at once, name today: a day means its end",
        )
    return before


def _what(decision: EditorialDecision) -> EditorialDecision:
    """The decision without who made it, and when."""
    return replace(decision, number=0, at="", by="", approved_by="", sha256="")


def named_topics(topics: Sequence[str], uses: str, image: str, graph: Graph, known: Iterable[Key]) -> tuple[str, ...]:
    """The ids that a command names, by themselves or by a file that they use; sorted. Raises UsageError for an id or a file
    that no published topic has, and where nothing is named."""
    ids = {topic for topic, _ in (*known, *graph)}
    for topic in topics:
        if topic not in ids:
            raise unknown("topic", topic, ids) if len(ids) <= 20 else _unknown_of_many(topic, ids)
    found = {*topics, *(key[0] for file in (uses, image) if file for key in users(graph, file))}
    if not found:
        raise UsageError("no topic is named", expected="TOPIC..., --uses PATH or --image FILE", fix="name at least one")
    return tuple(sorted(found))


def _unknown_of_many(topic: str, ids: Collection[str]) -> UsageError:
    problem = unknown("topic", topic, ids)
    return UsageError(problem.what, expected=f"one of {len(ids)} topics ('list topics', or catalog.json)", fix=problem.fix)


def languages_of(system: System, keys: Iterable[Key]) -> set[str]:
    """The languages that readers can be told something in: those of topics, and of notices."""
    configuration = system.configuration
    notices = [*configuration.publisher.notices, *(tag for partner in configuration.partners for tag in partner.notices)]
    return {configuration.publisher.language, *notices, *(key[1] for key in keys)}


def texts_by_language(written: Sequence[str], option: str, default: str, languages: Collection[str]) -> dict[str, str]:
    """`LANG=TEXT` as texts by language; a text without a language is in `default`. Raises UsageError for two of one language,
    for an empty one, and for a word before the "=" that is none of these languages: else it would be lost from the text."""
    found: dict[str, str] = {}
    for each in written:
        tag, text = _tagged(each, option, default, languages)
        text = " ".join(text.split())
        if not text or tag in found:
            raise UsageError(
                f"{option} {each!r} can not be used",
                expected="LANG=TEXT, one for each language, e.g. 'en=Do not use it.'",
                fix="write the text, once for each language",
            )
        found[tag] = text
    return found


def _tagged(written: str, option: str, default: str, languages: Collection[str]) -> tuple[str, str]:
    """The language, as topics spell it, and the text."""
    tag, equals, text = written.partition("=")
    if not (equals and tag.isascii() and tag.replace("-", "").isalnum()):
        return default, written
    for language in sorted(languages):
        if covers_language([tag], language):
            return language[: len(tag)], text
    raise UsageError(
        f"{option} {written!r}: {tag!r} is no language of topics or notices; nothing was decided",
        expected=f"LANG=TEXT, where LANG is one of {', '.join(sorted(languages))}",
        fix=f"name the language; where {tag!r} belongs to the text, write '{default}={written}'",
    )


def moment_of(written: str, option: str, zone: ZoneInfo) -> str:
    """A day or moment as ISO 8601 in UTC. A day means its last second, and what names no zone is meant in `zone`. Raises
    UsageError."""
    try:
        if len(written) == len("2026-12-31"):
            moment = datetime.combine(date.fromisoformat(written), time(23, 59, 59))
        else:
            moment = datetime.fromisoformat(written)
    except ValueError:
        raise UsageError(
            f"{option} {written!r} is no day or moment", expected="2026-12-31, 2026-12-31T18:00 or 2026-12-31T18:00-07:00"
        ) from None
    there = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return there.astimezone(UTC).isoformat(timespec="seconds")
