"""The worker's second lane: processes of their own for work that only reads, so that it never waits behind a backup.

They are started when such work waits, two at most, with a low priority, and end when nothing has waited for a while.
They take no lease. When the worker ends they end too: what they did not finish is done again by the next ones.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import threading
from collections.abc import Sequence
from datetime import timedelta

from django.db import Error, close_old_connections
from django.utils import timezone

from backups_app.errors import TempleOpsError
from backups_app.mongo import embedded
from backups_app.use_cases.lanes import (
    carrying_out,
    comparisons,
    jobs,
    previews,
    unknown_copies,
    verifications,
)
from backups_app.use_cases.lanes.presence import Presence
from backups_app.use_cases.schedules import acts

PROCESSES = 2
LOOK_SECONDS = 0.5
IDLE_SECONDS = 30.0
"""A process waits for so long for more: starting one takes a second."""
TAKEN_WITHIN = timedelta(seconds=0.5)
"""An idle process takes a job within this time: no other one need be started for it."""
STOP_SECONDS = 5.0

logger = logging.getLogger(__name__)


KINDS = (
    verifications.KIND, comparisons.KIND, previews.KIND, acts.VERIFICATION, unknown_copies.LOOK, unknown_copies.TAKE_IN,
)  # fmt: skip


def read(*, idle_seconds: float) -> None:
    """Do what waits in the lane, in this process, until nothing has waited for so long."""
    carrying_out.work(kinds=KINDS, idle_seconds=idle_seconds)


class ReadingLane:
    """Starts a process where work waits, and ends all when the worker stops."""

    def __init__(self, *, command: Sequence[str]) -> None:
        """Given the command that does what waits and, when nothing has waited for a while, ends."""
        self._command = command
        self._running: list[subprocess.Popen[bytes]] = []
        self._presence = Presence()

    def run_until(self, stopped: threading.Event) -> None:
        """Look twice a second until the worker stops. Runs in a thread that lives as long as the worker."""
        try:
            while not stopped.wait(LOOK_SECONDS):
                # The database of the jobs is away, or the disk of the backups: the worker itself says so.
                with contextlib.suppress(Error, TempleOpsError):
                    self.look()
                close_old_connections()
        finally:
            self.stop()

    def look(self) -> None:
        """Start a process for each job that waits, as long as fewer than two run. Every ten seconds say that this host
        reads, and look after what ended processes left."""
        store, now = carrying_out.store_here(), timezone.now()
        self._presence.note(store=store, now=now)
        self._running = [process for process in self._running if process.poll() is None]
        since = now - TAKEN_WITHIN if self._running else now
        for _ in range(min(jobs.waiting(store=store, since=since), PROCESSES - len(self._running))):
            command = embedded.tethered(self._command, number=signal.SIGTERM)
            self._running.append(subprocess.Popen(command, start_new_session=True))

    def stop(self) -> None:
        """End the processes: reading changes nothing, so nothing is lost."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running = []
