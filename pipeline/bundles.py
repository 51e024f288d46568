"""The files of a whole bundle: pages and indexes over all topics, style sheets, the list of what was withdrawn.

In: a System, a site, the rows of its release, what is withdrawn there. Out: `OutputFile`s. Nothing here reads a source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from pipeline import rights
from pipeline.contracts import OutputFile, Publisher, Row, Site, Withdrawn
from pipeline.errors import UsageError
from pipeline.plugins import System
from pipeline.sites import template_failure
from pipeline.standing import table

WITHDRAWN_LIST: Final = "withdrawn.csv"
COLUMNS: Final = tuple(field.name for field in fields(Withdrawn) if field.name != "files")


def bundle_files(
    system: System,
    site: Site,
    publisher: Publisher,
    rows: Sequence[Row],
    withdrawn: Sequence[Withdrawn] = (),
    before: Sequence[Row] = (),
) -> list[OutputFile]:
    """Files of the whole bundle, from each format that the site has (or had, in the rows `before`) and that makes any; by path.
    Raises UsageError where a template of the site's own fails."""
    present = _formats((*rows, *before)) | {file.format for gone in withdrawn for file in gone.files}
    files: dict[str, OutputFile] = {rights.SCHEMA_NAME: rights.bundle()} if rows else {}
    for name, plugin in system.transforms.items():
        make = getattr(plugin.load(), "bundle", None)
        if name in present and make:
            try:
                made = make(rows, site, publisher)
            except Exception as problem:  # a template of the site's own, which has never seen these rows before
                raise _unmade(problem, site, system) from problem
            files.update({file.path: file for file in made})
    if present:
        files[WITHDRAWN_LIST] = withdrawn_list(withdrawn)
    return [files[path] for path in sorted(files)]


def _formats(rows: Sequence[Row]) -> set[str]:
    return {file.format for row in rows for file in row.files if file.format}


def withdrawn_list(withdrawn: Sequence[Withdrawn]) -> OutputFile:
    """`withdrawn.csv` (RFC 4180, UTF-8): one line for each topic that the site once had and must show no more."""
    ordered = sorted(withdrawn, key=lambda gone: (gone.id, gone.language))
    return OutputFile(WITHDRAWN_LIST, table(ordered, COLUMNS).encode(), "text/csv")


def _unmade(problem: Exception, site: Site, system: System) -> UsageError:
    failed = template_failure(problem, site, system.configuration.folder)
    place = f"{failed.file}:{failed.line}: " if failed else ""
    return UsageError(
        f"the pages of the whole bundle of site {site.id} can not be made",
        found=f"{place}{type(problem).__name__}: {problem}",
        fix="mend the template, or take it out of the site's folder: then ours is used" if failed else "report it",
    )
