"""The lines right under a title that say how a reader should take a topic.

In: the kinds of mark that rules asked for, the publisher's decisions, the topic's metadata, the words of its language.
Out: `Mark`s.
A mark names a day, never a span: what is printed on paper is read later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.contracts import Mark
from pipeline.labels import Labels, labels
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


def marks(kinds: Iterable[str], metadata: Metadata, words: Labels) -> tuple[Mark, ...]:
    """The marks of these kinds, each once, in the order in which they are printed."""
    wanted = set(kinds)
    return tuple(Mark(kind, make(metadata, words)) for kind, make in _MAKERS.items() if kind in wanted)


def _evaluation(_m: Metadata, words: Labels) -> str:
    return words.text("For evaluation only. Not for use with patients.")


def _review_due(metadata: Metadata, words: Labels) -> str:
    assert metadata.review_due is not None
    return words.text("Review due: {date}", date=words.date(metadata.review_due))


def _translation(_m: Metadata, words: Labels) -> str:
    return words.text("This translation is older than the text that it translates.")


def _language(metadata: Metadata, words: Labels) -> str:
    return words.text("This topic is available in {language} only.", language=words.language_name(metadata.language))


_MAKERS: Final[dict[str, Callable[[Metadata, Labels], str]]] = {
    "evaluation": _evaluation,
    "review-due": _review_due,
    "translation": _translation,
    "language": _language,
}
