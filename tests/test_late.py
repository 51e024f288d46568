"""Decisions that are made while a run is under way, where the run alone knows what it is about to publish."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_withdraw import TODAY, check_gone, command, library, pulled, run, store_of, system_of

from outputs import decisions
from pipeline import deciding, late
from pipeline.contracts import EditorialDecision, FileRow, Row
from pipeline.due import _is_live, _shows
from pipeline.report import Report
from pipeline.run import Options
from pipeline.run import run as run_once
from pipeline.unread import source_mark

__all__ = ["library"]


def deciding_meanwhile(config: Path) -> Report:
    """A run in whose midst somebody withdraws a topic, and nobody publishes it."""
    (config.parent / "topics/medicine-3.dita").write_text(
        (config.parent / "topics/medicine-3.dita").read_text().replace("About", "All about")
    )
    system = system_of(config)
    done: list[object] = []
    moment = datetime.now(UTC).isoformat(timespec="seconds")

    def meanwhile(*_: object) -> None:
        if not done:
            decision = EditorialDecision("withdraw", moment, "Ana", topics=("medicine-0",), reason="error")
            done.append(deciding.decide(system, store_of(config), deciding.standing_of(system, store_of(config)), decision))

    return run_once(system, Options(lambda _zone: TODAY, "slow run", moment, workers=1), meanwhile)


def test_what_was_decided_since_is_not_published_over(library: Path, tmp_path: Path) -> None:
    report = deciding_meanwhile(library)
    assert {(site.exit_code, site.sequence) for site in report.sites} == {(5, 0)}
    assert all("decision 1 was made while this run was under way" in site.error for site in report.sites)
    run(library)
    check_gone(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")


def test_what_was_decided_at_the_last_moment_is_live_at_once(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "check", lambda *_: None)  # as if it had been decided right after
    report = deciding_meanwhile(library)
    assert {(site.exit_code, site.sequence, tuple(site.withdrawn)) for site in report.sites} == {(0, 3, ("medicine-0 en",))}
    check_gone(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")


def test_a_decision_that_is_lost_stops_everything(library: Path) -> None:
    store, moment = store_of(library), datetime.now(UTC).isoformat()
    for topic in ("medicine-0", "medicine-1"):
        decisions.append(store, EditorialDecision("withdraw", moment, "Ana", topics=(topic,), reason="error"))
    store.delete("decisions/1.json")
    assert "decisions/1.json is missing" in command("run", config=library, code=4).stderr


def test_more_than_is_granted_is_not_up_to_date() -> None:
    files = tuple(FileRow(name, f"en/a/{name}", "0" * 64, 1, "text/plain") for name in ("html", "epub"))
    row = Row(id="a", language="en", title="T", agreement="A", clause="1", files=files)
    assert _is_live(row, (("html", "epub"), "A, 1", frozenset()))
    assert not _is_live(row, (("html",), "A, 1", frozenset()))


def test_an_image_that_no_page_shows_is_never_due() -> None:
    row = Row(id="a", language="en", title="T", made_of={"terms": "0", "images": f"{source_mark('cuff.png')}:1:2"})
    assert _shows(row, "cuff.png")
    assert not _shows(row, "chart.png")
    assert _shows(Row(id="a", language="en", title="T"), "chart.png")  # of a row that does not say
