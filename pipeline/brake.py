"""The brake: stops a site before a mistake empties or rewrites it.

In: the rows that are live, the rows that would be, why topics are withheld, and the shares set.
Out: nothing, or StoppedError with the list. What a date or a decision took out never counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.contracts import Decision, Row
from pipeline.editions import Key
from pipeline.errors import StoppedError
from pipeline.settings import Brake

# Rules whose refusal somebody decided or a date brought: nobody needs to be asked again.
DECIDED = frozenset({"dates", "embargo", "expiry", "status", "withdrawn", "freshness"})


def check(
    site: str,
    live: Sequence[Row],
    new: Iterable[Row],
    withheld: Mapping[Key, tuple[Decision, ...]],
    brake: Brake,
    allow_removals: int = 0,
    allow_changes: int = 0,
) -> None:
    """Raises StoppedError where more topics would go, or change their words, than the settings allow."""
    rows = {(row.id, row.language): row for row in new}
    removed = [
        row for row in live if (row.id, row.language) not in rows and not _decided(withheld.get((row.id, row.language), ()))
    ]
    _stop(site, "removed", removed, len(live), brake.removals, brake.at_least, allow_removals)
    changed = [
        row for row in live if (row.id, row.language) in rows and rows[row.id, row.language].text_sha256 != row.text_sha256
    ]
    _stop(site, "changed", changed, len(live), brake.changes, brake.at_least, allow_changes)


def _decided(decisions: tuple[Decision, ...]) -> bool:
    return any(decision.rule in DECIDED for decision in decisions)


def _stop(site: str, what: str, rows: Sequence[Row], total: int, share: str, at_least: int, allowed: int) -> None:
    percent = float(share.rstrip("%"))
    emptied = what == "removed" and len(rows) == total  # a small site that loses all it has is no small change
    few = len(rows) < max(at_least, 1) and not emptied
    if not rows or few or len(rows) <= allowed or len(rows) * 100 <= percent * total:
        return
    flag = "--allow-removals" if what == "removed" else "--allow-changes"
    names = "\n".join(f"    {row.id} {row.language} {row.title!r}" for row in rows)
    raise StoppedError(
        f"site {site}: {len(rows)} of {total} topics would be {what}; nothing was published\n{names}",
        expected=f"at most {share} in one run, or fewer than {at_least}" + (", and never all" if emptied else ""),
        fix=f"mend inputs, map or terms; where it is meant so, run again with {flag} {len(rows)}",
    )
