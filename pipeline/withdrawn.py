"""What stands in the place of a withdrawn topic: its row in the release, and the reader's notice in every format it was in.

In: open decisions, what a site has ever had, what it has now. Out: `Withdrawn` rows and the files that they name. A notice is a
small topic like any other, so every format renders it, also one that is added later. It bears no site's looks: its bytes are the
same for all sites that tell readers the same, so that many sites cost little more than one. No source and no proof stops it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree

from pipeline import labels
from pipeline.contracts import (
    Assets,
    Edition,
    EditorialDecision,
    FileRow,
    License,
    Mark,
    OutputFile,
    Publisher,
    Received,
    Row,
    Site,
    Transform,
    View,
    Withdrawn,
)
from pipeline.editions import Key
from pipeline.labels import Labels
from pipeline.plugins import System
from pipeline.standing import Standing, day_of, notice_in
from pipeline.topic import Metadata, Topic

KEPT_MONTHS: Final = 24  # how long a withdrawn topic keeps its paths
_UNTITLED: Final = "license-ended"  # the reason after which not even the title may be shown


@cache
def over_on(at: str, zone: ZoneInfo) -> date:
    """The first day on which what was withdrawn at that moment (ISO 8601) keeps its paths no more."""
    day = day_of(at, zone)
    years, month = divmod(day.month - 1 + KEPT_MONTHS, 12)
    try:
        return day.replace(year=day.year + years, month=month + 1)
    except ValueError:  # there is no 29 February then
        return date(day.year + years, month + 2, 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where notices are made: the site's rows by key (to link to what replaces a topic), whom readers may ask, by language."""

    rows: Mapping[Key, Row]
    contacts: Mapping[str, str]


@dataclass
class NoticeMaker:
    """Makes notices. What was made is kept, because many sites tell their readers the same: by all that decides its bytes, and,
    of the words alone, by decision, language and whom readers may ask."""

    system: System
    publisher: Publisher
    zone: ZoneInfo
    made: dict[tuple[object, ...], list[tuple[FileRow, OutputFile]]] = field(default_factory=dict)
    told: dict[tuple[int, str, str], list[str]] = field(default_factory=dict)

    def withdrawn(
        self,
        standing: Standing,
        received: Mapping[Key, Received],
        place: Place,
        as_of: date,
        before: Iterable[Withdrawn] = (),
    ) -> tuple[tuple[Withdrawn, ...], list[OutputFile]]:
        """Every topic that the site once had, that an open decision withdraws and that is not among its rows; and the files of
        notices that are not in `before`, the rows that are live."""
        known = {(gone.id, gone.language): gone for gone in before}
        rows: list[Withdrawn] = []
        files: dict[str, OutputFile] = {}
        for key, topic in sorted(received.items()):
            decision = standing.withdrawal(*key, topic.versions[-1]) if key not in place.rows else None
            if decision is None:
                continue
            row = self._row(decision, topic, place)
            old = known.get(key)
            if self._over(decision, as_of):
                rows.append(row)
            elif old and old.files and replace(old, files=()) == row:
                rows.append(old)
            else:
                made = self._notices(decision, topic, place)
                rows.append(replace(row, files=tuple(file for file, _ in made)))
                files.update({file.path: file for _, file in made})
        if rows:
            files.update({file.path: file for file in self.shared()})
        return tuple(rows), list(files.values())

    def shared(self) -> list[OutputFile]:
        """The style sheet that notices refer to; it belongs to no site."""
        makers = [getattr(plugin.load(), "bundle", None) for plugin in self.system.transforms.values()]
        made = [file for make in makers if make for file in make((), self._site(), self.publisher)]
        return [file for file in made if file.path.startswith("assets/")]

    def _over(self, decision: EditorialDecision, as_of: date) -> bool:
        return as_of >= over_on(decision.at, self.zone)

    def _site(self) -> Site:
        return Site("", self.publisher.id, self.publisher.name, "")

    def _row(self, decision: EditorialDecision, topic: Received, place: Place) -> Withdrawn:
        text = " ".join(self._paragraphs(decision, topic, place))
        return Withdrawn(
            decision=decision.number,
            id=topic.id,
            language=topic.language,
            versions=decision.versions,
            reason=decision.reason,
            severity=decision.severity,
            action=decision.action,
            at=decision.at,
            act_by=decision.act_by,
            notice={topic.language: text},
            contact=notice_in(place.contacts, topic.language),
            replaced_by=decision.replaced_by,
            path=f"{topic.language}/{topic.id}",
        )

    def _paragraphs(self, decision: EditorialDecision, topic: Received, place: Place) -> list[str]:
        """What the reader is told: what happened, what to do, whom to ask."""
        contact = notice_in(place.contacts, topic.language)
        key = (decision.number, topic.language, contact)
        if key not in self.told:
            self.told[key] = self._said(decision, topic.language, contact)
        return self.told[key]

    def _said(self, decision: EditorialDecision, language: str, contact: str) -> list[str]:
        words = _words(language)
        told = [own] if (own := notice_in(decision.notice, language)) else list(_standard(decision.reason, words))
        return [
            words.text("Withdrawn on {date}", date=words.date(day_of(decision.at, self.zone))) + ".",
            *told,
            *([contact] if contact else []),
            words.text("In an emergency, call your local emergency number at once."),
        ]

    def _notices(self, decision: EditorialDecision, topic: Received, place: Place) -> list[tuple[FileRow, OutputFile]]:
        replacement = place.rows.get((decision.replaced_by, topic.language))
        paragraphs = self._paragraphs(decision, topic, place)[1:]
        key = (decision.number, topic, tuple(paragraphs), replacement.title if replacement else "")
        if key not in self.made:
            rendered = self._rendered(decision, topic, paragraphs, replacement)
            self.made[key] = [(_file_row(name, file), file) for name, file in rendered]
        return self.made[key]

    def _rendered(
        self, decision: EditorialDecision, topic: Received, paragraphs: list[str], replacement: Row | None
    ) -> Iterator[tuple[str, OutputFile]]:
        words = _words(topic.language)
        untitled = decision.reason == _UNTITLED
        title = words.text("This information is no longer available") if untitled else topic.title
        metadata = Metadata(id=topic.id, language=words.language, title=title, status="withdrawn")
        body = _body(paragraphs, replacement, words)
        edition = Edition(
            metadata=metadata,
            site=self._site(),
            publisher=self.publisher,
            notices=(),
            license=License("", ""),
            formats=tuple(file.format for file in topic.files),
            marks=(Mark("withdrawn", words.text("Withdrawn on {date}", date=words.date(day_of(decision.at, self.zone)))),),
            terms_modified=day_of(decision.at, self.zone),
        )
        view = View(Topic(metadata, body), hashlib.sha256(etree.tostring(body) + repr(metadata).encode()).hexdigest())
        for file in topic.files:
            if transform := self._transform(file.format, file.media_type):
                made = transform.imprint(transform.body(view, Assets()), edition)[0]
                yield file.format, replace(made, path=file.path)

    def _transform(self, name: str, media_type: str) -> Transform | None:
        """The format; where it is no more, another one of the same media type."""
        plugins = self.system.transforms
        if name in plugins:
            return plugins[name].load()
        found = (plugin.load() for plugin in plugins.values())
        return next((transform for transform in found if media_type == transform.MEDIA_TYPE), None)


def _file_row(name: str, file: OutputFile) -> FileRow:
    return FileRow(name, file.path, hashlib.sha256(file.data).hexdigest(), len(file.data), file.media_type)


def _words(language: str) -> Labels:
    """The words of a language; where we have none any more, English is better than a page that says nothing."""
    return labels.labels(language if labels.known(language) else labels.SOURCE_LANGUAGE)


def _standard(reason: str, words: Labels) -> Iterator[str]:
    """What readers are told where nobody wrote a notice."""
    if reason == "error":
        yield words.text("It has an error in it. Do not use it.")
    elif reason == "safety":
        yield words.text("Following it may not be safe. Do not use it.")
    elif reason == "superseded":
        yield words.text("It is out of date. Do not use it.")
    else:
        yield words.text("It is no longer offered here.")
    yield words.text("If you have a printed or saved copy, throw it away.")
    yield words.text(
        "If you have questions, or have already followed it, ask your doctor, nurse or pharmacist. Do not stop or change a"
        " treatment on your own."
    )


def _body(paragraphs: list[str], replacement: Row | None, words: Labels) -> etree._Element:
    body = etree.Element("body")
    for text in paragraphs:
        etree.SubElement(body, "p").text = text
    if replacement:
        paragraph = etree.SubElement(body, "p")
        paragraph.text = words.text("Newer information:") + " "
        link = etree.SubElement(paragraph, "a")
        link.attrib.update({"data-kind": "topic", "data-topic": replacement.id, "data-language": replacement.language})
        link.text = replacement.title
    return body
