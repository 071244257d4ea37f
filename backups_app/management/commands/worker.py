"""`manage.py worker`: runs backups, and every minute closes what a dead process left behind."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from backups_app import configuration
from backups_app.access import private_files
from backups_app.runs import housekeeping

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
TICK_SECONDS = 60.0


class Command(BaseCommand):
    help = "Run backups that were asked for, until stopped. Ctrl-C lets the present one finish; twice ends it at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is waiting, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        private_files.tighten()
        stopped = threading.Event()
        # A daemon: an unreachable server must not hold up the end of the worker.
        threading.Thread(target=_tick_until, args=(stopped,), name="housekeeping", daemon=True).start()
        self.stdout.write("Worker ready.")
        try:
            call_command(
                "db_worker",
                interval=POLL_SECONDS,
                batch=options["once"],
                reload=False,
                startup_delay=False,
                verbosity=max(options["verbosity"] - 1, 0),  # its own log is for those who look for it
            )
        finally:
            stopped.set()


def _tick_until(stopped: threading.Event) -> None:
    while True:
        try:
            housekeeping.tick(configuration=configuration.current(), now=timezone.now())
        except Exception:
            logger.exception("Housekeeping failed")
        finally:
            close_old_connections()
        if stopped.wait(TICK_SECONDS):
            return
