"""What distinguishes a process from a later one with the same number: its start time and the boot of the machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_STATE, _STARTED = 0, 19
"""Fields 3 and 22 of proc(5), counted after the name."""


class ProcessState(NamedTuple):
    """`has_ended`: a zombie, whose parent has not waited for it yet. `started`: clock ticks since boot."""

    has_ended: bool
    started: str


def state(pid: int) -> ProcessState | None:
    """Return the state of a process, or None when there is none.

    Without /proc the start time of a living process is "alive".
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None if Path("/proc/self").exists() or not _answers(pid) else ProcessState(False, "alive")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return ProcessState(fields[_STATE] in "ZX", fields[_STARTED]) if len(fields) > _STARTED else None


def started(pid: int) -> str:
    """Return the start time of a process that has not ended, or ""."""
    found = state(pid)
    return "" if found is None or found.has_ended else found.started


def boot_id() -> str:
    """Return an id that changes with every start of this machine, or "" where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
