"""The guard against silent edits: text that changed while neither version nor review date moved.

In: a topic's new row and the one that is live, edits that somebody confirmed. Out: a finding, or None. A topic whose files are
the same as before reads otherwise because this program does: nobody edited it, so nobody is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.contracts import Row
from pipeline.findings import Finding, error
from pipeline.made_of import pairs

CHANGED: Final = error(
    "topic.changed-without-version",
    "The text of a topic is another than what was last published, while neither its version nor its review date moved. What is"
    " live stays.",
    "Give the topic a new version or review date. Where the edit changes no meaning, or is one of a shared file, confirm it once"
    " in syndication.toml, under [confirmed_edits], with the line that the finding names.",
)


def check(
    new: Row, live: Row | None, confirmed: Mapping[str, str], names: Mapping[str, str], place: tuple[str, int]
) -> Finding | None:
    """The finding for a silent edit. `names`: input files by their mark; `place`: file and line of the topic."""
    if live is None or new.text_sha256 == live.text_sha256 or not (new.version or new.current_as_of):
        return None
    if (new.version, new.current_as_of) != (live.version, live.current_as_of):
        return None
    before, after = pairs(live.made_of.get("files", "")), pairs(new.made_of.get("files", ""))
    changed = {names.get(mark, mark): digest for mark, digest in after.items() if before.get(mark) != digest}
    open_ = {name: digest for name, digest in changed.items() if not _confirmed(confirmed.get(name, ""), digest)}
    if not open_:
        return None
    said = (("version", new.version), ("review date", new.current_as_of))
    stated = " and ".join(f"{name} {value}" for name, value in said if value)
    lines = ", ".join(f'"{name}" = "{digest}"' for name, digest in sorted(open_.items()))
    return CHANGED.at(*place, f"the text changed since {stated} was published; to confirm the edit: {lines}")


def _confirmed(stated: str, digest: str) -> bool:
    stated = stated.strip().lower()
    return len(stated) >= 12 and (stated.startswith(digest) or digest.startswith(stated))
