"""What an address asks for. In: the query string of a request, untrusted. Out: `Query`, of known words alone; and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from pipeline.editions import Key
from pipeline.preview.viewpoints import Viewpoint, viewpoint

LONGEST: Final = 200
WIDTHS: Final = ("", "360", "768", "1024")
SORTS: Final = ("", "due", "newest", "findings")
FINDINGS: Final = ("", "errors", "warnings", "none")
PAPERS: Final = ("letter", "a4")


@dataclass(frozen=True)
class Query:
    """Everything that a page can be asked for; the defaults are not written into addresses."""

    site: str = ""
    as_of: str = ""
    trial: str = ""
    q: str = ""
    collection: str = ""
    language: str = ""
    badge: str = ""
    findings: str = ""
    gets: str = ""
    seen: str = ""
    sort: str = ""
    page: int = 1
    view: str = ""
    beside: str = ""
    width: str = ""
    paper: str = "letter"
    line: int = 0
    file: str = ""

    @property
    def viewpoint(self) -> Viewpoint:
        """As whom to look. Raises UsageError."""
        return viewpoint(self.site, self.as_of, self.trial)

    def address(self, path: str, **changes: Any) -> str:
        """The address of a path with this query, changed."""
        asked = {k: v for k, v in asdict(replace(self, **changes)).items() if v != _DEFAULTS[k]}
        return f"{path}?{urlencode(asked)}" if asked else path

    def topic(self, key: Key, **changes: Any) -> str:
        """The address of a topic's page."""
        return self.address(f"/topics/{quote(key[1])}/{quote(key[0])}", **changes)


_DEFAULTS: Final = {field.name: field.default for field in fields(Query)}
_ONE_OF: Final = {"width": WIDTHS, "sort": SORTS, "findings": FINDINGS, "paper": PAPERS, "gets": ("", "yes", "no")}


def parse(values: Mapping[str, str]) -> Query:
    """A query from an address; what is not known, or too long to be meant, counts as not said."""
    known: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        value = values.get(name, "")[:LONGEST].strip()
        if isinstance(default, int):
            known[name] = min(int(value), 10_000_000) if value.isascii() and value.isdigit() else default
        elif not value or (name in _ONE_OF and value not in _ONE_OF[name]):
            known[name] = default
        else:
            known[name] = value
    known["page"] = max(1, known["page"])
    return Query(**known)
