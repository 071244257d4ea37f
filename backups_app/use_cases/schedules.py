"""What the faces ask for: list, add, change, pause, resume and remove schedules, and run one now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from backups_app import configuration as settings
from backups_app.access import audit
from backups_app.assurance.evidence import Evidence, Slots
from backups_app.assurance.marks import TICK, is_overdue
from backups_app.configuration import Configuration
from backups_app.errors import (
    ConfirmationMissing,
    InvalidInput,
    LateDeletionRefused,
    ScheduleNameInvalid,
    ScheduleNameTaken,
    ScheduleNotFound,
    TempleOpsError,
)
from backups_app.models import Schedule, ScheduleSlot
from backups_app.records import CONFIRMATION_PHRASE, Origin
from backups_app.runs.ownership import this_process
from backups_app.schedule import claims, slots
from backups_app.schedule.claims import State
from backups_app.use_cases import listing, readiness, status_of_files
from backups_app.use_cases.scheduled_acts import TempleActs

LONGEST_NAME = 64
NEXT_RUNS = 5
MAKES_BACKUPS = (Schedule.Do.BACKUP.value, Schedule.Do.BACKUP_AND_DELETE.value)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a schedule is to be. An empty `time_zone` is the house's (`TIME_ZONE`)."""

    name: str
    do: str = Schedule.Do.BACKUP.value
    cron: str = "0 2 * * *"
    time_zone: str = ""
    if_missed: str = ""
    enabled: bool = True

    @property
    def deletes(self) -> bool:
        return self.do == Schedule.Do.BACKUP_AND_DELETE


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who asks, from where, when. `confirm` is the phrase that was typed, where bookings will be deleted."""

    by: str
    origin: Origin
    now: datetime
    confirm: str = ""


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
            enabled=row.enabled,
        )  # fmt: skip


def every(*, now: datetime, newest_at: datetime | None = None) -> list[Planned]:
    """Return all schedules by name. `newest_at` is when the newest verified backup began, for what is overdue."""
    return [_planned(row, now=now, newest_at=newest_at) for row in Schedule.objects.all()]


def newest_backup_at(*, configuration: Configuration, now: datetime) -> datetime | None:
    """Return when the newest verified backup began, from records and folders; None without one. One dated in the
    future is no evidence."""
    backups = [run for run in listing.list_runs(configuration=configuration) if run["kind"] == "backup"]
    dated = status_of_files.dated(backups, now=now)
    good = status_of_files.newest_good(dated, database=configuration.database_name)
    return None if good is None else good["created_at"]


def get(name: str, *, now: datetime) -> Planned:
    """Return one schedule. Raise `ScheduleNotFound`."""
    return _planned(_row(name), now=now, newest_at=None)


def next_runs(wish: Wish, *, now: datetime, count: int = NEXT_RUNS) -> tuple[datetime, ...]:
    """Return the next runs that a schedule would have. Raise what `slots.check` raises."""
    zone = wish.time_zone or settings_zone()
    slots.check(wish.cron, time_zone=zone, now=now)
    return tuple(slots.upcoming(wish.cron, time_zone=zone, after=now, count=count))


def add(wish: Wish, *, who: Who) -> Planned:
    """Save a new schedule; its first slot is the next one from now. Raise `ScheduleNameTaken`, `LateDeletionRefused`,
    `ConfirmationMissing` and other `InvalidInput`, `ModeNotLocal`."""
    wish = _checked(wish, who=who)
    _require_confirmation(wish, who)
    row = Schedule(since=who.now, settled_at=who.now, created_at=who.now, created_by=who.by, **_fields(wish))
    with transaction.atomic():
        _on_record("schedule.add", wish, who=who)
        _save(row)
    return _planned(row, now=who.now, newest_at=None)


def change(name: str, wish: Wish, *, who: Who) -> Planned:
    """Change a schedule. When its times change or it is switched on, earlier slots do not count any more. Raises as
    `add`, and `ScheduleNotFound`."""
    with transaction.atomic():
        row = _row(name, locked=True)
        wish = _checked(wish, who=who)
        if _needs_confirmation(row, wish):
            _require_confirmation(wish, who)
        before = _fields(_planned(row, now=who.now, newest_at=None).wish)
        starts_anew = any(before[field] != getattr(wish, field) for field in ("cron", "time_zone", "do")) or (
            wish.enabled and not row.enabled
        )
        if starts_anew:
            row.since = row.settled_at = who.now
            row.waiting = None
        for field, value in _fields(wish).items():
            setattr(row, field, value)
        _on_record("schedule.change", wish, who=who, target=name, before=before)
        _save(row)
    return _planned(row, now=who.now, newest_at=None)


def switch(name: str, *, enabled: bool, who: Who) -> Planned:
    """Pause a schedule, or resume it: what was due while it was paused does not count as missed. Raises as `change`."""
    return change(name, replace(get(name, now=who.now).wish, enabled=enabled), who=who)


def remove(name: str, *, who: Who) -> None:
    """Remove a schedule. Its past slots go with it; the audit trail keeps them. Raise `ScheduleNotFound`."""
    with transaction.atomic():
        row = _row(name, locked=True)
        wish = _planned(row, now=who.now, newest_at=None).wish
        _on_record("schedule.remove", wish, who=who)
        row.delete()


def run_now(name: str, *, who: Who) -> ScheduleSlot:
    """Start what a schedule does, now, asked for by a person. Return its row: `run` is the run's id, empty for what is
    queued. Raise `ScheduleNotFound`, `ConfirmationMissing`, `RunActive`, and what readiness refuses."""
    configuration = settings.current()
    readiness.require_local(configuration)
    row = _row(name)
    if row.do == Schedule.Do.BACKUP_AND_DELETE and who.confirm.strip() != CONFIRMATION_PHRASE:
        raise ConfirmationMissing()
    worker = {**this_process().as_document(), "origin": who.origin.value}
    slot = claims.ask_now(row, by=who.by, now=who.now, worker=worker)
    _on_record("schedule.run_now", _planned(row, now=who.now, newest_at=None).wish, who=who)
    try:
        run = TempleActs(configuration=configuration).start(slot, now=who.now)
    except TempleOpsError as error:
        claims.change(slot, now=timezone.now(), state=State.FAILED, reason=error.code)
        raise
    claims.change(slot, now=timezone.now(), state=State.STARTED, run=run)
    return slot


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


def assurance_slots(*, now: datetime) -> tuple[Slots, ...]:
    """Return the last and the next slot of every enabled schedule that makes backups: what assurance judges by."""
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


def needs_confirmation(name: str | None, wish: Wish) -> bool:
    """Return whether saving this needs the typed phrase and a fresh password: it switches on a run that deletes
    bookings, or changes when it deletes them."""
    row = Schedule.objects.filter(name=name).first() if name else None
    return _needs_confirmation(row, wish)


def settings_zone() -> str:
    """Return the name of the house's time zone."""
    return timezone.get_default_timezone_name()


# ── inside ──────────────────────────────────────────────────────────────────────


def _needs_confirmation(row: Schedule | None, wish: Wish) -> bool:
    if not (wish.deletes and wish.enabled):
        return False
    zone = wish.time_zone or settings_zone()
    same = row is not None and (row.do, row.cron, row.time_zone, row.enabled) == (wish.do, wish.cron, zone, True)
    return not same


def _require_confirmation(wish: Wish, who: Who) -> None:
    if wish.deletes and wish.enabled and who.confirm.strip() != CONFIRMATION_PHRASE:
        raise ConfirmationMissing()


def _checked(wish: Wish, *, who: Who) -> Wish:
    readiness.require_local(settings.current())
    name = wish.name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name or name in (".", ".."):
        raise ScheduleNameInvalid()
    if wish.do not in Schedule.Do.values:
        raise InvalidInput(message="A schedule does backup, backup_and_delete, sync, rehearse or verify.")
    if wish.if_missed not in ("", *Schedule.IfMissed.values):
        raise InvalidInput(message="A missed run is run late or skipped: run or skip.")
    if wish.deletes and wish.if_missed == Schedule.IfMissed.RUN:
        raise LateDeletionRefused()
    usual = Schedule.IfMissed.SKIP if wish.deletes else Schedule.IfMissed.RUN
    zone = wish.time_zone or settings_zone()
    cron = " ".join(wish.cron.split())
    slots.check(cron, time_zone=zone, now=who.now)
    return replace(wish, name=name, time_zone=zone, cron=cron, if_missed=wish.if_missed or usual.value)


def _fields(wish: Wish) -> dict[str, Any]:
    return {
        "name": wish.name, "do": wish.do, "cron": wish.cron, "time_zone": wish.time_zone,
        "if_missed": wish.if_missed, "enabled": wish.enabled,
    }  # fmt: skip


def _save(row: Schedule) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise ScheduleNameTaken(name=row.name) from error


def _row(name: str, *, locked: bool = False) -> Schedule:
    rows = Schedule.objects.select_for_update() if locked else Schedule.objects.all()
    row = rows.filter(name=audit.storable(name)).first()
    if row is None:
        raise ScheduleNotFound()
    return row


def _planned(row: Schedule, *, now: datetime, newest_at: datetime | None) -> Planned:
    coming = slots.upcoming(row.cron, time_zone=row.time_zone, after=now, count=NEXT_RUNS) if row.enabled else []
    last = row.slots.filter(slot__lte=now).exclude(state=State.DROPPED).first() if row.pk else None
    overdue = row.enabled and row.do in MAKES_BACKUPS and _is_overdue(row, now=now, newest_at=newest_at)
    return Planned(row=row, next_runs=tuple(coming), last=last, overdue=overdue)


def _is_overdue(row: Schedule, *, now: datetime, newest_at: datetime | None) -> bool:
    return is_overdue(Evidence(now=now, newest_at=newest_at, schedules=(_slots(row, now),)))


def _slots(row: Schedule, now: datetime) -> Slots:
    last = slots.latest(row.cron, time_zone=row.time_zone, until=now)
    following = slots.upcoming(row.cron, time_zone=row.time_zone, after=now, count=1)
    return Slots(last=last if last is not None and last > row.since else None, next=following[0])


def _on_record(action: str, wish: Wish, *, who: Who, target: str = "", before: Mapping[str, Any] | None = None) -> None:
    details = {**_fields(wish), **({"before": dict(before)} if before is not None else {})}
    audit.record(
        actor=who.by, origin=who.origin, action=action, target=target or wish.name, result="accepted", now=who.now,
        details=details,
    )  # fmt: skip
