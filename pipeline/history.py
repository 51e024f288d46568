"""What a site showed of a topic at a moment, from the archive: for whoever must answer for it years later.

In: a store, a site, a topic, a moment. Out: `Shown`: the release, the topic's row or the notice in its place, the terms and
proofs, and the bytes. Reads no source and no setting of today.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from pipeline.contracts import Archive, Content, FileRow, PastRelease, Row, Store, Withdrawn
from pipeline.errors import NotFound, UsageError
from pipeline.plugins import System
from pipeline.settings import unknown
from pipeline.withdrawing import live_release


@dataclass(frozen=True)
class Lived:
    """A release, since when it was live, and until when ("" = it still is)."""

    release: PastRelease
    since: str
    until: str


@dataclass(frozen=True)
class Shown:
    """What was live of a topic: `row` or `withdrawn`, or neither, where the site did not have it. `terms` are those of the
    release, as they were hashed (publisher's and partner's file)."""

    site: str
    topic: str
    language: str
    lived: Lived
    content: Content
    row: Row | None
    withdrawn: Withdrawn | None
    terms: bytes

    @property
    def files(self) -> tuple[FileRow, ...]:
        """The topic's files, or those of the notice in its place."""
        return self.row.files if self.row else self.withdrawn.files if self.withdrawn else ()

    def as_json(self) -> dict[str, Any]:
        """All of it but the bytes, as plain values."""
        release = self.lived.release
        return {
            "site": self.site,
            "topic": self.topic,
            "language": self.language,
            "release": {**asdict(release), "since": self.lived.since, "until": self.lived.until},
            "state": "published" if self.row else "withdrawn" if self.withdrawn else "not there",
            "license": self.content.license,
            "notices": self.content.notices.get(self.language, {}),
            "row": asdict(self.row) if self.row else None,
            "withdrawn": asdict(self.withdrawn) if self.withdrawn else None,
            "files": [asdict(file) for file in self.files],
        }

    def lines(self) -> Iterator[str]:
        """The same in words."""
        release, until = self.lived.release, self.lived.until or "it is live still"
        yield f"{self.site}: release {release.sequence}, live from {self.lived.since}, until {until}"
        yield f"  manifest {release.manifest_sha256}"
        yield f"  terms    {release.terms_sha256}"
        if self.row:
            row = self.row
            yield f"  {row.title!r}, version {row.version or '(none)'}, current as of {row.current_as_of or '(not said)'}"
            yield f"  under {row.agreement}, {row.clause}"
            yield f"  text {row.text_sha256}"
            yield f"  notices proven {row.proof}"
            yield from (f"  marked: {mark}" for mark in row.marks)
        elif self.withdrawn:
            gone = self.withdrawn
            yield f"  withdrawn by decision {gone.decision} of {gone.at} ({gone.reason}); in its place readers saw:"
            yield f"  {' '.join(gone.notice.values())}"
        else:
            yield f"  the site did not have {self.topic} in {self.language}"
        yield from (f"  {file.path}  {file.size} bytes, SHA-256 {file.sha256}" for file in self.files)


def lives(system: System, store: Store, prefix: str) -> list[tuple[Lived, Content | None]]:
    """Every release of a site, oldest first; the live one, which no archive needs to hold, with its content."""
    archive: Archive = system.archive.load()
    past = archive.releases(store, prefix)
    live = live_release(system, store, prefix)
    found: list[tuple[PastRelease, Content | None]] = [(each, None) for each in past if not live or each.sequence < live.sequence]
    if live:
        last = PastRelease(live.sequence, live.created, live.manifest_sha256, live.content.terms_sha256)
        found.append((last, live.content))
    # a release bears the moment when its run began; one that began earlier may have been published later
    since = list(accumulate((each.created for each, _ in found), _later))
    ends = [*since[1:], ""]
    return [(Lived(each, start, end), content) for (each, content), start, end in zip(found, since, ends, strict=True)]


def _later(one: str, other: str) -> str:
    return max(one, other, key=datetime.fromisoformat)


def shown(system: System, store: Store, prefix: str, topic: str, language: str, at: datetime) -> Shown:
    """What a site showed of a topic at a moment. Raises UsageError where nothing was live then, or the topic is named in a
    language that it did not have; StoreError where something is gone or altered."""
    archive: Archive = system.archive.load()
    everything = lives(system, store, prefix)
    before = [(lived, content) for lived, content in everything if datetime.fromisoformat(lived.since) <= at]
    if not before:
        first = f"release {everything[0][0].release.sequence} of {everything[0][0].release.created}" if everything else "none"
        raise UsageError(
            f"nothing was live on site {prefix.removeprefix('p/')} at {at.isoformat()}",
            expected=f"a moment after its first release that is kept: {first}",
            fix="give a later --at",
        )
    lived, content = before[-1]
    content = content or archive.content(store, prefix, lived.release)
    tag = _language(content, topic, language)
    row = next((row for row in content.rows if (row.id, row.language) == (topic, tag)), None)
    gone = next((gone for gone in content.withdrawn if (gone.id, gone.language) == (topic, tag)), None)
    try:
        terms = archive.terms(store, prefix, content.terms_sha256)
    except NotFound:
        terms = b""  # published before terms were kept
    return Shown(prefix.removeprefix("p/"), topic, tag, lived, content, row, gone, terms)


def _language(content: Content, topic: str, language: str) -> str:
    tags = sorted(
        {row.language for row in content.rows if row.id == topic} | {g.language for g in content.withdrawn if g.id == topic}
    )
    if language and tags and language not in tags:
        raise unknown(f"language of {topic}", language, tags)
    if not language and len(tags) > 1:
        raise UsageError(
            f"topic {topic} was there in several languages", expected=", ".join(tags), fix="name one with --language"
        )
    return language or (tags[0] if tags else "")


def write(system: System, store: Store, prefix: str, found: Shown, folder: Path) -> Sequence[Path]:
    """Writes the bytes, the terms and the report to a folder, and returns what was written. Raises StoreError where bytes are
    gone or altered, UsageError where the folder can not be written."""
    archive: Archive = system.archive.load()
    names = [file.path for file in found.files]
    data = dict(zip(names, archive.files(store, prefix, found.content, found.files), strict=True))
    data["report.json"] = (json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n").encode()
    if found.terms:
        data["terms.json"] = found.terms
    try:
        for name, content in data.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as problem:
        raise UsageError(f"{folder} can not be written", found=str(problem), fix="give another -o DIR") from None
    return [folder / name for name in data]
