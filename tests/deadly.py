"""Work that ends its own process, as a system short of memory would, and work that says how its process stands."""

from __future__ import annotations

import os
import signal
import time


def die(_context: object, _job: object) -> None:
    """Never comes back."""
    os.kill(os.getpid(), signal.SIGKILL)


def niceness(_context: object, _job: object) -> int:
    """How far this process steps back behind others."""
    return os.nice(0)


def linger(_context: object, _job: object) -> None:
    """Says that it began, then takes longer than anybody waits."""
    os.write(1, b"began\n")  # in one piece, whatever PYTHONUNBUFFERED says
    time.sleep(600)
