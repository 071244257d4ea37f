"""Which work of ours stands back when processors are short: people who wait for a page come first.

On Linux a niceness belongs to a thread, and threads made later have their maker's: a process stands back when it
starts. Where Linux shares the processors among sessions first (`sched_autogroup_enabled`), a niceness counts within a
session only: a process that leads one has its session stand back too.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

RUNS = 5
"""Runs: hours may pass before somebody needs their backup."""
READING = 10
"""Searches, comparisons, verifications, copies: they take what pages and runs leave."""
SESSION = Path("/proc/self/autogroup")
"""Reads `/autogroup-25 nice 0`."""


def stand_back(*, niceness: int) -> None:
    """Let others go first from now on. A process that stands back further already stays where it is."""
    if os.getpriority(os.PRIO_PROCESS, 0) < niceness:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError, ValueError, IndexError):  # no Linux, or its kernel has no such thing
            if int(SESSION.read_text().split()[-1]) < niceness:
                SESSION.write_text(str(niceness))
