"""Packs: the notices of one withdrawal, many and small, in few objects, because a bucket takes some hundred objects a second.

In: files. Out: objects of the store, and the way back. A pack is stored under its own SHA-256 like any blob, and is its members,
end to end, in the order of their SHA-256; the manifest says their sizes (`packs`), so where each begins follows, and none can
overlap another or lie outside. Each is proven by its own SHA-256 before it counts. All other files are objects of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from outputs import manifest
from pipeline.contracts import Content, FileRow, Pack

if TYPE_CHECKING:  # a partner's client reads packs, and makes none
    from pipeline.contracts import OutputFile

MEDIA_TYPE: Final = "application/octet-stream"
SIZE: Final = 4 * 1024**2  # bytes of a pack, at most: a client holds some of them in memory at once


def packed(content: Content, live: Content | None, files: Iterable[OutputFile]) -> tuple[Content, list[OutputFile]]:
    """The content as it is stored, after what is `live`, and the objects to put for `files`, which may be new: those that are
    notices in it, and in no pack that is there, in packs; the others as they are."""
    there = (*content.packs, *(live.packs if live else ()))
    known, notices = homes(there), {file.path for gone in content.withdrawn for file in gone.files}
    others, new = [], {}
    for file in files:
        sha256 = hashlib.sha256(file.data).hexdigest() if file.path in notices else ""
        if not sha256:
            others.append(file)
        elif sha256 not in known:
            new[sha256] = file
    made = []
    for pack, data in _made({sha256: file.data for sha256, file in new.items()}):
        if len(pack.members) == 1:  # a file that is alone needs no pack
            others.append(new[pack.sha256])
        else:
            made.append(pack)
            others.append(_object(pack, data))
    packs = _needed((*there, *made), manifest.all_files(content))
    return replace(content, packs=packs), others


def _object(pack: Pack, data: bytes) -> OutputFile:
    from pipeline.contracts import OutputFile

    return OutputFile(f"blobs/{pack.sha256}", data, MEDIA_TYPE)


def _made(files: Mapping[str, bytes]) -> Iterator[tuple[Pack, bytes]]:
    """The files, by SHA-256, in packs of at most SIZE (a larger file has one to itself)."""
    group: list[str] = []
    size = 0
    for sha256 in sorted(files):
        if group and size + len(files[sha256]) > SIZE:
            yield _joined(group, files)
            group, size = [], 0
        group.append(sha256)
        size += len(files[sha256])
    if group:
        yield _joined(group, files)


def _joined(group: Iterable[str], files: Mapping[str, bytes]) -> tuple[Pack, bytes]:
    members = {sha256: len(files[sha256]) for sha256 in group}
    data = b"".join(files[sha256] for sha256 in members)
    return Pack(hashlib.sha256(data).hexdigest(), members), data


def _needed(packs: Iterable[Pack], files: Iterable[FileRow]) -> tuple[Pack, ...]:
    """Those of the packs that one of the files is read from."""
    chosen = homes(packs)
    found = {chosen[file.sha256].sha256: chosen[file.sha256] for file in files if file.sha256 in chosen}
    return tuple(found[sha256] for sha256 in sorted(found))


# --- reading --------------------------------------------------------------------------------------


def homes(packs: Iterable[Pack]) -> dict[str, Pack]:
    """By a file's SHA-256, the pack that it is read from; one that is not among them is an object of its own."""
    found: dict[str, Pack] = {}
    for pack in sorted(packs, key=lambda pack: pack.sha256):
        for sha256 in pack.members:
            found.setdefault(sha256, pack)
    return found


def objects(content: Content) -> dict[str, tuple[int, str]]:
    """By SHA-256, size and media type of every object that the files of a content are in."""
    inside = homes(content.packs)
    found = {}
    for file in manifest.all_files(content):
        pack = inside.get(file.sha256)
        found[pack.sha256 if pack else file.sha256] = (pack.size, MEDIA_TYPE) if pack else (file.size, file.media_type)
    return found


def cut(pack: Pack, data: bytes, wanted: Container[str], what: str) -> Iterator[tuple[str, bytes]]:
    """SHA-256 and bytes of the wanted members. Raises Altered where `data` is not the pack, or a member not what it says."""
    manifest.check_blob(data, pack.sha256, pack.size, what)
    start = 0
    for sha256, size in sorted(pack.members.items()):
        if sha256 in wanted:
            member = data[start : start + size]
            if sha256 != pack.sha256:
                manifest.check_blob(member, sha256, size, f"a file in {what}")
            yield sha256, member
        start += size


def read(get: Callable[[str, int], bytes], packs: Iterable[Pack], files: Iterable[FileRow], what: str) -> Iterator[bytes]:
    """The bytes of files, in their order; `get` gives an object's by SHA-256 and size. Packs are read once each, and kept."""
    inside, files = homes(packs), list(files)
    wanted = {file.sha256 for file in files}
    held: dict[str, bytes] = {}
    for file in files:
        if file.sha256 not in inside:
            yield get(file.sha256, file.size)
            continue
        if file.sha256 not in held:
            pack = inside[file.sha256]
            held.update(cut(pack, get(pack.sha256, pack.size), wanted, f"the pack {pack.sha256} of {what}"))
        yield held[file.sha256]
