"""Which process owns a run, and whether that process still lives on this host."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backups_app.mongo import processes


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process, distinguished from any other that had its number before: start time and boot id."""

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
        started=processes.started(pid),
        boot_id=processes.boot_id(),
        token=secrets.token_hex(8),
    )


def is_same_process(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two owners are one process, whatever each of them began."""
    return all(one.get(name) == other.get(name) for name in ("host", "pid", "started", "boot_id"))


def is_gone(owner: Mapping[str, Any]) -> bool:
    """Return True only when `owner` ran on this host and has certainly ended; unknown is not gone."""
    if owner.get("host") != socket.gethostname():
        return False
    if owner.get("boot_id") != processes.boot_id():
        return True
    return processes.started(int(owner["pid"])) != owner.get("started")
