"""Whole runs over inputs that mean harm, or came to harm: what is live stays, nothing hangs, no traceback shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from deadly import die, niceness

from pipeline import engine, starter
from pipeline.errors import WorkerDied

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A starter project: two topics, one partner, a folder store."""
    starter.write(tmp_path / "project")
    return tmp_path / "project"


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a user does; no traceback may show."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_pipeline.py"), *words],
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def run(project: Path, code: int, *words: str) -> dict[str, Any]:
    """One run that ends with that exit code; its report."""
    done = command(
        "run", "--config", str(project / "syndication.toml"), "--as-of", "2026-06-01", "--json", "--workers", "1", *words
    )
    assert done.returncode == code, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def refused(project: Path, code: int) -> str:
    """What a run says that ends with that exit code and no report."""
    done = command("run", "--config", str(project / "syndication.toml"), "--as-of", "2026-06-01")
    assert (done.returncode, done.stdout) == (code, "")
    return done.stderr


def edit(path: Path, old: str, new: str) -> None:
    """Replaces text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def codes(report: dict[str, Any]) -> set[str]:
    """The kinds of errors found."""
    return {finding["code"] for finding in report["findings"] if finding["severity"] == "error"}


# --- what is live stays -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (b"<task id='x'><title>Measure", "xml.not-well-formed"),
        (b"", "xml.empty"),
        (b"<?xml version='1.0'?><task id='x'>\xff\xfe</task>", "xml.encoding"),
    ],
)
def test_a_file_that_can_not_be_read_takes_nothing_down(project: Path, damage: bytes, code: str) -> None:
    run(project, 0)
    (project / "topics/measure-a-pulse.dita").write_bytes(damage)
    report = run(project, 1)
    assert codes(report) == {code}
    assert report["sites"][0]["kept"] == ["measure-a-pulse en"]
    assert report["sites"][0]["removed"] == []


def test_a_file_in_no_vocabulary_takes_nothing_down(project: Path) -> None:
    run(project, 0)
    (project / "topics/measure-a-pulse.dita").write_text("<html/>")
    report = run(project, 1)
    assert (codes(report), report["sites"][0]["kept"]) == ({"dita.map-target-missing"}, ["measure-a-pulse en"])


def test_an_id_given_away_twice_takes_nothing_down(project: Path) -> None:
    run(project, 0)
    twin = (project / "topics/measure-a-pulse.dita").read_text().replace('value="measure-a-pulse"', 'value="drinking-water"')
    (project / "topics/twin.dita").write_text(twin)
    report = run(project, 1)
    assert (codes(report), report["sites"][0]["kept"]) == ({"topic.id-duplicate"}, ["drinking-water en"])


def test_a_file_taken_out_is_a_removal(project: Path) -> None:
    run(project, 0)
    (project / "topics/measure-a-pulse.dita").unlink()
    report = run(project, 1)  # the map still asks for it
    assert (report["sites"][0]["kept"], report["sites"][0]["removed"]) == ([], ["measure-a-pulse en"])


def test_what_can_not_be_read_goes_where_the_terms_end(project: Path) -> None:
    run(project, 0)
    (project / "topics/measure-a-pulse.dita").write_text("<task")
    edit(project / "partners/first-partner.toml", 'formats = ["html", "print", "epub", "text", "json"]', 'formats = ["html"]')
    report = run(project, 1)
    assert (report["sites"][0]["kept"], report["sites"][0]["removed"]) == ([], ["measure-a-pulse en"])


@pytest.mark.parametrize(
    "conditions", ["", "<val><prop", "<html/>", '<val><prop att="audience" val="staff" action="exlude"/></val>']
)
def test_conditions_that_can_not_be_read_neither_leak_nor_take_down(project: Path, conditions: str) -> None:
    edit(
        project / "topics/drinking-water.dita", "<li>You are thirsty.</li>", '<li audience="staff">Staff only</li><li>Thirst</li>'
    )
    edit(project / "syndication.toml", '# conditions = "web.ditaval"', 'conditions = "web.ditaval" #')
    (project / "web.ditaval").write_text('<val><prop att="audience" val="staff" action="exclude"/></val>')
    run(project, 0)
    (project / "web.ditaval").write_text(conditions)
    report = run(project, 1)
    assert codes(report) & {"dita.ditaval-unreadable", "dita.ditaval"}
    assert report["sites"][0]["state"] == "unchanged"
    assert report["sites"][0]["kept"] == ["drinking-water en", "measure-a-pulse en"]


def test_inputs_that_are_suddenly_empty_take_nothing_down(project: Path) -> None:
    run(project, 0)
    for path in (project / "topics").iterdir():
        path.unlink()
    report = run(project, 1)
    assert (codes(report), report["sites"][0]["state"]) == ({"input.empty"}, "unchanged")


def test_half_an_archive_is_an_error(project: Path) -> None:
    (project / "topics.zip").write_bytes(b"PK\x03\x04 and no more")
    edit(project / "syndication.toml", 'inputs = ["topics"]', 'inputs = ["topics.zip"]')
    assert "input 'topics.zip' is no zip archive, or not a whole one" in refused(project, 2)


@pytest.mark.parametrize(("old", "line"), [("You are thirsty.", 27), ("Drinking enough water", 3)])
def test_text_that_readers_would_see_turned_around_is_held_back(project: Path, old: str, line: int) -> None:
    edit(project / "topics/drinking-water.dita", old, f"Take \u202e10 mg\u202c. {old}")
    report = run(project, 1)
    assert codes(report) == {"topic.direction-override"}
    assert {(f["file"], f["line"]) for f in report["findings"] if f["severity"] == "error"} == {
        ("topics/drinking-water.dita", line)
    }
    assert report["sites"][0]["topics"] == 1


def test_what_is_wrong_with_a_file_is_said_once(project: Path) -> None:
    edit(project / "topics/drinking-water.dita", 'encoding="UTF-8"', 'encoding="UTF-16"')
    found = run(project, 0)["findings"]
    assert [(f["code"], f["topic"]) for f in found] == [("xml.encoding-declared", "drinking-water en")]


# --- what grows without end ---------------------------------------------------------------------


def test_maps_in_maps_without_end_are_one_finding(project: Path) -> None:
    """Nested without end, or each taking in the next twice: what they leave out is not known, so nothing new goes out."""
    run(project, 0)
    for number in range(30):
        inner = f'<mapref href="m{number + 1}.ditamap"/>'
        (project / f"topics/m{number}.ditamap").write_text(f"<map>{inner}{inner}</map>")
    (project / "topics/m30.ditamap").write_text('<map><topicref href="drinking-water.dita"/></map>')
    report = run(project, 1)
    assert (codes(report), report["sites"][0]["state"]) == ({"dita.map-limit"}, "unchanged")


def test_deep_maps_are_one_finding(project: Path) -> None:
    for number in range(400):
        (project / f"topics/m{number:03}.ditamap").write_text(f'<map><mapref href="m{number + 1:03}.ditamap"/></map>')
    (project / "topics/m400.ditamap").write_text('<map><topicref href="drinking-water.dita"/></map>')
    assert "dita.map-limit" in codes(run(project, 1))


# --- operators' and partners' files -------------------------------------------------------------


def own_templates(project: Path, name: str, text: str) -> None:
    """A second partner whose site has this template of its own."""
    ours = (project / "partners/first-partner.toml").read_text()
    theirs = ours.replace('id = "first-partner"', 'id = "second"\ntemplates = "second"')
    (project / "partners/second.toml").write_text(theirs)
    (project / "second").mkdir()
    (project / "second" / name).write_text(text)


@pytest.mark.parametrize(
    "text", ["\n{% if %}", "\n{{ nobody.knows }}", "\n{% include 'nothing' %}", "\n{{ ''.__class__.__mro__ }}"]
)
def test_a_partners_broken_template_holds_back_its_own_site_alone(project: Path, text: str) -> None:
    own_templates(project, "html.html", text)
    report = run(project, 1)
    assert [(site["site"], site["topics"]) for site in report["sites"]] == [("first-partner", 2), ("second", 0)]
    found = [f for f in report["findings"] if f["code"] == "site.template"]
    assert {(f["file"], f["line"], f["partner"]) for f in found} == {("second/html.html", 2, "second")}
    assert report["held_back"] == ["drinking-water en", "measure-a-pulse en"]


def test_a_template_that_fails_over_the_rows_stops_its_own_site_alone(project: Path) -> None:
    page = (ROOT / "transforms/pages/index.html").read_text()
    own_templates(project, "index.html", page + "{% for one in languages %}{{ one.nothing.more }}{% endfor %}")
    report = run(project, 2)
    assert [(site["site"], site["state"]) for site in report["sites"]] == [("first-partner", "published"), ("second", "failed")]
    assert "second/index.html:" in report["sites"][1]["error"]


def test_a_list_of_topics_that_runs_or_asks_others_is_not_published(project: Path) -> None:
    page = (ROOT / "transforms/pages/index.html").read_text()
    added = "<script src='https://other.example/x.js'></script><a href='javascript:x()'>Run</a>"
    own_templates(project, "index.html", page.replace("</body>", f"{added}</body>"))
    report = run(project, 1)
    assert [(site["site"], site["state"]) for site in report["sites"]] == [("first-partner", "published"), ("second", "stopped")]
    assert codes(report) == {"audit.active-content", "audit.outside-request", "audit.link-scheme"}


def test_templates_that_are_not_there_are_an_error(project: Path) -> None:
    edit(project / "partners/first-partner.toml", 'id = "first-partner"', 'id = "first-partner"\ntemplates = "nowhere"')
    assert "templates 'nowhere' of partner first-partner are not there" in refused(project, 2)


def test_control_characters_in_settings_are_an_error(project: Path) -> None:
    edit(project / "syndication.toml", 'inputs = ["topics"]', 'inputs = ["to\\u0000pics"]')
    said = refused(project, 2)
    assert "syndication.toml: inputs.0: a control character" in said
    assert r"'to\x00pics'" in said


def test_two_inputs_with_files_of_one_name_are_said(project: Path) -> None:
    edit(project / "syndication.toml", 'inputs = ["topics"]', 'inputs = ["topics", "./topics"]')
    assert "input.name-twice" in codes(run(project, 1))


# --- the machine --------------------------------------------------------------------------------


def test_the_workers_of_a_run_step_back() -> None:
    """Whoever withdraws something meanwhile must not wait for them: what is withdrawn is worked on at full speed."""
    here = os.nice(0)
    assert list(engine.run(niceness, None, [1, 2], workers=2, nice=engine.WAITS)) == [min(19, here + engine.WAITS)] * 2
    assert list(engine.run(niceness, None, [1, 2], workers=2)) == [here] * 2


def test_a_worker_that_the_system_ends_is_an_error() -> None:
    with pytest.raises(WorkerDied, match="one of 2 worker processes died"):
        list(engine.run(die, None, [1, 2], workers=2))


def test_workers_end_with_a_driver_that_was_killed() -> None:
    """They hold its output open, so that end of file there means that none is left."""
    script = "from deadly import linger; from pipeline import engine; list(engine.run(linger, None, [1, 2], workers=2))"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"began\n"
        driver.kill()
        assert driver.communicate(timeout=60)[0] in (b"", b"began\n")
