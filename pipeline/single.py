"""One topic in one format, as one site gets it: over the same code as a run.

In: a System, a day, and the names of topic, format, partner (site, language where there are several).
Out: `Rendered`: the finished files, main file first, and every finding of the topic.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.catalog import Catalog, survey
from pipeline.contracts import OutputFile
from pipeline.editions import Key, SitePlan
from pipeline.errors import UsageError
from pipeline.findings import Finding, has_errors
from pipeline.making import make_edition
from pipeline.plugins import System
from pipeline.report import Report, finding_lines
from pipeline.run import Options, State, conditions_of, prepare
from pipeline.settings import Partner, unknown
from pipeline.sites import Today, prefix_of
from pipeline.work import Job, Prepared, TopicResult, render_view
from pipeline.work import prepare as prepare_topic


@dataclass(frozen=True)
class Rendered:
    """The files of one format of one edition, and the topic's findings."""

    files: tuple[OutputFile, ...]
    findings: tuple[Finding, ...]

    def lines(self) -> list[str]:
        """The findings as lines of text."""
        return list(finding_lines(list(self.findings)))


def render(
    system: System, today: Today, topic: str, format_name: str, partner: str, *, site: str = "", language: str = ""
) -> Rendered:
    """Renders and proves. Raises UsageError for a name that does not exist, a use that is not granted, or a topic held back."""
    if format_name not in system.transforms:
        raise unknown("format", format_name, system.transforms)
    options = Options(today, "render", "", partners=(partner,), topics=(topic,), dry_run=True, offline=True)
    catalog = survey(system, conditions_of(system, options))
    state = prepare(system, options, catalog, Report("render", ""))
    chosen = system.configuration.partner(partner)
    prefix = find_prefix(chosen, site)
    key = find_key(state.context.plans[prefix], topic, language)
    _check_granted(state, prefix, key, format_name)
    result = TopicResult(key)
    prepared = read_topic(system, state, catalog, chosen, key, result)
    files = _rendered(state, prefix, prepared, format_name, result) if prepared else []
    if not files or has_errors(result.findings):
        raise _held_back(key, result.findings)
    return Rendered(tuple(files), tuple(result.findings))


def write(rendered: Rendered, output: Path) -> None:
    """Writes the main file to `output` and its media beside it, under their own names."""
    main, *media = rendered.files
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(main.data)
        for file in media:
            target = output.parent / os.path.relpath(file.path, PurePosixPath(main.path).parent)
            if not target.resolve().is_relative_to(output.parent.resolve()):
                continue  # files of the whole bundle stand above the topic's folder
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
    except OSError as problem:
        raise UsageError(f"{output} can not be written", found=str(problem), fix="give another -o FILE") from None


def find_prefix(partner: Partner, site: str) -> str:
    """The prefix of a partner's site, or of its only one. Raises UsageError."""
    sites = partner.all_sites()
    if site and site not in sites:
        raise unknown("site", site, sites)
    if not site and len(sites) > 1:
        raise UsageError(f"partner {partner.id} has several sites", expected=", ".join(sites), fix="name one with --site")
    return prefix_of(site or next(iter(sites)))


def find_key(plan: SitePlan, topic: str, language: str) -> Key:
    """The topic in that language, or in its only one. Raises UsageError."""
    keys = sorted(key for key in {*plan.granted, *plan.withheld} if key[0] == topic)
    if language:
        if (topic, language) not in keys:
            raise unknown(f"language of {topic}", language, [tag for _, tag in keys])
        return topic, language
    if len(keys) > 1:
        raise UsageError(
            f"topic {topic} exists in several languages",
            expected=", ".join(tag for _, tag in keys),
            fix="name one with --language",
        )
    return keys[0]


def _check_granted(state: State, prefix: str, key: Key, format_name: str) -> None:
    plan = state.context.plans[prefix]
    granted = plan.granted.get(key)
    if granted is None:
        reasons = "; ".join(f"{d.reason} ({d.clause})" if d.clause else d.reason for d in plan.withheld.get(key, ()))
        raise UsageError(
            f"{' '.join(key)} is withheld from {plan.site.id} on {plan.as_of}",
            found=reasons,
            fix="choose another topic, partner or --as-of",
        )
    if format_name not in granted.formats:
        raise UsageError(
            f"{plan.site.id} does not get {' '.join(key)} as {format_name}",
            expected=", ".join(granted.formats),
            fix="choose one of those formats",
        )


def read_topic(
    system: System, state: State, catalog: Catalog, partner: Partner, key: Key, result: TopicResult
) -> Prepared | None:
    """The topic as its source gives it, checked; findings go to `result`. None where it can not be read."""
    conditions = system.configuration.conditions(partner)
    for source in system.sources:
        for entry in catalog.indexes[source, conditions].entries:
            if entry.metadata.key == key:
                return prepare_topic(state.context, Job(source, conditions, (entry,), ()), entry, result)
    return None


def _rendered(state: State, prefix: str, prepared: Prepared, format_name: str, result: TopicResult) -> list[OutputFile]:
    plan = state.context.plans[prefix]
    edition = make_edition(state.context, plan, prepared.topic.metadata, plan.granted[prepared.topic.metadata.key].formats)
    return render_view(state.context, plan, format_name, prepared, edition, result)


def _held_back(key: Key, findings: list[Finding]) -> UsageError:
    return UsageError(
        f"{' '.join(key)} is held back:\n" + "\n".join(finding_lines(findings)), fix="mend the topic, then render it again"
    )
