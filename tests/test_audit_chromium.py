"""What the readers see is what a browser shows: the same words, and nothing that it hides."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from proven import CASES, Rendering, codes, rendering, topic

from pipeline.audit import _markup

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.tools

VISIBLE = "e => e.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true})"
HIDDEN = {
    "display": ".syn-notice--copyright { display: none }",
    "nested": "footer { & .syn-notice--copyright { display: none } }",
    "escaped": r".syn-\6eotice--copyright { d\69splay: none }",
    "after a broken rule": '.x { content: "\n} .syn-notice--copyright { display: none }',
    "in a layer": "@layer late { .syn-notice--copyright { display: none !important } }",
    "by a fall-back": ".syn-notice--copyright { display: var(--never-set, none) }",
    "after old comment signs": "<!-- .syn-notice--copyright { display: none } -->",
    "visibility": ".syn-footer { visibility: hidden }",
    "content-visibility": ".syn-footer { content-visibility: hidden }",
    "opacity": ".syn-notice--copyright { opacity: 0 }",
}


def shown(browser: Browser, made: Rendering, folder: Path) -> Page:
    """The page, opened from a disk."""
    for file in (*made.bundle, *made.files):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    page = browser.new_page()
    page.goto((folder / made.files[0].path).as_uri())
    return page


def letters(text: str) -> str:
    """The text without white space, way-back signs and the marks that stand for raised and lowered letters."""
    return re.sub(r"[\s^_↩]", "", unicodedata.normalize("NFKC", text))  # formulas are shown in letters of their own


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.xml")))
@pytest.mark.parametrize("name", ["html", "print"])
def test_a_browser_shows_the_words_that_were_proven(name: str, case: str, browser: Browser, tmp_path: Path) -> None:
    made = rendering(name, topic(case))
    page = shown(browser, made, tmp_path)
    body, _ = _markup.parse_fragment(made.body.content.decode())
    read = "".join(block.text for block in _markup.text_of(body).blocks if block.kind != "credit")
    page.evaluate("document.querySelectorAll('.syn-credit').forEach(e => e.remove())")  # read apart from the text around them
    assert letters(page.locator(".syn-body").inner_text()) == letters(read)
    notices = page.locator("[data-notice]")
    found = [" ".join(text.split()) for text in notices.all_inner_texts()]
    assert [notice.printed if name == "print" else notice.text for notice in made.edition.notices] == found
    assert all(notices.nth(number).evaluate(VISIBLE) for number in range(len(found)))
    page.close()


@pytest.mark.parametrize("fault", HIDDEN)
def test_what_a_browser_hides_is_not_proven(fault: str, browser: Browser, tmp_path: Path) -> None:
    made = rendering("html").styled(HIDDEN[fault])
    page = shown(browser, made, tmp_path)
    notice = page.locator("[data-notice=copyright]")
    assert not notice.evaluate(VISIBLE)
    assert "audit.notice-hidden" in codes(made.file_findings())
    page.close()
