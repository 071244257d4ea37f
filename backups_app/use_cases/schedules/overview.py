"""What schedules there are, when they run next, what became of their slots, and what is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from backups_app.access import audit
from backups_app.assurance.evidence import Evidence, Slots
from backups_app.assurance.marks import TICK, is_overdue
from backups_app.configuration import Configuration
from backups_app.errors import ScheduleNotFound
from backups_app.models import Schedule, ScheduleSlot
from backups_app.retention.forecast import AHEAD
from backups_app.schedule import slots
from backups_app.use_cases import status_of_files
from backups_app.use_cases.listing import listing
from backups_app.use_cases.schedules import claims
from backups_app.use_cases.schedules.claims import State

NEXT_RUNS = 5
MOST_AHEAD = 3_000
"""Slots of one schedule in 30 days: one of each quarter of an hour has 2,880."""
MAKES_FULL_BACKUPS = (Schedule.Do.BACKUP.value, Schedule.Do.BACKUP_AND_DELETE.value)
MAKES_BACKUPS = (*MAKES_FULL_BACKUPS, Schedule.Do.INCREMENTAL.value)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a schedule is to be. An empty `time_zone` is the house's (`TIME_ZONE`). With a `target` a restore test
    begins from the copy there."""

    name: str
    do: str = Schedule.Do.BACKUP.value
    cron: str = "0 2 * * *"
    time_zone: str = ""
    if_missed: str = ""
    enabled: bool = True
    target: str = ""

    @property
    def deletes(self) -> bool:
        return self.do == Schedule.Do.BACKUP_AND_DELETE


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A schedule as faces show it. `last` is the newest slot of the past with what became of it, `overdue` whether a
    backup that it should have made is late."""

    row: Schedule
    next_runs: tuple[datetime, ...]
    last: ScheduleSlot | None
    overdue: bool

    @property
    def wish(self) -> Wish:
        row = self.row
        return Wish(
            name=row.name, do=row.do, cron=row.cron, time_zone=row.time_zone, if_missed=row.if_missed,
            enabled=row.enabled, target=row.target,
        )  # fmt: skip


def every(*, now: datetime, newest_at: datetime | None = None) -> list[Planned]:
    """Return all schedules by name. `newest_at` is when the newest verified backup began, for what is overdue."""
    return [of(row, now=now, newest_at=newest_at) for row in Schedule.objects.all()]


def newest_backup_at(*, configuration: Configuration, now: datetime) -> datetime | None:
    """Return when the newest verified backup began, from records and folders; None without one. One dated in the
    future is no evidence."""
    backups = [run for run in listing.list_runs(configuration=configuration) if run.kind == "backup"]
    dated = status_of_files.dated(backups, now=now)
    good = status_of_files.newest_good(dated, database=configuration.database_name)
    return None if good is None else good["created_at"]


def get(name: str, *, now: datetime) -> Planned:
    """Return one schedule. Raise `ScheduleNotFound`."""
    return of(row_of(name), now=now, newest_at=None)


def row_of(name: str, *, locked: bool = False) -> Schedule:
    """Return the row of a schedule, `locked` within a transaction. Raise `ScheduleNotFound`."""
    rows = Schedule.objects.select_for_update() if locked else Schedule.objects.all()
    row = rows.filter(name=audit.storable(name)).first()
    if row is None:
        raise ScheduleNotFound()
    return row


def of(row: Schedule, *, now: datetime, newest_at: datetime | None) -> Planned:
    """Return a row as faces show it."""
    coming = slots.upcoming(row.cron, time_zone=row.time_zone, after=now, count=NEXT_RUNS) if row.enabled else []
    last = row.slots.filter(slot__lte=now).exclude(state=State.DROPPED).first() if row.pk else None
    overdue = row.enabled and row.do in MAKES_BACKUPS and _is_overdue(row, now=now, newest_at=newest_at)
    return Planned(row=row, next_runs=tuple(coming), last=last, overdue=overdue)


def next_runs(wish: Wish, *, now: datetime, count: int = NEXT_RUNS) -> tuple[datetime, ...]:
    """Return the next runs that a schedule would have. Raise what `slots.check` raises."""
    zone = wish.time_zone or house_zone()
    slots.check(wish.cron, time_zone=zone, now=now)
    return tuple(slots.upcoming(wish.cron, time_zone=zone, after=now, count=count))


def history(*, since: datetime, until: datetime) -> list[ScheduleSlot]:
    """Return what became of the slots of a time, newest first; of dropped ones nothing."""
    rows = ScheduleSlot.objects.filter(slot__gte=since, slot__lt=until).exclude(state=State.DROPPED)
    return list(rows.select_related("schedule"))


def planned_between(*, since: datetime, until: datetime, most: int = 400) -> list[tuple[datetime, Schedule]]:
    """Return the coming slots of enabled schedules until a moment, oldest first, at most so many of each schedule."""
    found: list[tuple[datetime, Schedule]] = []
    for row in claims.enabled():
        coming = slots.upcoming(row.cron, time_zone=row.time_zone, after=since, count=most)
        found += [(slot, row) for slot in coming if slot < until]
    return sorted(found, key=lambda one: (one[0], one[1].name))


def backup_slots(*, now: datetime, without: str | None = None) -> list[datetime]:
    """Return when the enabled schedules make full backups in the coming 30 days, oldest first; `without` leaves the
    schedule of that name out. Incrementals go after a day and push no full one out."""
    planned = planned_between(since=now, until=now + AHEAD, most=MOST_AHEAD)
    return [slot for slot, row in planned if row.do in MAKES_FULL_BACKUPS and row.name != without]


def assurance_slots(*, now: datetime) -> tuple[Slots, ...]:
    """Return the last and the next slot of every enabled schedule that makes backups: what assurance needs."""
    return tuple(_slots(row, now) for row in claims.enabled() if row.do in MAKES_BACKUPS)


def worker_is_away(*, now: datetime) -> bool:
    """Return whether no worker has looked at the schedules for three minutes: nothing planned will happen."""
    last = claims.last_tick()
    return last is None or now - last > TICK


def public(planned: Planned) -> dict[str, Any]:
    """Return a schedule as API and `--json` show it."""
    row, last = planned.row, planned.last
    return {
        "name": row.name,
        "do": row.do,
        "cron": row.cron,
        "time_zone": row.time_zone,
        "if_missed": row.if_missed,
        "target": row.target,
        "enabled": row.enabled,
        "next_runs": list(planned.next_runs),
        "waiting": row.waiting,
        "overdue": planned.overdue,
        "last": None if last is None else public_slot(last),
        "created_by": row.created_by,
        "created_at": row.created_at,
    }


def public_slot(slot: ScheduleSlot) -> dict[str, Any]:
    """Return what became of a slot as API and `--json` show it."""
    return {
        "slot": slot.slot, "state": slot.state, "reason": slot.reason, "late": slot.late, "run": slot.run,
        "decided_at": slot.decided_at,
    }  # fmt: skip


def house_zone() -> str:
    """Return the name of the house's time zone."""
    return timezone.get_default_timezone_name()


def _is_overdue(row: Schedule, *, now: datetime, newest_at: datetime | None) -> bool:
    return is_overdue(Evidence(now=now, newest_at=newest_at, schedules=(_slots(row, now),)))


def _slots(row: Schedule, now: datetime) -> Slots:
    last = slots.latest(row.cron, time_zone=row.time_zone, until=now)
    following = slots.upcoming(row.cron, time_zone=row.time_zone, after=now, count=1)
    return Slots(last=last if last is not None and last > row.since else None, next=following[0])
