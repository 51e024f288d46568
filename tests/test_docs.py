"""The documentation says what the code does: every command, flag, setting and finding code is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import reference
import typer.main

import run_pipeline
from pipeline.findings import Code

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PROSE = "\n".join(path.read_text() for path in [*DOCS.glob("*.md"), ROOT / "README.md"])


def test_findings_page(expected: Callable[[Path, str | bytes], None]) -> None:
    expected(DOCS / "findings.md", reference.findings_page())


def test_settings_page(expected: Callable[[Path, str | bytes], None]) -> None:
    expected(DOCS / "settings.md", reference.settings_page())


def test_finding_codes_are_unique() -> None:
    seen: dict[str, object] = {}
    for module in reference.modules():
        for value in vars(module).values():
            if isinstance(value, Code):
                assert seen.setdefault(value.name, value) is value, f"{value.name} is declared twice"


def test_every_command_and_flag_is_documented() -> None:
    missing = []
    for name, command in _commands("", typer.main.get_command(run_pipeline.app)):
        missing += [name] if not re.search(rf"`?\b{name}\b", PROSE) else []
        for parameter in command.params:
            missing += [
                f"{name} {flag}"
                for flag in parameter.opts
                if flag.startswith("--") and f"`{flag}" not in PROSE and f"[{flag}" not in PROSE and f" {flag} " not in PROSE
            ]
    assert missing == []


def test_no_group_hides_another_of_its_name() -> None:
    names = [group.name for room in run_pipeline.ROOMS.values() for group in room.commands.registered_groups]
    assert len(set(names)) == len(names), names


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command by its words, those of groups too (`runs list`)."""
    inner = getattr(command, "commands", {})
    for word, one in inner.items():
        yield from _commands(f"{name} {word}".strip(), one)
    if not inner:
        yield name, command


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"
