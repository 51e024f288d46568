"""The world as the schedule sees it: this machine's clock, runs as processes of their own, signals that ask to stop.

In: the words of `schedule`. Out: runs. Each run is a process: it reads settings anew, gives its memory back, and Ctrl-C on a
terminal reaches it only through us.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.commands.building import build
from pipeline.commands.clock import now
from pipeline.commands.speaking import event, json_logs, note, warn
from pipeline.errors import SyndicationError

if TYPE_CHECKING:
    from pipeline.schedule import Ahead, Kind

PROGRAM: Final = Path(__file__).parents[2] / "run_pipeline.py"
SLICE: Final = 30.0  # seconds between looks at the clock: a machine may sleep, or its clock be set


@dataclass
class Machine:
    """See schedule.World."""

    config: Path
    store: str
    options: Sequence[str]  # for `run`
    _stop: threading.Event = field(default_factory=threading.Event)
    _running: subprocess.Popen[str] | None = None

    def listen(self) -> None:
        """From now on SIGTERM and SIGINT ask to stop: the first lets the run under way come to its end, the second stops it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)

    def _heard(self, number: int, _frame: object) -> None:
        running = self._running
        if self._stop.is_set() and running:
            running.send_signal(signal.SIGTERM)
            return
        self._stop.set()
        name = signal.Signals(number).name
        note(f"{name}: stopping" + (" when the run under way has ended; once more stops it now" if running else ""))

    def now(self) -> datetime:
        """See schedule.World.now."""
        return now()

    def wait(self, until: datetime) -> bool:
        """See schedule.World.wait."""
        while (left := (until - now()).total_seconds()) > 0:
            if self._stop.wait(min(left, SLICE)):
                return False
        return not self._stop.is_set()

    def run(self, kind: Kind, why: str) -> int:
        """See schedule.World.run."""
        words = ["run", *self._where(), *self.options, *(["--due"] if kind == "due" else [])]
        if self._stop.is_set():
            return 0
        note(f"{now():%Y-%m-%d %H:%M:%S} UTC: {' '.join(words[:1] + words[len(words) - (kind == 'due') :])} ({why})")
        code = self._process(words, None).returncode
        event("schedule.ran", kind=kind, why=why, exit_code=code)
        return code

    def _where(self) -> list[str]:
        return ["--config", str(self.config), *(["--store", self.store] if self.store else [])]

    def _process(self, words: Sequence[str], output: int | None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PROGRAM), *words]
        # A session of its own: Ctrl-C on a terminal reaches the whole group, and we decide what becomes of a run.
        self._running = subprocess.Popen(command, stdout=output, text=True, start_new_session=True)
        try:
            out, _ = self._running.communicate()
            return subprocess.CompletedProcess(command, self._running.returncode, out or "")
        finally:
            self._running = None

    def ahead(self) -> Ahead | None:
        """See schedule.World.ahead."""
        from pipeline.schedule import Ahead, words

        if self._stop.is_set():
            return None
        logs = ["--log-format", "json"] if json_logs() else []
        done = self._process(["next-due", *self._where(), "--json", *logs], subprocess.PIPE)
        try:
            found: dict[str, Any] = json.loads(done.stdout)
            at = found["next"]["at"] if found["next"] else None
            due = words(sorted(one.items()) for one in found["due"])
            return Ahead(due, datetime.fromisoformat(at) if at else None)
        except (ValueError, KeyError, TypeError):
            warn(
                f"what is due next is not known ('next-due' ended with exit code {done.returncode}); asked again within the hour"
            )
            return None

    def last_run(self) -> datetime | None:
        """See schedule.World.last_run."""
        from pipeline import records

        try:
            system = build(self.config, store=self.store)
            store = system.open_store(system.configuration.settings.store)
            found = next(records.latest(store, lambda record: record.scope == "all" and record.state == "done"), None)
        except SyndicationError as problem:
            warn(f"when a run last ended is not known: {problem}")
            return None
        return datetime.fromisoformat(found.started) if found else None
