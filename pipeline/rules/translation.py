"""The translation is as new as what it translates."""

from __future__ import annotations

from datetime import date

from pipeline.contracts import Decision, Use
from pipeline.freshness import original, translated_on
from pipeline.settings.fields import days_after
from pipeline.terms import Terms
from pipeline.topic import Metadata

BY_FORMAT = False


def decide(topic: Metadata, use: Use, terms: Terms, as_of: date) -> Decision:
    """Marks a translation older than its source, and withholds it after the days of the contract; at once where a mistake in the
    source was corrected since, because readers of the translation would still read the mistake."""
    source = original(topic, use.around.topics)
    if source is None:
        known = f"the source {topic.translation.of} is in no input" if topic.translation else "the topic is no translation"
        return terms.grant("translation", known)
    if not _older(topic, source):
        return terms.grant("translation", f"as new as its source {source.id} in {source.language}")
    if exemption := terms.exemption("translation", topic, as_of):
        reason = f"older than its source {source.id}; exempt to {exemption.ends}: {exemption.reason}"
        return terms.grant("translation", reason, until=days_after(exemption.ends, 1))
    corrected = max((correction.on for correction in source.corrections if _after(correction.on, topic)), default=None)
    if corrected:
        return terms.withhold("translation", f"its source {source.id} was corrected on {corrected}, and the translation was not")
    changed = source.modified or source.current_as_of
    if changed is None:
        return terms.mark("translation", "translation", f"older than its source {source.id}, whose day of change is not known")
    until = days_after(changed, terms.freshness.translation_days + 1)
    if as_of >= until:
        return terms.withhold("translation", f"its source {source.id} changed on {changed}; withheld since {until}")
    return terms.mark("translation", "translation", f"its source {source.id} changed on {changed}", until=until)


def _after(day: date, topic: Metadata) -> bool:
    made = translated_on(topic)
    return made is None or day > made


def _older(topic: Metadata, source: Metadata) -> bool:
    """By the version that was translated, where both say one; else by days. Where nothing tells, it counts as new enough."""
    made, stated = translated_on(topic), topic.translation.version if topic.translation else ""
    days = [correction.on for correction in source.corrections]
    if not (stated and source.version):
        days += [source.modified] if source.modified else []
    elif stated != source.version:
        return True
    return made is not None and any(day > made for day in days)
