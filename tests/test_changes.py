"""Change lists (outputs/changes.py, pipeline/causes.py): what a release changes and why, for programs and for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from demo import command
from lxml import html
from releases import CREATED, SITE, Between, content, publish, row, signing, state

from outputs import changes, manifest, release
from outputs.manifest import Header
from outputs.stores import folder
from pipeline import causes, starter
from pipeline.contracts import Content, Moved, Row, Store, Withdrawn
from pipeline.errors import StoreError

HEADER = Header("riverside", "portal", 2, "", "run", CREATED)
GONE = Withdrawn(
    1,
    "topic-0",
    "en",
    (),
    "safety",
    "immediate",
    "recall",
    "2026-03-02",
    "2026-03-03",
    {"en": "Do not <use> it."},
    "",
    "",
    "en/topic-0",
)


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


def parts(before: Content | None, after: Content) -> dict[str, Any]:
    """The parts of a change list that say something."""
    document = json.loads(changes.changes(before, after, HEADER))
    return {name: document[name] for name in changes.PARTS if document[name]}


def with_row(before: Content, **fields: Any) -> Content:
    return replace(before, rows=(replace(before.rows[0], **fields), *before.rows[1:]))


def test_the_first_release_adds_all() -> None:
    found = parts(None, content())
    assert [item["id"] for item in found["added"]] == ["topic-0", "topic-1", "topic-2"]
    assert found["upcoming"] == [{"id": "topic-9", "on": "2026-04-01"}]
    assert set(found) == {"added", "upcoming"}


def test_nothing_changed() -> None:
    assert set(parts(content(), content())) == {"upcoming"}


@pytest.mark.parametrize("cause", changes.CAUSES)
def test_each_cause_is_named(cause: str) -> None:
    before = with_row(content(), causes=dict.fromkeys(changes.CAUSES, "same"))
    files = row(0, "new").files
    after = with_row(before, causes={**before.rows[0].causes, cause: "other"}, files=files)
    (item,) = parts(before, after)["changed"]
    assert item["causes"] == [cause]
    assert item["files"] == [file.path for file in files]


def test_a_cause_without_effect_is_no_change() -> None:
    before = with_row(content(), causes={"tool": "1"})
    assert "changed" not in parts(before, with_row(before, causes={"tool": "2"}))


@pytest.mark.parametrize(
    ("fields", "cause"),
    [({"links": ("topic-1 en",)}, "links"), ({"title": "Another"}, "metadata"), ({"text_sha256": "f" * 64}, "text")],
)
def test_causes_that_rows_show(fields: dict[str, Any], cause: str) -> None:
    (item,) = parts(content(), with_row(content(), **fields))["changed"]
    assert item["causes"] == [cause]
    assert item["text_changed"] == (cause == "text")


def test_corrected() -> None:
    found = parts(content(), with_row(content(), marks=("corrected",), files=row(0, "new").files))
    assert [item["id"] for item in found["corrected"]] == ["topic-0"]
    assert "changed" not in found


def test_withdrawn_restored_moved_removed() -> None:
    withdrawn = replace(content(), rows=content().rows[1:], withdrawn=(GONE,))
    found = parts(content(), withdrawn)
    assert [(item["id"], item["action"], item["act_by"]) for item in found["withdrawn"]] == [("topic-0", "recall", "2026-03-03")]
    assert "removed" not in found
    assert "withdrawn" not in parts(withdrawn, withdrawn)
    assert [item["id"] for item in parts(withdrawn, content())["restored"]] == ["topic-0"]
    renamed = replace(content(2), rows=(*content(2).rows, Row("new", "en", "T")), moved=(Moved("topic-2", "en", "new"),))
    found = parts(content(), renamed)
    assert found["moved"] == [{"id": "topic-2", "language": "en", "to": "new"}]
    assert "removed" not in found
    assert [item["id"] for item in parts(content(), content(2))["removed"]] == ["topic-2"]


def test_the_page_for_people() -> None:
    after = replace(with_row(content(), title="<b>A & B</b>"), rows=content().rows[1:], withdrawn=(GONE,))
    text = changes.page(json.loads(changes.changes(content(), after, HEADER)))
    page = html.document_fromstring(text)
    assert page.get("lang") == "en"
    assert [h.text for h in page.iter("h2")] == ["Withdrawn (1)", "Coming up (1)"]
    assert "Do not <use> it." in page.text_content()
    assert not page.xpath("//use|//script|//link")
    assert "No topic changed" in changes.page(json.loads(changes.changes(content(), replace(content(), upcoming=()), HEADER)))


# --- in the store ---------------------------------------------------------------------------------


def test_the_list_is_signed_and_its_copies_are_not(disk: Store) -> None:
    publish(disk)
    publish(disk, changed={1: "new"})
    live = release.current(disk, SITE.prefix, signing())
    assert live
    found = manifest.read(disk.get(release.manifest_key(SITE.prefix, live.manifest_sha256))[0], "it")
    data = disk.get(release.blob_key(SITE.prefix, found.header.changes["sha256"]))[0]
    assert len(data) == found.header.changes["size"]
    assert [item["id"] for item in json.loads(data)["changed"]] == ["topic-1"]
    assert disk.get(f"{SITE.prefix}/changes/2.json")[0] == data
    assert b"Topic 1" in disk.get(f"{SITE.prefix}/changes/2.html")[0]
    assert json.loads(disk.get(f"{SITE.prefix}/current.json")[0])["changes"] == "changes/2.json"


def test_a_run_first_mends_copies_that_are_missing(disk: Store) -> None:
    publish(disk)
    before = state(disk)

    class NoCopies(Between):
        def before(self, operation: str, key: str) -> None:
            if operation == "put" and ("/changes/" in key or key.endswith("current.json")):
                raise StoreError("503 Slow Down")

    copies = [key for key in before if "/changes/" in key or key.endswith("current.json")]
    assert len(copies) == 3
    assert publish(NoCopies(disk), changed={1: "new"}).sequence == 2
    assert json.loads(disk.get(f"{SITE.prefix}/current.json")[0])["sequence"] == 1
    assert publish(disk, changed={1: "new"}).state == "unchanged"
    assert json.loads(disk.get(f"{SITE.prefix}/current.json")[0])["sequence"] == 2
    assert disk.get(f"{SITE.prefix}/changes/2.json")[0]
    assert not release.mend(disk, SITE.prefix, release_pointer(disk))


def release_pointer(store: Store) -> Any:
    from outputs import signing as metadata

    live = metadata.read(store, SITE.prefix, signing())
    assert live
    return live.pointer


# --- why, from real runs --------------------------------------------------------------------------


def test_settled_rows() -> None:
    """A new version of the program that makes the same files is no news."""
    live = replace(row(0), causes={"tool": "1"})
    assert causes.settled([replace(live, causes={"tool": "2"})], [live]) == [live]
    new = replace(row(0, "new"), causes={"tool": "2"})
    assert causes.settled([new], [live]) == [new]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


REUSE = '<p conref="shared.dita#shared/wash"/>'
SHARED = '<?xml version="1.0"?>\n<topic id="shared" xml:lang="en"><title>Shared</title><body><p id="wash">{}</p></body></topic>\n'
EXEMPT = '\n[[exemptions]]\nof = "topic.changed-without-version"\ntopics = "all"\nreason = "test"\nends = 2099-12-31\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A starter project, one topic of which reuses a paragraph."""
    starter.write(tmp_path / "project")
    topics = tmp_path / "project/topics"
    (topics / "shared.dita").write_text(SHARED.format("Wash your hands."))
    with (tmp_path / "project/partners/first-partner.toml").open("a") as file:
        file.write(EXEMPT)
    text = (topics / "measure-a-pulse.dita").read_text()
    (topics / "measure-a-pulse.dita").write_text(text.replace("<taskbody>", f"<taskbody><context>{REUSE}</context>"))
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        (lambda p: (p / "topics/shared.dita").write_text(SHARED.format("Wash your hands with soap.")), "reuse", True),
        (lambda p: edit(p / "publisher.toml", 'disclaimer = "', 'disclaimer = "Please read: '), "notice", False),
        (lambda p: edit(p / "partners/first-partner.toml", 'name = "', 'name = "The '), "template", False),
    ],
    ids=["reuse", "notice", "template"],
)
def test_why_a_topic_changed(project: Path, change: Callable[[Path], object], cause: str, words: bool) -> None:
    run = ("run", "-c", str(project / "syndication.toml"), "--as-of", "2026-06-01", "-w", "1", "--allow-changes", "9")
    command(*run, codes=(0, 1))
    change(project)
    command(*run, codes=(0, 1))
    found = json.loads((project / "build/store/p/first-partner/changes/2.json").read_text())
    item = next(item for item in found["changed"] if item["id"] == "measure-a-pulse")
    assert cause in item["causes"]
    assert item["text_changed"] == words
    assert ("text" in item["causes"]) is False
