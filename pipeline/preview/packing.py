"""An exact bundle to pass on: every file that a site's partner would pull if a run published now, as one zip.

In: a System, a site, a day. Out: `Packed`, and the zip in a folder of this machine. It is made by the code of a run over a store
that is only read (shelter.py), in a process of its own; it can be stopped at any moment, and leaves nothing behind.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pipeline.contents import Made
from pipeline.contracts import Site
from pipeline.errors import UsageError
from pipeline.findings import Finding, Severity
from pipeline.handover import as_stored
from pipeline.plugins import System
from pipeline.preview.aside import Aside, Progress
from pipeline.preview.shelter import sheltered
from pipeline.preview.viewpoints import Days, Viewpoint, find_partner
from pipeline.report import SiteReport
from pipeline.run import Options, State, site_content, worked
from pipeline.sites import prefix_of

NAME: Final = "bundle.zip"


@dataclass(frozen=True)
class Packed:
    """What was made. `state` is published (it would be release `sequence`), unchanged (it is that release), or why there is
    nothing: then `problem` says more, and there is no zip. `size` in bytes; `errors` hold topics back; `kept` stay as they are
    published."""

    site: str
    as_of: str
    state: str
    problem: str = ""
    sequence: int = 0
    topics: int = 0
    files: int = 0
    size: int = 0
    kept: tuple[str, ...] = ()
    errors: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """What the zip is called when it is saved."""
        return f"{self.site}-{self.as_of}.zip"


def pack(system: System, site: str, today: Days, folder: str, progress: Progress) -> Packed:
    """Makes the bundle of a site in `folder`. Raises SyndicationError where the code of a run does, of that site."""
    partner, prefix = find_partner(system, site), prefix_of(site)
    as_of = today(system.configuration.timezone(partner)).isoformat()
    run_id = f"preview-{Path(folder).name}"  # of its own: workers remember by it which blobs are there
    options = Options(today, run_id, f"{as_of}T00:00:00+00:00", partners=(partner.id,), workers=1)
    state, report = worked(sheltered(system, str(Path(folder, "store"))), options, progress)
    if prefix in state.failed:
        raise state.failed[prefix]
    plan, told, live = state.context.plans.get(prefix), SiteReport(site, partner.id), state.live.get(prefix)
    made, found, problem = None, list(report.findings), "a decision holds this site, and nothing is live on it"
    if plan is not None:
        made, more = site_content(state, prefix, plan, options, told)
        found += more
        problem = told.error or ("" if made else "this site gets no topic, and has none published")
    elif live is not None:  # a run leaves a site alone that a rollback or an offboarding holds: it pulls what is live
        made, told.state, problem = Made(live.content, ()), "on-hold", ""
    errors = tuple(f for f in found if f.severity is Severity.ERROR and f.partner in ("", partner.id))
    packed = Packed(site, as_of, told.state, problem, kept=tuple(told.kept), errors=errors)
    return _zipped(state, packed, made, options, Path(folder, NAME), progress) if made else packed


def _zipped(state: State, packed: Packed, made: Made, options: Options, path: Path, progress: Progress) -> Packed:
    """The zip of what was made: from the blobs of the store, and those that stand beside it."""
    prefix, live = prefix_of(packed.site), state.live.get(prefix_of(packed.site))
    store, releases = state.context.store, state.context.system.releases.load()
    if store is None:
        raise UsageError("a bundle can not be made of a dry run")
    content, objects = as_stored(state.context.system, made.content, live, made.files)
    releases.put_files(store, prefix, objects, set(releases.present(store, prefix)))
    files = sum(len(row.files) for row in content.rows) + len(content.files) + sum(len(gone.files) for gone in content.withdrawn)
    progress("files", 0, files)
    site = Site(find_partner(state.context.system, packed.site).id, packed.site, packed.site, prefix)
    outcome = releases.bundle(store, site, content, live, path, run_id=options.run_id, created=options.created)
    progress("files", files, files)
    return replace(
        packed,
        state=packed.state or outcome.state,
        sequence=outcome.sequence,
        topics=len(content.rows),
        files=files,
        size=path.stat().st_size,
    )


class Packer:
    """Makes one bundle at a time, aside. `tell` is called with `packing` on the way and `packed` at the end."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.packed: Packed | None = None
        self.asked: tuple[int, Viewpoint] | None = None  # number of the snapshot, and as whom
        self.progress: tuple[str, int, int] | None = None
        self.failure = ""
        self._tell = tell
        self._aside: Aside | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.RLock()

    def start(self, system: System, number: int, chosen: Viewpoint, today: Days) -> None:
        """Begins with a bundle, and forgets the one before."""
        with self._lock:
            self.stop()
            self.asked, self.progress = (number, chosen), ("topics", 0, 0)
            self._folder = tempfile.TemporaryDirectory(prefix="preview-", ignore_cleanup_errors=True)
            arguments = (system, chosen.site, today, self._folder.name)
            self._aside = Aside(pack, arguments, self._took, self._progressed)
        self._tell("packing")

    def stop(self) -> None:
        """Ends what is under way, and removes what was made."""
        with self._lock:
            if self._aside:
                self._aside.stop()
            if self._folder:
                self._folder.cleanup()
            self.packed, self.asked, self.progress, self.failure = None, None, None, ""
            self._aside = self._folder = None
        self._tell("packing")

    def path(self, name: str) -> Path | None:
        """Where the zip of that name is; None where there is none."""
        with self._lock:
            made = self.packed is not None and self.packed.size > 0 and self.packed.name == name
            return Path(self._folder.name, NAME) if made and self._folder else None

    def _progressed(self, what: str, done: int, total: int) -> None:
        with self._lock:
            if self.progress is not None:
                self.progress = what, done, total
        self._tell("packing")

    def _took(self, got: Any) -> None:
        with self._lock:
            self.progress = None
            if isinstance(got, Packed):
                self.packed = got
            else:
                self.failure = str(got)
        self._tell("packed")
