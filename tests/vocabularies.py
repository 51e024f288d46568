"""Published vocabularies, as their npm packages have them: schema.org's types with their properties, ODRL's terms.

In: `tests/tools/node_modules`. Out: plain values. Nothing is copied into the project; the packages are pinned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

MODULES = Path(__file__).parent / "tools" / "node_modules"
SCHEMA_ORG = MODULES / "schema-dts" / "dist" / "schema.d.ts"
ODRL = MODULES / "@digitalbazaar" / "odrl-context" / "contexts" / "odrl.jsonld"


@cache
def _interfaces() -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """Each interface of the TypeScript declarations: what it extends, and its own properties."""
    text = SCHEMA_ORG.read_text(encoding="utf-8")
    found = {}
    for name, above, body in re.findall(
        r"^(?:export )?interface (\w+)(?: extends ([\w, .\"<>|]+))? \{\n(.*?)^\}", text, re.M | re.S
    ):
        own = re.findall(r'^    "([a-z]\w*)"\??:', body, re.M)
        found[name] = frozenset(re.findall(r"\w+", above)), frozenset(own)
    return found


def properties(kind: str) -> frozenset[str]:
    """Every property that schema.org defines for a type, those of the types above it included. Raises KeyError for no type."""
    wanted, seen = {f"{kind}Leaf"}, set[str]()
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in seen or (name not in _interfaces() and name != f"{kind}Leaf"):
            continue
        seen.add(name)
        above, own = _interfaces()[name]
        found |= own
        wanted |= above
    return frozenset(found)


def unknown_properties(value: Any, path: str = "") -> Iterator[str]:
    """Each property of a JSON-LD value that schema.org does not define for the type on which it stands. What names no type is
    a Thing."""
    if isinstance(value, list):
        for item in value:
            yield from unknown_properties(item, path)
    if isinstance(value, Mapping):
        kind = value.get("@type", "Thing")
        for name, inner in value.items():
            if not name.startswith("@") and name not in properties(kind):
                yield f"{path}/{name} on {kind}"
            yield from unknown_properties(inner, f"{path}/{name}")


@cache
def odrl_terms() -> frozenset[str]:
    """Every term that ODRL's JSON-LD context defines."""
    return frozenset(json.loads(ODRL.read_text(encoding="utf-8"))["@context"])
