"""Decisions and archive over a real folder: appended, never changed; nothing that was published is lost."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import releases
from releases import SITE, publish

from outputs import archive, decisions, manifest, release
from outputs.stores import folder
from pipeline.contracts import EditorialDecision, FileRow, Moved, Store, Withdrawn
from pipeline.errors import StoreError

WITHDRAW = EditorialDecision("withdraw", "2026-03-02T03:00:00Z", "Ana", topics=("topic-1",), reason="safety")
TERMS = {hashlib.sha256(b"terms").hexdigest(): b"terms"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return folder.open(str(tmp_path / "store"), {})


def test_decisions_are_counted_and_read_back(store: Store) -> None:
    assert decisions.read(store) == ()
    first = decisions.append(store, WITHDRAW)
    second = decisions.append(store, replace(WITHDRAW, kind="restore", notice={"en": "Back"}))
    assert (first.number, second.number) == (1, 2)
    assert decisions.read(store) == (first, second)


def test_decisions_at_one_moment_all_stand(store: Store) -> None:
    threads = [
        threading.Thread(target=decisions.append, args=(store, replace(WITHDRAW, by=f"person {number}"))) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = decisions.read(store)
    assert [decision.number for decision in found] == list(range(1, 9))
    assert {decision.by for decision in found} == {f"person {number}" for number in range(8)}


def test_a_lost_answer_is_no_second_decision(store: Store) -> None:
    class Deaf(releases.Between):
        def after(self, operation: str, key: str) -> None:
            if operation == "put" and key.startswith("decisions/") and self.calls.count((operation, key)) == 1:
                self._lock.release()
                try:
                    self.inner.get(key)
                    with pytest.raises(StoreError):  # what a retry of the same request would find
                        self.inner.put(key, b"x", media_type="text/plain", absent=True)
                finally:
                    self._lock.acquire()

    assert decisions.append(Deaf(store), WITHDRAW).number == 1
    assert len(decisions.read(store)) == 1


@pytest.mark.parametrize("data", [b"{}", b"no json", b'{"kind":"delete"}\n'])
def test_a_decision_that_nobody_understands_stops_everything(store: Store, data: bytes) -> None:
    store.put("decisions/1.json", data, media_type="application/json")
    with pytest.raises(StoreError, match=r"decisions/1\.json"):
        decisions.read(store)


def test_a_replaced_release_is_kept_whole(store: Store) -> None:
    publish(store, topics=3)
    first = release.current(store, SITE.prefix)
    assert first
    for _ in range(2):  # the second time nothing is left to do
        archive.keep(store, SITE.prefix, first, TERMS)
    publish(store, topics=2, changed={0: "2"})
    (past,) = archive.releases(store, SITE.prefix)
    assert (past.sequence, past.created) == (1, releases.CREATED)
    assert archive.content(store, SITE.prefix, past) == first.content
    assert archive.terms(store, SITE.prefix, *TERMS) == b"terms"
    for file in manifest.all_files(first.content):
        assert hashlib.sha256(archive.blob(store, SITE.prefix, file.sha256)).hexdigest() == file.sha256


def test_what_a_site_has_ever_had(store: Store) -> None:
    publish(store, topics=2)
    first = release.current(store, SITE.prefix)
    assert first
    archive.keep(store, SITE.prefix, first, {})
    publish(store, topics=1, changed={0: "2"})
    second = release.current(store, SITE.prefix)
    assert second
    found = archive.received(store, SITE.prefix, second.content.rows)
    assert {key: topic.versions for key, topic in found.items()} == {("topic-0", "en"): ("", "2"), ("topic-1", "en"): ("",)}
    assert [file.path for file in found["topic-1", "en"].files] == [
        "en/topic-1/index.html",
        "en/topic-1/topic-1.txt",
        "en/topic-1/topic.json",
    ]


def test_sites_are_remembered(store: Store) -> None:
    archive.describe(store, SITE)
    archive.describe(store, replace(SITE, name="Riverside"))
    assert archive.sites(store) == {SITE.prefix: replace(SITE, name="Riverside")}


def test_what_is_archived_alone_can_be_put_back(store: Store) -> None:
    publish(store, topics=1)
    live = release.current(store, SITE.prefix)
    assert live
    for sha256 in {file.sha256 for file in live.content.rows[0].files}:
        data, _ = store.get(release.blob_key(SITE.prefix, sha256))
        store.put(release.blob_key(archive.home(SITE.prefix), sha256), data, media_type="application/octet-stream")
        store.delete(release.blob_key(SITE.prefix, sha256))
    assert archive.recall(store, SITE.prefix, live.content) == 3
    assert archive.recall(store, SITE.prefix, live.content) == 0


def test_an_altered_archive_is_refused(store: Store) -> None:
    sha256 = hashlib.sha256(b"right").hexdigest()
    store.put(release.blob_key(archive.home(SITE.prefix), sha256), b"wrong", media_type="text/plain")
    with pytest.raises(StoreError, match="altered"):
        archive.blob(store, SITE.prefix, sha256)


def test_a_release_says_what_is_withdrawn_and_moved(store: Store) -> None:
    """Written, read back, and pulled like any other file; never beside a live topic of the same name."""
    publish(store, topics=1)
    live = release.current(store, SITE.prefix)
    assert live
    data = b"Withdrawn\n"
    file = FileRow("text", "en/topic-9/topic-9.txt", hashlib.sha256(data).hexdigest(), len(data), "text/plain")
    store.put(release.blob_key(SITE.prefix, file.sha256), data, media_type="text/plain")
    gone = Withdrawn(
        decision=1,
        id="topic-9",
        language="en",
        versions=(),
        reason="safety",
        severity="immediate",
        action="recall",
        at="2026-03-02",
        act_by="",
        notice={"en": "Do not use it."},
        contact="",
        replaced_by="",
        path="en/topic-9",
        files=(file,),
    )
    content = replace(live.content, withdrawn=(gone,), moved=(Moved("topic-8", "en", "topic-0"),))
    release.publish(store, SITE, content, live, run_id="w", created=releases.CREATED, signing=releases.signing())
    found = release.current(store, SITE.prefix)
    assert found
    assert found.content == content
    with pytest.raises(Exception, match="twice"):
        manifest.describe(replace(content, withdrawn=(replace(gone, id="topic-0"),)))
