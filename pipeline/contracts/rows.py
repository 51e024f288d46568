"""What a release says of one topic and of one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of a release: its format ("" = of no format: the bundle's, or a topic's rights.json), bundle path, SHA-256 (hex),
    bytes, media type."""

    format: str
    path: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Pack:
    """One object of a store that holds many files, end to end, in the order of their SHA-256 (`members`: bytes by SHA-256)."""

    sha256: str
    members: Mapping[str, int]

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(self.members.values())


@dataclass(frozen=True, slots=True)
class Row:
    """One topic of a release, as manifest and catalog show it; what rules need to judge it again is in it.
    Dates are ISO strings ("" = none). `links` are (id, language) pairs that its pages lead to. `source` tells its input file
    from others, without naming it; `made_of` are digests of files, images, terms and notices, for the runs that follow."""

    id: str
    language: str
    title: str
    concept: str = ""
    version: str = ""
    kind: str = ""
    status: str = "active"
    marks: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    summary: str = ""
    also_called: tuple[str, ...] = ()
    codes: tuple[Mapping[str, str], ...] = ()
    created: str = ""
    modified: str = ""
    current_as_of: str = ""
    review_due: str = ""
    go_live: str = ""
    expires: str = ""
    agreement: str = ""
    clause: str = ""
    companions: tuple[str, ...] = ()
    text_sha256: str = ""
    translations: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    files: tuple[FileRow, ...] = ()
    proof: str = ""
    source: str = ""
    causes: Mapping[str, str] = field(default_factory=dict)
    made_of: Mapping[str, str] = field(default_factory=dict)

    def agreement_of(self, format_name: str) -> str:
        """The agreement that this format was published under: formats of a topic may stand under several."""
        others: dict[str, str] = json.loads(self.made_of.get("agreements", "{}"))
        return others.get(format_name, self.agreement)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """One topic that a site once had and must show no more. `decision` is the number of the decision, `versions` those that it
    names (none: all), `notice` what readers are told, by language, `contact` whom they may ask. `path` is the topic's folder;
    its `files` hold the notice now, for 24 months."""

    decision: int
    id: str
    language: str
    versions: tuple[str, ...]
    reason: str
    severity: str
    action: str
    at: str
    act_by: str
    notice: Mapping[str, str]
    contact: str
    replaced_by: str
    path: str
    files: tuple[FileRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """A topic that was renamed: old and new id in one language."""

    id: str
    language: str
    to: str


def plain_values(value: Any) -> dict[str, Any]:
    """A dataclass as JSON has it, records in it likewise: as `dataclasses.asdict`, which copies every text of it on the way."""
    found = {name: getattr(value, name) for name in value.__slots__}
    for name, inner in found.items():
        if type(inner) is tuple and inner and hasattr(inner[0], "__slots__"):
            found[name] = [plain_values(one) for one in inner]
    return found
