"""One topic from one viewpoint: every format that it gets, by the code of a run, and what was found on the way.

In: a snapshot, a desk, a topic's key. Out: `Shown`. A topic that can not be rendered keeps the last rendering that could, with
why; so an editor in the middle of a sentence does not lose the page.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lxml import etree

from pipeline.contracts import Decision, Edition, Entry, OutputFile, Rights
from pipeline.editions import Key
from pipeline.errors import SyndicationError
from pipeline.findings import Finding, Severity, has_errors
from pipeline.making import make_edition
from pipeline.pandoc import PandocError
from pipeline.preview.project import Snapshot
from pipeline.preview.viewpoints import NOBODY, Desk, Desks, Viewpoint
from pipeline.sites import template_failure
from pipeline.topic import Metadata
from pipeline.work import FAILED, Job, Prepared, TopicResult, prepare, render_record, render_view, shared_files

KEPT: Final = 24  # renderings in memory; the last good ones apart


@dataclass(frozen=True)
class Shown:
    """A topic from a viewpoint. `files`: the finished files of each format, main file first; `withheld`: why there are none;
    `stale`: they are an older rendering's, because the newest source makes none; `instead` whose, where it is not ours.
    `record`: its rights record; `images`: the rights of its pictures."""

    key: Key
    metadata: Metadata
    conditions: str = ""
    files: Mapping[str, tuple[OutputFile, ...]] = field(default_factory=dict)
    shared: Mapping[str, OutputFile] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    by_format: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    withheld: tuple[Decision, ...] = ()
    edition: Edition | None = None
    body: etree._Element | None = None
    record: OutputFile | None = None
    images: tuple[Rights, ...] = ()
    stale: bool = False
    instead: str = ""
    problem: str = ""
    seconds: float = 0.0

    @property
    def errors(self) -> int:
        """How many findings hold the topic back."""
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def may_publish(self) -> bool:
        """Whether a run would publish this now."""
        return bool(self.files) and not (self.errors or self.stale or self.withheld or self.problem)

    def main(self, format_name: str) -> OutputFile | None:
        """A format's main file."""
        files = self.files.get(format_name, ())
        return files[0] if files else None

    def file(self, path: str) -> OutputFile | None:
        """The file that stands at a path of the bundle."""
        for files in self.files.values():
            for file in files:
                if file.path == path:
                    return file
        return self.record if self.record and self.record.path == path else self.shared.get(path)


class Renderer:
    """Renders topics one at a time (pandoc and the trees are one per process), and keeps what was last good."""

    def __init__(self, desks: Desks, older: Callable[[Snapshot, Viewpoint, Shown], Shown] = lambda _s, _v, shown: shown) -> None:
        """`older` puts in what there is of a topic that this process has never rendered."""
        self.desks, self._older = desks, older
        self._lock = threading.RLock()
        self._kept: OrderedDict[tuple[int, Viewpoint, Key, str], Shown] = OrderedDict()
        self._good: OrderedDict[tuple[Viewpoint, Key], Shown] = OrderedDict()
        self._making: dict[Viewpoint, threading.Event] = {}

    def desk(self, snapshot: Snapshot, chosen: Viewpoint, key: Key | None = None) -> Desk:
        """The desk of a viewpoint; where it is made in a hurry, this topic comes first, and all that it leads to. Raises
        UsageError."""
        if not self.desks.has(chosen):  # which takes a while: others are served meanwhile
            making = self._making.get(chosen)
            making.wait() if making else self.finish(snapshot, chosen)
        with self._lock:
            return self.desks.desk(snapshot, chosen, self._beside(snapshot, chosen, key) if key else ())

    def _beside(self, snapshot: Snapshot, chosen: Viewpoint, key: Key) -> set[Key]:
        """The topics that a topic's page depends on, as far as its last rendering tells."""
        good = self._good.get((chosen, key))
        ids = {key[0], *snapshot.topics[key].companions} if key in snapshot.topics else {key[0]}
        if good is not None and good.body is not None:
            ids.update(str(target) for target in good.body.xpath(".//a/@data-topic"))
        return {each for each in snapshot.topics if each[0] in ids}

    def finish(self, snapshot: Snapshot, chosen: Viewpoint) -> bool:
        """Makes a hurried desk, or one that nobody asked for yet, whole, while others are served. Whether it was of use. Raises
        UsageError."""
        making = self._making[chosen] = threading.Event()
        try:
            whole = self.desks.whole(snapshot, chosen)
            with self._lock:
                if not self.desks.finish(chosen, whole):
                    return False
                for place in [place for place in self._kept if place[1] == chosen]:
                    del self._kept[place]
                return True
        finally:
            self._making.pop(chosen, None)
            making.set()

    def show(self, snapshot: Snapshot, chosen: Viewpoint, key: Key) -> Shown:
        """The topic from the viewpoint. Raises KeyError where nobody knows the topic, UsageError for the viewpoint."""
        with self._lock:
            desk = self.desks.desk(snapshot, chosen)
            place = (snapshot.number, chosen, key, desk.context.standing.mark)
            if place not in self._kept:
                started = time.perf_counter()
                shown = self._with_good(snapshot, chosen, self._shown(snapshot, desk, key))
                self._kept[place] = replace(shown, seconds=time.perf_counter() - started)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(place)
            return self._kept[place]

    def shared(self, chosen: Viewpoint, path: str) -> OutputFile | None:
        """A file that all pages of a site share, of the newest rendering that has it."""
        with self._lock:
            for (_, seen, *_), shown in reversed(self._kept.items()):
                if seen == chosen and path in shown.shared:
                    return shown.shared[path]
            return None

    def _with_good(self, snapshot: Snapshot, chosen: Viewpoint, shown: Shown) -> Shown:
        if shown.files:
            self._good[chosen, shown.key] = shown
            while len(self._good) > KEPT:
                self._good.popitem(last=False)
            return shown
        good = self._good.get((chosen, shown.key))
        if shown.withheld:
            return shown
        if good is None:
            return self._older(snapshot, chosen, shown) if shown.errors else shown
        return replace(
            shown, files=good.files, shared=good.shared, edition=good.edition, body=good.body, record=good.record, stale=True
        )

    def _shown(self, snapshot: Snapshot, desk: Desk, key: Key) -> Shown:
        found = snapshot.entry(desk.conditions, key)
        if found is None:
            metadata = snapshot.topics[key]
            told = snapshot.findings(key)
            problem = "" if has_errors(told) else "under the conditions of this partner this topic is not published"
            return Shown(key, metadata, desk.conditions, findings=told, problem=problem)
        source, entry = found
        granted = desk.plan.granted.get(key)
        result = TopicResult(key)
        formats = granted.formats if granted else ()
        files, by_format, prepared = _files(desk, source, entry, formats, result)
        edition = make_edition(desk.context, desk.plan, prepared.topic.metadata, formats) if prepared and granted else None
        shared = _shared(desk, edition) if edition and files else {}
        record = _record(desk, prepared, edition, result) if prepared and edition and files else None
        name = " ".join(key)
        seen = dict.fromkeys(f.of(name) for f in (*snapshot.findings(key), *result.findings))
        return Shown(
            key,
            entry.metadata,
            desk.conditions,
            files,
            shared,
            tuple(sorted(seen, key=Finding.sort_key)),
            by_format,
            desk.plan.withheld.get(key, ()),
            edition,
            prepared.topic.body if prepared else None,
            record,
            tuple(prepared.rights.values()) if prepared else (),
        )


Made = tuple[dict[str, tuple[OutputFile, ...]], dict[str, tuple[Finding, ...]], Prepared | None]


def _files(desk: Desk, source: str, entry: Entry, formats: tuple[str, ...], result: TopicResult) -> Made:
    """The files and findings of each format; whatever fails is a finding, and the other formats go on."""
    where = entry.metadata.file or entry.unit.file, entry.metadata.line
    try:
        prepared = prepare(desk.context, Job(source, desk.conditions, (entry,), (desk.prefix,)), entry, result)
        if prepared is None or not formats:
            return {}, {}, prepared
        edition = make_edition(desk.context, desk.plan, prepared.topic.metadata, formats)
    except Exception as problem:  # whatever it is, the editor sees it as a finding, and the page stays
        result.findings.append(_failure(problem, desk, where))
        return {}, {}, None
    files: dict[str, tuple[OutputFile, ...]] = {}
    found: dict[str, tuple[Finding, ...]] = {}
    for name in formats:
        before = len(result.findings)
        try:
            made = render_view(desk.context, desk.plan, name, prepared, edition, result)
        except Exception as problem:
            result.findings.append(_failure(problem, desk, where))
            made = []
        found[name] = tuple(dict.fromkeys(result.findings[before:]))
        if made:
            files[name] = tuple(made)
    return files, found, prepared


def _record(desk: Desk, prepared: Prepared, edition: Edition, result: TopicResult) -> OutputFile | None:
    """The rights record as the partner gets it; what belongs to nobody has none."""
    if desk.plan.site.id == NOBODY:
        return None
    try:
        return render_record(desk.context, desk.plan, prepared, edition, result)
    except Exception as problem:
        result.findings.append(_failure(problem, desk, (edition.metadata.file, edition.metadata.line)))
        return None


def _failure(problem: Exception, desk: Desk, where: tuple[str, int]) -> Finding:
    if isinstance(problem, PandocError):
        return problem.at(*where)
    failed = template_failure(problem, desk.plan.site, desk.context.system.configuration.folder)
    text = str(problem) if isinstance(problem, SyndicationError) else f"{type(problem).__name__}: {problem}"
    return failed or FAILED.at(*where, text)


def _shared(desk: Desk, edition: Edition) -> dict[str, OutputFile]:
    try:
        return {file.path: file for file in shared_files(desk.context, edition)}
    except Exception:  # a broken template of the site's own, which rendering has found already
        return {}
