"""What schedules there are, when they run next, what became of their slots, and what is overdue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.utils import timezone

from backups_app.access.trail import audit
from backups_app.assurance.evidence import Evidence, Slots
from backups_app.assurance.marks import TICK, is_overdue
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import ScheduleNotFound
from backups_app.models import Schedule, ScheduleSlot
from backups_app.records import RunKind
from backups_app.retention.forecast import AHEAD, DAY, Coming, ComingRuns
from backups_app.schedule import slots
from backups_app.use_cases import status_of_files
from backups_app.use_cases.listing import listing
from backups_app.use_cases.schedules import claims
from backups_app.use_cases.schedules.claims import State

NEXT_RUNS = 5
MOST_AHEAD = 3_000
"""Slots of one schedule in 30 days: one of each quarter of an hour has 2,880."""
MOST_A_DAY = 100
"""Slots of one schedule that a day of the calendar counts: one of each quarter of an hour has 96."""
MAKES_BACKUPS = (Schedule.Do.BACKUP.value, Schedule.Do.BACKUP_AND_DELETE.value, Schedule.Do.INCREMENTAL.value)


@dataclass(frozen=True, kw_only=True)
class ScheduleWish:
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
class PlannedSchedule:
    """A schedule as faces show it. `last` is the newest slot of the past with what became of it, `overdue` whether a
    backup that it should have made is late."""

    row: Schedule
    next_runs: tuple[datetime, ...]
    last: ScheduleSlot | None
    overdue: bool

    @property
    def wish(self) -> ScheduleWish:
        return shown_wish(self.row)


def shown_wish(row: Schedule) -> ScheduleWish:
    """Return a row as somebody wished it."""
    return ScheduleWish(
        name=row.name, do=row.do, cron=row.cron, time_zone=row.time_zone, if_missed=row.if_missed,
        enabled=row.enabled, target=row.target,
    )  # fmt: skip


def every(*, now: datetime, newest_at: datetime | None = None) -> list[PlannedSchedule]:
    """Return all schedules by name. `newest_at` is when the newest verified backup began, for what is overdue."""
    return [shown_schedule(row, now=now, newest_at=newest_at) for row in Schedule.objects.all()]


def newest_backup_at(*, configuration: Configuration, now: datetime) -> datetime | None:
    """Return when the newest verified backup began, from records and folders; None without one. One dated in the
    future is no evidence."""
    runs = listing.list_runs(configuration=configuration, every=True)
    return newest_good_at(runs, configuration=configuration, now=now)


def newest_good_at(runs: Iterable[RunRecord], *, configuration: Configuration, now: datetime) -> datetime | None:
    """Return when the newest verified backup of these runs, newest first, began: here, or confirmed by its own host."""
    dated = status_of_files.dated([run for run in runs if run.kind == RunKind.BACKUP], now=now)
    good = status_of_files.newest_good(dated, database=configuration.database_name)
    return None if good is None else good.created_at


def get(name: str, *, now: datetime) -> PlannedSchedule:
    """Return one schedule. Raise `ScheduleNotFound`."""
    return shown_schedule(row_of(name), now=now, newest_at=None)


def row_of(name: str, *, locked: bool = False) -> Schedule:
    """Return the row of a schedule, `locked` within a transaction. Raise `ScheduleNotFound`."""
    rows = Schedule.objects.select_for_update() if locked else Schedule.objects.all()
    row = rows.filter(name=audit.storable(name)).first()
    if row is None:
        raise ScheduleNotFound()
    return row


def shown_schedule(row: Schedule, *, now: datetime, newest_at: datetime | None) -> PlannedSchedule:
    """Return a row as faces show it."""
    coming = slots.upcoming(row.cron, time_zone=row.time_zone, after=now, count=NEXT_RUNS) if row.enabled else []
    last = row.slots.filter(slot__lte=now).exclude(state=State.DROPPED).first() if row.pk else None
    overdue = row.enabled and row.do in MAKES_BACKUPS and _is_overdue(row, now=now, newest_at=newest_at)
    return PlannedSchedule(row=row, next_runs=tuple(coming), last=last, overdue=overdue)


def next_runs(wish: ScheduleWish, *, now: datetime, count: int = NEXT_RUNS) -> tuple[datetime, ...]:
    """Return the next runs that a schedule would have. Raise what `slots.check` raises."""
    zone = wish.time_zone or house_zone()
    slots.check(wish.cron, time_zone=zone, now=now)
    return tuple(slots.upcoming(wish.cron, time_zone=zone, after=now, count=count))


def history(*, since: datetime, until: datetime) -> list[ScheduleSlot]:
    """Return what became of the slots of a time, newest first; of dropped ones nothing."""
    rows = ScheduleSlot.objects.filter(slot__gte=since, slot__lt=until).exclude(state=State.DROPPED)
    return list(rows.select_related("schedule"))


@dataclass(frozen=True, kw_only=True)
class PlannedDay:
    """The slots of one schedule on one day, oldest first; `has_more` where it has more than `MOST_A_DAY`."""

    row: Schedule
    day: date
    slots: tuple[datetime, ...]
    has_more: bool


def planned_days(*, since: datetime, until: datetime, zone: tzinfo) -> list[PlannedDay]:
    """Return what the enabled schedules plan from one moment to another, by the days of a zone, by schedule."""
    return [
        PlannedDay(
            row=row, day=begin.astimezone(zone).date(), slots=found[:MOST_A_DAY], has_more=len(found) > MOST_A_DAY
        )
        for row in claims.enabled()
        for begin, end in _days(since, until, zone)
        if (found := slots.within(row.cron, time_zone=row.time_zone, begin=begin, end=end, most=MOST_A_DAY + 1))
    ]


def backup_slots(*, now: datetime, without: str | None = None, wish: ScheduleWish | None = None) -> ComingRuns:
    """Return the backups that the enabled schedules make in the coming 30 days, oldest first; `without` leaves the
    schedule of that name out, `wish` is one more."""
    wishes = [shown_wish(row) for row in claims.enabled() if row.do in MAKES_BACKUPS and row.name != without]
    found, is_whole = [], True
    for one in [*wishes, *([wish] if wish else [])]:
        made = _slots_ahead(one, now=now)
        if made is None:
            made, is_whole = _last_of_each_day(one, now=now), False
        found += [Coming(at=at, incremental=one.do == Schedule.Do.INCREMENTAL) for at in made]
    return ComingRuns(slots=sorted(found), is_whole=is_whole)


def _slots_ahead(wish: ScheduleWish, *, now: datetime) -> Sequence[datetime] | None:
    """Return the slots of the coming 30 days; None where they are more than `MOST_AHEAD`."""
    zone = wish.time_zone or house_zone()
    found = slots.within(wish.cron, time_zone=zone, begin=now, end=now + AHEAD, most=MOST_AHEAD + 1)
    return found if len(found) <= MOST_AHEAD else None


def _last_of_each_day(wish: ScheduleWish, *, now: datetime) -> Sequence[datetime]:
    days = ((now + number * DAY, now + (number + 1) * DAY) for number in range(AHEAD.days))
    zone = wish.time_zone or house_zone()
    return [
        slot
        for begin, end in days
        for slot in slots.between(wish.cron, time_zone=zone, after=begin, until=end, most=MOST_A_DAY)
    ]


def _days(since: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield when each day of a zone begins and ends, the first and the last cut to the time that is asked for."""
    begin = since
    while begin < until:
        following = begin.astimezone(zone).date() + timedelta(days=1)
        end = min(datetime.combine(following, datetime.min.time(), zone), until)
        yield begin, end
        begin = end


def assurance_slots(*, now: datetime, newest_at: datetime | None) -> tuple[Slots, ...]:
    """Return the slots of every enabled schedule that makes backups, as assurance needs them. `newest_at`: when the
    newest good backup began."""
    return tuple(_slots(row, now, newest_at=newest_at) for row in claims.enabled() if row.do in MAKES_BACKUPS)


def next_is_incremental(*, now: datetime) -> bool:
    """Return whether the next backup that an enabled schedule makes is an incremental one."""
    coming = [(_next(row, now), row.do) for row in claims.enabled() if row.do in MAKES_BACKUPS]
    return bool(coming) and min(coming)[1] == Schedule.Do.INCREMENTAL


def lags(*, now: datetime) -> dict[str, timedelta]:
    """Return by how much each enabled schedule is late: the age of its oldest slot that nobody has decided about."""
    found = {}
    for row in claims.enabled():
        due = slots.between(row.cron, time_zone=row.time_zone, after=row.settled_at, until=now)
        found[row.name] = now - due[0] if due else timedelta(0)
    return found


def worker_is_away(*, now: datetime) -> bool:
    """Return whether no worker has looked at the schedules for three minutes: nothing planned will happen."""
    last = claims.last_tick(now=now)
    return last is None or now - last > TICK


def public(planned: PlannedSchedule) -> dict[str, Any]:
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
    return is_overdue(Evidence(now=now, newest_at=newest_at, schedules=(_slots(row, now, newest_at=newest_at),)))


def _slots(row: Schedule, now: datetime, *, newest_at: datetime | None) -> Slots:
    last = slots.latest(row.cron, time_zone=row.time_zone, until=now)
    served = row.since if newest_at is None else max(row.since, newest_at)
    slot, following = slots.upcoming(row.cron, time_zone=row.time_zone, after=served, count=2)
    return Slots(
        last=last if last is not None and last > row.since else None,
        next=_next(row, now),
        unserved=(slot, following) if slot <= now else None,
    )


def _next(row: Schedule, now: datetime) -> datetime:
    return slots.upcoming(row.cron, time_zone=row.time_zone, after=now, count=1)[0]
