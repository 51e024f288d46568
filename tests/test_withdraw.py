"""Withdrawals by command, over whole runs: live at once, obeyed by all that follows, back when restored."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from releases import Between
from seaweed import Place, s3_place
from typer.testing import CliRunner, Result
from validators import epubcheck, nu, visit

import run_pipeline
from benchmarks import library as shared_library
from outputs import pull, release
from pipeline import deciding, standing, withdrawing, withdrawn
from pipeline.commands.building import build, salvaged, with_keys
from pipeline.contracts import EditorialDecision, Received, ReceivedFile, Site, Store
from pipeline.labels import labels
from pipeline.plugins import System
from pipeline.run import Options
from pipeline.run import run as run_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["s3_place"]  # pytest finds the fixture by its name here

TODAY = datetime.now(UTC).date()
HOW = ["--reason", "error", "--severity", "immediate", "--action", "recall", "--act-by", "2099-12-31", "--by", "Ana Silva"]
TOLD = "It has an error in it. Do not use it."
DRILL = int(os.environ.get("DRILL_TOPICS", "2"))  # topics that the drill withdraws


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Four topics, two of which share a fragment; two partners; published once."""
    config = shared_library.make(tmp_path / "library", topics=4, partners=2, sharing=2)
    run(config)
    return config


def command(*words: str, config: Path, code: int = 0) -> Result:
    """A command in this process; its exit code must be `code`."""
    done = CliRunner().invoke(run_pipeline.app, [*words, "--config", str(config)])
    assert done.exit_code == code, (done.output, done.exception)
    return done


def run(config: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """One run's report."""
    done = command("run", "--json", *words, config=config, code=code)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def store_of(config: Path) -> Store:
    system = salvaged(config, "")
    return system.open_store(system.configuration.settings.store)


def on_s3(config: Path, place: Place) -> Path:
    """The same library, published to that place of an S3 server."""
    settings = config.read_text().replace('store = "build/store"', f'store = "{place.url}"')
    config.write_text(f'{settings}[s3]\nendpoint_url = "{place.settings["endpoint_url"]}"\n')
    return config


def system_of(config: Path) -> System:
    return with_keys(build(config), datetime.now(UTC))


def pulled(config: Path, partner: str, to: Path) -> Path:
    """The partner's bundle, complete and verified."""
    root = (config.parent / "keys/root.json").read_bytes()
    pull.pull(store_of(config), f"p/{partner}", to, partner=partner, site=partner, root=root)
    assert pull.verify(to) == []
    return to


def texts(bundle: Path, topic: str) -> dict[str, str]:
    """What each format of a topic says, tags and all; the chapter stands for the book."""
    home = bundle / "en" / topic
    with zipfile.ZipFile(home / f"{topic}.epub") as book:
        chapters = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xhtml"))
    found = {path.name: path.read_text() for path in home.iterdir() if path.suffix != ".epub" and path.name != "rights.json"}
    return {name: " ".join(text.split()) for name, text in {**found, f"{topic}.epub": chapters}.items()}


def check_gone(bundle: Path, topic: str, told: str = TOLD) -> None:
    """Every format holds the notice and no word of the text; catalog, codes and index do not name the topic."""
    found = texts(bundle, topic)
    assert set(found) >= {"index.html", "print.html", f"{topic}.epub", f"{topic}.txt", "topic.json"}
    for name, text in found.items():
        assert told in text, name
        assert "911" not in text, name
        assert "tablet" not in text, name
    for name in ("catalog.json", "codes.json", "index.html"):
        assert topic not in (bundle / name).read_text(), name


def check_there(bundle: Path, topic: str) -> None:
    for name, text in texts(bundle, topic).items():
        assert "911" in text, name


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_the_drill(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A source is broken, a partner has left, a run is under way: live everywhere at once, also for the partner that left. The
    run that was under way harms nothing; the next one, a rollback, and what is unzipped over an old bundle show the notice;
    restored, it is back."""
    library = shared_library.make(tmp_path / "library", topics=DRILL + 2, partners=2, sharing=DRILL)
    if kind == "s3":
        on_s3(library, request.getfixturevalue("s3_place"))
    run(library)
    broken, changed = (f"medicine-{DRILL + number}" for number in range(2))
    gone = [f"medicine-{number}" for number in range(DRILL)]
    old = tmp_path / "unzipped"
    shutil.copytree(pulled(library, "partner-0", tmp_path / "before").resolve(), old)
    (library.parent / "partners/partner-1.toml").rename(library.parent / "partner-1.toml")
    (library.parent / f"topics/{broken}.dita").write_text("<topic")
    source = library.parent / f"topics/{changed}.dita"
    source.write_text(source.read_text().replace("About", "All about"))
    done: list[Result] = []

    def meanwhile(*_: object) -> None:
        if not done:
            done.append(command("withdraw", "--uses", shared_library.FRAGMENT, *HOW, config=library))

    moment = datetime.now(UTC)
    options = Options(lambda _zone: TODAY, "slow run", moment.isoformat(timespec="seconds"), workers=1)
    report = run_once(system_of(library), options, meanwhile)
    assert [site.exit_code for site in report.sites if site.site == "partner-0"] == [5]
    assert f"live: release 2, {DRILL} topics withdrawn" in done[0].output
    for partner in ("partner-0", "partner-1"):
        bundle = pulled(library, partner, tmp_path / partner)
        for topic in gone:
            check_gone(bundle, topic)
        check_there(bundle, changed)

    after = run(library, code=1)
    (site,) = [site for site in after["sites"] if site["site"] == "partner-0"]
    assert (site["state"], site["withdrawn"]) == ("published", sorted(f"{topic} en" for topic in gone))
    assert ["withdraw" in line for line in after["decisions"]] == [True]
    bundle = pulled(library, "partner-0", tmp_path / "partner-0")
    for path in bundle.resolve().rglob("*"):
        if path.is_file():
            target = old / path.relative_to(bundle.resolve())
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    for topic in gone:
        check_gone(old, topic)
    check_there(old, changed)

    command("rollback", "--partner", "partner-0", "--to", "1", "--by", "Ana Silva", config=library)
    bundle = pulled(library, "partner-0", tmp_path / "partner-0")
    for topic in gone:
        check_gone(bundle, topic)
    check_there(bundle, changed)

    command("restore", *gone, "--by", "Ana Silva", config=library)
    command("resume", "--partner", "partner-0", "--by", "Ana Silva", config=library)
    run(library, code=1)
    bundle = pulled(library, "partner-0", tmp_path / "partner-0")
    for topic in gone:
        check_there(bundle, topic)
    assert list(csv.DictReader(io.StringIO((bundle / "withdrawn.csv").read_text()))) == []


def test_what_a_partner_is_told(library: Path, tmp_path: Path) -> None:
    """One line for each topic, in the manifest and in withdrawn.csv; only of what the site once had."""
    words = ["--notice", "en=Wrong dose. Call us.", "--replaced-by", "medicine-3", "--approved-by", "Dr. Cho"]
    command("withdraw", "medicine-0", *HOW, *words, config=library)
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    (line,) = csv.DictReader(io.StringIO((bundle / "withdrawn.csv").read_text()))
    (row,) = json.loads((bundle / "manifest.json").read_text())["withdrawn"]
    assert {key: value for key, value in line.items() if key not in ("at", "notice")} == {
        "decision": "1",
        "id": "medicine-0",
        "language": "en",
        "versions": "",
        "reason": "error",
        "severity": "immediate",
        "action": "recall",
        "act_by": "2099-12-31T23:59:59+00:00",
        "contact": "Call Example Health Press at 1-800-555-0100.",
        "replaced_by": "medicine-3",
        "path": "en/medicine-0",
    }
    assert row["notice"] == {"en": line["notice"]}
    assert "Wrong dose. Call us. Call Example Health Press at 1-800-555-0100." in row["notice"]["en"]
    page = texts(bundle, "medicine-0")["index.html"]
    assert '<a class="syn-link" href="../medicine-3/index.html"' in page or 'href="../medicine-3/index.html"' in page
    assert '<h1 class="syn-title">Medicine 0</h1>' in page


def test_the_title_goes_with_the_license(library: Path, tmp_path: Path) -> None:
    words = [*HOW]
    words[1] = "license-ended"
    command("withdraw", "medicine-0", *words, config=library)
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    check_gone(bundle, "medicine-0", "It is no longer offered here.")
    assert all("Medicine 0" not in text for text in texts(bundle, "medicine-0").values())
    assert "Medicine 0" not in (bundle / "manifest.json").read_text()


def test_notices_in_every_language_that_we_have_words_of(library: Path) -> None:
    system = system_of(library)
    for language in ("en", "es-US", "ar"):
        files = tuple(
            ReceivedFile(name, f"{language}/x/{name}", plugin.load().MEDIA_TYPE) for name, plugin in system.transforms.items()
        )
        received = {("x", language): Received("x", language, "X", ("1",), files)}
        maker = withdrawn.NoticeMaker(system, system.configuration.publisher_shown, system.configuration.publisher_timezone)
        decided = standing.Standing(
            (EditorialDecision("withdraw", "2026-03-01T12:00:00+00:00", "A", number=1, topics=("x",), reason="safety"),)
        )
        rows, made = maker.withdrawn(decided, received, withdrawn.Place({}, {}), date(2026, 3, 1))
        words = labels(language)
        expected = words.text("Withdrawn on {date}", date=words.date(date(2026, 3, 1)))
        (page,) = [file.data.decode() for file in made if file.path == f"{language}/x/html"]
        assert expected in page
        assert f'lang="{language}" dir="{words.direction}"' in page
        assert len(rows[0].files) == len(system.transforms)


@pytest.mark.usefixtures("npm_tools")
def test_notices_pass_the_judges(library: Path, tmp_path: Path, browser: Browser) -> None:
    """EPUBCheck, Nu, and axe in both colours, as every page and book; nothing asks another host."""
    command("withdraw", "medicine-0", *HOW, "--replaced-by", "medicine-2", config=library)
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    home = bundle.resolve() / "en/medicine-0"
    assert epubcheck([home / "medicine-0.epub"]) == []
    assert nu([home / "index.html", home / "print.html"]) == []
    for page in ("index.html", "print.html"):
        found = visit(browser, home / page)
        assert (found.desk, found.telephone, found.too_wide) == ((), (), False)
        assert all(address.startswith(bundle.resolve().as_uri()) for address in found.requests)


def test_paths_are_kept_for_two_years(library: Path, tmp_path: Path) -> None:
    command("withdraw", "medicine-0", *HOW, config=library)
    year, rest = TODAY.year + 2, f"{TODAY:-%m-%d}" if (TODAY.month, TODAY.day) != (2, 29) else "-03-01"
    last = date.fromisoformat(f"{year}{rest}").toordinal() - 1
    run(library, "--as-of", date.fromordinal(last).isoformat())
    check_gone(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")
    run(library, "--as-of", date.fromordinal(last + 1).isoformat())
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    assert not (bundle / "en/medicine-0").exists()
    assert "medicine-0" in (bundle / "withdrawn.csv").read_text()


def test_another_version_is_published_again(library: Path, tmp_path: Path) -> None:
    """A decision that names versions withdraws those alone."""
    source = library.parent / "topics/medicine-0.dita"
    source.write_text(source.read_text().replace("<metadata>", '<metadata><data name="version" value="1"/>'))
    run(library)
    command("withdraw", "medicine-0", *HOW, "--version", "1", config=library)
    run(library)
    check_gone(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")
    source.write_text(source.read_text().replace('value="1"', 'value="2"'))
    run(library)
    check_there(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")


@pytest.mark.parametrize("broken", ["<title></title>", "<title>Medicine 0</title><oops"])
def test_a_withdrawn_version_stays_down_while_the_next_is_held_back(library: Path, tmp_path: Path, broken: str) -> None:
    """The version that may be published can not be, yet: the old one does not come back in its place."""
    source = library.parent / "topics/medicine-0.dita"
    first = source.read_text().replace("<metadata>", '<metadata><data name="version" value="1"/>')
    source.write_text(first)
    run(library)
    command("withdraw", "medicine-0", *HOW, "--version", "1", config=library)
    second = first.replace('value="1"', 'value="2"')
    source.write_text(second.replace("<title>Medicine 0</title>", broken))
    for number in range(2):
        run(library, code=1)
        check_gone(pulled(library, "partner-0", tmp_path / f"bundle-{number}"), "medicine-0")
    command("rollback", "--partner", "partner-0", "--to", "2", "--by", "Ana Silva", config=library)
    check_gone(pulled(library, "partner-0", tmp_path / "bundle-0"), "medicine-0")
    command("resume", "--partner", "partner-0", "--by", "Ana Silva", config=library)
    source.write_text(second)
    run(library)
    check_there(pulled(library, "partner-0", tmp_path / "bundle-0"), "medicine-0")


def test_a_site_that_fails_stops_no_other(library: Path, tmp_path: Path) -> None:
    """The decision stands: the same command again appends nothing, and publishes where it is not yet live."""
    pointer = store_of(library)
    key = "p/partner-0/metadata/timestamp.json"
    data, _ = pointer.get(key)
    pointer.put(key, b"{", media_type="application/json")
    done = command("withdraw", "medicine-0", *HOW, config=library, code=7)
    assert "partner-1: live: release 2" in done.output
    check_gone(pulled(library, "partner-1", tmp_path / "other"), "medicine-0")
    pointer.put(key, data, media_type="application/json")
    command("withdraw", "medicine-0", *HOW, config=library)
    check_gone(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")
    assert "1 decisions" in command("decisions", "list", "--all", config=library).output


def test_broken_settings_stop_nothing(library: Path, tmp_path: Path) -> None:
    (library.parent / "partners/partner-0.toml").write_text("no toml")
    (library.parent / "publisher.toml").write_text('id = "example"\nnmae = "x"\n')
    done = command("withdraw", "medicine-0", *HOW, config=library)
    assert "publisher.toml" in done.stderr
    for partner in ("partner-0", "partner-1"):
        check_gone(pulled(library, partner, tmp_path / partner), "medicine-0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["medicine-9"], "did you mean 'medicine-"),
        (["--uses", "topics/shared/dos.dita"], "did you mean 'topics/shared/dose.dita'?"),
        ([], "no topic is named"),
        (["medicine-0", "--act-by", "soon"], "--act-by 'soon' is no day or moment"),
        (["medicine-0", "--notice", "en=A", "--notice", "en=B"], "one for each language"),
        (["medicine-0", "--notice", "Dose=10 mg is wrong."], "'Dose' is no language"),
        (["medicine-0", "--language", "em"], "expected: en\n"),
        (["--uses", "topics/shared/dose.dita", "--language", "es"], "in language 'es'"),
        (["medicine-0", "--version", "99"], "in version '99'"),
        (["medicine-0", "--replaced-by", "medicine-9"], "did you mean 'medicine-"),
        (["medicine-0", "--replaced-by", "medicine-0"], "a topic that stays"),
        (["medicine-0", "--act-by", "2020-01-01"], "is over"),
        (["medicine-0", "--by", " "], "nobody is named"),
    ],
)
def test_a_typing_error_withdraws_nothing(library: Path, words: list[str], said: str) -> None:
    done = command("withdraw", *HOW, *words, config=library, code=2)
    assert said in done.stderr
    assert "0 decisions" in command("decisions", "list", "--all", config=library).output


def test_only_what_is_withdrawn_can_be_restored(library: Path) -> None:
    done = command("restore", "medicine-0", "--by", "Bo", config=library, code=2)
    assert "'medicine-0' is not withdrawn" in done.stderr
    command("withdraw", "medicine-0", *HOW, config=library)
    other = command("restore", "medicine-0", "--language", "es", "--by", "Bo", config=library, code=2)
    assert "not withdrawn in language 'es'" in other.stderr
    assert "expected: en" in other.stderr


def test_the_same_words_after_a_restore_are_a_new_decision(library: Path, tmp_path: Path) -> None:
    """What was restored in between is withdrawn again; given twice in a row, the same words are one decision."""
    words = ("withdraw", "medicine-0", "medicine-1", *HOW)
    command(*words, config=library)
    command("restore", "medicine-0", "--by", "Ana Silva", config=library)
    run(library)
    command(*words, config=library)
    command(*words, config=library)
    assert len(json.loads(command("decisions", "list", "--all", "--json", config=library).stdout)) == 3
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    for topic in ("medicine-0", "medicine-1"):
        check_gone(bundle, topic)


def test_a_dry_run_decides_nothing(library: Path) -> None:
    done = command("withdraw", "--uses", "shared/dose.dita", *HOW, "--dry-run", config=library)
    assert "medicine-1 en: partner-0, partner-1" in done.output
    none = command("withdraw", "medicine-1", "--version", "2", "--in-advance", *HOW, "--dry-run", config=library, code=1)
    assert "medicine-1 en" not in none.output
    assert "NOTHING WOULD BE TAKEN DOWN of medicine-1" in none.output
    assert "0 decisions" in command("decisions", "list", "--all", config=library).output


def test_what_took_nothing_down_says_so_and_lasts(library: Path, tmp_path: Path) -> None:
    """A topic that is in the inputs and on no site, an older version, a language to come: withheld, and never read as taken
    down. On purpose, it is no failure."""
    source = library.parent / "topics/medicine-0.dita"
    first = source.read_text().replace("<metadata>", '<metadata><data name="version" value="1"/>')
    for version in ("1", "2"):
        source.write_text(first.replace('value="1"', f'value="{version}"'))
        run(library)
    done = command("withdraw", "medicine-0", "--version", "1", *HOW, config=library, code=1)
    assert "NOTHING WAS TAKEN DOWN of medicine-0: no site has version 1 of it." in done.output
    check_there(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")
    said = command("withdraw", "medicine-0", "-l", "es", "--in-advance", "--json", *HOW, config=library).stdout
    assert json.loads(said)["nothing_taken_down_of"] == ["medicine-0"]
    both = command("withdraw", "medicine-0", "medicine-1", "--version", "1", "--in-advance", *HOW, config=library)
    assert both.output.count("NOTHING WAS TAKEN DOWN") == 2


def test_a_stricter_deadline_is_news(library: Path, tmp_path: Path) -> None:
    """A nearer moment, and an approval, are decided and reach the partner; the same words by another are not."""
    command("withdraw", "medicine-0", *HOW, config=library)
    again = command("withdraw", "medicine-0", *HOW, "--by", "Bo", config=library)
    assert "already decided, as number 1" in again.output
    command("withdraw", "medicine-0", *HOW, "--act-by", "2099-06-30", "--approved-by", "Dr. Cho", config=library)
    (line,) = csv.DictReader(io.StringIO((pulled(library, "partner-0", tmp_path / "b") / "withdrawn.csv").read_text()))
    assert (line["decision"], line["act_by"][:7]) == ("2", "2099-06")
    newest = json.loads(command("decisions", "list", "--json", config=library).stdout)[-1]
    assert (newest["number"], newest["approved_by"]) == (2, "Dr. Cho")


def test_words_before_an_equals_sign_are_no_language(library: Path, tmp_path: Path) -> None:
    command("withdraw", "medicine-0", *HOW, "--notice", "EN=Dose=10 mg is wrong.", config=library)
    check_gone(pulled(library, "partner-0", tmp_path / "b"), "medicine-0", "Dose=10 mg is wrong.")


def test_a_correction_is_marked_for_90_days(library: Path, tmp_path: Path) -> None:
    command("correct", "medicine-0", "--note", "en=One tablet, not two.", "--by", "Ana", config=library)
    for days, marked in ((0, True), (89, True), (90, False)):
        run(library, "--as-of", date.fromordinal(TODAY.toordinal() + days).isoformat())
        found = texts(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0")
        assert all(("One tablet, not two." in text) == marked for text in found.values()), days


def test_explain_names_the_decision(library: Path) -> None:
    command("withdraw", "medicine-0", *HOW, config=library)
    said = command("explain", "medicine-0", "--partner", "partner-0", config=library).output
    assert f"withdrawn by decision 1 of {TODAY} (error), by Ana Silva" in said.splitlines()[-1]


def test_decisions_can_be_exported(library: Path) -> None:
    command("withdraw", "medicine-0", *HOW, config=library)
    (line,) = csv.DictReader(io.StringIO(command("decisions", "export", config=library).stdout))
    assert (line["kind"], line["topics"], line["by"]) == ("withdraw", "medicine-0", "Ana Silva")


def test_a_withdrawal_waits_out_whoever_publishes_at_the_same_moment(library: Path, tmp_path: Path) -> None:
    """Another run moves the pointer right before ours, three times: ours takes the new ground each time."""
    inner, system = store_of(library), system_of(library)
    rounds = iter(range(3))

    class Busy(Between):
        def before(self, operation: str, key: str) -> None:
            if operation == "put" and key == "p/partner-0/metadata/timestamp.json" and next(rounds, None) is not None:
                live = release.current(inner, "p/partner-0", system.signing)
                assert live
                other = replace(live.content, terms_sha256=f"{live.sequence:064}")
                site = Site("partner-0", "partner-0", "", "p/partner-0")
                now = datetime.now(UTC).isoformat(timespec="seconds")
                release.publish(inner, site, other, live, run_id="o", created=now, signing=system.signing)

    busy = Busy(inner)
    decided = EditorialDecision("withdraw", datetime.now(UTC).isoformat(), "Ana", topics=("medicine-0",), reason="safety")
    now, _ = deciding.decide(system, busy, deciding.standing_of(system, busy), decided)
    known = withdrawing.known_sites(system, busy)
    moment = withdrawing.Moment("w", datetime.now(UTC).isoformat())
    reports = withdrawing.publish_withdrawals(withdrawing.Context(system, busy, now, moment), known, lambda _zone: TODAY, 1)
    assert [(report.site, report.sequence) for report in reports] == [("partner-0", 5), ("partner-1", 2)]
    check_gone(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-0", "Following it may not be safe.")


def test_on_s3(tmp_path: Path, s3_place: Place) -> None:
    """Decision, notice, archive and prune over a real S3 server."""
    config = on_s3(shared_library.make(tmp_path / "library", topics=2, partners=2, sharing=1), s3_place)
    run(config)
    command("withdraw", "--uses", shared_library.FRAGMENT, *HOW, config=config)
    bundle = pulled(config, "partner-1", tmp_path / "bundle")
    check_gone(bundle, "medicine-0")
    check_there(bundle, "medicine-1")
    command("prune", config=config)
    later = date.fromordinal(TODAY.toordinal() + 60).isoformat()
    assert json.loads(command("prune", "--as-of", later, "--json", config=config).stdout)[0]["archived"] > 0
    words = ["--partner", "partner-1", "--at", datetime.now(UTC).isoformat(), "--json"]
    assert json.loads(command("report", "topic", "medicine-0", *words, config=config).stdout)["state"] == "withdrawn"


def test_correct_and_restore_say_when_they_are_seen_and_can_be_seen_at_once(library: Path, tmp_path: Path) -> None:
    by = ["--by", "Ana Silva"]
    said = command("correct", "medicine-3", "--note", "en=The dose is right now.", *by, config=library).stdout
    assert "NOT LIVE YET" in said
    assert f"the last run began {TODAY:%Y-}" in said
    assert "run --due" in said
    assert "The dose is right now." not in texts(pulled(library, "partner-0", tmp_path / "a"), "medicine-3")["index.html"]
    done = command("correct", "medicine-2", "--note", "en=It is one tablet.", *by, "--now", config=library).stdout
    assert "NOT LIVE YET" not in done
    bundle = pulled(library, "partner-0", tmp_path / "b")
    assert "It is one tablet." in texts(bundle, "medicine-2")["index.html"]
    assert "The dose is right now." in texts(bundle, "medicine-3")["index.html"], "all that is due is done"
    command("withdraw", "medicine-0", *HOW, config=library)
    assert "NOT LIVE YET" in command("restore", "medicine-0", *by, "-l", "en", config=library).stdout
    command("withdraw", "medicine-0", *HOW, config=library)
    command("restore", "medicine-0", *by, "--now", config=library)
    check_there(pulled(library, "partner-0", tmp_path / "b"), "medicine-0")
    assert json.loads(command("runs", "show", "last", "--json", config=library).stdout)["command"] == "run --due"
