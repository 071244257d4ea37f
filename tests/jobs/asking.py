"""A web process without the web: `python -m tests.jobs.asking` carries out orders, one JSON object a line.

It starts and cancels runs by the same calls as pages and API, and looks at the schedules as a worker does.
"""

from __future__ import annotations

import faulthandler
import json
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.jobs import on_a_host

on_a_host.take_the_name()

import django  # noqa: E402

django.setup()

from django.db import close_old_connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from backups_app import configuration  # noqa: E402
from backups_app.errors import RunActive  # noqa: E402
from backups_app.models import AuditEvent, Schedule, ScheduleSlot  # noqa: E402
from backups_app.records import Origin  # noqa: E402
from backups_app.runs.recovery import housekeeping  # noqa: E402
from backups_app.use_cases.backups import backups  # noqa: E402
from backups_app.use_cases.schedules import tick  # noqa: E402


def start(*, times: int) -> str | None:
    """Start a run whose job is sent so many times. None while another run is active."""
    try:
        run = backups.start_backup(created_by="ananya", delete_bookings=False, origin=Origin.WEB, now=timezone.now())
    except RunActive:
        return None
    for _ in range(times - 1):
        backups.carry_out_backup.enqueue(backup_id=run.id)
    return run.id


def cancel(*, backup_id: str) -> str:
    """Cancel a run as a person does."""
    return str(backups.cancel(backup_id=backup_id, requested_by="ananya", origin=Origin.WEB, now=timezone.now()).id)


def put_in_order() -> list[str]:
    """Do what a worker's tick does first: close what dead processes left."""
    return housekeeping.put_in_order(configuration=configuration.current(), now=timezone.now())


def plan(*, name: str, work: str, since: str) -> None:
    """Save a schedule of every minute."""
    at = datetime.fromisoformat(since)
    Schedule.objects.create(
        name=name,
        do=work,
        cron="* * * * *",
        time_zone="UTC",
        since=at,
        settled_at=at,
        created_at=at,
        created_by="ananya",
    )


def look(*, now: str) -> None:
    """Look at the schedules as a worker's tick does at this moment."""
    tick.tick(configuration=configuration.current(), now=datetime.fromisoformat(now))


def slots() -> list[dict[str, str]]:
    """Return every slot that was decided."""
    return [
        {"schedule": slot.schedule.name, "slot": slot.slot.isoformat(), "state": slot.state, "run": slot.run}
        for slot in ScheduleSlot.objects.select_related("schedule").order_by("slot", "pk")
    ]


def audit(*, action: str) -> list[str]:
    """Return the targets of the rows of an action."""
    return list(AuditEvent.objects.filter(action=action).order_by("n").values_list("target", flat=True))


ACTS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (start, cancel, put_in_order, plan, look, slots, audit)
}


def main() -> None:
    """Answer until stdin closes. SIGUSR1 prints where each thread stands."""
    faulthandler.register(signal.SIGUSR1)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        close_old_connections()
        print(json.dumps({"answer": ACTS[order.pop("do")](**order)}), flush=True)


if __name__ == "__main__":
    main()
