"""Commands of decisions: withdraw, correct, restore, decisions list, decisions export."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.building import DEFAULT_CONFIG, build, salvaged, with_keys
from pipeline.commands.clock import now, run_id, today
from pipeline.commands.delivering import deliver_all
from pipeline.commands.options import Config, Json
from pipeline.commands.running import tell_partners, warn_of
from pipeline.commands.speaking import echo_json, progress_shown, reported, say

if TYPE_CHECKING:
    from pipeline.contracts import Content, EditorialDecision, Store
    from pipeline.editions import Key
    from pipeline.plugins import System
    from pipeline.reach import Had
    from pipeline.report import SiteReport
    from pipeline.standing import Standing
    from pipeline.withdrawing import Known

commands = typer.Typer()
register = typer.Typer(help="List and export what the publisher decided.", no_args_is_help=True)
commands.add_typer(register, name="decisions")


class Reason(StrEnum):
    """Why a topic is withdrawn."""

    error = "error"
    safety = "safety"
    license_ended = "license-ended"
    superseded = "superseded"


class Severity(StrEnum):
    """How fast a partner must act."""

    immediate = "immediate"
    routine = "routine"


class Action(StrEnum):
    """What a partner must do: hand out no more, take down, or tell those who have it too."""

    stop_new = "stop-new"
    remove = "remove"
    recall = "recall"


By = Annotated[str, typer.Option("--by", help="Who decides: a name that people know.")]
ApprovedBy = Annotated[str, typer.Option("--approved-by", help="Who approved it.")]
Languages = Annotated[list[str] | None, typer.Option("--language", "-l", help="Only in this language (may be repeated).")]
AtOnce = Annotated[bool, typer.Option("--now", help="Publish it at once: a run of all that is due, as run --due.")]
StoreOption = Annotated[str, typer.Option("--store", help="This folder or s3://bucket/prefix instead of the settings' store.")]


@commands.command(
    epilog="Examples:\n\n"
    "  run_pipeline.py withdraw asthma --reason safety --severity immediate --action recall --act-by 2026-12-31"
    ' --by "Ana Silva"\n\n'
    "  run_pipeline.py withdraw --uses topics/notes/dose.dita --reason error --severity immediate --action remove"
    ' --act-by 2026-12-31T18:00 --notice "en=The dose was wrong. Call your doctor." --by "Ana Silva"'
)
def withdraw(
    reason: Annotated[Reason, typer.Option(help="Why; license-ended also hides the title.")],
    severity: Annotated[Severity, typer.Option(help="How fast partners must act.")],
    action: Annotated[Action, typer.Option(help="What partners must do.")],
    act_by: Annotated[str, typer.Option(help="By when: YYYY-MM-DD, or a moment; without a zone it is the publisher's.")],
    by: By,
    topic: Annotated[list[str] | None, typer.Argument(help="Ids of topics.", metavar="[TOPIC]...")] = None,
    uses: Annotated[str, typer.Option(help="All topics that use this input file, as the last run knew them.")] = "",
    image: Annotated[str, typer.Option(help="All topics that show this image file.")] = "",
    notice: Annotated[
        list[str] | None, typer.Option(metavar="LANG=TEXT", help="What readers are told instead of our words (may be repeated).")
    ] = None,
    replaced_by: Annotated[str, typer.Option(help="Id of the topic that readers should use.")] = "",
    language: Languages = None,
    version: Annotated[
        list[str] | None, typer.Option(help="Only this version (may be repeated); any other is published again.")
    ] = None,
    approved_by: ApprovedBy = "",
    in_advance: Annotated[
        bool, typer.Option("--in-advance", help="Also what no site ever had, a language or version too: withhold it from now on.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which topics and sites it would reach.")] = False,
    as_json: Json = False,
) -> None:
    """Take topics down now, everywhere: decide, then publish from what is live. Reads no source."""
    with reported():
        from dataclasses import replace

        from pipeline import deciding, withdrawing
        from pipeline.report import Report

        system = with_keys(salvaged(config, store), now())
        opened = system.open_store(system.configuration.settings.store)
        zone, main = system.configuration.publisher_timezone, system.configuration.publisher.language
        standing, known = deciding.standing_of(system, opened), withdrawing.known_sites(system, opened)
        how = {"reason": reason.value, "severity": severity.value, "action": action.value, "versions": tuple(version or ())}
        how.update(act_by=deciding.moment_of(act_by, "--act-by", zone), replaced_by=replaced_by, uses=uses, image=image)
        draft = _decision("withdraw", tuple(topic or ()), by, approved_by, language, **how)
        draft, had, languages = _aimed(system, opened, known, draft, in_advance, dry_run)
        decision = replace(draft, notice=deciding.texts_by_language(notice or [], "--notice", main, languages))
        before = deciding.check_deadline(standing, decision, now())
        if dry_run:
            raise typer.Exit(_print_reach(decision, had, as_json))
        if before and not as_json:
            say(f"already decided, as number {before.number}: it is published where it is not live yet")
        standing, decision = deciding.decide(system, opened, standing, decision)
        sites = _published(system, opened, standing, known, decision)
        missed = _print_withdrawn(decision, sites, as_json)
    raise typer.Exit(Report(decision.at, "", sites=sites).exit_code or int(bool(missed) and not in_advance))


def _aimed(
    system: System, store: Store, known: dict[str, Known], draft: EditorialDecision, in_advance: bool, dry_run: bool
) -> tuple[EditorialDecision, dict[Key, Had], set[str]]:
    """A withdrawal with the ids of all topics that it means, what sites had of them (where that had to be asked), and the
    languages that a notice can be in. Raises UsageError for what nobody knows."""
    from dataclasses import replace

    from pipeline import deciding, reach, reuse, withdrawing

    named, tags = draft.topics, draft.languages
    graph = reuse.read(store) if draft.uses or draft.image else reuse.read_if_sound(store)
    asked = dry_run or draft.versions or not reach.all_in(graph.keys(), named, tags, draft.replaced_by)
    had = withdrawing.known_topics(system, store, known) if asked else {}  # reads every site's rows: that takes a while
    ids = deciding.named_topics(named, draft.uses, draft.image, graph, had)
    keys = {*graph, *had}
    if not in_advance:
        ids = reach.in_languages(ids, named, tags, keys, reach.IN_ADVANCE)
        reach.check_versions(ids, tags, draft.versions, had)
    reach.check_replacement(draft.replaced_by, ids, {key[0] for key in keys})
    languages = deciding.languages_of(system, [*keys, *(("", tag) for tag in tags)])
    return replace(draft, topics=ids), had, languages


def _published(
    system: System, store: Store, standing: Standing, known: dict[str, Known], decision: EditorialDecision
) -> list[SiteReport]:
    """Publishes a withdrawal and tells partners of it."""
    from pipeline.withdrawing import Context, Moment, publish_withdrawals

    moment = now()
    when = Moment(run_id(moment), moment.isoformat(timespec="seconds"))
    with progress_shown() as progress:
        sites = publish_withdrawals(Context(system, store, standing, when), known, today(""), len(decision.topics), progress)
    deliver_all(system, sites)
    _tell(system, decision, sites)
    return sites


def _tell(system: System, decision: EditorialDecision, sites: Sequence[SiteReport]) -> None:
    """Partners that have a webhook hear of it at once."""
    run = run_id(now())
    warn_of(tell_partners(system, sites, run, decision), run)


def _print_reach(decision: EditorialDecision, topics: dict[Key, Had], as_json: bool) -> int:
    """Says what a withdrawal would reach. Returns the exit code: 1 where that is nothing."""
    from pipeline.terms import covers_language

    tags = decision.languages
    chosen = [key for key in sorted(topics) if key[0] in decision.topics and (not tags or covers_language(tags, key[1]))]
    reached = {key: sites for key in chosen if (sites := topics[key].sites(decision.versions))}
    if as_json:
        echo_json([{"id": key[0], "language": key[1], "sites": sites} for key, sites in reached.items()])
        return int(not reached)
    for key, sites in reached.items():
        say(f"{' '.join(key)}: {', '.join(sites)}")
    for topic in sorted(set(decision.topics) - {key[0] for key in reached}):
        say(f"NOTHING WOULD BE TAKEN DOWN of {topic}: no site has it so")
    say(f"{len(decision.topics)} topics; nothing was decided")
    return int(not reached)


def _print_withdrawn(decision: EditorialDecision, sites: Sequence[SiteReport], as_json: bool) -> list[str]:
    """Says what was done. Returns the topics of which nothing was taken down, where every site could be asked."""
    from dataclasses import asdict

    from pipeline import reach
    from pipeline.standing import line

    failed = any(site.exit_code for site in sites)
    missed = [] if failed else reach.unreached(decision, sites)
    if as_json:
        echo_json({"decision": asdict(decision), "sites": [asdict(site) for site in sites], "nothing_taken_down_of": missed})
        return missed
    say(line(decision))
    for site in sites:
        number = len(reach.gone(decision, site))
        done = f"release {site.sequence}, {number} topics withdrawn" if site.sequence else "nothing was ever published there"
        say(f"{site.site}: {site.error or f'live: {done}'}")
    for name in missed:
        say(reach.nothing(decision, name))
    if failed:
        say("the decision stands: give the same command again, or run, and it is published where it is not yet live")
    return missed


@commands.command(
    epilog="Examples:\n\n"
    '  run_pipeline.py correct asthma --note "en=The dose in the table was wrong; it is now right." --by "Ana Silva"'
)
def correct(
    topic: Annotated[list[str], typer.Argument(help="Ids of topics.", metavar="TOPIC...")],
    note: Annotated[
        list[str], typer.Option(metavar="LANG=TEXT", help="What was corrected, in readers' words (one for each language).")
    ],
    by: By,
    language: Languages = None,
    approved_by: ApprovedBy = "",
    at_once: AtOnce = False,
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
) -> None:
    """Mark topics as corrected: a line under the title for 90 days, from the next run on (--now: from now on)."""
    with reported():
        from pipeline import deciding, reach

        system, opened, standing, ids, keys = _named(config, store, topic)
        reach.in_languages(ids, ids, language or [], keys)
        main = system.configuration.publisher.language
        texts = deciding.texts_by_language(note, "--note", main, deciding.languages_of(system, keys))
        decision = _decision("correct", ids, by, approved_by, language, notice=texts)
        _, decision = deciding.decide(system, opened, standing, decision)
        _print_decided(decision, "readers see it for 90 days")
        _follow(system, opened, config, store, at_once)


@commands.command(epilog='Examples:\n\n  run_pipeline.py restore asthma --by "Ana Silva" --approved-by "Dr. Cho"')
def restore(
    topic: Annotated[list[str], typer.Argument(help="Ids of withdrawn topics.", metavar="TOPIC...")],
    by: By,
    language: Languages = None,
    approved_by: ApprovedBy = "",
    at_once: AtOnce = False,
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
) -> None:
    """Lift a withdrawal: the next run (--now: this moment) publishes the topics again, where today's rules grant them."""
    with reported():
        from pipeline import deciding, reach

        system, opened, standing, ids, keys = _named(config, store, topic)
        reach.check_withdrawn(standing, ids, language or [], keys)
        _, decision = deciding.decide(system, opened, standing, _decision("restore", ids, by, approved_by, language))
        _print_decided(decision, "what today's rules grant is published again; until then the notice stays")
        _follow(system, opened, config, store, at_once)


def _follow(system: System, opened: Store, config: Path, store: str, at_once: bool) -> None:
    """Brings a decision to readers by a run of what is due, or says what will. Leaves with the run's exit code."""
    if not at_once:
        say(_not_yet(system, opened))
        return
    from pipeline.commands.running import options_of, run_due, run_recorded
    from pipeline.commands.speaking import print_report

    system = build(config, store=store)
    report = run_recorded(system, options_of(system, None, None, "", None), run_due)
    print_report(report, False)
    raise typer.Exit(report.exit_code)


def _not_yet(system: System, opened: Store) -> str:
    """That nothing is live yet, what makes it so, and when that was done last."""
    from pipeline import records

    last = next(records.latest(opened), None)
    zone = system.configuration.publisher_timezone
    began = datetime.fromisoformat(last.started).astimezone(zone) if last else None
    was = f"the last run began {began:%Y-%m-%d %H:%M %Z}" if began else "no run has left a record"
    return (
        "NOT LIVE YET: it is due from now on. The next 'run' or 'run --due' publishes it ('schedule' sees it within the hour);"
        f" {was}. To publish it now: 'run --due' (with --now this command does both)"
    )


def _named(config: Path, store: str, topics: list[str]) -> tuple[System, Store, Standing, tuple[str, ...], list[Key]]:
    """The parts at work, the ids that are named, and every topic that a site had or a decision names."""
    from pipeline import deciding, withdrawing

    system = salvaged(config, store)
    opened = system.open_store(system.configuration.settings.store)
    standing = deciding.standing_of(system, opened)
    known = [*withdrawing.known_topics(system, opened, withdrawing.known_sites(system, opened))]
    decided = [(topic, "") for decision in standing.decisions for topic in decision.topics]
    return system, opened, standing, deciding.named_topics(topics, "", "", {}, [*known, *decided]), known


def _decision(
    kind: str, topics: tuple[str, ...], by: str, approved_by: str, languages: list[str] | None, **more: Any
) -> EditorialDecision:
    from pipeline.contracts import EditorialDecision

    at = now().isoformat(timespec="seconds")
    return EditorialDecision(kind, at, by, approved_by, topics=topics, languages=tuple(languages or ()), **more)


def _print_decided(decision: EditorialDecision, then: str) -> None:
    from pipeline.standing import line

    say(line(decision))
    say(then)


@register.command("list", epilog="Examples:\n\n  run_pipeline.py decisions list\n\n  run_pipeline.py decisions list --all")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Closed ones as well.")] = False,
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    as_json: Json = False,
) -> None:
    """List open withdrawals and the rollbacks that hold a site, or every decision."""
    with reported():
        from dataclasses import asdict

        from pipeline import deciding
        from pipeline.standing import line

        system = salvaged(config, store)
        opened = system.open_store(system.configuration.settings.store)
        standing = deciding.found_in(system, opened)
        found = list(standing.decisions) if every else standing.open()
        if as_json:
            echo_json([asdict(decision) for decision in found])
            return
        for decision in found:
            say(line(decision))
        say(f"{len(found)} decisions" if every else f"{len(found)} open decisions")
        deciding.standing_of(system, opened)  # says, after the list, where some are lost


@register.command(
    "accept-lost",
    epilog="Examples:\n\n  run_pipeline.py decisions accept-lost --dry-run\n\n"
    '  run_pipeline.py decisions accept-lost --by "Ana Silva"',
)
def accept_lost(
    by: Annotated[str, typer.Option("--by", help="Who decides: a name that people know.")] = "",
    approved_by: ApprovedBy = "",
    config: Config = DEFAULT_CONFIG,
    store: StoreOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is lost, and what is live because of it.")] = False,
) -> None:
    """Let work go on although decisions are lost for good: a note takes their place. Withdraw again what they withdrew."""
    with reported():
        from pipeline import deciding, remembering
        from pipeline.errors import UsageError
        from pipeline.standing import line

        system = salvaged(config, store)
        opened = system.open_store(system.configuration.settings.store)
        marks, standing = remembering.remembered(system, opened), deciding.found_in(system, opened)
        for where, mark in remembering.lost(standing, marks).items():
            say(f"{where} knew decisions 1 to {remembering.number(mark)}; {len(standing.decisions)} are there")
        shown = list(remembering.shown(_live(system, opened), standing))
        for each in shown:
            say(f"live on {each}")
        if dry_run:
            say("nothing was decided")
            raise typer.Exit(0)
        if not by:
            raise UsageError("nobody is named", expected="--by NAME: who answers for it", fix="add --by, or --dry-run")
        for decision in remembering.accept(system, opened, _decision("lost", (), by, approved_by, None)):
            say(line(decision))
        say("withdraw again what is listed above, before the next run publishes it" if shown else "the next run goes on")


def _live(system: System, store: Store) -> dict[str, Content]:
    """What is live of every site that can be read."""
    from contextlib import suppress

    from pipeline import withdrawing
    from pipeline.errors import StoreError

    found = {}
    for prefix, known in withdrawing.known_sites(system, store).items():
        with suppress(StoreError):
            if live := withdrawing.live_release(system, store, prefix):
                found[known.site.id] = live.content
    return found


@register.command(epilog="Examples:\n\n  run_pipeline.py decisions export > decisions.csv")
def export(config: Config = DEFAULT_CONFIG, store: StoreOption = "") -> None:
    """Print every decision as CSV, for those who keep the records."""
    with reported():
        from pipeline import deciding
        from pipeline.standing import as_csv

        system = salvaged(config, store)
        opened = system.open_store(system.configuration.settings.store)
        typer.echo(as_csv(deciding.found_in(system, opened).decisions), nl=False)
        deciding.standing_of(system, opened)  # says, after the list, where some are lost
