"""Terms over whole runs: silent edits, what may stay of topics held back, evaluation, marks, wind-down, limits, exemptions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from test_run import DAY, command, edit, manifest, run, site

from pipeline import starter

TOPIC = "topics/drinking-water.dita"
PARTNER = "partners/first-partner.toml"
FALLBACK = "language_fallback = { en = 'es' }"
BREAK = ("<ul>", '<image href="no-such.png"><alt>Water</alt></image><ul>')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A starter project: two topics, one partner, a folder store."""
    starter.write(tmp_path / "project")
    return tmp_path / "project"


def _codes(report: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in report["findings"] if finding["severity"] == "error"]


# --- silent edits -------------------------------------------------------------------------------


def test_a_silent_edit_is_held_back_until_somebody_says_so(project: Path, tmp_path: Path) -> None:
    run(project)
    edit(project / TOPIC, "dark yellow", "dark")
    report = run(project, code=1)
    assert (_codes(report), site(report)["kept"]) == (["topic.changed-without-version"], ["drinking-water en"])
    manifest(project, tmp_path)
    assert "dark yellow" in (tmp_path / "bundle/en/drinking-water/index.html").read_text()
    text = report["findings"][0]["text"]
    line = re.search(r'"topics/drinking-water\.dita" = "[0-9a-f]{16}"$', text)
    assert line, text
    with (project / "syndication.toml").open("a") as file:
        file.write(f"\n[confirmed_edits]\n{line.group()}\n")
    assert site(run(project))["changed"] == ["drinking-water en"]


def test_an_edit_with_a_new_review_date_is_published(project: Path) -> None:
    run(project)
    edit(project / TOPIC, "dark yellow", "dark")
    edit(project / TOPIC, "2026-01-10", "2026-01-11")
    assert site(run(project))["changed"] == ["drinking-water en"]


def test_an_edit_of_a_shared_file_asks_for_one_confirmation(project: Path) -> None:
    (project / "topics/shared.dita").write_text(
        '<topic id="shared"><title>Shared</title><body><p id="call">Call us.</p></body></topic>'
    )
    reuse = '<p conref="shared.dita#shared/call"/>'
    edit(project / TOPIC, "<ul>", f"{reuse}<ul>")
    edit(project / "topics/measure-a-pulse.dita", "<steps>", f"<context>{reuse}</context><steps>")
    run(project)
    edit(project / "topics/shared.dita", "Call us.", "Call us now.")
    report = run(project, code=1)
    asked = {finding["text"].split("confirm the edit: ")[1] for finding in report["findings"] if "confirm" in finding["text"]}
    assert _codes(report) == ["topic.changed-without-version"] * 2
    assert len(asked) == 1
    with (project / "syndication.toml").open("a") as file:
        file.write(f"\n[confirmed_edits]\n{asked.pop()}\n")
    assert {"drinking-water en", "measure-a-pulse en"} <= set(site(run(project))["changed"])


def test_a_file_that_changes_without_its_words_is_no_release(project: Path) -> None:
    run(project)
    edit(project / TOPIC, "<conbody>", "<!-- checked -->\n  <conbody>")
    assert site(run(project))["state"] == "unchanged"


# --- what may stay of a topic held back ---------------------------------------------------------


PICTURE = '<image href="drop.svg"><alt>A drop</alt></image>'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10" viewBox="0 0 10 10"><circle cx="5" cy="5" r="{}"/></svg>'


@pytest.mark.parametrize(
    ("file", "old", "new", "stays"),
    [
        (PARTNER, "# timezone", "# nothing but a comment; timezone", True),
        (PARTNER, "not all treatments", "no treatments", False),
        (PARTNER, 'clause = "Schedule A, 1"', 'clause = "Schedule B"', False),
        (PARTNER, "2035-12-31", "2034-12-31", False),
        (PARTNER, 'images = "own"', 'images = "none"', False),
        (PARTNER, "[brand]", '[ai]\ntrain = "allowed"\n[brand]', False),
        (TOPIC, 'golive="2026-01-01"', 'golive="2026-01-01" expiry="2027-01-01"', False),
        ("topics/drop.svg", 'r="1"', 'r="2"', False),
    ],
)
def test_it_stays_only_under_the_terms_expiry_and_images_it_was_proven_for(
    project: Path, file: str, old: str, new: str, stays: bool
) -> None:
    (project / "topics/drop.svg").write_text(SVG.format(1))
    edit(project / TOPIC, "<ul>", f"{PICTURE}<ul>")
    edit(project / TOPIC, '<revised modified="2026-01-12"/>', '<revised modified="2026-01-12" golive="2026-01-01"/>')
    edit(project / PARTNER, "Not all treatments", "not all treatments")
    run(project)
    edit(project / TOPIC, *BREAK)
    edit(project / file, old, new)
    report = site(run(project, code=1))
    expected = ([], ["drinking-water en"]) if stays else (["drinking-water en"], [])
    assert (report["removed"], report["kept"]) == expected


def test_it_goes_when_a_mark_is_due_that_it_does_not_have(project: Path) -> None:
    """Its review is overdue for 31 days: what is live does not say so, and can not be made to."""
    run(project)
    edit(project / TOPIC, *BREAK)
    assert site(run(project, code=1, day="2028-02-09"))["kept"] == ["drinking-water en"]
    assert site(run(project, code=1, day="2028-02-10"))["removed"] == ["drinking-water en"]


def test_a_run_over_one_topic_makes_anew_what_its_terms_no_longer_let_stay(project: Path, tmp_path: Path) -> None:
    run(project)
    edit(project / PARTNER, "Not all treatments", "No treatments")
    report = site(run(project, "--topic", "drinking-water"))
    assert (report["removed"], len(report["changed"])) == ([], 2)
    manifest(project, tmp_path)
    assert "No treatments" in (tmp_path / "bundle/en/measure-a-pulse/index.html").read_text()


# --- agreements ---------------------------------------------------------------------------------


def test_an_evaluation_says_so_is_noindex_gives_no_epub_and_ends_hard(project: Path, tmp_path: Path) -> None:
    edit(project / PARTNER, 'id = "FP-1"', 'id = "FP-1"\nkind = "evaluation"')
    edit(project / PARTNER, "2035-12-31", "2026-06-01")
    edit(project / PARTNER, "[brand]", '[sites.first-partner]\nindexing = "free"\n[brand]')
    run(project)
    rows = manifest(project, tmp_path)["topics"]
    folder = tmp_path / "bundle/en/drinking-water"
    assert {row["marks"][0] for row in rows} == {"evaluation"}
    assert {file["format"] for row in rows for file in row["files"]} == {"", "html", "json", "print", "text"}
    page = (folder / "index.html").read_text()
    said = "For evaluation only. Not for use with patients."
    assert '<meta name="robots" content="noindex">' in page
    for name in ("index.html", "print.html", "drinking-water.txt"):
        text = (folder / name).read_text()
        assert text.index("Drinking enough water") < text.index(said) < text.index("Signs that you need more"), name
    assert said in json.loads((folder / "topic.json").read_text())["html"]
    assert len(site(run(project, day="2026-06-02"))["removed"]) == 2


def test_a_wind_down_keeps_and_corrects_what_is_there(project: Path) -> None:
    edit(project / PARTNER, "2035-12-31", "2026-06-01\nafter_end = { days = 30, keep = 'existing' }")
    (project / "topics/measure-a-pulse.dita").rename(project / "later.dita")
    edit(project / TOPIC, '<xref href="measure-a-pulse.dita">measure a pulse</xref>', "measure a pulse")
    (map_file,) = project.glob("topics/*.ditamap")
    text = map_file.read_text()
    map_file.write_text(re.sub(r"<topicref[^>]*measure-a-pulse[^>]*/>", "", text))
    run(project)
    (project / "later.dita").rename(project / "topics/measure-a-pulse.dita")
    map_file.write_text(text)
    edit(project / TOPIC, "dark yellow", "dark")
    edit(project / TOPIC, "2026-01-10", "2026-01-11")
    last = site(run(project, day="2026-07-01"))
    assert (last["changed"], last["added"], last["topics"]) == (["drinking-water en"], [], 1)
    assert "nothing new comes" in last["withheld"]["measure-a-pulse en"]
    assert site(run(project, day="2026-07-02"))["removed"] == ["drinking-water en"]


def test_a_wind_down_goes_by_the_agreement_of_each_format(project: Path) -> None:
    """The next agreement has all but plain text: what is there of it stays for all of the wind-down."""
    edit(project / PARTNER, "2035-12-31", "2026-06-01\nafter_end = { days = 30, keep = 'existing' }")
    text = (project / PARTNER).read_text()
    block = text[text.index("[[agreements]]") : text.index("[notices.en]")]
    following = block.replace("FP-1", "FP-2").replace("2026-01-01", "2026-06-02").replace('"text", ', "")
    following = re.sub(r"ends = .*\nafter_end.*", "ends = 2035-12-31", following)
    (project / PARTNER).write_text(text.replace(block, f"{following}\n{block}"))
    for day, formats in (("2026-06-01", 5), ("2026-06-02", 5), ("2026-06-03", 5)):
        run(project, day=day)
        rows = manifest(project, project.parent / day)["topics"]
        assert [len({file["format"] for file in row["files"]} - {""}) for row in rows] == [formats] * 2, day


def test_more_topics_than_the_agreement_covers_stop_the_site_with_a_list(project: Path) -> None:
    edit(project / PARTNER, "2035-12-31", "2035-12-31\nlimits = { topics = 1 }")
    report = site(run(project, code=3))
    assert report["state"] == "stopped"
    assert "expected: at most 1 topics\n  found:    2 topics" in report["error"]
    assert "    drinking-water (new)\n    measure-a-pulse (new)" in report["error"]


def test_an_overdue_review_is_said_right_under_the_title_and_the_topic_goes_at_last(project: Path, tmp_path: Path) -> None:
    """Reviewed on 2026-01-10, every 24 months."""
    run(project, day="2028-02-10")
    rows = {row["id"]: row.get("marks", []) for row in manifest(project, tmp_path)["topics"]}
    assert rows["drinking-water"] == ["review-due"]
    page = (tmp_path / "bundle/en/drinking-water/index.html").read_text()
    assert page.index("</h1>") < page.index("Review due: January 10, 2028") < page.index("<h2")
    assert "drinking-water en" in site(run(project, day="2029-01-10"))["removed"]


@pytest.mark.parametrize("on", [True, False])
def test_another_language_stands_in_only_where_the_partner_says_so(project: Path, tmp_path: Path, on: bool) -> None:
    """The pulse is there in Spanish alone, and an English topic leads to it."""
    edit(project / "topics/measure-a-pulse.dita", 'xml:lang="en"', 'xml:lang="es"')
    edit(project / "publisher.toml", "[notices.en]", '[notices.es]\ndisclaimer = "No reemplaza al médico."\n[notices.en]')
    edit(project / PARTNER, 'languages = ["en"]', 'languages = ["en", "es"]')
    edit(project / PARTNER, "[brand]", '[notices.es]\ndisclaimer = "No todo tiene cobertura."\n[brand]')
    edit(
        project / PARTNER,
        'name = "First Partner"',
        f'name = "First Partner"\n{FALLBACK if on else ""}',
    )
    run(project)
    manifest(project, tmp_path)
    page = (tmp_path / "bundle/en/drinking-water/index.html").read_text()
    stand_in = (tmp_path / "bundle/es/measure-a-pulse/index.html").read_text()
    told = json.loads((tmp_path / "bundle/es/measure-a-pulse/topic.json").read_text())
    assert ("es/measure-a-pulse/" in page) is on
    assert ("Este tema solo está disponible en español." in stand_in) is on
    assert (told["content_language"], told["stands_in_for"]) == ("es", ["en"] if on else [])


def test_codes_of_a_licensed_system_go_only_to_who_states_a_license() -> None:
    from pipeline.sites import licensed_codes
    from pipeline.topic import Code

    snomed = [
        Code(code="195967001", system=system)
        for system in ("http://snomed.info/sct", "https://snomed.info/sct/900000000000207008")
    ]
    snomed += [Code(code="195967001", oid="2.16.840.1.113883.6.96"), Code(code="1", system="urn:oid:2.16.840.1.113883.6.96")]
    cpt, icd = (
        Code(code="94010", system="http://www.ama-assn.org/go/cpt"),
        Code(code="J45", system="http://hl7.org/fhir/sid/icd-10-cm"),
    )
    assert licensed_codes((*snomed, cpt, icd), {}) == (icd,)
    assert licensed_codes((*snomed, cpt, icd), {"snomed-ct": "SNO-1"}) == (*snomed, icd)
    assert licensed_codes((cpt, icd), {"cpt": "AMA-1"}) == (cpt, icd)


def test_an_exemption_lets_a_finding_through_with_its_reason_until_its_last_day(project: Path) -> None:
    run(project)
    edit(project / TOPIC, "dark yellow", "dark")
    edit(
        project / PARTNER,
        "[brand]",
        '[[exemptions]]\nof = "topic.changed-without-version"\ntopics = ["drinking-water"]\nreason = "spelling"\n'
        "ends = 2026-06-01\n[brand]",
    )
    report = run(project)
    assert site(report)["changed"] == ["drinking-water en"]
    assert "(exempt to 2026-06-01: spelling)" in report["findings"][0]["text"]
    edit(project / TOPIC, "dark.", "darker.")
    assert _codes(run(project, code=1, day="2026-06-02")) == ["topic.changed-without-version"]


def test_explain_says_what_the_wind_down_and_the_images_come_to(project: Path) -> None:
    (project / "topics/drop.svg").write_text(SVG.format(1))
    edit(project / TOPIC, "<ul>", f"{PICTURE}<ul>")
    edit(project / PARTNER, "2035-12-31", "2026-05-31\nafter_end = { days = 30, keep = 'existing' }")
    run(project, day="2026-05-31")
    words = ["explain", "drinking-water", "-p", "first-partner", "--config", str(project / "syndication.toml"), "--as-of", DAY]
    lines = command(*words).stdout.splitlines()
    assert any("what the site has stays to 2026-06-30" in line for line in lines)
    assert any("\tasset\tgrant\tall\ttopics/drop.svg: its rights cover this use" in line for line in lines)
    assert lines[-1].startswith("On 2026-06-01 First Partner gets 'Drinking enough water'")
