"""Carries out the jobs of the lane `runs`, one at a time: of all workers that look, one takes a job."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from django.db import Error, connection
from django.utils.crypto import get_random_string
from django_tasks import DEFAULT_TASK_BACKEND_ALIAS, DEFAULT_TASK_QUEUE_NAME
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from backups_app.jobs import broker, listening

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""How often a worker looks for jobs without a broker that wakes it."""
TURN_SECONDS = 0.3
"""After a job others look first: they may have the backup that it needs (`use_cases/backups/placement.py`)."""
ENDED_KEPT = timedelta(days=7)
DEAD_KEPT = timedelta(days=14)
"""A job that has run for so long has no worker any more: no run lasts for days."""


def work(*, once: bool) -> None:
    """Carry out what waits, in the main thread; unless `once`, go on until a signal comes. The first SIGINT or SIGTERM
    lets the present job finish, a second one ends it."""
    lane, woken = _Lane(), threading.Event()
    lane.configure_signals()
    lane.carry_out_all()  # a database that does not answer now ends this process: its settings are wrong
    if once:
        return
    pause_seconds = POLL_SECONDS
    if broker.is_configured():
        pause_seconds = broker.LOOK_SECONDS
        listening.start(woken=woken)
    while lane.running:
        woken.wait(pause_seconds)
        woken.clear()
        _carry_out_what_waits(lane)


def forget_old(*, now: datetime) -> None:
    """Remove jobs that ended a week ago, and those whose worker was killed: what they did is on record elsewhere. One
    that waits stays. (`prune_db_task_results` removes only those that ended.)"""
    DBTaskResult.objects.finished().filter(finished_at__lt=now - ENDED_KEPT).delete()
    DBTaskResult.objects.running().filter(started_at__lt=now - DEAD_KEPT).delete()


def _carry_out_what_waits(lane: _Lane) -> None:
    try:
        lane.carry_out_all()
    except Error as error:
        connection.close()
        logger.warning("The Django database does not answer", extra={"reason": type(error).__name__})


class _Lane(Worker):
    """The engine, which takes one job and then comes back."""

    def __init__(self) -> None:
        logging.getLogger("django_tasks").setLevel(logging.WARNING)
        logging.getLogger("django_tasks_db").setLevel(logging.CRITICAL)
        super().__init__(
            queue_names=[DEFAULT_TASK_QUEUE_NAME], interval=0, batch=True, backend_name=DEFAULT_TASK_BACKEND_ALIAS,
            startup_delay=False, max_tasks=1, worker_id=get_random_string(32), excluded_queue_names=[],
        )  # fmt: skip

    def carry_out_all(self) -> None:
        """Carry out what waits, until nothing waits or a signal came."""
        while self.running and self._carried_one_out():
            time.sleep(TURN_SECONDS)

    def _carried_one_out(self) -> bool:
        self._run_tasks = 0
        self.run()
        return self._run_tasks > 0
