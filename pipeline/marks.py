"""Lines right under a title that follow from the publisher's decisions. In: what stands, a topic, a day. Out: `Mark`s."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from pipeline.contracts import Mark
from pipeline.labels import labels
from pipeline.standing import Standing, day_of, notice_in
from pipeline.topic import Metadata


def corrections(standing: Standing, metadata: Metadata, as_of: date, zone: ZoneInfo) -> tuple[Mark, ...]:
    """What was corrected within the last 90 days: the day, and the note where there is one in this language."""
    found = standing.corrections(*metadata.key, as_of, zone)
    return tuple(
        Mark("corrected", _corrected(metadata.language, day_of(d.at, zone), notice_in(d.notice, metadata.language)))
        for d in found
    )


def _corrected(language: str, day: date, note: str) -> str:
    words = labels(language)
    if note:
        return words.text("Corrected on {date}: {note}", date=words.date(day), note=note)
    return words.text("Corrected on {date}", date=words.date(day))
