"""partners/<id>.toml: who gets what, under which terms, with which looks. In: TOML values. Out: `Partner`."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from pipeline.settings.fields import Color, Language, LinkTemplate, Model, PathId, Scope, Text, TimeZone


class Grant(Model):
    """What one clause of an agreement allows. A scope left out is an error, never a grant; 'all' is written."""

    clause: Text = Field(description="Clause of the agreement; printed by explain, reports and rights records.")
    collections: Scope = Field(description="Collections by id, or 'all'.")
    languages: Scope = Field(description="Languages ('es' covers 'es-US'), or 'all'.")
    audiences: Scope = Field(description="Audiences, or 'all'.")
    formats: Scope = Field(description="Formats, or 'all'.")
    images: Literal["none", "own", "sublicensable"] = Field(
        description="none; own: the publisher's; sublicensable: also those whose holder lets us pass them on."
    )
    sites: Scope = Field("all", description="Sites of the partner that the clause covers.")


class Agreement(Model):
    """One agreement; several live side by side."""

    id: Text = Field(description="The agreement's own number.")
    starts: date = Field(description="First day.")
    ends: date = Field(description="Last day, inclusive, in the partner's time zone.")
    grants: list[Grant] = Field(min_length=1, description="What it allows.")

    @model_validator(mode="after")
    def _dates_in_order(self) -> Agreement:
        if self.ends < self.starts:
            raise ValueError(f"ends ({self.ends}) is before starts ({self.starts})")
        return self


class PartnerNotices(Model):
    """The partner's notices in one language."""

    disclaimer: str = Field("", description="The partner's disclaimer.")
    attribution: list[Text] = Field(default_factory=list, description="Further lines at the end of the legal block.")


class BrandSettings(Model):
    """The partner's looks."""

    color: Color = Field("#0b5fa5", description="Brand colour; shades with enough contrast are computed.")
    logo: str = Field("", description="Logo (SVG or PNG), a file beside the partner's file.")


class SiteSettings(Model):
    """One place of the partner that shows content; what it leaves out it takes from the partner."""

    name: str = Field("", description="Name that readers see; empty: the partner's.")
    brand: BrandSettings | None = Field(None, description="Looks; left out: the partner's.")
    templates: str = Field("", description="A folder of templates and style sheets that win over ours.")
    heading_base: int = Field(2, ge=1, le=6, description="Level of the first heading in JSON fragments.")
    topic_link: LinkTemplate = Field(
        "", description="Link template of JSON fragments, with {id}, {language}, {anchor}; empty: relative links."
    )
    indexing: Literal["noindex", "free"] = Field("noindex", description="Whether search engines may index the pages.")


class Partner(Model):
    """partners/<id>.toml: who gets what, under which terms, with which looks."""

    id: PathId = Field(description="The file's name without .toml; never change it.")
    name: Text = Field(description="Name that readers see.")
    timezone: TimeZone | Literal[""] = Field("", description="Where the partner's day begins; empty: the publisher's.")
    conditions: str = Field("", description="A DITAVAL file for this partner; empty: that of syndication.toml.")
    agreements: list[Agreement] = Field(min_length=1, description="Agreements, past ones too.")
    notices: dict[Language, PartnerNotices] = Field(default_factory=dict, description="Notices by language.")
    brand: BrandSettings = Field(default_factory=BrandSettings, description="Looks.")
    templates: str = Field("", description="A folder of templates and style sheets that win over ours.")
    sites: dict[PathId, SiteSettings] = Field(default_factory=dict, description="Sites; none: one with the partner's id.")

    def all_sites(self) -> dict[str, SiteSettings]:
        """Every site by id; a partner without `[sites]` has one, with the partner's id."""
        return dict(self.sites) or {self.id: SiteSettings()}
