"""Plans: what each site gets on a day. In: topics, partners, decisions, what is live. Out: `SitePlan`s, by prefix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pipeline.catalog import Catalog
from pipeline.contracts import Around, Released, Row, Site
from pipeline.editions import Key, SitePlan, plan_site, topics_by_id
from pipeline.findings import Finding
from pipeline.plugins import System
from pipeline.report import Report
from pipeline.settings import Partner
from pipeline.sites import Today, sites, withhold_languages
from pipeline.standing import Standing
from pipeline.topic import Metadata


def rows_by_key(released: Released | None) -> dict[Key, Row]:
    """The rows of a release by topic; none where there is no release."""
    return {(row.id, row.language): row for row in released.content.rows} if released else {}


def site_plans(
    system: System,
    partners: Iterable[Partner],
    catalog: Catalog,
    today: Today,
    report: Report,
    kept: Mapping[str, list[Metadata]],
    live: Mapping[str, Released | None],
    standing: Standing,
) -> dict[str, SitePlan]:
    """The plan of every site of these partners, by prefix; a site that is held by
    a rollback has none. Languages that can not be given are findings of the report. `kept` are
    live topics that can not be read today, `live` the releases."""
    plans: dict[str, SitePlan] = {}
    for partner in partners:
        as_of = today(system.configuration.timezone(partner))
        conditions = system.configuration.conditions(partner)
        for prefix, site in sites(system.configuration, partner).items():
            if site.id in standing.held:
                continue
            topics = [*catalog.under(conditions), *kept.get(prefix, ())]
            around = Around(topics_by_id(topics), live=rows_by_key(live.get(prefix)))
            plan, findings = plan_on(system, topics, site, partner, as_of, standing, around)
            report.findings += findings
            plans[prefix] = plan
    return plans


def plan_on(
    system: System,
    topics: Sequence[Metadata],
    site: Site,
    partner: Partner,
    as_of: date,
    standing: Standing,
    around: Around,
) -> tuple[SitePlan, list[Finding]]:
    """What a site gets of these topics on a day, and the languages that it can not be given."""
    rules = {name: plugin.load() for name, plugin in system.rules.items()}
    plan = plan_site(topics, site, partner, rules, list(system.transforms), as_of, standing, around)
    return withhold_languages(plan, system.configuration)
