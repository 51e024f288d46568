"""A new vocabulary, format, destination or rule is one file: the page that teaches it holds a whole one, made and used here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT

CODE = ("pipeline", "sources", "transforms", "outputs", "tests", "run_pipeline.py", "pyproject.toml")
BLOCK = re.compile(r"^```\w+ title=(\S+)\n(.*?)^```$", re.M | re.S)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", ".*_cache", ".hypothesis")
AS_OF = ("--as-of", "2026-12-01")

House = Callable[[str], "Copy"]


class Copy:
    """A copy of the product with what a page teaches added to it, and a starter project."""

    def __init__(self, folder: Path, page: str) -> None:
        self.code, self.project = folder / "code", folder / "project"
        for name in CODE:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.code / name, ignore=LEFT_OUT)
            else:
                shutil.copy(ROOT / name, self.code)
        self.made = dict(BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")))
        for name, text in self.made.items():
            (self.code / name).parent.mkdir(parents=True, exist_ok=True)
            (self.code / name).write_text(text, encoding="utf-8")
        self("init", str(self.project))

    def __call__(self, *words: str, code: int = 0) -> str:
        """What a command prints."""
        return self._python("run_pipeline.py", *words, code=code)

    def tests(self, *words: str) -> str:
        """What tests of the copy print; they must pass."""
        return self._python("-m", "pytest", "-q", "-p", "no:cacheprovider", *words)

    def on_project(self, command: str, *words: str, code: int = 0) -> str:
        return self(command, *words, "--config", str(self.project / "syndication.toml"), code=code)

    def _python(self, *words: str, code: int = 0) -> str:
        environment = {**os.environ, "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, *words], cwd=self.code, env=environment, capture_output=True, text=True, encoding="utf-8"
        )
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


@pytest.fixture
def house(tmp_path: Path) -> House:
    return lambda page: Copy(tmp_path, page)


def bundle(copy: Copy, store: str = "") -> Path:
    """The first partner's bundle, pulled from the project's store."""
    dest, root = copy.project / "bundle", copy.project / "keys/root.json"
    copy("pull", store or str(copy.project / "build/store"), str(dest), "--partner", "first-partner", "--root", str(root))
    return dest


def test_a_vocabulary(house: House) -> None:
    copy = house("add-a-vocabulary.md")
    copy.tests("tests/test_cases.py", "-k", "leaflet", "--update-expected")
    copy.tests("tests/test_cases.py", "tests/test_architecture.py", "-k", "leaflet or plugin or import or docstring")
    case = copy.code / "tests/sources/leaflet/first"
    assert "leaflet.unknown-element hand-washing.xml:5: <b> (1 times)" in (case / "expected/findings.txt").read_text()
    shutil.copy(case / "in/hand-washing.xml", copy.project / "topics")
    assert "leaflet" in copy("list", "vocabularies")
    copy.on_project("run", *AS_OF)
    found = bundle(copy) / "en/hand-washing"
    names = {"index.html", "print.html", "hand-washing.epub", "hand-washing.txt", "topic.json"}
    assert names <= {path.name for path in found.iterdir()}
    assert "Rub your hands for 20 seconds, then rinse." in (found / "hand-washing.txt").read_text()


def test_a_format(house: House) -> None:
    copy = house("add-a-format.md")
    copy.tests("tests/test_cases.py", "-k", "handout", "--update-expected")
    copy.tests("tests/test_cases.py", "tests/test_architecture.py", "-k", "handout or plugin or import or docstring")
    assert "handout" in copy("list", "formats")
    partner = copy.project / "partners/first-partner.toml"
    text = partner.read_text()
    formats = re.search(r"^ *formats = .*$", text, re.M)
    assert formats is not None
    partner.write_text(text.replace(formats[0], 'formats = ["html", "handout"]'))
    copy.on_project("run", *AS_OF)
    pages = sorted((bundle(copy) / "en").glob("*/handout.html"))
    assert pages
    assert all("font: 14pt/1.5" in page.read_text() for page in pages)


def test_a_destination(house: House) -> None:
    copy = house("add-a-destination.md")
    copy.tests("tests/test_architecture.py", "-k", "import or docstring")
    store = f"sqlite://{copy.project / 'store.db'}"
    assert "sqlite" in copy("list", "destinations")
    copy.on_project("run", *AS_OF, "--store", store)
    copy.on_project("doctor", "--store", store)
    assert (bundle(copy, store) / "en").is_dir()
    assert "unchanged" in copy.on_project("run", *AS_OF, "--store", store)


def test_a_rule(house: House) -> None:
    copy = house("add-a-rule.md")
    copy.tests("tests/test_rules.py", "tests/test_architecture.py", "-k", "readability or plugin or import or docstring")
    topic = copy.project / "topics/drinking-water.dita"
    level = '<othermeta name="readingLevel" content="11"/>'
    topic.write_text(re.sub(r"(</metadata>)", rf"{level}\1", topic.read_text(), count=1))
    said = copy.on_project("explain", "drinking-water", "--partner", "first-partner", *AS_OF)
    assert "the topic reads at grade 11; the highest is 8" in said
