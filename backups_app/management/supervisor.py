"""Keeps a few child processes running until somebody stops them, and leaves none behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from backups_app.mongo import embedded

RESTART_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
CALM_SECONDS = 60.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Service:
    """One child: what people call it, and how it is started. With `log` what it prints is added to that file, which
    only its owner can read."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None


class Supervisor:
    """Starts services, starts again what dies, and stops them all, the last one first.

    The first SIGINT or SIGTERM lets a backup that runs come to its end; a second one ends everything at once, which is
    safe too: the next worker closes what was left.
    """

    def __init__(self, *, services: Sequence[Service], say: Callable[[str], None], patience_seconds: float) -> None:
        """Given what to run, how to inform people of it, and how long a stop may take."""
        self._children = [_Child(service) for service in services]
        self._say = say
        self._patience_seconds = patience_seconds
        self._signals = 0

    def run(self, *, started: Callable[[], None]) -> None:
        """Run until a signal comes. `started` is called once all children have been started."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for child in self._children:
                child.start()
            started()
            while not self._signals:
                self._look()
                time.sleep(LOOK_SECONDS)
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _look(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.ended():
                wait = child.plan_restart(now)
                self._say(f"The {child.service.name} ended ({child.exit_code}). It starts again in {wait:.0f} s.")
            if child.is_due(now):
                child.start()

    def _stop_all(self) -> None:
        running = [child for child in self._children if child.is_running]
        for child in running:
            child.signal(signal.SIGTERM)
        deadline, reported_at = time.monotonic() + self._patience_seconds, time.monotonic() + 2
        while any(child.is_running for child in running) and time.monotonic() < deadline and self._signals < 2:
            if reported_at and time.monotonic() > reported_at:
                names = " and ".join(child.service.name for child in running if child.is_running)
                self._say(f"Waiting for the {names} to finish. Press Ctrl-C again to stop at once.")
                reported_at = 0.0
            time.sleep(LOOK_SECONDS)
        for child in running:
            child.kill()


@contextlib.contextmanager
def _opened(log: Path | None) -> Iterator[IO[bytes] | None]:
    """Yield the file that a child's output is added to, or None for our own streams."""
    if log is None:
        yield None
        return
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
        yield file


class _Child:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.exit_code: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._due_at: float | None = None
        self._deaths = 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self._due_at, self._started_at = None, time.monotonic()
        with _opened(self.service.log) as log:
            self._process = subprocess.Popen(
                embedded.tethered(self.service.command, number=signal.SIGTERM),
                env={**os.environ, **self.service.environment},
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C in the terminal reaches the supervisor alone.
                start_new_session=True,
            )

    def ended(self) -> bool:
        """Whether it has died since the last look."""
        if self._process is None or self._process.poll() is None:
            return False
        self.exit_code, self._process = self._process.returncode, None
        return True

    def plan_restart(self, now: float) -> float:
        """Return after how many seconds it starts again: sooner for one that had run for a while."""
        self._deaths = 1 if now - self._started_at > CALM_SECONDS else self._deaths + 1
        wait = RESTART_SECONDS[min(self._deaths, len(RESTART_SECONDS)) - 1]
        self._due_at = now + wait
        return wait

    def is_due(self, now: float) -> bool:
        return self._due_at is not None and now >= self._due_at

    def signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it and everything it started, and wait."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
