"""A process of TempleOps as it would run on another host: `python -m tests.jobs.on_a_host manage.py arguments`.

`JOBS_TEST_HOST` is its host name. `JOBS_TEST_STOP_AT` stops it, as SIGSTOP does, at the first hook of that name.
`JOBS_TEST_SLOW` makes every query to MongoDB take so many seconds longer. With `JOBS_TEST_ONLY_WOKEN` a worker
looks for jobs only when the broker wakes it. A worker looks for jobs more often than in production: tests wait less.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import closing

import django
from django.core.management import execute_from_command_line
from django.db import connection

from backups_app.jobs import broker
from tests.faults import hooks

POLL_SECONDS, TURN_SECONDS = 0.1, 0.05


def take_the_name() -> None:
    """Give this process the host name that the test chose."""
    name = os.environ["JOBS_TEST_HOST"]
    socket.gethostname = lambda: name


def _change_what_the_test_asks_for() -> None:
    django.setup()  # the queue needs it
    from backups_app.jobs import queue

    queue.POLL_SECONDS, queue.TURN_SECONDS = POLL_SECONDS, TURN_SECONDS
    stop, slow = os.environ.get("JOBS_TEST_STOP_AT"), float(os.environ.get("JOBS_TEST_SLOW", "0"))
    if stop:
        hooks.watch(_stop_at(stop))
    elif slow:
        hooks.watch(lambda _number, name: time.sleep(slow if name.startswith("before find") else 0))
    if os.environ.get("JOBS_TEST_ONLY_WOKEN"):
        broker.LOOK_SECONDS = 3600


def _stop_at(name: str) -> hooks.Strike:
    """As `hooks.stop_at`, but at no moment in which a thread writes to SQLite: it would keep every process from it."""
    stop = hooks.stop_at(name)

    def strike(number: int, reached: str) -> None:
        if reached.startswith(name) and connection.vendor == "sqlite":
            with closing(connection.copy()) as another, another.cursor() as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                cursor.execute("ROLLBACK")
        stop(number, reached)

    return strike


if __name__ == "__main__":
    take_the_name()
    _change_what_the_test_asks_for()
    execute_from_command_line(["manage.py", *sys.argv[1:]])
