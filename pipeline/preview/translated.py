"""Whether a translation is behind what it translates. In: topics. Out: why, in words; "" where nothing says so.

By the version that was translated, where both say one; else by days, as the rule `translation` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.editions import Key
from pipeline.freshness import original, translated_on
from pipeline.labels import labels
from pipeline.topic import Metadata

Originals = Mapping[str, tuple[Metadata, ...]]


def language_name(tag: str) -> str:
    """A language in English, as editors read it: `Spanish`."""
    return labels("en").language_name(tag)


def originals(topics: Mapping[Key, Metadata], of: Iterable[Metadata] = ()) -> Originals:
    """What these topics (left out: all) translate, by id."""
    wanted = {m.translation.of for m in (of or topics.values()) if m.translation}
    found: dict[str, tuple[Metadata, ...]] = {}
    for (name, _), metadata in topics.items() if wanted else ():
        if name in wanted:
            found[name] = (*found.get(name, ()), metadata)
    return found


def behind(metadata: Metadata, known: Originals) -> str:
    """Why a translation is behind what it translates."""
    made = metadata.translation
    source = original(metadata, known)
    if made is None or source is None:
        return ""
    language = language_name(metadata.language)
    if made.version and source.version:
        stated = f"the {language} text translates version {made.version}; version {source.version} is the newest"
        return stated if made.version != source.version else ""
    day = translated_on(metadata)
    if day and source.modified and source.modified > day:
        return f"the {language} text is of {day}; what it translates was changed on {source.modified}"
    return ""
