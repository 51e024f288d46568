"""A zip archive as an input: read-only.

In: the path of a `.zip` file. Out: a `Store` of its members. An archive comes from outside: one with
names that lead elsewhere, links, passwords, two members of one name, or more bytes than an archive of text has, is refused
whole, before anything is read from it. Nothing is ever unpacked to disk.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from outputs._limits import within
from pipeline.contracts import Stored
from pipeline.errors import NotFound, StoreError, UsageError

MEMBER_LIMIT: Final = 512 * 1024**2  # bytes of one member, unpacked
TOTAL_LIMIT: Final = 16 * 1024**3  # bytes of all members, unpacked
RATIO_LIMIT: Final = 200  # unpacked to packed; XML reaches 20, made-up repetition 1000
RATIO_FROM: Final = 8 * 1024**2  # below this size no ratio is dangerous


def claims(url: str) -> bool:
    """Whether the path is a local archive: it ends in `.zip`."""
    return url.lower().endswith(".zip") and "://" not in url


def open(url: str, settings: Mapping[str, Any]) -> Archive:  # noqa: A001, ARG001  # the contract's names; there are no settings
    """The archive's store. The file is opened on first use."""
    return Archive(url)


@dataclass(frozen=True, slots=True)
class Archive:
    """The `Store` of one archive: keys are member names, tokens the members' CRC."""

    url: str

    def get(self, key: str, limit: int | None = None) -> tuple[bytes, str]:
        """A member's bytes and token. Raises NotFound, StoreError, and UsageError where the archive is refused."""
        archive, members = self._open()
        member = members.get(key)
        if member is None:
            raise NotFound(f"no member {key!r} in {self.url}")
        try:
            with archive.open(member) as file:
                data = file.read(member.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError) as problem:
            raise _damaged(self.url, problem) from None
        if len(data) != member.file_size:
            raise _damaged(self.url, f"{key} unpacks to other than the {member.file_size} bytes it declares")
        return within(data, limit, f"{self.url}: {key!r}"), _token(member)

    def get_changed(self, key: str, token: str, limit: int | None = None) -> tuple[bytes, str] | None:
        """See contracts.Store.get_changed. Raises as `get`."""
        found = self.get(key, limit)
        return None if found[1] == token else found

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Every member whose name starts with `prefix`, by name. Raises as `get`."""
        for name, member in self._open()[1].items():
            if name.startswith(prefix):
                yield Stored(name, member.file_size, _token(member))

    def put(self, key: str, *_data: object, **_options: object) -> str:
        """Raises UsageError: an archive is read only."""
        raise self._read_only(key)

    def delete(self, key: str) -> None:
        """Raises UsageError: an archive is read only."""
        raise self._read_only(key)

    def _open(self) -> tuple[zipfile.ZipFile, Mapping[str, zipfile.ZipInfo]]:
        try:
            state = Path(self.url).stat()
        except OSError:
            raise UsageError(f"no archive {self.url}", fix="check `inputs` in syndication.toml") from None
        return _opened(self.url, (state.st_mtime_ns, state.st_size, os.getpid()))

    def _read_only(self, key: str) -> UsageError:
        return UsageError(
            f"can not write {key!r}: {self.url} is an archive, and archives are inputs only", fix="name a folder or s3:// store"
        )


# Per process: workers get an archive with every job, and its directory is read once. Open files do not survive a fork.
@lru_cache(maxsize=4)
def _opened(url: str, _state: tuple[int, int, int]) -> tuple[zipfile.ZipFile, Mapping[str, zipfile.ZipInfo]]:
    """The open archive, and its members by name. Raises UsageError where it is refused, StoreError where it is damaged."""
    try:
        archive = zipfile.ZipFile(url)
    except (zipfile.BadZipFile, OSError, ValueError) as problem:
        raise _damaged(url, problem) from None
    members = [member for member in archive.infolist() if not member.is_dir()]
    _check(url, members)
    return archive, {member.filename: member for member in sorted(members, key=lambda m: m.filename)}


def _check(url: str, members: Sequence[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        problem = _refusal(member) or ("stands in it twice" if member.filename in seen else "")
        if problem:
            raise _refused(url, f"its member {member.filename!r} {problem}")
        seen.add(member.filename)
    total, packed = sum(member.file_size for member in members), Path(url).stat().st_size
    if total > TOTAL_LIMIT or _bomb(total, packed):
        raise _refused(url, f"its {packed} bytes would unpack to {total}")


def _refused(url: str, found: str) -> UsageError:
    return UsageError(
        f"the archive {url} is refused",
        expected="plain relative names, no links, no passwords, and no more bytes than text unpacks to",
        found=found,
        fix="find out who made it, and have it made again",
    )


def _damaged(url: str, problem: object) -> StoreError:
    return StoreError(f"the archive {url} can not be read", found=str(problem), fix="copy or make the archive again")


def _refusal(member: zipfile.ZipInfo) -> str:
    """Why a member makes its archive unsafe; "" where it does not."""
    name = member.filename
    if (
        name.startswith("/")
        or "\\" in name
        or ":" in name.split("/")[0]
        or any(part in ("", ".", "..") for part in name.split("/"))
    ):
        return "leads out of the archive"
    if not name.isprintable():
        return "has a control character in its name"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.file_size > MEMBER_LIMIT or _bomb(member.file_size, member.compress_size):
        return f"would unpack from {member.compress_size} to {member.file_size} bytes"
    return ""


def _bomb(size: int, packed: int) -> bool:
    return size > RATIO_FROM and size > RATIO_LIMIT * packed


def _token(member: zipfile.ZipInfo) -> str:
    return f"{member.CRC:08x}-{member.file_size}"
