"""Zip files without a clock, from members that are packed once and copied ever after.

In: names and bytes. Out: `Member` values (deflated once, where the bytes are first known), and the bytes of a zip file made
of them. `zipfile` has no public way to copy a packed member; the format (PKWARE APPNOTE 4.3, 4.4) is this small without
encryption, Zip64 and comments.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_VERSION: Final = 20  # of the format: deflate, folders
_UTF8_NAME: Final = 0x0800
_TIME, _DATE = 0, 0x0021  # 1980-01-01 00:00, the first that the format knows
_STORED, _DEFLATED = 0, 8
_SMALLEST_WINDOW: Final = 10  # bits
_LARGEST: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """One packed file: name, method, check sum and size of its bytes, and the bytes as packed."""

    name: str
    method: int
    crc: int
    size: int
    packed: bytes


def stored(name: str, data: bytes) -> Member:
    """A member that stands in the zip as it is: an EPUB's `mimetype`, an image that is packed already."""
    return Member(name, _STORED, zlib.crc32(data), len(data), data)


def deflated(name: str, data: bytes) -> Member:
    """A member packed with deflate."""
    # zlib clears its tables before it begins: for 3 kB in a window of 32 kB that takes twice as long as packing them.
    window = min(max((len(data) - 1).bit_length(), _SMALLEST_WINDOW), zlib.MAX_WBITS)
    packer = zlib.compressobj(6, zlib.DEFLATED, -window, min(window - 5, zlib.DEF_MEM_LEVEL))
    return Member(name, _DEFLATED, zlib.crc32(data), len(data), packer.compress(data) + packer.flush())


def archive(members: Iterable[Member]) -> bytes:
    """A zip file of the members, in their order. Raises ValueError where it would pass 4 GB."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for member in members:
        name = member.name.encode()
        flags = 0 if member.name.isascii() else _UTF8_NAME
        common = (flags, member.method, _TIME, _DATE, member.crc, len(member.packed), member.size, len(name), 0)
        if offset + _LOCAL.size + len(name) + len(member.packed) > _LARGEST:
            raise ValueError(f"a zip file of more than 4 GB, at member {member.name!r}")
        parts += [_LOCAL.pack(b"PK\x03\x04", _VERSION, *common), name, member.packed]
        directory += [_CENTRAL.pack(b"PK\x01\x02", _VERSION, _VERSION, *common, 0, 0, 0, 0, offset), name]
        offset += _LOCAL.size + len(name) + len(member.packed)
    listing = b"".join(directory)
    count = len(directory) // 2
    return b"".join([*parts, listing, _END.pack(b"PK\x05\x06", 0, 0, count, count, len(listing), offset, 0)])
