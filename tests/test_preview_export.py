"""An exact bundle from the preview: byte for byte what a partner pulls after a run; and nothing is published on the way."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from demo import AS_OF, Demo, command, copy_of_examples
from playwright.sync_api import Browser, expect
from previews import Preview, opened, preview
from validators import axe

from pipeline.commands.building import build
from pipeline.errors import StoppedError
from pipeline.preview.packing import NAME, Packed, pack
from pipeline.preview.viewpoints import days

HEADER: Final = ("sequence", "previous", "run_id", "created", "changes")  # what a release says of itself, and not of its content
OWN: Final = {"manifest.json", "SHA256SUMS"}  # hold the header, or its hash


def packed(config: Path, site: str, folder: Path) -> tuple[Packed, dict[str, bytes]]:
    """What was made of a site, and the zip's files."""
    system = build(config)
    told: list[tuple[str, int, int]] = []
    folder.mkdir(exist_ok=True)
    made = pack(system, site, days(system, lambda _: date.fromisoformat(AS_OF)), str(folder), lambda *said: told.append(said))
    assert told
    return made, unzipped(folder / NAME) if made.size else {}


def unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def pulled(bundle: Path) -> dict[str, bytes]:
    return {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}


def compare(made: dict[str, bytes], bundle: dict[str, bytes]) -> None:
    """Both hold the same files with the same bytes, all but what a release says of itself."""
    assert made.keys() == bundle.keys()
    assert [name for name in made if made[name] != bundle[name] and name not in OWN] == []
    assert unheaded(made["manifest.json"]) == unheaded(bundle["manifest.json"])
    ours, theirs = (
        [line for line in files["SHA256SUMS"].decode().splitlines() if not line.endswith("  manifest.json")]
        for files in (made, bundle)
    )
    assert ours == theirs
    assert len(ours) == len(made) - len(OWN)


def unheaded(manifest: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(manifest)
    assert document.keys() >= {*HEADER, "content", "topics", "files"}
    return {name: value for name, value in document.items() if name not in HEADER}


def tree(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_before_the_first_release_it_is_what_a_run_publishes(examples_run: Demo, tmp_path: Path) -> None:
    config = copy_of_examples(tmp_path / "project")
    for site in examples_run.bundles:
        made, files = packed(config, site, tmp_path / site)
        assert (made.state, made.sequence, made.problem) == ("published", 1, "")
        assert site != "riverside" or files.keys() >= {"NOTICE.txt", "index.html", "catalog.json", "codes.json", "withdrawn.csv"}
        assert made.files + len(OWN) == len(files)
        compare(files, pulled(examples_run.bundles[site]))
    assert not (config.parent / "build/store").exists()
    assert not list(config.parent.rglob("*.pem"))


def test_where_nothing_changed_it_is_the_live_release(examples_run: Demo, tmp_path: Path) -> None:
    before = tree(examples_run.store)
    made, files = packed(examples_run.store.parents[1] / "syndication.toml", "riverside", tmp_path)
    assert (made.state, made.sequence) == ("unchanged", 1)
    assert files == pulled(examples_run.bundles["riverside"])
    assert tree(examples_run.store) == before


@pytest.fixture(scope="module")
def running(examples_run: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    folder = tmp_path_factory.mktemp("export") / "project"
    with preview(examples_run.copied(folder)) as started:
        yield started


@pytest.mark.usefixtures("npm_tools")
def test_an_editor_makes_a_bundle_of_what_is_not_published_yet(browser: Browser, running: Preview, tmp_path: Path) -> None:
    """A topic edited, one broken, one withdrawn: the zip from the browser is what a run and a pull give afterwards."""
    config, store = running.folder / "syndication.toml", running.folder / "build/store"
    command(
        *("withdraw", "--config", str(config), "asthma", "--reason", "error", "--severity", "immediate", "--action", "recall"),
        *("--act-by", "2099-12-31", "--by", "Ana Silva"),
    )
    heart, burns = running.folder / "topics/heart/heart-attack.dita", running.folder / "topics/first-aid/burns.dita"
    text = heart.read_text(encoding="utf-8").replace("Fast help saves", "Quick help saves").replace('version="6"', 'version="7"')
    heart.write_text(text, encoding="utf-8")
    burns.write_text(burns.read_text(encoding="utf-8").replace("<p>", "<p><b>", 1), encoding="utf-8")
    before = tree(store)
    with opened(browser, f"{running.address}/?site=riverside", axe=True) as page:
        page.get_by_role("link", name="Export").click()
        page.get_by_role("button", name="Make the bundle").click()
        link = page.get_by_role("link", name=f"Download riverside-{AS_OF}.zip")
        expect(link).to_be_visible(timeout=60_000)
        expect(page.locator("#screen")).to_contain_text("burns en")
        # As long as the frame of the topic shown before is on its way out, axe does not know what order its headings are in.
        assert [each for each in axe(page) if " incomplete heading-order " not in each] == []
        with page.expect_download() as download:
            link.click()
        download.value.save_as(tmp_path / "made.zip")
    assert tree(store) == before
    files = unzipped(tmp_path / "made.zip")
    assert b"Quick help saves" in files["en/heart-attack/index.html"]
    command("run", "--config", str(config), "--as-of", AS_OF, codes=(1,))
    root = next(str(path) for path in running.folder.rglob("keys/root.json"))
    command("pull", str(store), str(tmp_path / "pulled"), "--partner", "riverside", "--root", root)
    compare(files, pulled((tmp_path / "pulled").resolve()))


def test_a_bundle_under_way_can_be_cancelled(browser: Browser, running: Preview) -> None:
    store = running.folder / "build/store"
    before = tree(store)
    with opened(browser, f"{running.address}/export?site=harbor") as page:
        page.get_by_role("button", name="Make the bundle").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Make the bundle")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_have_count(0)
    assert running.get(f"/export/harbor-{AS_OF}.zip")[0] == 404
    assert tree(store) == before


def test_a_bundle_that_a_run_would_not_publish_says_why(examples_run: Demo, tmp_path: Path) -> None:
    project = tmp_path / "project"
    examples_run.copied(project)
    settings = project / "partners/riverside.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('languages = ["en"', 'languages = ["ar"'), encoding="utf-8")
    with pytest.raises(StoppedError, match="would be removed"):
        packed(project / "syndication.toml", "riverside", tmp_path / "made")
