"""A report on rights as one HTML page: fit to be read by a lawyer, printed, and kept.

In: a `RightsReport`. Out: a page that needs no other file, no script and no network, can be read by screen readers, and prints
with page numbers. Titles and names come from outside: the template escapes all of it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pipeline.ahead import KINDS
from pipeline.labels import labels
from pipeline.rights_report import RightsReport


def page(found: RightsReport) -> str:
    """The whole page."""
    made: str = _template().render(report=found, kinds=KINDS, for_us=found.whom == "us", language=_language)
    return made


def _language(tag: str) -> str:
    """A language by its English name: `Spanish (es)`."""
    name = labels("en").language_name(tag)
    return tag if name == tag else f"{name} ({tag})"


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).with_name("pages")
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("rights.html")
