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
    appended: a withdrawal that was interrupted may be given again. Returns what stands now as well. Raises StoreError."""
    for open_ in standing.open():
        if _what(open_) == _what(decision) and standing.in_force(open_):
            return standing, open_
    decisions: Decisions = system.decisions.load()
    appended = decisions.append(store, decision)
    now = Standing((*standing.decisions, appended))
    if appended.number != len(now.decisions):  # others decided meanwhile
        now = Standing(decisions.read(store))
    remembering.keep(system, store, now)
    return now, appended


def _what(decision: EditorialDecision) -> EditorialDecision:
    """The decision without who made it, and when."""
    return replace(decision, number=0, at="", by="", approved_by="", act_by="", sha256="")


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


def texts_by_language(written: Sequence[str], option: str, default: str) -> dict[str, str]:
    """`LANG=TEXT` as texts by language; a text without a language is in `default`. Raises UsageError for two of one language,
    and for an empty one."""
    found: dict[str, str] = {}
    for each in written:
        tag, equals, text = each.partition("=")
        if not (equals and tag.replace("-", "").isalnum() and len(tag) <= 35 and tag[:2].isalpha() and " " not in tag):
            tag, text = default, each
        text = " ".join(text.split())
        if not text or tag in found:
            raise UsageError(
                f"{option} {each!r} can not be used",
                expected="LANG=TEXT, one for each language, e.g. 'en=Do not use it.'",
                fix="write the text, once for each language",
            )
        found[tag] = text
    return found


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


def check_withdrawn(standing: Standing, topics: Sequence[str]) -> None:
    """Raises UsageError where a topic is not withdrawn: there is nothing to restore."""
    open_ids = {topic for decision in standing.open() for topic in decision.topics if decision.kind == "withdraw"}
    for topic in topics:
        if topic not in open_ids:
            raise unknown("withdrawn topic", topic, open_ids)
