"""A save in the preview: what is read again, and that all is as if everything had been read again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from edits import EXAMPLES, FILES, PARTNER, edit, edits, library, written
from hypothesis import example, given, settings
from hypothesis import strategies as st
from watchfiles import Change

from benchmarks import library as large
from pipeline import inputs
from pipeline.catalog import Surveyor
from pipeline.commands.building import build
from pipeline.preview import app
from pipeline.preview.project import Project, Snapshot
from pipeline.preview.session import Session
from pipeline.preview.topics import Shelf
from pipeline.preview.viewpoints import Desk, Desks, Viewpoint

SITES = (Viewpoint("acme"), Viewpoint("other"), Viewpoint())
TOPICS = 30
SHARING = 4


def _today(_zone: ZoneInfo) -> date:
    return date(2026, 12, 1)


# --- equal to all read again ---------------------------------------------------------------------

PARTNERS = [
    PARTNER,
    PARTNER.replace('languages = "all"', 'languages = ["es"]'),
    PARTNER.replace('collections = "all"', 'collections = ["lungs"]'),
    PARTNER.replace("Ask Acme.", "Ask your doctor."),
    PARTNER.replace("2099-12-31", "2026-11-30"),
    'conditions = ""\n' + PARTNER,
    "id = ",
]
terms = st.sampled_from([("write", "partners/acme.toml", text) for text in PARTNERS])
everything = st.one_of(edits, edits, edits, terms)


def _said(snapshot: Snapshot, desk: Desk) -> dict[str, object]:
    plan, shelf = desk.plan, Shelf(snapshot, desk, [])
    return {
        "granted": {key: (one.formats, one.terms.place, one.marks) for key, one in plan.granted.items()},
        "withheld": plan.withheld,
        "until": plan.until,
        "languages": plan.languages,
        "titles": desk.context.titles,
        "concepts": desk.context.concepts,
        "texts": desk.context.texts,
        "rows": shelf.rows,
    }


@example(steps=[written(("topics/asthma.dita", 3)), [("delete", "topics/flu.dita", "")], written(("topics/flu.dita", 0))])
@example(steps=[written(("topics/flu.dita", 1))])
@example(steps=[[("write", "partners/acme.toml", PARTNERS[1])], written(("topics/asthma.dita", 1))])
@settings(max_examples=EXAMPLES, deadline=None)
@given(steps=st.lists(st.lists(everything, min_size=1, max_size=2), min_size=1, max_size=6))
def test_after_any_edits_all_is_as_if_read_anew(
    steps: list[list[tuple[str, str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "edited"
    config = library(folder)
    (folder / "partners/other.toml").write_text(PARTNER.replace("acme", "other").replace("Acme", "Other"))
    project, desks = Project(lambda: build(config), config), Desks(_today)
    first = project.load()
    shelves = {chosen: Shelf(first, desks.desk(first, chosen), []) for chosen in SITES}
    for step in steps:
        touched = {folder / name for one in step for name in edit(folder, one)}
        snapshot = project.refresh(touched)
        if snapshot.problem:
            continue  # nobody can read such settings from the start
        for chosen in SITES:
            if desks.desk(snapshot, chosen).hurried:
                assert desks.finish(chosen, desks.whole(snapshot, chosen))
            desk = desks.desk(snapshot, chosen)
            shelves[chosen] = Shelf(snapshot, desk, [], shelves[chosen])
            assert shelves[chosen].rows == Shelf(snapshot, desk, []).rows
            fresh = Project(lambda: build(config), config).load()
            said = _said(snapshot, desk)
            if not snapshot.lost:  # of topics that broke, the last that was known
                assert said == _said(fresh, Desks(_today).desk(fresh, chosen))


# --- no more than was touched ---------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Project:
    config = large.make(tmp_path / "library", TOPICS, 2, SHARING)
    made = Project(lambda: build(config), config)
    made.load()
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The input files that are read from now on."""
    names: set[str] = set()
    whole = inputs.Inputs.read

    def noted(self: inputs.Inputs, name: str) -> bytes:
        names.add(name)
        return whole(self, name)

    monkeypatch.setattr(inputs.Inputs, "read", noted)
    return names


def _saved(project: Project, name: str, old: str, new: str) -> Snapshot:
    snapshot = project.snapshot
    assert snapshot
    path = snapshot.system.configuration.folder / name
    text = path.read_text() if path.exists() else old
    assert old in text
    path.write_text(text.replace(old, new))
    return project.refresh({path})


def test_of_a_saved_topic_that_topic_alone_is_read(project: Project, read: set[str]) -> None:
    snapshot = _saved(project, "topics/medicine-7.dita", "Medicine 7", "Remedy 7")
    assert read == {"topics/medicine-7.dita"}
    assert snapshot.topics["medicine-7", "en"].title == "Remedy 7"


def test_of_a_saved_fragment_no_topic_is_read_that_takes_only_its_text(project: Project, read: set[str]) -> None:
    snapshot = _saved(project, large.FRAGMENT, "one tablet", "two tablets")
    assert read == {large.FRAGMENT}
    entry = snapshot.entry("", ("medicine-0", "en"))
    assert entry is not None
    assert entry[1].uses == (large.FRAGMENT,)


def test_of_a_saved_fragment_the_topics_are_read_whose_titles_take_it_in(project: Project, read: set[str]) -> None:
    title = '<ph conref="shared/dose.dita#dose/adult"/>'
    _saved(project, "topics/medicine-7.dita", "Medicine 7", title)
    read.clear()
    snapshot = _saved(project, large.FRAGMENT, "one tablet", "two tablets")
    assert read == {large.FRAGMENT, "topics/medicine-7.dita"}
    assert snapshot.topics["medicine-7", "en"].title == "Take two tablets a day."


def test_of_a_map_that_says_the_same_no_topic_is_read(project: Project, read: set[str]) -> None:
    _saved(project, "topics/library.ditamap", "<map>", "<map><title>All</title>\n")
    assert read == {"topics/library.ditamap"}


def test_of_a_saved_map_the_topics_of_which_it_says_something_else_are_read(project: Project, read: set[str]) -> None:
    said = '<topicref href="medicine-3.dita"><topicmeta><data name="collection" value="c"/></topicmeta></topicref>'
    snapshot = _saved(project, "topics/library.ditamap", '<topicref href="medicine-3.dita"/>', said)
    assert read == {"topics/library.ditamap", "topics/medicine-3.dita"}
    assert snapshot.topics["medicine-3", "en"].collections == ("c",)


def test_of_a_new_topic_that_topic_alone_is_read(project: Project, read: set[str]) -> None:
    text = '<topic id="t" xml:lang="en"><title>New</title><body><p>New.</p></body></topic>'
    snapshot = _saved(project, "topics/new.dita", text, text)
    assert read == {"topics/new.dita"}
    assert ("t", "en") in snapshot.topics


def test_of_a_saved_partner_file_no_topic_is_read(project: Project, read: set[str]) -> None:
    snapshot = _saved(project, "partners/partner-0.toml", "Ask partner-0", "Ask your doctor")
    assert read == set()
    desk = Desks(_today).desk(snapshot, Viewpoint("partner-0"))
    assert desk.context.texts["partner-0", "en"][1].disclaimer == "Ask your doctor."


def test_topics_are_followed_while_the_settings_are_broken(project: Project) -> None:
    broken = _saved(project, "partners/partner-0.toml", 'name = "Partner partner-0"', "name = ?")
    assert "partner-0.toml" in broken.problem
    changed = _saved(project, "topics/medicine-7.dita", "Medicine 7", "Remedy 7")
    assert changed.problem == broken.problem
    assert changed.topics["medicine-7", "en"].title == "Remedy 7"
    mended = _saved(project, "partners/partner-0.toml", "name = ?", 'name = "Partner partner-0"')
    assert not mended.problem


def test_a_save_that_fails_in_an_unknown_way_keeps_the_pages(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no idea")

    with monkeypatch.context() as broken:
        broken.setattr(Surveyor, "catalog", fail)
        kept = _saved(project, "topics/medicine-7.dita", "Medicine 7", "Remedy 7")
    assert "no idea" in kept.problem
    assert kept.topics["medicine-7", "en"].title == "Medicine 7"
    mended = _saved(project, "topics/medicine-8.dita", "Medicine 8", "Remedy 8")
    assert not mended.problem
    assert [mended.topics[f"medicine-{n}", "en"].title for n in (7, 8)] == ["Remedy 7", "Remedy 8"]


# --- what is looked at comes first ----------------------------------------------------------------


def test_under_new_terms_what_is_looked_at_is_planned_first(project: Project) -> None:
    desks, chosen = Desks(_today), Viewpoint("partner-0")
    assert project.snapshot
    before = desks.desk(project.snapshot, chosen)
    snapshot = _saved(project, "partners/partner-0.toml", 'languages = "all"', 'languages = ["es"]')
    looked_at = "medicine-7", "en"
    hurried = desks.desk(snapshot, chosen, {looked_at})
    assert hurried.hurried
    assert looked_at in before.plan.granted
    assert set(hurried.plan.withheld) == {looked_at}
    assert desks.finish(chosen, desks.whole(snapshot, chosen))
    whole = desks.desk(snapshot, chosen)
    assert not whole.hurried
    assert not whole.plan.granted


def test_the_terms_of_one_partner_are_no_haste_for_another(project: Project) -> None:
    desks, chosen = Desks(_today), Viewpoint("partner-1")
    assert project.snapshot
    before = desks.desk(project.snapshot, chosen)
    snapshot = _saved(project, "partners/partner-0.toml", 'languages = "all"', 'languages = ["es"]')
    after = desks.desk(snapshot, chosen)
    assert not after.hurried
    assert after.plan.granted == before.plan.granted


def test_the_texts_differ() -> None:
    assert all(len(set(texts)) == len(texts) for texts in FILES.values())


# --- what counts as a change ----------------------------------------------------------------------


def test_folders_that_come_count_and_what_a_run_writes_does_not(tmp_path: Path) -> None:
    config = large.make(tmp_path / "library", TOPICS, 1, SHARING)
    session = Session(lambda: build(config), config, _today)
    session.project.load()
    wanted = app.wanted(session)
    (config.parent / "topics/more").mkdir()
    (config.parent / "build/store").mkdir(parents=True)
    assert wanted(Change.added, str(config.parent / "topics/more"))
    assert wanted(Change.deleted, str(config.parent / "topics/gone.dita"))
    assert not wanted(Change.added, str(config.parent / "build/store"))
    assert not wanted(Change.modified, str(config.parent / "topics/.medicine-7.dita.swp"))
    assert not wanted(Change.modified, str(config.parent / "topics/medicine-7.dita~"))
