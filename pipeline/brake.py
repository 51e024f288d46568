"""The brake: stops a site before a mistake empties or rewrites it.

In: what is live, what would be, the rules and the day, the shares set. Out: nothing, or StoppedError with the list.

A removal counts unless somebody decided it or a day brought it: it is judged under the grant that the live row names, because
that is what gave the topic to the site. A source that is gone counts, and so does a map, a grant or a last day that was edited.
Removals are counted before anything is rendered; changed texts when all texts are read, before anything is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pipeline.contracts import Around, Content, Row, Use
from pipeline.editions import Key, SitePlan
from pipeline.errors import StoppedError
from pipeline.settings import Brake
from pipeline.standing import Standing, why
from pipeline.terms import Rule, Terms, all_terms
from pipeline.topic import Metadata
from pipeline.unread import metadata_of

# Rules whose refusal somebody decided or a day brought: nobody needs to be asked again.
DECIDED: Final = frozenset({"dates", "embargo", "expiry", "status", "withdrawn", "freshness", "translation"})


@dataclass(frozen=True)
class Judge:
    """What it takes to say why a live topic would go."""

    plan: SitePlan
    live: Content
    metadata: Mapping[Key, Metadata]  # of all topics that can be read today
    rules: Mapping[str, Rule]
    standing: Standing

    def undecided(self) -> list[Row]:
        """The live rows that would go, and that neither a decision nor a day takes."""
        gone = {(row.id, row.language): row for row in self.live.rows if (row.id, row.language) not in self.plan.granted}
        decided = {key for key, row in gone.items() if self._decided(row)}
        while more := {key for key, row in gone.items() if key not in decided and self._alone(row, gone, decided)}:
            decided |= more
        return [row for key, row in gone.items() if key not in decided]

    def _alone(self, row: Row, gone: Mapping[Key, Row], decided: set[Key]) -> bool:
        """Whether it goes because of companions that go, all of which somebody decided."""
        topic = self.metadata.get((row.id, row.language))
        if topic is None:
            return False
        missing = [key for name in topic.companions if (key := (name, row.language)) in gone]
        return bool(missing) and decided.issuperset(missing) and not self._refused(row, topic)

    def _decided(self, row: Row) -> bool:
        """Whether a rule of DECIDED refuses it under its own grant. Where that grant is no more, only its last day counts."""
        ended = self._recorded_end(row.agreement)
        if not self._own_terms(row):
            return ended is not None and ended < self.plan.as_of
        refused = self._refused(row, self.metadata.get((row.id, row.language)) or metadata_of(row))
        if ended is not None and ended >= self.plan.as_of:
            refused -= {"dates"}  # the day that the release names has not come: somebody edited it
        return bool(refused & DECIDED)

    def _refused(self, row: Row, topic: Metadata) -> set[str]:
        """The rules that refuse every format that the site has of it under its own grant, or one rule each."""
        withdrawal = self.standing.withdrawal(topic.id, topic.language, topic.version)
        around = Around({topic.id: (topic,)}, live={(row.id, row.language): row})
        formats = sorted({file.format for file in row.files if file.format}) or [""]
        uses = [Use(self.plan.site.id, name, topic.language, why(withdrawal) if withdrawal else "", around) for name in formats]
        return {
            decision.rule
            for terms in self._own_terms(row)
            for use in uses
            for rule in self.rules.values()
            if (decision := rule.decide(topic, use, terms, self.plan.as_of)).refuses
        }

    def _own_terms(self, row: Row) -> list[Terms]:
        return [t for t in all_terms(self.plan.partner) if (t.agreement.id, t.clause.clause) == (row.agreement, row.clause)]

    def _recorded_end(self, agreement: str) -> date | None:
        """The last day of an agreement as the live release names it."""
        found = [a.get("ends") for a in self.live.license.get("agreements", ()) if a.get("id") == agreement]
        return date.fromisoformat(str(found[0])) if found and found[0] else None


def check_removals(site: str, undecided: Sequence[Row], total: int, brake: Brake, allowed: int = 0) -> None:
    """Raises StoppedError where more topics would go, undecided, than the settings allow."""
    _stop(site, "removed", undecided, total, brake.removals, brake.at_least, allowed)


def check_changes(site: str, live: Sequence[Row], new: Iterable[Row], brake: Brake, allowed: int = 0) -> None:
    """Raises StoppedError where more topics would change their words than the settings allow."""
    rows = {(row.id, row.language): row for row in new}
    changed = [
        row for row in live if (row.id, row.language) in rows and rows[row.id, row.language].text_sha256 != row.text_sha256
    ]
    _stop(site, "changed", changed, len(live), brake.changes, brake.at_least, allowed)


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
