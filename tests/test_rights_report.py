"""Reports on rights: they hold what a lawyer needs, the partner's names nothing that it never had, and the pages are sound."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from demo import copy_of_examples
from lxml import html
from test_run import command, run
from validators import axe, nu, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DAY = "2026-12-01"
MORE = """
[[obligations]]
clause = "Section 7.2"
text = "No advertising beside the content, <b>ever</b>."

[[exemptions]]
of = "freshness"
topics = ["poisoning"]
reason = "The board meets in March."
ends = 2027-03-31
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The examples, published; a topic that a site had is taken out of its terms afterwards."""
    config = copy_of_examples(tmp_path_factory.mktemp("report") / "project")
    partner = config.parent / "partners/northstar.toml"
    text = partner.read_text(encoding="utf-8")
    partner.write_text(text + MORE, encoding="utf-8")
    report = run(config.parent, "--partner", "northstar", day=DAY)
    excluded = text.replace('images = "own"', 'images = "own"\n  exclude_topics = ["stroke"]', 1)
    assert excluded != text
    partner.write_text(excluded + MORE, encoding="utf-8")
    return config, report


def page(config: Path, whom: str, folder: Path) -> str:
    """The report for someone."""
    output = folder / f"{whom}.html"
    words = ("report", "rights", "--config", str(config), "--as-of", DAY, "--partner", "northstar", "--for", whom)
    done = command(*words, "-o", str(output))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"wrote {output}\n"
    return output.read_text(encoding="utf-8")


@pytest.mark.parametrize("whom", ["us", "partner"])
def test_it_says_what_is_licensed_and_under_what(published: tuple[Path, Any], tmp_path: Path, whom: str) -> None:
    text = " ".join(" ".join(html.fromstring(page(published[0], whom, tmp_path)).itertext()).split())
    for words in (
        "Content of Example Health Press licensed to Northstar Health Plan",
        "Agreement NS-2025-07", "in force", "2034-06-30 (inclusive)",
        "Exhibit 1, section 2", "heart-health, diabetes-and-weight, glossary, group-31",
        "In Spanish (es)", "Section 7.2", "No advertising beside the content, <b>ever</b>.", "content-safety@northstar.example",
        "train reserved", "index allowed",
        "It is not a promise of coverage.", "No es una promesa de cobertura.",
        "Northstar App (app) has 32 topics", "NS-2025-07, Exhibit 1, section 3: html", "1 of 20",
    ):  # fmt: skip
        assert words in text, words
    assert ("The board meets in March." in text) == (whom == "us")


def test_ours_names_every_topic_with_its_reason(published: tuple[Path, Any], tmp_path: Path) -> None:
    config, report = published
    text = page(config, "us", tmp_path)
    for site in report["sites"]:
        for key in site["withheld"]:
            assert f'<span class="id">{key.split()[0]}</span>' in text
    assert "expired after 2024-06-30" in text


def test_theirs_names_nothing_that_it_never_had(published: tuple[Path, Any], tmp_path: Path) -> None:
    config, report = published
    text = page(config, "partner", tmp_path)
    ids = set(re.findall(r'<span class="id">([^<]+)</span>', text))
    never = {key.split()[0] for site in report["sites"] for key in site["withheld"]}
    had = {key.split()[0] for site in report["sites"] for key in site["added"]}
    assert ids <= had
    assert "stroke" in ids  # it had that, and must know why it goes
    assert not [name for name in never - had if name in text]
    assert "never had are not named here" in text


@pytest.mark.tools
@pytest.mark.usefixtures("npm_tools")
def test_it_is_a_sound_page(published: tuple[Path, Any], tmp_path: Path, browser: Browser) -> None:
    for whom in ("us", "partner"):
        page(published[0], whom, tmp_path)
        path = tmp_path / f"{whom}.html"
        assert nu([path]) == []
        with opened(browser, path) as shown:
            assert axe(shown) == []
            assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_partner_that_does_not_exist(published: tuple[Path, Any], tmp_path: Path) -> None:
    done = command("report", "rights", "--config", str(published[0]), "--partner", "northstr", "-o", str(tmp_path / "x.html"))
    assert done.returncode == 2
    assert "did you mean 'northstar'" in done.stderr
    assert not (tmp_path / "x.html").exists()
