"""What people see of a command (pipeline/commands/speaking.py), on a terminal."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

import run_pipeline
from pipeline.commands import speaking


def test_brackets_in_a_title_are_no_mark_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    speaking.print_table([{"id": "insulin", "title": "Insulin [units] chart"}, {"id": "b", "title": "Dose [/units]"}])
    said = capsys.readouterr().out
    assert "Insulin [units] chart" in said
    assert "Dose [/units]" in said


def test_help_loses_no_word_in_brackets() -> None:
    said = " ".join(CliRunner().invoke(run_pipeline.app, ["deliver", "--help"]).stdout.split())
    assert "section delivery of their file" in said
