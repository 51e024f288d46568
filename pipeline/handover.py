"""Hands a site's new content to the store: what is replaced is kept first, then the release is published.

In: a System, a store, a site, its new content and what is live. Out: Outcome. One way for all who publish: runs, withdrawals,
rollbacks, offboarding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.contracts import Archive, Content, FileRow, Outcome, OutputFile, Released, Releases, Site, Store
from pipeline.plugins import System
from pipeline.settings import Partner
from pipeline.standing import Standing


def hand_over(
    system: System,
    store: Store,
    site: Site,
    content: Content,
    live: Released | None,
    files: Iterable[OutputFile],
    *,
    run_id: str,
    created: str,
    terms: Mapping[str, bytes],
    standing: Standing,
) -> Outcome:
    """Stores the files that are new, keeps the release that is live, and publishes; `standing` are the decisions that the content
    obeys. Raises RaceLost, StoreError, UsageError."""
    releases: Releases = system.releases.load()
    archive: Archive = system.archive.load()
    content, files = as_stored(system, content, live, files)
    stored = releases.put_files(store, site.prefix, files, set(releases.present(store, site.prefix, files, live)))
    if live is None or content != live.content:
        archive.describe(store, site)
        archive.keep(store, site.prefix, live, terms)
        archive.claim(store, site.prefix, content, created)
    ids = {"run_id": run_id, "created": created, "decided": standing.mark}
    outcome = releases.publish(store, site, content, live, signing=system.signing, **ids)
    return replace(outcome, uploaded=outcome.uploaded + stored)


def as_stored(
    system: System, content: Content, live: Released | None, files: Iterable[OutputFile]
) -> tuple[Content, Sequence[OutputFile]]:
    """The content, or that of the live release where a later day is all that differs: a day that changed nothing is no new
    release, partners would fetch the same again. And what is to be stored for these files."""
    content, objects = system.releases.load().packed(content, live.content if live else None, files)
    return (live.content if live and replace(content, as_of=live.content.as_of) == live.content else content), objects


def file_rows(files: Iterable[OutputFile]) -> tuple[FileRow, ...]:
    """Files of the whole bundle as a release names them."""
    return tuple(FileRow("", f.path, hashlib.sha256(f.data).hexdigest(), len(f.data), f.media_type) for f in files)


def terms_of(system: System, partner: Partner) -> Mapping[str, bytes]:
    """The terms of a partner as they are hashed and kept, by SHA-256: the partner's file and the publisher's."""
    data = partner.model_dump_json(exclude={"webhook"}).encode() + system.configuration.publisher.model_dump_json().encode()
    return {hashlib.sha256(data).hexdigest(): data}
