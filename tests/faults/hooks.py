"""Where a run can be struck: every command to either server, before and after, and every step towards the disk.

Registered in the process that is to be struck, before it opens its first connection. Heartbeats, handshakes and what
the run's progress writes by the clock are left out: hooks are numbered by the work alone, so that the n-th is the same
one each time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pymongo import monitoring

from backups_app.backup_files import disk_recorder

_BY_THE_CLOCK = frozenset({"hello", "ismaster", "ping", "buildInfo", "serverStatus", "endSessions", "killCursors"})
_BY_THE_CLOCK_COLLECTIONS = frozenset({"backup_lease"})

_for_good = contextlib.ExitStack()
"""Never closed: who is watched is watched until it ends."""

Strike = Callable[[int, str], None]
"""Called with the number and the name of each hook as it is reached."""


class Hooks(monitoring.CommandListener):
    """Counts hooks, names them, and calls `strike` at each."""

    def __init__(self, strike: Strike) -> None:
        self._strike = strike
        self._watched: dict[int, str] = {}
        self.number = 0
        self._one_at_a_time = threading.RLock()

    def reach(self, name: str) -> None:
        """One more hook."""
        with self._one_at_a_time:  # two batches are under way at once
            self.number += 1
            self._strike(self.number, name)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        name = _name_of(event)
        if name is not None:
            self._watched[event.request_id] = name
            self.reach(f"before {name}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        name = self._watched.pop(event.request_id, None)
        if name is not None:
            self.reach(f"after {name}")

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._watched.pop(event.request_id, None)

    def disk(self, operation: disk_recorder.Operation) -> None:
        """A listener for `disk_recorder.recording`."""
        self.reach(f"disk {operation.kind} {operation.path.name}")


def _name_of(event: monitoring.CommandStartedEvent) -> str | None:
    command = event.command_name
    if command in _BY_THE_CLOCK:
        return None
    target = str(event.command.get(command, ""))
    if target in _BY_THE_CLOCK_COLLECTIONS or _is_progress(command, target, event.command):
        return None
    return f"{command} {target}"


def _is_progress(command: str, target: str, document: Any) -> bool:
    """Whether this only writes counters or a heartbeat into the run's document."""
    if target != "backup_metadata" or command not in ("update", "findAndModify"):
        return False
    changes = document["updates"][0]["u"] if command == "update" else document.get("update", {})
    names = [name for part in changes.values() for name in part] if isinstance(changes, dict) else []
    return all(name == "heartbeat_at" or name.endswith(".labels") for name in names)


def watch(strike: Strike) -> Hooks:
    """Register hooks for all clients that this process opens from now on."""
    hooks = Hooks(strike)
    monitoring.register(hooks)
    _for_good.enter_context(disk_recorder.recording(hooks.disk))
    return hooks


def kill_at(where: int | str, *, journal: Path | None) -> Strike:
    """Return a strike that ends this process as `kill -9` does, and that keeps a journal: at the hook of that number
    (0: never), or at the first one whose name begins so."""
    file = journal.open("a", encoding="utf-8", buffering=1) if journal is not None else None

    def strike(reached: int, name: str) -> None:
        if file is not None:
            file.write(f"{reached} {name}\n")
        if reached == where or (isinstance(where, str) and name.startswith(where)):
            os.kill(os.getpid(), signal.SIGKILL)

    return strike


def stop_at(where: int | str) -> Strike:
    """Return a strike that stops this process as SIGSTOP does, until somebody continues it: at the hook of that number,
    or at the first one whose name begins so."""
    waiting = [where]

    def strike(reached: int, name: str) -> None:
        if waiting and (reached == where or (isinstance(where, str) and name.startswith(where))):
            waiting.clear()
            os.kill(os.getpid(), signal.SIGSTOP)

    return strike
