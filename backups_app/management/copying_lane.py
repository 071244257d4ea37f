"""The worker's third lane: a process of its own that copies backups elsewhere, as long as a target lacks one, and looks
at each target once a day.

It is started when there is something to copy and ends when nothing is left. It takes no lease. The next one
goes on with what a killed one left.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import threading
import time
from collections.abc import Sequence

from django.db import Error, close_old_connections
from django.utils import timezone

from backups_app import configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import embedded
from backups_app.runs import preparation
from backups_app.use_cases.copies import looking, work

LOOK_SECONDS = (5.0, 60.0)
BACKUPS_A_SECOND = 50
"""A look reads every backup's metadata.json: with many of them it is taken less often."""
CLEAR_SECONDS = 3600.0
STOP_SECONDS = 5.0

logger = logging.getLogger(__name__)


class CopyingLane:
    """Starts one process where something is to be copied, and ends it when the worker stops."""

    def __init__(self, *, command: Sequence[str]) -> None:
        """Given the command that copies what is lacking and then ends."""
        self._command = command
        self._running: subprocess.Popen[bytes] | None = None
        self._looked_at = float("-inf")
        self._cleared_at = time.monotonic()

    def run_until(self, stopped: threading.Event) -> None:
        """Look every few seconds until the worker stops. Runs in a thread that lives as long as the worker."""
        try:
            while not stopped.wait(1.0):
                with contextlib.suppress(Error):  # the Django database is away: the worker itself says so
                    self.look()
                close_old_connections()
        finally:
            self.stop()

    def look(self) -> None:
        """Start the process where it does not run and something is to be copied or looked at."""
        if self._running is not None and self._running.poll() is None:
            return
        if time.monotonic() - self._looked_at < self._pause():
            return
        self._looked_at = time.monotonic()
        try:
            current, now = configuration.current(), timezone.now()
            has_work = looking.is_due(configuration=current, now=now) or work.has_work(configuration=current, now=now)
        except (TempleOpsError, OSError) as error:
            logger.warning("Copies could not be looked for", extra={"reason": type(error).__name__})
            return
        if has_work or self._is_hourly():
            command = embedded.tethered(self._command, number=signal.SIGTERM)
            self._running = subprocess.Popen(command, start_new_session=True)

    def _is_hourly(self) -> bool:
        """Whether old copies are to be cleared, which is done once an hour where there are targets."""
        if not configuration.current().targets or time.monotonic() - self._cleared_at < CLEAR_SECONDS:
            return False
        self._cleared_at = time.monotonic()
        return True

    def _pause(self) -> float:
        shortest, longest = LOOK_SECONDS
        with contextlib.suppress(TempleOpsError, OSError):
            count = len(preparation.store(configuration.current()).backups().ids)
            return min(max(shortest, count / BACKUPS_A_SECOND), longest)
        return longest

    def stop(self) -> None:
        """End the process. The copy that it makes is finished by the next one."""
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None
