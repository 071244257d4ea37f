"""Which process owns a run, and whether that process still lives on this host."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process, told apart from any other that had its number before: start time and boot id."""

    host: str
    pid: int
    started: str
    boot_id: str
    token: str

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


def this_process() -> Owner:
    """Return a new owner for work that this process begins now."""
    pid = os.getpid()
    return Owner(
        host=socket.gethostname(),
        pid=pid,
        started=started(pid),
        boot_id=boot_id(),
        token=secrets.token_hex(8),
    )


def is_gone(owner: Mapping[str, Any]) -> bool:
    """Return True only when `owner` ran on this host and has certainly ended; unknown is not gone."""
    if owner.get("host") != socket.gethostname():
        return False
    if owner.get("boot_id") != boot_id():
        return True
    return started(int(owner["pid"])) != owner.get("started")


def started(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot, or "" when there is no such process.

    Where there is no /proc the answer is "alive" or "", from signal 0.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return "" if Path("/proc/self").exists() else _answers(pid)
    except ProcessLookupError:
        return ""
    fields = text.rpartition(")")[2].split()
    # A zombie has ended: only its parent has not looked yet.
    return "" if fields[0] in "ZX" else fields[19]


def boot_id() -> str:
    """Return what changes with every start of this machine, or "" where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _answers(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "alive"
    return "alive"
