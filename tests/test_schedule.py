"""Runs on schedule: what is due, what comes next, and a month that passes at once. Time is injected; nothing sleeps."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from test_run import ROOT, command, edit

from outputs import release, signing
from pipeline import outlook, schedule, starter
from pipeline.bundles import bundle_files
from pipeline.commands.building import build, with_keys
from pipeline.errors import UsageError
from pipeline.report import Report, SiteReport
from pipeline.run import Options, run
from pipeline.schedule import Ahead, Cron, Kind, Loop, words

UTC_ZONE = ZoneInfo("UTC")
NUMBERS = itertools.count()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- the loop, in a world of its own --------------------------------------------------------------


@dataclass
class Toy:
    """A world whose clock stands still but for waiting; `dues` are moments at which something becomes due."""

    clock: datetime
    end: datetime
    dues: dict[str, datetime] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    lasts: timedelta = timedelta(minutes=3)
    last: datetime | None = None
    stuck: bool = False  # what is due stays due
    ran: list[tuple[str, str]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock

    def wait(self, until: datetime) -> bool:
        assert until >= self.clock, "waiting for the past"
        self.clock = max(self.clock, min(until, self.end))
        return self.clock < self.end

    def run(self, kind: Kind, why: str) -> int:
        assert why
        self.ran.append((f"{self.clock:%d %H:%M}", kind))
        begun = self.clock
        self.clock += self.lasts
        code = self.codes.pop(0) if self.codes else 0
        if code in (0, 1):
            self.last = begun if kind == "all" else self.last
            self.dues = {n: m for n, m in self.dues.items() if m > begun or self.stuck}
        return code

    def ahead(self) -> Ahead | None:
        later = [moment for moment in self.dues.values() if moment > self.clock]
        return Ahead(frozenset(n for n, m in self.dues.items() if m <= self.clock), min(later, default=None))

    def last_run(self) -> datetime | None:
        return self.last


def looped(toy: Toy, cron: str = "0 2 * * *", zone: ZoneInfo = UTC_ZONE) -> list[tuple[str, str]]:
    Loop(toy, Cron(cron, zone)).run()
    return toy.ran


def test_whole_runs_come_on_schedule_and_what_is_due_when_it_is_due() -> None:
    toy = Toy(at("2026-01-01T12:00"), at("2026-01-03T12:00"), {"embargo": at("2026-01-02T06:00")})
    assert looped(toy) == [("02 02:00", "all"), ("02 06:00", "due"), ("03 02:00", "all")]


def test_without_cron_only_what_is_due() -> None:
    toy = Toy(at("2026-01-01T12:00"), at("2026-01-03T12:00"), {"embargo": at("2026-01-02T06:00")})
    assert looped(toy, "") == [("02 06:00", "due")]


def test_what_is_due_at_the_start_is_done_at_once() -> None:
    toy = Toy(at("2026-01-01T12:00"), at("2026-01-01T13:00"), {"expiry": at("2025-12-24T00:00")})
    assert looped(toy) == [("01 12:00", "due")]


def test_missed_runs_are_caught_up_once_however_many_they_were() -> None:
    toy = Toy(at("2026-01-09T12:00"), at("2026-01-10T12:00"), last=at("2026-01-05T02:00"))
    assert looped(toy) == [("09 12:00", "all"), ("10 02:00", "all")]


def test_a_run_at_its_time_was_not_missed() -> None:
    toy = Toy(at("2026-01-09T12:00"), at("2026-01-09T13:00"), last=at("2026-01-09T02:00"))
    assert looped(toy) == []


def test_a_store_that_was_never_run_on_has_missed_nothing() -> None:
    assert looped(Toy(at("2026-01-09T12:00"), at("2026-01-09T13:00"))) == []


def test_a_long_run_swallows_the_moments_that_pass_meanwhile() -> None:
    """No overlap, and no run for each moment that passed."""
    toy = Toy(at("2026-01-01T00:30"), at("2026-01-01T08:00"), lasts=timedelta(hours=3, minutes=30))
    assert looped(toy, "0 * * * *") == [("01 01:00", "all"), ("01 05:00", "all")]


def test_what_can_not_be_done_is_not_tried_over_and_over() -> None:
    """A topic whose embargo lifted and that is held back stays due; whole runs take it up, not a run a minute."""
    toy = Toy(at("2026-01-01T12:00"), at("2026-01-03T12:00"), {"embargo": at("2026-01-02T06:00")}, stuck=True)
    assert looped(toy, "") == [("02 06:00", "due")]


def test_a_failed_store_is_tried_once_more_soon() -> None:
    toy = Toy(at("2026-01-01T01:00"), at("2026-01-01T06:00"), codes=[4, 4, 4, 4])
    assert looped(toy) == [("01 02:00", "all"), ("01 02:08", "all")]


def test_other_failures_wait_for_people() -> None:
    for code in (2, 3, 5, 7):
        assert looped(Toy(at("2026-01-01T01:00"), at("2026-01-01T06:00"), codes=[code])) == [("01 02:00", "all")]


def test_a_loop_that_can_not_tell_what_comes_next_keeps_its_schedule() -> None:
    @dataclass
    class Blind(Toy):
        def ahead(self) -> Ahead | None:
            return None

    assert looped(Blind(at("2026-01-01T01:00"), at("2026-01-02T06:00"))) == [("01 02:00", "all"), ("02 02:00", "all")]


@pytest.mark.parametrize("expression", ["", " ", "x", "0 2 * *", "61 * * * *", "0 0 30 2 *"])
def test_a_cron_expression_that_is_none(expression: str) -> None:
    if expression == "":
        assert Cron(expression, UTC_ZONE).after(at("2026-01-01")) is None
        return
    with pytest.raises(UsageError, match="--cron"):
        Cron(expression, UTC_ZONE)


def test_cron_is_read_where_the_publisher_is() -> None:
    """Two o'clock does not exist in Denver on 8 March 2026, and is an hour earlier in UTC from then on."""
    cron = Cron("0 2 * * *", ZoneInfo("America/Denver"))
    found = [at("2026-03-07T00:00")]
    for _ in range(3):
        found.append(cron.after(found[-1]) or found[-1])
    assert [f"{moment:%d %H:%M}" for moment in found[1:]] == ["07 09:00", "08 09:00", "09 08:00"]
    assert cron.before(at("2026-03-09T08:00")) == at("2026-03-09T08:00")
    assert cron.before(at("2026-03-09T07:59")) == at("2026-03-08T09:00")


# --- a real project -------------------------------------------------------------------------------

TOPIC = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topic PUBLIC "-//OASIS//DTD DITA Topic//EN" "topic.dtd">
<topic id="{id}" xml:lang="en"><title>{title}</title>
<prolog><author type="creator">Staff</author>
<copyright><copyryear year="2024"/><copyrholder>Example Health Press</copyrholder></copyright>
<critdates><created date="2024-01-01"/><revised modified="2024-02-01"{dates}/></critdates>
<metadata><audience type="patient"/><category>{collection}</category></metadata>
<data name="topic-id" value="{id}"/><data name="current-as-of" value="{reviewed}"/>{more}</prolog>
<body><p>{text}</p>{links}</body></topic>
"""
LINK = '<xref href="{0}.dita">{0}</xref>'
PARTNER = """id = "{id}"
name = "Partner {id}"
timezone = "{zone}"
[[agreements]]
id = "{id}-1"
starts = 2025-01-01
ends = {ends}
{after}
  [[agreements.grants]]
  clause = "1"
  collections = "all"
  languages = "all"
  audiences = "all"
  formats = ["html", "text"]
  images = "own"
[notices.en]
disclaimer = "Ask your care team."
"""


def topic(project: Path, name: str, *, dates: str = "", more: str = "", text: str = "Drink water.", links: str = "") -> None:
    reviewed = "2024-02-01" if text == "Drink water." else "2024-03-01"  # an edit without a date is held back
    values = {
        "reviewed": reviewed,
        "id": name,
        "title": name.replace("-", " ").title(),
        "dates": dates,
        "more": more,
        "text": text,
    }
    path = project / f"topics/{name}.dita"
    path.write_text(TOPIC.format(**values, links=links, collection="care"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Topics and partners for each of which something comes due in January 2026."""
    folder = tmp_path / "project"
    starter.write(folder)
    for path in (folder / "topics").iterdir():
        path.unlink()
    (folder / "partners/first-partner.toml").unlink()
    topic(folder, "plain", links=f"<p>See {LINK.format('embargoed')} and {LINK.format('expiring')}.</p>")
    topic(folder, "embargoed", dates=' golive="2026-01-07"')
    topic(folder, "expiring", dates=' expiry="2026-01-12"')
    topic(folder, "old", more='<data name="review-due" value="2025-12-20"/>')
    topic(folder, "older", more='<data name="review-due" value="2025-01-20"/>')
    for name, zone, ends, after in (
        ("east", "Asia/Tokyo", "2026-12-31", ""),
        ("west", "America/Los_Angeles", "2026-12-31", ""),
        ("leaving", "UTC", "2026-01-15", ""),
        ("winding", "UTC", "2026-01-10", 'after_end = {days = 10, keep = "existing"}'),
    ):
        (folder / f"partners/{name}.toml").write_text(PARTNER.format(id=name, zone=zone, ends=ends, after=after))
    return folder


@dataclass
class Real(Toy):
    """A world in which runs are real, on a real store, and only the clock is not. `killed`: runs (by number) that never end."""

    project: Path = Path()
    killed: tuple[int, ...] = ()
    seen: dict[datetime, Mapping[str, Any]] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)

    def options(self) -> Options:
        moment = self.clock

        def today(zone: ZoneInfo) -> date:
            return moment.astimezone(zone).date()

        run_id = f"{moment:%Y%m%dT%H%M%S}.{next(NUMBERS):06}Z"  # a process remembers what a run has stored by its id
        return Options(today, run_id, moment.isoformat(timespec="seconds"), workers=1)

    def system(self) -> Any:
        return with_keys(build(self.project / "syndication.toml"), self.clock, make=True)

    def run(self, kind: Kind, why: str) -> int:
        assert why
        begun = self.clock
        self.ran.append((f"{begun:%d %H:%M}", kind))
        self.clock += self.lasts
        if len(self.ran) in self.killed:
            return -9
        options = replace(self.options(), created=begun.isoformat(timespec="seconds"))
        system = self.system()
        if kind == "all":
            report = run(system, options)
            self.last = begun
        else:
            report = outlook.run_due(system, options, lambda _: None, lambda *_: None)
        self.reports.append(report)
        self.seen[begun] = self.live()
        return report.exit_code

    def ahead(self) -> Ahead | None:
        found = outlook.look(self.system(), self.options())
        following = found.next
        return Ahead(words((m.site, m.kind, m.text) for m in found.due), following.at if following else None)

    def live(self) -> dict[str, Any]:
        """What partners have: by site the rows by id, and the newest signature's end."""
        system = self.system()
        store = system.open_store(system.configuration.settings.store)
        found: dict[str, Any] = {}
        for site in ("east", "west", "leaving", "winding"):
            released = release.current(store, f"p/{site}", system.signing)
            if released:
                metadata = signing.read(store, f"p/{site}", system.signing)
                assert metadata is not None
                rows = {row.id: row for row in released.content.rows}
                found[site] = {"rows": rows, "sequence": released.sequence, "signed": metadata.expiries()}
        return found


def first(world: Real, site: str, wanted: Callable[[Mapping[str, Any]], bool]) -> str:
    """The moment of the first run after which something is so."""
    return next(
        (f"{moment:%d %H:%M}" for moment, live in world.seen.items() if site in live and wanted(live[site]["rows"])), "never"
    )


MONTH = (at("2026-01-01T12:00"), at("2026-01-31T12:00"))


def expected_month(by_night: bool) -> dict[str, str]:
    """When each thing happens: with due runs at its own moment, by nightly runs alone in the first one after it."""
    return {
        "embargo lifts in Tokyo": "07 02:00" if by_night else "06 15:00",
        "embargo lifts in Los Angeles": "08 02:00" if by_night else "07 08:00",
        "expiry in Tokyo": "13 02:00" if by_night else "12 15:00",
        "expiry in Los Angeles": "14 02:00" if by_night else "13 08:00",
        "review is marked": "20 02:00" if by_night else "19 15:00",
        "review is long overdue": "21 02:00" if by_night else "20 15:00",
        "agreement ends": "16 02:00" if by_night else "16 00:00",
        "wind-down keeps what is there": "yes",
        "wind-down takes nothing new": "yes",
        "wind-down ends": "21 02:00" if by_night else "21 00:00",
    }


def month_of(world: Real) -> dict[str, str]:
    """What happened, and when."""
    after = [live["winding"]["rows"] for moment, live in world.seen.items() if at("2026-01-11T12:00") < moment < at("2026-01-20")]
    return {
        "embargo lifts in Tokyo": first(world, "east", lambda rows: "embargoed" in rows),
        "embargo lifts in Los Angeles": first(world, "west", lambda rows: "embargoed" in rows),
        "expiry in Tokyo": first(world, "east", lambda rows: "expiring" not in rows),
        "expiry in Los Angeles": first(world, "west", lambda rows: "expiring" not in rows),
        "review is marked": first(world, "east", lambda rows: "old" in rows and "review-due" in rows["old"].marks),
        "review is long overdue": first(world, "east", lambda rows: "older" not in rows),
        "agreement ends": first(world, "leaving", lambda rows: not rows),
        "wind-down keeps what is there": "yes" if after and all("plain" in rows for rows in after) else "no",
        "wind-down takes nothing new": "yes" if all("late" not in rows for rows in after) else "no",
        "wind-down ends": first(world, "winding", lambda rows: not rows),
    }


def test_a_month_of_due_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thing happens at its own moment, in the partner's time zone; nothing else is published; signatures never run out."""
    monkeypatch.setattr(schedule, "LOOK_AGAIN", timedelta(days=5))  # so that what comes next is known, and not met by chance
    world = Real(*MONTH, project=project)
    run(world.system(), world.options())
    world.seen[world.clock] = world.live()
    topic(project, "plain", text="An edit that nobody released yet.")
    topic(project, "brand-new")
    looped(world, "")
    assert month_of(world) == expected_month(by_night=False)
    assert {kind for _, kind in world.ran} == {"due"}
    for moment, live in world.seen.items():
        for site, found in live.items():
            assert "brand-new" not in found["rows"], "a new topic is not due"
            for role, ends in found["signed"].items():
                assert ends > moment, f"the {role} signature of {site} ran out before {moment}"
    assert [ends > MONTH[1] for found in world.live().values() for ends in found["signed"].values()] == [True] * 12
    assert len(world.ran) < 25, "a run for each thing that is due, and no more"


def test_a_month_of_nightly_runs_alone(project: Path) -> None:
    """Each thing happens in the first run after its moment. `late` comes when a wind-down takes nothing new."""

    @dataclass
    class WithLate(Nightly):
        def ahead(self) -> Ahead | None:
            if self.clock > at("2026-01-12T00:00") and not (self.project / "topics/late.dita").exists():
                topic(self.project, "late")
            return Ahead()

    world = WithLate(*MONTH, project=project)
    run(world.system(), world.options())
    world.seen[world.clock] = world.live()
    looped(world)
    assert month_of(world) == expected_month(by_night=True)
    assert len(world.ran) == 30


@dataclass
class Nightly(Real):
    """As Real, but nobody asks what is due."""

    def ahead(self) -> Ahead | None:
        return Ahead()


def test_a_killed_and_a_missed_run_are_caught_up_once(project: Path) -> None:
    published(project, "2026-01-06")
    night = Nightly(at("2026-01-07T12:00"), at("2026-01-08T04:00"), project=project, killed=(1,), last=at("2026-01-07T02:00"))
    assert looped(night) == [("08 02:00", "all")]
    assert "embargoed" not in night.live()["west"]["rows"], "killed: nothing of it is live"
    again = Nightly(at("2026-01-09T12:00"), at("2026-01-09T20:00"), project=project, last=night.last)
    assert looped(again) == [("09 12:00", "all")], "one run for the killed one and the one that was missed"
    assert all("embargoed" in found["rows"] for found in again.live().values())


# --- what is due ----------------------------------------------------------------------------------


def due_run(project: Path, day: str) -> tuple[Report, Real]:
    world = Real(at(f"{day}T12:00"), at(f"{day}T13:00"), project=project)
    world.run("due", "test")
    return world.reports[-1], world


def published(project: Path, day: str = "2026-01-01") -> Real:
    world = Real(at(f"{day}T12:00"), at(f"{day}T13:00"), project=project)
    report = run(world.system(), world.options())
    assert [site.state for site in report.sites] == ["published"] * 4, [site.error for site in report.sites]
    return world


def test_when_nothing_is_due_nothing_is_done(project: Path) -> None:
    before = published(project).live()
    topic(project, "plain", text="Edited.")
    report, world = due_run(project, "2026-01-02")
    assert report.sites == []
    assert world.live() == before


def test_links_follow_what_comes_and_goes_and_edits_wait(project: Path) -> None:
    """A page leads to a topic from the run on that brings it; where its own text changed meanwhile, it waits, unless it would
    lead to nothing."""
    assert published(project).live()["east"]["rows"]["plain"].links == ("expiring en",)
    _, world = due_run(project, "2026-01-08")
    assert world.live()["east"]["rows"]["plain"].links == ("embargoed en", "expiring en")
    topic(project, "plain", text="Edited.", links=f"<p>See {LINK.format('expiring')}.</p>")
    _, world = due_run(project, "2026-01-09")
    assert "embargoed en" in world.live()["east"]["rows"]["plain"].links
    _, world = due_run(project, "2026-01-14")
    assert world.live()["east"]["rows"]["plain"].links == ()


def test_a_source_that_is_gone_or_broken_takes_nothing_down(project: Path) -> None:
    published(project)
    (project / "topics/plain.dita").unlink()
    (project / "topics/old.dita").write_text("<topic")
    report, world = due_run(project, "2026-01-08")
    assert {"plain", "old", "embargoed"} <= set(world.live()["east"]["rows"])
    assert report.exit_code == 0, [finding.text for finding in report.findings]


@pytest.mark.parametrize("fault", [ValueError("odd"), KeyboardInterrupt()])
def test_what_fails_on_one_site_hides_no_other(project: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    """Whatever it is: the sites after it are published, and where the run was interrupted those before it are told."""

    def faulty(system: Any, site: Any, *rest: Any) -> Any:
        if site.id == "leaving":
            raise fault
        return bundle_files(system, site, *rest)

    monkeypatch.setattr("pipeline.run.bundle_files", faulty)
    world, ended = Real(at("2026-01-05T12:00"), at("2026-01-05T13:00"), project=project), list[SiteReport]()
    if isinstance(fault, Exception):
        run(world.system(), world.options(), ended=ended)
        (failed,) = [site for site in ended if site.site == "leaving"]
        assert (failed.state, failed.exit_code, "ValueError: odd" in failed.error) == ("failed", 4, True)
    else:
        with pytest.raises(KeyboardInterrupt):
            run(world.system(), world.options(), ended=ended)
    published_now = {site.site for site in ended if site.state == "published"}
    assert published_now == ({"east", "west", "winding"} if isinstance(fault, Exception) else {"east"})


def test_a_kept_page_that_leads_to_nothing_is_said(project: Path) -> None:
    published(project)
    (project / "topics/plain.dita").write_text("<topic")
    world = Real(at("2026-01-14T12:00"), at("2026-01-14T13:00"), project=project)
    world.run("all", "test")
    found = [f for f in world.reports[-1].findings if f.code == "link.kept"]
    assert {(f.topic, f.partner, f.text) for f in found} == {
        ("plain en", site, "plain en links to expiring en, which the site no longer has")
        for site in ("east", "west", "leaving", "winding")
    }


def test_a_topic_that_is_due_and_broken_is_held_back_and_said(project: Path) -> None:
    published(project)
    edit(project / "topics/embargoed.dita", "<body>", '<body><image href="none.png"><alt>x</alt></image>')
    report, world = due_run(project, "2026-01-08")
    assert report.held_back == ["embargoed en"]
    assert report.exit_code == 1
    assert "embargoed" not in world.live()["east"]["rows"]


def test_a_site_without_release_is_due_from_its_first_day(project: Path) -> None:
    published(project)
    new = PARTNER.format(id="new", zone="UTC", ends="2026-12-31", after="").replace("2025-01-01", "2026-01-05")
    (project / "partners/new.toml").write_text(new)
    report, _ = due_run(project, "2026-01-04")
    assert [site.site for site in report.sites] == []
    report, _ = due_run(project, "2026-01-05")
    assert [(site.site, site.state, site.topics) for site in report.sites] == [("new", "published", 4)]


def test_decisions_that_are_not_live_yet_are_due(project: Path) -> None:
    published(project)
    config = str(project / "syndication.toml")
    words = ("--reason", "error", "--severity", "routine", "--action", "remove", "--act-by", "2026-12-31", "--by", "Ana")
    assert command("withdraw", "plain", *words, "-c", config).returncode == 0
    assert command("restore", "plain", "--by", "Ana", "-c", config).returncode == 0
    report, world = due_run(project, "2026-01-02")
    assert {site.site for site in report.sites} == {"east", "west", "leaving", "winding"}
    assert "plain" in world.live()["east"]["rows"]


def test_signatures_are_renewed_where_nothing_else_is_due(project: Path) -> None:
    before = published(project).live()["east"]
    for path in (project / "topics").iterdir():
        path.write_text("<broken")
    report, world = due_run(project, "2026-01-09")
    states = {site.site: site.state for site in report.sites}
    assert states == dict.fromkeys(("east", "west", "leaving", "winding"), "re-signed")
    after = world.live()["east"]
    assert after["sequence"] == before["sequence"]
    assert after["signed"]["timestamp"] - before["signed"]["timestamp"] == timedelta(days=8)


# --- the commands ---------------------------------------------------------------------------------


def test_next_due_says_it_to_people_and_programs(project: Path) -> None:

    published(project)
    config = str(project / "syndication.toml")
    shown = command("next-due", "-c", config, "--as-of", "2026-01-02").stdout
    assert "2026-01-06 15:00 UTC\tembargo\teast\tembargoed en: goes live" in shown
    assert "review-due" in shown
    found = json.loads(command("next-due", "-c", config, "--as-of", "2026-01-08", "--json").stdout)
    assert ("embargo", ["embargoed en"]) in [(one["kind"], one["topics"]) for one in found["due"]]


def test_due_and_topic_exclude_each_other(project: Path) -> None:
    done = command("run", "--due", "--topic", "plain", "-c", str(project / "syndication.toml"))
    assert (done.returncode, "leave one out" in done.stderr) == (2, True)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_schedule_runs_and_stops_when_it_is_asked(project: Path, stop: int) -> None:
    """A real loop on a real clock: what is due at its start is done, then it waits, and a signal ends it with 0."""
    words = [
        sys.executable,
        str(ROOT / "run_pipeline.py"),
        "schedule",
        "-c",
        str(project / "syndication.toml"),
        "--cron",
        "0 0 1 1 *",
    ]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=dict(os.environ))
    pointer = project / "build/store/p/east/metadata/timestamp.json"
    end = time.monotonic() + 120
    while not pointer.exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(stop)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "stopping" in said
    assert "Traceback" not in said


def test_a_second_signal_stops_the_run_under_way(project: Path) -> None:
    for number in range(60):
        topic(project, f"more-{number}")
    config, program = str(project / "syndication.toml"), str(ROOT / "run_pipeline.py")
    begun = [sys.executable, program, "schedule", "-c", config, "--workers", "1"]
    process = subprocess.Popen(begun, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    runs, end = project / "build/store/runs", time.monotonic() + 120
    while not (runs.exists() and list(runs.glob("*.json"))):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    (record,) = runs.glob("*.json")
    assert json.loads(record.read_text())["state"] == "interrupted"
    assert not (project / "build/store/p/east/metadata/timestamp.json").exists()
