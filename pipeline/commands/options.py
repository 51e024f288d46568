"""Options that several commands have, each with one name and one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", "-c", help="The settings file.", show_default=True)]
Partners = Annotated[list[str] | None, typer.Option("--partner", "-p", help="Only this partner (may be repeated).")]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", "-t", help="Only this topic (may be repeated); the others stay as published.")
]
AsOf = Annotated[str, typer.Option("--as-of", help="The day to decide for, YYYY-MM-DD; default: today where each partner is.")]
Workers = Annotated[int | None, typer.Option("--workers", "-w", min=0, help="Processes that render; 0: one per core.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON, for programs.")]
SiteOption = Annotated[str, typer.Option("--site", help="The site, where the partner has several.")]
Language = Annotated[str, typer.Option("--language", "-l", help="The language, where the topic has several.")]
LogFormat = Annotated[
    str,
    typer.Option("--log-format", envvar="SYNDICATION_LOG_FORMAT", help="Progress, warnings and errors as text or json lines."),
]
