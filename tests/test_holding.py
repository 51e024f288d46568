"""Rollback, resume, offboard: a site goes back and stays there, or ends; what is withdrawn or refused never comes back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from test_withdraw import HOW, check_gone, check_there, command, pulled, run, store_of, system_of, texts

from benchmarks import library as shared_library
from outputs import release


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Three topics, one partner, two releases: the second says "All about"."""
    config = shared_library.make(tmp_path / "library", topics=3, partners=1, sharing=1)
    run(config)
    for source in (config.parent / "topics").glob("medicine-*.dita"):
        source.write_text(source.read_text().replace("About", "All about"))
    run(config)
    return config


def live(config: Path) -> int:
    found = release.current(store_of(config), "p/partner-0", system_of(config).signing)
    assert found
    return found.sequence


def test_a_site_goes_back_and_stays_until_resumed(library: Path, tmp_path: Path) -> None:
    command("rollback", "--partner", "partner-0", "--to", "1", "--by", "Ana", config=library)
    assert live(library) == 3
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    assert "All about" not in texts(bundle, "medicine-1")["index.html"]
    report = run(library, code=1)
    (site,) = report["sites"]
    assert (site["state"], site["sequence"], site["exit_code"]) == ("on hold", 3, 1)
    assert "put release 1 back" in site["error"]
    assert ["rollback" in line for line in report["decisions"]] == [True]
    command("resume", "--partner", "partner-0", "--by", "Ana", config=library)
    run(library)
    assert "All about" in texts(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-1")["index.html"]


def test_what_is_withdrawn_does_not_come_back(library: Path, tmp_path: Path) -> None:
    command("withdraw", "medicine-0", *HOW, config=library)
    command("rollback", "--partner", "partner-0", "--to", "1", "--by", "Ana", config=library)
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    check_gone(bundle, "medicine-0")
    check_there(bundle, "medicine-1")
    command("withdraw", "medicine-1", *HOW, config=library)
    run(library, code=1)
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    check_gone(bundle, "medicine-1")
    check_there(bundle, "medicine-2")


def test_what_todays_terms_refuse_does_not_come_back(library: Path, tmp_path: Path) -> None:
    """Neither with the rollback, nor while the site is on hold and time passes."""
    partner = library.parent / "partners/partner-0.toml"
    partner.write_text(partner.read_text().replace('formats = "all"', 'formats = ["html"]'))
    command("rollback", "--partner", "partner-0", "--to", "1", "--by", "Ana", config=library)
    bundle = pulled(library, "partner-0", tmp_path / "bundle")
    assert sorted(path.name for path in bundle.glob("en/*/*")) == []
    partner.write_text(partner.read_text().replace('formats = ["html"]', 'formats = "all"').replace("2099-12-31", "2098-12-31"))
    command("resume", "--partner", "partner-0", "--by", "Ana", config=library)
    run(library)
    command("rollback", "--partner", "partner-0", "--to", "1", "--by", "Ana", config=library)
    check_there(pulled(library, "partner-0", tmp_path / "bundle"), "medicine-1")
    run(library, "--as-of", "2099-01-01", code=1)
    assert not list(pulled(library, "partner-0", tmp_path / "bundle").glob("en/medicine-1"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rollback", "--partner", "partner-0", "--to", "2"], "no earlier release 2"),
        (["rollback", "--partner", "partner-0", "--to", "9"], "expected: one of 1; 2 is live"),
        (["rollback", "--partner", "partner-9", "--to", "1"], "did you mean 'partner-0'?"),
        (["resume", "--partner", "partner-0"], "no site of partner-0 is on hold"),
        (["offboard", "--partner", "partner-0"], "still has its file"),
    ],
)
def test_what_can_not_be_is_not_decided(library: Path, words: list[str], said: str) -> None:
    done = command(*words, "--by", "Ana", config=library, code=2)
    assert said in done.stderr
    assert "0 decisions" in command("decisions", "list", "--all", config=library).output


def test_a_partner_whose_file_is_gone(library: Path, tmp_path: Path) -> None:
    """Each run says so with exit code 1, until the partner is offboarded; a later withdrawal still reaches it."""
    shutil.copy(library.parent / "partners/partner-0.toml", library.parent / "kept.toml")
    second = (library.parent / "partners/partner-0.toml").read_text().replace("partner-0", "partner-1")
    (library.parent / "partners/partner-1.toml").write_text(second)
    run(library)
    (library.parent / "partners/partner-1.toml").unlink()
    report = run(library, code=1)
    (gone,) = [site for site in report["sites"] if site["site"] == "partner-1"]
    assert (gone["state"], gone["exit_code"]) == ("gone", 1)
    assert "offboard --partner partner-1" in gone["error"]
    command("offboard", "--partner", "partner-1", "--by", "Ana", config=library)
    run(library)
    bundle = pulled(library, "partner-1", tmp_path / "bundle")
    assert not (bundle / "en/medicine-1").exists()
    assert json.loads((bundle / "catalog.json").read_text())["topics"] == []
    assert "medicine" not in (bundle / "index.html").read_text()
    command("withdraw", "medicine-1", *HOW, config=library)
    check_gone(pulled(library, "partner-1", tmp_path / "bundle"), "medicine-1")


def test_what_is_live_on_a_site_on_hold_counts_against_the_limit(library: Path) -> None:
    """The agreement covers two topics; the site on hold shows three, so that its sister gets none."""
    command("rollback", "--partner", "partner-0", "--to", "1", "--by", "Ana", config=library)
    partner = library.parent / "partners/partner-0.toml"
    text = partner.read_text().replace("2099-12-31", "2099-12-31\nlimits = { topics = 2 }", 1)
    partner.write_text(f"{text}\n[sites.partner-0]\n\n[sites.sister]\n")
    report = run(library, "--topic", "medicine-0", code=3)
    (sister,) = [site for site in report["sites"] if site["site"] == "sister"]
    assert (sister["state"], "found:    3 topics" in sister["error"]) == ("stopped", True)
