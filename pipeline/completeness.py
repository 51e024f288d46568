"""Whether a topic says what readers expect of every topic: title, copyright, dates, people.

In: a topic's metadata, with the publisher's defaults filled in; what publisher.toml requires. Out: findings.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pipeline.findings import Finding, error, warning
from pipeline.topic import Metadata

REQUIRED: Final = error(
    "metadata.required-missing",
    "A topic lacks something that publisher.toml requires.",
    "Add it to the topic, give a default in publisher.toml, or take it out of 'require'.",
)
MISSING: Final = warning(
    "metadata.missing",
    "Neither the topic nor publisher.toml says something that readers expect. It is not printed.",
    "Add it to the topic, or give a default in publisher.toml.",
)


def check(metadata: Metadata, required: Collection[str]) -> list[Finding]:
    """What is required and missing: an error each; what else readers expect: one warning. Empty where nothing is missing."""
    said = {
        "title": bool(metadata.title.strip()),
        "copyright": metadata.copyright is not None,
        "current-as-of": metadata.current_as_of is not None,
        "author": bool(metadata.authors),
        "reviewer": bool(metadata.reviews),
    }
    missing = [kind for kind, there in said.items() if not there]
    found = [
        REQUIRED.at(metadata.file, metadata.line, f"the topic has no {kind}, which publisher.toml requires")
        for kind in missing
        if kind in required
    ]
    optional = [kind for kind in missing if kind not in required]
    if optional:
        found.append(
            MISSING.at(metadata.file, metadata.line, f"neither the topic nor publisher.toml says: {', '.join(optional)}")
        )
    return found
