"""When to run: a cron expression for whole runs, and between them the moments at which something is due.

In: a `World` (the clock, a way to wait, to run and to ask what is due). Out: runs, one after the other, until the world stops. A
whole run that was missed or killed is caught up once, however many were; what is due and could not be done is tried again when
something else is due, not over and over. No clock and no process is touched here, so a test can let a month pass at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from pipeline.errors import StoreError, UsageError

Kind = Literal["all", "due"]
LOOK_AGAIN: Final = timedelta(hours=1)  # inputs and terms change: what comes next is asked anew
RETRY_AFTER: Final = timedelta(minutes=5)  # once, after a run whose store or network failed


@dataclass(frozen=True, slots=True)
class Ahead:
    """What `next-due` says: what is due now (as words, to know it again), and the next moment at which something will be."""

    due: frozenset[str] = frozenset()
    next: datetime | None = None


class World(Protocol):
    """What the loop needs of the world. All moments are in UTC."""

    def now(self) -> datetime:
        """This moment."""

    def wait(self, until: datetime) -> bool:
        """Waits until then; False as soon as it is asked to stop."""

    def run(self, kind: Kind, why: str) -> int:
        """Does a whole run, or what is due; returns its exit code. Never two at once."""

    def ahead(self) -> Ahead | None:
        """What is due now and next; None where it can not be told (it has said why)."""

    def last_run(self) -> datetime | None:
        """When the last whole run began that came to its end; None before the first."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression in a time zone (as Debian's cron reads it, daylight saving time too). "" = never."""

    expression: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.expression:
            self._ask(datetime(2026, 1, 1, tzinfo=UTC), back=False)

    def after(self, moment: datetime) -> datetime | None:
        """The next moment that it names."""
        return self._ask(moment, back=False) if self.expression else None

    def before(self, moment: datetime) -> datetime | None:
        """The latest moment that it named, that one among them."""
        return self._ask(moment + timedelta(seconds=1), back=True) if self.expression else None

    def _ask(self, moment: datetime, *, back: bool) -> datetime:
        try:
            return next(CronSim(self.expression, moment.astimezone(self.zone), reverse=back)).astimezone(UTC)
        except (CronSimError, StopIteration) as problem:
            raise UsageError(
                f"--cron {self.expression!r} names no moments",
                expected="minute hour day month weekday, e.g. '0 2 * * *' for two o'clock every night",
                found=str(problem),
                fix="mend the expression",
            ) from None


@dataclass
class Loop:
    """The loop and what it remembers."""

    world: World
    cron: Cron
    tried: frozenset[str] = frozenset()  # what was due when it was last done
    retry: tuple[datetime, Kind] | None = None
    _ahead: Ahead = field(default_factory=Ahead)

    def run(self) -> None:
        """Runs until the world stops."""
        start = self.world.now()
        missed, last = self.cron.before(start), self._last_run()
        if missed and last and last < missed:
            self._do("all", f"the run of {missed:%Y-%m-%d %H:%M} UTC was missed or did not end")
        self._look()
        while True:
            until, kind, why = self._next(self.world.now())
            if not self.world.wait(until):
                return
            if kind:
                self._do(kind, why)
            self._look()

    def _last_run(self) -> datetime | None:
        try:
            return self.world.last_run()
        except StoreError:  # the run itself will say what is wrong with the store
            return None

    def _look(self) -> None:
        """Asks what is due and does what was not tried yet."""
        found = self.world.ahead()
        self._ahead = found or Ahead()
        if self._ahead.due - self.tried:
            self._do("due", "due now")
            self._ahead = self.world.ahead() or Ahead()
        self.tried &= self._ahead.due

    def _next(self, now: datetime) -> tuple[datetime, Kind | None, str]:
        choices: list[tuple[datetime, Kind | None, str]] = [(now + LOOK_AGAIN, None, "")]
        if tick := self.cron.after(now):
            choices.append((tick, "all", "on schedule"))
        if self._ahead.next:
            choices.append((max(self._ahead.next, now), None, ""))  # then it is due, and looking finds it
        if self.retry:
            choices.append((self.retry[0], self.retry[1], "again, after the store or the network failed"))
        return min(choices, key=lambda choice: (choice[0], choice[1] != "all"))

    def _do(self, kind: Kind, why: str) -> None:
        again = self.retry is not None
        self.retry = None
        if kind == "due":
            self.tried |= self._ahead.due
        code = self.world.run(kind, why)
        if code == StoreError.exit_code and not again:
            self.retry = (self.world.now() + RETRY_AFTER, kind)


def words(moments: Iterable[object]) -> frozenset[str]:
    """Things due as words by which they are known again."""
    return frozenset(str(moment) for moment in moments)
