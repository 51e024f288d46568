"""Finished pages of the two page formats, for the tests that look into them."""

from __future__ import annotations

from pathlib import Path

from rendering import rendered

from pipeline.contracts import OutputFile


def page(format_name: str, case: str) -> str:
    """The finished page of a case."""
    return rendered(format_name, case)[0].data.decode()


def written(folder: Path, files: list[OutputFile]) -> list[Path]:
    """Lays files out below a folder; returns the pages."""
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
    return [folder / file.path for file in files if file.media_type == "text/html"]
