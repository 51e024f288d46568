"""A run: index -> read -> editions -> render -> audit -> hand over. Names no format and no store.

In: a System and Options. Out: a Report. Each site is a release of its own: it is published, or stops, alone.
A topic held back is never half-published: what is live of it stays while today's rules still grant that (keeping.py).
Pages that are made anew lead to no topic that is not live.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from pipeline import audit, brake, causes, due_only, engine, guard, holding, late, limits, reuse, withdrawing
from pipeline.ahead import Ahead, upcoming
from pipeline.asset_rights import listed_rights
from pipeline.bundles import bundle_files
from pipeline.cache import Cache
from pipeline.catalog import Catalog, survey
from pipeline.contents import Made, content_of
from pipeline.contracts import Archive, OutputFile, Publisher, Released, Releases, Row, Store, Withdrawn
from pipeline.deciding import standing_of
from pipeline.editions import Key, SitePlan
from pipeline.errors import StoppedError, StoreError, SyndicationError
from pipeline.exemptions import exempted
from pipeline.findings import Finding, error, has_errors
from pipeline.handover import hand_over, terms_of
from pipeline.keeping import Keeper, dead_links
from pipeline.planning import rows_by_key, site_plans
from pipeline.plugins import System
from pipeline.report import Report, SiteReport
from pipeline.settings import Partner, unknown
from pipeline.sites import Today, all_sites, contacts, notice_texts, publishers, site_digest
from pipeline.standing import Standing, line
from pipeline.topic import Metadata
from pipeline.unread import unread
from pipeline.withdrawing import Moment
from pipeline.withdrawn import NoticeMaker, Place
from pipeline.withheld import from_site
from pipeline.work import Context, Job, TopicResult, work

NO_TOPICS: Final = error(
    "site.no-topics",
    "A site gets no topic at all, and has none published. Nothing was published for it.",
    "Compare the grant's collections, languages, audiences and dates with the topics ('list topics'); mend what is held back.",
)

CHUNK: Final = 50  # topics in a unit of work: large enough to pay for its travel, small enough to share out
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Options:
    """What the command line says. `today` gives the day by time zone (the only clock); empty tuples mean all."""

    today: Today
    run_id: str
    created: str
    partners: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    workers: int = 0
    dry_run: bool = False
    offline: bool = False  # ask the store nothing: what is live is not known
    allow_removals: int = 0
    allow_changes: int = 0
    only: Mapping[str, frozenset[Key]] | None = None  # what is due, by site prefix: all else stays as it is published


@dataclass
class State:
    """What a run knows so far; one per run, never shared."""

    context: Context
    selected: frozenset[Key]
    live: dict[str, Released | None]
    store: Store | None  # to read from; None where the store is not asked
    catalog: Catalog
    keeper: Keeper
    results: dict[tuple[Key, str], TopicResult] = field(default_factory=dict)
    only: Mapping[str, frozenset[Key]] | None = None
    failed: dict[str, SyndicationError] = field(default_factory=dict)
    uploaded: Counter[str] = field(default_factory=Counter)

    @cached_property
    def live_rows(self) -> dict[str, dict[Key, Row]]:
        """What is live of each site, by topic."""
        return {prefix: rows_by_key(released) for prefix, released in self.live.items()}

    @cached_property
    def notices(self) -> NoticeMaker:
        """Makes what stands in the place of withdrawn topics."""
        configuration = self.context.system.configuration
        return NoticeMaker(self.context.system, configuration.publisher_shown, configuration.publisher_timezone)


def run(
    system: System,
    options: Options,
    progress: Progress = lambda *_: None,
    catalog: Catalog | None = None,
    ended: list[SiteReport] | None = None,
) -> Report:
    """Runs once over all sites (or those named) and publishes what changed. `ended` gets each site as it ends: a run that is
    interrupted has published those.

    Raises UsageError for settings or names that do not exist; what befalls one site is in its SiteReport.
    """
    state, report = worked(system, options, progress, catalog)
    report.sites = report.sites if ended is None else ended
    store, uses = state.context.store, reuse.of_indexes(state.catalog.indexes.values())
    if store is not None:
        report.findings += reuse.note(store, uses, ())
    for prefix, plan in state.context.plans.items():
        report.sites.append(_finish(state, prefix, plan, options, report.findings))
    if state.store is not None:
        aside = withdrawing.Context(system, state.store, state.context.standing, Moment(options.run_id, options.created))
        report.sites += holding.aside(aside, options.today, options.partners, dry_run=options.dry_run)
    if store is not None:
        report.findings += reuse.note(store, uses, _settled(uses, options, report))
    return report


def worked(
    system: System, options: Options, progress: Progress = lambda *_: None, catalog: Catalog | None = None
) -> tuple[State, Report]:
    """All of a run but its publishing: every edition made and proven. The report has findings, and no site yet. Raises
    UsageError."""
    catalog = catalog or survey(system, conditions_of(system, options))
    report = Report(options.run_id, "", findings=list(catalog.findings), topics=len(catalog.metadata))
    state = prepare(system, options, catalog, report)
    _brake(state, options)
    _work_until_settled(state, catalog, options, progress)
    _collect(state, report)
    return state, report


def made_rows(state: State, prefix: str) -> dict[Key, Row]:
    """The rows of what was made for a site."""
    rows = ((key, _row(state, prefix, key)) for key in state.context.plans[prefix].granted)
    return {key: row for key, row in rows if row is not None}


def _brake(state: State, options: Options) -> None:
    """Stops each site that would lose too many topics, before anything is rendered for it. A dry run is told at its end."""
    for prefix, plan in () if options.dry_run else state.context.plans.items():
        try:
            _check_removals(state, prefix, plan, options)
        except StoppedError as problem:
            state.failed[prefix] = problem


def _check_removals(state: State, prefix: str, plan: SitePlan, options: Options) -> None:
    if live := state.live.get(prefix):
        system = state.context.system
        rules = {name: plugin.load() for name, plugin in system.rules.items()}
        judge = brake.Judge(plan, live.content, state.catalog.metadata, rules, state.context.standing)
        settings = system.configuration.settings.brake
        brake.check_removals(plan.site.id, judge.undecided(), len(live.content.rows), settings, options.allow_removals)


def _settled(uses: reuse.Graph, options: Options, report: Report) -> set[Key]:
    """The topics that every site has now as the inputs say, or not at all."""
    everywhere = not options.partners and all(site.state in ("published", "unchanged") for site in report.sites)
    kept = {name for site in report.sites for name in site.kept}
    return {key for key in uses if " ".join(key) not in kept} if everywhere else set()


def conditions_of(system: System, options: Options) -> list[str]:
    """The sets of conditions (file names, "" for none) that the chosen partners read the inputs under."""
    return [system.configuration.conditions(partner) for partner in chosen_partners(system, options)]


def chosen_partners(system: System, options: Options) -> list[Partner]:
    """The partners named, or all. Raises UsageError for a name that is no partner's."""
    if not options.partners:
        return list(system.configuration.partners)
    return [system.configuration.partner(name) for name in dict.fromkeys(options.partners)]


def prepare(system: System, options: Options, catalog: Catalog, report: Report) -> State:
    """Plans every site, reads what is live, and puts together what workers need."""
    configuration = system.configuration
    partners = chosen_partners(system, options)
    selected = _selected(catalog, options.topics)
    store = None if options.offline else system.open_store(configuration.settings.store)
    live, failed = _live(system, partners, store) if store else ({}, {})
    # after what is live: of a decision that comes later, see late.py
    standing = standing_of(system, store) if store else Standing()
    kept = _unread(system, partners, catalog, live, missing_too=options.only is not None)
    plans = site_plans(system, partners, catalog, options.today, report, kept, live, standing)
    if options.only is not None:
        plans = due_only.reduced(plans, live, options.only)
    if options.topics and store:  # what is neither live nor made now must not be led to
        plans = due_only.reduced(plans, live, dict.fromkeys(plans, selected))
    catalog = replace(catalog, metadata={m.key: m for found in kept.values() for m in found} | dict(catalog.metadata))
    context = Context(
        system=system,
        files=catalog.files,
        indexes=catalog.indexes,
        plans=plans,
        titles=catalog.titles,
        concepts=catalog.concepts,
        publishers=publishers(configuration, catalog.languages),
        texts={(p.id, tag): notice_texts(configuration, p, tag) for p in partners for tag in catalog.languages},
        rights=listed_rights(configuration),
        site_digests={prefix: site_digest(plan.site) for prefix, plan in plans.items()},
        standing=standing,
        store=None if options.dry_run else store,
        cache=Cache(str(configuration.path(configuration.settings.cache)) if configuration.settings.cache else ""),
        tool=system.tool_digest(),
        run_id=options.run_id,
    )
    report.as_of = ", ".join(sorted({plan.as_of.isoformat() for plan in plans.values()}))
    report.decisions, report.decided = [line(decision) for decision in standing.open()], standing.mark
    state = State(context, selected, live, store, catalog, Keeper(context, catalog.metadata), only=options.only, failed=failed)
    return replace(state, selected=selected | _made_anew(state))


def _made_anew(state: State) -> set[Key]:
    """Topics that are not selected, and whose live rows may not stay as they are: they are made anew like those selected."""
    return {
        key
        for prefix, plan in state.context.plans.items()  # a site on hold is live and has no plan
        for key in state.live_rows.get(prefix, {}).keys() & plan.granted.keys() - state.selected
        if not kept_row(state, prefix, key)
    }


def _selected(catalog: Catalog, names: Sequence[str]) -> frozenset[Key]:
    if not names:
        return frozenset(catalog.metadata)
    known = {topic_id for topic_id, _ in catalog.metadata}
    for name in names:
        if name not in known:
            raise unknown("topic", name, known)
    return frozenset(key for key in catalog.metadata if key[0] in names)


def _live(
    system: System, partners: Iterable[Partner], store: Store
) -> tuple[dict[str, Released | None], dict[str, SyndicationError]]:
    releases: Releases = system.releases.load()
    live: dict[str, Released | None] = {}
    failed: dict[str, SyndicationError] = {}
    for partner in partners:
        for site in all_sites(partner):
            try:
                live[site] = releases.current(store, site, system.signing)
            except StoreError as problem:
                failed[site] = problem
    return live, failed


def _unread(
    system: System, partners: Iterable[Partner], catalog: Catalog, live: Mapping[str, Released | None], *, missing_too: bool
) -> dict[str, list[Metadata]]:
    """By site, the live topics that can not be read today (`missing_too`: or that the inputs no longer hold)."""
    found = {}
    for partner in partners:
        conditions = system.configuration.conditions(partner)
        for prefix in all_sites(partner):
            released = live.get(prefix)
            found[prefix] = unread(catalog, conditions, released.content.rows, missing_too=missing_too) if released else []
    return found


# --- work ---------------------------------------------------------------------------------------


def _work_until_settled(state: State, catalog: Catalog, options: Options, progress: Progress) -> None:
    """Works on all topics; where one is held back that others lead to, those are made again without it.

    Nearly every run needs one round. Each further round has fewer granted topics, so it ends.
    """
    todo = {
        prefix: set(plan.granted) & state.selected for prefix, plan in state.context.plans.items() if prefix not in state.failed
    }
    while any(todo.values()):
        jobs = _jobs(state, catalog, todo)
        done, total = 0, sum(len(job.entries) for job in jobs)
        for job, results in engine.run(_labelled, state.context, jobs, options.workers, nice=engine.WAITS):
            for result in results:
                state.failed.update(result.failures)
                state.uploaded.update(result.uploaded)
                _guard(state, job, result)
                state.results.update({(result.key, prefix): result for prefix in job.sites if result.key in todo[prefix]})
            done += len(results)
            progress("topics", done, total)
        todo = _withdraw_held_back(state)


def _guard(state: State, job: Job, result: TopicResult) -> None:
    """Takes out the rows of a topic that somebody edited silently; what is live of it stays. A row that is as it is live is
    that one: most are, and two of each would fill a large run's memory."""
    confirmed = state.context.system.configuration.settings.confirmed_edits
    for prefix in [prefix for prefix in job.sites if prefix in result.rows]:
        topic, plan = state.keeper.topics[result.key], state.context.plans[prefix]
        live = state.live_rows.get(prefix, {}).get(result.key)
        found = guard.check(result.rows[prefix], live, confirmed, state.keeper.files, (topic.file, topic.line))
        findings = exempted([found] if found else [], plan.partner, topic.id, plan.as_of)
        result.findings += [replace(f, partner=plan.partner.id).of(" ".join(result.key), topic.owner) for f in findings]
        if has_errors(findings):
            result.rows.pop(prefix)
        elif live is not None and result.rows[prefix] == live:
            result.rows[prefix] = live


def _labelled(context: Context, job: Job) -> tuple[Job, list[TopicResult]]:
    return replace(job, entries=()), work(context, job)


def _jobs(state: State, catalog: Catalog, todo: Mapping[str, set[Key]]) -> list[Job]:
    jobs = []
    for conditions, prefixes in _by_conditions(state).items():
        sites = tuple(prefix for prefix in prefixes if todo.get(prefix))
        wanted = set().union(*(todo[prefix] for prefix in sites)) if sites else set()
        for source in state.context.system.sources:
            index = catalog.indexes.get((source, conditions))
            entries = [entry for entry in index.entries if entry.metadata.key in wanted] if index else []
            for start in range(0, len(entries), _chunk_size(len(entries))):
                chunk = tuple(entries[start : start + _chunk_size(len(entries))])
                jobs.append(Job(source, conditions, chunk, sites))
    return jobs


def _chunk_size(count: int) -> int:
    return max(1, min(CHUNK, count // 8 + 1))


def _by_conditions(state: State) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for prefix, plan in state.context.plans.items():
        grouped[state.context.system.configuration.conditions(plan.partner)].append(prefix)
    return grouped


def _withdraw_held_back(state: State) -> dict[str, set[Key]]:
    """Takes topics that came out with nothing live out of each plan; returns those that lead to them, by site."""
    todo: dict[str, set[Key]] = {}
    plans = dict(state.context.plans)
    for prefix, plan in plans.items():
        gone = {
            key
            for key in plan.granted
            if key in state.selected and not _row(state, prefix, key) and not kept_row(state, prefix, key)
        }
        if not gone or prefix in state.failed:
            continue
        plans[prefix] = plan.without(dict.fromkeys(gone, ()))
        names = {" ".join(key) for key in plan.granted.keys() - plans[prefix].granted.keys()}
        rows = {key: _row(state, prefix, key) for key in plans[prefix].granted}
        todo[prefix] = {key for key, row in rows.items() if row and names.intersection((*row.links, *row.translations))}
    state.context = replace(state.context, plans=plans)
    return todo


def _row(state: State, prefix: str, key: Key) -> Row | None:
    result = state.results.get((key, prefix))
    return result.rows.get(prefix) if result else None


def kept_row(state: State, prefix: str, key: Key) -> Row | None:
    """What is live of a topic that was not made anew, where today's rules still grant all of it."""
    row = state.live_rows.get(prefix, {}).get(key)
    plan = state.context.plans[prefix]
    if row is None or key not in plan.granted:
        return None
    return None if state.keeper.why_not(row, plan) else row


# --- handing over -------------------------------------------------------------------------------


def _collect(state: State, report: Report) -> None:
    seconds: dict[str, float] = defaultdict(float)
    for result in {id(result): result for result in state.results.values()}.values():
        report.findings += result.findings
        for stage, value in result.seconds.items():
            seconds[stage] += value
    told = {(f.code, f.file, f.line, f.text) for f in report.findings if f.topic}  # what indexing and reading both find, once
    report.findings = [f for f in dict.fromkeys(report.findings) if f.topic or (f.code, f.file, f.line, f.text) not in told]
    report.seconds = dict(seconds)


def _finish(state: State, prefix: str, plan: SitePlan, options: Options, findings: list[Finding]) -> SiteReport:
    site = SiteReport(prefix.removeprefix("p/"), plan.partner.id)
    withheld = {key: decisions[0] for key, decisions in plan.withheld.items() if decisions}
    site.withheld = {" ".join(key): d.reason for key, d in withheld.items() if d.rule != "withdrawn"}
    try:
        if prefix in state.failed:
            raise state.failed[prefix]
        findings += _publish(state, prefix, plan, options, site)
    except Exception as problem:  # whatever it is, the other sites must not wait for it
        site.fail(problem)
    return site


def _publish(state: State, prefix: str, plan: SitePlan, options: Options, site: SiteReport) -> list[Finding]:
    made, found = site_content(state, prefix, plan, options, site)
    context, store, moment = state.context, state.context.store, Moment(options.run_id, options.created)
    if made is None or store is None:
        return found
    late.check(context.system, store, context.standing, site.site)
    outcome = hand_over(
        context.system,
        store,
        plan.site,
        made.content,
        state.live.get(prefix),
        made.files,
        run_id=options.run_id,
        created=options.created,
        terms=terms_of(context.system, plan.partner),
        standing=context.standing,
    )
    site.state, site.sequence = outcome.state, outcome.sequence
    site.uploaded = state.uploaded[prefix] + outcome.uploaded
    if after := late.follow(context.system, store, context.standing, plan, moment):
        site.sequence, site.withdrawn = after.sequence, after.withdrawn
    return found


def site_content(
    state: State, prefix: str, plan: SitePlan, options: Options, site: SiteReport
) -> tuple[Made | None, list[Finding]]:
    """What a site's release is to hold once everything was made, and what was found in it; None where nothing is to be published
    (`site.state` says why: empty, stopped, dry-run). Raises StoppedError, StoreError, UsageError."""
    live = state.live.get(prefix)
    rows = _rows(state, prefix, plan, site)
    if not rows and live is None:
        site.state = "empty"
        return None, [_no_topics(state, plan)]
    rows = causes.settled(rows, live.content.rows if live else ())
    site.compare(live.content.rows if live else (), rows)
    settings = state.context.system.configuration.settings
    held = [state.live_rows.get(name, {}) for name in all_sites(plan.partner) if name not in state.context.plans]
    used = limits.used(state.context.plans.values(), plan.partner.id, [row for site_rows in held for row in site_rows.values()])
    limits.check(plan, used, state.live_rows.get(prefix, {}))
    _check_removals(state, prefix, plan, options)  # again: what came out broken, and can not stay as it is, goes too
    brake.check_changes(site.site, live.content.rows if live else (), rows, settings.brake, options.allow_changes)
    withdrawn, notices = _withdrawn(state, prefix, plan, rows)
    files = bundle_files(state.context.system, plan.site, _publisher(state.context), rows, withdrawn)
    once = state.live_rows.get(prefix, {})
    gone = from_site(plan, state.context.titles_of(plan), state.context.system.configuration.publisher.id, once)
    if wrong := audit.prove_bundle(files, plan.partner.id, rows, gone):
        site.state, site.exit_code = "stopped", 1
        site.error = "pages of the whole bundle break rules that the findings name; nothing was published"
        return None, wrong
    site.topics, site.files = len(rows), sum(len(row.files) for row in rows) + len(files)
    site.withdrawn = [f"{gone.id} {gone.language}" for gone in withdrawn]
    dead = dead_links(rows, {*site.kept}, {*site.withdrawn}, plan.partner.id)
    if state.context.store is None:
        site.state = "dry-run"
        return None, dead
    sheets = [file for file in notices if file.path.startswith("assets/")]
    shown = {(row.id, row.language) for row in rows}
    ahead = upcoming(Ahead(state.context.system, plan, state.catalog, state.context.standing, once), shown)
    return Made(content_of(state.context, plan, rows, [*files, *sheets], withdrawn, ahead), [*files, *notices]), dead


def _withdrawn(state: State, prefix: str, plan: SitePlan, rows: Sequence[Row]) -> tuple[tuple[Withdrawn, ...], list[OutputFile]]:
    """What stands in the place of withdrawn topics on this site, and its files that are not stored yet."""
    standing, live = state.context.standing, state.live.get(prefix)
    if state.store is None or not standing.withdrawn_ids:
        return (), []
    archive: Archive = state.context.system.archive.load()
    received = archive.received(state.store, prefix, live.content.rows if live else ())
    place = Place({(row.id, row.language): row for row in rows}, contacts(state.context.system.configuration, plan.partner))
    return state.notices.withdrawn(standing, received, place, plan.as_of, live.content.withdrawn if live else ())


def _publisher(context: Context) -> Publisher:
    """The publisher as pages of the whole bundle show it."""
    shown = context.publishers
    return shown[min(shown)] if shown else context.system.configuration.publisher_shown


def _no_topics(state: State, plan: SitePlan) -> Finding:
    held_back = {key for key, prefix in state.results if prefix == plan.site.prefix}
    reasons = Counter(decisions[0].reason for decisions in plan.withheld.values() if decisions)
    parts = [f"{count} withheld because {reason}" for reason, count in reasons.most_common(5)]
    parts += [f"{len(held_back)} held back"] if held_back else []
    file = f"{state.context.system.configuration.settings.partners}/{plan.partner.id}.toml"
    text = f"site {plan.site.id} gets no topic on {plan.as_of}: {'; '.join(parts) or 'the inputs hold none'}"
    return NO_TOPICS.at(file, 0, text, partner=plan.partner.id)


def _rows(state: State, prefix: str, plan: SitePlan, site: SiteReport) -> list[Row]:
    rows = []
    for key in sorted(plan.granted):
        row = _row(state, prefix, key)
        if row is None and (row := kept_row(state, prefix, key)):
            site.kept.append(" ".join(key))
        elif row and state.only is not None and (kept := kept_row(state, prefix, key)):
            row = due_only.chosen(row, kept, plan, state.only.get(prefix, ()))
        if row is not None:
            rows.append(row)
    return rows
