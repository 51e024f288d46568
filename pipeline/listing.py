"""What there is: topics, partners, formats, vocabularies, destinations, rules.

In: the word of the command line. Out: rows of strings with the same keys, for a table or JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.catalog import survey
from pipeline.plugins import Plugin, System
from pipeline.settings import unknown

_PLUGINS: Final = {"formats": "transforms", "vocabularies": "sources", "destinations": "destinations", "rules": "rules"}
KINDS: Final = ("topics", "partners", *_PLUGINS)


def rows(what: str, build: Callable[[], System], plugins: Callable[[], Mapping[str, Any]]) -> list[dict[str, str]]:
    """The rows of one kind. Needs settings for topics and partners alone. Raises UsageError for an unknown kind."""
    if what in _PLUGINS:
        return [_plugin(plugin) for plugin in plugins()[_PLUGINS[what]].values()]
    if what == "partners":
        return _partners(build())
    if what == "topics":
        return _topics(build())
    raise unknown("kind of list", what, KINDS)


def _plugin(plugin: Plugin[Any]) -> dict[str, str]:
    return {"name": plugin.name, "what": plugin.summary()}


def _partners(system: System) -> list[dict[str, str]]:
    return [
        {
            "id": partner.id,
            "name": partner.name,
            "sites": ", ".join(partner.all_sites()),
            "agreements": ", ".join(f"{a.id} ({a.starts} to {a.ends})" for a in partner.agreements),
        }
        for partner in system.configuration.partners
    ]


def _topics(system: System) -> list[dict[str, str]]:
    conditions = {system.configuration.conditions(p) for p in system.configuration.partners}
    metadata = survey(system, conditions).metadata
    return [
        {
            "id": m.id,
            "language": m.language,
            "title": m.title,
            "status": m.status,
            "collections": ", ".join(m.collections),
            "current as of": str(m.current_as_of or ""),
            "file": f"{m.file}:{m.line}" if m.line else m.file,
        }
        for _, m in sorted(metadata.items())
    ]
