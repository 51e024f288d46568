"""Notices as mark-up outside of pages, by the same template (`notice.html`) that pages use.

In: an edition. Out: its credits, and its legal block. The mark-up is HTML and well-formed XML alike.
"""

from __future__ import annotations

from pipeline.contracts import Edition
from transforms._pages import common, template


def markup(edition: Edition) -> str:
    """Credits in one `div`, the legal block in another; one that has no notices is not there."""
    values = common(edition, b"")
    block = template(edition.site.templates, "notice.html").module.block  # type: ignore[attr-defined]  # the macro's name
    parts = []
    for name in ("credits", "legal"):
        notices = "".join(block(notice, values["relations"]) for notice in values[name])
        parts.append(f'<div class="syn-{name}">\n{notices}</div>\n' if notices else "")
    return "".join(parts)
