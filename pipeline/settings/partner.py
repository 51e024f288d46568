"""partners/<id>.toml: who gets what, under which terms, with which looks. In: TOML values. Out: `Partner`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.notices import LEGAL
from pipeline.settings.fields import Channel, Color, Language, LinkTemplate, Model, PathId, Territory, Text, TimeZone
from pipeline.settings.messages import Webhook
from pipeline.settings.publisher import FreshnessDays
from pipeline.settings.terms import Agreement, Exemption, Obligation


class PartnerNotices(Model):
    """The partner's notices in one language."""

    disclaimer: str = Field("", description="The partner's disclaimer.")
    attribution: list[Text] = Field(default_factory=list, description="Further lines at the end of the legal block.")
    contact: str = Field(
        "",
        description="Whom readers of a withdrawn topic may ask, as a sentence. Left out: the publisher's.",
    )


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
    zip: bool = Field(False, description="Whether releases come as one zip too; the partner's `zip` does it for all sites.")
    channel: Channel = Field(
        "portal",
        description="portal, public-web, ehr, app, print or kiosk: grants may name them; refresh_days has its default from it.",
    )
    territories: list[Territory] = Field(
        default_factory=list,
        description="Countries or parts of them where the site is shown; empty: anywhere, which no grant, topic or image covers"
        " that names territories.",
    )
    edits: Literal["none", "adapt", "translate"] = Field(
        "none",
        description="What the partner may do to the text; said in rights records. adapt: the adapted legal block is the default.",
    )
    indexing: Literal["noindex", "canonical", "free"] = Field(
        "noindex",
        description="Whether search engines may index the pages. canonical: those that name the publisher's own page; free: all.",
    )
    refresh_days: int = Field(
        0, ge=0, le=366, description="The partner must fetch at least this often; said in the manifest. 0: as the channel has it."
    )


class Contacts(Model):
    """Who is told what; printed in reports."""

    safety: str = Field("", description="Who acts on withdrawals and corrections, day and night; 'check --partner' asks for it.")
    technical: str = Field("", description="Who looks after the site.")
    legal: str = Field("", description="Who looks after the agreement.")


Permission = Literal["reserved", "allowed"]


class ArtificialIntelligence(Model):
    """What machines may do with the content; said in manifests and rights records."""

    train: Permission = Field("reserved", description="Train models.")
    ground: Permission = Field("reserved", description="Ground answers of models in it.")
    summarize: Permission = Field("reserved", description="Let machines summarize it.")
    translate: Permission = Field("reserved", description="Let machines translate it.")
    index: Permission = Field("reserved", description="Mine text, and index it for search by meaning.")


CodeSystem = Literal["snomed-ct", "cpt"]


class Delivery(Model):
    """The partner's own bucket, into which `deliver` copies each release."""

    store: Text = Field(description="Address of the bucket: s3://bucket/prefix (or a folder).")
    automatic: bool = Field(
        False,
        description="Whether `run`, `run --due`, `withdraw` and `resign` copy as their last step; else `deliver` alone does.",
    )
    endpoint_url: str = Field("", description="Address of an S3 server other than Amazon's.")
    region: str = Field("", description="The bucket's region.")
    role_arn: str = Field("", description="The role that the partner made for us, to be assumed.")
    external_id: str = Field("", description="The word agreed on for that role.")
    expected_bucket_owner: str = Field("", description="Account of 12 digits: another's bucket of that name is refused.")
    kms_key: str = Field("", description="The key that encrypts what is written.")
    acl: str = Field("", description="private, bucket-owner-full-control or bucket-owner-read; empty: none is sent.")


class Partner(Model):
    """partners/<id>.toml: who gets what, under which terms, with which looks."""

    id: PathId = Field(description="The file's name without .toml; never change it.")
    name: Text = Field(description="Name that readers see.")
    timezone: TimeZone | Literal[""] = Field("", description="Where the partner's day begins; empty: the publisher's.")
    conditions: str = Field("", description="A DITAVAL file for this partner; empty: that of syndication.toml.")
    agreements: list[Agreement] = Field(min_length=1, description="Agreements, past ones too.")
    notices: dict[Language, PartnerNotices] = Field(default_factory=dict, description="Notices by language.")
    order: tuple[Literal[LEGAL], ...] = Field(  # type: ignore[valid-type]
        (), description="Order of the legal block on this partner's pages; empty: the publisher's."
    )
    language_fallback: dict[Language, Language] = Field(
        default_factory=dict,
        description="By language, the one that stands in for topics it lacks: es = 'en'. Links lead there, and the page says so."
        " Empty: no language stands in for another.",
    )
    freshness: FreshnessDays | None = Field(
        None, description="What becomes of topics past review; what is left out is the publisher's."
    )
    exemptions: list[Exemption] = Field(default_factory=list, description="Rules and proofs set aside, with reason and last day.")
    obligations: list[Obligation] = Field(
        default_factory=list,
        description="Clauses that software can not enforce; in NOTICE.txt, reports and the manifest.",
    )
    contacts: Contacts = Field(default_factory=Contacts, description="Who is told what.")
    ai: ArtificialIntelligence = Field(
        default_factory=ArtificialIntelligence, description="What machines may do with the content: each reserved or allowed."
    )
    code_systems: dict[CodeSystem, Text] = Field(
        default_factory=dict,
        description="The partner's own license of a code system, by snomed-ct or cpt; without it, such codes are left out.",
    )
    brand: BrandSettings = Field(default_factory=BrandSettings, description="Looks.")
    templates: str = Field("", description="A folder of templates and style sheets that win over ours.")
    zip: bool = Field(False, description="Whether releases come as one zip too, for who only unzips.")
    sites: dict[PathId, SiteSettings] = Field(default_factory=dict, description="Sites; none: one with the partner's id.")
    webhook: Webhook | None = Field(None, description="Told after each release of one of the sites; left out: nobody is.")

    delivery: Delivery | None = Field(None, description="The partner's own bucket; left out: it pulls from ours.")

    def all_sites(self) -> dict[str, SiteSettings]:
        """Every site by id; a partner without `[sites]` has one, with the partner's id."""
        return dict(self.sites) or {self.id: SiteSettings()}
