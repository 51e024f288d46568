"""Topics that are live and can not be read today: they stay, where today's rules still grant them.

In: the catalog, and what is live of a site. Out: the metadata of those topics, as far as the release says them, so that
rules can judge them like any other. A file that broke says nothing of what was in it: taking its topics down would be a
removal that nobody decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

from pipeline.catalog import Catalog
from pipeline.contracts import Row
from pipeline.findings import Severity, has_errors
from pipeline.inputs import FOLDER_UNREADABLE, NO_INPUT, UNCLAIMED
from pipeline.topic import Metadata


def source_mark(file: str) -> str:
    """What a row says of the input file that its topic was read from: enough to know it again, and no name."""
    return hashlib.sha256(file.encode()).hexdigest()[:16]


def unread(catalog: Catalog, conditions: str, rows: Iterable[Row], *, missing_too: bool = False) -> list[Metadata]:
    """Of these live rows, the topics that the inputs neither hold nor are known to be without: their file or their id is in
    error, or the whole index is. `missing_too`: also those that the inputs are known to be without."""
    present = {metadata.key for metadata in catalog.under(conditions)}
    broken = [finding for finding in catalog.findings if finding.severity is Severity.ERROR or finding.code == UNCLAIMED.name]
    marks = {source_mark(finding.file) for finding in broken}
    topics = {finding.topic for finding in broken}
    everything = missing_too or _blank(catalog, conditions)
    return [
        metadata_of(row)
        for row in rows
        if (row.id, row.language) not in present and (everything or row.source in marks or f"{row.id} {row.language}" in topics)
    ]


def _blank(catalog: Catalog, conditions: str) -> bool:
    """Whether nothing at all is said: the inputs are empty (a disk that is not mounted) or have a folder that can not be listed,
    or a source's conditions can not be read, or its maps not be walked."""
    if any(finding.code in (NO_INPUT.name, FOLDER_UNREADABLE.name) for finding in catalog.findings):
        return True
    indexes = [index for (_, name), index in catalog.indexes.items() if name == conditions]
    return any(not index.entries and has_errors(list(index.findings)) for index in indexes)


def metadata_of(row: Row) -> Metadata:
    """What a release says of a topic, for rules to judge."""
    return Metadata(
        id=row.id,
        language=row.language,
        title=row.title,
        version=row.version,
        concept=row.concept,
        kind=row.kind,
        audiences=row.audiences,
        territories=row.territories,
        collections=row.collections,
        companions=row.companions,
        created=_day(row.created),
        modified=_day(row.modified),
        current_as_of=_day(row.current_as_of),
        review_due=_day(row.review_due),
        go_live=_day(row.go_live),
        expires=_day(row.expires),
        status=row.status,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
