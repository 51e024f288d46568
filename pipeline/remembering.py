"""Notices that decisions are lost: a withdrawal whose file is gone would let its topic come back.

In: a System, a store, what it says was decided. Out: nothing, or StoreError. A gap in the numbers is seen at once (the store's
own part); that the newest are gone, or one was replaced, is not. So the mark of all decisions (standing.py) is kept where other
hands, rules and backups reach: in the signed pointer of each site, in the records of runs, and in this machine's cache.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Final

from pipeline import records
from pipeline.cache import Cache
from pipeline.contracts import Archive, Content, Decisions, EditorialDecision, Store
from pipeline.errors import StoreError, UsageError
from pipeline.plugins import System
from pipeline.sites import all_sites
from pipeline.standing import Standing

RECORDS: Final = 5  # of the latest runs: the newest that ended is among them, or the store has none
_MARK: Final = re.compile(r"([1-9][0-9]{0,5}) [0-9a-f]{64}")


def check(system: System, store: Store, standing: Standing, marks: Mapping[str, str]) -> None:
    """Raises StoreError where somebody knew decisions that are not there now, and remembers those that are. `marks` were gathered
    (`remembered`) before the decisions were read: of one that is made at this moment the mark may be seen first otherwise."""
    gone = lost(standing, marks)
    if not gone:
        keep(system, store, standing)
        return
    where, mark = max(gone.items(), key=lambda item: number(item[1]))
    have, had = len(standing.decisions), number(mark)
    raise StoreError(
        f"{store.url}: decisions are missing, or were replaced: what was withdrawn by them would be published again",
        expected=f"decisions 1 to {had}, as {where} knew them",
        found=f"{have} of them" if have < had else f"others under the numbers up to {had}",
        fix="put back decisions/ from a copy of the store. Where there is none, 'decisions accept-lost --dry-run' says what is"
        " live as withdrawn by them; without --dry-run it lets work go on",
    )


def lost(standing: Standing, marks: Mapping[str, str]) -> Mapping[str, str]:
    """By the place that remembers it, each mark of decisions that are not there now."""
    return {where: mark for where, mark in marks.items() if _MARK.fullmatch(mark) and not standing.knows(mark)}


def remembered(system: System, store: Store) -> dict[str, str]:
    """By place, the marks that are kept. A place that can not be read remembers nothing."""
    decisions: Decisions = system.decisions.load()
    found = {f"who last published {prefix}": mark for prefix, mark in decisions.marks(store, _prefixes(system, store)).items()}
    for record in _latest_records(store):
        found[f"run {record.run_id}"] = record.decided
    found["this machine"] = (_cache(system).get(_key(store)) or b"").decode(errors="replace")
    return {where: mark for where, mark in found.items() if mark}


def keep(system: System, store: Store, standing: Standing) -> None:
    """Remembers on this machine what was decided."""
    if standing.mark and (_cache(system).get(_key(store)) or b"") != standing.mark.encode():
        _cache(system).put(_key(store), standing.mark.encode())


def accept(system: System, store: Store, decision: EditorialDecision) -> tuple[EditorialDecision, ...]:
    """Puts that decision (of the kind `lost`) in the place of each that is missing, and accepts that their marks can not be met.
    Raises UsageError where nothing is lost, StoreError."""
    decisions: Decisions = system.decisions.load()
    marks, there = remembered(system, store), decisions.found(store)
    gone = lost(Standing(there), marks)
    if not gone and [each.number for each in there] == list(range(1, len(there) + 1)):
        raise UsageError("no decision is lost", expected="decisions that are missing", fix="see 'decisions list --all'")
    marked = replace(decision, accepted=tuple(sorted(set(gone.values()))))
    stored = decisions.replace_lost(store, marked, max(map(number, gone.values()), default=0))
    keep(system, store, Standing(decisions.read(store)))
    return stored


def shown(live: Mapping[str, Content], standing: Standing) -> Iterator[str]:
    """Lines: what is live (by site) as withdrawn by a decision that is not there, or is another one now."""
    there = {decision.number: decision for decision in standing.decisions if decision.kind == "withdraw"}
    for site, content in live.items():
        for gone in content.withdrawn:
            decision = there.get(gone.decision)
            if decision is None or gone.id not in decision.topics:
                why = f"withdrawn by decision {gone.decision} of {gone.at[:10]} ({gone.reason})"
                yield f"{site}: {gone.id} {gone.language}, {why}"


def number(mark: str) -> int:
    """How many decisions a mark stands for."""
    return int(mark.partition(" ")[0])


def _prefixes(system: System, store: Store) -> list[str]:
    archive: Archive = system.archive.load()
    found = {prefix for partner in system.configuration.partners for prefix in all_sites(partner)}
    with suppress(StoreError):
        found |= archive.sites(store).keys()
    return sorted(found)


def _latest_records(store: Store) -> list[records.Record]:
    found = []
    for name in islice(records.names(store), RECORDS):
        try:
            found.append(records.get(store, name))
        except StoreError:  # only a report
            continue
    return found


def _cache(system: System) -> Cache:
    settings = system.configuration.settings
    return Cache(str(system.configuration.path(settings.cache)) if settings.cache else "")


def _key(store: Store) -> str:
    return hashlib.sha256(f"decisions of {store.url}".encode()).hexdigest()
