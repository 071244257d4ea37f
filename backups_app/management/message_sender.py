"""The worker's second thread: sends what is in the outbox, and looks for problems once a minute."""

from __future__ import annotations

import logging
import threading
import time

from django.db import close_old_connections
from django.utils import timezone

from backups_app import configuration
from backups_app.use_cases.notifications import notification_work

logger = logging.getLogger(__name__)

SEND_EVERY_SECONDS = 5.0
LOOK_EVERY_SECONDS = 60.0


def run_until(stopped: threading.Event) -> None:
    """Send and look until asked to stop. A failure is logged, and the next round tries again."""
    looked_at = float("-inf")
    while True:
        try:
            if time.monotonic() - looked_at >= LOOK_EVERY_SECONDS:
                looked_at = time.monotonic()
                notification_work.report_silent_problems(configuration=configuration.current(), now=timezone.now())
            notification_work.deliver(configuration=configuration.current())
        except Exception:
            logger.exception("Messages could not be sent")
        finally:
            close_old_connections()
        if stopped.wait(SEND_EVERY_SECONDS):
            return
