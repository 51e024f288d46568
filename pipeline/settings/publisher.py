"""publisher.toml: who publishes, and what stands under every topic. In: TOML values. Out: `Publisher`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.notices import LEGAL
from pipeline.settings.fields import Days, Language, Model, PathId, Text, TimeZone, WebAddress


class CopyrightDefaults(Model):
    """What a topic does not say itself."""

    holder: Text = Field(description="Copyright holder of topics that name none.")
    first_year: int = Field(
        0, ge=0, le=9999, description="First year of topics that name none; 0: the year of the topic's own dates."
    )


class TopicDefaults(Model):
    """Stand-ins for what a topic does not say."""

    author: str = Field("", description="Author of topics that name none.")
    audiences: list[Text] = Field(default_factory=list, description="Audiences of topics that name none.")
    collections: list[Text] = Field(default_factory=list, description="Collections of topics that are in none.")
    owner: str = Field("", description="Who is told of findings in topics that name no owner.")


class PublisherNotices(Model):
    """The publisher's notices in one language; each is shown and proven when given."""

    trademark: str = Field("", description="Sentence after the copyright line.")
    disclaimer: str = Field("", description="The publisher's disclaimer.")
    use: str = Field("", description="The sentence 'Your use of this information ...'.")
    terms_url: WebAddress | Literal[""] = Field("", description="Address of the terms of use.")
    privacy_url: WebAddress | Literal[""] = Field("", description="Address of the privacy policy.")
    learn_more: str = Field("", description="The sentence 'To learn more about ...'.")
    learn_more_url: WebAddress | Literal[""] = Field("", description="Where that sentence leads.")
    attribution: list[Text] = Field(default_factory=list, description="Further lines at the end of the legal block.")
    contact: str = Field("", description="Whom readers of a withdrawn topic may ask, as a sentence: 'Call us at 1-800-555-0100.'")
    logo: str = Field("", description="The publisher's logo in this language, a file beside publisher.toml.")


class FreshnessDays(Model):
    """What becomes of topics whose review is due, and of translations older than their source. Days count from that day."""

    due_soon_days: Days = Field(90, description="A review due within this many days is in the forecast; readers see nothing.")
    in_review_days: Days = Field(
        180, description="An overdue topic that is in review is shown without a mark for this many days."
    )
    mark_after_days: Days = Field(30, description="An overdue topic says when its review was due, from this many days on.")
    withhold_after_days: Days = Field(365, description="A topic overdue for more days than this is withheld.")
    translation_days: Days = Field(
        180, description="A translation older than its source says so, and is withheld after more days than this."
    )


class Freshness(FreshnessDays):
    """Days that go with one another."""

    @model_validator(mode="after")
    def _in_order(self) -> Freshness:
        if self.withhold_after_days < max(self.mark_after_days, self.in_review_days):
            raise ValueError("withhold_after_days is less than mark_after_days or in_review_days: no reader would be warned")
        return self


class Publisher(Model):
    """publisher.toml: who publishes, and what stands under every topic."""

    id: PathId = Field(description="Part of identifiers; never change it.")
    name: Text = Field(description="Name that readers see.")
    url: WebAddress | Literal[""] = Field("", description="Home page.")
    timezone: TimeZone = Field("UTC", description="Where the publisher's day begins.")
    language: Language = Field("en", description="Language of topics that name none.")
    review_cycle_months: int = Field(
        0, ge=0, description="A review is due this long after 'current as of'; 0: only where a topic says so."
    )
    require: tuple[Literal["title", "publisher-disclaimer", "copyright", "current-as-of", "author", "reviewer"], ...] = Field(
        ("title", "publisher-disclaimer"), description="A topic that lacks one of these is held back."
    )
    assets_without_entry: Literal["ours", "refuse"] | None = Field(
        None, description="Whose an image is that assets.toml does not list. Must be said where there is an assets.toml."
    )
    order: tuple[Literal[LEGAL], ...] = Field(  # type: ignore[valid-type]
        LEGAL, description="Order of the legal block, which follows the credits; kinds left out come last."
    )
    freshness: Freshness = Field(
        default_factory=Freshness, description="What becomes of topics past review; a partner may agree on other days."
    )
    copyright: CopyrightDefaults | None = Field(None, description="Copyright of topics that state none.")
    defaults: TopicDefaults = Field(default_factory=TopicDefaults, description="What topics may leave out.")
    notices: dict[Language, PublisherNotices] = Field(description="Notices by language; 'es' serves 'es-US' too.")
