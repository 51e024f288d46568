"""What a release says besides its topics: under which terms it is given, and which notices go with it.

In: a run's context, a site's plan, its rows and files. Out: `Content`, free of when and by which run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.contracts import MACHINE_USES, Content, OutputFile, Row, Withdrawn
from pipeline.editions import SitePlan
from pipeline.handover import file_rows, terms_of
from pipeline.settings import Agreement, SiteSettings
from pipeline.work import Context

# How often a site must fetch, in days, where its file does not say: what others copy or act on, oftener.
REFRESH_DAYS: Final = {"public-web": 1, "ehr": 1, "portal": 7, "app": 7, "kiosk": 7, "print": 30}


@dataclass(frozen=True)
class Made:
    """All that a site's release is to hold: its content, and those of its files that stand in no topic's folder."""

    content: Content
    files: Sequence[OutputFile]


def content_of(
    context: Context,
    plan: SitePlan,
    rows: Sequence[Row],
    files: Sequence[OutputFile],
    withdrawn: tuple[Withdrawn, ...],
    ahead: tuple[Mapping[str, str], ...],
) -> Content:
    """The content of a site's release; `ahead` is what changes for it before long."""
    (terms_sha256,) = terms_of(context.system, plan.partner)
    languages = sorted({row.language for row in rows})
    return Content(
        as_of=plan.as_of.isoformat(),
        terms_sha256=terms_sha256,
        license=license_of(plan),
        notices={tag: _notice_values(context, plan, tag) for tag in languages},
        rows=tuple(rows),
        files=file_rows({file.path: file for file in files}.values()),
        withdrawn=withdrawn,
        upcoming=ahead,
    )


def license_of(plan: SitePlan) -> dict[str, Any]:
    """The terms of a site as its manifest says them: agreements in force or wound down, and what the partner may and must do."""
    partner, site = plan.partner, plan.partner.all_sites()[plan.site.id]
    return {
        "agreements": [_agreement(a) for a in partner.agreements if a.starts <= plan.as_of <= a.wind_down_ends],
        "refresh_days": refresh_days(site),
        "edits": site.edits,
        "channel": site.channel,
        "territories": site.territories,
        "machines": {use: getattr(partner.ai, use) for use in MACHINE_USES},
        "code_systems": sorted(partner.code_systems),
        "obligations": [{"clause": o.clause, "text": o.text} for o in partner.obligations],
    }


def refresh_days(site: SiteSettings) -> int:
    """How often the site must fetch, in days."""
    return site.refresh_days or REFRESH_DAYS[site.channel]


def _agreement(agreement: Agreement) -> dict[str, Any]:
    said = {
        "id": agreement.id,
        "kind": agreement.kind,
        "starts": agreement.starts.isoformat(),
        "ends": agreement.ends.isoformat(),
        "clauses": [grant.clause for grant in agreement.grants],
    }
    return {**said, "wind_down_ends": agreement.wind_down_ends.isoformat()} if agreement.after_end else said


def _notice_values(context: Context, plan: SitePlan, tag: str) -> dict[str, Any]:
    publisher, partner = context.texts[plan.partner.id, tag]
    return {"trademark": publisher.trademark, "disclaimer": publisher.disclaimer, "partner_disclaimer": partner.disclaimer}
