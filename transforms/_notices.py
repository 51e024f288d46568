"""Notices as mark-up outside of pages, by the same template (`notice.html`) that pages use.

In: an edition. Out: its credits, and its legal block. The mark-up is HTML and well-formed XML alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts import Edition
from pipeline.notices import CREDITS, Notice
from transforms._pages import block


def markup(edition: Edition, given: Sequence[Notice] | None = None) -> str:
    """Credits in one `div`, the legal block in another; one that has no notices is not there. The notices are the edition's,
    unless others are given."""
    groups: dict[str, list[Notice]] = {"credits": [], "legal": []}
    for notice in edition.notices if given is None else given:
        groups["credits" if notice.kind in CREDITS else "legal"].append(notice)
    return "".join(
        f'<div class="syn-{name}">\n{"".join(block(edition.site.templates, notice) for notice in notices)}</div>\n'
        for name, notices in groups.items()
        if notices
    )
