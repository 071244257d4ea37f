"""The worker's second lane: processes of their own for work that only reads, so that it never waits behind a backup.

They are started when such work waits, two at most, with a low priority, and end when nothing is left. They take no
lease. When the worker ends they end too: what they did not finish is done again, or recorded as interrupted.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import threading
from collections.abc import Sequence

from django.db import Error, close_old_connections
from django_tasks_db.models import DBTaskResult

from backups_app.mongo import embedded
from backups_app.use_cases.schedules.acts import READING

PROCESSES = 2
LOOK_SECONDS = 1.0
STOP_SECONDS = 5.0
NICENESS = 10

logger = logging.getLogger(__name__)


def waiting() -> int:
    """Return how many jobs of the reading lane wait to be taken."""
    return int(DBTaskResult.objects.ready().filter(queue_name=READING).count())


class ReadingLane:
    """Starts a process where work waits, and ends all when the worker stops."""

    def __init__(self, *, command: Sequence[str]) -> None:
        """Given the command that does what waits in the reading queue and then ends."""
        self._command = command
        self._running: list[subprocess.Popen[bytes]] = []

    def run_until(self, stopped: threading.Event) -> None:
        """Look every second until the worker stops. Runs in a thread that lives as long as the worker."""
        try:
            while not stopped.wait(LOOK_SECONDS):
                with contextlib.suppress(Error):  # the database of the queue is away: the worker itself says so
                    self.look()
                close_old_connections()
        finally:
            self.stop()

    def look(self) -> None:
        """Start a process for each job that waits, as long as fewer than two run."""
        self._running = [process for process in self._running if process.poll() is None]
        for _ in range(min(waiting(), PROCESSES - len(self._running))):
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
