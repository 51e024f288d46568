"""Whole runs over inputs that mean harm, or came to harm: what is live stays, nothing hangs, no traceback shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import starter

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
    assert run(project, 0)["sites"][0]["kept"] == ["measure-a-pulse en"]


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
