"""Exceptions, by who can act. What an editor must fix is no exception but a Finding.

SyndicationError            exit code, and who acts
├── UsageError          2  wrong command line, settings, partner file or plug-in: the operator edits a file
├── StoppedError        3  a threshold or brake stopped the site: the operator decides
├── StoreError          4  the store or the network failed: the operator looks at the store, then runs again
│   ├── NotFound           no such object (callers that expect it catch it)
│   ├── PreconditionFailed a conditional write lost (callers catch it and read back)
│   ├── Unreadable         this one object can not be read, whatever holds for the others
│   ├── Forbidden          the store knows us, but not for this object (a reader without List gets it for what is not there)
│   ├── Expired         6  the publisher's signatures are too old to be trusted; what is installed stays
│   └── Altered         7  what the store holds is not what was signed: someone changed it, or put old things back
├── MachineError        4  this machine failed: no memory, no disk, no rights; the operator looks at it, then runs again
│   └── WorkerDied         the system ended a process of the run
└── RaceLost            5  another run published first: nothing to repair, the next run goes on from there
"""

from __future__ import annotations

from typing import ClassVar


class SyndicationError(Exception):
    """Base. The message says what, the value, expected against found, and what to do."""

    exit_code: ClassVar[int] = 4

    def __init__(self, what: str, *, expected: str = "", found: str = "", fix: str = "") -> None:
        self.what, self.expected, self.found, self.fix = what, expected, found, fix
        super().__init__(what, expected, found, fix)

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  expected: {self.expected}"] if self.expected else []
        lines += [f"  found:    {self.found}"] if self.found else []
        lines += [f"  to do:    {self.fix}"] if self.fix else []
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # Workers send exceptions back pickled; keyword arguments would be lost by the default way.
        return _rebuild, (type(self), self.what, self.expected, self.found, self.fix)


def _rebuild(kind: type[SyndicationError], what: str, expected: str, found: str, fix: str) -> SyndicationError:
    return kind(what, expected=expected, found=found, fix=fix)


class UsageError(SyndicationError):
    """Wrong usage, settings or plug-in."""

    exit_code = 2


class StoppedError(SyndicationError):
    """A threshold or brake stopped a site."""

    exit_code = 3


class StoreError(SyndicationError):
    """The store or the network failed."""

    exit_code = 4


class NotFound(StoreError):
    """The store has no object of that key."""


class PreconditionFailed(StoreError):
    """A conditional write found another state than the caller had read."""


class Unreadable(StoreError):
    """One object can not be read: no right to, or a link that leads nowhere. The others may be as they should."""


class Forbidden(StoreError):
    """The store refuses to give or take this object."""


class Expired(StoreError):
    """The publisher's metadata is out of date: nobody vouches for what is there."""

    exit_code = 6


class Altered(StoreError):
    """An object of the store is not what the publisher wrote or signed."""

    exit_code = 7


class MachineError(SyndicationError):
    """This machine failed, or the program on it."""

    exit_code = 4


class WorkerDied(MachineError):
    """The system ended a worker process."""


class RaceLost(SyndicationError):
    """Another run published this site first."""

    exit_code = 5
