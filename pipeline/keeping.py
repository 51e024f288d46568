"""Whether what is live of a topic may stay where the topic can not be made anew today.

In: the live row, today's plan and metadata, today's images. Out: why it may not stay, "" where it may. What is live was proven
under the terms of its day: where those terms, its expiry or its images are others today, nobody has proven it for today.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from pipeline import assets
from pipeline.asset_rights import rights_of
from pipeline.contracts import Image, Rights, Row, Use
from pipeline.editions import Key, SitePlan
from pipeline.findings import Finding, warning
from pipeline.made_of import of_image, of_notices, of_terms, pairs
from pipeline.notices import Texts
from pipeline.sites import notice_texts
from pipeline.topic import Metadata
from pipeline.unread import source_mark
from pipeline.work import Context

DEAD: Final = warning(
    "link.kept",
    "A page stays as it was published, because its source can not be used today, and links to a topic that the site lost.",
    "Mend the source of the page: it is made anew then, without the link.",
)


def dead_links(rows: Iterable[Row], kept: Collection[str], withdrawn: Collection[str], partner: str) -> list[Finding]:
    """The links of a site's kept rows to topics that are neither among its rows nor withdrawn with a notice in their place.
    Topics are written "<id> <language>"."""
    rows = list(rows)
    present = {f"{row.id} {row.language}" for row in rows} | {*withdrawn}
    return [
        DEAD.at("", 0, f"{name} links to {link}, which the site no longer has", topic=name, partner=partner)
        for row in rows
        if (name := f"{row.id} {row.language}") in kept
        for link in row.links
        if link not in present
    ]


@dataclass
class Keeper:
    """What it takes to judge rows of one run: its context, every topic's metadata as it is today, what was found so far."""

    context: Context
    topics: Mapping[Key, Metadata]
    _today: dict[str, tuple[Image, Rights] | None] = field(default_factory=dict)

    @cached_property
    def files(self) -> dict[str, str]:
        """Every input file, by the mark that rows tell it by."""
        return {source_mark(name): name for name in self.context.files.names()}

    def why_not(self, row: Row, plan: SitePlan) -> str:
        """Why this row of a topic that is granted today may not stay; "" where it may."""
        granted, formats = plan.granted[row.id, row.language], {file.format for file in row.files if file.format}
        topic = self.topics[row.id, row.language]
        if self.context.standing.withdrawal(row.id, row.language, row.version):
            return f"version {row.version or '(none)'} of it is withdrawn"
        if more := sorted(formats - set(granted.formats)):
            return f"{', '.join(more)} is no longer granted"
        if row.made_of.get("terms") != of_terms(granted, formats, plan.partner, plan.site.id):
            return "its terms changed"
        if row.made_of.get("notice") != of_notices(self._texts(plan, row.language)):
            return "the notices changed"
        if row.expires != (topic.expires.isoformat() if topic.expires else ""):
            return "its expiry changed"
        if missing := {mark for name in formats for mark in granted.marks.get(name, ())} - set(row.marks):
            return f"it would have to be marked {', '.join(sorted(missing))}"
        return self._images(row, formats, plan, topic)

    def _texts(self, plan: SitePlan, language: str) -> tuple[Texts, Texts]:
        return notice_texts(self.context.system.configuration, plan.partner, language)

    def _images(self, row: Row, formats: Collection[str], plan: SitePlan, topic: Metadata) -> str:
        rule, granted = self.context.system.rules["asset"].load(), plan.granted[row.id, row.language]
        for mark, was in pairs(row.made_of.get("images", "")).items():
            found = self._image(mark)
            if found is None or of_image(*found) != was:
                return "an image of it, or the rights of one, changed"
            for name in formats:
                use = Use(plan.site.id, name, row.language, image=found[1])
                if all(rule.decide(topic, use, terms, plan.as_of).refuses for terms in granted.by_format[name]):
                    return f"the rights of the image {found[1].file} cover it no more"
        return ""

    def _image(self, mark: str) -> tuple[Image, Rights] | None:
        """An image as it would be delivered today, and its rights; None where it can not be shown."""
        if mark not in self._today:
            self._today[mark] = self._read(self.files[mark]) if mark in self.files else None
        return self._today[mark]

    def _read(self, name: str) -> tuple[Image, Rights] | None:
        configuration = self.context.system.configuration
        image = assets.delivered(name, self.context.files, configuration.settings.images)
        if image is None:
            return None
        asset = configuration.assets.get(name)
        rights = rights_of([name], self.context.rights, configuration.publisher)
        return replace(image, credit=asset.credit if asset else ""), rights[name]
