"""Which live topics use which input files: saved by each run, so that it can be asked while sources are broken.

In: a catalog and how a run ended. Out: `reuse.json` in the store, and the topics that use a file. A topic that a run could not
bring up to date everywhere keeps what it used before as well: that is still live somewhere.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from pipeline.contracts import Index, Store
from pipeline.editions import Key
from pipeline.errors import NotFound, PreconditionFailed, StoreError
from pipeline.findings import Finding, warning
from pipeline.settings import unknown

KEY: Final = "reuse.json"
UNSAVED: Final = warning(
    "reuse.not-saved",
    "Which topics use which files could not be saved. 'withdraw --uses' and '--image' answer as after the run before.",
    "Look at the store, then run again.",
)

Graph = Mapping[Key, frozenset[str]]  # topic -> its own input file and those that it brings in


def of_indexes(indexes: Iterable[Index]) -> Graph:
    """What the inputs say now."""
    found: dict[Key, set[str]] = defaultdict(set)
    for index in indexes:
        for entry in index.entries:
            found[entry.metadata.key].update((entry.unit.file, *entry.uses))
    return {key: frozenset(files) for key, files in found.items()}


def merged(before: Graph, now: Graph, settled: Collection[Key]) -> Graph:
    """What is live: of `settled` topics what the inputs say now, of all others what was said before as well."""
    found = {**before, **now}
    return {key: files if key in settled else files | before.get(key, frozenset()) for key, files in found.items()}


def note(store: Store, now: Graph, settled: Collection[Key]) -> list[Finding]:
    """Adds to what is saved what the inputs say `now`; of `settled` topics it is all that is kept. A run notes everything before
    it publishes anything, and what is settled afterwards: whatever is live, and however the run ends, is in the graph. What
    another run saves at the same moment is not lost. A store that can not take it is a finding."""
    try:
        for _ in range(_ATTEMPTS):
            before, token = _read(store)
            after = merged(before, now, settled)
            if after == before or _put(store, after, token):
                return []
    except StoreError as problem:
        return [UNSAVED.at(KEY, 0, ": ".join(filter(None, (problem.what, problem.found))))]
    return [UNSAVED.at(KEY, 0, "other runs save it again and again")]


_ATTEMPTS: Final = 20


def read(store: Store) -> Graph:
    """What the last runs saved; empty before the first. Raises StoreError."""
    return _read(store)[0]


def _read(store: Store) -> tuple[Graph, str]:
    try:
        data, token = store.get(KEY)
    except NotFound:
        return {}, ""
    try:
        topics = json.loads(data)["topics"]
        return {(topic["id"], topic["language"]): frozenset(topic["files"]) for topic in topics}, token
    except (ValueError, TypeError, KeyError) as problem:
        raise StoreError(
            f"{store.url}: {KEY} is damaged",
            found=f"{type(problem).__name__}: {problem}",
            fix="delete it; the next run makes it anew",
        ) from None


def read_if_sound(store: Store) -> Graph:
    """As `read`; empty where what was saved is damaged: who names topics by their ids needs no more. Raises no error for that."""
    try:
        return read(store)
    except StoreError:
        return {}


def _put(store: Store, graph: Graph, token: str) -> bool:
    """Whether a graph could be saved over the one of this token ("" = over none)."""
    topics = [{"id": key[0], "language": key[1], "files": sorted(graph[key])} for key in sorted(graph)]
    data = json.dumps({"schema": "1", "topics": topics}, ensure_ascii=False, separators=(",", ":")) + "\n"
    try:
        store.put(KEY, data.encode(), media_type="application/json", cache_control="no-cache", absent=not token, match=token)
    except PreconditionFailed:
        return False
    return True


def users(graph: Graph, file: str) -> list[Key]:
    """The topics that use a file, sorted. It may be written from any folder on (`notes/dose.dita` for
    `topics/notes/dose.dita`) where only one file ends like that. Raises UsageError where no live topic uses such a file."""
    files = {name for found in graph.values() for name in found}
    wanted = file.removeprefix("./")
    if wanted not in files:
        ending = [name for name in files if name.endswith(f"/{wanted}")]
        if len(ending) != 1:
            raise unknown("file that a published topic uses:", file, ending or files)
        wanted = ending[0]
    return sorted(key for key, found in graph.items() if wanted in found)
