"""What runs leave behind: records in the store, a page to read, log lines; and the commands that look at them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_run import ROOT, command, edit, run
from typer.testing import CliRunner
from validators import axe, nu

import run_pipeline
from outputs.stores import folder
from pipeline import records, report_page, starter
from pipeline.errors import StoreError, UsageError
from pipeline.findings import Finding, Severity
from pipeline.records import Delivery, Record
from pipeline.report import SiteReport

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = '"><script>document.title="owned"</script><img src=x onerror=alert(1)>'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    starter.write(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was run twice, the second time with a topic held back. Not to be changed."""
    folder = tmp_path_factory.mktemp("twice") / "project"
    starter.write(folder)
    run(folder)
    edit(folder / "topics/drinking-water.dita", "<ul>", '<image href="no-such.png"><alt>Water</alt></image><ul>')
    run(folder, code=1)
    return folder


def store(project: Path) -> Any:
    return folder.open(str(project / "build/store"), {})


def runs(project: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(run_pipeline.app, ["runs", *words, "-c", str(project / "syndication.toml")])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


def full_record() -> Record:
    """A record in which everything happened, said in words that nobody vouches for."""
    findings = [
        Finding("dita.broken", Severity.ERROR, f"topics/{HOSTILE}.dita", 4, HOSTILE, "Mend it.", "angina en", "heart-desk"),
        Finding("image.alt", Severity.WARNING, "topics/b.dita", 9, "no alt text", "Write one.", "b en", "heart-desk"),
        *(Finding("link.gone", Severity.WARNING, f"t/{n}.dita", n, f"link {n}", "-", f"t{n} en") for n in range(250)),
    ]
    sites = [
        SiteReport("riverside", "riverside", "published", 7, 300, 2100, 61, ["a en"], ["b en"], ["c en"], ["angina en"]),
        SiteReport("portal", "north", "unchanged", 3, 10, 70, withheld={f"t{n} en": HOSTILE for n in range(3)}),
        SiteReport("harbor", "harbor", "failed", error=f"the store failed\n  found: {HOSTILE}", exit_code=4),
    ]
    return Record(
        "20261125T020000.000000Z",
        "run",
        "all",
        "2026-11-25T02:00:00+00:00",
        "2026-11-25T02:03:41+00:00",
        "done",
        4,
        HOSTILE,
        "2026-11-25",
        412,
        sites,
        findings,
        {"read": 10.0, "render": 30.0},
        [{"at": "2026-11-25T00:00:00+00:00", "site": "riverside", "kind": "embargo", "text": HOSTILE}],
        [Delivery("webhook", "https://ops.example.org/...", False, 4, HOSTILE)],
    )


# --- records --------------------------------------------------------------------------------------


def test_a_record_says_what_it_said() -> None:
    assert records.load(full_record().dump(), "x") == full_record()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "JSON"),
        (b"[]", "record"),
        (b'{"run_id": "x"}', "command"),
        (b"\xff", "JSON"),
        (full_record().dump().replace(b"20261125T020000.000000Z", b"../../etc/passwd"), "run_id"),
    ],
)
def test_what_is_no_record_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(StoreError) as caught:
        records.load(data, "s3://bucket: runs/x.json")
    assert "s3://bucket: runs/x.json is no record of a run" in str(caught.value)
    assert words in str(caught.value)


def test_each_run_leaves_a_record_and_a_page(twice: Path) -> None:
    second, first = list(records.latest(store(twice)))
    assert [(r.state, r.exit_code, r.scope) for r in (first, second)] == [("done", 0, "all"), ("done", 1, "all")]
    assert first.sites[0].added == ["drinking-water en", "measure-a-pulse en"]
    assert second.held_back == ["drinking-water en"]
    assert set(second.seconds) >= {"read", "store"}
    page = (twice / f"build/store/runs/{second.run_id}.html").read_text()
    assert "drinking-water en" in page


def test_a_dry_run_and_check_leave_nothing(project: Path) -> None:
    run(project, "--dry-run")
    command("check", "-c", str(project / "syndication.toml"))
    assert not (project / "build/store").exists()


def test_a_partial_run_says_so(project: Path) -> None:
    run(project)
    run(project, "--topic", "drinking-water")
    assert next(records.latest(store(project))).scope == "part"


def test_a_run_that_stops_leaves_its_error(project: Path) -> None:
    run(project)
    done = command("run", "-c", str(project / "syndication.toml"), "--partner", "no-such")
    assert done.returncode == 2
    found = next(records.latest(store(project)))
    assert (found.state, found.exit_code) == ("failed", 2)
    assert "unknown partner 'no-such'" in found.error


def test_a_store_that_takes_no_record_stops_no_run_and_the_record_is_kept_here(project: Path) -> None:
    run(project)
    (project / "build/store/runs").rename(project / "build/store/moved")
    (project / "build/store/runs").write_text("a file where a folder should be")
    done = command("run", "-c", str(project / "syndication.toml"), "--as-of", "2026-06-01")
    assert done.returncode == 0, done.stderr
    assert "the store took no record of this run; it is in" in done.stderr
    (kept,) = (project / "build/runs").glob("*.json")
    assert records.load(kept.read_bytes(), str(kept)).exit_code == 0
    assert kept.with_suffix(".html").exists()


@pytest.mark.parametrize(("kind", "state", "code"), [("TERM", "interrupted", 130), ("KILL", "running", -1)])
def test_a_run_that_is_stopped_or_killed_is_seen(project: Path, kind: str, state: str, code: int) -> None:
    words = [sys.executable, str(ROOT / "run_pipeline.py"), "run", "-c", str(project / "syndication.toml"), "--workers", "1"]
    for number in range(100):  # enough work to be met in the middle of it
        text = (project / "topics/drinking-water.dita").read_text()
        (project / f"topics/copy-{number}.dita").write_text(text.replace('id="drinking-water"', f'id="copy-{number}"'))
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    started = project / "build/store/runs"
    while not list(started.glob("*.json") if started.exists() else ()):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(getattr(signal, f"SIG{kind}"))
    assert process.wait(60) in (code, -9)
    (found,) = records.latest(store(project))
    assert (found.state, found.exit_code) == (state, code)
    assert not (project / "build/store/p/first-partner/current.json").exists()
    assert ("running, or killed" if state == "running" else "interrupted") in runs(project, "list")


# --- the page -------------------------------------------------------------------------------------


def test_the_page_says_all_that_a_reader_asks() -> None:
    page = report_page.page(full_record())
    for words in (
        "Exit code 4.",
        "3 min 41 s",
        "heart-desk",
        "angina en",
        "Mend it.",
        "75 %",
        "… and 50 more in the JSON record",
    ):
        assert words in page
    assert "<script" not in page
    assert "<img" not in page


def test_the_page_of_a_run_that_never_ended_says_so() -> None:
    begun = Record("20261125T020000.000000Z", "run", "all", "2026-11-25T02:00:00+00:00")
    assert "Still running, or killed" in report_page.page(begun)


@pytest.mark.tools
def test_the_page_is_valid(tmp_path: Path, npm_tools: None) -> None:  # noqa: ARG001
    (tmp_path / "report.html").write_text(report_page.page(full_record()))
    assert nu([tmp_path / "report.html"]) == []


@pytest.mark.tools
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_read_the_page(browser: Browser, npm_tools: None, tmp_path: Path, scheme: Any) -> None:  # noqa: ARG001
    """axe finds nothing; nothing is asked of any host; a telephone shows it without scrolling sideways."""
    (tmp_path / "report.html").write_text(report_page.page(full_record()))
    page = browser.new_page(color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "report.html").as_uri())
    assert axe(page) == []
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [url for url in asked if not url.startswith("file:")] == []
    assert "owned" not in page.title()
    page.close()


# --- commands -------------------------------------------------------------------------------------


def test_list_show_and_compare(twice: Path) -> None:
    listed = json.loads(runs(twice, "list", "--json"))
    assert [(row["exit code"], row["held back"]) for row in listed] == [("1", "1"), ("0", "0")]
    assert "Done, with topics held back (exit code 1)" in runs(twice, "show")
    first = listed[1]["run"]
    assert json.loads(runs(twice, "show", first[:22], "--json"))["run_id"] == first
    compared = runs(twice, "compare")
    assert "exit code: 0 -> 1" in compared
    assert "newly held back: drinking-water en" in compared
    assert re.search(r"new: topics/drinking-water.dita:\d+: error: ", compared)
    backwards = runs(twice, "compare", "last", first)
    assert "no longer held back: drinking-water en" in backwards
    assert "no difference" in runs(twice, "compare", "last", "last")
    assert "there is no run before" in runs(twice, "compare", "", first, code=2)


def test_before_the_first_run(project: Path) -> None:
    assert "no run has left a record" in runs(project, "list")
    assert "(no run has left a record)" in runs(project, "show", code=2)


def test_show_writes_the_page(twice: Path, tmp_path: Path) -> None:
    runs(twice, "show", "last", "--html", str(tmp_path / "out.html"))
    assert "<h1>Done, with topics held back</h1>" in (tmp_path / "out.html").read_text()


@pytest.mark.parametrize("name", ["", "20", "no-such", "../../etc/passwd"])
def test_a_run_that_is_not_there(twice: Path, name: str) -> None:
    assert "see 'runs list'" in runs(twice, "show", name, code=2)


def test_a_record_that_can_not_be_read_hides_no_other(project: Path, tmp_path: Path) -> None:
    records.Keeper(store(project), tmp_path / "no").begin(full_record())
    (project / "build/store/runs/20990101T000000.000000Z.json").write_text("{}")
    assert len(list(records.latest(store(project)))) == 1
    assert "is no record of a run" in runs(project, "show", "last", code=4)


def test_lines_that_moved_are_no_new_findings() -> None:
    from pipeline.compare import compare

    before = full_record()
    moved = [replace(finding, line=finding.line + 3) for finding in before.findings]
    after = replace(before, run_id="20261126T020000.000000Z", findings=moved)
    assert list(compare(before, after).lines())[1:] == ["no difference"]


def test_find_refuses_two_that_begin_alike(tmp_path: Path) -> None:
    where = folder.open(str(tmp_path), {})
    for second in ("01", "02"):
        record = replace(full_record(), run_id=f"20261125T0200{second}.000000Z")
        records.Keeper(where, tmp_path / "no").begin(record)
    with pytest.raises(UsageError, match="2 runs with the id '20261125'"):
        records.find(where, "20261125")
    assert records.find(where, "last").run_id.startswith("20261125T020002")


# --- log lines ------------------------------------------------------------------------------------


def test_json_logs_are_one_object_a_line(project: Path) -> None:
    words = ("run", "-c", str(project / "syndication.toml"), "--as-of", "2026-06-01")
    done = command(*words, "--log-format", "json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines if line["event"] not in ("progress", "note")] == [
        "run.started",
        "site.finished",
        "run.finished",
    ]
    assert all(line["time"] and line["level"] == "info" for line in lines)
    assert lines[-1]["exit_code"] == 0
    assert Path(lines[-1]["report"]).exists()
    failed = command(*words, "--partner", "no-such", SYNDICATION_LOG_FORMAT="json")
    last = json.loads(failed.stderr.splitlines()[-1])
    assert (last["level"], last["exit_code"]) == ("error", 2)


def test_a_log_format_that_is_none(project: Path) -> None:
    done = command("run", "-c", str(project / "syndication.toml"), "--log-format", "xml")
    assert (done.returncode, "expected: text or json" in done.stderr) == (2, True)


def test_of_many_quiet_runs_the_first_and_the_last_are_kept(tmp_path: Path) -> None:
    where = folder.open(str(tmp_path), {})
    for minute in range(6):
        record = Record(f"20261125T02{minute:02}00.000000Z", "run --due", "due", "2026-11-25T02:00:00+00:00")
        keeper = records.Keeper(where, tmp_path / "no")
        keeper.begin(record)
        record.exit_code = 0
        record.due = [{"at": "", "text": "something"}] if minute == 3 else []
        record.end("2026-11-25T02:00:01+00:00")
        keeper.finish(record, "page")
    assert [name[11:13] for name in records.names(where)] == ["05", "04", "03", "02", "00"]
    assert [path.name[11:13] for path in (tmp_path / "runs").glob("*.html")] == ["03"]
