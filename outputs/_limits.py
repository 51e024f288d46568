"""How much may come from a store, and how what comes may be shown. In: untrusted bytes and words. Out: the same, or a refusal.

A store's answers are not believed: one that never ends must not fill the memory, and one with line ends or a terminal's control
characters in it must not write in a log what we did not say.
"""

from __future__ import annotations

from typing import Final

from pipeline.errors import Altered

SHOWN: Final = 300  # characters of a stranger's words in a message


def within(data: bytes, limit: int | None, what: str) -> bytes:
    """`data`, where it has no more bytes than `limit`. Raises Altered."""
    if limit is None or len(data) <= limit:
        return data
    raise too_large(what, limit, "more")


def too_large(what: str, limit: int, found: str) -> Altered:
    """The Altered for an object that is larger than it may be."""
    return Altered(
        f"{what} is larger than it may be, so no more of it was read",
        expected=f"at most {limit} bytes",
        found=found,
        fix="do not use it; look at the address, then ask the publisher: someone may have changed the store",
    )


def plain(words: object) -> str:
    """A stranger's words as one line of printable characters."""
    text = "".join(character if character.isprintable() else " " for character in str(words)[: 4 * SHOWN])
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
