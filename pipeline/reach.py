"""What a decision can reach: checked before it is made, and told after it.

In: the words of a command, the topics that runs and sites know. Out: the ids that it means, or a UsageError that names what
exists; the topics of which a withdrawal took nothing down. A wrong word must never look like a withdrawal that worked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.contracts import EditorialDecision
from pipeline.editions import Key
from pipeline.errors import UsageError
from pipeline.report import SiteReport
from pipeline.settings import did_you_mean, unknown
from pipeline.standing import Standing
from pipeline.terms import covers_language

IN_ADVANCE = "to withhold what no site has yet, add --in-advance"


@dataclass
class Had:
    """What sites had of one topic in one language: the newest version by site, and every version."""

    newest: dict[str, str] = field(default_factory=dict)
    versions: set[str] = field(default_factory=set)

    def sites(self, versions: Collection[str]) -> list[str]:
        """Those whose newest version is one of these (none named = any)."""
        return [site for site, version in self.newest.items() if not versions or version in versions]


def all_in(keys: Collection[Key], topics: Iterable[str], tags: Sequence[str], replaced_by: str) -> bool:
    """Whether these topics are all among the keys, in each of these languages, and so is the one that replaces them."""
    ids = {key[0] for key in keys}
    names = [*topics]
    if not ids.issuperset([*names, *filter(None, [replaced_by])]):
        return False
    return all(any(key[0] == name and covers_language([tag], key[1]) for key in keys) for name in names for tag in tags)


def in_languages(
    ids: Sequence[str], named: Collection[str], tags: Sequence[str], keys: Collection[Key], more: str = ""
) -> tuple[str, ...]:
    """The ids that are in one of these languages (none named = all). Raises UsageError for a language that none of them is in,
    and for a topic that was named itself and is in none of them; `more` is what else can be done."""
    found: dict[str, set[str]] = {id_: set() for id_ in ids}
    for id_, language in keys:
        found.get(id_, set()).add(language)
    for tag in tags:
        if not any(covers_language([tag], language) for languages in found.values() for language in languages):
            raise _none("language", tag, ids, set().union(*found.values()), more)
    left = tuple(id_ for id_ in ids if not tags or any(covers_language(tags, language) for language in found[id_]))
    for id_ in named:
        if id_ not in left:
            raise _none("language", ", ".join(tags), [id_], found[id_], more)
    return left


def check_versions(ids: Sequence[str], tags: Sequence[str], versions: Sequence[str], had: Mapping[Key, Had]) -> None:
    """Raises UsageError for a version that no site ever had of any of these topics, and for a topic with none of the versions."""
    found: dict[str, set[str]] = {id_: set() for id_ in ids}
    for (id_, language), one in had.items():
        if id_ in found and (not tags or covers_language(tags, language)):
            found[id_] |= one.versions
    for version in versions:
        if not any(version in known for known in found.values()):
            raise _none("version", version, ids, set().union(*found.values()), IN_ADVANCE)
    for id_ in ids if versions else ():
        if found[id_].isdisjoint(versions):
            raise _none("version", ", ".join(versions), [id_], found[id_], IN_ADVANCE)


def _none(what: str, value: str, ids: Sequence[str], known: Iterable[str], more: str) -> UsageError:
    names = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
    exists = sorted(filter(None, known))
    near = did_you_mean(value, exists) or f"use a {what} that exists"
    return UsageError(
        f"no site or input has {names} in {what} {value!r}; nothing was decided",
        expected=", ".join(exists) or f"(there is no {what})",
        fix="; ".join(filter(None, [near, more])),
    )


def check_replacement(name: str, ids: Collection[str], known: Collection[str]) -> None:
    """Raises UsageError where readers would be led to a topic that nobody knows, or that is itself withdrawn."""
    if name in ids:
        raise UsageError(
            f"--replaced-by {name!r} is one of the topics that are withdrawn; nothing was decided",
            expected="a topic that stays",
            fix="name another, or leave it out",
        )
    if name and name not in known:
        near = did_you_mean(name, known) or "'list topics' lists all"
        raise UsageError(
            f"--replaced-by {name!r} is no topic that was ever read or published; nothing was decided",
            expected=unknown("topic", name, known).expected if len(known) <= 20 else f"one of {len(known)} topics",
            fix=f"{near}; or leave it out, and withdraw again with it when the topic is there",
        )


def check_withdrawn(standing: Standing, topics: Sequence[str], tags: Sequence[str], keys: Iterable[Key]) -> None:
    """Raises UsageError where a topic is not withdrawn, at all or in one of these languages: there is nothing to restore."""
    open_ = [decision for decision in standing.open() if decision.kind == "withdraw"]
    ids = {topic for decision in open_ for topic in decision.topics}
    for topic in topics:
        if topic not in ids:
            expected = unknown("withdrawn topic", topic, ids).expected
            near = did_you_mean(topic, ids) or "'decisions list' shows what is"
            raise UsageError(f"{topic!r} is not withdrawn; nothing was decided", expected=expected, fix=near)
    named = {(topic, tag) for decision in open_ for topic in decision.topics for tag in decision.languages}
    down = {key for key in (*keys, *named) if standing.is_withdrawn(*key)}
    for topic in topics:
        here = {key[1] for key in down if key[0] == topic}
        for tag in tags:
            if not any(covers_language([tag], language) for language in here):
                expected = ", ".join(sorted(here)) or "no language"
                raise UsageError(
                    f"{topic!r} is not withdrawn in language {tag!r}; nothing was decided",
                    expected=expected,
                    fix="name one of those, or leave --language out",
                )


def gone(decision: EditorialDecision, site: SiteReport) -> list[str]:
    """The topics of a withdrawal that have a notice in their place at a site: `<id> <language>`."""
    pairs = [(name, *name.split(" ", 1)) for name in site.withdrawn]
    tags = decision.languages
    return [name for name, id_, tag in pairs if id_ in decision.topics and (not tags or covers_language(tags, tag))]


def unreached(decision: EditorialDecision, sites: Iterable[SiteReport]) -> list[str]:
    """The topics of a withdrawal of which it took nothing down anywhere; sorted ids."""
    reached = {name.split(" ")[0] for site in sites for name in gone(decision, site)}
    return sorted(set(decision.topics) - reached)


def nothing(decision: EditorialDecision, topic: str) -> str:
    """That a withdrawal took nothing of a topic down, and what it does instead."""
    languages = f" in {', '.join(decision.languages)}" if decision.languages else ""
    versions = f"has version {', '.join(decision.versions)} of it" if decision.versions else "ever had it"
    return (
        f"NOTHING WAS TAKEN DOWN of {topic}: no site {versions}{languages}. It is withheld from now on (decision"
        f" {decision.number}); what else is live of it stays live"
    )
