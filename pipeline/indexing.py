"""The index of one source under one set of conditions, whatever befalls the source.

In: a source, its files. Out: `Indexer`s as contracts has them. A source that fails over a file (a mistake in its program, met by
a file that nobody thought of) does not stop the run: that file is an error, and all others are indexed as if it were
one that can not be parsed. What is live of it stays as the rules say (see unread.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline import xml
from pipeline.contracts import Conditions, Entry, Files, Index, Indexer, Source
from pipeline.errors import SyndicationError
from pipeline.inputs import failed

# Files that only fail together with others are looked for one by one, each with a number of whole indexes.
_MOST_TOGETHER: Final = 5


def indexer_of(source: Source, conditions: Conditions) -> Indexer:
    """A source's own indexer, or one that asks for its whole index each time. It raises SyndicationError alone."""
    return _Guarded(source, conditions)


def _own(source: Source, conditions: Conditions) -> Indexer:
    make = getattr(source, "indexer", None)
    made: Indexer = make(conditions) if make else _Anew(source, conditions)
    return made


class _Guarded:
    """An indexer that finds out which files a source fails over, and goes on without them."""

    def __init__(self, source: Source, conditions: Conditions) -> None:
        self._source, self._conditions = source, conditions
        self._kept: Indexer | None = None

    def index(self, files: Files, names: Sequence[str], changed: Collection[str] | None = None) -> Index:
        """See contracts.Indexer."""
        try:
            if self._kept is None:
                self._kept, changed = _own(self._source, self._conditions), None
            return self._kept.index(files, names, changed)
        except SyndicationError:
            raise
        except Exception as problem:  # a source may fail in any way over what it has never seen
            self._kept = None  # it may have stopped half-way
            return self._without_broken(files, names, problem)

    def _without_broken(self, files: Files, names: Sequence[str], last: Exception) -> Index:
        every = frozenset(names)
        alone = {name: self._tried(_Hidden(files, every, but=name), [name]) for name in names}
        broken = {name: found for name, found in alone.items() if isinstance(found, Exception)}
        for _ in range(_MOST_TOGETHER):
            found = self._tried(_Hidden(files, broken), names)
            if isinstance(found, Index):
                findings = [one for one in found.findings if one.file not in broken or one.code != xml.EMPTY.name]
                return replace(found, findings=(*findings, *(failed(name, broken[name]) for name in sorted(broken))))
            last = found
            culprit = self._culprit(files, names, broken)
            if culprit is None:
                break
            broken[culprit] = found
        return Index((), tuple(failed(name, broken.get(name, last)) for name in names) or (failed("", last),))

    def _culprit(self, files: Files, names: Sequence[str], broken: Collection[str]) -> str | None:
        """A file with which the source fails, and without which it does not, those after it left out; None where it fails in any
        case."""
        sound, fails = 0, len(names)
        if not self._indexes(files, names, frozenset(names)):
            return None
        while fails - sound > 1:
            middle = (sound + fails) // 2
            if self._indexes(files, names, {*broken, *names[middle:]}):
                sound = middle
            else:
                fails = middle
        return names[sound]

    def _indexes(self, files: Files, names: Sequence[str], hidden: Collection[str]) -> bool:
        return isinstance(self._tried(_Hidden(files, hidden), names), Index)

    def _tried(self, files: Files, names: Sequence[str]) -> Index | Exception:
        try:
            return _own(self._source, self._conditions).index(files, names, None)
        except SyndicationError:
            raise
        except Exception as problem:
            return problem


@dataclass(frozen=True, slots=True)
class _Hidden:
    """Files of which some, but for one, show nothing: sources know what to do about a file that is empty."""

    files: Files
    hidden: Collection[str]
    but: str = ""

    def names(self) -> Sequence[str]:
        """Every file."""
        return self.files.names()

    def read(self, name: str) -> bytes:
        """A file's bytes, none of one that is hidden. Raises as the files do."""
        return b"" if name in self.hidden and name != self.but else self.files.read(name)

    def __contains__(self, name: object) -> bool:
        return name in self.files


class _Anew:
    """The index of a source that does not keep one up."""

    def __init__(self, source: Source, conditions: Conditions) -> None:
        self._source, self._conditions = source, conditions
        self._held: Index | None = None

    def index(self, files: Files, names: Sequence[str], changed: Collection[str] | None = None) -> Index:
        """As `Indexer.index`; of a source that claims no file now, and claimed none before, nothing is asked again."""
        if not names and changed is not None and self._held and not self._held.entries and not self._held.findings:
            return self._held
        found = self._source.index(files, names, self._conditions)
        before: Mapping[object, Entry] = {entry.unit: entry for entry in self._held.entries} if self._held else {}
        self._held = replace(found, entries=tuple(_same(before.get(entry.unit), entry) for entry in found.entries))
        return self._held


def _same(before: Entry | None, now: Entry) -> Entry:
    return before if before is not None and before == now else now
