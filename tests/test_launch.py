"""What a contract still needs before launch (check --partner): one finding for each gap."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from test_run import command, edit

from pipeline import starter

PARTNER = "partners/first-partner.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A starter project."""
    starter.write(tmp_path / "project")
    return tmp_path / "project"


def found(project: Path, day: str = "2026-06-01") -> dict[str, list[str]]:
    """The findings of `check --partner` by code."""
    words = ("--config", str(project / "syndication.toml"), "--partner", "first-partner", "--as-of", day, "--json")
    done = command("check", *words)
    assert "Traceback" not in done.stderr, done.stderr
    by_code: dict[str, list[str]] = {}
    for finding in json.loads(done.stdout):
        assert finding["file"] == PARTNER, finding
        by_code.setdefault(finding["code"], []).append(finding["text"])
    return by_code


def test_a_missing_disclaimer_is_one_finding(project: Path) -> None:
    """Both topics are Spanish; nobody wrote a Spanish disclaimer."""
    edit(project / PARTNER, 'languages = ["en"]', 'languages = ["en", "es"]')
    for path in (project / "topics").glob("*.dita"):
        edit(path, 'xml:lang="en"', 'xml:lang="es"')
    texts = found(project)["notices.language-missing"]
    assert len(texts) == 1
    assert texts[0].startswith("2 topics in 'es' are withheld")


def test_a_granted_language_without_topics_is_found_too(project: Path) -> None:
    edit(project / PARTNER, 'languages = ["en"]', 'languages = ["en", "es"]')
    assert found(project)["terms.language-not-ready"] == [
        "the language 'es' is granted: publisher.toml has no disclaimer in [notices.es]"
    ]


def test_everything_that_is_wrong_is_said_once(project: Path) -> None:
    edit(project / PARTNER, 'collections = "all"', 'collections = ["cancer"]\n  include_topics = ["drinking-watr"]')
    edit(project / PARTNER, 'images = "own"', 'images = "own"\n  territories = ["US"]')
    edit(project / PARTNER, "2035-12-31", "2026-08-01\nnotice_days = 90")
    edit(
        project / PARTNER,
        "[brand]",
        '[[exemptions]]\nof = "freshness"\ntopics = "all"\nreason = "board"\nends = 2026-01-31\n'
        '[sites.first-partner]\nindexing = "canonical"\n[brand]',
    )
    codes = Counter({code: len(texts) for code, texts in found(project).items()})
    assert codes == Counter(
        {
            "site.no-topics": 1,
            "terms.nothing-matches": 2,
            "terms.dates": 2,
            "terms.contact-missing": 1,
            "terms.territory-not-said": 1,
            "terms.no-canonical-page": 1,
        }
    )


def test_a_contact_is_enough_for_the_starter_project(project: Path) -> None:
    with (project / PARTNER).open("a") as file:
        file.write('\n[contacts]\nsafety = "safety@example.org"\n')
    assert found(project) == {}
