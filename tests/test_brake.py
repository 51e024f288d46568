"""The brake: what stops a site, and what never does."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from partners import agreement, grant, partner, topic
from test_withdraw import command, run

import pipeline.rules
from benchmarks import library as shared_library
from pipeline import brake
from pipeline.contracts import Content, EditorialDecision, FileRow, Row, Site
from pipeline.editions import plan_site
from pipeline.errors import StoppedError
from pipeline.settings import Brake, Partner
from pipeline.standing import Standing
from pipeline.terms import Rule
from pipeline.topic import Metadata

SET = Brake(removals="5%", changes="50%", at_least=5)
TODAY = date(2026, 6, 1)
RULES: dict[str, Rule] = {
    m.name: importlib.import_module(f"pipeline.rules.{m.name}") for m in pkgutil.iter_modules(pipeline.rules.__path__)
}
FILE = FileRow("html", "en/x/index.html", "0" * 64, 1, "text/html")
LIVE = [
    Row(
        id=f"t{n}",
        language="en",
        title=f"Topic {n}",
        text_sha256="old",
        audiences=("patient",),
        collections=("lungs",),
        agreement="A-1",
        clause="Schedule A, 1",
        files=(FILE,),
    )
    for n in range(20)
]


def topics(count: int = 20, **values: Any) -> list[Metadata]:
    return [topic(**{"id": f"t{n}", "collections": ("lungs",), "audiences": ("patient",), **values}) for n in range(count)]


def undecided(
    now: list[Metadata], owner: Partner, decisions: tuple[EditorialDecision, ...] = (), ends: str = "2027-12-31"
) -> list[str]:
    """The ids of live topics that would go undecided."""
    standing = Standing(decisions)
    plan = plan_site(now, Site(owner.id, owner.id, owner.name, "p/x"), owner, RULES, ["html"], TODAY, standing)
    live = Content("", "", {"agreements": [{"id": "A-1", "ends": ends}]}, {}, tuple(LIVE), ())
    judge = brake.Judge(plan, live, {metadata.key: metadata for metadata in now}, RULES, standing)
    return [row.id for row in judge.undecided()]


def owner_of(**grants: Any) -> Partner:
    return partner(agreement(grant(**grants)))


ALL = [row.id for row in LIVE]


def test_nothing_goes_where_nothing_changed() -> None:
    assert undecided(topics(), owner_of()) == []


def test_what_counts() -> None:
    """A source that is gone, a map or a grant that was edited."""
    assert undecided(topics(15), owner_of()) == ALL[15:]
    assert undecided(topics(collections=("heart",)), owner_of(collections=["lungs"])) == ALL
    assert undecided(topics(), owner_of(collections=["heart"])) == ALL
    assert undecided(topics(), owner_of(clause="Schedule B")) == []  # another clause covers them
    assert undecided(topics(), owner_of(clause="Schedule B", collections=["heart"])) == ALL


def test_what_never_counts() -> None:
    """Days that come due and decisions, whatever else is true of the topic."""
    assert undecided(topics(expires=date(2026, 5, 31)), owner_of()) == []
    assert undecided(topics(status="withdrawn"), owner_of()) == []
    decision = EditorialDecision("withdraw", "2026-05-01T00:00:00+00:00", "Ana", number=1, topics=tuple(ALL), reason="error")
    assert undecided(topics(), owner_of(), (decision,)) == []
    assert undecided(topics(0), owner_of(), (decision,)) == []  # the source went as well
    over = partner(agreement(grant(), ends=date(2026, 5, 31)))
    assert undecided(topics(), over, ends="2026-05-31") == []
    assert undecided(topics(), partner(agreement(grant(), id="A-2", starts=date(2027, 1, 1))), ends="2026-05-31") == []


def test_a_last_day_that_was_edited_counts() -> None:
    over = partner(agreement(grant(), ends=date(2026, 5, 31)))
    assert undecided(topics(), over, ends="2027-12-31") == ALL


def test_an_old_agreement_beside_the_current_one_hides_nothing() -> None:
    """Its last day has come long ago, but it never gave these topics to the site."""
    old = agreement(grant(clause="Old"), id="A-0", starts=date(2025, 1, 1), ends=date(2025, 12, 31))
    both = partner(old, agreement(grant(collections=["heart"])))
    assert undecided(topics(), both) == ALL


def test_companions_follow_what_was_decided() -> None:
    decision = EditorialDecision("withdraw", "2026-05-01T00:00:00+00:00", "Ana", number=1, topics=("t0",), reason="error")
    now = [replace(each, companions=("t0",)) if each.id == "t1" else each for each in topics()]
    assert undecided(now, owner_of(), (decision,)) == []
    assert undecided(now[1:], owner_of()) == ["t0", "t1"]


def test_a_few_pass_and_more_stop_the_site_and_are_named() -> None:
    rows = [replace(LIVE[0], id=f"t{n}", title=f"Topic {n}") for n in range(100)]
    brake.check_removals("acme", rows[:5], 100, SET)
    with pytest.raises(StoppedError) as caught:
        brake.check_removals("acme", rows[:6], 100, SET)
    assert "6 of 100 topics would be removed" in str(caught.value)
    assert "t5 en 'Topic 5'" in str(caught.value)
    assert "--allow-removals 6" in str(caught.value)
    assert caught.value.exit_code == 3
    brake.check_removals("acme", rows[:6], 100, SET, 6)
    with pytest.raises(StoppedError):
        brake.check_removals("acme", rows[:7], 100, SET, 6)
    brake.check_removals("acme", rows[:3], 4, SET)  # a small site may lose a few


def test_no_site_is_emptied_undecided_however_small() -> None:
    with pytest.raises(StoppedError, match="and never all"):
        brake.check_removals("acme", LIVE[:1], 1, SET)
    brake.check_removals("acme", LIVE[:1], 1, SET, 1)


def test_changed_words() -> None:
    live = [replace(LIVE[0], id=f"t{n}") for n in range(100)]
    changed = [replace(row, text_sha256="new") for row in live]
    brake.check_changes("acme", live, [*changed[:50], *live[50:]], SET)
    with pytest.raises(StoppedError, match="51 of 100 topics would be changed"):
        brake.check_changes("acme", live, [*changed[:51], *live[51:]], SET)
    brake.check_changes("acme", [], live, SET)  # a first release has nothing to lose


def test_it_stops_a_run_before_anything_is_rendered(tmp_path: Path) -> None:
    """Exit code 3 with the list; another site goes on; the flag lets it through; a notice that changes everywhere never stops."""
    config = shared_library.make(tmp_path / "library", topics=8, partners=2, sharing=1)
    run(config)
    only = config.parent / "partners/partner-0.toml"
    only.write_text(only.read_text().replace('collections = "all"', 'collections = ["nothing"]'))
    report = run(config, code=3)
    stopped, other = report["sites"]
    assert (stopped["state"], stopped["exit_code"], other["state"]) == ("stopped", 3, "unchanged")
    assert "8 of 8 topics would be removed" in stopped["error"]
    assert "medicine-7 en 'Medicine 7'" in stopped["error"]
    assert not [f for f in report["findings"] if f["partner"] == "partner-0" and f["severity"] == "error"]
    assert run(config, "--allow-removals", "8")["sites"][0]["state"] == "published"
    publisher = config.parent / "publisher.toml"
    publisher.write_text(publisher.read_text().replace("does not replace", "never replaces"))
    run(config)
    for source in (config.parent / "topics").glob("medicine-*.dita"):
        source.write_text(source.read_text().replace("911", "112"))
    report = run(config, code=3)
    assert "8 of 8 topics would be changed" in report["sites"][1]["error"]
    assert "open decisions" in command("decisions", "list", config=config).output
    run(config, "--allow-changes", "8")
