"""Shared by all tests: expected files, tools that may be missing, corpora that may be elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from demo import Demo, copy_of_examples, run
from hypothesis import settings
from validators import ACE, AXE, NU_JAR, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The same examples in every run: a gate that turns red by chance is one that people learn to ignore. To search for new
# examples, run with --hypothesis-profile=default.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-expected", action="store_true", help="rewrite expected files; read the diff before you commit it")


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Callable[[Path, str | bytes], None]:
    """`expected(path, actual)`: equal to the saved file, or (with --update-expected) saves it."""
    update = request.config.getoption("--update-expected")

    def compare(path: Path, actual: str | bytes) -> None:
        data = actual.encode() if isinstance(actual, str) else actual
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"{path} is missing: run pytest --update-expected and read the diff"
        saved = path.read_bytes()
        if isinstance(actual, str):
            assert actual == saved.decode()
        else:
            assert actual == saved

    return compare


def require_tool(found: bool, name: str) -> None:
    """Skips where a tool is missing, fails where REQUIRE_ALL_TOOLS is set (in CI)."""
    if found:
        return
    if os.environ.get("REQUIRE_ALL_TOOLS"):
        pytest.fail(f"{name} is missing and REQUIRE_ALL_TOOLS is set")
    pytest.skip(f"{name} is not installed")


def require_command(*names: str) -> str:
    """The path of the first of these commands that is installed; else as require_tool."""
    for name in names:
        if path := shutil.which(name):
            return path
    require_tool(False, names[0])
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real topic XML that SYNDICATION_CORPORA names; skips, saying so, where it is unset."""
    folder = os.environ.get("SYNDICATION_CORPORA", "")
    if not folder:
        pytest.skip("SYNDICATION_CORPORA is not set: no corpora to run over")
    assert Path(folder).is_dir(), f"SYNDICATION_CORPORA={folder} is not a folder"
    return Path(folder)


@pytest.fixture(scope="session")
def examples_run(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One run over a copy of examples/, every partner's bundle pulled and verified."""
    folder = tmp_path_factory.mktemp("examples")
    return run(copy_of_examples(folder / "project"), folder / "bundles")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium."""
    return require_command("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    with chromium(chromium_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def npm_tools() -> None:
    """Nu, axe and Ace, as `make test` installs them from npm."""
    require_command("node")
    require_tool(NU_JAR.exists() and AXE.exists() and ACE.is_dir(), "tests/tools/node_modules (npm ci in tests/tools)")
