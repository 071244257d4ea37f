"""Thirty days of backups before today, made while the demo is filled: the temple grows from backup to backup. They were
weekly at first, then nightly.

Each night's backup is a real one of what was there by then; afterwards its times are set back to its night. Atlas is
left out, and activities come last: the first run that a person starts finds both sides as they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from backups_app.backup_files import metadata
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Secret, current
from backups_app.management.demo.generator import DemoCollection
from backups_app.models import Schedule, ScheduleSlot
from backups_app.records import Origin
from backups_app.retention.policy import PROPOSED
from backups_app.runs import preparation
from backups_app.schedule import slots
from backups_app.use_cases.backups import backups
from backups_app.use_cases.retention import policy
from backups_app.use_cases.schedules.claims import State

DAYS = 30
ZONE = "Asia/Kolkata"
NIGHTLY, EVERY_NIGHT = "Every night", "0 2 * * *"
RESTORE_TEST, EVERY_SUNDAY = "Restore test", "0 3 * * 0"
NIGHTLY_FROM = 17
OFF, BACK = 20, 21
"""The night on which the server was off, and the one whose run it made late, in the morning."""
UNREACHABLE = 24
"""The night on which MongoDB did not answer."""
GROWS = frozenset({"bookings", "donations", "prasadam_orders", "feedback", "devotees"})
LAST = frozenset({"activities"})
FIRST_SHARE = 0.4

Night = tuple[int, datetime]


def nights(*, now: datetime) -> list[Night]:
    """Return the nights of the last thirty days with a backup, oldest first, each with its number and slot in UTC."""
    past = list(enumerate(slots.between(EVERY_NIGHT, time_zone=ZONE, after=now - timedelta(days=DAYS), until=now)))
    weekly = slots.between("0 2 * * 0", time_zone=ZONE, after=now - timedelta(days=DAYS), until=now)
    return [(night, slot) for night, slot in past if night >= NIGHTLY_FROM or slot in weekly]


def share(collection: DemoCollection, *, night: int) -> int:
    """Return how many documents of a collection are there on a night."""
    count = len(collection.documents)
    if collection.name in LAST:
        return 0
    if collection.name not in GROWS or night >= DAYS - 1:
        return count
    return int(count * (FIRST_SHARE + (1 - FIRST_SHARE) * night / (DAYS - 1)))


def make(*, now: datetime, grow: Callable[[int], None]) -> int:
    """Make the schedules, the backup of each night and the rules, which the next good backup applies first; `grow`
    brings the temple to a night. Return how many backups were made."""
    past = nights(now=now)
    row = _schedule(NIGHTLY, "backup", EVERY_NIGHT, since=past[0][1] - timedelta(minutes=1), settled_at=past[-1][1])
    _schedule(RESTORE_TEST, "rehearse", EVERY_SUNDAY, since=now, settled_at=now)
    made = 0
    with _without_atlas():
        for night, slot in past:
            grow(night)
            if night == OFF:
                _slot(row, slot, at=slot + timedelta(days=1, hours=6), state=State.MISSED, reason="missed")
            elif night == UNREACHABLE:
                _slot(row, slot, at=slot, state=State.FAILED, reason="database_unreachable")
            else:
                at = slot + (timedelta(hours=6, minutes=12) if night == BACK else timedelta(seconds=20))
                run = _backup(at)
                _slot(row, slot, at=at, state=State.STARTED, run=run.id, late=night == BACK)
                made += 1
    policy.change(configuration=current(), policy=PROPOSED, changed_by="ananya", origin=Origin.COMMAND, now=now)
    return made


def _backup(at: datetime) -> RunRecord:
    begun = datetime.now(UTC)
    run = backups.start_backup(
        created_by=f"schedule {NIGHTLY}", delete_bookings=False, origin=Origin.SCHEDULE, now=at, enqueue=False
    )
    run = backups.execute(backup_id=run.id)
    _set_back(run, by=begun - at, later_than=begun - timedelta(seconds=1))
    return run


def _set_back(run: RunRecord, *, by: timedelta, later_than: datetime) -> None:
    """Set the times at which a run really happened back, in its record and in its folder."""

    def earlier(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: earlier(one) for name, one in value.items()}
        if isinstance(value, list):
            return [earlier(one) for one in value]
        moment = _moment(value)
        if moment is None or moment < later_than:
            return value
        return moment - by if isinstance(value, datetime) else (moment - by).isoformat().replace("+00:00", "Z")

    configuration = current()
    database = preparation.local_database(configuration)
    changes = {name: earlier(value) for name, value in run.items() if name != "_id"}
    runs.amend(database, backup_id=run.id, changes=changes)
    folder = preparation.store(configuration).folder(run.id)
    metadata.write(folder, earlier(metadata.read(folder) or {}))


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00:00Z") or not value.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _schedule(name: str, do: str, cron: str, *, since: datetime, settled_at: datetime) -> Schedule:
    Schedule.objects.filter(name=name).delete()  # of a fill that was cut short
    return Schedule.objects.create(
        name=name, do=do, cron=cron, time_zone=str(ZoneInfo(ZONE)), since=since, settled_at=settled_at,
        created_at=since, created_by="ananya",
    )  # fmt: skip


def _slot(row: Schedule, slot: datetime, *, at: datetime, state: State, **fields: Any) -> None:
    ScheduleSlot.objects.create(schedule=row, slot=slot, state=state, decided_at=at, changed_at=at, **fields)


@contextmanager
def _without_atlas() -> Iterator[None]:
    configured = current()
    settings.TEMPLEOPS = replace(configured, cloud_url=Secret(""))
    try:
        yield
    finally:
        settings.TEMPLEOPS = configured
