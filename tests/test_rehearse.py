"""A partner's new terms, rehearsed: what would change is named, what would stop a run is known before, nothing is published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from demo import copy_of_examples
from test_run import command, project, run  # noqa: F401  # the fixture is a name here

DAY = "2026-12-01"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return copy_of_examples(tmp_path / "project")


@pytest.fixture
def small(project: Path) -> Path:  # noqa: F811
    return project / "syndication.toml"


def drafted(config: Path, changes: dict[str, str], name: str) -> Path:
    """A partner's file with these places rewritten."""
    text = (config.parent / f"partners/{name}.toml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    draft = config.parent / "draft.toml"
    draft.write_text(text, encoding="utf-8")
    return draft


def rehearsed(config: Path, changes: dict[str, str], code: int = 0, name: str = "northstar") -> Any:
    """The rehearsal of a partner's changed file."""
    draft = drafted(config, changes, name)
    done = command("rehearse", "--config", str(config), "--as-of", DAY, "--workers", "1", "--partner-file", str(draft), "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def topics(site: Any, what: str) -> set[tuple[str, str]]:
    """The topics that something becomes of."""
    return {(change["id"], change["language"]) for change in site["topics"] if change["what"] == what}


def test_the_same_terms_change_nothing(small: Path) -> None:
    found = rehearsed(small, {}, name="first-partner")
    assert [(site["topics"], site["stops"]) for site in found["sites"]] == [([], [])]
    assert {(one["new"], one["changed"], one["gone"]) for site in found["sites"] for one in site["formats"]} == {(0, 0, 0)}
    assert (found["notices"], found["findings"]) == ([], [])
    assert not (small.parent / "build/store").exists()


def test_what_would_be_gained_and_lost(config: Path) -> None:
    found = rehearsed(config, {'"diabetes-and-weight", ': '"lungs-and-breathing", ', "It is not a promise": "It is no promise"})
    app = found["sites"][0]
    assert ("asthma", "es") in topics(app, "gained")
    assert {name for name, _ in topics(app, "lost")} == {"body-mass-index", "low-blood-sugar", "type-2-diabetes"}
    why = {change["id"]: change["why"] for change in app["topics"]}
    assert "the topic is in diabetes-and-weight" in why["type-2-diabetes"]
    assert why["type-2-diabetes"].endswith("(NS-2025-07, Exhibit 1, section 2)")
    assert why["asthma"] == "NS-2025-07, Exhibit 1, section 2: html, json"
    (notice,) = found["notices"]
    assert (notice["language"], notice["notice"]) == ("en", "disclaimer")
    assert "It is no promise" in notice["after"]
    web = next(one for one in app["formats"] if one["format"] == "html")
    assert web["new"] > 0 < web["gone"]
    assert web["changed"] > 10  # the disclaimer stands on every English page


def test_the_result_is_what_a_run_then_gives(config: Path) -> None:
    changes = {'formats = ["html", "json"]': 'formats = ["html", "print"]', 'color = "#6a2c70"': 'color = "#106010"'}
    found = rehearsed(config, changes)
    (config.parent / "draft.toml").rename(config.parent / "partners/northstar.toml")
    report = run(config.parent, "--partner", "northstar", "--dry-run", day=DAY)
    assert {site["site"]: site["topics"] for site in report["sites"]} == {s["site"]: s["after"] for s in found["sites"]}
    assert topics(found["sites"][0], "formats")
    assert found["findings"] == []


def test_what_would_stop_a_run_is_said(small: Path) -> None:
    run(small.parent, day=DAY)
    found = rehearsed(small, {"ends = 2035-12-31": "ends = 2035-12-31\nlimits = {topics = 1}"}, 1, "first-partner")
    assert "would be used for too many topics" in found["sites"][0]["stops"][0]
    found = rehearsed(small, {'collections = "all"': 'collections = ["nothing"]'}, 1, "first-partner")
    empty, braked = found["sites"][0]["stops"]
    assert empty == "site first-partner would get no topic"
    assert "2 of 2 topics would be removed" in braked


def test_a_partner_to_come(small: Path) -> None:
    found = rehearsed(small, {'id = "first-partner"': 'id = "second-partner"'}, name="first-partner")
    (site,) = found["sites"]
    assert (site["site"], site["state"], site["before"], site["after"]) == ("second-partner", "new", 0, 2)
    assert topics(site, "gained") == {("drinking-water", "en"), ("measure-a-pulse", "en")}


def test_a_broken_draft_is_refused_with_all_its_problems(config: Path) -> None:
    draft = config.parent / "draft.toml"
    draft.write_text('id = "northstar"\nnam = "x"\n', encoding="utf-8")
    done = command("rehearse", "--config", str(config), "--partner-file", str(draft))
    assert done.returncode == 2
    assert "did you mean 'name'" in done.stderr
    assert "agreements: missing" in done.stderr


def test_people_read_titles(small: Path) -> None:
    draft = drafted(small, {'images = "own"': 'images = "own"\n  exclude_topics = ["measure-a-pulse"]'}, "first-partner")
    done = command("rehearse", "--config", str(small), "--as-of", DAY, "--workers", "1", "--partner-file", str(draft))
    assert done.returncode == 0, done.stderr
    assert "  lost: 1\n    'Measure a pulse' (measure-a-pulse en): " in done.stdout
    assert done.stdout.endswith(f"nothing was published; decided for {DAY}\n")
