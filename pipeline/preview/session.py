"""What the app holds while it runs: the project, renderings, tried terms, the last check of everything; and whom to tell of news.

In: a project, a clock. Out: `Session`. The check of everything is a dry run in a process of its own; it starts by itself where
it is quick, else when somebody asks.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from pipeline.editions import Key
from pipeline.errors import SyndicationError
from pipeline.findings import Finding
from pipeline.plugins import System
from pipeline.preview import older
from pipeline.preview.aside import Aside
from pipeline.preview.live import Shop
from pipeline.preview.now import Lives
from pipeline.preview.packing import Packer
from pipeline.preview.project import Project, Snapshot
from pipeline.preview.rendering import Renderer, Shown
from pipeline.preview.topics import Shelf
from pipeline.preview.viewpoints import KEPT, Days, Desk, Desks, Viewpoint, days
from pipeline.report import Report
from pipeline.run import Options, run
from pipeline.sites import Today

BY_ITSELF: Final = 500  # topics: so many are checked without being asked
SHOWN_FIRST: Final = 0.3  # seconds in which a page is shown before the rest of its desk is made
QUIET: Final = 2.0  # seconds without a save before everything is checked again


@dataclass(frozen=True)
class Checked:
    """What a dry run over everything found, for the snapshot of that number."""

    number: int
    report: Report


class Session:
    """One running preview. Safe to use from several threads."""

    def __init__(self, build: Callable[[], System], config: Path, today: Today) -> None:
        self.shop = Shop()
        self.project = Project(build, config, partial(older.broken, self.shop))
        self.renderer = Renderer(Desks(today, decisions=self.shop.standing), partial(older.as_live, self.shop))
        self.today = today
        self.checked: Checked | None = None
        self.progress = ""
        self.failure = ""
        self.packer = Packer(lambda word: self._tell(word))
        self.lives = Lives(lambda word: self._tell(word))
        self._tell: Callable[[str], None] = lambda _: None
        self._aside: Aside | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.RLock()
        self._shelves: dict[Viewpoint, tuple[Desk, Checked | None, Shelf]] = {}
        self._finishing: set[Viewpoint] = set()

    # --- news

    def listen(self, tell: Callable[[str], None]) -> None:
        """Sets who is told of news: `pages` (what is shown may have changed); `check`, `packing`, `packed`, `live` (aside)."""
        self._tell = tell

    def start(self) -> Snapshot:
        """Reads the project. Raises SyndicationError."""
        gc.disable()
        try:
            snapshot = self.project.load(self._warm)
        finally:
            gc.freeze()  # what was read stays: to look through all of it again and again takes longer than a page
            gc.enable()
        self._after(snapshot)
        threading.Thread(target=self._plan, args=(snapshot, _sites(snapshot)[1 : KEPT - 2]), daemon=True).start()
        return snapshot

    def _warm(self, snapshot: Snapshot) -> None:
        """Renders one topic, so that nobody waits for formats to be imported and for pandoc to start; plans the first site."""
        for key in list(snapshot.topics)[:1]:
            with suppress(SyndicationError, KeyError):
                self.show(snapshot, Viewpoint(), key)
        self._plan(snapshot, _sites(snapshot)[:1])

    def _plan(self, snapshot: Snapshot, sites: Sequence[str]) -> None:
        for site in sites:
            with suppress(SyndicationError):
                self.renderer.finish(snapshot, Viewpoint(site))

    def refresh(self, paths: set[Path]) -> None:
        """Takes in what was saved."""
        self._after(self.project.refresh(paths))

    def close(self) -> None:
        """Ends what is under way."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            if self._aside:
                self._aside.stop()

    def _after(self, snapshot: Snapshot) -> None:
        self._tell("pages")
        with self._lock:
            self.close()
            self.progress = ""
            if len(snapshot.topics) <= BY_ITSELF:
                self._timer = threading.Timer(QUIET if snapshot.number > 1 else 0.0, self.check)
                self._timer.daemon = True
                self._timer.start()

    # --- aside

    def check(self) -> None:
        """Starts a dry run over everything, anew where one is under way."""
        snapshot = self.project.snapshot
        if snapshot is None:
            return
        with self._lock:
            if self._aside:
                self._aside.stop()
            self.progress, self.failure = "starting", ""
            system = snapshot.system
            arguments = (system, days(system, self.today))
            self._aside = Aside(dry_run, arguments, lambda got: self._took(snapshot.number, got), self._progressed)
        self._tell("check")

    def _progressed(self, what: str, done: int, total: int) -> None:
        self.progress = f"{done} of {total} {what}"
        self._tell("check")

    def _took(self, number: int, got: Any) -> None:
        self.progress = ""
        if isinstance(got, Report):
            self.checked = Checked(number, got)
        else:
            self.failure = str(got)
        self._tell("pages")

    # --- what pages show

    def desk(self, snapshot: Snapshot, chosen: Viewpoint, key: Key | None = None) -> Desk:
        """The desk of a viewpoint, this topic first. One made in a hurry is made whole aside: that is news. Raises UsageError."""
        desk = self.renderer.desk(snapshot, chosen, key)
        with self._lock:
            if desk.hurried and chosen not in self._finishing:
                self._finishing.add(chosen)
                timer = threading.Timer(SHOWN_FIRST, self._finish, (snapshot, chosen))
                timer.daemon = True
                timer.start()
        return desk

    def _finish(self, snapshot: Snapshot, chosen: Viewpoint) -> None:
        try:
            with suppress(SyndicationError):
                self.renderer.finish(snapshot, chosen)
        finally:
            with self._lock:
                self._finishing.discard(chosen)
        self._tell("pages")  # of a newer snapshot too, whose desk may be hurried still

    def shelf(self, snapshot: Snapshot, chosen: Viewpoint) -> Shelf:
        """The list from a viewpoint. Raises UsageError."""
        desk, held = self.desk(snapshot, chosen), self._shelves.get(chosen)
        if held is None or held[0] is not desk or held[1] is not self.checked:
            shelf = Shelf(snapshot, desk, self.all_findings(), held[2] if held else None)
            while len(self._shelves) >= 3:
                self._shelves.pop(next(iter(self._shelves)), None)
            held = self._shelves[chosen] = (desk, self.checked, shelf)
        return held[2]

    def show(self, snapshot: Snapshot, chosen: Viewpoint, key: Key) -> Shown:
        """A topic from a viewpoint. Raises KeyError, UsageError."""
        self.desk(snapshot, chosen, key)
        shown = self.renderer.show(snapshot, chosen, key)
        if self.checked is None or self.checked.number != snapshot.number:
            return shown
        name, partner = " ".join(key), self.desk(snapshot, chosen).plan.partner.id
        told = {(f.code, f.file, f.line, f.text) for f in shown.findings}
        # what only a run can find: it compares with what is live
        more = [f for f in self.checked.report.findings if f.topic == name and f.partner in ("", partner)]
        more = [f for f in more if (f.code, f.file, f.line, f.text) not in told]
        return replace(shown, findings=tuple(sorted((*shown.findings, *more), key=Finding.sort_key))) if more else shown

    def all_findings(self) -> list[Finding]:
        """What the last check found."""
        return self.checked.report.findings if self.checked else []

    def day(self, snapshot: Snapshot) -> date:
        """Today, where the publisher is."""
        zone = snapshot.system.configuration.publisher.timezone
        return days(snapshot.system, self.today).by_zone[zone]


def _sites(snapshot: Snapshot) -> list[str]:
    return [site for partner in snapshot.system.configuration.partners for site in partner.all_sites()]


def dry_run(system: System, today: Days, progress: Callable[[str, int, int], None]) -> Report:
    """What a run would do now, compared with what is live; stores nothing. Raises SyndicationError."""
    return run(system, Options(today, "preview", "", workers=1, dry_run=True), progress)
