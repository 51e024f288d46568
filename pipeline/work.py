"""One unit of work: a chunk of topics, with every site's edition of them.

In: `Context` (the same for all jobs of a run) and `Job` (entries of one source under one set of conditions).
Out: per topic its findings and, per site, the release's row. Blobs are stored on the way; manifests and pointers
are the driver's alone. A plain function over picklable values, so that a pool or a cluster runs the same.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline import assets as images
from pipeline import audit, causes, completeness, editions, rights, withheld
from pipeline.asset_rights import rights_of
from pipeline.cache import Cache
from pipeline.characters import reordered
from pipeline.contracts import (
    Assets,
    Body,
    Edition,
    Entry,
    Image,
    Index,
    InputFiles,
    OutputFile,
    Place,
    Publisher,
    Rights,
    Row,
    Store,
    Transform,
    View,
)
from pipeline.editions import Key, SitePlan
from pipeline.errors import NotFound, StoreError, SyndicationError
from pipeline.exemptions import exempted
from pipeline.findings import Finding, error, has_errors
from pipeline.made_of import of_agreements, of_all_formats, of_files, of_images, of_notices
from pipeline.making import in_format, in_formats, make_edition
from pipeline.notices import Texts
from pipeline.pandoc import PandocError
from pipeline.plugins import System
from pipeline.row_cache import RowCache, opened
from pipeline.rows import make_row
from pipeline.sites import template_failure
from pipeline.standing import Standing
from pipeline.topic import Topic, digest, schema_problems

INVALID: Final = error(
    "topic.invalid",
    "What a vocabulary made of a topic is not what topic.rng allows. The topic is held back.",
    "Report it with the source file: the vocabulary's plug-in must read this mark-up, or say what is wrong with it.",
)
FAILED: Final = error(
    "topic.failed",
    "A topic could not be processed. It is held back, the others go on.",
    "Report it with the source file and the message.",
)
GONE: Final = error(
    "topic.gone",
    "A file was there when the run began, and is there no more. The topic is held back.",
    "Run again when nobody is changing the inputs.",
)


@dataclass(frozen=True)
class Job:
    """Entries of one source, read under one set of conditions, for these sites (by prefix)."""

    source: str
    conditions: str
    entries: tuple[Entry, ...]
    sites: tuple[str, ...]


@dataclass(frozen=True)
class Context:
    """What all jobs of a run share. `store` is None on a dry run."""

    system: System
    files: InputFiles
    indexes: Mapping[tuple[str, str], Index]
    plans: Mapping[str, SitePlan]
    titles: Mapping[str, Mapping[Key, str]]  # by conditions
    concepts: Mapping[str, tuple[Key, ...]]
    publishers: Mapping[str, Publisher]  # by language
    texts: Mapping[tuple[str, str], tuple[Texts, Texts]]  # (partner, language) -> publisher's and partner's notices
    rights: Mapping[str, Rights]  # of images that assets.toml lists
    site_digests: Mapping[str, str]
    standing: Standing
    store: Store | None
    cache: Cache
    tool: str
    run_id: str

    def titles_of(self, plan: SitePlan) -> Mapping[Key, str]:
        """Each topic's title, as the site's partner reads it."""
        return self.titles[self.system.configuration.conditions(plan.partner)]


@dataclass
class TopicResult:
    """What became of one topic: findings; by site prefix its row, store failure, files and blobs stored;
    seconds by stage."""

    key: Key
    findings: list[Finding] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    failures: dict[str, StoreError] = field(default_factory=dict)
    files: dict[str, list[OutputFile]] = field(default_factory=dict)  # to be stored; empty when the work is done
    uploaded: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the seconds spent inside to a stage."""
        start = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - start


def work(context: Context, job: Job) -> list[TopicResult]:
    """Reads, renders, proves and stores each topic of a job. A topic that fails is a finding; where
    a site's store fails, the error is in `failures`."""
    results = [_topic(context, job, entry) for entry in job.entries]
    if context.store is not None:
        for prefix in job.sites:
            _store(context, context.store, prefix, results)
    return results


def _store(context: Context, store: Store, prefix: str, results: Sequence[TopicResult]) -> None:
    """Stores a site's new files of all topics in one call: a bucket takes fifty at a time faster than five."""
    files = [file for result in results for file in result.files.pop(prefix, ())]
    try:
        with results[0].stage("store"):
            stored = context.system.releases.load().put_files(store, prefix, files, blobs_present(context, prefix))
        results[0].uploaded[prefix] = stored
    except StoreError as problem:
        for result in results:
            result.failures[prefix] = problem


def _topic(context: Context, job: Job, entry: Entry) -> TopicResult:
    result = TopicResult(entry.metadata.key)
    where = entry.metadata.file or entry.unit.file, entry.metadata.line
    try:
        prepared = prepare(context, job, entry, result)
        if prepared is not None and not has_errors(result.findings):
            for prefix in job.sites:
                if entry.metadata.key in context.plans[prefix].granted:
                    _site_alone(context, prefix, prepared, result, where)
            prepared.rows.save()
    except NotFound as problem:
        _hold_back(result, GONE.at(*where, str(problem)))
    except SyndicationError:
        raise
    except PandocError as problem:
        _hold_back(result, problem.at(*where))
    except Exception as problem:  # whatever fails in one topic, the others go on: it is reported, and the topic held back
        _hold_back(result, FAILED.at(*where, f"{type(problem).__name__}: {problem}"))
    result.findings = [f.of(" ".join(result.key), f.owner or entry.metadata.owner) for f in result.findings]
    return result


def _site_alone(context: Context, prefix: str, prepared: Prepared, result: TopicResult, where: tuple[str, int]) -> None:
    """One site's edition; what fails in it (a template of its own, above all) holds the topic back from that site alone."""
    try:
        _site(context, prefix, prepared, result)
    except (SyndicationError, PandocError):
        raise
    except Exception as problem:
        plan = context.plans[prefix]
        text = f"{type(problem).__name__}: {problem}"
        failed = template_failure(problem, plan.site, context.system.configuration.folder)
        result.findings.append(failed or FAILED.at(*where, text, partner=plan.partner.id))
        result.rows.pop(prefix, None)
        result.files.pop(prefix, None)


def _hold_back(result: TopicResult, finding: Finding) -> None:
    result.rows.clear()
    result.files.clear()
    result.findings.append(finding)


@dataclass(frozen=True)
class Prepared:
    """A topic read and checked, before any site: images, traits, bodies so far (by view and format), rows of earlier runs."""

    topic: Topic
    assets: Assets
    traits: editions.Traits
    rights: Mapping[str, Rights]
    views: dict[editions.Cut, tuple[View, tuple[Finding, ...]]]
    bodies: dict[tuple[str, str], tuple[Body, tuple[Finding, ...]]]
    text_sha256: str
    causes: Mapping[str, str]
    files: str
    rows: RowCache


def prepare(context: Context, job: Job, entry: Entry, result: TopicResult) -> Prepared | None:
    """Reads a topic and checks what does not depend on a site; findings go to `result`. None: there is no topic."""
    index = context.indexes[job.source, job.conditions]
    with result.stage("read"):
        read = context.system.sources[job.source].load().read(entry, index, context.files)
    result.findings += read.findings
    if read.topic is None:
        return None
    topic = replace(read.topic, metadata=entry.metadata)
    result.findings += completeness.check(topic.metadata, context.system.configuration.publisher.require)
    result.findings += reordered(topic)
    result.findings += [INVALID.at(topic.metadata.file, line, text) for line, text in schema_problems(topic.body)]
    with result.stage("images"):
        _mark_required(topic, context)
        limits = context.system.configuration.settings.images
        credit_lines = {name: asset.credit for name, asset in context.system.configuration.assets.items() if asset.credit}
        assets, findings = images.check(topic, context.files, limits, credit_lines)
    result.findings += findings
    traits = editions.traits(topic, _digest(topic, assets))
    rights = rights_of(traits.images, context.rights, context.system.configuration.publisher)
    words = audit.text_sha256(topic)
    files = of_files({name: context.files.digest(name) for name in _files(context, job, entry, assets)})
    # Without a store nothing that a row speaks of is kept, and a page of the preview need not read a file more.
    rows = opened(context.cache if context.store is not None else Cache(""), job.source, job.conditions, *topic.metadata.key)
    return Prepared(topic, assets, traits, rights, {}, {}, words, causes.of_topic(topic, assets, words), files, rows)


def _files(context: Context, job: Job, entry: Entry, assets: Assets) -> Iterator[str]:
    """The input files that the topic's words come from."""
    names = dict.fromkeys((entry.unit.file, *entry.uses, job.conditions))
    yield from (name for name in names if name in context.files and name not in assets.images)


def _digest(topic: Topic, assets: Assets) -> str:
    parts = [digest(topic), *(f"{name} {image.sha256} {image.credit}" for name, image in sorted(assets.images.items()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _mark_required(topic: Topic, context: Context) -> None:
    for image in topic.body.iter("img"):
        entry = context.system.configuration.assets.get(image.get("src", ""))
        if entry is not None and entry.required:
            image.set("data-required", "yes")


# --- one site -----------------------------------------------------------------------------------


def _site(context: Context, prefix: str, prepared: Prepared, result: TopicResult) -> None:
    plan = context.plans[prefix]
    granted = plan.granted[prepared.topic.metadata.key]
    with result.stage("editions"):
        views, findings = _views(context, plan, prepared, granted.formats)
        edition = make_edition(context, plan, prepared.topic.metadata, granted.formats)
    findings = exempted(findings, plan.partner, edition.metadata.id, plan.as_of)
    findings = [replace(finding, partner=plan.partner.id) for finding in findings]
    result.findings += findings
    if has_errors(findings):
        return
    by_format = in_formats(plan, edition, views)
    key, said_before = _row_key(context, prefix, edition, by_format, views), len(result.findings)
    try:
        row = _cached_row(context, prefix, key, prepared.rows)
        if row is None:
            row = _render(context, prefix, prepared, edition, by_format, views, result)
            # What an exemption let through is proven again in every run: the exemption ends, the cache does not know.
            if row is not None and len(result.findings) == said_before:
                prepared.rows.put(prefix, key, row)
    except StoreError as problem:
        result.failures[prefix] = problem
        return
    if row is not None:
        result.rows[prefix] = replace(row, made_of=_made_of(context, prefix, prepared, views))


def _made_of(context: Context, prefix: str, prepared: Prepared, views: Mapping[str, View]) -> dict[str, str]:
    plan, key = context.plans[prefix], prepared.topic.metadata.key
    found = {
        "files": prepared.files,
        "images": of_images(_shown(views, prepared), prepared.rights),
        "terms": of_all_formats(context.run_id, plan.granted[key], plan.partner, plan.site.id),
        "notice": of_notices(context.texts[plan.partner.id, key[1]]),
        "agreements": of_agreements(plan.granted[key]),
    }
    return {name: value for name, value in found.items() if value}


def _views(
    context: Context, plan: SitePlan, prepared: Prepared, formats: tuple[str, ...]
) -> tuple[dict[str, View], list[Finding]]:
    """The view of each format; formats with the same cut share one."""
    rule = context.system.rules["asset"].load()
    views: dict[str, View] = {}
    findings: dict[Finding, None] = {}
    for name in formats:
        cut = editions.cut(prepared.traits, plan, prepared.topic.metadata, name, prepared.rights, rule)
        if cut not in prepared.views:
            prepared.views[cut] = editions.view(prepared.topic, prepared.traits, cut, context.titles_of(plan))
        views[name], found = prepared.views[cut]
        findings.update(dict.fromkeys(found))
    return views, list(findings)


def _row_key(context: Context, prefix: str, edition: Edition, by_format: Mapping[str, Edition], views: Mapping[str, View]) -> str:
    """Everything that decides the bytes of an edition's files, and so its row; and what decides their proofs: our own pages lead
    to granted topics alone, a partner's templates may name others."""
    said = replace(
        edition, site=replace(edition.site, brand=type(edition.site.brand)()), publisher=replace(edition.publisher, logo=None)
    )
    logo = edition.publisher.logo.sha256 if edition.publisher.logo else ""
    under = [(view.key, (e := by_format[name]).license, e.marks, e.site.robots) for name, view in views.items()]
    gone = _withheld(context, edition).digest if edition.site.templates else ""
    parts = (context.tool, context.site_digests[prefix], logo, list(views), under, said, gone)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _cached_row(context: Context, prefix: str, key: str, rows: RowCache) -> Row | None:
    row = rows.get(prefix, key)
    if row is None:
        return None
    present = blobs_present(context, prefix)
    return row if all(file.sha256 in present for file in row.files) else None


def _render(
    context: Context,
    prefix: str,
    prepared: Prepared,
    edition: Edition,
    by_format: Mapping[str, Edition],
    views: Mapping[str, View],
    result: TopicResult,
) -> Row | None:
    files: dict[str, tuple[str, OutputFile]] = {}
    for name, view in views.items():
        produced, findings = _format(context, name, view, prepared, by_format[name], result)
        result.findings += [replace(finding, partner=finding.partner or edition.site.partner) for finding in findings]
        if has_errors(findings):
            return None
        for file in produced:
            files.setdefault(file.path, (name, file))
    with result.stage("rights"):
        record, findings = _record(context, edition, by_format, _shown(views, prepared))
    result.findings += findings
    if has_errors(findings):
        return None
    files[record.path] = ("", record)
    if context.store is not None:
        result.files[prefix] = [file for _, file in files.values()]
    kinds = dict.fromkeys(mark.kind for one in by_format.values() for mark in one.marks)
    why = causes.merged(prepared.causes, causes.of_edition(edition, context.site_digests[prefix], context.tool))
    return make_row(edition, files, views, text_sha256=prepared.text_sha256, marks=kinds, causes=why)


def _shown(views: Mapping[str, View], prepared: Prepared) -> list[Image]:
    """The pictures that an edition shows in any format, in the order of their paths."""
    if not prepared.assets.images:
        return []
    bodies = {view.key: view.topic.body for view in views.values()}.values()
    sources = {img.get("src") for body in bodies for img in body.iter("img")}
    return sorted((image for src, image in prepared.assets.images.items() if src in sources), key=lambda image: image.path)


def _record(
    context: Context, edition: Edition, by_format: Mapping[str, Edition], images: Sequence[Image]
) -> tuple[OutputFile, list[Finding]]:
    """The rights record of an edition, and what its proof found."""
    record = rights.file(by_format, images)
    return record, list(audit.prove_record(record, by_format, _withheld(context, edition)))


def render_record(context: Context, plan: SitePlan, prepared: Prepared, edition: Edition, result: TopicResult) -> OutputFile:
    """The rights record of an edition in all its formats; what its proof found goes to `result`."""
    views, _ = _views(context, plan, prepared, edition.formats)
    record, found = _record(context, edition, in_formats(plan, edition, views), _shown(views, prepared))
    result.findings += found
    return record


def render_view(
    context: Context, plan: SitePlan, name: str, prepared: Prepared, edition: Edition, result: TopicResult
) -> list[OutputFile]:
    """One format of one edition, main file first; what proofs and terms found goes to `result`."""
    views, found = _views(context, plan, prepared, (name,))
    files, problems = _format(context, name, views[name], prepared, in_format(plan, edition, name), result)
    result.findings += [*found, *problems]
    return files


def _format(
    context: Context, name: str, view: View, prepared: Prepared, edition: Edition, result: TopicResult
) -> tuple[list[OutputFile], list[Finding]]:
    transform = context.system.transforms[name].load()
    place = Place(name, transform.MEDIA_TYPE, transform.OMITS)
    body, found = _body(transform, place, view, prepared, result)
    plan = context.plans[edition.site.prefix]
    findings = exempted(found, plan.partner, edition.metadata.id, plan.as_of)
    if has_errors(findings):
        return [], findings
    with result.stage(f"render {name}"):
        files = transform.imprint(body, edition)
    with result.stage("audit"):
        gone = withheld.from_view(_withheld(context, edition), prepared.topic, prepared.traits.images, view, prepared.assets)
        problems = audit.prove_file(view, body, files, edition, place, shared_files(context, edition), gone)
    return files, exempted([*findings, *problems], plan.partner, edition.metadata.id, plan.as_of)


def _withheld(context: Context, edition: Edition) -> audit.Withheld:
    plan = context.plans[edition.site.prefix]
    return withheld.remembered(plan, context.titles_of(plan), edition.publisher.id)


def _body(
    transform: Transform, place: Place, view: View, prepared: Prepared, result: TopicResult
) -> tuple[Body, tuple[Finding, ...]]:
    key = (view.key, place.format)
    if key not in prepared.bodies:
        with result.stage(f"render {place.format}"):
            body = transform.body(view, prepared.assets)
        with result.stage("audit"):
            prepared.bodies[key] = body, tuple(audit.prove_body(view, body, place, prepared.assets))
    return prepared.bodies[key]


# Per process: the files of a whole bundle that pages refer to (style sheets, logos), by all that decides them.
_shared: dict[tuple[object, ...], tuple[OutputFile, ...]] = {}


_MOST_SHARED: Final = 256


def shared_files(context: Context, edition: Edition) -> tuple[OutputFile, ...]:
    """The style sheets and logos of a site: a notice that they hide is not visible, so the proofs read them too."""
    key = (context.tool, context.site_digests[edition.site.prefix], edition.site.prefix, edition.publisher)
    if key not in _shared:
        if len(_shared) >= _MOST_SHARED:
            _shared.clear()
        makers = [getattr(plugin.load(), "bundle", None) for plugin in context.system.transforms.values()]
        made = [file for make in makers if make for file in make((), edition.site, edition.publisher)]
        _shared[key] = tuple({file.path: file for file in made}.values())
    return _shared[key]


# Per process: what a worker has listed of a site, by run. A new run lists anew, since blobs may have been pruned.
_present: dict[tuple[str, str], set[str]] = {}


def blobs_present(context: Context, prefix: str) -> set[str]:
    """The blobs that a site's prefix holds: listed once per process and run, kept up as more are stored."""
    if context.store is None:
        return set()
    key = (context.run_id, prefix)
    if key not in _present:
        for old in [k for k in _present if k[0] != context.run_id]:
            del _present[old]
        _present[key] = set(context.system.releases.load().present(context.store, prefix))
    return _present[key]
