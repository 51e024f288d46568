"""What a rule is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pipeline.contracts.rows import Row
from pipeline.topic import Metadata

Key = tuple[str, str]  # a topic's (id, language)


@dataclass(frozen=True, slots=True)
class Rights:
    """What assets.toml says of one image. `ours`: the rights are the publisher's; `listed`: the file says anything of it."""

    file: str
    ours: bool = True
    listed: bool = True
    sublicense: bool = False
    formats: Literal["all"] | tuple[str, ...] = "all"
    territories: Literal["all"] | tuple[str, ...] = "all"
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a use on its site: every topic of the inputs by id (in all languages), the topics that the site gets
    (None = not settled yet), what is live there, and how many topics each agreement is used for."""

    topics: Mapping[str, tuple[Metadata, ...]] = field(default_factory=dict)
    delivered: Collection[Key] | None = None
    live: Mapping[Key, Row] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """What a licence is asked for: a format of a topic, in its language, on a site; or one image in it (`image`). `withdrawn`
    says in words which open decision withdraws the topic ("" = none).

    `format` is "" where a rule whose answer is one for all formats is asked."""

    site: str
    format: str
    language: str
    withdrawn: str = ""
    around: Around = Around()
    image: Rights | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule's answer. `verdict` is grant, withhold or condition (granted, under a `mark` right under the title);
    `until` the first day it could differ."""

    rule: str
    verdict: str
    reason: str
    clause: str = ""
    until: date | None = None
    mark: str = ""

    @property
    def refuses(self) -> bool:
        """Whether this answer alone withholds the use."""
        return self.verdict == "withhold"
