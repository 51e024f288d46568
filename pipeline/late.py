"""Decisions that are made while a run is under way: the run knew nothing of them when it read its sources.

In: what the run knows, the store. Out: RaceLost before a site is published; afterwards, what came between is made live at once.
`withdraw` publishes where a topic is live. Where the run alone brings it (a first release, a topic new to the site, another
version), only the run can see that it must not.
"""

from __future__ import annotations

from pipeline.contracts import Decisions, Store
from pipeline.editions import SitePlan
from pipeline.errors import RaceLost, StoreError
from pipeline.plugins import System
from pipeline.report import SiteReport
from pipeline.standing import Standing
from pipeline.withdrawing import Context, Job, Known, Moment, site_withdrawn


def check(system: System, store: Store, standing: Standing, site: str) -> None:
    """Raises RaceLost where somebody decided since the run read the decisions (`standing`), StoreError."""
    known, now = _number(standing), _decisions(system).latest(store)
    if now > known:
        raise RaceLost(
            f"{site}: decision {now} was made while this run was under way; nothing was published",
            expected=f"decisions up to number {known}",
            found=f"number {now}",
            fix="run again: the next run obeys it",
        )


def follow(system: System, store: Store, standing: Standing, plan: SitePlan, moment: Moment) -> SiteReport | None:
    """Makes live what was decided between `check` and the release; None where nothing was. Raises StoreError."""
    if _decisions(system).latest(store) <= _number(standing):
        return None
    newer = Standing(_decisions(system).read(store))
    report = site_withdrawn(Context(system, store, newer, moment), Job(Known(plan.site, plan.partner), plan.as_of))
    if report.error:
        raise StoreError(f"a decision of this moment could not be made live: {report.error}", fix="give the same command again")
    return report


def _decisions(system: System) -> Decisions:
    found: Decisions = system.decisions.load()
    return found


def _number(standing: Standing) -> int:
    return max((decision.number for decision in standing.decisions), default=0)
