"""Faults at every command that a sync sends, injected where the driver sends them: before it leaves, or after the
server has answered."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
from pymongo.errors import AutoReconnect
from pymongo.monitoring import ConnectionClosedReason
from pymongo.synchronous import command_runner


class Crash(BaseException):
    """The process died here: nothing of it runs any more."""


class Kind(Enum):
    """CRASH_*: the process dies. LOST_*: one command fails, the line is good again. CUT_*: from here on nothing of
    that server can be reached. RACE_*: an application writes. BEFORE the command is sent, AFTER the server did it."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    LOST_BEFORE = "lost before"
    LOST_AFTER = "lost after"
    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    RACE_BEFORE = "race before"
    RACE_AFTER = "race after"


@dataclass(kw_only=True)
class Fault:
    """What happens at which command (1 is the first) of the code under test. `race` is the application's write."""

    kind: Kind | None = None
    point: int = 0
    race: Callable[[], None] | None = None
    count: int = 0
    names: list[str] = field(default_factory=list)
    happened: bool = False
    _down: Any = None
    _dead: bool = False
    _inside: bool = False

    def before(self, address: Any, name: str, connection: Any) -> None:
        self.count += 1
        self.names.append(name)
        if self._dead:
            raise Crash
        if self._down == address:
            self._break(connection)
        if self.count == self.point and self.kind is not None and self.kind.value.endswith("before"):
            self._strike(address, connection)

    def after(self, address: Any, number: int, connection: Any) -> None:
        if number == self.point and self.kind is not None and self.kind.value.endswith("after"):
            self._strike(address, connection)

    def _strike(self, address: Any, connection: Any) -> None:
        assert self.kind is not None
        self.happened = True
        what = self.kind.value.split()[0]
        if what == "crash":
            self._dead = True
            raise Crash
        if what == "race":
            assert self.race is not None
            # An application has time limits of its own: in the sync's context its `maxTimeMS` would be overruled.
            contextvars.Context().run(self.race)
            return
        if what == "cut":
            self._down = address
        self._break(connection)

    def _break(self, connection: Any) -> None:
        connection.close_conn(ConnectionClosedReason.ERROR)
        raise AutoReconnect("injected: connection closed")


@contextmanager
def injected(fault: Fault) -> Iterator[Fault]:
    """Let a fault happen inside this block, on this thread's commands."""
    original = command_runner._run_command

    def run(conn: Any, cmd: Any, dbname: str, *args: Any, **kwargs: Any) -> Any:
        if fault._inside or kwargs.get("client") is None:  # handshakes, heartbeats, and the racing application
            return original(conn, cmd, dbname, *args, **kwargs)
        fault._inside = True
        try:
            fault.before(conn.address, next(iter(cmd)), conn)
            number = fault.count
        finally:
            fault._inside = False
        answer = original(conn, cmd, dbname, *args, **kwargs)
        fault._inside = True
        try:
            fault.after(conn.address, number, conn)
        finally:
            fault._inside = False
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_runner, "_run_command", run)
        yield fault
