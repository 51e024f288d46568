"""Agreements and grants, as a partner's file states them. In: TOML values. Out: `Agreement`, `Grant` and their parts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.settings.fields import Channel, Days, Model, Scope, TerritoryScope, Text, days_after


class Grant(Model):
    """What one clause of an agreement allows. A scope left out is an error, never a grant; 'all' is written."""

    clause: Text = Field(description="Clause of the agreement; printed by explain, reports and rights records.")
    collections: Literal["all"] | list[Text] = Field(
        description="Collections by id, or 'all'; [] where include_topics says all that is granted."
    )
    languages: Scope = Field(description="Languages ('es' covers 'es-US'), or 'all'.")
    audiences: Scope = Field(description="Audiences, or 'all'.")
    formats: Scope = Field(description="Formats, or 'all'.")
    images: Literal["none", "own", "sublicensable"] = Field(
        description="none; own: the publisher's; sublicensable: also those whose holder lets us pass them on."
    )
    sites: Scope = Field("all", description="Sites of the partner that the clause covers.")
    channels: Literal["all"] | Annotated[list[Channel], Field(min_length=1)] = Field(
        "all", description="Channels of sites that the clause covers."
    )
    territories: TerritoryScope = Field(
        "all", description="Countries (ISO 3166-1, 'US') or parts of them ('US-CA') that the clause covers, or 'all'."
    )
    kinds: Scope = Field("all", description="Kinds of topic, as topics name them, or 'all'.")
    members: Literal["growing"] | date = Field(
        "growing",
        description="growing: topics that join a collection later are granted too; a date: only topics that were created or"
        " went live by then.",
    )
    include_topics: list[Text] = Field(
        default_factory=list, description="Topics by id that are granted whatever their collections, also after a frozen date."
    )
    exclude_topics: list[Text] = Field(default_factory=list, description="Topics by id that are not granted.")

    @model_validator(mode="after")
    def _covers_something(self) -> Grant:
        if not self.collections and not self.include_topics:
            raise ValueError("collections is empty and include_topics too: nothing is granted; name collections, or 'all'")
        if both := sorted({*self.include_topics} & {*self.exclude_topics}):
            raise ValueError(f"{', '.join(both)}: both in include_topics and in exclude_topics")
        return self


class AfterEnd(Model):
    """What happens after an agreement's last day."""

    days: Days = Field(description="Length of the wind-down, in days after the last day.")
    keep: Literal["existing", "nothing"] = Field(
        description="existing: what the site has stays and is corrected, nothing new comes; nothing: all goes, and the partner"
        " has these days to take it down."
    )


class Limits(Model):
    """How much an agreement covers."""

    topics: int = Field(gt=0, description="Topics (by id, all sites and languages); with more, the site stops with a list.")


class Agreement(Model):
    """One agreement; several live side by side."""

    id: Text = Field(description="The agreement's own number.")
    kind: Literal["production", "evaluation"] = Field(
        "production",
        description="evaluation: each page says so under its title, is noindex, no EPUB is made, all goes after the last day.",
    )
    starts: date = Field(description="First day.")
    ends: date = Field(description="Last day, inclusive, in the partner's time zone.")
    after_end: AfterEnd | None = Field(None, description="Wind-down; left out: all goes after the last day.")
    notice_days: int = Field(
        0,
        ge=0,
        le=3650,
        description="Notice must be given this many days before the last day; 'check --partner' reminds of it.",
    )
    limits: Limits | None = Field(None, description="How much it covers; left out: no limit.")
    grants: list[Grant] = Field(min_length=1, description="What it allows.")

    @model_validator(mode="after")
    def _consistent(self) -> Agreement:
        if self.ends < self.starts:
            raise ValueError(f"ends ({self.ends}) is before starts ({self.starts})")
        if self.kind == "evaluation" and self.after_end:
            raise ValueError("an evaluation ends on its last day; take after_end out")
        return self

    @property
    def notice_by(self) -> date | None:
        """Last day to give notice; None where none is agreed."""
        return days_after(self.ends, -self.notice_days) if self.notice_days else None

    @property
    def wind_down_ends(self) -> date:
        """Last day of the wind-down; the agreement's own last day where there is none."""
        return days_after(self.ends, self.after_end.days) if self.after_end else self.ends


class Obligation(Model):
    """A clause that software can not enforce."""

    clause: Text = Field(description="Clause of the agreement.")
    text: Text = Field(description="What is owed, in words: 'No advertising beside the content.'; printed for people.")


class Exemption(Model):
    """A rule or a proof that is set aside for some topics, with a reason, for a time."""

    of: Text = Field(description="The rule 'freshness' or 'translation', or the code of a finding that holds a topic back.")
    topics: Scope = Field(description="Topics by id, or 'all'.")
    reason: Text = Field(description="Why; printed wherever the exemption is used.")
    ends: date = Field(description="Last day, inclusive.")

    @model_validator(mode="after")
    def _of_something(self) -> Exemption:
        if self.of not in ("freshness", "translation") and "." not in self.of:
            raise ValueError(f"{self.of!r} is neither freshness nor translation nor the code of a finding (see docs/findings.md)")
        return self
