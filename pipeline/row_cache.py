"""The rows of a topic's editions, remembered from run to run: one file a topic, with the last row of each site.

In: a topic and its sites' keys (hex digests of everything that decides the bytes of an edition's files). Out: the rows made under
the same keys. One file and not one an edition: a topic for twenty partners is one file to read, and one to write.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from pipeline.cache import Cache
from pipeline.contracts import FileRow, Row, plain_values


@dataclass
class RowCache:
    """Rows of one topic by site prefix, each as [key, values]. What is remembered is kept by `save`."""

    cache: Cache
    name: str
    rows: dict[str, Any]
    new: dict[str, Any] = field(default_factory=dict)

    def get(self, prefix: str, key: str) -> Row | None:
        """The site's row, where it was made under this key. A cache may be damaged; then there is none."""
        try:
            found, values = self.rows[prefix]
            return _row(values) if found == key else None
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def put(self, prefix: str, key: str, row: Row) -> None:
        """Remembers a site's row."""
        self.new[prefix] = [key, plain_values(row)]

    def save(self) -> None:
        """Writes what is new, beside what was there."""
        if self.new:
            self.cache.put(self.name, json.dumps(self.rows | self.new, ensure_ascii=False).encode())


def opened(cache: Cache, *names: str) -> RowCache:
    """What is remembered of the topic of these names (source, id, language, ...)."""
    name = hashlib.sha256("\0".join(("rows", *names)).encode()).hexdigest()
    try:
        found = json.loads(cache.get(name) or b"{}")
    except ValueError:
        found = {}
    return RowCache(cache, name, found if isinstance(found, dict) else {})


def _row(values: dict[str, Any]) -> Row:
    """Raises ValueError, TypeError, KeyError or AttributeError."""
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return Row(**{**plain, "files": tuple(FileRow(**file) for file in values["files"])})
