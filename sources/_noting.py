"""What a piece of work looked at, so that it is done again only where one of those things is no more as it was.

In: input files, tables. Out: the same, which note every file that is read or asked for, and every answer of a table. A piece of
work whose notes still hold would come out as it did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from pipeline.contracts import Files

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_NO_ENTRY: Final = object()  # the answer of a table that has no such entry


class Notes:
    """Files that were read, files that were asked for (and whether they were there), questions to tables and their answers."""

    __slots__ = ("asked", "read", "there")

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.there: dict[str, bool] = {}
        self.asked: dict[tuple[str, Any], Any] = {}

    def hold(self, files: Files, changed: Collection[str]) -> bool:
        """Whether no file is other than it was; `changed` are those that changed, came or went."""
        if self.read.isdisjoint(changed) and (not self.there or self.there.keys().isdisjoint(changed)):
            return True
        return not any(name in self.read or (name in self.there and self.there[name] != (name in files)) for name in changed)

    def answered(self, answer: Callable[[str, Any], Any]) -> bool:
        """Whether every table still gives the same answer; `answer` asks it, by its name."""
        return all(answer(table, question) == before for (table, question), before in self.asked.items())


NOTHING: Final = Notes()  # of work that looked at nothing


class NotedFiles:
    """Input files that note what is asked of them, in the notes that were begun last."""

    def __init__(self, files: Files) -> None:
        self.files, self.notes = files, Notes()

    def begin(self) -> Notes:
        """New notes."""
        self.notes = Notes()
        return self.notes

    def names(self) -> Sequence[str]:
        """As of the files; it is not noted."""
        return self.files.names()

    def read(self, name: str) -> bytes:
        """As of the files."""
        self.notes.read.add(name)
        return self.files.read(name)

    def __contains__(self, name: object) -> bool:
        found = name in self.files
        if isinstance(name, str):
            self.notes.there[name] = found
        return found


class NotedTable(Mapping[K, V], Generic[K, V]):
    """A table that notes, under its name, what is asked of it."""

    def __init__(self, name: str, table: Mapping[K, V], files: NotedFiles) -> None:
        self._name, self._table, self._files = name, table, files

    def __getitem__(self, key: K) -> V:
        found = self._table.get(key, _NO_ENTRY)
        self._files.notes.asked[self._name, key] = found
        if found is _NO_ENTRY:
            raise KeyError(key)
        return found  # type: ignore[return-value]  # not the mark for nothing

    def __iter__(self) -> Iterator[K]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def answer(table: Mapping[Any, Any], question: Hashable) -> object:
    """What a noted table would answer now."""
    return table.get(question, _NO_ENTRY)
