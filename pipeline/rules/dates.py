"""The agreement is in force on the day asked for, both ends included; or is wound down."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.settings.fields import days_after
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = True


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:
    """Withholds before the agreement's first and after its last day. In a wind-down that keeps what exists, what the site has
    under this agreement stays, format by format, and nothing new comes."""
    agreement = terms.agreement
    if as_of < agreement.starts:
        return terms.withhold("dates", f"agreement {agreement.id} starts on {agreement.starts}", until=agreement.starts)
    if as_of <= agreement.ends:
        return terms.grant("dates", f"agreement {agreement.id} runs to {agreement.ends}", until=days_after(agreement.ends, 1))
    ended = f"agreement {agreement.id} ended on {agreement.ends}"
    if agreement.after_end is None or as_of > agreement.wind_down_ends:
        return terms.withhold("dates", ended)
    if agreement.after_end.keep == "nothing":
        return terms.withhold("dates", f"{ended}; the partner takes all down by {agreement.wind_down_ends}")
    until = days_after(agreement.wind_down_ends, 1)
    if not _has(topic, use, agreement.id):
        return terms.withhold("dates", f"{ended}; what the site has stays to {agreement.wind_down_ends}, nothing new comes")
    return terms.grant("dates", f"{ended}; what the site has stays to {agreement.wind_down_ends}", until=until)


def _has(topic: Metadata, use: Use, agreement: str) -> bool:
    row = use.around.live.get(topic.key)
    if row is None or not any(file.format == use.format for file in row.files):
        return False
    return row.agreement_of(use.format) == agreement
