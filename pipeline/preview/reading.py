"""How hard a topic is to read: Flesch-Kincaid grade and SMOG of its prose, as advice.

In: a topic's body and language. Out: `Reading`. The formulas are made for English; Spanish has one of its own (Szigriszt-Pazos,
0-100, higher is easier); for other languages nothing is said. textstat 0.7.4: later ones fetch data when they run.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from lxml import etree

from pipeline.topic import plain

LONGEST: Final = 5
SMOG_NEEDS: Final = 30  # sentences, says the formula's author
TARGET: Final = "6 to 8"
_SENTENCE: Final = re.compile(r"(?<=[.!?؟])\s+")


@dataclass(frozen=True, slots=True)
class Reading:
    """Scores by name, `sentences` and `words` counted, and the longest sentences with their number of words."""

    scores: tuple[tuple[str, float], ...]
    target: str
    sentences: int
    words: int
    longest: tuple[tuple[int, str], ...]
    smog_sound: bool


def reading(body: etree._Element, language: str, stated: str) -> Reading | None:
    """The reading level of the prose of a body; None where it has none. `stated`: what the topic itself says."""
    blocks = [plain(element) for element in body.iter("p", "li", "dd") if element.find("p") is None]
    sentences = [each.strip() for block in blocks for each in _SENTENCE.split(block) if len(each.split()) > 1]
    if not sentences:
        return None
    text = " ".join(each if each[-1] in ".!?؟" else f"{each}." for each in sentences)
    ordered = sorted(((len(each.split()), each) for each in sentences), key=lambda one: -one[0])
    return Reading(
        _scores(text, language.split("-")[0]),
        stated or TARGET,
        len(sentences),
        sum(count for count, _ in ordered),
        tuple(ordered[:LONGEST]),
        len(sentences) >= SMOG_NEEDS,
    )


def _scores(text: str, language: str) -> tuple[tuple[str, float], ...]:
    if language == "en":
        return (
            ("Flesch-Kincaid grade", float(_textstat().flesch_kincaid_grade(text))),
            ("SMOG grade", float(_textstat().smog_index(text))),
        )
    return (("Szigriszt-Pazos", float(_textstat().szigriszt_pazos(text))),) if language == "es" else ()


@cache
def _textstat() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources, which says that it will go
        import textstat

    return textstat.textstat
