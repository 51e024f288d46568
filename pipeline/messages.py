"""What is told about a run: to the publisher's operators when it did not end well, and to each partner when its site has a new
release.

In: a finished record and the settings. Out: messages for `notify`. A message says what happened and where the report is; what it
says is never needed to know what is live: that is what the signed release is for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pipeline.contracts import EditorialDecision
from pipeline.notify import Mail, Webhook
from pipeline.records import Delivery, Record
from pipeline.report import SiteReport, finding_lines, site_line
from pipeline.report_page import meaning
from pipeline.settings import Notify, Partner

LONGEST: Final = 100  # names in a message; the release's own change list has all
FINDINGS: Final = 20  # lines of findings in an e-mail

RUN_ENDED: Final = "run.ended"
RELEASE_PUBLISHED: Final = "release.published"
TOPICS_WITHDRAWN: Final = "topics.withdrawn"


def about_run(record: Record, settings: Notify, publisher: str, page: str, moment: datetime) -> list[Webhook | Mail]:
    """Messages to the publisher's operators; none where the exit code is not among those that are told."""
    if record.exit_code not in settings.exit_codes:
        return []
    messages: list[Webhook | Mail] = []
    if settings.webhook:
        secret = os.environ.get(settings.secret_env, "")
        body = envelope(RUN_ENDED, moment, _outcome(record, publisher, page))
        body["text"] = _sentence(record, publisher)  # what chat servers show
        messages.append(Webhook("webhook", settings.webhook, f"{record.run_id}.ended", moment, body, secret))
    if settings.email:
        subject = f"{publisher}: {meaning(record)[0]} (exit code {record.exit_code}), run {record.run_id}"
        text = "\n".join(_letter(record, publisher, page)) + "\n"
        messages.append(Mail(settings.email, f"{record.run_id}.ended", moment, subject, text))
    return messages


def envelope(kind: str, moment: datetime, data: dict[str, Any]) -> dict[str, Any]:
    """A body as Standard Webhooks recommends it: what kind of event, when, and what is said of it."""
    return {"type": kind, "timestamp": moment.isoformat(timespec="seconds"), "data": data}


def _outcome(record: Record, publisher: str, page: str) -> dict[str, Any]:
    return {
        "publisher": publisher,
        "run_id": record.run_id,
        "command": record.command,
        "state": record.state,
        "exit_code": record.exit_code,
        "error": record.error,
        "topics": record.topics,
        "held_back": record.held_back[:LONGEST],
        "findings": len(record.findings),
        "sites": [site_line(site) for site in record.sites],
        "report": page,
    }


def _sentence(record: Record, publisher: str) -> str:
    headline, to_do = meaning(record)
    return f"{publisher}: {headline} (exit code {record.exit_code}). {to_do}"


def _letter(record: Record, publisher: str, page: str) -> Iterable[str]:
    yield _sentence(record, publisher)
    yield ""
    yield f"Run: {record.run_id} ({record.command}), {record.started} to {record.finished}"
    if page:
        yield f"Report: {page}"
    if record.error:
        yield from ("", record.error)
    if record.sites:
        yield from ("", "Sites:", *(f"  {site_line(site)}" for site in record.sites))
    if record.held_back:
        more = f" and {len(record.held_back) - LONGEST} more" if len(record.held_back) > LONGEST else ""
        yield from ("", f"Held back ({len(record.held_back)}): {', '.join(record.held_back[:LONGEST])}{more}")
    lines = list(finding_lines(record.findings, limit=5))
    if lines:
        yield from ("", "Findings:", *(f"  {line}" for line in lines[:FINDINGS]))
        if len(lines) > FINDINGS:
            yield "  ... the rest is in the report"


def of_release(site: SiteReport, run_id: str, decision: EditorialDecision | None = None) -> tuple[str, dict[str, Any]]:
    """The kind of event, and what a site's partner is told of its newest release. With a `decision` (a withdrawal) it says so,
    and by when the partner must act."""
    data = _release(run_id, site)
    if decision is None:
        return RELEASE_PUBLISHED, data
    said = {name: getattr(decision, name) for name in ("number", "topics", "reason", "severity", "action", "act_by")}
    return TOPICS_WITHDRAWN, {**data, "decision": {**said, "topics": list(decision.topics)}}


def to_partner(
    partner: Partner, kind: str, data: dict[str, Any], at: str, moment: datetime, message_id: str
) -> Webhook | Delivery:
    """A signed message to a partner that has a webhook, about what happened at that moment (ISO 8601), sent now (`moment`). An
    unsigned one could come from anybody: without the secret it is a Delivery that failed."""
    assert partner.webhook is not None
    to, sequence = f"partner {partner.id}", int(data.get("sequence", 0))
    secret = os.environ.get(partner.webhook.secret_env, "")
    if not secret:
        error = f"environment variable {partner.webhook.secret_env} is not set: the message could not be signed, and was not sent"
        return Delivery(to, "", False, 0, error, sequence)
    body = {"type": kind, "timestamp": at, "data": data}
    return Webhook(to, partner.webhook.url, message_id, moment, body, secret, sequence)


def _release(run_id: str, site: SiteReport) -> dict[str, Any]:
    names = {name: getattr(site, name) for name in ("added", "changed", "removed", "withdrawn")}
    return {
        "partner": site.partner,
        "site": site.site,
        "sequence": site.sequence,
        "run_id": run_id,
        "counts": {name: len(values) for name, values in names.items()},
        **{name: values[:LONGEST] for name, values in names.items()},
    }
