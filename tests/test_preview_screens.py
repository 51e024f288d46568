"""Every screen of the preview: accessible in both colours, at a desk and on a telephone; and its picture for the docs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from demo import ROOT, Demo, command
from playwright.sync_api import Browser, Page
from previews import Preview, opened, preview
from test_preview_live import edit
from validators import AXE, axe

PICTURES: Final = ROOT / "docs/preview"
HEART: Final = "/topics/en/heart-attack"
BROKEN: Final = "/topics/en/burns"
# name -> address
SCREENS: Final = {
    "topics": "/",
    "topics-of-a-site": "/?site=harbor&gets=no",
    "topic": f"{HEART}?site=riverside&beside=problems",
    "print": f"{HEART}?site=riverside&view=print",
    "epub": f"{HEART}?site=riverside&view=epub",
    "text-and-json": f"{HEART}?view=text&beside=json",
    "rights": f"{HEART}?site=riverside&view=rights",
    "languages": "/topics/es/heart-attack?view=html&beside=en/html",
    "terms": f"{HEART}?site=harbor&view=print&beside=terms",
    "withheld": "/topics/es/asthma?site=harbor",
    "source": f"{HEART}?view=html&beside=source&file=topics/heart/heart-attack.dita&line=40",
    "broken": f"{BROKEN}?site=riverside&beside=problems",
    "changes": f"{HEART}?site=riverside&view=changes&beside=live",
    "reading": f"{HEART}?site=riverside&beside=reading",
    "what-will-change": "/changes",
    "try-terms": "/terms?site=members",
    "live-now": "/live?site=riverside",
    "live-now-of-all": "/live",
    "export": "/export?site=riverside",
    "nothing-there": "/topics/en/no-such-topic",
}


@pytest.fixture(scope="module")
def running(examples_run: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    """The examples with their releases. One topic was withdrawn; a dose changes; a source breaks; a bundle was made."""
    folder = tmp_path_factory.mktemp("screens") / "project"
    examples_run.copied(folder)
    how = ("--reason", "error", "--severity", "immediate", "--action", "recall", "--act-by", "2099-12-31", "--by", "Ana Silva")
    command("withdraw", "--config", str(folder / "syndication.toml"), "poisoning", *how)
    heart = folder / "topics/heart/heart-attack.dita"
    edit(heart, '<vrm version="6"/>', '<vrm version="7"/>')
    edit(heart, "325&#xA0;mg", "300&#xA0;mg")
    edit(heart, "Unlock the door, so that helpers can get in.", "Unlock the front door, so that helpers can get in.")
    with preview(folder / "syndication.toml") as started:
        started.get(f"{BROKEN}?site=riverside&beside=problems")  # the last good rendering
        edit(folder / "topics/first-aid/burns.dita", "</taskbody>", "</taskbdy>")
        _until(started, f"{BROKEN}?site=riverside", b"last good rendering")
        started.get("/export?site=riverside", "POST", b"", Origin=started.address)
        _until(started, "/export?site=riverside", b"Download riverside-")
        _until(started, "/changes", b'id="site-1"')  # everything was checked: no news comes while axe looks
        yield started


def _until(running: Preview, address: str, words: bytes) -> None:
    for _ in range(400):
        if words in running.get(address)[1]:
            return
        time.sleep(0.1)
    raise AssertionError(f"{address}: {words!r}")


def settle(page: Page) -> None:
    """Waits until frames show what they have."""
    for frame in page.locator("iframe[data-frame]").all():
        frame.and_(page.locator("[data-ready]")).wait_for()
    if page.locator("iframe[data-reader]").count():
        page.frame_locator("iframe[data-reader]").locator("#forth:enabled").wait_for()
        page.wait_for_timeout(300)


def faults(page: Page) -> list[str]:
    """What axe finds, in the reader's frame too. Frames of topics run no script, so none of axe's (each format has tests of its
    own), and axe can not say whether headings go on from theirs."""
    if page.locator("iframe[data-reader]").count():
        page.frames[1].add_script_tag(path=str(AXE))
    framed = page.locator("iframe[data-frame]").count() > 0
    unknown = ("incomplete frame-tested", "incomplete heading-order") if framed else ()
    return [line for line in axe(page) if not any(word in line for word in unknown)]


@pytest.mark.usefixtures("npm_tools")
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, browser: Browser, running: Preview, request: pytest.FixtureRequest) -> None:
    with opened(browser, running.address + SCREENS[name], axe=True) as page:
        settle(page)
        picture = page.screenshot(scale="css")
        assert faults(page) == []
        page.emulate_media(color_scheme="dark")
        assert faults(page) == []
        page.set_viewport_size({"width": 390, "height": 800})
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert faults(page) == []
    assert picture.startswith(b"\x89PNG")
    if request.config.getoption("--update-expected"):
        PICTURES.mkdir(exist_ok=True)
        Path(PICTURES / f"{name}.png").write_bytes(picture)
