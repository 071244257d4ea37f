"""How the threads of a process share the processor and memory.

A thread whose answer has come waits for its turn, five milliseconds by default: with several connections most of the
time is spent so.

glibc gives nearly each thread a pool of memory (an arena) of its own, up to eight for each processor, and keeps in each
the memory of the largest batch that ever went through it: a worker that lives for weeks grows with every thread that
once copied or compared. Two are enough, for Python lets one thread work at a time.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections.abc import Iterator

PROMPT_SECONDS = 0.0005
ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's `malloc.h`."""

_lock = threading.Lock()
_before: list[float] = []
"""What was in force before each block that has not ended: whichever ends last puts back the first."""


@contextlib.contextmanager
def prompt() -> Iterator[None]:
    """Have the threads of this process take turns ten times as often, until the last of such blocks ends."""
    with _lock:
        _before.append(sys.getswitchinterval())
        sys.setswitchinterval(PROMPT_SECONDS)
    try:
        yield
    finally:
        with _lock:
            sys.setswitchinterval(_before.pop())


def share_memory(*, arenas: int = 2) -> None:
    """Have all threads that are made from now on share so many. Other C libraries have no such setting."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(ARENA_MAX, arenas)
