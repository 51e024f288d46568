"""Whether a translation is behind what it translates. In: topics. Out: why, in words; "" where nothing says so.

By the version that was translated, where both say one; else by days, as the rule `translation` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from babel import Locale, UnknownLocaleError

from pipeline.editions import Key
from pipeline.topic import Metadata

Originals = Mapping[str, tuple[Metadata, ...]]


def language_name(tag: str) -> str:
    """A language in English: `Spanish`."""
    try:
        return str(Locale.parse(tag, sep="-").get_display_name("en") or tag)
    except (UnknownLocaleError, ValueError):
        return tag


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
    others = [m for m in known.get(made.of, ()) if m.language != metadata.language] if made else []
    original = next((m for m in others if m.translation is None), others[0] if others else None)  # as the rule takes it
    if made is None or original is None:
        return ""
    language = language_name(metadata.language)
    if made.version and original.version:
        stated = f"the {language} text translates version {made.version}; version {original.version} is the newest"
        return stated if made.version != original.version else ""
    day = made.reviewed_on or metadata.modified or metadata.current_as_of
    if day and original.modified and original.modified > day:
        return f"the {language} text is of {day}; what it translates was changed on {original.modified}"
    return ""
