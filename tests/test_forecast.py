"""What will change by itself: every change is foreseen on its day, nothing else is, and people and partners are told of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from demo import copy_of_examples
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from partners import agreement, grant, partner, topic
from test_rules import RULES
from test_run import command, project, run  # noqa: F401  # the fixture is a name here

from pipeline.ahead import Event, agreements, changes
from pipeline.contracts import Around, Site
from pipeline.editions import Key, SitePlan, plan_site, topics_by_id
from pipeline.forecast import Forecast, groups, table
from pipeline.forecast_files import COLUMNS, as_csv, as_ics
from pipeline.settings import Partner
from pipeline.topic import Metadata

TODAY = date(2026, 6, 1)
SITE = Site("acme", "acme", "Acme Health", "p/acme")


def plan(topics: Iterable[Metadata], owner: Partner, day: date, everything: Iterable[Metadata] = ()) -> SitePlan:
    """What the site gets of these topics on a day."""
    topics = list(topics)
    around = Around(topics_by_id(everything or topics))
    return plan_site(topics, SITE, owner, RULES, ["html", "epub"], day, None, around)


def foreseen(topics: list[Metadata], owner: Partner, end: date = date(2029, 1, 1)) -> list[Event]:
    """The changes from today on."""
    known = {m.key: m for m in topics}

    def again(day: date, keys: Collection[Key]) -> SitePlan:
        together = {m.key for m in topics if m.companions} | {(n, m.language) for m in topics for n in m.companions}
        return plan(
            [known[key] for key in sorted({*keys, *together} if together & {*keys} else keys) if key in known], owner, day, topics
        )

    return sorted(changes(plan(topics, owner, TODAY), again, known, end))


def said(events: Iterable[Event]) -> list[tuple[str, str, str]]:
    """Day, kind and topic of each event."""
    return [(event.on.isoformat(), event.kind, event.topic) for event in events]


def test_the_end_of_an_agreement() -> None:
    (event,) = foreseen([topic()], partner())
    assert said([event]) == [("2028-01-01", "lapses", "asthma")]
    assert (event.reason, event.clause) == ("agreement A-1 ended on 2027-12-31", "A-1, Schedule A, 1")


def test_what_begins_and_what_expires() -> None:
    topics = [topic(id="new", go_live=date(2026, 9, 1)), topic(id="old", expires=date(2026, 8, 31))]
    assert said(foreseen(topics, partner(), date(2027, 1, 1))) == [
        ("2026-09-01", "expires", "old"),
        ("2026-09-01", "lifts", "new"),
    ]
    lifted = foreseen(topics, partner())[1]
    assert lifted.reason == "until then: embargoed until 2026-09-01"
    assert foreseen(topics, partner(), date(2026, 8, 31)) == []  # the last day is included, the next one is not


def test_formats_and_terms_that_change() -> None:
    both = partner(
        agreement(grant(formats=["html", "epub"]), id="A-1", ends=date(2026, 12, 31)),
        agreement(grant(formats=["html"], clause="Schedule B"), id="A-2"),
    )
    found = foreseen([topic()], both, date(2027, 6, 1))
    assert said(found) == [("2027-01-01", "formats", "asthma"), ("2027-01-01", "terms", "asthma")]
    assert [event.reason for event in found] == ["no longer as epub", "until then under A-1, Schedule A, 1"]


def test_a_companion_takes_others_along() -> None:
    topics = [topic(id="dose", expires=date(2026, 7, 31)), topic(id="drug", companions=("dose",)), topic(id="other")]
    found = foreseen(topics, partner(), date(2027, 1, 1))
    assert said(found) == [("2026-08-01", "expires", "dose"), ("2026-08-01", "lapses", "drug")]
    assert "dose" in found[1].reason


def test_marks_and_withholding_of_overdue_topics() -> None:
    found = foreseen([topic(review_due=date(2026, 6, 15))], partner(), date(2027, 12, 31))
    assert [kind for _, kind, _ in said(found)] == ["marked", "lapses"]


def test_days_of_agreements_and_exemptions() -> None:
    owner = partner(
        agreement(id="A-1", ends=date(2026, 12, 31), notice_days=60, after_end={"days": 30, "keep": "existing"}),
        agreement(id="A-2", starts=date(2026, 7, 1), ends=date(2030, 1, 1)),
        exemptions=[{"of": "freshness", "topics": "all", "reason": "Reviewers are ill.", "ends": date(2026, 7, 15)}],
    )
    assert [(e.on.isoformat(), e.kind, e.clause) for e in sorted(agreements(owner, TODAY, date(2027, 3, 1)))] == [
        ("2026-07-01", "agreement-starts", "A-2"),
        ("2026-07-15", "exemption-ends", ""),
        ("2026-11-01", "notice-by", "A-1"),
        ("2026-12-31", "agreement-ends", "A-1"),
        ("2027-01-30", "wind-down-ends", "A-1"),
    ]


DAYS = st.one_of(st.none(), st.integers(-60, 400).map(lambda n: TODAY + timedelta(n)))
TOPICS = st.lists(
    st.builds(
        lambda number, go_live, expires, due, mates: topic(
            id=f"t{number}", go_live=go_live, expires=expires, review_due=due, companions=tuple(f"t{n}" for n in mates - {number})
        ),
        st.integers(0, 5), DAYS, DAYS, DAYS, st.frozensets(st.integers(0, 5), max_size=1),
    ),
    min_size=1, max_size=5, unique_by=lambda m: m.id,
)  # fmt: skip
AGREEMENTS = st.lists(
    st.builds(
        lambda number, start, length, formats: agreement(
            grant(formats=formats, clause=f"C{number}"),
            id=f"A{number}", starts=TODAY + timedelta(start), ends=TODAY + timedelta(start + length),
        ),
        st.integers(0, 9), st.integers(-100, 200), st.integers(0, 300), st.sampled_from(["all", ["html"], ["epub"]]),
    ),
    min_size=1, max_size=3, unique_by=lambda a: a.id,
)  # fmt: skip


@given(TOPICS, AGREEMENTS, st.lists(st.integers(1, 420), min_size=4, max_size=4))
def test_the_plan_of_any_later_day_is_todays_with_the_events_applied(
    topics: list[Metadata], found: Any, later: list[int]
) -> None:
    owner = partner(*found)
    events = foreseen(topics, owner, TODAY + timedelta(420))
    start = {key: granted.formats for key, granted in plan(topics, owner, TODAY).granted.items()}
    for number in later:
        day = TODAY + timedelta(number)
        true = {key: granted.formats for key, granted in plan(topics, owner, day).granted.items()}
        has = set(start)
        for event in (e for e in events if e.on <= day):
            if event.kind in ("expires", "lapses"):
                assert (event.topic, event.language) in has
                has.remove((event.topic, event.language))
            elif event.kind == "lifts":
                assert (event.topic, event.language) not in has
                has.add((event.topic, event.language))
        assert has == set(true), day
        changed = {(e.topic, e.language) for e in events if e.on <= day}
        assert all(true[key] == start[key] for key in true if key not in changed)


# --- for people ---------------------------------------------------------------------------------

EVENTS = (
    Event(date(2026, 7, 1), "lapses", "acme", "web", "asthma", "en", "Asthma", "over", "A-1", "ed@example.org"),
    Event(date(2026, 7, 1), "lapses", "acme", "app", "asthma", "en", "Asthma", "over", "A-1", "ed@example.org"),
    Event(date(2026, 7, 1), "lapses", "acme", "app", "croup", "en", '=HYPERLINK("http://x")', "over", "A-1"),
    Event(date(2026, 7, 2), "agreement-ends", "acme", reason="production agreement since 2026-01-01", clause="A-1"),
)
FOUND = Forecast(EVENTS, TODAY, date(2026, 9, 1))


def test_a_table_groups_what_belongs_together() -> None:
    rows = table(FOUND)
    assert [(row["on"], row["in days"], row["sites"]) for row in rows] == [
        ("2026-07-01", "30", "app, web"),
        ("2026-07-02", "31", ""),
    ]
    assert rows[0]["topics"] == 'Asthma (asthma en), =HYPERLINK("http://x") (croup en)'
    assert [group.summary() for group in groups(EVENTS)] == [
        "acme: 2 topics: is withheld",
        "acme: last day of the agreement A-1",
    ]


def test_a_spreadsheet_gets_every_event_and_calculates_none() -> None:
    data = as_csv(FOUND)
    assert data.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert tuple(header) == COLUMNS
    assert len(rows) == len(EVENTS)
    assert rows[2][COLUMNS.index("title")] == '\'=HYPERLINK("http://x")'


def test_a_calendar_gets_one_entry_for_what_belongs_together() -> None:
    entries = list(Calendar.from_ical(as_ics(FOUND, "Example Health Press")).walk("VEVENT"))
    assert [entry.decoded("dtstart") for entry in entries] == [date(2026, 7, 1), date(2026, 7, 2)]
    assert "Asthma (asthma en)" in str(entries[0]["description"])
    assert len({str(entry["uid"]) for entry in entries}) == 2
    later = as_ics(replace(FOUND, as_of=TODAY + timedelta(1)), "Example Health Press")
    again = [str(entry["uid"]) for entry in Calendar.from_ical(later).walk("VEVENT")]
    assert again == [str(entry["uid"]) for entry in entries]  # a calendar changes entries instead of doubling them
    assert as_ics(FOUND, "x") == as_ics(FOUND, "x")


# --- as commands --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["expiry", "golive"])
def test_the_command_and_the_manifest_say_the_same(project: Path, tmp_path: Path, kind: str) -> None:  # noqa: F811
    words = ("forecast", "--config", str(project / "syndication.toml"), "--as-of", "2026-06-01")
    quiet = command(*words, "--json")
    assert quiet.returncode == 0, quiet.stderr
    before = len(json.loads(quiet.stdout))
    path = next((project / "topics").glob("measure*.dita"))
    text = path.read_text(encoding="utf-8")
    dated = f'<created date="2025-02-03" {kind}="2026-07-15"/>'
    assert '<created date="2025-02-03"/>' in text
    path.write_text(text.replace('<created date="2025-02-03"/>', dated), encoding="utf-8")
    done = command(*words, "--csv", str(tmp_path / "f.csv"), "--ics", str(tmp_path / "f.ics"))
    assert done.returncode == 0, done.stderr
    assert f"{before + 1} changes" in done.stdout
    assert ("expires" if kind == "expiry" else "becomes available") in done.stdout
    assert len(Calendar.from_ical((tmp_path / "f.ics").read_bytes()).walk("VEVENT")) >= 1
    run(project)
    (path,) = (project / "build/store/p/first-partner/targets").glob("*.manifest.json")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    told = [fact for fact in manifest["upcoming"] if fact.get("id") == "measure-a-pulse"]
    if kind == "expiry":
        assert [(fact["on"], fact["what"]) for fact in told] == [("2026-07-16", "expires")]
    else:  # what the site never had is not named
        assert told == []
        assert "measure-a-pulse" not in path.read_text(encoding="utf-8")


def test_images_whose_rights_end(tmp_path: Path) -> None:
    config = copy_of_examples(tmp_path / "project")
    assets = config.parent / "assets.toml"
    holder = 'holder = "Northlight Medical Art"'
    assets.write_text(assets.read_text(encoding="utf-8").replace(holder, f"{holder}\nends = 2026-12-31", 1), encoding="utf-8")
    done = command("forecast", "--config", str(config), "--as-of", "2026-12-01", "--days", "60", "--json")
    assert done.returncode == 0, done.stderr
    found = [event for event in json.loads(done.stdout) if event["kind"] == "image-lapses"]
    assert {(e["on"], e["site"], e["topic"], e["clause"]) for e in found} == {
        ("2027-01-01", "riverside", "asthma", "topics/images/airways.svg")  # the others may not show it today either
    }
    assert found[0]["reason"].startswith("its rights end on 2026-12-31; no longer in ")
