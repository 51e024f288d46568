"""Whole runs over a small project in a folder store: what is published, kept, held back, and what the exit code says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import starter

ROOT = Path(__file__).parents[1]
DAY = "2026-06-01"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A starter project: two topics, one partner, a folder store."""
    starter.write(tmp_path / "project")
    return tmp_path / "project"


def command(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a user does."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run_pipeline.py"), *words],
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def run(project: Path, *words: str, code: int = 0, day: str = DAY, **environment: str) -> dict[str, Any]:
    """One run; its report. The exit code must be `code`, and no traceback may show."""
    done = command(
        "run",
        "--config",
        str(project / "syndication.toml"),
        "--as-of",
        day,
        "--json",
        "--workers",
        "1",
        *words,
        cwd=ROOT,
        **environment,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def site(report: dict[str, Any]) -> dict[str, Any]:
    """The only site's part of a report."""
    (found,) = report["sites"]
    return dict(found)


def manifest(project: Path, tmp_path: Path) -> dict[str, Any]:
    """The manifest of what is live, pulled."""
    bundle = tmp_path / "bundle"
    done = command(
        "pull", str(project / "build/store"), str(bundle), "--partner", "first-partner", "--root", str(project / "keys/root.json")
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((bundle / "manifest.json").read_text())
    return found


def edit(path: Path, old: str, new: str) -> None:
    """Replaces text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_first_run_publishes_and_the_second_finds_nothing_new(project: Path) -> None:
    first = site(run(project))
    assert (first["state"], first["sequence"], first["topics"]) == ("published", 1, 2)
    second = site(run(project))
    assert (second["state"], second["sequence"], second["uploaded"]) == ("unchanged", 1, 0)


def test_another_day_that_changes_nothing_is_no_release(project: Path) -> None:
    run(project)
    assert site(run(project, day="2026-07-01"))["state"] == "unchanged"


def test_one_broken_topic_never_stops_the_others(project: Path, tmp_path: Path) -> None:
    """It is held back with file and line; the other is published; a link to it becomes words."""
    (project / "topics/measure-a-pulse.dita").write_text("<task id='x'><title>Measure</task>")
    report = run(project, code=1)
    assert site(report)["topics"] == 1
    errors = [f for f in report["findings"] if f["severity"] == "error"]
    assert errors
    assert all(f["file"] == "topics/measure-a-pulse.dita" and f["line"] for f in errors if f["code"].startswith("xml."))
    rows = manifest(project, tmp_path)["topics"]
    assert [row["id"] for row in rows] == ["drinking-water"]
    page = (tmp_path / "bundle/en/drinking-water/index.html").read_text()
    assert "measure a pulse" in page
    assert "measure-a-pulse" not in page


def test_what_was_published_of_a_broken_topic_stays(project: Path, tmp_path: Path) -> None:
    run(project)
    edit(project / "topics/drinking-water.dita", "<ul>", '<image href="no-such.png"><alt>Water</alt></image><ul>')
    report = run(project, code=1)
    assert site(report)["kept"] == ["drinking-water en"]
    assert (site(report)["state"], report["held_back"]) == ("unchanged", ["drinking-water en"])
    assert len(manifest(project, tmp_path)["topics"]) == 2


def test_it_stays_only_while_todays_terms_grant_it(project: Path, tmp_path: Path) -> None:
    run(project)
    edit(project / "topics/drinking-water.dita", "<ul>", '<image href="no-such.png"><alt>Water</alt></image><ul>')
    edit(project / "partners/first-partner.toml", '"epub", ', "")
    report = run(project, code=1)
    assert site(report)["removed"] == ["drinking-water en"]
    assert [row["id"] for row in manifest(project, tmp_path)["topics"]] == ["measure-a-pulse"]


def test_it_stays_where_it_was_made_anew_under_todays_terms(project: Path) -> None:
    """Terms that move no byte are in the row all the same: what was proven under them is kept under them."""
    run(project)
    with (project / "partners/first-partner.toml").open("a") as partner:
        partner.write('\n[sites.first-partner]\nchannel = "app"\n')
    assert site(run(project))["changed"] == []
    edit(project / "topics/drinking-water.dita", "<ul>", '<image href="no-such.png"><alt>Water</alt></image><ul>')
    report = site(run(project, code=1))
    assert (report["kept"], report["removed"]) == (["drinking-water en"], [])


def test_a_link_to_a_topic_held_back_for_its_content_is_no_link(project: Path, tmp_path: Path) -> None:
    """The target is known and granted, and fails only when it is read: the page that leads to it is made again."""
    edit(project / "topics/measure-a-pulse.dita", "<steps>", '<context><p conref="no-such.dita#x/y"/></context><steps>')
    report = run(project, code=1)
    assert report["held_back"] == ["measure-a-pulse en"]
    page_row = manifest(project, tmp_path)["topics"][0]
    assert page_row["id"] == "drinking-water"
    assert "measure-a-pulse" not in (tmp_path / "bundle/en/drinking-water/index.html").read_text()


def test_the_end_of_an_agreement_withdraws_all(project: Path) -> None:
    edit(project / "partners/first-partner.toml", "2035-12-31", "2026-12-31")
    run(project)
    last = site(run(project, day="2026-12-31"))
    assert last["removed"] == []
    after = site(run(project, day="2027-01-01"))
    assert after["removed"] == ["drinking-water en", "measure-a-pulse en"]
    assert "ended on 2026-12-31" in after["withheld"]["drinking-water en"]


def test_one_topic_alone(project: Path, tmp_path: Path) -> None:
    run(project)
    edit(project / "topics/drinking-water.dita", "dark yellow", "dark")
    edit(project / "topics/drinking-water.dita", "2026-01-10", "2026-01-11")
    edit(project / "topics/measure-a-pulse.dita", "30 seconds", "15 seconds")
    report = site(run(project, "--topic", "drinking-water"))
    assert (report["changed"], report["topics"]) == (["drinking-water en"], 2)
    manifest(project, tmp_path)
    assert "30 seconds" in (tmp_path / "bundle/en/measure-a-pulse/measure-a-pulse.txt").read_text().replace("\u00a0", " ")


def test_one_topic_alone_leads_to_nothing_that_is_not_there(project: Path, tmp_path: Path) -> None:
    """What was never published waits for an ordinary run, and no page leads to it until then."""
    run(project, "--topic", "drinking-water")
    (row,) = manifest(project, tmp_path)["topics"]
    page = (tmp_path / "bundle/en/drinking-water/index.html").read_text()
    assert (row["id"], "measure a pulse" in page, "measure-a-pulse" in page) == ("drinking-water", True, False)
    run(project)
    manifest(project, tmp_path)
    assert "measure-a-pulse" in (tmp_path / "bundle/en/drinking-water/index.html").read_text()


def test_dry_run_writes_nothing(project: Path) -> None:
    report = site(run(project, "--dry-run"))
    assert (report["state"], report["topics"]) == ("dry-run", 2)
    assert not (project / "build/store/p").exists()


def content_of(project: Path) -> str:
    """The hash of what is live, as the newest signed targets say it."""
    newest = max((project / "build/store/p/first-partner/metadata").glob("*.targets.json"))
    return str(json.loads(newest.read_text())["signed"]["targets"]["manifest.json"]["custom"]["content"])


def test_the_same_bytes_anywhere(project: Path, tmp_path: Path) -> None:
    """Clean caches, another zone, locale, folder, hash seed and number of workers: the same content."""
    run(project)
    other = tmp_path / "elsewhere with spaces"
    shutil.copytree(project, other, ignore=shutil.ignore_patterns("build"))
    run(other, "--workers", "2", TZ="Pacific/Kiritimati", LANG="ar_EG.UTF-8", LC_ALL="C.UTF-8", PYTHONHASHSEED="7")
    assert content_of(project) == content_of(other)


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"p/first-partner": 1}', '{"p/first-partner": ["", []]}', '{"p/first-partner": {}}']
)
def test_a_cache_that_is_damaged_costs_time_only(project: Path, damage: str) -> None:
    run(project)
    for path in (project / "build/cache").rglob("*"):
        if path.is_file():
            path.write_text(damage)
    shutil.rmtree(project / "build/store")
    assert site(run(project))["state"] == "published"


def test_a_warm_cache_makes_the_same_release(project: Path) -> None:
    run(project)
    before = content_of(project)
    (project / "build/store/p/first-partner/metadata/timestamp.json").unlink()
    run(project)
    assert content_of(project) == before


def test_language_without_notices_is_one_finding(project: Path) -> None:
    for name in ("drinking-water", "measure-a-pulse"):
        edit(project / f"topics/{name}.dita", 'xml:lang="en"', 'xml:lang="es"')
    edit(project / "partners/first-partner.toml", '["en"]', '["en", "es"]')
    report = run(project, code=1)
    found = [f["text"] for f in report["findings"] if f["code"] == "notices.language-missing"]
    assert found == ["2 topics in 'es' are withheld from site first-partner: publisher.toml has no disclaimer in [notices.es]"]


def test_required_metadata(project: Path) -> None:
    text = (project / "topics/drinking-water.dita").read_text()
    (project / "topics/drinking-water.dita").write_text(re.sub(r"<author.*</author>", "", text))
    edit(project / "publisher.toml", '"copyright"]', '"copyright", "author"]')
    report = run(project, code=1)
    assert report["held_back"] == ["drinking-water en"]
    assert [f["code"] for f in report["findings"] if f["severity"] == "error"] == ["metadata.required-missing"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--config", "no-such.toml"], "no-such.toml: no such file"),
        (["run", "--config", "{project}", "--partner", "first-partnr"], "did you mean 'first-partner'"),
        (["run", "--config", "{project}", "--topic", "drinking-watr"], "did you mean 'drinking-water'"),
        (["run", "--config", "{project}", "--as-of", "tomorrow"], "expected: YYYY-MM-DD"),
        (
            ["render", "drinking-water", "-f", "htm", "-p", "first-partner", "-o", "x", "--config", "{project}"],
            "did you mean 'html'",
        ),
        (["list", "topic", "--config", "{project}"], "did you mean 'topics'"),
    ],
)
def test_wrong_usage_is_exit_code_2(project: Path, words: list[str], said: str) -> None:
    done = command(*[word.replace("{project}", str(project / "syndication.toml")) for word in words])
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_partner_with_no_topics(project: Path) -> None:
    edit(project / "partners/first-partner.toml", 'collections = "all" ', 'collections = ["no-such"] ')
    report = run(project, code=1)
    (finding,) = report["findings"]
    assert (finding["code"], finding["file"]) == ("site.no-topics", "partners/first-partner.toml")
    assert "2 withheld because the topic is in starter; collections granted: no-such" in finding["text"]
    assert site(report)["state"] == "empty"
    assert not (project / "build/store/p").exists()


def test_an_empty_folder(project: Path) -> None:
    shutil.rmtree(project / "topics")
    (project / "topics").mkdir()
    report = run(project, code=1)
    assert [f["code"] for f in report["findings"]] == ["input.empty", "site.no-topics"]


def test_an_input_that_is_not_there(project: Path) -> None:
    shutil.rmtree(project / "topics")
    done = command("run", "--config", str(project / "syndication.toml"))
    assert done.returncode == 2
    assert "input 'topics' is not there" in done.stderr


def test_a_source_folder_that_vanishes_stops_at_the_brake(project: Path) -> None:
    """Six topics live, the folder comes up empty: nothing is removed, exit code 3."""
    text = (project / "topics/drinking-water.dita").read_text()
    for number in range(6):
        copy = text.replace('value="drinking-water"', f'value="water-{number}"')
        (project / f"topics/water-{number}.dita").write_text(copy)
    run(project)
    for path in (project / "topics").glob("water-*.dita"):
        path.unlink()
    report = run(project, code=3)
    assert "6 of 8 topics would be removed" in site(report)["error"]
    assert site(run(project, "--allow-removals", "6"))["state"] == "published"


def test_render_check_list(project: Path, tmp_path: Path) -> None:
    config = ["--config", str(project / "syndication.toml")]
    done = command(
        "render", "drinking-water", "-f", "print", "-p", "first-partner", "-o", str(tmp_path / "out/page.html"), *config
    )
    assert done.returncode == 0, done.stderr
    assert "Drinking enough water" in (tmp_path / "out/page.html").read_text()
    checked = command("check", str(project / "topics/drinking-water.dita"), *config)
    assert (checked.returncode, checked.stdout) == (0, "2 topics, 0 findings\n")
    topics = command("list", "topics", *config).stdout.splitlines()
    assert [line.split("\t")[0] for line in topics] == ["drinking-water", "measure-a-pulse"]


def test_explain_ends_in_one_sentence(project: Path) -> None:
    words = ["explain", "drinking-water", "-p", "first-partner", "--config", str(project / "syndication.toml"), "--as-of"]
    granted = command(*words, DAY).stdout.splitlines()
    assert granted[-1] == (
        "On 2026-06-01 First Partner gets 'Drinking enough water' as epub, html, json, print, text, under FP-1, Schedule A, 1."
    )
    edit(project / "partners/first-partner.toml", "2035-12-31", "2026-12-31")
    refused = command(*words, "2027-01-01").stdout.splitlines()
    ended = "agreement FP-1 ended on 2026-12-31 (FP-1, Schedule A, 1)"
    assert refused[-1] == f"On 2027-01-01 First Partner does not get 'Drinking enough water': {ended}."
    assert "dates\twithhold\tall\tagreement FP-1 ended on 2026-12-31" in "\n".join(refused)


def test_check_without_settings(project: Path) -> None:
    done = command("check", str(project / "topics"), cwd=project.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 topics" in done.stdout


def test_alone_it_shows_help() -> None:
    done = command()
    assert "Usage" in done.stdout + done.stderr
    for name in ("run", "check", "render", "pull", "verify", "list", "init"):
        assert re.search(rf"\b{name}\b", done.stdout + done.stderr)


@pytest.mark.parametrize("name", ["run", "check", "render", "pull", "verify", "list", "init"])
def test_every_command_has_examples(name: str) -> None:
    done = command(name, "--help")
    assert "Examples" in done.stdout
    assert f"run_pipeline.py {name}" in done.stdout


def with_companion(project: Path) -> None:
    """Three topics, one of which must not be shown without another one."""
    topics = project / "topics"
    other = (topics / "measure-a-pulse.dita").read_text().replace("measure-a-pulse", "walking")
    (topics / "walking.dita").write_text(other)
    edit(topics / "library.ditamap", "</map>", '<topicref href="walking.dita"/></map>')
    edit(
        topics / "drinking-water.dita",
        '<data name="topic-id"',
        '<data name="companion" value="walking"/>\n    <data name="topic-id"',
    )


def test_a_topic_goes_with_its_companion_that_is_held_back(project: Path, tmp_path: Path) -> None:
    """It is found broken only when it is rendered; what must not be shown without it is taken out in the same run."""
    with_companion(project)
    edit(project / "topics/walking.dita", "</taskbody>", '<result><image href="nope.png"/></result></taskbody>')
    found = site(run(project, code=1))
    assert found["withheld"]["drinking-water en"] == "must not be shown without walking, which this site does not get"
    content = manifest(project, tmp_path)["content"]
    assert [row["id"] for row in rows_of(tmp_path / "bundle")] == ["measure-a-pulse"], content


def test_a_live_companion_that_breaks_stays_and_so_does_what_needs_it(project: Path, tmp_path: Path) -> None:
    with_companion(project)
    run(project)
    edit(project / "topics/walking.dita", "</taskbody>", '<result><image href="nope.png"/></result></taskbody>')
    run(project, code=1)
    manifest(project, tmp_path)
    assert {row["id"] for row in rows_of(tmp_path / "bundle")} == {"drinking-water", "measure-a-pulse", "walking"}


def test_a_named_topic_waits_for_its_companion(project: Path, tmp_path: Path) -> None:
    run(project)
    with_companion(project)
    edit(project / "topics/drinking-water.dita", "You are thirsty.", "You are very thirsty.")
    found = site(run(project, "--topic", "drinking-water"))
    assert found["withheld"]["drinking-water en"] == "must not be shown without walking, which this site does not get"
    run(project, "--topic", "drinking-water", "--topic", "walking")
    manifest(project, tmp_path)
    assert {row["id"] for row in rows_of(tmp_path / "bundle")} == {"drinking-water", "measure-a-pulse", "walking"}


def rows_of(bundle: Path) -> list[dict[str, Any]]:
    """The topics of a pulled bundle's catalog."""
    found: list[dict[str, Any]] = json.loads((bundle / "catalog.json").read_text())["topics"]
    return found


def test_a_title_is_what_the_partner_who_reads_it_may_read(project: Path, tmp_path: Path) -> None:
    """Two partners exclude each other's words: links in both bundles say the title under the partner's own conditions."""
    topics, partners = project / "topics", project / "partners"
    both = '<ph product="lite">A child\'s pulse</ph><ph product="pro">An adult\'s pulse</ph>'
    edit(topics / "measure-a-pulse.dita", "<title>Measure a pulse</title>", f"<title>{both}</title>")
    edit(topics / "drinking-water.dita", "You are thirsty.", 'You are thirsty. See <xref href="measure-a-pulse.dita"/>.')
    text = (partners / "first-partner.toml").read_text()
    for name, excluded in (("first-partner", "pro"), ("second-partner", "lite")):
        (project / f"no-{excluded}.ditaval").write_text(f'<val><prop att="product" val="{excluded}" action="exclude"/></val>')
        own = text.replace("first-partner", name).replace("\nname =", f'\nconditions = "no-{excluded}.ditaval"\nname =', 1)
        (partners / f"{name}.toml").write_text(own)
    run(project)
    for name, words, others in (("first-partner", "A child", "An adult"), ("second-partner", "An adult", "A child")):
        store, bundle, root = project / "build/store", tmp_path / name, project / "keys/root.json"
        assert command("pull", str(store), str(bundle), "--partner", name, "--root", str(root)).returncode == 0
        for file in ("index.html", "print.html", "drinking-water.txt", "topic.json"):
            found = (bundle / "en/drinking-water" / file).read_text().replace("\u2019", "'")
            assert f"{words}'s pulse" in found, file
            assert others not in found, file
