"""A run that does what is due, or topics that were named, and leaves all else as it is published.

In: a site's plan, what is live, what is due, rows made anew. Out: which topics a site may get, and which row of each. A page that
leads to a topic that comes or goes must follow, and is made anew for that; where its own text has changed since, it follows only
if it would lead to nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipeline.contracts import Released, Row
from pipeline.editions import Key, SitePlan
from pipeline.planning import rows_by_key


def reduced(
    plans: Mapping[str, SitePlan], live: Mapping[str, Released | None], due: Mapping[str, Collection[Key]]
) -> dict[str, SitePlan]:
    """The plans without topics that are granted but neither live nor due (or named): those wait for an ordinary run."""
    found = {}
    for prefix, plan in plans.items():
        known = {*rows_by_key(live.get(prefix)), *due.get(prefix, ())}
        found[prefix] = plan.without({key: () for key in plan.granted if key not in known})
    return found


def chosen(new: Row, live: Row, plan: SitePlan, due: Collection[Key]) -> Row:
    """The row that a site gets of a topic that is live and was made anew."""
    if (new.id, new.language) in due:
        return new
    names = {" ".join(key) for key in due}
    before, after = {*live.links, *live.translations}, {*new.links, *new.translations}
    if not names & (before | after):
        return live
    gone = {" ".join(key) for key in due if key not in plan.granted}
    return new if new.text_sha256 == live.text_sha256 or before & gone else live
