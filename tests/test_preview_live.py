"""What patients see now, in the preview: from the store, with since when, and what of the sources is held back and why."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from demo import AS_OF, ROOT, Demo, command
from playwright.sync_api import Browser, Locator, Page, expect
from previews import Preview, opened, preview

from pipeline.preview.live import FRESH

HEART: Final = "topics/heart/heart-attack.dita"
BURNS: Final = "topics/first-aid/burns.dita"


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def running(examples_run: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """Three releases: all topics; one topic's next version; another one withdrawn. Then work goes on that is not published."""
    folder = tmp_path_factory.mktemp("live") / "project"
    config = str(examples_run.copied(folder))
    edit(folder / HEART, 'vrm version="6"', 'vrm version="7"')
    command("run", "--config", config, "--as-of", AS_OF)
    how = ("--reason", "error", "--severity", "immediate", "--action", "recall", "--act-by", "2099-12-31", "--by", "Ana Silva")
    command("withdraw", "--config", config, "asthma", *how)
    edit(folder / HEART, 'vrm version="7"', 'vrm version="8"')
    edit(folder / BURNS, "</p>", "<p>")
    with preview(folder / "syndication.toml") as started:
        yield started


def row(page: Page, name: str) -> Locator:
    return page.locator("table.topics tbody tr", has=page.locator(f".id:text-is('{name}')"))


def test_each_live_topic_says_since_when_and_what_of_ours_waits(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}/") as page:
        page.get_by_role("link", name="Live now").click()
        expect(page.locator("table")).to_contain_text("Riverside Health")
        page.get_by_role("link", name="Riverside Health", exact=True).click()
        expect(page.locator("#count")).to_contain_text("release 3")
        heart = row(page, "heart-attack").filter(has_text="English")
        expect(heart).to_contain_text("release 2")
        expect(heart).to_contain_text("yours is version 8")
        airway = row(page, "airway").filter(has_text="English")
        expect(airway).to_contain_text("release 1")
        expect(airway).to_contain_text("as yours")
        asthma = page.locator("tbody tr", has_text="withdrawn").filter(has_text="asthma").first
        expect(asthma).to_contain_text("decision 1")
        page.get_by_label("Beside the sources").select_option(label="yours is held back (1)")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody tr")).to_contain_text("burns.dita:")
        page.locator("tbody tr a").last.click()
        expect(page.locator(".source tr.marked")).to_be_in_viewport()
        assert "line=" in page.url


def test_the_topic_page_says_it_too(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}/topics/en/heart-attack?site=riverside&view=live") as page:
        pane = page.locator(".kind-live")
        expect(pane).to_contain_text("Version 7")
        expect(pane).to_contain_text("(release 2)")
        expect(pane).to_contain_text("yours is version 8")
        page.goto(f"{running.address}/topics/en/asthma?site=riverside&view=live")
        expect(pane).to_contain_text("Patients see this notice in its place")
        expect(page.frame_locator(".kind-live iframe").locator("body")).to_contain_text("Withdrawn on")
        assert "Asthma attacks" not in page.frame_locator(".kind-live iframe").locator("body").inner_text()


def test_a_topic_that_was_broken_before_the_start_shows_what_is_live(browser: Browser, running: Preview) -> None:
    """Nobody has rendered it here: the store has."""
    with opened(browser, f"{running.address}/?site=riverside&q=burns") as page:
        expect(page.locator("tbody tr")).to_contain_text("held back")
        page.locator("tbody tr a").first.click()
        expect(page.get_by_role("alert")).to_contain_text("what Riverside Health has now (release 3)")
        expect(page.get_by_role("alert")).to_contain_text("burns.dita:")
        expect(page.frame_locator("#pane-1 iframe").locator("h1")).to_contain_text("Burns")
        expect(page.locator(".levels")).to_contain_text("May not publish")
        shutil.copy(ROOT / "examples" / BURNS, running.folder / BURNS)
        expect(page.get_by_role("alert")).to_have_count(0, timeout=5000)
        assert page.locator(".levels").inner_text().split() == ["Can", "preview", "May", "publish"]


def test_a_store_that_lies_is_said_and_shows_nothing_of_it(running: Preview, browser: Browser) -> None:
    """What the archive holds is checked against the hashes that lead there."""
    folder = next((running.folder / "build/store/archive").glob("members"))
    for path in (folder / "releases").glob("*.json"):
        path.write_bytes(b'{"sequence": 1, "created": "<script>alert(1)</script>"}')
    with opened(browser, f"{running.address}/live?site=members") as page:
        expect(page.locator("pre.banner")).to_contain_text("Since when can not be said")
        assert page.locator("tbody tr").count() > 1


def test_a_store_that_can_not_be_read_is_said(running: Preview, browser: Browser) -> None:
    pointer = running.folder / "build/store/p/harbor/metadata/timestamp.json"
    pointer.write_bytes(b"{")
    time.sleep(FRESH)  # for so long the preview may say what it read before
    with opened(browser, f"{running.address}/live") as page:
        expect(page.locator("tr", has_text="harbor")).to_contain_text("can not be read")
        page.goto(f"{running.address}/live?site=harbor")
        expect(page.get_by_role("alert")).to_contain_text("The store can not be read")
        assert page.locator("table").count() == 0
