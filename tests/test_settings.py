"""Settings: every problem is named, with the key, what was expected, what was found, and the near miss."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline import settings, starter
from pipeline.errors import UsageError

DESTINATIONS = ["folder", "s3"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A starter project."""
    starter.write(tmp_path / "project")
    return tmp_path / "project"


def _load_error(project: Path) -> str:
    with pytest.raises(UsageError) as caught:
        settings.load(project / "syndication.toml", DESTINATIONS)
    return str(caught.value)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_starter_project_loads(project: Path) -> None:
    found = settings.load(project / "syndication.toml", DESTINATIONS)
    assert [partner.id for partner in found.partners] == ["first-partner"]
    assert found.settings.brake.removals == "5%"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("syndication.toml", "[brake]", "[brakes]", "brakes: unknown key\n  to do:    did you mean 'brake'?"),
        ("syndication.toml", "removals =", "removal =", "brake.removal: unknown key\n  to do:    did you mean 'removals'?"),
        (
            "syndication.toml",
            '"5%"',
            '"a few"',
            "brake.removals: Value error, expected a share such as '5%'\n  found:    'a few'",
        ),
        ("publisher.toml", "[notices.en]", "[notices.english]", ""),
        ("publisher.toml", "holder =", "owner =", "copyright.owner: unknown key"),
        (
            "partners/first-partner.toml",
            "collections =",
            "colections =",
            "agreements[FP-1].grants[Schedule A, 1].colections: unknown key\n  to do:    did you mean 'collections'?",
        ),
        (
            "partners/first-partner.toml",
            '  collections = "all"',
            "",
            "agreements[FP-1].grants[Schedule A, 1].collections: missing",
        ),
        ("partners/first-partner.toml", "2035-12-31", "2025-12-31", "ends (2025-12-31) is before starts (2026-01-01)"),
        ("partners/first-partner.toml", '"#0b5fa5"', '"blue"', "brand.color"),
        (
            "partners/first-partner.toml",
            'id = "first-partner"',
            'id = "other"',
            "expected: 'first-partner', as the file is named\n  found:    'other'",
        ),
        (
            "partners/first-partner.toml",
            '# timezone = "America/New_York"',
            'timezone = "America/NewYork"',
            "did you mean 'America/New_York'?",
        ),
    ],
)
def test_problems_are_named(project: Path, file: str, old: str, new: str, said: str) -> None:
    _edit(project / file, old, new)
    if not said:
        assert settings.load(project / "syndication.toml", DESTINATIONS)  # any language tag may have notices
        return
    message = _load_error(project)
    assert said in message
    assert str(project / file) in message


def test_all_problems_of_all_files_at_once(project: Path) -> None:
    _edit(project / "publisher.toml", "holder =", "owner =")
    _edit(project / "partners/first-partner.toml", "clause =", "claus =")
    message = _load_error(project)
    assert re.search(r"\(4 problems\)", message)
    assert "publisher.toml" in message
    assert "first-partner.toml" in message


def test_missing_files(project: Path) -> None:
    (project / "publisher.toml").unlink()
    assert "publisher.toml: no such file" in _load_error(project)


def test_not_toml(project: Path) -> None:
    (project / "publisher.toml").write_text("id = \n")
    assert "publisher.toml: not TOML" in _load_error(project)


def test_no_partner(project: Path) -> None:
    (project / "partners/first-partner.toml").unlink()
    assert "no partner" in _load_error(project)


def test_assets_need_a_word_on_unlisted_images(project: Path) -> None:
    _edit(project / "syndication.toml", '# assets = "assets.toml"', 'assets = "assets.toml" #')
    (project / "assets.toml").write_text('["topics/heart.svg"]\ncredit = "Drawing: A. Artist"\n')
    assert "assets_without_entry: missing" in _load_error(project)
    _edit(project / "publisher.toml", "[copyright]", 'assets_without_entry = "ours"\n[copyright]')
    assert settings.load(project / "syndication.toml", DESTINATIONS).assets["topics/heart.svg"].credit == "Drawing: A. Artist"


def test_init_refuses_a_folder_with_something_in_it(project: Path) -> None:
    before = sorted(project.rglob("*"))
    with pytest.raises(UsageError, match="is not empty"):
        starter.write(project)
    assert sorted(project.rglob("*")) == before


def test_unknown_partner_names_the_near_miss(project: Path) -> None:
    found = settings.load(project / "syndication.toml", DESTINATIONS)
    with pytest.raises(UsageError, match="did you mean 'first-partner'"):
        found.partner("first-partnr")


def test_every_field_is_described() -> None:
    for name, schema in settings.json_schemas().items():
        for model, definition in {name: schema, **schema.get("$defs", {})}.items():
            for field, value in definition["properties"].items():
                assert value.get("description"), f"{model}.{field} has no description"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("https://example.org/topics", "expected {id}"),
        ("https://example.org/{id", "expected {id}"),
        ("https://example.org/{id}/{section}", "expected no other braces"),
        ("https://example.org/{id}}", "expected no other braces"),
        ("javascript:open('{id}')", "expected an address"),
        ("JavaScript:open({id})", "expected an address"),
        ("data:text/html,{id}", "expected an address"),
        ("/{id}' onclick='", "expected an address"),
    ],
)
def test_link_templates_that_lead_nowhere(project: Path, template: str, problem: str) -> None:
    with (project / "partners/first-partner.toml").open("a") as file:
        file.write(f'\n[sites.portal]\ntopic_link = "{template}"\n')
    assert f"sites.portal.topic_link: Value error, {problem}" in _load_error(project)


@pytest.mark.parametrize("template", ["https://example.org/{language}/{id}#{anchor}", "/topics/{id}", "../{id}.html"])
def test_link_templates(project: Path, template: str) -> None:
    with (project / "partners/first-partner.toml").open("a") as file:
        file.write(f'\n[sites.portal]\ntopic_link = "{template}"\n')
    partner = settings.load(project / "syndication.toml", DESTINATIONS).partner("first-partner")
    assert partner.sites["portal"].topic_link == template


def test_a_file_that_is_no_toml_is_shown_with_its_line(project: Path) -> None:
    _edit(project / "partners/first-partner.toml", "starts = 2026-01-01", "starts = 2026-13-45")
    message = _load_error(project)
    assert "first-partner.toml: not TOML: " in message
    assert "found:    starts = 2026-13-45" in message
    assert "days are written 2026-12-31" in message


def test_days_of_freshness_that_a_partner_leaves_out_are_the_publishers(project: Path) -> None:
    publisher, partner = project / "publisher.toml", next((project / "partners").glob("*.toml"))
    with publisher.open("a") as file:
        file.write("\n[freshness]\nmark_after_days = 0\nin_review_days = 20\nwithhold_after_days = 50\n")
    assert days(project) == (0, 20, 50)
    with partner.open("a") as file:
        file.write("\n[freshness]\nwithhold_after_days = 40\n")
    assert days(project) == (0, 20, 40)
    partner.write_text(partner.read_text().replace("withhold_after_days = 40", "withhold_after_days = 10"))
    with pytest.raises(UsageError, match=r"filled in with the publisher's days: withhold_after_days is less than"):
        days(project)


def days(project: Path) -> tuple[int, int, int]:
    """What the first partner's topics are marked and withheld by."""
    (partner, *_) = settings.load(project / "syndication.toml", ()).partners
    found = partner.freshness
    assert found is not None
    return found.mark_after_days, found.in_review_days, found.withhold_after_days
