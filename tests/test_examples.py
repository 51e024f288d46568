"""examples/ as a whole: nothing held back, the same bytes anywhere, and what the demonstration promises."""

from __future__ import annotations

import json
from pathlib import Path

from demo import AS_OF, ROOT, Demo, command, copy_of_examples, run


def test_examples_are_without_errors(examples_run: Demo) -> None:
    report = examples_run.report
    assert (report["exit_code"], report["held_back"]) == (0, [])
    assert [finding for finding in report["findings"] if finding["severity"] == "error"] == []


def test_examples_show_what_the_product_does(examples_run: Demo) -> None:
    """Enough topics, each main language, every format, several partners with different bundles."""
    rows = json.loads((examples_run.bundles["riverside"] / "manifest.json").read_text(encoding="utf-8"))["topics"]
    languages = [row["language"] for row in rows]
    assert len(rows) >= 21
    assert languages.count("en") >= 16
    assert languages.count("es") >= 4
    assert languages.count("ar") >= 1
    assert {file["format"] for row in rows for file in row["files"]} >= {"html", "print", "epub", "text", "json"}
    contents = {
        json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["content"] for bundle in examples_run.bundles.values()
    }
    assert len(contents) == len(examples_run.bundles) >= 3


def test_the_same_inputs_give_the_same_content_anywhere(examples_run: Demo, tmp_path: Path) -> None:
    """From a clean cache, elsewhere, in another time zone, locale and number of processes."""
    elsewhere = tmp_path / "a folder with a name of its own"
    again = run(
        copy_of_examples(elsewhere / "project"),
        elsewhere / "bundles",
        "--workers",
        "1",
        cwd=tmp_path,
        TZ="Pacific/Kiritimati",
        LANG="ar_EG.UTF-8",
        LC_ALL="C",
        PYTHONHASHSEED="7",
        PYTHONUTF8="0",
    )
    assert again.bundles.keys() == examples_run.bundles.keys()
    for site, bundle in examples_run.bundles.items():
        ours, theirs = (
            json.loads((path / "manifest.json").read_text(encoding="utf-8")) for path in (bundle, again.bundles[site])
        )
        assert ours["content"] == theirs["content"], site
        assert ours["topics"] == theirs["topics"], site
    config = str(elsewhere / "project/syndication.toml")
    third = json.loads(command("run", "--config", config, "--as-of", AS_OF, "--json"))
    assert {(s["state"], s["uploaded"]) for s in third["sites"]} == {("unchanged", 0)}, "rows from the cache make another release"


def test_the_demonstration_names_what_exists() -> None:
    """`make demo` pulls the partner riverside of examples/syndication.toml."""
    script = (ROOT / "deploy/demo.sh").read_text(encoding="utf-8")
    assert "examples/syndication.toml" in script
    assert "--partner riverside" in script
    assert (ROOT / "examples/partners/riverside.toml").is_file()
