"""Identity: public ids that occur twice, local ids that do, ids that no path may carry, and the publisher's stand-ins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from partners import topic

from outputs._paths import key_problem
from pipeline.contracts import Entry, Index, Unit
from pipeline.identity import complete, settle
from pipeline.names import has_device, language_tag
from pipeline.settings import Publisher
from pipeline.topic import Copyright, Person, safe_id

PUBLISHER = Publisher.model_validate({"id": "pub", "name": "Publisher", "notices": {}})


def _entry(file: str, public: bool = True, **metadata: Any) -> Entry:
    return Entry(Unit(file), topic(**{"file": file, "line": 3, **metadata}), public)


def _settle(*entries: Entry) -> tuple[dict[str, str], list[str]]:
    indexes, findings = settle({"dita": Index(entries)}, PUBLISHER)
    return {unit.file: name for unit, name in indexes["dita"].ids.items()}, [f"{f.code} {f.place}" for f in findings]


def test_a_public_id_twice_is_published_by_none() -> None:
    ids, findings = _settle(_entry("a.dita"), _entry("b.dita"), _entry("c.dita", id="other"))
    assert ids == {"c.dita": "other"}
    assert findings == ["topic.id-duplicate a.dita:3"]


def test_the_finding_names_all_files() -> None:
    _, findings = settle({"dita": Index((_entry("a.dita", title="One"), _entry("b.dita", title="Two")))}, PUBLISHER)
    assert findings[0].text == "id 'asthma' in en stands for 2 topics: a.dita:3 ('One'), b.dita:3 ('Two')"


def test_two_languages_are_two_topics() -> None:
    ids, findings = _settle(_entry("a.dita"), _entry("b.dita", language="es"))
    assert ids == {"a.dita": "asthma", "b.dita": "asthma"}
    assert findings == []


def test_tags_of_other_case_are_one_language() -> None:
    indexes, findings = settle(
        {"dita": Index((_entry("a.dita", language="en-us"), _entry("b.dita", language="es-us")))}, PUBLISHER
    )
    assert [entry.metadata.language for entry in indexes["dita"].entries] == ["en-US", "es-US"]
    assert findings == []
    ids, found = _settle(_entry("a.dita", language="en-us"), _entry("b.dita", language="en-US"), _entry("c.dita", id="other"))
    assert ids == {"c.dita": "other"}
    assert found == ["topic.id-duplicate a.dita:3"]


@pytest.mark.parametrize(
    ("raw", "usual"),
    [
        ("EN", "en"),
        ("zh-hANT-tw", "zh-Hant-TW"),
        ("sl-ROZAJ-1994", "sl-rozaj-1994"),
        ("en-x-US", "en-x-us"),
        ("es-419", "es-419"),
        *[(wrong, "") for wrong in ("", "e", "en_US", "en-", "en@x", "en-\n", "x" * 9, "é")],
    ],
)
def test_the_usual_spelling_of_tags(raw: str, usual: str) -> None:
    assert language_tag(raw) == usual


@pytest.mark.parametrize("name", ["com0", "COM9.txt", "lpt¹", "con", "nul.tar.gz", "aux .x", "conin$", "a/prn/b"])
def test_devices_are_no_ids_and_no_paths(name: str) -> None:
    assert has_device(name)
    made = safe_id(name.lower())
    assert made != name.lower()
    assert key_problem(name)
    assert key_problem(made) == ""


@pytest.mark.parametrize("name", ["com", "com10", "console", "a.con", "lpt", "null", "con-1"])
def test_other_names_are_none(name: str) -> None:
    assert not has_device(name)
    assert safe_id(name) == name


def test_a_local_id_twice_is_told_apart_by_its_path() -> None:
    ids, findings = _settle(_entry("x/a.dita", public=False), _entry("y/a.dita", public=False))
    assert ids == {"x/a.dita": "asthma-x-a", "y/a.dita": "asthma-y-a"}
    assert findings == ["topic.id-renamed x/a.dita:3", "topic.id-renamed y/a.dita:3"]


def test_a_local_id_gives_way_to_a_public_one() -> None:
    ids, findings = _settle(_entry("a.dita"), _entry("b.dita", public=False))
    assert ids == {"a.dita": "asthma", "b.dita": "asthma-b"}
    assert findings == ["topic.id-renamed b.dita:3"]


def test_ids_of_two_sources_meet() -> None:
    _, findings = settle({"dita": Index((_entry("a.dita"),)), "medlineplus": Index((_entry("b.xml"),))}, PUBLISHER)
    assert [finding.code for finding in findings] == ["topic.id-duplicate"]


@pytest.mark.parametrize(
    "raw", ["../etc/passwd", "a/b", "a\\b", "A", "con", "nul.txt", ".hidden", "x" * 101, "ä", "", " ", "a.", "a b", "a\n"]
)
def test_unsafe_ids_become_slugs(raw: str) -> None:
    made = safe_id(raw)
    assert made != raw
    assert safe_id(made) == made
    assert "/" not in made
    assert not made.startswith(".")


def test_slugs_do_not_fall_together() -> None:
    assert safe_id("a/b") != safe_id("a\\b") != safe_id("A B")


def test_stand_ins() -> None:
    publisher = Publisher.model_validate(
        {
            "id": "pub",
            "name": "Publisher",
            "language": "es",
            "review_cycle_months": 18,
            "copyright": {"holder": "Publisher, Inc.", "first_year": 1995},
            "defaults": {"author": "Staff", "owner": "desk"},
            "notices": {},
        }
    )
    bare = _entry("a.dita", language="", current_as_of=date(2023, 8, 31), modified=date(2024, 2, 1))
    found = complete(bare, publisher).metadata
    assert found == replace(
        bare.metadata,
        language="es",
        authors=(Person(name="Staff"),),
        owner="desk",
        review_due=date(2025, 2, 28),
        copyright=Copyright(first_year=1995, last_year=2024, holder="Publisher, Inc."),
    )


def test_what_nobody_says_stays_unsaid() -> None:
    found = complete(_entry("a.dita"), PUBLISHER).metadata
    assert found.copyright is None
    assert found.current_as_of is None
    assert found.authors == ()


def test_an_edit_date_is_no_review() -> None:
    """A topic whose only change is an edit date does not get a newer "current as of"."""
    before = complete(_entry("a.dita", current_as_of=date(2023, 3, 1), modified=date(2023, 3, 1)), PUBLISHER).metadata
    after = complete(_entry("a.dita", current_as_of=date(2023, 3, 1), modified=date(2026, 5, 5)), PUBLISHER).metadata
    assert before.current_as_of == after.current_as_of == date(2023, 3, 1)


def test_ids_made_of_paths_that_read_the_same_are_told_apart() -> None:
    """`x/b` and `x-b`, or two names in another script: each topic keeps an id of its own."""
    ids, _ = _settle(
        *(_entry(file, public=False, id="a") for file in ("x/b.dita", "x-b.dita", "é.dita", "ü.dita")),
        _entry("other.dita", id="a-x-b"),
    )
    assert len(set(ids.values())) == 5
    assert ids["other.dita"] == "a-x-b"


def test_a_path_never_takes_the_id_that_another_topic_has() -> None:
    ids, _ = _settle(_entry("x.dita", public=False, id="a"), _entry("y.dita", public=False, id="a"), _entry("z.dita", id="a-x"))
    assert (ids["z.dita"], ids["y.dita"]) == ("a-x", "a-y")
    assert ids["x.dita"].startswith("a-x-")


def test_a_review_due_beyond_the_calendar_is_not_said() -> None:
    publisher = PUBLISHER.model_copy(update={"review_cycle_months": 24})
    assert complete(_entry("a.dita", current_as_of=date(9999, 12, 31)), publisher).metadata.review_due is None


def test_ids_like_paths_are_made_safe_and_said() -> None:
    entries = (_entry("a.dita", id="../../etc/passwd"), _entry("b.dita", id="a\\b", public=False), _entry("c.dita", id="A.b"))
    ids, findings = _settle(*entries)
    assert [name.split("-")[0] for name in ids.values()] == ["etc", "a", "a"]
    assert not any(set(name) & set("/\\") or ".." in name for name in ids.values())
    assert findings == ["topic.id-unsafe a.dita:3", "topic.id-unsafe b.dita:3"]
