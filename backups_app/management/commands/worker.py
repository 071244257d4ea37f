"""`manage.py worker`: runs what was asked for, and each minute looks at the schedules and at what a dead process left.

Three lanes: this process carries out runs, one at a time; processes of their own do what only reads,
and one copies backups elsewhere (`copying_lane.py`).
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from backups_app import configuration
from backups_app.access import private_files
from backups_app.management import message_sender, reading_lane
from backups_app.management.copying_lane import CopyingLane
from backups_app.management.reading_lane import IDLE_SECONDS, NICENESS, ReadingLane
from backups_app.runs.recovery import housekeeping
from backups_app.use_cases.copies import upkeep
from backups_app.use_cases.copies import work as copying
from backups_app.use_cases.finding import finding
from backups_app.use_cases.retention import trash
from backups_app.use_cases.schedules import tick as schedule_tick

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
TICK_SECONDS = 60.0
RUNS = "default"
"""The queue of the lane that carries out runs."""


class Command(BaseCommand):
    help = "Run backups that were asked for, until stopped. Ctrl-C lets the present one finish; twice ends it at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is waiting, then end")
        parser.add_argument("--idle", type=float, default=0, help="with --once, wait so many seconds for more to read")
        lanes = ["runs", "reading", "copies"]
        parser.add_argument("--lane", choices=lanes, help="only this lane, without looking at schedules")

    def handle(self, *args: Any, **options: Any) -> None:
        private_files.tighten()
        once, verbosity = options["once"], max(options["verbosity"] - 1, 0)
        if options["lane"] == "reading":
            return _read(idle_seconds=options["idle"] if once else math.inf)
        if options["lane"] == "copies":
            os.nice(NICENESS)
            return _copy()
        if once and not options["lane"]:
            tick()
        if once or options["lane"] == "runs":
            _work(RUNS, once=once, verbosity=verbosity)
            return None if options["lane"] else _do_what_waits_in_other_lanes()
        stopped = threading.Event()
        lane, copies = ReadingLane(command=_worker(*READ_ONCE)), CopyingLane(command=_worker("--lane", "copies"))
        # Daemons: an unreachable server must not hold up the end of the worker.
        threading.Thread(target=_tick_until, args=(stopped,), name="tick", daemon=True).start()
        threading.Thread(target=message_sender.run_until, args=(stopped,), name="messages", daemon=True).start()
        reading = threading.Thread(target=lane.run_until, args=(stopped,), name="reading lane", daemon=True)
        reading.start()
        copier = threading.Thread(target=copies.run_until, args=(stopped,), name="copying lane", daemon=True)
        copier.start()
        self.stdout.write("Worker ready.")
        try:
            _work(RUNS, once=False, verbosity=verbosity)
        finally:
            stopped.set()
            reading.join()
            copier.join()


READ_ONCE = ("--lane", "reading", "--once", "--idle", str(IDLE_SECONDS))


def _worker(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", *arguments]


def _do_what_waits_in_other_lanes() -> None:
    reading_lane.read(idle_seconds=0)
    _copy()


def _copy() -> None:
    """Copy what targets lack, then clear there what is not kept any more."""
    copying.copy_what_is_lacking(configuration=configuration.current())
    upkeep.clear(configuration=configuration.current(), now=timezone.now())


def _read(*, idle_seconds: float) -> None:
    """Do what waits in the reading lane, with a low priority, until nothing has waited for so long. A signal ends this
    process at once: reading changes nothing, and what was begun is begun again."""
    os.nice(NICENESS)
    reading_lane.read(idle_seconds=idle_seconds)


def _work(queue: str, *, once: bool, verbosity: int) -> None:
    call_command(
        "db_worker",
        queue_name=queue,
        interval=POLL_SECONDS,
        batch=once,
        reload=False,
        startup_delay=False,
        verbosity=verbosity,  # its own log is for those who look for it
    )


def _tick_until(stopped: threading.Event) -> None:
    while True:
        tick()
        if stopped.wait(TICK_SECONDS):
            return


def tick() -> None:
    """Close what a dead process left, empty the trash, forget old searches, look at the schedules. None keeps another
    from being done."""
    current = configuration.current()
    looks: dict[str, Callable[[], object]] = {
        "housekeeping": lambda: housekeeping.tick(configuration=current, now=timezone.now()),
        "trash": lambda: trash.housekeep(configuration=current, now=timezone.now()),
        "searches": lambda: finding.forget_old(now=timezone.now()),
        "schedules": lambda: schedule_tick.tick(configuration=current, now=timezone.now()),
    }
    for name, look in looks.items():
        try:
            look()
        except Exception:
            logger.exception("A look of the worker failed", extra={"look": name})
        finally:
            close_old_connections()
