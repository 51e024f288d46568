"""The last step of runs, withdrawals and re-signing: copies of what is live in buckets of partners' own that ask for it.

In: a System with keys, what became of each site. Out: the same, with exit code 4 where a copy failed. Nobody but that partner
is held up: the release is live in our store all the same, and the next run copies it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from pipeline.commands.speaking import event, unexpected
from pipeline.errors import SyndicationError, UsageError

if TYPE_CHECKING:
    from outputs.mirror import Delivered
    from pipeline.plugins import System
    from pipeline.report import SiteReport
    from pipeline.settings import Partner


def deliver_all(system: System, sites: list[SiteReport], partners: Collection[str] = ()) -> None:
    """Copies the sites of every partner whose file says `automatic` (of these partners, none named = all), also what an earlier
    run could not copy. A site whose copy failed becomes `undelivered`; one that had no report gets one."""
    from pipeline.report import SiteReport
    from pipeline.sites import all_sites

    known = {site.site: site for site in sites}
    for partner in system.configuration.partners:
        if not (partner.delivery and partner.delivery.automatic) or (partners and partner.id not in partners):
            continue
        for prefix in all_sites(partner):
            name = prefix.removeprefix("p/")
            try:
                done = deliver_one(system, partner, prefix)
            except Exception as problem:  # whatever it is, the other sites must not wait for it
                site = known.get(name) or SiteReport(name, partner.id)
                if site not in sites:
                    sites.append(site)
                _undelivered(site, problem)
            else:
                if done and done.state == "delivered" and name not in known:  # an earlier run's: its partner hears of it now
                    sites.append(SiteReport(name, partner.id, "unchanged", sequence=done.sequence))
                if done:
                    event("site.delivered", site=name, state=done.state, sequence=done.sequence, objects=done.objects)


def _undelivered(site: SiteReport, problem: Exception) -> None:
    found = problem if isinstance(problem, SyndicationError) else unexpected(problem)
    before = f"{site.error}\n" if site.error else ""
    site.error = f"{before}not copied into the partner's own bucket; the next run tries again. {found}"
    site.state, site.exit_code = "undelivered" if not before else site.state, max(found.exit_code, site.exit_code, 4)


def deliver_one(system: System, partner: Partner, prefix: str) -> Delivered | None:
    """Copies what is live of one site into the partner's own bucket; None where nothing is. Raises SyndicationError."""
    from outputs import mirror

    ours = system.open_store(system.configuration.settings.store)
    return mirror.deliver(ours, _bucket(system, partner), prefix, system.signing)


def _bucket(system: System, partner: Partner) -> Any:
    """The store of a partner's own bucket, opened as its file says."""
    told = partner.delivery.model_dump(exclude={"automatic"}) if partner.delivery else {}
    settings = {name: value for name, value in told.items() if value}
    url = str(settings.pop("store", ""))
    where = url if "://" in url else str(system.configuration.path(url))
    for plugin in system.destinations.values():
        if plugin.load().claims(where):
            return plugin.load().open(where, settings)
    raise UsageError(f"no destination stores to {url!r}", fix=f"mend [delivery] store in partners/{partner.id}.toml")
