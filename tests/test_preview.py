"""The editors' preview in Chromium, as an editor uses it: find, look, write, break, mend, compare, read to the last page."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import require_tool
from demo import AS_OF, ROOT, Demo, command
from playwright.sync_api import Browser, Page, Route, expect
from previews import Preview, opened, preview

HEART = "/topics/en/heart-attack"
SOURCE = "topics/heart/heart-attack.dita"
READER = ROOT / "deploy/preview/node_modules/foliate-js/view.js"


@pytest.fixture(scope="module")
def running(examples_run: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """The examples with their releases, in a copy that tests may write into."""
    folder = tmp_path_factory.mktemp("preview") / "project"
    with preview(examples_run.copied(folder)) as started:
        yield started


@pytest.fixture
def source(running: Preview) -> Iterator[Path]:
    """A topic's file; what a test writes into it is undone."""
    path = running.folder / SOURCE
    before = path.read_text(encoding="utf-8")
    yield path
    path.write_text(before, encoding="utf-8")


def frame_text(page: Page, pane: int = 1) -> str:
    body = page.frame_locator(f"#pane-{pane} iframe:not(.coming)").locator("body")
    expect(body).to_have_text(re.compile(r"\S"), timeout=15_000)  # the frame is there before its words
    return body.inner_text()


def test_find_a_topic_and_see_it_as_a_partner(browser: Browser, running: Preview) -> None:
    with opened(browser, running.address) as page:
        page.fill("#search", "heart att")
        expect(page.locator(".topics tbody tr")).to_have_count(3)
        page.fill("#search", "MYOCARDIAL infarction")  # by what else it is called
        expect(page.locator(".topics tbody tr")).to_have_count(1)
        page.select_option("select[name=site]", "harbor")
        expect(page.locator("#count")).to_contain_text("for Harbor")
        page.locator(".topics th a").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Heart attack")
        # harbor has print alone of this collection
        expect(page.locator(".tabs a", has_text="Web")).to_have_class("absent")
        expect(page.locator(".tabs a", has_text="Print")).to_have_attribute("aria-current", "page")
        assert "discharge instructions" in frame_text(page)  # harbor's own disclaimer
        page.locator(".tabs a", has_text="Web").click()
        expect(page.locator("#pane-1")).to_contain_text("does not get this topic as Web")


def test_terms_say_what_is_withheld_and_by_which_rule(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}/topics/es/asthma?site=harbor&beside=terms") as page:
        expect(page.locator(".levels")).to_contain_text("Withheld from this site")
        reasons = page.locator("#pane-2 .reasons").first
        expect(reasons).to_contain_text("language")
        expect(reasons).to_contain_text("HC-118")
        expect(page.locator("#pane-2 table")).to_contain_text("Riverside Health")
        assert "Spanish" in page.locator(".facts").inner_text()


def test_terms_are_tried_without_a_file_changing(browser: Browser, running: Preview) -> None:
    file = running.folder / "partners/harbor.toml"
    before = file.read_bytes()
    with opened(browser, f"{running.address}/terms?site=harbor") as page:
        text = page.input_value("#text")
        page.fill("#text", text.replace('languages = ["en"]', 'languages = ["en", "xx"'))
        page.get_by_role("button", name="See what").click()
        expect(page.get_by_role("alert")).to_contain_text("is not TOML")
        page.fill("#text", text.replace('formats = ["print"]', 'formats = ["print", "html"]'))
        page.get_by_role("button", name="See what").click()
        expect(page.locator(".tried")).to_contain_text("tried terms")
        page.fill("#search", "heart attack")
        expect(page.locator(".topics tbody tr")).to_have_count(3)
        page.goto(page.url.replace("/?", f"{HEART}?"))
        assert "Get help now" in frame_text(page)
        page.get_by_role("link", name="back to now").click()
        expect(page.locator("#pane-1 h2")).to_have_text("Print")
    assert file.read_bytes() == before
    with opened(browser, f"{running.address}/?site=harbor&as_of=2033-06-01") as page:
        expect(page.locator("#count")).to_contain_text("0 for Harbor")  # both agreements are over by then


def test_a_save_shows_at_once_and_keeps_the_place(browser: Browser, running: Preview, source: Path) -> None:
    with opened(browser, f"{running.address}{HEART}?site=riverside&view=html&beside=problems") as page:
        page.wait_for_selector("#pane-1 iframe[data-ready]")
        page.evaluate("document.querySelector('#pane-1 iframe').contentWindow.scrollTo({top: 300, behavior: 'instant'})")
        source.write_text(source.read_text(encoding="utf-8").replace("Fast help saves", "Quick help saves"), encoding="utf-8")
        frame = page.frame_locator("#pane-1 iframe:not(.coming)")
        expect(frame.locator("body")).to_contain_text("Quick help saves", timeout=5000)
        expect(page.locator("#news")).to_contain_text("Up to date")
        place = page.evaluate("document.querySelector('#pane-1 iframe:not(.coming)').contentWindow.scrollY")
        assert place == 300
        assert "view=html" in page.url
        assert page.locator(".tabs [aria-current=page]").inner_text() == "Web"


def test_a_broken_source_keeps_the_last_good_rendering_and_says_where(browser: Browser, running: Preview, source: Path) -> None:
    whole = source.read_text(encoding="utf-8")
    with opened(browser, f"{running.address}{HEART}?site=riverside&beside=problems") as page:
        page.wait_for_selector("#pane-1 iframe[data-ready]")
        lines = whole.splitlines()
        at = next(number for number, line in enumerate(lines) if "</p>" in line)
        lines[at] = lines[at].replace("</p>", "<p>", 1)
        source.write_text("\n".join(lines), encoding="utf-8")
        banner = page.get_by_role("alert")
        expect(banner).to_contain_text("last good rendering", timeout=5000)
        expect(banner).to_contain_text(f"{SOURCE}:")
        expect(page.locator(".levels")).to_contain_text("Can not preview")
        expect(page.locator(".levels")).to_contain_text("May not publish: 1 error")
        assert "Get help now" in frame_text(page)
        page.locator("#pane-2 .findings a").first.click()
        marked = page.locator("#pane-2 .source tr.marked")
        expect(marked).to_be_in_viewport()
        assert "xml.not-well-formed" in page.locator("#pane-1, #screen").first.inner_text() or marked.count() == 1
        source.write_text(whole, encoding="utf-8")
        expect(banner).to_have_count(0, timeout=5000)
        expect(page.locator(".levels")).to_contain_text("May publish")


def test_broken_settings_are_said_and_the_pages_stay(browser: Browser, running: Preview) -> None:
    file = running.folder / "partners/harbor.toml"
    before = file.read_text(encoding="utf-8")
    with opened(browser, f"{running.address}/?site=harbor") as page:
        try:
            file.write_text(before.replace("languages", "langauges"), encoding="utf-8")
            expect(page.get_by_role("alert")).to_contain_text("did you mean 'languages'?", timeout=5000)
            expect(page.locator(".topics tbody tr").first).to_be_visible()
            file.write_text(before.replace("Your care team at Harbor", "The care team of Harbor"), encoding="utf-8")
            expect(page.get_by_role("alert")).to_have_count(0, timeout=5000)
            assert page.locator("#screen h1").inner_text() == "Topics"
        finally:
            file.write_text(before, encoding="utf-8")


def test_two_formats_and_two_languages_side_by_side(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}{HEART}?view=html&beside=text") as page:
        assert "Get help now" in frame_text(page)
        expect(page.locator("#pane-2 pre")).to_contain_text("Heart attack: signs and what to do")
        page.select_option("select[name=beside]", "es/html")
        expect(page.locator("#pane-2 h2")).to_have_text("Web (Spanish)")
        assert "corazón" in frame_text(page, 2)
        page.select_option("select[name=width]", "360")
        expect(page.locator("#pane-1")).to_have_class("pane kind-frame w360")
        assert page.evaluate("document.querySelector('#pane-1 iframe').contentWindow.innerWidth") == 360


def test_what_will_change_is_shown_word_by_word(browser: Browser, running: Preview, source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("Fast help saves heart", "Help within 60 minutes saves heart"), encoding="utf-8")
    with opened(browser, f"{running.address}{HEART}?site=riverside&view=changes&beside=live") as page:
        expect(page.locator("#pane-1 ins.clinical")).to_contain_text("60 minutes")
        assert page.locator("#pane-1 p.clinical").count() == 1
        live = page.frame_locator("#pane-2 iframe").locator("body")
        expect(live).to_contain_text("Fast help saves")  # what patients see now
        expect(page.locator("#pane-2")).to_contain_text("release 1")
        page.goto(f"{running.address}/changes")
        page.get_by_role("button", name="Check everything now").click()
        expect(page.locator("main")).to_contain_text("heart-attack, English", timeout=30000)  # what a run would do with it


def test_print_is_laid_out_in_sheets(browser: Browser, running: Preview) -> None:
    with opened(browser, f"{running.address}{HEART}?view=print&site=riverside") as page:
        frame = page.wait_for_selector("#pane-1 iframe[data-sheet-count]")
        assert frame
        count = int(frame.get_attribute("data-sheet-count") or 0)
        inside = page.frame_locator("#pane-1 iframe")
        lines = inside.locator(".preview-box[data-sheet]").all_inner_texts()
        assert count >= 2
        assert f"Page {count} of {count}" in lines
        assert lines.count("Riverside Health") == count
        # as many as Chromium itself prints
        with opened(browser, f"{running.address}/bundle/riverside~~/en/heart-attack/print.html") as printed:
            pdf = printed.pdf(prefer_css_page_size=False, format="Letter")
        assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == count
        page.select_option("select[name=paper]", "a4")
        expect(page.locator("#pane-1 .sheets")).to_contain_text("sheets")


def test_the_e_book_is_read_to_its_last_page(browser: Browser, running: Preview) -> None:
    require_tool(READER.exists(), "foliate-js (make preview)")
    requests: list[str] = []
    with opened(browser, f"{running.address}{HEART}?view=epub", requests=requests) as page:
        reader = page.frame_locator("#pane-1 iframe")
        expect(reader.locator("#forth")).to_be_enabled(timeout=10000)
        for _ in range(60):
            if reader.locator("html").get_attribute("data-end") == "yes":
                break
            reader.locator("#forth").click()
            page.wait_for_timeout(120)
        expect(reader.locator("#place")).to_have_text("Last page")
        assert all(url.startswith((running.address, "blob:", "data:")) for url in requests)


def test_a_review_copy_opens_from_disk_and_says_that_it_is_a_draft(browser: Browser, running: Preview, tmp_path: Path) -> None:
    words = ("preview", "export", str(tmp_path / "drafts"), "--site", "riverside", "--topic", "heart-attack", "--as-of", AS_OF)
    assert "wrote 3 topics" in command(*words, "--config", str(running.folder / "syndication.toml"))
    requests: list[str] = []
    with opened(browser, (tmp_path / "drafts/index.html").as_uri(), requests=requests) as page:
        assert "DRAFT" in page.locator(".draft-mark").inner_text()
        page.locator("a[href='en/heart-attack/index.html']").click()
        expect(page.locator(".draft-mark")).to_contain_text("not for patients")
        assert page.evaluate("getComputedStyle(document.querySelector('.syn-title')).fontWeight") >= "600"  # its style is there
    assert all(url.startswith(("file:", "data:")) for url in requests)
    assert (tmp_path / "drafts/en/heart-attack/heart-attack.txt").read_text(encoding="utf-8").startswith("*** DRAFT")
    assert "is not empty" in command_error(*words, "--config", str(running.folder / "syndication.toml"))
    packed = zipfile.ZipFile(io.BytesIO(running.get("/export/riverside~~/en/heart-attack.zip")[1]))
    assert {"en/heart-attack/index.html", "en/heart-attack/heart-attack.epub"} <= set(packed.namelist())
    assert packed.read("en/heart-attack/index.html") == running.get("/bundle/riverside~~/en/heart-attack/index.html")[1]


def command_error(*words: str) -> str:
    done = subprocess.run([sys.executable, str(ROOT / "run_pipeline.py"), *words], capture_output=True, text=True)
    assert done.returncode == 2
    return done.stderr


def test_news_do_not_take_back_where_an_editor_is_on_the_way_to(browser: Browser, running: Preview, source: Path) -> None:
    with opened(browser, f"{running.address}{HEART}") as page:
        assert "Get help now" in frame_text(page)
        held: list[Route] = []
        page.route("**/*view=text*", lambda route: route.continue_() if held else held.append(route))
        page.keyboard.press("4")
        while not held:
            page.wait_for_timeout(20)
        source.write_text(source.read_text(encoding="utf-8").replace("Fast help saves", "Quick help saves"), encoding="utf-8")
        expect(page.locator("#pane-1 pre.text")).to_contain_text("Quick help saves")
        held[0].continue_()


def test_by_keyboard_alone(browser: Browser, running: Preview) -> None:
    with opened(browser, running.address) as page:
        page.keyboard.press("/")
        page.keyboard.type("blood pressure")
        expect(page.locator("#count")).not_to_contain_text("48 of")
        page.keyboard.press("Tab")
        page.locator("#screen").focus()
        page.keyboard.press("j")
        page.keyboard.press("j")
        title = page.evaluate("document.activeElement.textContent")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        page.keyboard.press("4")
        expect(page.locator("#pane-1 pre.text")).to_be_visible()
        page.keyboard.press("p")
        expect(page.locator("#pane-2 h2")).to_have_text("Problems")
        page.keyboard.press("1")
        page.wait_for_selector("#pane-1 iframe[data-ready]")
        page.frame_locator("#pane-1 iframe").locator("body").press("k")  # keys work inside of a rendering too
        expect(page.get_by_role("heading", level=1)).not_to_have_text(title)
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Tab")
        page.locator("#keys-on").uncheck()
        page.keyboard.press("Escape")
        address = page.url
        page.keyboard.press("u")
        page.keyboard.press("2")
        assert page.url == address
