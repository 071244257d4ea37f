"""`manage.py worker`: runs what was asked for, and each minute looks at the schedules and at what a dead process left.

Three lanes: this process carries out runs, one at a time; processes of their own do what only reads,
and one copies backups elsewhere (`copying_lane.py`).
"""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone

from backups_app import configuration, priorities, threads
from backups_app.access.secrecy import private_files
from backups_app.jobs import queue
from backups_app.management import message_sender, migrations_applied, reading_lane
from backups_app.management.copying_lane import CopyingLane
from backups_app.management.reading_lane import IDLE_SECONDS, ReadingLane
from backups_app.runs.recovery import housekeeping
from backups_app.use_cases.copies import looking, upkeep
from backups_app.use_cases.copies import work as copying
from backups_app.use_cases.finding import finding
from backups_app.use_cases.retention import trash_emptying
from backups_app.use_cases.schedules import tick as schedule_tick

logger = logging.getLogger(__name__)

TICK_SECONDS = 60.0


class Command(BaseCommand):
    help = "Run queued work until stopped. Ctrl-C lets the running work finish; a second one ends it at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Do the queued work, then end.")
        parser.add_argument(
            "--idle",
            type=float,
            default=0,
            help="With --once, wait this many seconds for more work of the reading lane.",
        )
        lanes = ["runs", "reading", "copies"]
        parser.add_argument("--lane", choices=lanes, help="Work only in this lane, without schedules.")

    def handle(self, *args: Any, **options: Any) -> None:
        private_files.tighten()
        threads.share_memory()
        once = options["once"]
        if not options["lane"]:
            with contextlib.suppress(DatabaseError):  # it waits for a database that does not answer
                migrations_applied.require()
        if options["lane"] == "reading":
            return _read(idle_seconds=options["idle"] if once else math.inf)
        if options["lane"] == "copies":
            priorities.stand_back(niceness=priorities.READING)
            return _copy()
        priorities.stand_back(niceness=priorities.RUNS)
        if once and not options["lane"]:
            tick()
        if once or options["lane"] == "runs":
            queue.work(once=once)
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
        logger.info("Worker ready.")
        try:
            queue.work(once=False)
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
    """Look at the targets that are due, copy what they lack, then clear there what is not kept any more."""
    looking.look_where_due(configuration=configuration.current(), now=timezone.now())
    copying.copy_what_is_lacking(configuration=configuration.current())
    upkeep.clear(configuration=configuration.current(), now=timezone.now())


def _read(*, idle_seconds: float) -> None:
    """Do what waits in the reading lane, with a low priority, until nothing has waited for so long. A signal ends this
    process at once: reading changes nothing, and what was begun is begun again."""
    priorities.stand_back(niceness=priorities.READING)
    reading_lane.read(idle_seconds=idle_seconds)


def _tick_until(stopped: threading.Event) -> None:
    while True:
        tick()
        if stopped.wait(TICK_SECONDS):
            return


def tick() -> None:
    """Close what a dead process left, empty the trash, forget old searches and jobs, look at the schedules. None keeps
    another from being done."""
    current = configuration.current()
    looks: dict[str, Callable[[], object]] = {
        "housekeeping": lambda: housekeeping.tick(configuration=current, now=timezone.now()),
        "trash": lambda: trash_emptying.housekeep(configuration=current, now=timezone.now()),
        "searches": lambda: finding.forget_old(now=timezone.now()),
        "jobs": lambda: queue.forget_old(now=timezone.now()),
        "schedules": lambda: schedule_tick.tick(configuration=current, now=timezone.now()),
    }
    for name, look in looks.items():
        try:
            look()
        except Exception:
            logger.exception("A look of the worker failed", extra={"look": name})
        finally:
            close_old_connections()
