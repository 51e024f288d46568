"""The only clock of the command line: everything behind it gets days and moments as values.

In: `--as-of`. Out: a day for each time zone, the moment of a run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pipeline.errors import UsageError


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def run_id(moment: datetime) -> str:
    """A run's name, in the order of time."""
    return moment.strftime("%Y%m%dT%H%M%S.%fZ")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises UsageError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; a folder's name is an OSError
        raise UsageError(f"--timezone {name!r} is no time zone", expected="a name such as 'America/Denver' or 'UTC'") from None


def today(as_of: str) -> Callable[[ZoneInfo], date]:
    """The day to decide for, by time zone: the one that is written (YYYY-MM-DD), else today there. Raises UsageError."""
    if not as_of:
        return lambda zone: datetime.now(zone).date()
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        raise UsageError(f"--as-of {as_of!r} is no day", expected="YYYY-MM-DD, e.g. 2026-12-31") from None
    return lambda _zone: day
