"""The text of a source file, line by line. In: a file's name as findings write it, untrusted. Out: its lines, or None.

Read is what the inputs hold, the settings files, and files in a site's own templates; no other name reaches the file system.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import NotFound
from pipeline.preview.project import Snapshot, template_folders

AROUND: Final = 400  # lines shown before and after the one that is asked for
LONGEST_LINE: Final = 2000
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9._-]{1,40})["']""")


@dataclass(frozen=True)
class SourceText:
    """`lines` begin at line `first`; `total` is how many the file has; `path` where it is on this machine ("" = elsewhere)."""

    name: str
    lines: tuple[str, ...]
    first: int
    total: int
    path: str = ""


def source_text(snapshot: Snapshot, name: str, line: int) -> SourceText | None:
    """The file around a line; None where it is none that the preview may show."""
    path = _own_file(snapshot, name)
    try:
        data = snapshot.catalog.files.read(name) if name in snapshot.catalog.files else path.read_bytes() if path else None
    except (NotFound, OSError):
        data = None
    if data is None:
        return None
    lines = decoded(data).splitlines()
    first = max(1, line - AROUND) if line else 1
    shown = lines[first - 1 : first + 2 * AROUND]
    return SourceText(name, tuple(text[:LONGEST_LINE] for text in shown), first, len(lines), str(path or ""))


def decoded(data: bytes) -> str:
    """The text of a file in the encoding that it declares; what does not fit shows as a replacement character."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not encoding and b"\0" in data[:4]:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    if not encoding and (declared := _DECLARED.match(data)):
        encoding = declared[1].decode("ascii")
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        encoding = "utf-8"
    return data.decode(encoding or "utf-8", errors="replace")


def _own_file(snapshot: Snapshot, name: str) -> Path | None:
    """Where a file is that belongs to the project: an input on this disk, a settings file, a template."""
    configuration = snapshot.system.configuration
    if not name or "\0" in name:
        return None
    path = (configuration.folder / name).resolve()
    settings = configuration.settings
    known = {configuration.path(written) for written in (settings.publisher, settings.assets) if written}
    known |= {configuration.path(f"{settings.partners}/{partner.id}.toml") for partner in configuration.partners}
    if name in snapshot.catalog.files or path in known:
        return path if path.is_file() else None
    for folder in map(configuration.path, template_folders(snapshot.system)):
        if path.is_relative_to(folder) and path.is_file():
            return path
    return None
