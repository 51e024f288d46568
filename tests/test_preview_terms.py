"""The preview's terms and rights: the same answer as `explain`, and the very record that the partner gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from demo import AS_OF, Demo, command
from lxml import html
from playwright.sync_api import Browser, expect
from previews import Preview, opened, preview
from test_preview_live import edit

from pipeline.preview.record_view import said

# topic, language, partner, site: plainly granted; another language; withdrawn; without its companion; in the wind-down; too many
ASKED: Final = (
    ("heart-attack", "en", "riverside", "riverside"),
    ("heart-attack", "es", "harbor", "harbor"),
    ("asthma", "en", "riverside", "riverside"),
    ("use-an-inhaler", "en", "riverside", "riverside"),
    ("biopsy", "en", "harbor", "harbor"),
    ("burns", "en", "harbor", "harbor"),
)


@pytest.fixture(scope="module")
def running(examples_run: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """The examples after their release: one topic withdrawn, one agreement over but for what is live, one with a limit."""
    folder = tmp_path_factory.mktemp("terms") / "project"
    examples_run.copied(folder)
    how = ("--reason", "error", "--severity", "immediate", "--action", "recall", "--act-by", "2099-12-31", "--by", "Ana Silva")
    command("withdraw", "--config", str(folder / "syndication.toml"), "asthma", *how)
    harbor = folder / "partners/harbor.toml"
    edit(
        harbor,
        "starts = 2025-01-01\nends = 2032-12-31",
        "starts = 2025-01-01\nends = 2026-11-30\nafter_end = { days = 60, keep = 'existing' }",
    )
    edit(harbor, "starts = 2026-01-01\nends = 2032-12-31", "starts = 2026-01-01\nends = 2032-12-31\nlimits = { topics = 3 }")
    with preview(folder / "syndication.toml") as started:
        yield started


def explained(folder: Path, topic: str, language: str, partner: str, site: str) -> dict[str, Any]:
    words = ("--partner", partner, "--site", site, "--language", language, "--as-of", AS_OF, "--json")
    found: dict[str, Any] = json.loads(command("explain", topic, "--config", str(folder / "syndication.toml"), *words))
    return found


@pytest.mark.parametrize(("topic", "language", "partner", "site"), ASKED)
def test_the_terms_say_what_explain_says(running: Preview, topic: str, language: str, partner: str, site: str) -> None:
    page = html.fromstring(running.get(f"/topics/{language}/{topic}?site={site}&beside=terms")[1].decode())
    found = explained(running.folder, topic, language, partner, site)
    assert page.get_element_by_id("sentence").text_content() == found["sentence"]
    told = [" ".join(item.text_content().split()) for item in page.xpath("//details//li")]
    for one in found["decisions"]:
        assert any(line.startswith(f"{one['verdict']} {one['rule']}: {one['reason']}") for line in told), one
    assert len(told) == len(found["decisions"])


def test_every_site_says_what_it_gets(running: Preview) -> None:
    page = html.fromstring(running.get("/topics/en/asthma?beside=terms")[1].decode())
    lines = [" ".join(row.text_content().split()) for row in page.xpath("//section[@id='pane-2']//tbody/tr")]
    assert len(lines) == len({line.split(" nothing: ")[0] for line in lines}) > 2
    assert all("nothing: " in line for line in lines)
    assert any("withdrawn by decision 1" in line for line in lines)


def test_the_record_is_the_one_that_the_partner_gets(browser: Browser, running: Preview, examples_run: Demo) -> None:
    path = "en/heart-attack/rights.json"
    pulled = (examples_run.bundles["riverside"] / path).read_bytes()
    status, data, _ = running.get(f"/bundle/riverside~~/{path}")
    assert (status, data) == (200, pulled)
    record = json.loads(pulled)
    with opened(browser, f"{running.address}/topics/en/heart-attack?site=riverside&view=rights") as page:
        pane = page.locator(".kind-rights")
        license_ = record["licenses"][0]
        for words in (license_["agreement"], license_["clause"], license_["ends"], record["copyright"]["notice"]):
            expect(pane).to_contain_text(words)
        expect(pane).to_contain_text("show it and print it, from 2024-01-01, to 2035-12-31, only in language en")
        expect(pane).to_contain_text("show all notices with it")
        page.get_by_text("ODRL policy, for programs").click()
        shown = json.loads(page.locator("details[open] pre").inner_text())
        assert shown == record["odrl"]
        page.goto(f"{running.address}/topics/en/heart-attack?view=rights")
        expect(pane).to_contain_text("Choose a site")


@pytest.mark.parametrize("policy", [None, [], {"permission": 3}, {"permission": [{"duty": "x", "constraint": [{}]}]}])
def test_a_policy_that_is_none_of_ours_breaks_nothing(policy: object) -> None:
    assert said({"odrl": policy}).may_not == ()


def test_decisions_count_those_that_are_made_meanwhile_too(browser: Browser, running: Preview) -> None:
    """A run would put a notice in the topic's place: the preview must not call it publishable."""
    page = running.get("/topics/en/asthma?site=riverside")[1].decode()
    assert "Withheld from this site" in page
    assert "May publish" not in page
    with opened(browser, f"{running.address}/?site=riverside&q=burns") as tab:
        expect(tab.locator("tbody tr").first).not_to_contain_text("withdrawn")
        how = ("--reason", "error", "--severity", "routine", "--action", "remove", "--act-by", "2099-12-31", "--by", "Ana Silva")
        command("withdraw", "--config", str(running.folder / "syndication.toml"), "burns", *how)
        for _ in range(20):
            tab.reload()
            if "withdrawn" in tab.locator("tbody tr").first.inner_text():
                break
            tab.wait_for_timeout(500)
        expect(tab.locator("tbody tr").first).to_contain_text("withdrawn")
