"""What an editor saves besides topics, and what the preview does without Node: looks, partners, books."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from demo import ROOT, copy_of_examples
from playwright.sync_api import Browser, Page, expect
from previews import Preview, opened, preview
from test_preview_live import edit

HEART: Final = "/topics/en/heart-attack"
HEART_FILE: Final = "topics/heart/heart-attack.dita"
BEHIND: Final = "version 5; version 6 is the newest"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """The examples, unpublished: a partner with looks of its own, a translation made from an older version; no e-book reader."""
    config = copy_of_examples(tmp_path_factory.mktemp("saves") / "project")
    shutil.copytree(ROOT / "transforms/pages", config.parent / "looks")
    edit(config.parent / "partners/riverside.toml", 'id = "riverside"', 'id = "riverside"\ntemplates = "looks"')
    edit(config.parent / "topics/es/heart-attack.dita", '<vrm version="6"/>', '<vrm version="5"/>')
    for language in ("ar", "es"):  # of the two, neither is what the other translates
        translated = config.parent / f"topics/{language}/heart-attack.dita"
        edit(translated, '<data name="version" value="6"/>', '<data name="version" value="5"/>')
    without = "from pathlib import Path; from pipeline.preview import bundles; bundles.LIBRARY = Path('nowhere')"
    with preview(config, first=without) as started:
        yield started


def scroll(page: Page) -> None:
    page.wait_for_selector("#pane-1 iframe[data-ready]")
    page.evaluate("document.querySelector('#pane-1 iframe').contentWindow.scrollTo({top: 300, behavior: 'instant'})")


def place(page: Page) -> tuple[int, str]:
    """How far the page is scrolled, and the tab."""
    top = page.evaluate("document.querySelector('#pane-1 iframe:not(.coming)').contentWindow.scrollY")
    return round(top), page.locator(".tabs [aria-current=page]").inner_text()


def test_a_saved_template_shows_at_once_and_keeps_the_place(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}{HEART}?site=riverside&view=html&beside=problems") as page:
        scroll(page)
        edit(running.folder / "looks/html.html", "</main>", "<p>Printed with care.</p></main>")
        frame = page.frame_locator("#pane-1 iframe:not(.coming)")
        expect(frame.locator("body")).to_contain_text("Printed with care.", timeout=5000)
        assert place(page) == (300, "Web")


def test_a_saved_style_sheet_shows_at_once_and_keeps_the_place(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}{HEART}?site=riverside&view=html&beside=problems") as page:
        scroll(page)
        sheet = running.folder / "looks/topic.css"
        sheet.write_text(sheet.read_text(encoding="utf-8") + "\n.syn-title { letter-spacing: 7px; }\n", encoding="utf-8")
        title = page.frame_locator("#pane-1 iframe:not(.coming)").locator(".syn-title").first
        expect(title).to_have_css("letter-spacing", "7px", timeout=5000)
        assert place(page) == (300, "Web")


def test_a_broken_template_keeps_the_page_and_names_its_line(browser: Browser, running: Preview) -> None:
    template = running.folder / "looks/html.html"
    whole = template.read_text(encoding="utf-8")
    with opened(browser, f"{running.address}{HEART}?site=riverside&view=print&beside=problems") as page:
        page.wait_for_selector("#pane-1 iframe[data-ready]")
        template.write_text(whole.replace("</main>", "{% if %}</main>"), encoding="utf-8")
        expect(page.locator("#pane-2 .findings")).to_contain_text("looks/html.html", timeout=5000)
        page.locator("#pane-2 .findings a").first.click()
        expect(page.locator("#pane-2 .source tr.marked")).to_contain_text("{% if %}")
        template.write_text(whole, encoding="utf-8")
        expect(page.locator(".levels")).to_contain_text("Can preview", timeout=5000)
        assert page.locator("#pane-1 iframe").count() == 1


def test_without_a_reader_the_book_is_shown_chapter_by_chapter(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}{HEART}?site=riverside&view=epub") as page:
        expect(page.locator("#pane-1")).to_contain_text("no e-book reader is installed")
        expect(page.locator("#pane-1")).to_contain_text("make preview")
        links = page.locator(".chapters a")
        assert links.count() > 1
        links.last.click()
        expect(page.frame_locator("#pane-1 iframe").locator("body")).to_have_text(re.compile(r"\S"))


def test_a_translation_that_is_behind_is_marked(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}/topics/es/heart-attack?view=html&beside=en/html") as page:
        expect(page.locator(".others .badge", has_text="behind").first).to_be_visible()
        expect(page.locator(".others")).to_contain_text(BEHIND)
        expect(page.locator("#pane-1")).to_contain_text(BEHIND)
        expect(page.locator("#pane-2 .pane-head")).to_contain_text("English")
        page.goto(f"{running.address}/?q=heart-attack")
        expect(page.locator("tbody tr", has_text="Spanish")).to_contain_text("behind")
        page.goto(f"{running.address}/topics/ar/heart-attack?view=html&beside=en/html")
        expect(page.locator("#pane-1")).to_contain_text(BEHIND)
        page.goto(f"{running.address}/topics/en/heart-attack?view=html&beside=ar/html")
        expect(page.locator("#pane-2")).to_contain_text(BEHIND)
        assert page.locator("#pane-1").get_by_text(BEHIND).count() == 0


def test_the_source_is_coloured_under_the_policy(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}{HEART}?beside=source&file={HEART_FILE}&line=5") as page:
        tag = page.locator(".source .nt").first
        plain = page.locator(".source td.number").first
        colours = [one.evaluate("e => getComputedStyle(e).color") for one in (tag, plain)]
        assert colours[0] != colours[1]
        assert page.locator(".source [style]").count() == 0
        text = "\n".join(page.locator(".source code").all_inner_texts())
        assert text.strip() == (running.folder / HEART_FILE).read_text(encoding="utf-8").strip()
