"""Names in one spelling, and those that no file may have. In: names from outside. Out: what to do about them.

Specification: BCP 47 (RFC 5646, 2.1.1: the usual case of a tag's parts); for devices Microsoft, "Naming Files, Paths, and
Namespaces".
"""

from __future__ import annotations

import re
from typing import Final

# What Windows takes for a device, whatever ends the name has. Superscript digits count there.
DEVICES: Final = r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.[^/]*)?"
_DEVICE: Final = re.compile(rf"(?:^|/){DEVICES}(?:/|$)", re.IGNORECASE)
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def has_device(path: str) -> bool:
    """Whether a part of a path is a device on Windows: a partner may unpack there."""
    return _DEVICE.search(path) is not None


def language_tag(raw: str) -> str:
    """A language tag in its usual spelling (en-US, zh-Hant, en-x-us), so that two of one are equal; "" where it is none."""
    if not _TAG.fullmatch(raw):
        return ""
    first, *rest = raw.lower().split("-")
    private = next((place for place, part in enumerate(rest) if len(part) == 1), len(rest))
    return "-".join([first, *(_shaped(part) if place < private else part for place, part in enumerate(rest))])


def _shaped(part: str) -> str:
    return part.upper() if len(part) == 2 else part.title() if len(part) == 4 and part.isalpha() else part
